//! A conflict between zones as an anomaly: the two to four operations, in a sentence.

use super::calls::{Action, RegisterCalls, ValueId};
use super::zones::{Conflict, NONE, Zone};
use crate::history::{EventType, OpView};
use crate::linearizable::key::KeyContext;
use crate::linearizable::words::{CHECKER, as_json, describe, events, on_key};
use crate::verdict::Anomaly;
use serde_json::{Map, json};

/// Tells conflicts of one key.
pub(super) struct Story<'a, 'b, 'c> {
    pub(super) context: &'c KeyContext<'a, 'b>,
    pub(super) register: &'c RegisterCalls<'a>,
}

impl<'a> Story<'a, '_, '_> {
    /// The anomaly.
    pub(super) fn tell(&self, conflict: &Conflict) -> Anomaly {
        let (kind, calls, explanation) = match *conflict {
            Conflict::ThinAir(call) => self.thin_air(call),
            Conflict::Contradiction(call) => (
                "contradictory-cas",
                vec![call],
                format!(
                    "{} was refused although it says that it found the value that it compares \
                     with.",
                    self.words(call)
                ),
            ),
            Conflict::Twice(first, second) => (
                "lost-update",
                vec![first, second],
                format!(
                    "{} and {} both replaced {}, which a single write brought: the second must \
                     have ignored the first.",
                    self.words(first),
                    self.words(second),
                    self.observed(first),
                ),
            ),
            Conflict::Circle(call) => (
                "circular-cas",
                vec![call],
                format!(
                    "{} needs a value that was only there after it: the compare-and-sets that \
                     lead to {} form a circle.",
                    self.words(call),
                    self.observed(call),
                ),
            ),
            Conflict::Refusal(call, before, after) => self.refusal(call, before, after),
            Conflict::Inside { before, after } => self.inside(before, after),
            Conflict::Overwritten { observer, installer, between } => {
                self.overwritten(observer, installer, between)
            }
            Conflict::Between { first, second } => self.between(&first, &second),
        };
        let ops: Vec<OpView<'a>> = calls.iter().map(|call| self.op(*call)).collect();
        let mut evidence = Map::new();
        if let Some(key) = self.context.group.key {
            evidence.insert("key".into(), key.into());
        }
        evidence.insert("operations".into(), json!(ops.iter().map(as_json).collect::<Vec<_>>()));
        Anomaly {
            kind: kind.into(),
            checker: CHECKER.into(),
            explanation: format!("{explanation}{}", on_key(self.context.group.key)),
            ops: events(ops),
            evidence,
        }
    }

    fn thin_air(&self, call: u32) -> (&'static str, Vec<u32>, String) {
        let value = self.observed(call);
        let failed = self.context.group.ops().find(|op| {
            let new = op.input().as_list().and_then(|pair| pair.get(1));
            op.outcome == EventType::Fail
                && (op.f().as_str() == "write" && *op.input() == value
                    || op.f().as_str() == "cas" && new == Some(&value))
        });
        match failed {
            Some(failed) => (
                "aborted-read",
                vec![call],
                format!(
                    "{} observed {value}, which only {} would have written, and that failed.",
                    self.words(call),
                    describe(&failed)
                ),
            ),
            None => (
                "thin-air-read",
                vec![call],
                format!("{} observed {value}, which nobody ever wrote.", self.words(call)),
            ),
        }
    }

    fn refusal(&self, call: u32, before: u32, after: u32) -> (&'static str, Vec<u32>, String) {
        let value = self.observed(call);
        let since = if before == NONE {
            format!("{value} was there from the beginning")
        } else {
            format!("{} had ended before", self.words(before))
        };
        let text = format!(
            "{} was refused, yet the value was {value} all the time: {since}, and {} began after.",
            self.words(call),
            self.words(after),
        );
        let calls = [before, call, after].into_iter().filter(|call| *call != NONE).collect();
        ("contradictory-cas", calls, text)
    }

