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
    let did_nothing = deeds.deleted.count == 0 && deeds.condemned.count == 0;
    if did_nothing && deeds.rescued == 0 && deeds.restored == 0 && deeds.overtaken == 0 {
        let text = "Nothing was due, and everything else that was found is needed, too young, or in doubt.";
        return Verdict { tone: Tone::Plain, title: "Nothing to do".into(), text: text.into() };
    }
    let mut text = told(deeds);
    if deeds.overtaken > 0 {
        text += " What was condemned was given back, since a manifest was pushed while its link was taken; the next run \
                 begins anew.";
    }
    Verdict { tone: Tone::Good, title: "Collected".into(), text }
}

fn told(deeds: &Deeds) -> String {
    let blobs = |number| counted(number, "blob", "blobs");
    format!(
        "Deleted {}; condemned {}, which the first run after the quarantine deletes unless somebody comes to need them.",
        blobs(deeds.deleted.count),
        blobs(deeds.condemned.count)
    )
}

/// The text as the beginning of a sentence.
fn capital(text: &str) -> String {
    let mut characters = text.chars();
    let first = characters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + characters.as_str()
}
