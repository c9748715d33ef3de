//! The first look: what may be condemned.

use std::time::Duration;

use registry::Timestamp;

/// What a first look saw of one blob, over all repositories.
///
/// Links that an interrupted try of the same generation took count as if they were listed, with the times that were
/// listed then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspect {
    /// Something reachable names it.
    pub marked: bool,
    /// Something that may name or link it could not be read or understood.
    pub doubt: bool,
    /// A generation that is not closed holds it.
    pub held: bool,
    /// When its data was last written; none where there is none.
    pub data: Option<Timestamp>,
    /// When the newest link to it was written, of any kind, in any repository.
    pub newest_link: Option<Timestamp>,
    /// When the newest upload began that is in progress in a repository that links it;
    /// [`Timestamp::FAR_FUTURE`] where one does not tell.
    pub newest_upload: Option<Timestamp>,
}

/// Why something is not condemned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kept {
    /// It is needed.
    Marked,
    /// It may be needed (G4).
    Doubt,
    /// Its fate is another generation's.
    Held,
    /// There is nothing to delete.
    NoData,
    /// It was written lately (G1).
    YoungData,
    /// A link to it was written lately (G1).
    YoungLink,
    /// Who is pushing may be about to name it. Safety does not need this: what is condemned all the same is given
    /// back. It spares the push the trouble.
    Uploading,
}

/// The verdict of the first look.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum First {
    /// It and every link to it may go, step by step.
    Condemn,
    /// It stays.
    Keep(Kept),
}

/// The rule of the first look at one instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FirstLook {
    cutoff: Timestamp,
}

impl FirstLook {
    /// `t0` is the store's time before anything was listed.
    #[must_use]
    pub fn new(t0: Timestamp, grace: Duration) -> Self {
        Self { cutoff: t0.before(grace) }
    }

    /// Whether what was written then is young: at or after T0 − grace.
    #[must_use]
    pub fn is_young(self, written: Timestamp) -> bool {
        written >= self.cutoff
    }

    /// Judges one blob. Equal inputs give equal verdicts.
    #[must_use]
    pub fn judge(self, suspect: &Suspect) -> First {
        match self.why_kept(suspect) {
            Some(kept) => First::Keep(kept),
            None => First::Condemn,
        }
    }

    fn why_kept(self, suspect: &Suspect) -> Option<Kept> {
        let young = |time: Option<Timestamp>| time.is_some_and(|time| self.is_young(time));
        [
            (suspect.marked, Kept::Marked),
            (suspect.doubt, Kept::Doubt),
            (suspect.held, Kept::Held),
            (suspect.data.is_none(), Kept::NoData),
            (young(suspect.data), Kept::YoungData),
            (young(suspect.newest_link), Kept::YoungLink),
            (young(suspect.newest_upload), Kept::Uploading),
        ]
        .into_iter()
        .find_map(|(holds, kept)| holds.then_some(kept))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const T0: Timestamp = Timestamp::from_seconds(1000);
    const OLD: Timestamp = Timestamp::from_seconds(899);
    const YOUNG: Timestamp = Timestamp::from_seconds(900);

    fn garbage() -> Suspect {
        Suspect {
            marked: false,
            doubt: false,
            held: false,
            data: Some(OLD),
            newest_link: Some(OLD),
            newest_upload: None,
        }
    }

    fn judge(suspect: Suspect) -> First {
        FirstLook::new(T0, Duration::from_secs(100)).judge(&suspect)
    }

    #[test]
    fn only_what_is_unmarked_old_and_linked_by_nothing_young_is_condemned() {
        assert_eq!(judge(garbage()), First::Condemn);
        assert_eq!(judge(Suspect { newest_link: None, ..garbage() }), First::Condemn);
        assert_eq!(judge(Suspect { newest_upload: Some(OLD), ..garbage() }), First::Condemn);
        for (suspect, kept) in [
            (Suspect { marked: true, ..garbage() }, Kept::Marked),
            (Suspect { doubt: true, ..garbage() }, Kept::Doubt),
            (Suspect { held: true, ..garbage() }, Kept::Held),
            (Suspect { data: None, ..garbage() }, Kept::NoData),
            (Suspect { data: Some(YOUNG), ..garbage() }, Kept::YoungData),
            (Suspect { newest_link: Some(YOUNG), ..garbage() }, Kept::YoungLink),
            (Suspect { newest_upload: Some(YOUNG), ..garbage() }, Kept::Uploading),
            (Suspect { newest_upload: Some(Timestamp::FAR_FUTURE), ..garbage() }, Kept::Uploading),
        ] {
            assert_eq!(judge(suspect), First::Keep(kept));
        }
    }

    fn times() -> impl Strategy<Value = Option<Timestamp>> {
        proptest::option::of((800_i64..1100).prop_map(Timestamp::from_seconds))
    }

    proptest! {
        #[test]
        fn g1_nothing_young_is_ever_condemned(
            data in times(), newest_link in times(), newest_upload in times(),
        ) {
            let verdict = judge(Suspect { data, newest_link, newest_upload, ..garbage() });
            let any_young = [data, newest_link, newest_upload].into_iter().flatten().any(|time| time >= YOUNG);
            prop_assert_eq!(verdict == First::Condemn, data.is_some() && !any_young);
        }

        #[test]
        fn g4_doubt_keeps(data in times(), newest_link in times(), marked: bool, held: bool) {
            let suspect = Suspect { data, newest_link, marked, held, doubt: true, newest_upload: None };
            prop_assert_ne!(judge(suspect), First::Condemn);
        }
    }
}
