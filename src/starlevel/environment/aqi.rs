//! The air quality index, exactly: integers only, by the edition in force on the day of the
//! observation. What comes out is a reference value (参考值).

use serde::{Deserialize, Serialize};

use super::parameter::Parameter;
use super::round::half_even;
use super::table::{Above, Edition, Row, Table};

/// The index of each pollutant and what follows from them. All are reference values: only ecology
/// authorities, or whom they authorise, publish an AQI (HJ 633-2026, 5.1.2).
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Index {
    /// The edition of HJ 633 that was in force, when one was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edition: Option<String>,
    /// The greatest single index; absent when a pollutant is missing and the others' is not above
    /// 100 (HJ 633-2026, 5.3.1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aqi: Option<u16>,
    /// Primary pollutants: those whose index is the AQI, when that is above 50.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub primary: Vec<Parameter>,
    /// Pollutants without an index.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<Parameter>,
}

impl Table {
    /// The index of one concentration, µg/m³ (CO mg/m³), on a day (days since 1970). `None` before
    /// the first edition, for what is no number, and where the edition gives none.
    pub(in crate::starlevel) fn iaqi(&self, row: Row, concentration: f64, on: u32) -> Option<u16> {
        self.of_edition(self.edition_on(on)?, row, concentration)
    }

    fn of_edition(&self, edition: &Edition, row: Row, concentration: f64) -> Option<u16> {
        let decimals = if matches!(row, Row::CoDay | Row::CoHour) { 1 } else { 0 };
        let tenths = tenths(half_even(concentration, decimals)?)?;
        let points = edition.row(row);
        let above = match row {
            Row::So2Hour => Some(&edition.so2_1h_above),
            Row::O3Eight => Some(&edition.o3_8h_above),
            _ => None,
        };
        let spans = points.windows(2).zip(self.steps.windows(2));
        for (points, steps) in spans {
            let (low, high) = (points[0] * 10, points[1] * 10);
            if tenths <= high {
                let (from, to) = (i64::from(steps[0]), i64::from(steps[1]));
                let rise = (to - from) * (tenths - low);
                // Always rounded up.
                let index = from + (rise + (high - low) - 1).div_euclid(high - low);
                return u16::try_from(index).ok();
            }
        }
        match above {
            Some(Above::Index(index)) => Some(*index),
            Some(Above::Row(_)) => None,
            None => self.steps.last().copied(),
        }
    }

    /// The index of a daily ozone value; where the edition gives none for eight hours, that of the
    /// day's greatest hourly value.
    pub(super) fn iaqi_ozone_day(&self, eight: f64, hour: Option<f64>, on: u32) -> Option<u16> {
        let edition = self.edition_on(on)?;
        let index = self.of_edition(edition, Row::O3Eight, eight);
        match (index, &edition.o3_8h_above, hour) {
            (None, Above::Row(_), Some(hour)) => self.of_edition(edition, Row::O3Hour, hour),
            _ => index,
        }
    }

    /// The AQI of the single indices on a day.
    pub(in crate::starlevel) fn index(
        &self,
        single: impl Fn(Parameter) -> Option<u16>,
        on: u32,
    ) -> Index {
        let Some(edition) = self.edition_on(on) else { return Index::default() };
        let found: Vec<(Parameter, Option<u16>)> =
            Parameter::POLLUTANTS.into_iter().map(|p| (p, single(p))).collect();
        let greatest = found.iter().filter_map(|(_, index)| *index).max();
        let missing: Vec<Parameter> =
            found.iter().filter(|(_, index)| index.is_none()).map(|(p, _)| *p).collect();
        let aqi = greatest
            .filter(|aqi| missing.is_empty() || *aqi > self.missing.aqi_above)
            .map(|aqi| aqi.max(edition.least));
        let primary = match aqi.filter(|aqi| *aqi > self.primary.aqi_above) {
            None => Vec::new(),
            aqi => found.iter().filter(|(_, index)| *index == aqi).map(|(p, _)| *p).collect(),
        };
        Index { edition: Some(edition.id.clone()), aqi, primary, missing }
    }
}

/// Tenths of a number with one digit after the point at most; `None` below zero and beyond all
/// measure.
fn tenths(value: f64) -> Option<i64> {
    let tenths = (value * 10.0).round();
    // A sensor's noise below zero is zero.
    #[expect(clippy::cast_possible_truncation, reason = "held below 1e9 before")]
    (tenths < 1e9).then_some(tenths.max(0.0) as i64)
}
