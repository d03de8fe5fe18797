//! The state machine: keys and values, and the sessions that make a retry harmless.
//!
//! It is a pure function of the committed entries in their order, so that every node comes to
//! the same state and to the same answers; also to whether a transaction commits.

use super::command::{Command, Response, Transact, Work, Write};
use super::log::{Index, Term};
use super::sessions::{Seen, Sessions};
use super::store::{Past, Store};
use super::txn::Draft;
use super::txn::Sight;
use crate::api::kv::{self, Op};
use crate::api::txn::{self, MicroOp};
use crate::bugs::Bug;
use crate::node::Config;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;

/// The values, and what was answered to whom.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Machine {
    values: Store,
    sessions: Sessions,
    /// Writes of a committed transaction that the seeded bug `fractured-read` puts off.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    put_off: Vec<Write>,
}

/// How entries are applied; the same on every node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// How many sessions are kept.
    pub sessions: usize,
    /// Whether sessions are not looked at (bug `double-apply`).
    pub double: bool,
    /// Whether a transaction takes effect in two parts (bug `fractured-read`).
    pub fractured: bool,
}

/// The machine's state behind the entry at `index`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The last entry that the state has in it.
    pub index: Index,
    /// That entry's term.
    pub term: Term,
    /// The state.
    pub machine: Machine,
}

impl Rules {
    /// As it should be, with so many sessions.
    pub fn correct(sessions: usize) -> Rules {
        Rules { sessions, double: false, fractured: false }
    }

    pub(super) fn of(config: &Config, sessions: usize) -> Rules {
        let (double, fractured) = (config.has(Bug::DoubleApply), config.has(Bug::FracturedRead));
        Rules { sessions, double, fractured }
    }
}

impl Machine {
    /// What a read of `key` answers in this state.
    pub fn read(&self, key: &str) -> Response {
        Response::Kv(kv::Response::Value { value: self.values.get(key) })
    }

    /// Applies the command of the entry at `index`; answers from the session table what was
    /// applied before. What is overwritten goes into `past`, if that wants it.
    pub fn apply(
        &mut self,
        command: &Command,
        index: Index,
        rules: Rules,
        past: &mut Past,
    ) -> Response {
        self.catch_up(index, past);
        // What has no effect may be done twice, and should not push others out of the table.
        let session = command.session().filter(|_| !rules.double && !command.looks_only());
        let Some(session) = session else { return self.perform(command, index, rules, past) };
        match self.sessions.look_up(session) {
            Seen::Answered(response) => response.clone(),
            Seen::Superseded => {
                command.unknown("a later request of this session was applied already")
            }
            Seen::Expired => {
                command.unknown("the session may have expired: a retry cannot be told")
            }
            Seen::New => {
                let response = self.perform(command, index, rules, past);
                self.sessions.record(session, index, response.clone(), rules.sessions);
                response
            }
        }
    }

    /// The entry at `index` is applied; also if it does nothing.
    pub(super) fn catch_up(&mut self, index: Index, past: &mut Past) {
        for write in std::mem::take(&mut self.put_off) {
            self.values.write(&write, index, past);
        }
    }

    /// Applies a command whether or not it was applied before.
    fn perform(
        &mut self,
        command: &Command,
        index: Index,
        rules: Rules,
        past: &mut Past,
    ) -> Response {
        match command {
            Command::Kv(request) => Response::Kv(self.single(&request.op, index, past)),
            Command::Txn(Transact { work, .. }) => Response::Txn(match work {
                Work::Whole { ops } => self.whole(ops, index, past),
                Work::Commit { unchanged, unchanged_below, writes } => {
                    let changed = unchanged
                        .iter()
                        .find(|(key, at)| self.values.changed(key) > **at)
                        .or_else(|| {
                            let below = |key: &str| self.values.changed_below(key);
                            unchanged_below.iter().find(|(key, at)| below(key) > **at)
                        });
                    if let Some((key, _)) = changed {
                        let reason = format!("conflict: another transaction has changed {key}");
                        return Response::Txn(txn::Response::Aborted { reason });
                    }
                    let now = if rules.fractured { writes.len().div_ceil(2) } else { writes.len() };
                    self.put_off = writes[now..].to_vec();
                    self.install(&writes[..now], index, past);
                    txn::Response::Committed { ops: Vec::new() }
                }
                Work::Place => txn::Response::Unknown { reason: "nothing was asked".to_owned() },
            }),
        }
    }

    fn single(&mut self, op: &Op, index: Index, past: &mut Past) -> kv::Response {
        match op {
            Op::Read { key } => kv::Response::Value { value: self.values.get(key) },
            Op::Write { key, value } => {
                self.values.put(key, value.clone(), index, past);
                kv::Response::Done
            }
            Op::Cas { key, old, new } => {
                let seen = self.values.get(key);
                if seen != *old {
                    return kv::Response::Mismatch { seen };
                }
                self.values.put(key, new.clone(), index, past);
                kv::Response::Done
            }
        }
    }

    /// A transaction that was sent whole: it sees the state of its place in the log, and itself.
    fn whole(&mut self, ops: &[MicroOp], index: Index, past: &mut Past) -> txn::Response {
        let mut draft = Draft::default();
        let sight = Sight::now(&self.values);
        let results: Result<Vec<MicroOp>, String> =
            ops.iter().map(|op| draft.perform(op, &sight)).collect();
        match results {
            Ok(ops) => {
                self.install(draft.writes(), index, past);
                txn::Response::Committed { ops }
            }
            Err(reason) => txn::Response::Aborted { reason },
        }
    }

    fn install(&mut self, writes: &[Write], index: Index, past: &mut Past) {
        for write in writes {
            self.values.write(write, index, past);
        }
    }

