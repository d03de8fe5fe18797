//! Values that repeat, told apart: which write each read must have seen.
//!
//! A value that was written several times has several *versions*, one for each call that may
//! have installed it. A call that observed the value can have seen a version only if it ended
//! after the version's installer began, and if nothing that surely happened lies between: no
//! other installation, and no read of another value, that began after a call of the version had
//! ended and ended before the observer began. If each observer is left with one version, then
//! giving every version a name of its own changes nothing: the renamed history is linearizable
//! exactly if the original is, and its values are unique. If one is left with none, the history
//! is not linearizable. (Gibbons and Korach, "Testing shared memories", 1997, have the case in
//! which the read mapping is given; this is when it can be derived.)
//!
//! Knowing an observer's version gives that version another call that ended, which can rule it
//! out for others: a few rounds. Cost: O(n log n) each.

use super::calls::{Action, INITIAL, OPEN, RegisterCall, RegisterCalls, ValueId};
use super::zones::NONE;

/// How often knowledge is passed on.
const ROUNDS_MAX: usize = 16;

/// What is known of the versions that were observed.
pub(super) enum Renamed<'a> {
    /// Each observer has one.
    Unique(Versions<'a>),
    /// Some observer has several.
    Ambiguous,
    /// Some observer has none.
    Overwritten(Overwritten),
}

/// A history whose values are unique.
pub(super) struct Versions<'a> {
    pub(super) register: RegisterCalls<'a>,
    /// The value that each version is one of.
    pub(super) value_of: Vec<ValueId>,
    /// Refused compare-and-sets of values that have several versions: those that
    /// `register` leaves out. The call among the original ones, and the value.
    pub(super) refused: Vec<(u32, ValueId)>,
}

/// A call observed a value of which every version was gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Overwritten {
    pub(super) observer: u32,
    /// The installer of the last version that was there before; [`NONE`] for the initial one, or
    /// if all began after the observer had ended.
    pub(super) installer: u32,
    /// The call that lies between, if there is one.
    pub(super) between: Option<u32>,
    /// A call that began after the observer had ended, if all did.
    pub(super) after: Option<u32>,
}

/// One version of a value.
#[derive(Clone, Copy)]
struct Version {
    /// Who installs it; [`NONE`] for the initial one.
    call: u32,
    invoke: u32,
    /// The earliest end of the installer and of all calls that are known to have seen it.
    end: u32,
    taken: bool,
}

/// A call that observed a value.
#[derive(Clone, Copy)]
struct Observer {
    call: u32,
    value: ValueId,
    /// Versions of which a call ended before this begins were gone when the observer began.
    ended: Bound,
    /// The version's place in its value's list, once known.
    version: u32,
}

/// Of the first versions of a value: which ends last, when, and when the last of the others ends.
#[derive(Clone, Copy)]
struct Latest {
    place: u32,
    end: u32,
    other_end: u32,
}

/// A latest beginning, and the call that has it.
#[derive(Clone, Copy)]
struct Bound {
    begin: u32,
    call: u32,
    /// The value of a read; [`NONE`] for an installation.
    value: ValueId,
}

const NEVER: Bound = Bound { begin: 0, call: NONE, value: NONE };

/// Tells versions apart. The values must have been seen to repeat: no call may observe a value
/// that has no version at all.
pub(super) fn rename<'a>(register: &RegisterCalls<'a>) -> Renamed<'a> {
    let mut work = Work::new(register);
    match work.settle() {
        Err(Stuck::Ambiguous) => Renamed::Ambiguous,
        Err(Stuck::Overwritten(why)) => Renamed::Overwritten(why),
        Ok(()) => Renamed::Unique(work.names()),
    }
}

enum Stuck {
    Ambiguous,
    Overwritten(Overwritten),
}

struct Work<'a, 'b> {
    register: &'b RegisterCalls<'a>,
    /// By value, each list in the order of invocations.
    versions: Vec<Vec<Version>>,
    /// The place of each call in the list of the value that it installs.
    place: Vec<usize>,
    observers: Vec<Observer>,
    surely: Surely,
}

