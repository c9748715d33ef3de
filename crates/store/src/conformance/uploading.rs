//! What every store promises about incomplete multipart uploads.

use registry::Timestamp;

use super::{delete, must};
use crate::{
    DeleteStore, Doomed, KeyOutcome, MultipartStep, MultipartStore, MultipartUpload, MultipartWalk,
    Parts,
};

/// An upload to begin: its key, and the sizes of its parts.
pub type ToBegin<'k> = (&'k str, &'k [u64]);

const PREFIX: &str = "contract/up/";

const UPLOADS: &[ToBegin<'_>] = &[
    ("contract/up", &[1]),
    ("contract/up-", &[1]),
    ("contract/up/a", &[]),
    ("contract/up/a", &[3, 4]),
    ("contract/up/a b+%", &[5]),
    ("contract/up/b/data", &[6, 7, 8]),
    ("contract/up0", &[1]),
];

/// Checks a store of which uploads can be told. `begin` begins uploads and adds their parts, all of it after 1970.
///
/// # Panics
/// Where the store breaks its contract.
pub async fn uploads_contract<S: DeleteStore + MultipartStore>(
    store: &S,
    begin: impl AsyncFn(&[ToBegin<'_>]),
) {
    assert_eq!(all(store, PREFIX).await, []);
    begin(UPLOADS).await;
    let found = all(store, PREFIX).await;
    let keys: Vec<&str> = found.iter().map(|upload| &*upload.key).collect();
    let below = UPLOADS.iter().map(|(key, _)| *key).filter(|key| key.starts_with(PREFIX));
    assert_eq!(keys, below.collect::<Vec<_>>());
    assert_eq!(all(store, "contract/up").await.len(), UPLOADS.len());
    tells_parts(store, &found).await;
    aborts_each_once_and_spares_what_got_a_part(store, found).await;
}

async fn all<S: MultipartStore>(store: &S, within: &str) -> Vec<MultipartUpload> {
    let (mut walk, mut found) = (MultipartWalk::new(within), Vec::new());
    loop {
        match must(walk.next(store).await) {
            MultipartStep::Uploads(uploads) => found.extend(uploads),
            MultipartStep::End => return found,
            MultipartStep::Untold => panic!("a store of which uploads can be told"),
        }
    }
}

async fn tells_parts<S: MultipartStore>(store: &S, found: &[MultipartUpload]) {
    let mut sums = Vec::new();
    for upload in found {
        let Parts { count, bytes, newest } = must(store.parts(upload).await)
            .unwrap_or_else(|| panic!("{upload:?} is listed and has no parts"));
        assert_eq!(newest.is_some(), count > 0, "{upload:?}");
        assert!(newest.is_none_or(|newest| newest >= upload.initiated), "{upload:?}");
        sums.push((count, bytes));
    }
    sums.sort_unstable();
    assert_eq!(sums, [(0, 0), (1, 5), (2, 7), (3, 21)]);
    let absent = MultipartUpload { id: "absent".into(), ..found[0].clone() };
    assert_eq!(must(store.parts(&absent).await), None);
}

fn doomed(upload: &MultipartUpload, modified: Timestamp) -> Doomed {
    Doomed { key: upload.key.clone(), modified, upload: Some(upload.id.clone()) }
}

async fn aborts_each_once_and_spares_what_got_a_part<S: DeleteStore + MultipartStore>(
    store: &S,
    found: Vec<MultipartUpload>,
) {
    let last = found.len() - 1;
    let modified =
        |place| if place == last { Timestamp::from_seconds(1) } else { Timestamp::FAR_FUTURE };
    let doom = |(place, upload)| doomed(upload, modified(place));
    let batch: Vec<Doomed> = found.iter().enumerate().map(doom).collect();
    let mut expected = vec![KeyOutcome::DELETED; last];
    expected.push(KeyOutcome::Spared);
    assert_eq!(delete(store, batch.clone()).await, expected);
    assert_eq!(all(store, PREFIX).await, [found[last].clone()]);
    let again = delete(store, batch).await;
    assert!(again[..last].iter().all(|outcome| *outcome == KeyOutcome::Gone), "{again:?}");
    delete(store, vec![doomed(&found[last], Timestamp::FAR_FUTURE)]).await;
    assert_eq!(all(store, "contract/up").await.len(), 3, "the neighbours stay");
}
