//! Uploads that a real registry and a real client left in the middle, on a real S3 server: kept while they are young,
//! aborted when they are old, and no loss of an undo.

use serde_json::Value;

use crate::harness::assert_pulls;
use crate::images::Blob;
use crate::population::Population;
use crate::registry::{Config, Registry};
use crate::regsweep::{gc, run, summary, undo};
use crate::s3::Bucket;

const MIB: usize = 1 << 20;
const BACKUP: &str = "docker/registry/v2/backup.tar";

/// A registry with images, one upload that it was sent six mebibytes of, half a copy of a blob, and half a backup of
/// somebody else's; the keys of what may go.
fn left_in_the_middle(purpose: &str) -> (Population, Bucket, Vec<String>) {
    let (population, bucket) = (Population::typical(), Bucket::create(purpose));
    bucket.keep_versions();
    {
        let registry = Registry::start(&Config::bucket(&bucket));
        population.enact_fast(registry.client());
        registry.client().start_upload_with("team/half", &vec![7; 6 * MIB]);
    }
    let blob = Blob::layer(77_777);
    let hex = blob.hex();
    let copy = format!("docker/registry/v2/blobs/sha256/{}/{hex}/data", &hex[..2]);
    bucket.begin_upload(&copy, vec![1; 5 * MIB]);
    bucket.begin_upload(&copy, vec![2; 300]);
    bucket.begin_upload(BACKUP, vec![3; 10]);
    bucket.let_the_second_pass();
    let own: Vec<String> = bucket.uploads().into_iter().filter(|key| key != BACKUP).collect();
    assert!(own.iter().any(|key| key.contains("/team/half/_uploads/") && key.ends_with("/data")));
    assert_eq!(own.iter().filter(|key| **key == copy).count(), 2);
    (population, bucket, own)
}

fn count(summary: &Value, pointer: &str) -> usize {
    let number = summary.pointer(pointer).and_then(Value::as_u64);
    usize::try_from(number.unwrap_or_else(|| panic!("no {pointer} in {summary}"))).unwrap()
}

#[test]
fn what_was_left_in_the_middle_stays_while_it_is_young_goes_when_it_is_old_and_does_not_come_back()
{
    let (population, bucket, own) = left_in_the_middle("multipart");
    let config = Config::bucket(&bucket);
    let young = summary(&run(&mut gc(&config)));
    assert_eq!(bucket.uploads().len(), own.len() + 1);
    assert_eq!(count(&young, "/multipart/young"), own.len());
    assert_eq!(count(&young, "/multipart/foreign"), 1);
    assert_eq!(count(&young, "/delete/multipart_uploads/count"), 0);

    let old = summary(&run(gc(&config).args(["--uploads-older-than", "0s"])));
    assert_eq!(count(&old, "/delete/multipart_uploads/count"), own.len());
    let bytes = count(&old, "/delete/multipart_uploads/bytes");
    assert!(bytes >= 11 * MIB + 300, "{bytes}");
    assert_eq!(count(&old, "/swept/failed/count") + count(&old, "/swept/spared/count"), 0);
    assert_eq!(bucket.uploads(), [BACKUP]);

    let undone = summary(&run(&mut undo(&config, old["plan"].as_str().unwrap())));
    assert_eq!(count(&undone, "/aborted/count"), own.len());
    assert_eq!(undone["lost"], serde_json::json!({}));
    assert_eq!(bucket.uploads(), [BACKUP]);
    assert_pulls(&config, &population.pullable());
}
