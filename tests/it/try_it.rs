//! `linli profiles try` against simulated devices on real sockets: what it shows, says and prints.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use linli::driver::BusAddress;
use linli::profile::{BUILT_IN, Library, parse};
use linli::sim::line::{Line, Slave};
use linli::sim::{Device, EmbeddedBroker, Framing, ModbusServer, MqttDevice, MqttFleet, Unit};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::parts::program;

/// What the command said.
struct Said {
    code: i32,
    out: String,
    told: String,
}

async fn linli(arguments: &[&str]) -> Said {
    let mut command = tokio::process::Command::new(program());
    let output = command.args(arguments).output().await.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said {
        code: output.status.code().unwrap(),
        out: text(output.stdout),
        told: text(output.stderr),
    }
}

async fn tried(arguments: &[&str]) -> Said {
    linli(&[&["profiles", "try"], arguments].concat()).await
}

fn text_of(id: &str) -> &'static str {
    &BUILT_IN.iter().find(|(known, _)| *known == id).unwrap().1
}

fn twin(id: &str) -> Device {
    Device::new(Library::built_in().get(id).unwrap(), 5)
}

/// The profile without its commands and examples, as somebody has it who just wrote it.
fn draft(folder: &Path, id: &str) -> PathBuf {
    let path = folder.join(format!("{id}-new.toml"));
    let points = text_of(id).split("[[examples]]").next().unwrap();
    fs::write(&path, points.split("[[commands]]").next().unwrap()).unwrap();
    path
}

/// Serves a Modbus twin as unit 7 while `work` runs with its address.
async fn with_unit<F: Future>(device: &Device, framing: Framing, work: impl FnOnce(String) -> F) {
    let mut server = ModbusServer::bind("127.0.0.1:0", framing).await.unwrap();
    server.add(7, Unit::of(device).unwrap());
    let address = server.address().unwrap().to_string();
    let stop = CancellationToken::new();
    let ends = stop.clone();
    let work = async {
        work(address).await;
        ends.cancel();
    };
    tokio::join!(server.run(stop), work);
}

/// Pastes the printed example into the profile that has none, and checks it.
async fn assert_completes(path: &Path, example: &str) {
    let whole = format!("{}\n{example}", fs::read_to_string(path).unwrap());
    fs::write(path, whole).unwrap();
    let said = linli(&["profiles", "check", path.to_str().unwrap()]).await;
    assert_eq!(said.code, 0, "{}\n{example}", said.told);
}

#[tokio::test]
async fn a_modbus_device_shows_every_point_and_gives_the_example_of_its_profile() {
    let device = twin("chint-dtsu666");
    let folder = tempfile::tempdir().unwrap();
    with_unit(&device, Framing::Tcp, |at| async move {
        let said = tried(&["chint-dtsu666", "--tcp", &at, "--unit", "7", "--once"]).await;
        assert_eq!(said.code, 0, "{}{}", said.out, said.told);
        for part in ["phaseVoltage.L1", "电压 L1", "good 正常", "15 of 15 points good", "15 个正常"]
        {
            assert!(said.out.contains(part), "{part} is missing:\n{}", said.out);
        }
        let path = draft(folder.path(), "chint-dtsu666");
        let file = path.to_str().unwrap();
        let said =
            tried(&[file, "--tcp", &at, "--unit", "7", "--param", "ct=40", "--example"]).await;
        assert_eq!(said.code, 0, "{}", said.told);
        assert!(said.out.contains("params = { ct = 40 }"), "{}", said.out);
        assert_completes(&path, &said.out).await;
    })
    .await;
}

#[tokio::test]
async fn scripts_get_an_object_a_line() {
    let device = twin("xy-md02");
    with_unit(&device, Framing::Rtu, |at| async move {
        let said =
            tried(&["xy-md02", "--rtu-over-tcp", &at, "--unit", "7", "--once", "--json"]).await;
        assert_eq!(said.code, 0, "{}", said.told);
        let lines: Vec<serde_json::Value> =
            said.out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[0]["point"], "temperature");
        assert_eq!((&lines[0]["quality"], &lines[0]["unit"]), (&"good".into(), &"Cel".into()));
        assert_eq!((&lines[2]["points"], &lines[2]["good"]), (&2.into(), &2.into()));
    })
    .await;
}

