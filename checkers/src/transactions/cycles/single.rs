//! Which read-write edges lie on a cycle without another one.
//!
//! The edge `a → b` does if `b` leads to `a` by the other edges. Where both lie in one component
//! of these, it does at once. All others are decided together: components are numbered in an
//! order of the condensed graph, so one sweep through it carries a bit for each of 256 edges
//! from its `b`, and looks at its `a`. Edges whose ends are close in that order share a sweep,
//! which then is short.

use super::{Budget, Part};
use crate::transactions::graph::{Arc, Reasons};
use crate::transactions::scc::components;

/// Edges in a sweep.
const SWEEP: usize = 256;

type Bits = [u64; SWEEP / 64];

/// What is known of the edges.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Closing {
    /// These lie on such a cycle, and maybe others do.
    Some(Vec<(u32, Arc)>),
    /// No edge does.
    None,
    /// The budget did not suffice.
    GaveUp,
}

/// Read-write edges, which are those for `anti`, that the edges for `reasons` close to a cycle.
/// Takes from `budget` what it looks at: at worst nodes times edges, over 256.
pub(super) fn closing(
    part: &Part,
    reasons: Reasons,
    anti: Reasons,
    budget: &mut Budget<'_>,
) -> Closing {
    let split = components(&part.graph, reasons);
    let of = |node: u32| split.of[node as usize];
    let (mut inside, mut across) = (Vec::new(), Vec::new());
    for (source, arc) in part.edges(anti) {
        match of(arc.target()).cmp(&of(source)) {
            std::cmp::Ordering::Equal => inside.push((source, arc)),
            std::cmp::Ordering::Greater => across.push((source, arc)),
            std::cmp::Ordering::Less => {}
        }
    }
    if !inside.is_empty() {
        return Closing::Some(inside);
    }
    across.sort_by_key(|(_, arc)| std::cmp::Reverse(of(arc.target())));
    let (members, starts) = split.members();
    let mut bits: Vec<Bits> = vec![[0; SWEEP / 64]; split.count];
    for batch in across.chunks(SWEEP) {
        let highest = of(batch[0].1.target()) as usize;
        let lowest = batch.iter().map(|(source, _)| of(*source)).min().unwrap_or(0) as usize;
        for (at, (_, arc)) in batch.iter().enumerate() {
            bits[of(arc.target()) as usize][at / 64] |= 1 << (at % 64);
        }
        for component in (lowest..=highest).rev() {
            let carried = bits[component];
            if carried == [0; SWEEP / 64] {
                continue;
            }
            for node in &members[starts[component] as usize..starts[component + 1] as usize] {
                let arcs = part.graph.arcs(*node);
                budget.steps = budget.steps.saturating_sub(arcs.len() as u64 + 1);
                for arc in arcs.iter().filter(|arc| reasons.contains(arc.why())) {
                    let target = &mut bits[of(arc.target()) as usize];
                    for (into, from) in target.iter_mut().zip(carried) {
                        *into |= from;
                    }
                }
            }
        }
        let closed = |at: usize, source: u32| bits[of(source) as usize][at / 64] >> (at % 64) & 1;
        let hits: Vec<(u32, Arc)> = batch
            .iter()
            .enumerate()
            .filter(|(at, (source, _))| closed(*at, *source) == 1)
            .map(|(_, edge)| *edge)
            .collect();
        if !hits.is_empty() {
            return Closing::Some(hits);
        }
        if budget.steps == 0 || budget.stop.now() {
            return Closing::GaveUp;
        }
        // What was carried below the window was never looked at, but must not stay.
        bits[..=highest].fill([0; SWEEP / 64]);
    }
    Closing::None
}
