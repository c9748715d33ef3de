use std::fs;

use serde_json::{Value, json};

use super::*;
use crate::file::document::id_of;
use crate::{Damage, KeepList, MultipartSeen, Part, RowDamage, Stage, parse_header};

fn value(dir: &Path) -> Value {
    serde_json::from_slice(&fs::read(dir.join("plan.json")).unwrap()).unwrap()
}

/// A header with a valid id, as a program that knows the format would write it.
fn signed(mut value: Value) -> Vec<u8> {
    value["id"] = id_of(value.clone()).to_string().into();
    value.to_string().into_bytes()
}

fn opened(change: impl FnOnce(&mut Value)) -> Result<Plan, PlanError> {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), one_row_each()).unwrap();
    reopened(dir.path(), change)
}

/// Opens a plan whose header was changed by somebody who knows how to sign it.
fn reopened(dir: &Path, change: impl FnOnce(&mut Value)) -> Result<Plan, PlanError> {
    let mut value = value(dir);
    change(&mut value);
    fs::write(dir.join("plan.json"), signed(value)).unwrap();
    Plan::open(dir)
}

#[test]
fn a_newer_minor_version_is_read() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), one_row_each()).unwrap();
    let plan = reopened(dir.path(), |value| {
        value["format"]["minor"] = 7.into();
        value["colour"] = json!({"b": [1, {"z": 1, "a": 2}], "a": null});
        value["segments"][0]["taste"] = "salty".into();
    });
    assert_eq!(all_rows(&plan.unwrap()).len(), 4);
}

fn keep_list() -> KeepList {
    KeepList {
        file: "known.txt".into(),
        sha256: "ab".repeat(32),
        digests: 7,
        modified: Timestamp::from_seconds(1_699_999_000),
    }
}

#[test]
fn a_plan_remembers_by_which_list_it_goes_and_says_nothing_where_there_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let writer = PlanWriter::create(dir.path()).unwrap();
    writer.add(vec![blob(1)]).unwrap();
    let header = Header { keep_list: Some(keep_list()), ..header() };
    let plan = writer.finish(&header, &Marks).unwrap();
    assert_eq!(plan.header().keep_list, Some(keep_list()));
    assert_eq!(value(dir.path())["keep_list"]["modified"], "2023-11-14T21:56:40Z");
    assert_eq!(value(dir.path())["format"], json!({"major": 3, "minor": 0}), "for newer programs");
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), one_row_each()).unwrap();
    assert_eq!(value(dir.path()).get("keep_list"), None);
    assert_eq!(value(dir.path())["format"], json!({"major": 2, "minor": 1}));
}

#[test]
fn g4_a_plan_by_a_list_that_holds_anything_but_blobs_is_no_plan() {
    for row in one_row_each() {
        let stage = row.kind.stage();
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), vec![row, blob(9)]).unwrap();
        let opened = reopened(dir.path(), |value| {
            value["keep_list"] = serde_json::to_value(keep_list()).unwrap();
        });
        match opened {
            Ok(_) => assert_eq!(stage, Stage::Blobs),
            Err(PlanError::Damaged { what, .. }) => assert_eq!(what, Damage::NotOnlyBlobs(stage)),
            Err(error) => panic!("{error}"),
        }
    }
    // Nor can one be written.
    let dir = tempfile::tempdir().unwrap();
    let writer = PlanWriter::create(dir.path()).unwrap();
    writer.add(one_row_each()).unwrap();
    let header = Header { keep_list: Some(keep_list()), ..header() };
    assert!(writer.finish(&header, &Marks).is_err());
    assert!(Plan::open(dir.path()).is_err());
}

#[test]
fn a_field_of_a_newer_minor_version_is_bound_by_the_id_too() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), one_row_each()).unwrap();
    let mut newer = value(dir.path());
    newer["colour"] = "red".into();
    let text = String::from_utf8(signed(newer)).unwrap();
    parse_header(text.as_bytes()).unwrap();
    let edited = text.replace("\"red\"", "\"blue\"");
    assert!(matches!(
        parse_header(edited.as_bytes()),
        Err(PlanError::Damaged { what: Damage::Id, .. })
    ));
}

#[test]
fn another_major_version_is_refused_with_both_versions_named() {
    for major in [0, 4, 9] {
        let error = opened(|value| {
            value["format"] = json!({"major": major, "minor": 3, "more": true});
            value["created_by"] = "9.1.0".into();
            value["segments"] = "elsewhere".into();
        });
        let expected = format!(
            "written by regsweep 9.1.0 with plan format {major}.3; this regsweep reads up to 3.x"
        );
        assert_eq!(error.unwrap_err().to_string(), expected);
    }
}

