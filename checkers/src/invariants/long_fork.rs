//! Long fork: readers of the same keys agree on one order of their writes (Jepsen's `long_fork`;
//! Sovran et al., *Transactional storage for geo-replicated systems*, SOSP 2011).
//!
//! Each key is written once, so a reader of a group of keys sees a set of writes. If there is one
//! order, any two such sets are one inside the other. Ordered by size, each must lie in the next:
//! comparing neighbours is enough, and the first that do not fit are the fork.

use super::{EventType, Findings};
use crate::history::{History, OpView};
use crate::linearizable::words::describe;
use crate::value::Value;
use crate::verdict::CheckerReport;
use std::collections::{BTreeMap, BTreeSet};

/// For each group of keys, the sets of writes that were seen, each with the first who saw it.
type Seen<'a> = BTreeMap<Vec<&'a Value>, BTreeMap<(usize, Vec<bool>), OpView<'a>>>;

/// Judges a history.
pub(super) fn check(history: &History) -> CheckerReport {
    let mut findings = Findings::new("long-fork");
    let mut written: BTreeSet<&Value> = BTreeSet::new();
    let mut seen: Seen<'_> = BTreeMap::new();
    let mut reads = 0;
    for op in history.ops() {
        let asked = micro_ops(op.input());
        for key in asked.iter().filter(|(kind, _, _)| *kind != "r").map(|(_, key, _)| *key) {
            if op.outcome != EventType::Fail && !written.insert(key) {
                let why = format!("key {key} is written twice, so that its readers tell nothing");
                return CheckerReport::unknown(why);
            }
        }
        let Some(done) = op.output().map(micro_ops) else { continue };
        if done.len() < 2 || done.iter().any(|(kind, _, _)| *kind != "r") {
            continue;
        }
        reads += 1;
        let mut pairs: Vec<(&Value, bool)> =
            done.iter().map(|(_, key, value)| (*key, !value.is_null())).collect();
        pairs.sort_unstable();
        let (keys, saw): (Vec<&Value>, Vec<bool>) = pairs.into_iter().unzip();
        let count = saw.iter().filter(|seen| **seen).count();
        seen.entry(keys).or_default().entry((count, saw)).or_insert(op);
    }
    for (keys, sets) in &seen {
        for (((_, small), one), ((_, large), other)) in sets.iter().zip(sets.iter().skip(1)) {
            let alone = |a: &[bool], b: &[bool]| (0..a.len()).find(|i| a[*i] && !b[*i]);
            let Some(first) = alone(small, large) else { continue };
            let Some(second) = alone(large, small) else { continue };
            findings.add("long-fork", [*one, *other], || {
                format!(
                    "{} saw the write of {} and not that of {}; {} saw that of {} and not that of \
                     {}: in no order of the two writes can both be.",
                    describe(one),
                    keys[first],
                    keys[second],
                    describe(other),
                    keys[second],
                    keys[first]
                )
            });
        }
    }
    findings.report(reads, "no read of a group succeeded")
}

/// Kind, key and value of each micro-operation.
fn micro_ops(value: &Value) -> Vec<(&str, &Value, &Value)> {
    let micro_op = |op| match Value::as_list(op)? {
        [kind, key, value] => Some((kind.as_str()?, key, value)),
        _ => None,
    };
    value.as_list().unwrap_or_default().iter().filter_map(micro_op).collect()
}

#[cfg(test)]
mod tests {
    use super::super::support::{history, kinds};
    use super::*;
    use crate::verdict::Valid;

    fn read(process: u8, values: [&str; 3]) -> [String; 2] {
        let [a, b, c] = values;
        let reads = |[a, b, c]: [&str; 3]| format!(r#"[["r",0,{a}],["r",1,{b}],["r",2,{c}]]"#);
        [
            format!("{process} invoke read - {}", reads(["null"; 3])),
            format!("{process} ok read - {}", reads([a, b, c])),
        ]
    }

    fn judge(reads: &[[&str; 3]]) -> CheckerReport {
        let mut lines = Vec::new();
        for key in 0..3 {
            lines.push(format!(r#"9 invoke write - [["w",{key},1]]"#));
            lines.push(format!(r#"9 ok write - [["w",{key},1]]"#));
        }
        lines.extend(reads.iter().flat_map(|values| read(1, *values)));
        check(&history(&lines.iter().map(String::as_str).collect::<Vec<_>>()))
    }

    #[test]
    fn sets_that_lie_in_each_other_are_no_fork() {
        let n = "null";
        assert_eq!(
            judge(&[[n, n, n], ["1", n, n], ["1", n, "1"], ["1", "1", "1"]]).valid,
            Valid::True
        );
        assert_eq!(kinds(&judge(&[["1", n, n], [n, "1", n]])), ["long-fork"]);
        assert_eq!(kinds(&judge(&[["1", n, n], ["1", "1", "1"], [n, "1", "1"]])), ["long-fork"]);
        assert_eq!(judge(&[]).valid, Valid::Unknown);
    }

    #[test]
    fn a_key_that_is_written_twice_tells_nothing() {
        let write = [r#"0 invoke write - [["w",7,1]]"#, r#"0 info write - [["w",7,1]]"#];
        let again = [r#"1 invoke write - [["w",7,1]]"#, r#"1 ok write - [["w",7,1]]"#];
        assert_eq!(check(&history(&[write, again].concat())).valid, Valid::Unknown);
    }
}
