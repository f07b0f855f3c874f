//! The campaign of power cuts.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::parts::{ask, let_run, wait_until};

use super::disk::Disk;
use super::oracle::{Cut, Left, Oracle, Table};
use super::site::Site;
use super::stream::{Stream, tail};
use super::vm::{Clock, Image, Vm};
use super::{Folder, bloat, ordered, unix_ms};

/// Between two looks at the page.
const GLANCE: Duration = Duration::from_millis(100);

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Soon after the daemon was started.
    Start,
    /// Any time.
    Anytime,
    /// While the disk takes a flush.
    Flush,
    /// While an urgent event is under way.
    Urgent,
    /// While the files of the store are rebuilt.
    Rebuild,
}

impl Kind {
    const ALL: [Self; 5] =
        [Self::Rebuild, Self::Flush, Self::Start, Self::Urgent, Self::Anytime];

    fn word(self) -> &'static str {
        match self {
            Self::Start => "at the start",
            Self::Anytime => "any time",
            Self::Flush => "in a flush",
            Self::Urgent => "in an urgent event",
            Self::Rebuild => "in a rebuild",
        }
    }
}

/// A box with its site, and what is known of both.
pub(super) struct Trial {
    pub image: Image,
    pub disk: Disk,
    pub site: Site,
    pub stream: Stream,
    pub oracle: Oracle,
    cuts: Vec<Cut>,
    /// Lines of the control that a cut took, and those that it had to leave.
    control: (u64, u64),
    said: u64,
    begun: i64,
}

impl Trial {
    pub fn new(folder: &Path, journal: bool) -> Self {
        let site = Site::new(folder);
        let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power/profiles");
        let config = site.config("10.0.2.2", "/data", "/etc/profiles", 8080);
        let image = Image::new(folder, &config, &profiles);
        let disk = Disk::new(folder, journal);
        let stream = Stream::new(site.arrived());
        let (oracle, cuts, control) = (Oracle::default(), Vec::new(), (0, 0));
        let begun = unix_ms();
        Self { image, disk, site, stream, oracle, cuts, control, said: 0, begun }
    }

    /// The first boot: everything works, the field begins to count.
    pub fn begin(&mut self) -> Vm {
        let vm = Vm::boot(&self.image, &self.disk, Clock::Trusted, 0);
        vm.wait_for("@@daemon");
        self.site.presence(true);
        wait_until("the plug is heard", || {
            ask(vm.page, "/api/v1/devices").is_some_and(|devices| {
                let plug = devices.as_array().unwrap().iter().find(|d| d["id"] == "plug");
                plug.unwrap()["health"] == "online"
            })
        });
        self.site.publish();
        vm
    }

    /// Boots after a cut, and holds what it left against the promises.
    pub fn again(&mut self, clock: Clock) -> Vm {
        let hours = 3 * self.cuts.len() as u64;
        let vm = Vm::boot(&self.image, &self.disk, clock, hours);
        vm.wait_for("@@daemon");
        self.stream.catch_up();
        let stored = vm.said("stored").expect("there is a store");
        let stored = stored.as_array().unwrap().iter().map(|seq| seq.as_u64().unwrap()).collect();
        let left = Left {
            buffer: vm.said("buffer").unwrap(),
            stored,
            chain: vm.said("chain").unwrap(),
        };
        self.oracle.look(&left, &self.stream);
        if let Some(control) = vm.said("control") {
            self.judge_control(&control);
        }
        vm
    }

    /// The harness must not lie: what was not flushed is gone, what was is there.
    fn judge_control(&mut self, control: &Value) {
        let (plain, synced) = (control["plain"].as_u64().unwrap(), control["synced"].as_u64());
        let synced = synced.unwrap();
        assert!(synced >= self.said, "THE DISK LIES: {} lines synced, {synced} left", self.said);
        if self.said > 0 {
            let kept = format!("{} lines not synced, {plain} left", self.said);
            assert!(plain < self.said, "THE HARNESS LIES: no power was cut: {kept}");
        }
        self.control.0 += self.said.saturating_sub(plain);
        self.control.1 += self.said;
    }

    /// What the page promises now; nothing while it does not answer.
    pub fn glance(&mut self, vm: &Vm) -> Option<Value> {
        let page = ask(vm.page, "/api/v1/buffer")?;
        self.oracle.promised(&page);
        Some(page)
    }

    /// Takes the power away.
    pub fn cut(&mut self, vm: Vm, started: i64) {
        let at = unix_ms();
        let console = vm.cut();
        self.cuts.push(Cut { started, at });
        let said = console.lines().filter_map(|line| line.strip_prefix("@@said "));
        self.said = said.last().map_or(0, |number| number.trim().parse().unwrap());
        let ended = console.lines().find(|line| line.starts_with("@@ended"));
        assert!(ended.is_none(), "the daemon ended by itself:\n{console}");
    }

    fn until(&mut self, vm: &Vm, end: i64) {
        while unix_ms() < end {
            self.glance(vm);
            let_run(GLANCE);
        }
    }

    fn await_page(&mut self, vm: &Vm) {
        wait_until("the page answers", || self.glance(vm).is_some());
    }

