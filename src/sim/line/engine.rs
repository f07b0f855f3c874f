//! What happens on the wire: a request takes its time, slaves hear its end, think, and answer at
//! the pace of the line. Time is a parameter; nothing here waits.

use std::time::Duration;

use tokio::time::Instant;

use super::log::{Entry, Log};
use super::replay::Replay;
use super::station::{Request, Station, find};
use super::wire::Wire;
use crate::driver::{LineSettings, Parity};

/// Silence after which a half frame is forgotten (DL/T 645: 500 ms between two bytes).
const FORGET: Duration = Duration::from_millis(500);
/// Most bytes of a request that are kept.
const MOST: usize = 1024;
/// Frames of one transmission that are answered.
const FRAMES: usize = 4;

/// What can be known of the settings that the master tunes its side to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tuning {
    /// They can be seen.
    Seen {
        /// Bits per second.
        baud: u32,
        /// `None`: it cannot be told (a pseudo terminal, and a master that says nothing beside).
        parity: Option<Parity>,
        /// 1 or 2.
        stop_bits: u8,
    },
    /// They cannot: the settings of whoever is asked are taken.
    Unknown,
}

impl Tuning {
    /// Settings that are known.
    pub fn of(line: LineSettings) -> Self {
        Self::Seen { baud: line.baud, parity: Some(line.parity), stop_bits: line.stop_bits }
    }

    /// Whether a slave with these settings understands what is sent.
    pub fn fits(self, line: LineSettings) -> bool {
        match self {
            Self::Unknown => true,
            // A receiver looks at the first stop bit only: their number does not matter to it.
            Self::Seen { baud, parity, .. } => {
                baud == line.baud && parity.is_none_or(|parity| parity == line.parity)
            }
        }
    }

    fn line(self) -> Option<LineSettings> {
        match self {
            Self::Unknown => None,
            Self::Seen { baud, parity, stop_bits } => {
                Some(LineSettings { baud, parity: parity.unwrap_or_default(), stop_bits })
            }
        }
    }
}

/// Another master on the line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    /// What it sends; slaves that it asks answer it.
    pub frame: Vec<u8>,
    /// Time between two of its requests.
    pub every: Duration,
    /// Its settings.
    pub line: LineSettings,
}

/// What a master has sent and the slaves have not yet judged.
#[derive(Debug)]
struct Heard {
    bytes: Vec<u8>,
    /// Where the present transmission begins in `bytes`.
    burst: usize,
    begin: Instant,
    /// When the last character has come.
    end: Instant,
    /// The end was not yet looked at.
    pending: bool,
    collided: bool,
    line: LineSettings,
    idle: Duration,
}

impl Heard {
    fn new(now: Instant, line: LineSettings) -> Self {
        let bytes = Vec::new();
        let idle = Duration::ZERO;
        Self { bytes, burst: 0, begin: now, end: now, pending: false, collided: false, line, idle }
    }
}

/// All that is on a line.
#[derive(Debug)]
pub(super) struct Engine {
    pub stations: Vec<Station>,
    pub log: Log,
    /// The adapter hears itself.
    pub echo: bool,
    /// Settings to assume while nobody was asked.
    pub assumed: LineSettings,
    /// Who answers instead of stations.
    pub replay: Option<Replay>,
    foreign: Option<(Foreign, Instant)>,
    wire: Wire,
    heard: Option<Heard>,
    dice: fastrand::Rng,
}

impl Engine {
    pub fn new(stations: Vec<Station>, assumed: LineSettings, seed: u64) -> Self {
        Self {
            stations,
            log: Log::default(),
            echo: false,
            assumed,
            replay: None,
            foreign: None,
            wire: Wire::default(),
            heard: None,
            dice: fastrand::Rng::with_seed(seed),
        }
    }

    /// Another master begins or ends to send.
    pub fn set_foreign(&mut self, now: Instant, foreign: Option<Foreign>) {
        self.foreign = foreign.map(|foreign| {
            let first = now + foreign.every;
            (foreign, first)
        });
    }

