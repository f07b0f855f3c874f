//! What a block holds, as far as the star level counts it: how many records, since when, and which
//! of them a check asks for by name.

use std::time::Duration;

use serde::Deserialize;

use crate::clock::Clock;
use crate::model::{
    Batch, BootId, Category, Delivered, Estate, EstateRisk, EventDocument, EventKind, Moment,
    PointIndex, TimeBase, TimeTrust, Value, WallTime,
};

use super::block::{Lane, boot_tag, parse, parse_key};
use super::sealer::unpack;

const HOUR_MS: i64 = 3_600_000;
/// No block is filled for longer: a power cut may not lose more.
const LONGEST_FILL_MS: u64 = 60_000;
/// Last part of the name of a point that tells a connector's status.
pub(super) const CONNECTOR_STATUS: &str = "connectorStatus";

/// What the evidence counts beside "an event", and for how long it was due already when the event
/// was noticed. `noticed` is the wall time of the event, when known.
///
/// Every kind of event is named here, so that a new one is thought about.
fn told(kind: &EventKind, noticed: Option<WallTime>) -> Option<(Delivered, Duration)> {
    match kind {
        EventKind::EnvironmentHour(hour) => {
            Some((Delivered::EnvironmentHour, overdue(noticed, hour.hour_ms + HOUR_MS)))
        }
        // The daily one of the estate.
        EventKind::RiskGrade { estate: Some(EstateRisk { day: Some(_), .. }), .. } => {
            Some((Delivered::RiskGrade, Duration::ZERO))
        }
        EventKind::ChargeOrder { complete, .. } => {
            Some((Delivered::ChargeOrder { complete: *complete }, Duration::ZERO))
        }
        EventKind::RiskGrade { .. }
        | EventKind::GatewayStarted { .. }
        | EventKind::ConfigurationApplied { .. }
        | EventKind::ConfigurationRefused { .. }
        | EventKind::PromiseBroken { .. }
        | EventKind::PromiseKept { .. }
        | EventKind::CertificateExpires { .. }
        | EventKind::UpgradeEnded { .. }
        | EventKind::DeviceHealth { .. }
        | EventKind::CounterSuspect { .. }
        | EventKind::CounterRecovered { .. }
        | EventKind::MeterExchanged { .. }
        | EventKind::PayloadRejected { .. }
        | EventKind::BlocksEvicted { .. }
        | EventKind::ReadingsThinned { .. }
        | EventKind::PositionsSkipped { .. }
        | EventKind::CommitIntervalChanged { .. }
        | EventKind::BufferReplaced { .. }
        | EventKind::ClockCorrected { .. }
        | EventKind::ClockState { .. }
        | EventKind::ClockDisagreement { .. }
        | EventKind::ClockRefused { .. }
        | EventKind::MeterClockOff { .. }
        | EventKind::EnvironmentDay(_)
        | EventKind::LoginLocked { .. }
        | EventKind::Warning(_)
        | EventKind::Command(_)
        | EventKind::Attested { .. }
        | EventKind::AttestationWithdrawn { .. }
        | EventKind::WiringFinding { .. }
        | EventKind::Alarm(_) => None,
    }
}

/// Since when something is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// On the monotonic clock of this boot.
    Boot(Moment),
    /// On the wall clock, milliseconds since 1970.
    Wall(i64),
    /// Not known: read in an earlier boot without a trusted clock.
    Unknown,
}

/// Records of a block that a check asks for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Special {
    pub what: Delivered,
    pub count: u32,
    /// For how long they were due already at the block's oldest moment.
    pub due: Duration,
}

/// A document without its readings.
#[derive(Deserialize)]
struct Head {
    time: TimeBase,
    #[serde(default)]
    events: Vec<EventDocument>,
}

/// What a block holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Contents {
    pub lane: Lane,
    /// Its oldest record.
    pub oldest: Since,
    /// When it was cut, if that was in this boot.
    pub created: Option<Moment>,
    /// Readings, or events that were noticed.
    pub count: u32,
    /// Empty for most blocks.
    pub special: Vec<Special>,
}

impl Contents {
    pub fn readings(base: Moment, created: Moment, count: u32, changes: u16) -> Self {
        let mut contents = Self {
            lane: Lane::Telemetry,
            oldest: Since::Boot(base),
            created: Some(created),
            count,
            special: Vec::new(),
        };
        contents.add_changes(changes.into());
        contents
    }

