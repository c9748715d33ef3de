//! `GetObject` and `HeadObject`.

use crate::S3Error;
use crate::clock::http_date;
use crate::objects::Objects;
use crate::reply::Reply;
use crate::request::Ask;

/// The object; for HEAD the body is taken off later. A range is ignored, as HTTP allows.
pub(super) fn get(objects: &Objects, ask: &Ask) -> Result<Reply, S3Error> {
    let object = objects.get(&ask.key).ok_or(S3Error::NO_SUCH_KEY)?;
    Ok(Reply { body: object.content.clone(), ..Reply::empty(200) }
        .with("content-type", "binary/octet-stream")
        .with("etag", format!("\"{}\"", object.etag))
        .with("last-modified", http_date(object.modified)))
}
