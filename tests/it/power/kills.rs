//! The campaign of kills: the same oracle, without a virtual machine, at a quick pace.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linli::buffer;
use linli::starlevel::EvidenceChain;

use crate::parts::{Process, free_port, let_run, linli, wait_closely_until};

use super::oracle::Left;
use super::trial::{Cut, Trial};
use super::{Folder, bloat, ordered, unix_ms, with_evidence};

/// A daemon that is killed again and again.
struct Victim {
    trial: Trial,
    folder: PathBuf,
    page: SocketAddr,
}

impl Victim {
    fn new(folder: &Path) -> Self {
        let trial = Trial::new(folder);
        let page = free_port();
        let etc = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power");
        let (data, etc) = (folder.display().to_string(), etc.display().to_string());
        let config = trial.site.config("127.0.0.1", &data, &etc, page);
        fs::write(folder.join("linli.toml"), config).unwrap();
        with_evidence(folder);
        let page = SocketAddr::from(([127, 0, 0, 1], page));
        Self { trial, folder: folder.to_owned(), page }
    }

    fn start(&self, trusted: bool) -> Process {
        let mark = self.folder.join("synchronised");
        match (trusted, mark.exists()) {
            (true, false) => fs::write(mark, "").unwrap(),
            (false, true) => fs::remove_file(mark).unwrap(),
            _ => {}
        }
        linli(&self.folder.join("linli.toml"), &self.folder.join("log"))
    }

    fn kill(&mut self, mut daemon: Process, started: i64, kind: &'static str) {
        let log = || fs::read_to_string(self.folder.join("log")).unwrap();
        assert!(daemon.is_running(), "the daemon ended by itself:\n{}", log());
        let at = unix_ms();
        daemon.kill();
        self.trial.cuts.push(Cut { started, at, kind });
        self.look();
    }

    /// Looks at a copy: the daemon must meet the files as the kill left them.
    fn look(&mut self) {
        let copy = self.folder.join("copy");
        copy_folder(&self.folder.join("buffer"), &copy);
        let buffer = serde_json::to_value(buffer::inspect(&copy).unwrap()).unwrap();
        let mut lines = Vec::new();
        buffer::export(&copy, &mut lines).unwrap();
        let stored: BTreeSet<u64> = String::from_utf8(lines)
            .unwrap()
            .lines()
            .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap())
            .map(|document| document["seq"].as_u64().unwrap())
            .collect();
        let chain = EvidenceChain::open(&copy).unwrap().verify().unwrap();
        let chain = serde_json::to_value(chain).unwrap();
        fs::remove_dir_all(&copy).unwrap();
        self.trial.look(&Left { buffer, stored, chain });
    }

    /// One life of the daemon, up to its kill.
    fn live(&mut self, chance: &mut fastrand::Rng) {
        let rebuild = chance.u8(..8) == 0;
        if rebuild {
            bloat(&self.folder.join("buffer"));
        }
        let db = self.folder.join("buffer/db");
        let before = fs::metadata(&db).unwrap().len();
        let daemon = self.start(chance.bool());
        let started = unix_ms();
        if chance.u8(..10) < 4 {
            self.trial.site.link(chance.bool());
        }
        let kind = match chance.u8(..4) {
            _ if rebuild => {
                let aside = self.folder.join("buffer.rebuild");
                // A quick one may begin and end between two looks.
                wait_closely_until("the files are rebuilt", || {
                    aside.exists() || fs::metadata(&db).is_ok_and(|db| db.len() < before / 2)
                });
                let_run(Duration::from_millis(chance.u64(..80)));
                "about a rebuild"
            }
            0 => {
                let_run(Duration::from_millis(chance.u64(..400)));
                "at the start"
            }
            1 => {
                self.trial.await_page(self.page);
                self.trial.until(self.page, unix_ms() + chance.i64(0..500));
                self.trial.site.presence(chance.bool());
                let_run(Duration::from_millis(chance.u64(..60)));
                "in an urgent event"
            }
            _ => {
                self.trial.await_page(self.page);
                self.trial.until(self.page, unix_ms() + chance.i64(0..1500));
                "any time"
            }
        };
        self.kill(daemon, started, kind);
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn nothing_acknowledged_is_lost_when_the_daemon_is_killed_at_any_moment() {
    let folder = Folder::new();
    let kills = ordered("LINLI_POWER_KILLS", 12);
    let seed = ordered("LINLI_POWER_SEED", 1);
    println!("kills: {kills}, seed {seed}");
    let mut chance = fastrand::Rng::with_seed(seed);
    let mut victim = Victim::new(folder.path());
    let started = unix_ms();
    let daemon = victim.start(true);
    victim.trial.begin(victim.page);
    victim.trial.until(victim.page, unix_ms() + 2000);
    victim.trial.site.link(false);
    victim.trial.until(victim.page, unix_ms() + 2000);
    victim.kill(daemon, started, "any time");
    for number in 1..kills {
        victim.live(&mut chance);
        if number % 50 == 0 {
            println!("{number} kills, {} blocks acknowledged", victim.trial.oracle.acknowledged());
        }
    }
    let _daemon = victim.start(true);
    victim.trial.await_page(victim.page);
    let messages = victim.trial.drain(victim.page);
    victim.trial.was_real(messages);
    println!("{}", victim.trial.table("kills", messages, seed, &[]));
}
