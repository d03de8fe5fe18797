//! Numbers of EDN: 64 bits where they fit, text where they do not.

use super::{EdnError, Scanner};
use crate::format::json::number_value;
use crate::value::Value;

/// A number, whose first character comes next.
pub(super) fn number(scanner: &mut Scanner<'_>) -> Result<Value, EdnError> {
    let begin = scanner.at;
    let token = scanner.token();
    parse(token).ok_or_else(|| EdnError { at: begin, problem: format!("`{token}` is no number") })
}

fn parse(token: &str) -> Option<Value> {
    let unsigned = token.strip_prefix(['-', '+']).unwrap_or(token);
    let text = token.strip_prefix('+').unwrap_or(token);
    if let Some((above, below)) = unsigned.split_once('/') {
        let whole = is_integer(above) && is_integer(below) && below != "0";
        return whole.then(|| Value::Ratio(text.into()));
    }
    if let Some(digits) = unsigned.strip_suffix('M') {
        let text = &text[..text.len() - 1];
        return is_decimal(digits).then(|| Value::Decimal(text.into()));
    }
    let (digits, text) = match unsigned.strip_suffix('N') {
        Some(digits) => (digits, &text[..text.len() - 1]),
        None => (unsigned, text),
    };
    if is_integer(digits) {
        // Clojure's `1N` and `1` are equal, so they are one value here.
        let int = text.parse().map(Value::Int);
        return Some(int.unwrap_or_else(|_| Value::BigInt(text.into())));
    }
    (digits.len() == unsigned.len() && is_decimal(digits)).then(|| number_value(text))
}

/// Digits without a leading zero.
fn is_integer(text: &str) -> bool {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits && (text == "0" || !text.starts_with('0'))
}

/// An integer, then perhaps a fraction, then perhaps an exponent. Clojure also writes `1.`.
fn is_decimal(text: &str) -> bool {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let exponent = exponent.map(|text| text.strip_prefix(['-', '+']).unwrap_or(text));
    is_integer(whole)
        && digits(fraction)
        && exponent.is_none_or(|text| !text.is_empty() && digits(text))
}
