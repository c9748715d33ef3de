//! Many people at work, as a seed says.
