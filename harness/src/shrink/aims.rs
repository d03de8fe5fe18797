//! Faults that hit less: fewer nodes, fewer links.

use crate::nemesis::{Action, Aim, Cut, alone};
use crate::plan::Plan;
use quorate_targets::node::NodeId;

/// The plan with one fault made simpler, in each way that there is: one node less, one link
/// less, or a single node cut off. Healing has no simpler forms.
pub(super) fn simpler(plan: &Plan, place: usize) -> Vec<Plan> {
    let Some(scheduled) = plan.schedule.get(place) else { return Vec::new() };
    let aims = |aim: &Aim| -> Vec<Aim> {
        let Aim::Nodes(nodes) = aim else { return Vec::new() };
        if nodes.len() < 2 {
            return Vec::new();
        }
        nodes.iter().map(|out| Aim::Nodes(without(nodes, *out))).collect()
    };
    let actions: Vec<Action> = match &scheduled.action {
        Action::Kill { aim } => aims(aim).into_iter().map(|aim| Action::Kill { aim }).collect(),
        Action::Pause { aim } => aims(aim).into_iter().map(|aim| Action::Pause { aim }).collect(),
        Action::StartPacket { aim, packet } => {
            let packet = *packet;
            aims(aim).into_iter().map(|aim| Action::StartPacket { aim, packet }).collect()
        }
        Action::StartClock { aim, clock } => {
            let clock = *clock;
            aims(aim).into_iter().map(|aim| Action::StartClock { aim, clock }).collect()
        }
        Action::StartPartition { cut: Cut::Grudge(grudge), .. } => {
            let members = plan.members();
            let one = |node: &NodeId| alone(*node, &without(&members, *node));
            let fewer = grudge.keys().map(|node| {
                let mut fewer = grudge.clone();
                fewer.remove(node);
                fewer
            });
            let isolating = members.iter().filter(|_| plan.nodes > 2).map(one);
            let links =
                |grudge: &crate::nemesis::Grudge| -> usize { grudge.values().map(Vec::len).sum() };
            isolating
                .chain(fewer)
                .filter(|simpler| !simpler.is_empty() && links(simpler) < links(grudge))
                .map(|simpler| Action::StartPartition {
                    shape: "shrunk".into(),
                    cut: Cut::Grudge(simpler),
                })
                .collect()
        }
        _ => Vec::new(),
    };
    let with = |action| {
        let mut plan = plan.clone();
        plan.schedule[place].action = action;
        plan
    };
    actions.into_iter().map(with).collect()
}

fn without(nodes: &[NodeId], out: NodeId) -> Vec<NodeId> {
    nodes.iter().copied().filter(|node| *node != out).collect()
}
