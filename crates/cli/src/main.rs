//! Garbage collector for container registries.

use std::panic::catch_unwind;
use std::process::ExitCode;

use mimalloc::MiMalloc;
use regsweep::{Code, Console};

/// What one thread makes another drops here, all day long: repositories, pages, manifests. The system's allocator has them
/// wait for each other.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    let console = Console::of_this_process();
    let outcome = catch_unwind(|| regsweep::main(std::env::args_os(), console));
    outcome.unwrap_or_else(|_| {
        // What happened is told already, by the panic itself.
        console.note("this is a bug: please report it");
        Code::Internal.into()
    })
}
