//! The `regsweep` program: from arguments to exit code.
//!
//! # Words
//! *Arguments* are what was typed, a *location* is what was meant. A *command* wires the other crates together. A
//! *failure* is any way to end badly: it knows its exit code and what to type next.
//!
//! # Guarantees
//! G4: what is not positively a registry of ours is refused. Data goes to stdout, talk to stderr. A dry run is
//! stopping after the plan, not a flag further down.
//!
//! # Shape
//! ```text
//! Args ─▶ Location ─▶ open ─▶ identify ─▶ collect (list, mark, seal, judge) ─▶ Plan ─▶ carry_out ─▶ report
//! ```
//!
//! # Cost
//! Nothing of its own but progress, drawn five times a second, and metrics, written every 15 s where they are asked for.
//!
//! # Start reading at
//! [`run`], then the commands.
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

pub mod args;
mod audit_log;
mod carry_out;
mod check;
mod clock;
pub mod collect;
mod command;
mod command_line;
mod console;
mod doctor;
mod explain;
mod exposing;
mod failure;
mod identify;
mod keep_list;
mod location;
mod manual;
mod misuse;
mod no_lease;
mod online;
pub mod open;
mod otel;
mod permissions;
mod pricing;
mod progress;
mod recorder;
mod registry_cache;
mod remembered;
pub mod render;
mod reporting;
mod retaining;
mod signals;
mod state;
mod survey;
mod taken_back;
mod telling;
mod trash;
mod unchanged;
pub mod usage;
mod whole_file;
mod xdg;

use std::ffi::OsString;
use std::process::ExitCode;

use command::Context;

pub use args::Args;
pub use console::{Console, Form};
pub use failure::{Code, FailedKey, Failure, Refusal};
pub use identify::{Identified, Truth};
pub use keep_list::{KeepList, KeepListError, LineError};
pub use permissions::{Partition, Task};
pub use registry_cache::{CacheChoice, ClearError};
pub use retaining::Retaining;

use args::{Command, LogFormat, OutputArgs, PolicyFileCommand};
use open::Watch;
use telling::Telling;

/// The program: understands `typed`, whose first word is the program's own name, and does it.
#[must_use]
pub fn main(typed: impl IntoIterator<Item = OsString>, console: Console) -> ExitCode {
    let typed: Vec<OsString> = typed.into_iter().collect();
    match Args::understand(&typed) {
        Ok(args) => run(&args, console),
        Err(error) => misuse::tell(&error, &typed, console),
    }
}

/// Does what was asked and tells how it ended.
#[must_use]
pub fn run(args: &Args, console: Console) -> ExitCode {
    let form = if args.output.json { Form::Json } else { Form::Text };
    let console = Console { form, ..console };
    start_logging(&args.output, console);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(dispatch(args, console));
            // Threads that still work put memory away, which the system does faster; after a stop they do what may end at
            // any instant.
            runtime.shutdown_background();
            outcome
        }
        Err(error) => Err(Failure::Internal { what: "no threads to run on", source: error.into() }),
    };
    let Err(failure) = outcome else { return Code::Done.into() };
    tell(args, &failure, console)
}

async fn dispatch(args: &Args, console: Console) -> Result<(), Failure> {
    let watch = Watch::timed();
    let listening = signals::listen(&watch, console)
        .map_err(|error| Failure::Internal { what: "no signals to hear", source: error.into() })?;
    let telling = Telling::begin(&args.command, &watch, console).await?;
    let command = execute(args, Context { output: &args.output, console, watch });
    let outcome = tokio::select! {
        outcome = command => outcome.map_err(stopped),
        () = listening => Err(Failure::Stopped { is_sweeping: false }),
    };
    telling.end(&outcome, console).await;
    outcome
}

/// Whatever a stop ended on its way, it is a stop. One that ended a sweep says so itself.
fn stopped(failure: Failure) -> Failure {
    match failure {
        Failure::Stopped { .. } => failure,
        failure if failure.code() == Code::Stopped => Failure::Stopped { is_sweeping: false },
        failure => failure,
    }
}

async fn execute(args: &Args, context: Context<'_>) -> Result<(), Failure> {
    match &args.command {
        Command::Usage(args) => Box::pin(command::usage(args, &context)).await,
        Command::Plan(args) => Box::pin(command::plan(args, &context)).await,
        Command::Show(args) => command::show(args, &context),
        Command::Policy(args) => match &args.command {
            PolicyFileCommand::Check(args) => command::policy_check(args, &context),
        },
        Command::Apply(args) => Box::pin(command::apply(args, &context)).await,
        Command::Gc(args) => Box::pin(command::gc(args, &context)).await,
        Command::Undo(args) => Box::pin(command::undo(args, &context)).await,
        Command::Explain(args) => Box::pin(command::explain(args, &context)).await,
        Command::Check(args) => Box::pin(command::check(args, &context)).await,
        Command::GarbageCollect(args) => Box::pin(command::garbage_collect(args, &context)).await,
        Command::Demo(args) => Box::pin(command::demo(args, &context)).await,
        Command::Doctor(args) => Box::pin(command::doctor(args, &context)).await,
        Command::Iam(args) => command::iam(args, &context),
        Command::Completions(args) => command::completions(args, &context),
        Command::Man(args) => command::man(args, &context),
    }
}

/// Says what went wrong. The registry's own command knows only 0 and 1.
fn tell(args: &Args, failure: &Failure, console: Console) -> ExitCode {
    let again = command_line::typed();
    if args.output.json {
        console.talk(&render::failure_json(failure, &again).to_string());
    } else if matches!(args.command, Command::GarbageCollect(_)) {
        console.talk(&command::garbage_collect_failure(failure, &again));
    } else {
        console.talk(&render::failure_text(failure, &again));
    }
    match args.command {
        Command::GarbageCollect(_) => ExitCode::FAILURE,
        _ => failure.code().into(),
    }
}

/// Logs go to stderr, and only where they were asked for.
fn start_logging(output: &OutputArgs, console: Console) {
    use tracing_subscriber::EnvFilter;

    let Some(filter) = output.log.as_deref().filter(|filter| !filter.is_empty()) else { return };
    let builder = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(console.stderr_has_colour);
    let started = match output.log_format {
        LogFormat::Text => builder.try_init(),
        LogFormat::Json => builder.json().try_init(),
    };
    if let Err(error) = started {
        console.warn(&format!("cannot log: {error}"));
    }
}
