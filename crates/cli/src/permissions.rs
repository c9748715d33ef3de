//! What a command must be allowed to do to a bucket: one table, from which policies are written and by which a missing
//! permission is named.

use std::collections::BTreeSet;

use clap::ValueEnum;
use registry::Layout;
use serde::Serialize;

use crate::identify;

/// What somebody wants to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Task {
    /// `plan`, `usage`, and `gc --dry-run`
    #[value(alias = "usage")]
    Plan,
    /// `gc`, `apply` and `garbage-collect`: while nobody pushes
    #[value(alias = "apply", alias = "garbage-collect")]
    Gc,
    /// `gc --online`: while people push
    GcOnline,
    /// `undo`, of a plan or of a generation
    Undo,
    /// `check --repair`, and `apply` of its plan
    Repair,
    /// What --trash needs beside these, where the bucket keeps no versions
    Trash,
    /// What `doctor` needs beside these, above all with --write
    Doctor,
}

impl Task {
    /// As it is typed.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plan => "plan",
            Self::Gc => "gc",
            Self::GcOnline => "gc-online",
            Self::Undo => "undo",
            Self::Repair => "repair",
            Self::Trash => "trash",
            Self::Doctor => "doctor",
        }
    }

    /// Every task.
    pub(crate) const ALL: [Self; 7] =
        [Self::Plan, Self::Gc, Self::GcOnline, Self::Undo, Self::Repair, Self::Trash, Self::Doctor];
}

/// On what an action is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum On {
    /// The bucket itself.
    Bucket,
    /// The bucket, for keys of the registry and the names beside it.
    RegistryKeys,
    /// The bucket, for keys of this program.
    OwnKeys,
    /// The registry's objects.
    Registry,
    /// The objects of this program.
    Own,
    /// The objects that tell, by being there, whose registry it is.
    Marks,
}

/// An action of S3, on what, and who needs it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Permission {
    pub(crate) action: &'static str,
    pub(crate) on: On,
    pub(crate) tasks: &'static [Task],
}

const ALL: &[Task] = &Task::ALL;
/// Those that look for incomplete multipart uploads: without it `usage` says that they are not known.
const PLANNING: &[Task] = &[Task::Plan, Task::Gc, Task::GcOnline];
/// Those that delete from the registry.
const COLLECTING: &[Task] = &[Task::Gc, Task::GcOnline, Task::Repair];
/// Those that read what this program keeps in the bucket.
const RECORDED: &[Task] = &[Task::Gc, Task::GcOnline, Task::Undo, Task::Repair, Task::Trash];
const RECORDING: &[Task] = &[Task::GcOnline, Task::Undo, Task::Trash, Task::Doctor];
/// Those that write to the registry: links that were taken, objects out of the trash, broken links anew.
const WRITING: &[Task] = &[Task::GcOnline, Task::Undo, Task::Repair, Task::Trash];
/// Those that bring something back from below delete markers.
const RETURNING: &[Task] = &[Task::GcOnline, Task::Undo];

/// Source of the actions: Service Authorization Reference, "Actions, resources, and condition keys for Amazon S3", and
/// for each request "Required permissions for Amazon S3 API operations".
pub(crate) const TABLE: &[Permission] = &[
    row("s3:GetBucketVersioning", On::Bucket, &[Task::GcOnline, Task::Trash, Task::Doctor]),
    row("s3:ListBucket", On::RegistryKeys, ALL),
    row("s3:ListBucketVersions", On::RegistryKeys, RETURNING),
    row("s3:ListBucket", On::OwnKeys, RECORDED),
    row("s3:ListBucketVersions", On::OwnKeys, &[Task::Doctor]),
    row("s3:GetObject", On::Registry, ALL),
    // No policy can narrow it to some keys: of the conditions on listings it has none.
    row("s3:ListBucketMultipartUploads", On::Bucket, PLANNING),
    row("s3:ListMultipartUploadParts", On::Registry, PLANNING),
    row("s3:AbortMultipartUpload", On::Registry, &[Task::Gc, Task::GcOnline]),
    row("s3:DeleteObject", On::Registry, COLLECTING),
    row("s3:DeleteObjectVersion", On::Registry, RETURNING),
    row("s3:PutObject", On::Registry, WRITING),
    row(
        "s3:GetObject",
        On::Own,
        &[Task::Gc, Task::GcOnline, Task::Undo, Task::Repair, Task::Trash, Task::Doctor],
    ),
    row("s3:PutObject", On::Own, RECORDING),
    row("s3:DeleteObject", On::Own, &[Task::GcOnline, Task::Trash, Task::Doctor]),
    row("s3:DeleteObjectVersion", On::Own, &[Task::Doctor]),
    // The copy of more than 5 GiB that fails.
    row("s3:AbortMultipartUpload", On::Own, &[Task::Trash]),
    row("s3:GetObject", On::Marks, ALL),
];

