//! The formats of sessions: what they mean, and what is said of what is none of them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use quorate_checkers::format::{Format, Options, read, read_cobra, write};
use quorate_checkers::history::{EventType, Loaded};

fn load(bytes: &[u8], format: Format) -> Loaded {
    read(bytes, "h", format, Options::default()).unwrap()
}

/// The input must be refused with exactly this message.
#[track_caller]
fn refuse(bytes: &[u8], format: Format, message: &str) {
    let error = read(bytes, "h", format, Options::default()).unwrap_err();
    assert_eq!(error.to_string(), message);
}

/// Each transaction as `process outcome value`.
fn told(loaded: &Loaded) -> Vec<String> {
    let told = |op: quorate_checkers::history::OpView<'_>| {
        let value = op.complete.map(|event| event.value.to_string()).unwrap_or_default();
        format!("{} {} {value}", op.process(), op.outcome)
    };
    loaded.history.ops().map(told).collect()
}

#[test]
fn plume_text() {
    let text = "r(1,0,7,1)\nw(1,5,7,1)\n\nw(2,0,8,2)\r\nr(2,0,7,3)\nw(1,6,7,-1)\nr(1,5,7,4)\n";
    let loaded = load(text.as_bytes(), Format::Plume);
    let expected = [
        r#"7 ok [["r",1,null],["w",1,5]]"#,
        r#"8 ok [["w",2,0]]"#,
        r#"7 ok [["r",2,0]]"#,
        r#"7 fail [["w",1,6]]"#,
        r#"7 ok [["r",1,5]]"#,
    ];
    assert_eq!(told(&loaded), expected);
    assert!(!loaded.history.has_real_time());
    assert_eq!(loaded.notes.len(), 2, "{:?}", loaded.notes);
    // Our own format keeps what the order of events does not mean.
    let mut lines = Vec::new();
    write(&mut lines, Format::Jsonl, &loaded.history).unwrap();
    assert!(!load(&lines, Format::Jsonl).history.has_real_time());
    refuse(
        b"r(1,0,7)\n",
        Format::Plume,
        "h:1: column 1: expected `r(key,value,session,txn)` or `w(...)`",
    );
    refuse(b"r(1,0,7,1)\nw(1,x,7,1)", Format::Plume, "h:2: column 1: `x` is no number of 64 bits");
    refuse(
        b"r(1,0,7,1)\nr(1,0,7,2)\nr(1,0,7,1)",
        Format::Plume,
        "h:3: column 1: transaction 1 of session 7 goes on after another: its lines must follow \
         each other",
    );
}

#[test]
fn awdit_text() {
    let text = "w x 1\n";
    let problem = "h:1: column 3, field `key`: `x` is no number of 64 bits";
    refuse(text.as_bytes(), Format::Awdit, problem);
    let text = "w 1 1\n-----\nr 1 1\nr 2 0\n=====\nr 1 0";
    let loaded = load(text.as_bytes(), Format::Awdit);
    let expected =
        [r#"0 ok [["w",1,1]]"#, r#"0 ok [["r",1,1],["r",2,null]]"#, r#"1 ok [["r",1,null]]"#];
    assert_eq!(told(&loaded), expected);
    let problem = "h:2: column 1: expected `r key value`, `w key value` or a bar";
    refuse(b"w 1 1\nx 1 1", Format::Awdit, problem);
    refuse(b"w 1", Format::Awdit, "h:1: column 1: expected a key and a value");
}

fn dbcop() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut numbers = |all: &[u64]| all.iter().for_each(|n| bytes.extend(n.to_le_bytes()));
    // Header, three empty texts, one session of two transactions.
    numbers(&[0, 1, 1, 2, 2, 0, 0, 0, 1, 2, 1]);
    let event = |bytes: &mut Vec<u8>, write: u8, key: u64, value: u64, ok: u8| {
        bytes.push(write);
        bytes.extend(key.to_le_bytes());
        bytes.extend(value.to_le_bytes());
        bytes.push(ok);
    };
    event(&mut bytes, 1, u64::MAX, 4, 1);
    bytes.push(0);
    bytes.extend(2_u64.to_le_bytes());
    event(&mut bytes, 0, 3, 0, 1);
    event(&mut bytes, 0, 3, 9, 0);
    bytes.push(1);
    bytes
}

