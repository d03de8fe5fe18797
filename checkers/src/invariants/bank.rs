//! The bank: each read sees all the money, and nobody below nothing (Jepsen's `bank`).
//!
//! How much there is, in how many accounts, and whether balances may be negative is said by the
//! operation `open`; in a history without one (Jepsen's own), the first read is believed, and
//! balances may not be negative. Sums are exact. A read with a balance that is no integer is not
//! judged, and the verdict is at best "unknown".

use super::{Findings, results};
use crate::history::{History, OpView};
use crate::linearizable::words::describe;
use crate::value::Value;
use crate::verdict::CheckerReport;

/// What there is.
struct Bank {
    total: i128,
    accounts: Option<i64>,
    negative: bool,
}

/// Judges a history.
pub(super) fn check(history: &History) -> CheckerReport {
    let mut findings = Findings::new("bank");
    let bank = match Bank::of(history) {
        Ok(Some(bank)) => bank,
        Ok(None) => return findings.report(0, "no read succeeded"),
        Err(why) => return findings.report(0, &why),
    };
    let (mut reads, mut lowest, mut highest) = (0, bank.total, bank.total);
    for (op, balances) in results(history, "read") {
        reads += 1;
        if let Some(sum) = look(&bank, op, balances, &mut findings) {
            (lowest, highest) = (lowest.min(sum), highest.max(sum));
        }
    }
    for (name, sum) in [("total", bank.total), ("lowest", lowest), ("highest", highest)] {
        findings.detail(name, &Value::integer(sum));
    }
    findings.report(reads, "no read succeeded")
}

impl Bank {
    /// Nothing where no read tells; an error says why what there is does not tell.
    fn of(history: &History) -> Result<Option<Bank>, String> {
        if let Some(op) = history.ops().find(|op| op.f().as_str() == "open") {
            let (open, index) = (op.input(), op.invoke.index);
            let number = |name| match open.get(name) {
                None | Some(Value::Null) => Ok(None),
                Some(Value::Int(number)) => Ok(Some(*number)),
                Some(other) => Err(format!("event {index} has the {name} {other}, no integer")),
            };
            let total = number("total")?;
            let total = total.ok_or_else(|| format!("event {index} does not say the total"))?;
            let negative = matches!(open.get("negative"), Some(Value::Bool(true)));
            let accounts = number("accounts")?;
            return Ok(Some(Bank { total: i128::from(total), accounts, negative }));
        }
        let Some((op, first)) = results(history, "read").next() else { return Ok(None) };
        let end = op.complete.unwrap_or(op.invoke).index;
        let open = |what: String| {
            format!("how much there is was to be told by the first read, but event {end} {what}")
        };
        let balances = first.as_map().ok_or_else(|| open(format!("returned {first}, no map")))?;
        let mut total = 0;
        for (account, balance) in balances {
            match balance {
                Value::Int(amount) => total += i128::from(*amount),
                Value::Null => {}
                other => return Err(open(format!("shows {other} in account {account}"))),
            }
        }
        Ok(Some(Bank { total, accounts: None, negative: false }))
    }

    fn has(&self, account: &Value) -> bool {
        let number = account.as_int().or_else(|| account.as_str()?.parse().ok());
        match (self.accounts, number) {
            (None, _) => true,
            (Some(count), Some(number)) => (0..count).contains(&number),
            (Some(_), None) => false,
        }
    }
}

