//! Durations and sizes with their unit, endpoints, and the nearest word.

use std::time::Duration;

/// Why a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub problem: String,
    /// A way out.
    pub hint: Option<String>,
}

impl Wrong {
    /// Without a hint.
    pub fn new(problem: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: None }
    }

    /// With a hint.
    pub fn hinted(problem: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { problem: problem.into(), hint: Some(hint.into()) }
    }
}

/// Units of time, in milliseconds.
const TIMES: &[(&str, u64)] =
    &[("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];
/// What people write instead.
const OTHER_TIMES: &[(&str, &str)] = &[
    ("sec", "s"),
    ("secs", "s"),
    ("second", "s"),
    ("seconds", "s"),
    ("秒", "s"),
    ("min", "m"),
    ("mins", "m"),
    ("minute", "m"),
    ("minutes", "m"),
    ("分", "m"),
    ("分钟", "m"),
    ("hour", "h"),
    ("hours", "h"),
    ("小时", "h"),
    ("day", "d"),
    ("days", "d"),
    ("天", "d"),
    ("msec", "ms"),
    ("毫秒", "ms"),
];
/// Units of size, in bytes.
const SIZES: &[(&str, u64)] = &[("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];
const OTHER_SIZES: &[(&str, &str)] = &[
    ("k", "KiB"),
    ("K", "KiB"),
    ("kB", "KiB"),
    ("KB", "KiB"),
    ("kib", "KiB"),
    ("m", "MiB"),
    ("M", "MiB"),
    ("MB", "MiB"),
    ("mib", "MiB"),
    ("g", "GiB"),
    ("G", "GiB"),
    ("GB", "GiB"),
    ("gib", "GiB"),
];

fn with_unit(
    text: &str,
    units: &[(&str, u64)],
    others: &[(&str, &str)],
    usual: &str,
) -> Result<u64, Wrong> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    if number.is_empty() {
        return Err(Wrong::new("does not begin with a whole number"));
    }
    if unit.is_empty() {
        return Err(Wrong::hinted("has no unit", format!("write \"{number}{usual}\"")));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let hint = others
            .iter()
            .find(|(other, _)| *other == unit.trim())
            .map(|(_, right)| format!("write \"{number}{right}\""));
        return Err(Wrong { problem: format!("`{unit}` is not a unit here"), hint });
    };
    let number: u64 = number.parse().map_err(|_| Wrong::new("is too large"))?;
    number.checked_mul(*factor).ok_or_else(|| Wrong::new("is too large"))
}

/// Reads `200ms`, `30s`, `15m`, `1h`, `2d`.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_duration(text: &str) -> Result<Duration, Wrong> {
    with_unit(text, TIMES, OTHER_TIMES, "s").map(Duration::from_millis)
}

/// Reads `512B`, `64KiB`, `64MiB`, `1GiB`; the answer is in bytes.
///
/// # Errors
/// What is wrong with the text.
pub fn parse_size(text: &str) -> Result<u64, Wrong> {
    with_unit(text, SIZES, OTHER_SIZES, "MiB")
}

fn show(amount: u64, units: &[(&str, u64)]) -> String {
    let fitting =
        units.iter().rev().find(|(_, factor)| amount >= *factor && amount.is_multiple_of(*factor));
    match fitting {
        Some((unit, factor)) => format!("{}{unit}", amount / factor),
        None => format!("0{}", units[0].0),
    }
}

/// Writes a duration as [`parse_duration`] reads it, to the millisecond.
pub fn show_duration(span: Duration) -> String {
    show(u64::try_from(span.as_millis()).unwrap_or(u64::MAX), TIMES)
}

/// Writes bytes as [`parse_size`] reads them.
pub fn show_size(bytes: u64) -> String {
    show(bytes, SIZES)
}

/// Checks `host:port` and `[v6]:port`; `usual` is the port for the hint.
///
/// # Errors
/// What is wrong with the text.
pub fn check_endpoint(text: &str, usual: u16) -> Result<(), Wrong> {
    let Some((host, port)) = text.rsplit_once(':') else {
        let whole = match text.parse::<u16>() {
            Ok(port) => format!("127.0.0.1:{port}"),
            Err(_) if text == "localhost" => format!("127.0.0.1:{usual}"),
            Err(_) => format!("{text}:{usual}"),
        };
        return Err(Wrong::hinted("has no port", format!("write \"{whole}\"")));
    };
    if text.contains("://") {
        return Err(Wrong::hinted("is a URL", "write only host:port"));
    }
    if !port.parse::<u16>().is_ok_and(|port| port != 0) {
        return Err(Wrong::new(format!("`{port}` is not a port from 1 to 65535")));
    }
    check_host(host)
}

/// Checks a host name or address; an IPv6 address may stand in brackets.
///
/// # Errors
/// What is wrong with the text.
pub fn check_host(host: &str) -> Result<(), Wrong> {
    if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return inner
            .parse::<std::net::Ipv6Addr>()
            .map(|_| ())
            .map_err(|_| Wrong::new(format!("`{inner}` is not an IPv6 address")));
    }
    if host.contains("://") {
        return Err(Wrong::hinted(
            "is a URL",
            "write only the host; the port is `port`, TLS is the section `tls`",
        ));
    }
    let fine = !host.is_empty()
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'));
    if fine || host.parse::<std::net::Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err(Wrong::new(format!("`{host}` is not a host name or address")))
    }
}

/// The word most like `wrong`, when one is like it at all.
pub fn nearest<'a>(wrong: &str, words: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let wrong = wrong.to_lowercase();
    words
        .into_iter()
        .map(|word| {
            let lower = word.to_lowercase();
            // Two letters swapped in a short word change its likeness much.
            let swapped = lower.len() > 2 && strsim::damerau_levenshtein(&wrong, &lower) <= 1;
            let likeness = strsim::jaro_winkler(&wrong, &lower);
            (if swapped { likeness.max(0.95) } else { likeness }, word)
        })
        .filter(|(likeness, _)| *likeness >= 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| word)
}
