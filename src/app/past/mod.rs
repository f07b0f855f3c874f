//! A made-up past for the demo: the evidence of weeks that never were, written by the star level's
//! own engine, with what goes wrong in real weeks: a dead meter, a charger that sleeps at night, an
//! outage of the platform, a power cut.

mod charts;
mod told;

pub use charts::{Present, invent_history};
pub use told::attested;

use std::f64::consts::TAU;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;

use crate::config::Settings;
use crate::model::{
    Category, Device, DeviceIndex, Epoch, Estate, Health, Moment, PointIndex, Quality, Reading,
    Reason, Seq, Snapshot, Value, WallTime,
};
use crate::starlevel::{
    Attested, BufferSeen, Engine, EvidenceChain, GatewaySeen, LinkEvidence, RulePack,
};
use crate::store::{Limits, Store};

/// Seconds between two looks: no check asks for more.
const LOOK: u64 = 60;
const SELDOM: u64 = 300;
const HOUR: u64 = 3600;
const DAY: u64 = 86_400;
/// Every so many seconds the checks are assessed and noted.
const ASSESS: u64 = 6 * HOUR;
/// Hours that the demo's buffer holds.
const CAPACITY_HOURS: f64 = 210.0;

/// Spans of seconds before now, the earlier end first.
type Spans = &'static [(u64, u64)];

/// Without power.
const POWER_CUT: (u64, u64) = (20 * DAY + 5 * HOUR, 20 * DAY + 2 * HOUR);
/// The platform could not be reached.
const NO_LINK: Spans =
    &[(31 * DAY, 31 * DAY - 40 * 60), (12 * DAY + 9 * HOUR, 12 * DAY + 2 * HOUR)];
/// The first device of a category was silent.
const DEAD: &[(Category, Spans)] = &[
    (Category::WaterMeter, &[(16 * DAY, 12 * DAY)]),
    (Category::InfoScreen, &[(25 * DAY, 25 * DAY - 9 * HOUR)]),
    (Category::EnvironmentSensor, &[(9 * DAY, 9 * DAY - 5 * HOUR)]),
];

/// Writes the evidence of the days before `until` into the store of the settings, which must be
/// new.
///
/// # Errors
/// The store cannot be written.
pub fn invent(settings: &Settings, span: Duration, until: WallTime) -> anyhow::Result<()> {
    let length = span.as_secs() / LOOK * LOOK;
    let ago = |seconds: u64| length.saturating_sub(seconds);
    let cut = (ago(POWER_CUT.0), ago(POWER_CUT.1));
    let folder = &settings.buffer.path;
    let begin = until.unix_ms - i64::try_from(length * 1000).unwrap_or(i64::MAX);
    let mut past = Past { settings, begin, length, made: 0, delivered: 0, before: (0, 0) };
    for (from, to) in [(0, cut.0), (cut.1, length)] {
        if from < to {
            past.run(folder, from, to).context("the made-up past")?;
        }
    }
    Ok(())
}

struct Past<'a> {
    settings: &'a Settings,
    /// Wall milliseconds at second 0.
    begin: i64,
    /// Seconds.
    length: u64,
    /// Blocks.
    made: u64,
    delivered: u64,
    /// The same before the last start: the gateway counts from there.
    before: (u64, u64),
}

