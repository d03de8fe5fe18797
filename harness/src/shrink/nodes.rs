//! A plan on a smaller cluster: what concerned nodes that are not there any more concerns others.

use crate::nemesis::{Action, Aim, Cut, Grudge};
use crate::plan::Plan;
use quorate_targets::node::NodeId;

/// The same with `size` nodes.
pub(super) fn reduced(plan: &Plan, size: u16) -> Plan {
    let mut plan = plan.clone();
    plan.nodes = size;
    let place = |node: NodeId| NodeId((node.0.max(1) - 1) % size + 1);
    let stays = |node: &NodeId| node.0 <= size;
    if let Some(script) = &mut plan.script {
        let main = script.main.iter_mut().map(|next| &mut next.asked);
        for asked in main.chain(&mut script.last) {
            asked.at.iter_mut().for_each(|node| *node = place(*node));
        }
    }
    for scheduled in &mut plan.schedule {
        match &mut scheduled.action {
            Action::StartPartition { cut: Cut::Grudge(grudge), .. } => {
                *grudge = std::mem::take(grudge)
                    .into_iter()
                    .filter(|(node, _)| stays(node))
                    .map(|(node, mut deaf_to)| {
                        deaf_to.retain(stays);
                        (node, deaf_to)
                    })
                    .filter(|(_, deaf_to)| !deaf_to.is_empty())
                    .collect::<Grudge>();
            }
            Action::Kill { aim: Aim::Nodes(nodes) }
            | Action::Pause { aim: Aim::Nodes(nodes) }
            | Action::StartPacket { aim: Aim::Nodes(nodes), .. }
            | Action::StartClock { aim: Aim::Nodes(nodes), .. } => {
                nodes.retain(stays);
            }
            _ => {}
        }
    }
    plan.schedule.retain(|scheduled| match &scheduled.action {
        Action::StartPartition { cut: Cut::Grudge(grudge), .. } => !grudge.is_empty(),
        Action::Kill { aim: Aim::Nodes(nodes) }
        | Action::Pause { aim: Aim::Nodes(nodes) }
        | Action::StartPacket { aim: Aim::Nodes(nodes), .. }
        | Action::StartClock { aim: Aim::Nodes(nodes), .. } => !nodes.is_empty(),
        _ => true,
    });
    plan
}
