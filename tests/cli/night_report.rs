//! The page of a collection while people push.

use std::fs;
use std::time::Duration;

use serde_json::Value;
use simstore::{Fault, Faults, Kind, Options, S3Error, Server, When, Which};

use crate::online::{ONLINE, night};
use crate::program::{Outcome, Program, wait_until};
use crate::registries::{T, bucket_with, days, directory, now, with_orphans};
use crate::undo::{objects, versioned};

const REPORT: [&str; 3] = ["--report", "night.html", "--json"];

#[track_caller]
fn page(program: &Program) -> String {
    let page = fs::read_to_string(program.home().join("night.html")).unwrap();
    assert!(page.starts_with("<!DOCTYPE html>") && page.ends_with("</html>\n"));
    page
}

#[track_caller]
fn assert_says(page: &str, says: &[&str]) {
    for words in says {
        assert!(page.contains(words), "{words} is not there");
    }
}

/// The first number of the row whose name ends so; 0 where there is no such row.
fn number(page: &str, name_ends: &str) -> u64 {
    let Some((_, row)) = page.split_once(name_ends) else { return 0 };
    let cell = row.split("<td class=\"number\">").nth(1).unwrap();
    cell.split('<').next().unwrap().replace(',', "").parse().unwrap()
}

fn of(summary: &Value, pointer: &str) -> u64 {
    summary
        .pointer(pointer)
        .and_then(Value::as_u64)
        .unwrap_or_else(|| panic!("{pointer}: {summary}"))
}

#[track_caller]
fn assert_same_numbers(page: &str, summary: &Value) {
    for (name, pointer) in [
        (">Blobs deleted<", "/deleted/objects"),
        (">Blobs condemned<", "/condemned/objects"),
        (">Links taken<", "/taken"),
        (">Blobs rescued<", "/rescued"),
        (">Blobs brought back<", "/restored"),
        (">Links given back<", "/given_back"),
        (">Not deleted<", "/failed"),
        (">Lost<", "/lost"),
        (">Generations ended<", "/generations/closed"),
        (">LIST</th>", "/requests/list"),
        (">PUT and COPY</th>", "/requests/put"),
        (">Delete, of many keys each</th>", "/requests/delete"),
    ] {
        assert_eq!(number(page, name), of(summary, pointer), "{name} {pointer} {summary}");
    }
    for waiting in summary["generations"]["waiting"].as_array().unwrap() {
        let row = format!("<code>{}</code>", waiting["generation"].as_str().unwrap());
        let told = number(page.split("id=\"waiting\"").nth(1).unwrap(), &row);
        assert_eq!(told, of(waiting, "/condemned/objects"), "{waiting}");
        if let Some(due) = waiting["due"].as_str() {
            assert_says(page, &[&format!("after {} {} UTC", &due[..10], &due[11..16])]);
        }
    }
}

#[track_caller]
fn assert_needs_no_network(page: &str) {
    assert!(page.contains("default-src &#39;none&#39;"));
    for word in ["<script", "<link", "<img", "src=", "url(", "@import"] {
        assert!(!page.contains(word), "{word}");
    }
    let links = page.split("href=\"").skip(1);
    assert!(links.into_iter().all(|link| link.starts_with('#')));
}

/// A fact of the page.
fn fact(page: &str, name: &str) -> usize {
    let (_, rest) = page.split_once(&format!("<dt>{name}</dt>\n<dd>")).unwrap();
    rest.split('<').next().unwrap().replace(',', "").parse().unwrap()
}

/// A link that the first night took, written again.
fn push_again(server: &Server, before: &std::collections::BTreeMap<String, bytes::Bytes>) {
    let left = objects(server);
    let is_taken = |key: &&String| key.contains("/_layers/") && !left.contains_key(*key);
    let link = before.keys().find(is_taken).unwrap();
    server.put(link, before[link].to_vec(), T.after(days(1)));
}

