//! Nodes in the plan by their names (`n1`), as in the history, and not by bare numbers.
//!
//! This also keeps a plan readable at all: serde cannot read integer keys of a map inside a
//! flattened or tagged value.

use quorate_targets::node::NodeId;
use serde::de::Error;

/// Reads `n17`.
fn parse<E: Error>(name: &str) -> Result<NodeId, E> {
    name.strip_prefix('n')
        .and_then(|digits| digits.parse().ok())
        .map(NodeId)
        .ok_or_else(|| E::custom(format!("`{name}` is not a node: expected n1, n2, ...")))
}

/// A list of nodes.
pub(crate) mod list {
    use quorate_targets::node::NodeId;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(nodes: &[NodeId], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(nodes.iter().map(NodeId::to_string))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<NodeId>, D::Error> {
        let names = Vec::<String>::deserialize(from)?;
        names.iter().map(|name| super::parse(name)).collect()
    }
}

/// Nodes, each with a list of nodes.
pub(super) mod grudge {
    use crate::nemesis::Grudge;
    use quorate_targets::node::NodeId;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::collections::BTreeMap;

    pub(crate) fn serialize<S: Serializer>(grudge: &Grudge, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(grudge.iter().map(|(node, deaf_to)| {
            (node.to_string(), deaf_to.iter().map(NodeId::to_string).collect::<Vec<_>>())
        }))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Grudge, D::Error> {
        let names = BTreeMap::<String, Vec<String>>::deserialize(from)?;
        let nodes = |names: &[String]| {
            names.iter().map(|name| super::parse::<D::Error>(name)).collect::<Result<_, _>>()
        };
        names.iter().map(|(node, deaf_to)| Ok((super::parse(node)?, nodes(deaf_to)?))).collect()
    }
}
