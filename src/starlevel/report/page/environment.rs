//! The environment's last day by station, where the assessment has one.

use maud::{Markup, html};

use super::heading;
use crate::model::{EnvironmentDay, NoiseLevels};
use crate::starlevel::report::document::Report;
use crate::starlevel::scorecard::page::both;
use crate::starlevel::{AirClass, Parameter, StationReport};

pub(super) fn environment(report: &Report) -> Markup {
    let Some(found) = &report.assessment.environment else { return html! {} };
    let told = |station: &&StationReport| station.day.is_some() || !station.unusable.is_empty();
    let silent: Vec<&str> =
        found.stations.iter().filter(|s| !told(s)).map(|s| s.name.as_str()).collect();
    html! {
        (heading("环境监测（参考值）", "Environment (reference values)"))
        p { (both(&found.banner)) }
        @if let Some(note) = &found.noise_note { p { (both(note)) } }
        @for station in found.stations.iter().filter(told) { (card(station)) }
        @if !silent.is_empty() {
            p.key { "尚无整日的值 no day has ended yet: " (silent.join("、")) }
        }
        @if found.more_stations > 0 {
            p.key { "另有 " (found.more_stations) " 个站点 and " (found.more_stations) " more stations" }
        }
    }
}

fn card(station: &StationReport) -> Markup {
    html! {
        section.keep {
            h3 { (station.name) }
            @for why in &station.unusable { p { "✗ " (both(why)) } }
            @if let Some(day) = &station.day { (values(day)) }
        }
    }
}

fn values(day: &EnvironmentDay) -> Markup {
    let air = &day.air;
    html! {
        p {
            (day.day)
            @if let Some(edition) = &air.edition {
                " · AQI " b { @match air.aqi { Some(aqi) => (aqi), None => "NA" } }
                @if let Some(class) = air.aqi.and_then(AirClass::of) {
                    " " (class.name.zh) "（" (class.colour.zh) "）" (class.name.en)
                }
                " · " (edition)
            }
        }
        table {
            thead { tr {
                th { "参数" span.en { "Parameter" } } th.n { "日值 day" } th.n { "IAQI" }
                th.n { "有效小时 valid hours" }
            } }
            @for value in &air.values {
                @let known = Parameter::ALL.into_iter().find(|known| known.word() == value.point);
                tr {
                    td { @match known { Some(known) => (both(&known.names())), None => (value.point) } }
                    td.n {
                        @match (value.value, known) {
                            (Some(number), Some(known)) => {
                                (format!("{number:.*}", usize::from(known.decimals()))) " " (known.sign())
                            }
                            (Some(number), None) => { (number) " " (value.unit) }
                            (None, _) => "无效 not valid",
                        }
                    }
                    td.n { @match value.iaqi { Some(iaqi) => (iaqi), None => "—" } }
                    td.n { (value.sampled) " / 24" }
                }
            }
        }
        @if let Some(noise) = &day.noise { (levels(noise)) }
    }
}

fn levels(noise: &NoiseLevels) -> Markup {
    let part = |level: Option<f64>, limit: Option<u8>| {
        let Some(level) = level else { return "数据不足 too few data".to_owned() };
        match limit {
            Some(limit) => format!("{level:.1} dB（限值 limit {limit} dB）"),
            None => format!("{level:.1} dB（未判定 not judged）"),
        }
    };
    html! {
        p {
            "噪声 Noise · 昼间 day Ld " (part(noise.day_db, noise.day_limit_db))
            " · " (noise.night) " 起夜间 night Ln " (part(noise.night_db, noise.night_limit_db))
        }
    }
}
