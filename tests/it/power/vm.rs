//! The box: a virtual machine with the daemon of this build, on a disk with a write cache of its
//! own. A cut takes both at once, and with them everything that was not flushed.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::parts::{Process, free_port, wait_until};

use super::disk::Disk;
use super::unix_ms;

/// How the clock of the box is after a cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// Right, and trusted from the start.
    Trusted,
    /// In 1970, until a time service sets it three seconds later.
    Late,
    /// In 1970, and nobody sets it.
    Wrong,
}

impl Clock {
    fn word(self) -> &'static str {
        match self {
            Self::Trusted => "trusted",
            Self::Late => "late",
            Self::Wrong => "never",
        }
    }
}

/// What every boot of the box needs: kernel and a file system in memory.
pub struct Image {
    kernel: PathBuf,
    initrd: PathBuf,
}

impl Image {
    /// Packs the daemon that was built for this test run with its libraries, `config` and the
    /// device profiles of a folder.
    pub fn new(folder: &Path, config: &str, profiles: &Path) -> Self {
        let kernel = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/power-kernel");
        assert!(kernel.join("vmlinuz").exists(), "the kernel is missing: run tests/kernel");
        let root = folder.join("root");
        for name in ["bin", "etc/profiles", "modules"] {
            fs::create_dir_all(root.join(name)).unwrap();
        }
        let init = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/power/guest.sh");
        fs::copy(init, root.join("init")).unwrap();
        fs::set_permissions(root.join("init"), fs::Permissions::from_mode(0o755)).unwrap();
        fs::write(root.join("etc/linli.toml"), config).unwrap();
        copy_into(&root, &["/bin/busybox", "/usr/bin/busybox"], "bin/busybox");
        copy_all(&kernel.join("modules"), &root.join("modules"));
        copy_all(profiles, &root.join("etc/profiles"));
        let daemon = root.join("bin/linli");
        run(Command::new("strip").arg("-o").arg(&daemon).arg(env!("CARGO_BIN_EXE_linli")));
        for library in libraries(env!("CARGO_BIN_EXE_linli")) {
            let place = root.join(library.strip_prefix("/").unwrap());
            fs::create_dir_all(place.parent().unwrap()).unwrap();
            fs::copy(&library, place).unwrap();
        }
        if !root.join("lib64").exists() && root.join("usr/lib64").exists() {
            symlink("usr/lib64", root.join("lib64")).unwrap();
        }
        let initrd = folder.join("initrd");
        run(Command::new("sh").current_dir(&root).args(["-c", PACK]).env("OUT", &initrd));
        fs::remove_dir_all(root).unwrap();
        Self { kernel: kernel.join("vmlinuz"), initrd }
    }
}

const PACK: &str = "find . | cpio -o -H newc --quiet -R 0:0 >\"$OUT\"";

fn copy_into(root: &Path, places: &[&str], to: &str) {
    let found = places.iter().find(|place| Path::new(place).exists());
    fs::copy(found.expect("busybox-static is installed"), root.join(to)).unwrap();
}

fn copy_all(from: &Path, to: &Path) {
    for file in fs::read_dir(from).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// The loader and the libraries of a program, as its own loader finds them.
fn libraries(program: &str) -> Vec<PathBuf> {
    let output = Command::new("ldd").arg(program).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.split_whitespace().filter(|word| word.starts_with('/')).map(PathBuf::from).collect()
}

/// Runs a tool of the system, which must succeed.
pub fn run(command: &mut Command) {
    let output = command.output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?}: {said}");
}

/// One boot, until the power goes.
pub struct Vm {
    machine: Process,
    disk: Process,
    console: PathBuf,
    /// Where the page of the box is reached.
    pub page: SocketAddr,
    shell: u16,
}

