//! What other versions wrote: stores of earlier ones, kept in `tests/data/format-1`, and such as
//! the next one will write.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use linli::store::{Limits, Store};
use serde_json::Value;

use crate::parts::{Process, ask, free_port, linli, program, wait_until};

/// A folder with the store of an earlier version, and a gateway that goes on with it.
struct Kept {
    folder: tempfile::TempDir,
    page: u16,
}

impl Kept {
    fn unpack(name: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/format-1").join(name);
        let packed = zstd::Decoder::new(fs::File::open(file).unwrap()).unwrap();
        tar::Archive::new(packed).unpack(folder.path()).unwrap();
        let page = free_port();
        let text = format!(
            "[gateway]\nid = \"demo\"\n[clock]\ntrust = \"system\"\n\
             [buffer]\npath = \"buffer\"\nkeep_free = \"1MiB\"\n\
             [status]\nlisten = \"127.0.0.1:{page}\"\naccess = \"open\"\n"
        );
        fs::write(folder.path().join("linli.toml"), text).unwrap();
        Self { folder, page }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn store(&self) -> PathBuf {
        self.path("buffer")
    }

    fn start(&self) -> Process {
        linli(&self.path("linli.toml"), &self.path("log"))
    }

    fn command(&self, arguments: &[&str]) -> (i32, String, String) {
        let output = Command::new(program())
            .args(arguments)
            .arg("--config")
            .arg(self.path("linli.toml"))
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    }

    /// Changes what the store says of its formats.
    fn rewrite(&self, change: impl FnOnce(&mut Value)) {
        drop(Store::open(&self.store(), Limits::default()).unwrap());
        let file = self.store().join("formats.json");
        let mut note: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        change(&mut note);
        fs::write(file, note.to_string()).unwrap();
    }

    /// Every file of the store and beside it, but its lock.
    fn bytes(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let mut open = vec![self.folder.path().to_owned()];
        let mut found = BTreeMap::new();
        while let Some(folder) = open.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                if path.is_dir() {
                    open.push(path);
                } else if !["log", "buffer.lock"].contains(&&*name) {
                    found.insert(path.clone(), fs::read(&path).unwrap());
                }
            }
        }
        found
    }
}

const DEMO: &str = "demo-2026-11-27.tar.zst";

#[test]
fn every_block_of_an_earlier_version_opens_and_its_evidence_holds() {
    let kept = Kept::unpack(DEMO);
    let found = linli::buffer::inspect(&kept.store()).unwrap();
    assert_eq!(found.epoch.unwrap().to_string(), "131bea32eb4b6636");
    assert_eq!(found.next_seq.0, 85);
    let blocks: Vec<(u64, u64)> = found.lanes.iter().map(|l| (l.blocks, l.readings)).collect();
    assert_eq!(blocks, [(1, 0), (11, 1043)]);
    assert!(found.damaged.is_empty(), "{:?}", found.damaged);
    let (code, lines, told) = kept.command(&["buffer", "export"]);
    assert_eq!((code, lines.lines().count()), (0, 12), "{told}");
    for line in lines.lines() {
        let block: Value = serde_json::from_str(line).unwrap();
        assert!(block.is_object(), "{line}");
    }
    assert!(lines.contains("totalActiveEnergyImport"));
    let (code, told, faults) = kept.command(&["stars", "verify", "--json"]);
    assert_eq!(code, 0, "{told}{faults}");
}

#[test]
fn the_gateway_goes_on_where_an_earlier_version_stopped() {
    let kept = Kept::unpack(DEMO);
    let daemon = kept.start();
    let page = std::net::SocketAddr::from(([127, 0, 0, 1], kept.page));
    wait_until("the gateway has committed", || {
        ask(page, "/api/v1/buffer").is_some_and(|status| status["commits"].as_u64() > Some(0))
    });
    let status = ask(page, "/api/v1/buffer").unwrap();
    assert_eq!(status["epoch"], "131bea32eb4b6636", "the same life");
    assert!(status["next_seq"].as_u64().unwrap() > 85, "positions go on: {status}");
    assert!(status["blocks"].as_u64().unwrap() > 12, "and nothing is lost: {status}");
    assert_eq!((&status["damaged_blocks"], &status["evicted_blocks"]), (&0.into(), &0.into()));
    assert_eq!(daemon.terminate(), 0);
    assert!(!kept.path("buffer.damaged-1").exists());
    let note = fs::read_to_string(kept.store().join("formats.json")).unwrap();
    assert!(note.contains("\"queue\""), "{note}");
}

