//! Text to [`Value`], with the extensions and limits of the registry's parser.
//!
//! Only the first document counts. A field given twice is allowed. `<<` merges at its place: what follows it wins over
//! it, and it wins over what precedes it.
//!
//! Source: `yaml.v2` 2.4, `decode.go`.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, StrInput, Tag};

use crate::scalar::{Atom, Scalar};
use crate::value::{Mapping, Value};

/// How many values a text may stand for, so that aliases of aliases end in an error.
const VALUE_LIMIT: usize = 100_000;

/// How deep values may lie in each other.
const DEPTH_LIMIT: usize = 100;

/// What is wrong and where; line and column count from 1.
#[derive(Debug)]
pub(crate) struct SyntaxError {
    pub(crate) line: usize,
    pub(crate) column: usize,
    pub(crate) problem: String,
}

impl SyntaxError {
    fn at(mark: Marker, problem: impl Into<String>) -> Self {
        Self { line: mark.line(), column: mark.col() + 1, problem: problem.into() }
    }
}

impl From<ScanError> for SyntaxError {
    fn from(error: ScanError) -> Self {
        Self::at(*error.marker(), error.info())
    }
}

/// Reads the first document; null where there is none.
pub(crate) fn parse(text: &str) -> Result<Value, SyntaxError> {
    let parser = Parser::new_from_str(text);
    let mut composer = Composer { parser, anchors: HashMap::new(), values: 0 };
    loop {
        match composer.next()? {
            (Event::StreamEnd, _) => return Ok(Value::null()),
            (Event::Nothing | Event::StreamStart | Event::DocumentStart(_), _) => {}
            (event, mark) => return composer.value(event, mark, 0),
        }
    }
}

struct Composer<'t> {
    parser: Parser<'t, StrInput<'t>>,
    anchors: HashMap<usize, Value>,
    values: usize,
}

impl<'t> Composer<'t> {
    fn next(&mut self) -> Result<(Event<'t>, Marker), SyntaxError> {
        match self.parser.next_event() {
            Some(event) => {
                event.map(|(event, span)| (event, span.start)).map_err(SyntaxError::from)
            }
            None => Ok((Event::StreamEnd, Marker::default())),
        }
    }

    fn value(
        &mut self,
        event: Event<'t>,
        mark: Marker,
        depth: usize,
    ) -> Result<Value, SyntaxError> {
        if depth > DEPTH_LIMIT {
            return Err(SyntaxError::at(mark, "values lie too deep in each other"));
        }
        let (anchor, value) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                let scalar = scalar(text.into_owned(), style, tag.as_deref());
                (anchor, Value::Scalar(scalar.map_err(|problem| SyntaxError::at(mark, problem))?))
            }
            Event::SequenceStart(anchor, _) => (anchor, self.sequence(depth)?),
            Event::MappingStart(anchor, _) => (anchor, Value::Mapping(self.mapping(depth)?)),
            Event::Alias(id) => (0, self.alias(id, mark)?),
            _ => return Err(SyntaxError::at(mark, "a value is missing")),
        };
        self.spend(1, mark)?;
        self.remember(anchor, &value, mark)?;
        Ok(value)
    }

    /// Keeps an anchored value for its aliases. 0 is no anchor.
    fn remember(&mut self, anchor: usize, value: &Value, mark: Marker) -> Result<(), SyntaxError> {
        if anchor != 0 {
            self.spend(value.count(), mark)?;
            self.anchors.insert(anchor, value.clone());
        }
        Ok(())
    }

    fn alias(&mut self, id: usize, mark: Marker) -> Result<Value, SyntaxError> {
        let Some(value) = self.anchors.get(&id) else {
            return Err(SyntaxError::at(mark, "the alias stands inside the value it names"));
        };
        let value = value.clone();
        self.spend(value.count(), mark)?;
        Ok(value)
    }

    fn spend(&mut self, values: usize, mark: Marker) -> Result<(), SyntaxError> {
        self.values += values;
        if self.values > VALUE_LIMIT {
            return Err(SyntaxError::at(mark, "holds too many values"));
        }
        Ok(())
    }

    fn sequence(&mut self, depth: usize) -> Result<Value, SyntaxError> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, _) => return Ok(Value::Sequence(items)),
                (event, mark) => items.push(self.value(event, mark, depth + 1)?),
            }
        }
    }

    fn mapping(&mut self, depth: usize) -> Result<Mapping, SyntaxError> {
        let mut mapping = Mapping::default();
        loop {
            let (event, mark) = self.next()?;
            if matches!(event, Event::MappingEnd) {
                return Ok(mapping);
            }
            let merges = is_merge(&event);
            let key = self.value(event, mark, depth + 1)?;
            let (event, mark) = self.next()?;
            let value = self.value(event, mark, depth + 1)?;
            match key {
                Value::Scalar(_) if merges => merge(&mut mapping, value, mark)?,
                Value::Scalar(key) => mapping.push(key.text, value),
                _ => return Err(SyntaxError::at(mark, "a key must be a single value")),
            }
        }
    }
}

fn is_merge(event: &Event<'_>) -> bool {
    matches!(event, Event::Scalar(text, ScalarStyle::Plain, _, None) if text == "<<")
}

/// Of several mappings, earlier ones win.
fn merge(mapping: &mut Mapping, value: Value, mark: Marker) -> Result<(), SyntaxError> {
    let sources = match value {
        Value::Sequence(items) => items,
        value => vec![value],
    };
    for source in sources.into_iter().rev() {
        let Value::Mapping(source) = source else {
            return Err(SyntaxError::at(mark, "only mappings can be merged"));
        };
        for (key, value) in source.into_entries() {
            mapping.push(key, value);
        }
    }
    Ok(())
}

/// A core tag asks for a meaning; any other tag leaves the text as it is.
fn scalar(text: String, style: ScalarStyle, tag: Option<&Tag>) -> Result<Scalar, &'static str> {
    let Some(tag) = tag else {
        return Ok(match style {
            ScalarStyle::Plain => Scalar::plain(text),
            _ => Scalar::quoted(text),
        });
    };
    if !tag.is_yaml_core_schema() {
        return Ok(Scalar::quoted(text));
    }
    let scalar = Scalar::plain(text);
    match (tag.suffix.as_str(), &scalar.atom) {
        ("null", Atom::Null)
        | ("bool", Atom::Bool(_))
        | ("int", Atom::Integer(_))
        | ("float", Atom::Float(_)) => Ok(scalar),
        ("float", Atom::Integer(value)) => {
            Ok(Scalar { atom: Atom::Float(*value as f64), ..scalar })
        }
        ("null" | "bool" | "int" | "float", _) => Err("the value is not what its tag says"),
        ("binary", _) => Err("binary values are not supported"),
        _ => Ok(Scalar::quoted(scalar.text)),
    }
}
