//! Nodes in one thread and in virtual time: a deterministic world.
//!
//! A [`World`] holds the nodes of a cluster and everything around them: the network between
//! them, their disks and clocks, and the ways from and to clients. All that will happen lies in
//! one queue, ordered by (time, sequence); the world takes one event after another and lets
//! virtual time jump from each to the next. Nothing in it depends on anything but the [`Setup`],
//! the seed and what the caller does: the same calls give the same events, to the last bit.
//!
//! The caller plays clients and nemesis: it [submits](World::submit) requests, [injects](
//! World::inject) [faults](Fault), sets [alarms](World::wake_at), and [polls](World::poll) for
//! what comes out of it. A [`Cluster`] adds clients that retry, and hides what its nodes are. Each
//! fault domain is one file: [`network`], [`disk`], [`clock`]; each
//! draws from streams of its own, named after wire or node, so that a draw more in one does not
//! shift another. An [`Observer`] checks invariants after every event; a [`Trace`] keeps the
//! latest events as lines of text.
//!
//! The idea is that of `FoundationDB` (Zhou et al., SIGMOD 2021, section 4) and `TigerBeetle`.

mod arrive;
mod clients;
pub mod clock;
pub mod disk;
mod event;
mod fault;
mod inject;
pub mod network;
mod observe;
pub mod post;
pub mod queue;
mod setup;
pub mod slot;
mod step;
pub mod time;
mod timers;
pub mod trace;
mod weather;
mod world;

pub use clients::{Clients, Cluster, Coverage, Happening, THREADS_MAX};
pub use disk::{DiskBehaviour, Survival};
pub use event::{Observed, SetupError, Stop, Token};
pub use fault::{Fault, Injected};
pub use network::{Gate, Link};
pub use observe::{Happened, Observer, Sometimes, View, Violation};
pub use post::{Letter, Post, Turn};
pub use setup::Setup;
pub use time::{Delay, Nanos, Ppm};
pub use trace::{Detail, Trace};
pub use weather::Weather;
pub use world::{Counts, INSTANT_MAX, NODES_MAX, World};
