//! A strict reader of the small XML that servers answer with.
//!
//! The SDK's own reader takes whatever ends early, or breaks off in the middle, for complete; a listing read that way
//! could look finished and not be (G3). This one ends well only where the root element ends.

use std::borrow::Cow;

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
        let (between, tag) = self.tag()?;
        if !between.trim_ascii().is_empty() {
            return Err(XmlError::StrayText);
        }
        match tag.strip_prefix('/') {
            Some(name) => self.close(name),
            None => self.enter(tag),
        }
    }

    /// The text of the current element, which ends with it.
    pub(super) fn text(&mut self) -> Result<Cow<'a, str>, XmlError> {
        if self.is_empty {
            return self.leave().map(|_| Cow::Borrowed(""));
        }
        let (raw, tag) = self.tag()?;
        match tag.strip_prefix('/') {
            Some(name) => self.close(name)?,
            None => return Err(XmlError::NotText(self.innermost().into())),
        };
        unescape(raw)
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

/// What stands before and after an ASCII character. Tags and texts are short: a plain loop finds it before a search made
/// for long texts has begun, and listings of millions of keys are read through here.
fn split(text: &str, at: u8) -> Option<(&str, &str)> {
    let found = text.bytes().position(|byte| byte == at)?;
    Some((&text[..found], &text[found + 1..]))
}

/// Replaces the five named entities and the numbered ones.
fn unescape(raw: &str) -> Result<Cow<'_, str>, XmlError> {
    let Some((start, mut rest)) = raw.split_once('&') else { return Ok(Cow::Borrowed(raw)) };
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
}
