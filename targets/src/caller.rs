//! One logical operation of a client, with its retries, as a state machine without I/O.
//!
//! A client is bound to one node, as Jepsen's clients are: a node that cannot serve must say
//! so, and is not quietly replaced by one that can. The real client and the simulator's
//! clients both drive a [`Caller`], so that both classify an operation in the same way.
//!
//! What makes a verdict on a history sound is that `Refused` and a definite error are only
//! reported when *no* attempt can have had an effect. A definite error speaks for the attempt
//! that it answers and for no other: an earlier attempt of the same session may still wait in
//! some log and be applied later, and no session table can call it back. So once one attempt
//! may have reached the target, only a real answer decides the operation; all else is unknown.
//!
//! An attempt that may have reached the target is repeated only where that does no harm: a
//! read has no effect, and a request with a session is applied once and answered alike each
//! time. A write without a session is sent again only while it certainly reached nobody.
//!
//! A transaction is asked for whole. If the target answers that it has begun an interactive one,
//! the caller goes on with its operations and its commit, each a request with retries of its own.

use crate::api::{Outcome, Request, Response, kv, orders, store, txn};
use crate::node::NodeId;
use interactive::Interactive;
use std::time::Duration;

mod interactive;
#[cfg(test)]
mod tests;

/// How patient a client is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// How long one attempt may take before it is given up and repeated.
    pub attempt: Duration,
    /// How long the whole operation may take.
    pub total: Duration,
    /// The rest before an attempt is repeated.
    pub pause: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Policy {
            attempt: Duration::from_millis(700),
            total: Duration::from_secs(3),
            pause: Duration::from_millis(50),
        }
    }
}

/// What became of the current attempt, or that time has passed.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The target answered it.
    Answered(Response),
    /// It certainly reached nobody: the connection was refused, nothing was sent.
    Refused(String),
    /// The connection broke; the request may have reached the target.
    Lost(String),
    /// The time that was set is there: the attempt takes too long, or the rest is over.
    Wake,
}

/// What the driver of a [`Caller`] does next. All times are of the driver's own clock, which
/// only ever goes forward.
#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Send `request` to `to`; report its fate, or [`Event::Wake`] at `until` and then forget
    /// the attempt: an answer that comes later must not be reported.
    Send {
        /// The node that this client is bound to.
        to: NodeId,
        /// The request; it keeps its session over all attempts.
        request: Request,
        /// Which attempt of this request it is, from 1.
        attempt: u32,
        /// When the attempt is given up.
        until: Duration,
    },
    /// Report [`Event::Wake`] at `until`.
    Wait {
        /// When.
        until: Duration,
    },
    /// The operation is over.
    Finish(Outcome),
}

/// One logical operation under way.
#[derive(Clone, Debug)]
pub struct Caller {
    policy: Policy,
    to: NodeId,
    /// What is asked now.
    request: Request,
    /// The transaction that is carried out step by step.
    interactive: Option<Interactive>,
    /// When the operation is given up.
    deadline: Duration,
    /// How many attempts of this request were made.
    attempts: u32,
    state: State,
    /// Whether some attempt may have had an effect, or may yet.
    reached: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Trying { until: Duration },
    Resting { until: Duration },
    Over,
}

/// What ends the operation if there is no time for another attempt.
enum Trouble {
    /// The target's own word that the attempt had no effect.
    Definite(Response),
    /// Whatever else went wrong.
    Other(String),
}

impl Caller {
    /// Begins an operation at `now`.
    pub fn start(policy: Policy, to: NodeId, request: Request, now: Duration) -> (Self, Next) {
        let mut caller = Caller {
            policy,
            to,
            request,
            interactive: None,
            deadline: now + policy.total,
            attempts: 0,
            state: State::Over,
            reached: false,
        };
        let next = caller.send(now);
        (caller, next)
    }

    /// Takes what happened. An event that does not fit (the fate of an attempt that was given
    /// up) changes nothing.
    pub fn on(&mut self, event: Event, now: Duration) -> Next {
        match (self.state, event) {
            (State::Trying { until }, Event::Wake) if now >= until => {
                self.may_have_reached();
                self.again(Trouble::Other("no answer in time".into()), now)
            }
            (State::Resting { until }, Event::Wake) if now >= until => self.send(now),
            (State::Trying { .. }, Event::Refused(why)) => self.again(Trouble::Other(why), now),
            (State::Trying { .. }, Event::Lost(why)) => {
                self.may_have_reached();
                self.again(Trouble::Other(why), now)
            }
            (State::Trying { .. }, Event::Answered(Response::Txn(response))) => {
                self.transacted(response, now)
            }
            (State::Trying { .. }, Event::Answered(response)) => self.answered(response, now),
            (State::Trying { until } | State::Resting { until }, _) => Next::Wait { until },
            (State::Over, _) => Next::Wait { until: Duration::MAX },
        }
    }

