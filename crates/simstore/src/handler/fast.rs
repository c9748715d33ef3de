//! Pages of a listing without folders or faults, written straight into the buffer that is sent.

use bytes::Bytes;

use super::page::{Extent, Position, Query, rest, text};
use crate::clock::push_iso;
use crate::objects::Listed;
use crate::objects::Objects;
use crate::percent::{Style, encode};
use crate::xml::{Document, escape};

/// Room for what comes before the entries, as it is known only after them; prefixes and tokens rarely take more.
const HEADROOM: usize = 4096;

/// What an entry of a registry takes, roughly.
const ENTRY: usize = 340;

/// Reads and writes one page; `head` gives what comes before the entries.
pub(super) fn page(
    objects: &Objects,
    query: &Query<'_>,
    start: &Position,
    head: impl Fn(&Extent) -> Document,
) -> (Extent, Bytes) {
    let mut body = Vec::with_capacity(HEADROOM + query.max_keys * ENTRY);
    body.resize(HEADROOM, 0);
    let extent = entries(&mut body, objects, query, start);
    let (head, foot) = head(&extent).into_parts();
    body.extend_from_slice(foot.as_bytes());
    let unused = HEADROOM.saturating_sub(head.len());
    if let Some(room) = body.get_mut(unused..HEADROOM).filter(|room| room.len() == head.len()) {
        room.copy_from_slice(head.as_bytes());
    } else {
        body.splice(..HEADROOM, head.into_bytes());
    }
    (extent, Bytes::from(body).slice(unused..))
}

fn entries(body: &mut Vec<u8>, objects: &Objects, query: &Query<'_>, start: &Position) -> Extent {
    let mut left = rest(objects, query.prefix, start);
    let mut last = Vec::with_capacity(256);
    let mut keys = 0;
    while let Some(walk) = &mut left
        && keys < query.max_keys
        && let Some(listed) = walk.peek()
    {
        push(body, &listed, query.is_url);
        keys += 1;
        if keys == query.max_keys {
            last.extend_from_slice(listed.key);
        }
        walk.advance();
    }
    let is_truncated = query.max_keys > 0 && left.is_some_and(|mut walk| walk.peek().is_some());
    // Only a full page goes on, so only its last key is asked for.
    let end = if last.is_empty() { start.clone() } else { Position::After(text(&last)) };
    Extent { keys, is_truncated, end }
}

fn push(body: &mut Vec<u8>, listed: &Listed<'_>, is_url: bool) {
    body.extend_from_slice(b"<Contents><Key>");
    push_text(body, listed.key, listed.is_plain, is_url);
    body.extend_from_slice(b"</Key><LastModified>");
    push_iso(body, listed.modified);
    body.extend_from_slice(b"</LastModified><ETag>&quot;");
    push_text(body, listed.etag, listed.is_plain, false);
    body.extend_from_slice(b"&quot;</ETag><Size>");
    push_number(body, listed.size);
    body.extend_from_slice(b"</Size><StorageClass>");
    body.extend_from_slice(listed.class.name().as_bytes());
    body.extend_from_slice(b"</StorageClass></Contents>");
}

fn push_text(body: &mut Vec<u8>, bytes: &[u8], is_plain: bool, is_url: bool) {
    if is_plain || bytes.iter().fold(true, |all, byte| all & is_plain_byte(*byte)) {
        body.extend_from_slice(bytes);
        return;
    }
    let text = text(bytes);
    let text = if is_url { encode(&text, Style::Form) } else { text };
    let mut escaped = String::with_capacity(text.len() + 16);
    escape(&mut escaped, &text);
    body.extend_from_slice(escaped.as_bytes());
}

/// Whether neither XML nor URLs write a byte another way.
fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() | matches!(byte, b'/' | b'-' | b'_' | b'.' | b'*')
}

fn push_number(body: &mut Vec<u8>, mut number: u64) {
    let mut digits = [0; 20];
    let mut first = digits.len();
    loop {
        first -= 1;
        digits[first] = b'0' + u8::try_from(number % 10).unwrap_or(0);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    body.extend_from_slice(&digits[first..]);
}
