//! Lengths of time as people write them on a command line: `500ms`, `20s`, `2m`, `1h`.

use std::time::Duration;

/// Reads a length of time. The unit is required, so that `20` is never taken for the wrong one.
pub fn parse(text: &str) -> Result<Duration, String> {
    let wanted = || format!("{text:?} is not a length of time; write it like 500ms, 20s, 2m or 1h");
    let text = text.trim();
    let split = text.find(|c: char| c.is_ascii_alphabetic()).ok_or_else(wanted)?;
    let (number, unit) = text.split_at(split);
    let number: f64 = number.trim().parse().map_err(|_| wanted())?;
    let seconds = match unit {
        "ms" => number / 1e3,
        "s" => number,
        "m" | "min" => number * 60.0,
        "h" => number * 3600.0,
        _ => return Err(wanted()),
    };
    Duration::try_from_secs_f64(seconds).map_err(|_| wanted())
}

/// Writes a length of time so that [`parse`] reads it back, to the millisecond.
pub fn format(duration: Duration) -> String {
    let ms = duration.as_millis();
    match ms {
        0 => "0s".into(),
        _ if ms.is_multiple_of(3_600_000) => format!("{}h", ms / 3_600_000),
        _ if ms.is_multiple_of(60_000) => format!("{}m", ms / 60_000),
        _ if ms.is_multiple_of(1000) => format!("{}s", ms / 1000),
        _ => format!("{ms}ms"),
    }
}

/// Milliseconds as a number, for fields named `..._ms`.
pub mod as_ms {
    use serde::{Deserialize, Deserializer, Serializer};
    use std::time::Duration;

    /// For `#[serde(with)]`.
    pub fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(duration.as_millis() as u64)
    }

    /// For `#[serde(with)]`.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
        u64::deserialize(deserializer).map(Duration::from_millis)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_people_write() {
        for (text, ms) in
            [("500ms", 500), ("20s", 20_000), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000)]
        {
            let duration = parse(text).unwrap();
            assert_eq!(duration.as_millis(), ms, "{text}");
            assert_eq!(parse(&format(duration)), Ok(duration));
        }
        for text in ["", "20", "s", "-1s", "20 parsecs", "1e400s", "nans"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
