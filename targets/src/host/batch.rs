//! Group commit: one sync for many steps, as a pure reordering of effects.
//!
//! The effects of several steps stand one behind the other. Each append that some later `Sync`
//! of the batch covers moves in front of the first `Sync`, so that the first makes all of them
//! durable and the others have nothing left to do. Being on disk earlier than asked breaks no
//! promise: a crash between is a crash after all steps and before their messages left. Nothing
//! else moves, no append crosses a `Rewrite` (which would swallow it), and an append that no
//! `Sync` covers stays behind the last one, so that it can still be lost.

use crate::node::{Effect, Node};

/// The same effects with as few syncs as possible.
pub(super) fn group_commit<N: Node>(effects: Vec<Effect<N>>) -> Vec<Effect<N>> {
    let mut grouped = Vec::with_capacity(effects.len());
    let mut section = Vec::new();
    for effect in effects {
        if matches!(effect, Effect::Rewrite(_)) {
            group_section(&mut section, &mut grouped);
            grouped.push(effect);
        } else {
            section.push(effect);
        }
    }
    group_section(&mut section, &mut grouped);
    grouped
}

/// Empties `section`, which has no `Rewrite`, into `grouped`.
fn group_section<N: Node>(section: &mut Vec<Effect<N>>, grouped: &mut Vec<Effect<N>>) {
    let is_sync = |effect: &Effect<N>| matches!(effect, Effect::Sync);
    let Some(last) = section.iter().rposition(is_sync) else {
        grouped.append(section);
        return;
    };
    let tail = section.split_off(last + 1);
    let (appends, others): (Vec<_>, Vec<_>) =
        section.drain(..).partition(|effect| matches!(effect, Effect::Append(_)));
    let mut appends = Some(appends);
    for effect in others {
        if !is_sync(&effect) {
            grouped.push(effect);
        } else if let Some(appends) = appends.take() {
            grouped.extend(appends);
            grouped.push(effect);
        }
    }
    grouped.extend(tail);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::toy::Toy;
    use crate::node::NodeId;
    use proptest::prelude::*;

    fn effects() -> impl Strategy<Value = Vec<Effect<Toy>>> {
        let kinds = prop::collection::vec(0..8u32, 0..24);
        kinds.prop_map(|kinds| {
            let effect = |(number, kind)| match kind {
                0..3 => Effect::Append(number),
                3..5 => Effect::Sync,
                5 => Effect::Rewrite(vec![number]),
                _ => Effect::Send { to: NodeId(1), message: number },
            };
            (0u64..).zip(kinds).map(effect).collect()
        })
    }

    /// What is on disk, and what is not but was appended, when each message leaves and at the end.
    fn run(effects: &[Effect<Toy>]) -> Vec<(u64, Vec<u64>, Vec<u64>)> {
        let (mut disk, mut held, mut seen) = (Vec::new(), Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Append(record) => held.push(*record),
                Effect::Sync => disk.append(&mut held),
                Effect::Rewrite(records) => {
                    disk.clone_from(records);
                    held.clear();
                }
                Effect::Send { message, .. } => seen.push((*message, disk.clone(), held.clone())),
                _ => {}
            }
        }
        seen.push((u64::MAX, disk, held));
        seen
    }

    proptest! {
        #[test]
        fn nothing_leaves_before_its_sync(effects in effects()) {
            let grouped = group_commit(effects.clone());
            let (before, after) = (run(&effects), run(&grouped));
            prop_assert_eq!(before.len(), after.len());
            prop_assert_eq!(before.last(), after.last(), "the end is the same");
            for (was, is) in before.iter().zip(&after) {
                prop_assert_eq!(was.0, is.0, "messages keep their order");
                prop_assert!(is.1.starts_with(&was.1), "on disk at least what was: {:?}", effects);
            }
        }

        #[test]
        fn a_section_has_one_sync(effects in effects()) {
            let grouped = group_commit(effects);
            for section in grouped.split(|effect| matches!(effect, Effect::Rewrite(_))) {
                let syncs = section.iter().filter(|effect| matches!(effect, Effect::Sync));
                prop_assert!(syncs.count() <= 1);
            }
        }
    }
}
