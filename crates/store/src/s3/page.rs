//! One page of a listing, read from the server's answer.

use std::borrow::Cow;

use super::text::{decoded, etag, key, number, present, read, time, value};
use super::xml::{Reader, Step, XmlError};
use crate::Object;

/// Why an answer is no page.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum PageError {
    #[error(transparent)]
    Xml(#[from] XmlError),
    #[error("the page is no UTF-8")]
    NotUtf8,
    #[error("the server answered 200 and then `{code}`: {message}")]
    Refused { code: Box<str>, message: Box<str> },
    #[error("the answer is of the kind `{0}`")]
    UnknownRoot(Box<str>),
    #[error("`{0}` is missing")]
    Missing(&'static str),
    #[error("`{0}` comes twice")]
    Twice(&'static str),
    #[error("`{name}` is `{text}`")]
    Value { name: &'static str, text: Box<str> },
    #[error("`{0}` is said to be URL-encoded and is not")]
    NotEncoded(Box<str>),
}

/// What the server says it was asked: as sent, and decoded.
pub(super) type Echo = (Box<str>, Box<str>);

/// A page as the server sent it, keys decoded; whether it may be believed is for the caller to check.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Page {
    /// The bucket that the server says it listed.
    pub(super) name: Option<Box<str>>,
    /// The prefix that the server says it listed.
    pub(super) prefix: Option<Echo>,
    /// The key after which the server says it listed.
    pub(super) start_after: Option<Echo>,
    pub(super) is_truncated: bool,
    pub(super) next_token: Option<Box<str>>,
    /// How many keys and folders the server says it sent.
    pub(super) key_count: Option<usize>,
    pub(super) objects: Vec<Object>,
    pub(super) folders: Vec<String>,
}

#[derive(Default)]
struct Draft<'a> {
    name: Option<Cow<'a, str>>,
    prefix: Option<Cow<'a, str>>,
    start_after: Option<Cow<'a, str>>,
    is_truncated: Option<Cow<'a, str>>,
    next_token: Option<Cow<'a, str>>,
    encoding: Option<Cow<'a, str>>,
    key_count: Option<Cow<'a, str>>,
    contents: Vec<Contents<'a>>,
    folders: Vec<Cow<'a, str>>,
}

/// An entry, its texts as they were sent: how keys are encoded may be said only after them.
#[derive(Default)]
struct Contents<'a> {
    key: Option<&'a str>,
    size: Option<&'a str>,
    modified: Option<&'a str>,
    etag: Option<&'a str>,
}

impl Page {
    /// Reads an answer to `ListObjectsV2`.
    pub(super) fn parse(body: &[u8]) -> Result<Self, PageError> {
        let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
        let (root, mut reader) = Reader::new(text)?;
        match root {
            "ListBucketResult" => {}
            "Error" => return Err(refusal(&mut reader)?),
            _ => return Err(PageError::UnknownRoot(root.into())),
        }
        let mut draft = Draft::default();
        while let Step::Open(name) = reader.step()? {
            draft.take(name, &mut reader)?;
        }
        reader.finish()?;
        draft.finish()
    }
}

/// Code and message of an error document.
pub(super) fn error_document(body: &[u8]) -> Result<(Box<str>, Box<str>), PageError> {
    let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
    let (root, mut reader) = Reader::new(text)?;
    if root != "Error" {
        return Err(PageError::UnknownRoot(root.into()));
    }
    let said = code_and_message(&mut reader)?;
    reader.finish()?;
    Ok(said)
}

/// Reads what follows `<Error>`; a server that finds trouble after it sent its status can say so only there.
pub(super) fn refusal(reader: &mut Reader<'_>) -> Result<PageError, XmlError> {
    let (code, message) = code_and_message(reader)?;
    Ok(PageError::Refused { code, message })
}

fn code_and_message(reader: &mut Reader<'_>) -> Result<(Box<str>, Box<str>), XmlError> {
    let (mut code, mut message) = (Cow::Borrowed(""), Cow::Borrowed(""));
    while let Step::Open(name) = reader.step()? {
        match name {
            "Code" => code = reader.text()?,
            "Message" => message = reader.text()?,
            _ => reader.skip()?,
        }
    }
    Ok((code.into(), message.into()))
}

