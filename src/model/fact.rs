//! Facts: what a part of the daemon tells the star level as evidence.
//!
//! A fact says what happened and how long it took; whether that is good enough is judged by the
//! rule pack. Durations are exact to the millisecond. [`Duration::MAX`] stands for "never" and for
//! "not known": it is above every threshold, so it counts and never passes.
//!
//! | fact | told by | checks |
//! | --- | --- | --- |
//! | [`Delivered`](FactKind::Delivered) | the buffer, when the platform acknowledged a block | Q5, Q6, A1, V1, E3, V2, R1 |
//! | [`Alarm`](FactKind::Alarm) | the register of alarms | A2, A3, A4 |
//! | [`Broadcast`](FactKind::Broadcast), [`BroadcastProof`](FactKind::BroadcastProof) | the emergency broadcast | B1 to B5 |
//! | [`ScreenShown`](FactKind::ScreenShown) | the information screens | S1 |
//! | [`GatewayClock`](FactKind::GatewayClock) | the watch over the clock | T1 |
//! | [`MeterClock`](FactKind::MeterClock) | drivers of meters whose clock can be read | T2 |

use std::time::Duration;

use super::{DeviceId, Moment};

/// Something that counts as evidence, told once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// When it was told; decides the day that it counts for.
    pub at: Moment,
    /// What it is.
    pub kind: FactKind,
}

/// What a fact says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FactKind {
    /// Records reached the platform: it acknowledged the block that holds them. Or they are
    /// lost: then with [`Duration::MAX`].
    Delivered {
        /// What they are.
        what: Delivered,
        /// From the oldest of them (as read, as noticed) to the acknowledgement.
        age: Duration,
        /// How many.
        count: u32,
        /// For records that were created while the link was down, or left by its breaking: how
        /// long the link had been up again when they were acknowledged.
        after_outage: Option<Duration>,
    },
    /// An alarm as it stands: told when it is raised, at each change, and at the start for those
    /// that are open. Telling it again changes nothing.
    Alarm(AlarmLife),
    /// A broadcast, drill or real: told once, when its record was returned to the platform above
    /// or that was given up.
    Broadcast(BroadcastLife),
    /// The broadcast did what a test wants to see.
    BroadcastProof(BroadcastProof),
    /// Content was published to a screen.
    ScreenShown {
        /// From the command to the screen's word that it shows it.
        after: Duration,
    },
    /// The gateway's clock was compared.
    GatewayClock {
        /// Clock less reference, milliseconds.
        offset_ms: i64,
        /// With what: `ntp`, `chrony`, a server's name.
        source: String,
    },
    /// A meter's clock was read.
    MeterClock {
        /// Which meter.
        device: DeviceId,
        /// Its clock less the gateway's, seconds.
        offset_s: i64,
    },
}

/// What was delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Delivered {
    /// Readings (check Q5, after an outage Q6). `age` counts from when they were taken.
    Telemetry,
    /// Events of the urgent lane (check A1, after an outage Q6); not the environment's values, whose
    /// moment is the end of their hour.
    Event,
    /// Changes of a charger's connector status; told beside the telemetry (check V1).
    ConnectorStatus,
    /// Hourly values of the environment; told beside the event, `age` counts from the event's
    /// moment, which is the end of the hour (check E3).
    EnvironmentHour,
    /// Daily risk grades; told beside the event (check R1).
    RiskGrade,
    /// Charging orders; told beside the event (check V2).
    ChargeOrder {
        /// Whether start, end, energy and stop reason are known.
        complete: bool,
    },
}

/// An alarm from being raised to being closed. Whether that was in time is judged by the clocks
/// of its level in the rule pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AlarmLife {
    /// Its identifier, never given twice.
    pub id: String,
    /// 1 red, 2 orange, 3 yellow, 4 blue; a level without clocks in the rule pack does not count.
    pub level: u8,
    /// How long ago it was raised.
    pub age: Duration,
    /// How long after that a person acknowledged it.
    pub acknowledged_after: Option<Duration>,
    /// How long after that it was closed with a result.
    pub closed_after: Option<Duration>,
    /// How long after that it was escalated to the level above, automatically.
    pub escalated_after: Option<Duration>,
}

/// One broadcast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroadcastLife {
    /// A drill; otherwise a real message. Both count.
    pub drill: bool,
    /// From accepting the message to the first terminal's word that it plays.
    pub started_after: Duration,
    /// Terminals that were addressed.
    pub addressed: u32,
    /// Of those, the ones that acknowledged playing.
    pub acknowledged: u32,
    /// The playing record and the terminals' state reached the platform above.
    pub returned: bool,
}

/// What a test of the broadcast wants to see (check B4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum BroadcastProof {
    /// A higher level cut off a lower one, in a drill.
    PreEmption,
    /// A message without a valid signature was refused.
    RefusedUnsigned,
    /// A message past its time was refused.
    RefusedExpired,
    /// A message for another area was refused.
    RefusedArea,
}

impl Fact {
    /// Takes in another fact of the same kind, for a channel that is full: deliveries are added up
    /// with the worse of the times, of the comparisons of a clock the worse one remains, of a
    /// meter's the newest. Says whether it could.
    pub fn absorb(&mut self, other: &Fact) -> bool {
        match (&mut self.kind, &other.kind) {
            (
                FactKind::Delivered { what, age, count, after_outage },
                FactKind::Delivered { what: same, age: longer, count: more, after_outage: up },
            ) if what == same && after_outage.is_some() == up.is_some() => {
                *age = (*age).max(*longer);
                *count = count.saturating_add(*more);
                *after_outage = (*after_outage).max(*up);
            }
            (
                FactKind::GatewayClock { offset_ms, source },
                FactKind::GatewayClock { offset_ms: other, source: same },
            ) if source == same => {
                if other.unsigned_abs() > offset_ms.unsigned_abs() {
                    *offset_ms = *other;
                }
            }
            (
                FactKind::MeterClock { device, offset_s },
                FactKind::MeterClock { device: same, offset_s: newest },
            ) if device == same => *offset_s = *newest,
            _ => return false,
        }
        self.at = self.at.max(other.at);
        true
    }
}
