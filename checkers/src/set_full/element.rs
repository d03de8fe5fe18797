//! What a history says of one element.

use crate::history::{Event, EventType, OpIndex, OpView};
use crate::value::Value;

/// An element with what was done to it and who saw it.
pub(super) struct Element<'a> {
    pub(super) value: &'a Value,
    /// Its first add that did not certainly fail; else the one that failed.
    pub(super) add: Option<OpView<'a>>,
    /// Whether some add of it was acknowledged.
    pub(super) acknowledged: bool,
    /// From where on it is known to be there.
    pub(super) known: Option<&'a Event>,
    /// The first remove that was acknowledged.
    pub(super) remove: Option<OpView<'a>>,
    /// Whether a remove may have happened that nobody knows of.
    pub(super) doubtful: bool,
    /// Whether it was added again.
    pub(super) again: bool,
    /// Reads that have it, ascending.
    pub(super) read_by: Vec<usize>,
}

impl<'a> Element<'a> {
    pub(super) fn new(value: &'a Value) -> Element<'a> {
        Element {
            value,
            add: None,
            acknowledged: false,
            known: None,
            remove: None,
            doubtful: false,
            again: false,
            read_by: Vec::new(),
        }
    }

    pub(super) fn added(&mut self, op: OpView<'a>) {
        if op.outcome == EventType::Ok {
            self.acknowledged = true;
            self.known_at(op.complete);
        }
        match self.add {
            Some(add) if add.outcome != EventType::Fail => self.again |= self.remove.is_some(),
            _ => self.add = Some(op),
        }
    }

    /// A remove that did not certainly fail.
    pub(super) fn removed(&mut self, op: OpView<'a>) {
        match (op.outcome, self.remove) {
            (EventType::Ok, None) => self.remove = Some(op),
            (EventType::Ok, Some(_)) => {}
            _ => self.doubtful = true,
        }
    }

    pub(super) fn seen(&mut self, read: usize, op: OpView<'a>) {
        self.read_by.push(read);
        self.known_at(op.complete);
    }

    fn known_at(&mut self, event: Option<&'a Event>) {
        let Some(event) = event else { return };
        if self.known.is_none_or(|known| event.index < known.index) {
            self.known = Some(event);
        }
    }

    /// Whether an add of it was invoked that may have happened before this event.
    pub(super) fn added_before(&self, index: OpIndex) -> bool {
        self.add.is_some_and(|add| add.outcome != EventType::Fail && add.invoke.index < index)
    }
}
