//! All transactions of a history as flat arrays.
//!
//! A row for each transaction, a stretch of micro-operations for each row, a stretch of elements
//! for each list that was read. Keys, values and sessions are numbered from 0, so that checkers
//! index arrays where they would otherwise hash. A micro-operation takes 12 bytes, an element of
//! a list 4, a transaction 24.

use super::Interner;
use crate::history::OpIndex;
use crate::value::Value;

/// A transaction by its row, in the order of invocations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TxnId(pub u32);

/// A key by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub u32);

/// A value of a register or an element of a list, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ValueId(pub u32);

/// A list that was read, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ListId(pub u32);

/// The rows that a read by predicate returned, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RowsId(pub u32);

/// One single-threaded client by its number: its transactions follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session(pub u32);

impl ValueId {
    /// `null`: a key that was never written. Always number 0.
    pub const NIL: ValueId = ValueId(0);
}

/// How a transaction ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It committed.
    Ok,
    /// It certainly did not.
    Fail,
    /// Nobody knows.
    Info,
}

/// What a micro-operation did to its key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// Read this value; [`ValueId::NIL`] where nothing was there.
    Read(ValueId),
    /// Read this list.
    ReadList(ListId),
    /// Read, but nobody was told what: the transaction did not succeed.
    ReadUnknown,
    /// Wrote this value.
    Write(ValueId),
    /// Appended this element.
    Append(ValueId),
    /// Was there with this value before all else.
    Init(ValueId),
    /// Made a row with this value where there was none.
    Insert(ValueId),
    /// Took the row away.
    Delete,
    /// Read all rows that match a predicate, and got these. The key is the predicate.
    ReadWhere(RowsId),
}

/// One step of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MicroOp {
    /// On what.
    pub key: KeyId,
    /// And how.
    pub action: Action,
}

/// One transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Txn {
    /// Who ran it.
    pub session: Session,
    /// How it ended.
    pub outcome: Outcome,
    /// The event that began it, where that was recorded.
    pub invoke: Option<OpIndex>,
    /// The event that ended it, where that was recorded.
    pub complete: Option<OpIndex>,
    /// Where its micro-operations begin.
    start: u32,
}

/// All transactions of a history.
#[derive(Clone, Debug)]
pub struct Table {
    txns: Vec<Txn>,
    ops: Vec<MicroOp>,
    keys: Interner,
    values: Interner,
    /// Where each list's elements begin, and the end of the last.
    list_starts: Vec<u32>,
    elements: Vec<ValueId>,
    /// Where the rows of each read by predicate begin, and the end of the last.
    row_starts: Vec<u32>,
    rows: Vec<(KeyId, ValueId)>,
    /// The process of each session.
    sessions: Vec<u64>,
}

impl Default for Table {
    fn default() -> Table {
        let mut values = Interner::default();
        values.number(&Value::Null);
        Table {
            txns: Vec::new(),
            ops: Vec::new(),
            keys: Interner::default(),
            values,
            list_starts: vec![0],
            elements: Vec::new(),
            row_starts: vec![0],
            rows: Vec::new(),
            sessions: Vec::new(),
        }
    }
}

impl Table {
    /// How many transactions there are.
    pub fn len(&self) -> usize {
        self.txns.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.txns.is_empty()
    }

    /// All rows.
    pub fn txns(&self) -> &[Txn] {
        &self.txns
    }

    /// One row.
    pub fn txn(&self, id: TxnId) -> &Txn {
        &self.txns[id.0 as usize]
    }

    /// All rows with their numbers.
    pub fn ids(&self) -> impl ExactSizeIterator<Item = TxnId> + use<> {
        (0..self.txns.len() as u32).map(TxnId)
    }

    /// The micro-operations of one transaction, in order.
    pub fn ops(&self, id: TxnId) -> &[MicroOp] {
        &self.ops[self.op_range(id)]
    }

    /// All micro-operations, transaction by transaction.
    pub fn all_ops(&self) -> &[MicroOp] {
        &self.ops
    }

    /// Where the micro-operations of one transaction stand among all.
    pub fn op_range(&self, id: TxnId) -> std::ops::Range<usize> {
        let row = id.0 as usize;
        let end = self.txns.get(row + 1).map_or(self.ops.len(), |next| next.start as usize);
        self.txns[row].start as usize..end
    }

    /// The elements of a list that was read.
    pub fn list(&self, id: ListId) -> &[ValueId] {
        let at = id.0 as usize;
        &self.elements[self.list_starts[at] as usize..self.list_starts[at + 1] as usize]
    }

    /// The rows that a read by predicate returned.
    pub fn rows(&self, id: RowsId) -> &[(KeyId, ValueId)] {
        let at = id.0 as usize;
        &self.rows[self.row_starts[at] as usize..self.row_starts[at + 1] as usize]
    }

    /// How many lists were read.
    pub fn lists(&self) -> usize {
        self.list_starts.len() - 1
    }

    /// How many keys there are.
    pub fn keys(&self) -> usize {
        self.keys.len()
    }

