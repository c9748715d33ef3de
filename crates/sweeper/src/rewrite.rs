//! Writing broken links anew.

use bytes::Bytes;
use planner::Row;
use registry::{Digest, link_text, parse_link};
use store::{Condition, ErrorKind, KeyFailure, KeyOutcome, StoreError, Token, WriteStore};

/// The longest content of a link that is read: a sha512 digest with room for what was appended by mistake.
const LINK_LIMIT: u64 = 1024;

/// How many links one task writes anew, one after the other.
pub(crate) const TOGETHER: usize = 16;

/// Writes links anew; the answer has one outcome for each row, in their order (G10).
///
/// # Errors
/// Where a failure may pass: each link may or may not be written, and doing it again is harmless (G11).
pub(crate) async fn rewrite_all<S: WriteStore>(
    store: &S,
    rows: &[Row],
) -> Result<Vec<KeyOutcome>, StoreError> {
    let mut outcomes = Vec::with_capacity(rows.len());
    for row in rows {
        let outcome = match row.digest {
            Some(digest) => rewrite(store, row, digest).await,
            // A plan holds no such row.
            None => Ok(KeyOutcome::Spared),
        };
        outcomes.push(outcome.or_else(definite)?);
    }
    Ok(outcomes)
}

/// A link that says what it has to is left, whoever wrote it: an earlier try, whose answer was lost, is not told from
/// anybody else's. One that is gone is not made.
async fn rewrite<S: WriteStore>(
    store: &S,
    row: &Row,
    digest: Digest,
) -> Result<KeyOutcome, StoreError> {
    let found = match store.read(&row.key, LINK_LIMIT).await {
        Ok(found) => found,
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(KeyOutcome::Gone),
        Err(error) if error.kind == ErrorKind::TooLarge => return Ok(KeyOutcome::Spared),
        Err(error) => return Err(error),
    };
    let text = Bytes::from(link_text(&digest));
    if found.content == text {
        return Ok(KeyOutcome::Gone);
    }
    // G6: only what the plan saw is written over, and never what says something.
    let is_broken = parse_link(&found.content).is_err();
    if !is_broken || !is_unchanged(store, row).await? {
        return Ok(KeyOutcome::Spared);
    }
    match write(store, &row.key, text, found.token).await {
        Ok(()) => Ok(KeyOutcome::Rewritten),
        Err(error) if error.kind == ErrorKind::Precondition => Ok(KeyOutcome::Spared),
        Err(error) => Err(error),
    }
}

/// Whether a link is as the plan saw it.
async fn is_unchanged<S: WriteStore>(store: &S, row: &Row) -> Result<bool, StoreError> {
    let looked = store.look(vec![row.key.clone()]).await?;
    let mut found = looked.into_iter().flatten();
    Ok(found.any(|object| (object.size, object.modified) == (row.bytes, row.modified)))
}

/// Writes over what was read, and nothing else. A store that says that it knows no conditions is asked without, right
/// after the look.
async fn write<S: WriteStore>(
    store: &S,
    key: &str,
    text: Bytes,
    read: Token,
) -> Result<(), StoreError> {
    let written = store.write(key, text.clone(), &Condition::Unchanged(read)).await;
    match written {
        Err(error) if error.kind == ErrorKind::Fatal && store.conditional_puts().is_none() => {
            store.write(key, text, &Condition::Once).await.map(drop)
        }
        written => written.map(drop),
    }
}

/// What says that this link cannot be written, and nothing of others.
fn definite(error: StoreError) -> Result<KeyOutcome, StoreError> {
    match error.kind {
        ErrorKind::Denied | ErrorKind::Fatal => {
            let message = error.to_string().into();
            Ok(KeyOutcome::Failed(KeyFailure { kind: error.kind, message }))
        }
        _ => Err(error),
    }
}