impl<'a, 'b> Work<'a, 'b> {
    fn new(register: &'b RegisterCalls<'a>) -> Work<'a, 'b> {
        let mut versions: Vec<Vec<Version>> = vec![Vec::new(); register.values.len()];
        versions[INITIAL as usize].push(Version { call: NONE, invoke: 0, end: 0, taken: true });
        let surely = Surely::new(&register.calls);
        let mut observers = Vec::new();
        let mut place = vec![0; register.calls.len()];
        for (index, call) in register.calls.iter().enumerate() {
            let index = index as u32;
            let crashed = call.complete == OPEN;
            if let Some(value) = installs(call.action) {
                let (invoke, end) = (call.invoke, call.complete);
                let version = Version { call: index, invoke, end, taken: !crashed };
                place[index as usize] = versions[value as usize].len();
                versions[value as usize].push(version);
            }
            if let (Some(value), false) = (observes(call.action), crashed) {
                observers.push(Observer::new(index, call, value, &surely));
            }
        }
        Work { register, versions, place, observers, surely }
    }

    /// Finds each observer's version.
    fn settle(&mut self) -> Result<(), Stuck> {
        for _ in 0..ROUNDS_MAX {
            let before = self.observers.len();
            let latest = self.latest();
            let (mut open, mut news) = (false, false);
            for at in 0..self.observers.len() {
                match self.choose(at, &latest)? {
                    Some(fresh) => news |= fresh,
                    None => open = true,
                }
            }
            if !open && self.observers.len() == before {
                return Ok(());
            }
            if !news {
                return Err(Stuck::Ambiguous);
            }
        }
        Err(Stuck::Ambiguous)
    }

    /// What is known of each list of versions, for each number of its first ones.
    fn latest(&self) -> Vec<Vec<Latest>> {
        let of_value = |list: &Vec<Version>| {
            let mut known = Latest { place: NONE, end: 0, other_end: 0 };
            let with = |(at, version): (usize, &Version)| {
                if known.place == NONE || version.end >= known.end {
                    let other_end = if known.place == NONE { 0 } else { known.end };
                    known = Latest { place: at as u32, end: version.end, other_end };
                } else {
                    known.other_end = known.other_end.max(version.end);
                }
                known
            };
            list.iter().enumerate().map(with).collect()
        };
        self.versions.iter().map(of_value).collect()
    }

    /// Looks for an observer's version: nothing if there are several left, else whether this
    /// tells something new.
    fn choose(&mut self, at: usize, latest: &[Vec<Latest>]) -> Result<Option<bool>, Stuck> {
        let observer = self.observers[at];
        let call = &self.register.calls[observer.call as usize];
        let until = match installs(call.action).filter(|_| call.complete == OPEN) {
            // It took effect before anybody saw what it installed.
            Some(new) => self.versions[new as usize][self.place[observer.call as usize]].end,
            None => call.complete,
        };
        let list = &mut self.versions[observer.value as usize];
        let begun = list.partition_point(|version| version.invoke < until);
        let Some(known) = begun.checked_sub(1).map(|last| latest[observer.value as usize][last])
        else {
            return Err(Stuck::Overwritten(self.nothing(&observer, None)));
        };
        let version = &mut list[known.place as usize];
        if known.end < observer.ended.begin {
            let installer = version.call;
            return Err(Stuck::Overwritten(self.nothing(&observer, Some(installer))));
        }
        if begun > 1 && known.other_end >= observer.ended.begin {
            return Ok(None);
        }
        let fresh = observer.version == NONE || until < version.end;
        version.end = version.end.min(until);
        let installer = version.call;
        let surely_taken = std::mem::replace(&mut version.taken, true);
        self.observers[at].version = known.place;
        if !surely_taken {
            let call = &self.register.calls[installer as usize];
            if let Some(value) = observes(call.action) {
                self.observers.push(Observer::new(installer, call, value, &self.surely));
            }
        }
        Ok(Some(fresh))
    }

    fn nothing(&self, observer: &Observer, installer: Option<u32>) -> Overwritten {
        let later = self.versions[observer.value as usize].first().map(|version| version.call);
        Overwritten {
            observer: observer.call,
            installer: installer.unwrap_or(NONE),
            between: installer.map(|_| observer.ended.call),
            after: later.filter(|_| installer.is_none()),
        }
    }

