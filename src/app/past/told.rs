//! What the parts of the daemon would have told in the made-up past: deliveries, alarms, drills,
//! clocks; and what people attested.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::Context as _;

use super::{DAY, HOUR, LOOK, NO_LINK, Past};
use crate::config::Settings;
use crate::model::{
    AlarmLife, BroadcastLife, BroadcastProof, Category, Delivered, Estate, Event, EventKind, Fact,
    FactKind, Moment, WallTime,
};
use crate::starlevel::{Attestation, RulePack, read_attestations};

/// Readings of one block.
const READINGS: u32 = 40;
/// An alarm every so many seconds; one in eleven is closed too late.
const ALARM_EVERY: u64 = 37 * HOUR;
/// A drill every so many seconds.
const DRILL_EVERY: u64 = 15 * DAY;
/// Chinese time, seconds ahead of universal time.
const ZONE: i64 = 8 * 3600;

impl Past<'_> {
    /// The facts of one look; `happened` are the engine's own events, which go to the platform.
    pub(super) fn told(
        &self,
        second: u64,
        now: Moment,
        happened: &[Event],
        estate: &Estate,
    ) -> Vec<Fact> {
        let mut facts = Vec::new();
        let outage = self.within(second, NO_LINK);
        if !outage {
            // What waited goes out at once when the link is back.
            let back = second > LOOK && self.within(second - LOOK, NO_LINK);
            let wait = if back { HOUR } else { 2 + second / LOOK % 4 };
            let after_outage = back.then(|| Duration::from_secs(5));
            facts.push(delivered(Delivered::Telemetry, wait, READINGS, after_outage));
            facts.extend(happened.iter().filter_map(of_event));
        }
        if second.is_multiple_of(HOUR) {
            facts.push(FactKind::GatewayClock { offset_ms: 12, source: "ntp".into() });
            facts.push(delivered(Delivered::Event, 1, 1, None));
            facts.push(FactKind::ScreenShown { after: Duration::from_secs(8) });
        }
        if second.is_multiple_of(DAY) {
            let meters = estate.devices().iter();
            let meters = meters.filter(|d| d.category == Category::ElectricityMeter);
            facts.extend(meters.enumerate().map(|(place, meter)| {
                let offset_s = i64::try_from(place).unwrap_or(0) * 7 - 20;
                FactKind::MeterClock { device: meter.id.clone(), offset_s }
            }));
        }
        if second.is_multiple_of(ALARM_EVERY) {
            facts.push(FactKind::Alarm(alarm(second / ALARM_EVERY)));
        }
        if second % DRILL_EVERY == 10 * HOUR {
            facts.extend(drill());
        }
        facts.into_iter().map(|kind| Fact { at: now, kind }).collect()
    }
}

fn delivered(what: Delivered, age: u64, count: u32, after_outage: Option<Duration>) -> FactKind {
    FactKind::Delivered { what, age: Duration::from_secs(age), count, after_outage }
}

/// What the platform's acknowledgement of such an event tells.
fn of_event(event: &Event) -> Option<FactKind> {
    match &event.kind {
        EventKind::EnvironmentHour(_) => Some(delivered(Delivered::EnvironmentHour, 45, 1, None)),
        EventKind::RiskGrade { estate: Some(_), .. } => {
            Some(delivered(Delivered::RiskGrade, 3, 1, None))
        }
        EventKind::ChargeOrder { complete, .. } => {
            Some(delivered(Delivered::ChargeOrder { complete: *complete }, 3, 1, None))
        }
        _ => None,
    }
}

fn alarm(turn: u64) -> AlarmLife {
    let hours = |hours: u64| Duration::from_secs(hours * HOUR);
    let late = turn % 11 == 5;
    AlarmLife {
        id: format!("past-{turn}"),
        level: 3,
        age: hours(40),
        acknowledged_after: Some(Duration::from_secs(900)),
        closed_after: Some(hours(if late { 30 } else { 6 })),
        escalated_after: late.then(|| hours(24)),
    }
}

fn drill() -> [FactKind; 5] {
    let life = BroadcastLife {
        drill: true,
        started_after: Duration::from_secs(6),
        addressed: 4,
        acknowledged: 4,
        returned: true,
    };
    [
        FactKind::Broadcast(life),
        FactKind::BroadcastProof(BroadcastProof::PreEmption),
        FactKind::BroadcastProof(BroadcastProof::RefusedUnsigned),
        FactKind::BroadcastProof(BroadcastProof::RefusedExpired),
        FactKind::BroadcastProof(BroadcastProof::RefusedArea),
    ]
}

/// What a made-up person attested on the day of `at`: the inventory, one water meter more than is
/// connected, and how personal data are treated.
///
/// # Errors
/// The text is no attestations file.
pub fn attested(settings: &Settings, at: WallTime) -> anyhow::Result<Vec<Attestation>> {
    let seconds = at.unix_ms / 1000 + ZONE;
    let date = jiff::Timestamp::from_second(seconds).context("a date")?;
    let date = date.to_zoned(jiff::tz::TimeZone::UTC).date();
    let estate = settings.estate();
    let mut text =
        format!("[[inventory]]\nby = \"王工（演示）\"\non = \"{date}\"\n[inventory.devices]\n");
    for category in Category::ALL.iter().filter(|category| **category != Category::Other) {
        let devices = estate.devices().iter().filter(|d| d.category == *category).count();
        let more = usize::from(*category == Category::WaterMeter);
        writeln!(text, "{category} = {}", devices + more)?;
    }
    writeln!(text, "[[privacy]]\ndocument = \"演示文件\"\nby = \"王工（演示）\"\non = \"{date}\"")?;
    Ok(read_attestations("demo", &text, &RulePack::built_in())?)
}
