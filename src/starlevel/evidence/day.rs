//! The sums of one day: of a device, and of the gateway. How they stand in the store.
//!
//! A device's row is binary: its version, then numbers of seven bits a byte, the lowest first:
//! online milliseconds at star 5, and what each lower star adds to it; periods with a valid
//! reading at star 1, and what each higher star adds; milliseconds that the device existed, was
//! observed, was excused; readings obtained, valid, and expected by its own period.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::checks::CheckDay;
use super::environment::EnvironmentHours;
use super::facts::FactsDay;
use crate::starlevel::STARS;

/// Version of a device's row.
const DEVICE_ROW: u8 = 1;
/// Version of the gateway's row.
pub(super) const GATEWAY_ROW: u8 = 1;

/// A number per star.
pub(super) type PerStar = [u64; STARS as usize];

/// One day.
#[derive(Debug, Clone, Default)]
pub(super) struct Day {
    pub(super) devices: Vec<DeviceDay>,
    pub(super) gateway: GatewayDay,
    pub(super) checks: Option<CheckDay>,
    /// Rows of the stations that measure the environment, by device.
    pub(super) stations: BTreeMap<String, Vec<u8>>,
}

impl Day {
    pub(super) fn of(devices: usize) -> Self {
        Self { devices: vec![DeviceDay::default(); devices], ..Self::default() }
    }
}

/// What one device did on one day.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct DeviceDay {
    /// Online milliseconds by the definition of each star.
    pub(super) online_ms: PerStar,
    /// Periods (of the star's length) in which at least one valid reading was obtained.
    pub(super) covered: PerStar,
    /// Since when in the day it exists until when, milliseconds; set when the row is written.
    pub(super) exists_ms: u64,
    /// Observed milliseconds.
    pub(super) observed_ms: u64,
    /// Announced maintenance, milliseconds.
    pub(super) excused_ms: u64,
    /// Readings obtained.
    pub(super) readings: u64,
    /// Of those, the good ones.
    pub(super) valid: u64,
    /// Readings expected by the device's own period; set when the row is written.
    pub(super) expected: u64,
}

impl DeviceDay {
    pub(super) fn is_empty(&self) -> bool {
        self.observed_ms == 0 && self.readings == 0 && self.online_ms == PerStar::default()
    }

    pub(super) fn encode(&self) -> Vec<u8> {
        let mut row = vec![DEVICE_ROW];
        let mut below = 0;
        // A lower star allows longer silence: its online time is never less.
        for online in self.online_ms.iter().rev() {
            put(&mut row, online.saturating_sub(below));
            below = *online;
        }
        let mut below = 0;
        for covered in self.covered {
            put(&mut row, covered.saturating_sub(below));
            below = covered;
        }
        for number in [
            self.exists_ms,
            self.observed_ms,
            self.excused_ms,
            self.readings,
            self.valid,
            self.expected,
        ] {
            put(&mut row, number);
        }
        row
    }

    /// `None` for what no version of this program wrote.
    pub(super) fn decode(row: &[u8]) -> Option<Self> {
        let (&version, mut rest) = row.split_first()?;
        if version != DEVICE_ROW {
            return None;
        }
        let mut day = Self::default();
        let mut sum = 0u64;
        for online in day.online_ms.iter_mut().rev() {
            sum = sum.checked_add(take(&mut rest)?)?;
            *online = sum;
        }
        let mut sum = 0u64;
        for covered in &mut day.covered {
            sum = sum.checked_add(take(&mut rest)?)?;
            *covered = sum;
        }
        for number in [
            &mut day.exists_ms,
            &mut day.observed_ms,
            &mut day.excused_ms,
            &mut day.readings,
            &mut day.valid,
            &mut day.expected,
        ] {
            *number = take(&mut rest)?;
        }
        rest.is_empty().then_some(day)
    }
}

/// What the gateway did on one day.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct GatewayDay {
    /// Version of the row.
    pub(super) v: u8,
    /// Milliseconds in which the gateway watched with a trusted clock.
    pub(super) observed_ms: u64,
    /// Of those, with a session at the platform's broker.
    pub(super) link_ms: u64,
    /// Readings made durable.
    pub(super) stored: u64,
    /// Blocks created.
    pub(super) created: u64,
    /// Blocks that the platform acknowledged.
    pub(super) acknowledged: u64,
    /// Blocks deleted before the platform had them, or found damaged.
    pub(super) lost: u64,
    /// Facts of the day.
    #[serde(default, skip_serializing_if = "FactsDay::is_empty")]
    pub(super) facts: FactsDay,
    /// Hours with valid values of the environment, where there is a station.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) environment: Option<EnvironmentHours>,
}

fn put(row: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        row.push((number & 0x7F) as u8 | 0x80);
        number >>= 7;
    }
    row.push(number as u8);
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..63).step_by(7) {
        let (&byte, tail) = rest.split_first()?;
        *rest = tail;
        number |= u64::from(byte & 0x7F) << shift;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn busy() -> DeviceDay {
        DeviceDay {
            online_ms: [86_400_000, 86_400_000, 86_100_123, 85_999_999, 85_000_001],
            covered: [1, 1, 24, 95, 1439],
            exists_ms: 86_400_000,
            observed_ms: 86_390_000,
            excused_ms: 0,
            readings: 20_160,
            valid: 20_000,
            expected: 1440,
        }
    }

    #[test]
    fn a_row_reads_back_as_it_was_written() {
        for day in [busy(), DeviceDay::default()] {
            assert_eq!(DeviceDay::decode(&day.encode()), Some(day));
        }
    }

    #[test]
    fn a_row_that_was_cut_or_is_of_another_version_is_not_read() {
        let row = busy().encode();
        for length in 0..row.len() {
            assert_eq!(DeviceDay::decode(&row[..length]), None);
        }
        let mut other = row.clone();
        other[0] = 9;
        assert_eq!(DeviceDay::decode(&other), None);
        assert_eq!(DeviceDay::decode(&[&row[..], &[0]].concat()), None);
    }

    #[test]
    fn a_month_of_a_device_takes_at_most_two_kibibytes() {
        let key = 5 + "parcel_locker-12".len();
        let month = 30 * (key + busy().encode().len());
        println!("evidence: {month} bytes a device and month, keys included");
        assert!(month <= 2048, "{month}");
    }
}
