//! A page of a listing, to be read by benches.

#![expect(clippy::unwrap_used, reason = "a bench")]

use std::fmt::Write as _;

use registry::Digest;

/// How many keys it has.
pub(crate) const KEYS: u32 = 1000;

/// A full page as Amazon S3 writes it.
pub(crate) fn listing() -> String {
    let hex = |n: u32| Digest::sha256(&n.to_be_bytes()).to_string().replace("sha256:", "");
    let mut page = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>registry</Name>\
         <Prefix>docker%2Fregistry%2Fv2%2Fblobs%2F</Prefix><KeyCount>1000</KeyCount><MaxKeys>1000</MaxKeys>\
         <EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>",
    );
    for n in 0..KEYS {
        let digest = hex(n);
        write!(
            page,
            "<Contents><Key>docker/registry/v2/blobs/sha256/{}/{digest}/data</Key>\
             <LastModified>2026-08-18T10:00:00.000Z</LastModified><ETag>&quot;{}&quot;</ETag>\
             <ChecksumAlgorithm>CRC64NVME</ChecksumAlgorithm><ChecksumType>FULL_OBJECT</ChecksumType>\
             <Size>{}</Size><StorageClass>STANDARD</StorageClass></Contents>",
            &digest[..2],
            &digest[32..],
            n * 977
        )
        .unwrap();
    }
    page + "</ListBucketResult>"
}