fn once<T>(slot: &mut Option<T>, name: &'static str, text: T) -> Result<(), PageError> {
    match slot.replace(text) {
        None => Ok(()),
        Some(_) => Err(PageError::Twice(name)),
    }
}

impl<'a> Draft<'a> {
    fn take(&mut self, name: &str, reader: &mut Reader<'a>) -> Result<(), PageError> {
        match name {
            "Contents" => self.contents.push(Contents::read(reader)?),
            "CommonPrefixes" => self.folders.push(folder(reader)?),
            "Name" => once(&mut self.name, "Name", reader.text()?)?,
            "Prefix" => once(&mut self.prefix, "Prefix", reader.text()?)?,
            "StartAfter" => once(&mut self.start_after, "StartAfter", reader.text()?)?,
            "IsTruncated" => once(&mut self.is_truncated, "IsTruncated", reader.text()?)?,
            "NextContinuationToken" => {
                once(&mut self.next_token, "NextContinuationToken", reader.text()?)?;
            }
            "EncodingType" => once(&mut self.encoding, "EncodingType", reader.text()?)?,
            "KeyCount" => once(&mut self.key_count, "KeyCount", reader.text()?)?,
            _ => reader.skip()?,
        }
        Ok(())
    }

    fn finish(self) -> Result<Page, PageError> {
        let is_encoded = match self.encoding.as_deref() {
            None | Some("") => false,
            Some("url") => true,
            Some(other) => return Err(value("EncodingType", other)),
        };
        let truncated = self.is_truncated.ok_or(PageError::Missing("IsTruncated"))?;
        let is_truncated = match &*truncated {
            "true" => true,
            "false" => false,
            other => return Err(value("IsTruncated", other)),
        };
        Ok(Page {
            name: self.name.map(Into::into),
            prefix: echo(self.prefix, is_encoded)?,
            start_after: echo(self.start_after, is_encoded)?,
            is_truncated,
            next_token: self.next_token.filter(|token| !token.is_empty()).map(Into::into),
            key_count: self.key_count.map(|text| number("KeyCount", &text)).transpose()?,
            objects: self
                .contents
                .into_iter()
                .map(|entry| entry.finish(is_encoded))
                .collect::<Result<_, _>>()?,
            folders: self
                .folders
                .into_iter()
                .map(|sent| decoded(sent, is_encoded).map(String::from))
                .collect::<Result<_, _>>()?,
        })
    }
}

fn echo(sent: Option<Cow<'_, str>>, is_encoded: bool) -> Result<Option<Echo>, PageError> {
    let Some(sent) = sent else { return Ok(None) };
    Ok(Some((sent.clone().into(), decoded(sent, is_encoded)?)))
}

fn folder<'a>(reader: &mut Reader<'a>) -> Result<Cow<'a, str>, PageError> {
    let mut prefix = None;
    while let Step::Open(name) = reader.step()? {
        match name {
            "Prefix" => once(&mut prefix, "CommonPrefixes/Prefix", reader.text()?)?,
            _ => reader.skip()?,
        }
    }
    prefix.ok_or(PageError::Missing("CommonPrefixes/Prefix"))
}

impl<'a> Contents<'a> {
    fn read(reader: &mut Reader<'a>) -> Result<Self, PageError> {
        let mut entry = Self::default();
        loop {
            if let Some((name, raw)) = reader.leaf() {
                if let Some((slot, name)) = entry.slot(name) {
                    once(slot, name, raw)?;
                }
                continue;
            }
            match reader.step()? {
                Step::Close => return Ok(entry),
                Step::Open(name) => match entry.slot(name) {
                    Some((slot, name)) => once(slot, name, reader.raw_text()?)?,
                    None => reader.skip()?,
                },
            }
        }
    }

    /// Where the text of an element belongs, and its full name; `None` for elements that nobody reads.
    fn slot(&mut self, name: &str) -> Option<(&mut Option<&'a str>, &'static str)> {
        match name {
            "Key" => Some((&mut self.key, "Contents/Key")),
            "Size" => Some((&mut self.size, "Contents/Size")),
            "LastModified" => Some((&mut self.modified, "Contents/LastModified")),
            "ETag" => Some((&mut self.etag, "Contents/ETag")),
            _ => None,
        }
    }

