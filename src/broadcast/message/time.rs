//! Times in messages. China has one zone, and EBM writes its time without one.

use jiff::civil::DateTime;
use jiff::tz::{self, TimeZone};
use jiff::{Timestamp, Zoned};

use super::Unread;

/// Hours that the time of China is ahead of UTC.
const CHINA: i8 = 8;

/// The zone of China.
pub fn china() -> TimeZone {
    tz::offset(CHINA).to_time_zone()
}

/// A time with its zone (RFC 3339, CAP's `dateTime`), milliseconds since 1970.
///
/// # Errors
/// It is none.
pub fn zoned(text: &str) -> Result<i64, Unread> {
    text.trim().parse::<Timestamp>().map(Timestamp::as_millisecond).map_err(|_| {
        Unread::malformed(format!(
            "`{text}` is no time with its zone, as 2026-01-02T03:04:05+08:00"
        ))
    })
}

/// A time as EBM writes it, `2026-01-02 03:04:05`, in the zone of China.
///
/// # Errors
/// It is none.
pub fn civil(text: &str) -> Result<i64, Unread> {
    text.trim()
        .parse::<DateTime>()
        .ok()
        .and_then(|time| time.to_zoned(china()).ok())
        .map(|time| time.timestamp().as_millisecond())
        .ok_or_else(|| Unread::malformed(format!("`{text}` is no time as 2026-01-02 03:04:05")))
}

/// The wall clock of China at a moment; none beyond the year 9999.
pub fn at(unix_ms: i64) -> Option<Zoned> {
    Some(Timestamp::from_millisecond(unix_ms).ok()?.to_zoned(china()))
}

/// As EBM writes it.
pub fn written(unix_ms: i64) -> String {
    at(unix_ms).map_or_else(String::new, |time| time.strftime("%Y-%m-%d %H:%M:%S").to_string())
}
