//! One shared copy of each name that a file repeats: operations, nodes, extra fields.

use crate::value::Name;
use hashbrown::HashSet;
use rustc_hash::FxBuildHasher;

/// Names beyond this many are not remembered: then they are data and no names.
const KEPT_MAX: usize = 4096;

/// The names seen so far.
#[derive(Debug, Default)]
pub(crate) struct Names {
    /// The last few, found by comparing alone: most histories use no more.
    recent: Vec<Name>,
    all: HashSet<Name, FxBuildHasher>,
}

impl Names {
    /// The name that reads `text`.
    pub(crate) fn get(&mut self, text: &str) -> Name {
        if let Some(name) = self.recent.iter().find(|name| name.as_str() == text) {
            return name.clone();
        }
        if let Some(name) = self.all.get(text) {
            return name.clone();
        }
        let name = Name::from(text);
        if self.recent.len() < 8 {
            self.recent.push(name.clone());
        } else if self.all.len() < KEPT_MAX {
            self.all.insert(name.clone());
        }
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_names_share_their_text() {
        let mut names = Names::default();
        for round in 0..2 {
            for n in 0..100 {
                let text = format!("n{n}");
                let name = names.get(&text);
                assert_eq!(name.as_str(), text, "round {round}");
                assert!(std::ptr::eq(name.as_str(), names.get(&text).as_str()));
            }
        }
    }
}
