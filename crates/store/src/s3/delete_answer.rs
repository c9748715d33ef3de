//! The answer to a delete request, read from the server's own words.
//!
//! The SDK's reader takes an answer that breaks off for complete, and refuses whole answers for one key that holds a
//! character which XML has no way to write, though the server wrote it and the keys are gone.

use super::page::refusal;
use super::page_error::PageError;
use super::xml::{Reader, Step};
use crate::Marker;

/// What the answer says of one key.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) key: Option<String>,
    /// Code and message, where the key was not deleted.
    pub(super) refused: Option<(String, String)>,
    /// The version id of the delete marker that was made, or removed, where it is one that can be removed.
    pub(super) marker: Option<String>,
}

/// Reads an answer to `DeleteObjects`, in its own order.
pub(super) fn parse(body: &[u8]) -> Result<Vec<Told>, PageError> {
    let text = std::str::from_utf8(body).map_err(|_| PageError::NotUtf8)?;
    let (root, mut reader) = Reader::new(text)?;
    match root {
        "DeleteResult" => {}
        "Error" => return Err(refusal(&mut reader)?),
        _ => return Err(PageError::UnknownRoot(root.into())),
    }
    let mut answer = Vec::new();
    while let Step::Open(name) = reader.step()? {
        match name {
            "Deleted" => answer.push(Told { refused: None, ..told(&mut reader)? }),
            "Error" => answer.push(told(&mut reader)?),
            _ => reader.skip()?,
        }
    }
    reader.finish()?;
    Ok(answer)
}

fn told(reader: &mut Reader<'_>) -> Result<Told, PageError> {
    let (mut key, mut code, mut message) = (None, String::new(), String::new());
    let (mut is_marker, mut marker) = (false, None);
    while let Step::Open(name) = reader.step()? {
        match name {
            "Key" if key.is_some() => return Err(PageError::Twice("Key")),
            "Key" => key = Some(reader.text()?.into_owned()),
            "Code" => code = reader.text()?.into_owned(),
            "Message" => message = reader.text()?.into_owned(),
            "DeleteMarker" => is_marker = reader.text()? == "true",
            "DeleteMarkerVersionId" => marker = Some(reader.text()?.into_owned()),
            _ => reader.skip()?,
        }
    }
    let marker = marker.filter(|id: &String| is_marker && Marker::is_removable(id));
    Ok(Told { key, refused: Some((code, message)), marker })
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: &str = "<?xml version=\"1.0\"?>\n<DeleteResult xmlns=\"x\"><Deleted><Key>a&amp;&#x1;\u{ffff}</Key>\
        <DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>m1</DeleteMarkerVersionId></Deleted>\
        <Deleted><Key>s</Key><DeleteMarker>true</DeleteMarker><DeleteMarkerVersionId>null</DeleteMarkerVersionId></Deleted>\
        <Deleted><Key>v</Key><DeleteMarkerVersionId>no</DeleteMarkerVersionId></Deleted><Error><Key>b</Key><VersionId/><Code>SlowDown</Code>\
        <Message>m</Message></Error><Error><Code>x</Code></Error></DeleteResult>";

    #[test]
    fn g10_every_key_that_the_answer_speaks_of_is_told() {
        let told = |key: Option<&str>, refused: Option<(&str, &str)>| Told {
            key: key.map(Into::into),
            refused: refused.map(|(code, message)| (code.into(), message.into())),
            marker: None,
        };
        let marked = |told, id: &str| Told { marker: Some(id.into()), ..told };
        assert_eq!(
            parse(ANSWER.as_bytes()).unwrap(),
            [
                marked(told(Some("a&\u{1}\u{ffff}"), None), "m1"),
                told(Some("s"), None),
                told(Some("v"), None),
                told(Some("b"), Some(("SlowDown", "m"))),
                told(None, Some(("x", ""))),
            ]
        );
        assert_eq!(parse(b"<DeleteResult/>").unwrap(), []);
    }

    #[test]
    fn g10_an_answer_cut_anywhere_is_an_error() {
        for end in (0..ANSWER.len()).filter(|end| ANSWER.is_char_boundary(*end)) {
            assert!(parse(&ANSWER.as_bytes()[..end]).is_err(), "cut at {end}");
        }
    }

    #[test]
    fn an_error_behind_a_200_is_told_from_an_answer() {
        let refused = parse(b"<Error><Code>SlowDown</Code><Message>m</Message></Error>");
        let expected = PageError::Refused { code: "SlowDown".into(), message: "m".into() };
        assert_eq!(refused.unwrap_err(), expected);
        assert_eq!(parse(b"<html/>").unwrap_err(), PageError::UnknownRoot("html".into()));
    }
}