#[test]
fn the_trail_and_the_users_of_the_version_before_are_read_and_gone_on_with() {
    let kept = Kept::unpack("gateway-2026-11-27.tar.zst");
    let (code, told, faults) = kept.command(&["audit", "--verify", "--json"]);
    let verified: Value = serde_json::from_str(&told).unwrap_or_else(|e| panic!("{e}: {faults}"));
    assert_eq!((code, &verified["entries"], &verified["fault"]), (0, &3.into(), &Value::Null));
    let (code, told, faults) = kept.command(&["users", "list"]);
    assert_eq!(code, 0, "{faults}");
    assert!(told.contains("wang") && told.contains("script"), "{told}");
    let before = fs::read_to_string(kept.path("users.json")).unwrap();
    assert!(!before.contains("readable_by"), "it was written before formats were noted");
    // Taken out of the trail's own chain: the entry of this version follows those before.
    let (code, _, faults) = kept.command(&["users", "role", "wang", "viewer"]);
    assert_eq!(code, 0, "{faults}");
    assert!(fs::read_to_string(kept.path("users.json")).unwrap().contains("\"readable_by\": 1"));
    let daemon = kept.start();
    let page = std::net::SocketAddr::from(([127, 0, 0, 1], kept.page));
    wait_until("the gateway has committed", || {
        ask(page, "/api/v1/buffer").is_some_and(|status| status["commits"].as_u64() > Some(0))
    });
    assert_eq!(daemon.terminate(), 0);
    let (_, told, _) = kept.command(&["audit", "--verify", "--json"]);
    let verified: Value = serde_json::from_str(&told).unwrap();
    assert_eq!(verified["fault"], Value::Null, "{told}");
    assert!(verified["entries"].as_u64() >= Some(3), "{told}");
}

#[test]
fn what_the_next_version_adds_is_read_and_stays() {
    let kept = Kept::unpack(DEMO);
    kept.rewrite(|note| {
        note["parts"]["queue"] = serde_json::json!({ "format": 2, "readable_by": 1 });
        note["parts"]["tariffs"] = serde_json::json!({ "format": 1, "readable_by": 0 });
    });
    let daemon = kept.start();
    let page = std::net::SocketAddr::from(([127, 0, 0, 1], kept.page));
    wait_until("the gateway has committed", || {
        ask(page, "/api/v1/buffer").is_some_and(|status| status["commits"].as_u64() > Some(0))
    });
    assert_eq!(daemon.terminate(), 0);
    let note: Value =
        serde_json::from_slice(&fs::read(kept.store().join("formats.json")).unwrap()).unwrap();
    assert_eq!(note["parts"]["queue"]["format"], 2, "the next version finds its own again");
    assert_eq!(note["parts"]["tariffs"]["format"], 1);
}

#[test]
fn what_only_a_later_version_reads_stops_the_gateway_with_words_and_nothing_is_changed() {
    let kept = Kept::unpack(DEMO);
    kept.rewrite(|note| {
        note["parts"]["evidence"] = serde_json::json!({ "format": 3, "readable_by": 2 });
    });
    let before = kept.bytes();
    let (code, _, told) = kept.command(&["run"]);
    assert_eq!(code, 65, "systemd does not try again: {told}");
    for part in ["evidence", "format 3", "up to 1", "buffer", "更高版本"] {
        assert!(told.contains(part), "{part} in {told}");
    }
    let (code, _, told) = kept.command(&["buffer", "verify"]);
    assert!(code == 65 && told.contains("evidence"), "{told}");
    let after = kept.bytes();
    let names: Vec<&PathBuf> = after.keys().filter(|name| !before.contains_key(*name)).collect();
    assert!(names.is_empty(), "{names:?}");
    for (name, bytes) in &before {
        assert!(after.get(name) == Some(bytes), "{} was changed", name.display());
    }
    let (_, told, _) = kept.command(&["doctor", "--json", "--offline"]);
    let report: Value = serde_json::from_str(&told).unwrap();
    let items = report["items"].as_array().unwrap();
    let told = items.iter().find(|item| item["seen"]["en"].as_str().unwrap().contains("evidence"));
    assert_eq!(told.expect("the doctor tells it")["level"], "critical");
}
