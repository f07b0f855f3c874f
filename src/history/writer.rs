//! Who writes the history: appends what waits, sorts the days that are over, keeps the budget.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::sync::Arc;
use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use super::Config;
use super::bucket::{Day, Slot, settle};
use super::chunk::{Kind, seal as chunk};
use super::columns::Column;
use super::folder::{Files, append, name_of};
use super::handle::Shared;
use super::live::Waiting;
use super::names::{Names, put_readings};
use super::seal::{Sealed, seal};
use crate::clock::Clock;
use crate::model::WallTime;

/// How often it is looked whether there is something to write.
const LOOK: Duration = Duration::from_secs(60);
/// Buckets are written every so many of them: every 15 minutes. Seldom, because each time costs
/// the flash some blocks; often enough that a power cut does not take much.
const EVERY: u32 = 3;

/// What is to be done with what is in memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Full buckets are written when it is time.
    Regular,
    /// Everything is written: the gateway stops.
    Last,
}

/// Who writes the history.
pub struct Writer {
    config: Config,
    clock: Clock,
    shared: Arc<Shared>,
    names: Names,
    /// The log that is gone on with.
    log: Option<(Day, File)>,
    /// Up to where it was written.
    written: Slot,
    /// Days before this one are sorted.
    tidied: Option<Day>,
    /// A day that already fills the budget alone.
    full: bool,
    /// Bytes appended since the start.
    appended: u64,
}

impl Writer {
    pub(super) fn new(config: Config, clock: Clock, shared: Arc<Shared>) -> Self {
        let names = Names::of(&shared.estate);
        let (log, written, tidied) = (None, Slot(0), None);
        Self { config, clock, shared, names, log, written, tidied, full: false, appended: 0 }
    }

