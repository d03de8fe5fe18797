//! Writes a valid history of transactions as JSON lines, to measure from the file to the verdict.
//!
//! ```text
//! cargo run --release -p quorate-checkers --example transactions -- append 1000000 10 > big.jsonl
//! /usr/bin/time -v target/release/quorate check big.jsonl
//! ```
//!
//! Arguments: the workload (`append` or `wr`), how many transactions, how many clients. The shape
//! is that of the bench `transactions`, and the same arguments give the same bytes.

#[path = "../tests/transactions_support/database.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod database;

use database::{Isolation, Load, simulate};
use quorate_checkers::history::jsonl;
use quorate_checkers::transactions::Workload;
use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some(load) = load(&arguments) else {
        eprintln!("usage: transactions append|wr TRANSACTIONS CLIENTS > history.jsonl");
        return ExitCode::from(2);
    };
    let history = simulate(load);
    let mut output = BufWriter::new(io::stdout().lock());
    let written = jsonl::write(&mut output, history.events()).and_then(|()| output.flush());
    match written {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("the history cannot be written: {error}");
            ExitCode::FAILURE
        }
    }
}

fn load(arguments: &[String]) -> Option<Load> {
    let [workload, transactions, clients] = arguments else { return None };
    let workload = [Workload::Append, Workload::Register]
        .into_iter()
        .find(|known| known.name() == workload)?;
    let load = Load::new(workload, Isolation::StrictSerializable, 1);
    let clients = clients.parse().ok().filter(|clients| *clients > 0)?;
    Some(Load { transactions: transactions.parse().ok()?, clients, ..load })
}
