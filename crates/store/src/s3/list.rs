//! Listing: page after page, each believed only after it was checked.

use std::sync::Arc;

use aws_sdk_s3::types::StorageClass;
use registry::Timestamp;

use super::Bucket;
use super::classify::unreadable;
use super::page::{Echo, Page};
use super::request::{self, Ask, RawPage, subject};
use super::storage_class;
use crate::{Cursor, ErrorKind, Folders, Listed, Object, Operation, StoreError};

/// Why a page cannot be believed (G2, G3).
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
enum Oddity {
    #[error("the page is of bucket `{0}`")]
    OtherBucket(Box<str>),
    #[error("the page is of prefix `{0}`")]
    OtherPrefix(Box<str>),
    #[error("the page is of what comes after `{0}`")]
    OtherStart(Box<str>),
    #[error("key `{0}` does not start with the prefix")]
    Outside(Box<str>),
    #[error("key `{key}` does not come after `{after}`")]
    OutOfOrder { after: Box<str>, key: Box<str> },
    #[error("{got} entries came where at most {limit} were asked for")]
    TooMany { got: usize, limit: u16 },
    #[error("{got} entries came and the server says it sent {said}")]
    TooFew { got: usize, said: usize },
    #[error("folder `{0}` does not end in `/`")]
    NoFolder(Box<str>),
    #[error("the page holds folders, which were not asked for")]
    Folders,
    #[error("the page says that there is more, holds nothing, and does not say how to go on")]
    NoToken,
    #[error("the page says that there is more and leads back to itself")]
    SameToken,
    #[error("the answer does not tell the time")]
    NoDate,
}

/// A listing of a bucket under way.
#[derive(Debug)]
pub struct S3Cursor {
    bucket: Arc<Bucket>,
    within: Box<str>,
    /// The last key that was handed on. Going on from a key and not from a token keeps a listing independent of what the
    /// server remembers, so that it can be taken up anywhere, any time later.
    after: Box<str>,
    /// How to go on after a page that holds nothing and is not the last.
    token: Option<Box<str>>,
    is_done: bool,
}

impl S3Cursor {
    pub(super) fn new(bucket: Arc<Bucket>, within: &str, after: &str) -> Self {
        let (within, after) = (within.into(), after.into());
        Self { bucket, within, after, token: None, is_done: false }
    }

