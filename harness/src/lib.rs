//! Runs tests: starts clusters, breaks them, records histories, checks and reports them. This
//! crate owns every side effect.

pub mod cluster;
pub mod nearest;
pub mod nemesis;
pub mod proxy;
pub mod world;