#[test]
fn each_night_leaves_a_page_with_the_numbers_of_its_summary() {
    let (server, program) = versioned();
    let mut pages = Vec::new();
    for number in 0..4 {
        let summary = night(&server, &program, number, &REPORT).summary();
        let page = page(&program);
        assert_same_numbers(&page, &summary);
        assert_needs_no_network(&page);
        // The last look comes when all else is done, but for what it condemns.
        let (listed, taken) = (fact(&page, "Keys"), of(&summary, "/taken"));
        assert_eq!(listed as u64, objects(&server).len() as u64 + taken, "of one look alone");
        pages.push((page, summary));
    }
    let [(first, condemned), (second, deleted), (third, _), (quiet, _)] = &pages[..] else {
        panic!("four nights")
    };
    assert_says(
        first,
        &["Collected</h2>", "What was condemned, and why", "library/", "In quarantine"],
    );
    let what_goes = of(condemned, "/condemned/objects");
    assert!(what_goes > 0 && number(first, ">Blobs<small>No manifest") == what_goes, "{first}");
    assert!(!first.contains("Where lay what was deleted"));
    assert_eq!(of(deleted, "/deleted/objects"), what_goes, "{deleted}");
    assert_says(
        second,
        &["Where lay what was deleted", "looks for the last time", "undo LOCATION --generation"],
    );
    assert!(!second.contains("What was condemned, and why"));
    assert_says(third, &["Collected</h2>", "Closed 1 generation.", "Generations ended"]);
    assert_says(quiet, &["Nothing to do</h2>"]);
    assert!(!quiet.contains("What waits, and until when"));
}

#[test]
fn what_came_to_be_needed_is_told() {
    let (server, program) = versioned();
    let before = objects(&server);
    night(&server, &program, 0, &REPORT);
    push_again(&server, &before);
    let summary = night(&server, &program, 1, &REPORT).summary();
    assert_eq!(of(&summary, "/rescued"), 1, "{summary}");
    let page = page(&program);
    assert_same_numbers(&page, &summary);
    assert_says(&page, &["Needed after all", "1 kept, 0 brought back"]);
}

#[test]
fn files_are_told_without_requests_and_costs() {
    let program = Program::new();
    let root = directory(program.home(), &crate::registries::small(now(), ""));
    let online = ["gc", root.to_str().unwrap(), "--online", "--registry-cache", "none", "--trash"];
    program.done(&[&online[..], &REPORT].concat());
    let page = page(&program);
    assert_says(&page, &["Collected</h2>", "What was condemned, and why"]);
    assert!(!page.contains("id=\"cost\""));
}

#[test]
fn a_look_that_objects_is_a_page_with_the_evidence() {
    let server = versioned_orphans(300);
    let program = Program::at(&server);
    let refused = program.run(&[&ONLINE[..], &REPORT].concat());
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert_says(
        &page(&program),
        &["It was refused to go on</h2>", "delete-share", "more than 30 %"],
    );
}

fn versioned_orphans(orphans: u64) -> Server {
    bucket_with(&with_orphans(T, orphans), Options { versioned: true, ..Options::default() })
}

const ACCEPT: [&str; 2] = ["--accept", "delete-share"];

#[test]
fn a_night_that_is_stopped_leaves_a_page_of_what_it_did() {
    let server = versioned_orphans(2500);
    let program = Program::at(&server);
    night(&server, &program, 0, &ACCEPT);
    server.set_now(Some(T.after(days(2))));
    let delay = Fault::Delay(Duration::from_millis(300));
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, delay));
    let before = server.count(Kind::Delete);
    let width = ["--max-in-flight", "1"];
    let mut run = program.start(&[&ONLINE[..], &ACCEPT, &width, &REPORT].concat());
    wait_until("the first delete", || server.count(Kind::Delete) > before || !run.is_running());
    run.signal("INT");
    let stopped = run.end().with_code(130);
    let page = page(&program);
    assert_says(&page, &["Stopped before the end</h2>"]);
    assert_same_numbers(&page, &last_summary(&stopped));
}

