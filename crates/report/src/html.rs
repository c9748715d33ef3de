//! Writing HTML in which only literals of the program are markup.
//!
//! What is written is well-formed XML too: every element is closed, every attribute quoted.

use std::fmt::{self, Display, Write};

/// A name and a value; the value is escaped.
pub(crate) type Attribute<'a> = (&'static str, &'a dyn Display);

/// Elements between which white space means nothing: each ends its line.
const BLOCKS: [&str; 12] =
    ["p", "h1", "h2", "h3", "li", "dt", "dd", "th", "td", "caption", "figcaption", "title"];

/// HTML that grows. Names and markup are literals, so that nothing read from a store can become either.
#[derive(Debug, Default)]
pub(crate) struct Html(String);

impl Html {
    /// Markup as it stands.
    pub(crate) fn raw(&mut self, markup: &'static str) {
        self.0.push_str(markup);
    }

    /// What was written elsewhere.
    pub(crate) fn push(&mut self, other: &Self) {
        self.0.push_str(&other.0);
    }

    /// Text; whatever it holds, it stays text.
    pub(crate) fn text(&mut self, text: impl Display) {
        // Writing to a string cannot fail.
        let _ = write!(Escaping(&mut self.0), "{text}");
    }

    /// An element around what `inside` writes.
    pub(crate) fn within(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        inside: impl FnOnce(&mut Self),
    ) {
        self.begin(name, attributes);
        self.0.push('>');
        inside(self);
        self.end(name);
        self.0.push('\n');
    }

    /// An element around a text.
    pub(crate) fn element(
        &mut self,
        name: &'static str,
        attributes: &[Attribute<'_>],
        text: impl Display,
    ) {
        self.begin(name, attributes);
        self.0.push('>');
        self.text(text);
        self.end(name);
        if BLOCKS.contains(&name) {
            self.0.push('\n');
        }
    }

    /// An element that holds nothing.
    pub(crate) fn empty(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.begin(name, attributes);
        self.0.push_str(" />");
    }

    fn begin(&mut self, name: &'static str, attributes: &[Attribute<'_>]) {
        self.0.push('<');
        self.0.push_str(name);
        for (name, value) in attributes {
            self.0.push(' ');
            self.0.push_str(name);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
    }

    fn end(&mut self, name: &'static str) {
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    /// The HTML as text.
    pub(crate) fn into_string(self) -> String {
        self.0
    }
}

/// Passes text on as what means this text between tags and between quotes.
struct Escaping<'a>(&'a mut String);

impl Write for Escaping<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                _ if is_treacherous(character) => write!(self.0, "{}", character.escape_unicode())?,
                _ => self.0.push(character),
            }
        }
        Ok(())
    }
}

/// Characters that no page may hold, that nobody sees, or that turn the text around them: they are shown by number.
fn is_treacherous(character: char) -> bool {
    let is_control = character.is_control() && !matches!(character, '\n' | '\t');
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    let is_nothing =
        matches!(character, '\u{fdd0}'..='\u{fdef}') || character as u32 & 0xfffe == 0xfffe;
    is_control || turns || is_nothing
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str) -> String {
        let mut html = Html::default();
        html.text(text);
        html.into_string()
    }

    /// What a browser reads.
    fn read(text: &str) -> String {
        let entities =
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
        entities.iter().fold(text.to_owned(), |text, (entity, means)| text.replace(entity, means))
    }

    #[test]
    fn an_attribute_and_a_text_hold_what_they_are_given() {
        let mut html = Html::default();
        html.element("p", &[("title", &"\" onclick=\"x"), ("id", &7)], "<script>");
        let expected = "<p title=\"&quot; onclick=&quot;x\" id=\"7\">&lt;script&gt;</p>\n";
        assert_eq!(html.into_string(), expected);
    }

    #[test]
    fn what_nobody_sees_is_shown_by_number() {
        assert_eq!(text("a\u{202e}b\u{0}c\u{7f}d\u{fffe}"), r"a\u{202e}b\u{0}c\u{7f}d\u{fffe}");
        assert_eq!(text("zwei\nZeilen\t日本"), "zwei\nZeilen\t日本");
    }

    proptest! {
        #[test]
        fn no_text_gets_out_of_where_it_stands(original in any::<String>()) {
            let escaped = text(&original);
            prop_assert!(!escaped.contains(['<', '>', '"', '\'']));
            if !original.contains(is_treacherous) {
                prop_assert_eq!(read(&escaped), original);
            }
        }
    }
}
