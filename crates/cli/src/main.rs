//! Garbage collector for container registries.

use std::process::ExitCode;

use regsweep::Console;

fn main() -> ExitCode {
    regsweep::main(std::env::args_os(), Console::of_this_process())
}
