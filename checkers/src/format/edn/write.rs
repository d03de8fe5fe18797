//! Values as EDN, on one line.

use super::text::NAMED;
use super::{is_name, is_symbol};
use crate::value::Value;
use std::fmt;

/// Writes `value` as EDN. A keyword, symbol or tag that EDN could not read back, which only code
/// can make, becomes a string, or is left out if it is a tag.
pub(crate) fn write_value(out: &mut impl fmt::Write, value: &Value) -> fmt::Result {
    match value {
        Value::Null => out.write_str("nil"),
        Value::Bool(b) => write!(out, "{b}"),
        Value::Int(n) => write!(out, "{n}"),
        Value::Float(n) if n.is_finite() => write!(out, "{n:?}"),
        Value::Float(n) if n.is_nan() => out.write_str("##NaN"),
        Value::Float(n) => out.write_str(if *n > 0.0 { "##Inf" } else { "##-Inf" }),
        Value::BigInt(text) => write!(out, "{text}N"),
        Value::Decimal(text) => write!(out, "{text}M"),
        Value::Ratio(text) => out.write_str(text),
        Value::Str(text) => write_string(out, text),
        Value::Keyword(name) => write_keyword(out, name),
        Value::Symbol(name) if is_symbol(name) => out.write_str(name),
        Value::Symbol(name) => write_string(out, name),
        Value::Char(c) => write_char(out, *c),
        Value::List(items) => write_items(out, "[", items, "]"),
        Value::Set(items) => write_items(out, "#{", items, "}"),
        Value::Map(pairs) => {
            out.write_char('{')?;
            for (at, (key, value)) in pairs.iter().enumerate() {
                out.write_str(if at > 0 { ", " } else { "" })?;
                write_value(out, key)?;
                out.write_char(' ')?;
                write_value(out, value)?;
            }
            out.write_char('}')
        }
        Value::Tagged(tagged) => {
            if is_symbol(&tagged.0) && !tagged.0.starts_with('_') {
                write!(out, "#{} ", tagged.0)?;
            }
            write_value(out, &tagged.1)
        }
    }
}

/// Writes `:name`, or the name as a string where no keyword can have it.
pub(crate) fn write_keyword(out: &mut impl fmt::Write, name: &str) -> fmt::Result {
    if is_name(name) { write!(out, ":{name}") } else { write_string(out, name) }
}

fn write_items(out: &mut impl fmt::Write, open: &str, items: &[Value], close: &str) -> fmt::Result {
    out.write_str(open)?;
    for (at, item) in items.iter().enumerate() {
        out.write_str(if at > 0 { " " } else { "" })?;
        write_value(out, item)?;
    }
    out.write_str(close)
}

fn write_string(out: &mut impl fmt::Write, text: &str) -> fmt::Result {
    out.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' => out.write_str("\\\"")?,
            '\\' => out.write_str("\\\\")?,
            '\n' => out.write_str("\\n")?,
            '\r' => out.write_str("\\r")?,
            '\t' => out.write_str("\\t")?,
            control if control < ' ' => write!(out, "\\u{:04x}", u32::from(control))?,
            plain => out.write_char(plain)?,
        }
    }
    out.write_char('"')
}

fn write_char(out: &mut impl fmt::Write, c: char) -> fmt::Result {
    if let Some((name, _)) = NAMED.iter().find(|(_, named)| *named == c) {
        write!(out, "\\{name}")
    } else if u32::from(c) < 0x10000 && (c.is_control() || c.is_whitespace()) {
        write!(out, "\\u{:04x}", u32::from(c))
    } else {
        write!(out, "\\{c}")
    }
}