    /// Writes until `stop`, then once more.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let turn = tokio::select! {
                () = stop.cancelled() => Turn::Last,
                _ = ticks.tick() => Turn::Regular,
            };
            let wall = self.clock.wall(self.clock.now());
            let work = tokio::task::spawn_blocking(move || {
                self.turn(wall, turn);
                self
            });
            self = match work.await {
                Ok(writer) => writer,
                Err(error) => {
                    // Comfort: the gateway goes on without it.
                    tracing::error!(%error, "the history is not written any more");
                    return stop.cancelled().await;
                }
            };
            if turn == Turn::Last {
                return;
            }
        }
    }

    /// One look at a trusted wall time. What cannot be done is told once, and tried again. Blocks.
    pub fn turn(&mut self, wall: Option<WallTime>, turn: Turn) {
        let outcome = self.try_turn(wall, turn);
        let mut state = self.shared.state();
        match outcome {
            Ok(()) => {
                if state.status.fault.take().is_some() {
                    tracing::info!("the history is written again");
                }
            }
            Err(error) => {
                let folder = self.shared.archive.0.path().display();
                if state.status.fault.replace(error.to_string()).is_none() {
                    tracing::warn!(%error, %folder, "the history cannot be written for now");
                }
            }
        }
    }

    fn try_turn(&mut self, wall: Option<WallTime>, turn: Turn) -> io::Result<()> {
        let now = wall.map(Slot::of);
        let today = now.map(Day::of);
        if turn == Turn::Regular {
            let Some(now) = now else { return Ok(()) };
            self.shared.state().live.close(Some(now));
            // A clock that was set back is no reason to wait for it.
            let due = now.0.abs_diff(self.written.0) >= EVERY || self.tidied != today;
            if !due {
                return Ok(());
            }
            let outcome = self.write();
            if let Some(today) = today.filter(|today| self.tidied != Some(*today)) {
                self.tidy(today)?;
                self.tidied = Some(today);
            }
            // Also when nothing could be written: it may make the room for that.
            self.trim(today)?;
            self.written = outcome.map(|()| now)?;
            return Ok(());
        }
        self.shared.state().live.close(None);
        self.write()
    }

    /// Appends what waits to the logs of its days.
    fn write(&mut self) -> io::Result<()> {
        let waiting = self.shared.state().live.waiting();
        let mut days: BTreeMap<Day, Vec<Waiting>> = BTreeMap::new();
        for one in &waiting {
            days.entry(Day::of(one.1.slot)).or_default().push(*one);
        }
        if days.is_empty() {
            return Ok(());
        }
        self.room()?;
        for (day, waiting) in days {
            // Two days are written when midnight lies between; the second may fail alone: then the
            // first is written twice, which says the same.
            self.append(day, waiting)?;
        }
        self.shared.state().live.written(waiting.len());
        Ok(())
    }

    /// Whether others have enough left.
    fn room(&self) -> io::Result<()> {
        if self.full {
            return Err(io::Error::other("one day alone takes the whole budget"));
        }
        let folder = &self.shared.archive.0;
        std::fs::create_dir_all(folder.path())?;
        let system = rustix::fs::statvfs(folder.path())?;
        let free = system.f_bavail.saturating_mul(system.f_frsize);
        if free < self.config.keep_free {
            let mib = |bytes: u64| bytes >> 20;
            return Err(io::Error::new(
                io::ErrorKind::StorageFull,
                format!(
                    "{} MiB are free, {} are left to others",
                    mib(free),
                    mib(self.config.keep_free)
                ),
            ));
        }
        Ok(())
    }

    fn append(&mut self, day: Day, waiting: Vec<Waiting>) -> io::Result<()> {
        let pieces = put_readings(self.names.id, self.columns(waiting).into_iter());
        let mut chunks = Vec::with_capacity(pieces.len() + 1);
        // Somebody may have taken the file away.
        let log = self
            .log
            .take()
            .filter(|(of, file)| *of == day && file.metadata().is_ok_and(|data| data.nlink() > 0));
        let mut file = match log {
            Some((_, file)) => file,
            None => {
                let (file, cut, named) = self.shared.archive.0.go_on(day, &self.names)?;
                if cut > 0 {
                    let day = name_of(day);
                    tracing::info!(day, cut, "the history had a torn tail, which is cut");
                }
                if !named {
                    chunks.push(chunk(Kind::Names, &self.names.plain)?);
                }
                file
            }
        };
        for plain in &pieces {
            chunks.push(chunk(Kind::Readings, plain)?);
        }
        append(&mut file, &chunks)?;
        self.appended += chunks.iter().map(|chunk| chunk.len() as u64).sum::<u64>();
        self.log = Some((day, file));
        Ok(())
    }

    /// What waits, by device.
    fn columns(&self, waiting: Vec<Waiting>) -> BTreeMap<u32, Vec<Column>> {
        let places: Vec<(u32, u32)> = {
            let state = self.shared.state();
            waiting.iter().map(|(number, _)| state.live.place(*number)).collect()
        };
        let mut devices: BTreeMap<u32, BTreeMap<u32, Column>> = BTreeMap::new();
        for ((device, point), (_, bucket)) in places.into_iter().zip(waiting) {
            let points = &self.shared.estate.devices()[device as usize].points;
            let column =
                devices.entry(device).or_default().entry(point).or_insert_with(|| Column {
                    name: point,
                    exponent: i16::from(points[point as usize].decimals),
                    buckets: Vec::new(),
                });
            column.buckets.push(bucket);
        }
        let settled = |column: Column| {
            let mut column = column;
            settle(&mut column.buckets);
            column
        };
        let of_device = |points: BTreeMap<u32, Column>| points.into_values().map(settled).collect();
        devices.into_iter().map(|(device, points)| (device, of_device(points))).collect()
    }

    /// Sorts the days that are over.
    fn tidy(&mut self, today: Day) -> io::Result<()> {
        let archive = &self.shared.archive;
        for (day, files) in archive.0.days()? {
            if day >= today || files.log.is_none() {
                continue;
            }
            self.log = self.log.take().filter(|(open, _)| *open != day);
            let name = name_of(day);
            match seal(archive, day)? {
                Sealed::Sorted(0) | Sealed::Nothing => {
                    tracing::debug!(day = name, "a day is sorted")
                }
                Sealed::Sorted(damaged) => {
                    tracing::warn!(
                        day = name,
                        damaged,
                        "bytes of the history are damaged and left out"
                    );
                }
                Sealed::Left(later) => {
                    let format = later.format;
                    tracing::info!(
                        day = name,
                        format,
                        "a later version wrote this day: it stays so"
                    );
                }
            }
        }
        Ok(())
    }

    /// Takes the oldest days away, as the budget and the number of days want it. By their number,
    /// not by their age: a clock that is wrong by years costs no history.
    fn trim(&mut self, today: Option<Day>) -> io::Result<()> {
        let folder = &self.shared.archive.0;
        let mut days = folder.days()?;
        let bytes = |days: &BTreeMap<Day, Files>| -> u64 { days.values().map(|f| f.bytes()).sum() };
        while days.len() > self.config.days() || bytes(&days) > self.config.budget {
            let Some((&oldest, _)) = days.first_key_value() else { break };
            if days.len() == 1 || Some(oldest) == today {
                break;
            }
            folder.remove(oldest)?;
            tracing::debug!(day = name_of(oldest), "the oldest day of the history made room");
            days.remove(&oldest);
        }
        let total = bytes(&days);
        self.full = total > self.config.budget;
        let status = &mut self.shared.state().status;
        (status.days, status.bytes) = (days.len(), total);
        Ok(())
    }

    /// Bytes appended since the start.
    #[cfg(test)]
    pub(super) fn appended(&self) -> u64 {
        self.appended
    }

    /// Buckets that wait.
    #[cfg(test)]
    pub(super) fn waiting(&self) -> usize {
        self.shared.state().live.waiting().len()
    }
}