impl Vm {
    /// Switches the box on, whose clock, where it is right, is so many hours ahead of this
    /// machine's. Does not wait.
    pub fn boot(image: &Image, disk: &Disk, clock: Clock, ahead: u64) -> Self {
        let server = disk.serve();
        let console = disk.folder.join("console");
        let _gone = fs::remove_file(&console);
        let (page, shell) = (free_port(), free_port());
        let now = u64::try_from(unix_ms() / 1000).unwrap() + ahead * 3600;
        let words = format!(
            "console=ttyS0 quiet panic=-1 linli.clock={} linli.now={} linli.mount={}",
            clock.word(),
            now,
            disk.mount
        );
        let rtc = match clock {
            Clock::Trusted => format!("base={}", utc(now)),
            Clock::Late | Clock::Wrong => "base=1970-01-02T00:00:00".to_owned(),
        };
        let network = format!(
            "user,id=net,hostfwd=tcp:127.0.0.1:{page}-:8081,hostfwd=tcp:127.0.0.1:{shell}-:8082"
        );
        let drive = format!(
            "if=none,id=disk,format=raw,cache=writeback,werror=report,rerror=report,\
             file.driver=nbd,file.server.type=unix,file.server.path={}",
            disk.socket().display()
        );
        let mut command = Command::new("qemu-system-x86_64");
        command
            .args(["-accel", "tcg", "-cpu", "max", "-m", "384", "-smp", "1"])
            .args(["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"])
            .arg("-kernel")
            .arg(&image.kernel)
            .arg("-initrd")
            .arg(&image.initrd)
            .args(["-append", &words, "-rtc", &rtc, "-netdev", &network, "-drive", &drive])
            .args(["-device", "virtio-blk-pci,drive=disk"])
            .args(["-device", "virtio-net-pci,netdev=net,romfile="])
            .arg("-serial")
            .arg(format!("file:{}", console.display()))
            .stdin(Stdio::null());
        let machine = Process::start(&mut command);
        let page = SocketAddr::from(([127, 0, 0, 1], page));
        Self { machine, disk: server, console, page, shell }
    }

    /// Everything that the box printed so far.
    pub fn console(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.console).unwrap_or_default()).into_owned()
    }

    /// Waits until the box printed this line.
    pub fn wait_for(&self, line: &str) {
        let seen = || self.console().lines().any(|printed| printed.trim_end() == line);
        let mut patience = 0;
        wait_until(&format!("the box prints {line}"), || {
            patience += 1;
            assert!(patience < 1100, "no `{line}` on the console:\n{}", self.console());
            assert!(!self.console().contains("@@broken"), "{}", self.console());
            seen()
        });
    }

    /// What the box last said under this word, as JSON.
    pub fn said(&self, word: &str) -> Option<serde_json::Value> {
        let text = self.console();
        let mark = format!("@@{word} ");
        let line = text.lines().rfind(|line| line.starts_with(&mark))?;
        let value = line.strip_prefix(&mark)?;
        let parsed = serde_json::from_str(value.trim_end());
        Some(parsed.unwrap_or_else(|error| panic!("{error}: {line}\n{text}")))
    }

    /// Runs a command of the shell in the box; returns what it printed.
    pub fn order(&self, command: &str) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.shell)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        writeln!(stream, "( {command} ) 2>&1; echo; echo '@@'done; exit").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.trim_end().ends_with("@@done"), "`{command}` in the box: {answer}");
        answer.trim_end().trim_end_matches("@@done").trim().to_owned()
    }

    /// Takes the power away from box and disk at once. Returns the whole console.
    pub fn cut(self) -> String {
        let ids = [self.machine.id().to_string(), self.disk.id().to_string()];
        let killed = Command::new("kill").arg("-KILL").args(&ids).status().unwrap();
        assert!(killed.success(), "the box or its disk was gone before the cut");
        let console = self.console();
        self.machine.wait();
        self.disk.wait();
        console
    }
}

/// As qemu wants the time.
fn utc(unix_s: u64) -> String {
    let mut date = Command::new("date");
    date.args(["-u", "-d", &format!("@{unix_s}"), "+%Y-%m-%dT%H:%M:%S"]);
    String::from_utf8(date.output().unwrap().stdout).unwrap().trim().to_owned()
}