    fn finish(self, is_encoded: bool) -> Result<Object, PageError> {
        Ok(Object {
            size: read(self.size, "Contents/Size", |text| text.parse().ok())?,
            modified: read(self.modified, "Contents/LastModified", time)?,
            key: key(present(self.key, "Contents/Key")?, is_encoded)?,
            etag: self.etag.map(etag).transpose()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use registry::Timestamp;

    use super::*;

    fn page(inside: &str) -> Result<Page, PageError> {
        Page::parse(format!("<ListBucketResult>{inside}</ListBucketResult>").as_bytes())
    }

    fn entry(key: &str) -> String {
        format!(
            "<Contents><Key>{key}</Key><LastModified>2026-08-18T10:00:00.000Z</LastModified>\
             <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>7</Size>\
             <Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
        )
    }

    fn key_of(encoding: &str, key: &str) -> Result<String, PageError> {
        let page = page(&format!("{encoding}<IsTruncated>false</IsTruncated>{}", entry(key)))?;
        Ok(page.objects[0].key.to_string())
    }

    #[test]
    fn a_page_is_read_whole() {
        let page = page(&format!(
            "<Name>b</Name><Prefix>a%2Fb</Prefix><StartAfter>a%2525</StartAfter><EncodingType>url</EncodingType><KeyCount>2</KeyCount>\
             <MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;</NextContinuationToken>\
             {}<CommonPrefixes><Prefix>a/b/c/</Prefix></CommonPrefixes>",
            entry("a/b")
        ))
        .unwrap();
        assert_eq!(page.name.as_deref(), Some("b"));
        assert_eq!(page.prefix, Some(("a%2Fb".into(), "a/b".into())));
        assert_eq!(page.start_after, Some(("a%2525".into(), "a%25".into())));
        assert_eq!(page.next_token.as_deref(), Some("t&"));
        assert_eq!((page.key_count, page.is_truncated), (Some(2), true));
        assert_eq!(page.folders, ["a/b/c/"]);
        let object = Object {
            key: "a/b".into(),
            size: 7,
            modified: "2026-08-18T10:00:00Z".parse().unwrap(),
            etag: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
        };
        assert_eq!(page.objects, [object]);
    }

    #[test]
    fn g7_keys_are_decoded_once_and_only_where_the_answer_says_so() {
        let url = "<EncodingType>url</EncodingType>";
        for (encoding, sent, key) in [
            ("", "a%20b+c", "a%20b+c"),
            ("<EncodingType></EncodingType>", "a%20b", "a%20b"),
            (url, "a%20b", "a b"),
            (url, "a+b", "a b"),
            (url, "a%2Bb", "a+b"),
            (url, "a%2520b", "a%20b"),
            (url, "caf%C3%A9", "café"),
            (url, "a%01&amp;", "a\u{1}&"),
            (url, "a%2Fb/c", "a/b/c"),
        ] {
            assert_eq!(key_of(encoding, sent).unwrap(), key, "{encoding} {sent}");
        }
        for sent in ["a%zz", "a%4", "a%", "%ff", "caf%C3", "café", "a b", "a%+1"] {
            assert!(key_of(url, sent).is_err(), "{sent}");
        }
    }

    #[test]
    fn g3_a_page_without_what_decides_is_an_error() {
        let done = "<IsTruncated>false</IsTruncated>";
        assert!(page(done).is_ok());
        for (inside, why) in [
            (String::new(), "`IsTruncated` is missing"),
            ("<IsTruncated>maybe</IsTruncated>".into(), "`IsTruncated` is `maybe`"),
            (format!("{done}{done}"), "`IsTruncated` comes twice"),
            (format!("{done}<EncodingType>hex</EncodingType>"), "`EncodingType` is `hex`"),
            (
                format!("{done}<Contents><Size>1</Size></Contents>"),
                "`Contents/LastModified` is missing",
            ),
            (
                format!("{done}{}", entry("a").replace("2026", "once")),
                "`Contents/LastModified` is `once-08-18T10:00:00.000Z`",
            ),
            (
                format!("{done}{}", entry("a").replace("<Size>7", "<Size>-7")),
                "`Contents/Size` is `-7`",
            ),
            (format!("{done}{}", entry("a</Key><Key>b")), "`Contents/Key` comes twice"),
            (format!("{done}<CommonPrefixes/>"), "`CommonPrefixes/Prefix` is missing"),
        ] {
            assert_eq!(page(&inside).unwrap_err().to_string(), why);
        }
    }

    #[test]
    fn an_error_behind_a_200_is_told_from_a_page() {
        let refused =
            Page::parse(b"<Error><Code>InternalError</Code><Message>oops</Message></Error>");
        let expected = PageError::Refused { code: "InternalError".into(), message: "oops".into() };
        assert_eq!(refused.unwrap_err(), expected);
        assert_eq!(
            Page::parse(b"<html></html>").unwrap_err(),
            PageError::UnknownRoot("html".into())
        );
    }

    #[test]
    fn g3_a_page_cut_anywhere_is_an_error() {
        let whole = format!(
            "<ListBucketResult><IsTruncated>false</IsTruncated>{}{}</ListBucketResult>",
            entry("a"),
            entry("b")
        );
        assert_eq!(Page::parse(whole.as_bytes()).unwrap().objects.len(), 2);
        for end in 0..whole.len() {
            assert!(Page::parse(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    /// An object, and the elements that tell of it, as a server may write them.
    fn written(object: &Object, is_encoded: bool, order: usize, extra: &str) -> String {
        let sent = if is_encoded {
            crate::s3::percent::query(&[(&object.key, "")]).trim_end_matches('=').replace("%20", "+")
        } else {
            object.key.to_string()
        };
        let tag = object.etag.as_deref().unwrap_or_default();
        let mut elements = vec![
            format!("<Key>{}</Key>", escaped(&sent)),
            format!("<LastModified>{}</LastModified>", object.modified),
            format!("<ETag>&quot;{tag}&quot;</ETag>"),
            format!("<Size>{}</Size>", object.size),
            extra.to_owned(),
        ];
        elements.rotate_left(order % 5);
        elements.swap(0, order / 5 % 5);
        format!("<Contents>{}</Contents>", elements.concat())
    }

    fn escaped(text: &str) -> String {
        let one = |sign: char| match sign {
            '&' => "&amp;".to_owned(),
            '<' => "&lt;".to_owned(),
            sign if sign.is_control() => format!("&#x{:X};", u32::from(sign)),
            sign => sign.to_string(),
        };
        text.chars().map(one).collect()
    }

    proptest! {
        #[test]
        fn g3_g7_whatever_the_order_and_the_key_a_page_is_read_whole_or_not_at_all(
            keys in prop::collection::vec("[a-c/%+ <>&\"'\u{1}\n\u{7f}é日😀=-]{1,12}", 0..4),
            (size, millis) in (any::<u64>(), 0..4_102_444_800_000_i64),
            is_encoded in any::<bool>(),
            order in 0..25_usize,
            extra in "(<Owner><ID>1</ID></Owner>|<StorageClass>STANDARD</StorageClass>|<x a='1'/>|<y z='1'>&amp;</y>| ){0,3}",
            cut in any::<prop::sample::Index>(),
        ) {
            let object = |key: String| Object {
                key: key.into(),
                size,
                modified: Timestamp::from_millis(millis),
                etag: Some("d41d8cd98f00b204e9800998ecf8427e-2".into()),
            };
            let objects: Vec<_> = keys.into_iter().map(object).collect();
            let contents: String =
                objects.iter().map(|object| written(object, is_encoded, order, &extra)).collect();
            let encoding = if is_encoded { "<EncodingType>url</EncodingType>" } else { "" };
            let truncated = "<IsTruncated>false</IsTruncated>";
            // What decides may stand before the entries or behind them.
            let inside = match order % 2 {
                0 => format!("{encoding}{truncated}{contents}"),
                _ => format!("{contents}{truncated}{encoding}"),
            };
            prop_assert_eq!(page(&inside).unwrap().objects, objects);
            let whole = format!("<ListBucketResult>{inside}</ListBucketResult>");
            let cut = cut.index(whole.len());
            prop_assert!(Page::parse(&whole.as_bytes()[..cut]).is_err(), "cut at {}", cut);
        }
    }
}
