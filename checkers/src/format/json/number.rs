//! Numbers of JSON: 64 bits where they fit, text where they do not.

use super::{JsonError, Scanner};
use crate::value::Value;

/// Doubles have 15 to 17 significant digits: text with more says more than a double holds.
const DIGITS_MAX: usize = 17;

/// So many digits fit 64 bits, whatever they are.
const SAFE_DIGITS: usize = 18;

/// A natural number of few digits, if that is all that comes next: what most numbers are.
fn natural(scanner: &mut Scanner<'_>) -> Option<Value> {
    let rest = &scanner.text.as_bytes()[scanner.at..];
    let (mut value, mut length) = (0_i64, 0);
    while let Some(digit @ b'0'..=b'9') = rest.get(length) {
        value = value.wrapping_mul(10).wrapping_add(i64::from(digit - b'0'));
        length += 1;
    }
    let zero_leads = rest.first() == Some(&b'0') && length > 1;
    let goes_on = matches!(rest.get(length), Some(b'.' | b'e' | b'E'));
    if length == 0 || length > SAFE_DIGITS || zero_leads || goes_on {
        return None;
    }
    scanner.at += length;
    Some(Value::Int(value))
}

/// A number, whose first character comes next.
pub(super) fn number(scanner: &mut Scanner<'_>) -> Result<Value, JsonError> {
    if let Some(value) = natural(scanner) {
        return Ok(value);
    }
    let text = scanner.text;
    let bytes = text.as_bytes();
    let begin = scanner.at;
    let negative = bytes[begin] == b'-';
    scanner.at += usize::from(negative);
    let mut magnitude: Option<u64> = Some(0);
    let digits_from = scanner.at;
    while let Some(digit @ b'0'..=b'9') = bytes.get(scanner.at) {
        let digit = u64::from(digit - b'0');
        magnitude = magnitude.and_then(|n| n.checked_mul(10)?.checked_add(digit));
        scanner.at += 1;
        if magnitude == Some(0) {
            break; // No digit follows a leading zero.
        }
    }
    if scanner.at == digits_from {
        return Err(scanner.expected("a digit"));
    }
    if matches!(bytes.get(scanner.at), Some(b'.' | b'e' | b'E')) {
        fraction(scanner)?;
        return Ok(number_value(&text[begin..scanner.at]));
    }
    let int = match (negative, magnitude) {
        (false, Some(n)) => i64::try_from(n).ok(),
        (true, Some(n)) if n > 0 => 0_i64.checked_sub_unsigned(n),
        (true, Some(_)) => return Ok(Value::Float(-0.0)),
        (_, None) => None,
    };
    Ok(int.map_or_else(|| Value::BigInt(text[begin..scanner.at].into()), Value::Int))
}

/// The part from the point or the exponent on.
fn fraction(scanner: &mut Scanner<'_>) -> Result<(), JsonError> {
    let bytes = scanner.text.as_bytes();
    if bytes[scanner.at] == b'.' {
        scanner.at += 1;
        digits(scanner)?;
    }
    if matches!(bytes.get(scanner.at), Some(b'e' | b'E')) {
        scanner.at += 1;
        scanner.at += usize::from(matches!(bytes.get(scanner.at), Some(b'+' | b'-')));
        digits(scanner)?;
    }
    Ok(())
}

fn digits(scanner: &mut Scanner<'_>) -> Result<(), JsonError> {
    let rest = &scanner.text.as_bytes()[scanner.at..];
    let count = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    scanner.at += count;
    if count == 0 { Err(scanner.expected("a digit")) } else { Ok(()) }
}

/// A double where it says as much as `text`, a well-formed decimal number, does.
pub(crate) fn number_value(text: &str) -> Value {
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit);
    let mut nonzero = digits.enumerate().filter(|(_, digit)| *digit != b'0').map(|(at, _)| at);
    let first = nonzero.next();
    let significant = first.map_or(0, |first| nonzero.last().unwrap_or(first) - first + 1);
    match text.parse::<f64>() {
        Ok(n) if n.is_finite() && significant <= DIGITS_MAX && (n != 0.0 || significant == 0) => {
            Value::Float(n)
        }
        _ => Value::Decimal(text.into()),
    }
}