#[test]
fn only_a_plan_with_uploads_has_a_format_that_older_programs_refuse() {
    let format = |rows| {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), rows).unwrap();
        let value = value(dir.path());
        (value["format"].clone(), value["totals"].get("multipart_upload").is_some())
    };
    assert_eq!(format(one_row_each()), (json!({"major": 2, "minor": 1}), false));
    let with_upload = [one_row_each(), vec![multipart(7)]].concat();
    assert_eq!(format(with_upload), (json!({"major": 3, "minor": 0}), true));
}

#[test]
fn a_plan_with_entity_tags_has_a_format_that_older_programs_read_without_them() {
    for (more, without, with) in [(None, (2, 1), (2, 2)), (Some(multipart(7)), (3, 0), (3, 1))] {
        let rows: Vec<Row> = one_row_each().into_iter().map(tagged).chain(more).collect();
        for (has_etags, (major, minor)) in [(false, without), (true, with)] {
            let dir = tempfile::tempdir().unwrap();
            let writer = PlanWriter::create(dir.path()).unwrap();
            let writer = if has_etags { writer.with_etags() } else { writer };
            writer.add(rows.clone()).unwrap();
            writer.finish(&header(), &Marks).unwrap();
            let value = value(dir.path());
            assert_eq!(value["format"], json!({"major": major, "minor": minor}));
            assert_eq!(value.get("etags"), has_etags.then_some(&json!(true)));
            let plan = Plan::open(dir.path()).unwrap();
            let tags = all_rows(&plan).iter().filter(|row| row.etag.is_some()).count();
            assert_eq!((plan.has_etags(), tags), (has_etags, if has_etags { 4 } else { 0 }));
        }
    }
}

#[test]
fn so_has_one_with_broken_links_which_always_say_what_to_write() {
    let dir = tempfile::tempdir().unwrap();
    let link = Row { kind: RowKind::BrokenLink, reason: Reason::BrokenLink, ..blob(7) };
    let header = Header { purpose: Purpose::Repair, ..header() };
    let writer = PlanWriter::create(dir.path()).unwrap();
    writer.add(vec![link.clone()]).unwrap();
    let plan = writer.finish(&header, &Marks).unwrap();
    assert_eq!((plan.header().purpose, all_rows(&plan)), (Purpose::Repair, vec![link.clone()]));
    let value = value(dir.path());
    assert_eq!(value["format"], json!({"major": 3, "minor": 0}));
    assert_eq!(
        (&value["purpose"], &value["totals"]["broken_link"]["count"]),
        (&json!("repair"), &json!(1))
    );
    let place = dir.path().join("next");
    let error = PlanWriter::create(&place).unwrap().add(vec![Row { digest: None, ..link }]);
    assert!(matches!(error, Err(PlanError::Row { what: RowDamage::Digest, .. })));
}

#[test]
fn what_was_seen_of_uploads_comes_back_and_older_headers_know_nothing_of_it() {
    let why = "not allowed".to_owned();
    let known = MultipartSeen::Known { listed: 4, foreign: 1, young: 2, unread: 1 };
    for seen in [None, Some(known), Some(MultipartSeen::Unknown { why })] {
        let dir = tempfile::tempdir().unwrap();
        let header = Header { multipart: seen.clone(), ..header() };
        PlanWriter::create(dir.path()).unwrap().finish(&header, &Marks).unwrap();
        assert_eq!(Plan::open(dir.path()).unwrap().header().multipart, seen);
        assert_eq!(value(dir.path()).get("multipart").is_some(), seen.is_some());
    }
}

#[test]
fn somebody_elses_json_is_no_plan() {
    for text in
        ["{}", "[]", "null", "{\"format\": 1}", "{\"format\": {\"major\": \"1\", \"minor\": 0}}"]
    {
        assert!(matches!(parse_header(text.as_bytes()), Err(PlanError::NotAPlan { .. })), "{text}");
    }
}

#[test]
fn layout_of_the_header_does_not_matter() {
    let dir = tempfile::tempdir().unwrap();
    let plan = write(dir.path(), one_row_each()).unwrap();
    let compact = value(dir.path()).to_string();
    fs::write(dir.path().join("plan.json"), compact).unwrap();
    assert_eq!(Plan::open(dir.path()).unwrap().id(), plan.id());
}

/// A header of format 1.0 as it was first written. It must stay readable.
#[test]
fn format_1_0_is_read() {
    let header = parse_header(include_bytes!("plan-1.0.json")).unwrap();
    assert_eq!(header.location.identity, "s3://registry.example/data");
    assert_eq!(header.t0, Timestamp::from_seconds(1_700_000_000));
    assert_eq!(header.retention, None);
}

#[test]
fn a_header_without_optional_fields_is_read() {
    let plan = opened(|value| {
        value["location"].as_object_mut().unwrap().remove("options");
        value["facts"] = json!({});
    });
    assert_eq!(plan.unwrap().header().facts, Facts::default());
}

