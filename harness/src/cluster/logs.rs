//! What a node's log said last, for messages about nodes that died.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// The log of what a node prints to stdout.
pub(super) const STDOUT: &str = "stdout.log";
/// The log of what it prints to stderr.
pub(super) const STDERR: &str = "stderr.log";

/// How many lines are shown.
const LINES_MAX: usize = 8;
/// How much of the end of a log is read for them.
const BYTES_MAX: u64 = 8 << 10;

/// The last lines of a node's stderr, or of its stdout if that is empty, and where the rest is.
pub(super) fn last_words(folder: &Path) -> String {
    for name in [STDERR, STDOUT] {
        let path = folder.join(name);
        let lines = last_lines(&path).unwrap_or_default();
        if !lines.is_empty() {
            return format!("last lines of {}:\n  {}", path.display(), lines.join("\n  "));
        }
    }
    format!("it wrote no log; look into {}", folder.display())
}

fn last_lines(path: &Path) -> io::Result<Vec<String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(BYTES_MAX)))?;
    let mut end = Vec::new();
    file.take(BYTES_MAX).read_to_end(&mut end)?;
    let text = String::from_utf8_lossy(&end);
    let mut lines: Vec<String> = text
        .lines()
        .rev()
        .filter(|line| !line.trim().is_empty())
        .take(LINES_MAX)
        .map(Into::into)
        .collect();
    lines.reverse();
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_are_short_and_prefer_stderr() {
        let folder = tempfile::tempdir().unwrap();
        assert!(last_words(folder.path()).starts_with("it wrote no log; look into "));
        std::fs::write(folder.path().join(STDOUT), "hello\n").unwrap();
        assert!(last_words(folder.path()).ends_with("stdout.log:\n  hello"));
        let many: String = (0..5000).map(|i| format!("line {i}\n\n")).collect();
        std::fs::write(folder.path().join(STDERR), many).unwrap();
        let words = last_words(folder.path());
        assert!(words.contains("stderr.log:\n  line 4992\n") && words.ends_with("\n  line 4999"));
    }
}
