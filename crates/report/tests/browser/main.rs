//! Pages in a real browser: nothing runs over the edge, everything can be read, and the console stays empty.
//!
//! Needs `chromium`, or the program that `REGSWEEP_CHROMIUM` names. `REGSWEEP_SCREENSHOTS=DIR` leaves pictures of every
//! page there, for people to look at.
//!
//! # Shape
//! ```text
//! pages ──▶ one HTML file of frames, a page at a width in each ──▶ chromium ──▶ what a probe in that file found
//!                                                                     └──▶ pictures
//! ```

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test that cannot go on fails there"
)]

mod chromium;
#[path = "../pages/fixture.rs"]
mod fixture;
#[path = "../pages/nights.rs"]
mod nights;

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use chromium::{Chromium, Scheme};
use fixture::{carried_out, empty, refused, thousands, tiny};
use nights::{busy, ended_by_audit, quiet};

/// What looks at the frames, and writes what it finds where `--dump-dom` shows it.
const PROBE: &str = include_str!("probe.html");

/// From a small phone to a desktop.
const WIDTHS: [u32; 7] = [320, 360, 390, 610, 768, 1000, 1440];

/// Longer than any page.
const HEIGHT: u32 = 12_000;

fn pages() -> Vec<(&'static str, String)> {
    vec![
        ("tiny", tiny().page()),
        ("empty", empty().page()),
        ("refused", refused(&" a-word-that-has-no-place-to-break".repeat(3)).page()),
        ("thousands", thousands().page()),
        ("carried-out", carried_out().page()),
        ("night", busy().page()),
        ("quiet-night", quiet().page()),
        ("refused-night", ended_by_audit(&" a-word-that-has-no-place-to-break".repeat(3)).page()),
    ]
}

/// A page of pages.
fn framed(frames: &[(String, &str, u32)]) -> String {
    let mut html = PROBE.to_owned();
    for (name, page, width) in frames {
        let page = page.replace('&', "&amp;").replace('"', "&quot;");
        writeln!(
            html,
            r#"<iframe name="{name}" style="width:{width}px" srcdoc="{page}"></iframe>"#
        )
        .unwrap();
    }
    html
}

/// What the probe says of each frame: its name, and what is wrong.
fn probed(chromium: &Chromium, html: &str, scheme: Scheme) -> Vec<String> {
    let dom = chromium.dump_dom(html, scheme);
    let found = dom.split("<pre id=\"found\">").nth(1).and_then(|rest| rest.split("</pre>").next());
    found.unwrap().lines().map(str::to_owned).collect()
}

#[test]
fn every_page_fits_every_screen_and_can_be_read_in_light_and_dark() {
    let (chromium, pages) = (Chromium::new(), pages());
    let frame =
        |width| pages.iter().map(move |(name, page)| (format!("{name}-{width}"), &**page, width));
    let html = framed(&WIDTHS.into_iter().flat_map(frame).collect::<Vec<_>>());
    for scheme in [Scheme::Light, Scheme::Dark] {
        let found = probed(&chromium, &html, scheme);
        assert_eq!(found.len(), pages.len() * WIDTHS.len(), "{found:?}");
        for line in found {
            assert!(line.ends_with(": fine"), "{scheme:?} {line}");
        }
    }
}

#[test]
fn the_probe_sees_what_is_wrong() {
    let page = |body: &str| format!("<!DOCTYPE html><html lang=\"en\"><body>{body}</body></html>");
    let wide = page("<p style=\"width:2000px\">wide</p>");
    let faint = page("<p style=\"color:#aaa;background:#fff\">faint</p>");
    let small = page("<p style=\"font-size:6px\">small</p>");
    let fine = page("<p>fine</p>");
    let frames = [("wide", &wide), ("faint", &faint), ("small", &small), ("fine", &fine)];
    let frames: Vec<_> =
        frames.iter().map(|(name, page)| ((*name).to_owned(), page.as_str(), 390)).collect();
    let found = probed(&Chromium::new(), &framed(&frames), Scheme::Light);
    for (line, says) in
        found.iter().zip(["is wider than the screen", "contrast", "is small", ": fine"])
    {
        assert!(line.contains(says), "{says} is not in {line}");
    }
}

#[test]
fn the_console_stays_empty_and_the_browser_understands_the_page_as_it_was_meant() {
    let chromium = Chromium::new();
    let loud = "<!DOCTYPE html><script>console.error('heard')</script>";
    assert!(chromium.console(loud).contains("heard"), "what a page says can be heard");
    for (name, page) in pages() {
        assert_eq!(chromium.console(&page), "", "{name}");
        let dom = chromium.dump_dom(&page, Scheme::Light);
        for tag in ["<h1", "<h2", "<section", "<table", "<svg", "<rect", "</html>"] {
            assert_eq!(dom.matches(tag).count(), page.matches(tag).count(), "{name}: {tag}");
        }
    }
}

/// Where pictures are kept, and whether of every page.
fn screenshots() -> (Option<tempfile::TempDir>, PathBuf) {
    if let Some(dir) = std::env::var_os("REGSWEEP_SCREENSHOTS") {
        fs::create_dir_all(&dir).unwrap();
        return (None, dir.into());
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    (Some(dir), path)
}

fn picture(chromium: &Chromium, page: &str, width: u32, scheme: Scheme, file: &Path) -> Vec<u8> {
    chromium.screenshot(
        &framed(&[("page".to_owned(), page, width)]),
        (width, HEIGHT),
        scheme,
        file,
    );
    let picture = fs::read(file).unwrap();
    assert!(picture.starts_with(b"\x89PNG"), "{}", file.display());
    picture
}

#[test]
fn light_and_dark_desktop_and_phone_look_different() {
    let (chromium, (scratch, dir)) = (Chromium::new(), screenshots());
    for (name, page) in pages() {
        if scratch.is_some() && name != "carried-out" {
            continue;
        }
        let mut pictures: Vec<Vec<u8>> = Vec::new();
        for (width, scheme) in [1440, 390]
            .into_iter()
            .flat_map(|width| [(width, Scheme::Light), (width, Scheme::Dark)])
        {
            let file = dir.join(format!("{name}-{width}-{scheme:?}.png").to_lowercase());
            pictures.push(picture(&chromium, &page, width, scheme, &file));
        }
        assert!(pictures.iter().all(|picture| picture.len() > 10_000), "{name}");
        pictures.dedup();
        assert_eq!(pictures.len(), 4, "{name}");
    }
}
