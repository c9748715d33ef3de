//! What reads pages, alone, so that benches of it need not wait for an SDK to be compiled.

#![expect(dead_code, unreachable_pub, reason = "most of it is for requests")]

mod config;
mod page;
mod page_error;
mod text;
mod xml;

pub use page::keys_of_page;