    /// The history with versions for values.
    fn names(self) -> Versions<'a> {
        let calls = &self.register.calls;
        let (mut values, mut value_of) = (Vec::new(), Vec::new());
        let mut first = Vec::with_capacity(self.versions.len());
        let mut installed = vec![NONE; calls.len()];
        for (value, list) in self.versions.iter().enumerate() {
            first.push(values.len() as ValueId);
            for version in list {
                if version.call != NONE {
                    installed[version.call as usize] = values.len() as ValueId;
                }
                values.push(self.register.values[value]);
                value_of.push(value as ValueId);
            }
        }
        let mut seen = vec![NONE; calls.len()];
        for observer in &self.observers {
            seen[observer.call as usize] = first[observer.value as usize] + observer.version;
        }
        let mut refused = Vec::new();
        let mut renamed = Vec::with_capacity(calls.len());
        for (at, call) in calls.iter().enumerate() {
            let (old, new) = (seen[at], installed[at]);
            let action = match call.action {
                Action::Refused(value) => match self.versions[value as usize].len() {
                    0 => continue, // It was never there.
                    1 => Action::Refused(first[value as usize]),
                    _ => {
                        refused.push((at as u32, value));
                        continue;
                    }
                },
                Action::Contradiction(_) => Action::Contradiction(INITIAL),
                Action::Write(_) => Action::Write(new),
                // One that crashed and that nobody observed may be left out.
                _ if old == NONE => continue,
                Action::Read(_) => Action::Read(old),
                Action::Cas(..) if new == NONE => Action::Read(old),
                Action::Cas(..) => Action::Cas(old, new),
            };
            renamed.push(RegisterCall { action, ..*call });
        }
        Versions { register: RegisterCalls { calls: renamed, values }, value_of, refused }
    }
}

impl Observer {
    fn new(index: u32, call: &RegisterCall, value: ValueId, surely: &Surely) -> Observer {
        Observer { call: index, value, ended: surely.before(call.invoke, value), version: NONE }
    }
}

/// The value that a call installs, if it takes effect.
pub(super) fn installs(action: Action) -> Option<ValueId> {
    match action {
        Action::Write(value) => Some(value),
        Action::Cas(old, new) => (old != new).then_some(new),
        Action::Read(_) | Action::Refused(_) | Action::Contradiction(_) => None,
    }
}

/// The value that a call found, if it took effect.
pub(super) fn observes(action: Action) -> Option<ValueId> {
    match action {
        Action::Read(value) | Action::Cas(value, _) => Some(value),
        Action::Write(_) | Action::Refused(_) | Action::Contradiction(_) => None,
    }
}

/// What surely happened, by its end: of all that ended before a moment, the latest beginnings of
/// an installation, and of reads of two different values.
struct Surely {
    ends: Vec<u32>,
    bounds: Vec<[Bound; 3]>,
}

impl Surely {
    fn new(calls: &[RegisterCall]) -> Surely {
        let mut ended: Vec<u32> = (0..calls.len() as u32)
            .filter(|index| {
                let call = &calls[*index as usize];
                let says = installs(call.action).or(observes(call.action)).is_some();
                says && call.complete != OPEN
            })
            .collect();
        ended.sort_unstable_by_key(|index| calls[*index as usize].complete);
        let mut known = [NEVER; 3];
        let bounds = ended.iter().map(|index| {
            let call = &calls[*index as usize];
            let value = match installs(call.action) {
                Some(_) => NONE,
                None => observes(call.action).unwrap_or(NONE),
            };
            let new = Bound { begin: call.invoke, call: *index, value };
            let [installed, first, second] = &mut known;
            if value == NONE {
                *installed = later(*installed, new);
            } else if value == first.value {
                *first = later(*first, new);
            } else if new.begin > first.begin {
                (*first, *second) = (new, *first);
            } else {
                *second = later(*second, new);
            }
            known
        });
        let bounds = bounds.collect();
        Surely { ends: ended.iter().map(|index| calls[*index as usize].complete).collect(), bounds }
    }

    /// The latest beginning of what shows that `value` was not there, or was installed anew,
    /// among all that ended before `moment`.
    fn before(&self, moment: u32, value: ValueId) -> Bound {
        let count = self.ends.partition_point(|end| *end < moment);
        let Some(last) = count.checked_sub(1) else { return NEVER };
        let [installed, first, second] = self.bounds[last];
        later(installed, if first.value == value { second } else { first })
    }
}

fn later(a: Bound, b: Bound) -> Bound {
    if a.begin >= b.begin { a } else { b }
}
