//! Durations and sizes with their unit, endpoints, and the nearest word.

use std::fmt::Display;
use std::time::Duration;

use crate::model::Words;

/// Why a text is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wrong {
    /// What is wrong.
    pub problem: Words,
    /// A way out.
    pub hint: Option<Words>,
}

/// The hint to write a value in another way.
pub fn write_it(text: impl Display) -> Words {
    (format!("write \"{text}\""), format!("请写 \"{text}\"")).into()
}

/// The hint that another value was probably meant.
pub fn meant_value(text: &str) -> Words {
    (format!("did you mean \"{text}\"?"), format!("是否应为 \"{text}\"？")).into()
}

/// The hint that another key was probably meant.
pub fn meant_key(text: &str) -> Words {
    (format!("did you mean `{text}`?"), format!("是否应为 `{text}`？")).into()
}

impl Wrong {
    /// A value that must not be empty.
    pub fn empty() -> Self {
        Self::new(("is empty", "为空"))
    }

    /// A text that is no identifier of ours.
    pub fn no_identifier() -> Self {
        Self::new(("is not an identifier", "不是合法的标识：只能用小写字母、数字、`.`、`_`、`-`"))
    }

    /// A placeholder other than that of the gateway.
    pub fn placeholder() -> Self {
        Self::hinted(
            ("holds an unknown placeholder", "含有未知的占位符"),
            ("known is {gateway}", "可用的占位符是 {gateway}"),
        )
    }

    /// A number or quantity outside its range.
    pub(super) fn out_of_range(low: impl Display, high: impl Display) -> Self {
        Self::new(("is out of range", format!("超出范围：应在 {low} 至 {high} 之间")))
    }

    /// An amount without its unit.
    pub(super) fn no_unit(number: &str, usual: &str) -> Self {
        Self::hinted(("has no unit", "缺少单位"), write_it(format_args!("{number}{usual}")))
    }

    /// Without a hint; the problem as a pair, English and Chinese.
    pub fn new(problem: impl Into<Words>) -> Self {
        Self { problem: problem.into(), hint: None }
    }

    /// With a hint; both as pairs, English and Chinese.
    pub fn hinted(problem: impl Into<Words>, hint: impl Into<Words>) -> Self {
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
        return Err(Wrong::new(("does not begin with a whole number", "开头不是整数")));
    }
    if unit.is_empty() {
        return Err(Wrong::no_unit(number, usual));
    }
    let Some((_, factor)) = units.iter().find(|(name, _)| *name == unit) else {
        let hint = others
            .iter()
            .find(|(other, _)| *other == unit.trim())
            .map(|(_, right)| write_it(format_args!("{number}{right}")));
        let problem =
            (format!("`{unit}` is not a unit here"), format!("`{unit}` 不是此处可用的单位"));
        return Err(Wrong { problem: problem.into(), hint });
    };
    let too_large = || Wrong::new(("is too large", "数值过大"));
    let number: u64 = number.parse().map_err(|_| too_large())?;
    number.checked_mul(*factor).ok_or_else(too_large)
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
        return Err(Wrong::hinted(("has no port", "缺少端口"), write_it(whole)));
    };
    if text.contains("://") {
        return Err(Wrong::hinted(
            ("is a URL", "是网址"),
            ("write only host:port", "只写 主机:端口"),
        ));
    }
    if !port.parse::<u16>().is_ok_and(|port| port != 0) {
        return Err(Wrong::new((
            format!("`{port}` is not a port from 1 to 65535"),
            format!("`{port}` 不是 1 至 65535 的端口"),
        )));
    }
    check_host(host)
}

/// Checks a host name or address; an IPv6 address may stand in brackets.
///
/// # Errors
/// What is wrong with the text.
pub fn check_host(host: &str) -> Result<(), Wrong> {
    if let Some(inner) = host.strip_prefix('[').and_then(|h| h.strip_suffix(']')) {
        return inner.parse::<std::net::Ipv6Addr>().map(|_| ()).map_err(|_| {
            Wrong::new((
                format!("`{inner}` is not an IPv6 address"),
                format!("`{inner}` 不是 IPv6 地址"),
            ))
        });
    }
    if host.contains("://") {
        return Err(Wrong::hinted(
            ("is a URL", "是网址"),
            (
                "write only the host; the port is `port`, TLS is the section `tls`",
                "只写主机；端口写在 `port`，TLS 写在 `tls` 节",
            ),
        ));
    }
    // Digits and dots that are no address are a slip of the pen, not a name.
    let digits = host.chars().all(|c| c.is_ascii_digit() || c == '.');
    let fine = !host.is_empty()
        && host.chars().all(|c| c.is_alphanumeric() || matches!(c, '.' | '-' | '_'))
        && (!digits || host.parse::<std::net::Ipv4Addr>().is_ok());
    if fine || host.parse::<std::net::Ipv6Addr>().is_ok() {
        Ok(())
    } else {
        Err(Wrong::new((
            format!("`{host}` is not a host name or address"),
            format!("`{host}` 不是主机名或地址"),
        )))
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
