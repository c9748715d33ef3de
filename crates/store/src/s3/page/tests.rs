use proptest::prelude::*;
use registry::Timestamp;

use super::*;

fn page(inside: &str) -> Result<Page, PageError> {
    Page::parse(format!("<ListBucketResult>{inside}</ListBucketResult>").as_bytes())
}

fn entry(key: &str) -> String {
    format!(
        "<Contents><Key>{key}</Key><LastModified>2026-08-18T10:00:00.000Z</LastModified>\
         <ETag>&quot;d41d8cd98f00b204e9800998ecf8427e&quot;</ETag><Size>7</Size>\
         <Owner><ID>x</ID></Owner><StorageClass>STANDARD</StorageClass></Contents>"
    )
}

fn key_of(encoding: &str, key: &str) -> Result<String, PageError> {
    let page = page(&format!("{encoding}<IsTruncated>false</IsTruncated>{}", entry(key)))?;
    Ok(page.objects[0].key.to_string())
}

#[test]
fn a_page_is_read_whole() {
    let page = page(&format!(
        "<Name>b</Name><Prefix>a%2Fb</Prefix><StartAfter>a%2525</StartAfter><EncodingType>url</EncodingType><KeyCount>2</KeyCount>\
         <MaxKeys>1000</MaxKeys><IsTruncated>true</IsTruncated><NextContinuationToken>t&amp;</NextContinuationToken>\
         {}<CommonPrefixes><Prefix>a/b/c/</Prefix></CommonPrefixes>",
        entry("a/b")
    ))
    .unwrap();
    assert_eq!(page.name.as_deref(), Some("b"));
    assert_eq!(page.prefix, Some(("a%2Fb".into(), "a/b".into())));
    assert_eq!(page.start_after, Some(("a%2525".into(), "a%25".into())));
    assert_eq!(page.next_token.as_deref(), Some("t&"));
    assert_eq!((page.key_count, page.is_truncated), (Some(2), true));
    assert_eq!(page.folders, ["a/b/c/"]);
    let object = Object {
        key: "a/b".into(),
        size: 7,
        modified: "2026-08-18T10:00:00Z".parse().unwrap(),
        etag: Some("d41d8cd98f00b204e9800998ecf8427e".into()),
    };
    assert_eq!(page.objects, [object]);
}

#[test]
fn g7_keys_are_decoded_once_and_only_where_the_answer_says_so() {
    let url = "<EncodingType>url</EncodingType>";
    for (encoding, sent, key) in [
        ("", "a%20b+c", "a%20b+c"),
        ("<EncodingType></EncodingType>", "a%20b", "a%20b"),
        (url, "a%20b", "a b"),
        (url, "a+b", "a b"),
        (url, "a%2Bb", "a+b"),
        (url, "a%2520b", "a%20b"),
        (url, "caf%C3%A9", "café"),
        (url, "a%01&amp;", "a\u{1}&"),
        (url, "a%2Fb/c", "a/b/c"),
    ] {
        assert_eq!(key_of(encoding, sent).unwrap(), key, "{encoding} {sent}");
    }
    for sent in ["a%zz", "a%4", "a%", "%ff", "caf%C3", "café", "a b", "a%+1"] {
        assert!(key_of(url, sent).is_err(), "{sent}");
    }
}

#[test]
fn g3_a_page_without_what_decides_is_an_error() {
    let done = "<IsTruncated>false</IsTruncated>";
    assert!(page(done).is_ok());
    for (inside, why) in [
        (String::new(), "`IsTruncated` is missing"),
        ("<IsTruncated>maybe</IsTruncated>".into(), "`IsTruncated` is `maybe`"),
        (format!("{done}{done}"), "`IsTruncated` comes twice"),
        (format!("{done}<EncodingType>hex</EncodingType>"), "`EncodingType` is `hex`"),
        (
            format!("{done}<Contents><Size>1</Size></Contents>"),
            "`Contents/LastModified` is missing",
        ),
        (
            format!("{done}{}", entry("a").replace("2026", "once")),
            "`Contents/LastModified` is `once-08-18T10:00:00.000Z`",
        ),
        (format!("{done}{}", entry("a").replace("<Size>7", "<Size>-7")), "`Contents/Size` is `-7`"),
        (format!("{done}{}", entry("a</Key><Key>b")), "`Contents/Key` comes twice"),
        (format!("{done}<CommonPrefixes/>"), "`CommonPrefixes/Prefix` is missing"),
    ] {
        assert_eq!(page(&inside).unwrap_err().to_string(), why);
    }
}

