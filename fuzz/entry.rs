//! What must hold for any bytes at all, once for each thing that reads bytes.
//!
//! Each function takes arbitrary bytes, panics where a law is broken, and says whether the bytes were accepted. The fuzz
//! targets call them, and so does `tests/corpora.rs` with every file of `fuzz/corpus`.

use config::{Configuration, Storage};
use policy::{Moment, Retention, TaggedAt, Verdict};
use registry::{
    Algorithm, Digest, FolderKind, KeyKind, Layout, Manifest, Role, Timestamp, link_text,
    parse_link,
};
use serde_json::Value;
use sweeper::{ReplayError, parse_journal};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

/// Bytes of a manifest blob.
///
/// Laws: what is around the document does not matter; a document that the reader of plain JSON takes is read as any
/// other; every edge stands in the document, and its digest reads back (G4).
pub fn manifest(data: &[u8]) -> bool {
    let parsed = Manifest::parse(data);
    if let Some(escaped) = with_escape(data) {
        assert_eq!(Manifest::parse(&escaped).ok(), parsed.as_ref().ok().cloned(), "read twice");
    }
    let Ok(manifest) = parsed else { return false };
    let padded = [b" \n", data, b"\n"].concat();
    assert_eq!(Manifest::parse(&padded).expect("white space changes nothing"), manifest);
    let mut texts = Vec::new();
    if let Ok(document) = serde_json::from_slice(data) {
        collect_texts(&document, &mut texts);
        for edge in manifest.edges() {
            assert!(texts.contains(&edge.digest.to_string()), "{edge:?} is not in the document");
        }
    }
    for edge in manifest.edges() {
        assert_eq!(edge.digest.to_string().parse(), Ok(edge.digest));
    }
    let references = manifest.references().count();
    let subjects = manifest.edges().filter(|edge| edge.role == Role::Subject).count();
    assert_eq!(references + subjects, manifest.edges().count());
    assert_eq!(manifest.subject().is_some(), subjects > 0);
    true
}

