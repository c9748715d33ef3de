//! A plan as CSV: one row for each object that would go.

use std::io::{self, Write};

use planner::{Plan, PlanError, Row, RowKind};

use crate::Failure;

const COLUMNS: &str = "kind,repository,digest,key,bytes,last_modified,reason";

/// One more where the plan was made under a retention policy.
const RULE: &str = ",rule";

/// And one more where it aborts multipart uploads.
const UPLOAD: &str = ",upload_id";

/// And one more where the store told entity tags.
const ETAG: &str = ",etag";

/// Writes every row of `plan`, in the order of sweeping, RFC 4180 quoted. A reader that goes away ends it quietly.
///
/// # Errors
/// Where the plan cannot be read, or `out` cannot be written.
pub fn write_csv(plan: &Plan, out: &mut impl Write) -> Result<(), Failure> {
    let written = write_rows(plan, out);
    match written {
        Err(Broken::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(Broken::Write(source)) => Err(Failure::Output(source)),
        Err(Broken::Plan(error)) => Err(error.into()),
        Ok(()) => Ok(()),
    }
}

enum Broken {
    Write(io::Error),
    Plan(PlanError),
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

impl From<PlanError> for Broken {
    fn from(error: PlanError) -> Self {
        Self::Plan(error)
    }
}

fn write_rows(plan: &Plan, out: &mut impl Write) -> Result<(), Broken> {
    let has_rules = plan.header().retention.is_some();
    let has_uploads = plan.totals().of(RowKind::MultipartUpload).count > 0;
    let more = [(has_rules, RULE), (has_uploads, UPLOAD), (plan.has_etags(), ETAG)];
    let more: String =
        more.iter().filter_map(|(is_there, name)| is_there.then_some(*name)).collect();
    writeln!(out, "{COLUMNS}{more}")?;
    for segment in plan.segments() {
        for row in plan.rows(segment)? {
            let row = row?;
            let rule = field(has_rules, row.rule.as_deref());
            let upload = field(has_uploads, row.upload.as_deref());
            let etag = field(plan.has_etags(), row.etag.as_deref());
            writeln!(out, "{}{rule}{upload}{etag}", line(&row))?;
        }
    }
    Ok(out.flush()?)
}

/// What stands in a column that only some plans have.
fn field(is_there: bool, text: Option<&str>) -> String {
    if is_there { format!(",{}", quoted(text.unwrap_or_default())) } else { String::new() }
}

fn line(row: &Row) -> String {
    let repository = row.repository.as_ref().map_or("", |name| name.as_str());
    let digest = row.digest.map_or_else(String::new, |digest| digest.to_string());
    let (kind, reason) = (row.kind.name(), row.reason.name());
    let (repository, key) = (quoted(repository), quoted(&row.key));
    format!("{kind},{repository},{digest},{key},{},{},{reason}", row.bytes, row.modified)
}

/// A field, in quotes where it needs them.
pub(super) fn quoted(field: &str) -> String {
    if field.contains([',', '"', '\n', '\r']) {
        format!("\"{}\"", field.replace('"', "\"\""))
    } else {
        field.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use planner::Reason;
    use registry::Timestamp;

    use super::*;

    #[test]
    fn only_fields_that_need_it_are_quoted() {
        assert_eq!(quoted("library/app"), "library/app");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"a\""), "\"say \"\"a\"\"\"");
        assert_eq!(quoted("two\nlines"), "\"two\nlines\"");
    }

    #[test]
    fn a_row_has_as_many_fields_as_there_are_columns() {
        let row = Row {
            kind: RowKind::Upload,
            repository: None,
            digest: None,
            key: "uploads/a,b".into(),
            bytes: 7,
            modified: Timestamp::from_seconds(0),
            reason: Reason::StaleUpload,
            rule: None,
            upload: None,
            etag: None,
        };
        assert_eq!(line(&row), "upload,,,\"uploads/a,b\",7,1970-01-01T00:00:00Z,stale-upload");
        assert_eq!(COLUMNS.split(',').count(), 7);
    }
}