    /// How many values there are, `null` included.
    pub fn values(&self) -> usize {
        self.values.len()
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> usize {
        self.sessions.len()
    }

    /// The key with this number, as it was written.
    pub fn key(&self, id: KeyId) -> &Value {
        self.keys.value(id.0)
    }

    /// The value with this number, as it was written.
    pub fn value(&self, id: ValueId) -> &Value {
        self.values.value(id.0)
    }

    /// The process that a session stands for.
    pub fn process(&self, session: Session) -> u64 {
        self.sessions[session.0 as usize]
    }

    /// The number of a key, a new one if it was never seen.
    pub fn key_id(&mut self, key: &Value) -> KeyId {
        KeyId(self.keys.number(key))
    }

    /// The number of a value, a new one if it was never seen.
    pub fn value_id(&mut self, value: &Value) -> ValueId {
        ValueId(self.values.number(value))
    }

    /// A new session for a process.
    pub fn add_session(&mut self, process: u64) -> Session {
        self.sessions.push(process);
        Session(self.sessions.len() as u32 - 1)
    }

    /// A new transaction without micro-operations; [`Table::push`] gives it some.
    pub fn begin(
        &mut self,
        session: Session,
        outcome: Outcome,
        invoke: Option<OpIndex>,
        complete: Option<OpIndex>,
    ) -> TxnId {
        let start = self.ops.len() as u32;
        self.txns.push(Txn { session, outcome, invoke, complete, start });
        TxnId(self.txns.len() as u32 - 1)
    }

    /// Adds a micro-operation to the transaction begun last.
    pub fn push(&mut self, key: KeyId, action: Action) {
        debug_assert!(!self.txns.is_empty(), "a micro-operation belongs to a transaction");
        self.ops.push(MicroOp { key, action });
    }

    /// A list that was read, for [`Action::ReadList`].
    pub fn add_list<'v>(&mut self, elements: impl IntoIterator<Item = &'v Value>) -> ListId {
        for element in elements {
            let id = ValueId(self.values.number(element));
            self.elements.push(id);
        }
        self.list_starts.push(self.elements.len() as u32);
        ListId(self.list_starts.len() as u32 - 2)
    }

    /// Adds all that another table holds behind what it holds itself; `sessions` says which of
    /// its own sessions each one of the other is.
    pub(super) fn append(&mut self, other: &Table, sessions: &[Session]) {
        let keys: Vec<KeyId> = other.keys.values().map(|key| self.key_id(key)).collect();
        let values: Vec<ValueId> =
            other.values.values().map(|value| self.value_id(value)).collect();
        let value = |id: ValueId| values[id.0 as usize];
        let (ops, lists) = (self.ops.len() as u32, self.lists() as u32);
        let (elements, rows) = (self.elements.len() as u32, self.row_starts.len() as u32 - 1);
        self.txns.extend(other.txns.iter().map(|txn| Txn {
            session: sessions[txn.session.0 as usize],
            start: txn.start + ops,
            ..*txn
        }));
        self.ops.extend(other.ops.iter().map(|op| MicroOp {
            key: keys[op.key.0 as usize],
            action: match op.action {
                Action::Read(id) => Action::Read(value(id)),
                Action::ReadList(list) => Action::ReadList(ListId(list.0 + lists)),
                Action::ReadUnknown => Action::ReadUnknown,
                Action::Write(id) => Action::Write(value(id)),
                Action::Append(id) => Action::Append(value(id)),
                Action::Init(id) => Action::Init(value(id)),
                Action::Insert(id) => Action::Insert(value(id)),
                Action::Delete => Action::Delete,
                Action::ReadWhere(id) => Action::ReadWhere(RowsId(id.0 + rows)),
            },
        }));
        self.elements.extend(other.elements.iter().map(|element| value(*element)));
        self.list_starts.extend(other.list_starts[1..].iter().map(|end| end + elements));
        let (end, found) = (self.rows.len() as u32, other.rows.iter());
        self.rows.extend(found.map(|(key, id)| (keys[key.0 as usize], value(*id))));
        self.row_starts.extend(other.row_starts[1..].iter().map(|at| at + end));
    }

    /// Whether the numbers of its arrays hold this table's content and another's.
    pub(super) fn has_room_for(&self, other: &Table) -> bool {
        !self.is_full(other.sizes().into_iter().max().unwrap_or_default())
    }

    /// What a read by predicate returned, for [`Action::ReadWhere`].
    pub fn add_rows(&mut self, rows: impl IntoIterator<Item = (KeyId, ValueId)>) -> RowsId {
        self.rows.extend(rows);
        self.row_starts.push(self.rows.len() as u32);
        RowsId(self.row_starts.len() as u32 - 2)
    }

    /// Whether the numbers of its arrays are all used up.
    pub(super) fn is_full(&self, more: usize) -> bool {
        self.sizes().iter().any(|size| *size >= u32::MAX as usize - more)
    }

    /// How much the arrays hold.
    fn sizes(&self) -> [usize; 4] {
        [self.ops.len(), self.elements.len(), self.values.len(), self.rows.len()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_as_small_as_they_say() {
        assert_eq!(size_of::<MicroOp>(), 12);
        assert_eq!(size_of::<ValueId>(), 4);
        assert!(size_of::<Txn>() <= 32);
    }

    #[test]
    fn a_table_can_be_built_by_hand() {
        let mut table = Table::default();
        let session = table.add_session(7);
        let (x, y) = (table.key_id(&Value::str("x")), table.key_id(&Value::str("y")));
        let one = table.value_id(&Value::Int(1));
        let first = table.begin(session, Outcome::Ok, None, None);
        table.push(x, Action::Write(one));
        table.push(y, Action::Read(ValueId::NIL));
        let second = table.begin(session, Outcome::Info, None, None);
        let list = table.add_list([&Value::Int(1), &Value::Int(2)]);
        table.push(y, Action::ReadList(list));
        assert_eq!(table.ops(first).len(), 2);
        assert_eq!(table.ops(second), [MicroOp { key: y, action: Action::ReadList(list) }]);
        assert_eq!(table.list(list), [one, ValueId(2)]);
        assert_eq!(table.process(session), 7);
        assert!(table.value(ValueId::NIL).is_null());
    }
}
