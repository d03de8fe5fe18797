//! The nearest of some names to what a person typed, for error messages that help.

/// A name further away than this many edits is no help.
const EDITS_MAX: usize = 3;

/// The name that takes the fewest edits to reach from `typed`; `None` if none is near. Of
/// several equally near ones the first.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let typed = typed.to_lowercase();
    names
        .into_iter()
        .map(|name| (edits(&typed, name), name))
        .filter(|(edits, name)| *edits <= EDITS_MAX && *edits < name.chars().count())
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, name)| name)
}

/// How many insertions, deletions and replacements of one character turn `a` into `b`
/// (Wagner and Fischer, 1974); one row of the table is kept.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(x != *y);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found_and_far_ones_are_not() {
        let names = ["partition", "kill", "pause"];
        assert_eq!(nearest("partitoin", names), Some("partition"));
        assert_eq!(nearest("KILLS", names), Some("kill"));
        assert_eq!(nearest("pose", names), Some("pause"));
        assert_eq!(nearest("earthquake", names), None);
        assert_eq!(nearest("", names), None);
    }
}
