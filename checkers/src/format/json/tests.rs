//! JSON texts and their values, right and wrong.

use super::*;

fn read(text: &str) -> Result<Value, JsonError> {
    let mut scanner = Scanner::new(text);
    let value = scanner.value(0)?;
    scanner.end()?;
    Ok(value)
}

#[track_caller]
fn refuse(text: &str, at: usize, problem: Problem) {
    assert_eq!(read(text), Err(JsonError { at, problem }), "{text}");
}

#[test]
fn reads_what_serde_json_reads() {
    for text in [
        "null",
        " true ",
        "false",
        "0",
        "-1",
        "12.5",
        "-0.0",
        "1e3",
        "1E-7",
        "\"\"",
        r#""a\"b\\\/\b\f\n\r\té\u00e9\ud83d\ude00""#,
        "[]",
        "[1,[2,[]],{}]",
        r#"{"a":1,"b":{"c":[null]}}"#,
        "9223372036854775807",
        "-9223372036854775808",
        "18446744073709551615",
        "0.1",
        "123456789.123",
    ] {
        let serde: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(read(text).unwrap(), Value::from(serde), "{text}");
    }
}

#[test]
fn keeps_numbers_that_a_double_would_round() {
    let check = |text: &str, value: Value| {
        assert_eq!(read(text).unwrap(), value);
        assert_eq!(value.to_string(), text);
    };
    check("9223372036854775808", Value::BigInt("9223372036854775808".into()));
    check("-99999999999999999999999", Value::BigInt("-99999999999999999999999".into()));
    check("1e400", Value::Decimal("1e400".into()));
    check("1e-400", Value::Decimal("1e-400".into()));
    check("0.1000000000000000000001", Value::Decimal("0.1000000000000000000001".into()));
    assert_eq!(read("0e999").unwrap(), Value::Float(0.0));
    assert_eq!(read("0.10000000000000000000").unwrap(), Value::Float(0.1));
}

#[test]
fn says_what_is_wrong_and_where() {
    use Problem::{Broken, End, Expected, Twice};
    refuse("", 0, End);
    refuse("[1,", 3, End);
    refuse("[1 2]", 3, Expected("`,` or `]`"));
    refuse("[1,]", 3, Expected("a value"));
    refuse("tru", 3, End);
    refuse("trux", 3, Expected("true"));
    refuse("\"ab", 3, End);
    refuse("\"a\nb\"", 2, Broken("a control character in a string"));
    refuse(r#""\x""#, 2, Expected("an escape"));
    refuse(r#""\ud800""#, 1, Broken("half of a surrogate pair"));
    refuse("{1:2}", 1, Expected("a field's name in quotes"));
    refuse(r#"{"a" 1}"#, 5, Expected("`:`"));
    refuse(r#"{"a":1,"a":2}"#, 7, Twice("a".into()));
    refuse("01", 1, Expected("the end of the line"));
    refuse("1.", 2, End);
    refuse("1.x", 2, Expected("a digit"));
    refuse("-", 1, End);
    refuse("1e+", 3, End);
    refuse("NaN", 0, Expected("a value"));
}

#[test]
fn doubled_keys_are_found_in_large_objects_too() {
    let mut pairs: Vec<String> = (0..100).map(|n| format!("\"{n}\":{n}")).collect();
    assert!(read(&format!("{{{}}}", pairs.join(","))).is_ok());
    pairs.push("\"57\":0".into());
    refuse(&format!("{{{}}}", pairs.join(",")), 0, Problem::Twice("57".into()));
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(read(&deep(DEPTH_MAX)).is_ok());
    refuse(&deep(1_000_000), DEPTH_MAX, Problem::Broken("nested too deeply"));
    refuse(&"{\"a\":".repeat(1_000_000), 5 * DEPTH_MAX, Problem::Broken("nested too deeply"));
}
