//! How to collect while people push.

use std::time::Duration;

use clap::Args as ClapArgs;

/// How to collect while people push.
#[derive(Clone, Debug, ClapArgs)]
pub struct OnlineArgs {
    /// Collect while people push: condemn now, delete in a later run
    ///
    /// What nothing needs loses its links now. What nobody came to need when it was quarantined long enough is deleted
    /// by the first run after that, so that it can be taken back; what comes to be needed even then is brought back.
    #[arg(long, conflicts_with = "dry_run")]
    pub online: bool,
    /// Delete only while nobody can push: with --offline, or by config.yml
    ///
    /// Everything else is done while people push. A run without --offline, of a registry that is not read-only, says how
    /// long that would have to be; one with it, or of one that is, looks again and deletes, and condemns nothing. What
    /// is deleted then need not be able to come back.
    #[arg(long, requires = "online")]
    pub windowed: bool,
    /// How long nothing is deleted after it was condemned
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "24h",
        value_parser = humantime::parse_duration,
        requires = "online"
    )]
    pub quarantine: Duration,
    /// No push takes longer than this
    #[arg(
        long,
        value_name = "DURATION",
        default_value = "2h",
        value_parser = humantime::parse_duration,
        requires = "online",
        hide_short_help = true
    )]
    pub longest_push: Duration,
    /// Every process of the registry is restarted at least so often
    ///
    /// Needed where the registry remembers blobs in its memory, of which nobody can make it forget. A
    /// redis is not emptied by that: name the config.yml as the location, and it is cleared and asked.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = humantime::parse_duration,
        requires = "online",
        hide_short_help = true
    )]
    pub restarted_every: Option<Duration>,
    /// I accept that what is deleted by mistake is lost
    ///
    /// Otherwise the bucket keeps versions, or --trash is given.
    #[arg(long, requires = "online", hide_short_help = true)]
    pub without_undo: bool,
    /// How long others wait after a run that was killed [default: as the quarantine, at most 10m]
    ///
    /// No request is waited for longer than three tenths of it.
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = humantime::parse_duration,
        requires = "online",
        hide_short_help = true
    )]
    pub lease: Option<Duration>,
}

impl OnlineArgs {
    /// How long the lease lives without being renewed.
    #[must_use]
    pub fn lease_life(&self) -> Duration {
        let usual = self.quarantine.clamp(Duration::from_secs(20), Duration::from_mins(10));
        self.lease.unwrap_or(usual)
    }
}