    /// `observer` saw a value that `between` shows to have been replaced.
    fn overwritten(
        &self,
        observer: u32,
        installer: u32,
        between: u32,
    ) -> (&'static str, Vec<u32>, String) {
        let value = self.observed(observer);
        let last = if installer == NONE {
            format!("{value} was there from the beginning only")
        } else {
            format!("the last to bring it was {}", self.words(installer))
        };
        let text = format!(
            "{} began when {value} was gone: {last}, and {} lies between.",
            self.words(observer),
            self.words(between),
        );
        let calls = [installer, between, observer];
        ("stale-read", calls.into_iter().filter(|call| *call != NONE).collect(), text)
    }

    /// `before` comes first by its value, yet began after `after` had ended.
    fn inside(&self, before: u32, after: u32) -> (&'static str, Vec<u32>, String) {
        let (early, late) = (self.words(after), self.words(before));
        let value = self.subject(before);
        let (kind, text) = if matches!(self.action(before), Action::Read(_)) {
            let text = format!(
                "{late} began only after {early} had ended, by which {value} had been replaced."
            );
            ("stale-read", text)
        } else {
            let text = format!(
                "{early} had ended before {late} began, yet it depends on the value {value} that \
                 only the latter brought."
            );
            ("future-read", text)
        };
        (kind, vec![before, after], text)
    }

    /// Each zone has a call that ended before one of the other began.
    fn between(&self, first: &Zone, second: &Zone) -> (&'static str, Vec<u32>, String) {
        let stale = |zone: &Zone| {
            zone.begins != NONE && matches!(self.action(zone.begins), Action::Read(_))
        };
        let old_is_second = match (stale(first), stale(second)) {
            _ if first.ends == NONE => false,
            _ if second.ends == NONE => true,
            (false, true) => true,
            (true, true) => second.last_begin > first.last_begin,
            _ => false,
        };
        let (old, new) = if old_is_second { (second, first) } else { (first, second) };
        let mut calls = vec![old.ends, new.begins, new.ends, old.begins];
        calls.retain(|call| *call != NONE);
        calls.dedup();
        let (value, other) = (self.subject(old.begins), self.subject(new.ends));
        let late = self.words(old.begins);
        let text = if old.ends == NONE {
            format!(
                "{late} saw the initial value, yet {} had ended before it began.",
                self.words(new.ends)
            )
        } else if new.begins == new.ends {
            format!(
                "{} began after {} had ended, and ended before {late} began: {value} was there \
                 before and after {other}, although a single write brought it.",
                self.words(new.ends),
                self.words(old.ends),
            )
        } else if old.begins == old.ends {
            format!(
                "{late} began after {} had ended, and ended before {} began: {other} was there \
                 before and after {value}, although a single write brought it.",
                self.words(new.ends),
                self.words(new.begins),
            )
        } else {
            format!(
                "{late} began after {} had ended, and {} began after {} had ended: {value} and \
                 {other} were each there before and after the other, although each was brought \
                 by a single write.",
                self.words(new.ends),
                self.words(new.begins),
                self.words(old.ends),
            )
        };
        let kind = if stale(old) { "stale-read" } else { "nonlinearizable" };
        (kind, calls, text)
    }

    fn action(&self, call: u32) -> Action {
        self.register.calls[call as usize].action
    }

    fn op(&self, call: u32) -> OpView<'a> {
        self.context.op(self.register.calls[call as usize].op as usize)
    }

    fn words(&self, call: u32) -> String {
        describe(&self.op(call))
    }

    fn value(&self, value: ValueId) -> crate::value::Value {
        self.register.values[value as usize].clone()
    }

    /// The value that a call found.
    fn observed(&self, call: u32) -> crate::value::Value {
        match self.action(call) {
            Action::Read(value)
            | Action::Write(value)
            | Action::Cas(value, _)
            | Action::Refused(value)
            | Action::Contradiction(value) => self.value(value),
        }
    }

    /// The value that a call is about once it is done.
    fn subject(&self, call: u32) -> crate::value::Value {
        match self.action(call) {
            Action::Cas(_, new) => self.value(new),
            _ => self.observed(call),
        }
    }
}
