//! What is asked of one key.
//!
//! A cas against a value out of the blue is refused nearly always and shows little. So a key
//! remembers the values that operations have lately shown it to have, and mostly expects the
//! newest; an older one now and then, which must be refused.
//!
//! Some threads only read. A client of a leader that was cut off waits for its first write to end
//! and asks nothing meanwhile; one that never writes goes on, and sees what such a leader answers.
//! (Jepsen reserves threads for reads in `linearizable-register` too.)

use super::Used;
use crate::generator::source::Turn;
use crate::generator::{Context, Generator, Invocation, Next};
use crate::kv;
use quorate_checkers::history::Event;
use quorate_checkers::value::{Name, Value};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::VecDeque;
use std::sync::Arc;

/// How many values are remembered.
const RECENT_MAX: usize = 5;

/// Of ten cas, how many expect the newest value that is known; the others any of the recent.
const NEWEST_OF_TEN: u32 = 8;

/// How often each operation is drawn, in proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Weights {
    pub(super) read: u32,
    pub(super) write: u32,
    pub(super) cas: u32,
}

/// Who asks what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Roles {
    /// So many threads, the first ones, only read; but never more than half of all.
    pub(super) readers: usize,
    /// What the others ask.
    pub(super) weights: Weights,
}

/// The operations' names; clones of a name are cheap.
#[derive(Debug)]
struct Names {
    read: Name,
    write: Name,
    cas: Name,
}

/// The generator of one key; endless. The key itself is put in by who owns this.
#[derive(Debug)]
pub(super) struct KeyClient {
    used: Arc<Used>,
    roles: Roles,
    rng: ChaCha8Rng,
    names: Names,
    turn: Turn,
    /// Values that the key was lately shown to have, the newest first.
    recent: VecDeque<i64>,
}

impl KeyClient {
    pub(super) fn new(used: Arc<Used>, roles: Roles, rng: ChaCha8Rng) -> KeyClient {
        let names = Names { read: "read".into(), write: "write".into(), cas: "cas".into() };
        KeyClient { used, roles, rng, names, turn: Turn::default(), recent: VecDeque::new() }
    }

    /// The next operation, for a thread that only reads or for one that does everything.
    fn draw(&mut self, reader: bool) -> Invocation {
        let Weights { read, write, cas } = self.roles.weights;
        let drawn = self.rng.random_range(0..read + write + cas);
        if reader || drawn < read {
            return Invocation::new(self.names.read.clone());
        }
        // Nothing is known of a key that was never written: its first cas is a write.
        match (drawn < read + write, self.expected()) {
            (false, Some(old)) => {
                let change = [Value::Int(old), Value::Int(self.used.fresh_value())];
                Invocation::new(self.names.cas.clone()).value(Value::list(change))
            }
            _ => Invocation::new(self.names.write.clone()).value(self.used.fresh_value()),
        }
    }

    /// What a cas expects.
    fn expected(&mut self) -> Option<i64> {
        if self.recent.is_empty() {
            return None;
        }
        let newest = self.rng.random_ratio(NEWEST_OF_TEN, 10);
        let index = if newest { 0 } else { self.rng.random_range(0..self.recent.len()) };
        self.recent.get(index).copied()
    }
}

impl Generator for KeyClient {
    fn next(&mut self, context: &Context<'_>, allowed: &[usize]) -> Next {
        let readers = self.roles.readers.min(context.threads.len() / 2);
        match self.turn.take(allowed) {
            Some(thread) => Next::Op { thread, invocation: self.draw(thread < readers) },
            None => Next::Pending(None),
        }
    }

    fn update(&mut self, _: &Context<'_>, _: usize, event: &Event) {
        let Some(value) = kv::shown(event).and_then(Value::as_int) else { return };
        self.recent.retain(|known| *known != value);
        self.recent.push_front(value);
        self.recent.truncate(RECENT_MAX);
    }
}
