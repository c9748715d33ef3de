//! The storage class of an object, which a copy keeps where it is one that is read at once.

use aws_sdk_s3::types::StorageClass;

use super::page_error::PageError;
use super::xml::{Reader, Step};

/// The classes that a copy is put into because its original has them: Amazon's own that are read without being
/// restored. The usual one needs no word. Names that other servers have are not sent back: some tell names that they do
/// not take.
///
/// Source: Amazon S3 User Guide, "Understanding and managing Amazon S3 storage classes".
const KEPT: [StorageClass; 5] = [
    StorageClass::ReducedRedundancy,
    StorageClass::StandardIa,
    StorageClass::OnezoneIa,
    StorageClass::IntelligentTiering,
    StorageClass::GlacierIr,
];

/// What to ask for, so that a copy of an object of this class has it too.
fn kept(name: &str) -> Option<StorageClass> {
    KEPT.into_iter().find(|class| class.as_str() == name)
}

/// What to ask for, so that a copy of the first object of a page has its class.
pub(super) fn of_first(page: &[u8]) -> Result<Option<StorageClass>, PageError> {
    let text = std::str::from_utf8(page).map_err(|_| PageError::NotUtf8)?;
    let (_, mut reader) = Reader::new(text)?;
    while let Step::Open(name) = reader.step()? {
        if name == "Contents" {
            return of_entry(&mut reader);
        }
        reader.skip()?;
    }
    Ok(None)
}

fn of_entry(reader: &mut Reader<'_>) -> Result<Option<StorageClass>, PageError> {
    while let Step::Open(name) = reader.step()? {
        if name == "StorageClass" {
            return Ok(kept(&reader.text()?));
        }
        reader.skip()?;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(entries: &str) -> Option<StorageClass> {
        let page = format!("<ListBucketResult><Name>b</Name>{entries}</ListBucketResult>");
        of_first(page.as_bytes()).unwrap()
    }

    #[test]
    fn the_class_is_that_of_the_first_object() {
        let entry = |class: &str| {
            format!("<Contents><Key>k</Key><StorageClass>{class}</StorageClass></Contents>")
        };
        let two = entry("STANDARD_IA") + &entry("GLACIER_IR");
        assert_eq!(first(&two), Some(StorageClass::StandardIa));
        let silent = "<Contents><Key>k</Key></Contents>".to_owned() + &entry("GLACIER_IR");
        assert_eq!(first(&silent), None);
        assert_eq!(first(""), None);
    }

    #[test]
    fn only_classes_that_are_read_at_once_are_kept() {
        for name in ["STANDARD", "GLACIER", "DEEP_ARCHIVE", "WARM-TIER", "Standard", ""] {
            assert_eq!(kept(name), None, "{name}");
        }
        for class in KEPT {
            assert_eq!(kept(class.as_str()), Some(class));
        }
    }
}
