//! How much a check may spend, and how it says that this was not enough.

use super::variant::Variant;
use super::words::Millis;
use crate::history::Nanos;
use std::fmt;

/// Limits of a check. All are per call of a checker, not per key.
#[derive(Clone, Copy)]
pub struct Options<'a> {
    /// How many configurations the search may visit, over all keys. A step takes from a tenth of
    /// a microsecond to a few.
    pub steps: u64,
    /// How many bytes the search may hold at once, over all keys that are searched at a time.
    pub bytes: usize,
    /// How many threads check keys at once; 0 means one for each core.
    pub threads: usize,
    /// Asked now and then; the check ends with "unknown" soon after it first says `true`. This
    /// is how a caller with a clock sets a time limit.
    pub stop: Option<&'a (dyn Fn() -> bool + Sync)>,
    /// Until when an operation whose outcome nobody knows may take effect; heeded by
    /// [`check`](super::check), since only a recorded history says when a client gave up.
    pub variant: Variant,
    /// How many clients there were, where that is known: it says which process goes on after one
    /// that crashed, for [`Variant::Durable`].
    pub clients: Option<u64>,
}

impl Default for Options<'_> {
    /// A billion steps, 2 GiB, all cores, no clock.
    fn default() -> Self {
        Options {
            steps: 1_000_000_000,
            bytes: 2 << 30,
            threads: 0,
            stop: None,
            variant: Variant::Plain,
            clients: None,
        }
    }
}

impl fmt::Debug for Options<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("steps", &self.steps)
            .field("bytes", &self.bytes)
            .field("threads", &self.threads)
            .field("stop", &self.stop.is_some())
            .field("variant", &self.variant)
            .field("clients", &self.clients)
            .finish()
    }
}

/// Why there is no verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unknown {
    /// The search visited as many configurations as it was allowed to.
    Steps(u64),
    /// The search held as many bytes as it was allowed to.
    Bytes(usize),
    /// The caller's `stop` said so.
    Stopped,
    /// More operations were open at once than the search can represent.
    Open(usize),
    /// The model broke a promise: a call that it says only observes changed the state.
    Model(String),
    /// The history holds something that the model has no meaning for.
    Input(String),
    /// One part of the history was not decided, for this reason.
    Segment(Box<(Span, Unknown)>),
}

/// A part of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// Where its first operation begins: an index, or any other position.
    pub first: u64,
    /// Where its last operation ends.
    pub last: u64,
    /// How many operations it has.
    pub calls: usize,
    /// When it begins and ends, where positions are indices of a recorded history.
    pub times: Option<(Nanos, Nanos)>,
}

impl Unknown {
    /// The same, of a part of the history.
    pub(crate) fn within(self, span: Span) -> Unknown {
        Unknown::Segment(Box::new((span, self)))
    }

    /// Whether more steps might have decided it.
    pub(crate) fn is_short_of_steps(&self) -> bool {
        match self {
            Unknown::Steps(_) => true,
            Unknown::Segment(part) => part.1.is_short_of_steps(),
            _ => false,
        }
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unknown::Steps(steps) => write!(f, "the search gave up after {steps} configurations"),
            Unknown::Bytes(bytes) => {
                write!(f, "the search gave up when it held {} MiB", bytes >> 20)
            }
            Unknown::Stopped => f.write_str("the time limit ended the check"),
            Unknown::Open(open) => {
                write!(f, "{open} operations are open at once, more than the search can hold")
            }
            Unknown::Model(call) => {
                write!(f, "the model says that {call} only observes, yet it changed the state")
            }
            Unknown::Input(what) => f.write_str(what),
            Unknown::Segment(part) => {
                let (span, why) = &**part;
                let Span { first, last, calls, .. } = span;
                write!(f, "{why}, in the {calls} operations from {first} to {last}")?;
                if let Some((from, to)) = span.times {
                    write!(f, " ({} to {})", Millis(from), Millis(to))?;
                }
                Ok(())
            }
        }
    }
}
