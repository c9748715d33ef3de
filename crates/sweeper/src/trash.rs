//! The trash of a plan: where its objects go that can be taken back.

use planner::Plan;
use registry::Layout;
use store::Trash;

use crate::note::trash_prefix;

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
