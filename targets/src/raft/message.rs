//! What nodes tell each other, what they keep on disk, and what they wait for.

use super::command::{Command, Response};
use super::log::{Entry, Index, Term};
use super::machine::Snapshot;
use crate::node::NodeId;
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// What peers send each other. A message holds at most [`super::MAX_ENTRIES`] entries, or one
/// snapshot: all values, and the session table with its fixed limit.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Message {
    /// Would you vote for me, if I stood for this term? (Thesis, 9.6.) Changes nothing.
    PreVote(Ballot),
    /// The answer.
    PreVoteReply(Vote),
    /// Vote for me in this term. (Paper, 5.2.)
    Vote(Ballot),
    /// The answer, on disk at the voter.
    VoteReply(Vote),
    /// Entries of the leader, or a heartbeat without any. (Paper, 5.3.)
    Append(Append),
    /// The answer; what it accepts is on disk at the follower.
    AppendReply(AppendReply),
    /// The leader's state, for a follower whose next entry is compacted. (Paper, section 7.)
    Install {
        /// The leader's term.
        term: Term,
        /// See [`Append::round`].
        round: u64,
        /// The state.
        snapshot: Arc<Snapshot>,
    },
    /// A client's request, passed on to the leader of `term`.
    Forward {
        /// The term in which the receiver leads, as the sender believes.
        term: Term,
        /// Names the request to its sender.
        tag: Tag,
        /// What is asked of the leader.
        command: Command,
    },
    /// The answer to a [`Message::Forward`].
    Answer {
        /// As forwarded.
        tag: Tag,
        /// For the client.
        response: Response,
    },
}

/// What a candidate has to show.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Ballot {
    /// The term that it stands for.
    pub term: Term,
    /// The place of its last entry.
    pub last: Index,
    /// The term of its last entry.
    pub last_term: Term,
}

/// What a voter says.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct Vote {
    /// Granted: the term that was stood for. Denied: the voter's own.
    pub term: Term,
    /// Whether the candidate has this vote.
    pub granted: bool,
}

/// The leader's word to a follower.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Append {
    /// The leader's term.
    pub term: Term,
    /// The leader's round of confirmation when it sent this; echoed in the reply. An answer to
    /// round `r` proves that the leader still led after round `r` began.
    pub round: u64,
    /// The place before the first of `entries`.
    pub prev: Index,
    /// The term of the entry there, at the leader.
    pub prev_term: Term,
    /// How far the leader has committed.
    pub commit: Index,
    /// What follows `prev`.
    pub entries: Vec<Arc<Entry>>,
}

/// A follower's answer.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct AppendReply {
    /// The follower's term.
    pub term: Term,
    /// As in the message that is answered.
    pub round: u64,
    /// What became of it.
    pub outcome: Appended,
}

/// What became of an [`Append`].
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Appended {
    /// The sender's term is over; the reply is in a later one, and says nothing else. In
    /// particular it confirms no round: its sender may lead that later term by now, with
    /// rounds that begin anew.
    Late,
    /// The follower's log equals the leader's up to here.
    Accepted {
        /// The last place that is certain.
        matched: Index,
    },
    /// The follower has no such entry at `prev`.
    Rejected {
        /// As in the message that does not fit.
        prev: Index,
        /// The term that it has there; nothing if its log is shorter.
        term: Option<Term>,
        /// Its first place with that term, or the place behind its last entry.
        first: Index,
    },
}

/// Names a forwarded request to the node that forwarded it. The count of its boots is part of
/// it, so that an answer to a request of an earlier life is not taken for another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Tag {
    /// Which life of the sender.
    pub boot: u64,
    /// The request, as the sender's host numbers it.
    pub request: u64,
}

/// What the journal holds.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Record {
    /// The node has started for the n-th time.
    Boot(u64),
    /// Term and vote from here on.
    Ballot {
        /// The current term.
        term: Term,
        /// For whom the node has voted in it.
        vote: Option<NodeId>,
    },
    /// The log has this entry here and ends with it: what was at this place or behind is gone.
    Entry {
        /// Where.
        index: Index,
        /// What.
        entry: Arc<Entry>,
    },
    /// The state up to a place in the log; only ever the first record.
    Snapshot(Arc<Snapshot>),
}

/// What a node waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timer {
    /// The leader has been silent for the shortest election timeout.
    Silence,
    /// The random rest of the election timeout is over.
    Campaign,
    /// The leader's next heartbeat.
    Heartbeat,
    /// The leader counts who has answered.
    CheckQuorum,
    /// The seeded bug `ack-before-sync` gets round to its sync.
    LateSync,
    /// Open transactions are looked through for those that nobody goes on with.
    Sweep,
}
