//! Runs tests: starts clusters, breaks them, records histories, checks and reports them. This
//! crate owns every side effect.

pub mod duration;
pub mod nemesis;
pub mod out;
pub mod plan;
pub mod report;
pub mod results;
pub mod world;
