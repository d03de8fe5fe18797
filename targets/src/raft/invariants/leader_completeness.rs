//! Leader completeness: what is committed is in the logs of the leaders of all later terms
//! (paper, 5.4.3). Checked when a leader is elected.

use super::Step;
use super::commitment::Commitment;

pub(super) fn check(step: &Step<'_>, committed: &Commitment) -> Result<(), String> {
    if !step.elected() {
        return Ok(());
    }
    let (id, term, log) = (step.id, step.node.term(), step.node.log());
    let mut index = log.base().next();
    while let Some(entry) = committed.get(index) {
        // Entries of later terms may be committed already if this leader is late to know.
        if entry.term < term && log.term_at(index) != Some(entry.term) {
            return Err(format!(
                "{id} leads in term {term} without entry {index}, committed in term {}",
                entry.term
            ));
        }
        index = index.next();
    }
    Ok(())
}
