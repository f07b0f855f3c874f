//! What happened: events travel in the urgent lane, readings in the telemetry lane.

use serde::{Deserialize, Serialize};

use super::{
    AlarmChange, Batch, BusId, Cause, CommandReport, DeviceId, Diagnosis, EnvironmentDay,
    EnvironmentHour, EstateRisk, Health, Moment, Promise, Reason, RiskCause, RiskGrade, Seq,
    WarningNews,
};

/// Something that happened, told to the platform once (at least).
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// When it was noticed.
    pub at: Moment,
    /// Whom it concerns; `None` for the gateway itself.
    pub device: Option<DeviceId>,
    /// What happened.
    pub kind: EventKind,
}

/// What happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum EventKind {
    /// The daemon started.
    GatewayStarted {
        /// Its version.
        version: String,
    },
    /// A changed configuration was applied while the gateway went on.
    ConfigurationApplied {
        /// What changed, English.
        changes: Vec<String>,
        /// The same, Chinese.
        changes_zh: Vec<String>,
    },
    /// A changed configuration was not applied; the one before goes on.
    ConfigurationRefused {
        /// What is wrong, English: the first faults.
        faults: Vec<String>,
        /// The same, Chinese.
        faults_zh: Vec<String>,
        /// How many faults there are.
        count: usize,
    },
    /// The gateway cannot keep one of its promises for the time being. The event's moment is when
    /// that began.
    PromiseBroken {
        /// Which one.
        promise: Promise,
        /// Why, English.
        why: String,
        /// The same, Chinese.
        why_zh: String,
    },
    /// The gateway keeps that promise again.
    PromiseKept {
        /// Which one.
        promise: Promise,
        /// How long it was broken, milliseconds; absent when that began in an earlier run.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        broken_ms: Option<u64>,
    },
    /// A certificate expires soon or has expired: told once a day until it is renewed.
    CertificateExpires {
        /// What it is for, e.g. `uplink.cert_file`.
        what: String,
        /// Its file, or who presented it.
        source: String,
        /// When it expires, milliseconds since 1970.
        expires_ms: i64,
        /// Whole days left; negative when it has expired.
        days: i64,
    },
    /// An upgrade of the gateway's program ended; once for each.
    UpgradeEnded {
        /// How: `installed`, the new version runs; `withdrawn`, it failed its trial and the old one
        /// runs on; `returned`, the version before was put back.
        outcome: String,
        /// Version before.
        from: String,
        /// Version that was wanted.
        to: String,
        /// When, milliseconds since 1970, by the system's clock.
        ended_ms: i64,
        /// Why it did not end as wanted, English; absent when it did.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why: Option<String>,
        /// The same, Chinese.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        why_zh: Option<String>,
    },
    /// A device's health changed.
    DeviceHealth {
        /// Before.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        from: Health,
        /// Now.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        to: Health,
        /// Why, unless online: `code` and, for some, `detail`.
        #[cfg_attr(feature = "schema", schemars(with = "Option<serde_json::Value>"))]
        cause: Option<Cause>,
    },
    /// A counter ran backwards or jumped, also when read again; the value is held back.
    CounterSuspect {
        /// The point.
        point: String,
        /// The last value that was believed.
        previous: f64,
        /// The value that was read.
        value: f64,
        /// Which rule it breaks.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        reason: Reason,
    },
    /// A suspect counter was believed again: it went on from the value before.
    CounterRecovered {
        /// The point.
        point: String,
        /// The value now.
        value: f64,
    },
    /// A person recorded that the meter was exchanged: counting starts anew.
    MeterExchanged {
        /// The point.
        point: String,
        /// Last value of the old meter.
        previous: f64,
        /// First value of the new meter.
        value: f64,
        /// Who recorded it.
        by: String,
    },
    /// A person attested something for the star level, on the gateway's page.
    Attested {
        /// About what: `inventory/water_meter`, `security_grading`.
        what: String,
        /// What was said, English.
        said: String,
        /// The same, Chinese.
        said_zh: String,
        /// Who says so.
        by: String,
        /// The last day on which it holds, `2026-05-01`.
        until: String,
    },
    /// A person withdrew what was attested on the page.
    AttestationWithdrawn {
        /// About what.
        what: String,
        /// Who withdrew it.
        by: String,
    },
    /// A command was accepted, or came to its end. The event's device is the one that was named.
    Command(CommandReport),
    /// Too many logins at the gateway's page failed: further ones are locked for some time. Told at
    /// most once a minute.
    LoginLocked {
        /// Whose name was used; absent when no user is called so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        user: Option<String>,
        /// From which address.
        from: String,
        /// How many failed in a row.
        failures: u32,
        /// For how long it is locked, seconds.
        seconds: u64,
    },
    /// A device's message was refused.
    PayloadRejected {
        /// Where it came from: the topic.
        topic: String,
        /// What is wrong with it.
        fault: String,
    },
    /// Blocks were deleted before the platform had them.
    BlocksEvicted {
        /// First block of the range.
        from: Seq,
        /// Last block of the range, inclusive.
        to: Seq,
        /// How many blocks of the range were deleted.
        blocks: u64,
        /// How many readings they held.
        readings: u64,
        /// Why: `budget`, `disk_full` or `damaged`.
        reason: String,
    },
    /// The buffer was full: the oldest blocks of readings were replaced by fewer, thinned ones. Of
    /// each point and quarter hour the first, the last, the lowest and the highest reading are
    /// left, of a counter the last of each hour. The platform may have some of the replaced
    /// blocks; then it meets their readings again, at the same moments.
    ReadingsThinned {
        /// First block that was replaced.
        from: Seq,
        /// Last block that was replaced, inclusive.
        to: Seq,
        /// The replaced blocks as ranges, first and last inclusive.
        ranges: Vec<(Seq, Seq)>,
        /// How many blocks were replaced.
        blocks: u64,
        /// How many readings they held.
        readings: u64,
        /// The first thinned block.
        into_from: Seq,
        /// The last thinned block, inclusive; all between are thinned ones of the same replacement.
        into_to: Seq,
        /// How many readings are left in them.
        readings_left: u64,
        /// By which rule, the same as in the thinned documents: `quarter_hour`.
        method: String,
    },
    /// After a power cut the buffer does not know whether the last positions before it were used:
    /// these are skipped, so that none is given twice. Blocks that lay there are lost, if there
    /// were any.
    PositionsSkipped {
        /// First position of the range.
        from: Seq,
        /// Last position of the range, inclusive.
        to: Seq,
    },
    /// The time between two group commits changed: it is longer while more is written than the
    /// medium bears over the years that it is to last.
    CommitIntervalChanged {
        /// Now, milliseconds: what a power cut loses of readings at most.
        tick_ms: u64,
        /// Before, milliseconds.
        before_ms: u64,
        /// Bytes that the daemon writes a day, at the pace of the last hour.
        bytes_per_day: u64,
        /// Bytes a day that the medium bears.
        budget_per_day: u64,
    },
    /// The buffer had to be set aside and a new epoch begun.
    BufferReplaced {
        /// Where the old one lies.
        set_aside: String,
        /// Why.
        reason: String,
    },
    /// The wall clock became trusted, or jumped.
    ClockCorrected {
        /// New wall time less the old one, milliseconds.
        step_ms: i64,
        /// What gave the time: `ntp`, `platform`, `system`, `meter <device>`.
        source: String,
    },
    /// The clock became trusted, lost its source, or is not trusted any more.
    ClockState {
        /// Before: `untrusted`, `synchronised`, `holdover`.
        from: String,
        /// Now.
        to: String,
        /// What gave the time, or gave it last.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        source: Option<String>,
        /// How far from the true time the clock may be, milliseconds; absent when it is not
        /// trusted.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        uncertainty_ms: Option<u64>,
    },
    /// A source of time says something else than the one that is followed.
    ClockDisagreement {
        /// Which source is not followed.
        source: String,
        /// Which one is.
        follows: String,
        /// Its time less the time that is followed, milliseconds.
        difference_ms: i64,
        /// The difference is this many whole hours: a clock set to another time zone.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        whole_hours: Option<i64>,
    },
    /// A source of time says something that cannot be: a time before this version was made, or
    /// before what was known already. It is not believed.
    ClockRefused {
        /// Which source.
        source: String,
        /// What it says, milliseconds since 1970.
        said_ms: i64,
        /// The earliest time that is believed, milliseconds since 1970.
        not_before_ms: i64,
    },
    /// The clock of a meter is off by more than the rule pack allows; told at most once a day.
    MeterClockOff {
        /// Its clock less the gateway's, seconds.
        offset_s: i64,
        /// What is allowed, either way, seconds.
        limit_s: i64,
    },
    /// The hourly values of a station that measures the environment. The event's moment is the end
    /// of the hour; where the gateway started later, its start.
    EnvironmentHour(EnvironmentHour),
    /// The daily values of such a station, once after midnight. The event's moment is midnight.
    EnvironmentDay(EnvironmentDay),
    /// The wiring doctor found a fault of a bus, or found it gone.
    WiringFinding {
        /// The bus.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        bus: BusId,
        /// What it is, e.g. `device_silent`.
        #[cfg_attr(feature = "schema", schemars(with = "String"))]
        diagnosis: Diagnosis,
        /// Whom it concerns; empty for the whole line.
        #[cfg_attr(feature = "schema", schemars(with = "Vec<String>"))]
        devices: Vec<DeviceId>,
        /// What was seen, with its figures, English.
        seen: String,
        /// The same, Chinese.
        seen_zh: String,
        /// The next thing to check, English.
        check: String,
        /// The same, Chinese.
        check_zh: String,
        /// Whether the fault is gone; then the texts are those that it had last.
        over: bool,
    },
    /// The equipment-risk grade of a device rose to medium or worse, or fell back to low; or, with
    /// `estate`, the grade of the whole estate: every day, and when very many devices changed.
    RiskGrade {
        /// The grade now.
        grade: RiskGrade,
        /// The grade before; absent for the first.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        before: Option<RiskGrade>,
        /// Why, the weightiest first.
        causes: Vec<RiskCause>,
        /// The whole estate; absent for one device.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        estate: Option<EstateRisk>,
    },
    /// An alarm was raised, or something happened to one.
    Alarm(Box<AlarmChange>),
    /// A charging session ended. What could not be seen is absent.
    ChargeOrder {
        /// The connector's number; absent where the charger has one connector without a number.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        connector: Option<u32>,
        /// When it began, milliseconds since 1970, to within one look at the charger.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        start_ms: Option<i64>,
        /// When it ended, as the begin.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        end_ms: Option<i64>,
        /// Energy charged, kWh.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        energy_kwh: Option<f64>,
        /// Why it ended: what the charger says, or `fault` when its connector went to that state.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop_reason: Option<String>,
        /// What the state after it suggests, e.g. `unplugged`: no statement of the charger.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stop_inferred: Option<String>,
        /// Begin, end, energy and reason are all there.
        complete: bool,
    },
    /// Something happened to a warning of the emergency broadcast.
    Warning(Box<WarningNews>),
}

/// What the buffer stores.
#[derive(Debug)]
pub enum Record {
    /// Readings: telemetry lane.
    Readings(Batch),
    /// An event: urgent lane.
    Event(Event),
}
