//! `linli profiles try`: a real device read by a profile, and what comes of each point.
//!
//! Reads with the driver and the pipeline of the daemon; writes nothing to any device.

mod caught;
mod example;
mod hint;
mod options;
mod port;
mod table;
mod verdict;

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::find::{Found, find};
use crate::app::Trial;
use crate::cli::run::told_to_stop;
use crate::cli::{BAD_CONFIGURATION, complain, runtime, say};
use crate::config::{Connection, Settings};
use crate::model::{Cause, DeviceIndex, DeviceState, Health, Moment};
use caught::Caught;
pub(super) use options::Arguments;
use verdict::Verdict;

/// Not all points are good.
const NOT_GOOD: u8 = 1;
/// The line cannot be used (`EX_UNAVAILABLE`).
const NOT_AVAILABLE: u8 = 69;

const EXIT_CODES: &str = "Reads only: nothing is written to the device. Ctrl-C ends it.

Exit codes: 0 every point is good in the last round; 1 not every point is good; 64 a wrong option \
or file; 69 the line, port or broker cannot be used.";

/// The one device.
const DEVICE: DeviceIndex = DeviceIndex(0);
/// The screen is renewed so often: ages go on while nothing comes.
const REDRAW: Duration = Duration::from_secs(1);

pub(super) fn execute(arguments: &Arguments, dirs: &[PathBuf]) -> anyhow::Result<ExitCode> {
    match prepare(arguments, dirs) {
        Ok((found, settings, pace)) => {
            found.doubts.iter().for_each(|doubt| complain(doubt));
            runtime()?.block_on(watch(arguments, &found, &settings, pace))
        }
        Err(wrong) => {
            complain(&wrong);
            Ok(ExitCode::from(BAD_CONFIGURATION))
        }
    }
}

/// Time between rounds, and the longest wait for the only one.
#[derive(Debug, Clone, Copy)]
struct Pace {
    every: Duration,
    wait: Duration,
}

fn prepare(arguments: &Arguments, dirs: &[PathBuf]) -> Result<(Found, Settings, Pace), String> {
    let found = find(&arguments.profile, dirs)?;
    let (day, second) = (Duration::from_secs(86_400), Duration::from_secs(1));
    let every = (Duration::from_millis(200), day);
    let pace = Pace {
        every: options::duration("--every", &arguments.every, every)?,
        wait: options::duration("--wait", &arguments.wait, (second, day))?,
    };
    let settings = arguments.settings(&found)?;
    Ok((found, settings, pace))
}

/// A device under trial and what it said.
struct Session<'s> {
    found: &'s Found,
    settings: &'s Settings,
    trial: Trial,
    caught: Caught,
    /// Frames before this were looked at.
    seen: Moment,
    /// When the present round began.
    begun: Moment,
    round: u32,
}

async fn watch(
    arguments: &Arguments,
    found: &Found,
    settings: &Settings,
    pace: Pace,
) -> anyhow::Result<ExitCode> {
    let told = told_to_stop()?;
    tokio::pin!(told);
    let trial = Trial::start(settings);
    // The bus asks as soon as it is there.
    let (seen, begun) = (Moment { boot_ms: 0 }, Moment { boot_ms: 0 });
    let caught = Caught::default();
    let mut session = Session { found, settings, trial, caught, seen, begun, round: 1 };
    let once = arguments.once || arguments.example;
    let screen = std::io::stdout().is_terminal() && !once && !arguments.json;
    let mut redraw = interval(REDRAW);
    redraw.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut ends = Instant::now() + if once { pace.wait } else { pace.every };
    let mut next: Option<Instant> = None;
    loop {
        tokio::select! {
            () = &mut told => break,
            record = session.trial.next(), if next.is_none() => if record.is_none() { break },
            _ = redraw.tick() => if screen {
                session.catch();
                draw(&table::lines(&session.state(), table::Room::of_terminal()));
            },
            () = sleep_until(ends), if next.is_none() => {}
            () = sleep_until(next.unwrap_or(ends)), if next.is_some() => {
                next = None;
                session.again();
                ends = Instant::now() + pace.every.max(ROUND);
                continue;
            }
        }
        session.catch();
        if next.is_some() || !(session.is_complete() || Instant::now() >= ends) {
            continue;
        }
        if once {
            break;
        }
        session.told(arguments, screen);
        next = Some(Instant::now() + pace.every);
    }
    session.catch();
    let code = session.finish(arguments, once, screen);
    if let Err(failure) = session.trial.end().await {
        tracing::debug!(%failure, "the trial did not end in order");
    }
    Ok(code)
}

/// Requests without an answer after which nobody has to wait on.
const ENOUGH: u64 = 4;
/// A round of a slow line takes longer than the time between two.
const ROUND: Duration = Duration::from_secs(30);

