//! The campaign of power cuts.

use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::parts::let_run;

use super::disk::Disk;
use super::oracle::Left;
use super::trial::{Cut, Trial};
use super::vm::{Clock, Image, Vm};
use super::{Folder, bloat, ordered, unix_ms};

/// When the power goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// While the files of the store are rebuilt.
    Rebuild,
    /// While the disk takes a flush.
    Flush,
    /// Soon after the daemon was started.
    Start,
    /// While an urgent event is under way.
    Urgent,
    /// Any time.
    Anytime,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Rebuild, Self::Flush, Self::Start, Self::Urgent, Self::Anytime];

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

/// A file that is written beside the daemon's, once with fsync and once without.
#[derive(Default)]
struct Control {
    /// Cuts with a line before them.
    judged: u64,
    /// Of them, those that took lines that were not synced.
    took: u64,
    /// Lines not synced that are gone.
    plain: u64,
    /// Lines synced, all of which are there.
    synced: u64,
}

/// A box that is cut again and again, with its site.
pub(super) struct Victim {
    pub trial: Trial,
    image: Image,
    pub disk: Disk,
    control: Control,
    said: u64,
    /// Whether the control of this life counts.
    controlled: bool,
}

impl Victim {
    pub fn new(folder: &Path, journal: bool) -> Self {
        let trial = Trial::new(folder);
        let profiles = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power/profiles");
        let config = trial.site.config("10.0.2.2", "/data", "/etc", 8080);
        let image = Image::new(folder, &config, &profiles);
        let disk = Disk::new(folder, journal);
        Self { trial, image, disk, control: Control::default(), said: 0, controlled: true }
    }

    /// The first boot: everything works, the field begins to count.
    pub fn begin(&mut self) -> Vm {
        let vm = Vm::boot(&self.image, &self.disk, Clock::Trusted, 0);
        vm.wait_for("@@daemon");
        self.trial.begin(vm.page);
        vm
    }

    /// Boots after a cut, and holds what it left against the promises. Each time the clock, where
    /// it is right, is three hours further, so that days of evidence are closed.
    pub fn again(&mut self, clock: Clock) -> Vm {
        let hours = 3 * self.trial.cuts.len() as u64;
        let vm = Vm::boot(&self.image, &self.disk, clock, hours);
        vm.wait_for("@@daemon");
        let stored = vm.said("stored").expect("there is a store");
        let stored = stored.as_array().unwrap().iter().map(|seq| seq.as_u64().unwrap()).collect();
        let (buffer, chain) = (vm.said("buffer").unwrap(), vm.said("chain").unwrap());
        self.trial.look(&Left { buffer, stored, chain });
        if let Some(control) = vm.said("control") {
            self.judge_control(&control);
        }
        vm
    }

    /// The harness must not lie: what was flushed is there. What was not may be there, when the
    /// kernel wrote it early, but not as a rule.
    fn judge_control(&mut self, control: &Value) {
        let (plain, synced) = (control["plain"].as_u64().unwrap(), control["synced"].as_u64());
        let (synced, said) = (synced.unwrap(), self.said);
        assert!(synced >= said, "THE DISK LIES: {said} lines were synced, {synced} are left");
        self.control.synced += said;
        self.control.judged += u64::from(said > 0);
        self.control.took += u64::from(plain < said);
        self.control.plain += said.saturating_sub(plain);
    }

    /// A fault of the disk itself: the control says nothing any more.
    pub fn without_control(&mut self, vm: &Vm) {
        vm.order("rm -rf /data/control");
        self.controlled = false;
    }

    /// Takes the power away.
    pub fn cut(&mut self, vm: Vm, started: i64, kind: &'static str) {
        let at = unix_ms();
        let console = vm.cut();
        self.trial.cuts.push(Cut { started, at, kind });
        let mut said = console.lines().filter_map(|line| line.strip_prefix("@@said "));
        let said = said.next_back().map_or(0, |number| number.trim().parse().unwrap());
        self.said = if std::mem::replace(&mut self.controlled, true) { said } else { 0 };
        let ended = console.lines().find(|line| line.starts_with("@@ended"));
        assert!(ended.is_none(), "the daemon ended by itself:\n{console}");
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
            self.trial.site.link(chance.bool());
        }
        match kind {
            Kind::Start => let_run(Duration::from_millis(chance.u64(..3000))),
            Kind::Anytime => {
                self.trial.await_page(vm.page);
                self.trial.until(vm.page, unix_ms() + chance.i64(0..6000));
            }
            Kind::Flush => {
                self.trial.await_page(vm.page);
                self.trial.until(vm.page, unix_ms() + chance.i64(0..2500));
                self.await_flush();
                let_run(Duration::from_micros(chance.u64(..20_000)));
            }
            Kind::Urgent => {
                self.trial.await_page(vm.page);
                self.trial.until(vm.page, unix_ms() + chance.i64(0..2000));
                self.trial.site.presence(chance.bool());
                let_run(Duration::from_millis(chance.u64(..600)));
            }
            Kind::Rebuild => {
                vm.wait_for("@@rebuild");
                let_run(Duration::from_millis(chance.u64(..400)));
            }
        }
        self.cut(vm, started, kind.word());
    }

    /// Until the platter changes: the disk takes a flush now.
    fn await_flush(&self) {
        let before = self.disk.flushed();
        for _ in 0..10_000 {
            if self.disk.flushed() != before {
                return;
            }
            let_run(Duration::from_millis(1));
        }
        panic!("no flush in ten seconds");
    }

    /// The line is whole again: everything arrives. Returns how much that is.
    pub fn finish(&mut self) -> u64 {
        let vm = self.again(Clock::Trusted);
        self.trial.await_page(vm.page);
        let messages = self.trial.drain(vm.page);
        self.trial.was_real(messages);
        let Control { judged, took, .. } = self.control;
        assert!(judged > 0, "no cut had a control");
        assert!(took * 10 >= judged * 9, "THE HARNESS LIES: {took} of {judged} cuts took anything");
        messages
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_power_is_cut_at_any_moment() {
    let folder = Folder::new();
    let cuts = ordered("LINLI_POWER_CUTS", 4);
    let seed = ordered("LINLI_POWER_SEED", 1);
    println!("power cuts: {cuts}, seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut victim = Victim::new(folder.path(), true);
    let started = unix_ms();
    let vm = victim.begin();
    victim.trial.until(vm.page, unix_ms() + 3000);
    victim.trial.site.link(false);
    victim.trial.until(vm.page, unix_ms() + 2000);
    victim.cut(vm, started, Kind::Anytime.word());
    for number in 1..cuts {
        // A few cuts take one kind after the other; many take them by chance.
        let planned = Kind::ALL.get(usize::try_from(number - 1).unwrap());
        let kind = planned.copied().unwrap_or_else(|| Kind::ALL[chance.usize(..Kind::ALL.len())]);
        victim.live(kind, &mut chance);
        if number % 10 == 0 {
            println!("{number} cuts, {} blocks acknowledged", victim.trial.oracle.acknowledged());
        }
    }
    let messages = victim.finish();
    let Control { judged, took, plain, synced } = victim.control;
    let more = [
        (
            "control: unsynced lines lost",
            format!("{plain} of {synced}, in {took} of {judged} cuts"),
        ),
        ("control: synced lines lost", format!("0 of {synced}")),
    ];
    println!("{}", victim.trial.table("power cuts", messages, seed, &more));
}
