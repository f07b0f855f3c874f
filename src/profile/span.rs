//! Lengths of time and sentinels as a profile writes them.

use std::fmt;
use std::time::Duration;

use serde::Deserialize;
use serde::de::{Deserializer, Error, Visitor};

use crate::settings::parse_duration;

/// A length of time with its unit: `"200ms"`, `"5s"`, `"15m"`, `"1h"`, `"1d"`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span(pub Duration);

const SPAN_RULE: &str =
    "a whole number with its unit, `ms`, `s`, `m`, `h` or `d`, at most 30d, for instance \"200ms\"";

/// Longest length of time in a profile.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Words;
        impl Visitor<'_> for Words {
            type Value = Span;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(SPAN_RULE)
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Span, E> {
                let span = parse_duration(text).ok().filter(|span| *span <= LONGEST);
                span.map(Span).ok_or_else(|| {
                    E::custom(format!("`{text}` is no duration; needed is {SPAN_RULE}"))
                })
            }
        }
        deserializer.deserialize_any(Words)
    }
}

/// A raw value that means "not available": a number, or a text (for registers `"0x…"`, because
/// TOML's numbers end below 2⁶³).
#[derive(Debug, Clone)]
pub(super) struct Sentinel(pub String);

impl Sentinel {
    /// As the bits of a register value.
    pub fn bits(&self) -> Option<u64> {
        match self.0.strip_prefix("0x") {
            Some(hex) => u64::from_str_radix(hex, 16).ok(),
            None => self.0.parse().ok(),
        }
    }
}

impl<'de> Deserialize<'de> for Sentinel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl Visitor<'_> for Any {
            type Value = Sentinel;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a text")
            }
            fn visit_i64<E: Error>(self, n: i64) -> Result<Sentinel, E> {
                Ok(Sentinel(n.to_string()))
            }
            fn visit_u64<E: Error>(self, n: u64) -> Result<Sentinel, E> {
                Ok(Sentinel(n.to_string()))
            }
            fn visit_f64<E: Error>(self, n: f64) -> Result<Sentinel, E> {
                Ok(Sentinel(n.to_string()))
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Sentinel, E> {
                Ok(Sentinel(text.to_owned()))
            }
        }
        deserializer.deserialize_any(Any)
    }
}
