//! What is kept because it could not be understood.

use planner::Doubts;

use crate::html::Html;
use crate::words::{count, counted};

use super::Section;
use super::parts::lead;

/// Doubts, and who sees more once their causes are gone.
pub(super) fn section(doubts: &Doubts, next: &'static str) -> Option<Section> {
    let (total, sample) = (doubts.total(), doubts.sample());
    if total == 0 {
        return None;
    }
    let mut body = Html::default();
    lead(
        &mut body,
        format_args!(
            "{} could not be read or understood. Doubt keeps: nothing that the repository of a doubt links is \
             deleted, here or elsewhere. Once the cause is gone, {next} sees more.",
            counted(total, "thing", "things"),
        ),
    );
    body.within("ul", &[("class", &"notes")], |html| {
        for doubt in sample {
            html.within("li", &[], |html| {
                html.element("b", &[], &doubt.repository);
                html.text(format_args!(": {}", doubt.message));
                html.raw("<br />");
                html.element("span", &[("class", &"mono muted")], &doubt.what);
            });
        }
    });
    let hidden = total.saturating_sub(sample.len() as u64);
    if hidden > 0 {
        lead(
            &mut body,
            format_args!("And {} more, which are counted and not named.", count(hidden)),
        );
    }
    Some(Section { id: "doubts", short: "Doubts", title: "Pinned by doubt", body })
}
