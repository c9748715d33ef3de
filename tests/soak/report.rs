//! What happened, for people and for programs, and whether it is what had to happen.

use std::time::Duration;

use serde_json::{Value, json};

use crate::Options;
use crate::collector::{Kind, LONGEST_PUSH};
use crate::tally::{Collected, Tally};

/// All rounds.
#[derive(Debug)]
pub(crate) struct Report<'a> {
    pub(crate) options: &'a Options,
    /// Whether each was with redis, and what happened.
    pub(crate) rounds: Vec<(bool, Tally)>,
    pub(crate) took: Duration,
}

impl Report<'_> {
    /// All of it as one object.
    pub(crate) fn json(&self) -> Value {
        let mut report = object(&self.all());
        let round = |(redis, tally): &(bool, Tally)| {
            let mut round = object(tally);
            round["registry_cache"] = if *redis { json!("redis") } else { Value::Null };
            round
        };
        report["rounds"] = self.rounds.iter().map(round).collect();
        report["seed"] = json!(self.options.seed);
        report["clients"] = json!(self.options.clients);
        report["seconds"] = json!(self.took.as_secs());
        report["passed"] = json!(self.verdict().is_ok());
        report
    }

    /// The same in a line.
    pub(crate) fn line(&self) -> String {
        let all = self.all();
        let Collected { condemned, rescued, deleted, restored, .. } = all.collected;
        format!(
            "seed {}: {} events, {} cycles, {} kills; {condemned} condemned, {rescued} rescued, {deleted} deleted, \
             {restored} restored; {} refused, {} away for a time, {} broken",
            self.options.seed,
            all.all_events(),
            all.cycles,
            all.kills,
            all.refused,
            all.restored_in_time,
            all.broken.len()
        )
    }

    /// Whether it went as it had to, or what did not.
    pub(crate) fn verdict(&self) -> Result<(), String> {
        let all = self.all();
        if self.options.collector == Kind::Unsafe {
            let broken = !all.broken.is_empty();
            return broken.then_some(()).ok_or_else(|| "nothing broke: this soak is blind".into());
        }
        let broken = all.broken.iter().map(|(image, why)| format!("broken: {image}: {why}"));
        let lost = all.collected.lost;
        let lost = (lost > 0).then(|| format!("the collector says that {lost} objects are lost"));
        let wrong = broken.chain(all.failures.iter().cloned()).chain(lost);
        let wrong: Vec<String> = wrong.chain(excuse(&all)).collect();
        if !wrong.is_empty() {
            return Err(wrong.join("\n"));
        }
        match self.rounds.iter().find(|(_, tally)| !is_worth_it(self.options.collector, tally)) {
            Some((redis, _)) => Err(format!("nothing was collected (redis: {redis})")),
            None => Ok(()),
        }
    }

    fn all(&self) -> Tally {
        let mut all = Tally::default();
        self.rounds.iter().for_each(|(_, tally)| all.add(tally));
        all
    }
}

/// Why it may not be the collector's fault.
fn excuse(all: &Tally) -> Option<String> {
    let (took, longest) = (all.longest_request_milliseconds, LONGEST_PUSH.as_millis());
    let is_excused = !all.broken.is_empty() && u128::from(took) > longest;
    is_excused.then(|| {
        format!("a request took {took} ms, and the collector is told that no push takes {longest}")
    })
}

/// A collector that deletes nothing breaks nothing.
fn is_worth_it(kind: Kind, tally: &Tally) -> bool {
    kind == Kind::None || tally.collected.deleted > 0
}

fn object(tally: &Tally) -> Value {
    let mut object = serde_json::to_value(tally).expect("a tally has words for keys");
    object["events"]["total"] = json!(tally.all_events());
    object["broken"] = json!(tally.broken.len());
    object["broken_images"] = json!(tally.broken);
    object
}