    /// What was answered to this command, if it was its session's last.
    pub fn answered(&self, command: &Command) -> Option<&Response> {
        match self.sessions.look_up(command.session()?) {
            Seen::Answered(response) => Some(response),
            _ => None,
        }
    }

    /// All values, by key.
    pub fn values(&self) -> BTreeMap<&str, &Value> {
        self.values.iter().map(|(key, value)| (key.as_str(), value)).collect()
    }

    pub(super) fn store(&self) -> &Store {
        &self.values
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::kv::{Request, Session};
    use crate::api::txn::Kind;
    use serde_json::json;

    const NINE: Rules = Rules { sessions: 9, double: false, fractured: false };

    fn done() -> Response {
        Response::Kv(kv::Response::Done)
    }

    fn apply(machine: &mut Machine, command: &Command, at: u64) -> Response {
        machine.apply(command, Index(at), NINE, &mut Past::default())
    }

    fn kv(op: Op, seq: u64) -> Command {
        Command::Kv(Request { op, session: Some(Session { client: 1, seq }) })
    }

    fn write(value: i64, seq: u64) -> Command {
        kv(Op::Write { key: "k".into(), value: value.into() }, seq)
    }

    fn transact(work: Work) -> Command {
        Command::Txn(Transact { work, session: None })
    }

    fn whole(ops: &[(Kind, &str, Value)]) -> Command {
        let ops = ops.iter().map(|(kind, key, value)| MicroOp(*kind, (*key).into(), value.clone()));
        transact(Work::Whole { ops: ops.collect() })
    }

    fn commit(unchanged: &[(&str, u64)], write: Write) -> Command {
        let unchanged = unchanged.iter().map(|(key, at)| ((*key).to_owned(), Index(*at))).collect();
        let (unchanged_below, writes) = (BTreeMap::new(), vec![write]);
        transact(Work::Commit { unchanged, unchanged_below, writes })
    }

    #[test]
    fn a_retry_is_answered_but_not_applied() {
        let mut machine = Machine::default();
        let cas = kv(Op::Cas { key: "k".into(), old: 1.into(), new: 2.into() }, 2);
        assert_eq!(apply(&mut machine, &write(1, 1), 1), done());
        assert_eq!(apply(&mut machine, &cas, 2), done());
        assert_eq!(apply(&mut machine, &cas, 3), done(), "the recorded answer");
        let two = Response::Kv(kv::Response::Value { value: 2.into() });
        assert_eq!(machine.read("k"), two);
        let late = apply(&mut machine, &write(1, 1), 4);
        assert!(matches!(late, Response::Kv(kv::Response::Error { definite: false, .. })));
        assert_eq!(machine.read("k"), two);
    }

    #[test]
    fn a_cas_says_what_it_saw() {
        let mut machine = Machine::default();
        let cas = |seq| kv(Op::Cas { key: "k".into(), old: 1.into(), new: 2.into() }, seq);
        let saw = |seen: Value| Response::Kv(kv::Response::Mismatch { seen });
        assert_eq!(apply(&mut machine, &cas(1), 1), saw(Value::Null));
        apply(&mut machine, &write(7, 2), 2);
        assert_eq!(apply(&mut machine, &cas(3), 3), saw(7.into()));
    }

    #[test]
    fn a_whole_transaction_sees_itself_and_aborts_without_a_trace() {
        let mut machine = Machine::default();
        let put = whole(&[
            (Kind::Append, "x", json!(1)),
            (Kind::R, "x", json!(null)),
            (Kind::Add, "y", json!(5)),
        ]);
        let Response::Txn(txn::Response::Committed { ops }) = apply(&mut machine, &put, 1) else {
            panic!("it commits");
        };
        assert_eq!(
            serde_json::to_value(&ops).unwrap(),
            json!([["append", "x", 1], ["r", "x", [1]], ["add", "y", 5]])
        );
        let before = machine.clone();
        for abort in [
            whole(&[(Kind::W, "x", json!(9)), (Kind::Take, "y", json!(6))]),
            whole(&[(Kind::W, "x", json!(9)), (Kind::None, "y", json!(null))]),
            whole(&[(Kind::W, "x", json!(9)), (Kind::Append, "y", json!(1))]),
        ] {
            let response = apply(&mut machine, &abort, 2);
            assert!(
                matches!(response, Response::Txn(txn::Response::Aborted { .. })),
                "{response:?}"
            );
            assert_eq!(machine, before);
        }
    }

    #[test]
    fn a_commit_stands_on_what_it_relied_on() {
        let mut machine = Machine::default();
        let set = |value: i64| Write::Set("x".into(), value.into());
        let committed = Response::Txn(txn::Response::Committed { ops: Vec::new() });
        assert_eq!(apply(&mut machine, &commit(&[("x", 0)], set(1)), 1), committed);
        let late = apply(&mut machine, &commit(&[("x", 0)], set(2)), 2);
        assert!(matches!(late, Response::Txn(txn::Response::Aborted { .. })), "{late:?}");
        assert_eq!(apply(&mut machine, &commit(&[("x", 1), ("y", 0)], set(3)), 3), committed);
        assert_eq!(machine.values()["x"], &json!(3));
        let below = BTreeMap::from([("x".to_owned(), Index(2))]);
        let (unchanged, writes) = (BTreeMap::new(), vec![set(4)]);
        let phantom = Work::Commit { unchanged, unchanged_below: below, writes };
        let response = apply(&mut machine, &transact(phantom), 4);
        assert!(matches!(response, Response::Txn(txn::Response::Aborted { .. })), "{response:?}");
    }
}
