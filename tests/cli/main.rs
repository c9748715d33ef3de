//! The program as people meet it: the real binary, on directories and on a simulated S3 server, with its words, its
//! exit codes, and what it does when it is stopped.
//!
//! Nothing listens but on the loopback, nothing waits without a bound, and every run has a home of its own. What the
//! program should say stands in `expected`, with times, paths and ids replaced; `REGSWEEP_BLESS=1` writes these files
//! anew.
//!
//! # Shape
//! ```text
//! registries ▶ directory │ simulated bucket ▶ program (arguments, environment) ▶ code, stdout, stderr
//!                                                                                  │
//!                                                                     redacted ▶ expected
//! ```
//!
//! # Start reading at
//! [`program`], then `collecting`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod audit;
mod book;
mod bucket_errors;
mod cached;
mod check;
mod collecting;
mod configuration;
mod doctor;
mod documented;
mod drop_in;
mod emptied;
mod expected;
mod explain;
mod help;
mod interrupted;
mod keep_list;
mod logging;
mod manual;
mod metrics;
mod multipart;
mod night_report;
mod online;
mod online_uploads;
mod permissions;
mod plans;
mod policy;
mod program;
mod progress;
mod redis_double;
mod refusals;
mod registries;
#[path = "../../crates/cli/src/command/demo/registry_files.rs"]
mod registry_files;
mod remembered;
mod report;
mod streams;
mod traces;
mod trash;
mod twice;
mod undo;
mod usage;
