//! A few operations as a picture of characters: one lane a process, to scale in time, the faults
//! that were in force above them.
//!
//! A bar runs from invocation to completion, `|---|`. One that nobody completed, or whose outcome
//! is not known, is open: `|---?`. One that failed ends in `x`. What it did stands in the bar, or
//! next to it where the bar is too short; a lane takes as many rows as it needs for that.

use crate::report::faults;
use quorate_checkers::history::{EventType, History, OpIndex, OpView, Process};
use std::collections::BTreeMap;

/// Columns for names of lanes.
const NAME: usize = 11;
/// Columns for time.
const TIME: usize = 84;
/// Columns between two bars of a row.
const GAP: usize = 2;
/// More operations than these make no picture.
pub const SHOWN_MAX: usize = 40;
/// Characters of what an operation did.
const LABEL_MAX: usize = 40;

/// Some operations, named by any of their events, drawn as lines of at most 96 columns. Nothing
/// for none and for more than [`SHOWN_MAX`].
pub fn draw(history: &History, events: &[OpIndex]) -> Vec<String> {
    let Some(scene) = Scene::of(history, events) else { return Vec::new() };
    let mut lines = vec![scene.ruler()];
    for (kind, cells) in scene.faults(history) {
        lines.push(line(&kind, &cells));
    }
    for (process, bars) in &scene.lanes {
        let mut rows: Vec<Vec<char>> = Vec::new();
        for bar in bars {
            let free = rows.iter_mut().find(|row| bar.fits(row));
            match free {
                Some(row) => bar.put(row),
                None => {
                    rows.push(vec![' '; TIME]);
                    if let Some(row) = rows.last_mut() {
                        bar.put(row);
                    }
                }
            }
        }
        for (at, row) in rows.iter().enumerate() {
            let name = if at == 0 { format!("process {process}") } else { String::new() };
            lines.push(line(&name, row));
        }
    }
    lines
}

fn line(name: &str, cells: &[char]) -> String {
    let name: String = name.chars().take(NAME).collect();
    let cells: String = cells.iter().collect();
    format!("{name:<NAME$} {cells}").trim_end().to_owned()
}

struct Scene {
    from: u64,
    to: u64,
    /// Whether all are about one, which then need not be said.
    one_key: bool,
    lanes: BTreeMap<u64, Vec<Bar>>,
}

/// One operation, in columns.
struct Bar {
    from: usize,
    to: usize,
    /// The last character.
    end: char,
    label: Vec<char>,
}

impl Scene {
    fn of(history: &History, events: &[OpIndex]) -> Option<Scene> {
        let mut ops: Vec<OpView<'_>> = Vec::new();
        let known = events.iter().filter(|index| (index.0 as usize) < history.events().len());
        for op in known.filter_map(|index| history.op_at(*index)) {
            if ops.iter().all(|known| known.invoke.index != op.invoke.index) {
                ops.push(op);
            }
        }
        if ops.is_empty() || ops.len() > SHOWN_MAX {
            return None;
        }
        ops.sort_by_key(|op| op.invoke.index);
        let from = ops.iter().map(|op| op.invoke.time.0).min()?;
        let ends = ops.iter().map(|op| op.complete.map_or(op.invoke.time.0, |end| end.time.0));
        let to = ends.max()?.max(from + 1);
        let one_key = ops.iter().all(|op| op.key() == ops[0].key());
        let mut scene = Scene { from, to, one_key, lanes: BTreeMap::new() };
        for op in &ops {
            let Process::Client(process) = op.process() else { continue };
            let bar = scene.bar(op);
            scene.lanes.entry(process).or_default().push(bar);
        }
        Some(scene)
    }

    fn bar(&self, op: &OpView<'_>) -> Bar {
        let known = op.complete.filter(|_| op.outcome != EventType::Info);
        let from = self.column(op.invoke.time.0);
        let to = known.map_or(TIME - 1, |end| self.column(end.time.0));
        let end = match op.outcome {
            EventType::Ok => '|',
            EventType::Fail => 'x',
            _ => '?',
        };
        Bar { from, to, end, label: label(op, !self.one_key) }
    }

    /// Where a moment is.
    fn column(&self, time: u64) -> usize {
        let share =
            (time.clamp(self.from, self.to) - self.from) as f64 / (self.to - self.from) as f64;
        (share * (TIME - 1) as f64).round() as usize
    }

    /// The times at both ends.
    fn ruler(&self) -> String {
        let told = |time: u64| format!("{:.3} ms", time as f64 / 1e6);
        let (from, to) = (told(self.from), told(self.to));
        let gap = TIME.saturating_sub(from.chars().count());
        format!("{:<NAME$} {from}{to:>gap$}", "")
    }

