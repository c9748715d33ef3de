//! What is refused, and what to do then.

use super::*;

pub(super) fn rows() -> Vec<Row> {
    let location = "here".to_owned();
    vec![
        (
            Refusal::Online { location }.into(),
            Code::Unsafe,
            vec![
                "set `storage: maintenance: readonly: enabled: true` in the registry's config.yml, restart it, and \
                 give that file as the location",
                "or make sure yourself that nobody pushes, and say so: `regsweep gc config.yml --offline`",
            ],
        ),
        (
            Refusal::Audit {
                notes: vec![note(Breaker::DeleteShare), note(Breaker::StaleLinks)],
                plan: Some("my plan".into()),
            }
            .into(),
            Code::Unsafe,
            vec![
                "`regsweep show 'my plan'` shows what would go, and why",
                "if that is right, run `regsweep plan` or `regsweep gc` with --accept stale-links --accept delete-share \
                 (or a higher --max-delete-share)",
            ],
        ),
        (
            Refusal::Written {
                count: 3,
                what: "links",
                newest: "a/link".into(),
                since: Timestamp::from_seconds(0),
            }
            .into(),
            Code::Unsafe,
            vec!["what was garbage then may be needed now: make a new plan with `regsweep plan`"],
        ),
        (
            Failure::Busy { dir: "state".into() },
            Code::Unsafe,
            vec!["wait for it to end; two at once would only be slower"],
        ),
    ]
}

/// Of what lies at a location.
pub(super) fn places() -> Vec<Row> {
    let location = "here".to_owned();
    let (system, evidence) = ("another", "a lock".to_owned());
    vec![
        (
            Refusal::Foreign {
                location: location.clone(),
                system,
                evidence: evidence.clone(),
                may_be_listed: true,
            }
            .into(),
            Code::Unsafe,
            vec![
                "collect it with that system's own tools",
                "or say what its database still knows: `plan` and `gc` with --keep-list FILE",
            ],
        ),
        (
            Refusal::Foreign {
                location: location.clone(),
                system,
                evidence: evidence.clone(),
                may_be_listed: false,
            }
            .into(),
            Code::Unsafe,
            vec!["collect it with that system's own tools"],
        ),
        (
            Refusal::NotARegistry {
                location: location.clone(),
                evidence: evidence.clone(),
                instead: None,
            }
            .into(),
            Code::Unsafe,
            vec![
                "the location is the folder or prefix that holds `docker/registry/v2`; config.yml calls it \
                 rootdirectory",
            ],
        ),
        (
            Refusal::NotARegistry { location, evidence, instead: Some("/my data".into()) }.into(),
            Code::Unsafe,
            vec!["the location of the registry seems to be '/my data'"],
        ),
    ]
}
