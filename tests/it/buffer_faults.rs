//! The daemon and its buffer's folder: two daemons on one, a folder that cannot be read.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::parts::{ask, free_port, linli, wait_until};

/// A gateway without devices: it starts, and its start is an event in the buffer.
fn configuration(folder: &Path, name: &str, page: u16) -> PathBuf {
    let file = folder.join(name);
    let text = format!(
        "[gateway]\nid = \"g\"\n[clock]\ntrust = \"system\"\n\
         [buffer]\npath = \"{}/buffer\"\nkeep_free = \"1MiB\"\n\
         [status]\nlisten = \"127.0.0.1:{page}\"\naccess = \"open\"\n",
        folder.display()
    );
    fs::write(&file, text).unwrap();
    file
}

fn stored(log: &Path) -> bool {
    fs::read_to_string(log).is_ok_and(|text| text.contains("the local page is at this address"))
}

#[test]
fn a_second_daemon_on_the_same_buffer_ends_at_once_and_names_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let (first_log, second_log) = (folder.path().join("1.log"), folder.path().join("2.log"));
    let first = linli(&configuration(folder.path(), "1.toml", free_port()), &first_log);
    wait_until("the first daemon runs", || stored(&first_log));
    let second = linli(&configuration(folder.path(), "2.toml", free_port()), &second_log);
    assert_ne!(second.wait(), 0);
    let told = fs::read_to_string(&second_log).unwrap();
    let holder = format!("in use by process {}", first.id());
    assert!(told.contains(&holder) && told.contains("/buffer"), "{told}");
    assert_eq!(first.terminate(), 0, "the first one is not disturbed");
}

#[test]
fn a_buffer_that_cannot_be_read_is_set_aside_and_the_daemon_runs_on() {
    let folder = tempfile::tempdir().unwrap();
    let page = free_port();
    let config = configuration(folder.path(), "linli.toml", page);
    let log = folder.path().join("1.log");
    let daemon = linli(&config, &log);
    wait_until("the daemon runs", || stored(&log));
    assert_eq!(daemon.terminate(), 0);

    let buffer = folder.path().join("buffer");
    fs::write(buffer.join("conf"), "this is no configuration of a store").unwrap();
    let log = folder.path().join("2.log");
    let daemon = linli(&config, &log);
    wait_until("the daemon runs again", || stored(&log));
    assert!(folder.path().join("buffer.damaged-1").join("db").exists(), "kept for inspection");
    let address = SocketAddr::from(([127, 0, 0, 1], page));
    wait_until("it stores", || {
        let metrics = || -> Option<bool> {
            let status = ask(address, "/api/v1/buffer")?;
            // That the buffer was replaced, and that the daemon started.
            Some(status["blocks"].as_u64()? >= 2 && status["fault"].is_null())
        };
        metrics().unwrap_or(false)
    });
    assert_eq!(daemon.terminate(), 0);
    let told = fs::read_to_string(&log).unwrap();
    assert!(told.contains("the buffer was damaged; a new one begins"), "{told}");
    let mut lines = Vec::new();
    linli::buffer::export(&buffer, &mut lines).unwrap();
    let lines = String::from_utf8(lines).unwrap();
    assert!(lines.contains("buffer_replaced") && lines.contains("buffer.damaged-1"), "{lines}");
}
