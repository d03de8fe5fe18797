//! What is causally before each operation, in little memory.
//!
//! What comes before an operation is a prefix of each session, so a row of counts says all. A row
//! changes only where a read brings news: operations share the row of the one before them in their
//! session. Of a row that changes most sessions stay as they were in one of the two rows that it is
//! joined from, above all those that have ended, so rows are made of blocks and share these too.
//!
//! Cost: O(sessions / 64) for each read that brings news, and O(64) for each block that changes.

use crate::transactions::registers::{INITIAL, Node, Registers};

/// Sessions of a block at most.
const BLOCK: usize = 64;

/// The past of every node; of its own session that is always all before it, and is not kept.
pub(super) struct Pasts {
    /// The row of each node.
    rows: Vec<u32>,
    /// The blocks of each row.
    row_blocks: Vec<u32>,
    /// The counts of each block.
    counts: Vec<u32>,
    /// Sessions of a block.
    block: usize,
    /// Blocks of a row.
    per_row: usize,
}

impl Pasts {
    /// The pasts by an order that keeps the causal one; `None` where they take more than so many
    /// bytes.
    pub(super) fn new(
        registers: &Registers<'_>,
        order: &[Node],
        bytes_max: usize,
    ) -> Option<Pasts> {
        let width = registers.sessions() - 1;
        let block = width.clamp(1, BLOCK);
        let per_row = width.div_ceil(block);
        let mut pasts = Pasts {
            rows: vec![0; registers.len()],
            row_blocks: vec![0; per_row],
            counts: vec![0; block],
            block,
            per_row,
        };
        for node in order.iter().copied().filter(|node| *node != INITIAL) {
            let before = registers.before(node).filter(|before| *before != INITIAL);
            let mut row = before.map_or(0, |before| pasts.rows[before as usize]);
            for writer in registers.reads(node).iter().filter_map(|read| read.writer()) {
                let session = registers.session(writer);
                if writer == INITIAL || session == registers.session(node) {
                    continue;
                }
                let (slot, count) = (session as usize - 1, registers.position(writer) + 1);
                if pasts.count(row, slot) < count {
                    row = pasts.join(row, pasts.rows[writer as usize], slot, count);
                }
            }
            pasts.rows[node as usize] = row;
            if pasts.bytes() > bytes_max {
                return None;
            }
        }
        Some(pasts)
    }

    fn bytes(&self) -> usize {
        (self.rows.len() + self.row_blocks.len() + self.counts.len()) * size_of::<u32>()
    }

    fn block(&self, row: u32, at: usize) -> u32 {
        self.row_blocks[row as usize * self.per_row + at]
    }

    fn counts(&self, block: u32) -> &[u32] {
        &self.counts[block as usize * self.block..(block as usize + 1) * self.block]
    }

    fn count(&self, row: u32, slot: usize) -> u32 {
        self.counts(self.block(row, slot / self.block))[slot % self.block]
    }

    /// A row with all that two have, and so many operations of one session.
    fn join(&mut self, one: u32, other: u32, slot: usize, count: u32) -> u32 {
        let row = (self.row_blocks.len() / self.per_row) as u32;
        for at in 0..self.per_row {
            let (one, other) = (self.block(one, at), self.block(other, at));
            let raised = (slot / self.block == at).then_some(slot % self.block);
            let block = match raised {
                None if one == other => one,
                _ => self.joined(one, other, raised.map(|place| (place, count))),
            };
            self.row_blocks.push(block);
        }
        row
    }

    /// The block with the larger counts of two; one of the two where it has them all.
    fn joined(&mut self, one: u32, other: u32, raised: Option<(usize, u32)>) -> u32 {
        let begin = self.counts.len();
        self.counts.extend_from_within(one as usize * self.block..(one as usize + 1) * self.block);
        let (known, new) = self.counts.split_at_mut(begin);
        let known = |block: u32| &known[block as usize * self.block..][..self.block];
        for (count, other) in new.iter_mut().zip(known(other)) {
            *count = (*count).max(*other);
        }
        if let Some((place, count)) = raised {
            new[place] = new[place].max(count);
        }
        let same = [one, other].into_iter().find(|block| known(*block) == new);
        if same.is_some() {
            self.counts.truncate(begin);
        }
        same.unwrap_or((begin / self.block) as u32)
    }

    /// How many operations of a session come before a node; of its own none are told.
    pub(super) fn of(&self, node: Node, slot: usize) -> u32 {
        self.count(self.rows[node as usize], slot)
    }

    /// The same of all sessions.
    pub(super) fn all(&self, node: Node) -> impl Iterator<Item = u32> {
        let row = self.rows[node as usize] as usize * self.per_row;
        let blocks = &self.row_blocks[row..row + self.per_row];
        blocks.iter().flat_map(|block| self.counts(*block)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transactions::weak::{Clocks, Graph};
    use crate::transactions::{Action, Outcome, Table};
    use crate::value::Value;
    use rand::{RngExt, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    /// Sessions of ten operations each, on three keys, that read one of the latest writes.
    fn table(rng: &mut ChaCha8Rng, sessions: u64) -> Table {
        let mut table = Table::default();
        let sessions: Vec<_> = (0..sessions).map(|process| table.add_session(process)).collect();
        let keys: Vec<_> = (0..3).map(|key| table.key_id(&Value::Int(key))).collect();
        let mut written = [const { Vec::new() }; 3];
        for at in 0..10 * sessions.len() {
            let key = rng.random_range(0..3);
            let latest: &mut Vec<_> = &mut written[key];
            // Sessions begin and end one after the other.
            let session = sessions[(at / 10).saturating_sub(rng.random_range(0..20))];
            table.begin(session, Outcome::Ok, None, None);
            if rng.random_bool(0.5) && !latest.is_empty() {
                let back = rng.random_range(1..=latest.len().min(5));
                table.push(keys[key], Action::Read(latest[latest.len() - back]));
            } else {
                latest.push(table.value_id(&Value::Int(at as i64)));
                table.push(keys[key], Action::Write(latest[latest.len() - 1]));
            }
        }
        table
    }

    #[test]
    fn it_says_the_same_as_plain_clocks() {
        for seed in 0..50 {
            let rng = &mut ChaCha8Rng::seed_from_u64(seed);
            let sessions = [2, 5, 70, 200][seed as usize % 4];
            let table = table(rng, sessions);
            let registers = Registers::new(&table);
            let width = registers.sessions() - 1;
            let Ok(order) = Graph::new(&registers, &[]).order() else { continue };
            let plain = Clocks::new(&registers, &order, 1, width);
            let pasts = Pasts::new(&registers, &order, usize::MAX).unwrap();
            for node in 1..registers.len() as Node {
                let own = registers.session(node) as usize - 1;
                let all: Vec<u32> = pasts.all(node).take(width).collect();
                for slot in (0..width).filter(|slot| *slot != own) {
                    let expected = plain.of(node)[slot];
                    assert_eq!((pasts.of(node, slot), all[slot]), (expected, expected));
                }
            }
            assert!(Pasts::new(&registers, &order, pasts.bytes() - 1).is_none());
            if sessions == 200 {
                let dense = registers.len() * width * size_of::<u32>();
                assert!(pasts.bytes() * 4 < dense, "{} of {dense}", pasts.bytes());
            }
        }
    }
}