#[test]
fn an_error_behind_a_200_is_told_from_a_page() {
    let refused = Page::parse(b"<Error><Code>InternalError</Code><Message>oops</Message></Error>");
    let expected = PageError::Refused { code: "InternalError".into(), message: "oops".into() };
    assert_eq!(refused.unwrap_err(), expected);
    assert_eq!(Page::parse(b"<html></html>").unwrap_err(), PageError::UnknownRoot("html".into()));
}

#[test]
fn g3_a_page_cut_anywhere_is_an_error() {
    let whole = format!(
        "<ListBucketResult><IsTruncated>false</IsTruncated>{}{}</ListBucketResult>",
        entry("a"),
        entry("b")
    );
    assert_eq!(Page::parse(whole.as_bytes()).unwrap().objects.len(), 2);
    for end in 0..whole.len() {
        assert!(Page::parse(&whole.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}

/// An object, and the elements that tell of it, as a server may write them.
fn written(object: &Object, is_encoded: bool, order: usize, extra: &str) -> String {
    let sent = if is_encoded {
        crate::s3::percent::query(&[(&object.key, "")]).trim_end_matches('=').replace("%20", "+")
    } else {
        object.key.to_string()
    };
    let tag = object.etag.as_deref().unwrap_or_default();
    let mut elements = [
        format!("<Key>{}</Key>", escaped(&sent)),
        format!("<LastModified>{}</LastModified>", object.modified),
        format!("<ETag>&quot;{tag}&quot;</ETag>"),
        format!("<Size>{}</Size>", object.size),
        extra.to_owned(),
    ];
    elements.rotate_left(order % 5);
    elements.swap(0, order / 5 % 5);
    format!("<Contents>{}</Contents>", elements.concat())
}

fn escaped(text: &str) -> String {
    let one = |sign: char| match sign {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        sign if sign.is_control() => format!("&#x{:X};", u32::from(sign)),
        sign => sign.to_string(),
    };
    text.chars().map(one).collect()
}

proptest! {
    #[test]
    fn g3_g7_whatever_the_order_and_the_key_a_page_is_read_whole_or_not_at_all(
        keys in prop::collection::vec("[a-c/%+ <>&\"'\u{1}\n\u{7f}é日😀=-]{1,12}", 0..4),
        (size, millis) in (any::<u64>(), 0..4_102_444_800_000_i64),
        is_encoded in any::<bool>(),
        order in 0..25_usize,
        extra in "(<Owner><ID>1</ID></Owner>|<StorageClass>STANDARD</StorageClass>|<x a='1'/>|<y z='1'>&amp;</y>| ){0,3}",
        cut in any::<prop::sample::Index>(),
    ) {
        let object = |key: String| Object {
            key: key.into(),
            size,
            modified: Timestamp::from_millis(millis),
            etag: Some("d41d8cd98f00b204e9800998ecf8427e-2".into()),
        };
        let objects: Vec<_> = keys.into_iter().map(object).collect();
        let contents: String =
            objects.iter().map(|object| written(object, is_encoded, order, &extra)).collect();
        let encoding = if is_encoded { "<EncodingType>url</EncodingType>" } else { "" };
        let truncated = "<IsTruncated>false</IsTruncated>";
        // What decides may stand before the entries or behind them.
        let inside = match order % 2 {
            0 => format!("{encoding}{truncated}{contents}"),
            _ => format!("{contents}{truncated}{encoding}"),
        };
        prop_assert_eq!(page(&inside).unwrap().objects, objects);
        let whole = format!("<ListBucketResult>{inside}</ListBucketResult>");
        let cut = cut.index(whole.len());
        prop_assert!(Page::parse(&whole.as_bytes()[..cut]).is_err(), "cut at {}", cut);
    }
}