#[tokio::test]
async fn a_wrong_unit_id_and_a_refused_address_are_told_apart() {
    let mut device = twin("chint-dtsu666");
    let last = device.profile().points.len() - 1;
    device.withhold(last);
    with_unit(&device, Framing::Tcp, |at| async move {
        let way = ["chint-dtsu666", "--tcp", &at, "--once", "--timeout", "100ms"];
        let said = tried(&[&way[..], &["--unit", "8"]].concat()).await;
        assert_eq!(said.code, 1, "{}", said.told);
        assert!(said.out.contains("unit id") && said.out.contains("站号"), "{}", said.out);
        let said = tried(&[&way[..], &["--unit", "7"]].concat()).await;
        assert_eq!(said.code, 1, "{}", said.told);
        let told = "totalActiveEnergyExport: refused: the device does not have these addresses";
        assert!(said.out.contains(told) && said.out.contains("设备拒绝"), "{}", said.out);
        assert!(said.out.contains("14 of 15 points good"), "{}", said.out);
    })
    .await;
}

#[tokio::test]
async fn a_device_that_refuses_everything_is_not_told_as_silent() {
    let mut device = twin("xy-md02");
    (0..device.profile().points.len()).for_each(|point| device.withhold(point));
    with_unit(&device, Framing::Tcp, |at| async move {
        let said = tried(&["xy-md02", "--tcp", &at, "--once", "--unit", "7"]).await;
        assert_eq!(said.code, 1, "{}", said.told);
        assert!(said.out.contains("everything is refused") && said.out.contains("全部被拒绝"));
        assert!(!said.out.contains("does not answer"), "{}", said.out);
    })
    .await;
}

#[tokio::test]
async fn a_wrong_word_order_is_recognised_from_the_values() {
    let folder = tempfile::tempdir().unwrap();
    for (id, mine) in [("eastron-sdm630", "cdab"), ("acrel-ddsy1352", "dcba")] {
        let device = twin(id);
        let right = text_of(id);
        let order = if right.contains("order = \"cdab\"") { "cdab" } else { "abcd" };
        let path = folder.path().join(format!("{id}-wrong.toml"));
        let head = draft(folder.path(), id);
        let head = fs::read_to_string(head).unwrap().replace(&format!("order = \"{order}\"\n"), "");
        fs::write(&path, head.replace("[modbus]\n", &format!("[modbus]\norder = \"{mine}\"\n")))
            .unwrap();
        with_unit(&device, Framing::Tcp, |at| async move {
            let file = path.to_str().unwrap();
            let said = tried(&[file, "--tcp", &at, "--unit", "7", "--once"]).await;
            assert_eq!(said.code, 1, "{id}: {}{}", said.out, said.told);
            let hint = format!("with word order `{order}`");
            assert!(said.out.contains(&hint) && said.out.contains("字序"), "{id}: {}", said.out);
        })
        .await;
    }
}

