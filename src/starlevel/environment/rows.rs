//! What of the stations is kept in the store beside the days, so that a restart within an hour
//! loses nothing that was saved. These rows are working state and in no chain.
//!
//! | key | row |
//! | --- | --- |
//! | `v` | up to which hour everything is published, JSON |
//! | `v` device | the last published hour, the last reading of each parameter, JSON |
//! | `w` hour device | minutes and sums of an hour, JSON |
//!
//! Hours are four bytes, the highest first.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use super::hour::{Hour, Tally};
use super::parameter::Parameter;
use super::recorder::Recorder;
use super::station::Station;
use crate::model::EnvironmentHour;
use crate::starlevel::row::{json, named};
use crate::store::{Changes, StoreError, Tree};

const STATE: u8 = b'v';
const WORK: u8 = b'w';
const VERSION: u8 = 1;

/// Parameter, taken minutes, sum.
type TallyRow = (Parameter, u64, f64);

#[derive(Serialize, Deserialize)]
struct StateRow {
    v: u8,
    latest: Option<EnvironmentHour>,
    last: Vec<(Parameter, i64, f64)>,
}

impl Recorder {
    /// Goes on with what is stored.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::starlevel) fn load(&mut self, tree: &Tree) -> Result<(), StoreError> {
        let meta = tree.get(&[STATE])?.and_then(|row| serde_json::from_slice(&row).ok());
        self.closed = meta.filter(|(v, _): &(u8, Option<u32>)| *v == VERSION).and_then(|m| m.1);
        let names = self.names();
        for (station, name) in self.stations.iter_mut().zip(&names) {
            let row = tree.get(&named(STATE, name))?;
            let row = row.and_then(|row| serde_json::from_slice::<StateRow>(&row).ok());
            if let Some(row) = row.filter(|row| row.v == VERSION) {
                station.latest = row.latest;
                for (parameter, minute, value) in row.last {
                    station.tracks[parameter as usize].last = Some((minute, value));
                }
            }
        }
        tree.scan(&[WORK], &[WORK + 1], |key, row| {
            if let Some((hour, name)) = read_key(key)
                && let Some(slot) = names.iter().position(|other| other.as_bytes() == name)
                && let Some(tallies) = read_hour(row)
            {
                self.stations[slot].hours.insert(hour, tallies);
            }
            ControlFlow::Continue(())
        })
    }

    /// Puts what changed into a batch, and takes out what is no longer needed.
    ///
    /// # Errors
    /// The store cannot be read.
    pub(in crate::starlevel) fn write(
        &self,
        tree: &Tree,
        changes: &mut Changes,
    ) -> Result<(), StoreError> {
        if self.stations.is_empty() {
            return Ok(());
        }
        changes.insert(&[STATE], &json(&(VERSION, self.closed)));
        let names = self.names();
        for (station, name) in self.stations.iter().zip(&names) {
            changes.insert(&named(STATE, name), &json(&state(station)));
            for hour in &station.changed {
                let row = noted(station, *hour);
                if !row.is_empty() {
                    changes.insert(&work_key(*hour, name), &json(&(VERSION, row)));
                }
            }
        }
        if self.today == 0 {
            // The day is not known before the clock is trusted: nothing is too old.
            return Ok(());
        }
        let (oldest, newest) = (self.oldest_hour(), self.today.saturating_add(2) * 24);
        tree.scan(&[WORK], &[WORK + 1], |key, _| {
            if read_key(key).is_none_or(|(hour, _)| hour < oldest || hour > newest) {
                changes.remove(key);
            }
            ControlFlow::Continue(())
        })
    }

    /// What was put into a batch is in the store.
    pub(in crate::starlevel) fn written(&mut self) {
        self.published = false;
        self.stations.iter_mut().for_each(|station| station.changed.clear());
    }

    /// Whether something was published that the store does not know yet.
    pub(in crate::starlevel) fn must_save(&self) -> bool {
        self.published
    }
}

fn state(station: &Station) -> StateRow {
    let last = station.inputs.iter().filter_map(|input| {
        let (minute, value) = station.tracks[input.parameter as usize].last?;
        Some((input.parameter, minute, value))
    });
    StateRow { v: VERSION, latest: station.latest.clone(), last: last.collect() }
}

/// An hour with the open minute in it, as if the gateway stopped now.
fn noted(station: &Station, hour: u32) -> Vec<TallyRow> {
    let row = station.hours.get(&hour).copied().unwrap_or_default();
    let tallies = station.inputs.iter().map(|input| {
        let slot = input.parameter as usize;
        let tally = station.tracks[slot].noted(hour, &row[slot]);
        (input.parameter, tally.taken, tally.sum)
    });
    tallies.filter(|(_, taken, _)| *taken != 0).collect()
}

fn read_hour(row: &[u8]) -> Option<Hour> {
    let (version, tallies): (u8, Vec<TallyRow>) = serde_json::from_slice(row).ok()?;
    let mut hour = Hour::default();
    for (parameter, taken, sum) in tallies {
        hour[parameter as usize] = Tally { taken, sum };
    }
    (version == VERSION).then_some(hour)
}

fn work_key(hour: u32, device: &str) -> Vec<u8> {
    [&[WORK][..], &hour.to_be_bytes(), device.as_bytes()].concat()
}

fn read_key(key: &[u8]) -> Option<(u32, &[u8])> {
    let (hour, name) = key.get(1..)?.split_at_checked(4)?;
    Some((u32::from_be_bytes(hour.try_into().ok()?), name))
}
