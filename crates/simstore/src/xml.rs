//! Documents, in and out.

use std::borrow::Cow;
use std::fmt::Write;

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, Event};
use quick_xml::reader::Reader;

use crate::S3Error;

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";
const NAMESPACE: &str = "http://s3.amazonaws.com/doc/2006-03-01/";

/// A document under construction: one root element with children.
#[derive(Debug)]
pub(crate) struct Document {
    text: String,
    root: &'static str,
}

impl Document {
    pub(crate) fn new(root: &'static str) -> Self {
        Self { text: format!("{HEAD}<{root} xmlns=\"{NAMESPACE}\">"), root }
    }

    /// An element that holds text.
    pub(crate) fn leaf(&mut self, name: &str, text: &str) {
        push_leaf(&mut self.text, name, text);
    }

    /// Text of the root itself.
    pub(crate) fn text(&mut self, text: &str) {
        escape(&mut self.text, text);
    }

    /// An element that holds elements.
    pub(crate) fn group(&mut self, name: &str, leaves: &[(&str, Cow<'_, str>)]) {
        push(&mut self.text, format_args!("<{name}>"));
        for (name, text) in leaves {
            push_leaf(&mut self.text, name, text);
        }
        push(&mut self.text, format_args!("</{name}>"));
    }

    /// What is written so far, and what closes it.
    pub(crate) fn into_parts(self) -> (String, String) {
        (self.text, format!("</{}>", self.root))
    }

    pub(crate) fn finish(mut self) -> String {
        push(&mut self.text, format_args!("</{}>", self.root));
        self.text
    }
}

fn push_leaf(document: &mut String, name: &str, text: &str) {
    push(document, format_args!("<{name}>"));
    escape(document, text);
    push(document, format_args!("</{name}>"));
}

fn push(document: &mut String, words: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = document.write_fmt(words);
}

/// As S3 does it: control characters as references too, even those that XML 1.0 knows no way to write.
pub(crate) fn escape(document: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => document.push_str("&amp;"),
            '<' => document.push_str("&lt;"),
            '>' => document.push_str("&gt;"),
            '"' => document.push_str("&quot;"),
            letter if letter < ' ' => push(document, format_args!("&#x{:X};", u32::from(letter))),
            letter => document.push(letter),
        }
    }
}

/// The document of an error; it has no namespace.
pub(crate) fn error(error: &S3Error, subject: &str) -> String {
    let mut text = format!("{HEAD}<Error>");
    for (name, value) in [
        ("Code", error.code),
        ("Message", error.message),
        ("Resource", subject),
        ("RequestId", "0000000000000000"),
    ] {
        push_leaf(&mut text, name, value);
    }
    text + "</Error>"
}

/// What a `DeleteObjects` request asks.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct DeleteAsk {
    pub(crate) is_quiet: bool,
    pub(crate) objects: Vec<ToDelete>,
}

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ToDelete {
    pub(crate) key: String,
    /// Delete only where the object has this entity tag; without quotes.
    pub(crate) etag: Option<String>,
    pub(crate) version: Option<String>,
}

/// A part that a `CompleteMultipartUpload` request names.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct PartAsk {
    pub(crate) number: u32,
    /// Without quotes.
    pub(crate) etag: String,
}

/// Reads a `DeleteObjects` request; `None` where it is no such document.
pub(crate) fn parse_delete(body: &[u8]) -> Option<DeleteAsk> {
    let mut ask = DeleteAsk::default();
    let mut object = ToDelete::default();
    read_elements(body, "Delete", |name, text| {
        match name {
            "Key" => object.key = text,
            "ETag" => object.etag = Some(text.trim_matches('"').to_owned()),
            "VersionId" => object.version = Some(text),
            "Quiet" => ask.is_quiet = text == "true",
            "Object" => ask.objects.push(std::mem::take(&mut object)),
            _ => {}
        }
        Some(())
    })?;
    Some(ask)
}

