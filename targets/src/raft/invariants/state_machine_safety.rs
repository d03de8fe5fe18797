//! State machine safety: no two nodes apply different entries at one place (paper, 5.4.3).

use super::commitment::Commitment;
use super::{Mirror, Step};
use std::sync::Arc;

pub(super) fn check(
    step: &Step<'_>,
    mirror: &mut Mirror,
    committed: &mut Commitment,
) -> Result<(), String> {
    let mut index = step.before.applied;
    while index < step.node.applied() {
        index = index.next();
        // A place that a snapshot has jumped over was applied by another node.
        let Some(entry) = mirror.remove(&index) else { continue };
        match committed.get(index) {
            Some(first) if Arc::ptr_eq(first, &entry) || *first == entry => {}
            Some(first) => {
                return Err(format!(
                    "{} applies an entry of term {} at {index}, where another of term {} was applied",
                    step.id, entry.term, first.term
                ));
            }
            None if index == committed.last().next() => committed.push(entry),
            None => return Err(format!("{} applies {index} before what is before it", step.id)),
        }
    }
    Ok(())
}
