//! One device that measures the environment: which of its points count, and what they brought.

use super::day;
use super::hour::{HourMeans, Hours, Track};
use super::noise::NoiseZone;
use super::parameter::{Conversion, PARAMETERS, Parameter};
use super::table::Table;
use crate::model::{
    Device, DeviceIndex, DeviceState, EnvironmentDay, EnvironmentHour, EnvironmentValues, Moment,
    PointIndex,
};
use crate::starlevel::Bilingual;

/// One point that counts.
#[derive(Debug, Clone)]
pub(super) struct Input {
    pub(super) parameter: Parameter,
    point: PointIndex,
    conversion: Conversion,
    /// The good reading that was taken over last.
    seen: Option<Moment>,
}

/// One station.
#[derive(Debug, Clone)]
pub(super) struct Station {
    pub(super) device: DeviceIndex,
    pub(super) inputs: Vec<Input>,
    pub(super) tracks: [Track; PARAMETERS],
    pub(super) hours: Hours,
    /// Hours that changed since they were written.
    pub(super) changed: std::collections::BTreeSet<u32>,
    /// Points that cannot be used, and why.
    pub(super) unusable: Vec<Bilingual>,
    /// The last hour that was published, as it was published.
    pub(super) latest: Option<EnvironmentHour>,
}

impl Station {
    /// `None` for a device without such a point.
    pub(super) fn of(device: &Device, index: DeviceIndex, table: &Table) -> Option<Self> {
        let mut inputs: Vec<Input> = Vec::new();
        let mut unusable = Vec::new();
        for (slot, point) in (0u16..).zip(device.points.iter()) {
            let Some(parameter) = Parameter::of_point(&point.name) else { continue };
            if inputs.iter().any(|input| input.parameter == parameter) {
                continue;
            }
            match Conversion::of(point, parameter, table) {
                Ok(conversion) => {
                    let point = PointIndex(slot);
                    inputs.push(Input { parameter, point, conversion, seen: None });
                }
                Err(why) => unusable.push(why),
            }
        }
        if inputs.is_empty() && unusable.is_empty() {
            return None;
        }
        inputs.sort_by_key(|input| input.parameter);
        Some(Self {
            device: index,
            inputs,
            tracks: [Track::of(device.expected_every); PARAMETERS],
            hours: Hours::new(),
            changed: std::collections::BTreeSet::new(),
            unusable,
            latest: None,
        })
    }

    pub(super) fn measured(&self) -> Vec<Parameter> {
        self.inputs.iter().map(|input| input.parameter).collect()
    }

    pub(super) fn means<'a>(&'a self, table: &'a Table) -> HourMeans<'a> {
        HourMeans { hours: &self.hours, table }
    }

    /// The good readings that came since the last look: input, when, value in its parameter's
    /// unit. A look sees the last value of a point; at two looks a minute none is without one
    /// that had one. A good value that was replaced by a worse one meanwhile is left out.
    pub(super) fn fresh(&mut self, state: &DeviceState) -> Vec<(usize, Moment, f64)> {
        let mut found = Vec::new();
        for (slot, input) in self.inputs.iter_mut().enumerate() {
            let point = state.point(input.point);
            let Some(good) = point.good_at.filter(|at| input.seen != Some(*at)) else { continue };
            input.seen = Some(good);
            let is_good = point.quality.is_some_and(|quality| quality.is_good());
            let value = point.value.as_ref().and_then(|value| value.number());
            if let Some(value) = value.filter(|_| is_good && point.at == Some(good)) {
                found.push((slot, good, input.conversion.apply(value)));
            }
        }
        found
    }

    /// Takes a reading of a minute since 1970 over.
    pub(super) fn read(&mut self, slot: usize, minute: i64, value: f64) {
        let parameter = self.inputs[slot].parameter;
        self.changed.extend(super::hour::hour_of(minute));
        self.tracks[parameter as usize].read(&mut self.hours, parameter, minute, value);
    }

    /// Books every minute before `until`.
    pub(super) fn settle(&mut self, until: i64) {
        for input in &self.inputs {
            let track = &mut self.tracks[input.parameter as usize];
            let Some((last, _)) = track.last else { continue };
            // What a reading stands for may reach into the next hour.
            self.changed.extend(super::hour::hour_of(last));
            track.settle(&mut self.hours, input.parameter, until);
            self.changed.extend(super::hour::hour_of(until - 1).filter(|_| until - last < 8));
        }
    }

    pub(super) fn of_hour(&self, hour: u32, on: u32, table: &Table) -> EnvironmentValues {
        day::of_hour(&self.means(table), &self.measured(), hour, on)
    }

    pub(super) fn of_day(
        &self,
        on: u32,
        first: u32,
        dates: (String, String),
        zone: Option<NoiseZone>,
        table: &Table,
    ) -> EnvironmentDay {
        day::of_day(&self.means(table), &self.measured(), on, first, dates, zone)
    }

    /// Whether it measures what is judged by the day: a pollutant or noise.
    pub(super) fn is_judged(&self) -> bool {
        self.inputs.iter().any(|i| i.parameter.is_pollutant() || i.parameter == Parameter::Laeq)
    }
}
