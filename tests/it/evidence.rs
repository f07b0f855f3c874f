//! The star level's evidence as a user verifies it.

use std::net::SocketAddr;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::{Command, Output};
use std::time::Duration;

use linli::store::{Changes, Limits, Store};

use crate::parts::{ask, free_port, let_run, linli, lonely_site, program, wait_until, watched};

/// 2026-01-01T00:00 in Shanghai.
const MIDNIGHT: i64 = 1_767_196_800_000;

fn verify(folder: &Path, more: &[&str]) -> Output {
    let mut command = Command::new(program());
    command.args(["stars", "verify", "--path"]).arg(folder).args(more);
    command.output().unwrap()
}

#[test]
fn a_changed_byte_of_the_stored_evidence_is_told_with_its_day() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store");
    watched(&path, MIDNIGHT, 73);
    let output = verify(&path, &[]);
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("3 closed days hold"), "{told}");
    assert!(told.contains("2026-01-01 – 2026-01-03"), "{told}");
    {
        let store = Store::open(&path, Limits::default()).unwrap();
        let tree = store.tree("evidence");
        let mut days = Vec::new();
        tree.scan(b"g", b"h", |key, value| {
            days.push((key.to_vec(), value.to_vec()));
            ControlFlow::Continue(())
        })
        .unwrap();
        let (key, mut value) = days.swap_remove(1);
        *value.last_mut().unwrap() ^= 1;
        let mut changes = Changes::default();
        changes.insert(&key, &value);
        tree.apply(changes).unwrap();
        store.commit().unwrap();
    }
    let output = verify(&path, &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = String::from_utf8(output.stderr).unwrap();
    assert!(told.contains("2026-01-02") && told.contains("not as they were written"), "{told}");
    let output = verify(&path, &["--json"]);
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert!(report["fault"]["day"].as_str() == Some("2026-01-02"), "{report}");
}

#[test]
fn a_folder_without_a_store_is_told_and_not_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("nothing");
    let output = verify(&path, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(String::from_utf8(output.stderr).unwrap().contains("there is no store"));
    assert!(!path.exists());
}

#[test]
fn the_daemon_goes_on_with_its_evidence_after_a_restart_and_verifies_it_while_it_runs() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (log, port) = (at.join("log"), free_port());
    let page = SocketAddr::from(([127, 0, 0, 1], port));
    let config = lonely_site(at, port, "一号院");
    let window = || {
        ask(page, "/api/v1/stars").and_then(|stars| stars["window_s"].as_u64()).unwrap_or_default()
    };
    let daemon = linli(&config, &log);
    wait_until("the estate was observed", || window() >= 3);
    let before = window();
    assert_eq!(daemon.terminate(), 0);
    let_run(Duration::from_secs(3));
    let daemon = linli(&config, &log);
    // The first look after the start only shows what was stored.
    wait_until("it observes again", || window() > before);
    let after = window();
    assert!(after >= before + 3, "{before} s before, {after} s after: the time between counts too");
    let output = Command::new(program())
        .args(["stars", "verify", "--config"])
        .arg(&config)
        .output()
        .unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success() && told.contains("closed days hold"), "{told}");
    assert_eq!(daemon.terminate(), 0);
}
