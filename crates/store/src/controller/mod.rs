//! How much a store is asked for: pure, the time is passed in.
//!
//! Times are [`Duration`](std::time::Duration)s since some moment that all calls share.

mod granted;
mod in_flight;
mod key_rate;
#[cfg(test)]
mod simulation;
mod token_bucket;

pub(crate) use self::in_flight::Controller;
pub(crate) use self::key_rate::KeyRate;
pub(crate) use self::token_bucket::TokenBucket;
