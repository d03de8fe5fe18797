//! One transaction and one key: do its reads agree with what it read and appended before?

use super::key::Key;
use crate::transactions::access::Access;
use crate::transactions::finding::{Finding, Findings};
use crate::transactions::kind::AnomalyKind;
use crate::transactions::scratch::Scratch;
use crate::transactions::table::{Action, ValueId};

/// Judges the accesses of one transaction to one key, in their order.
pub(super) fn judge(key: &Key<'_>, run: &[Access], findings: &mut Findings, scratch: &mut Scratch) {
    if run.len() < 2 {
        return;
    }
    own_order(key, run, findings, scratch);
    // What a read before has shown, and what was appended since (or since the beginning).
    let mut shown: Option<&[ValueId]> = None;
    let mut added: Vec<ValueId> = Vec::new();
    for (at, access) in run.iter().enumerate() {
        if let Action::Append(element) = access.action {
            added.push(element);
            continue;
        }
        let Some(elements) = key.list(access.action) else { continue };
        let agrees = match shown {
            Some(shown) => elements.strip_prefix(shown) == Some(added.as_slice()),
            None => elements.ends_with(&added),
        };
        if !agrees {
            tell_internal(key, *access, elements, shown, &added, findings);
        }
        future(key, &run[at..], elements, findings, scratch);
        (shown, added) = (Some(elements), Vec::new());
    }
}

/// A transaction's own appends stand in the order in which it made them, and none is shown
/// without those before it.
fn own_order(key: &Key<'_>, run: &[Access], findings: &mut Findings, scratch: &mut Scratch) {
    let mut last: Option<ValueId> = None;
    for access in run {
        let Action::Append(element) = access.action else { continue };
        let Some(before) = last.replace(element) else { continue };
        let (first, second) = (scratch.entry(before).place, scratch.entry(element).place);
        // What no read shows has no place, which is greater than any.
        if first <= second {
            continue;
        }
        let table = key.table;
        findings.add(AnomalyKind::IncompatibleOrder, || Finding {
            kind: AnomalyKind::IncompatibleOrder,
            text: format!(
                "{} appended {} to {} before it appended {}, but {} reads {}.",
                table.who(access.txn),
                table.value_words(before),
                table.key_words(key.id),
                table.value_words(element),
                key.reader_words(),
                table.elements_words(&key.order),
            ),
            txns: key.reader().into_iter().chain([access.txn]).collect(),
            evidence: key.evidence(&[("value", before), ("value'", element)]),
        });
    }
}

fn tell_internal(
    key: &Key<'_>,
    access: Access,
    elements: &[ValueId],
    shown: Option<&[ValueId]>,
    added: &[ValueId],
    findings: &mut Findings,
) {
    let table = key.table;
    findings.add(AnomalyKind::Internal, || {
        let name = table.key_words(key.id);
        let expected = match shown {
            Some(shown) => {
                let all: Vec<ValueId> = shown.iter().chain(added).copied().collect();
                format!(
                    "the transaction's own reads and appends before ask for {}",
                    table.elements_words(&all)
                )
            }
            None => format!("it had appended {} before", table.elements_words(added)),
        };
        let mut evidence = key.evidence(&[]);
        evidence.insert("value".into(), table.elements_json(elements));
        Finding {
            kind: AnomalyKind::Internal,
            text: format!(
                "{} read {} from {name}, but {expected}.",
                table.who(access.txn),
                table.elements_words(elements),
            ),
            txns: vec![access.txn],
            evidence,
        }
    });
}

/// A read that shows what the same transaction appended only later: `rest` begins with it.
fn future(
    key: &Key<'_>,
    rest: &[Access],
    elements: &[ValueId],
    findings: &mut Findings,
    scratch: &mut Scratch,
) {
    let prefix = key.is_prefix(elements);
    for later in &rest[1..] {
        let Action::Append(element) = later.action else { continue };
        let shown = if prefix {
            (scratch.entry(element).place as usize) < elements.len()
        } else {
            elements.contains(&element)
        };
        if !shown {
            continue;
        }
        let rest = || " before it appended it".to_owned();
        findings.add_read(AnomalyKind::FutureRead, key.shown(later.txn, element), None, rest);
        return;
    }
}
