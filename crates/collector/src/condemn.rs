//! The first look: what is condemned.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ledger::Generation;
use planner::{Part, Plan, PlanError, Row, RowKind, Segment, Stage};
use protocol::{First, FirstLook, Phase, Step, Suspect};
use registry::{Digest, Layout};
use store::{RestoreStore, WriteStore};
use tokio::task::spawn_blocking;

use crate::blobs::{Blob, Blobs, TakenLink};
use crate::collector::Done;
use crate::surroundings::Noted;
use crate::unlink::{LinkKind, Taken};
use crate::{CollectError, Collector, Look, Purpose, Surroundings};

impl<S, R> Collector<S, R>
where
    S: RestoreStore + WriteStore,
    R: Surroundings,
    R::Error: std::error::Error + 'static,
{
    /// Condemns what nothing needs, takes the links to it, and begins its quarantine.
    pub(crate) async fn condemn(&mut self) -> Done<(), R> {
        let held = self.held_blobs().await?;
        let look = self.look(Purpose::Condemn, &held).await?;
        if let Some(objection) = look.objection {
            return Err(CollectError::Around(objection));
        }
        let held = held.iter().map(Digest::fingerprint).collect();
        let Some(mut generation) = self.put_on_record(look, &held).await? else { return Ok(()) };
        let counts = generation.counts();
        self.report.condemned.count += counts.condemned;
        self.report.condemned.bytes += counts.condemned_bytes;
        self.note_condemned(&generation).await?;
        self.step(&mut generation, Step::Condemned).await?;
        if self.unlink(&generation).await? == Taken::Overtaken {
            self.report.overtaken += 1;
            return self.give_up(&mut generation).await;
        }
        self.step(&mut generation, Step::Unlinked).await?;
        self.purge(&mut generation).await
    }

    /// Tells those who note it what was condemned.
    async fn note_condemned(&mut self, generation: &Generation) -> Done<(), R> {
        if !self.around.notes(Noted::Condemned) {
            return Ok(());
        }
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                return Ok(());
            }
            for blob in &next {
                self.note(Noted::Condemned, blob);
            }
        }
    }

    /// What an earlier process began and did not end comes back: its look is over (G11).
    pub(crate) async fn give_up(&mut self, generation: &mut Generation) -> Done<(), R> {
        if generation.phase() == Phase::Unlinking {
            self.record(generation, generation.phase().resume()).await?;
        }
        let mut blobs = Blobs::of(&self.ledger, generation).await?;
        loop {
            let next = blobs.next(&self.ledger, generation).await?;
            if next.is_empty() {
                break;
            }
            self.give_back(generation.id(), next).await?;
        }
        // Where something is not back, the next run tries again.
        if self.report.not_back.is_empty() {
            self.close(generation, Step::NothingLeft).await?;
        }
        Ok(())
    }

    /// Writes down what is condemned, with every link to it; nothing where nothing is.
    async fn put_on_record(
        &self,
        look: Look<R::Error>,
        held: &HashSet<u64>,
    ) -> Done<Option<Generation>, R> {
        let Look { plan, marks, .. } = look;
        let (t0, grace) = (plan.header().t0, plan.header().policy.grace);
        let rule = FirstLook::new(t0, grace);
        let (plan, mut generation) = (Arc::new(plan), None);
        let tells_etags = self.around.hears();
        for place in 0..plan.segments().len() {
            let read = Arc::clone(&plan);
            let layout = self.layout.clone();
            let read = move || blobs_of(&layout, &read, &read.segments()[place], tells_etags);
            let blobs = spawn_blocking(read).await??;
            let mut marks = marks.reader();
            let mut condemned = Vec::new();
            for blob in blobs {
                let is_marked = marks.contains(&blob.digest)?;
                if rule.judge(&suspect(&blob, is_marked, held)) == First::Condemn {
                    condemned.extend(blob.entries());
                }
            }
            if !condemned.is_empty() {
                let generation = match &mut generation {
                    Some(generation) => generation,
                    none => none.insert(self.ledger.begin(&self.held, t0).await?),
                };
                self.ledger.append(&self.held, generation, &condemned).await?;
            }
        }
        Ok(generation)
    }
}

fn suspect(blob: &Blob, marked: bool, held: &HashSet<u64>) -> Suspect {
    Suspect {
        marked,
        // What is in doubt is marked, and what is being uploaded to as well.
        doubt: false,
        held: held.contains(&blob.digest.fingerprint()),
        data: Some(blob.modified),
        newest_link: blob.links.iter().map(|link| link.listed).max(),
        newest_upload: None,
    }
}

/// The blobs of a segment, with all links of the plan that lead to them; none of a segment of another stage. Entity tags
/// are kept where somebody wants to hear of deletions.
fn blobs_of(
    layout: &Layout,
    plan: &Plan,
    segment: &Segment,
    tells_etags: bool,
) -> Result<Vec<Blob>, PlanError> {
    let (mut blobs, mut places) = (Vec::new(), HashMap::new());
    if segment.stage != Stage::Blobs {
        return Ok(blobs);
    }
    for row in plan.rows(segment)? {
        let row = row?;
        let Some(digest) = row.digest.filter(|_| row.kind == RowKind::Blob) else { continue };
        places.insert(digest, blobs.len());
        let (key, size, modified) = (row.key, row.bytes, row.modified);
        let etag = row.etag.filter(|_| tells_etags);
        blobs.push(Blob { digest, key, size, modified, etag, links: Vec::new() });
    }
    let others = plan.segments().iter().filter(|other| other.stage != Stage::Blobs);
    for links in others.filter(|other| may_share_shards(other, segment)) {
        for row in plan.rows(links)? {
            let row = row?;
            let row = Row { etag: row.etag.filter(|_| tells_etags), ..row };
            if let Some(place) = row.digest.and_then(|digest| places.get(&digest)) {
                blobs[*place].links.extend(link(layout, row));
            }
        }
    }
    Ok(blobs)
}

/// A row that is a link which is taken, with the text that it has.
fn link(layout: &Layout, row: Row) -> Option<TakenLink> {
    LinkKind::of(layout, &row.key)?;
    let text = row.digest?.to_string().into();
    Some(TakenLink { text, key: row.key, listed: row.modified, etag: row.etag })
}

fn may_share_shards(one: &Segment, other: &Segment) -> bool {
    match (one.part, other.part) {
        (Part::Shard(one), Part::Shard(other)) => one == other,
        (Part::All, _) | (_, Part::All) => true,
    }
}
