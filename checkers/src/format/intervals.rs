//! Calls of one object as intervals, one a line, as research on monitoring objects writes them
//! (fastlin, fptlin): the first line names the object, `# queue`.
//!
//! A line is `method value begin end`, or `process begin end method value...`. Where one call
//! ends when another begins, it ends first. Methods become operations as this crate names them:
//! `-1` is nothing taken, the last number of a set's or a semaphore's call says whether it had
//! an effect, and `read_modify_write old new` is a `cas` of a register whose 0 is the initial
//! value. Clients get the numbers that are free; those of the file may overlap themselves.

use crate::history::{Builder, Event, EventType, Fault, History, Loaded, Names, Nanos, Process};
use crate::value::Value;

/// One call.
struct Call {
    /// The byte of its line.
    at: usize,
    begin: u64,
    end: u64,
    f: &'static str,
    input: Value,
    output: Value,
}

/// Reads the text; an error has the byte of its line.
pub(super) fn read(text: &str) -> Result<Loaded, (usize, Fault)> {
    let mut calls = Vec::new();
    let mut begin = 0;
    for line in text.split_inclusive('\n') {
        let at = begin;
        begin += line.len();
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let wrong = |problem| (at, Fault::Syntax { column: 0, field: None, problem });
        calls.push(call(at, line).map_err(wrong)?);
    }
    let notes = vec![
        "the format has no processes that hold: clients were numbered anew, by what is free".into(),
    ];
    Ok(Loaded { history: history(&calls)?, notes })
}

fn call(at: usize, line: &str) -> Result<Call, String> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let number =
        |word: &str| word.parse::<i64>().map_err(|_| format!("expected a number, found `{word}`"));
    let time =
        |word: &str| word.parse::<u64>().map_err(|_| format!("expected a time, found `{word}`"));
    let (method, values, begin, end) = match words.as_slice() {
        [first, begin, end, method, values @ ..] if number(first).is_ok() => {
            (*method, values, time(begin)?, time(end)?)
        }
        [method, value, begin, end] => {
            (*method, std::slice::from_ref(value), time(begin)?, time(end)?)
        }
        _ => return Err("expected `method value begin end`, or `process begin end ...`".into()),
    };
    if end < begin {
        return Err(format!("the call ends at {end}, before it begins at {begin}"));
    }
    let numbers = values.iter().map(|word| number(word)).collect::<Result<Vec<i64>, String>>()?;
    let (f, input, output) = meaning(&method.to_lowercase(), &numbers)
        .ok_or_else(|| format!("`{method}` with {} numbers means nothing", numbers.len()))?;
    Ok(Call { at, begin, end, f, input, output })
}

/// The operation, its argument and its result.
fn meaning(method: &str, numbers: &[i64]) -> Option<(&'static str, Value, Value)> {
    let told = |value: i64, yes: i64| Value::list([Value::Int(value), Value::Bool(yes == 1)]);
    let item = |value: i64| if value == -1 { Value::Null } else { Value::Int(value) };
    Some(match (method, numbers) {
        ("insert", [value, yes]) => ("add", Value::Int(*value), told(*value, *yes)),
        ("remove", [value, yes]) => ("remove", Value::Int(*value), told(*value, *yes)),
        ("contains", [value, yes]) => ("contains", Value::Int(*value), told(*value, *yes)),
        ("read_modify_write", [old, new]) => {
            let value = |value: i64| if value == 0 { Value::Null } else { Value::Int(value) };
            let pair = Value::list([value(*old), value(*new)]);
            ("cas", pair.clone(), pair)
        }
        ("incr", [_]) => ("release", Value::Null, Value::Bool(true)),
        ("decr", [yes]) => ("acquire", Value::Null, Value::Bool(*yes == 1)),
        ("enq", [value]) => ("enqueue", Value::Int(*value), Value::Int(*value)),
        ("push", [value]) => ("push", Value::Int(*value), Value::Int(*value)),
        ("insert", [value]) => ("insert", Value::Int(*value), Value::Int(*value)),
        ("deq", [value]) => ("dequeue", Value::Null, item(*value)),
        ("pop", [value]) => ("pop", Value::Null, item(*value)),
        ("poll", [value]) => ("poll", Value::Null, item(*value)),
        ("peek", [value]) => ("peek", Value::Null, item(*value)),
        _ => return None,
    })
}

/// What happens at one time: calls that began before end, then calls begin, then those end that
/// take no time at all.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Turn {
    Ends,
    Begins,
    EndsAtOnce,
}

fn history(calls: &[Call]) -> Result<History, (usize, Fault)> {
    let mut ends: Vec<(u64, Turn, usize)> = Vec::with_capacity(calls.len() * 2);
    for (index, call) in calls.iter().enumerate() {
        let end = if call.begin == call.end { Turn::EndsAtOnce } else { Turn::Ends };
        ends.push((call.begin, Turn::Begins, index));
        ends.push((call.end, end, index));
    }
    ends.sort_unstable();
    let mut names = Names::default();
    let mut builder = Builder::default();
    let (mut clients, mut free) = (vec![0; calls.len()], Vec::new());
    let mut next = 0..;
    for (time, turn, index) in ends {
        let call = &calls[index];
        let begins = turn == Turn::Begins;
        if begins {
            clients[index] = free.pop().or_else(|| next.next()).unwrap_or_default();
        } else {
            free.push(clients[index]);
        }
        let event = Event {
            index: builder.next_index(),
            time: Nanos(time),
            process: Process::Client(clients[index]),
            kind: if begins { EventType::Invoke } else { EventType::Ok },
            f: names.get(call.f),
            key: None,
            value: if begins { &call.input } else { &call.output }.clone(),
            error: None,
            node: None,
            extra: None,
        };
        builder.push(event).map_err(|error| (call.at, Fault::History(error)))?;
    }
    Ok(builder.finish())
}

#[cfg(test)]
mod tests {
    use super::read;

    fn lines(text: &str) -> Vec<String> {
        let history = read(text).unwrap().history;
        let line = |event: &crate::history::Event| {
            format!("{} {} {} {}", event.process, event.kind.as_str(), event.f, event.value)
        };
        history.events().iter().map(line).collect()
    }

    #[test]
    fn both_shapes_of_lines() {
        let plain = lines("# queue\nenq 2 0 1\ndeq -1 1 2\n");
        assert_eq!(plain[1..], ["0 ok enqueue 2", "0 invoke dequeue null", "0 ok dequeue null"]);
        let full = lines("# set\n2 0 2 CONTAINS 2 0\n0 0 4 INSERT 2 1\n");
        assert_eq!(full[2..], ["0 ok contains [2,false]", "1 ok add [2,true]"]);
    }

    #[test]
    fn what_means_nothing_is_refused_with_its_place() {
        for text in ["# queue\nenq 2 0\n", "# queue\nenq 2 1 0\n", "# queue\nbow 2 0 1\n"] {
            assert_eq!(read(text).err().map(|(at, _)| at), Some(8), "{text}");
        }
    }
}
