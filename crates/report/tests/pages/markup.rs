//! The page is well-formed, asks for nothing, and nothing that it is given gets out of its place.

use std::collections::BTreeSet;

use proptest::prelude::*;
use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use crate::fixture::{carried_out, empty, refused, thousands, tiny};
use crate::nights::{busy, ended_by_audit, quiet};

/// Names of elements and attributes, in order: the page without any text.
fn structure(page: &str) -> Vec<String> {
    let mut reader = Reader::from_str(page);
    let mut names = Vec::new();
    loop {
        match reader.read_event().unwrap() {
            Event::Start(tag) => names.push(open(&tag)),
            Event::Empty(tag) => names.push(open(&tag) + "/"),
            Event::End(tag) => names.push(format!("/{}", text(tag.name().as_ref()))),
            Event::Eof => return names,
            Event::PI(_) | Event::Comment(_) | Event::CData(_) => {
                panic!("no such thing belongs into a page")
            }
            _ => {}
        }
    }
}

fn open(tag: &BytesStart<'_>) -> String {
    let attributes = tag.attributes().map(|attribute| text(attribute.unwrap().key.as_ref()));
    let attributes: Vec<String> = attributes.collect();
    format!("{} {}", text(tag.name().as_ref()), attributes.join(" "))
}

fn text(name: impl AsRef<[u8]>) -> String {
    String::from_utf8(name.as_ref().to_vec()).unwrap()
}

fn all() -> Vec<(&'static str, String)> {
    vec![
        ("tiny", tiny().page()),
        ("empty", empty().page()),
        ("refused", refused("").page()),
        ("thousands", thousands().page()),
        ("carried-out", carried_out().page()),
        ("night", busy().page()),
        ("quiet-night", quiet().page()),
        ("refused-night", ended_by_audit("").page()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn nothing_that_anybody_wrote_becomes_markup(hostile in any::<String>()) {
        prop_assert_eq!(structure(&refused(&hostile).page()), structure(&refused("x").page()));
        let night = |text: &str| structure(&ended_by_audit(text).page());
        prop_assert_eq!(night(&hostile), night("x"));
    }
}

#[test]
fn what_is_known_to_break_out_does_not() {
    let plain = structure(&refused("x").page());
    let plain_night = structure(&ended_by_audit("x").page());
    for hostile in [
        "</title><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)>",
        "' onmouseover='alert(1)",
        "</style><style>*{display:none}</style>",
        "<!-- ",
        "]]>",
        "&lt;script&gt;",
        "&#60;b&#62;",
        "\u{0}<\u{0}b>",
    ] {
        assert_eq!(structure(&refused(hostile).page()), plain, "{hostile:?}");
        assert_eq!(structure(&ended_by_audit(hostile).page()), plain_night, "{hostile:?}");
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for (name, page) in all() {
        let names = structure(&page);
        let tags: BTreeSet<&str> = names.iter().filter_map(|name| name.split(' ').next()).collect();
        for tag in [
            "script",
            "link",
            "img",
            "iframe",
            "object",
            "form",
            "base",
            "foreignObject",
            "image",
            "use",
        ] {
            assert!(!tags.contains(tag), "{name} has {tag}");
        }
        for word in [" src", " on", "@import", "url(", "javascript:"] {
            assert!(!names.iter().any(|name| name.contains(word)), "{name}: {word}");
        }
        let style = page.split("<style>").nth(1).unwrap().split("</style>").next().unwrap();
        assert!(!style.contains("url(") && !style.contains("@import") && !style.contains("http"));
        assert!(page.contains("content=\"default-src &#39;none&#39;;"));
        let links: Vec<&str> =
            page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert!(links.iter().all(|link| link.starts_with('#')), "{name}: {links:?}");
    }
}

#[test]
fn every_link_leads_somewhere_and_no_place_is_named_twice() {
    for (name, page) in all() {
        let values = |before: &str| -> Vec<String> {
            let rest = page.split(before).skip(1);
            rest.filter_map(|rest| rest.split('"').next()).map(str::to_owned).collect()
        };
        let ids = values(" id=\"");
        let unique: BTreeSet<&String> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{name}");
        for led in values(" href=\"#").iter().chain(&values(" aria-labelledby=\"")) {
            assert!(unique.contains(led), "{name}: {led}");
        }
    }
}

#[test]
fn a_page_stays_small_however_large_the_registry() {
    let page = carried_out().page();
    assert!(page.len() < 400_000, "{}", page.len());
}

/// A number of a tag, by its attribute.
fn number(tag: &str, attribute: &str) -> f64 {
    let value = tag.split(&format!(" {attribute}=\"")).nth(1).unwrap();
    value.split('"').next().unwrap().parse().unwrap()
}

#[test]
fn cells_of_the_map_lie_inside_and_apart_on_every_screen() {
    let page = carried_out().page();
    for (class, width, height) in
        [("wide", 1000.0, 480.0), ("middle", 560.0, 480.0), ("narrow", 300.0, 420.0)]
    {
        let drawing = format!(
            "<svg class=\"{class}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-label=\"Treemap"
        );
        let drawing = page.split(&drawing).nth(1).unwrap().split("</svg>").next().unwrap();
        let tags = drawing.split("<rect class=\"cell").skip(1);
        let cells: Vec<[f64; 4]> =
            tags.map(|tag| ["x", "y", "width", "height"].map(|name| number(tag, name))).collect();
        assert!((100..600).contains(&cells.len()), "{class}: {}", cells.len());
        for (at, [x, y, w, h]) in cells.iter().copied().enumerate() {
            assert!(x >= 0.0 && y >= 0.0 && x + w <= width + 0.2 && y + h <= height + 0.2);
            for [other_x, other_y, other_w, other_h] in &cells[at + 1..] {
                let across = (x + w).min(other_x + other_w) - x.max(*other_x);
                let down = (y + h).min(other_y + other_h) - y.max(*other_y);
                // Places are written to a tenth.
                assert!(across < 0.3 || down < 0.3, "{class}: {across} by {down}");
            }
        }
    }
}

#[test]
fn headings_are_nested_and_there_is_one_title() {
    for (name, page) in all() {
        let names = structure(&page);
        let levels: Vec<u8> = names
            .iter()
            .filter_map(|name| name.strip_prefix('h')?.split(' ').next()?.parse().ok())
            .collect();
        assert_eq!(names.iter().filter(|name| name.starts_with("h1 ")).count(), 1, "{name}");
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{name}: {levels:?}");
    }
}
