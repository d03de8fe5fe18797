//! Client sessions (thesis, 6.3): each client's last request and its answer, so that a request
//! which arrives twice is applied once. The client waits for one request before it makes the
//! next, so one answer a client is enough.
//!
//! The table is part of the replicated state and bounded: when it is full, the client whose last
//! request is oldest *in the log* is forgotten, on every node alike. A retry of a forgotten
//! client must not be taken for a new request. So the highest number of a forgotten client is
//! kept, and an unknown client at or below it is refused with an error that leaves the outcome
//! open: it may be new, it may be a retry. Clients are numbered upwards, so a really new one is
//! above, except for one that sat idle from its birth while thousands came and went.

use super::command::Response;
use super::log::Index;
use crate::api::kv::Session;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "Saved", into = "Saved")]
pub(super) struct Sessions {
    clients: BTreeMap<u64, Last>,
    /// Clients by the place of their last request.
    ages: BTreeMap<Index, u64>,
    /// The highest number of a client that was forgotten.
    forgotten: Option<u64>,
}

/// A client's last request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
struct Last {
    seq: u64,
    at: Index,
    response: Response,
}

/// The form in snapshots: ages follow from the rest.
#[derive(Serialize, Deserialize)]
struct Saved {
    clients: Vec<(u64, Last)>,
    forgotten: Option<u64>,
}

/// What the table knows of a request.
#[derive(Debug, PartialEq)]
pub(super) enum Seen<'a> {
    /// It was not applied yet.
    New,
    /// It was applied, with this answer.
    Answered(&'a Response),
    /// The client went on to a later request; whether this one was applied is not known.
    Superseded,
    /// It may have been applied by a client that was forgotten.
    Expired,
}

impl Sessions {
    pub(super) fn look_up(&self, session: Session) -> Seen<'_> {
        match self.clients.get(&session.client) {
            Some(last) if last.seq == session.seq => Seen::Answered(&last.response),
            Some(last) if last.seq > session.seq => Seen::Superseded,
            None if self.forgotten.is_some_and(|highest| session.client <= highest) => {
                Seen::Expired
            }
            Some(_) | None => Seen::New,
        }
    }

    /// Notes the answer to a request that was just applied at `at`, and forgets the oldest
    /// client if there are more than `limit` now.
    pub(super) fn record(&mut self, session: Session, at: Index, response: Response, limit: usize) {
        let last = Last { seq: session.seq, at, response };
        if let Some(before) = self.clients.insert(session.client, last) {
            self.ages.remove(&before.at);
        }
        self.ages.insert(at, session.client);
        if self.clients.len() > limit
            && let Some((_, client)) = self.ages.pop_first()
        {
            self.clients.remove(&client);
            self.forgotten = self.forgotten.max(Some(client));
        }
        debug_assert_eq!(self.ages.len(), self.clients.len(), "one age a client");
    }
}

impl From<Saved> for Sessions {
    fn from(saved: Saved) -> Sessions {
        let ages = saved.clients.iter().map(|(client, last)| (last.at, *client)).collect();
        Sessions { clients: saved.clients.into_iter().collect(), ages, forgotten: saved.forgotten }
    }
}

impl From<Sessions> for Saved {
    fn from(sessions: Sessions) -> Saved {
        Saved { clients: sessions.clients.into_iter().collect(), forgotten: sessions.forgotten }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kv;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    const DONE: Response = Response::Kv(kv::Response::Done);

    #[test]
    fn a_forgotten_client_is_not_taken_for_a_new_one() {
        let mut sessions = Sessions::default();
        for client in 1..=3 {
            sessions.record(Session { client, seq: 1 }, Index(client), DONE, 2);
        }
        assert_eq!(sessions.look_up(Session { client: 1, seq: 1 }), Seen::Expired);
        assert_eq!(sessions.look_up(Session { client: 1, seq: 2 }), Seen::Expired);
        assert_eq!(sessions.look_up(Session { client: 2, seq: 1 }), Seen::Answered(&DONE));
        assert_eq!(sessions.look_up(Session { client: 4, seq: 1 }), Seen::New);
    }

    proptest! {
        /// Whatever comes in whatever order, no request is new twice; and the table survives a
        /// snapshot.
        #[test]
        fn applied_once(
            requests in prop::collection::vec((0u64..6, 0u64..4), 0..60),
            limit in 1usize..5,
        ) {
            let mut sessions = Sessions::default();
            let mut applied = BTreeSet::new();
            for (at, (client, seq)) in requests.into_iter().enumerate() {
                let session = Session { client, seq };
                if sessions.look_up(session) == Seen::New {
                    prop_assert!(applied.insert((client, seq)), "{session:?} was applied twice");
                    sessions.record(session, Index(at as u64), DONE, limit);
                }
                prop_assert!(sessions.clients.len() <= limit);
                let text = serde_json::to_string(&sessions).unwrap();
                prop_assert_eq!(serde_json::from_str::<Sessions>(&text).unwrap(), sessions.clone());
            }
        }
    }
}
