//! A strict reader of the small XML that servers answer with.
//!
//! The SDK's own reader takes whatever ends early, or breaks off in the middle, for complete; a listing read that way
//! could look finished and not be (G3). This one ends well only where the root element ends.

use std::borrow::Cow;

use memchr::memchr;

/// Why a text is not the XML that was expected.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum XmlError {
    #[error("the XML ends early")]
    EndsEarly,
    #[error("the XML has something after its end")]
    GoesOn,
    #[error("`</{found}>` closes `<{open}>`")]
    Mismatch { open: Box<str>, found: Box<str> },
    #[error("`{0}` holds elements where text was expected")]
    NotText(Box<str>),
    #[error("the XML holds text where elements were expected")]
    StrayText,
    #[error("the XML has a construct that no server sends: `{0}`")]
    Construct(Box<str>),
    #[error("`&{0};` stands for nothing")]
    Entity(Box<str>),
}

/// One step through the elements.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// A child of the current element begins; it is the current one from now on.
    Open(&'a str),
    /// The current element ends.
    Close,
}

/// Walks a document from its root element to its end.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    rest: &'a str,
    open: Vec<&'a str>,
    /// The innermost open element was written `<so/>`.
    is_empty: bool,
}

impl<'a> Reader<'a> {
    /// Steps into the root element and gives its name.
    pub(super) fn new(text: &'a str) -> Result<(&'a str, Self), XmlError> {
        let mut rest = text.trim_start_matches('\u{feff}').trim_start();
        if let Some(declaration) = rest.strip_prefix("<?") {
            let (_, after) = declaration.split_once("?>").ok_or(XmlError::EndsEarly)?;
            rest = after.trim_start();
        }
        let mut reader = Self { rest, open: Vec::with_capacity(4), is_empty: false };
        match reader.step()? {
            Step::Open(name) => Ok((name, reader)),
            Step::Close => Err(XmlError::EndsEarly),
        }
    }

    /// The next child, or the end of the current element. Text between elements must be blank.
    pub(super) fn step(&mut self) -> Result<Step<'a>, XmlError> {
        if self.is_empty {
            return self.leave();
        }
        if let Some(rest) = plain_close(self.rest, self.innermost()) {
            self.rest = rest;
            return self.leave();
        }
        if let Some((name, rest)) = plain_tag(self.rest) {
            self.open.push(name);
            self.rest = rest;
            return Ok(Step::Open(name));
        }
        let (between, tag) = self.tag()?;
        if !between.trim_ascii().is_empty() {
            return Err(XmlError::StrayText);
        }
        match tag.strip_prefix('/') {
            Some(name) => self.close(name),
            None => self.enter(tag),
        }
    }

    /// The text of the current element, which ends with it; entities as they stand, for [`unescape`].
    pub(super) fn raw_text(&mut self) -> Result<&'a str, XmlError> {
        if self.is_empty {
            return self.leave().map(|_| "");
        }
        if let Some((raw, rest)) = plain_end(self.rest, self.innermost()) {
            self.open.pop();
            self.rest = rest;
            return Ok(raw);
        }
        let (raw, tag) = self.tag()?;
        match tag.strip_prefix('/') {
            Some(name) => self.close(name)?,
            None => return Err(XmlError::NotText(self.innermost().into())),
        };
        Ok(raw)
    }

    /// The text of the current element, which ends with it.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, XmlError> {
        unescape(self.raw_text()?)
    }

    /// Passes over the rest of the current element.
    pub(super) fn skip(&mut self) -> Result<(), XmlError> {
        let outer = self.open.len().saturating_sub(1);
        while self.open.len() > outer {
            if self.is_empty {
                self.leave()?;
                continue;
            }
            let (_, tag) = self.tag()?;
            match tag.strip_prefix('/') {
                Some(name) => self.close(name)?,
                None => self.enter(tag)?,
            };
        }
        Ok(())
    }

    /// The next child at once with its raw text, where it is written as nearly all are; else nothing has happened, and
    /// [`step`](Self::step) tells what is there.
    #[inline]
    pub(super) fn leaf(&mut self) -> Option<(&'a str, &'a str)> {
        if self.is_empty {
            return None;
        }
        let (name, after) = plain_tag(self.rest)?;
        let (raw, rest) = plain_end(after, name)?;
        self.rest = rest;
        Some((name, raw))
    }

    /// After the root element nothing may follow.
    pub(super) fn finish(&self) -> Result<(), XmlError> {
        if !self.open.is_empty() {
            return Err(XmlError::EndsEarly);
        }
        if self.rest.trim_ascii().is_empty() { Ok(()) } else { Err(XmlError::GoesOn) }
    }

    /// What stands before the next tag, and what stands between its angle brackets.
    fn tag(&mut self) -> Result<(&'a str, &'a str), XmlError> {
        let (before, after) = split(self.rest, b'<').ok_or(XmlError::EndsEarly)?;
        let (tag, rest) = split(after, b'>').ok_or(XmlError::EndsEarly)?;
        if tag.starts_with(['!', '?']) {
            return Err(XmlError::Construct(tag.chars().take(20).collect()));
        }
        self.rest = rest;
        Ok((before, tag))
    }

    fn enter(&mut self, tag: &'a str) -> Result<Step<'a>, XmlError> {
        let (tag, is_empty) = match tag.strip_suffix('/') {
            Some(tag) => (tag, true),
            None => (tag, false),
        };
        let name = tag.split_ascii_whitespace().next().unwrap_or_default();
        if name.is_empty() {
            return Err(XmlError::Construct(tag.into()));
        }
        self.open.push(name);
        self.is_empty = is_empty;
        Ok(Step::Open(name))
    }

    fn close(&mut self, found: &'a str) -> Result<Step<'a>, XmlError> {
        let found = found.trim_ascii_end();
        if self.innermost() != found {
            return Err(XmlError::Mismatch { open: self.innermost().into(), found: found.into() });
        }
        self.leave()
    }

    fn leave(&mut self) -> Result<Step<'a>, XmlError> {
        self.is_empty = false;
        self.open.pop().map(|_| Step::Close).ok_or(XmlError::GoesOn)
    }

    fn innermost(&self) -> &'a str {
        self.open.last().copied().unwrap_or_default()
    }
}

