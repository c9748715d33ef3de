//! Collecting while people push, as operators meet it.

use std::collections::BTreeMap;

use bytes::Bytes;
use simstore::{Faults, Server};

use crate::program::{Program, wait_until};
use crate::registries::{T, bucket_config, days, hanging};
use crate::undo::{APPLY, PLAN, objects, versioned};

const ONLINE: [&str; 5] = ["gc", "s3://registry", "--online", "--registry-cache", "none"];

/// A process that collects while people push holds the lease, and was killed.
fn killed_while_collecting(server: &Server, program: &Program) {
    server.set_faults(hanging());
    let mut first = program.start(&ONLINE);
    let lease = || server.keys().iter().any(|key| key == "regsweep/lease.json");
    wait_until("the lease of the first run", lease);
    first.child.kill().unwrap();
    first.end();
    server.set_faults(Faults::none());
}

#[test]
fn nothing_else_deletes_or_takes_back_while_somebody_holds_the_lease() {
    let (server, program) = versioned();
    program.done(&PLAN);
    program.done(&APPLY);
    program.done(&["plan", "s3://registry", "--out", "second"]);
    killed_while_collecting(&server, &program);
    let before: BTreeMap<String, Bytes> = objects(&server);
    let config = bucket_config(program.home(), &server, "");
    for (typed, code) in [
        (&["gc", "s3://registry", "--offline"][..], 4),
        (&["apply", "second", "--offline"], 4),
        (&["undo", "plan"], 4),
        (&["garbage-collect", config.to_str().unwrap()], 1),
    ] {
        let refused = program.run(typed).with_code(code);
        assert!(refused.stderr.contains("its lease ends at "), "{typed:?}: {}", refused.stderr);
        assert!(refused.stderr.contains(" again then"), "{typed:?}: {}", refused.stderr);
        assert_eq!(objects(&server), before, "{typed:?}");
    }
    // Who only looks may.
    program.done(&["gc", "s3://registry", "--dry-run"]);
    program.done(&["undo", "plan", "--dry-run"]);
    server.set_now(Some(T.after(days(1))));
    program.done(&["undo", "plan"]);
    assert_ne!(objects(&server), before);
}
