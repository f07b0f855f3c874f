//! `linli setup` from nothing to the first acknowledged block: a serial line with two meters, the
//! platform's certificate, the real daemon.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};

use linli::sim::line::Line;

use super::daemon::{Place, built_in};
use crate::certificates::{Authority, platform};
use crate::parts::{Process, free_port, program, wait_until};

/// What the box has before: where its state lies in this test, and a comment.
fn before(place: &Place) -> String {
    let text = format!(
        "# written by the integrator\n[clock]\ntrust = \"system\"\n[buffer]\npath = \"{}/buffer\"\n\
         keep_free = \"1MiB\"\n",
        place.folder.display()
    );
    fs::write(place.config(), &text).unwrap();
    text
}

/// Runs the command with what every case of this file has; what is told goes to `told`.
fn setup(place: &Place, more: &[&str]) -> Process {
    let told = fs::File::create(place.folder.join("told")).unwrap();
    let mut command = Command::new(program());
    command.args(["setup", "--yes", "--no-start", "--broker", "none", "--config"]);
    command.arg(place.config()).args(more);
    command.stdout(Stdio::null()).stderr(told);
    Process::start(&mut command)
}

/// The city's broker, and what it gave to this gateway.
fn city(place: &Place, port: u16) -> Process {
    let city = Authority::new("the city");
    for name in ["ca.pem", "clients.pem"] {
        fs::write(place.folder.join(name), city.0.pem()).unwrap();
    }
    city.sign(&place.folder, "gateway", "gateway.test", 2098);
    city.sign(&place.folder, "good", "127.0.0.1", 2098);
    platform(&place.folder, port, "good")
}

/// On a box that is set up nothing is asked for, and nothing is changed.
fn once_more_changes_nothing(place: &Place) {
    let text = fs::read_to_string(place.config()).unwrap();
    let config = place.config().display().to_string();
    let usual = ["setup", "--yes", "--no-start", "--wait", "0s", "--serial", "none", "--config"];
    let (code, _) = place.command(&[&usual[..], &[&config]].concat());
    assert_eq!(code, 0, "{}", place.told());
    assert!(place.told().contains("配置无变化"), "{}", place.told());
    assert_eq!(fs::read_to_string(place.config()).unwrap(), text);
}

#[test]
fn a_box_is_set_up_by_flags_and_shows_its_first_reading_and_acknowledged_block() {
    let place = Place::new("");
    let before = before(&place);
    let line = Line::builder()
        .slave(built_in("eastron-sdm120", "1"))
        .slave(built_in("xy-md02", "3"))
        .build();
    let _served = place.serve(&line);
    let port = free_port();
    let _platform = city(&place, port);
    fs::write(place.folder.join("password"), "泉水叮咚-2026-邻里\n").unwrap();
    let file = |name: &str| place.folder.join(name).display().to_string();
    let (address, page) = (format!("127.0.0.1:{port}"), place.page.to_string());
    let run = setup(
        &place,
        &[
            &["--id", "test-box", "--name", "测试小区", "--kind", "new", "--lang", "en"][..],
            &["--serial", &file("line"), "--baud", "9600", "--frame", "8N1"],
            &["--units", "1-3", "--protocol", "modbus", "--platform", &address],
            &["--ca", &file("ca.pem"), "--cert", &file("gateway.pem")],
            &["--key", &file("gateway.key")],
            &["--user", "wang", "--password-file", &file("password"), "--listen", &page],
            &["--wait", "60s"],
        ]
        .concat(),
    );
    wait_until("the configuration is written", || {
        fs::read_to_string(place.config()).unwrap().contains("test-box")
    });
    let daemon = place.run();
    assert_eq!(run.wait(), 0, "{}", place.told());
    let told = place.told();
    for part in [
        "start the gateway: linli run",
        "the gateway runs: http://127.0.0.1",
        "first reading: ",
        &format!("first block acknowledged by mqtts://{address}"),
        "the box works",
    ] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    assert_eq!(daemon.terminate(), 0);

    let text = fs::read_to_string(place.config()).unwrap();
    for part in [
        "# written by the integrator",
        "name = \"测试小区\"",
        "profile = \"eastron-sdm120\"\nbus = \"line-1\"\nunit = 1\n",
        "profile = \"xy-md02\"\nbus = \"line-1\"\nunit = 3\n",
        "/tls/platform-key-",
    ] {
        assert!(text.contains(part), "`{part}` is missing in:\n{text}");
    }
    assert_eq!(fs::read_to_string(file("linli.toml.1")).unwrap(), before);
    let mode = |name: &str| fs::metadata(file(name)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("linli.toml"), mode("users.json")), (0o640, 0o600));
    assert!(fs::read_to_string(file("users.json")).unwrap().contains("\"wang\""));
    once_more_changes_nothing(&place);
}

#[test]
fn what_does_not_come_in_time_is_told_with_its_cause() {
    let place = Place::new("");
    before(&place);
    let page = place.page.to_string();
    let closed = format!("127.0.0.1:{}", free_port());
    let run = setup(
        &place,
        &[
            "--id",
            "test-box",
            "--serial",
            "none",
            "--platform",
            &closed,
            "--listen",
            &page,
            "--wait",
            "8s",
        ],
    );
    wait_until("the configuration is written", || {
        fs::read_to_string(place.config()).unwrap().contains("test-box")
    });
    let daemon = place.run();
    assert_eq!(run.wait(), 1, "{}", place.told());
    let told = place.told();
    for part in ["平台没有确认", "平台连接中断", "无服务监听", "配置已就位"] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
    assert_eq!(daemon.terminate(), 0);
}

#[test]
fn a_line_that_cannot_be_used_leaves_the_box_as_it_was() {
    let place = Place::new("");
    let before = before(&place);
    let gone = place.folder.join("gone").display().to_string();
    let run = setup(&place, &["--id", "test-box", "--platform", "none", "--serial", &gone]);
    assert_eq!(run.wait(), 1);
    assert!(place.told().contains("gone"), "{}", place.told());
    assert_eq!(fs::read_to_string(place.config()).unwrap(), before);
    assert!(!place.folder.join("linli.toml.1").exists());
}
