//! A whole transaction carried out step by step, for targets that begin an interactive one when
//! they are asked for a whole.
//!
//! Until its commit is asked for, a transaction has no effect, whatever becomes of its steps. So
//! only the commit leaves an outcome open.

use crate::api::kv::Session;
use crate::api::txn::{MicroOp, Op, Request, Response, TxnId};

/// A transaction under way.
#[derive(Clone, Debug)]
pub(super) struct Interactive {
    txn: TxnId,
    session: Option<Session>,
    ops: Vec<MicroOp>,
    /// The results so far.
    pub(super) done: Vec<MicroOp>,
}

impl Interactive {
    /// The one that was begun in answer to `request`, if that asked for a whole.
    pub(super) fn begun(request: &Request, txn: TxnId) -> Option<Interactive> {
        let Request { op: Op::Txn { ops }, session } = request else { return None };
        Some(Interactive { txn, session: *session, ops: ops.clone(), done: Vec::new() })
    }

    /// What is asked next: the operation behind those that are done, or the commit.
    pub(super) fn next(&self) -> Request {
        let (txn, number) = (self.txn, self.done.len() as u32 + 1);
        match self.ops.get(self.done.len()) {
            Some(step) => {
                let op = Op::Step { txn, number, step: step.clone() };
                Request { op, session: None }
            }
            None => Request { op: Op::Commit { txn }, session: self.session },
        }
    }
}

/// Whether a request can have an effect.
pub(super) fn has_effect(request: &Request) -> bool {
    matches!(request.op, Op::Txn { .. } | Op::Commit { .. })
}

