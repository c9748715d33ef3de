//! Lists of what a database knows that are not used.

use std::time::Duration;

use planner::Breaker;
use registry::{DigestError, Timestamp};

use super::{Row, io, note};
use crate::{Code, Failure, KeepListError, LineError, Refusal};

fn unusable(source: KeepListError) -> Failure {
    Failure::KeepList { path: "known.txt".into(), source: Box::new(source) }
}

fn line(what: LineError) -> Failure {
    unusable(KeepListError::Line { number: 3, what })
}

fn footer() -> Failure {
    line(LineError::Digest { found: "(2 rows)".into(), why: DigestError::Form })
}

fn aged(now: i64) -> Failure {
    let grace = Duration::from_hours(24);
    let [modified, now] = [100_000, now].map(Timestamp::from_seconds);
    Refusal::KeepListAge { file: "known.txt".into(), modified, now, grace }.into()
}

pub(super) fn rows() -> Vec<Row> {
    const PSQL: &str = "one digest a line, as `sha256:` and hex digits: `psql -At` writes neither a header nor a footer";
    const AGAIN: &str = "export it again, and look whether the query went through";
    const ANEW: &str = "export it again while nobody can push, and make a new plan by it";
    vec![
        (footer(), Code::Usage, vec![PSQL]),
        (line(LineError::Text), Code::Usage, vec![PSQL]),
        (line(LineError::Long), Code::Usage, vec![AGAIN]),
        (line(LineError::Unended), Code::Usage, vec![AGAIN]),
        (unusable(KeepListError::Empty), Code::Usage, vec![AGAIN]),
        (unusable(KeepListError::Changed), Code::Usage, vec![AGAIN]),
        (
            unusable(KeepListError::NotAFile),
            Code::Usage,
            vec!["write it to a file first: its age and its length count"],
        ),
        (unusable(KeepListError::Read(io())), Code::Usage, vec![]),
        (aged(200_000), Code::Unsafe, vec![ANEW]),
        (aged(99_999), Code::Unsafe, vec![ANEW]),
        (
            Refusal::Audit { notes: vec![note(Breaker::KeepListShort)], plan: None }.into(),
            Code::Unsafe,
            vec![
                "export the list again, whole, of this registry, and while nobody can push",
                "if that is right, run `regsweep plan` or `regsweep gc` with --accept keep-list-short",
            ],
        ),
    ]
}

#[test]
fn a_line_is_named_with_what_was_found() {
    assert_eq!(footer().to_string(), "cannot use known.txt");
    assert_eq!(footer().causes(), [r#"line 3: "(2 rows)" has no `algorithm:hex` form"#]);
}

#[test]
fn a_list_that_is_too_old_is_told_from_one_of_tomorrow() {
    let old = "known.txt was exported at 1970-01-02T03:46:40Z, longer ago than the grace of 1day: what was pushed since \
               is not on it";
    assert_eq!(aged(200_000).to_string(), old);
    let future = "known.txt was written at 1970-01-02T03:46:40Z, which is later than this machine's time \
                  1970-01-02T03:46:39Z";
    assert_eq!(aged(99_999).to_string(), future);
}