const fn row(action: &'static str, on: On, tasks: &'static [Task]) -> Permission {
    Permission { action, on, tasks }
}

/// Which tasks need an action on something.
pub(crate) fn tasks_needing(action: &str, on: On) -> Vec<Task> {
    let rows = TABLE.iter().filter(|row| (row.action, row.on) == (action, on));
    rows.flat_map(|row| row.tasks).copied().collect()
}

/// A policy document for a role or user.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(crate) struct Policy {
    version: &'static str,
    statement: Vec<Statement>,
}

/// What is allowed on one thing.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    sid: &'static str,
    effect: &'static str,
    action: BTreeSet<&'static str>,
    resource: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<Condition>,
}

/// Under what condition.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Condition {
    string_like: Prefixes,
}

/// With which prefixes keys may be listed.
#[derive(Debug, Serialize)]
struct Prefixes {
    #[serde(rename = "s3:prefix")]
    prefixes: Vec<String>,
}

/// A part of Amazon's cloud with names of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Partition {
    /// Nearly all regions
    Aws,
    /// China: regions cn-…
    AwsCn,
    /// Governments of the United States: regions us-gov-…
    AwsUsGov,
}

impl Partition {
    /// That of a region.
    ///
    /// Source: IAM User Guide, "Amazon Resource Names".
    pub(crate) fn of_region(region: &str) -> Self {
        match region {
            region if region.starts_with("cn-") => Self::AwsCn,
            region if region.starts_with("us-gov-") => Self::AwsUsGov,
            _ => Self::Aws,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Aws => "aws",
            Self::AwsCn => "aws-cn",
            Self::AwsUsGov => "aws-us-gov",
        }
    }
}

/// A bucket, as policies name it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket<'a> {
    pub(crate) partition: Partition,
    pub(crate) name: &'a str,
}

impl Bucket<'_> {
    fn resource(self) -> String {
        format!("arn:{}:s3:::{}", self.partition.name(), self.name)
    }
}

/// All that `tasks` need together, and nothing else.
pub(crate) fn policy(tasks: &[Task], bucket: Bucket<'_>, layout: &Layout) -> Policy {
    let needed = |row: &&Permission| row.tasks.iter().any(|task| tasks.contains(task));
    let rows: Vec<&Permission> = TABLE.iter().filter(needed).collect();
    let places: BTreeSet<On> = rows.iter().map(|row| row.on).collect();
    let statement = |on: On| {
        let here = rows.iter().filter(|row| row.on == on);
        on.statement(here.map(|row| row.action).collect(), bucket, layout)
    };
    Policy { version: "2012-10-17", statement: places.into_iter().map(statement).collect() }
}

impl On {
    fn statement(
        self,
        action: BTreeSet<&'static str>,
        bucket: Bucket<'_>,
        layout: &Layout,
    ) -> Statement {
        let condition = |prefixes| Condition { string_like: Prefixes { prefixes } };
        Statement {
            sid: self.name(),
            effect: "Allow",
            action,
            resource: self.resources(bucket, layout),
            condition: self.prefixes(layout).map(condition),
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Bucket => "Bucket",
            Self::RegistryKeys => "RegistryKeys",
            Self::OwnKeys => "OwnKeys",
            Self::Registry => "Registry",
            Self::Own => "Own",
            Self::Marks => "Marks",
        }
    }