/// Reads a `CompleteMultipartUpload` request; `None` where it is no such document.
pub(crate) fn parse_parts(body: &[u8]) -> Option<Vec<PartAsk>> {
    let mut parts = Vec::new();
    let mut part = PartAsk::default();
    read_elements(body, "CompleteMultipartUpload", |name, text| {
        match name {
            "PartNumber" => part.number = text.trim().parse().ok()?,
            "ETag" => text.trim().trim_matches('"').clone_into(&mut part.etag),
            "Part" => parts.push(std::mem::take(&mut part)),
            _ => {}
        }
        Some(())
    })?;
    Some(parts)
}

/// Gives name and text of every element at its end, until that of `root`.
fn read_elements(
    body: &[u8],
    root: &str,
    mut take: impl FnMut(&str, String) -> Option<()>,
) -> Option<()> {
    let mut reader = Reader::from_str(std::str::from_utf8(body).ok()?);
    let mut text = String::new();
    loop {
        match reader.read_event().ok()? {
            Event::Start(_) => text.clear(),
            Event::Text(more) => text.push_str(&more.xml10_content()),
            Event::CData(more) => text.push_str(&more.xml10_content()),
            Event::GeneralRef(reference) => push_reference(&mut text, &reference)?,
            Event::End(end) if end.local_name().as_ref() == root => return Some(()),
            Event::End(end) => take(end.local_name().as_ref(), std::mem::take(&mut text))?,
            Event::Eof => return None,
            _ => {}
        }
    }
}

fn push_reference(text: &mut String, reference: &BytesRef<'_>) -> Option<()> {
    if let Some(letter) = reference.resolve_char_ref().ok()? {
        text.push(letter);
    } else {
        text.push_str(resolve_predefined_entity(reference)?);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_to_delete_come_out_byte_for_byte() {
        let body = "<?xml version=\"1.0\"?><Delete xmlns=\"x\"><Object><Key> a&amp;&#x26;&lt;b&#10;</Key></Object>\
                    <Object><ETag>\"e\"</ETag><Key><![CDATA[<c>]]></Key></Object>\n<Quiet>true</Quiet></Delete>";
        let ask = parse_delete(body.as_bytes()).unwrap();
        assert!(ask.is_quiet);
        assert_eq!(ask.objects[0], ToDelete { key: " a&&<b\n".into(), ..ToDelete::default() });
        assert_eq!(
            ask.objects[1],
            ToDelete { key: "<c>".into(), etag: Some("e".into()), version: None }
        );
    }

    #[test]
    fn parts_come_out_in_the_order_in_which_they_are_named() {
        let part = |number: u32| {
            format!("<Part><ETag>\"e{number}\"</ETag><PartNumber>{number}</PartNumber></Part>")
        };
        let body =
            format!("<CompleteMultipartUpload>{}{}</CompleteMultipartUpload>", part(2), part(1));
        let parts = parse_parts(body.as_bytes()).unwrap();
        assert_eq!(parts[0], PartAsk { number: 2, etag: "e2".into() });
        assert_eq!(parts[1], PartAsk { number: 1, etag: "e1".into() });
        assert_eq!(parse_parts(body.replace(">1<", ">one<").as_bytes()), None);
    }

    #[test]
    fn half_a_request_is_none() {
        let body = "<Delete><Object><Key>a</Key></Object></Delete>";
        for cut in 0..body.len() {
            assert_eq!(parse_delete(&body.as_bytes()[..cut]), None, "{cut}");
        }
        assert!(parse_delete(body.as_bytes()).is_some());
    }

    #[test]
    fn a_bare_carriage_return_is_a_newline_as_xml_says() {
        let body = b"<Delete><Object><Key>a\rb&#13;</Key></Object></Delete>";
        assert_eq!(parse_delete(body).unwrap().objects[0].key, "a\nb\r");
    }

    #[test]
    fn text_is_escaped() {
        let mut document = Document::new("Root");
        document.leaf("Key", "a<&>\"\u{1}\r");
        assert!(document.finish().ends_with("<Key>a&lt;&amp;&gt;&quot;&#x1;&#xD;</Key></Root>"),);
    }
}