/// The name of an opening tag that follows at once and is nothing but a name of letters, and what follows it.
#[inline]
fn plain_tag(text: &str) -> Option<(&str, &str)> {
    let after = text.strip_prefix('<')?;
    let end = letters(after.as_bytes())?;
    // Bytes within a character may lack the bit too.
    let (name, rest) = after.split_at_checked(end).filter(|(name, _)| !name.is_empty())?;
    Some((name, rest.strip_prefix('>')?))
}

/// What follows the closing tag `name`, where that follows at once and holds nothing but the name.
#[inline]
fn plain_close<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    text.strip_prefix("</")?.strip_prefix(name)?.strip_prefix('>')
}

/// How many bytes precede the first that has no sixth bit, as every ASCII character that a tag may hold beside its name
/// has none: eight at a time. `None` where that is not soon.
#[inline]
fn letters(bytes: &[u8]) -> Option<usize> {
    const SIXTH: u64 = 0x4040_4040_4040_4040;
    let (words, _) = bytes.as_chunks::<8>();
    words.iter().take(4).enumerate().find_map(|(place, word)| {
        let others = !u64::from_le_bytes(*word) & SIXTH;
        (others != 0).then(|| place * 8 + others.trailing_zeros() as usize / 8)
    })
}

/// The text before the closing tag `name`, where no other tag comes first and the name is all it holds, and what follows
/// it.
#[inline]
fn plain_end<'a>(text: &'a str, name: &str) -> Option<(&'a str, &'a str)> {
    let end = memchr(b'<', text.as_bytes())?;
    Some((&text[..end], plain_close(&text[end..], name)?))
}

/// What stands before and after an ASCII character. Tags and texts are short: a plain loop finds it before a search made
/// for long texts has begun, and listings of millions of keys are read through here.
fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let found = text.bytes().position(|byte| byte == at)?;
    Some((&text[..found], &text[found + 1..]))
}

/// Whether a text holds any such byte. All are looked at, whatever the first ones are, as that goes many at a time.
#[inline]
pub(super) fn holds(text: &str, is_such: impl Fn(u8) -> bool) -> bool {
    text.bytes().fold(0, |found, byte| found | u8::from(is_such(byte))) != 0
}

/// Replaces the five named entities and the numbered ones.
pub(super) fn unescape(raw: &str) -> Result<Cow<'_, str>, XmlError> {
    if !holds(raw, |byte| byte == b'&') {
        return Ok(Cow::Borrowed(raw));
    }
    let (start, mut rest) = raw.split_once('&').unwrap_or((raw, ""));
    let mut text = String::with_capacity(raw.len());
    text.push_str(start);
    loop {
        let (name, after) = rest.split_once(';').ok_or(XmlError::EndsEarly)?;
        text.push(entity(name).ok_or_else(|| XmlError::Entity(name.into()))?);
        let Some((plain, next)) = after.split_once('&') else {
            text.push_str(after);
            return Ok(Cow::Owned(text));
        };
        text.push_str(plain);
        rest = next;
    }
}

