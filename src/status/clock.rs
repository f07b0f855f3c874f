//! The clock in words: what is wrong with it, who gives the time.

use super::trouble::{Severity, Trouble};
use super::view::View;
use crate::clock::{ClockStatus, Disagreement, Source, TrustState};
use crate::model::DeviceId;
use crate::starlevel::{Bilingual, METER_CLOCK_S};

/// Who gives the time.
pub(super) fn source(source: &Source) -> Bilingual {
    match source {
        Source::Ntp => Bilingual::new("网络校时（NTP）", "network time (NTP)"),
        Source::Platform => Bilingual::new("上级平台", "the platform"),
        Source::System => Bilingual::new("系统时钟", "the system's clock"),
        Source::Meter(device) => {
            Bilingual::new(format!("电表 {device}"), format!("meter {device}"))
        }
    }
}

/// How far the clock is trusted.
pub(super) fn state(state: TrustState) -> Bilingual {
    match state {
        TrustState::Untrusted => Bilingual::new("未校时", "Not trusted yet"),
        TrustState::Synchronised => Bilingual::new("已同步", "Synchronised"),
        TrustState::Holdover => Bilingual::new("守时（时间源已失去）", "Holdover (source lost)"),
    }
}

/// `+3.2 s` of a span in milliseconds.
pub(super) fn signed(ms: i64) -> String {
    let (sign, ms) = (if ms < 0 { "-" } else { "+" }, ms.unsigned_abs());
    match ms {
        0..1000 => format!("{sign}{ms} ms"),
        1000..600_000 => format!("{sign}{}.{} s", ms / 1000, ms % 1000 / 100),
        600_000..7_200_000 => format!("{sign}{} min", ms / 60_000),
        7_200_000..172_800_000 => {
            format!("{sign}{}.{} h", ms / 3_600_000, ms % 3_600_000 / 360_000)
        }
        _ => format!("{sign}{} d", ms / 86_400_000),
    }
}

/// What a source says that is not followed.
pub(super) fn disagreement(found: &Disagreement) -> Bilingual {
    let (source, follows) = (source(&found.source), source(&found.follows));
    let by = signed(found.difference_ms);
    let (zh, en) = match found.whole_hours {
        Some(hours) => (
            format!("；恰为 {hours} 个整小时，很可能时区设错"),
            format!("; exactly {hours} whole hours: its time zone is probably set wrong"),
        ),
        None => (String::new(), String::new()),
    };
    Bilingual::new(
        format!("{} 与 {} 相差 {by}{zh}", source.zh, follows.zh),
        format!("{} differs from {} by {by}{en}", source.en, follows.en),
    )
}

fn trouble(title: Bilingual, cause: Bilingual, advice: Bilingual, severity: Severity) -> Trouble {
    Trouble { severity, title, cause, advice, since: None, link: "/settings#clock".into() }
}

/// What is wrong with the time.
pub(super) fn troubles(view: &View, list: &mut Vec<Trouble>) {
    let status = view.clock.status();
    list.extend(state_trouble(view, &status));
    for found in &status.disagreements {
        list.push(trouble(
            Bilingual::new("时间源不一致", "Two sources of time disagree"),
            disagreement(found),
            Bilingual::new(
                format!("目前采用{}；请校正另一个", source(&found.follows).zh),
                format!("{} is followed; set the other one right", source(&found.follows).en),
            ),
            Severity::Notice,
        ));
    }
    for (device, offset_s) in meters_off(view) {
        let off = signed(offset_s.saturating_mul(1000));
        list.push(Trouble {
            link: format!("/devices/{device}"),
            ..trouble(
                Bilingual::new(
                    format!("电表 {device} 的时钟不准"),
                    format!("The clock of meter {device} is off"),
                ),
                Bilingual::new(format!("与网关相差 {off}"), format!("{off} against the gateway")),
                Bilingual::new(
                    "可为总线配置 `time_sync` 广播校时；超过 5 分钟的须由供电单位现场校时",
                    "`time_sync` of its bus sets it by broadcast; more than 5 minutes take a visit",
                ),
                Severity::Notice,
            )
        });
    }
}

/// Meters whose clock is off by more than check T2 allows.
fn meters_off(view: &View) -> Vec<(DeviceId, i64)> {
    let seen = |id: &DeviceId| view.clock.meter(id).and_then(|seen| seen.offset_s);
    let devices = view.estate.indexed().map(|(_, device)| device.id.clone());
    devices
        .filter_map(|id| seen(&id).map(|offset| (id, offset)))
        .filter(|(_, offset)| offset.unsigned_abs() > METER_CLOCK_S)
        .collect()
}

fn state_trouble(view: &View, status: &ClockStatus) -> Option<Trouble> {
    if let Some(refused) = status.refused.first()
        && status.state != TrustState::Synchronised
    {
        let name = source(refused);
        return Some(trouble(
            Bilingual::new("时钟不可信", "The clock is not trusted"),
            Bilingual::new(
                format!("{}给出的时间早于已知的时间，不予采信", name.zh),
                format!("{} shows a time before what is known already; not believed", name.en),
            ),
            Bilingual::new(
                "请检查时钟电池与 NTP；读数照常保存，校时后自动补正",
                "check the clock's battery and NTP; readings are kept and stamped right afterwards",
            ),
            Severity::Notice,
        ));
    }
    match status.state {
        TrustState::Synchronised => None,
        TrustState::Untrusted => Some(trouble(
            Bilingual::new("时钟未校时", "The clock is not trusted yet"),
            Bilingual::new("尚无时间源确认", "no time service has confirmed it"),
            Bilingual::new(
                "读数照常保存，校时后自动补正时间；请检查 NTP",
                "readings are kept and stamped right afterwards; check NTP",
            ),
            Severity::Notice,
        )),
        TrustState::Holdover => {
            let within = signed(i64::try_from(status.uncertainty_ms?).unwrap_or(i64::MAX));
            let within = within.trim_start_matches('+');
            Some(Trouble {
                since: status.synchronised_at.filter(|at| *at >= view.started),
                ..trouble(
                    Bilingual::new("时间源已失去", "The source of time is lost"),
                    Bilingual::new(
                        format!("时钟靠自身走时，误差不超过 {within}"),
                        format!("the clock goes on by itself, to within {within}"),
                    ),
                    Bilingual::new("请检查 NTP 或网络", "check NTP or the network"),
                    Severity::Notice,
                )
            })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_time_zone_is_called_that_in_both_languages() {
        let found = Disagreement {
            source: Source::System,
            follows: Source::Platform,
            difference_ms: 28_800_300,
            whole_hours: Some(8),
        };
        let words = disagreement(&found);
        assert!(words.en.contains("+8.0 h") && words.en.contains("time zone"), "{}", words.en);
        assert!(words.zh.contains("时区") && words.zh.contains("上级平台"), "{}", words.zh);
        let other = Disagreement { difference_ms: -4_200, whole_hours: None, ..found };
        assert!(!disagreement(&other).en.contains("zone"));
        assert!(disagreement(&other).en.contains("-4.2 s"));
    }

    #[test]
    fn spans_are_shown_in_the_unit_that_fits() {
        let shown = [-7, 12_345, 600_000, 7_200_000, -172_800_000].map(signed);
        assert_eq!(shown, ["-7 ms", "+12.3 s", "+10 min", "+2.0 h", "-2 d"]);
    }
}
