//! Random fates of attempts, against the law that defines the outcome.

use super::*;
use crate::api::kv::Session;
use proptest::prelude::*;
use serde_json::json;

#[derive(Clone, Debug)]
enum Fate {
    Done,
    Definite,
    Indefinite,
    Refused,
    Lost,
    Silent,
}

fn fate() -> impl Strategy<Value = Fate> {
    prop_oneof![
        1 => Just(Fate::Done),
        3 => Just(Fate::Definite),
        2 => Just(Fate::Indefinite),
        3 => Just(Fate::Refused),
        2 => Just(Fate::Lost),
        2 => Just(Fate::Silent),
    ]
}

fn request(read: bool, session: bool) -> Request {
    let key = "k".to_owned();
    let op = if read { kv::Op::Read { key } } else { kv::Op::Write { key, value: json!(1) } };
    Request::Kv(kv::Request { op, session: session.then_some(Session { client: 7, seq: 3 }) })
}

fn error(definite: bool) -> Response {
    Response::Kv(kv::Response::Error { definite, reason: "why".into() })
}

/// What happened to each attempt, and how it ended and when.
struct Played {
    fates: Vec<Fate>,
    outcome: Outcome,
    end: Duration,
}

/// Plays an operation; each attempt that is answered takes `delay`.
fn play(request: &Request, fates: &[Fate], delay: Duration) -> Played {
    let policy = Policy::default();
    let start = Duration::from_secs(100);
    let (mut caller, mut next) = Caller::start(policy, NodeId(2), request.clone(), start);
    let (mut now, mut seen) = (start, Vec::new());
    loop {
        next = match next {
            Next::Send { to, request: sent, attempt, until } => {
                assert_eq!((to, &sent), (NodeId(2), request), "bound to its node and session");
                assert!(until > now && until <= start + policy.total);
                assert_eq!(attempt as usize, seen.len() + 1);
                let mut fate = fates.get(seen.len()).cloned().unwrap_or(Fate::Silent);
                if now + delay >= until {
                    fate = Fate::Silent;
                }
                seen.push(fate.clone());
                now = if matches!(fate, Fate::Silent) { until } else { now + delay };
                let event = match fate {
                    Fate::Done => Event::Answered(Response::Kv(kv::Response::Done)),
                    Fate::Definite => Event::Answered(error(true)),
                    Fate::Indefinite => Event::Answered(error(false)),
                    Fate::Refused => Event::Refused("refused".into()),
                    Fate::Lost => Event::Lost("lost".into()),
                    Fate::Silent => Event::Wake,
                };
                caller.on(event, now)
            }
            Next::Wait { until } => {
                assert!(until > now && until < start + policy.total, "no rest behind the end");
                // An answer to an attempt that was given up is not heard.
                let late = Event::Answered(Response::Kv(kv::Response::Done));
                assert_eq!(caller.on(late, now), Next::Wait { until });
                assert_eq!(caller.on(Event::Wake, now), Next::Wait { until }, "too early");
                now = until;
                caller.on(Event::Wake, now)
            }
            Next::Finish(outcome) => {
                return Played { fates: seen, outcome, end: now.saturating_sub(start) };
            }
        };
    }
}

proptest! {
    #[test]
    fn outcomes_are_certain_only_where_nothing_can_have_arrived(
        read: bool, session: bool, delay_ms in 0u64..800,
        fates in prop::collection::vec(fate(), 0..40),
    ) {
        let request = request(read, session);
        let played = play(&request, &fates, Duration::from_millis(delay_ms));
        let reached = played
            .fates
            .iter()
            .any(|f| matches!(f, Fate::Lost | Fate::Silent | Fate::Indefinite | Fate::Done));
        let last = played.fates.last().unwrap();
        match &played.outcome {
            Outcome::Refused(_) => {
                prop_assert!(!reached && matches!(last, Fate::Refused));
            }
            Outcome::Answered(response) if *response == error(true) => {
                prop_assert!(!reached && matches!(last, Fate::Definite));
            }
            Outcome::Answered(response) => {
                prop_assert_eq!(response, &Response::Kv(kv::Response::Done));
                prop_assert!(matches!(last, Fate::Done));
            }
            Outcome::Unknown(_) => prop_assert!(reached && !matches!(last, Fate::Done)),
        }
        prop_assert!(played.end <= Policy::default().total);
    }

    #[test]
    fn what_may_have_arrived_is_repeated_only_where_that_does_no_harm(
        read: bool, session: bool, fates in prop::collection::vec(fate(), 0..40),
    ) {
        let played = play(&request(read, session), &fates, Duration::from_millis(1));
        let arrived = played
            .fates
            .iter()
            .position(|f| matches!(f, Fate::Lost | Fate::Silent | Fate::Indefinite));
        if let Some(first) = arrived
            && !read
            && !session
        {
            prop_assert_eq!(first + 1, played.fates.len());
        }
    }

    #[test]
    fn it_goes_on_until_an_answer_or_the_end(fates in prop::collection::vec(fate(), 0..40)) {
        let played = play(&request(false, true), &fates, Duration::from_millis(1));
        let policy = Policy::default();
        let answered = matches!(played.fates.last(), Some(Fate::Done));
        prop_assert!(answered || played.end + policy.pause >= policy.total);
    }
}

#[test]
fn an_unrepeatable_attempt_gets_all_the_time() {
    let policy = Policy::default();
    let (_, next) = Caller::start(policy, NodeId(1), request(false, false), Duration::ZERO);
    assert!(matches!(next, Next::Send { until, .. } if until == policy.total));
    let (_, next) = Caller::start(policy, NodeId(1), request(false, true), Duration::ZERO);
    assert!(matches!(next, Next::Send { until, .. } if until == policy.attempt));
}

#[test]
fn after_the_end_nothing_changes_the_outcome() {
    let (mut caller, _) =
        Caller::start(Policy::default(), NodeId(1), request(true, false), Duration::ZERO);
    let done = Event::Answered(Response::Kv(kv::Response::Done));
    assert!(matches!(caller.on(done.clone(), Duration::ZERO), Next::Finish(_)));
    assert_eq!(caller.on(done, Duration::ZERO), Next::Wait { until: Duration::MAX });
}
