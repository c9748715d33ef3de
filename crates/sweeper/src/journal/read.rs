//! Reading a journal back.

use std::io::{self, Read};

use super::frame::{Found, begins_like_a_frame, framed, read_frame, was_durable};
use super::record::{FORMAT, Nonsense, Record, header_format};
use super::state::JournalState;

/// What a journal says, and how much of it can be believed.
#[derive(Debug, PartialEq)]
pub struct Replay {
    /// The id of the plan it belongs to; none where not even the header was written whole, so nothing was begun.
    pub plan: Option<Box<str>>,
    /// What its records add up to.
    pub state: JournalState,
    /// Bytes that can be believed; writing goes on behind them.
    pub whole: u64,
    /// Bytes behind them: the torn end of the last write, which was never durable.
    pub torn: u64,
}

/// Why the bytes are no journal that can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReplayError {
    /// It does not begin as a journal does.
    #[error("it does not begin as a journal does")]
    NoJournal,
    /// Another version wrote it.
    #[error("it has format {found}; this version reads format {FORMAT}")]
    OtherFormat {
        /// The format it names.
        found: u64,
    },
    /// Something that had been durable is not as it was written: outcomes would be lost.
    #[error("it is damaged at byte {position}")]
    Damaged {
        /// Where the first harmed record begins.
        position: u64,
    },
    /// A record is whole but cannot be true.
    #[error("the record at byte {position} cannot be: {problem}")]
    Impossible {
        /// Where the record begins.
        position: u64,
        /// What is wrong with it.
        problem: &'static str,
    },
}

/// Why replaying a file failed.
#[derive(Debug)]
pub(crate) enum ReadError {
    Io(io::Error),
    Replay(ReplayError),
}

/// Replays a journal from its bytes.
///
/// The torn end of the last write is left out: it was never durable, so no delete request had been sent for its
/// intents, and rows whose outcomes were lost are asked for again, which is harmless (G11).
///
/// # Errors
/// [`ReplayError`] where the bytes are no journal, or where something is harmed that had been durable. Carrying on
/// without it would delete keys again that may have been pushed again since (G4).
pub fn parse_journal(bytes: &[u8]) -> Result<Replay, ReplayError> {
    let mut rest = bytes;
    replay(&mut rest).map_err(|error| match error {
        ReadError::Replay(error) => error,
        // Reading from memory does not fail.
        ReadError::Io(_) => ReplayError::NoJournal,
    })
}

/// Replays a journal from its beginning, a record at a time.
pub(crate) fn replay(file: &mut impl Read) -> Result<Replay, ReadError> {
    replay_to(file, &mut |_| {})
}

/// The same; `hear` hears every record that makes sense, in order.
pub(crate) fn replay_to(
    file: &mut impl Read,
    hear: &mut dyn FnMut(&Record),
) -> Result<Replay, ReadError> {
    let (plan, mut position) = match header(file)? {
        Header::Whole { plan, end } => (plan, end),
        Header::Torn { torn } => {
            return Ok(Replay { plan: None, state: JournalState::default(), whole: 0, torn });
        }
    };
    let mut state = JournalState::default();
    let mut torn = 0;
    loop {
        match read_frame(file, position).map_err(ReadError::Io)? {
            Found::End => break,
            Found::Frame(frame) => {
                let record = Record::decode(&frame.record).map_err(impossible(position))?;
                state.apply(&record).map_err(impossible(position))?;
                hear(&record);
                position += framed(frame.record.len());
            }
            Found::Broken(rest) if was_durable(&rest, position) => {
                return Err(ReadError::Replay(ReplayError::Damaged { position }));
            }
            Found::Broken(rest) => {
                torn = rest.len() as u64;
                break;
            }
        }
    }
    state.compact();
    Ok(Replay { plan: Some(plan), state, whole: position, torn })
}

fn impossible(position: u64) -> impl Fn(Nonsense) -> ReadError {
    move |problem| ReadError::Replay(ReplayError::Impossible { position, problem })
}

enum Header {
    Whole { plan: Box<str>, end: u64 },
    Torn { torn: u64 },
}

fn header(file: &mut impl Read) -> Result<Header, ReadError> {
    let frame = match read_frame(file, 0).map_err(ReadError::Io)? {
        Found::Frame(frame) => frame,
        Found::End => return Ok(Header::Torn { torn: 0 }),
        Found::Broken(bytes) if is_torn_header(&bytes) => {
            return Ok(Header::Torn { torn: bytes.len() as u64 });
        }
        Found::Broken(_) => return Err(ReadError::Replay(ReplayError::NoJournal)),
    };
    read_header(&frame.record).map_err(ReadError::Replay)
}

fn read_header(record: &[u8]) -> Result<Header, ReplayError> {
    match header_format(record) {
        Some(FORMAT) => match Record::decode(record) {
            Ok(Record::Header { plan, .. }) => {
                Ok(Header::Whole { plan, end: framed(record.len()) })
            }
            Ok(_) | Err(_) => Err(ReplayError::NoJournal),
        },
        Some(found) => Err(ReplayError::OtherFormat { found }),
        None => Err(ReplayError::NoJournal),
    }
}

/// No header is longer: the id of a plan is a digest in hex.
const LONGEST_HEADER: usize = 256;

