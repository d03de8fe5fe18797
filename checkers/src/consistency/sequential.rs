//! Sequential consistency: one order of all operations that keeps that of each process.
//!
//! It is serializability of transactions of one operation each. How much breaks it is counted by
//! keys: those of the evidence are taken out and what is left is judged again, so that each part
//! counted has no order by itself. Parts are found one after the other, hence at least so many.

use super::{Options, core};
use crate::transactions::registers::Registers;
use crate::transactions::serial::{self, Model};
use crate::transactions::weak::Findings;
use crate::transactions::{KeyId, Table, TxnId};
use crate::verdict::Anomaly;
use std::collections::BTreeSet;

/// The search for an order takes no more steps than this.
const STEPS_MAX: u64 = 20_000_000;
/// What is left of a history is judged with at most so many.
const STEPS_A_PART: u64 = 100_000;
/// And as long as all that is judged has no more operations than this.
const OPERATIONS_MAX: usize = 4_000_000;

/// Whether there is an order.
pub(super) fn check(registers: &Registers<'_>, options: &Options<'_>) -> Findings {
    within(registers, options, STEPS_MAX)
}

fn within(registers: &Registers<'_>, options: &Options<'_>, steps: u64) -> Findings {
    let stopped = || options.stop.is_some_and(|stop| stop());
    let options = serial::Options { steps: options.steps.min(steps), stop: Some(&stopped) };
    serial::check(registers, Model::SessionSerializable, &options)
}

/// How many keys belong to parts without an order, the first of which `anomalies` show.
pub(super) fn keys_broken(
    registers: &Registers<'_>,
    anomalies: &[Anomaly],
    options: &Options<'_>,
) -> u64 {
    let table = registers.table();
    let mut broken = keys_of(table, anomalies);
    let mut judged = 2 * registers.len();
    while judged <= OPERATIONS_MAX {
        let rest = without(table, &broken);
        judged += rest.len();
        let found = within(&Registers::new(&rest), options, STEPS_A_PART);
        let before = broken.len();
        broken.extend(keys_of(table, &found.anomalies));
        if broken.len() == before {
            break;
        }
    }
    broken.len() as u64
}

/// The keys of the operations that anomalies name.
fn keys_of(table: &Table, anomalies: &[Anomaly]) -> BTreeSet<KeyId> {
    let named: BTreeSet<_> = anomalies.iter().flat_map(|anomaly| &anomaly.ops).collect();
    let is_named = |txn| {
        let row = table.txn(txn);
        [row.invoke, row.complete].iter().flatten().any(|event| named.contains(event))
    };
    let rows = table.ids().filter(|id| is_named(*id));
    rows.flat_map(|id| table.ops(id)).map(|op| op.key).collect()
}

/// The operations on other keys.
fn without(table: &Table, gone: &BTreeSet<KeyId>) -> Table {
    let elsewhere = |id: &TxnId| !table.ops(*id).iter().any(|op| gone.contains(&op.key));
    let rows = table.ids().filter(elsewhere);
    core::some_rows(table, rows.map(|id| (id, table.txn(id).outcome, true)))
}
