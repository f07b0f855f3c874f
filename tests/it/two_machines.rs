//! A buffer that two programs read and write in turn: the one that is tested and the one of this
//! machine. `tests/arm` makes the first a program of another processor and another size of words;
//! otherwise both are the same, and what is stored must outlive the kills all the same.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::parts::{Process, ask, daemon, free_port, modbus_peer, native, program, wait_until};

struct Site {
    folder: tempfile::TempDir,
    page: u16,
    _meter: Process,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (page, modbus) = (free_port(), free_port());
        let meter = modbus_peer(&["tcp", &modbus.to_string(), "1"]);
        let text = format!(
            "[gateway]\nid = \"carried\"\nname = \"二号院\"\n[clock]\ntrust = \"system\"\n\
             [buffer]\npath = \"{}/buffer\"\nkeep_free = \"1MiB\"\n\
             [status]\nlisten = \"127.0.0.1:{page}\"\naccess = \"open\"\n\
             [stars]\nevery = \"10s\"\n\
             [[bus]]\nid = \"row\"\ntcp = \"127.0.0.1:{modbus}\"\n\
             [[device]]\nid = \"meter\"\nprofile = \"eastron-sdm120\"\nbus = \"row\"\nunit = 1\n\
             period = \"1s\"\n",
            folder.path().display()
        );
        fs::write(folder.path().join("linli.toml"), text).unwrap();
        Self { folder, page, _meter: meter }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn blocks(&self) -> u64 {
        let status = ask(SocketAddr::from(([127, 0, 0, 1], self.page)), "/api/v1/buffer");
        status.and_then(|status| status["blocks"].as_u64()).unwrap_or(0)
    }

    /// Lets this program add three blocks, then kills it.
    fn add(&self, program: &Path) {
        let log = self.path("log");
        let daemon = daemon(program, &self.path("linli.toml"), &log);
        wait_until("it reads what is stored", || self.blocks() > 0);
        let before = self.blocks();
        wait_until("three more blocks are stored", || self.blocks() >= before + 3);
        daemon.kill();
        let told = fs::read_to_string(log).unwrap();
        assert!(!told.contains("damaged") && !told.contains("ERROR"), "{told}");
    }

    /// Every stored block in the words of this program, after it found all of them whole.
    fn stored(&self, program: &Path) -> Vec<String> {
        let run = |arguments: &[&str]| {
            let mut command = Command::new(program);
            command.args(arguments).arg("--config").arg(self.path("linli.toml"));
            let output = command.output().unwrap();
            let told = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.success(), "{arguments:?}: {told}");
            String::from_utf8(output.stdout).unwrap()
        };
        let verified = run(&["buffer", "verify"]);
        assert!(verified.contains("every block is whole"), "{verified}");
        run(&["buffer", "export"]).lines().map(str::to_owned).collect()
    }

    /// The same by both programs.
    fn agreed(&self) -> Vec<String> {
        let (tested, here) = (self.stored(&program()), self.stored(&native()));
        assert_eq!(tested, here, "two programs read one buffer differently");
        here
    }
}

#[test]
fn a_buffer_that_two_programs_write_in_turn_keeps_every_block_and_reads_the_same_in_both() {
    let site = Site::new();
    let mut stored: Vec<String> = Vec::new();
    for program in [program(), native(), program()] {
        site.add(&program);
        let now = site.agreed();
        assert!(now.len() >= stored.len() + 3, "{} blocks, {} before", now.len(), stored.len());
        for block in &stored {
            assert!(now.contains(block), "a block of the run before is gone: {block}");
        }
        stored = now;
    }
    let documents: Vec<serde_json::Value> =
        stored.iter().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert!(
        documents.iter().all(|d| d["epoch"] == documents[0]["epoch"]),
        "one life of the buffer"
    );
    let devices = |d: &serde_json::Value| d["devices"].as_array().is_some_and(|d| !d.is_empty());
    assert!(documents.iter().filter(|d| devices(d)).count() >= 3, "readings and not only events");
}