/// The operations' results in an answer that all is done.
pub(super) fn committed(interactive: Option<&Interactive>, ops: Vec<MicroOp>) -> Response {
    match interactive {
        Some(interactive) => Response::Committed { ops: interactive.done.clone() },
        None => Response::Committed { ops },
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Caller, Event, Next, Policy};
    use super::*;
    use crate::api::txn::Kind;
    use crate::api::{self, Outcome};
    use crate::node::NodeId;
    use proptest::prelude::*;
    use serde_json::json;
    use std::time::Duration;

    /// What becomes of an attempt.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Fate {
        /// It is served and answered.
        Fine,
        /// Nobody listens.
        Refused,
        /// It is served; the answer is lost.
        Unheard,
        /// It is lost on its way, but may arrive when all is over.
        Late,
        /// The node takes nothing now.
        Busy,
        /// The node takes it, does not know what will become of it, and serves it in the end.
        Doubt,
        /// The node starts anew and knows no transaction any more.
        Restart,
        /// As `Fine`, but the transaction conflicts with another.
        Conflict,
    }

    /// A target with one transaction in it.
    #[derive(Debug)]
    struct Target {
        whole: bool,
        open: bool,
        /// How it ended in the log: by session, once.
        end: Option<bool>,
    }

    impl Target {
        fn serve(&mut self, request: &Request, conflict: bool) -> Response {
            let gone = || Response::Gone { reason: "no such transaction".into() };
            match &request.op {
                Op::Txn { ops } if self.whole => self.commit(conflict, ops.clone()),
                Op::Txn { .. } => {
                    self.open = true;
                    Response::Begun { txn: TxnId { boot: 1, number: 1 } }
                }
                Op::Step { step, .. } if self.open => Response::Step { step: step.clone() },
                Op::Commit { .. } if self.open => self.commit(conflict, Vec::new()),
                _ => gone(),
            }
        }

        fn commit(&mut self, conflict: bool, ops: Vec<MicroOp>) -> Response {
            if *self.end.get_or_insert(!conflict) {
                Response::Committed { ops }
            } else {
                Response::Aborted { reason: "conflict".into() }
            }
        }
    }

    /// Plays a transaction of `ops` operations; returns what its client knows in the end.
    fn play(target: &mut Target, ops: usize, fates: &[Fate]) -> (Outcome, usize) {
        let steps = vec![MicroOp(Kind::R, "x".into(), json!(null)); ops];
        let session = Some(Session { client: 1, seq: 1 });
        let request = Request { op: Op::Txn { ops: steps }, session };
        let mut now = Duration::ZERO;
        let start = api::Request::Txn(request);
        let (mut caller, mut next) = Caller::start(Policy::default(), NodeId(1), start, now);
        let (mut fates, mut late, mut sent) = (fates.iter(), Vec::new(), 0);
        loop {
            let event = match next {
                Next::Finish(outcome) => {
                    for request in &late {
                        target.serve(request, false);
                    }
                    return (outcome, sent);
                }
                Next::Wait { until } => {
                    now = until;
                    Event::Wake
                }
                Next::Send { request: api::Request::Txn(request), until, .. } => {
                    sent += 1;
                    let fate = fates.next().copied().unwrap_or(Fate::Fine);
                    let event = attempt(target, &request, fate, &mut late);
                    now = if event == Event::Wake { until } else { now + Duration::from_millis(1) };
                    event
                }
                Next::Send { request, .. } => panic!("{request:?} is of another api"),
            };
            next = caller.on(event, now);
        }
    }

    fn attempt(
        target: &mut Target,
        request: &Request,
        fate: Fate,
        late: &mut Vec<Request>,
    ) -> Event {
        let reason = || "why".to_owned();
        let said = |response| Event::Answered(api::Response::Txn(response));
        match fate {
            Fate::Fine => said(target.serve(request, false)),
            Fate::Conflict => said(target.serve(request, true)),
            Fate::Refused => Event::Refused(reason()),
            Fate::Busy => said(Response::Refused { reason: reason() }),
            Fate::Unheard => {
                target.serve(request, false);
                Event::Lost(reason())
            }
            Fate::Late => {
                late.push(request.clone());
                Event::Wake
            }
            Fate::Doubt => {
                late.push(request.clone());
                said(Response::Unknown { reason: reason() })
            }
            Fate::Restart => {
                target.open = false;
                said(target.serve(request, false))
            }
        }
    }

    fn fate() -> impl Strategy<Value = Fate> {
        prop_oneof![
            6 => Just(Fate::Fine),
            1 => Just(Fate::Refused),
            1 => Just(Fate::Unheard),
            1 => Just(Fate::Late),
            1 => Just(Fate::Busy),
            1 => Just(Fate::Doubt),
            1 => Just(Fate::Restart),
            1 => Just(Fate::Conflict),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2_000))]

        /// What is said to have happened has, and what is said not to have never does.
        #[test]
        fn the_outcome_is_true(
            whole in any::<bool>(),
            ops in 0usize..4,
            fates in prop::collection::vec(fate(), 0..12),
        ) {
            let mut target = Target { whole, open: false, end: None };
            let (outcome, _) = play(&mut target, ops, &fates);
            match outcome {
                Outcome::Answered(api::Response::Txn(Response::Committed { ops: done })) => {
                    prop_assert_eq!((target.end, done.len()), (Some(true), ops));
                }
                Outcome::Answered(api::Response::Txn(Response::Aborted { .. })) => {
                    prop_assert_eq!(target.end, Some(false));
                }
                Outcome::Answered(_) | Outcome::Refused(_) => {
                    prop_assert!(target.end != Some(true), "failed, but committed");
                }
                Outcome::Unknown(_) => {}
            }
        }
    }

    #[test]
    fn without_trouble_each_operation_is_one_request() {
        for (whole, requests) in [(true, 1), (false, 5)] {
            let mut target = Target { whole, open: false, end: None };
            let (outcome, sent) = play(&mut target, 3, &[]);
            assert!(matches!(outcome, Outcome::Answered(_)), "{outcome:?}");
            assert_eq!((sent, target.end), (requests, Some(true)));
        }
    }

    #[test]
    fn only_the_commit_leaves_the_outcome_open() {
        for (at, open) in [(0, true), (1, false), (2, false), (3, true)] {
            let mut fates = vec![Fate::Fine; at];
            fates.extend([Fate::Unheard; 100]);
            let mut target = Target { whole: false, open: false, end: None };
            let (outcome, _) = play(&mut target, 2, &fates);
            assert_eq!(matches!(outcome, Outcome::Unknown(_)), open, "{at}: {outcome:?}");
        }
    }
}
