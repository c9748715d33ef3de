//! Pages of plans of every sort: their figures, their markup, their words.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails there")]

mod expected;
mod figures;
mod fixture;
mod markup;
mod night;
mod nights;
