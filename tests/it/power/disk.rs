//! The disk of the box: a file that holds what reached the platter, served by nbdkit with a write
//! cache in front of it. Only a flush moves the cache to the file; a killed nbdkit takes it along.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use crate::parts::{Process, wait_until};

use super::vm::run;

/// Size of the disk, bytes: small, so that it is full soon.
const SIZE: u64 = 96 << 20;

/// The disk.
pub struct Disk {
    /// Where its files lie.
    pub folder: PathBuf,
    /// Options with which the box mounts it.
    pub mount: &'static str,
}

impl Disk {
    /// A new disk with an ext4 on it, which holds nothing but days of evidence.
    pub fn new(folder: &Path, journal: bool) -> Self {
        let disk = Self { folder: folder.to_owned(), mount: "errors=continue" };
        fs::File::create(disk.platter()).unwrap().set_len(SIZE).unwrap();
        let content = folder.join("content");
        fs::create_dir(&content).unwrap();
        super::with_evidence(&content);
        let journal = if journal { "has_journal" } else { "^has_journal" };
        run(Command::new("mkfs.ext4")
            .args([
                "-q",
                "-F",
                "-b",
                "4096",
                "-m",
                "0",
                "-E",
                "lazy_itable_init=0,lazy_journal_init=0",
                "-O",
            ])
            .arg(journal)
            .arg("-d")
            .arg(&content)
            .arg(disk.platter()));
        fs::remove_dir_all(content).unwrap();
        disk
    }

    fn platter(&self) -> PathBuf {
        self.folder.join("platter")
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.folder.join("disk.sock")
    }

    fn trigger(&self) -> PathBuf {
        self.folder.join("broken")
    }

    /// Starts to serve the disk, with an empty cache.
    pub(super) fn serve(&self) -> Process {
        let _gone = fs::remove_file(self.socket());
        let process = Process::start(
            Command::new("nbdkit")
                .env("TMPDIR", &self.folder)
                .args(["-f", "-U"])
                .arg(self.socket())
                .args(["--filter=error", "--filter=cache", "file"])
                .arg(self.platter())
                .args(["cache=writeback", "error=EIO", "error-rate=0%", "error-pwrite-rate=100%"])
                .arg(format!("error-pwrite-file={}", self.trigger().display())),
        );
        wait_until("the disk is served", || self.socket().exists());
        process
    }

    /// From now on every write fails with EIO, or none does.
    pub fn fail_writes(&self, fail: bool) {
        if fail {
            fs::write(self.trigger(), "").unwrap();
        } else {
            fs::remove_file(self.trigger()).unwrap();
        }
    }

    /// When the platter last changed: a flush arrived.
    pub fn flushed(&self) -> SystemTime {
        fs::metadata(self.platter()).unwrap().modified().unwrap()
    }

    /// Repairs the file system after a cut, as a box does at its start; needed without a journal.
    pub fn check(&self) {
        let done = Command::new("e2fsck").args(["-fy"]).arg(self.platter()).output().unwrap();
        let code = done.status.code().unwrap_or(-1);
        assert!(code <= 1, "e2fsck: {code} {}", String::from_utf8_lossy(&done.stdout));
    }

    /// Takes the folder `name` from the disk, lets `change` work on it, and puts it back. The
    /// box must be off.
    pub fn edit(&self, name: &str, change: impl FnOnce(&Path)) {
        self.check();
        let out = self.folder.join("edited");
        fs::create_dir_all(&out).unwrap();
        self.debugfs(&[format!("rdump /{name} {}", out.display())]);
        let here = out.join(name);
        let before = files(&here);
        assert!(!before.is_empty(), "there is no folder {name} on the disk");
        change(&here);
        let mut orders: Vec<String> =
            before.iter().map(|file| format!("rm /{name}/{file}")).collect();
        for file in files(&here) {
            orders.push(format!("write {}/{file} /{name}/{file}", here.display()));
        }
        self.debugfs(&orders);
        fs::remove_dir_all(&out).unwrap();
        self.check();
    }

    fn debugfs(&self, orders: &[String]) {
        let list = self.folder.join("orders");
        fs::write(&list, orders.join("\n") + "\n").unwrap();
        run(Command::new("debugfs").arg("-w").arg("-f").arg(&list).arg(self.platter()));
    }
}

/// Names of the files directly in a folder.
fn files(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).into_iter().flatten().map(Result::unwrap);
    let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
    files.map(|entry| entry.file_name().into_string().unwrap()).collect()
}