#[tokio::test]
async fn a_meter_on_a_line_gives_the_example_of_its_profile() {
    for (id, digits) in
        [("dlt645-2007-single-phase", "202406000105"), ("cjt188-water", "33201907000021")]
    {
        let device = twin(id);
        let address = match digits.len() {
            12 => BusAddress::Dlt645(digits.parse().unwrap()),
            _ => BusAddress::Cjt188(digits.parse().unwrap()),
        };
        let slave = Slave::of(&device, address, None).unwrap().delay(Duration::ZERO);
        let line = Line::builder().settings(slave.settings()).slave(slave).build();
        let (at, serving) = line.listen("127.0.0.1:0").unwrap();
        let stop = CancellationToken::new();
        let mut served = JoinSet::new();
        served.spawn(serving.run(stop.clone()));
        let folder = tempfile::tempdir().unwrap();
        let path = draft(folder.path(), id);
        let (file, at) = (path.to_str().unwrap(), at.to_string());
        let way = [file, "--rtu-over-tcp", &at, "--address", digits];
        let said = tried(&[&way[..], &["--once"]].concat()).await;
        assert_eq!(said.code, 0, "{}{}", said.out, said.told);
        let said = tried(&[&way[..], &["--example"]].concat()).await;
        assert_eq!(said.code, 0, "{}", said.told);
        assert!(said.out.contains("frames = ["), "{}", said.out);
        assert_completes(&path, &said.out).await;
        stop.cancel();
        served.join_next().await.unwrap().unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_device_that_publishes_gives_the_example_of_its_profile() {
    let broker = EmbeddedBroker::start("try", 41).await.unwrap();
    let at = broker.address().to_string();
    let port = broker.address().port();
    let stop = CancellationToken::new();
    let profile = Library::built_in().full("parcel-locker-cabinet").unwrap();
    let locker = Device::new(Arc::new(profile.sized(&[7])), 5);
    let every = Duration::from_millis(500);
    let (plug, _there) = MqttDevice::new(twin("tasmota-energy-plug"), "plug-7", every);
    let (locker, _there_too) = MqttDevice::new(locker, "estate/locker/7", every);
    let fleet = MqttFleet { host: "127.0.0.1".into(), port, devices: vec![plug, locker] };
    let mut served = JoinSet::new();
    served.spawn(fleet.run(stop.clone()));
    let folder = tempfile::tempdir().unwrap();
    for (id, base, more) in [
        ("tasmota-energy-plug", "plug-7", &[][..]),
        ("parcel-locker-cabinet", "estate/locker/7", &["--group", "cells=7"]),
    ] {
        let path = draft(folder.path(), id);
        let file = path.to_str().unwrap();
        let way = [&[file, "--broker", &at, "--base", base], more].concat();
        let said = tried(&[&way[..], &["--once", "--wait", "20s"]].concat()).await;
        assert_eq!(said.code, 0, "{}{}", said.out, said.told);
        let said = tried(&[&way[..], &["--example", "--wait", "20s"]].concat()).await;
        assert_eq!(said.code, 0, "{}", said.told);
        assert_completes(&path, &said.out).await;
    }
    let way = ["tasmota-energy-plug", "--broker", &at, "--base", "nobody"];
    let said = tried(&[&way[..], &["--once", "--wait", "1s"]].concat()).await;
    assert_eq!(said.code, 1);
    assert!(said.out.contains("--base") && said.out.contains("未收到任何消息"), "{}", said.out);
    stop.cancel();
    served.join_next().await.unwrap().unwrap();
}

#[tokio::test]
async fn wrong_options_files_and_lines_have_their_own_exit_codes() {
    let wrong: [&[&str]; 7] = [
        &["xy-md02"],
        &["xy-md2", "--tcp", "127.0.0.1:1"],
        &["no-such-file.toml", "--tcp", "127.0.0.1:1"],
        &["xy-md02", "--broker", "127.0.0.1:1", "--base", "x"],
        &["xy-md02", "--tcp", "127.0.0.1:1", "--address", "1"],
        &["cjt188-water", "--serial", "/dev/null", "--address", "12"],
        &["xy-md02", "--tcp", "127.0.0.1:1", "--every", "5"],
    ];
    for arguments in wrong {
        let said = tried(arguments).await;
        assert_eq!(said.code, 64, "{arguments:?}: {}", said.told);
        assert!(!said.told.is_empty());
    }
    // A port that nobody listens on.
    let free = crate::parts::free_port();
    let at = format!("127.0.0.1:{free}");
    let said = tried(&["xy-md02", "--tcp", &at, "--once"]).await;
    assert_eq!(said.code, 69, "{}{}", said.out, said.told);
    assert!(said.told.contains("gateway") && said.told.contains("网关"), "{}", said.told);
    assert!(parse("xy-md02.toml", text_of("xy-md02")).is_ok());
}
