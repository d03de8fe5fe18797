//! Options of a target, `K=V` as given: read by name with a default, and strict about names, so
//! that a slip of the pen does not quietly run something else than was asked for.

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

    /// An error if a value was bad, or if an option was given that nobody asked for.
    pub fn finish(self) -> Result<(), String> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let Some(unknown) = self.given.keys().find(|name| !self.known.contains(&name.as_str()))
        else {
            return Ok(());
        };
        let nearest = self.known.iter().min_by_key(|known| distance(known, unknown));
        let hint = nearest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default();
        Err(format!("unknown option `{unknown}`{hint}; there is: {}", self.known.join(", ")))
    }
}

/// Levenshtein's distance: how many letters must be put in, taken out or changed.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
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
    fn distance_counts_edits() {
        assert_eq!(distance("heartbeat", "heartbeat"), 0);
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }
}
