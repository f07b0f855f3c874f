//! A box for the tests: files in a folder, a service that runs what its unit says, a power that
//! fails before a chosen change.

use std::cmp::Ordering;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;
use crate::whole_file;

/// Twenty bytes of a program's head, then its version and its temper.
const HEAD: &[u8; 20] = b"\x7fELF\x02\x01..............";

/// How a program behaves; stands behind its version.
pub(super) const GOOD: &str = "good";
/// It never shows a reading.
pub(super) const DUMB: &str = "dumb";
/// It ends at once, again and again.
pub(super) const CRASHING: &str = "crashing";
/// It takes only a configuration that was migrated.
pub(super) const RENAMED: &str = "renamed";

pub(super) struct Box_ {
    pub folder: tempfile::TempDir,
    pub places: Places,
    /// What runs: the program's text, and where it was started from.
    pub running: Option<(String, PathBuf)>,
    pub restarts: u64,
    pub failed: bool,
    /// The package that dpkg knows, and whether it got to its end.
    pub installed: Option<String>,
    pub half_installed: bool,
    pub clock: Duration,
    /// Before this change, counted from 0, the power fails.
    pub cut_at: Option<usize>,
    pub changes: Vec<String>,
    pub dead: bool,
    /// dpkg refuses.
    pub no_dpkg: bool,
    /// The drop-in that systemd has read.
    loaded: Option<String>,
}

pub(super) fn program(version: &str, temper: &str) -> Vec<u8> {
    let mut bytes = HEAD.to_vec();
    bytes.extend_from_slice(format!("{version} {temper}").as_bytes());
    bytes
}

/// `temper` of the program inside.
pub(super) fn package(version: &str, temper: &str) -> Vec<u8> {
    format!("!<arch>\nlinli {version} amd64 {temper}").into_bytes()
}

fn cut() -> Fault {
    Fault::new("the power failed", "断电")
}

impl Box_ {
    /// A box on which version 1 runs, as a package or as a bare program.
    pub fn new(as_package: bool) -> Self {
        // Thousands of fsyncs: in memory, where there is such a folder.
        let memory = Path::new("/dev/shm");
        let folder =
            if memory.is_dir() { tempfile::tempdir_in(memory) } else { tempfile::tempdir() };
        let folder = folder.unwrap();
        let at = |name: &str| folder.path().join(name);
        let places = Places {
            folder: at("upgrade"),
            drop_ins: at("run/linli.service.d"),
            program: at("bin/linli"),
            config: at("etc/linli.toml"),
        };
        for name in ["bin", "etc/conf.d", "run"] {
            fs::create_dir_all(at(name)).unwrap();
        }
        fs::write(&places.program, program("1.0.0", GOOD)).unwrap();
        fs::write(&places.config, "old = 1\n").unwrap();
        fs::write(at("etc/conf.d/a.toml"), "old = 2\n").unwrap();
        fs::write(at("etc/password"), "hunter2").unwrap();
        let mut made = Self {
            folder,
            places,
            running: None,
            restarts: 0,
            failed: false,
            installed: as_package.then(|| "1.0.0".to_owned()),
            half_installed: false,
            clock: Duration::ZERO,
            cut_at: None,
            changes: Vec::new(),
            dead: false,
            no_dpkg: false,
            loaded: None,
        };
        made.boot();
        made
    }

    /// The power comes back: `/run` is empty, what was cut is taken up, then the service starts.
    pub fn power_cycle(&mut self, cut_at: Option<usize>) -> Result<Option<Ended>, Fault> {
        drop(fs::remove_dir_all(self.folder.path().join("run")));
        (self.running, self.restarts, self.failed, self.loaded) = (None, 0, false, None);
        (self.dead, self.cut_at) = (false, cut_at);
        self.changes.clear();
        let taken = Desk::take(self.places.clone()).unwrap().recover(self);
        if !self.dead {
            self.boot();
        }
        taken
    }

    fn boot(&mut self) {
        drop(self.start());
    }

    /// What the unit and its drop-in would run.
    pub fn would_run(&self) -> (PathBuf, PathBuf) {
        let Some(text) = &self.loaded else {
            return (self.places.program.clone(), self.places.config.clone());
        };
        let line = text.lines().find(|l| l.starts_with("ExecStart=/")).unwrap();
        let mut words = line.trim_start_matches("ExecStart=").split(" run --config ");
        (words.next().unwrap().into(), words.next().unwrap().into())
    }

    fn start(&mut self) -> Result<(), Fault> {
        let (path, config) = self.would_run();
        let text = text_of(&path);
        self.running = None;
        self.check(&path, &config)?;
        if text.ends_with(CRASHING) {
            self.restarts += 1;
            return Err(Fault::new("it did not become ready", "未就绪"));
        }
        self.running = Some((text, path));
        Ok(())
    }

    pub fn version_in_place(&self) -> String {
        text_of(&self.places.program)
    }
}

