//! Text to values that know their places.
//!
//! A policy needs texts, lists and fields. One document, no field twice, no tags; anchors and their aliases are
//! understood.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput};

use crate::{Place, PolicyError, Problem};

/// How many values a text may stand for, so that aliases of aliases end in an error.
const VALUE_LIMIT: usize = 100_000;

/// How deep values may lie in each other.
const DEPTH_LIMIT: usize = 20;

/// A value and where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) place: Place,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    Null,
    /// A single value as it is written, quotes and escapes resolved.
    Text(String),
    List(Vec<Node>),
    Fields(Vec<Field>),
}

/// A field and where its name begins.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) place: Place,
    pub(crate) name: String,
    pub(crate) node: Node,
}

impl Value {
    fn count(&self) -> usize {
        1 + match self {
            Self::Null | Self::Text(_) => 0,
            Self::List(items) => items.iter().map(|item| item.value.count()).sum(),
            Self::Fields(fields) => fields.iter().map(|field| field.node.value.count()).sum(),
        }
    }
}

/// Reads the only document.
pub(crate) fn parse(text: &str) -> Result<Node, PolicyError> {
    let parser = Parser::new_from_str(text);
    let mut composer = Composer { parser, anchors: HashMap::new(), values: 0 };
    let document = composer.documents();
    document.map_err(|broken| broken.explained(text))
}

/// What cannot be read, before anybody knows in which field.
struct Broken {
    place: Place,
    what: String,
    /// Whether it is no YAML.
    is_syntax: bool,
}

impl Broken {
    fn at(mark: Marker, what: impl Into<String>) -> Self {
        Self { place: place(mark), what: what.into(), is_syntax: false }
    }

    /// A glob that begins with `*` is the commonest mistake, and what YAML says of it helps nobody.
    fn explained(self, text: &str) -> PolicyError {
        let line = text.lines().nth(self.place.line.saturating_sub(1)).unwrap_or_default();
        let has_bare_star = [" *", "[*", ",*"].iter().any(|star| line.contains(star));
        let hint = if self.is_syntax && has_bare_star {
            "; what begins with `*` needs quotes: \"*\""
        } else {
            ""
        };
        let problem = Problem::Syntax(format!("{}{hint}", self.what));
        PolicyError { place: self.place, field: String::new(), problem }
    }
}

impl From<ScanError> for Broken {
    fn from(error: ScanError) -> Self {
        Self { is_syntax: true, ..Self::at(*error.marker(), error.info()) }
    }
}

fn place(mark: Marker) -> Place {
    Place { line: mark.line().max(1), column: mark.col() + 1 }
}

struct Composer<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Node>,
    values: usize,
}

impl<'t> Composer<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Marker), Broken> {
        match self.parser.next_event() {
            Some(event) => event.map(|(event, span)| (event, span.start)).map_err(Broken::from),
            None => Ok((Event::StreamEnd, Marker::default())),
        }
    }

    fn documents(&mut self) -> Result<Node, Broken> {
        let mut document = None;
        loop {
            match self.next()? {
                (Event::StreamEnd, mark) => {
                    let nothing = Node { place: place(mark), value: Value::Null };
                    return Ok(document.unwrap_or(nothing));
                }
                (
                    Event::Nothing
                    | Event::StreamStart
                    | Event::DocumentStart(_)
                    | Event::DocumentEnd,
                    _,
                ) => {}
                (_, mark) if document.is_some() => {
                    return Err(Broken::at(mark, "a second document begins here"));
                }
                (event, mark) => document = Some(self.node(event, mark, 0)?),
            }
        }
    }

    fn node(&mut self, event: Event<'t>, mark: Marker, depth: usize) -> Result<Node, Broken> {
        if depth > DEPTH_LIMIT {
            return Err(Broken::at(mark, "values lie too deep in each other"));
        }
        let (anchor, value) = match event {
            Event::Scalar(_, _, _, Some(_))
            | Event::SequenceStart(_, Some(_))
            | Event::MappingStart(_, Some(_)) => {
                return Err(Broken::at(
                    mark,
                    "a policy has no YAML tags; quote what begins with `!`",
                ));
            }
            Event::Scalar(text, style, anchor, None) => (anchor, scalar(text.into_owned(), style)),
            Event::SequenceStart(anchor, None) => (anchor, Value::List(self.list(depth)?)),
            Event::MappingStart(anchor, None) => (anchor, Value::Fields(self.fields(depth)?)),
            Event::Alias(id) => return self.alias(id, mark),
            _ => return Err(Broken::at(mark, "a value is missing")),
        };
        self.spend(1, mark)?;
        let node = Node { place: place(mark), value };
        if anchor != 0 {
            self.spend(node.value.count(), mark)?;
            self.anchors.insert(anchor, node.clone());
        }
        Ok(node)
    }

    /// What the alias stands for, at the place of the alias.
    fn alias(&mut self, id: usize, mark: Marker) -> Result<Node, Broken> {
        let known = self.anchors.get(&id).cloned();
        let inside = || Broken::at(mark, "the alias stands inside the value it names");
        let node = Node { place: place(mark), ..known.ok_or_else(inside)? };
        self.spend(node.value.count(), mark)?;
        Ok(node)
    }

    fn spend(&mut self, values: usize, mark: Marker) -> Result<(), Broken> {
        self.values += values;
        if self.values > VALUE_LIMIT {
            return Err(Broken::at(mark, "the file holds too many values"));
        }
        Ok(())
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, Broken> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(items),
                (event, mark) => items.push(self.node(event, mark, depth + 1)?),
            }
        }
    }

    fn fields(&mut self, depth: usize) -> Result<Vec<Field>, Broken> {
        let mut fields = Vec::new();
        loop {
            let (event, mark) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(fields);
            }
            let Value::Text(name) = self.node(event, mark, depth + 1)?.value else {
                return Err(Broken::at(mark, "the name of a field must be a text"));
            };
            let (event, value_mark) = self.next()?;
            let node = self.node(event, value_mark, depth + 1)?;
            fields.push(Field { place: place(mark), name, node });
        }
    }
}

fn scalar(text: String, style: ScalarStyle) -> Value {
    match (style, text.as_str()) {
        (ScalarStyle::Plain, "" | "~" | "null" | "Null" | "NULL") => Value::Null,
        _ => Value::Text(text),
    }
}
