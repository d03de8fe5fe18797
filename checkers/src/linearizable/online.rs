//! Linearizability while the history is being made: event by event, with a verdict at every
//! moment.
//!
//! Linearizability is prefix-closed: what is wrong once stays wrong whatever follows. So a
//! checker that reads along may stop a test at the first violation. [`Online`] judges each key by
//! itself, in one of two ways:
//!
//! - **Zones** for registers ([`Online::new`]). Where every written value is unique, a violation
//!   is reported at the very event that completes it, O(log n) amortized an event, and memory is
//!   bounded by the operations that are open or crashed and by the values that they may yet
//!   observe; `zones` says exactly by what. Where a value is written again before the register
//!   has certainly lost it, the key is left undecided from there on. A compare-and-set that was
//!   refused and does not say what it found is not held against the register; if there was one,
//!   a key without violation is undecided at the end. So "no violation" may be "unknown", but a
//!   violation is one.
//! - **Checking again** for every other object, and for registers too with
//!   [`Online::checking_again`]: see `buffer`. Exact, but late by at most as many operations as
//!   went before, and it keeps all events.

mod buffer;
mod chains;
mod words;
mod zones;

use super::ModelKind;
use super::Outcome;
use super::key::{Algorithm, KeyReport};
use super::options::{Options, Unknown};
use super::report::assemble;
use crate::history::{Event, EventType, Process};
use crate::value::Value;
use crate::verdict::{Anomaly, CheckerReport, Valid};
use buffer::Buffer;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;
use words::Where;
use zones::{Flaw, Zones};

/// A checker that is fed event by event.
#[derive(Debug)]
pub struct Online {
    kind: ModelKind,
    /// Registers, too, are checked again and again.
    again: bool,
    /// What one check of a buffered key may spend.
    options: Options<'static>,
    numbers: HashMap<Option<Value>, u32, FxBuildHasher>,
    keys: Vec<Key>,
    /// What each client has under way.
    open: HashMap<u64, Open, FxBuildHasher>,
    operations: usize,
    /// The key of the first violation.
    wrong: Option<u32>,
}

#[derive(Debug)]
struct Key {
    name: Option<Value>,
    judge: Judge,
}

#[derive(Debug)]
enum Judge {
    Zones {
        zones: Box<Zones>,
        unexplained: u64,
    },
    Again(Box<Buffer>),
    /// Not decided, and why.
    Left(String),
    Wrong(Box<Anomaly>, Algorithm),
}

#[derive(Debug)]
struct Open {
    key: u32,
    /// The invocation's index plus one.
    begin: u32,
    ask: Ask,
}

#[derive(Debug)]
enum Ask {
    Read,
    Write(Value),
    Cas(Value, Value),
    /// The key is not judged by zones.
    Other,
}

impl Online {
    /// A checker that keeps as little as the object permits.
    pub fn new(kind: ModelKind) -> Online {
        Online {
            kind,
            again: kind != ModelKind::Register,
            options: Options { threads: 1, ..Options::default() },
            numbers: HashMap::default(),
            keys: Vec::new(),
            open: HashMap::default(),
            operations: 0,
            wrong: None,
        }
    }

    /// A checker that keeps all events and checks each key whenever it has doubled, each time
    /// with at most `steps` steps and `bytes` bytes of search.
    pub fn checking_again(kind: ModelKind, steps: u64, bytes: usize) -> Online {
        let options = Options { steps, bytes, threads: 1, ..Options::default() };
        Online { again: true, options, ..Online::new(kind) }
    }

    /// Takes the next event of a well-formed history. If it completes a violation of its key:
    /// which.
    pub fn push(&mut self, event: &Event) -> Option<&Anomaly> {
        let Process::Client(process) = event.process else { return None };
        let key = if event.kind == EventType::Invoke {
            self.invoke(process, event);
            return None; // An invocation adds possibilities, and never a contradiction.
        } else {
            let open = self.open.remove(&process)?;
            let judge = &mut self.keys[open.key as usize].judge;
            let was_wrong = matches!(judge, Judge::Wrong(..));
            complete(&mut self.keys[open.key as usize], &open, event, &self.options);
            if was_wrong {
                return None;
            }
            open.key
        };
        let Judge::Wrong(anomaly, _) = &self.keys[key as usize].judge else { return None };
        self.wrong.get_or_insert(key);
        Some(anomaly)
    }

