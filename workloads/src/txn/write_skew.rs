//! Write skew: two transactions that each read what the other is about to write (Berenson et
//! al., *A Critique of ANSI SQL Isolation Levels*, 1995: A5B).
//!
//! Keys come in pairs. Two transactions at the same time read both keys of a pair, and each
//! writes another one of them. In every serial order the second sees what the first has written;
//! under snapshot isolation neither need. Operations are `txn` with micro-operations.

use super::{ask_each, decode, encode, read_value, value_of};
use crate::generator::source::from_fn;
use crate::generator::{Combine, Context, Generator, Invocation};
use crate::options::{OptionError, Options};
use crate::workload::{Completion, Workload};
use quorate_checkers::value::Name;
use quorate_targets::api::{Outcome, Request, kv::Session};
use quorate_targets::node::NodeId;

/// See the [module](self).
#[derive(Debug)]
pub struct WriteSkew {
    nodes: Vec<NodeId>,
}

impl WriteSkew {
    /// For these nodes. There are no options.
    pub fn new(options: &Options, nodes: &[NodeId]) -> Result<WriteSkew, OptionError> {
        options.expect_only(&[])?;
        Ok(WriteSkew { nodes: nodes.to_vec() })
    }
}

impl Workload for WriteSkew {
    fn main(&mut self) -> Box<dyn Generator> {
        let name = Name::from("txn");
        let mut fresh = 0;
        let transaction = move |_: &Context<'_>| {
            let pair = [fresh - fresh % 2, fresh - fresh % 2 + 1];
            let ops = vec![read_value(pair[0]), read_value(pair[1]), value_of("w", fresh, 1)];
            fresh += 1;
            Some(Invocation::new(name.clone()).value(ops))
        };
        from_fn(transaction).boxed()
    }

    fn finale(&mut self) -> Box<dyn Generator> {
        let reads = vec![read_value(0), read_value(1)];
        ask_each(&self.nodes, &Invocation::new("txn").value(reads))
    }

    fn encode(&self, invocation: &Invocation, session: Session) -> Request {
        encode(invocation, session)
    }

    fn decode(&self, invocation: &Invocation, outcome: Outcome) -> Completion {
        decode(invocation, outcome)
    }
}
