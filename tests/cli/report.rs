//! The page that `--report` writes.

use std::fs;
use std::path::Path;

use simstore::Server;

use crate::program::{Outcome, Program};
use crate::registries::{T, bucket, directory, keys, now, small, with_orphans};

const REPORT: [&str; 2] = ["--report", "report.html"];

fn planned() -> (Server, Program) {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    program.done(&["plan", "s3://registry", "--untagged", "--out", "plan"]);
    (server, program)
}

fn with<'a>(command: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [command, more].concat()
}

#[track_caller]
fn page(program: &Program) -> String {
    let page = fs::read_to_string(program.home().join("report.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    assert!(page.contains("default-src &#39;none&#39;"));
    page
}

#[track_caller]
fn assert_says(page: &str, says: &[&str]) {
    for words in says {
        assert!(page.contains(words), "{words} is not in {page}");
    }
}

#[track_caller]
fn assert_unusable(outcome: &Outcome, says: &str) {
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(outcome.stderr.contains(says), "{says} is not in {}", outcome.stderr);
}

#[test]
fn a_plan_can_be_looked_at_when_it_is_made_and_later() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let command = ["plan", "s3://registry", "--untagged", "--out", "plan"];
    let told = program.done(&with(&command, &REPORT));
    let says =
        ["A sweep is allowed", "s3://registry", "library/app", "library/old", "no repository"];
    assert_says(&page(&program), &says);
    fs::remove_file(program.home().join("report.html")).unwrap();
    let shown = program.done(&with(&["show", "plan"], &REPORT));
    assert_says(&page(&program), &says);
    assert_eq!(shown.stdout, told.stdout, "the table is as without it");
}

#[test]
fn what_was_carried_out_is_accounted_for() {
    let (_server, program) = planned();
    program.done(&with(&["apply", "plan", "--offline"], &REPORT));
    assert_says(
        &page(&program),
        &["Carried out", "What became of it", "to carry it out", "Saved in a month"],
    );
}

#[test]
fn plan_and_apply_in_one_leave_one_page() {
    let root = small(now(), "");
    let program = Program::new();
    let registry = directory(program.home(), &root);
    let command = ["gc", registry.to_str().unwrap(), "--untagged"];
    program.done(&with(&command, &["--dry-run", "--report", "report.html"]));
    assert_says(&page(&program), &["A sweep is allowed", "making the plan deleted nothing"]);
    program.done(&with(&command, &["--offline", "--report", "report.html"]));
    let page = page(&program);
    assert_says(&page, &["Carried out", "Every object of the plan is accounted for"]);
    assert!(!page.contains("Saved in a month"), "nobody bills files by the month");
}

#[test]
fn a_plan_that_is_refused_says_why_in_the_page_too() {
    let server = bucket(&with_orphans(T, 300));
    let program = Program::at(&server);
    let refused = program.run(&with(&["plan", "s3://registry", "--out", "plan"], &REPORT));
    assert_eq!(refused.code, Some(4));
    assert_says(&page(&program), &["A sweep is refused", "delete-share", "more than 30 %"]);
    let refused = program.run(&with(&["gc", "s3://registry", "--offline"], &REPORT));
    assert_eq!(refused.code, Some(4));
    assert_says(&page(&program), &["A sweep is refused"]);
}

#[test]
fn a_page_may_lie_beside_the_plan_that_is_made() {
    let server = bucket(&small(T, ""));
    let program = Program::at(&server);
    let command = ["plan", "s3://registry", "--out", "plan", "--report", "plan/report.html"];
    program.done(&command);
    assert!(program.home().join("plan/report.html").is_file());
    program.done(&["apply", "plan", "--offline", "--report", "plan/report.html"]);
}

#[test]
fn machines_get_the_same_object_with_a_page_and_without() {
    let (_server, program) = planned();
    let plain = program.done(&["show", "plan", "--json"]);
    let with_page = program.done(&with(&["show", "plan", "--json"], &REPORT));
    assert_eq!((with_page.stdout, with_page.stderr), (plain.stdout, plain.stderr));
    let csv = program.done(&with(&["show", "plan", "--format", "csv"], &REPORT));
    assert!(csv.stdout.starts_with("kind,repository,"));
}

#[test]
fn nothing_but_a_file_is_written_over_and_nothing_is_deleted_first() {
    let (server, program) = planned();
    let before = keys(&server);
    let at = |name: &str| program.home().join(name);
    fs::create_dir(at("folder")).unwrap();
    fs::write(at("precious"), "mine").unwrap();
    std::os::unix::fs::symlink(at("precious"), at("link")).unwrap();
    for taken in ["folder", "link", "/dev/null"] {
        let apply = program.run(&["apply", "plan", "--offline", "--report", taken]);
        assert_unusable(&apply, "it is there, and is no file");
    }
    let lost = program.run(&["apply", "plan", "--offline", "--report", "nowhere/report.html"]);
    assert_unusable(&lost, "its directory is not there");
    assert_eq!(keys(&server), before);
    assert_eq!(fs::read_to_string(at("precious")).unwrap(), "mine");
}

fn prices(home: &Path, text: &str) {
    fs::write(home.join("prices.json"), text).unwrap();
}

#[test]
fn prices_can_be_replaced() {
    let (_server, program) = planned();
    let show = ["show", "plan", "--report", "report.html", "--prices", "prices.json"];
    prices(program.home(), r#"{"source": "our own", "currency": "€", "list_per_thousand": 7000}"#);
    program.done(&show);
    assert_says(&page(&program), &["Prices: our own", "€"]);
    prices(program.home(), r#"{"list_per_thousand": -1}"#);
    assert_unusable(&program.run(&show), "`list_per_thousand` is not a price");
    prices(program.home(), "cheap");
    assert_unusable(&program.run(&show), "is no table of prices");
}

#[test]
fn costs_are_told_where_somebody_said_the_prices() {
    let (_server, program) = planned();
    assert!(!program.done(&["show", "plan"]).stdout.contains("cost:"), "nobody pays Amazon for it");
    prices(
        program.home(),
        r#"{"source": "ours", "currency": "€", "list_per_thousand": 1000, "delete_per_thousand": 2000,
            "put_per_thousand": 500, "storage": [{"per_gigabyte_month": 1048576}]}"#,
    );
    let with_prices = ["--prices", "prices.json"];
    let shown = program.done(&with(&["show", "plan"], &with_prices)).stdout;
    assert_says(&shown, &["cost: €", "to carry it out (€", "a month", "prices: ours, Standard"]);
    let foreseen = program.done(&with(&["show", "plan", "--json"], &with_prices)).summary();
    let cost = &foreseen["cost"];
    let listed = foreseen["requests"]["list"].as_u64().unwrap();
    let requests = cost["sweeping"]["requests"].as_u64().unwrap() - listed;
    let price = cost["sweeping"]["price"].as_f64().unwrap();
    assert!((price - (listed + 2 * requests) as f64).abs() < 1e-6, "{price} for {cost}");
    let kinds = ["blobs", "revision_links", "tag_links", "layer_links", "uploads"];
    let objects = kinds.map(|kind| foreseen["delete"][kind]["count"].as_u64().unwrap());
    assert_eq!(cost["trash"]["requests"], 3 * objects.iter().sum::<u64>());
    let applied = ["apply", "plan", "--offline", "--json", "--prices", "prices.json"];
    let charged = program.done(&applied).summary();
    let deleted = charged["swept"]["deleted"]["bytes"].as_u64().unwrap();
    assert!(deleted > 0);
    // A mebi of a currency for a gibibyte is one for each KiB.
    let saved = charged["cost"]["saved_per_month"].as_f64().unwrap();
    assert!((saved - deleted as f64 / 1024.0).abs() < 1e-6, "{saved} for {deleted} bytes");
    let asked = ["list", "get", "head", "put", "delete"]
        .map(|kind| charged["requests"][kind].as_u64().unwrap());
    assert_eq!(charged["cost"]["sweeping"]["requests"], asked.iter().sum::<u64>());
}
