//! The made-up history of the demo: what its devices could have read in the weeks before they show
//! what they show now, so that the charts are full at once.

use std::collections::BTreeMap;
use std::f64::consts::TAU;
use std::sync::Arc;
use std::time::Duration;

use super::{DAY, HOUR, POWER_CUT};
use crate::clock::Clock;
use crate::config::Settings;
use crate::history::{BUCKET_S, History, OF_A_DAY, Slot, Turn};
use crate::model::{Device, DeviceIndex, Point, PointIndex, Quantity, WallTime};

/// What devices show now: numbers by device and point.
pub type Present = BTreeMap<String, Vec<(Arc<str>, f64)>>;

/// Days in which a counter came as far as it is.
const AGE_DAYS: f64 = 160.0;

/// Writes the history of the time before `until` into the folder of the settings. Blocks.
pub fn invent_history(settings: &Settings, span: Duration, until: WallTime, present: &Present) {
    let estate = Arc::new(settings.estate());
    let clock = Clock::of_boot(settings.clock.clone(), "past", 0);
    let folder = settings.history.folder(&settings.buffer.path);
    let (history, mut writer) = History::new(&settings.history, folder, Arc::clone(&estate), clock);
    let end = Slot::of(until);
    let kept = settings.history.keep.min(span).as_secs() / u64::from(BUCKET_S);
    let slots = u32::try_from(kept).unwrap_or(OF_A_DAY);
    for ago in (1..=slots).rev() {
        let slot = Slot(end.0.saturating_sub(ago));
        let seconds = u64::from(ago) * u64::from(BUCKET_S);
        if (POWER_CUT.1..POWER_CUT.0).contains(&seconds) {
            continue;
        }
        for (index, device) in estate.indexed() {
            if let Some(values) = present.get(device.id.as_str()) {
                tell(&history, index, device, values, slot, seconds);
            }
        }
        if seconds.is_multiple_of(HOUR) {
            writer.turn(Some(slot.begin()), Turn::Regular);
        }
    }
    writer.turn(None, Turn::Last);
}

/// Two readings of each point within five minutes.
fn tell(
    history: &History,
    index: DeviceIndex,
    device: &Device,
    values: &[(Arc<str>, f64)],
    slot: Slot,
    ago: u64,
) {
    for (point, place) in device.points.iter().zip(0u16..) {
        let Some((_, now)) = values.iter().find(|(name, _)| *name == point.name) else { continue };
        for part in 0..2u64 {
            let earlier = ago.saturating_sub(part * 120);
            let unix_ms = slot.begin().unix_ms + i64::try_from(part * 120_000).unwrap_or(0);
            let hour = hour(unix_ms);
            let value = value(point, *now, f64::from(index.0), earlier, hour);
            history.tell(index, PointIndex(place), WallTime { unix_ms }, value);
        }
    }
}

/// The hour of the day at +08:00.
fn hour(unix_ms: i64) -> f64 {
    let local = (unix_ms + 8 * 3_600_000).rem_euclid(86_400_000) / 1000;
    f64::from(u32::try_from(local).unwrap_or(0)) / 3600.0
}

/// What a point that is at `now` could have been `ago` seconds before.
#[expect(clippy::cast_precision_loss, reason = "some weeks of seconds fit 53 bits")]
fn value(point: &Point, now: f64, own: f64, ago: u64, hour: f64) -> f64 {
    let days = ago as f64 / DAY as f64;
    // Little in the night, most in the evening; it ends where the present begins.
    let day = (TAU * (hour - 13.0) / 24.0).sin();
    let week = (TAU * (days / 6.3 + own * 0.17)).sin();
    let ripple = (TAU * (days * 61.0 + own * 0.31)).sin() * 0.6 + (TAU * days * 173.0).sin() * 0.4;
    let settled = 1.0 - (-days * 12.0).exp();
    let moved = match point.quantity {
        // Slower in the night, and never backwards.
        Quantity::Counter => {
            return now * (1.0 - (days + 0.12 * (TAU * days).sin()) / AGE_DAYS).max(0.0);
        }
        Quantity::State => return state(point, now, own, days, hour),
        Quantity::Text => return now,
        // What is set and not measured.
        _ if ["limit", "setpoint"].iter().any(|word| point.name.to_lowercase().contains(word)) => {
            return now;
        }
        Quantity::Instantaneous => match point.unit.code() {
            "V" | "mV" => 0.008 * day + 0.006 * ripple,
            "Hz" => 0.0006 * ripple,
            "Cel" => 0.22 * day + 0.12 * week + 0.01 * ripple,
            "%" => 0.1 * day + 0.05 * week + 0.01 * ripple,
            "1" => 0.02 * ripple,
            _ => 0.35 * day + 0.12 * week + 0.08 * ripple,
        },
    };
    let value = now * (1.0 + moved * settled);
    point.range.map_or(value, |(low, high)| value.clamp(low, high))
}

/// What is at work changes by day; what is wrong or quiet stays as it is.
fn state(point: &Point, now: f64, own: f64, days: f64, hour: f64) -> f64 {
    let works = ["status", "state", "door", "presence"];
    let name = point.name.to_lowercase();
    if days < 0.02 || !works.iter().any(|word| name.ends_with(word)) || !(7.0..22.0).contains(&hour)
    {
        return now;
    }
    let turn = ((hour + own * 1.7) / 2.5).floor() as usize;
    match point.labels.get(turn % (point.labels.len() + 2)) {
        #[expect(clippy::cast_precision_loss, reason = "codes are small")]
        Some(label) => label.code as f64,
        None => now,
    }
}
