//! Random well-formed histories for the tests of readers and writers.

use proptest::collection::vec;
use proptest::prelude::*;
use quorate_checkers::history::{Builder, Event, EventType, History, Nanos, Process};
use quorate_checkers::value::{Name, Value};

/// What a step of a random history is made of; the process's state decides what comes of it.
#[derive(Clone, Debug)]
struct Step {
    process: u64,
    kind: u8,
    pause: u64,
    f: Name,
    key: Option<Value>,
    value: Value,
    error: Option<Value>,
    node: Option<Name>,
    extra: Vec<(Name, Value)>,
}

/// Well-formed histories of at most `length` events whose values are drawn from `values`.
pub(crate) fn histories(
    values: BoxedStrategy<Value>,
    names: BoxedStrategy<String>,
    length: usize,
) -> impl Strategy<Value = History> {
    let name = names.prop_map(Name::from).boxed();
    let extra = vec((name.clone(), values.clone()), 0..3);
    let step = (
        (0_u64..6, any::<u8>(), prop_oneof![Just(0), 0_u64..1 << 40]),
        (name.clone(), proptest::option::of(values.clone()), values.clone()),
        (proptest::option::of(values), proptest::option::of(name), extra),
    );
    let step = step.prop_map(|((process, kind, pause), (f, key, value), (error, node, extra))| {
        let error = error.filter(|error| !error.is_null());
        Step { process, kind, pause, f, key, value, error, node, extra }
    });
    vec(step, 0..length).prop_map(|steps| build(&steps))
}

fn build(steps: &[Step]) -> History {
    let mut builder = Builder::default();
    let mut time = 0;
    for step in steps {
        time += step.pause;
        let open = builder.open_event(step.process).cloned();
        let process = match step.process {
            0 => Process::Nemesis,
            number => Process::Client(number),
        };
        let kind = match (process, &open) {
            (Process::Nemesis, _) => EventType::Info,
            (_, None) => EventType::Invoke,
            (_, Some(_)) => EventType::ALL[1 + usize::from(step.kind) % 3],
        };
        let (f, key) = match open {
            Some(invoke) => (invoke.f, invoke.key.filter(|_| step.kind % 5 > 0)),
            None => (step.f.clone(), step.key.clone()),
        };
        let mut extra = step.extra.clone();
        extra.sort_by(|a, b| a.0.cmp(&b.0));
        extra.dedup_by(|a, b| a.0 == b.0);
        let event = Event {
            index: builder.next_index(),
            time: Nanos(time),
            process,
            kind,
            f,
            key,
            value: step.value.clone(),
            error: step.error.clone(),
            node: step.node.clone(),
            extra: (!extra.is_empty()).then(|| extra.into()),
        };
        // Steps of retired processes, and extra fields with reserved names, come to nothing.
        let _ = builder.push(event);
    }
    builder.finish()
}

/// Names as an operation, a node or an extra field may have them.
pub(crate) fn names() -> BoxedStrategy<String> {
    prop_oneof!["[a-z]{1,8}(-[a-z]{1,8})?", "read|write|cas|txn|time", any::<String>()].boxed()
}

fn json_leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        (-5_i64..5).prop_map(Value::Int),
        any::<f64>().prop_filter("JSON has no other", |n| n.is_finite()).prop_map(Value::Float),
        any::<String>().prop_map(Value::str),
        "[a-z0-9]{0,40}".prop_map(Value::str),
        "-?[1-9][0-9]{19,40}".prop_map(|text| Value::BigInt(text.into())),
        "-?[1-9]\\.[0-9]{19,40}[1-9]".prop_map(|text| Value::Decimal(text.into())),
    ]
}

/// All that JSON can say.
pub(crate) fn json_values() -> BoxedStrategy<Value> {
    json_leaf()
        .prop_recursive(3, 12, 4, |inner| {
            prop_oneof![
                vec(inner.clone(), 0..4).prop_map(Value::from),
                vec((any::<String>().prop_map(Value::str), inner), 0..4).prop_map(|mut pairs| {
                    pairs.sort();
                    pairs.dedup_by(|a, b| a.0 == b.0);
                    Value::Map(pairs.into())
                }),
            ]
        })
        .boxed()
}

/// All that EDN can say.
pub(crate) fn edn_values() -> BoxedStrategy<Value> {
    let token = || {
        "[a-z*+!?<>=_-]{1,6}(/[a-z.-]{1,6})?".prop_filter("numbers are no names", |text| {
            !matches!(text.as_str(), "nil" | "true" | "false")
        })
    };
    let leaf = prop_oneof![
        json_leaf(),
        token().prop_map(|text| Value::Keyword(text.into())),
        token().prop_map(|text| Value::Symbol(text.into())),
        any::<char>().prop_map(Value::Char),
        any::<f64>().prop_map(Value::Float),
        "-?(0|[1-9][0-9]{0,20})/[1-9][0-9]{0,3}".prop_map(|text| Value::Ratio(text.into())),
        "-?(0|[1-9][0-9]{0,20})(\\.[0-9]{1,5})?(e-?[0-9]{1,3})?"
            .prop_map(|text| Value::Decimal(text.into())),
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec(inner.clone(), 0..4).prop_map(|mut items| {
                items.sort();
                items.dedup();
                Value::Set(items.into())
            }),
            vec((inner.clone(), inner.clone()), 0..4).prop_map(|mut pairs| {
                pairs.sort();
                pairs.dedup_by(|a, b| a.0 == b.0);
                Value::Map(pairs.into())
            }),
            // No tag is `nil`, `true` or `false`.
            ("x[a-z]{0,4}(/[a-z]{1,5})?", inner)
                .prop_map(|(tag, value)| Value::Tagged(Box::new((tag.into(), value)))),
        ]
    })
    .boxed()
}

/// Fails unless both have the same events, to the order of pairs and the sign of zero.
pub(crate) fn assert_same(left: &History, right: &History) {
    for (a, b) in left.events().iter().zip(right.events()) {
        assert_eq!(format!("{a:?}"), format!("{b:?}"));
    }
    assert_eq!(left.events().len(), right.events().len());
    assert_eq!(left.operations(), right.operations());
}