    /// The master has written bytes: they go over the wire from now on, or behind those that it
    /// wrote before.
    pub fn hear(&mut self, now: Instant, bytes: &[u8], tuning: Tuning) {
        if bytes.is_empty() {
            return;
        }
        let over = self.log.over();
        let mut heard = self.heard.take().unwrap_or_else(|| Heard::new(now, self.assumed));
        if !heard.pending {
            if now > heard.end + FORGET {
                heard.bytes.clear();
            }
            // A pause ends a Modbus frame.
            if now > heard.end + heard.line.frame_gap() || heard.bytes.is_empty() {
                heard.burst = heard.bytes.len();
            }
            heard.begin = now.max(heard.end);
            heard.end = heard.begin;
            heard.collided = false;
            heard.idle =
                over.map_or(Duration::ZERO, |over| heard.begin.saturating_duration_since(over));
        }
        if heard.bytes.len() + bytes.len() > MOST {
            heard.bytes.clear();
            heard.burst = 0;
        }
        heard.bytes.extend(&bytes[..bytes.len().min(MOST)]);
        heard.line = tuning.line().unwrap_or_else(|| self.guess(&heard));
        let begin = heard.end;
        if self.wire.talk_over(begin, heard.line, bytes) {
            heard.collided = true;
            self.log.collided(begin);
        }
        heard.end = begin + heard.line.time_of(bytes.len());
        if self.echo {
            self.wire.send(begin, heard.line, bytes, true);
        }
        heard.pending = true;
        self.heard = Some(heard);
    }

    /// The settings of whoever is asked.
    fn guess(&self, heard: &Heard) -> LineSettings {
        if let Some(replay) = &self.replay {
            return replay.line_of(&heard.bytes[heard.burst..]);
        }
        let Some((request, _)) = find(&heard.bytes, heard.burst) else { return self.assumed };
        let asked = self.stations.iter().find(|station| station.is_asked(&request));
        asked.map_or(self.assumed, Station::line)
    }

    /// When there is something to do.
    pub fn next(&self) -> Option<Instant> {
        let heard = self.heard.as_ref().filter(|heard| heard.pending).map(|heard| heard.end);
        let foreign = self.foreign.as_ref().map(|(_, at)| *at);
        [heard, foreign, self.wire.next()].into_iter().flatten().min()
    }

    /// Does what is due, and appends what has reached the master.
    pub fn advance(&mut self, now: Instant, tuning: Tuning, out: &mut Vec<u8>) {
        if let Some(heard) = self.heard.take_if(|heard| heard.pending && heard.end <= now) {
            self.settle(heard, tuning);
        }
        if let Some((foreign, at)) = self.foreign.take_if(|(_, at)| *at <= now) {
            self.interfere(&foreign, at);
            self.foreign = Some((foreign.clone(), (at + foreign.every).max(now)));
        }
        out.extend(self.wire.arrived(now).map(|char| {
            // Heard with other settings it is something else.
            let heard = char.own || tuning.fits(char.line);
            if heard { char.byte } else { char.byte.rotate_left(3) ^ 0xA5 }
        }));
    }

    /// The port is closed: nothing reaches anybody.
    pub fn hang_up(&mut self) {
        self.wire.clear();
        self.heard = None;
    }

