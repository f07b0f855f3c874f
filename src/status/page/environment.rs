//! The environment on the page of the stars: the last hour and the last day of each station.

use maud::{Markup, html};

use crate::model::{EnvironmentValue, EnvironmentValues, NoiseLevels};
use crate::starlevel::{AirClass, EnvironmentReport, Parameter, StationReport};
use crate::status::show;
use crate::status::text::Lang;

const HOUR_MS: i64 = 3_600_000;
/// So many plain stations stand open on the page.
const FEW: usize = 3;

/// The section; every index is named as a reference value.
pub(super) fn environment(lang: Lang, report: &EnvironmentReport) -> Markup {
    html! {
        h2 { (lang.pick("环境（参考值）", "Environment (reference values)")) }
        p.small.soft { (lang.of(&report.banner)) }
        @if let Some(note) = &report.noise_note { p.banner.warn { (lang.of(note)) } }
        @for station in report.stations.iter().filter(|s| is_rich(s)) { (card(lang, station)) }
        (plain(lang, &report.stations.iter().filter(|s| !is_rich(s)).collect::<Vec<_>>()))
        @if report.more_stations > 0 { p.soft { "+ " (report.more_stations) } }
    }
}

/// Air quality, noise, or something that somebody must mend.
fn is_rich(station: &StationReport) -> bool {
    let airs = [station.hour.as_ref().map(|h| &h.air), station.day.as_ref().map(|d| &d.air)];
    !station.unusable.is_empty()
        || airs.into_iter().flatten().any(|air| air.edition.is_some())
        || station.day.as_ref().is_some_and(|day| day.noise.is_some())
}

/// Stations of temperature and the like: many of them must not push the rest of the page away.
fn plain(lang: Lang, stations: &[&StationReport]) -> Markup {
    html! {
        @if stations.len() > FEW {
            details.next {
                summary { (lang.pick("其他站点", "Other stations")) " " (stations.len()) }
                @for station in stations { (card(lang, station)) }
            }
        } @else { @for station in stations { (card(lang, station)) } }
    }
}

fn card(lang: Lang, station: &StationReport) -> Markup {
    let hour = station.hour.as_ref();
    let day = station.day.as_ref();
    html! {
        h3.next { a href={ "/devices/" (station.device) } { (station.name) } }
        @for why in &station.unusable { p.banner.warn { (lang.of(why)) } }
        @if hour.is_none() && day.is_none() {
            p.soft { (lang.pick("尚无整小时的值", "no hour has ended yet")) }
        } @else {
            @if let Some(hour) = hour {
                p {
                    (lang.pick("小时", "Hour")) " " (show::date(hour.hour_ms)) " – "
                    (show::date(hour.hour_ms + HOUR_MS)) " " (index(lang, &hour.air))
                }
            }
            @if let Some(day) = day {
                p { (lang.pick("日", "Day")) " " (day.day) " " (index(lang, &day.air)) }
            }
            (values(lang, hour.map(|hour| &hour.air), day.map(|day| &day.air)))
            @if let Some(noise) = day.and_then(|day| day.noise.as_ref()) { (levels(lang, noise)) }
        }
    }
}

/// The AQI with its class in words; the colour is only beside them.
fn index(lang: Lang, air: &EnvironmentValues) -> Markup {
    let missing = air.missing.iter().map(|word| name(lang, word)).collect::<Vec<_>>();
    let separator = lang.pick("、", ", ");
    html! {
        @if air.edition.is_some() {
            " · AQI "
            @match air.aqi {
                Some(aqi) => { b.num { (aqi) } " " (class(lang, aqi)) }
                None => {
                    "NA" span.small.soft {
                        (lang.pick("（缺", " (without ")) (missing.join(separator))
                        (lang.pick("）", ")"))
                    }
                }
            }
            span.small.soft { " " (lang.pick("参考值", "reference value")) }
            @if !air.primary.is_empty() {
                span.small {
                    " · " (lang.pick("首要污染物 ", "primary pollutant "))
                    (air.primary.iter().map(|word| name(lang, word)).collect::<Vec<_>>().join(separator))
                }
            }
            @if let Some(edition) = &air.edition { span.small.soft { " · " (edition) } }
        }
    }
}

/// The class of an index: a swatch, and always the words.
fn class(lang: Lang, index: u16) -> Markup {
    html! {
        @if let Some(class) = AirClass::of(index) {
            // Colours are data: as an attribute of a drawing they are no style, which the CSP forbids.
            svg.swatch aria-hidden="true" { rect width="100%" height="100%" fill=(class.rgb) {} }
            " " (lang.pick(&class.name.zh, &class.name.en))
            span.small.soft { " " (lang.pick(&class.colour.zh, &class.colour.en)) }
        }
    }
}

fn values(lang: Lang, hour: Option<&EnvironmentValues>, day: Option<&EnvironmentValues>) -> Markup {
    let of = |values: Option<&EnvironmentValues>, parameter: Parameter| {
        values.and_then(|v| v.values.iter().find(|v| v.point == parameter.word())).cloned()
    };
    let (in_hour, in_day) = (lang.pick("小时值", "Hour"), lang.pick("日值", "Day"));
    html! {
        table {
            thead { tr {
                th { (lang.pick("参数", "Parameter")) } th { (in_hour) } th { (in_day) }
            } }
            tbody { @for parameter in Parameter::ALL {
                @let (short, long) = (of(hour, parameter), of(day, parameter));
                @if short.is_some() || long.is_some() { tr {
                    td.head { (name(lang, parameter.word())) }
                    td.num data-l=(in_hour) { (cell(lang, parameter, short.as_ref(), true)) }
                    td.num data-l=(in_day) { (cell(lang, parameter, long.as_ref(), false)) }
                } }
            } }
        }
    }
}

