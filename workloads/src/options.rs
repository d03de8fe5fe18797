//! Options of workloads, given as `K=V`, and names that were not quite right.

use std::collections::BTreeMap;
use std::fmt;

/// An option that there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OptionSpec {
    /// Its name.
    pub name: &'static str,
    /// Its value where none is given.
    pub default: &'static str,
    /// What it decides, in one line.
    pub about: &'static str,
}

/// Options as they were given.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    given: BTreeMap<String, String>,
}

/// An option that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// There is no `=`.
    #[error("option `{given}` is not of the form NAME=VALUE")]
    NotAPair {
        /// What was given.
        given: String,
    },
    /// The same option twice.
    #[error("option `{name}` is given twice")]
    Twice {
        /// Which.
        name: String,
    },
    /// There is no such option.
    #[error("there is no option `{}`{}", .0.name, .0)]
    Unknown(UnknownName),
    /// The value does not fit.
    #[error("option `{name}` must be {expected}, not `{value}`")]
    Invalid {
        /// Which option.
        name: String,
        /// What was given.
        value: String,
        /// What it can be.
        expected: String,
    },
    /// The options do not go together.
    #[error("{0}")]
    Conflict(String),
}

/// A name that nothing has; shows what there is, and the nearest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownName {
    /// The name that was given.
    pub name: String,
    /// The names that there are, in the order in which they are listed.
    pub known: Vec<String>,
}

impl UnknownName {
    /// For the names that there are.
    pub fn new<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> UnknownName {
        UnknownName { name: name.to_owned(), known: known.into_iter().map(str::to_owned).collect() }
    }

    /// The name that was probably meant: the nearest one, if a third of it or less is different.
    pub fn nearest(&self) -> Option<&str> {
        let distance = |known: &&String| edits(&self.name, known);
        let nearest = self.known.iter().min_by_key(distance)?;
        (distance(&nearest) <= nearest.chars().count().div_ceil(3)).then_some(nearest)
    }
}

/// What follows the complaint: `; did you mean ...? There is: ...`.
impl fmt::Display for UnknownName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(nearest) = self.nearest() {
            write!(f, "; did you mean `{nearest}`?")?;
        } else {
            f.write_str(".")?;
        }
        write!(f, " There is: {}", self.known.join(", "))
    }
}

/// How many characters must be put in, taken out or changed (Levenshtein's distance). Costs the
/// product of the lengths.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

impl Options {
    /// From `K=V` strings.
    pub fn parse<S: AsRef<str>>(
        pairs: impl IntoIterator<Item = S>,
    ) -> Result<Options, OptionError> {
        let mut given = BTreeMap::new();
        for pair in pairs {
            let pair = pair.as_ref();
            let Some((name, value)) = pair.split_once('=').filter(|(name, _)| !name.is_empty())
            else {
                return Err(OptionError::NotAPair { given: pair.to_owned() });
            };
            if given.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(OptionError::Twice { name: name.to_owned() });
            }
        }
        Ok(Options { given })
    }

    /// What was given, by name: for plans.
    pub fn given(&self) -> &BTreeMap<String, String> {
        &self.given
    }

    /// Complains of the first option that is not among `specs`.
    pub fn expect_only(&self, specs: &[OptionSpec]) -> Result<(), OptionError> {
        match self.given.keys().find(|name| specs.iter().all(|spec| spec.name != **name)) {
            Some(name) => {
                let known = specs.iter().map(|spec| spec.name);
                Err(OptionError::Unknown(UnknownName::new(name, known)))
            }
            None => Ok(()),
        }
    }

    /// The value of an option, or its default.
    pub fn text<'a>(&'a self, spec: &'a OptionSpec) -> &'a str {
        self.given.get(spec.name).map_or(spec.default, String::as_str)
    }

    /// The value of an option that is a whole number from `least` to `most`.
    pub fn number(&self, spec: &OptionSpec, least: u64, most: u64) -> Result<u64, OptionError> {
        let text = self.text(spec);
        match text.parse::<u64>() {
            Ok(number) if (least..=most).contains(&number) => Ok(number),
            _ => Err(OptionError::Invalid {
                name: spec.name.to_owned(),
                value: text.to_owned(),
                expected: format!("a whole number from {least} to {most}"),
            }),
        }
    }
}
