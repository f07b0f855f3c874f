//! The environment as it stands in the assessment and on the page.

use serde::{Deserialize, Serialize};

use super::recorder::Recorder;
use super::table::Table;
use crate::model::{EnvironmentDay, EnvironmentHour, Estate};
use crate::starlevel::Bilingual;

/// Most stations that the assessment names; the document is retained by the broker and stays small.
const MOST_STATIONS: usize = 20;

/// A range of the air quality index with its names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct AirClass {
    /// `一级` … `六级`.
    pub level: String,
    /// `优`, `excellent`.
    pub name: Bilingual,
    /// `绿色`, `green`.
    pub colour: Bilingual,
    /// `#RRGGBB`.
    pub rgb: String,
}

impl AirClass {
    /// The class of an AQI or a single index; `None` above the last.
    pub fn of(index: u16) -> Option<Self> {
        let class = Table::built_in().class(index)?;
        Some(Self {
            level: class.level.clone(),
            name: Bilingual::new(&class.zh, &class.en),
            colour: Bilingual::new(&class.colour_zh, &class.colour_en),
            rgb: class.rgb.clone(),
        })
    }
}

/// One station.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct StationReport {
    /// The device's identifier.
    pub device: String,
    /// What people call it.
    pub name: String,
    /// The last hour that was published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour: Option<EnvironmentHour>,
    /// Class of that hour's AQI, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hour_class: Option<AirClass>,
    /// The last whole day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day: Option<EnvironmentDay>,
    /// Class of that day's AQI, when there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub day_class: Option<AirClass>,
    /// Points whose values cannot be used, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unusable: Vec<Bilingual>,
}

/// Hourly and daily values of the estate's stations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct EnvironmentReport {
    /// Says that these are reference values.
    pub banner: Bilingual,
    /// The zone of GB 3096 that is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_zone: Option<String>,
    /// Why noise is not judged, when it is measured and no zone is configured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noise_note: Option<Bilingual>,
    /// The stations, those that measure air or noise first.
    pub stations: Vec<StationReport>,
    /// Further stations that are not listed.
    #[serde(default)]
    pub more_stations: u32,
}

impl Recorder {
    /// `None` without stations.
    pub(in crate::starlevel) fn report(&self, estate: &Estate) -> Option<EnvironmentReport> {
        if self.stations.is_empty() {
            return None;
        }
        let mut order: Vec<usize> = (0..self.stations.len()).collect();
        order.sort_by_key(|slot| !self.stations[*slot].is_judged());
        let more = order.len().saturating_sub(MOST_STATIONS);
        let stations: Vec<StationReport> =
            order.into_iter().take(MOST_STATIONS).map(|slot| self.station(estate, slot)).collect();
        let noise = stations.iter().filter_map(|s| s.day.as_ref()).any(|day| day.noise.is_some());
        let noise_note = (noise && self.noise_zone.is_none()).then(|| {
            Bilingual::new(
                "未配置声环境功能区，噪声不作判定：请向所在城市查询本小区的功能区，再设置 [stars] noise_zone",
                "noise is not judged: no zone is configured; ask in which zone of GB 3096 the city's \
                 zoning puts the estate, then set noise_zone in [stars]",
            )
        });
        Some(EnvironmentReport {
            banner: Bilingual::new(
                "参考值：仅生态环境主管部门或其授权机构可发布空气质量指数（HJ 633-2026，5.1.2）",
                "reference values: only ecology authorities, or whom they authorise, publish an AQI \
                 (HJ 633-2026, 5.1.2)",
            ),
            noise_zone: self.noise_zone.map(|zone| zone.word().to_owned()),
            noise_note,
            stations,
            more_stations: u32::try_from(more).unwrap_or(u32::MAX),
        })
    }

    fn station(&self, estate: &Estate, slot: usize) -> StationReport {
        let station = &self.stations[slot];
        let device = estate.device(station.device);
        let yesterday = self.today.saturating_sub(1);
        let hours = yesterday * 24..yesterday * 24 + 24;
        let day = (station.is_judged() && station.hours.range(hours).next().is_some())
            .then(|| self.day(station, yesterday));
        let class = |aqi: Option<u16>| aqi.and_then(AirClass::of);
        StationReport {
            device: device.id.as_str().to_owned(),
            name: device.title().to_owned(),
            hour_class: class(station.latest.as_ref().and_then(|hour| hour.air.aqi)),
            hour: station.latest.clone(),
            day_class: class(day.as_ref().and_then(|day| day.air.aqi)),
            day,
            unusable: station.unusable.clone(),
        }
    }
}