    /// The faults in force, a row a kind.
    fn faults(&self, history: &History) -> BTreeMap<String, Vec<char>> {
        let mut rows: BTreeMap<String, Vec<char>> = BTreeMap::new();
        for window in faults::windows(history) {
            if window.begin > self.to || window.end < self.from {
                continue;
            }
            let row = rows.entry(window.kind).or_insert_with(|| vec![' '; TIME]);
            let cells = &mut row[self.column(window.begin)..=self.column(window.end)];
            cells.fill(if window.certain { '=' } else { '~' });
        }
        rows
    }
}

impl Bar {
    /// The columns of bar and label.
    fn span(&self) -> (usize, usize) {
        let inside = self.to - self.from >= self.label.len() + 3;
        let behind = self.to + 1 + self.label.len();
        match (inside, behind < TIME) {
            (true, _) => (self.from, self.to),
            (false, true) => (self.from, behind),
            (false, false) => ((self.from).saturating_sub(self.label.len() + 1), self.to),
        }
    }

    /// Whether nothing is there yet, nor next to it.
    fn fits(&self, row: &[char]) -> bool {
        let (from, to) = self.span();
        row[from.saturating_sub(GAP)..(to + 1 + GAP).min(TIME)].iter().all(|cell| *cell == ' ')
    }

    fn put(&self, row: &mut [char]) {
        row[self.from..=self.to].fill('-');
        row[self.from] = '|';
        row[self.to] = self.end;
        let (from, to) = self.span();
        let at = if from < self.from {
            from
        } else if to > self.to {
            self.to + 2
        } else {
            self.from + 2
        };
        for (cell, letter) in row[at..].iter_mut().zip(&self.label) {
            *cell = *letter;
        }
    }
}

/// What an operation did, in a few characters.
fn label(op: &OpView<'_>, with_key: bool) -> Vec<char> {
    let value = match op.output() {
        Some(seen) if !seen.is_null() || op.input().is_null() => format!(" {seen}"),
        _ if op.input().is_null() => String::new(),
        _ => format!(" {}", op.input()),
    };
    let key = op.key().filter(|_| with_key).map_or_else(String::new, |key| format!(" {key}"));
    let text = format!("{}{key}{value}", op.f().as_str());
    let mut letters: Vec<char> =
        text.chars().map(|letter| if letter.is_control() { '?' } else { letter }).collect();
    if letters.len() > LABEL_MAX {
        letters.truncate(LABEL_MAX - 3);
        letters.extend("...".chars());
    }
    letters
}

#[cfg(test)]
mod tests {
    use super::*;
    use quorate_checkers::history::jsonl;

    fn lines(text: &[&str], events: &[u32]) -> String {
        let text: String = text.iter().map(|line| format!("{{{line}}}\n")).collect();
        let history = jsonl::read(text.as_bytes(), "test").unwrap();
        let events: Vec<OpIndex> = events.iter().map(|index| OpIndex(*index)).collect();
        let mut lines = draw(&history, &events);
        assert!(lines.iter().all(|line| line.chars().count() <= NAME + 1 + TIME));
        lines.push(String::new());
        lines.join("\n")
    }

    #[test]
    fn a_stale_read_under_a_partition() {
        let drawn = lines(
            &[
                r#""time":0,"process":"nemesis","type":"info","f":"start-partition","value":null"#,
                r#""time":1000000,"process":1,"type":"invoke","f":"write","key":"x","value":1"#,
                concat!(
                    r#""time":2000000,"process":"nemesis","type":"info","f":"start-partition","#,
                    r#""value":null,"outcome":"installed""#
                ),
                r#""time":9000000,"process":1,"type":"ok","f":"write","key":"x","value":1"#,
                r#""time":9100000,"process":2,"type":"invoke","f":"cas","key":"x","value":[1,2]"#,
                r#""time":9500000,"process":3,"type":"invoke","f":"read","key":"x","value":null"#,
                r#""time":9600000,"process":3,"type":"ok","f":"read","key":"x","value":null"#,
                r#""time":9700000,"process":3,"type":"invoke","f":"cas","key":"x","value":[1,3]"#,
                r#""time":10000000,"process":3,"type":"fail","f":"cas","key":"x","value":[1,3]"#,
            ],
            &[1, 3, 4, 5, 7],
        );
        let expected = r"
            1.000 ms                                                                   10.000 ms
partition   ====================================================================================
process 1   |-write 1-----------------------------------------------------------------|
process 2                                                                    cas [1,2] |-------?
process 3                                                                       read null ||
                                                                                  cas [1,3] |--x
";
        assert_eq!(drawn, expected.trim_start_matches('\n'));
    }

    #[test]
    fn nothing_and_too_much_are_not_drawn() {
        let line = r#""time":1,"process":1,"type":"invoke","f":"read","value":null"#;
        assert_eq!(lines(&[line], &[]), "");
        assert_eq!(lines(&[line], &[7]), "", "there is no such event");
        assert_eq!(lines(&[line], &[0]).lines().count(), 2);
    }
}
