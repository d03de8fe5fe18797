//! Single operations on registers as transactions of one operation each.

use crate::consistency::Operations;
use crate::history::History;
use crate::transactions::Table;

/// The operations `read`, `write` and `cas` of a history as a table of transactions, so that
/// sequential consistency is serializability of it. `None` where there are other operations, or
/// a write of `null`, which no read could tell from the initial value.
pub fn single_operations(history: &History) -> Option<Table> {
    Operations::of(history).ok().map(|operations| operations.table)
}
