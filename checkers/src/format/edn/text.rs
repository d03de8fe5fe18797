//! Strings and characters of EDN.

use super::{EdnError, Scanner};
use smol_str::SmolStr;

/// A string, whose opening quote comes next.
pub(super) fn string(scanner: &mut Scanner<'_>) -> Result<SmolStr, EdnError> {
    scanner.at += 1;
    let begin = scanner.at;
    if plain(scanner)? == b'"' {
        let text = SmolStr::new(&scanner.text[begin..scanner.at]);
        scanner.at += 1;
        return Ok(text);
    }
    let mut text = scanner.text[begin..scanner.at].to_string();
    loop {
        // Here is a backslash.
        text.push(escape(scanner)?);
        let begin = scanner.at;
        let stop = plain(scanner)?;
        text.push_str(&scanner.text[begin..scanner.at]);
        if stop == b'"' {
            scanner.at += 1;
            return Ok(text.into());
        }
    }
}

/// Moves to the next quote or backslash and says which it is.
fn plain(scanner: &mut Scanner<'_>) -> Result<u8, EdnError> {
    let rest = &scanner.text.as_bytes()[scanner.at..];
    let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'\\'));
    scanner.at += stop.unwrap_or(rest.len());
    match stop {
        Some(stop) => Ok(rest[stop]),
        None => scanner.error("the text ends inside a string"),
    }
}

fn escape(scanner: &mut Scanner<'_>) -> Result<char, EdnError> {
    let begin = scanner.at;
    let wrong = EdnError { at: begin, problem: "no such escape in a string".into() };
    let bytes = scanner.text.as_bytes();
    let plain = match bytes.get(begin + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{c}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => {
            let first = hex4(bytes, begin + 2).ok_or(wrong)?;
            scanner.at += 6;
            return join(scanner, begin, first);
        }
        Some(b'0'..=b'7') => {
            let digits = bytes[begin + 1..].iter().take(3).take_while(|b| matches!(b, b'0'..=b'7'));
            let (length, code) = digits
                .fold((0, 0_u32), |(n, code), digit| (n + 1, code * 8 + u32::from(digit - b'0')));
            scanner.at += 1 + length;
            return char::from_u32(code).ok_or(wrong);
        }
        _ => return Err(wrong),
    };
    scanner.at += 2;
    Ok(plain)
}

/// The character of a `\u` escape that has been taken; two of them can make one character.
fn join(scanner: &mut Scanner<'_>, begin: usize, first: u32) -> Result<char, EdnError> {
    let bytes = scanner.text.as_bytes();
    let mut code = first;
    if (0xd800..0xdc00).contains(&first)
        && bytes[scanner.at..].starts_with(b"\\u")
        && let Some(second @ 0xdc00..0xe000) = hex4(bytes, scanner.at + 2)
    {
        code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
        scanner.at += 6;
    }
    let problem = "half of a surrogate pair".to_string();
    char::from_u32(code).ok_or(EdnError { at: begin, problem })
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    let digits = bytes.get(at..at + 4)?;
    digits.iter().try_fold(0, |code, digit| Some(code * 16 + char::from(*digit).to_digit(16)?))
}

/// Characters that EDN calls by a name.
pub(super) const NAMED: [(&str, char); 6] = [
    ("newline", '\n'),
    ("space", ' '),
    ("tab", '\t'),
    ("return", '\r'),
    ("formfeed", '\u{c}'),
    ("backspace", '\u{8}'),
];

/// A character, whose backslash comes next.
pub(super) fn character(scanner: &mut Scanner<'_>) -> Result<char, EdnError> {
    let begin = scanner.at;
    let rest = &scanner.text[begin + 1..];
    let Some(first) = rest.chars().next() else {
        return scanner.error("the text ends where a character was expected");
    };
    scanner.at += 1 + first.len_utf8();
    // A delimiter can be the character itself; after it, the token is over.
    let more = if first.is_alphanumeric() { scanner.token() } else { "" };
    if more.is_empty() {
        return Ok(first);
    }
    let token = &rest[..first.len_utf8() + more.len()];
    let named = NAMED.iter().find(|(name, _)| *name == token).map(|(_, named)| *named);
    let coded = || match first {
        'u' if more.len() == 4 => hex4(more.as_bytes(), 0).and_then(char::from_u32),
        'o' => u32::from_str_radix(more, 8).ok().filter(|n| *n <= 0o377).and_then(char::from_u32),
        _ => None,
    };
    let problem = || format!("`\\{token}` is no character");
    named.or_else(coded).ok_or_else(|| EdnError { at: begin, problem: problem() })
}
