//! Tests of the whole configuration: conflicts, references, budgets, the example.

mod broadcast;
mod chinese;
mod files;
mod migrate;
mod model;
mod page;
mod wired;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::model::{Category, Quantity, Unit};
use crate::profile::Library;
use crate::profile::{
    Binding, Encoding, Limits, MqttModel, Param, RegisterSource, Scale, SerialDefaults, Table,
    WordOrder,
};

struct Shelf(BTreeMap<String, Arc<Profile>>);

impl Profiles for Shelf {
    fn find(&self, id: &str) -> Option<Arc<Profile>> {
        self.0.get(id).cloned()
    }

    fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }
}

const BY_MQTT: &[&str] = &[
    "zigbee2mqtt-climate",
    "tasmota-energy-plug",
    "go-echarger-mqtt",
    "parcel-locker-cabinet",
    "emergency-broadcast-terminal",
    "info-screen",
    "waste-bin",
];
const BY_MODBUS: &[&str] = &[
    "chint-dtsu666",
    "eastron-sdm630",
    "eastron-sdm120",
    "abb-b23",
    "acrel-dtsd1352",
    "schneider-iem3155",
    "tuf-2000m",
    "xintai-ultrasonic-water",
    "abb-terra-ac",
    "keba-p30",
    "alfen-ng9xx",
    "xy-md02",
    "renke-rs-ws-n01",
    "renke-rs-byh-m",
];

fn profile(id: &str, binding: Binding) -> (String, Arc<Profile>) {
    let point =
        Point { decimals: 1, ..Point::new("totalActivePower", Unit::ONE, Quantity::Instantaneous) };
    let ratio = Param {
        name: "ct_ratio".into(),
        default: 1.0,
        range: (1.0, 1000.0),
        about: "ratio".into(),
    };
    let profile = Profile {
        id: id.into(),
        params: vec![ratio],
        binding,
        points: [point].into(),
        periods: vec![None],
        ..Profile::bare(Category::Other)
    };
    (id.into(), Arc::new(profile))
}

fn modbus() -> Binding {
    let source = RegisterSource {
        table: Table::Holding,
        address: 100,
        encoding: Encoding::Float(2),
        order: WordOrder::Abcd,
        scale: Scale::default(),
        unavailable: Vec::new(),
        codes: Vec::new(),
        flag: false,
        decimals: 1,
    };
    Binding::Modbus {
        serial: SerialDefaults { baud: 9600, frame: *b"8N1" },
        unit: None,
        limits: Limits::default(),
        sources: vec![source],
    }
}

fn shelf() -> Shelf {
    let mqtt = BY_MQTT.iter().map(|id| profile(id, Binding::Mqtt(MqttModel::default())));
    let library = Library::built_in();
    let meters =
        ["dlt645-2007-three-phase", "cjt188-water"].map(|id| (id.into(), library.get(id).unwrap()));
    Shelf(BY_MODBUS.iter().map(|id| profile(id, modbus())).chain(mqtt).chain(meters).collect())
}

const BASE: &str = "gateway = { id = 'g' }\nmqtt = { client_id = 'f' }\n\
    bus = [{ id = 'line-1', serial = '/dev/ttyS1' }, { id = 'net', tcp = '10.0.0.5:502' }]\n";

/// What is wrong with [`BASE`] and more, as `line:column problem / hint`.
fn faults(more: &str) -> Vec<String> {
    whole(&format!("{BASE}{more}"))
}

fn whole(text: &str) -> Vec<String> {
    let Err(faults) = parse_with("t.toml", text, &shelf()) else { return Vec::new() };
    let show = |f: &Fault| {
        let hint = f.hint.as_deref().unwrap_or("-");
        format!("{}:{} {} / {hint}", f.place.line, f.place.column, f.problem)
    };
    faults.all().iter().map(show).collect()
}

