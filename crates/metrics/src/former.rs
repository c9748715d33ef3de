//! What a former text says that has to outlive it.

use registry::Timestamp;

use crate::seconds::time;
use crate::table;
use crate::{Ended, Labels};

/// What the runs before this one left in the text that this one replaces.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Former {
    /// How the last run ended.
    pub last: Option<Ended>,
    /// When the last run ended that did all that was asked.
    pub last_success: Option<Timestamp>,
    /// The oldest object that the last plan named and that was not deleted.
    pub oldest_garbage: Option<Timestamp>,
}

impl Former {
    /// Reads a text of an earlier run with the same labels. What is not there exactly once, as this program writes it,
    /// is not known; nothing is, where the text does not end as one that is whole.
    #[must_use]
    pub fn read(text: &str, labels: &Labels) -> Self {
        if !text.ends_with('\n') {
            return Self::default();
        }
        let value = |name| sole_value(text, &labels.series(name, &[]));
        let at = value(table::LAST_RUN).and_then(time);
        let exit_code = value(table::LAST_EXIT_CODE).and_then(|code| code.parse().ok());
        Self {
            last: at.zip(exit_code).map(|(at, exit_code)| Ended { at, exit_code }),
            last_success: value(table::LAST_SUCCESS).and_then(time),
            oldest_garbage: value(table::OLDEST_GARBAGE).and_then(time),
        }
    }
}

fn sole_value<'t>(text: &'t str, series: &str) -> Option<&'t str> {
    let mut values = text.lines().filter_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    let value = values.next()?;
    values.next().is_none().then_some(value)
}
