//! Asks an open registry for all that commands need. Writes nothing.

use registry::Timestamp;
use store::{
    Cursor as _, ErrorKind, MultipartStep, MultipartStore, MultipartWalk, ReadStore, RestoreStore,
    StoreError,
};

use super::check::{Check, Name};
use super::trial::Trial;
use crate::args::DoctorArgs;
use crate::identify::Identified;
use crate::location::Location;
use crate::no_lease::{require_no_generation, require_no_lease};
use crate::online::{Wanted, require_way_back};
use crate::open::{Open, Work, failed_at};
use crate::taken_back::last_undo;
use crate::{Failure, clock};

/// As much is read of an object as is needed to see that it can be.
const READ_LIMIT: u64 = 1 << 20;

/// So many seconds may clocks be apart before it is worth a word. Amazon S3 refuses signatures that are off by 15
/// minutes (`RequestTimeTooSkewed`).
const SKEW: i64 = 60;

/// Looks for everything.
pub(super) struct Probing<'a> {
    pub(super) args: &'a DoctorArgs,
    pub(super) location: &'a Location,
}

impl Work for Probing<'_> {
    type Out = Vec<Check>;

    async fn run<S: RestoreStore>(self, open: Open<S>) -> Result<Vec<Check>, Failure> {
        let mut checks = vec![
            Check::there(Name::Store, open.store.identity()),
            Check::there(Name::Layout, described(open.identified)),
        ];
        checks.extend(self.reading(&open).await);
        checks.extend(self.time(&open).await);
        checks.extend(self.others(&open).await);
        checks.extend(self.keeping(&open).await);
        checks.extend(self.multipart(&open).await);
        let trial = Trial { open: &open, args: self.args, location: self.location }.run().await;
        // Without versions there are no delete markers to remove.
        let has_markers = checks.iter().any(|check| check.name == Name::OlderVersions);
        let matters = |check: &Check| has_markers || check.name != Name::TakeBack;
        checks.extend(trial.into_iter().filter(matters));
        Ok(checks)
    }
}

const fn described(identified: Identified) -> &'static str {
    match identified {
        Identified::Registry => "a registry in the distribution layout",
        Identified::Empty => "empty: nobody has pushed to it yet",
    }
}

