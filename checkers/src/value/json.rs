//! Values as JSON: text on one line, and `serde_json`'s own type.
//!
//! All that JSON can say survives the way there and back, integers beyond 64 bits included. What
//! only EDN can say becomes the nearest that a reader of JSON expects: keywords, symbols,
//! characters and ratios become strings, sets become lists, tags are left out, keys of maps
//! become strings (where two keys would become one, the map becomes a list of pairs), and the
//! numbers that JSON lacks become `"NaN"`, `"Infinity"`, `"-Infinity"`.

use super::Value;
use std::borrow::Cow;
use std::fmt;

impl From<serde_json::Value> for Value {
    fn from(json: serde_json::Value) -> Value {
        match json {
            serde_json::Value::Null => Value::Null,
            serde_json::Value::Bool(b) => Value::Bool(b),
            serde_json::Value::Number(n) => match (n.as_i64(), n.as_u64()) {
                (Some(int), _) => Value::Int(int),
                (None, Some(big)) => Value::BigInt(big.to_string().into()),
                (None, None) => Value::Float(n.as_f64().unwrap_or(f64::NAN)),
            },
            serde_json::Value::String(text) => Value::Str(text.into()),
            serde_json::Value::Array(items) => {
                Value::List(items.into_iter().map(Value::from).collect())
            }
            serde_json::Value::Object(pairs) => Value::Map(
                pairs.into_iter().map(|(k, v)| (Value::Str(k.into()), Value::from(v))).collect(),
            ),
        }
    }
}

/// As [`Display`](fmt::Display) writes it, but for numbers that `serde_json` cannot hold: those
/// are rounded to a double, or become strings where they are beyond that too.
impl From<&Value> for serde_json::Value {
    fn from(value: &Value) -> serde_json::Value {
        match value {
            Value::Null => serde_json::Value::Null,
            Value::Bool(b) => (*b).into(),
            Value::Int(n) => (*n).into(),
            Value::Float(n) if n.is_finite() => (*n).into(),
            Value::Float(n) => odd_number(*n).into(),
            Value::BigInt(text) | Value::Decimal(text) => {
                serde_json::from_str(text).unwrap_or_else(|_| text.as_ref().into())
            }
            Value::Str(text) => text.as_str().into(),
            Value::Keyword(name) | Value::Symbol(name) => name.as_str().into(),
            Value::Ratio(text) => text.as_ref().into(),
            Value::Char(c) => c.to_string().into(),
            Value::List(items) | Value::Set(items) => {
                items.iter().map(serde_json::Value::from).collect()
            }
            Value::Map(pairs) => match key_texts(pairs) {
                Some(keys) => {
                    let values = pairs.iter().map(|(_, value)| serde_json::Value::from(value));
                    keys.map(Cow::into_owned).zip(values).collect::<serde_json::Map<_, _>>().into()
                }
                None => pairs
                    .iter()
                    .map(|(k, v)| [k, v].into_iter().map(serde_json::Value::from).collect())
                    .collect::<Vec<serde_json::Value>>()
                    .into(),
            },
            Value::Tagged(tagged) => (&tagged.1).into(),
        }
    }
}

/// As JSON, on one line, without spaces.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_json(f, self)
    }
}

/// Writes `value` as JSON on one line.
pub(crate) fn write_json(out: &mut impl fmt::Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("null"),
        Value::Bool(true) => out.write_str("true"),
        Value::Bool(false) => out.write_str("false"),
        Value::Int(n) => write!(out, "{n}"),
        Value::Float(n) if n.is_finite() => write!(out, "{n:?}"),
        Value::Float(n) => write_string(out, odd_number(*n)),
        Value::BigInt(text) | Value::Decimal(text) => out.write_str(text),
        Value::Str(text) => write_string(out, text),
        Value::Ratio(text) => write_string(out, text),
        Value::Keyword(name) | Value::Symbol(name) => write_string(out, name),
        Value::Char(c) => write_string(out, c.encode_utf8(&mut [0; 4])),
        Value::List(items) | Value::Set(items) => write_list(out, items.iter(), write_json),
        Value::Map(pairs) => match key_texts(pairs) {
            Some(keys) => {
                out.write_char('{')?;
                for (at, (key, (_, value))) in keys.zip(pairs).enumerate() {
                    out.write_str(if at > 0 { "," } else { "" })?;
                    write_string(out, &key)?;
                    out.write_char(':')?;
                    write_json(out, value)?;
                }
                out.write_char('}')
            }
            None => write_list(out, pairs.iter(), |out, (key, value)| {
                write_list(out, [key, value].into_iter(), write_json)
            }),
        },
        Value::Tagged(tagged) => write_json(out, &tagged.1),
    }
}

