//! What a device makes of its model: how many members its groups have, what may be done to it.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Profiles;
use crate::driver::Act;
use crate::profile::{Binding, GroupError, Profile};
use crate::protocol::dlt645;
use crate::settings::{Fault, Place, Section, meant_key, meant_value, nearest};

/// Models with other groups than usual, so that equal devices share one.
#[derive(Debug, Default)]
pub(super) struct Models(BTreeMap<(String, Vec<u16>), Arc<Profile>>);

impl Models {
    /// The model with as many members in each group as the device says.
    pub fn of(
        &mut self,
        section: &Section<'_>,
        profile: Arc<Profile>,
        profiles: &dyn Profiles,
        given: &[(String, f64, Place)],
    ) -> Arc<Profile> {
        if given.is_empty() {
            return profile;
        }
        let mut sizes = profile.sizes();
        for (name, number, place) in given {
            let whole = number.fract() == 0.0 && (0.0..=f64::from(u16::MAX)).contains(number);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "whole and within a u16; no group has 0 members"
            )]
            let size = if whole { *number as u16 } else { 0 };
            match profile.resize(&mut sizes, name, size) {
                Ok(()) => {}
                Err(GroupError::Unknown { .. }) => {
                    let names: Vec<&str> = profile.groups.iter().map(|g| &*g.name).collect();
                    let allowed =
                        if names.is_empty() { "no group".to_owned() } else { names.join(", ") };
                    let problem = (
                        format!("{} has no such group", profile.id),
                        format!("{} 没有这个分组", profile.id),
                    );
                    let near = nearest(name, names);
                    let fault = Fault::new(place.clone(), problem).allowed(allowed);
                    section.note(fault.maybe_hint(near.map(meant_key)));
                }
                Err(GroupError::Size { most, .. }) => {
                    let problem = ("is out of range", format!("超出范围：应为 1 至 {most} 的整数"));
                    let fault = Fault::new(place.clone(), problem);
                    section.note(fault.allowed(format!("a whole number from 1 to {most}")));
                }
            }
        }
        let key = (profile.id.clone(), sizes);
        if let Some(known) = self.0.get(&key) {
            return Arc::clone(known);
        }
        let full = profiles.full(&key.0).unwrap_or(profile);
        let sized = Arc::new(full.sized(&key.1));
        self.0.insert(key, Arc::clone(&sized));
        sized
    }
}

/// What may be done to a device.
#[derive(Debug, Default)]
pub(super) struct Allowed {
    /// Acts that the driver knows for meters.
    pub acts: Vec<Act>,
    /// Commands of its profile.
    pub commands: Vec<Arc<str>>,
}

/// Reads `allow`: acts of meters, commands of the profile; `group.*.name` for all members.
pub(super) fn allowed(section: &Section<'_>, words: &[String], profile: &Profile) -> Allowed {
    let mut allowed = Allowed::default();
    for word in words {
        let before = allowed.commands.len();
        let named = profile.commands.iter().filter(|command| names(word, &command.name));
        allowed.commands.extend(named.map(|command| Arc::clone(&command.name)));
        if allowed.commands.len() > before {
            continue;
        }
        match Act::WORDS.iter().find(|(known, _)| known == word) {
            Some((_, act)) if has(profile, *act) => allowed.acts.push(*act),
            _ => section.note(unknown(section, word, profile)),
        }
    }
    allowed
}

fn names(word: &str, command: &str) -> bool {
    match (word.split_once(".*."), command.split_once('.')) {
        (Some((group, rest)), Some((of, behind))) => {
            group == of && behind.split_once('.').is_some_and(|(_, own)| own == rest)
        }
        _ => word == command,
    }
}

/// Meters have acts that need no profile.
fn has(profile: &Profile, act: Act) -> bool {
    match (&profile.binding, act) {
        (Binding::Dlt645(model), Act::RelayTrip | Act::RelayClose) => {
            model.edition == dlt645::Edition::V2007
        }
        (Binding::Cjt188(_), Act::ValveOpen | Act::ValveClose) => true,
        _ => false,
    }
}

fn unknown(section: &Section<'_>, word: &str, profile: &Profile) -> Fault {
    let acts = Act::WORDS.iter().filter(|(_, act)| has(profile, *act)).map(|(word, _)| *word);
    let commands = profile.commands.iter().map(|command| &*command.name);
    let known: Vec<&str> = acts.chain(commands).collect();
    let problem = (
        format!("{} has no command `{word}`", profile.id),
        format!("{} 没有命令 `{word}`", profile.id),
    );
    let fault = Fault::new(section.place("allow"), problem);
    if known.is_empty() {
        return fault
            .hint(("nothing can be ordered from it; remove it", "它不接受任何命令，请删除"));
    }
    let near = nearest(word, known.iter().copied());
    fault.allowed(known.join(", ")).maybe_hint(near.map(meant_value))
}
