//! Forgetting, and asking what is remembered, batch by batch.

use config::Redis;
use registry::Digest;
use tracing::debug;

use crate::entry::{Command, forget_nothing, whether_known};
use crate::route::{Link, Route};
use crate::{Entry, Limits, PurgeError};

/// Clears entries of a registry's redis.
#[derive(Debug)]
pub struct Purger {
    route: Route,
    /// None where it was lost.
    link: Option<Link>,
}

impl Purger {
    /// Entries asked for at once (G12): some 400 kB of commands.
    pub const BATCH: usize = 1000;

    /// Connects to the registry's redis, with TLS and user as the registry does. Needs a tokio runtime with time.
    ///
    /// # Errors
    /// [`PurgeError`]: where it cannot be reached or does not let us in. Tried once: nothing is lost yet.
    pub async fn connect(redis: &Redis, limits: Limits) -> Result<Self, PurgeError> {
        let route = Route::new(redis, limits);
        let link = Some(route.connect().await?);
        Ok(Self { route, link })
    }

    /// Makes sure that entries can be cleared, and clears none: asks for what [`Purger::forget`] asks for, of a digest
    /// that nothing has. Twice at most: servers end connections that wait for long.
    ///
    /// # Errors
    /// [`PurgeError`]: where the server does not answer, does not permit it, or is a replica.
    pub async fn check(&mut self) -> Result<(), PurgeError> {
        let attempts = self.route.limits().attempts.min(2);
        self.ask(&forget_nothing(), true, attempts).await.map(drop)
    }

    /// Clears `entries`, whether or not they are there; returns of how many anything was there. The same again is
    /// harmless.
    ///
    /// Where the connection is lost, or the server stops being the one that is written to, it connects anew and goes
    /// on, as often as [`Limits::attempts`] says.
    ///
    /// # Errors
    /// [`PurgeError`]: entries may be left. Which does not matter: all of them can be cleared again.
    pub async fn forget(&mut self, entries: &[Entry]) -> Result<u64, PurgeError> {
        let attempts = self.route.limits().attempts;
        let mut cleared = 0;
        for batch in entries.chunks(Self::BATCH) {
            let mut commands = Vec::with_capacity(3 * batch.len());
            let sizes: Vec<usize> = batch.iter().map(|entry| entry.forget(&mut commands)).collect();
            cleared += count(&sizes, &self.ask(&commands, false, attempts).await?);
        }
        Ok(cleared)
    }

    /// Of which `digests` a registry may believe its cache instead of its store: one answer each, in their order. Of
    /// what was just forgotten none, but where somebody keeps fields of his own in its hash, or read the digest again
    /// since.
    ///
    /// Asked of the server that is written to, and again as often as [`Purger::forget`].
    ///
    /// # Errors
    /// [`PurgeError`]: nothing is known of any of them then (G4). [`PurgeError::Denied`] where the user may do all that
    /// forgetting takes, and not `exists`: [`Purger::check`] does not ask for that.
    pub async fn believes(&mut self, digests: &[Digest]) -> Result<Vec<bool>, PurgeError> {
        let attempts = self.route.limits().attempts;
        let mut believed = Vec::with_capacity(digests.len());
        for batch in digests.chunks(Self::BATCH) {
            let answers = self.ask(&whether_known(batch), false, attempts).await?;
            // The first is not about any of them; one that is missing would be a doubt.
            let is_known = |at| answers.get(1 + at).is_none_or(|found| *found > 0);
            believed.extend((0..batch.len()).map(is_known));
        }
        Ok(believed)
    }

    /// Asks until there is an answer, or asking again does not help; with `greets` all servers are asked whether they
    /// are there, too.
    async fn ask(
        &mut self,
        commands: &[Command],
        greets: bool,
        attempts: u32,
    ) -> Result<Vec<u64>, PurgeError> {
        let mut attempt = 1;
        loop {
            match self.ask_once(commands, greets).await {
                Err(error) if error.may_pass() && attempt < attempts => {
                    debug!(attempt, %error, "asking the registry's cache again");
                    tokio::time::sleep(self.route.limits().pause_after(attempt)).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    /// One attempt. A connection that did not answer well is not used again.
    async fn ask_once(
        &mut self,
        commands: &[Command],
        greets: bool,
    ) -> Result<Vec<u64>, PurgeError> {
        let mut link = match self.link.take() {
            Some(link) => link,
            None => self.route.connect().await?,
        };
        if greets {
            self.route.ping(&mut link).await?;
        }
        let answers = self.route.ask(&mut link, commands).await?;
        self.link = Some(link);
        Ok(answers)
    }
}

/// How many entries had anything to clear; `sizes` are the answers that belong to each.
fn count(sizes: &[usize], answers: &[u64]) -> u64 {
    let mut rest = answers;
    let mut cleared = 0;
    for size in sizes {
        let (own, others) = rest.split_at((*size).min(rest.len()));
        cleared += u64::from(own.iter().any(|answer| *answer > 0));
        rest = others;
    }
    cleared
}