impl Past<'_> {
    /// The gateway from its start at a second until it stops.
    fn run(&mut self, folder: &Path, from: u64, to: u64) -> anyhow::Result<()> {
        let store = Store::open(folder, Limits::default())?;
        let estate = Arc::new(self.settings.estate());
        let moment = |second: u64| Moment { boot_ms: (second - from + 60) * 1000 };
        let snapshot = Snapshot::new(Arc::clone(&estate), moment(from));
        let pack = RulePack::built_in();
        let mut engine = Engine::new(pack, Arc::clone(&estate), moment(from));
        engine.set_season(self.settings.starlevel.heating_season);
        engine.keep(EvidenceChain::new(&store))?;
        engine.keep_effects(&store)?;
        engine.set_attested(Arc::new(Attested {
            file: told::attested(self.settings, self.wall(0))?,
            ..Attested::default()
        }));
        self.before = (self.made, self.delivered);
        let mut second = from;
        while second < to {
            second += LOOK;
            let now = moment(second);
            let wall = Some(self.wall(second));
            for (index, device) in estate.indexed() {
                self.read(&snapshot, index, device, second, now);
            }
            engine.observe(&snapshot, now, wall, &self.gateway(second));
            let happened = engine.take_events();
            for fact in self.told(second, now, &happened, &estate) {
                engine.take(fact, now, wall);
            }
            if second.is_multiple_of(ASSESS) {
                let assessment = engine.assess(&snapshot, &LinkEvidence::default(), now, wall);
                engine.note(&assessment, wall);
            }
            engine.save(now, second >= to)?;
        }
        store.commit()?;
        Ok(())
    }

    fn wall(&self, second: u64) -> WallTime {
        let ms = i64::try_from(second * 1000).unwrap_or(i64::MAX);
        WallTime { unix_ms: self.begin.saturating_add(ms) }
    }

    /// Whether a second lies in one of the spans before now.
    fn within(&self, second: u64, spans: Spans) -> bool {
        let ago = self.length - second;
        spans.iter().any(|(from, to)| *to <= ago && ago < *from)
    }

    /// One block a minute; what waits during an outage goes out after it.
    fn gateway(&mut self, second: u64) -> GatewaySeen {
        let link_up = !self.within(second, NO_LINK);
        self.made += 1;
        if link_up {
            self.delivered = self.made;
        }
        let waiting = self.made - self.delivered;
        GatewaySeen {
            link_up,
            acknowledged: self.delivered - self.before.1,
            buffer: Some(BufferSeen {
                epoch: Epoch(1),
                next: Seq(self.made + 1),
                oldest: (waiting > 0).then(|| Seq(self.delivered + 1)),
                blocks: waiting,
                lost: 0,
                readings: (self.made - self.before.0) * 40,
                capacity_hours: Some(CAPACITY_HOURS),
            }),
        }
    }

    /// Reads a device when its turn has come and it answers.
    fn read(
        &self,
        snapshot: &Snapshot,
        index: DeviceIndex,
        device: &Device,
        second: u64,
        now: Moment,
    ) {
        // What speaks up only when something changes speaks at least so often here.
        let every = (device.expected_every.as_secs().min(SELDOM) / LOOK).max(1);
        let turn = second / LOOK + u64::from(index.0);
        if !turn.is_multiple_of(every) || self.is_silent(snapshot.estate(), index, device, second) {
            return;
        }
        let hour = self.hour(second);
        snapshot.with(index, |state| {
            state.health = Health::Online;
            for (point, slot) in device.points.iter().zip(0u16..) {
                let value = value(&point.name, index.0, second, hour);
                let mut reading = Reading::good(PointIndex(slot), value);
                // Now and then a value is not plausible.
                if (turn + u64::from(slot)).is_multiple_of(997) {
                    reading.quality = Quality::Uncertain(Reason::OutOfRange);
                }
                state.apply(now, &reading);
            }
        });
    }

    fn is_silent(&self, estate: &Estate, index: DeviceIndex, device: &Device, second: u64) -> bool {
        let alike = estate.indexed().filter(|(_, other)| other.category == device.category);
        let place = alike.take_while(|(other, _)| *other != index).count();
        let dead = DEAD.iter().find(|(category, _)| *category == device.category && place == 0);
        // The second charger sleeps for a part of the night.
        let asleep = device.category == Category::EvCharger
            && place == 1
            && (2.0..3.5).contains(&self.hour(second));
        asleep || dead.is_some_and(|(_, spans)| self.within(second, spans))
    }

    /// The hour of the day in China, 0 to 24.
    fn hour(&self, second: u64) -> f64 {
        let ms = self.wall(second).unix_ms + 8 * 3_600_000;
        let seconds = u32::try_from(ms.rem_euclid(86_400_000) / 1000).unwrap_or(0);
        f64::from(seconds) / 3600.0
    }
}

