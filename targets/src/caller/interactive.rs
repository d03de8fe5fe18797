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
