//! Options, names, and the translation between operations and the key-value api: each a table.

use quorate_checkers::history::EventType;
use quorate_checkers::value::Value;
use quorate_targets::api::kv::{Response as Kv, Session};
use quorate_targets::api::{Outcome, Request, Response};
use quorate_targets::node::NodeId;
use quorate_targets::seed::Seed;
use quorate_workloads::generator::Invocation;
use quorate_workloads::kv;
use quorate_workloads::options::Options;
use quorate_workloads::registry::{self, WORKLOADS};
use quorate_workloads::workload::Workload;
use serde_json::json;

fn construct(options: &[&str]) -> Result<Box<dyn Workload>, String> {
    let entry = registry::find("register").map_err(|error| error.to_string())?;
    let options = Options::parse(options).map_err(|error| error.to_string())?;
    (entry.construct)(&options, Seed(1), &[NodeId(1)]).map_err(|error| error.to_string())
}

#[test]
fn options_that_cannot_be_used_are_explained() {
    let there_is = "keys, ops-per-key, crashes-per-key, readers, read, write, cas";
    let misspelt =
        format!("there is no option `kets` (did you mean `keys`?); there is: {there_is}");
    let unlike = format!("there is no option `shards`; there is: {there_is}");
    let cases: &[(&[&str], &str)] = &[
        (&["keys"], "option `keys` is not of the form NAME=VALUE"),
        (&["=3"], "option `=3` is not of the form NAME=VALUE"),
        (&["keys=1", "keys=2"], "option `keys` is given twice"),
        (&["keys=many"], "option `keys` must be a whole number from 1 to 10000, not `many`"),
        (&["keys=0"], "option `keys` must be a whole number from 1 to 10000, not `0`"),
        (&["read=-1"], "option `read` must be a whole number from 0 to 1000000, not `-1`"),
        (&["read=0", "write=0", "cas=0"], "the weights `read`, `write` and `cas` are all 0"),
        (&["kets=3"], &misspelt),
        (&["shards=3"], &unlike),
    ];
    for (options, expected) in cases {
        assert_eq!(construct(options).err().as_deref(), Some(*expected), "{options:?}");
    }
}

#[test]
fn options_that_can_be_used() {
    let good: &[&[&str]] = &[&[], &["keys=1"], &["ops-per-key=0"], &["read=0", "cas=7"]];
    for options in good {
        assert!(construct(options).is_ok(), "{options:?}");
    }
}

#[test]
fn each_workload_takes_its_defaults_and_is_found_by_its_name() {
    for entry in WORKLOADS {
        assert_eq!(registry::find(entry.name).map(|found| found.name), Ok(entry.name));
        let spelt_out = entry.options.iter().map(|spec| format!("{}={}", spec.name, spec.default));
        let options = Options::parse(spelt_out).expect("defaults are well-formed");
        assert!((entry.construct)(&options, Seed(1), &[NodeId(1)]).is_ok(), "{}", entry.name);
        assert!(!entry.checks.is_empty(), "{} checks nothing", entry.name);
    }
    let error = registry::find("registre").expect_err("there is none");
    assert_eq!(
        error.to_string(),
        "there is no workload `registre` (did you mean `register`?); there is: register, append, \
         wr, mini-txn, bank, long-fork, write-skew, g2, closed-predicate, causal-reverse, \
         monotonic, orders, set, g-counter, pn-counter, session"
    );
}

fn read() -> Invocation {
    Invocation::new("read").key("k1")
}

fn write() -> Invocation {
    Invocation::new("write").key("k1").value(7)
}

fn cas() -> Invocation {
    Invocation::new("cas").key("k1").value(Value::list([Value::Int(7), Value::Int(8)]))
}

#[test]
fn operations_become_requests() {
    let session = Session { client: 3, seq: 9 };
    let cases = [
        (read(), json!({"op": "read", "key": "k1", "session": session})),
        (write(), json!({"op": "write", "key": "k1", "value": 7, "session": session})),
        (cas(), json!({"op": "cas", "key": "k1", "old": 7, "new": 8, "session": session})),
    ];
    for (invocation, expected) in cases {
        let Request::Kv(request) = kv::encode(&invocation, session) else {
            panic!("{invocation:?} is asked of another api");
        };
        assert_eq!(serde_json::to_value(request).expect("it is JSON"), expected);
    }
}

fn answered(response: Kv) -> Outcome {
    Outcome::Answered(Response::Kv(response))
}

fn error(definite: bool) -> Outcome {
    answered(Kv::Error { definite, reason: "no-leader".to_owned() })
}

#[test]
fn outcomes_become_completions() {
    use EventType::{Fail, Info, Ok};
    let value = |n: i64| answered(Kv::Value { value: n.into() });
    let mismatch = || answered(Kv::Mismatch { seen: 5.into() });
    let refused = || Outcome::Refused("connection refused".to_owned());
    let unknown = || Outcome::Unknown("timeout".to_owned());
    let done = || answered(Kv::Done);
    let cases = [
        (read(), value(5), Ok, "5", ""),
        (read(), answered(Kv::Value { value: json!(null) }), Ok, "null", ""),
        (read(), error(true), Fail, "null", r#"["rejected","no-leader"]"#),
        (read(), error(false), Fail, "null", r#"["indeterminate","no-leader"]"#),
        (read(), refused(), Fail, "null", r#"["refused","connection refused"]"#),
        (read(), unknown(), Fail, "null", r#"["unknown","timeout"]"#),
        (read(), done(), Fail, "null", r#"["protocol","done"]"#),
        (write(), done(), Ok, "7", ""),
        (write(), error(true), Fail, "7", r#"["rejected","no-leader"]"#),
        (write(), error(false), Info, "7", r#"["indeterminate","no-leader"]"#),
        (write(), refused(), Fail, "7", r#"["refused","connection refused"]"#),
        (write(), unknown(), Info, "7", r#"["unknown","timeout"]"#),
        (write(), value(7), Info, "7", r#"["protocol","value"]"#),
        (write(), mismatch(), Info, "7", r#"["protocol","mismatch"]"#),
        (cas(), done(), Ok, "[7,8]", ""),
        (cas(), mismatch(), Fail, "[7,8]", r#"["precondition-failed",5]"#),
        (cas(), error(false), Info, "[7,8]", r#"["indeterminate","no-leader"]"#),
        (cas(), unknown(), Info, "[7,8]", r#"["unknown","timeout"]"#),
    ];
    for (invocation, outcome, kind, value, error) in cases {
        let shown = format!("{} {outcome:?}", invocation.f);
        let completion = kv::decode(&invocation, outcome);
        let error_seen = completion.error.map(|error| error.to_string()).unwrap_or_default();
        let seen = (completion.kind, completion.value.to_string(), error_seen);
        assert_eq!(seen, (kind, value.to_owned(), error.to_owned()), "{shown}");
    }
}