#[test]
fn wrong_references_and_conflicts_between_devices_are_told() {
    let meter = "{ id = 'a', profile = 'abb-b23', bus = 'line-1', unit = 1 }";
    let cases = [
        (
            "{ id = 'b', profile = 'abb-b32', bus = 'line-1', unit = 2 }",
            "no such profile",
            "\"abb-b23\"",
        ),
        ("{ id = 'b', profile = 'abb-b23', bus = 'lin-1', unit = 2 }", "no such bus", "\"line-1\""),
        ("{ id = 'b', profile = 'abb-b23', bus = 'line-1' }", "is missing", "-"),
        ("{ id = 'b', profile = 'abb-b23', unit = 2 }", "is missing", "-"),
        ("{ id = 'b', profile = 'abb-b23', bus = 'line-1', unit = 0 }", "out of range", "-"),
        (
            "{ id = 'b', profile = 'abb-b23', bus = 'line-1', unit = 1 }",
            "taken at t.toml:4:",
            "another unit id",
        ),
        (
            "{ id = 'a', profile = 'abb-b23', bus = 'line-1', unit = 2 }",
            "taken at t.toml:4:",
            "own name",
        ),
        ("{ id = 'b', profile = 'waste-bin' }", "is missing", "-"),
        ("{ id = 'b', profile = 'waste-bin', topic = '/x/' }", "begins or ends", "\"x\""),
        ("{ id = 'b', profile = 'waste-bin', topic = 'x', unit = 3 }", "has no `unit`", "remove"),
        (
            "{ id = 'b', profile = 'abb-b23', bus = 'net', unit = 1, topic = 'x' }",
            "has no `topic`",
            "remove",
        ),
        (
            "{ id = 'b', profile = 'abb-b23', bus = 'net', unit = 1, params = { ct = 2 } }",
            "no such parameter",
            "ct_ratio",
        ),
        (
            "{ id = 'b', profile = 'abb-b23', bus = 'net', unit = 1, params = { ct_ratio = 0 } }",
            "out of range",
            "-",
        ),
        (
            "{ id = 'b', profile = 'abb-b23', bus = 'net', unit = 1, report.totalActivPower.dead_band = 1 }",
            "no such point",
            "totalActivePower",
        ),
        ("{ id = 'B', profile = 'abb-b23', bus = 'net', unit = 1 }", "not an identifier", "-"),
    ];
    for (device, problem, hint) in cases {
        let found = faults(&format!("device = [{meter},\n{device}]"));
        assert_eq!(found.len(), 1, "{device}: {found:#?}");
        assert!(found[0].contains(problem) && found[0].contains(hint), "{device}: {found:?}");
        assert!(found[0].starts_with("5:"), "{found:?}");
    }
}

#[test]
fn two_users_of_one_line_endpoint_port_topic_or_client_id_are_told() {
    let cases = [
        "gateway.id='g'\n[[bus]]\nid='a'\nserial='/dev/ttyS1'\n[[bus]]\nid='b'\nserial='/dev//./ttyS1'",
        "gateway.id='g'\n[[bus]]\nid='a'\ntcp='Box:502'\n[[bus]]\nid='b'\nrtu_over_tcp='box:502'",
        "gateway.id='g'\n[[bus]]\nid='a'\ntcp='x:502'\n[[bus]]\nid='a'\ntcp='y:502'",
        "gateway.id='g'\n[mqtt]\nport=8080\n[status]\nlisten='0.0.0.0:8080'",
        "gateway.id='g'\n[mqtt]\nclient_id='x'\n[uplink]\nhost='localhost'\nclient_id='x'",
        "gateway.id='g'\n[mqtt]\n[[device]]\nid='a'\nprofile='waste-bin'\ntopic='t'\n\
         [[device]]\nid='b'\nprofile='waste-bin'\ntopic='t'",
    ];
    for text in cases {
        let found = whole(text);
        assert_eq!(found.len(), 1, "{text}: {found:#?}");
        assert!(found[0].contains("is taken at t.toml:"), "{found:?}");
    }
}

#[test]
fn a_bus_needs_exactly_one_line_and_a_usual_rate() {
    let bus = |keys: &str| whole(&format!("gateway.id = 'g'\n[[bus]]\nid = 'a'\n{keys}"));
    assert!(bus("")[0].contains("has no line"));
    assert!(bus("serial = '/dev/a'\ntcp = 'b:1'")[0].contains("second line"));
    assert_eq!(bus("serial = '/dev/a'\nbaud = 9601"), ["5:8 is not a usual rate / -"]);
    assert!(bus("serial = '/dev/a'\nparity = 'E'")[0].contains("did you mean `frame`?"));
    assert!(bus("tcp = 'b:1'\nbaud = 9600")[0].contains("only a serial line"));
}