impl Probing<'_> {
    fn matters(&self, name: Name) -> bool {
        name.matters_to(&self.args.tasks)
    }

    fn check<T>(&self, name: Name, outcome: Result<T, Failure>, detail: &str) -> Check {
        Check::of(name, outcome, self.location, |_| detail.to_owned())
    }

    fn in_store<T>(&self, outcome: Result<T, StoreError>) -> Result<T, Failure> {
        outcome.map_err(failed_at(self.location))
    }

    /// Lists a page and reads an object of it.
    async fn reading<S: ReadStore>(&self, open: &Open<S>) -> [Check; 2] {
        let first = match first_key(open).await {
            Ok(first) => first,
            Err(error) => {
                let failure = failed_at(self.location)(error);
                let read = Check::not_probed(Name::Read, "list is missing");
                return [Check::failed(Name::List, &failure, self.location), read];
            }
        };
        let list = Check::there(Name::List, "");
        let Some(key) = first else {
            return [list, Check::not_probed(Name::Read, "there is nothing to read yet")];
        };
        let read = match open.store.get(&key, READ_LIMIT).await {
            // It went, or is larger than what is worth reading: it was answered.
            Err(error) if matches!(error.kind, ErrorKind::NotFound | ErrorKind::TooLarge) => Ok(()),
            outcome => outcome.map(drop),
        };
        [list, self.check(Name::Read, self.in_store(read), "")]
    }

    /// The store's time, and how far this machine is from it.
    async fn time<S: ReadStore>(&self, open: &Open<S>) -> Vec<Check> {
        match open.now().await {
            Ok(now) => vec![Check::there(Name::Time, ""), skew(now, clock::now())],
            Err(failure) => vec![
                Check::failed(Name::Time, &failure, self.location),
                Check::not_probed(Name::Clock, "time is missing"),
            ],
        }
    }

    /// Whether somebody else is at work, or has begun something and not ended it.
    async fn others<S: RestoreStore>(&self, open: &Open<S>) -> Vec<Check> {
        let mut checks = Vec::new();
        if self.matters(Name::Lease) {
            let outcome = require_no_lease(open).await;
            checks.push(self.check(Name::Lease, outcome, "nobody else collects"));
        }
        if self.matters(Name::Generations) {
            let outcome = require_no_generation(open).await;
            checks.push(self.check(Name::Generations, outcome, "all of them have ended"));
        }
        if self.matters(Name::UndoEnded) {
            let outcome = last_undo(open).await;
            checks.push(self.check(Name::UndoEnded, outcome, "none is under way"));
        }
        checks
    }

    /// Whether incomplete multipart uploads can be told: where they cannot, they stay, and no command fails of it.
    async fn multipart<S: MultipartStore>(&self, open: &Open<S>) -> Option<Check> {
        if !self.matters(Name::Multipart) {
            return None;
        }
        Some(match first_uploads(open).await {
            Ok(detail) => Check::there(Name::Multipart, detail),
            Err(error) if error.kind == ErrorKind::Denied => {
                let failure = failed_at(self.location)(error);
                let check = Check::failed(Name::Multipart, &failure, self.location);
                check.meaning(
                    "until then such uploads stay, and plan and usage say that they are not known",
                )
            }
            Err(error) => {
                Check::failed(Name::Multipart, &failed_at(self.location)(error), self.location)
            }
        })
    }

    /// What the store keeps of what is deleted.
    async fn keeping<S: RestoreStore>(&self, open: &Open<S>) -> Vec<Check> {
        let asking = [Name::Versioning, Name::WayBack, Name::Kept, Name::OlderVersions];
        let asking = asking.into_iter().filter(|name| self.matters(*name));
        if asking.clone().next().is_none() {
            return Vec::new();
        }
        let keeps_versions = match self.in_store(open.store.keeps_versions().await) {
            Ok(keeps_versions) => keeps_versions,
            Err(failure) => return self.unknown(&failure, asking),
        };
        let mut checks = Vec::new();
        for name in asking {
            match name {
                Name::Versioning => checks.push(Check::there(name, versioning(keeps_versions))),
                Name::WayBack => checks.push(self.way_back(open, keeps_versions)),
                Name::Kept => checks.push(self.kept(keeps_versions)),
                _ if keeps_versions => {
                    let key = format!("{}doctor", open.layout.base());
                    let outcome = self.in_store(open.store.versions(&key).await);
                    checks.push(self.check(name, outcome, ""));
                }
                _ => {}
            }
        }
        checks
    }

    fn unknown(&self, failure: &Failure, asking: impl Iterator<Item = Name>) -> Vec<Check> {
        let why = format!("{} is missing", Name::Versioning.text());
        let told = |name| match name {
            Name::Versioning => Check::failed(name, failure, self.location),
            _ => Check::not_probed(name, &why),
        };
        asking.map(told).collect()
    }

    /// By the rule of `gc --online`.
    fn way_back<S: RestoreStore>(&self, open: &Open<S>, keeps_versions: bool) -> Check {
        let wishes = &self.args.wishes;
        let wanted = Wanted {
            trash: wishes.trash,
            untagged: wishes.untagged,
            needs_undo: !wishes.without_undo,
            renames: open.store.abilities().reads_in_place,
        };
        let outcome = require_way_back(wanted, keeps_versions, self.location);
        Check::of(Name::WayBack, outcome, self.location, |uses_trash| {
            let way = match (keeps_versions, uses_trash) {
                (true, _) => "what is deleted stays as an older version",
                (false, true) => "what is deleted goes to the trash",
                (false, false) => "none, as you say",
            };
            way.to_owned()
        })
    }

    fn kept(&self, keeps_versions: bool) -> Check {
        match (keeps_versions, self.args.wishes.trash) {
            (true, _) => Check::there(Name::Kept, "as older versions"),
            (false, true) => Check::there(Name::Kept, "in the trash"),
            (false, false) => Check::odd(
                Name::Kept,
                "nothing is kept of what is deleted".to_owned(),
                "turn on the bucket's versioning, or collect with --trash, and say so here too",
            ),
        }
    }
}

const fn versioning(keeps_versions: bool) -> &'static str {
    if keeps_versions { "versions are kept" } else { "no versions are kept" }
}

/// A key of the registry: of a link, which is small, or of anything.
async fn first_key<S: ReadStore>(open: &Open<S>) -> Result<Option<Box<str>>, StoreError> {
    for within in [open.layout.repositories(), open.layout.blobs()] {
        let page = open.store.list(&within, "").next().await?;
        let keys = page.into_iter().flatten().map(store::Listed::into_key);
        let mut files = keys.filter(|key| !key.ends_with('/'));
        if let Some(key) = files.next() {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

/// Lists a page of uploads, and the parts of the first.
async fn first_uploads<S: MultipartStore>(open: &Open<S>) -> Result<&'static str, StoreError> {
    let mut walk = MultipartWalk::new(open.layout.base());
    Ok(match walk.next(open.store.as_ref()).await? {
        MultipartStep::Untold => "the store does not list them: they stay",
        MultipartStep::End => "there are none",
        MultipartStep::Uploads(uploads) => {
            if let Some(upload) = uploads.first() {
                open.store.parts(upload).await?;
            }
            "there are some"
        }
    })
}

fn skew(store: Timestamp, here: Timestamp) -> Check {
    let seconds = (here.as_millis() - store.as_millis()) / 1000;
    let what = match seconds {
        -2..=2 => "this machine agrees with the store".to_owned(),
        3.. => format!("this machine is {seconds} s ahead of the store"),
        _ => format!("this machine is {} s behind the store", -seconds),
    };
    if seconds.abs() <= SKEW {
        return Check::there(Name::Clock, what);
    }
    let advice = "set both clocks by NTP: ages are by the store's clock, and stores refuse requests \
                  that are signed at another time";
    Check::odd(Name::Clock, what, advice)
}
