//! The page of a small plan, word for word.

use std::fs;
use std::path::Path;

use planner::{Header, KeepList};
use registry::Timestamp;

use crate::fixture::{Shown, blob, empty, header, refused, tiny};
use crate::nights::{busy, ended_by_audit, quiet};

/// Without the style, and without the id, which changes with the encoding of the segments.
fn redacted(page: &str, id: &str) -> String {
    without_style(page).replace(id, "[id]").replace(&format!(">{}<", &id[..12]), ">[id]<")
}

fn without_style(page: &str) -> String {
    let (head, rest) = page.split_once("<style>").unwrap();
    let (_, rest) = rest.split_once("</style>").unwrap();
    format!("{head}<style>[style]</style>{rest}")
}

#[test]
fn a_page_says_what_it_should() {
    for (name, shown) in [("tiny", tiny()), ("empty", empty()), ("refused", refused("<b>&\"'"))] {
        assert_expected(name, &redacted(&shown.page(), &shown.plan.id().to_string()));
    }
}

#[test]
fn the_page_of_a_night_says_what_it_should() {
    for (name, shown) in
        [("night", busy()), ("night-quiet", quiet()), ("night-refused", ended_by_audit("<b>&\"'"))]
    {
        assert_expected(name, &without_style(&shown.page()));
    }
}

#[track_caller]
fn assert_expected(name: &str, said: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/pages/expected")
        .join(format!("{name}.html"));
    if std::env::var_os("REGSWEEP_BLESS").is_some() {
        fs::write(&path, said).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    assert!(said == expected, "{name}.html should say\n{expected}\nand it says\n{said}");
}

#[test]
fn the_same_plan_gives_the_same_page() {
    assert_eq!(tiny().page(), tiny().page());
}

#[test]
fn a_plan_by_a_keep_list_says_what_it_leaves_alone_and_by_which_list() {
    let list = KeepList {
        file: "known <b>.txt".into(),
        sha256: "ab".repeat(32),
        digests: 7,
        modified: Timestamp::from_seconds(1_700_000_000),
    };
    let header = Header { keep_list: Some(list), ..header() };
    let page = Shown::new(&header, vec![blob(1, 10, 90_000)]).page();
    for said in ["stay, all of them", "7 digests on known &lt;b&gt;.txt", "2023-11-14T22:13:20Z"] {
        assert!(page.contains(said), "{said}");
    }
}
