//! EDN texts and their values, right and wrong.

use super::*;

fn read(text: &str) -> Result<Value, EdnError> {
    let mut scanner = Scanner::new(text);
    let value = scanner.next()?.unwrap_or(Value::Symbol("nothing".into()));
    match scanner.peek()? {
        None => Ok(value),
        Some(_) => scanner.error("more"),
    }
}

/// `text` reads as `value`, and the value is written as `written`.
#[track_caller]
fn check(text: &str, value: impl std::borrow::Borrow<Value>, written: &str) {
    let value = value.borrow();
    let found = read(text).unwrap();
    assert_eq!(format!("{found:?}"), format!("{value:?}"), "{text}");
    let mut out = String::new();
    write_value(&mut out, &found).unwrap();
    assert_eq!(out, written, "{text}");
    assert_eq!(read(&out).unwrap(), *value, "{out}");
}

#[track_caller]
fn refuse(text: &str, at: usize, problem: &str) {
    assert_eq!(read(text), Err(EdnError { at, problem: problem.into() }), "{text}");
}

fn keyword(text: &str) -> Value {
    Value::Keyword(text.into())
}

#[test]
fn reads_numbers() {
    check("0", Value::Int(0), "0");
    check("-0", Value::Int(0), "0");
    check("+12", Value::Int(12), "12");
    check("1N", Value::Int(1), "1");
    check("9223372036854775807", Value::Int(i64::MAX), "9223372036854775807");
    check(
        "9223372036854775808",
        Value::BigInt("9223372036854775808".into()),
        "9223372036854775808N",
    );
    check(
        "-9223372036854775809N",
        Value::BigInt("-9223372036854775809".into()),
        "-9223372036854775809N",
    );
    check("1.5", Value::Float(1.5), "1.5");
    check("1.", Value::Float(1.0), "1.0");
    check("-1e-7", Value::Float(-1e-7), "-1e-7");
    check("1.5M", Value::Decimal("1.5".into()), "1.5M");
    check("2M", Value::Decimal("2".into()), "2M");
    check("-2/3", Value::Ratio("-2/3".into()), "-2/3");
    check("##NaN", Value::Float(f64::NAN), "##NaN");
    check("##-Inf", Value::Float(f64::NEG_INFINITY), "##-Inf");
    for wrong in ["012", "1x", "1/0", "1e", "1.5N", "0x1F", "1.2.3", "3:a"] {
        refuse(wrong, 0, &format!("`{wrong}` is no number"));
    }
    refuse("##nan", 0, "`##nan` is no number");
}

#[test]
fn reads_names() {
    check("nil", Value::Null, "nil");
    check(":a", keyword("a"), ":a");
    check(
        ":jepsen.nemesis/start-1?",
        keyword("jepsen.nemesis/start-1?"),
        ":jepsen.nemesis/start-1?",
    );
    check(":a:b", keyword("a:b"), ":a:b");
    check(":1", keyword("1"), ":1");
    check("foo/bar", Value::Symbol("foo/bar".into()), "foo/bar");
    check("-", Value::Symbol("-".into()), "-");
    check("/", Value::Symbol("/".into()), "/");
    check("...", Value::Symbol("...".into()), "...");
    for wrong in [":", "::a", ":a/", ":/a", ":a/b/c"] {
        refuse(wrong, 0, &format!("`{wrong}` is no keyword"));
    }
    refuse("@x", 0, "no form begins with `@`");
    refuse("'x", 0, "no form begins with `'`");
    refuse("^{:a 1} x", 0, "no form begins with `^`");
}

#[test]
fn reads_text() {
    check(r#""""#, Value::str(""), r#""""#);
    check("\"a\nb\"", Value::str("a\nb"), r#""a\nb""#);
    check(
        r#""\"\\\t\u00e9\ud83d\ude00\101\0""#,
        Value::str("\"\\\té😀A\0"),
        "\"\\\"\\\\\\té😀A\\u0000\"",
    );
    check(r"\a", Value::Char('a'), r"\a");
    check(r"\newline", Value::Char('\n'), r"\newline");
    check(r"\u0000", Value::Char('\0'), r"\u0000");
    check(r"\o101", Value::Char('A'), r"\A");
    let odd = r#"[\( \, \; \" \\]"#;
    check(odd, Value::list(['(', ',', ';', '"', '\\'].map(Value::Char)), odd);
    refuse(r#""\q""#, 1, "no such escape in a string");
    refuse(r#""\ud800 ""#, 1, "half of a surrogate pair");
    refuse("\"abc", 4, "the text ends inside a string");
    refuse(r"\abc", 0, r"`\abc` is no character");
    refuse("\\", 0, "the text ends where a character was expected");
}

#[test]
fn reads_collections() {
    let pair = (keyword("a"), Value::list([Value::Int(1), Value::Null]));
    check("{:a(1,nil)}", Value::Map([pair].into()), "{:a [1 nil]}");
    check("#{1 :b}", Value::Set([Value::Int(1), keyword("b")].into()), "#{1 :b}");
    check("[]", Value::list([]), "[]");
    check(
        "#inst \"2020\"",
        Value::Tagged(Box::new(("inst".into(), Value::str("2020")))),
        "#inst \"2020\"",
    );
    check(
        "#a.b.Op{:x 1}",
        Value::Tagged(Box::new((
            "a.b.Op".into(),
            Value::Map([(keyword("x"), Value::Int(1))].into()),
        ))),
        "#a.b.Op {:x 1}",
    );
    check(
        "#:n{:a 1, :_/b 2, :c/d 3}",
        Value::Map(
            [(keyword("n/a"), 1.into()), (keyword("b"), 2.into()), (keyword("c/d"), 3.into())]
                .into(),
        ),
        "{:n/a 1, :b 2, :c/d 3}",
    );
    refuse("[1 2", 4, "the text ends before `[` is closed");
    refuse("{1 2 3}", 0, "a map with a key and no value");
    refuse("{1 2 1 3}", 0, "1 stands there twice");
    refuse("#{0 1 2 3 4 5 6 7 8 9 :a :a}", 0, ":a stands there twice");
    refuse("[1)", 2, "`)` closes nothing");
    refuse("#", 0, "`#` is no tag");
    refuse("#a", 2, "the text ends where a form was expected");
}

#[test]
fn passes_over_comments_and_discarded_forms() {
    check("; one\n #_ {:a [1]} [#_1 2 #_ #_ 3 4] ; end", Value::list([Value::Int(2)]), "[2]");
    assert_eq!(read(" , ; nothing").unwrap(), Value::Symbol("nothing".into()));
    refuse("[1 #_ ]", 6, "`]` closes nothing");
}

#[test]
fn deep_nesting_is_an_error_and_no_overflow() {
    let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
    assert!(read(&deep(DEPTH_MAX)).is_ok());
    for (opening, width) in [("[", 1), ("{", 1), ("#{", 2), ("#a ", 3), ("#_", 2)] {
        let error = read(&opening.repeat(1_000_000)).unwrap_err();
        assert_eq!(error.problem, "nested too deeply");
        assert!(error.at <= (DEPTH_MAX + 1) * width, "{opening}");
    }
}

#[test]
fn names_that_edn_lacks_are_written_as_strings() {
    let written = |value: Value| {
        let mut out = String::new();
        write_value(&mut out, &value).unwrap();
        out
    };
    assert_eq!(written(keyword("a b")), "\"a b\"");
    assert_eq!(written(Value::Symbol("nil".into())), "\"nil\"");
    assert_eq!(written(Value::Tagged(Box::new(("a b".into(), Value::Null)))), "nil");
}
