//! The times of S3 answers.

use registry::Timestamp;

/// As in headers: `Tue, 18 Aug 2026 10:00:00 GMT`.
pub(crate) fn http_date(time: Timestamp) -> String {
    shown(time, "%a, %d %b %Y %H:%M:%S GMT")
}

/// As in listings: `2026-08-18T10:00:00.000Z`.
pub(crate) fn iso(time: Timestamp) -> String {
    shown(time, "%Y-%m-%dT%H:%M:%S%.3fZ")
}

/// Times that no calendar holds are shown as 1970.
fn shown(time: Timestamp, format: &str) -> String {
    jiff::Timestamp::from_millisecond(time.as_millis())
        .unwrap_or(jiff::Timestamp::UNIX_EPOCH)
        .strftime(format)
        .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_s3_writes_them() {
        let time: Timestamp = "2026-08-18T10:00:00Z".parse().unwrap();
        assert_eq!(http_date(time), "Tue, 18 Aug 2026 10:00:00 GMT");
        assert_eq!(iso(time), "2026-08-18T10:00:00.000Z");
        assert_eq!(iso("2026-08-18T10:00:00.050Z".parse().unwrap()), "2026-08-18T10:00:00.050Z");
    }
}
