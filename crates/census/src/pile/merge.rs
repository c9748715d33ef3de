//! Sorted runs, read as one.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use marker::{SpillError, SpillFile, SpilledRun};

use super::Run;
use crate::claim::Record;

/// The distinct records of several sorted runs, ascending. After an error it must not be asked again.
#[derive(Debug)]
pub(crate) struct Merge<'p> {
    file: &'p SpillFile,
    sources: Vec<Source<'p>>,
    /// The least record of each source that has any, and which source.
    heads: BinaryHeap<Reverse<(Record, usize)>>,
    last: Option<Record>,
}

/// A run: what of it is in memory, and then what is on disk.
#[derive(Debug)]
enum Source<'p> {
    Memory(std::slice::Iter<'p, Record>),
    Disk { blocks: std::slice::Iter<'p, SpilledRun>, records: std::vec::IntoIter<Record> },
}

impl<'p> Merge<'p> {
    /// Merges runs on disk and one in memory.
    pub(super) fn of(
        runs: &'p [Run],
        memory: &'p [Record],
        file: &'p SpillFile,
    ) -> Result<Self, SpillError> {
        let on_disk =
            |run: &'p Run| Source::Disk { blocks: run.iter(), records: Vec::new().into_iter() };
        let mut sources: Vec<Source<'_>> = runs.iter().map(on_disk).collect();
        sources.push(Source::Memory(memory.iter()));
        let mut heads = BinaryHeap::with_capacity(sources.len());
        for (at, source) in sources.iter_mut().enumerate() {
            heads.extend(source.next(file)?.map(|record| Reverse((record, at))));
        }
        Ok(Self { file, sources, heads, last: None })
    }

    /// The next record, which may be the last one again.
    fn step(&mut self) -> Result<Option<Record>, SpillError> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(None) };
        let Reverse((record, at)) = *head;
        match self.sources[at].next(self.file)? {
            Some(next) => *head = Reverse((next, at)),
            None => drop(std::collections::binary_heap::PeekMut::pop(head)),
        }
        Ok(Some(record))
    }
}

impl Iterator for Merge<'_> {
    type Item = Result<Record, SpillError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            let record = match self.step() {
                Ok(record) => record?,
                Err(error) => return Some(Err(error)),
            };
            if self.last.replace(record) != Some(record) {
                return Some(Ok(record));
            }
        }
    }
}

impl Source<'_> {
    fn next(&mut self, file: &SpillFile) -> Result<Option<Record>, SpillError> {
        match self {
            Self::Memory(records) => Ok(records.next().copied()),
            Self::Disk { blocks, records } => loop {
                if let Some(record) = records.next() {
                    return Ok(Some(record));
                }
                let Some(block) = blocks.next() else { return Ok(None) };
                let mut words = Vec::with_capacity(block.length());
                file.read(block, &mut words)?;
                let (block, _) = words.as_chunks();
                *records = Vec::from(block).into_iter();
            },
        }
    }
}
