//! Each shape is what its name says, for clusters of every size.

use super::*;
use proptest::prelude::*;
use quorate_targets::seed::Seed;

/// For each node, whom it hears (itself included).
fn hears(nodes: &[NodeId], grudge: &Grudge) -> BTreeMap<NodeId, BTreeSet<NodeId>> {
    let hears = |node: &NodeId| {
        nodes
            .iter()
            .filter(|peer| !grudge.get(node).is_some_and(|deaf_to| deaf_to.contains(peer)))
            .copied()
            .collect()
    };
    nodes.iter().map(|node| (*node, hears(node))).collect()
}

fn cut(shape: Shape, nodes: &[NodeId], seed: u64) -> Grudge {
    match shape.cut(nodes, &mut Seed(seed).stream("test")) {
        Cut::Grudge(grudge) => grudge,
        Cut::LeaderAlone => alone(nodes[0], &nodes[1..]),
    }
}

fn symmetric(hears: &BTreeMap<NodeId, BTreeSet<NodeId>>) -> bool {
    hears.iter().all(|(a, heard)| heard.iter().all(|b| hears[b].contains(a)))
}

/// The sizes of groups of nodes that hear the same, ascending.
fn groups(hears: &BTreeMap<NodeId, BTreeSet<NodeId>>) -> Vec<usize> {
    let mut sizes: BTreeMap<&BTreeSet<NodeId>, usize> = BTreeMap::new();
    for heard in hears.values() {
        *sizes.entry(heard).or_default() += 1;
    }
    let mut sizes: Vec<usize> = sizes.into_values().collect();
    sizes.sort_unstable();
    sizes
}

fn check(shape: Shape, nodes: &[NodeId], grudge: &Grudge) -> Result<(), TestCaseError> {
    let n = nodes.len();
    let hears = hears(nodes, grudge);
    prop_assert!(hears.iter().all(|(node, heard)| heard.contains(node)), "all hear themselves");
    prop_assert!(grudge.values().all(|deaf_to| !deaf_to.is_empty() && deaf_to.is_sorted()));
    let deaf = hears.values().filter(|heard| heard.len() == 1).count();
    let everything = hears.values().filter(|heard| heard.len() == n).count();
    match shape {
        Shape::Halves | Shape::One | Shape::MinorityThird | Shape::LeaderAlone => {
            prop_assert!(symmetric(&hears));
            let small = match shape {
                Shape::Halves => n / 2,
                Shape::MinorityThird => (n - 1) / 3,
                _ => 1,
            };
            let mut sizes = vec![small, n - small];
            sizes.sort_unstable();
            prop_assert_eq!(groups(&hears), sizes);
        }
        Shape::MajoritiesRing => {
            prop_assert!(hears.values().all(|heard| heard.len() >= majority(n)));
            prop_assert!(hears.values().any(|heard| heard.len() < n));
            if n <= EXACT_RING_MAX {
                prop_assert!(hears.values().all(|heard| heard.len() == majority(n)));
                prop_assert_eq!(hears.values().collect::<BTreeSet<_>>().len(), n);
            } else {
                prop_assert!(symmetric(&hears));
                prop_assert!(hears.values().collect::<BTreeSet<_>>().len() > 1);
            }
        }
        Shape::Bridge => {
            prop_assert!(symmetric(&hears));
            prop_assert_eq!(everything, 1, "the bridge hears all");
            let sizes = groups(&hears);
            prop_assert_eq!(sizes.len(), 3, "two sides and the bridge");
            prop_assert!(sizes[2] - sizes[1] <= 1 || n == 3);
        }
        Shape::Deaf => prop_assert_eq!((deaf, everything), (1, n - 1)),
        Shape::Mute => {
            prop_assert_eq!((everything, grudge.len()), (1, n - 1));
            prop_assert_eq!(grudge.values().collect::<BTreeSet<_>>().len(), 1);
        }
        Shape::OneWayHalves => {
            prop_assert!(!symmetric(&hears));
            prop_assert!(everything == n / 2 || everything == n.div_ceil(2));
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn grudges_are_what_their_shapes_say(seed: u64, n in 2u16..=25) {
        let nodes: Vec<NodeId> = (1..=n).map(NodeId).collect();
        for shape in Shape::ALL {
            if shape.nodes_min() <= nodes.len() {
                let grudge = cut(shape, &nodes, seed);
                prop_assert!(!grudge.is_empty(), "{} cuts something", shape.name());
                check(shape, &nodes, &grudge)?;
            }
        }
    }

    #[test]
    fn aims_hit_as_many_as_they_say(seed: u64, n in 1u16..=25) {
        let nodes: Vec<NodeId> = (1..=n).map(NodeId).collect();
        let mut rng = Seed(seed).stream("test");
        for whom in [Whom::One, Whom::Minority, Whom::Majority, Whom::All] {
            if whom.nodes_min() > nodes.len() {
                continue;
            }
            let Aim::Nodes(hit) = whom.aim(&nodes, &mut rng) else { panic!("not by role") };
            prop_assert!(hit.is_sorted() && hit.iter().all(|node| nodes.contains(node)));
            let left = nodes.len() - hit.len();
            match whom {
                Whom::One => prop_assert_eq!(hit.len(), 1),
                Whom::Minority => {
                    prop_assert!(hit.len() > 1 && left == majority(nodes.len()));
                }
                Whom::Majority => prop_assert!(hit.len() == majority(nodes.len()) && left > 0),
                Whom::All | Whom::Leader => prop_assert_eq!(left, 0),
            }
        }
    }
}

#[test]
fn a_ring_of_five_is_the_one_from_the_books() {
    let circle: Vec<NodeId> = (1..=5).map(NodeId).collect();
    let hears = hears(&circle, &exact_ring(&circle));
    assert!(symmetric(&hears));
    assert_eq!(hears[&NodeId(1)], BTreeSet::from([NodeId(5), NodeId(1), NodeId(2)]));
}
