//! The first command of the README: everything in one process, with nothing else installed.

use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::parts::{Process, ask, emulated, free_port, program, wait_until};

/// A bus of the demo, if it has it.
fn bus(page: SocketAddr, id: &str) -> Option<Value> {
    ask(page, "/api/v1/buses")?.as_array()?.iter().find(|bus| bus["id"] == id).cloned()
}

/// Whether the wiring doctor found the meter that the script connects beside another.
fn found_the_second_meter(page: SocketAddr) -> bool {
    let Some(line) = bus(page, "line-c") else { return false };
    let findings = line["findings"].as_array().unwrap();
    findings
        .iter()
        .any(|one| one["diagnosis"] == "address_collision" && one["devices"][0] == "meter-shed")
}

#[test]
fn the_demo_survives_its_own_faults_and_its_platform_misses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let page = SocketAddr::from(([127, 0, 0, 1], free_port()));
    // Long enough for the dead meter, the falling counter and the cut line to the platform.
    let demo = Process::start(
        Command::new(program())
            .args(["demo", "--for", "65s", "--listen", &page.to_string(), "--dir"])
            .arg(folder.path())
            .stdout(Stdio::piped()),
    );
    wait_until("the page shows the buses", || bus(page, "line-a").is_some());
    // An emulator may have no pseudo terminals (qemu before 10.1): the demo says so, and goes on.
    let mixed = bus(page, "line-c").is_some();
    assert!(mixed || emulated());
    if mixed {
        wait_until("the second meter is found", || found_the_second_meter(page));
    }
    let (code, text) = demo.output();
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("nothing was lost"), "{text}");
    for story in ["stops answering", "is connected", "runs backwards", "is cut", "is whole again"] {
        assert!(text.contains(story), "`{story}` is missing in\n{text}");
    }
    let received = text.lines().find(|line| line.starts_with("readings")).unwrap();
    let devices = if mixed { "devices 66" } else { "devices 51" };
    assert!(received.contains(devices), "{received}");
    let late = text.lines().find(|line| line.starts_with("blocks")).unwrap();
    assert!(!late.contains("late 0,"), "the outage left nothing to follow: {late}");
    let log = std::fs::read_to_string(folder.path().join("linli.log")).unwrap();
    let healthy = log.lines().take_while(|line| !line.contains("offline device=meter-3-2"));
    let told = |line: &&str| line.contains("no pseudo terminal") && !mixed;
    let complaints: Vec<_> = healthy
        .filter(|line| line.contains(" WARN ") || line.contains(" ERROR "))
        .filter(|line| !told(line))
        .collect();
    assert!(complaints.is_empty(), "before anything was wrong: {complaints:#?}");
}
