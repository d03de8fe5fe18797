//! What rows a read by predicate asks for.

use crate::value::Value;

/// A condition on the value of a row.
#[derive(Clone, Debug, PartialEq)]
pub enum Predicate {
    /// `true`: every row.
    True,
    /// `["=", v]`: rows with this value.
    Equals(Value),
    /// `["mod", n, r]`: rows whose value is a whole number that leaves `r` when divided by `n`.
    Modulo(i64, i64),
}

impl Predicate {
    /// As a history writes it.
    pub fn of(value: &Value) -> Option<Predicate> {
        if matches!(value, Value::Bool(true)) || value.as_str() == Some("true") {
            return Some(Predicate::True);
        }
        let list = value.as_list()?;
        match (list.first()?.as_str()?, &list[1..]) {
            ("=", [wanted]) => Some(Predicate::Equals(wanted.clone())),
            ("mod", [divisor, rest]) => {
                let divisor = divisor.as_int().filter(|divisor| *divisor > 0)?;
                Some(Predicate::Modulo(divisor, rest.as_int()?))
            }
            _ => None,
        }
    }

    /// Whether a row with this value is one of those.
    pub fn matches(&self, value: &Value) -> bool {
        match self {
            Predicate::True => true,
            Predicate::Equals(wanted) => wanted == value,
            Predicate::Modulo(divisor, rest) => {
                value.as_int().is_some_and(|value| value.rem_euclid(*divisor) == *rest)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(written: &str, yes: &[i64], no: &[i64]) {
        let value = serde_json::from_str::<serde_json::Value>(written).unwrap();
        let predicate = Predicate::of(&Value::from(value)).unwrap();
        for value in yes {
            assert!(predicate.matches(&Value::Int(*value)), "{written} {value}");
        }
        for value in no {
            assert!(!predicate.matches(&Value::Int(*value)), "{written} {value}");
        }
    }

    #[test]
    fn each_form_matches_what_it_says() {
        check("true", &[0, 7], &[]);
        check(r#"["=",4]"#, &[4], &[0, 5]);
        check(r#"["mod",3,2]"#, &[2, 5, -1], &[3, 4, -2]);
        for nonsense in [r#""false""#, r#"["="]"#, r#"["mod",0,0]"#, r#"["mod",2]"#, "[]", "7"] {
            let value = serde_json::from_str::<serde_json::Value>(nonsense).unwrap();
            assert_eq!(Predicate::of(&Value::from(value)), None, "{nonsense}");
        }
    }
}
