//! The command: options, entries that the configuration takes, a real endpoint.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use clap::Parser as _;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::line::Bus;
use super::report::entries;
use super::*;
use crate::driver::scan::{Candidate, FoundDevice, Text};
use crate::profile::Library;

#[derive(clap::Parser)]
struct Whole {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(words: &[&str]) -> Arguments {
    let none = ["scan", "--config", "/nowhere/linli.toml"];
    Whole::try_parse_from(none.iter().chain(words)).unwrap().arguments
}

fn wrong(words: &[&str]) -> String {
    match prepare(&arguments(words)) {
        Err(Stop::Wrong(told)) => told,
        Err(Stop::Unavailable(told)) => panic!("{told}"),
        Ok(_) => panic!("{words:?} was taken"),
    }
}

#[test]
fn options_that_cannot_be_are_told_in_both_languages_before_anything_is_opened() {
    let serial = ["--serial", "/dev/ttyS9"];
    assert!(wrong(&[]).contains("--serial") && wrong(&[]).contains("请"));
    assert!(wrong(&["--tcp", "10.0.0.0/8"]).contains("4096"));
    assert!(wrong(&["--rtu-over-tcp", "nothing here"]).contains("--rtu-over-tcp"));
    for (option, value, told) in [
        ("--baud", "9601", "9600"),
        ("--frame", "7E1", "8E1"),
        ("--units", "5-2", "1-32"),
        ("--protocol", "bacnet", "cjt188"),
        ("--patience", "200", "10ms"),
        ("--patience", "1h", "10ms"),
    ] {
        let fault = wrong(&[&serial[..], &[option, value]].concat());
        assert!(fault.contains(told), "{option} {value}: {fault}");
    }
    // A bus needs the configuration.
    assert!(wrong(&["line-1"]).contains("/nowhere/linli.toml"));
}

#[test]
fn options_of_a_broker_are_looked_at_before_anything_is_connected() {
    let wrong = |words: &[&str]| {
        let arguments = arguments(words);
        let address = arguments.mqtt.clone().unwrap();
        match mqtt::prepare(&arguments, &address) {
            Err(Stop::Wrong(told)) => told,
            _ => panic!("{words:?} was taken"),
        }
    };
    // Without a name of its own it is the broker of the configuration.
    assert!(wrong(&["--mqtt"]).contains("/nowhere/linli.toml"));
    assert!(wrong(&["--mqtt", "nothing here"]).contains("--mqtt"));
    assert!(wrong(&["--mqtt", "broker"]).contains("缺少端口"));
    for (option, value) in [
        ("--listen", "10"),
        ("--listen", "2h"),
        ("--ha-prefix", "a/#"),
        ("--ha-prefix", ""),
        ("--z2m-base", "a,/b"),
    ] {
        let told = wrong(&["--mqtt", "127.0.0.1:1883", option, value]);
        assert!(told.contains(option) && told.contains("应为"), "{told}");
    }
    let taken = |words: &[&str]| Whole::try_parse_from(["scan"].iter().chain(words)).is_ok();
    assert!(taken(&["--mqtt", "--json"]) && taken(&["--mqtt", "10.0.0.1:1883", "--listen", "5s"]));
    for other in [&["--tcp", "10.0.0.1"][..], &["--serial", "/dev/ttyS1"], &["--baud", "9600"]] {
        assert!(!taken(&[&["--mqtt", "127.0.0.1"], other].concat()), "{other:?}");
    }
    assert!(!taken(&["line-1", "--listen", "5s"]), "it belongs to --mqtt");
}

fn candidate(profile: &str) -> Candidate {
    Candidate {
        profile: profile.to_owned(),
        title: ("meter", "电表").into(),
        confidence: 0.7,
        certain: false,
        why: Text::default(),
    }
}

fn device(profile: &str) -> FoundDevice {
    FoundDevice {
        protocol: "modbus".into(),
        unit: Some(7),
        address: None,
        endpoint: None,
        baud: Some(9600),
        frame: Some("8N1".into()),
        every_unit: false,
        known: None,
        category: None,
        candidates: vec![candidate(profile)],
        mqtt: None,
    }
}

const GATEWAY: &str = "[gateway]\nid = \"box\"\n\n";

fn check(text: &str) -> Settings {
    let parsed = config::parse("linli.toml", text, &Library::built_in());
    parsed.unwrap_or_else(|faults| panic!("{faults}\n{text}"))
}

#[test]
fn entries_of_a_line_with_its_bus_are_a_configuration_that_check_accepts() {
    let meter = FoundDevice {
        protocol: "dlt645-2007".into(),
        unit: None,
        address: Some("000012345678".into()),
        baud: Some(2400),
        frame: Some("8E1".into()),
        ..device("dlt645-2007-single-phase")
    };
    let strange = FoundDevice { unit: Some(9), candidates: Vec::new(), ..device("xy-md02") };
    let known = FoundDevice { known: Some("pump".into()), unit: Some(10), ..device("xy-md02") };
    let transport = Transport::Serial { path: "/dev/tty\"USB0".into() };
    let bus = Bus { transport };
    let found = [device("eastron-sdm630"), meter, strange, known];
    let text = entries(&found, Some(&bus), None);
    let settings = check(&format!("{GATEWAY}{text}"));
    let ids: Vec<&str> = settings.devices.iter().map(|device| device.id.as_str()).collect();
    assert_eq!(ids, ["line-1-unit-7", "meter-000012345678"]);
    assert!(text.contains("#9") && !text.contains("#10"), "{text}");
    // What is written once is known at the next scan, and its names are not given again.
    assert_eq!(super::known(Some(&settings), 0).len(), 2);
    let again = entries(&[device("eastron-sdm630")], Some(&bus), Some(&settings));
    assert!(again.contains("\"line-1-unit-7-2\"") && !again.contains("[[bus]]"), "{again}");
}

#[test]
fn entries_of_a_network_name_a_bus_for_each_endpoint() {
    let at = |endpoint: &str| FoundDevice {
        endpoint: Some(endpoint.into()),
        baud: None,
        frame: None,
        ..device("keba-p30")
    };
    let found = [at("10.0.0.5:502"), at("10.0.0.6:502"), at("10.0.0.6:502")];
    let mut found = found.to_vec();
    found[2].unit = Some(8);
    let settings = check(&format!("{GATEWAY}{}", entries(&found, None, None)));
    assert_eq!((settings.buses.len(), settings.devices.len()), (2, 3));
}

#[test]
fn entries_are_appended_and_never_overwrite() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("found.toml");
    std::fs::write(&path, "# mine\n").unwrap();
    let mut report = Report::new(true);
    report.take(ScanEvent::Found(device("eastron-sdm630")));
    report.on_bus(Bus { transport: Transport::Serial { path: "/dev/ttyS1".into() } });
    assert_eq!(report.finish(None, Some(&path)).unwrap(), 1);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("# mine\n[[bus]]"), "{text}");
    // The same scan once more adds nothing.
    let mut report = Report::new(true);
    report.take(ScanEvent::Found(device("eastron-sdm630")));
    report.on_bus(Bus { transport: Transport::Serial { path: "/dev/ttyS1".into() } });
    assert_eq!(report.finish(None, Some(&path)).unwrap(), 1);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
    let mut report = Report::new(true);
    report.take(ScanEvent::Found(device("eastron-sdm630")));
    report.on_bus(Bus { transport: Transport::Serial { path: "/dev/ttyS1".into() } });
    assert!(report.finish(None, Some(Path::new("/nowhere/found.toml"))).is_err());
}