    pub fn events(base: Moment, created: Moment, count: u32, special: Vec<Special>) -> Self {
        let (lane, oldest) = (Lane::Urgent, Since::Boot(base));
        Self { lane, oldest, created: Some(created), count, special }
    }

    /// Of a block that cannot be read: what its header claims; how many events nobody knows.
    pub fn damaged(lane: Lane, readings: u64) -> Self {
        let count = match lane {
            Lane::Urgent => 1,
            Lane::Telemetry => u32::try_from(readings).unwrap_or(u32::MAX),
        };
        Self { lane, oldest: Since::Unknown, created: None, count, special: Vec::new() }
    }

    /// Of blocks of readings, of which nothing counts.
    pub fn nothing(created: Option<Moment>) -> Self {
        let (lane, oldest) = (Lane::Telemetry, Since::Unknown);
        Self { lane, oldest, created, count: 0, special: Vec::new() }
    }

    /// Counts readings, and changes of a connector's status among them.
    pub fn count_readings(&mut self, readings: u64, changes: u64) {
        self.count = u32::try_from(readings).unwrap_or(u32::MAX);
        self.add_changes(u32::try_from(changes).unwrap_or(u32::MAX));
    }

    /// Changes of a connector's status.
    pub fn changes(&self) -> u64 {
        let changes = self.special.iter().filter(|s| s.what == Delivered::ConnectorStatus);
        changes.map(|special| u64::from(special.count)).sum()
    }

    fn add_changes(&mut self, changes: u32) {
        if changes > 0 {
            let what = Delivered::ConnectorStatus;
            self.special.push(Special { what, count: changes, due: Duration::ZERO });
        }
    }

    /// From a stored block, also one of an earlier run, with its times. `None` when the block is
    /// damaged.
    pub fn read(key: &[u8], value: &[u8], boot: &BootId) -> Option<Self> {
        Self::parse(key, value, boot, true)
    }

    /// The same without the times of readings, which takes no unpacking.
    pub fn counts(key: &[u8], value: &[u8], boot: &BootId) -> Option<Self> {
        Self::parse(key, value, boot, false)
    }

    /// With the moment of its oldest record in place of its wall time, when the block was cut in
    /// this boot. A wall clock that was corrected since says something else than then: in that case
    /// the moment of the cut stands for it.
    pub fn by_boot(self, clock: &Clock) -> Self {
        let (Since::Wall(wall), Some(created)) = (self.oldest, self.created) else { return self };
        let behind = clock.best_wall(created).unix_ms.saturating_sub(wall);
        let behind = u64::try_from(behind).ok().filter(|ms| *ms <= LONGEST_FILL_MS);
        let boot_ms = created.boot_ms.saturating_sub(behind.unwrap_or(0));
        Self { oldest: Since::Boot(Moment { boot_ms }), ..self }
    }

    fn parse(key: &[u8], value: &[u8], boot: &BootId, times: bool) -> Option<Self> {
        let (lane, _) = parse_key(key)?;
        let (header, payload) = parse(key, value).ok()?;
        let created = (header.boot == boot_tag(boot)).then_some(header.created);
        let mut contents = Self {
            lane,
            oldest: Since::Unknown,
            created,
            count: header.readings.into(),
            special: Vec::new(),
        };
        contents.add_changes(header.changes.into());
        if header.told {
            // What is left of blocks that were told as lost is not told again.
            (contents.count, contents.special) = (0, Vec::new());
        }
        if lane == Lane::Telemetry && !times {
            return Some(contents);
        }
        let document = unpack(payload).ok();
        let document = document.and_then(|json| serde_json::from_slice::<Head>(&json).ok());
        let Some(document) = document else { return Some(contents) };
        let base = document.time.base;
        contents.oldest = match document.time.trust {
            TimeTrust::Trusted | TimeTrust::Holdover => Since::Wall(base),
            TimeTrust::SinceBoot if document.time.boot.as_deref() == Some(&*boot.0) => {
                Since::Boot(Moment { boot_ms: u64::try_from(base).unwrap_or(0) })
            }
            TimeTrust::SinceBoot => Since::Unknown,
        };
        let trusted = document.time.trust != TimeTrust::SinceBoot;
        for event in &document.events {
            let noticed = trusted.then(|| WallTime { unix_ms: base.saturating_add(event.at) });
            note(&mut contents.special, &event.what, noticed);
        }
        if lane == Lane::Urgent {
            let noticed = document.events.iter().filter(|event| is_noticed(&event.what));
            contents.count = u32::try_from(noticed.count()).unwrap_or(u32::MAX);
        }
        Some(contents)
    }
}

