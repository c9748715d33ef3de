//! How a night ended, and what the audit of its last look says.

use crate::html::Html;
use crate::words::counted;
use crate::{Deeds, Night, NightEnd};

use super::super::verdict::{Tone, Verdict, show};

pub(super) fn write(html: &mut Html, night: &Night<'_>) {
    show(html, verdict(night), night.look.map_or(&[], |look| &look.notes));
}

fn verdict(night: &Night<'_>) -> Verdict {
    let (tone, title, text) = match night.ended {
        NightEnd::Completed => return completed(night.deeds),
        NightEnd::Partial if night.deeds.lost > 0 => {
            (Tone::Bad, "Something that is needed is gone", "What is lost has to be pushed again.")
        }
        NightEnd::Partial => {
            (Tone::Warn, "Collected, with something left to do", "The next run tries again.")
        }
        NightEnd::Stopped => {
            (Tone::Warn, "Stopped before the end", "The same command again goes on.")
        }
        NightEnd::Refused => (
            Tone::Bad,
            "It was refused to go on",
            "What was needed has been given back all the same.",
        ),
        NightEnd::Broken => (Tone::Bad, "The run broke off", "The same command again goes on."),
    };
    let why = night.why.map_or_else(String::new, |why| format!("{}. ", capital(why)));
    let text = format!("{} {why}{text}", told(night.deeds));
    Verdict { tone, title: title.into(), text }
}

fn completed(deeds: &Deeds) -> Verdict {
    let did = sentences(deeds);
    if did.is_empty() {
        let text = "Nothing was due, and everything else that was found is needed, too young, or in doubt.";
        return Verdict { tone: Tone::Plain, title: "Nothing to do".into(), text: text.into() };
    }
    Verdict { tone: Tone::Good, title: "Collected".into(), text: did.join(" ") }
}

fn told(deeds: &Deeds) -> String {
    let did = sentences(deeds);
    if did.is_empty() { "Nothing was deleted.".to_owned() } else { did.join(" ") }
}

/// What was done; nothing of what there was none.
fn sentences(deeds: &Deeds) -> Vec<String> {
    let blobs = |number| counted(number, "blob", "blobs");
    let needed = deeds.rescued.saturating_add(deeds.restored);
    let all = [
        (deeds.deleted.count, format!("Deleted {}.", blobs(deeds.deleted.count))),
        (
            deeds.condemned.count,
            format!(
                "Condemned {}, to be deleted after the quarantine unless somebody comes to need them.",
                blobs(deeds.condemned.count)
            ),
        ),
        (
            deeds.aborted.count,
            format!(
                "Aborted {}.",
                counted(deeds.aborted.count, "multipart upload", "multipart uploads")
            ),
        ),
        (needed, format!("Gave back {} that came to be needed.", blobs(needed))),
        (
            deeds.overtaken,
            "What was condemned was given back, since a manifest was pushed while its link was taken; the next run \
             begins anew."
                .to_owned(),
        ),
        (
            deeds.closed,
            format!("Closed {}.", counted(deeds.closed, "generation", "generations")),
        ),
    ];
    all.into_iter().filter(|(number, _)| *number > 0).map(|(_, sentence)| sentence).collect()
}

/// The text as the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}
