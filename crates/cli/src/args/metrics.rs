//! What to tell those who watch many runs.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args as ClapArgs;
use metrics::Label;

/// What to tell those who watch many runs.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Output")]
pub struct MetricsArgs {
    /// Write metrics for Prometheus to this file: at once, every 15 s, at the end
    ///
    /// For the textfile collector of its node exporter, whose files end in .prom. The file is replaced as a whole, and
    /// everybody may read it. When the last run went well is carried over from the file that is there. Where it cannot
    /// be written, that is a warning, and the run goes on.
    #[arg(long, value_name = "FILE", hide_short_help = true)]
    pub metrics_file: Option<PathBuf>,
    /// Serve metrics for Prometheus here, at /metrics, while the run goes on: 127.0.0.1:9464
    ///
    /// Port 0 takes a free one, which is told. Who can reach the address can read them: numbers, no names of
    /// repositories, no keys.
    #[arg(long, value_name = "ADDR", hide_short_help = true)]
    pub metrics_listen: Option<SocketAddr>,
    /// A label for all metrics; may be given again
    ///
    /// Needed where the files of several registries are collected on one machine, for example registry=eu-1.
    #[arg(long = "metrics-label", value_name = "NAME=VALUE", hide_short_help = true)]
    pub metrics_labels: Vec<Label>,
    /// Send a trace of the run to an OpenTelemetry collector when it is over
    ///
    /// A span for the run and one for each phase, by OTLP over HTTP as JSON, to `OTEL_EXPORTER_OTLP_ENDPOINT` [default:
    /// port 4318 of this machine]. The standard variables for headers, timeout, service and resource count too, and
    /// TRACEPARENT. Where it does not arrive, that is a warning.
    #[arg(long, hide_short_help = true)]
    pub otel: bool,
}
