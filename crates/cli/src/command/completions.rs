//! `regsweep completions`: what a shell has to know to complete the words of this program.

use clap::CommandFactory as _;

use super::Context;
use crate::args::CompletionsArgs;
use crate::{Args, Failure};

/// Writes the script of a shell to stdout.
///
/// # Errors
/// Where stdout cannot be written.
pub(crate) fn completions(args: &CompletionsArgs, context: &Context<'_>) -> Result<(), Failure> {
    let mut command = Args::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, name, &mut script);
    context.data(&String::from_utf8_lossy(&script))
}
