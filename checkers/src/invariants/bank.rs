//! The bank: each read sees all the money, and nobody below nothing (Jepsen's `bank`).
//!
//! How much there is, in how many accounts, and whether balances may be negative is said by the
//! operation `open`; in a history without one (Jepsen's own), the first read is believed, and
//! balances may not be negative.

use super::{Findings, results};
use crate::history::{History, OpView};
use crate::linearizable::words::describe;
use crate::value::Value;
use crate::verdict::CheckerReport;

/// What there is.
struct Bank {
    total: i64,
    accounts: Option<i64>,
    negative: bool,
}

/// Judges a history.
pub(super) fn check(history: &History) -> CheckerReport {
    let mut findings = Findings::new("bank");
    let Some(bank) = Bank::of(history) else { return findings.report(0, "no read succeeded") };
    let (mut reads, mut lowest, mut highest) = (0, bank.total, bank.total);
    for (op, balances) in results(history, "read") {
        reads += 1;
        if let Some(sum) = look(&bank, op, balances, &mut findings) {
            (lowest, highest) = (lowest.min(sum), highest.max(sum));
        }
    }
    findings.detail("total", bank.total);
    findings.detail("lowest", lowest);
    findings.detail("highest", highest);
    findings.report(reads, "no read succeeded")
}

impl Bank {
    fn of(history: &History) -> Option<Bank> {
        let open = history.ops().find(|op| op.f().as_str() == "open").map(|op| op.input());
        if let Some(open) = open {
            let number = |name| open.get(name).and_then(Value::as_int);
            let negative = matches!(open.get("negative"), Some(Value::Bool(true)));
            return Some(Bank { total: number("total")?, accounts: number("accounts"), negative });
        }
        let (_, first) = results(history, "read").next()?;
        let total = first.as_map()?.iter().filter_map(|(_, balance)| balance.as_int()).sum();
        Some(Bank { total, accounts: None, negative: false })
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
fn look(bank: &Bank, op: OpView<'_>, balances: &Value, findings: &mut Findings) -> Option<i64> {
    let read = || describe(&op);
    let Some(balances) = balances.as_map() else {
        findings.add("nil-balance", [op], || format!("{} shows no balances.", read()));
        return None;
    };
    let mut sum = 0i64;
    for (account, balance) in balances {
        if !bank.has(account) {
            let told = || format!("{} shows account {account}, which does not exist.", read());
            findings.add("unexpected-key", [op], told);
        }
        match balance.as_int() {
            None => {
                let told = || format!("{} shows nothing in account {account}.", read());
                findings.add("nil-balance", [op], told);
                return None;
            }
            Some(amount) if amount < 0 && !bank.negative => {
                let told = || format!("{} shows {amount} in account {account}.", read());
                findings.add("negative-value", [op], told);
                sum = sum.saturating_add(amount);
            }
            Some(amount) => sum = sum.saturating_add(amount),
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