    /// The end of a transmission: whoever was asked answers.
    fn settle(&mut self, mut heard: Heard, tuning: Tuning) {
        let tuning = match tuning {
            Tuning::Unknown => tuning,
            Tuning::Seen { .. } => Tuning::of_line(heard.line, tuning),
        };
        let sent = heard.bytes[heard.burst..].to_vec();
        let mut entry = Entry {
            begin: heard.begin,
            end: heard.end,
            request: sent,
            line: heard.line,
            whole: false,
            by: Vec::new(),
            reply: Vec::new(),
            answered: None,
            collided: heard.collided,
            idle: heard.idle,
            foreign: false,
        };
        heard.pending = false;
        if heard.collided {
            heard.bytes.clear();
        }
        if let Some(parts) = self.replay.as_mut().and_then(|replay| replay.answer(&entry.request)) {
            entry.whole = true;
            heard.bytes.clear();
            for part in parts {
                let begin = heard.end + part.after;
                let (end, _) = self.wire.send(begin, part.line, &part.bytes, false);
                entry.answered = Some((entry.answered.map_or(begin, |first| first.0), end));
                entry.reply.extend(part.bytes);
            }
        }
        for _ in 0..FRAMES {
            let Some((request, end)) = find(&heard.bytes, heard.burst) else { break };
            entry.whole = true;
            self.ask(&request, heard.end, tuning, &mut entry);
            heard.bytes.drain(..end);
            heard.burst = heard.burst.saturating_sub(end);
        }
        if !entry.whole {
            self.mutter(None, heard.end, tuning);
        }
        self.log.push(entry);
        self.heard = Some(heard);
    }

    /// Lets every station hear a request.
    fn ask(&mut self, request: &Request, at: Instant, tuning: Tuning, entry: &mut Entry) {
        for station in &mut self.stations {
            if !tuning.fits(station.line()) {
                continue;
            }
            let Some(answer) = station.answer(request, at, &mut self.dice) else { continue };
            let begin = at + answer.delay;
            let (mut end, mut collided) =
                self.wire.send(begin, station.line(), &answer.bytes, false);
            if let Some(after) = answer.again {
                let (over, met) =
                    self.wire.send(begin + after, station.line(), &answer.bytes, false);
                end = end.max(over);
                collided |= met;
            }
            let first = entry.answered.map_or(begin, |(first, _)| first.min(begin));
            let last = entry.answered.map_or(end, |(_, last)| last.max(end));
            entry.answered = Some((first, last));
            entry.by.push(station.address());
            entry.reply.extend(&answer.bytes);
            if collided {
                entry.collided = true;
                self.log.collided(begin);
            }
        }
        self.mutter(Some(request), at, tuning);
    }

    /// Stations with other settings that do not keep silent when they are asked, or when all hear
    /// noise. What is meant for another is none of theirs.
    fn mutter(&mut self, request: Option<&Request>, at: Instant, tuning: Tuning) {
        let concerns = |station: &&Station| {
            !tuning.fits(station.line()) && request.is_none_or(|request| station.is_asked(request))
        };
        for station in self.stations.iter().filter(concerns) {
            if let Some(noise) = station.garbage(&mut self.dice) {
                self.wire.send(at + station.delay(), station.line(), &noise, false);
            }
        }
    }

    /// The other master sends, without looking whether the line is free.
    fn interfere(&mut self, foreign: &Foreign, at: Instant) {
        let idle =
            self.log.over().map_or(Duration::ZERO, |over| at.saturating_duration_since(over));
        let (end, mut collided) = self.wire.send(at, foreign.line, &foreign.frame, false);
        if let Some(heard) = self.heard.as_mut().filter(|heard| heard.pending) {
            heard.collided = true;
            collided = true;
        }
        let mut entry = Entry {
            begin: at,
            end,
            request: foreign.frame.clone(),
            line: foreign.line,
            whole: false,
            by: Vec::new(),
            reply: Vec::new(),
            answered: None,
            collided,
            idle,
            foreign: true,
        };
        if collided {
            self.log.collided(at);
        } else if let Some((request, _)) = find(&foreign.frame, 0) {
            entry.whole = true;
            self.ask(&request, end, Tuning::of(foreign.line), &mut entry);
        }
        self.log.push(entry);
    }
}

impl Tuning {
    /// What was seen when the request came; the parity may not be known.
    fn of_line(line: LineSettings, seen: Tuning) -> Self {
        let unknown = matches!(seen, Tuning::Seen { parity: None, .. });
        let parity = if unknown { None } else { Some(line.parity) };
        Self::Seen { baud: line.baud, parity, stop_bits: line.stop_bits }
    }
}
