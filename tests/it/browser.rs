//! The pages in a real browser: Chromium, driven by `peers/browser.py`.

use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::process::{Command, Stdio};

use crate::parts::{Process, ask, free_port, peer, program, python, wait_until};

/// Runs the browser; its screenshots lie in target/browser/WHAT.
fn browse(what: &str, port: u16) {
    let shots = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/browser").join(what);
    let output = python()
        .arg(peer("browser.py"))
        .args([what, &format!("http://127.0.0.1:{port}")])
        .arg(shots)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    let more = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}\n{more}");
}

#[test]
fn every_page_of_the_demo_reads_well_in_a_browser_and_does_what_staff_do_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let page = SocketAddr::from(([127, 0, 0, 1], port));
    let demo = Process::start(
        Command::new(program())
            .args(["demo", "--history", "7d", "--listen", &page.to_string(), "--dir"])
            .arg(folder.path())
            .stdout(Stdio::null()),
    );
    wait_until("the platform has something", || {
        ask(page, "/api/v1/uplink").is_some_and(|uplink| uplink["acknowledged_readings"] != 0)
    });
    browse("look", port);
    browse("act", port);
    drop(demo);
}

#[test]
fn the_configuration_is_edited_in_a_browser_wrongly_and_rightly_and_guesses_are_locked_out() {
    let folder = tempfile::tempdir().unwrap();
    let port = free_port();
    let config = folder.path().join("linli.toml");
    let text = format!(
        "[gateway]\nid = \"trial\"\n\n[clock]\ntrust = \"system\"\n\n[buffer]\n\
         path = \"state/buffer\"\nkeep_free = \"1MiB\"\n\n[status]\nlisten = \"127.0.0.1:{port}\"\n"
    );
    fs::write(&config, text).unwrap();
    fs::create_dir(folder.path().join("state")).unwrap();
    for (name, role, password) in [
        ("anna", "maintainer", "a maintainer's long password"),
        ("vera", "viewer", "a viewer's long password"),
    ] {
        let mut add = Command::new(program())
            .args(["users", "add", name, "--role", role, "--config"])
            .arg(&config)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        writeln!(add.stdin.take().unwrap(), "{password}").unwrap();
        assert!(add.wait().unwrap().success(), "{name}");
    }
    let log = fs::File::create(folder.path().join("log")).unwrap();
    let daemon =
        Process::start(Command::new(program()).args(["run", "--config"]).arg(&config).stderr(log));
    wait_until("the page answers", || TcpStream::connect(("127.0.0.1", port)).is_ok());
    browse("settings", port);
    let now = fs::read_to_string(&config).unwrap();
    assert!(now.contains("name = \"改名的小区\"") && !now.contains("nmae"), "{now}");
    assert!(!fs::read_to_string(folder.path().join("linli.toml.1")).unwrap().contains("改名"));
    assert_eq!(daemon.terminate(), 0);
}
