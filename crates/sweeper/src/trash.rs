//! The trash of a plan: where its objects go that can be taken back.

use planner::Plan;
use registry::Layout;
use store::Trash;

/// The prefix of every plan's trash; the next component is the plan's id.
#[must_use]
pub fn trash_prefix(layout: &Layout) -> String {
    format!("{}trash/", layout.own())
}

/// The object that says, by its time, when a plan's trash was last filled.
#[must_use]
pub fn trash_note(layout: &Layout, plan: &str) -> String {
    format!("{}{plan}/{TRASH_NOTE}", trash_prefix(layout))
}

/// The name of that object; no key of a registry begins so.
const TRASH_NOTE: &str = "filled";

/// The layout of a plan's registry.
pub(crate) fn layout_of(plan: &Plan) -> Layout {
    let base = &plan.header().location.base;
    Layout::new(base.strip_suffix("docker/registry/v2/").unwrap_or_default())
}

/// Where the objects of a plan go.
pub(crate) fn trash_of(plan: &Plan) -> Trash {
    let layout = layout_of(plan);
    Trash::new(layout.root(), &format!("{}{}/", trash_prefix(&layout), plan.id()))
}
