//! The lease on being the orchestrator (Gray & Cheriton, *Leases*, SOSP 1989), and its fencing
//! tokens (Kleppmann, *How to do distributed locking*, 2016).
//!
//! A lease ends by itself: its holder stops before its end, and the registrar grants it to another
//! only after. But a holder that is paused cannot stop, and goes on for a moment when it wakes.
//! So each grant has a token, greater than all before it, which the holder shows with whatever it
//! asks; who has seen a greater one refuses.
//!
//! The registrar also knows whether the other orchestrator has all that the holder has acted on
//! (`paired`). Only then may the lease pass to it: else orders would be forgotten. The holder
//! itself, or its next life, is always granted.

use super::message::{Ask, Lease, Token, Word};
use crate::node::NodeId;

/// What the registrar does with a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Decision {
    /// What it answers, if it does.
    pub(super) word: Option<Word>,
    /// What has to be on disk before.
    pub(super) persist: Option<Lease>,
    /// Whether the lease runs anew from now.
    pub(super) extend: bool,
}

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Registrar {
    lease: Option<Lease>,
    /// Whether the lease has not ended yet, for all that is known here.
    running: bool,
}

impl Registrar {
    /// Takes in what was on disk.
    pub(super) fn replay(&mut self, lease: Lease) {
        self.lease = Some(lease);
    }

    /// A registrar that has just started does not know when the lease was extended last, and
    /// takes it to be now. Returns whether there is one.
    pub(super) fn start(&mut self) -> bool {
        self.running = self.lease.is_some();
        self.running
    }

    /// The lease has ended.
    pub(super) fn expire(&mut self) {
        self.running = false;
    }

    /// Answers a question.
    pub(super) fn decide(&mut self, from: NodeId, ask: Ask) -> Decision {
        match ask {
            Ask::Acquire { nonce } => self.acquire(from, nonce),
            Ask::Renew { token, nonce } => match self.held_under(token) {
                Ok(_) => {
                    self.running = true;
                    Decision { word: Some(Word::Renewed { nonce }), persist: None, extend: true }
                }
                Err(held) => held,
            },
            Ask::Pair { token, version, paired } => match self.held_under(token) {
                Ok(lease) if version < lease.version => {
                    Decision { word: None, persist: None, extend: false }
                }
                Ok(lease) => {
                    let lease = Lease { version, paired, ..lease };
                    self.lease = Some(lease);
                    let word = Some(Word::Noted { version });
                    Decision { word, persist: Some(lease), extend: false }
                }
                Err(held) => held,
            },
        }
    }

    fn acquire(&mut self, from: NodeId, nonce: u64) -> Decision {
        let (token, paired) = match self.lease {
            None => (Token(1), false),
            Some(lease) if lease.holder == from && lease.nonce == nonce => {
                let word = Some(granted(lease));
                return Decision { word, persist: None, extend: false };
            }
            Some(lease) if lease.holder != from && (self.running || !lease.paired) => {
                return held(lease);
            }
            Some(lease) => (Token(lease.token.0 + 1), lease.paired && lease.holder == from),
        };
        let lease = Lease { token, holder: from, nonce, paired, version: 0 };
        self.lease = Some(lease);
        self.running = true;
        Decision { word: Some(granted(lease)), persist: Some(lease), extend: true }
    }

    /// The lease, if it is held under this token.
    fn held_under(&self, token: Token) -> Result<Lease, Decision> {
        match self.lease {
            Some(lease) if lease.token == token => Ok(lease),
            Some(lease) => Err(held(lease)),
            None => Err(Decision { word: None, persist: None, extend: false }),
        }
    }
}

fn granted(lease: Lease) -> Word {
    Word::Granted { nonce: lease.nonce, token: lease.token, paired: lease.paired }
}

fn held(lease: Lease) -> Decision {
    let word = Some(Word::Held { holder: lease.holder, token: lease.token });
    Decision { word, persist: None, extend: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: NodeId = NodeId(1);
    const OTHER: NodeId = NodeId(5);

    fn acquire(registrar: &mut Registrar, from: NodeId, nonce: u64) -> Option<Word> {
        registrar.decide(from, Ask::Acquire { nonce }).word
    }

    #[test]
    fn it_passes_on_only_when_it_ended_and_the_other_has_all() {
        let mut registrar = Registrar::default();
        let first = Word::Granted { nonce: 7, token: Token(1), paired: false };
        assert_eq!(acquire(&mut registrar, ONE, 7), Some(first));
        assert_eq!(acquire(&mut registrar, ONE, 7), Some(first), "a copy is not another grant");
        let held = Some(Word::Held { holder: ONE, token: Token(1) });
        registrar.expire();
        assert_eq!(acquire(&mut registrar, OTHER, 1), held, "it would forget orders");
        let pair = |paired, version| Ask::Pair { token: Token(1), version, paired };
        assert_eq!(registrar.decide(ONE, pair(true, 3)).word, Some(Word::Noted { version: 3 }));
        assert_eq!(registrar.decide(ONE, pair(false, 2)).word, None, "it comes late");
        assert!(registrar.decide(ONE, Ask::Renew { token: Token(1), nonce: 1 }).extend);
        assert_eq!(acquire(&mut registrar, OTHER, 2), held, "it has not ended");
        registrar.expire();
        let second = Word::Granted { nonce: 3, token: Token(2), paired: false };
        assert_eq!(acquire(&mut registrar, OTHER, 3), Some(second));
        let late = registrar.decide(ONE, Ask::Renew { token: Token(1), nonce: 2 });
        assert_eq!(late.word, Some(Word::Held { holder: OTHER, token: Token(2) }));
    }
}
