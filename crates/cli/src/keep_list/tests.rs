use std::io::Write as _;

use proptest::prelude::*;

use super::*;

fn digest(n: u64) -> Digest {
    Digest::sha256(&n.to_be_bytes())
}

fn text(numbers: impl IntoIterator<Item = u64>) -> String {
    let lines: Vec<String> = numbers.into_iter().map(|n| digest(n).to_string() + "\n").collect();
    ended(&lines.concat(), lines.len())
}

fn ended(lines: &str, digests: usize) -> String {
    format!("{lines}# end: {digests} digests at 1700000000\n")
}

fn read(text: &[u8]) -> Result<KeepList, KeepListError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("known.txt");
    fs::write(&path, text).unwrap();
    KeepList::open(&path, Timestamp::default())
}

fn has(list: &KeepList, n: u64) -> bool {
    list.digests.reader().contains(&digest(n)).unwrap()
}

#[test]
fn a_list_is_read_whole_with_comments_empty_lines_and_the_ends_of_other_systems() {
    let text = format!("# known\r\n\r\n  {}\t\r\n\n{}\n{}\n", digest(1), digest(2), digest(1));
    let text = ended(&text, 3);
    let list = read(text.as_bytes()).unwrap();
    assert!(has(&list, 1) && has(&list, 2) && !has(&list, 3));
    assert_eq!(list.record.digests, 2, "twice is once");
    assert_eq!(list.record.sha256, Digest::sha256(text.as_bytes()).hex());
}

#[test]
fn a_long_list_is_no_other_than_a_short_one() {
    let text = text(0..20_000);
    let list = read(text.as_bytes()).unwrap();
    assert_eq!(list.record.digests, 20_000);
    assert!((0..20_000).all(|n| has(&list, n)) && !has(&list, 20_000));
    assert_eq!(list.record.sha256, Digest::sha256(text.as_bytes()).hex());
}

#[test]
fn g4_a_list_that_names_nothing_is_no_list() {
    for nothing in ["", "\n", "# nothing\n\r\n"] {
        assert!(matches!(read(nothing.as_bytes()), Err(KeepListError::Empty)), "{nothing:?}");
        let nothing = ended(nothing, 0);
        assert!(matches!(read(nothing.as_bytes()), Err(KeepListError::Empty)), "{nothing:?}");
    }
}

#[test]
fn what_is_no_digest_is_told_with_its_line() {
    let said = |text: String| read(text.as_bytes()).unwrap_err().to_string();
    let form = "has no `algorithm:hex` form";
    assert_eq!(said(format!(" digest \n{}", text([1]))), format!("line 1: \"digest\" {form}"));
    assert_eq!(said(format!("{}(2 rows)\n", text([1, 2]))), format!("line 4: \"(2 rows)\" {form}"));
    let endless = vec![b' '; 1 << 22];
    assert!(matches!(
        read(&endless),
        Err(KeepListError::Line { number: 1, what: LineError::Long })
    ));
}

#[test]
fn only_a_file_has_an_age() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(
        KeepList::open(dir.path(), Timestamp::default()),
        Err(KeepListError::NotAFile)
    ));
    let missing = KeepList::open(&dir.path().join("missing"), Timestamp::default());
    assert!(matches!(missing, Err(KeepListError::Read(_))));
}

/// A disk that fails behind some lines.
struct Failing;

impl Read for Failing {
    fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
        Err(io::Error::other("the disk is broken"))
    }
}

#[test]
fn g3_a_list_that_cannot_be_read_to_its_end_is_no_list() {
    for lines in [0, 1, 5000] {
        let text = text(0..lines);
        let source = BufReader::new(text.as_bytes().chain(Failing));
        assert!(matches!(read_all(source), Err(KeepListError::Read(_))), "{lines}");
    }
}

#[test]
fn a_list_that_grows_is_told_from_one_that_is_whole() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.write_all(text([1]).as_bytes()).unwrap();
    let stamp = || stamp(&fs::metadata(file.path()).unwrap()).unwrap();
    let before = stamp();
    assert_eq!(before, stamp());
    file.as_file().write_all(text([2]).as_bytes()).unwrap();
    assert_ne!(before, stamp());
}

fn aged(age: Duration, grace: Duration) -> Result<(), Failure> {
    let modified = Timestamp::from_seconds(1_000_000);
    let (file, sha256) = ("known.txt".to_owned(), String::new());
    let record = planner::KeepList { file, sha256, digests: 1, modified };
    require_fresh(&record, grace, modified.after(age))
}

#[test]
fn g1_a_list_is_younger_than_the_grace() {
    let day = Duration::from_hours(24);
    assert!(aged(Duration::ZERO, day).is_ok());
    assert!(aged(day, day + Duration::from_millis(1)).is_ok());
    for (age, grace) in [(day, day), (day * 9, day), (Duration::ZERO, Duration::ZERO)] {
        assert!(matches!(aged(age, grace), Err(Failure::Refused(Refusal::KeepListAge { .. }))));
    }
}

#[test]
fn a_list_of_tomorrow_says_that_clocks_are_not_to_be_trusted() {
    let modified = Timestamp::from_seconds(1_000_000);
    let (file, sha256) = ("known.txt".to_owned(), String::new());
    let record = planner::KeepList { file, sha256, digests: 1, modified };
    let before = modified.before(Duration::from_millis(1));
    assert!(require_fresh(&record, Duration::from_hours(24), before).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn g3_wherever_a_list_is_cut_off_it_is_refused(
        lines in 1..9u64, share in 0..=1000usize,
    ) {
        let whole = text(0..lines);
        let cut = whole.len() * share / 1000;
        match read(&whole.as_bytes()[..cut]) {
            Ok(_) => prop_assert_eq!(cut, whole.len()),
            Err(error) => prop_assert!(cut < whole.len(), "{}", error),
        }
    }

    #[test]
    fn g3_a_list_with_a_line_more_or_less_is_no_list(lines in 1..9u64, at in 0..9usize, more: bool) {
        let whole = text(0..lines);
        let mut parts: Vec<String> = whole.split_inclusive('\n').map(str::to_owned).collect();
        let at = at % parts.len();
        if more {
            parts.insert(at, parts[at].clone());
        } else {
            parts.remove(at);
        }
        prop_assert!(read(parts.concat().as_bytes()).is_err());
    }
}

#[test]
fn g1_a_copy_is_as_old_as_the_list_says() {
    let text = ended(&format!("{}\n", digest(1)), 1);
    assert_eq!(
        read(text.as_bytes()).unwrap().record.modified,
        Timestamp::from_seconds(1_700_000_000)
    );
    let future = text.replace("1700000000", "4200000000");
    assert!(
        read(future.as_bytes()).unwrap().record.modified < Timestamp::from_seconds(4_200_000_000)
    );
}