#[test]
fn dbcop_binary() {
    let bytes = dbcop();
    let loaded = load(&bytes, Format::Dbcop);
    assert_eq!(
        told(&loaded),
        [r#"0 fail [["w",18446744073709551615,4]]"#, r#"0 ok [["r",3,null]]"#]
    );
    assert!(loaded.notes[0].starts_with("1 reads and writes did not succeed"));
    assert_eq!(Format::detect("a/history.bincode", &bytes), Some(Format::Dbcop));
    for cut in 0..bytes.len() {
        assert!(read(&bytes[..cut], "h", Format::Dbcop, Options::default()).is_err(), "{cut}");
    }
    let longer: Vec<u8> = bytes.iter().copied().chain([0]).collect();
    let message =
        format!("h:1: byte {}: expected the end behind the last session", bytes.len() + 1);
    refuse(&longer, Format::Dbcop, &message);
    let mut flagged = bytes;
    let last = flagged.len() - 1;
    flagged[last] = 7;
    let message = format!("h:1: byte {}: `committed` is 7: expected 0 or 1", last + 1);
    refuse(&flagged, Format::Dbcop, &message);
}

/// A record of Cobra's log.
fn record(bytes: &mut Vec<u8>, tag: u8, numbers: &[i64]) {
    bytes.push(tag);
    for n in numbers {
        bytes.extend(n.to_be_bytes());
    }
}

#[test]
fn cobra_logs() {
    let mut first = Vec::new();
    record(&mut first, b'S', &[10]);
    record(&mut first, b'W', &[101, -5, 7]);
    record(&mut first, b'C', &[10]);
    record(&mut first, b'S', &[11]);
    record(&mut first, b'W', &[102, -5, 8]);
    let mut second = Vec::new();
    record(&mut second, b'S', &[20]);
    record(&mut second, b'R', &[10, 101, -5, 7]);
    record(&mut second, b'R', &[0, 0xbebe_ebee, 6, 0]);
    record(&mut second, b'C', &[20]);
    assert_eq!(Format::detect("T1.log", &second), Some(Format::Cobra));
    let logs = [(1, "T1.log".to_owned(), &first[..]), (2, "T2.log".to_owned(), &second[..])];
    let loaded = read_cobra(logs).unwrap();
    let expected = [
        r#"1 ok [["w",-5,101]]"#,
        r#"1 info [["w",-5,102]]"#,
        r#"2 ok [["r",-5,101],["r",6,null]]"#,
    ];
    assert_eq!(told(&loaded), expected);
    let kinds = loaded.history.ops().filter(|op| op.outcome == EventType::Info).count();
    assert_eq!(kinds, 1);
    refuse(b"X", Format::Cobra, "h:1: byte 1: expected `S`, `W`, `R` or `C`, found byte 88");
    refuse(b"C", Format::Cobra, "h:1: byte 1: `C` outside a transaction");
    let mut wrong = Vec::new();
    record(&mut wrong, b'S', &[1]);
    record(&mut wrong, b'C', &[2]);
    refuse(&wrong, Format::Cobra, "h:1: byte 18: `C` of transaction 2 inside 1");
}

#[test]
fn the_first_bytes_tell_the_format() {
    let detected = |name: &str, head: &str| Format::detect(name, head.as_bytes());
    assert_eq!(detected("x.txt", "r(1,2,3,4)\n"), Some(Format::Plume));
    assert_eq!(detected("x.txt", "w 1 2\n"), Some(Format::Awdit));
    assert_eq!(detected("x.txt", "{:process 0}"), Some(Format::KvLog));
    assert_eq!(detected("x.plume", ""), Some(Format::Plume));
    for format in Format::ALL {
        assert_eq!(Format::from_name(format.name()), Some(format));
    }
}
