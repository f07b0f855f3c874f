//! A device as commands see it: what its model describes, and what of it the configuration allows.

use std::sync::Arc;
use std::time::Duration;

use crate::driver::Act;
use crate::model::{DeviceId, DeviceIndex, PointIndex, Refusal, Value, Words};
use crate::profile::{Command, CommandKind, Profile, Written, encode_command};

/// A device that may be ordered.
#[derive(Debug, Clone)]
pub struct Target {
    /// Its place in the estate.
    pub index: DeviceIndex,
    /// Its name.
    pub id: DeviceId,
    /// What its model describes.
    pub profile: Arc<Profile>,
    /// Values of the profile's parameters, in their order.
    pub params: Vec<f64>,
    /// Commands of the profile that the configuration allows.
    pub commands: Vec<Arc<str>>,
    /// Acts of a meter that the configuration allows.
    pub acts: Vec<Act>,
    /// How long the link to the platform may be silent before its orders end, for this device.
    pub safe_after: Option<Duration>,
}

/// What is done to a device.
#[derive(Debug, Clone, PartialEq)]
pub enum What {
    /// What its profile says.
    Written(Written),
    /// An act of a meter.
    Act(Act),
}

/// A command that a device knows.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Known<'t> {
    /// One of its profile.
    Command(&'t Command),
    /// An act of a meter.
    Act(Act),
}

impl Target {
    /// The command of this name, and whether the configuration allows it.
    pub fn find(&self, name: &str) -> Option<(Known<'_>, bool)> {
        if let Some(command) = self.profile.commands.iter().find(|known| *known.name == *name) {
            let allowed = self.commands.iter().any(|allowed| **allowed == *name);
            return Some((Known::Command(command), allowed));
        }
        let (_, act) = Act::WORDS.iter().find(|(word, _)| *word == name)?;
        // Which of them a meter has was checked when the configuration was read.
        self.acts.contains(act).then_some((Known::Act(*act), true))
    }

    /// What may be ordered from it.
    pub fn allowed(&self) -> impl Iterator<Item = Known<'_>> {
        let is_allowed = |command: &&Command| self.commands.contains(&command.name);
        let commands = self.profile.commands.iter().filter(is_allowed).map(Known::Command);
        commands.chain(self.acts.iter().copied().map(Known::Act))
    }

    /// What goes to the device.
    ///
    /// # Errors
    /// The value is not one that the command takes; why.
    pub(super) fn encode(
        &self,
        known: Known<'_>,
        value: Option<&Value>,
    ) -> Result<What, (Refusal, Words)> {
        match (known, value) {
            (Known::Command(command), value) => {
                encode_command(command, value, &self.params).map(What::Written).map_err(|error| {
                    let zh = format!("{}：{error}", Refusal::Value.words().zh);
                    (Refusal::Value, Words::from((error.to_string(), zh)))
                })
            }
            (Known::Act(act), None) => Ok(What::Act(act)),
            (Known::Act(_), Some(_)) => {
                Err((Refusal::Value, ("it takes no value", "该命令不带参数").into()))
            }
        }
    }
}

impl Known<'_> {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Known::Command(command) => &command.name,
            Known::Act(act) => {
                Act::WORDS.iter().find(|(_, known)| known == act).map_or("", |(word, _)| word)
            }
        }
    }

    /// For people.
    pub fn words(&self) -> Words {
        match self {
            Known::Command(command) => (command.en.as_str(), command.zh.as_str()).into(),
            Known::Act(Act::RelayTrip) => ("trip the relay: supply off", "拉闸（断电）").into(),
            Known::Act(Act::RelayClose) => ("close the relay: supply on", "合闸（送电）").into(),
            Known::Act(Act::ValveOpen) => ("open the valve", "开阀").into(),
            Known::Act(Act::ValveClose) => ("close the valve", "关阀").into(),
        }
    }

    /// What to think of before ordering it.
    pub fn danger(&self) -> Option<Words> {
        match self {
            Known::Command(command) => command.danger.clone(),
            Known::Act(Act::RelayTrip | Act::ValveClose) => Some(
                (
                    "somebody's supply ends: lifts, medical devices, heating may depend on it",
                    "将中断供应：电梯、医疗设备、采暖可能依赖它",
                )
                    .into(),
            ),
            Known::Act(Act::RelayClose | Act::ValveOpen) => Some(
                (
                    "supply comes back unannounced: somebody may be working on it",
                    "将恢复供应：可能有人正在检修",
                )
                    .into(),
            ),
        }
    }

    pub(super) fn read_back(&self) -> Option<PointIndex> {
        match self {
            Known::Command(command) => command.read_back,
            Known::Act(_) => None,
        }
    }

    pub(super) fn within(&self) -> Duration {
        match self {
            Known::Command(command) => command.within,
            Known::Act(_) => Duration::ZERO,
        }
    }

    pub(super) fn safe(&self) -> Option<&Value> {
        match self {
            Known::Command(command) => command.safe.as_ref(),
            Known::Act(_) => None,
        }
    }

    pub(super) fn keep_alive(&self) -> Option<Duration> {
        match self {
            Known::Command(command) => command.keep_alive,
            Known::Act(_) => None,
        }
    }

    /// Whether a point shows what was ordered; `places` are the decimals of the point. Any value shows
    /// that a trigger was followed by a look.
    pub(super) fn shows(&self, ordered: Option<&Value>, seen: &Value, places: u8) -> bool {
        let Some(ordered) = ordered else { return true };
        match (ordered.number(), seen.number()) {
            (Some(ordered), Some(seen)) => {
                let own = match self {
                    Known::Command(Command {
                        kind: CommandKind::Number { decimals, .. }, ..
                    }) => (*decimals).min(places),
                    _ => 9,
                };
                let half = 0.5 * 10f64.powi(-i32::from(own));
                (ordered - seen).abs() <= half * 1.000_001
            }
            (None, None) => ordered == seen,
            _ => false,
        }
    }
}
