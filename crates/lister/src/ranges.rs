//! The ranges of one walk: who lists what, and who takes half of whose.

use std::collections::VecDeque;

use store::Listed;

use crate::pivot;

/// A range that nobody lists yet: the keys after `after` up to and including `until`.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Waiting {
    pub(crate) after: String,
    pub(crate) until: Option<String>,
    /// What its neighbour to the left tells of it.
    seen: Option<Seen>,
}

/// How dense keys are: so many pages, listed or guessed, lie between `first` and where a range stands.
#[derive(Clone, Debug, PartialEq)]
struct Seen {
    first: Box<str>,
    pages: f64,
}

/// Names a range that somebody lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Ticket(usize);

#[derive(Debug)]
struct Active {
    ticket: Ticket,
    /// Where it stands: the last key listed, or where it began.
    position: String,
    until: Option<String>,
    seen: Option<Seen>,
    /// Whether a page has come since somebody last took a half.
    has_news: bool,
}

/// A half is worth a request of its own from about this many pages on.
const WORTH_HALVING: f64 = 6.0;

impl Active {
    fn new(ticket: Ticket, range: &Waiting) -> Self {
        let Waiting { after, until, seen } = range.clone();
        Self { ticket, position: after, until, seen, has_news: false }
    }

    /// How far a guess at the keys to come reaches.
    fn horizon(&self, seen: &Seen) -> String {
        let horizon = pivot::horizon(&seen.first, &self.position);
        match &self.until {
            Some(until) if *until < horizon => until.clone(),
            Some(_) | None => horizon,
        }
    }

    /// How many pages seem to be left; none where nothing tells.
    fn pages_ahead(&self) -> f64 {
        let Some(seen) = self.seen.as_ref().filter(|_| self.has_news) else { return 0.0 };
        seen.pages * pivot::ahead(&seen.first, &self.position, &self.horizon(seen))
    }

    /// Gives up the right half.
    fn split(&mut self) -> Option<Waiting> {
        self.has_news = false;
        let seen = self.seen.as_ref()?;
        let cut = pivot::midpoint(&self.position, &self.horizon(seen))?;
        let skipped = seen.pages * pivot::ahead(&seen.first, &self.position, &cut);
        let seen = Seen { first: seen.first.clone(), pages: seen.pages + skipped };
        let until = self.until.replace(cut.clone());
        Some(Waiting { after: cut, until, seen: Some(seen) })
    }

    fn note_page(&mut self, entries: &[Listed]) {
        let (Some(first), Some(last)) = (entries.first(), entries.last()) else { return };
        let first = || Seen { first: first.key().into(), pages: 0.0 };
        self.seen.get_or_insert_with(first).pages += 1.0;
        self.has_news = true;
        self.position.clear();
        self.position.push_str(last.key());
    }
}

/// What a page left to do.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// The entries that belong to the range.
    pub(crate) entries: Vec<Listed>,
    /// Where the range ends, if it is at its end.
    pub(crate) end: Option<End>,
}

/// The end of a range: its last possible key, or that of the whole listing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct End {
    pub(crate) until: Option<String>,
}

/// All ranges of one walk. Together, waiting, active and finished, they cover every key exactly once (G2).
#[derive(Debug)]
pub(crate) struct Ranges {
    waiting: VecDeque<Waiting>,
    active: Vec<Active>,
    tickets: usize,
}

impl Ranges {
    /// Ranges over everything, divided at `cuts`.
    pub(crate) fn new(mut cuts: Vec<String>) -> Self {
        cuts.retain(|cut| !cut.is_empty());
        cuts.sort_unstable();
        cuts.dedup();
        let ends = cuts.iter().cloned().map(Some).chain([None]);
        let begins = [String::new()].into_iter().chain(cuts.iter().cloned());
        let range = |(after, until)| Waiting { after, until, seen: None };
        Self { waiting: begins.zip(ends).map(range).collect(), active: Vec::new(), tickets: 0 }
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
        self.active.push(Active::new(ticket, &range));
        Some((ticket, range))
    }

    /// Takes the right half of the range with the most pages ahead.
    fn steal(&mut self) -> Option<Waiting> {
        let ahead = self.active.iter().map(Active::pages_ahead);
        let (at, ahead) = ahead.enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b))?;
        if ahead < WORTH_HALVING { None } else { self.active[at].split() }
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
            self.waiting.push_front(Waiting { after: cut, until, seen: None });
        }
    }

    /// Takes in a page of a range: what lies past its end, which may have moved, belongs to somebody else.
    pub(crate) fn commit(&mut self, ticket: Ticket, page: Option<Vec<Listed>>) -> Commit {
        let at = self.active.iter().position(|active| active.ticket == ticket);
        let Some(at) = at else {
            // A range that is not known reaches nowhere.
            return Commit { entries: Vec::new(), end: Some(End { until: Some(String::new()) }) };
        };
        let Some(mut entries) = page else {
            return Commit { entries: Vec::new(), end: Some(self.finish(at)) };
        };
        let active = &mut self.active[at];
        let came = entries.len();
        if let Some(until) = &active.until {
            entries.truncate(entries.partition_point(|entry| entry.key() <= until.as_str()));
        }
        active.note_page(&entries);
        let is_at_end = active.until.as_ref() == Some(&active.position);
        let is_finished = entries.len() < came || is_at_end;
        Commit { entries, end: is_finished.then(|| self.finish(at)) }
    }

    fn finish(&mut self, at: usize) -> End {
        End { until: self.active.swap_remove(at).until }
    }

    /// How far a range has come; empty before its first page.
    pub(crate) fn position(&self, ticket: Ticket) -> Option<&str> {
        self.active.iter().find(|active| active.ticket == ticket).map(|active| &*active.position)
    }
}

#[cfg(test)]
mod tests;
