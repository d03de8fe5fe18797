//! The objects that a history can be checked against, by name.

use std::fmt;
use std::str::FromStr;

/// What a recorded history is checked against.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ModelKind {
    /// `read`, `write` and `cas` of one value per key, `null` at first.
    Register,
}

/// No model has this name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no model `{name}`; there are {}", names())]
pub struct NoSuchModel {
    /// The name that was asked for.
    pub name: String,
}

/// Every name that is understood, with its kind; the first of a kind is the one to show.
const NAMES: [(&str, ModelKind); 3] = [
    ("register", ModelKind::Register),
    ("cas-register", ModelKind::Register),
    ("key-value", ModelKind::Register),
];

fn names() -> String {
    NAMES.map(|(name, _)| name).join(", ")
}

impl ModelKind {
    /// All kinds.
    pub const ALL: [ModelKind; 1] = [ModelKind::Register];
}

impl FromStr for ModelKind {
    type Err = NoSuchModel;

    fn from_str(text: &str) -> Result<ModelKind, NoSuchModel> {
        NAMES
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, kind)| *kind)
            .ok_or_else(|| NoSuchModel { name: text.to_string() })
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, kind)| kind == self).map_or("", |(name, _)| name);
        f.write_str(name)
    }
}