    /// One life of the box, up to its cut.
    fn live(&mut self, kind: Kind, chance: &mut fastrand::Rng) {
        if kind == Kind::Rebuild {
            self.disk.edit("buffer", bloat);
        }
        let clock = [Clock::Trusted, Clock::Late, Clock::Wrong][chance.usize(..3)];
        let vm = self.again(clock);
        let started = unix_ms();
        if chance.u8(..10) < 4 {
            self.site.link(chance.bool());
        }
        let span = |chance: &mut fastrand::Rng, most: i64| chance.i64(0..most);
        match kind {
            Kind::Start => {
                let end = started + span(chance, 3000);
                while unix_ms() < end {
                    let_run(Duration::from_millis(5));
                }
            }
            Kind::Anytime => {
                self.await_page(&vm);
                self.until(&vm, unix_ms() + span(chance, 6000));
            }
            Kind::Flush => {
                self.await_page(&vm);
                self.until(&vm, unix_ms() + span(chance, 2500));
                let before = self.disk.flushed();
                let flushed = || self.disk.flushed() != before;
                let mut patience = 0;
                while !flushed() && patience < 10_000 {
                    patience += 1;
                    let_run(Duration::from_millis(1));
                }
                assert!(flushed(), "no flush in ten seconds");
                let_run(Duration::from_micros(chance.u64(..20_000)));
            }
            Kind::Urgent => {
                self.await_page(&vm);
                self.until(&vm, unix_ms() + span(chance, 2000));
                self.site.presence(chance.bool());
                let_run(Duration::from_millis(chance.u64(..600)));
            }
            Kind::Rebuild => {
                vm.wait_for("@@rebuild");
                let_run(Duration::from_millis(chance.u64(..400)));
            }
        }
        self.cut(vm, started);
        *self.oracle.kinds.entry(kind.word()).or_default() += 1;
    }

    /// The line is whole again: everything arrives.
    pub fn finish(&mut self) -> u64 {
        self.site.link(true);
        let vm = self.again(Clock::Trusted);
        self.await_page(&vm);
        self.drain(&vm)
    }

    /// Waits until everything that the field counted has arrived; returns how much that is.
    pub fn drain(&mut self, vm: &Vm) -> u64 {
        self.site.link(true);
        let messages = self.site.end_of_publishing();
        let mut waited = 0;
        loop {
            self.stream.catch_up();
            let page = self.glance(vm);
            let blocks = page.and_then(|page| page["blocks"].as_u64());
            let missing = self.stream.missing(messages);
            if missing.is_empty() && blocks.is_some_and(|blocks| blocks <= 2) {
                break;
            }
            waited += 1;
            assert!(
                waited < 900,
                "not everything arrived, {} of {messages} are missing: {missing:?}\n{}",
                missing.len(),
                vm.console()
            );
            let_run(GLANCE);
        }
        self.site.link(false);
        let_run(Duration::from_secs(1));
        self.stream.catch_up();
        self.oracle.measure(&self.cuts, &self.stream);
        let summary = self.stream.verifier.summary();
        assert!(summary.is_whole(), "{summary}");
        let verdict = self.site.verdict();
        assert_eq!(verdict["summary"]["open_gaps"], 0, "{verdict}");
        assert_eq!(verdict["summary"]["announced_gaps"], 0, "{verdict}");
        assert_eq!(verdict["summary"]["epochs"], 1, "{verdict}");
        messages
    }

    /// What must have happened, or the campaign says nothing.
    fn was_real(&self, messages: u64) {
        assert!(messages > 0 && self.oracle.acknowledged() > 0, "nothing was at work");
        assert!(self.oracle.at_stake > 0, "no block waited for the platform at any cut");
        assert!(self.control.0 > 0 && self.control.1 > 0, "the control never saw a cut");
        assert!(self.oracle.looks >= self.cuts.len() as u64, "a cut was not looked at");
    }

    fn table(&self, messages: u64, seed: u64) -> String {
        let (gone, said) = self.control;
        let events: Vec<String> =
            self.stream.events.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
        let more = vec![
            ("control: plain lines lost".into(), format!("{gone} of {said}")),
            ("control: synced lines lost".into(), format!("0 of {said}")),
            ("events".into(), events.join(", ")),
        ];
        let (oracle, stream) = (&self.oracle, &self.stream);
        let seconds = u64::try_from((unix_ms() - self.begun) / 1000).unwrap();
        Table { what: "power cuts", oracle, stream, messages, seed, seconds, more }.to_string()
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_is_cut_at_any_moment() {
    let folder = Folder::new();
    let cuts = ordered("LINLI_POWER_CUTS", 4);
    let seed = ordered("LINLI_POWER_SEED", 1);
    println!("power cuts: {cuts}, seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut trial = Trial::new(folder.path(), true);
    let started = unix_ms();
    let vm = trial.begin();
    trial.until(&vm, unix_ms() + 3000);
    trial.site.link(false);
    trial.until(&vm, unix_ms() + 2000);
    trial.cut(vm, started);
    *trial.oracle.kinds.entry(Kind::Anytime.word()).or_default() += 1;
    for number in 1..cuts {
        let planned = Kind::ALL.get(usize::try_from(number - 1).unwrap());
        let kind = planned.copied().unwrap_or_else(|| Kind::ALL[chance.usize(..Kind::ALL.len())]);
        trial.live(kind, &mut chance);
        if number % 10 == 0 {
            println!("{number} cuts, {} blocks acknowledged", trial.oracle.acknowledged());
        }
    }
    let messages = trial.finish();
    trial.was_real(messages);
    println!("{}", trial.table(messages, seed));
    let log = tail(&folder.path().join("receiver.log"), 5);
    assert!(fs::metadata(trial.site.arrived()).unwrap().len() > 0, "{log}");
}