/// Whether the moment of an event is when it was noticed: its delay counts (check A1). Values of the
/// environment carry the end of their hour or day instead, and are counted by themselves; a broken
/// promise carries its begin, and is told when it has lasted.
pub(super) fn is_noticed(kind: &EventKind) -> bool {
    !matches!(
        kind,
        EventKind::EnvironmentHour(_)
            | EventKind::EnvironmentDay(_)
            | EventKind::PromiseBroken { .. }
    )
}

/// Adds an event to the records that a check asks for, if one does.
pub(super) fn note(special: &mut Vec<Special>, kind: &EventKind, noticed: Option<WallTime>) {
    let Some((what, due)) = told(kind, noticed) else { return };
    match special.iter_mut().find(|other| other.what == what) {
        Some(other) => {
            other.count = other.count.saturating_add(1);
            other.due = other.due.max(due);
        }
        None => special.push(Special { what, count: 1, due }),
    }
}

/// How long something that ended at `end_ms` (wall) was due when it was noticed; not known, and so
/// never in time, without a trusted clock.
fn overdue(noticed: Option<WallTime>, end_ms: i64) -> Duration {
    noticed.map_or(Duration::MAX, |at| {
        Duration::from_millis(u64::try_from(at.unix_ms.saturating_sub(end_ms)).unwrap_or(0))
    })
}

/// Notices when the status of a charger's connector changes.
#[derive(Debug, Default)]
pub(super) struct StatusWatch(Vec<Option<Box<[Connector]>>>);

#[derive(Debug)]
struct Connector {
    point: PointIndex,
    /// The last good value; the first one is no change.
    last: Option<Value>,
}

impl StatusWatch {
    /// Looks for connectors once, so that other devices cost one look-up a batch.
    pub fn new(estate: &Estate) -> Self {
        let devices = estate.devices().iter().map(|device| {
            if device.category != Category::EvCharger {
                return None;
            }
            let named = |name: &str| name.rsplit('.').next() == Some(CONNECTOR_STATUS);
            let points = (0u16..).zip(device.points.iter()).filter(|(_, p)| named(&p.name));
            let found: Box<[Connector]> = points
                .map(|(index, _)| Connector { point: PointIndex(index), last: None })
                .collect();
            (!found.is_empty()).then_some(found)
        });
        Self(devices.collect())
    }

    /// How many connectors of the batch show another status than before.
    pub fn changes(&mut self, batch: &Batch) -> u16 {
        let Some(Some(connectors)) = self.0.get_mut(batch.device.slot()) else { return 0 };
        let mut changes = 0;
        for reading in batch.readings.iter().filter(|reading| reading.quality.is_good()) {
            let connector = connectors.iter_mut().find(|c| c.point == reading.point);
            if let (Some(connector), Some(value)) = (connector, &reading.value)
                && connector.last.as_ref() != Some(value)
            {
                let before = connector.last.replace(value.clone());
                changes += u16::from(before.is_some());
            }
        }
        changes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::EnvironmentHour;

    #[test]
    fn a_value_of_an_hour_is_no_event_that_was_noticed_late() {
        let hour = EventKind::EnvironmentHour(EnvironmentHour { hour_ms: 0, ..Default::default() });
        assert!(!is_noticed(&hour));
        let mut special = Vec::new();
        note(&mut special, &hour, Some(WallTime { unix_ms: HOUR_MS + 20_000 }));
        let due = Duration::from_secs(20);
        assert_eq!(special, [Special { what: Delivered::EnvironmentHour, count: 1, due }]);
        assert!(is_noticed(&EventKind::GatewayStarted { version: String::new() }));
    }

    #[test]
    fn an_hour_is_due_since_its_end_and_without_a_clock_never_in_time() {
        let at = |unix_ms| Some(WallTime { unix_ms });
        assert_eq!(overdue(at(7_200_500), 7_200_000), Duration::from_millis(500));
        assert_eq!(overdue(at(7_100_000), 7_200_000), Duration::ZERO);
        assert_eq!(overdue(None, 7_200_000), Duration::MAX);
    }
}
