//! Ids of traces and spans.

use std::collections::hash_map::RandomState;
use std::fmt;
use std::hash::{BuildHasher as _, Hasher as _};

/// Eight bytes, not all of them zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SpanId(pub(super) u64);

/// Sixteen bytes, not all of them zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TraceId(pub(super) u128);

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

/// A span of somebody else's, in which the run belongs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
}

impl Parent {
    /// From a `traceparent`; none where it is none.
    ///
    /// Source: W3C Trace Context, "traceparent Header": version, trace, parent, flags, all in lower-case hex. Later
    /// versions may append to it.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let version = hex(parts.next()?, 2)?;
        let trace = hex(parts.next()?, 32).filter(|id| *id != 0)?;
        let span = hex(parts.next()?, 16).filter(|id| *id != 0)?;
        hex(parts.next()?, 2)?;
        let is_known = version != 0xff && (version != 0 || parts.next().is_none());
        let span = u64::try_from(span).ok()?;
        is_known.then_some(Self { trace: TraceId(trace), span: SpanId(span) })
    }
}

fn hex(text: &str, digits: usize) -> Option<u128> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let fits = text.len() == digits && text.bytes().all(is_digit);
    fits.then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

/// A number nobody can foretell, and not zero: the hasher's own seed, hashed.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish().max(1)
}
