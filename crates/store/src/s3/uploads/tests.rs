use super::*;

const ANSWER: &str = "<?xml version=\"1.0\"?><ListMultipartUploadsResult xmlns=\"x\"><Bucket>b</Bucket>\
    <Prefix>a%2F</Prefix><KeyMarker>a%2Fa</KeyMarker><UploadIdMarker>i0</UploadIdMarker>\
    <NextKeyMarker>a%2Fc+d</NextKeyMarker><NextUploadIdMarker>i2</NextUploadIdMarker>\
    <EncodingType>url</EncodingType><MaxUploads>2</MaxUploads><IsTruncated>true</IsTruncated>\
    <Upload><Key>a%2Fb</Key><UploadId>i&amp;1</UploadId><Initiator><ID>x</ID></Initiator>\
    <StorageClass>STANDARD</StorageClass><Initiated>1970-01-01T00:00:01.000Z</Initiated></Upload>\
    <Upload><Key>a%2Fc+d</Key><UploadId>i2</UploadId><Initiated>1970-01-01T00:00:02Z</Initiated></Upload>\
    </ListMultipartUploadsResult>";

fn after() -> MultipartPlace {
    MultipartPlace { key: "a/a".into(), id: "i0".into() }
}

fn checked(answer: &str) -> Result<MultipartPage, Oddity> {
    let after = after();
    let ask = Ask { within: "a/", after: Some(&after), limit: 2 };
    Page::parse(answer.as_bytes()).unwrap().checked("b", ask)
}

#[test]
fn a_page_tells_keys_decoded_ids_as_they_are_and_the_way_on() {
    let page = checked(ANSWER).unwrap();
    let told: Vec<_> = page.uploads.iter().map(|upload| (&*upload.key, &*upload.id)).collect();
    assert_eq!(told, [("a/b", "i&1"), ("a/c d", "i2")]);
    assert_eq!(page.uploads[1].initiated, Timestamp::from_seconds(2));
    assert_eq!(page.next, Some(MultipartPlace { key: "a/c d".into(), id: "i2".into() }));
}

#[test]
fn g3_an_answer_cut_anywhere_is_refused_and_so_is_one_without_an_end() {
    for end in 0..ANSWER.len() {
        assert!(Page::parse(&ANSWER.as_bytes()[..end]).is_err(), "cut at {end}");
    }
    for gone in ["<IsTruncated>true</IsTruncated>", "<Key>a%2Fb</Key>", "<UploadId>i2</UploadId>"] {
        assert!(Page::parse(ANSWER.replace(gone, "").as_bytes()).is_err(), "{gone}");
    }
    assert!(Page::parse(ANSWER.replace(">true<", ">maybe<").as_bytes()).is_err());
}

#[test]
fn g3_a_page_of_something_else_or_without_a_way_on_is_refused() {
    let odd = |from: &str, to: &str| checked(&ANSWER.replacen(from, to, 1)).unwrap_err();
    assert_eq!(odd("<Bucket>b<", "<Bucket>c<"), Oddity::OtherBucket("c".into()));
    assert_eq!(odd("<Prefix>a%2F<", "<Prefix>b<"), Oddity::OtherPrefix("b".into()));
    assert_eq!(odd("<KeyMarker>a%2Fa<", "<KeyMarker>x<"), Oddity::OtherStart("x".into()));
    assert_eq!(odd("<UploadIdMarker>i0<", "<UploadIdMarker>x<"), Oddity::OtherStart("x".into()));
    assert_eq!(odd("<NextKeyMarker>a%2Fc+d<", "<NextKeyMarker><"), Oddity::NoMarker);
    assert_eq!(odd("<NextUploadIdMarker>i2<", "<NextUploadIdMarker><"), Oddity::NoMarker);
    let folder = "<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes></ListM";
    assert_eq!(odd("</ListM", folder), Oddity::Folders);
    let third = "<Upload><Key>a%2Fz</Key><UploadId>i</UploadId>\
                 <Initiated>1970-01-01T00:00:02Z</Initiated></Upload></ListM";
    assert_eq!(odd("</ListM", third), Oddity::TooMany { got: 3, limit: 2 });
}

#[test]
fn a_server_that_echoes_nothing_or_unencoded_is_believed() {
    for gone in ["<Bucket>b</Bucket>", "<Prefix>a%2F</Prefix>", "<KeyMarker>a%2Fa</KeyMarker>"] {
        checked(&ANSWER.replace(gone, "")).unwrap();
    }
    checked(&ANSWER.replace("<Prefix>a%2F<", "<Prefix>a/<")).unwrap();
    let last = ANSWER.replace(">true<", ">false<");
    assert_eq!(checked(&last).unwrap().next, None);
}

const PARTS: &str = "<ListPartsResult><Key>a/b</Key><UploadId>i</UploadId>\
    <IsTruncated>true</IsTruncated><NextPartNumberMarker>7</NextPartNumberMarker>\
    <Part><PartNumber>2</PartNumber><LastModified>1970-01-01T00:00:09Z</LastModified>\
    <ETag>&quot;e&quot;</ETag><Size>5</Size></Part>\
    <Part><PartNumber>7</PartNumber><LastModified>1970-01-01T00:00:03Z</LastModified>\
    <Size>6</Size></Part></ListPartsResult>";

/// What the parts add up to, and after which part to go on.
fn summed(answer: &str, id: &str, after: u32) -> Result<(Parts, Option<u32>), Oddity> {
    let mut sum = Parts::default();
    let next = PartsPage::parse(answer.as_bytes()).unwrap().add_to(&mut sum, id, after)?;
    Ok((sum, next))
}

#[test]
fn parts_are_summed_up_and_the_newest_is_known_wherever_it_stands() {
    let newest = Some(Timestamp::from_seconds(9));
    let sum = Parts { count: 2, bytes: 11, newest };
    assert_eq!(summed(PARTS, "i", 0), Ok((sum, Some(7))));
    let last = PARTS.replace(">true<", ">false<");
    assert_eq!(summed(&last, "i", 1), Ok((sum, None)));
}

#[test]
fn g3_parts_of_another_upload_out_of_order_or_none_before_the_end_are_refused() {
    assert_eq!(summed(PARTS, "j", 0), Err(Oddity::OtherUpload("i".into())));
    let out = Oddity::PartOutOfOrder { after: 2, number: 2 };
    assert_eq!(summed(PARTS, "i", 2), Err(out));
    let start = PARTS.find("<Part>").unwrap();
    let empty = format!("{}</ListPartsResult>", &PARTS[..start]);
    assert_eq!(summed(&empty, "i", 0), Err(Oddity::NoParts));
    for end in 0..PARTS.len() {
        assert!(PartsPage::parse(&PARTS.as_bytes()[..end]).is_err(), "cut at {end}");
    }
}
