//! Names that nothing has: errors that show what there is, and what was probably meant.

use std::fmt;

/// A name that nothing has, with the names that there are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// What kind of thing was named: `target`, `option`, `fault`.
    pub what: String,
    /// The name that was given.
    pub name: String,
    /// Who would have it, where that is one of several: a target.
    pub owner: Option<String>,
    /// The names that there are, in the order in which they are listed.
    pub known: Vec<String>,
}

impl UnknownName {
    /// `name` names no `what`; these names there are.
    pub fn new<'a>(
        what: &str,
        name: &str,
        known: impl IntoIterator<Item = &'a str>,
    ) -> UnknownName {
        let known = known.into_iter().map(str::to_owned).collect();
        UnknownName { what: what.to_owned(), name: name.to_owned(), owner: None, known }
    }

    /// The same of what an `owner` has.
    #[must_use]
    pub fn owned_by(self, owner: &str) -> UnknownName {
        UnknownName { owner: Some(owner.to_owned()), ..self }
    }

    /// The name that was probably meant: the nearest one, if a third of it or less is different.
    pub fn nearest(&self) -> Option<&str> {
        let typed = self.name.to_lowercase();
        let distance = |known: &&String| strsim::damerau_levenshtein(&typed, known);
        let nearest = self.known.iter().min_by_key(distance)?;
        (distance(&nearest) <= nearest.chars().count().div_ceil(3)).then_some(nearest)
    }
}

/// One sentence: the complaint, the nearest name, and what there is.
impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            Some(owner) => write!(f, "{owner} has no {} `{}`", self.what, self.name)?,
            None => write!(f, "there is no {} `{}`", self.what, self.name)?,
        }
        if let Some(nearest) = self.nearest() {
            write!(f, " (did you mean `{nearest}`?)")?;
        }
        match self.known.as_slice() {
            [] => f.write_str("; there are none"),
            known => write!(f, "; there is: {}", known.join(", ")),
        }
    }
}

impl std::error::Error for UnknownName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_offered_and_far_ones_are_not() {
        let nearest = |typed: &str| {
            let unknown = UnknownName::new("fault", typed, ["partition", "kill", "pause"]);
            unknown.nearest().map(str::to_owned)
        };
        assert_eq!(nearest("partitoin").as_deref(), Some("partition"));
        assert_eq!(nearest("KILLS").as_deref(), Some("kill"));
        assert_eq!(nearest("pose").as_deref(), Some("pause"));
        assert_eq!(nearest("earthquake"), None);
        let text = UnknownName::new("target", "raft", ["raft-kv"]).to_string();
        assert_eq!(text, "there is no target `raft` (did you mean `raft-kv`?); there is: raft-kv");
        let text = UnknownName::new("bug", "fast", ["slow"]).owned_by("raft-kv").to_string();
        assert_eq!(text, "raft-kv has no bug `fast`; there is: slow");
    }
}
