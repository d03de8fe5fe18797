//! State machine safety: no two nodes apply different entries at one place (paper, 5.4.3).

use super::commitment::Commitment;
use super::{Mirror, Step};

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
        if step.node.is_leader() {
            committed.hold(step.id, index, entry);
        } else {
            committed.add(step.id, index, entry)?;
        }
    }
    Ok(())
}
