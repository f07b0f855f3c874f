//! Who holds the upgrade: one at a time, with its state on disk.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::state::FORMAT;
use super::{Ended, Fault, Outcome, Places, State, Step, System};
use crate::held::Held;
use crate::model::Words;
use crate::whole_file;

/// The upgrade, held until it is dropped.
#[derive(Debug)]
pub struct Desk {
    pub(super) places: Places,
    /// Held for its lock.
    _lock: Held,
}

/// What is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Under {
    /// Nothing.
    Nothing,
    /// This, and somebody works on it.
    Way(State),
    /// This, and nobody works on it: it was cut short.
    Cut(State),
}

impl Desk {
    /// Takes hold of the upgrade.
    ///
    /// # Errors
    /// Somebody else has it, or the folder cannot be made.
    pub fn take(places: Places) -> Result<Self, Fault> {
        let folder = &places.folder;
        fs::create_dir_all(folder).map_err(|error| Fault::of_io(folder, &error))?;
        let name = folder.join("lock");
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&name)
            .map_err(|error| Fault::of_io(&name, &error))?;
        match Held::take(lock).map_err(|error| Fault::of_io(&name, &error))? {
            Ok(lock) => Ok(Self { places, _lock: lock }),
            Err(_) => Err(Fault::new(
                "an upgrade is under way: linli upgrade --status",
                "升级正在进行：linli upgrade --status",
            )),
        }
    }

    /// What is under way, for who only looks.
    ///
    /// # Errors
    /// The state cannot be read.
    pub fn look(places: &Places) -> Result<Under, Fault> {
        let Some(state) = read::<State>(&places.state())? else { return Ok(Under::Nothing) };
        // Who may not take it cannot tell; who works on it has it.
        let lock = File::open(places.folder.join("lock"));
        let free = lock.is_ok_and(|file| {
            let shared = rustix::fs::FlockOperation::NonBlockingLockShared;
            rustix::fs::flock(&file, shared).is_ok()
        });
        Ok(if free { Under::Cut(state) } else { Under::Way(state) })
    }

    /// How the last one ended, if there was one.
    ///
    /// # Errors
    /// The result cannot be read.
    pub fn last(places: &Places) -> Result<Option<Ended>, Fault> {
        read(&places.ended())
    }

    /// Takes up what was cut short, or `None` when there is nothing: what had not been proved goes
    /// back, what had been goes on.
    ///
    /// # Errors
    /// The state cannot be read, is of a later version, or a step fails; then it can be tried again.
    pub fn recover(&self, system: &mut impl System) -> Result<Option<Ended>, Fault> {
        let Some(mut state) = self.state()? else { return Ok(None) };
        if matches!(state.step, Step::Staged | Step::Trial) {
            let why = Fault::new(
                "it was cut short: the power failed, or the watch over it was ended",
                "升级被中断：断电，或监视进程被终止",
            );
            self.turn(system, &mut state, Step::Withdrawing, Some(why))?;
        }
        self.drive(system, state).map(Some)
    }

    /// Goes on from a step to the end.
    ///
    /// # Errors
    /// A step failed that must not fail; [`recover`](Self::recover) takes it up again.
    pub fn drive(&self, system: &mut impl System, mut state: State) -> Result<Ended, Fault> {
        loop {
            match state.step {
                Step::Staged => self.turn(system, &mut state, Step::Trial, None)?,
                Step::Trial => {
                    let (step, why) = match self.trial(system, &state)? {
                        None => (Step::Installing, None),
                        Some(why) => (Step::Withdrawing, Some(why)),
                    };
                    self.turn(system, &mut state, step, why)?;
                }
                Step::Withdrawing => {
                    if let Some(Fault(more)) = self.end_trial(system)? {
                        let why = state.why.take().map_or_else(Words::default, Words::from);
                        let en = format!("{}; the old version: {}", why.en, more.en);
                        let zh = format!("{}；旧版本：{}", why.zh, more.zh);
                        state.why = Some(Words::from((en, zh)).into());
                    }
                    return self.close(system, &state, Outcome::Withdrawn);
                }
                Step::Installing => match self.install(system, &state)? {
                    None => return self.close(system, &state, Outcome::Installed),
                    why => self.turn(system, &mut state, Step::Returning, why)?,
                },
                Step::Returning => {
                    self.go_back(system)?;
                    return self.close(system, &state, Outcome::Returned);
                }
            }
        }
    }

    /// What is on disk of an upgrade that is under way or was cut short.
    ///
    /// # Errors
    /// It cannot be read.
    pub fn state(&self) -> Result<Option<State>, Fault> {
        read(&self.places.state())
    }

    /// Puts a state on disk.
    pub(super) fn save(&self, system: &mut impl System, state: &State) -> Result<(), Fault> {
        system.about_to("note the step")?;
        write(&self.places.state(), state)
    }

    fn turn(
        &self,
        system: &mut impl System,
        state: &mut State,
        step: Step,
        why: Option<Fault>,
    ) -> Result<(), Fault> {
        state.step = step;
        if let Some(why) = why {
            state.why = Some(why.0.into());
        }
        self.save(system, state)
    }

    /// Notes the end, then forgets the upgrade.
    fn close(
        &self,
        system: &mut impl System,
        state: &State,
        outcome: Outcome,
    ) -> Result<Ended, Fault> {
        let ended = Ended {
            format: FORMAT,
            id: state.id.clone(),
            outcome,
            from: state.from.clone(),
            to: state.to.clone(),
            why: state.why.clone(),
            at_ms: system.wall_ms(),
        };
        system.about_to("note the end")?;
        write(&self.places.ended(), &ended)?;
        system.about_to("forget the upgrade")?;
        let state = self.places.state();
        remove(&state)?;
        whole_file::sync_folder(&state).map_err(|error| Fault::of_io(&state, &error))?;
        // What is left of the trial only takes room; the next upgrade begins with an empty folder.
        system.about_to("remove the trial")?;
        super::file::remove_folder(&self.places.trial())?;
        Ok(ended)
    }
}

/// Only the format, of any version's file.
#[derive(serde::Deserialize)]
struct Head {
    format: u32,
}

/// A file that a version of this program wrote; `None` without one.
pub(super) fn read<T: DeserializeOwned>(path: &Path) -> Result<Option<T>, Fault> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Fault::of_io(path, &error)),
    };
    let at = path.display();
    let wrong = |error: serde_json::Error| {
        Fault::new(format!("{at} is damaged: {error}"), format!("{at} 已损坏：{error}"))
    };
    let head: Head = serde_json::from_slice(&bytes).map_err(wrong)?;
    if head.format > FORMAT {
        let found = head.format;
        return Err(Fault::new(
            format!("{at} has format {found}, this version reads up to {FORMAT}"),
            format!("{at} 的格式为 {found}，本版本最高支持 {FORMAT}"),
        ));
    }
    serde_json::from_slice(&bytes).map(Some).map_err(wrong)
}

pub(super) fn write(path: &Path, value: &impl Serialize) -> Result<(), Fault> {
    let text = serde_json::to_string_pretty(value).expect("texts and numbers are JSON");
    // The daemon reads how it ended.
    whole_file::replace(path, text.as_bytes(), 0o644).map_err(|error| Fault::of_io(path, &error))
}

pub(super) fn remove(path: &Path) -> Result<(), Fault> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(Fault::of_io(path, &error)),
        _ => Ok(()),
    }
}
