//! Options of workloads, given as `K=V`.

use quorate_targets::names::UnknownName;
use std::collections::BTreeMap;

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
    #[error(transparent)]
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

impl From<BTreeMap<String, String>> for Options {
    fn from(given: BTreeMap<String, String>) -> Options {
        Options { given }
    }
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
                Err(OptionError::Unknown(UnknownName::new("option", name, known)))
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
