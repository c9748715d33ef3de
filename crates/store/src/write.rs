//! Writing: the program's own small objects, where more than one may write them.
//!
//! A *condition* says what must hold of an object for a write to be carried out; nobody can break it in between. A
//! *token* stands for the content that an object had. Equal contents may have equal tokens, so who must tell every two
//! writes apart puts something into each that no other has.

use std::fmt;
use std::future::Future;

use bytes::Bytes;
use registry::Digest;

use crate::{ErrorKind, ReadStore, StoreError};

/// What stands for the content of an object: the entity tag of a bucket as it was told, a digest elsewhere.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Token(Box<str>);

impl Token {
    /// As the store tells it.
    pub(crate) fn new(text: &str) -> Self {
        Self(text.into())
    }

    /// Where the store has no token of its own.
    pub(crate) fn of(content: &[u8]) -> Self {
        Self(Digest::sha256(content).to_string().into())
    }

    /// As the store tells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What must hold for a write to be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing. Such a write may arrive late and put itself over what was written since: only for what is the same
    /// whoever writes it.
    None,
    /// Nothing, and the write is not sent again after a failure that may have let it through: it could arrive after what
    /// is written next. For what changes, where the store keeps no condition.
    Once,
    /// There is no such object.
    Absent,
    /// The object has the content that it had when this token was told.
    Unchanged(Token),
}

/// An object as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned {
    /// All of it.
    pub content: Bytes,
    /// What to make a write depend on.
    pub token: Token,
}

/// Reading and writing small objects whole; deletes nothing.
pub trait WriteStore: ReadStore {
    /// Reads an object whole, with its token: a digest, where the store has none of its own.
    ///
    /// # Errors
    /// As for [`ReadStore::get`].
    fn read(
        &self,
        key: &str,
        at_most: u64,
    ) -> impl Future<Output = Result<Versioned, StoreError>> + Send {
        async move {
            let content = self.get(key, at_most).await?;
            Ok(Versioned { token: Token::of(&content), content })
        }
    }

    /// Writes an object whole where `condition` holds: whoever reads sees all of it or nothing, and once this returns it
    /// is durable.
    ///
    /// # Errors
    /// [`ErrorKind::Precondition`] where the condition does not hold: nothing was written, unless an earlier attempt at
    /// the same write was left in doubt. After any other error it is in doubt: the object may have been written, and
    /// with a condition that still holds it may yet be. Who needs to know reads, and compares.
    fn write(
        &self,
        key: &str,
        content: Bytes,
        condition: &Condition,
    ) -> impl Future<Output = Result<Token, StoreError>> + Send;

    /// Whether this store looks at conditions; `None` where only a try tells ([`heeds_conditions`]).
    fn conditional_puts(&self) -> Option<bool>;
}

/// What a probe writes.
const PROBE: &[u8] = b"regsweep writes this to learn whether the store looks at conditions\n";

/// What it must not be able to write over that.
const OTHER: &[u8] =
    b"this store does not look at conditions, which cannot keep two collectors apart\n";

/// Whether the store looks at conditions, asked where it is not known: a server may refuse them, or overwrite all the
/// same. `probe` is a key for nothing else.
///
/// Sends up to six writes, usually four.
///
/// # Errors
/// Where a try is left without an answer: nothing is known then.
pub async fn heeds_conditions<S: WriteStore>(store: &S, probe: &str) -> Result<bool, StoreError> {
    if let Some(known) = store.conditional_puts() {
        return Ok(known);
    }
    store.write(probe, Bytes::from_static(PROBE), &Condition::None).await?;
    let foreign = Token::new("\"00000000000000000000000000000000\"");
    for condition in [Condition::Absent, Condition::Unchanged(foreign)] {
        match store.write(probe, Bytes::from_static(OTHER), &condition).await {
            Err(error) if error.kind == ErrorKind::Precondition => {}
            // The server does not know the header, and says so.
            Err(error) if error.kind == ErrorKind::Fatal => return Ok(false),
            Err(error) => return Err(error),
            Ok(_) => return Ok(false),
        }
    }
    holds_what_holds(store, probe).await
}

/// Whether a condition that holds lets a write through: some servers compare the tag in another form than they tell it.
/// Somebody else may be probing, so it is tried a few times.
async fn holds_what_holds<S: WriteStore>(store: &S, probe: &str) -> Result<bool, StoreError> {
    for _ in 0..3 {
        let found = store.read(probe, 1 << 10).await?;
        match store.write(probe, found.content, &Condition::Unchanged(found.token)).await {
            Ok(_) => return Ok(true),
            Err(error) if error.kind == ErrorKind::Precondition => {}
            Err(error) => return Err(error),
        }
    }
    Ok(false)
}

#[cfg(test)]
mod tests;