fn write_list<W: fmt::Write, T>(
    out: &mut W,
    items: impl Iterator<Item = T>,
    write: impl Fn(&mut W, T) -> fmt::Result,
) -> fmt::Result {
    out.write_char('[')?;
    for (at, item) in items.enumerate() {
        out.write_str(if at > 0 { "," } else { "" })?;
        write(out, item)?;
    }
    out.write_char(']')
}

/// Writes `text` between quotes, with what JSON must escape escaped.
pub(crate) fn write_string(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    let mut plain_from = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.write_str(&text[plain_from..at])?;
        plain_from = at + 1;
        match byte {
            b'"' => out.write_str("\\\"")?,
            b'\\' => out.write_str("\\\\")?,
            b'\n' => out.write_str("\\n")?,
            b'\r' => out.write_str("\\r")?,
            b'\t' => out.write_str("\\t")?,
            control => write!(out, "\\u{control:04x}")?,
        }
    }
    out.write_str(&text[plain_from..])?;
    out.write_char('"')
}

/// The keys of a map as strings; nothing if two of them would be the same, as `1` and `"1"` are.
fn key_texts(pairs: &[(Value, Value)]) -> Option<impl Iterator<Item = Cow<'_, str>>> {
    if pairs.iter().any(|(key, _)| !matches!(key, Value::Str(_))) {
        let mut sorted: Vec<Cow<'_, str>> = pairs.iter().map(|(key, _)| key_text(key)).collect();
        sorted.sort_unstable();
        if sorted.windows(2).any(|two| two[0] == two[1]) {
            return None;
        }
    }
    Some(pairs.iter().map(|(key, _)| key_text(key)))
}

fn key_text(key: &Value) -> Cow<'_, str> {
    match key {
        Value::Ratio(text) => text.as_ref().into(),
        Value::Char(c) => c.to_string().into(),
        key => key.as_str().map_or_else(|| key.to_string().into(), Cow::Borrowed),
    }
}

fn odd_number(n: f64) -> &'static str {
    if n.is_nan() {
        "NaN"
    } else if n > 0.0 {
        "Infinity"
    } else {
        "-Infinity"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(value: &Value, expected: &str) {
        assert_eq!(value.to_string(), expected);
        assert_eq!(serde_json::Value::from(value).to_string(), expected);
    }

    #[test]
    fn what_only_edn_can_say_becomes_what_readers_of_json_expect() {
        check(&Value::Keyword("a/b".into()), r#""a/b""#);
        check(&Value::Set([Value::Int(1)].into()), "[1]");
        check(&Value::Ratio("1/3".into()), r#""1/3""#);
        check(&Value::Float(f64::NAN), r#""NaN""#);
        check(&Value::Float(f64::NEG_INFINITY), r#""-Infinity""#);
        check(&Value::Map([(Value::Int(0), Value::Char('x'))].into()), r#"{"0":"x"}"#);
        check(&Value::Map([(Value::Null, Value::Null)].into()), r#"{"null":null}"#);
        let clash = [(Value::Int(1), Value::Null), (Value::str("1"), Value::Bool(true))];
        check(&Value::Map(clash.into()), r#"[[1,null],["1",true]]"#);
        check(&Value::Tagged(Box::new(("inst".into(), Value::str("now")))), r#""now""#);
    }

    #[test]
    fn strings_are_escaped_as_json_wants() {
        let text = "a\"b\\c\n\r\t\u{1}é\u{7f}";
        let written = Value::str(text).to_string();
        assert_eq!(serde_json::from_str::<String>(&written).unwrap(), text);
    }

    #[test]
    fn numbers_keep_their_kind() {
        check(&Value::Float(1.0), "1.0");
        check(&Value::Float(0.25), "0.25");
        let big = Value::BigInt("123456789012345678901".into());
        assert_eq!(big.to_string(), "123456789012345678901");
        assert_eq!(
            Value::from(serde_json::json!(u64::MAX)),
            Value::BigInt(u64::MAX.to_string().into())
        );
        assert_eq!(
            serde_json::Value::from(&Value::BigInt(u64::MAX.to_string().into())),
            serde_json::json!(u64::MAX)
        );
    }
}
