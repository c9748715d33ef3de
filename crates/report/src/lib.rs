//! Shows a plan, and what became of it, as one HTML file that needs nothing else.
//!
//! # Words
//! *Figures* are what the rows of a plan add up to. A *place* is a repository with what goes of it. A *timeline* is how
//! a run went on, second by second. A *price table* says what a store asks for; a *bill* is what a plan
//! costs and saves by it. The *subject* is all of these together;
//! the *page* is the HTML made of it. A *night* is one run of a collection while people push: it has no plan, and so a
//! page of its own, with the sections of the other one that mean something there.
//!
//! # Guarantees
//! The page asks nothing of any network: it has neither scripts nor fonts nor images, and forbids itself to load any.
//! Whatever comes from keys and messages is text in it, never markup: only literals of this crate are markup.
//! G10: the figures are those of every row, and what is not shown one by one is added up as others. G12: memory is that
//! of the links of one shard, and of [`Figures::PLACES`] repositories.
//!
//! # Shape
//! ```text
//! Plan ──rows──▶ Figures ─┐
//! Monitor ──▶ Timeline ───┼─▶ Subject ──▶ page ──▶ HTML
//! Outcome, Prices ────────┘
//! blobs ──▶ Gathering ──▶ Figures ─┐
//! Deeds, Timeline, NightBill ──────┴─▶ Night ──▶ night_page ──▶ HTML
//! ```
//!
//! # Cost
//! One pass over the rows of the plan. A page has some 100 kB, whatever the size of the registry.
//!
//! # Start reading at
//! [`Figures::of`], then [`page`]; for a night [`Gathering`], then [`night_page`].
#![cfg_attr(test, allow(clippy::unwrap_used, clippy::expect_used))]

mod bill;
mod figures;
mod html;
mod night;
mod outcome;
mod page;
mod prices;
mod subject;
mod timeline;
mod treemap;
mod words;

pub use bill::{Bill, Charge, NightBill};
pub use figures::{Figures, Gathering, LargeBlob, Place, Spread};
pub use night::{Awaited, Deeds, Night, NightEnd, NightRules, WaitsFor};
pub use outcome::{Ended, FailedObject, Outcome};
pub use page::{night_page, page};
pub use prices::{Prices, PricesError, Tier};
pub use subject::Subject;
pub use timeline::{Point, Timeline};
pub use treemap::{Rectangle, squarify};
pub use words::{count, size};