#[test]
fn a_password_in_the_file_and_half_a_certificate_are_refused() {
    let found = whole(
        "gateway.id = 'g'\n[uplink]\nhost = 'x'\npassword = 'p'\n[uplink.tls]\ncert_file = 'c'",
    );
    assert_eq!(found.len(), 2, "{found:#?}");
    assert!(found[0].contains("4:12 a secret") && found[0].contains("credential:"));
    assert!(found[1].contains("6:13") && found[1].contains("add `key_file`"));
}

#[test]
fn devices_of_a_faulty_bus_raise_no_echo() {
    let found = whole(
        "gateway.id = 'g'\n[[bus]]\nid = 'a'\n[[device]]\nid = 'm'\nprofile = 'abb-b23'\nbus = 'a'\nunit = 1",
    );
    assert_eq!(found.len(), 1, "{found:#?}");
}

#[test]
fn a_bus_that_cannot_keep_up_is_a_fault_and_a_busy_one_a_note() {
    let devices = |period: &str| {
        let mut text =
            String::from("gateway.id='g'\n[[bus]]\nid='a'\nserial='/dev/a'\nbaud=1200\n");
        for unit in 1..=10 {
            text += &format!(
                "[[device]]\nid='m{unit}'\nprofile='abb-b23'\nbus='a'\nunit={unit}\nperiod='{period}'\n"
            );
        }
        text
    };
    let found = whole(&devices("1s"));
    assert!(found[0].contains("2:1") && found[0].contains("% of the bus"), "{found:?}");
    // Ten times 17 characters of 10 bits, a silence of 3.5 of 11 bits, 20 ms to answer: 1.9 s.
    let settings = parse_with("t", &devices("2500ms"), &shelf()).unwrap();
    assert!(settings.notes[0].problem.contains("77 % of the bus"), "{:?}", settings.notes);
    assert!(parse_with("t", &devices("1m"), &shelf()).unwrap().notes.is_empty());
}

#[test]
fn equal_devices_share_their_points_and_a_changed_one_has_its_own() {
    let text = format!(
        "{BASE}device = [{{ id = 'a', profile = 'abb-b23', bus = 'net', unit = 1 }},\
         {{ id = 'b', profile = 'abb-b23', bus = 'line-1', unit = 3, params.ct_ratio = 40 }},\
         {{ id = 'c', profile = 'abb-b23', bus = 'net', unit = 2, report.totalActivePower.dead_band = 5 }}]"
    );
    let settings = parse_with("t", &text, &shelf()).unwrap();
    assert_eq!(settings.devices[1].params, [40.0]);
    let estate = settings.estate();
    let [a, b, c] = estate.devices() else { panic!("three devices") };
    assert!(Arc::ptr_eq(&a.points, &b.points));
    assert_eq!((a.points[0].report.dead_band, c.points[0].report.dead_band), (0.0, 5.0));
    assert_eq!(b.connection, "line-1 #3");
    assert_eq!(b.expected_every, Duration::from_secs(30));
}

#[test]
fn what_is_allowed_but_worth_a_look_is_a_note_and_no_fault() {
    let text = "gateway.id = 'g'\nuplink = { host = 'x', username = 'u' }\n\
        bus = [{ id = 'a', serial = '/dev/a' }, { id = 'idle', tcp = 'x:502' }]\n\
        device = [{ id = 'd', profile = 'xy-md02', bus = 'a', unit = 254 }]";
    let notes: Vec<String> = parse_with("t", text, &shelf())
        .unwrap()
        .notes
        .iter()
        .map(|note| format!("{} {}", note.place.line, note.problem))
        .collect();
    assert_eq!(
        notes,
        [
            "2 the password crosses the network in clear",
            "4 unit ids above 247 are reserved by the Modbus specification",
            "3 no device hangs on this bus",
        ]
    );
}