fn text_of(path: &Path) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    String::from_utf8_lossy(bytes.get(HEAD.len()..).unwrap_or_default()).into_owned()
}

impl System for Box_ {
    fn about_to(&mut self, what: &str) -> Result<(), Fault> {
        if self.dead || self.cut_at == Some(self.changes.len()) {
            self.dead = true;
            return Err(cut());
        }
        self.changes.push(what.to_owned());
        Ok(())
    }

    fn now(&self) -> Duration {
        self.clock
    }

    fn pause(&mut self, span: Duration) {
        self.clock += span;
    }

    fn wall_ms(&self) -> i64 {
        1_800_000_000_000
    }

    fn verify(
        &mut self,
        file: &Path,
        most: u64,
        out: &mut dyn std::io::Write,
    ) -> Result<(), Fault> {
        let bytes = fs::read(file).unwrap();
        assert!((bytes.len() as u64) < most);
        // A file that is not the signed one is noticed at its end only.
        out.write_all(&bytes).unwrap();
        let signed = fs::read(file.with_extension("minisig")).ok();
        if signed.as_deref() == Some(&bytes) {
            return Ok(());
        }
        Err(Fault::new("the signature does not fit", "签名不符"))
    }

    fn architecture(&mut self) -> Result<String, Fault> {
        Ok("amd64".into())
    }

    fn package(&mut self, file: &Path) -> Result<Package, Fault> {
        let text = String::from_utf8(fs::read(file).unwrap()).unwrap();
        let mut words = text.split_whitespace().skip(1).map(str::to_owned);
        let mut next = || words.next().unwrap();
        Ok(Package { name: next(), version: next(), architecture: next() })
    }

    fn installed(&mut self) -> Option<String> {
        self.installed.clone()
    }

    fn compare(&mut self, one: &str, other: &str) -> Result<Ordering, Fault> {
        Ok(one.cmp(other))
    }

    fn unpack(&mut self, file: &Path, into: &Path) -> Result<(), Fault> {
        let text = String::from_utf8(fs::read(file).unwrap()).unwrap();
        let words: Vec<&str> = text.split_whitespace().collect();
        fs::create_dir_all(into.join("usr/bin")).unwrap();
        fs::write(into.join("usr/bin/linli"), program(words[2], words[4])).unwrap();
        Ok(())
    }

    fn can_install(&mut self, _file: &Path) -> Result<(), Fault> {
        Ok(())
    }

    fn install(&mut self, file: &Path) -> Result<(), Fault> {
        let refused = || Fault::new("dpkg: unmet dependencies", "dpkg：依赖不满足");
        if self.no_dpkg {
            return Err(refused());
        }
        let about = self.package(file)?;
        self.half_installed = true;
        self.about_to("dpkg renames the program")?;
        let root = self.folder.path().join("dpkg");
        self.unpack(file, &root)?;
        let bytes = fs::read(root.join("usr/bin/linli")).unwrap();
        whole_file::replace(&self.places.program, &bytes, 0o755).unwrap();
        self.about_to("dpkg configures")?;
        self.half_installed = false;
        self.installed = Some(about.version);
        Ok(())
    }

    fn version(&mut self, program: &Path) -> Result<String, Fault> {
        Ok(text_of(program).split_whitespace().next().unwrap().to_owned())
    }

    fn check(&mut self, program: &Path, config: &Path) -> Result<(), Fault> {
        let config = fs::read_to_string(config).unwrap();
        let wanted = if text_of(program).ends_with(RENAMED) { "new = " } else { "old = " };
        if config.starts_with(wanted) {
            return Ok(());
        }
        Err(Fault::new(format!("{config:?} has other keys"), "键名不同"))
    }

    fn migrate(&mut self, program: &Path, config: &Path) -> Result<(), Fault> {
        assert!(text_of(program).ends_with(RENAMED));
        for file in [config.to_owned(), config.with_file_name("conf.d/a.toml")] {
            let text = fs::read_to_string(&file).unwrap().replace("old", "new");
            fs::write(&file, text).unwrap();
        }
        Ok(())
    }

    fn reload_units(&mut self) -> Result<(), Fault> {
        self.loaded = fs::read_to_string(self.places.drop_in()).ok();
        Ok(())
    }

    fn restart(&mut self) -> Result<(), Fault> {
        (self.restarts, self.failed) = (0, false);
        self.start()
    }

    fn service(&mut self) -> Result<Service, Fault> {
        Ok(Service {
            active: self.running.is_some(),
            failed: self.failed,
            program: self.running.as_ref().map(|(_, path)| path.clone()),
            restarts: self.restarts,
            result: if self.restarts > 0 { "exit-code".into() } else { "success".into() },
        })
    }

    fn seen(&mut self) -> Result<Seen, Fault> {
        let Some((text, _)) = &self.running else { return Err(Fault::new("nobody", "无应答")) };
        let good = !text.ends_with(DUMB);
        Ok(Seen { devices: true, good_reading: good, platform: true, acknowledged: good })
    }
}
