//! Plain JSON: documents as nearly all clients push them, read in a third of the time that any document takes.
//!
//! Plain is a document that is UTF-8 with no escapes in its texts, no numbers but whole ones, and nothing nested deeply.
//! Whatever it says of such a document, [`serde_json`] says too. Of all others it says nothing, that they are broken least
//! of all: whoever asks has them read the long way.

use std::fmt;

use memchr::memchr2;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;

/// Lists and objects that nobody asked for are not followed any deeper.
const DEEPEST: usize = 16;
/// So many digits are less than the largest number.
const DIGITS: usize = 18;

/// The document is not plain, or not what was asked for.
#[derive(Debug)]
pub(super) struct NotPlain;

impl fmt::Display for NotPlain {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not plain")
    }
}

impl std::error::Error for NotPlain {}

impl de::Error for NotPlain {
    /// What is wrong is told by whoever reads it the long way.
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

type Plain<T> = Result<T, NotPlain>;

/// A plain document, and how far it was read.
pub(super) struct Reader<'de> {
    text: &'de str,
    at: usize,
    /// Whether it has control characters: between its texts they may stand, as ends of lines do, and in them not.
    has_control: bool,
}

impl<'de> Reader<'de> {
    pub(super) fn new(text: &'de str) -> Self {
        Self { text, at: 0, has_control: has_control(text.as_bytes()) }
    }

    /// Makes sure that nothing follows.
    pub(super) fn end(mut self) -> Plain<()> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(NotPlain),
        }
    }

    fn rest(&self) -> &'de [u8] {
        &self.text.as_bytes()[self.at..]
    }

    /// The next byte that is no white space.
    #[inline]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.text.as_bytes().get(self.at) {
                Some(b' ' | b'\n' | b'\t' | b'\r') => self.at += 1,
                byte => return byte.copied(),
            }
        }
    }

    /// Goes past the next byte, where it is this one.
    #[inline]
    fn take(&mut self, byte: u8) -> Plain<()> {
        if self.peek() != Some(byte) {
            return Err(NotPlain);
        }
        self.at += 1;
        Ok(())
    }

    fn word(&mut self, word: &str) -> Plain<()> {
        if !self.rest().starts_with(word.as_bytes()) {
            return Err(NotPlain);
        }
        self.at += word.len();
        Ok(())
    }

    #[inline]
    fn text(&mut self) -> Plain<&'de str> {
        self.take(b'"')?;
        let rest = self.rest();
        let end = memchr2(b'"', b'\\', rest).ok_or(NotPlain)?;
        if rest[end] == b'\\' || (self.has_control && has_control(&rest[..end])) {
            return Err(NotPlain);
        }
        let text = self.text.get(self.at..self.at + end);
        self.at += end + 1;
        text.ok_or(NotPlain)
    }

    fn number(&mut self) -> Plain<u64> {
        let digits = self.rest().iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (number, rest) = self.rest().split_at(digits);
        let is_fraction = matches!(rest.first(), Some(b'.' | b'e' | b'E'));
        if !(1..=DIGITS).contains(&digits) || (number[0] == b'0' && digits > 1) || is_fraction {
            return Err(NotPlain);
        }
        self.at += digits;
        Ok(number.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0')))
    }

    /// Goes past a value.
    fn skip(&mut self, depth: usize) -> Plain<()> {
        match self.peek() {
            Some(b'"') => self.text().map(drop),
            Some(b'0'..=b'9') => self.number().map(drop),
            Some(b'n') => self.word("null"),
            Some(b't') => self.word("true"),
            Some(b'f') => self.word("false"),
            Some(b'[') if depth < DEEPEST => {
                let mut items = Items::of(self, b'[', b']')?;
                while items.step()? {
                    items.reader.skip(depth + 1)?;
                }
                Ok(())
            }
            Some(b'{') if depth < DEEPEST => {
                let mut items = Items::of(self, b'{', b'}')?;
                while items.step()? {
                    items.reader.text()?;
                    items.reader.take(b':')?;
                    items.reader.skip(depth + 1)?;
                }
                Ok(())
            }
            _ => Err(NotPlain),
        }
    }
}

/// Whether there is any control character. It branches nowhere, so that the compiler makes vector instructions of it.
#[inline]
fn has_control(text: &[u8]) -> bool {
    text.iter().fold(0, |found, byte| found | u8::from(*byte < b' ')) != 0
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = NotPlain;

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Plain<V::Value> {
        Err(NotPlain)
    }

    #[inline]
    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Plain<V::Value> {
        visitor.visit_borrowed_str(self.text()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Plain<V::Value> {
        self.peek();
        visitor.visit_u64(self.number()?)
    }

    #[inline]
    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Plain<V::Value> {
        if self.peek() == Some(b'n') {
            self.word("null")?;
            return visitor.visit_none();
        }
        visitor.visit_some(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Plain<V::Value> {
        visitor.visit_seq(Items::of(self, b'[', b']')?)
    }

    #[inline]
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Plain<V::Value> {
        visitor.visit_map(Items::of(self, b'{', b'}')?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Plain<V::Value> {
        self.skip(0)?;
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u128 f32 f64 char string bytes byte_buf unit unit_struct newtype_struct
        tuple tuple_struct struct enum identifier
    }
}

/// What stands in a list or an object, with commas between.
struct Items<'r, 'de> {
    reader: &'r mut Reader<'de>,
    end: u8,
    is_first: bool,
}

impl<'r, 'de> Items<'r, 'de> {
    #[inline]
    fn of(reader: &'r mut Reader<'de>, start: u8, end: u8) -> Plain<Self> {
        reader.take(start)?;
        Ok(Self { reader, end, is_first: true })
    }

    /// Goes to the next item; whether there is one. It is not to be asked again where there is none.
    #[inline]
    fn step(&mut self) -> Plain<bool> {
        if self.reader.peek() == Some(self.end) {
            self.reader.at += 1;
            return Ok(false);
        }
        if !std::mem::take(&mut self.is_first) {
            self.reader.take(b',')?;
        }
        Ok(true)
    }
}

impl<'de> SeqAccess<'de> for Items<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Plain<Option<T::Value>> {
        if self.step()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }
}

impl<'de> MapAccess<'de> for Items<'_, 'de> {
    type Error = NotPlain;

    #[inline]
    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Plain<Option<K::Value>> {
        if self.step()? { seed.deserialize(&mut *self.reader).map(Some) } else { Ok(None) }
    }

    #[inline]
    fn next_value_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Plain<T::Value> {
        self.reader.take(b':')?;
        seed.deserialize(&mut *self.reader)
    }
}