    fn ask(&self) -> Ask<'_> {
        Ask {
            within: &self.within,
            after: &self.after,
            token: self.token.as_deref(),
            delimiter: None,
            limit: self.bucket.config.keys_per_page,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl Cursor for S3Cursor {
    async fn next(&mut self) -> Result<Option<Vec<Listed>>, StoreError> {
        while !self.is_done {
            let ask = self.ask();
            let page = page(&self.bucket, ask).await?;
            let page = check(page, &self.bucket.config.bucket, ask)
                .map_err(|oddity| malformed(&self.bucket, ask, oddity))?;
            self.is_done = !page.is_truncated;
            match page.objects.last() {
                Some(last) => (self.after, self.token) = (last.key.clone().into(), None),
                None => self.token = page.next_token,
            }
            if !page.objects.is_empty() {
                return Ok(Some(page.objects.into_iter().map(Listed::Object).collect()));
            }
        }
        Ok(None)
    }

    /// A request lists as much as it lists.
    fn end_at(&mut self, _: &str) {}
}

async fn page(bucket: &Bucket, ask: Ask<'_>) -> Result<Page, StoreError> {
    let raw = request::list(bucket, Operation::List, ask).await?;
    parse(bucket, Operation::List, ask, &raw)
}

fn parse(
    bucket: &Bucket,
    operation: Operation,
    ask: Ask<'_>,
    raw: &RawPage,
) -> Result<Page, StoreError> {
    Page::parse(&raw.body)
        .map_err(|error| unreadable(operation, subject(bucket, ask.within), error))
}

fn malformed(bucket: &Bucket, ask: Ask<'_>, oddity: Oddity) -> StoreError {
    StoreError::new(Operation::List, subject(bucket, ask.within), ErrorKind::Malformed)
        .because(oddity)
}

/// Checks all that a page can be checked for, as each check has a server that fails it.
fn check(page: Page, bucket: &str, ask: Ask<'_>) -> Result<Page, Oddity> {
    check_echoes(&page, bucket, ask)?;
    check_counts(&page, ask.limit)?;
    let keys = page.objects.iter().map(|object| &*object.key);
    match ask.delimiter {
        Some(_) => {
            check_order(keys, ask)?;
            check_order(page.folders.iter().map(String::as_str), ask)?;
            check_folders(&page.folders)?;
        }
        None if !page.folders.is_empty() => return Err(Oddity::Folders),
        None => {
            check_order(keys, ask)?;
            check_way_on(&page, ask)?;
        }
    }
    Ok(page)
}

/// Where the server says what it listed, it must be what was asked for. An access point answers in the name of its
/// bucket, and a bucket of a tenant leaves the tenant away. A server that decodes `start-after` once too often leaves a
/// gap, which only its echo shows.
fn check_echoes(page: &Page, bucket: &str, ask: Ask<'_>) -> Result<(), Oddity> {
    let is_alias = bucket.starts_with("arn:") || bucket.ends_with("-s3alias");
    match page.name.as_deref() {
        Some(name) if !is_alias && bucket.rsplit([':', '/']).next() != Some(name) => {
            return Err(Oddity::OtherBucket(name.into()));
        }
        _ => {}
    }
    let differs = |echo: &Echo, asked: &str| *echo.0 != *asked && *echo.1 != *asked;
    if let Some(echo) = page.prefix.as_ref().filter(|echo| differs(echo, ask.within)) {
        return Err(Oddity::OtherPrefix(echo.0.clone()));
    }
    let start = page.start_after.as_ref().filter(|echo| ask.token.is_none() && !echo.0.is_empty());
    match start.filter(|echo| differs(echo, ask.after)) {
        Some(echo) => Err(Oddity::OtherStart(echo.0.clone())),
        None => Ok(()),
    }
}

/// A server that counts less than it sends has lost nothing.
fn check_counts(page: &Page, limit: u16) -> Result<(), Oddity> {
    let got = page.objects.len() + page.folders.len();
    if got > usize::from(limit) {
        return Err(Oddity::TooMany { got, limit });
    }
    match page.key_count {
        Some(said) if said > got => Err(Oddity::TooFew { got, said }),
        _ => Ok(()),
    }
}

/// Keys strictly ascend from the one asked for on, and all start with the prefix.
fn check_order<'a>(keys: impl Iterator<Item = &'a str>, ask: Ask<'a>) -> Result<(), Oddity> {
    let mut last = ask.after;
    for key in keys {
        if !key.starts_with(ask.within) {
            return Err(Oddity::Outside(key.into()));
        }
        if key <= last {
            return Err(Oddity::OutOfOrder { after: last.into(), key: key.into() });
        }
        last = key;
    }
    Ok(())
}

/// A page that holds nothing and is not the last is legal, and legal only with a way on.
fn check_way_on(page: &Page, ask: Ask<'_>) -> Result<(), Oddity> {
    if !page.is_truncated || !page.objects.is_empty() {
        return Ok(());
    }
    match page.next_token.as_deref() {
        None => Err(Oddity::NoToken),
        token if token == ask.token => Err(Oddity::SameToken),
        Some(_) => Ok(()),
    }
}

fn check_folders(folders: &[String]) -> Result<(), Oddity> {
    match folders.iter().find(|folder| !folder.ends_with('/')) {
        Some(odd) => Err(Oddity::NoFolder(odd.as_str().into())),
        None => Ok(()),
    }
}

/// Looks at keys by listing from each: a key comes before all others that begin with it. A bucket's listings presume
/// nothing, so that nobody has to ask this often.
pub(super) async fn look(
    bucket: &Arc<Bucket>,
    keys: Vec<Box<str>>,
) -> Result<Vec<Option<Object>>, StoreError> {
    let mut objects = Vec::with_capacity(keys.len());
    for key in keys {
        let page = S3Cursor::new(Arc::clone(bucket), &key, "").next().await?;
        let first = page.into_iter().flatten().next();
        objects.push(
            first.and_then(|listed| listed.object().cloned()).filter(|object| *object.key == *key),
        );
    }
    Ok(objects)
}

/// An object, and what to ask for so that a copy has its storage class.
#[derive(Clone, Debug)]
pub(super) struct Original {
    pub(super) object: Object,
    /// None where a copy needs none.
    pub(super) class: Option<StorageClass>,
}

/// Looks at one key as closely as who copies it needs to.
pub(super) async fn look_closely(
    bucket: &Bucket,
    key: &str,
) -> Result<Option<Original>, StoreError> {
    let mut token = None;
    loop {
        let ask = Ask { within: key, token: token.as_deref(), limit: 1, ..Ask::default() };
        let raw = request::list(bucket, Operation::List, ask).await?;
        let page = parse(bucket, Operation::List, ask, &raw)?;
        let page = check(page, &bucket.config.bucket, ask)
            .map_err(|oddity| malformed(bucket, ask, oddity))?;
        if let Some(object) = page.objects.into_iter().next() {
            let class = storage_class::of_first(&raw.body)
                .map_err(|error| unreadable(Operation::List, key, error))?;
            return Ok((*object.key == *key).then_some(Original { object, class }));
        }
        if !page.is_truncated {
            return Ok(None);
        }
        token = page.next_token;
    }
}

/// The folders directly below `within`, by one request.
pub(super) async fn folders(bucket: &Bucket, within: &str) -> Result<Folders, StoreError> {
    let limit = bucket.config.keys_per_page;
    let ask = Ask { within, delimiter: Some("/"), limit, ..Ask::default() };
    let page = page(bucket, ask).await?;
    let page =
        check(page, &bucket.config.bucket, ask).map_err(|oddity| malformed(bucket, ask, oddity))?;
    Ok(Folders { prefixes: page.folders, is_complete: !page.is_truncated })
}

/// The time by the server's `Date` header. Asked by a LIST, as credentials for anything less need not exist.
pub(super) async fn now(bucket: &Bucket) -> Result<Timestamp, StoreError> {
    let within = &*bucket.config.probe_prefix;
    let ask = Ask { within, limit: 1, ..Ask::default() };
    let raw = request::list(bucket, Operation::Open, ask).await?;
    parse(bucket, Operation::Open, ask, &raw)?;
    raw.date.ok_or_else(|| {
        StoreError::new(Operation::Open, &bucket.config.bucket, ErrorKind::Malformed)
            .because(Oddity::NoDate)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ASK: Ask<'_> =
        Ask { within: "a/", after: "a/k", token: Some("t"), delimiter: None, limit: 3 };

    fn page_of(keys: &[&str]) -> Page {
        let object = |key: &&str| Object {
            key: (*key).into(),
            size: 1,
            modified: Timestamp::from_seconds(1),
            etag: None,
        };
        Page {
            name: Some("bucket".into()),
            prefix: Some(("a%2F".into(), "a/".into())),
            start_after: None,
            is_truncated: false,
            next_token: None,
            key_count: None,
            objects: keys.iter().map(object).collect(),
            folders: Vec::new(),
        }
    }

    fn oddity(page: Page, ask: Ask<'_>) -> Option<Oddity> {
        check(page, "bucket", ask).err()
    }

    #[test]
    fn a_page_as_it_should_be_is_believed() {
        for keys in [&[][..], &["a/l"], &["a/l", "a/m", "a/n"], &["a/ka", "a/é", "a/日"]] {
            assert_eq!(oddity(page_of(keys), ASK), None, "{keys:?}");
        }
        let silent = Page { name: None, prefix: None, key_count: Some(0), ..page_of(&["a/l"]) };
        assert_eq!(oddity(silent, ASK), None);
    }

    #[test]
    fn g3_keys_out_of_order_or_outside_are_refused() {
        for keys in [&["a/k"][..], &["a/j"], &["a/m", "a/l"], &["a/m", "a/m"]] {
            let odd = oddity(page_of(keys), ASK);
            assert!(matches!(odd, Some(Oddity::OutOfOrder { .. })), "{keys:?}");
        }
        assert_eq!(oddity(page_of(&["a/l", "b"]), ASK), Some(Oddity::Outside("b".into())));
        let all = page_of(&["a/l", "a/m", "a/n", "a/o"]);
        assert_eq!(oddity(all, ASK), Some(Oddity::TooMany { got: 4, limit: 3 }));
    }

    #[test]
    fn g3_a_page_of_something_else_is_refused() {
        let other = Page { name: Some("other".into()), ..page_of(&[]) };
        assert_eq!(oddity(other, ASK), Some(Oddity::OtherBucket("other".into())));
        let other = Page { prefix: Some(("b".into(), "b".into())), ..page_of(&[]) };
        assert_eq!(oddity(other, ASK), Some(Oddity::OtherPrefix("b".into())));
        let raw_echo = Page { prefix: Some(("a/".into(), "a/".into())), ..page_of(&[]) };
        assert_eq!(oddity(raw_echo, ASK), None);
        let start = |text: &str| Page {
            start_after: Some((text.into(), text.replace("%2F", "/").into())),
            ..page_of(&[])
        };
        let asked = Ask { token: None, ..ASK };
        for (echo, odd) in [("a/k", None), ("a%2Fk", None), ("", None), ("a/m", Some("a/m"))] {
            let odd = odd.map(|odd: &str| Oddity::OtherStart(odd.into()));
            assert_eq!(oddity(start(echo), asked), odd, "{echo}");
        }
        assert_eq!(oddity(start("a/m"), ASK), None, "a token leaves `start-after` away");
        let lost = Page { key_count: Some(2), ..page_of(&["a/l"]) };
        assert_eq!(oddity(lost, ASK), Some(Oddity::TooFew { got: 1, said: 2 }));
        let folders = Page { folders: vec!["a/x/".into()], ..page_of(&[]) };
        assert_eq!(oddity(folders, ASK), Some(Oddity::Folders));
    }

    #[test]
    fn g3_an_empty_page_that_is_not_the_last_needs_a_way_on() {
        let page = |token: Option<&str>| Page {
            is_truncated: true,
            next_token: token.map(Into::into),
            ..page_of(&[])
        };
        assert_eq!(oddity(page(None), ASK), Some(Oddity::NoToken));
        assert_eq!(oddity(page(Some("t")), ASK), Some(Oddity::SameToken));
        assert_eq!(oddity(page(Some("u")), ASK), None);
    }

    #[test]
    fn access_points_and_tenants_name_the_bucket_their_own_way() {
        for bucket in ["arn:aws:s3:eu-west-1:1:accesspoint/x", "x-s3alias", "tenant:bucket"] {
            assert_eq!(check(page_of(&[]), bucket, ASK).err(), None, "{bucket}");
        }
    }

    #[test]
    fn folders_are_checked_as_keys_are() {
        let ask = Ask { within: "a/", delimiter: Some("/"), limit: 3, ..Ask::default() };
        let page = |folders: &[&str]| Page {
            folders: folders.iter().map(ToString::to_string).collect(),
            ..page_of(&["a/b"])
        };
        assert_eq!(oddity(page(&["a/a/", "a/b/"]), ask), None);
        assert_eq!(oddity(page(&["a/a"]), ask), Some(Oddity::NoFolder("a/a".into())));
        assert!(matches!(oddity(page(&["a/b/", "a/a/"]), ask), Some(Oddity::OutOfOrder { .. })));
        assert_eq!(oddity(page(&["b/"]), ask), Some(Oddity::Outside("b/".into())));
    }
}
