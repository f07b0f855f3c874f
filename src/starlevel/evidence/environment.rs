//! The environment in the days of the book: hours with valid values, and the stations' daily rows.
//!
//! An hour counts for check E2 when every parameter that check E1 asks for at the star has a valid
//! value of it at one station at least: E1 takes the parameters of all sensors together, so an
//! estate may have its sound meter apart. Hours in which the gateway was down are missing hours.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Book;
use crate::model::Event;
use crate::starlevel::environment::{EnvironmentReport, NoiseZone, PARAMETERS};
use crate::starlevel::row::json;

const HOUR_MS: i64 = 3_600_000;

/// Ranks of check E1.
const RANKS: usize = 3;

/// Hours of a day with valid values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(in crate::starlevel) struct EnvironmentHours {
    /// Per parameter, in the order of `Parameter`.
    valid: [u8; PARAMETERS],
    /// Per rank of check E1: hours with all that the rank asks for.
    complete: [u8; RANKS],
}

impl EnvironmentHours {
    /// One more hour: which parameters are valid, and up to which rank it is complete.
    pub(in crate::starlevel) fn add(&mut self, valid: &[bool; PARAMETERS], rank: u8) {
        for (count, valid) in self.valid.iter_mut().zip(valid) {
            *count += u8::from(*valid);
        }
        for count in self.complete.iter_mut().take(usize::from(rank)) {
            *count += 1;
        }
    }
}

impl Book {
    /// Puts what the stations' hours amount to into the days that are still open.
    pub(super) fn book_environment(&mut self, days: impl IntoIterator<Item = u32>) {
        for day in days {
            let (sums, rows) = (self.environment.sums(day), self.environment.rows(day));
            let estate = Arc::clone(&self.estate);
            let Some(row) = self.open_row(day) else { continue };
            row.gateway.environment = sums;
            for (device, values) in rows {
                let id = estate.device(device).id.as_str().to_owned();
                row.stations.insert(id, json(&values));
            }
        }
    }

    /// Whole hours of the window since there is a station, and those of them that are complete for
    /// a rank of check E1 (1..=3); `None` before an hour has ended, and without a station.
    pub(in crate::starlevel) fn environment_hours(&self, rank: u8) -> Option<(u64, u64)> {
        let slot = usize::from(rank).checked_sub(1).filter(|slot| *slot < RANKS)?;
        let devices = self.environment.devices();
        let since = devices.filter_map(|device| self.known[device.slot()].since).min()?;
        let begin = since.max(self.begin_of_window());
        let first = begin.saturating_add(HOUR_MS - 1).div_euclid(HOUR_MS);
        let hours = u64::try_from(self.end().div_euclid(HOUR_MS) - first).ok()?;
        if hours == 0 {
            return None;
        }
        let sums =
            self.days.range(self.first_day()..).filter_map(|(_, day)| day.gateway.environment);
        let complete: u64 = sums.map(|sums| u64::from(sums.complete[slot])).sum();
        Some((complete.min(hours), hours))
    }

    /// Values of the environment that are to be published.
    pub(in crate::starlevel) fn take_events(&mut self) -> Vec<Event> {
        self.environment.take_events()
    }

    /// Sets the zone of GB 3096 that the city's zoning gives the estate.
    pub(in crate::starlevel) fn set_noise_zone(&mut self, zone: Option<NoiseZone>) {
        self.environment.set_noise_zone(zone);
    }

    /// The environment for people; `None` without a station.
    pub(in crate::starlevel) fn environment_report(&self) -> Option<EnvironmentReport> {
        self.environment.report(&self.estate)
    }
}