/// Whether this can be what a crash leaves of the very first write. Nothing is written behind a header that is not
/// durable, so nothing was begun.
fn is_torn_header(bytes: &[u8]) -> bool {
    bytes.len() <= LONGEST_HEADER && begins_like_a_frame(bytes) && !was_durable(bytes, 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use registry::Timestamp;

    use super::super::frame::put_frame;
    use super::super::record::{Fate, Run, Span};
    use super::*;

    /// A journal in which every record was durable before the next was written, and where each record ends.
    fn journal(records: &[Record]) -> (Vec<u8>, Vec<usize>) {
        let (mut bytes, mut ends) = (Vec::new(), Vec::new());
        for record in records {
            let position = bytes.len() as u64;
            put_frame(&mut bytes, position, position, &record.encode());
            ends.push(bytes.len());
        }
        (bytes, ends)
    }

    fn some_records() -> Vec<Record> {
        let span = |start, length| Span { segment: 1, start, length };
        let run = |start, fate| Run {
            span: span(start, 2),
            kind: planner::RowKind::Blob,
            fate,
            bytes: 20,
        };
        let outcome =
            |batch, runs: [Run; 2]| Record::Outcome { batch, after: 3, runs: runs.to_vec() };
        vec![
            Record::Header { format: FORMAT, plan: "plan".into() },
            Record::Began { now: Timestamp::from_seconds(7), trash: false },
            Record::Intent { batch: 0, after: 0, spans: vec![span(0, 4)] },
            outcome(0, [run(0, Fate::Deleted), run(2, Fate::Gone)]),
            Record::Intent { batch: 1, after: 2, spans: vec![span(4, 4)] },
            outcome(1, [run(4, Fate::Spared), run(6, Fate::Deleted)]),
        ]
    }

    #[test]
    fn a_journal_torn_anywhere_is_believed_up_to_its_last_whole_record() {
        let (bytes, ends) = journal(&some_records());
        for length in 0..=bytes.len() {
            let replay = parse_journal(&bytes[..length]).unwrap();
            let whole = ends.iter().rfind(|end| **end <= length).map_or(0, |end| *end);
            assert_eq!((replay.whole, replay.torn), (whole as u64, (length - whole) as u64));
            assert_eq!(replay.plan.is_some(), whole > 0);
        }
    }

    #[test]
    fn garbage_behind_the_last_record_is_left_out() {
        let (bytes, ends) = journal(&some_records());
        for end in ends {
            for garbage in [&b"\0"[..], &[0; 300], b"\x9eRSJ", &bytes[ends_middle(&bytes)..]] {
                let replay = parse_journal(&[&bytes[..end], garbage].concat()).unwrap();
                assert_eq!((replay.whole, replay.torn), (end as u64, garbage.len() as u64));
            }
        }
    }

    /// Somewhere inside, so that what stands there is of frames at other positions.
    fn ends_middle(bytes: &[u8]) -> usize {
        bytes.len() / 2
    }

    #[test]
    fn g4_harm_to_what_had_been_durable_is_refused_and_harm_to_the_last_record_is_a_torn_end() {
        let (bytes, ends) = journal(&some_records());
        let last = ends[ends.len() - 2];
        for position in 0..bytes.len() {
            let mut harmed = bytes.clone();
            harmed[position] ^= 0x10;
            match parse_journal(&harmed) {
                Ok(replay) => assert!(position >= last && replay.whole == last as u64),
                Err(ReplayError::NoJournal) => assert!(position < ends[0]),
                Err(ReplayError::Damaged { position: found }) => {
                    assert!(position < last && found <= position as u64);
                }
                Err(error) => panic!("{error}"),
            }
        }
    }

    #[test]
    fn a_header_that_was_never_whole_begins_nothing() {
        let (bytes, ends) = journal(&some_records());
        let zeros = vec![0; ends[0]];
        for torn in [&bytes[..0], &bytes[..3], &bytes[..ends[0] - 1], &zeros] {
            let replay = parse_journal(torn).unwrap();
            assert_eq!((replay.plan, replay.whole, replay.torn), (None, 0, torn.len() as u64));
        }
    }

    #[test]
    fn what_is_no_journal_is_refused() {
        let (headless, _) = journal(&some_records()[1..]);
        for bytes in [&b"kind,repository\n"[..], &[0; 4096], &headless] {
            assert_eq!(parse_journal(bytes), Err(ReplayError::NoJournal));
        }
    }

    #[test]
    fn another_format_is_told_apart_from_damage() {
        let mut header = Record::Header { format: 3, plan: "plan".into() }.encode();
        header.extend_from_slice(b"fields of the future");
        let mut bytes = Vec::new();
        put_frame(&mut bytes, 0, 0, &header);
        assert_eq!(parse_journal(&bytes), Err(ReplayError::OtherFormat { found: 3 }));
    }

    #[test]
    fn a_whole_record_that_cannot_be_is_refused() {
        let mut records = some_records();
        records.push(records[3].clone());
        let (bytes, ends) = journal(&records);
        let position = ends[5] as u64;
        let problem = "an outcome without an intent";
        assert_eq!(parse_journal(&bytes), Err(ReplayError::Impossible { position, problem }));
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_journal_or_an_error(
            start in 0..400usize,
            noise in prop::collection::vec(any::<u8>(), 0..100),
        ) {
            let (mut bytes, _) = journal(&some_records());
            let start = start.min(bytes.len());
            let end = (start + noise.len()).min(bytes.len());
            bytes.splice(start..end, noise);
            let length = bytes.len() as u64;
            if let Ok(replay) = parse_journal(&bytes) {
                prop_assert_eq!(replay.whole + replay.torn, length);
            }
        }
    }
}
