//! Text for people: numbers with units, and strings in which nothing can hide.

use std::fmt::Write;

/// Longer texts are cut where they label something.
pub(crate) const LABEL_MAX: usize = 48;

/// The text with every character that has no look of its own, or that changes the direction of
/// others, written as `\u{...}`.
pub(crate) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if hides(c) {
            // Writing to a string cannot fail.
            let _ = write!(out, "\\u{{{:x}}}", c as u32);
        } else {
            out.push(c);
        }
    }
    out
}

/// JSON in which nothing hides: what [`visible`] would change becomes an escape of JSON, which
/// stands for the same text. Only strings can hold such characters.
pub(crate) fn visible_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if hides(c) && !matches!(c, '\t' | '\r') {
            for unit in c.encode_utf16(&mut [0; 2]) {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{unit:04x}");
            }
        } else {
            out.push(c);
        }
    }
    out
}

/// Controls, zero-width characters, and what overrides the direction of text (Unicode TR 36).
pub(crate) fn hides(c: char) -> bool {
    (c.is_control() && c != '\n')
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
            | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The text made visible, and cut to a label's length.
pub(crate) fn label(text: &str) -> String {
    cut(&visible(text), LABEL_MAX)
}

/// A phrase as a sentence: with a capital letter and a full stop.
pub(crate) fn sentence(phrase: &str) -> String {
    let mut characters = phrase.chars();
    let first = characters.next().map(char::to_uppercase);
    first.into_iter().flatten().chain(characters).chain(['.']).collect()
}

/// At most `max` characters, the last of them an ellipsis if something is missing.
pub(crate) fn cut(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.to_owned(),
        Some(_) => text.chars().take(max - 1).chain(['…']).collect(),
    }
}

/// `1` becomes `1 write`, `2` becomes `2 writes`; thousands are set apart.
pub(crate) fn count(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{} {one}{s}", thousands(n as u64))
}

/// The same without setting thousands apart.
pub(crate) fn count_plain(n: usize, one: &str) -> String {
    let s = if n == 1 { "" } else { "s" };
    format!("{n} {one}{s}")
}

/// The same of a number in JSON; what is none counts as 0.
pub(crate) fn count_json(n: &serde_json::Value, one: &str) -> String {
    count_plain(n.as_u64().unwrap_or(0) as usize, one)
}

/// `1234567` becomes `1,234,567`.
pub(crate) fn thousands(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A length of time with three significant digits and the unit that fits: `1.25 ms`.
pub(crate) fn span(ns: u64) -> String {
    let n = ns as f64;
    let (value, unit) = match ns {
        0..1_000 => (n, "ns"),
        1_000..1_000_000 => (n / 1e3, "µs"),
        1_000_000..1_000_000_000 => (n / 1e6, "ms"),
        _ => (n / 1e9, "s"),
    };
    let decimals = match value {
        v if v >= 100.0 || v.fract() == 0.0 => 0,
        v if v >= 10.0 => 1,
        _ => 2,
    };
    format!("{value:.decimals$} {unit}")
}

/// A moment of the run: `12.345 s`.
pub(crate) fn moment(ns: u64) -> String {
    format!("{:.3} s", ns as f64 / 1e9)
}

/// A path as part of a link that can be nothing else, whatever the names of folders are.
pub(crate) fn url(path: &str) -> String {
    let mut out = String::new();
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"/._-".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

/// What a query writes with plus signs and escapes; what is none of these stays.
pub(crate) fn from_url(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%').then(|| after.split_at_checked(2)).flatten();
        let byte = escaped.and_then(|(digits, behind)| {
            let digits = std::str::from_utf8(digits).ok()?;
            Some((u8::from_str_radix(digits, 16).ok()?, behind))
        });
        let plain = if *first == b'+' { b' ' } else { *first };
        let (byte, behind) = byte.unwrap_or((plain, after));
        out.push(byte);
        rest = behind;
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn list(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [head @ .., last] => format!("{} and {last}", head.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_hides() {
        assert_eq!(visible("a\u{202e}b\0\u{200b}"), "a\\u{202e}b\\u{0}\\u{200b}");
        assert_eq!(visible("naïve 値 \"q\""), "naïve 値 \"q\"");
    }

    #[test]
    fn json_stays_the_same_and_hides_nothing() {
        let hidden = "a\u{202e}b\u{9b}\u{7f}\u{e0041} naïve 値\n\u{1b}";
        let json = serde_json::to_string_pretty(&[hidden]).unwrap();
        let shown = visible_json(&json);
        assert!(shown.chars().all(|c| !hides(c)), "{shown:?}");
        assert_eq!(serde_json::from_str::<[String; 1]>(&shown).unwrap(), [hidden]);
    }

    #[test]
    fn links_are_paths() {
        assert_eq!(url("nodes/n1/stderr.log"), "nodes/n1/stderr.log");
        assert_eq!(url("javascript:x\"<"), "javascript%3Ax%22%3C");
        for path in ["a/b c", "値%+", "x"] {
            assert_eq!(from_url(&url(path)), path);
        }
        assert_eq!(from_url("a+b%2Fc%zz%"), "a b/c%zz%");
    }

    #[test]
    fn numbers_read_well() {
        assert_eq!(thousands(0), "0");
        assert_eq!(thousands(999), "999");
        assert_eq!(thousands(1_234_567), "1,234,567");
        for (ns, text) in [
            (0, "0 ns"),
            (999, "999 ns"),
            (1_500, "1.50 µs"),
            (12_340_000, "12.3 ms"),
            (2_000_000_000, "2 s"),
            (123_400_000_000, "123 s"),
        ] {
            assert_eq!(span(ns), text);
        }
        assert_eq!(count(1, "write"), "1 write");
        assert_eq!(count(1200, "write"), "1,200 writes");
        assert_eq!(list(&["a".into(), "b".into(), "c".into()]), "a, b and c");
        assert_eq!(cut("abcdef", 4), "abc…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