    /// The first violation so far, if there is one.
    pub fn violation(&self) -> Option<&Anomaly> {
        match &self.keys[self.wrong? as usize].judge {
            Judge::Wrong(anomaly, _) => Some(anomaly),
            _ => None,
        }
    }

    /// The key of the first violation, if there is one and it has a key.
    pub fn violated_key(&self) -> Option<&Value> {
        self.keys[self.wrong? as usize].name.as_ref()
    }

    /// The verdict so far: false is final; unknown if some key is left undecided.
    pub fn valid(&self) -> Valid {
        if self.wrong.is_some() {
            return Valid::False;
        }
        let left = self.keys.iter().any(|key| matches!(key.judge, Judge::Left(_)));
        if left { Valid::Unknown } else { Valid::True }
    }

    /// How much is kept, over all keys: values of registers, events of other objects.
    pub fn kept(&self) -> usize {
        let of_key = |key: &Key| match &key.judge {
            Judge::Zones { zones, .. } => zones.kept(),
            Judge::Again(buffer) => buffer.kept(),
            Judge::Left(_) | Judge::Wrong(..) => 0,
        };
        self.keys.iter().map(of_key).sum()
    }

    /// The history is over. What is still open may have happened or not.
    pub fn finish(self) -> CheckerReport {
        let options = self.options;
        let mut names = Vec::with_capacity(self.keys.len());
        let mut reports = Vec::with_capacity(self.keys.len());
        for key in self.keys {
            reports.push(conclude(key.judge, &options));
            names.push(key.name);
        }
        let names: Vec<Option<&Value>> = names.iter().map(Option::as_ref).collect();
        assemble(self.kind, &names, reports, self.operations)
    }

    fn invoke(&mut self, process: u64, event: &Event) {
        self.operations += 1;
        let number = match self.numbers.get(&event.key) {
            Some(number) => *number,
            None => self.new_key(event.key.clone()),
        };
        let key = &mut self.keys[number as usize];
        let begin = event.index.0 + 1;
        let ask = match &mut key.judge {
            Judge::Zones { zones, .. } => match ask(zones, event, begin) {
                Ok(ask) => ask,
                Err(why) => {
                    key.judge = Judge::Left(why);
                    Ask::Other
                }
            },
            Judge::Again(buffer) => {
                buffer.push(event, key.name.as_ref());
                Ask::Other
            }
            Judge::Left(_) | Judge::Wrong(..) => Ask::Other,
        };
        self.open.insert(process, Open { key: number, begin, ask });
    }

    fn new_key(&mut self, name: Option<Value>) -> u32 {
        let judge = if self.again {
            Judge::Again(Box::new(Buffer::new(self.kind)))
        } else {
            Judge::Zones { zones: Box::new(Zones::new()), unexplained: 0 }
        };
        let number = self.keys.len() as u32;
        self.keys.push(Key { name: name.clone(), judge });
        self.numbers.insert(name, number);
        number
    }
}

/// What a register is asked; or why that cannot be judged by zones.
fn ask(zones: &mut Zones, event: &Event, now: u32) -> Result<Ask, String> {
    let repeated = |value: &Value| {
        format!("{value} was written again (index {}) while it may still be there", event.index)
    };
    match (event.f.as_str(), event.value.as_list()) {
        ("read", _) => {
            zones.look(now);
            Ok(Ask::Read)
        }
        ("write", _) => {
            zones.install(&event.value, None, now).map_err(|_| repeated(&event.value))?;
            Ok(Ask::Write(event.value.clone()))
        }
        ("cas", Some([old, new])) => {
            zones.look(now);
            if old != new {
                zones.install(new, Some(old), now).map_err(|_| repeated(new))?;
            }
            Ok(Ask::Cas(old.clone(), new.clone()))
        }
        (f, _) => Err(format!(
            "{f} of {} (index {}) means nothing to a register",
            event.value, event.index
        )),
    }
}

