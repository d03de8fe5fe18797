//! Runs tests: starts clusters, breaks them, records histories, checks and reports them. This
//! crate owns every side effect.

pub mod catalog;
pub mod checking;
pub mod cli;
pub mod cluster;
pub mod compare;
mod document;
pub mod duration;
pub mod hunt;
pub mod interpreter;
pub mod interrupt;
pub mod isolation;
pub mod live;
pub mod load;
pub mod messages;
pub mod nemesis;
pub mod out;
pub mod plan;
pub mod progress;
pub mod proxy;
pub mod recorder;
pub mod report;
pub mod results;
pub mod run;
pub mod script;
pub mod serve;
pub mod shrink;
pub mod status_log;
pub mod stopped;
pub mod story;
pub mod summary;
mod text;
pub mod timeline;
pub mod trial;
pub mod usage;
pub mod world;
