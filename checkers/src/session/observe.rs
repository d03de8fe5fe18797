//! What each session wrote and read, with versions in place of values.

use crate::history::{EventType, History, OpIndex, OpView, Process};
use crate::linearizable::no_other_value;
use crate::value::Value;
use hashbrown::HashMap;
use rustc_hash::FxBuildHasher;

type FxMap<K, V> = HashMap<K, V, FxBuildHasher>;

/// A version of a key: the initial value, or what one write put there.
pub(super) type Version = u32;

/// One step of a session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    /// The event that has the value: the invocation of a write, the completion of a read.
    pub(super) index: OpIndex,
    pub(super) version: Version,
    pub(super) writes: bool,
}

/// Where a version comes from.
#[derive(Clone, Copy, Debug)]
struct Origin {
    key: u32,
    /// The session and its step; none for an initial value.
    write: Option<(u32, u32)>,
}

/// All sessions of a history. The initial value of key `k` is version `k`.
#[derive(Debug)]
pub(super) struct Sessions<'a> {
    history: &'a History,
    keys: Vec<Option<&'a Value>>,
    origins: Vec<Origin>,
    steps: Vec<Vec<Step>>,
    reads: usize,
}

impl<'a> Sessions<'a> {
    /// Reads a history; an error says which assumption does not hold.
    pub(super) fn of(history: &'a History) -> Result<Sessions<'a>, String> {
        let keys = Vec::new();
        let mut sessions =
            Sessions { history, keys, origins: Vec::new(), steps: Vec::new(), reads: 0 };
        let mut key_numbers: FxMap<Option<&Value>, u32> = FxMap::default();
        for op in history.ops() {
            let next = sessions.keys.len() as u32;
            if *key_numbers.entry(op.key()).or_insert(next) == next {
                sessions.keys.push(op.key());
                sessions.origins.push(Origin { key: next, write: None });
            }
        }
        let values = sessions.versions_of_writes(&key_numbers)?;
        sessions.follow(&key_numbers, &values)?;
        Ok(sessions)
    }

    /// A version for each write that may have happened.
    fn versions_of_writes(
        &mut self,
        keys: &FxMap<Option<&Value>, u32>,
    ) -> Result<FxMap<(u32, &'a Value), Version>, String> {
        let mut values: FxMap<(u32, &Value), Version> = FxMap::default();
        for op in self.history.ops() {
            if op.f().as_str() != "write" || op.outcome == EventType::Fail {
                continue;
            }
            let (key, version) = (keys[&op.key()], self.origins.len() as Version);
            if values.insert((key, op.input()), version).is_some() {
                return Err(format!(
                    "{} was written twice{}: which write a read saw cannot be told",
                    op.input(),
                    crate::final_phase::of_key(op.key())
                ));
            }
            self.origins.push(Origin { key, write: None });
        }
        Ok(values)
    }

    fn follow(
        &mut self,
        keys: &FxMap<Option<&Value>, u32>,
        values: &FxMap<(u32, &Value), Version>,
    ) -> Result<(), String> {
        let mut numbers: FxMap<u64, usize> = FxMap::default();
        for op in self.history.ops() {
            let writes = match op.f().as_str() {
                "write" => true,
                "read" => false,
                other => return Err(format!("`{other}` is neither a read nor a write")),
            };
            let Process::Client(process) = op.process() else { continue };
            let key = keys[&op.key()];
            let version = match (writes, op.outcome) {
                (_, EventType::Fail) => continue,
                (true, _) => {
                    no_other_value(&op)?;
                    values[&(key, op.input())]
                }
                (false, _) => match op.output() {
                    None => continue,
                    Some(Value::Null) => key,
                    Some(value) => *values.get(&(key, value)).ok_or_else(|| nobody(&op, value))?,
                },
            };
            let session = *numbers.entry(process).or_insert_with(|| {
                self.steps.push(Vec::new());
                self.steps.len() - 1
            });
            let step = self.steps[session].len() as u32;
            let told = op.complete.filter(|_| !writes).unwrap_or(op.invoke);
            self.steps[session].push(Step { index: told.index, version, writes });
            if writes {
                self.origins[version as usize].write = Some((session as u32, step));
            }
            self.reads += usize::from(!writes);
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.steps.len()
    }

    pub(super) fn reads(&self) -> usize {
        self.reads
    }

    pub(super) fn writes(&self) -> usize {
        self.origins.len() - self.keys.len()
    }

    /// How many versions there are, initial ones included.
    pub(super) fn versions(&self) -> usize {
        self.origins.len()
    }

    pub(super) fn key_of(&self, version: Version) -> u32 {
        self.origins[version as usize].key
    }

    /// Which step of which session wrote it.
    pub(super) fn written(&self, version: Version) -> Option<(u32, u32)> {
        self.origins[version as usize].write
    }

    pub(super) fn steps(&self) -> &[Vec<Step>] {
        &self.steps
    }

    /// Whose operation an event belongs to.
    pub(super) fn process_at(&self, index: OpIndex) -> Option<u64> {
        match self.history.event(index).process {
            Process::Client(process) => Some(process),
            Process::Nemesis => None,
        }
    }

    /// A version as people write it.
    pub(super) fn shown(&self, version: Version) -> String {
        match self.written(version) {
            None => "the initial value".to_owned(),
            Some((session, step)) => {
                let step = self.steps[session as usize][step as usize];
                self.history.event(step.index).value.to_string()
            }
        }
    }

    /// A key as people write it.
    pub(super) fn key_name(&self, key: u32) -> String {
        let name = self.keys.get(key as usize).copied().flatten();
        name.map_or_else(|| "the register".to_owned(), crate::final_phase::key_text)
    }
}

fn nobody(op: &OpView<'_>, value: &Value) -> String {
    format!(
        "a read{} returned {value} (event {}), which nobody is known to have written",
        crate::final_phase::of_key(op.key()),
        op.complete.unwrap_or(op.invoke).index
    )
}