fn complete(key: &mut Key, open: &Open, event: &Event, options: &Options<'_>) {
    match &mut key.judge {
        Judge::Zones { zones, unexplained } => {
            let now = event.index.0 + 1;
            if let Some(why) = other_value(open, event) {
                key.judge = Judge::Left(why);
                return;
            }
            let found = answer(zones, unexplained, open, event, now);
            zones.leave(open.begin, now);
            if let Err(flaw) = found {
                let place = Where { key: key.name.as_ref(), begin: open.begin, event };
                key.judge = Judge::Wrong(Box::new(place.tell(&flaw)), Algorithm::Zones);
            }
        }
        Judge::Again(buffer) => {
            buffer.push(event, key.name.as_ref());
            if buffer.is_due()
                && let KeyReport { anomaly: Some(anomaly), algorithm, .. } = buffer.check(options)
            {
                key.judge = Judge::Wrong(Box::new(anomaly), algorithm);
            }
        }
        Judge::Left(_) | Judge::Wrong(..) => {}
    }
}

/// Why nobody knows what a write wrote, if it succeeded with another value than it was asked for.
fn other_value(open: &Open, event: &Event) -> Option<String> {
    let same = match &open.ask {
        Ask::Write(value) => event.value == *value,
        Ask::Cas(old, new) => {
            matches!(event.value.as_list(), Some([from, to]) if from == old && to == new)
        }
        Ask::Read | Ask::Other => return None,
    };
    (event.kind == EventType::Ok && !event.value.is_null() && !same).then(|| {
        format!(
            "the {} at index {} was answered at index {} with {}, which is not what it was asked \
             for: which of the two happened cannot be told",
            event.f,
            open.begin - 1,
            event.index,
            event.value
        )
    })
}

/// Takes in how an operation on a register ended.
fn answer(
    zones: &mut Zones,
    unexplained: &mut u64,
    open: &Open,
    event: &Event,
    now: u32,
) -> Result<(), Flaw> {
    match (&open.ask, event.kind) {
        (Ask::Read, EventType::Ok) => zones.observed(&event.value, open.begin, now),
        (Ask::Cas(old, new), EventType::Ok) if old == new => zones.observed(old, open.begin, now),
        (Ask::Write(value) | Ask::Cas(_, value), EventType::Ok) => {
            zones.installed(value, open.begin, now)
        }
        (Ask::Write(value), EventType::Fail) => zones.failed(value),
        (Ask::Cas(old, new), EventType::Fail) => {
            if old != new {
                zones.failed(new)?;
            }
            match super::register::refusal(event) {
                None => Ok(()),
                Some(None) => {
                    *unexplained += 1;
                    Ok(())
                }
                Some(Some(seen)) if seen == old => Err(Flaw::Contradiction(old.clone())),
                Some(Some(seen)) => zones.observed(seen, open.begin, now),
            }
        }
        (Ask::Write(value) | Ask::Cas(_, value), EventType::Info) => {
            zones.crashed(value);
            Ok(())
        }
        (Ask::Read | Ask::Other, _) | (_, EventType::Invoke) => Ok(()),
    }
}

fn conclude(judge: Judge, options: &Options<'_>) -> KeyReport {
    let (outcome, algorithm, anomaly) = match judge {
        Judge::Zones { unexplained: 0, .. } => (Outcome::Linearizable, Algorithm::Zones, None),
        Judge::Zones { unexplained, .. } => {
            let why = if unexplained == 1 {
                "one refused compare-and-set does not say what it found".to_owned()
            } else {
                format!("{unexplained} refused compare-and-sets do not say what they found")
            };
            (Outcome::Unknown(Unknown::Input(why)), Algorithm::Zones, None)
        }
        Judge::Left(why) => (Outcome::Unknown(Unknown::Input(why)), Algorithm::Zones, None),
        Judge::Wrong(anomaly, algorithm) => (Outcome::Violation, algorithm, Some(*anomaly)),
        Judge::Again(buffer) => return buffer.check(options),
    };
    KeyReport { outcome, algorithm, anomaly }
}
