//! What the rows of a plan add up to.

mod by_shard;
mod gathering;
mod largest;
mod links;
mod places;
mod spread;

use std::collections::BTreeMap;

use planner::{Amount, Plan, PlanError, Reason, Row, RowKind, Stage};
use registry::{Shard, Timestamp};

use by_shard::ByShard;
use largest::Largest;
use links::Links;
use places::Places;

pub use gathering::Gathering;
pub use largest::LargeBlob;
pub use places::Place;
pub use spread::Spread;

/// What the rows of a plan add up to.
///
/// A row of a blob names no repository. Blobs are told of the repositories whose links to them go by the same plan:
/// where several do, each has an even part of the bytes; where none does, the blob is of no repository.
#[derive(Clone, Debug)]
pub struct Figures {
    kinds: BTreeMap<(RowKind, Reason), Amount>,
    places: Vec<Place>,
    unplaced: Amount,
    beyond: Option<Place>,
    ages: Spread,
    sizes: Spread,
    bytes_by_day: Vec<u64>,
    largest: Vec<LargeBlob>,
}

impl Figures {
    /// The most repositories that are told apart.
    pub const PLACES: usize = 100_000;

    /// The most blobs that are named.
    pub const LARGEST: usize = 20;

    /// Days of age that are told apart for bills; nobody bills a longer minimum.
    const DAYS: usize = 366;

    /// Reads every row of `plan` once. Holds the links of one shard in memory, and one tally for each repository up to
    /// [`Figures::PLACES`].
    ///
    /// # Errors
    /// Where the plan cannot be read.
    pub fn of(plan: &Plan) -> Result<Self, PlanError> {
        let mut building = Building::new(plan.header().t0);
        let [mut repairs, mut tags, mut revisions, mut layers, mut blobs, mut uploads] =
            Stage::ALL.map(|stage| ByShard::new(plan, stage));
        for shard in Shard::all() {
            let mut links = Links::default();
            for stage in [&mut repairs, &mut tags] {
                stage.each(shard, |row| {
                    building.add_of_repository(row);
                })?;
            }
            for stage in [&mut revisions, &mut layers] {
                stage.each(shard, |row| {
                    let place = building.add_of_repository(row);
                    if let (RowKind::RevisionLink | RowKind::LayerLink, Some(digest), Some(place)) =
                        (row.kind, &row.digest, place)
                    {
                        links.add(digest, place);
                    }
                })?;
            }
            let links = links.sorted();
            blobs.each(shard, |row| {
                let holders = row.digest.map_or(&[][..], |digest| links.to(&digest));
                building.add_blob(row, holders);
            })?;
            uploads.each(shard, |row| building.add_upload(row))?;
        }
        Ok(building.finish())
    }

    /// What goes by kind and reason; only what there is.
    #[must_use]
    pub fn kinds(&self) -> &BTreeMap<(RowKind, Reason), Amount> {
        &self.kinds
    }

    /// The repositories of which anything goes, the most bytes first, then by name.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Blobs to which no link of the plan leads, and uploads that would become one.
    #[must_use]
    pub const fn unplaced(&self) -> Amount {
        self.unplaced
    }

    /// What goes of the repositories past [`Figures::PLACES`], together; none where there are not so many.
    #[must_use]
    pub const fn beyond(&self) -> Option<&Place> {
        self.beyond.as_ref()
    }

    /// Everything that goes, by age at T0.
    #[must_use]
    pub const fn ages(&self) -> &Spread {
        &self.ages
    }

    /// The blobs that go, by size.
    #[must_use]
    pub const fn sizes(&self) -> &Spread {
        &self.sizes
    }

    /// Bytes that go by age in whole days, up to a year.
    #[must_use]
    pub fn bytes_by_day(&self) -> &[u64] {
        &self.bytes_by_day
    }

    /// The largest blobs that go, at most [`Figures::LARGEST`], the largest first.
    #[must_use]
    pub fn largest(&self) -> &[LargeBlob] {
        &self.largest
    }
}

/// Figures that grow row by row.
#[derive(Debug)]
struct Building {
    t0: Timestamp,
    kinds: BTreeMap<(RowKind, Reason), Amount>,
    places: Places,
    unplaced: Amount,
    ages: Spread,
    sizes: Spread,
    bytes_by_day: Vec<u64>,
    largest: Largest,
}

impl Building {
    fn new(t0: Timestamp) -> Self {
        Self {
            t0,
            kinds: BTreeMap::new(),
            places: Places::default(),
            unplaced: Amount::default(),
            ages: Spread::ages(),
            sizes: Spread::sizes(),
            bytes_by_day: vec![0; Figures::DAYS],
            largest: Largest::default(),
        }
    }

    fn add(&mut self, row: &Row) {
        self.kinds.entry((row.kind, row.reason)).or_default().add(row.bytes);
        let seconds = self.t0.since(row.modified).as_secs();
        self.ages.add(seconds, row.bytes);
        let day = usize::try_from(seconds / 86_400).unwrap_or(usize::MAX);
        if let Some(bytes) = self.bytes_by_day.get_mut(day) {
            *bytes = bytes.saturating_add(row.bytes);
        }
    }

    /// Counts a row of a repository; gives the number of that.
    fn add_of_repository(&mut self, row: &Row) -> Option<u32> {
        self.add(row);
        let repository = row.repository.as_ref()?;
        let number = self.places.number(repository);
        let place = self.places.of_mut(number);
        if matches!(row.kind, RowKind::Upload | RowKind::MultipartUpload) {
            place.uploads.add(row.bytes);
        } else {
            place.links.add(row.bytes);
        }
        Some(number)
    }

    /// An upload that would become a blob is of no repository.
    fn add_upload(&mut self, row: &Row) {
        if self.add_of_repository(row).is_none() {
            self.unplaced.add(row.bytes);
        }
    }

    /// `holders` are the repositories whose links lead to it, each once.
    fn add_blob(&mut self, row: &Row, holders: &[u32]) {
        self.add(row);
        self.sizes.add(row.bytes, row.bytes);
        if holders.is_empty() {
            self.unplaced.add(row.bytes);
        }
        self.places.share(row.bytes, holders);
        self.largest.add(row, holders, &self.places);
    }

    fn finish(self) -> Figures {
        let largest = self.largest.named(&self.places);
        let (places, beyond) = self.places.finish();
        Figures {
            kinds: self.kinds,
            places,
            unplaced: self.unplaced,
            beyond,
            ages: self.ages,
            sizes: self.sizes,
            bytes_by_day: self.bytes_by_day,
            largest,
        }
    }
}
