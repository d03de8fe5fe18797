//! Causal reverse: who sees a row sees also each row whose insertion had ended before that row's
//! began (Jepsen's `causal_reverse`).
//!
//! Of the rows that a reader saw, the one whose insertion began last decides: every insertion
//! that had ended by then must be seen. Going through a table's insertions in the order in which
//! they ended, the first that the reader did not see is the one that ended first; so a read costs
//! no more than what it has read.

use super::{EventType, Findings, results};
use crate::history::{History, OpIndex, OpView};
use crate::linearizable::words::describe;
use crate::value::Value;
use crate::verdict::CheckerReport;
use std::collections::{BTreeMap, BTreeSet};

/// The insertions of a table.
#[derive(Default)]
struct Table<'a> {
    /// By row.
    insertions: BTreeMap<&'a Value, OpView<'a>>,
    /// Those that succeeded, by when they ended.
    ended: BTreeMap<OpIndex, OpView<'a>>,
}

/// Judges a history.
pub(super) fn check(history: &History) -> CheckerReport {
    let mut findings = Findings::new("causal-reverse");
    let mut tables: BTreeMap<Option<&Value>, Table<'_>> = BTreeMap::new();
    for op in history.ops().filter(|op| matches!(op.f().as_str(), "write" | "insert")) {
        let table = tables.entry(op.key()).or_default();
        table.insertions.insert(op.input(), op);
        if let (EventType::Ok, Some(end)) = (op.outcome, op.complete) {
            table.ended.insert(end.index, op);
        }
    }
    let mut reads = 0;
    for (read, rows) in results(history, "read") {
        reads += 1;
        let Some(table) = tables.get(&read.key()) else { continue };
        let rows: BTreeSet<&Value> = rows.as_items().unwrap_or_default().iter().collect();
        let seen = rows.iter().filter_map(|row| table.insertions.get(row));
        let Some(last) = seen.max_by_key(|op| op.invoke.index) else { continue };
        let missed = table.ended.iter().find(|(_, op)| !rows.contains(op.input()));
        let Some((_, missed)) = missed.filter(|(end, _)| **end < last.invoke.index) else {
            continue;
        };
        findings.add("causal-reverse", [*missed, *last, read], || {
            format!(
                "{} saw row {} and not row {}, though {} began only after {} had ended.",
                reader(&read),
                last.input(),
                missed.input(),
                describe(last),
                describe(missed)
            )
        });
    }
    findings.report(reads, "no read succeeded")
}

/// A read without the many rows that it saw.
fn reader(read: &OpView<'_>) -> String {
    let rows = read.output().and_then(Value::as_items).map_or(0, <[Value]>::len);
    format!("A read of {rows} rows by process {}", read.process())
}

#[cfg(test)]
mod tests {
    use super::super::support::{history, kinds};
    use super::*;
    use crate::verdict::Valid;

    fn judge(reads: &str) -> CheckerReport {
        check(&history(&[
            "0 invoke write 5 1",
            "0 ok write 5 1",
            "0 invoke write 5 2",
            "1 invoke write 5 3",
            "1 ok write 5 3",
            "0 ok write 5 2",
            "2 invoke read 5 null",
            &format!("2 ok read 5 {reads}"),
        ]))
    }

    #[test]
    fn rows_become_visible_in_the_order_of_time() {
        for (rows, expected) in [
            ("[]", &[][..]),
            ("[1]", &[]),
            ("[1,2]", &[]),
            ("[3,1]", &[]),
            ("[1,2,3]", &[]),
            ("[2]", &["causal-reverse"]),
            ("[3,2]", &["causal-reverse"]),
        ] {
            assert_eq!(kinds(&judge(rows)), expected, "{rows}");
        }
        assert_eq!(check(&history(&[])).valid, Valid::Unknown);
    }

    #[test]
    fn an_insertion_of_unknown_fate_need_not_be_seen_but_counts_if_it_is() {
        let report = check(&history(&[
            "0 invoke write 5 1",
            "0 info write 5 1",
            "1 invoke write 5 2",
            "1 ok write 5 2",
            "4 invoke write 5 3",
            "2 invoke read 5 null",
            "2 ok read 5 [2]",
            "3 invoke read 5 null",
            "3 ok read 5 [3]",
        ]));
        assert_eq!(kinds(&report), ["causal-reverse"]);
        assert!(report.anomalies[0].explanation.contains("row 3 and not row 2"));
    }
}
