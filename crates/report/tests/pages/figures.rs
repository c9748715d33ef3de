//! Figures are those of every row.

use planner::{Amount, Header, Part, Reason, Row, RowKind};
use proptest::prelude::*;
use report::{Figures, Place};

use crate::fixture::{Shown, blob, header, link, multipart};

fn sum<'a>(places: impl IntoIterator<Item = &'a Place>) -> Amount {
    places.into_iter().flat_map(|place| [place.links, place.uploads, place.blobs]).sum()
}

fn check_balance(shown: &Shown) {
    let (figures, all) = (&shown.figures, shown.plan.totals().all());
    assert_eq!(figures.kinds().values().copied().sum::<Amount>(), all, "by kind");
    let ages = figures.ages().steps();
    assert_eq!(ages.iter().map(|(_, amount)| *amount).sum::<Amount>(), all, "by age");
    let sizes = figures.sizes().steps();
    let blobs = shown.plan.totals().of(RowKind::Blob);
    assert_eq!(sizes.iter().map(|(_, amount)| *amount).sum::<Amount>(), blobs, "by size");
    let placed = sum(figures.places().iter().chain(figures.beyond()));
    assert_eq!(placed.bytes + figures.unplaced().bytes, all.bytes, "by repository");
}

/// Blobs by number and bytes, links to them by repository and number, and uploads.
fn rows() -> impl Strategy<Value = Vec<Row>> {
    let blobs = prop::collection::btree_map(0..40_u64, 0..5000_u64, 0..30);
    let links = prop::collection::btree_set((0..6_u8, 0..40_u64), 0..60);
    let uploads = prop::collection::vec((prop::option::of(0..6_u8), 0..5000_u64), 0..9);
    (blobs, links, uploads).prop_map(|(blobs, links, uploads)| {
        let blobs = blobs.into_iter().map(|(number, bytes)| blob(number, bytes, number * 50_000));
        let links =
            links.into_iter().map(|(name, number)| link(&format!("team/app-{name}"), number));
        let uploads = (0..).zip(uploads).map(|(number, (name, bytes))| {
            let repository = name.map(|name| format!("team/app-{name}"));
            multipart(repository.as_deref(), number, bytes)
        });
        blobs.chain(links).chain(uploads).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn g10_every_byte_of_a_plan_is_somewhere_once(rows in rows()) {
        check_balance(&Shown::new(&header(), rows));
    }

    #[test]
    fn the_order_of_rows_does_not_matter(mut rows in rows()) {
        let there = Shown::new(&header(), rows.clone()).figures;
        rows.reverse();
        let back = Shown::new(&header(), rows).figures;
        prop_assert_eq!(there.places(), back.places());
        prop_assert_eq!(there.largest().len(), back.largest().len());
        prop_assert_eq!(there.kinds(), back.kinds());
    }
}

#[test]
fn a_blob_is_divided_among_those_whose_links_to_it_go() {
    let rows = vec![
        link("a", 1),
        link("b", 1),
        link("b", 2),
        blob(1, 1001, 0),
        blob(2, 10, 0),
        blob(3, 7, 0),
    ];
    let shown = Shown::new(&header(), rows);
    let place =
        |name: &str| shown.figures.places().iter().find(|place| place.name == name).unwrap();
    assert_eq!(place("a").blobs, Amount { count: 1, bytes: 501 });
    assert_eq!(place("b").blobs, Amount { count: 2, bytes: 510 });
    assert_eq!(place("b").links.count, 2);
    assert_eq!(shown.figures.unplaced(), Amount { count: 1, bytes: 7 });
    let largest = &shown.figures.largest()[0];
    assert_eq!((largest.bytes, largest.others), (1001, 1));
}

#[test]
fn uploads_in_parts_are_told_by_number_and_bytes_and_where_they_lie() {
    let rows = vec![multipart(Some("a"), 1, 3 << 20), multipart(None, 2, 5 << 20), blob(3, 7, 0)];
    let shown = Shown::new(&header(), rows);
    assert_eq!(shown.figures.places()[0].uploads, Amount { count: 1, bytes: 3 << 20 });
    assert_eq!(shown.figures.unplaced(), Amount { count: 2, bytes: (5 << 20) + 7 });
    let page = shown.page();
    assert!(page.contains("Incomplete multipart uploads") && page.contains("2 multipart uploads"));
    assert!(page.contains("8.0 MiB"), "{page}");
}

#[test]
fn what_is_not_known_of_uploads_is_said() {
    let seen = planner::MultipartSeen::Unknown { why: "nobody <may> list them".into() };
    let shown = Shown::new(&Header { multipart: Some(seen), ..header() }, vec![blob(1, 7, 0)]);
    let said = "uploads are not known, and stay: nobody &lt;may&gt; list them.";
    assert!(shown.page().contains(said));
}

#[test]
fn a_manifest_counts_for_the_repository_whose_revision_goes() {
    let revision = Row { kind: RowKind::RevisionLink, reason: Reason::Untagged, ..link("a", 1) };
    let shown = Shown::new(&header(), vec![revision, blob(1, 50, 0)]);
    assert_eq!(shown.figures.places()[0].blobs.bytes, 50);
    assert_eq!(shown.figures.unplaced(), Amount::default());
}

#[test]
fn a_plan_of_many_segments_adds_up_like_one_of_few() {
    let few = Part::SMALL_STAGE;
    for (blobs, links) in [(few + 1, 100), (100, few + 1)] {
        let blobs = (0..blobs).map(|number| blob(number, 3, 0));
        let links = (0..links).map(|number| link(&format!("app-{}", number % 7), number));
        let shown = Shown::new(&header(), blobs.chain(links).collect());
        check_balance(&shown);
        let of_seven = shown.figures.places();
        assert_eq!(of_seven.len(), 7);
        let placed: Amount = of_seven.iter().map(|place| place.blobs).sum();
        assert_eq!(
            placed.count + shown.figures.unplaced().count,
            shown.plan.totals().of(RowKind::Blob).count
        );
        assert!(placed.count >= 100);
    }
}

#[test]
fn g12_repositories_past_the_limit_are_one() {
    let number = Figures::PLACES as u64 + 5;
    let rows = (0..number).map(|number| link(&format!("app-{number}"), number));
    let shown = Shown::new(&header(), rows.chain([blob(number - 1, 9, 0)]).collect());
    check_balance(&shown);
    assert_eq!(shown.figures.places().len(), Figures::PLACES);
    assert_eq!(shown.figures.beyond().unwrap().links.count, 5);
    assert!(shown.page().contains("not told apart"));
}

#[test]
fn the_largest_blobs_are_named_the_largest_first() {
    let rows = (0..50).map(|number| blob(number, number * 10, 0));
    let shown = Shown::new(&header(), rows.collect());
    let bytes: Vec<u64> = shown.figures.largest().iter().map(|blob| blob.bytes).collect();
    assert_eq!(bytes, (30..50).rev().map(|number| number * 10).collect::<Vec<u64>>());
}