/// A Modbus TCP endpoint of one model, at one unit id.
async fn endpoint(stop: CancellationToken) -> (String, impl Future<Output = ()>) {
    use crate::sim::{SimulateOptions, simulate};
    let library = Library::built_in();
    let profile = library.get("eastron-sdm630").unwrap();
    let free = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let served = crate::sim::Served::Modbus {
        listen: free.to_string(),
        framing: crate::sim::Framing::Tcp,
        unit: 3,
    };
    let options = SimulateOptions { profile: Arc::clone(&profile), served, seed: 1 };
    let (ready, is_ready) = tokio::sync::oneshot::channel();
    let mut ready = Some(ready);
    let mut played = Box::pin(simulate(
        options,
        move |address: Option<&str>| {
            if let Some(ready) = ready.take() {
                ready.send(address.map(str::to_owned)).unwrap();
            }
        },
        stop,
    ));
    let address = tokio::select! {
        address = is_ready => address.unwrap().unwrap(),
        ended = &mut played => panic!("{ended:?}"),
    };
    (address, async move { played.await.unwrap() })
}

#[tokio::test]
async fn an_endpoint_of_a_network_is_found_with_its_unit_id_and_model() {
    let stop = CancellationToken::new();
    let (address, played) = endpoint(stop.clone()).await;
    let options = ScanOptions { units: vec!["1-5".into()], ..ScanOptions::default() };
    let plan = options.plan(Kind::Mbap, BTreeMap::new()).unwrap();
    let targets = Targets::parse(&address).unwrap();
    let models = Models::load(&[]).unwrap();
    let mut events = Vec::new();
    let scan = async {
        NetworkScan::new(targets, plan, models, BTreeMap::new())
            .run(|event| events.push(event))
            .await;
        stop.cancel();
    };
    tokio::join!(scan, played);
    let found = events.iter().find_map(|event| match event {
        ScanEvent::Found(device) => Some(device),
        _ => None,
    });
    let found = found.unwrap_or_else(|| panic!("{events:?}"));
    assert_eq!((found.unit, found.endpoint.as_deref()), (Some(3), Some(address.as_str())));
    assert_eq!(found.candidates[0].profile, "eastron-sdm630", "{found:?}");
    assert!(!found.candidates[0].certain);
    assert!(matches!(events.last(), Some(ScanEvent::Done { found: 1 })));
}