/// A plausible value of a point: slow waves over the day and the week.
fn value(name: &str, device: u32, second: u64, hour: f64) -> Value {
    #[expect(clippy::cast_precision_loss, reason = "some weeks of seconds fit 53 bits")]
    let days = second as f64 / DAY as f64;
    let week = (TAU * (days / 6.3 + f64::from(device) * 0.17)).sin();
    let day = (TAU * (hour - 9.0) / 24.0).sin();
    let ripple = (TAU * days * 61.0).sin();
    // Cars charge for three hours in the evening.
    let plugged = hour - 18.0 - f64::from(device % 3);
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let number = match last.as_str() {
        "connectorstatus" => {
            if (0.0..3.0).contains(&plugged) {
                3.0
            } else {
                1.0
            }
        }
        "sessionenergy" => 7.0 * plugged.clamp(0.0, 3.0),
        "stopreason" => return Value::Text("full".into()),
        "pm25" => 42.0 + 26.0 * week + 9.0 * day + 3.0 * ripple,
        "pm10" => 68.0 + 34.0 * week + 14.0 * day + 5.0 * ripple,
        "laeq" => 47.0 + 6.5 * day + 1.5 * ripple,
        "temperature" => 12.0 + 5.0 * day + 3.0 * week,
        "relativehumidity" => 58.0 - 14.0 * day + 6.0 * week,
        _ => 100.0 + days + ripple,
    };
    Value::Number(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config;
    use crate::profile::Library;
    use crate::starlevel::report::{Form, Reporter, SigningKey};
    use crate::store::Store;

    #[test]
    fn a_day_with_a_restart_counts_no_reading_of_the_days_before_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[gateway]\nid = \"box\"\n";
        let mut settings = config::parse("linli.toml", text, &Library::built_in()).unwrap();
        settings.buffer.path = folder.path().join("buffer");
        // 2026-06-01T00:00 in Shanghai.
        let until = WallTime { unix_ms: 1_780_243_200_000 };
        invent(&settings, Duration::from_secs(25 * DAY), until).unwrap();
        let store = Store::open(&settings.buffer.path, Limits::default()).unwrap();
        let (pack, estate) = (RulePack::built_in(), Arc::new(settings.estate()));
        let key = SigningKey::beside(store.path());
        let evidence = EvidenceChain::new(&store);
        let now = Moment { boot_ms: 1000 };
        let mut engine = Engine::new(pack.clone(), Arc::clone(&estate), now);
        engine.keep(evidence.clone()).unwrap();
        let snapshot = Snapshot::new(Arc::clone(&estate), now);
        let result = engine.assess(&snapshot, &LinkEvidence::default(), now, Some(until));
        let reporter = Reporter::new(pack, estate, evidence, None, key);
        let file = reporter.make(&result, Form::Json, &[], Some(until)).unwrap();
        let file: serde_json::Value = serde_json::from_str(&file).unwrap();
        let days = file["report"]["days"].as_array().unwrap();
        assert!(days.len() > 20, "{}", days.len());
        for day in days {
            let [made, acknowledged, readings] =
                ["blocks_created", "blocks_acknowledged", "readings_stored"]
                    .map(|name| day[name].as_u64().unwrap());
            // A block a minute with forty readings, and what waited goes out the same day.
            assert!(made <= 1440 && acknowledged <= made + 60, "{day}");
            // The first look after a start only marks where the blocks stand.
            assert!(readings.abs_diff(40 * made) <= 40, "{day}");
        }
    }
}
