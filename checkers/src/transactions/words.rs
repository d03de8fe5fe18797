//! Transactions, keys and values as people read them.

use super::closed_predicate::predicate_of;
use super::table::{Action, KeyId, ListId, RowsId, Table, TxnId, ValueId};
use crate::value::Value;
use serde_json::{Value as Json, json};

/// Longer lists are shortened in the middle.
const LIST_MAX: usize = 12;
/// Longer transactions are cut.
const OPS_MAX: usize = 12;

/// `x`, or `7`: strings that need no quotes have none.
pub(super) fn value(value: &Value) -> String {
    match value.as_str() {
        Some(text) if text.len() <= 40 && !text.is_empty() && text.chars().all(plain) => {
            text.to_owned()
        }
        _ if value.is_null() => "nil".to_owned(),
        _ => {
            let text = value.to_string();
            match text.char_indices().nth(60) {
                Some((cut, _)) => format!("{}…", &text[..cut]),
                None => text,
            }
        }
    }
}

fn plain(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '.' | ':' | '/')
}

impl Table {
    pub(super) fn key_words(&self, key: KeyId) -> String {
        value(self.key(key))
    }

    pub(super) fn value_words(&self, id: ValueId) -> String {
        value(self.value(id))
    }

    pub(super) fn elements_words(&self, elements: &[ValueId]) -> String {
        let words = |ids: &[ValueId]| -> Vec<String> {
            ids.iter().map(|id| self.value_words(*id)).collect()
        };
        if elements.len() <= LIST_MAX {
            return format!("[{}]", words(elements).join(" "));
        }
        let (head, tail) = (&elements[..4], &elements[elements.len() - 4..]);
        let left = elements.len() - 8;
        format!("[{} …{left} more… {}]", words(head).join(" "), words(tail).join(" "))
    }

    pub(super) fn list_words(&self, list: ListId) -> String {
        self.elements_words(self.list(list))
    }

    /// `{x 1, y 2}`.
    fn rows_words(&self, rows: RowsId) -> String {
        let rows = self.rows(rows);
        let word = |(key, value): &(KeyId, ValueId)| {
            format!("{} {}", self.key_words(*key), self.value_words(*value))
        };
        let mut words: Vec<String> = rows.iter().take(LIST_MAX).map(word).collect();
        if rows.len() > LIST_MAX {
            words.push(format!("…{} more", rows.len() - LIST_MAX));
        }
        format!("{{{}}}", words.join(", "))
    }

    /// `r x [1 2]`, `w x 3`, `append x 3`.
    pub(super) fn op_words(&self, key: KeyId, action: Action) -> String {
        let key = match action {
            Action::ReadWhere(_) => value(predicate_of(self.key(key))),
            _ => self.key_words(key),
        };
        match action {
            Action::Read(seen) => format!("r {key} {}", self.value_words(seen)),
            Action::ReadList(seen) => format!("r {key} {}", self.list_words(seen)),
            Action::ReadUnknown => format!("r {key} ?"),
            Action::Write(written) => format!("w {key} {}", self.value_words(written)),
            Action::Append(added) => format!("append {key} {}", self.value_words(added)),
            Action::Init(there) => format!("init {key} {}", self.value_words(there)),
            Action::Insert(added) => format!("insert {key} {}", self.value_words(added)),
            Action::Delete => format!("delete {key}"),
            Action::ReadWhere(seen) => format!("rp {key} {}", self.rows_words(seen)),
        }
    }

    /// `(r x [1 2], append y 3)`.
    pub(super) fn txn_words(&self, txn: u32) -> String {
        let ops = self.ops(TxnId(txn));
        let mut words: Vec<String> =
            ops.iter().take(OPS_MAX).map(|op| self.op_words(op.key, op.action)).collect();
        if ops.len() > OPS_MAX {
            words.push(format!("{} more", ops.len() - OPS_MAX));
        }
        format!("({})", words.join(", "))
    }

    /// The event that stands for a transaction: its completion, else its invocation.
    pub(super) fn event(&self, txn: u32) -> Option<u32> {
        let row = self.txn(TxnId(txn));
        row.complete.or(row.invoke).map(|index| index.0)
    }

    /// `process 3 (r x [1])`, with the event if it is known.
    pub(super) fn who(&self, txn: u32) -> String {
        let process = self.process(self.txn(TxnId(txn)).session);
        let words = self.txn_words(txn);
        match self.event(txn) {
            Some(event) => format!("{words} by process {process}, event {event}"),
            None => format!("{words} by process {process}, transaction {txn}"),
        }
    }

    pub(super) fn value_json(&self, id: ValueId) -> Json {
        Json::from(self.value(id))
    }

    pub(super) fn key_json(&self, key: KeyId) -> Json {
        Json::from(self.key(key))
    }

    pub(super) fn elements_json(&self, elements: &[ValueId]) -> Json {
        json!(elements.iter().map(|id| self.value_json(*id)).collect::<Vec<_>>())
    }
}
