//! What becomes of the rules of a retention policy.

use std::collections::HashMap;
use std::sync::Arc;

use marker::Expiry;
use planner::{Retention, Row, RowKind};
use policy::RuleId;

/// What each rule did, by its name.
#[derive(Debug, Default)]
pub(super) struct ByRule {
    counts: HashMap<Arc<str>, Counts>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    keeps: u64,
    expires: u64,
    manifests: u64,
}

impl ByRule {
    /// Takes in a repository, and what goes of it.
    pub(super) fn see(&mut self, expiry: Option<&Expiry>, rows: &[Row]) {
        let Some(expiry) = expiry else { return };
        for rule in expiry.keeping() {
            self.of(expiry, rule, |counts| counts.keeps += 1);
        }
        for rule in expiry.tags.values() {
            self.of(expiry, *rule, |counts| counts.expires += 1);
        }
        let manifests = rows.iter().filter(|row| row.kind == RowKind::RevisionLink);
        for rule in manifests.filter_map(|row| row.rule.as_ref()) {
            self.counts.entry(Arc::clone(rule)).or_default().manifests += 1;
        }
    }

    fn of(&mut self, expiry: &Expiry, rule: RuleId, count: impl FnOnce(&mut Counts)) {
        if let Some(rule) = expiry.policy.rule(rule) {
            count(self.counts.entry(Arc::clone(&rule.name)).or_default());
        }
    }

    /// Adds what another part of the run saw.
    pub(super) fn merge(&mut self, more: Self) {
        for (name, other) in more.counts {
            let counts = self.counts.entry(name).or_default();
            counts.keeps += other.keeps;
            counts.expires += other.expires;
            counts.manifests += other.manifests;
        }
    }

    /// The record of the policy, with what became of its rules.
    pub(super) fn told(&self, mut record: Retention) -> Retention {
        for rule in &mut record.rules {
            let counts = self.counts.get(rule.name.as_str()).copied().unwrap_or_default();
            let Counts { keeps, expires, manifests } = counts;
            (rule.keeps, rule.expires, rule.manifests) = (keeps, expires, manifests);
        }
        record
    }
}
