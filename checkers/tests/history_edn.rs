//! What is written as EDN means the same to another reader of EDN.

mod history_support;

use clojure_reader::edn::{self, Edn};
use history_support::{assert_same, edn_values, histories, json_values, names};
use proptest::prelude::*;
use quorate_checkers::format::{Format, Options, Tuples, read, write};
use quorate_checkers::value::Value;

/// Whether the other reader can hold the value: it has neither large numbers nor `##NaN`, and
/// knows no characters by their codes.
fn holds(value: &Value) -> bool {
    match value {
        Value::BigInt(_) | Value::Decimal(_) | Value::Ratio(_) => false,
        Value::Float(n) => n.is_finite(),
        Value::Char(c) => !c.is_control() && !c.is_whitespace(),
        Value::List(items) | Value::Set(items) => items.iter().all(holds),
        Value::Map(pairs) => pairs.iter().all(|(key, value)| holds(key) && holds(value)),
        Value::Tagged(tagged) => holds(&tagged.1),
        _ => true,
    }
}

/// The value as our own reader has it.
fn value(edn: &Edn<'_>) -> Value {
    match edn {
        Edn::Vector(items) | Edn::List(items) => Value::List(items.iter().map(value).collect()),
        Edn::Set(items) => Value::Set(items.iter().map(value).collect()),
        Edn::Map(pairs) => Value::Map(pairs.iter().map(|(k, v)| (value(k), value(v))).collect()),
        Edn::Key(name) => Value::Keyword(name.as_ref().into()),
        Edn::Symbol(name) => Value::Symbol(name.as_ref().into()),
        Edn::Str(text) => Value::str(text.as_ref()),
        Edn::Int(n) => Value::Int(*n),
        Edn::Tagged(tag, inner) => Value::Tagged(Box::new((tag.as_ref().into(), value(inner)))),
        Edn::Double(n) => Value::Float(n.into_inner()),
        Edn::Rational((above, below)) => Value::Ratio(format!("{above}/{below}").into()),
        Edn::Char(c) => Value::Char(*c),
        Edn::Bool(b) => Value::Bool(*b),
        _ => Value::Null,
    }
}

proptest! {
    #[test]
    fn another_reader_finds_the_same_values(history in histories(edn_values(), names(), 12)) {
        let mut text = Vec::new();
        write(&mut text, Format::Edn, &history).unwrap();
        let text = String::from_utf8(text).unwrap();
        let options = Options { tuples: Tuples::Never, ..Options::default() };
        let ours = read(text.as_bytes(), "test", Format::Edn, options).unwrap().history;
        for (line, event) in text.lines().zip(ours.events()) {
            let extra = event.extra.iter().flatten().map(|(_, value)| value);
            let all = extra.chain(&event.key).chain(&event.error).chain([&event.value]);
            if !all.clone().all(holds) {
                continue;
            }
            let theirs = edn::read_string(line);
            prop_assert!(theirs.is_ok(), "{:?}\n{}", theirs, line);
            let theirs = theirs.map_or(Value::Null, |edn| value(&edn));
            prop_assert_eq!(theirs.get("value"), Some(&event.value), "{}", line);
            prop_assert_eq!(theirs.get("f").and_then(Value::as_str), Some(event.f.as_str()));
            prop_assert_eq!(theirs.get("time").and_then(Value::as_int), Some(event.time.0.cast_signed()));
            for (name, value) in event.extra.iter().flatten() {
                prop_assert_eq!(theirs.get(name), Some(value), "{}", line);
            }
        }
    }

    #[test]
    fn plain_values_are_the_same_in_edn_and_in_json(
        history in histories(json_values(), names(), 12)
    ) {
        let again = |format| {
            let mut text = Vec::new();
            write(&mut text, format, &history).unwrap();
            let options = Options { tuples: Tuples::Never, ..Options::default() };
            read(&text[..], "test", format, options).unwrap().history
        };
        assert_same(&again(Format::Edn), &again(Format::ElleJson));
    }
}