fn entity(name: &str) -> Option<char> {
    match name {
        "quot" => Some('"'),
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "apos" => Some('\''),
        _ => {
            let number = name.strip_prefix('#')?;
            let code = match number.strip_prefix(['x', 'X']) {
                Some(hex) => u32::from_str_radix(hex, 16),
                None => number.parse(),
            };
            code.ok().and_then(char::from_u32)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The names and texts of a two-level document, or why it is none.
    fn read(text: &str) -> Result<Vec<(String, String)>, XmlError> {
        let (_, mut reader) = Reader::new(text)?;
        let mut found = Vec::new();
        while let Step::Open(name) = reader.step()? {
            found.push((name.to_owned(), reader.text()?.into_owned()));
        }
        reader.finish().map(|()| found)
    }

    #[test]
    fn elements_come_with_their_text_unescaped() {
        let text = "<?xml version=\"1.0\"?>\n<r xmlns=\"urn:x\"><a>1&amp;&#x32;&#51;</a>\n<b/><c ></c ></r>\n";
        let found = read(text).unwrap();
        let expected = [("a", "1&23"), ("b", ""), ("c", "")];
        assert_eq!(found, expected.map(|(name, text)| (name.to_owned(), text.to_owned())));
    }

    #[test]
    fn g3_a_document_cut_anywhere_is_an_error() {
        let whole = "<?xml version=\"1.0\"?><r><a>1&amp;2</a><b/><a>3</a></r>";
        assert_eq!(read(whole).unwrap().len(), 3);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "cut at {end}: {}", &whole[..end]);
        }
    }

    #[test]
    fn crooked_documents_are_errors() {
        for text in [
            "<r><a></b></r>",
            "<r><a>1<b/></a></r>",
            "<r>text</r>",
            "<r/><r/>",
            "<r><!-- --></r>",
            "<!DOCTYPE r><r/>",
            "<r><a>&nothing;</a></r>",
            "<r><a>&#xD800;</a></r>",
            "<r><></r>",
            "</r>",
            "plain",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn skipping_leaves_at_the_end_of_the_element() {
        let (_, mut reader) = Reader::new("<r><a><b>1</b><c/>text</a><d>2</d></r>").unwrap();
        assert_eq!(reader.step().unwrap(), Step::Open("a"));
        reader.skip().unwrap();
        assert_eq!(reader.step().unwrap(), Step::Open("d"));
        assert_eq!(reader.text().unwrap(), "2");
        assert_eq!(reader.step().unwrap(), Step::Close);
        reader.finish().unwrap();
    }

    /// The same document with every tag written so that only the long way reads it.
    fn blanked(text: &str) -> String {
        text.replace('>', " >").replace("/ >", "/>").replace("? >", "?>")
    }

    /// The texts of some elements, all others passed over, as pages are read.
    fn walk(text: &str) -> Result<Vec<String>, XmlError> {
        let (_, mut reader) = Reader::new(text)?;
        let is_wanted = |name| matches!(name, "a" | "Bc");
        let mut found = Vec::new();
        loop {
            if let Some((name, raw)) = reader.leaf() {
                found.extend(is_wanted(name).then(|| unescape(raw)).transpose()?);
                continue;
            }
            match reader.step()? {
                Step::Close => break,
                Step::Open(name) if is_wanted(name) => found.push(reader.text()?),
                Step::Open(_) => reader.skip()?,
            }
        }
        reader.finish()?;
        Ok(found.into_iter().map(Cow::into_owned).collect())
    }

    proptest::proptest! {
        #[test]
        fn however_tags_are_written_the_same_is_read(
            inside in "(<a>(x|&amp;|é|&#65;){0,9}</a>|<Bc></Bc>|<skipped><a>1</a></skipped>|<b/>|<LongNameOfAnElementThatGoesOn>|\
                        </LongNameOfAnElementThatGoesOn>|<d1>|</d1>|<é>|</é>|<>|</>|<!|<?|&|x| |\n){0,5}",
            cut in 0..200_usize,
        ) {
            let whole = format!("<r>{inside}</r>");
            let text = whole.get(..cut).unwrap_or(&whole);
            let (short, long) = (walk(text), walk(&blanked(text)));
            proptest::prop_assert_eq!(short.is_ok(), long.is_ok(), "{:?} {:?}", short, long);
            if let (Ok(short), Ok(long)) = (short, long) {
                proptest::prop_assert_eq!(short, long);
            }
        }
    }
}