/// The summary of a run that failed afterwards.
fn last_summary(outcome: &Outcome) -> Value {
    serde_json::from_str(outcome.stdout.lines().last().unwrap()).unwrap()
}

#[test]
fn what_could_not_be_deleted_is_named() {
    let (server, program) = versioned();
    night(&server, &program, 0, &[]);
    server.set_now(Some(T.after(days(2))));
    let denied = Fault::FailKeys(Which::Every(1), S3Error::ACCESS_DENIED);
    server.set_faults(Faults::none().on(Kind::Delete, When::Always, denied));
    let partial = program.run(&[&ONLINE[..], &REPORT].concat()).with_code(3);
    let page = page(&program);
    assert_same_numbers(&page, &last_summary(&partial));
    assert_says(&page, &["Collected, with something left to do</h2>", "What the store did not do"]);
}

#[test]
fn a_page_that_cannot_be_written_takes_nothing_back_and_holds_up_nobody() {
    let (server, program) = versioned();
    let folder = program.home().join("pages");
    fs::create_dir(&folder).unwrap();
    let command = ["--report", "pages/night.html", "--json"];
    server.before_each_request(move || drop(fs::remove_dir(&folder)));
    let unreported = program.run(&[&ONLINE[..], &command].concat()).with_code(3);
    let summary = last_summary(&unreported);
    assert!(of(&summary, "/condemned/objects") > 0, "{summary}");
    let failure = unreported.failure();
    assert!(failure["message"].as_str().unwrap().starts_with("the report cannot be"), "{failure}");
    assert_eq!(failure["hints"][0], "nothing else is amiss; the summary has the same numbers");
    // The lease was given back: no other run has to wait for its end.
    program.done(&ONLINE);
}

#[test]
fn nothing_is_begun_where_a_page_could_not_be_written() {
    let (server, program) = versioned();
    let before = server.keys();
    let lost =
        program.run(&[&ONLINE[..], &["--report", "nowhere/night.html"]].concat()).with_code(2);
    assert!(lost.stderr.contains("its directory is not there"), "{}", lost.stderr);
    assert_eq!((server.keys(), server.count(Kind::List)), (before, 0));
}

#[test]
fn costs_are_told_where_somebody_said_the_prices() {
    let (server, program) = versioned();
    let prices = r#"{"source": "ours", "currency": "€", "list_per_thousand": 1000, "get_per_thousand": 0,
        "put_per_thousand": 0, "storage": [{"per_gigabyte_month": 1048576}], "minimum_days": 3650}"#;
    fs::write(program.home().join("prices.json"), prices).unwrap();
    let with_prices = ["--prices", "prices.json"];
    let unpriced = night(&server, &program, 0, &REPORT).summary();
    assert_eq!(unpriced["cost"], Value::Null, "nobody pays Amazon for it");
    let summary = night(&server, &program, 1, &[&with_prices[..], &REPORT].concat()).summary();
    let cost = &summary["cost"];
    let kinds = ["list", "get", "head", "put", "delete"];
    let requests: u64 = kinds.iter().map(|kind| of(&summary, &format!("/requests/{kind}"))).sum();
    assert_eq!(of(cost, "/run/requests"), requests, "{cost}");
    let near = |found: &Value, expected: f64| (found.as_f64().unwrap() - expected).abs() < 1e-6;
    assert!(near(&cost["run"]["price"], of(&summary, "/requests/list") as f64), "{cost}");
    // A mebi of a currency for a gibibyte is one for each KiB.
    let saved = of(&summary, "/deleted/bytes") as f64 / 1024.0;
    assert!(near(&cost["saved_per_month"], saved), "{saved} for {cost}");
    assert!(cost["early_deletion"].as_f64().unwrap() > saved, "for years: {cost}");
    assert_says(&page(&program), &["Prices: ours", "Saved in a month", "€", "3650 days at least"]);
    let told = night(&server, &program, 2, &with_prices).stdout;
    assert_says(&told, &["cost: €", "saves €0 a month", "prices: ours, Standard"]);
}
