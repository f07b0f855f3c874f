//! The trial: the new program runs under the unit's own sandbox, and is watched.

use std::fs;
use std::path::Path;
use std::time::Duration;

use super::desk::{Desk, remove};
use super::{Fault, Places, Seen, Service, State, System};
use crate::model::Words;
use crate::whole_file;

/// A trial lasts at least this long: longer than the unit's watchdog waits.
pub const STEADY: Duration = Duration::from_secs(75);
/// How often the trial is looked at.
const EVERY: Duration = Duration::from_secs(2);

/// What a look at the trial says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Look {
    /// Everything was shown.
    Good,
    /// It failed.
    Bad(Words),
    /// Something is missing yet.
    Wait(Words),
}

/// Judges a trial. Synchronous; the loop is in [`Desk::drive`].
#[derive(Debug, Clone, Copy)]
pub struct Judge {
    /// When the trial began.
    pub began: Duration,
    /// Longest trial.
    pub within: Duration,
    /// Least trial.
    pub steady: Duration,
    /// A good reading is wanted, where there are devices.
    pub want_reading: bool,
    /// An acknowledgement is wanted, where there is a platform.
    pub want_acknowledged: bool,
}

impl Judge {
    /// Looks at the service, and at what the gateway shows; `program` is the one on trial.
    pub fn look(
        &self,
        now: Duration,
        program: &Path,
        service: &Service,
        seen: Result<Seen, Fault>,
    ) -> Look {
        let result = &service.result;
        if service.restarts > 0 {
            return Look::Bad(
                (
                    format!("the new version ended by itself ({result}) and was started again"),
                    format!("新版本自行退出（{result}）并被重新启动"),
                )
                    .into(),
            );
        }
        if service.failed {
            return Look::Bad(
                (format!("the new version ended: {result}"), format!("新版本已退出：{result}"))
                    .into(),
            );
        }
        if service.active && service.program.as_deref().is_some_and(|runs| runs != program) {
            return Look::Bad(
                (
                    "another program than that on trial runs: somebody changed the service",
                    "运行的不是试运行的程序：服务被他人改动",
                )
                    .into(),
            );
        }
        let missing = self.missing(now, service, seen);
        match missing {
            None => Look::Good,
            Some(missing) if now.saturating_sub(self.began) >= self.within => {
                let limit = self.within.as_secs();
                Look::Bad(
                    (
                        format!("within {limit} s: {}", missing.en),
                        format!("{limit} 秒内：{}", missing.zh),
                    )
                        .into(),
                )
            }
            Some(missing) => Look::Wait(missing),
        }
    }

    fn missing(
        &self,
        now: Duration,
        service: &Service,
        seen: Result<Seen, Fault>,
    ) -> Option<Words> {
        if !service.active {
            return Some(("the new version is not ready", "新版本尚未就绪").into());
        }
        let seen = match seen {
            Ok(seen) => seen,
            Err(Fault(why)) => return Some(why),
        };
        if self.want_reading && seen.devices && !seen.good_reading {
            return Some(("no good reading yet", "尚无有效读数").into());
        }
        if self.want_acknowledged && seen.platform && !seen.acknowledged {
            return Some(
                ("the platform has acknowledged nothing yet", "平台尚未确认任何数据").into(),
            );
        }
        let left = self.steady.saturating_sub(now.saturating_sub(self.began));
        (!left.is_zero()).then(|| {
            let left = left.as_secs() + 1;
            (
                format!("everything was shown; watched for {left} s more"),
                format!("已全部验证；继续观察 {left} 秒"),
            )
                .into()
        })
    }
}

impl Desk {
    /// Runs the trial to its end; why it was bad, or `None`.
    pub(super) fn trial(
        &self,
        system: &mut impl System,
        state: &State,
    ) -> Result<Option<Fault>, Fault> {
        self.begin_trial(system, state)?;
        // What does not become ready is seen below, with what systemd says of it.
        let began = system.now();
        if let Err(Fault(why)) = system.restart() {
            tracing::warn!(%why, "the new version did not become ready at once");
        }
        let within = Duration::from_secs(state.within_s);
        let judge = Judge {
            began,
            within,
            steady: STEADY.min(within / 2),
            want_reading: state.want_reading,
            want_acknowledged: state.want_acknowledged,
        };
        let mut told = Words::default();
        loop {
            // While systemd does not answer nothing is shown, and the time runs.
            let service = system.service().unwrap_or_else(|Fault(why)| {
                tracing::warn!(%why, "the service cannot be looked at");
                Service::default()
            });
            let seen = system.seen();
            match judge.look(system.now(), &self.places.running_program(), &service, seen) {
                Look::Good => return Ok(None),
                Look::Bad(why) => return Ok(Some(Fault(why))),
                Look::Wait(missing) if missing != told => {
                    tracing::info!(%missing, "the trial goes on");
                    told = missing;
                }
                Look::Wait(_) => {}
            }
            system.pause(EVERY);
        }
    }

    fn begin_trial(&self, system: &mut impl System, state: &State) -> Result<(), Fault> {
        let places = &self.places;
        let config = if state.migrated {
            places.new_etc().join(places.config_name())
        } else {
            places.config.clone()
        };
        let path = places.drop_in();
        system.about_to("write the drop-in of the trial")?;
        fs::create_dir_all(&places.drop_ins)
            .and_then(|()| whole_file::replace(&path, drop_in(places, &config).as_bytes(), 0o644))
            .map_err(|error| Fault::of_io(&path, &error))?;
        system.about_to("make systemd see the trial")?;
        system.reload_units()
    }

    /// The old program starts again, unless no trial was begun or the machine starts just now.
    /// Returns why it did not become ready; systemd goes on trying.
    pub(super) fn end_trial(&self, system: &mut impl System) -> Result<Option<Fault>, Fault> {
        let was = self.places.drop_in().exists();
        self.remove_drop_in(system)?;
        let service = system.service()?;
        let on_trial = service.program.as_deref() == Some(&*self.places.running_program());
        if was || on_trial || service.failed {
            system.about_to("start the old version")?;
            return Ok(system.restart().err());
        }
        Ok(None)
    }

    pub(super) fn remove_drop_in(&self, system: &mut impl System) -> Result<(), Fault> {
        system.about_to("remove the drop-in of the trial")?;
        remove(&self.places.drop_in())?;
        // The folder may hold drop-ins of others, and then stays.
        if fs::remove_dir(&self.places.drop_ins).is_ok() {
            tracing::debug!("no drop-in is left");
        }
        system.about_to("make systemd forget the trial")?;
        system.reload_units()
    }
}

/// The unit's own commands, with the program on trial.
fn drop_in(places: &Places, config: &Path) -> String {
    let (program, config) = (places.new_program(), config.display());
    let program = program.display();
    format!(
        "# Written by `linli upgrade` for a trial; gone after a power cut.\n\
         [Service]\n\
         ExecStartPre=\n\
         ExecStartPre={program} check --config {config}\n\
         ExecStart=\n\
         ExecStart={program} run --config {config}\n\
         ExecReload=\n\
         ExecReload=/bin/kill -HUP $MAINPID\n\
         ExecReload={program} check --config {config}\n"
    )
}
