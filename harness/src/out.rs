//! What goes to stdout and stderr: results to the one, everything else to the other.
//!
//! Texts are full of what strangers wrote: values, keys, paths, names of nodes. All text goes
//! through here, and characters that have no look of their own, escape sequences of terminals
//! among them, are shown as `\u{1b}`. Our own colours are marked until then by a word that is
//! drawn anew by each process, so that no file can hold it.
//!
//! Trouble with stdout does not end the program: what it found out is also its exit code.
//! [`finish`] tells of the trouble at the end. A closed pipe is none: nobody listens any more
//! (`quorate show | head`).

use crate::text::{visible, visible_json};
use std::fmt::Arguments;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::{LazyLock, Mutex, PoisonError};

/// Why nothing more is written to stdout, once there is a reason.
static TROUBLE: Mutex<Option<io::Error>> = Mutex::new(None);

/// Stands before and behind the code of a colour.
static MARK: LazyLock<String> = LazyLock::new(|| format!("{{{:016x}}}", rand::random::<u64>()));

/// Prints bytes as they are: for what is no text to be read, but data.
pub fn bytes(bytes: &[u8]) {
    let mut trouble = TROUBLE.lock().unwrap_or_else(PoisonError::into_inner);
    if trouble.is_none() {
        *trouble = io::stdout().lock().write_all(bytes).err();
    }
}

/// Ends what is written to stdout; whatever went wrong before is told here, but for a pipe that
/// was closed.
pub fn finish() -> io::Result<()> {
    let mut trouble = TROUBLE.lock().unwrap_or_else(PoisonError::into_inner);
    let error = trouble.take().or_else(|| io::stdout().lock().flush().err());
    match error {
        Some(error) if error.kind() != ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    }
}

/// Prints one line.
pub fn line(text: Arguments<'_>) {
    bytes(format!("{}\n", shown(&text.to_string())).as_bytes());
}

/// Prints one line to stderr, as far as somebody reads it.
pub fn error_line(text: Arguments<'_>) {
    let _ = io::stderr().lock().write_all(format!("{}\n", shown(&text.to_string())).as_bytes());
}

/// Prints one line to stdout.
#[macro_export]
macro_rules! outln {
    () => { $crate::out::line(format_args!("")) };
    ($($arg:tt)*) => { $crate::out::line(format_args!($($arg)*)) };
}

/// Prints one line to stderr.
#[macro_export]
macro_rules! errln {
    ($($arg:tt)*) => { $crate::out::error_line(format_args!($($arg)*)) };
}

/// Prints a value as pretty JSON.
pub fn json(value: &impl serde::Serialize) -> anyhow::Result<()> {
    json_line(&serde_json::to_string_pretty(value)?);
    Ok(())
}

/// Prints JSON that is there as text, and ends the line.
pub fn json_line(json: &str) {
    bytes(format!("{}\n", visible_json(json.trim_end())).as_bytes());
}

/// Replaces the last line of stderr where that is a terminal, else adds one.
pub fn status(text: &str) {
    let text = shown(text);
    let text = if rewrites() { format!("\r\x1b[2K{text}") } else { format!("{text}\n") };
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Takes away what [`status`] left on a terminal.
pub fn end_status() {
    if rewrites() {
        let _ = io::stderr().lock().write_all(b"\r\x1b[2K");
    }
}

/// Whether lines of stderr can be replaced: it is a terminal that understands more than text.
pub fn rewrites() -> bool {
    io::stderr().is_terminal() && !is_dumb()
}

fn is_dumb() -> bool {
    std::env::var_os("TERM").is_some_and(|term| term == "dumb")
}

/// The text with our own colours in place of their marks, and nothing hidden in between.
fn shown(text: &str) -> String {
    let mut parts = text.split(MARK.as_str());
    let mut out = visible(parts.next().unwrap_or_default());
    // Marks come in pairs with a code between them.
    while let Some(code) = parts.next() {
        out.push_str("\x1b[");
        out.push_str(code);
        out.push('m');
        out.push_str(&visible(parts.next().unwrap_or_default()));
    }
    out
}

/// How text is set off, where stdout is a terminal that has colours and `NO_COLOR` is not set.
/// What it makes is for [`line`].
#[derive(Clone, Copy, Debug)]
pub struct Style {
    colour: bool,
}

impl Style {
    /// For stdout as it is.
    pub fn stdout() -> Style {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Style { colour: wanted && !is_dumb() && io::stdout().is_terminal() }
    }

    fn paint(self, code: &str, text: &str) -> String {
        let mark = MARK.as_str();
        if self.colour { format!("{mark}{code}{mark}{text}{mark}0{mark}") } else { text.to_owned() }
    }

    /// Good news.
    pub fn good(self, text: &str) -> String {
        self.paint("1;32", text)
    }

    /// Bad news.
    pub fn bad(self, text: &str) -> String {
        self.paint("1;31", text)
    }

    /// Neither.
    pub fn unsure(self, text: &str) -> String {
        self.paint("1;33", text)
    }

    /// Less important.
    pub fn dim(self, text: &str) -> String {
        self.paint("2", text)
    }

    /// More important.
    pub fn bold(self, text: &str) -> String {
        self.paint("1", text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_colours_alone_survive() {
        let style = Style { colour: true };
        let text = format!("{} b\u{1b}[2K\u{202e}\n", style.bad("a\u{1b}]0;x\u{7}"));
        let expected = "\x1b[1;31ma\\u{1b}]0;x\\u{7}\x1b[0m b\\u{1b}[2K\\u{202e}\n";
        assert_eq!(shown(&text), expected);
        assert_eq!(shown(&Style { colour: false }.bad("a\u{9b}")), "a\\u{9b}");
    }
}