    /// What the action is allowed on.
    pub(crate) fn resources(self, bucket: Bucket<'_>, layout: &Layout) -> Vec<String> {
        let objects = match self {
            Self::Bucket | Self::RegistryKeys | Self::OwnKeys => {
                return vec![bucket.resource()];
            }
            Self::Registry => vec![format!("{}*", literal(layout.base()))],
            Self::Own => vec![format!("{}*", literal(&layout.own()))],
            Self::Marks => identify::marks(layout).map(|mark| literal(&mark)).collect(),
        };
        objects.iter().map(|object| format!("{}/{object}", bucket.resource())).collect()
    }

    /// With which prefixes keys may be listed. The root itself tells what lies there where no registry does.
    fn prefixes(self, layout: &Layout) -> Option<Vec<String>> {
        match self {
            Self::RegistryKeys => {
                Some(vec![literal(layout.root()), format!("{}*", literal(layout.base()))])
            }
            Self::OwnKeys => Some(vec![format!("{}*", literal(&layout.own()))]),
            Self::Bucket | Self::Registry | Self::Own | Self::Marks => None,
        }
    }
}

/// A key in a policy, where some characters mean something.
///
/// Source: IAM User Guide, "IAM policy elements: Variables and tags", special characters.
fn literal(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for character in key.chars() {
        match character {
            '*' | '?' | '$' => text.extend(["${", character.encode_utf8(&mut [0; 4]), "}"]),
            plain => text.push(plain),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn statements(tasks: &[Task], root: &str) -> Vec<Value> {
        let bucket = Bucket { partition: Partition::Aws, name: "b" };
        let policy = serde_json::to_value(policy(tasks, bucket, &Layout::new(root))).unwrap();
        policy["Statement"].as_array().unwrap().clone()
    }

    #[test]
    fn a_plan_may_change_nothing() {
        let text = format!("{:?}", statements(&[Task::Plan], ""));
        for word in ["Put", "Delete", "Abort", "regsweep/"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }

    #[test]
    fn nothing_is_allowed_outside_of_the_root_directory() {
        for statement in statements(&Task::ALL, "a/b") {
            for resource in statement["Resource"].as_array().unwrap() {
                let resource = resource.as_str().unwrap();
                let of_bucket = resource == "arn:aws:s3:::b";
                assert!(of_bucket || resource.starts_with("arn:aws:s3:::b/a/b/"), "{statement}");
            }
            let prefixes = &statement["Condition"]["StringLike"]["s3:prefix"];
            for prefix in prefixes.as_array().into_iter().flatten() {
                assert!(prefix.as_str().unwrap().starts_with("a/b/"), "{statement}");
            }
        }
    }

    #[test]
    fn each_region_is_in_its_partition() {
        for (region, resource) in [
            ("eu-central-1", "arn:aws:s3:::b"),
            ("cn-north-1", "arn:aws-cn:s3:::b"),
            ("us-gov-west-1", "arn:aws-us-gov:s3:::b"),
            ("us-east-1", "arn:aws:s3:::b"),
            ("garage", "arn:aws:s3:::b"),
        ] {
            let bucket = Bucket { partition: Partition::of_region(region), name: "b" };
            assert_eq!(On::Bucket.resources(bucket, &Layout::new("")), [resource]);
        }
    }

    #[test]
    fn several_commands_get_the_union_and_no_statement_twice() {
        let all = statements(&Task::ALL, "");
        let names: BTreeSet<&str> =
            all.iter().map(|statement| statement["Sid"].as_str().unwrap()).collect();
        assert_eq!(names.len(), all.len());
        for task in Task::ALL {
            for statement in statements(&[task], "") {
                let same = all.iter().find(|other| other["Sid"] == statement["Sid"]).unwrap();
                let has = |action| same["Action"].as_array().unwrap().contains(action);
                assert!(statement["Action"].as_array().unwrap().iter().all(has), "{statement}");
            }
        }
    }

    #[test]
    fn what_means_something_in_a_policy_is_taken_literally() {
        assert_eq!(literal("a*b?c$d/ä"), "a${*}b${?}c${$}d/ä");
    }
}
