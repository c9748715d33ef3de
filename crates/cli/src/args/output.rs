//! How to talk.

use std::time::Duration;

use clap::{Args as ClapArgs, ValueEnum};
use tracing_subscriber::EnvFilter;

/// How to talk: data on stdout, everything else on stderr.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct OutputArgs {
    /// One JSON object on stdout; warnings and failures as JSON on stderr
    ///
    /// On stderr there is one object a line. Progress is then shown only where --progress asks for it.
    #[arg(long, global = true)]
    pub json: bool,
    /// No progress
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// How to show progress [default: a bar on a terminal, lines elsewhere]
    #[arg(long, global = true, value_enum, value_name = "HOW", hide_short_help = true)]
    pub progress: Option<ProgressKind>,
    /// How often to write a line of progress, for example 1m
    #[arg(
        long,
        global = true,
        value_name = "DURATION",
        default_value = "10s",
        value_parser = humantime::parse_duration,
        hide_short_help = true
    )]
    pub progress_every: Duration,
    /// Log what happens, from a level on: info, or store=debug
    ///
    /// A comma-separated list of levels and target=level: error, warn, info, debug, trace. Logs go to stderr.
    #[arg(
        long,
        global = true,
        value_name = "FILTER",
        env = "REGSWEEP_LOG",
        hide_env_values = true,
        value_parser = log_filter
    )]
    pub log: Option<String>,
    /// How logs look
    #[arg(
        long,
        global = true,
        value_enum,
        value_name = "FORMAT",
        default_value = "text",
        hide_short_help = true
    )]
    pub log_format: LogFormat,
}

/// How progress looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ProgressKind {
    /// One line that redraws itself.
    Bar,
    /// A plain line now and then.
    Lines,
    /// Nothing.
    None,
}

/// How logs look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line.
    Json,
}

/// A filter that means something: a lone word would be taken for a target of that name, and nothing be logged.
fn log_filter(text: &str) -> Result<String, String> {
    const LEVELS: [&str; 6] = ["error", "warn", "info", "debug", "trace", "off"];
    for part in text.split(',').map(str::trim).filter(|part| !part.contains('=')) {
        if !part.is_empty() && !LEVELS.contains(&part.to_ascii_lowercase().as_str()) {
            return Err(format!("`{part}` is none of {}", LEVELS.join(", ")));
        }
    }
    EnvFilter::builder().parse(text).map_err(|error| error.to_string())?;
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_names_levels_and_targets() {
        for good in ["", "info", "WARN", "info,store=debug", "regsweep_store=trace"] {
            assert_eq!(log_filter(good).as_deref(), Ok(good));
        }
        for bad in ["verbose", "info,loud", "store=verbose"] {
            assert!(log_filter(bad).is_err(), "{bad}");
        }
    }
}
