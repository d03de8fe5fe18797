//! Options of a target, `K=V` as given: read by name with a default, and strict about names, so
//! that a slip of the pen does not quietly run something else than was asked for.

use crate::names::UnknownName;
use std::collections::BTreeMap;

/// Reads a target's options. Ask for each known one, then call [`Reader::finish`].
#[derive(Debug)]
pub struct Reader<'a> {
    given: &'a BTreeMap<String, String>,
    known: Vec<&'static str>,
    problem: Option<String>,
}

impl<'a> Reader<'a> {
    /// Over the options as given.
    pub fn new(given: &'a BTreeMap<String, String>) -> Reader<'a> {
        Reader { given, known: Vec::new(), problem: None }
    }

    /// A positive whole number; `default` if it is not given.
    pub fn positive(&mut self, name: &'static str, default: u64) -> u64 {
        self.known.push(name);
        let Some(text) = self.given.get(name) else { return default };
        match text.parse::<u64>() {
            Ok(number) if number > 0 => number,
            _ => {
                self.problem.get_or_insert(format!(
                    "option `{name}` must be a whole number above 0, not `{text}`"
                ));
                default
            }
        }
    }

    /// A whole number; `default` if it is not given.
    pub fn number(&mut self, name: &'static str, default: u64) -> u64 {
        self.known.push(name);
        let Some(text) = self.given.get(name) else { return default };
        text.parse().unwrap_or_else(|_| {
            self.problem
                .get_or_insert(format!("option `{name}` must be a whole number, not `{text}`"));
            default
        })
    }

    /// One of these words; the first if it is not given.
    pub fn choice(&mut self, name: &'static str, words: &[&'static str]) -> &'static str {
        self.known.push(name);
        let first = words.first().copied().unwrap_or_default();
        let Some(text) = self.given.get(name) else { return first };
        words.iter().copied().find(|word| word == text).unwrap_or_else(|| {
            let words = words.join(", ");
            self.problem
                .get_or_insert(format!("option `{name}` must be one of {words}, not `{text}`"));
            first
        })
    }

    /// An error if a value was bad, or if an option was given that nobody asked for.
    pub fn finish(self) -> Result<(), String> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let Some(unknown) = self.given.keys().find(|name| !self.known.contains(&name.as_str()))
        else {
            return Ok(());
        };
        let known = self.known.iter().copied();
        Err(UnknownName::new("option", unknown, known).to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_values_are_checked() {
        let read = |name: &str, value: &str| {
            let given = BTreeMap::from([(name.to_owned(), value.to_owned())]);
            let mut reader = Reader::new(&given);
            let heartbeat = reader.positive("heartbeat-ms", 50);
            reader.positive("snapshot-every", 500);
            reader.finish().map(|()| heartbeat)
        };
        assert_eq!(read("heartbeat-ms", "20"), Ok(20));
        assert_eq!(read("snapshot-every", "9"), Ok(50));
        assert!(read("heartbeat-ms", "0").is_err_and(|e| e.contains("above 0")));
        let unknown = read("hartbeat", "1").unwrap_err();
        assert!(unknown.contains("did you mean `heartbeat-ms`?"), "{unknown}");
        assert!(unknown.contains("snapshot-every"), "{unknown}");
    }

    #[test]
    fn distance_counts_edits() {}
}