fn cell(lang: Lang, parameter: Parameter, value: Option<&EnvironmentValue>, hour: bool) -> Markup {
    let Some(value) = value else { return html! { "—" } };
    let sampled = value.sampled;
    let data = match hour {
        true => lang.pick(format!("{sampled}/60 分钟"), format!("{sampled}/60 min")),
        false => lang.pick(format!("{sampled}/24 小时"), format!("{sampled}/24 h")),
    };
    html! { div {
        @match value.value {
            Some(number) => {
                (format!("{number:.*}", usize::from(parameter.decimals()))) " " (parameter.sign())
            }
            None => (lang.pick("无效", "not valid")),
        }
        span.small.soft { " · " (data) }
        @if let Some(iaqi) = value.iaqi { div.small { "IAQI " (iaqi) " " (class(lang, iaqi)) } }
    } }
}

fn levels(lang: Lang, noise: &NoiseLevels) -> Markup {
    let part = |level: Option<f64>, hours: u8, limit: Option<u8>, over: Option<f64>| {
        let Some(level) = level else {
            return lang
                .pick(format!("数据不足（{hours} 小时）"), format!("too few data ({hours} h)"));
        };
        let judged = match (limit, over) {
            (Some(limit), Some(over)) if over > 0.0 => lang.pick(
                format!("，超出限值 {limit} dB 达 {over:.1} dB"),
                format!(", {over:.1} dB above the limit of {limit} dB"),
            ),
            (Some(limit), Some(_)) => lang.pick(
                format!("，不超过限值 {limit} dB"),
                format!(", within the limit of {limit} dB"),
            ),
            _ => lang.pick("，未判定".to_owned(), ", not judged".to_owned()),
        };
        format!("{level:.1} dB{judged}")
    };
    let day = part(noise.day_db, noise.day_hours, noise.day_limit_db, noise.day_over_db);
    let night = part(noise.night_db, noise.night_hours, noise.night_limit_db, noise.night_over_db);
    html! {
        p {
            (lang.pick("噪声", "Noise"))
            @if let Some(zone) = &noise.zone {
                span.soft { " GB 3096 " (lang.pick(format!("{zone} 类区"), format!("zone {zone}"))) }
            }
            (lang.colon())
            (lang.pick("昼间 Ld ", "day Ld ")) (day) (lang.pick("；", "; "))
            (noise.night) (lang.pick(" 起夜间 Ln ", " night Ln ")) (night)
        }
    }
}

fn name(lang: Lang, word: &str) -> String {
    let known = Parameter::ALL.into_iter().find(|parameter| parameter.word() == word);
    known.map_or_else(|| word.to_owned(), |parameter| lang.of(&parameter.names()).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EnvironmentDay, EnvironmentHour};
    use crate::starlevel::Bilingual;

    fn value(point: &str, value: Option<f64>, iaqi: Option<u16>) -> EnvironmentValue {
        let unit = "ug/m3".to_owned();
        EnvironmentValue { point: point.to_owned(), value, unit, sampled: 44, iaqi }
    }

    fn report() -> EnvironmentReport {
        let air = EnvironmentValues {
            values: vec![value("pm25", Some(61.0), Some(101)), value("pm10", None, None)],
            aqi: Some(101),
            primary: vec!["pm25".to_owned()],
            missing: vec!["pm10".to_owned()],
            edition: Some("HJ 633-2026".to_owned()),
            reference: true,
        };
        let noise = NoiseLevels {
            day_db: Some(57.0),
            day_hours: 16,
            day_over_db: Some(2.0),
            day_limit_db: Some(55),
            night: "2026-03-01".to_owned(),
            night_hours: 3,
            zone: Some("1".to_owned()),
            ..NoiseLevels::default()
        };
        let day = EnvironmentDay {
            day: "2026-03-02".to_owned(),
            air: EnvironmentValues { aqi: None, ..air.clone() },
            noise: Some(noise),
        };
        let station = StationReport {
            device: "s".to_owned(),
            name: "门口".to_owned(),
            hour: Some(EnvironmentHour { hour_ms: 1_772_294_400_000, air }),
            hour_class: None,
            day: Some(day),
            day_class: None,
            unusable: Vec::new(),
        };
        EnvironmentReport {
            banner: Bilingual::new("横幅", "banner"),
            noise_zone: None,
            noise_note: None,
            stations: vec![station],
            more_stations: 0,
        }
    }

    #[test]
    fn every_index_is_a_reference_value_and_its_class_stands_in_words_beside_the_colour() {
        let zh = environment(Lang::Zh, &report()).into_string();
        let en = environment(Lang::En, &report()).into_string();
        for (page, words) in [
            (&zh, ["参考值", "轻度污染", "橙色", "首要污染物", "（缺PM10）", "无效", "44/60 分钟"]),
            (
                &en,
                [
                    "reference value",
                    "lightly polluted",
                    "orange",
                    "primary pollutant",
                    "(without PM10)",
                    "not valid",
                    "44/60 min",
                ],
            ),
        ] {
            for word in words {
                assert!(page.contains(word), "{word}: {page}");
            }
            assert!(page.contains("fill=\"#FF7E00\"") && page.contains("AQI <b"));
        }
    }

    #[test]
    fn noise_says_by_how_much_it_is_above_its_limit_and_what_has_too_few_data() {
        let zh = environment(Lang::Zh, &report()).into_string();
        assert!(zh.contains("57.0 dB，超出限值 55 dB 达 2.0 dB"), "{zh}");
        let en = environment(Lang::En, &report()).into_string();
        assert!(
            en.contains("2.0 dB above the limit of 55 dB") && en.contains("too few data (3 h)")
        );
        assert!(en.contains("2026-03-01 night Ln"));
    }
}
