//! G2: of the insertions into a group that each need it to be empty at most one succeeds
//! (Jepsen's `adya`; Adya, *Weak Consistency*, 1999: a cycle with predicate anti-dependencies).

use super::{Findings, results};
use crate::history::{History, OpView};
use crate::linearizable::words::describe;
use crate::value::Value;
use crate::verdict::CheckerReport;
use std::collections::BTreeMap;

/// Judges a history.
pub(super) fn check(history: &History) -> CheckerReport {
    let mut findings = Findings::new("g2");
    let mut first: BTreeMap<&Value, OpView<'_>> = BTreeMap::new();
    let mut inserted = 0;
    for (op, _) in results(history, "insert") {
        let Some(group) = op.key() else { continue };
        inserted += 1;
        let earlier = *first.entry(group).or_insert(op);
        if earlier.position != op.position {
            findings.add("G2", [earlier, op], || {
                format!(
                    "Both {} and {} found group {group} empty, and both put a row into it: \
                     whichever came second must have seen the other's.",
                    describe(&earlier),
                    describe(&op)
                )
            });
        }
    }
    findings.detail("groups", first.len());
    findings.report(inserted, "no insertion succeeded")
}

#[cfg(test)]
mod tests {
    use super::super::support::{history, kinds};
    use super::*;
    use crate::verdict::Valid;

    #[test]
    fn two_insertions_into_one_group_are_one_too_many() {
        let insert = |process: u8, how: &str, group: u8, row: u8| {
            [
                format!("{process} invoke insert {group} {row}"),
                format!("{process} {how} insert {group} {row}"),
            ]
        };
        let judge = |inserts: &[[String; 2]]| {
            let lines = inserts.concat();
            check(&history(&lines.iter().map(String::as_str).collect::<Vec<_>>()))
        };
        let one = [insert(0, "ok", 0, 0), insert(1, "fail", 0, 1), insert(2, "ok", 1, 2)];
        assert_eq!(judge(&one).valid, Valid::True);
        let two = [insert(0, "ok", 0, 0), insert(1, "ok", 0, 1)];
        assert_eq!(kinds(&judge(&two)), ["G2"]);
        assert_eq!(judge(&[insert(0, "info", 0, 0)]).valid, Valid::Unknown);
    }
}