    fn answered(&mut self, response: Response, now: Duration) -> Next {
        let response = response.in_api_of(&self.request);
        match error_of(&response) {
            None => self.finish(Outcome::Answered(response)),
            Some((true, _)) => self.again(Trouble::Definite(response), now),
            Some((false, reason)) => {
                let reason = reason.to_owned();
                self.reached = true;
                self.again(Trouble::Other(reason), now)
            }
        }
    }

    /// What the answer means for a transaction, and what is next.
    fn transacted(&mut self, response: txn::Response, now: Duration) -> Next {
        match response {
            txn::Response::Begun { txn } => {
                if let Request::Txn(request) = &self.request {
                    self.interactive = Interactive::begun(request, txn);
                }
                self.go_on(now)
            }
            txn::Response::Step { step } => {
                if let Some(interactive) = &mut self.interactive {
                    interactive.done.push(step);
                }
                self.go_on(now)
            }
            txn::Response::Committed { ops } => {
                let whole = interactive::committed(self.interactive.as_ref(), ops);
                self.finish(Outcome::Answered(Response::Txn(whole)))
            }
            txn::Response::Gone { reason } if self.reached => {
                self.finish(Outcome::Unknown(format!("{reason}, its commit may have arrived")))
            }
            over @ (txn::Response::Aborted { .. } | txn::Response::Gone { .. }) => {
                self.finish(Outcome::Answered(Response::Txn(over)))
            }
            refused @ txn::Response::Refused { .. } => {
                self.again(Trouble::Definite(Response::Txn(refused)), now)
            }
            txn::Response::Unknown { reason } => {
                self.may_have_reached();
                self.again(Trouble::Other(reason), now)
            }
        }
    }

    /// The next request of a transaction that is carried out step by step.
    fn go_on(&mut self, now: Duration) -> Next {
        let Some(interactive) = &self.interactive else {
            self.may_have_reached();
            return self.again(Trouble::Other("an answer to nothing that was asked".into()), now);
        };
        self.request = Request::Txn(interactive.next());
        (self.reached, self.attempts) = (false, 0);
        if now >= self.deadline {
            let why = "no time is left for its commit".to_owned();
            return self.finish(Outcome::Refused(why));
        }
        self.send(now)
    }

    /// An attempt may have arrived; if it has, it may have an effect.
    fn may_have_reached(&mut self) {
        self.reached |= match &self.request {
            Request::Kv(_) | Request::Orders(_) | Request::Store(_) => true,
            Request::Txn(request) => interactive::has_effect(request),
        };
    }

    /// Another attempt after a rest, if there is time for one and it does no harm.
    fn again(&mut self, trouble: Trouble, now: Duration) -> Next {
        let until = now + self.policy.pause;
        if until < self.deadline && (!self.reached || repeatable(&self.request)) {
            self.state = State::Resting { until };
            return Next::Wait { until };
        }
        let attempts = self.attempts;
        self.finish(match trouble {
            Trouble::Definite(response) if !self.reached => Outcome::Answered(response),
            Trouble::Definite(response) => {
                let reason = error_of(&response).map_or("", |(_, reason)| reason);
                Outcome::Unknown(format!("{reason} (an earlier attempt may have arrived)"))
            }
            Trouble::Other(why) if !self.reached => Outcome::Refused(why),
            Trouble::Other(why) if attempts == 1 => Outcome::Unknown(why),
            Trouble::Other(why) => Outcome::Unknown(format!("{why} (attempt {attempts})")),
        })
    }

    fn send(&mut self, now: Duration) -> Next {
        // One that cannot be repeated gets all the time there is.
        let patience =
            if repeatable(&self.request) { self.policy.attempt } else { self.policy.total };
        let until = (now + patience).min(self.deadline);
        self.attempts += 1;
        self.state = State::Trying { until };
        let request = self.request.clone();
        Next::Send { to: self.to, request, attempt: self.attempts, until }
    }

    fn finish(&mut self, outcome: Outcome) -> Next {
        self.state = State::Over;
        Next::Finish(outcome)
    }
}

/// Whether a request that may have reached the target may be sent again: its effect is then
/// still the effect of one.
fn repeatable(request: &Request) -> bool {
    match request {
        Request::Kv(kv) => kv.session.is_some() || matches!(kv.op, kv::Op::Read { .. }),
        // Orders have names, and whatever is done to one by name may be repeated.
        Request::Orders(_) => true,
        Request::Txn(txn) => txn.session.is_some() || !interactive::has_effect(txn),
        Request::Store(store) => store.session.is_some() || store.op.reads(),
    }
}

/// If `response` is an error: whether it is definite, and its reason.
fn error_of(response: &Response) -> Option<(bool, &str)> {
    match response {
        Response::Kv(kv::Response::Error { definite, reason })
        | Response::Orders(orders::Response::Error { definite, reason })
        | Response::Store(store::Response::Error { definite, reason }) => Some((*definite, reason)),
        Response::Txn(txn::Response::Refused { reason }) => Some((true, reason)),
        Response::Kv(_) | Response::Orders(_) | Response::Store(_) | Response::Txn(_) => None,
    }
}
