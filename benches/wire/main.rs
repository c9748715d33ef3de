//! regsweep over the wire: `cargo bench -p regsweep --bench wire -- SECTION`.
//!
//! ```text
//! reading             what a page and a manifest cost the client, by our own requests and by the SDK's
//! listing [MILLIONS]  how many keys a second, where each answer takes 80 ms; of so many million blobs
//! deleting [SECONDS]  how close a sweep comes to the limits of a bucket; for so many seconds
//! fill BUCKET COUNT   makes a bucket on a real server and puts so many repositories into it
//! serial BUCKET       lists it page by page with the SDK, as many tools do
//! ```
//! For the first three, a simulated server answers from another process over the loopback.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a bench")]
#![expect(clippy::disallowed_methods, reason = "it measures")]

mod bucket;
mod deleting;
mod listing;
mod reading;
mod sdk;

/// Compared with criterion's benches, what these measure takes minutes; none runs unasked.
const USAGE: &str = "usage: wire reading | listing [MILLIONS] | deleting [SECONDS] | fill BUCKET COUNT | serial BUCKET";

fn main() {
    if let Some(task) = bucket::task() {
        return serve(&task);
    }
    let arguments: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match words[..] {
        ["reading"] => reading::measure(),
        ["listing"] => listing::measure(None),
        ["listing", millions] => listing::measure(Some(millions.parse().unwrap())),
        ["deleting"] => deleting::measure(None),
        ["deleting", seconds] => deleting::measure(Some(seconds.parse().unwrap())),
        ["fill", bucket, repositories] => sdk::fill(bucket, repositories.parse().unwrap()),
        ["serial", bucket] => sdk::list_serially(bucket),
        _ => println!("{USAGE}"),
    }
}

/// This program again, as the server of a section.
fn serve(task: &str) {
    match task.split_once(' ').unwrap_or((task, "")) {
        ("listing", millions) => listing::serve(millions),
        ("deleting", what) => deleting::serve(what),
        _ => reading::serve(),
    }
}