#[test]
fn a_header_that_contradicts_itself_is_damaged_though_its_id_is_right() {
    let entry = |change: fn(&mut Value)| move |value: &mut Value| change(&mut value["segments"][0]);
    for (name, damage) in [
        ("elsewhere", opened(entry(|s| s["file"] = "../../etc/passwd".into()))),
        ("absolute", opened(entry(|s| s["file"] = "/etc/passwd".into()))),
        ("other part", opened(entry(|s| s["part"] = "00".into()))),
        ("unknown part", opened(entry(|s| s["part"] = "zz".into()))),
        ("signed part", opened(entry(|s| s["part"] = "+1".into()))),
        ("unknown stage", opened(entry(|s| s["stage"] = "manifests".into()))),
        ("no checksum", opened(entry(|s| s["xxh3"] = "".into()))),
        ("no rows", opened(entry(|s| s["rows"] = 0.into()))),
        ("more rows", opened(entry(|s| s["rows"] = 2.into()))),
        ("more bytes", opened(entry(|s| s["bytes"] = 5.into()))),
        ("twice", opened(|v| v["segments"][1] = v["segments"][0].clone())),
        ("out of order", opened(|v| v["segments"].as_array_mut().unwrap().swap(0, 1))),
        ("one less", opened(|v| drop(v["segments"].as_array_mut().unwrap().pop()))),
        ("other totals", opened(|v| v["totals"]["blob"]["count"] = 2.into())),
        ("no facts", opened(|v| v["facts"] = Value::Null)),
        ("no time", opened(|v| v["t0"] = "yesterday".into())),
    ] {
        assert!(matches!(damage, Err(PlanError::Damaged { .. })), "{name}: {damage:?}");
    }
}

#[test]
fn g12_a_small_stage_has_no_more_rows_than_the_format_allows() {
    let with_rows = |rows: u64| {
        opened(|value| {
            value["segments"][0]["rows"] = rows.into();
            value["totals"]["tag_link"]["count"] = rows.into();
        })
    };
    with_rows(Part::SMALL_STAGE).unwrap();
    let error = with_rows(Part::SMALL_STAGE + 1).unwrap_err();
    let text = "segment tags/all.parquet has more rows than a small stage";
    assert!(error.to_string().ends_with(text), "{error}");
}

/// The damage that reading the first segment of a changed plan ends with.
fn damage_of_rows(change: impl FnOnce(&Path, &mut Value)) -> Damage {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), one_row_each()).unwrap();
    let plan = reopened(dir.path(), |value| change(dir.path(), value)).unwrap();
    let rows = plan.rows(&plan.segments()[0]);
    match rows.and_then(Iterator::collect::<Result<Vec<Row>, _>>) {
        Err(PlanError::Damaged { what, .. }) => what,
        other => panic!("{other:?}"),
    }
}

#[test]
fn g10_rows_that_disagree_with_a_signed_header_are_damaged() {
    let damage = damage_of_rows(|_, value| {
        value["segments"][0]["rows"] = 2.into();
        value["totals"]["tag_link"]["count"] = 2.into();
    });
    assert_eq!(damage, Damage::Rows { expected: 2, found: 1 });
    let damage = damage_of_rows(|_, value| {
        value["segments"][0]["bytes"] = 1.into();
        value["totals"]["tag_link"]["bytes"] = 1.into();
    });
    assert_eq!(damage, Damage::Bytes { expected: 1, found: 1000 });
}

#[test]
fn a_row_in_the_segment_of_another_stage_or_shard_is_damaged() {
    for (stage, part) in [(Some("revisions"), None), (None, Some("00"))] {
        let damage = damage_of_rows(|dir, value| {
            let segments = value["segments"].as_array_mut().unwrap();
            segments.retain(|segment| segment["stage"] == "tags");
            let segment = &mut segments[0];
            let before = dir.join(segment["file"].as_str().unwrap());
            let stage = stage.unwrap_or("tags");
            let part = part.map_or_else(|| segment["part"].clone(), Value::from);
            let file = format!("{stage}/{}.parquet", part.as_str().unwrap());
            fs::rename(before, dir.join("kept")).unwrap();
            let is_there = |stage: &Stage| dir.join(stage.name()).exists();
            for stage in Stage::ALL.into_iter().filter(is_there) {
                fs::remove_dir_all(dir.join(stage.name())).unwrap();
            }
            fs::create_dir(dir.join(stage)).unwrap();
            fs::rename(dir.join("kept"), dir.join(&file)).unwrap();
            (segment["stage"], segment["part"], segment["file"]) =
                (stage.into(), part, file.into());
            let nothing = json!({"count": 0, "bytes": 0});
            let total = value["totals"]["tag_link"].clone();
            value["totals"] = ["tag_link", "revision_link", "layer_link", "upload", "blob"]
                .map(|kind| (kind, nothing.clone()))
                .into_iter()
                .collect();
            value["totals"][format!("{}_link", stage.trim_end_matches('s'))] = total;
        });
        assert_eq!(damage, Damage::Row { row: 0, what: RowDamage::Segment });
    }
}
