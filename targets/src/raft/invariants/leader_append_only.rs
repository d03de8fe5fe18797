//! Leader append-only: a leader never overwrites or deletes entries of its log (paper, 5.3).

use super::Step;

pub(super) fn check(step: &Step<'_>) -> Result<(), String> {
    let leads_on =
        step.before.leads && step.node.is_leader() && step.before.term == step.node.term();
    let (id, last) = (step.id, step.before.last);
    if !leads_on {
        return Ok(());
    }
    if let Some((index, _)) = step.appended().find(|(index, _)| *index <= last) {
        return Err(format!("{id} leads and overwrites {index} of its {last} entries"));
    }
    if step.node.log().last() < last {
        return Err(format!(
            "{id} leads and cuts its {last} entries to {}",
            step.node.log().last()
        ));
    }
    Ok(())
}