/// Looks at one read; returns the sum if there is one.
fn look(bank: &Bank, op: OpView<'_>, balances: &Value, findings: &mut Findings) -> Option<i128> {
    let read = || describe(&op);
    let Some(balances) = balances.as_map() else {
        findings.add("nil-balance", [op], || format!("{} shows no balances.", read()));
        return None;
    };
    let mut sum = 0;
    for (account, balance) in balances {
        if !bank.has(account) {
            let told = || format!("{} shows account {account}, which does not exist.", read());
            findings.add("unexpected-key", [op], told);
        }
        match balance {
            Value::Null => {
                let told = || format!("{} shows nothing in account {account}.", read());
                findings.add("nil-balance", [op], told);
                return None;
            }
            Value::Int(amount) if *amount < 0 && !bank.negative => {
                let told = || format!("{} shows {amount} in account {account}.", read());
                findings.add("negative-value", [op], told);
                sum += i128::from(*amount);
            }
            Value::Int(amount) => sum += i128::from(*amount),
            other => {
                let end = op.complete.unwrap_or(op.invoke).index;
                findings.undecided(|| {
                    format!("event {end} shows {other} in account {account}, no integer of 64 bits")
                });
                return None;
            }
        }
    }
    if sum != bank.total {
        let told = || format!("{} shows {sum} in all, where there is {}.", read(), bank.total);
        findings.add("wrong-total", [op], told);
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::super::support::{history, kinds};
    use super::*;
    use crate::verdict::Valid;

    fn judge(negative: bool, read: &str) -> CheckerReport {
        let open = format!("{{\"total\":10,\"accounts\":2,\"negative\":{negative}}}");
        check(&history(&[
            &format!("0 invoke open - {open}"),
            &format!("0 ok open - {open}"),
            "1 invoke read - null",
            &format!("1 ok read - {read}"),
        ]))
    }

    #[test]
    fn each_way_to_be_wrong_has_its_name() {
        for (negative, read, expected) in [
            (false, r#"{"0":4,"1":6}"#, &[][..]),
            (false, r#"{"0":4,"1":7}"#, &["wrong-total"]),
            (false, r#"{"0":-1,"1":11}"#, &["negative-value"]),
            (true, r#"{"0":-1,"1":11}"#, &[]),
            (false, r#"{"0":null,"1":10}"#, &["nil-balance"]),
            (false, r#"{"0":4,"1":6,"2":0}"#, &["unexpected-key"]),
        ] {
            assert_eq!(kinds(&judge(negative, read)), expected, "{read}");
        }
        let wrong = judge(false, r#"{"0":4,"1":7}"#);
        assert_eq!((&wrong.details["highest"], &wrong.details["lowest"]), (&11.into(), &10.into()));
    }

    #[test]
    fn sums_are_exact_and_fractions_are_not_judged() {
        let reads = |values: &[&str]| {
            let lines = values.iter().flat_map(|value| {
                ["0 invoke read - null".to_owned(), format!("0 ok read - {value}")]
            });
            let lines: Vec<String> = lines.collect();
            check(&history(&lines.iter().map(String::as_str).collect::<Vec<_>>()))
        };
        let most = r#"{"a":9223372036854775807,"b":9223372036854775807}"#;
        let less = r#"{"a":9223372036854775806,"b":9223372036854775807}"#;
        assert_eq!(reads(&[most, most]).valid, Valid::True);
        let wrong = reads(&[most, less]);
        assert_eq!(kinds(&wrong), ["wrong-total"]);
        assert!(wrong.why.unwrap().contains("shows 18446744073709551613 in all"));
        for (values, told) in [
            (&[r#"{"a":0.5}"#][..], "event 1 shows 0.5 in account \"a\""),
            (&[r#"{"a":1}"#, r#"{"a":0.5}"#], "event 3 shows 0.5 in account \"a\""),
            (&["[5]"], "event 1 returned [5], no map"),
        ] {
            let report = reads(values);
            assert_eq!(report.valid, Valid::Unknown);
            assert!(report.why.as_deref().unwrap().contains(told), "{:?}", report.why);
        }
        assert_eq!(kinds(&reads(&[r#"{"a":1}"#, r#"{"a":0.5}"#, r#"{"a":2}"#])), ["wrong-total"]);
        let odd = r#"{"total":1.5}"#;
        let open = check(&history(&[
            &format!("0 invoke open - {odd}"),
            &format!("0 ok open - {odd}"),
            "1 invoke read - null",
            r#"1 ok read - {"a":1}"#,
        ]));
        assert_eq!(open.why.as_deref(), Some("event 0 has the total 1.5, no integer"));
    }

    #[test]
    fn a_foreign_history_is_held_to_its_first_read() {
        let read = |process: u8, value: &str| {
            [format!("{process} invoke read - null"), format!("{process} ok read - {value}")]
        };
        let lines = [read(0, r#"{"0":1,"1":2}"#), read(1, r#"{"0":2,"1":2}"#)].concat();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        assert_eq!(kinds(&check(&history(&lines))), ["wrong-total"]);
        assert_eq!(check(&history(&lines[..1])).valid, Valid::Unknown);
    }
}
