//! Terms and commits only grow while a node lives (paper, 5.1 and 5.3), and what is applied is
//! committed.

use super::Step;

pub(super) fn check(step: &Step<'_>) -> Result<(), String> {
    let (id, node, before) = (step.id, step.node, &step.before);
    if node.term() < before.term {
        return Err(format!("{id} goes back from term {} to {}", before.term, node.term()));
    }
    if node.commit() < before.commit {
        return Err(format!("{id} goes back from commit {} to {}", before.commit, node.commit()));
    }
    if node.applied() > node.commit() {
        return Err(format!("{id} applied {} of {}", node.applied(), node.commit()));
    }
    Ok(())
}
