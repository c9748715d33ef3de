use purger::PurgeError;

use super::{AGAIN, Row};
use crate::{ClearError, Code, Failure, Refusal};

fn unreachable() -> ClearError {
    let (server, message) = ("cache:6379".to_owned(), "timed out".to_owned());
    PurgeError::Unreachable { server, message }.into()
}

pub(super) fn rows() -> Vec<Row> {
    vec![
        (
            Refusal::Cache { source: unreachable() }.into(),
            Code::Unsafe,
            vec![
                "check `redis` in config.yml, and that it can be reached from here",
                "or see to the cache yourself, and say so: `regsweep gc` and `regsweep apply` with \
                 `--registry-cache restart`",
            ],
        ),
        (
            Failure::Uncleared { source: unreachable(), can_repeat: true },
            Code::Partial,
            vec!["`regsweep gc config.yml` clears it"],
        ),
        (
            Failure::Uncleared { source: unreachable(), can_repeat: false },
            Code::Partial,
            vec![
                "before anybody pushes, delete the keys of its redis that begin with `blobs::` or `repository::`",
            ],
        ),
    ]
}

#[test]
fn a_cache_is_named_and_what_it_said() {
    let said = ["cannot reach redis at cache:6379: timed out"];
    let refused = Failure::from(Refusal::Cache { source: unreachable() });
    assert_eq!(refused.causes(), said);
    let uncleared = Failure::Uncleared { source: unreachable(), can_repeat: true };
    assert_eq!(uncleared.causes(), said);
    assert_eq!(uncleared.hints(AGAIN).len(), 1);
    let source = std::io::Error::other("no room");
    let mark = ClearError::Mark { path: "plan/mark".into(), source };
    let refused = Failure::from(Refusal::Cache { source: mark });
    assert_eq!(refused.causes(), ["cannot use plan/mark", "no room"]);
}
