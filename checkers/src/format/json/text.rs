//! Strings of JSON: borrowed where nothing is escaped.

use super::{JsonError, Problem, Scanner};
use std::borrow::Cow;

/// The rest of a string whose opening quote has been taken, with its closing quote.
pub(super) fn string_tail<'a>(scanner: &mut Scanner<'a>) -> Result<Cow<'a, str>, JsonError> {
    let begin = scanner.at;
    match plain(scanner)? {
        b'"' => {
            let text = &scanner.text[begin..scanner.at];
            scanner.at += 1;
            Ok(Cow::Borrowed(text))
        }
        _ => escaped(scanner, begin).map(Cow::Owned),
    }
}

/// Moves to the next quote or backslash and says which it is.
fn plain(scanner: &mut Scanner<'_>) -> Result<u8, JsonError> {
    let rest = &scanner.text.as_bytes()[scanner.at..];
    let stop = rest.iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    scanner.at += stop.unwrap_or(rest.len());
    match stop.map(|stop| rest[stop]) {
        Some(byte @ (b'"' | b'\\')) => Ok(byte),
        Some(_) => Err(broken(scanner.at, "a control character in a string")),
        None => Err(JsonError { at: scanner.at, problem: Problem::End }),
    }
}

fn escaped(scanner: &mut Scanner<'_>, begin: usize) -> Result<String, JsonError> {
    let mut text = scanner.text[begin..scanner.at].to_string();
    loop {
        // Here is a backslash.
        text.push(escape(scanner)?);
        let begin = scanner.at;
        let stop = plain(scanner)?;
        text.push_str(&scanner.text[begin..scanner.at]);
        if stop == b'"' {
            scanner.at += 1;
            return Ok(text);
        }
    }
}

fn escape(scanner: &mut Scanner<'_>) -> Result<char, JsonError> {
    let begin = scanner.at;
    scanner.at += 1;
    let Some(kind) = scanner.text.as_bytes().get(scanner.at) else {
        return Err(scanner.expected("an escape"));
    };
    let plain = match kind {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => {
            scanner.at += 1;
            return unicode(scanner, begin);
        }
        _ => return Err(scanner.expected("an escape")),
    };
    scanner.at += 1;
    Ok(plain)
}

/// What follows `\u`: one character, which may take a second `\u`.
fn unicode(scanner: &mut Scanner<'_>, begin: usize) -> Result<char, JsonError> {
    let first = hex4(scanner)?;
    let code = match first {
        0xd800..0xdc00 => {
            let rest = &scanner.text.as_bytes()[scanner.at..];
            match rest {
                [b'\\', b'u', ..] => scanner.at += 2,
                [] | [b'\\'] => {
                    scanner.at += rest.len();
                    return Err(scanner.expected("an escape"));
                }
                _ => return Err(broken(begin, "half of a surrogate pair")),
            }
            match hex4(scanner)? {
                second @ 0xdc00..0xe000 => 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00),
                _ => return Err(broken(begin, "half of a surrogate pair")),
            }
        }
        plain => plain,
    };
    char::from_u32(code).ok_or_else(|| broken(begin, "half of a surrogate pair"))
}

fn hex4(scanner: &mut Scanner<'_>) -> Result<u32, JsonError> {
    let mut code = 0;
    for _ in 0..4 {
        let digit = scanner.text.as_bytes().get(scanner.at).copied();
        match digit.and_then(|digit| char::from(digit).to_digit(16)) {
            Some(digit) => code = code * 16 + digit,
            None => return Err(scanner.expected("four hexadecimal digits")),
        }
        scanner.at += 1;
    }
    Ok(code)
}

fn broken(at: usize, what: &'static str) -> JsonError {
    JsonError { at, problem: Problem::Broken(what) }
}
