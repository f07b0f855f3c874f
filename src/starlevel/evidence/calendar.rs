//! The natural days of the rule pack's time zone.

/// Milliseconds of a day.
pub(super) const DAY_MS: i64 = 86_400_000;

/// A time zone without daylight saving: what is added to universal time, milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::starlevel) struct Zone {
    offset_ms: i64,
}

impl Zone {
    /// The zones that a rule pack may name. China has had one zone without daylight saving since
    /// 1991, so no table of zones is needed on the box.
    pub(in crate::starlevel) fn named(name: &str) -> Option<Self> {
        let hours = match name {
            "Asia/Shanghai" | "PRC" => 8,
            "UTC" | "Etc/UTC" => 0,
            _ => return None,
        };
        Some(Self { offset_ms: hours * 3_600_000 })
    }

    /// The day of a wall time: days since 1970 in this zone.
    pub(in crate::starlevel) fn day(self, unix_ms: i64) -> u32 {
        let day = unix_ms.saturating_add(self.offset_ms).div_euclid(DAY_MS);
        u32::try_from(day.max(0)).unwrap_or(u32::MAX)
    }

    /// The wall time at which a day begins.
    pub(super) fn begin(self, day: u32) -> i64 {
        i64::from(day) * DAY_MS - self.offset_ms
    }
}

/// A day in the form `2026-01-31`.
pub(in crate::starlevel) fn date(day: u32) -> String {
    let span = jiff::SignedDuration::from_hours(24 * i64::from(day));
    let date = jiff::civil::date(1970, 1, 1).checked_add(span);
    date.map_or_else(|_| format!("day {day}"), |date| date.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_begins_at_midnight_in_china() {
        let zone = Zone::named("Asia/Shanghai").unwrap();
        let midnight = 1_767_196_800_000; // 2026-01-01T00:00 in Shanghai
        assert_eq!(zone.day(midnight), zone.day(midnight - 1) + 1);
        assert_eq!(zone.begin(zone.day(midnight + 5)), midnight);
        assert_eq!(date(zone.day(midnight)), "2026-01-01");
        assert_eq!(Zone::named("Europe/Berlin"), None);
    }
}
