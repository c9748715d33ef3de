//! Access keys: where they come from is the AWS chain's affair, keeping and renewing them is ours.

use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::provider::{ProvideCredentials as _, SharedCredentialsProvider};
use aws_smithy_async::time::TimeSource as _;
use tokio::sync::{Mutex, MutexGuard};

use super::clock::Clock;
use super::sign::{Scope, Signer};

/// How long before their end credentials are renewed, where they last so long.
const AHEAD: Duration = Duration::from_mins(5);

/// After how long credentials without an end are asked for again: whoever gave them may have changed them.
const UNENDING: Duration = Duration::from_mins(15);

/// How long the chain may take; shorter than a request, so that a request with valid credentials goes on with them.
const PATIENCE: Duration = Duration::from_secs(15);

/// Why there are no credentials.
pub(super) type Trouble = Box<dyn Error + Send + Sync>;

/// Credentials that are renewed before they end, by one request at a time; all others go on with what they have.
#[derive(Debug)]
pub(super) struct Keyring {
    provider: SharedCredentialsProvider,
    scope: Scope,
    clock: Clock,
    held: RwLock<Arc<Held>>,
    asking: Mutex<()>,
}

#[derive(Debug)]
struct Held {
    signer: Arc<Signer>,
    end: Option<SystemTime>,
    /// When to ask for new ones.
    due: SystemTime,
}

impl Held {
    fn new(signer: Arc<Signer>, end: Option<SystemTime>, now: SystemTime) -> Self {
        let wait = end.map_or(UNENDING, |end| {
            let left = end.duration_since(now).unwrap_or_default();
            left.saturating_sub(AHEAD).max(left / 2)
        });
        Self { signer, end, due: now.checked_add(wait).unwrap_or(now) }
    }

    fn is_valid(&self, now: SystemTime) -> bool {
        self.end.is_none_or(|end| now < end)
    }
}

impl Keyring {
    /// Asks for the first credentials.
    pub(super) async fn open(
        provider: SharedCredentialsProvider,
        scope: Scope,
        clock: Clock,
    ) -> Result<Self, Trouble> {
        let held = load(&provider, &scope, &clock).await?;
        let (held, asking) = (RwLock::new(Arc::new(held)), Mutex::default());
        Ok(Self { provider, scope, clock, held, asking })
    }

    /// What to sign the next request with.
    pub(super) async fn signer(&self) -> Result<Arc<Signer>, Trouble> {
        let now = self.clock.now();
        let held = self.held();
        if now < held.due {
            return Ok(Arc::clone(&held.signer));
        }
        match self.turn(held.is_valid(now)).await {
            Some(turn) => self.renewed(turn, now).await,
            None => Ok(Arc::clone(&held.signer)),
        }
    }

    /// Asks for credentials in the place of those that the server calls expired; whether there are others now.
    pub(super) async fn replace(&self, expired: &Signer) -> bool {
        let _turn = self.asking.lock().await;
        if !self.held().signer.is_same(expired) {
            return true;
        }
        match load(&self.provider, &self.scope, &self.clock).await {
            Ok(fresh) => !self.keep(fresh).is_same(expired),
            Err(error) => {
                tracing::warn!(%error, "expired credentials cannot be renewed");
                false
            }
        }
    }

    /// The right to ask; `None` where another request asks and there is no need to wait for it.
    async fn turn(&self, can_go_on: bool) -> Option<MutexGuard<'_, ()>> {
        match self.asking.try_lock() {
            Ok(turn) => Some(turn),
            Err(_) if can_go_on => None,
            Err(_) => Some(self.asking.lock().await),
        }
    }

    async fn renewed(
        &self,
        _turn: MutexGuard<'_, ()>,
        now: SystemTime,
    ) -> Result<Arc<Signer>, Trouble> {
        let held = self.held();
        if now < held.due {
            return Ok(Arc::clone(&held.signer));
        }
        match load(&self.provider, &self.scope, &self.clock).await {
            Ok(fresh) => Ok(self.keep(fresh)),
            Err(error) if held.is_valid(now) => {
                tracing::warn!(%error, "credentials cannot be renewed yet");
                Ok(self.keep(Held::new(Arc::clone(&held.signer), held.end, now)))
            }
            Err(error) => Err(error),
        }
    }

    fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn keep(&self, held: Held) -> Arc<Signer> {
        let signer = Arc::clone(&held.signer);
        *self.held.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(held);
        signer
    }
}

async fn load(
    provider: &SharedCredentialsProvider,
    scope: &Scope,
    clock: &Clock,
) -> Result<Held, Trouble> {
    let found = tokio::time::timeout(PATIENCE, provider.provide_credentials())
        .await
        .map_err(|_| "the source of credentials timed out")??;
    let signer = Signer::new(
        found.access_key_id(),
        found.secret_access_key(),
        found.session_token(),
        scope.clone(),
    );
    Ok(Held::new(Arc::new(signer), found.expiry(), clock.now()))
}

#[cfg(test)]
mod tests;
