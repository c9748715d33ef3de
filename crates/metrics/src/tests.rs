//! The text, read back by a reader that knows the format and nothing of this crate.

mod former;
mod reader;
mod texts;

use std::sync::LazyLock;
use std::time::Instant;

use monitor::Monitor;
use registry::Timestamp;

use crate::{Ended, Former, Labels, Run, text};

/// Some instant.
#[expect(clippy::disallowed_methods, reason = "an instant can only come from there")]
fn instant() -> Instant {
    static START: LazyLock<Instant> = LazyLock::new(Instant::now);
    *START
}

fn text_of(monitor: &Monitor, ended: Option<Ended>, former: &Former) -> String {
    let labels = &Labels::of("gc");
    let began = Timestamp::from_millis(1_764_000_000_123);
    text(monitor, &Run { version: "1.2.3", labels, began, now: instant(), ended, former })
}

fn ended(seconds: i64, exit_code: u8) -> Ended {
    Ended { at: Timestamp::from_seconds(seconds), exit_code }
}