#[test]
fn a_buffer_below_a_file_is_refused_and_a_missing_folder_is_not_created() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("linli.toml");
    std::fs::write(&main, "gateway.id = 'g'\nbuffer.path = 'linli.toml/buffer'\n").unwrap();
    let faults = load(&main).unwrap_err();
    assert!(faults.to_string().contains("is not a folder"), "{faults}");
    std::fs::write(&main, "gateway.id = 'g'\nbuffer.path = 'a/b'\n").unwrap();
    load(&main).unwrap();
    assert!(!folder.path().join("a").exists());
}

const EXAMPLE: &str = include_str!("../../config/linli.toml");

#[test]
fn the_example_has_no_fault_and_no_note() {
    let settings = parse_with("linli.toml", EXAMPLE, &shelf()).unwrap_or_else(|f| panic!("{f}"));
    assert_eq!(settings.notes, []);
    assert_eq!(settings.devices.len(), BY_MODBUS.len() + BY_MQTT.len() + 3);
    assert_eq!(settings.uplink.unwrap().broker.client_id, "linli-jinan-lixia-0107");
}

#[test]
fn the_example_fits_the_profiles_that_are_built_in() {
    let library = Library::built_in();
    let settings = parse_with("linli.toml", EXAMPLE, &library).unwrap_or_else(|f| panic!("{f}"));
    assert!(settings.estate().devices().iter().any(|d| d.product == "Eastron SDM630 / SDM72V2"));
    // And the names of its comments: uncommented, they are right too.
    let text = EXAMPLE.replace("# params = { ct = 40 }", "params = { ct = 40 }");
    assert_ne!(text, EXAMPLE);
    assert!(parse_with("linli.toml", &text, &library).is_ok());
}

/// Every `key = value` of the example below its header, commented out or not.
fn shown() -> BTreeMap<String, Vec<String>> {
    let mut header = String::new();
    let mut found: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in EXAMPLE.lines() {
        let line = line.strip_prefix("# ").unwrap_or(line);
        if line.starts_with('[') {
            let name: String =
                line.chars().filter(|c| !"[]".contains(*c)).take_while(|c| *c != ' ').collect();
            header = name
                .replace("report.totalActivePower", "report.*")
                .replace("alarms.voltage-high", "alarms.*")
                .replace("rules.bin-full", "rules.*");
        } else if let Some((key, value)) = line.split_once(" = ") {
            let value = value.split(" #").next().unwrap_or_default().trim();
            found.entry(format!("{header}.{key}")).or_default().push(value.to_owned());
        }
    }
    found
}

#[test]
fn the_example_shows_every_key_and_every_default() {
    let everything = format!(
        "{}\n[uplink.tls]\n[mqtt.tls]\n[status.tls]\n[[broadcast.key]]\nname = \"a\"\nfile = \"a\"\n\
         [[broadcast.zone]]\nname = \"a\"\n[[broadcast.drill]]\nname = \"a\"\non = \"05-12\"\nat = \"10:00\"\n\
         [alarms.flapping]\n[alarms.grouping]\n[alarms.rules.bin-full]\n[[alarms.maintenance]]\n\
         name = \"x\"\nby = \"y\"\nfrom = \"2026-05-01T08:00\"\nto = \"2026-05-02T08:00\"\n",
        EXAMPLE.replace("unit = 1\n# period", "unit = 1\nparams = {}\ngroups = {}\n# period")
    );
    let documents = [Document::parse("t", &everything, Path::new("")).unwrap()];
    let shelf = shelf();
    read::settings(&documents, Machine::Ignore, |_| Ok(&shelf)).unwrap();
    let shown = shown();
    let known = documents[0].known_keys();
    assert!(known.len() > 60, "{}", known.len());
    // What names files is not changed on the page where root would act on it.
    let paths = documents[0].path_keys();
    assert!(paths.len() > 12, "{paths:?}");
    for key in paths {
        assert!(crate::proposal::names_files(&key), "`{key}` is missing in proposal::paths");
    }
    let headers: Vec<String> = known
        .keys()
        .filter(|key| known.keys().any(|other| other.starts_with(&format!("{key}."))))
        .cloned()
        .collect();
    for (key, default) in known {
        if headers.contains(&key) || !key.contains('.') {
            continue;
        }
        let values = shown.get(&key).unwrap_or_else(|| panic!("`{key}` is not in the example"));
        if let Some(default) = default {
            assert!(values.contains(&default), "`{key}` = {default} is not in {values:?}");
        }
    }
}