/// The same object with a field more that means nothing, and is not plain.
fn with_escape(data: &[u8]) -> Option<Vec<u8>> {
    let start = data.iter().position(|byte| !b" \t\r\n".contains(byte))?;
    let inside = data[start..].strip_prefix(b"{")?;
    let comma: &[u8] = if inside.trim_ascii_start().starts_with(b"}") { b"" } else { b"," };
    Some([br#"{"\u0061nnotations":0"#, comma, inside].concat())
}

fn collect_texts(value: &Value, texts: &mut Vec<String>) {
    match value {
        Value::String(text) => texts.push(text.clone()),
        Value::Array(values) => values.iter().for_each(|value| collect_texts(value, texts)),
        Value::Object(fields) => fields.values().for_each(|value| collect_texts(value, texts)),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A `rootdirectory`, a newline, and a key; without a newline, a key below the empty root. Accepted where the key has a
/// meaning that determines it.
///
/// Laws: a kind gives back its key, byte for byte (G7); the repository of a kind is the repository of its key.
pub fn key(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let (root, path) = text.split_once('\n').unwrap_or(("", text));
    let layout = Layout::new(root);
    let below = format!("{}{path}", layout.base());
    let is_known = is_known_key(&layout, path);
    is_known_key(&layout, &below) || is_known
}

fn is_known_key(layout: &Layout, key: &str) -> bool {
    let kind = layout.classify(key);
    let repository = match &kind {
        KeyKind::Revision { repository, .. }
        | KeyKind::Signature { repository, .. }
        | KeyKind::TagCurrent { repository, .. }
        | KeyKind::TagIndex { repository, .. }
        | KeyKind::Layer { repository, .. }
        | KeyKind::Upload { repository, .. } => Some(*repository),
        KeyKind::Marker { repository } => *repository,
        KeyKind::Foreign(foreign) => foreign.repository,
        KeyKind::Blob(_) => None,
    };
    if repository.is_some() {
        assert_eq!(layout.repository_of(key), repository, "{key:?}");
    }
    if let KeyKind::Blob(digest) = &kind {
        assert!(key.starts_with(&layout.blob_shard(digest.algorithm(), digest.shard())));
    }
    check_folder(layout, key, &kind);
    let again = layout.key_of(&kind);
    if let Some(again) = &again {
        assert_eq!(again, key);
    }
    again.is_some()
}

/// A store of files does not open folders whose inside the layout tells, so every blob and link must lie in such.
fn check_folder(layout: &Layout, key: &str, kind: &KeyKind<'_>) {
    let Some((folder, file)) = key.rsplit_once('/') else { return };
    let Some((above, _)) = folder.rsplit_once('/') else { return };
    let expected = match (kind, file) {
        (KeyKind::Blob(_), "data") => FolderKind::Blob,
        (KeyKind::Layer { digest, .. }, "link") => FolderKind::Layer(digest.algorithm()),
        (KeyKind::TagIndex { .. }, "link") => FolderKind::TagIndex,
        (KeyKind::Revision { .. }, "link") => FolderKind::Revision,
        _ => return,
    };
    assert_eq!(layout.folders_in(&format!("{above}/")), Some(expected), "{key:?}");
}

/// The content of a link object.
///
/// Laws: a link that is read is the link that would be written; whatever is added makes it none.
pub fn link(data: &[u8]) -> bool {
    let Ok(digest) = parse_link(data) else { return false };
    assert_eq!(link_text(&digest).as_bytes(), data);
    assert!(Algorithm::ALL.contains(&digest.algorithm()));
    assert!(parse_link(&[data, b"\n"].concat()).is_err());
    assert!(parse_link(&data[..data.len() - 1]).is_err());
    true
}

/// A configuration file; behind a NUL, variables as lines `NAME=value`.
///
/// Laws: the order of the variables does not matter; an error says something.
pub fn configuration(data: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(data) else { return false };
    let (yaml, lines) = text.split_once('\0').unwrap_or((text, ""));
    let mut variables: Vec<(String, String)> = lines
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    variables.sort();
    variables.dedup_by(|left, right| left.0 == right.0);
    let found = Configuration::parse(yaml, variables.clone());
    variables.reverse();
    assert_eq!(Configuration::parse(yaml, variables), found);
    match found {
        Ok(configuration) => {
            check_storage(&configuration.storage);
            true
        }
        Err(error) => {
            assert!(!error.to_string().is_empty());
            false
        }
    }
}

fn check_storage(storage: &Storage) {
    match storage {
        Storage::S3(s3) => {
            assert!(!s3.bucket.is_empty() && !s3.region.is_empty());
            assert!(s3.endpoint.as_ref().is_none_or(|endpoint| endpoint.contains("://")));
            assert_eq!(s3.force_path_style.unwrap_or(s3.endpoint.is_some()), s3.path_style());
        }
        Storage::Filesystem(filesystem) => assert!(!filesystem.root_directory.is_empty()),
    }
}

/// A retention policy.
///
/// Laws: an error names its place; whatever the rules are, a tag that is young, or of which no time is known, stays
/// (G1, G4), and so does what no rule lets go.
pub fn policy(data: &[u8]) -> bool {
    let policy = match Retention::parse(data) {
        Ok(policy) => policy,
        Err(errors) => {
            assert!(!errors.all().is_empty());
            assert!(
                errors.all().iter().all(|error| error.place.line > 0 && error.place.column > 0)
            );
            return false;
        }
    };
    let (t0, cutoff) =
        (Timestamp::from_seconds(1_000_000_000), Timestamp::from_seconds(999_000_000));
    for name in ["a", "team/a", "team/b/c"] {
        let tag = |tag, written| TaggedAt { tag, written };
        let old = ["v1.2.3", "latest", "pr-7"].map(|name| tag(name, Some(Timestamp::default())));
        let staying = [tag("v1.2.3-rc.1", None), tag("x", Some(cutoff)), tag("y", Some(t0))];
        let tags = [&staying[..], &old].concat();
        let judgement = policy.judge(name, &tags, &Moment { t0, cutoff });
        assert_eq!(judgement.is_some(), policy.covers(name));
        let Some(judgement) = judgement else { continue };
        assert_eq!(judgement.tags.len(), tags.len());
        assert!(judgement.tags[..3].iter().all(|verdict| matches!(verdict, Verdict::Keep(_))));
    }
    assert!(policy.rules().iter().all(|rule| !rule.to_string().is_empty()));
    true
}

/// Bytes of a `plan.json`, and of a segment.
///
/// Laws: damage is an error; a plan whose id fits it is refused as soon as anything in it changes. The header is also
/// tried with its id made to fit, so that what lies behind the id is reached.
pub fn plan(data: &[u8]) -> bool {
    let checksum = xxh3_64(data);
    assert!(planner::parse_segment(data, checksum ^ 1).is_err(), "another checksum is damage");
    let is_sound = planner::parse_header(data).is_ok();
    if let Ok(Value::Object(fields)) = serde_json::from_slice(data) {
        let fitted = with_own_id(Value::Object(fields));
        if planner::parse_header(fitted.to_string().as_bytes()).is_ok() {
            assert_id_binds(fitted);
        }
    }
    is_sound
}

fn assert_id_binds(mut header: Value) {
    let text = header.to_string();
    assert!(planner::parse_header(&text.as_bytes()[..text.len() - 1]).is_err());
    header["fields of a newer version"] = Value::Bool(true);
    assert!(planner::parse_header(header.to_string().as_bytes()).is_err());
}

/// The same header, with the id that its content has: the hash of its compact JSON with an empty id.
fn with_own_id(mut header: Value) -> Value {
    header["id"] = Value::String(String::new());
    let id = Digest::sha256(header.to_string().as_bytes()).hex();
    header["id"] = Value::String(id);
    header
}

/// The first bytes of every frame of a journal.
const MARK: [u8; 4] = [0x9e, b'R', b'S', b'J'];

/// Bytes of a journal, where they begin as one; else records, each behind its length in two bytes, which are then framed
/// as a journal's are, so that what lies behind the checksums is reached.
///
/// Laws: all bytes are either believed or torn; whatever a crash leaves can be replayed (G11); nothing at or behind a
/// harmed byte is believed.
pub fn journal(data: &[u8]) -> bool {
    let framed = if data.starts_with(&MARK) { data.to_vec() } else { frame_all(data) };
    let replay = match parse_journal(&framed) {
        Ok(replay) => replay,
        Err(error) => {
            assert!(data.starts_with(&MARK) || !matches!(error, ReplayError::Damaged { .. }));
            return false;
        }
    };
    assert_eq!(replay.whole + replay.torn, framed.len() as u64);
    for cut in [framed.len() / 2, framed.len().saturating_sub(1)] {
        let cut_off = parse_journal(&framed[..cut]).expect("a crash leaves what can be replayed");
        assert!(cut_off.whole <= replay.whole);
    }
    assert_harm_is_seen(framed);
    true
}

fn assert_harm_is_seen(mut bytes: Vec<u8>) {
    let place = bytes.len() / 3;
    if let Some(byte) = bytes.get_mut(place) {
        *byte ^= 1;
        if let Ok(replay) = parse_journal(&bytes) {
            assert!(replay.whole <= place as u64, "byte {place} is harmed and believed");
        }
    }
}

fn frame_all(mut records: &[u8]) -> Vec<u8> {
    let mut journal = Vec::new();
    while let Some((length, rest)) = records.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (record, rest) = rest.split_at(length);
        put_frame(&mut journal, record);
        records = rest;
    }
    journal
}

/// Mark, length, durable, checksum, record; everything before a frame is durable when it is written.
fn put_frame(journal: &mut Vec<u8>, record: &[u8]) {
    let position = journal.len() as u64;
    let length = record.len() as u64;
    let checked = [&length.to_le_bytes()[..], &position.to_le_bytes(), record].concat();
    journal.extend_from_slice(&MARK);
    journal.extend_from_slice(&length.to_le_bytes()[..4]);
    journal.extend_from_slice(&position.to_le_bytes());
    journal.extend_from_slice(&xxh3_64_with_seed(&checked, position).to_le_bytes());
    journal.extend_from_slice(record);
}

/// Bytes of a segment of the manifest cache, where they begin as one; else records, each behind its length in two bytes
/// and without its checksum, which are then made a segment of one block, so that what lies behind the checksums is
/// reached.
///
/// Laws: what is accepted is in order, each digest once; nothing that is cut off or harmed anywhere is accepted (G4).
pub fn segment(data: &[u8]) -> bool {
    let header = cache::segment_header();
    let segment = if data.starts_with(&header[..8]) { data.to_vec() } else { segment_of(data) };
    let Ok(records) = cache::parse_segment(&segment) else { return false };
    let place = |digest: &Digest| (digest.as_bytes()[..8].to_vec(), *digest);
    assert!(records.is_sorted_by(|a, b| place(&a.0) < place(&b.0)));
    for cut in [segment.len() / 2, segment.len() - 1] {
        assert!(cache::parse_segment(&segment[..cut]).is_err(), "cut off at {cut}");
    }
    for at in [segment.len() / 3, segment.len() / 2] {
        let mut harmed = segment.clone();
        harmed[at] ^= 1;
        assert!(cache::parse_segment(&harmed).is_err(), "byte {at} is harmed and believed");
    }
    true
}

/// Header, one block, its place in the index, no filter, the end.
fn segment_of(mut records: &[u8]) -> Vec<u8> {
    let header = cache::segment_header();
    let (mut segment, mut index) = (header.to_vec(), Vec::new());
    while let Some((length, rest)) = records.split_first_chunk::<2>() {
        let length = usize::from(u16::from_le_bytes(*length)).min(rest.len());
        let (record, rest) = rest.split_at(length);
        if index.is_empty() {
            let mut key: [u8; 8] =
                record.get(5..13).map_or([0; 8], |key| key.try_into().expect("8"));
            key.reverse();
            index = [key, (header.len() as u64).to_le_bytes()].concat();
        }
        segment.extend_from_slice(&xxh3_64(record).to_le_bytes());
        segment.extend_from_slice(record);
        records = rest;
    }
    let blocks = index.len() as u64 / 16;
    let end = [segment.len() as u64, blocks, 0].map(u64::to_le_bytes).concat();
    let checksum = xxh3_64(&[&header[..], &index, &end].concat());
    segment.extend_from_slice(&index);
    segment.extend_from_slice(&end);
    segment.extend_from_slice(&checksum.to_le_bytes());
    segment.extend_from_slice(b"ends.RSC");
    segment
}
