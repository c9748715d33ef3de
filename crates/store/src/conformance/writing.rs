//! What every store promises of writing.

use bytes::Bytes;

use super::{PREFIX, list_keys, must};
use crate::{Condition, ErrorKind, StoreError, Token, WriteStore};

const KEY: &str = "contract/own/small.json";

/// More than any content here has.
const AT_MOST: u64 = 1000;

/// Checks a store that looks at conditions and holds nothing below [`PREFIX`].
///
/// # Panics
/// Where the store breaks its contract.
pub async fn writing_contract<S: WriteStore>(store: &S) {
    let first = must(write(store, "one", &Condition::Absent).await);
    reads(store, "one", &first).await;
    refuses(store, "two", &Condition::Absent).await;
    reads(store, "one", &first).await;
    let second = must(write(store, "two", &Condition::Unchanged(first.clone())).await);
    assert_ne!(first, second, "a token changes with the content");
    refuses(store, "three", &Condition::Unchanged(first)).await;
    reads(store, "two", &second).await;
    let third = must(write(store, "three", &Condition::None).await);
    reads(store, "three", &third).await;
    let absent = store.write("contract/own/absent", body("x"), &Condition::Unchanged(third)).await;
    is_refused(&absent);
    let empty = must(write(store, "", &Condition::None).await);
    reads(store, "", &empty).await;
    one_of_many_wins(store).await;
    let keys = list_keys(store, PREFIX, "").await;
    assert!(keys.contains(&KEY.to_owned()), "what is written is listed");
}

fn body(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

/// Asks again where that may help.
async fn write<S: WriteStore>(
    store: &S,
    text: &str,
    condition: &Condition,
) -> Result<Token, StoreError> {
    loop {
        match store.write(KEY, body(text), condition).await {
            Err(error) if error.kind.may_pass() => tokio::task::yield_now().await,
            answer => return answer,
        }
    }
}

async fn reads<S: WriteStore>(store: &S, text: &str, token: &Token) {
    let found = must(store.read(KEY, AT_MOST).await);
    assert_eq!(found.content, text);
    assert_eq!(found.token, *token, "the token that was told of {text:?}");
    let size = text.len() as u64;
    assert_eq!(must(store.read(KEY, size).await).content, text);
    if size > 0 {
        let kind = store.read(KEY, size - 1).await.err().map(|error| error.kind);
        assert_eq!(kind, Some(ErrorKind::TooLarge));
    }
    let absent = store.read("contract/own/absent", AT_MOST).await;
    assert_eq!(absent.err().map(|error| error.kind), Some(ErrorKind::NotFound));
}

async fn refuses<S: WriteStore>(store: &S, text: &str, condition: &Condition) {
    is_refused(&write(store, text, condition).await);
}

fn is_refused(answer: &Result<Token, StoreError>) {
    let kind = answer.as_ref().err().map(|error| error.kind);
    assert_eq!(kind, Some(ErrorKind::Precondition), "{answer:?}");
}

/// Of many who add to what they read, nobody undoes what another did.
async fn one_of_many_wins<S: WriteStore>(store: &S) {
    must(write(store, "", &Condition::None).await);
    tokio::join!(add(store, "a"), add(store, "b"), add(store, "c"));
    let added = must(store.read(KEY, AT_MOST).await).content;
    let mut marks: Vec<&str> = must_text(&added).split_inclusive(';').collect();
    assert_eq!(marks.len(), 3 * 5, "{added:?}");
    marks.sort_unstable();
    marks.dedup();
    assert_eq!(marks.len(), 3 * 5, "{added:?}");
}

fn must_text(content: &Bytes) -> &str {
    std::str::from_utf8(content).unwrap_or_else(|error| panic!("{error}"))
}

/// A condition that is broken after an attempt in doubt may have been broken by who already built on ours.
async fn add<S: WriteStore>(store: &S, name: &str) {
    for round in 0..5 {
        let mark = format!("{name}{round};");
        loop {
            let found = must(store.read(KEY, AT_MOST).await);
            if must_text(&found.content).contains(&mark) {
                break;
            }
            let text = format!("{}{mark}", must_text(&found.content));
            match write(store, &text, &Condition::Unchanged(found.token)).await {
                Ok(_) => break,
                Err(error) if error.kind == ErrorKind::Precondition => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
}