impl Session<'_> {
    /// Begins a round: everything is read again, whatever its period.
    fn again(&mut self) {
        self.round = self.round.saturating_add(1);
        self.begun = self.trial.clock.now();
        self.trial.read_again(DEVICE);
    }

    fn device(&self) -> DeviceState {
        self.trial.snapshot.device(DEVICE)
    }

    /// Takes what was recorded and heard since the last time.
    fn catch(&mut self) {
        let now = self.trial.clock.now();
        let profile = &self.settings.devices[0].profile;
        for line in &self.trial.lines {
            let frames = line.log.recent(self.seen);
            let mbap = !self.settings.buses[0].config.transport.is_serial();
            self.caught.frames(profile, mbap, &frames);
        }
        // An exchange that is under way is looked at again, from its request on.
        self.seen = Moment { boot_ms: now.boot_ms.saturating_sub(20_000).max(self.seen.boot_ms) };
        let Connection::Mqtt { base } = &self.settings.devices[0].connection else { return };
        while let Ok(heard) = self.trial.heard.try_recv() {
            self.caught.message(profile, base, &heard.topic, &heard.payload);
        }
    }

    /// Whether there is nothing more to wait for in this round.
    fn is_complete(&self) -> bool {
        let state = self.device();
        let publishes = self.trial.lines.is_empty();
        let since = if publishes { Moment { boot_ms: 0 } } else { self.begun };
        let all = state.points.iter().all(|point| point.at.is_some_and(|at| at >= since));
        // A publisher of which everything was heard once says the rest in its own time.
        all || (state.health == Health::Offline && !publishes)
            || self.is_silent()
            || self.no_line().is_some()
    }

    /// Whether enough was asked without any answer: more of it would say the same.
    fn is_silent(&self) -> bool {
        let rows = self.trial.buses.all();
        let silent = |row: &crate::model::BusState| {
            let counters = &row.counters;
            let heard = counters.answers + counters.exceptions + counters.damaged;
            heard == 0 && counters.timeouts >= ENOUGH
        };
        !rows.is_empty() && rows.iter().all(silent)
    }

    /// Why the line cannot be used, if it cannot.
    fn no_line(&self) -> Option<crate::model::Words> {
        let down = matches!(self.device().cause, Some(Cause::LineDown(_) | Cause::BrokerDown(_)));
        let bus =
            self.trial.buses.all().into_iter().find_map(|bus| bus.fault.filter(|_| !bus.open));
        let broker = self.trial.broker.as_ref().map(|broker| broker.borrow().clone());
        let broker = broker.filter(|broker| !broker.connected).and_then(|broker| broker.fault);
        if down || broker.is_some() { bus.or(broker) } else { None }
    }

    fn state(&self) -> table::State<'_> {
        table::State {
            profile: &self.settings.devices[0].profile,
            params: &self.settings.devices[0].params,
            device: self.device(),
            now: self.trial.clock.now(),
            round: self.round,
            connection: &self.trial.estate.device(DEVICE).connection,
            caught: &self.caught,
            line_down: self.no_line(),
        }
    }

    /// Tells a round.
    fn told(&self, arguments: &Arguments, screen: bool) {
        let state = self.state();
        if arguments.json {
            table::json(&state).iter().for_each(|line| say(line));
        } else if screen {
            draw(&table::lines(&state, table::Room::of_terminal()));
        } else {
            table::lines(&state, None).iter().for_each(|line| say(line));
        }
    }

    fn finish(&self, arguments: &Arguments, once: bool, screen: bool) -> ExitCode {
        let state = self.state();
        let verdict = Verdict::of(&state);
        if arguments.example {
            self.example(&state, &verdict);
        } else if once || screen {
            self.told(arguments, false);
        }
        if let Some(why) = &state.line_down {
            let remedy = port::remedy(self.settings, why);
            complain(&format!("{} / {}\n{} / {}", why.en, why.zh, remedy.en, remedy.zh));
            return ExitCode::from(NOT_AVAILABLE);
        }
        if verdict.all_good() { ExitCode::SUCCESS } else { ExitCode::from(NOT_GOOD) }
    }

    fn example(&self, state: &table::State<'_>, verdict: &Verdict) {
        if self.caught.is_empty() {
            verdict.lines().iter().for_each(|line| complain(line));
            return;
        }
        match example::block(self.found, &self.settings.devices[0], &self.caught) {
            Ok(block) => {
                say(block.text.trim());
                for (point, reason) in block.left_out {
                    let (en, zh) = (reason.en(), reason.zh());
                    complain(&format!("`{point}` is left out: {en} / 未写入: {zh}"));
                }
            }
            Err(wrong) => complain(&wrong),
        }
        if !verdict.all_good() {
            Verdict::of(state).lines().iter().for_each(|line| complain(line));
        }
    }
}

/// Draws over what stood there before.
fn draw(lines: &[String]) {
    let mut text = String::from("\x1b[H");
    for line in lines {
        text += line;
        text += "\x1b[K\n";
    }
    text += "\x1b[J";
    let mut out = std::io::stdout().lock();
    if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
        tracing::debug!("the terminal is gone");
    }
}
