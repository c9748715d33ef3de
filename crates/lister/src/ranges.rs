//! The ranges of one walk: who lists what, and who takes half of whose.

use std::collections::VecDeque;

use store::Object;

use crate::pivot;

/// A range that nobody lists yet: the keys after `after` up to and including `until`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Waiting {
    pub(crate) after: String,
    pub(crate) until: Option<String>,
}

/// Names a range that somebody lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(usize);

#[derive(Debug)]
struct Active {
    ticket: Ticket,
    /// Where it began, or stood when somebody last took a half.
    start: String,
    position: String,
    until: Option<String>,
    /// Pages seen since `start`.
    pages: u32,
}

/// A half is worth a request of its own from about this many pages on.
const WORTH_HALVING: f64 = 3.0;

impl Active {
    /// How many pages seem to be left; a range that has not yet proved to go on has none.
    fn pages_ahead(&self, within: &str) -> f64 {
        let until = self.until.as_deref();
        f64::from(self.pages) * pivot::ahead(within, &self.start, &self.position, until)
    }
}

/// What a page left to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The objects that belong to the range.
    pub(crate) objects: Vec<Object>,
    /// Whether the range is at its end.
    pub(crate) is_finished: bool,
}

/// All ranges of one walk. Together, waiting, active and finished, they cover every key exactly once (G2).
#[derive(Debug)]
pub(crate) struct Ranges {
    within: String,
    waiting: VecDeque<Waiting>,
    active: Vec<Active>,
    tickets: usize,
}

impl Ranges {
    /// One range over everything below `within`.
    pub(crate) fn new(within: &str) -> Self {
        let all = Waiting { after: String::new(), until: None };
        Self {
            within: within.to_owned(),
            waiting: VecDeque::from([all]),
            active: Vec::new(),
            tickets: 0,
        }
    }

    /// Whether nothing waits and nobody lists.
    pub(crate) fn is_done(&self) -> bool {
        self.waiting.is_empty() && self.active.is_empty()
    }

    /// The next range to list: one that waits, else half of the widest one under way.
    pub(crate) fn take(&mut self) -> Option<(Ticket, Waiting)> {
        let range = self.waiting.pop_front().or_else(|| self.steal())?;
        let ticket = Ticket(self.tickets);
        self.tickets += 1;
        self.active.push(Active {
            ticket,
            start: range.after.clone(),
            position: range.after.clone(),
            until: range.until.clone(),
            pages: 0,
        });
        Some((ticket, range))
    }

    /// Takes the right half of the range with the most pages ahead.
    fn steal(&mut self) -> Option<Waiting> {
        let within = self.within.as_str();
        let ahead = |active: &Active| active.pages_ahead(within);
        let victim = self.active.iter_mut().max_by(|a, b| ahead(a).total_cmp(&ahead(b)))?;
        if ahead(victim) < WORTH_HALVING {
            return None;
        }
        victim.pages = 0;
        victim.start.clone_from(&victim.position);
        let cut = pivot::midpoint(within, &victim.position, victim.until.as_deref())?;
        Some(Waiting { after: cut.clone(), until: victim.until.replace(cut) })
    }

    /// Divides what remains of a range at `cuts`; cuts outside of it are ignored.
    pub(crate) fn cut(&mut self, ticket: Ticket, mut cuts: Vec<String>) {
        let Some(active) = self.active.iter_mut().find(|active| active.ticket == ticket) else {
            return;
        };
        cuts.retain(|cut| {
            *cut > active.position && active.until.as_ref().is_none_or(|until| cut < until)
        });
        cuts.sort_unstable();
        cuts.dedup();
        for cut in cuts.into_iter().rev() {
            let until = active.until.replace(cut.clone());
            self.waiting.push_front(Waiting { after: cut, until });
        }
    }

    /// Takes in a page of a range: what lies past its end, which may have moved, belongs to somebody else.
    pub(crate) fn commit(&mut self, ticket: Ticket, page: Option<Vec<Object>>) -> Commit {
        let at = self.active.iter().position(|active| active.ticket == ticket);
        let (Some(at), Some(mut objects)) = (at, page) else {
            self.active.retain(|active| active.ticket != ticket);
            return Commit { objects: Vec::new(), is_finished: true };
        };
        let active = &mut self.active[at];
        let listed = objects.len();
        if let Some(until) = &active.until {
            objects.truncate(objects.partition_point(|object| &*object.key <= until.as_str()));
        }
        let is_finished = objects.len() < listed;
        if let Some(last) = objects.last() {
            active.position.clear();
            active.position.push_str(&last.key);
        }
        active.pages = active.pages.saturating_add(1);
        if is_finished {
            self.active.swap_remove(at);
        }
        Commit { objects, is_finished }
    }

    /// How far a range has come; empty before its first page.
    pub(crate) fn position(&self, ticket: Ticket) -> Option<&str> {
        self.active.iter().find(|active| active.ticket == ticket).map(|active| &*active.position)
    }
}
