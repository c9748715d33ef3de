//! Garbage collector for container registries.

use std::process::ExitCode;

use clap::Parser as _;
use regsweep::{Args, Console};

fn main() -> ExitCode {
    regsweep::run(Args::parse(), &Console::of_this_process())
}
