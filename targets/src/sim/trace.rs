//! The trace: every event of a run, one short entry each, the latest so many kept.
//!
//! An entry is a few integers; what a message said is written out only if the trace is asked
//! for payloads, because a run can be had again from its seed and the text with it. A digest runs
//! over all entries, also those no longer kept: two runs with equal digests took the same way.

use super::time::Nanos;
use crate::node::NodeId;
use std::collections::VecDeque;
use std::fmt::{self, Debug, Write as _};

/// How many entries are kept unless told otherwise.
pub const TRACE_MAX: usize = 1 << 16;

/// How much is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// Nothing but the digest.
    Digest,
    /// What happened, when and to whom.
    Events,
    /// And what it was about, as text.
    Payloads,
}

/// What happened. Its name in lower case is what lines of a trace show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum What {
    /// A node started; the number is how many journal records it found.
    Boot,
    /// A message was sent; the number is its own.
    Send,
    /// A message was given to its receiver.
    Deliver,
    /// A message was lost by chance.
    Lose,
    /// A message was lost at a cut link.
    Cut,
    /// A message waits at a held link.
    Hold,
    /// A message will arrive twice.
    Double,
    /// A message found its receiver down, or no room to wait.
    Drop,
    /// A timer fired.
    Timer,
    /// A client asked; the number is the request's.
    Ask,
    /// A request was given to its node.
    Request,
    /// A node answered a request.
    Reply,
    /// A client learns the answer, or that there is none.
    Answer,
    /// A node answered a request that is not open.
    Stray,
    /// A node took another role or term, which is the number; only where payloads are kept.
    Turn,
    /// A sync began; the number is how many writes have been made.
    Sync,
    /// A sync ended.
    Synced,
    /// A node was killed; the number is how many writes were lost.
    Crash,
    /// A node stopped by itself.
    Stop,
    /// A fault was installed or healed.
    Fault,
    /// An alarm of the test rang; the number is its own.
    Wake,
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// When.
    pub time: Nanos,
    /// What.
    pub what: What,
    /// Who did it, or to whom it happened; absent for the test itself.
    pub node: Option<NodeId>,
    /// The other side of a message.
    pub peer: Option<NodeId>,
    /// A number whose meaning depends on `what`.
    pub number: u64,
    /// What it was about, if payloads are kept.
    pub text: Option<Box<str>>,
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut who = String::new();
        if let Some(node) = self.node {
            write!(who, "{node}")?;
        }
        if let Some(peer) = self.peer {
            let arrow = if self.what == What::Deliver { '<' } else { '>' };
            write!(who, "{arrow}{peer}")?;
        }
        let what = format!("{:?}", self.what).to_lowercase();
        write!(f, "{} {what:<7} {who:<7} #{}", self.time, self.number)?;
        match &self.text {
            Some(text) => write!(f, " {text}"),
            None => Ok(()),
        }
    }
}

/// The trace of a run.
#[derive(Clone, Debug)]
pub struct Trace {
    detail: Detail,
    limit: usize,
    entries: VecDeque<Entry>,
    dropped: u64,
    digest: u64,
}

impl Trace {
    /// An empty trace that keeps the latest `limit` entries.
    #[must_use]
    pub fn new(detail: Detail, limit: usize) -> Trace {
        Trace { detail, limit, entries: VecDeque::new(), dropped: 0, digest: 0 }
    }

    /// The entries that are kept, oldest first.
    pub fn entries(&self) -> impl ExactSizeIterator<Item = &Entry> {
        self.entries.iter()
    }

    /// How many older entries are not kept any more.
    pub fn dropped(&self) -> u64 {
        self.dropped
    }

    /// A hash over all entries without their texts, also those no longer kept.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// Whether texts are kept.
    pub(super) fn tells(&self) -> bool {
        self.detail == Detail::Payloads
    }

    /// Keeps what is only of interest to readers: it is no part of the digest.
    pub(super) fn tell(&mut self, time: Nanos, what: What, node: usize, number: u64, text: String) {
        let node = Some(NodeId(node as u16 + 1));
        self.keep(Entry { time, what, node, peer: None, number, text: Some(text.into()) });
    }

    fn keep(&mut self, entry: Entry) {
        if self.entries.len() >= self.limit {
            self.entries.pop_front();
            self.dropped += 1;
        }
        self.entries.push_back(entry);
    }

    pub(super) fn note(
        &mut self,
        time: Nanos,
        what: What,
        node: Option<usize>,
        peer: Option<usize>,
        number: u64,
        payload: Option<&dyn Debug>,
    ) {
        let place = |index: Option<usize>| index.map_or(0, |index| index as u64 + 1);
        let who = (what as u64) << 32 | place(node) << 16 | place(peer);
        for word in [time.0, who, number] {
            self.digest = (self.digest.rotate_left(5) ^ word).wrapping_mul(0x517c_c1b7_2722_0a95);
        }
        if self.detail == Detail::Digest {
            return;
        }
        let payload = payload.filter(|_| self.detail == Detail::Payloads);
        let id = |index: usize| NodeId(index as u16 + 1);
        self.keep(Entry {
            time,
            what,
            node: node.map(id),
            peer: peer.map(id),
            number,
            text: payload.map(|payload| format!("{payload:?}").into_boxed_str()),
        });
    }
}

impl fmt::Display for Trace {
    /// One line an entry, behind a line that says how many are missing.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.dropped > 0 {
            writeln!(f, "({} earlier events are not kept)", self.dropped)?;
        }
        self.entries.iter().try_for_each(|entry| writeln!(f, "{entry}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trace(detail: Detail, limit: usize) -> Trace {
        let mut trace = Trace::new(detail, limit);
        trace.note(Nanos(1), What::Boot, Some(0), None, 0, None);
        trace.note(Nanos(2), What::Send, Some(0), Some(1), 7, Some(&"hello"));
        trace.note(Nanos(1_500_000_000), What::Deliver, Some(1), Some(0), 7, Some(&"hello"));
        trace
    }

    #[test]
    fn lines_are_stable() {
        let lines = trace(Detail::Payloads, 9).to_string();
        assert_eq!(
            lines,
            "0.000000001 boot    n1      #0\n\
             0.000000002 send    n1>n2   #7 \"hello\"\n\
             1.500000000 deliver n2<n1   #7 \"hello\"\n"
        );
    }

    #[test]
    fn a_full_trace_keeps_the_latest_and_counts_the_rest() {
        let trace = trace(Detail::Events, 1);
        assert_eq!(trace.dropped(), 2);
        let expected = "(2 earlier events are not kept)\n1.500000000 deliver n2<n1   #7\n";
        assert_eq!(trace.to_string(), expected);
    }

    #[test]
    fn the_digest_is_of_all_events_and_of_no_detail() {
        let digest = trace(Detail::Digest, 0).digest();
        assert_eq!(digest, trace(Detail::Payloads, 1).digest());
        let mut other = trace(Detail::Digest, 0);
        other.note(Nanos(9), What::Wake, None, None, 0, None);
        assert_ne!(digest, other.digest());
    }
}
