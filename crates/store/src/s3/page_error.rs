//! What can be wrong with an answer that lists something.

use super::xml::XmlError;

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
