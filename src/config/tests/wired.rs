//! Meters of the RS-485 protocols in the configuration: addresses, lines, acts.

use super::*;
use crate::driver::Act;
use crate::profile::Library;

const LINES: &str = "gateway = { id = 'g' }\nmqtt = { client_id = 'f' }\n\
    bus = [{ id = 'line-1', serial = '/dev/ttyS1' }, { id = 'net', tcp = '10.0.0.5:502' }, \
    { id = 'server', rtu_over_tcp = '10.0.0.6:4001' }, \
    { id = 'fast', serial = '/dev/ttyS2', baud = 9600, frame = '8N1' }]\n";

fn read(devices: &str) -> Result<Settings, Faults> {
    parse_with("t.toml", &format!("{LINES}device = [{devices}]"), &Library::built_in())
}

/// What is wrong, English and Chinese together.
fn wrong(devices: &str) -> Vec<String> {
    let Err(faults) = read(devices) else { return Vec::new() };
    faults.all().iter().map(told).collect()
}

fn told(fault: &Fault) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    format!(
        "{} {} | {} | {} {}",
        fault.problem,
        fault.problem_zh,
        text(&fault.allowed),
        text(&fault.hint),
        text(&fault.hint_zh)
    )
}

fn meter(id: &str, profile: &str, more: &str) -> String {
    format!("{{ id = '{id}', profile = '{profile}', {more} }},")
}

const ELECTRICITY: &str = "dlt645-2007-single-phase";
const WATER: &str = "cjt188-water";

#[test]
fn a_meter_stands_on_its_line_with_its_address_and_the_model_settings() {
    let devices = [
        meter("e", ELECTRICITY, "bus = 'line-1', address = '000010604867', allow = ['relay_trip']"),
        meter("w", WATER, "bus = 'line-1', address = '78331505104145', baud = 1200, frame = '8N1'"),
    ];
    let settings = read(&devices.concat()).unwrap();
    let shown: Vec<String> = settings
        .devices
        .iter()
        .map(|device| match &device.connection {
            Connection::Bus { address, line, allow, .. } => format!("{address} {line} {allow:?}"),
            Connection::Mqtt { .. } => panic!("on a bus"),
        })
        .collect();
    let trip = format!("{:?}", [Act::RelayTrip]);
    assert_eq!(
        shown,
        [format!("000010604867 2400 8E1 {trip}"), "78331505104145 1200 8N1 []".to_owned()]
    );
    assert!(settings.notes.iter().all(|note| !note.problem.contains("factory")));
}

#[test]
fn a_wrong_address_is_told_with_what_was_probably_meant() {
    let cases = [
        (ELECTRICITY, "address = '10604867'", "write \"000010604867\""),
        (ELECTRICITY, "address = '0000 1060 4867'", "请写 \"000010604867\""),
        (ELECTRICITY, "address = 'AAAAAAAAAAAA'", "many meters at once"),
        (ELECTRICITY, "address = '999999999999'", "同时指向多块表"),
        (ELECTRICITY, "address = '78331505104145'", "is the profile right?"),
        (ELECTRICITY, "address = '00001060486A'", "铭牌"),
        (WATER, "address = '1060486'", "write \"00000001060486\""),
        (WATER, "address = 'AAAAAA05104145'", "many meters at once"),
        (ELECTRICITY, "unit = 3", "has no `unit`"),
        (ELECTRICITY, "baud = 2401, address = '000010604867'", "is not a usual rate"),
        (
            WATER,
            "allow = ['relay_trip'], address = '78331505104145'",
            "has no command `relay_trip`",
        ),
        (
            "dlt645-1997-single-phase",
            "allow = ['relay_trip'], address = '000010604867'",
            "没有命令 `relay_trip`",
        ),
        (ELECTRICITY, "allow = ['trip'], address = '000010604867'", "relay_trip, relay_close"),
        ("eastron-sdm630", "unit = 1, allow = ['valve_open']", "has no command `valve_open`"),
    ];
    for (profile, more, message) in cases {
        let faults = wrong(&meter("m", profile, &format!("bus = 'line-1', {more}")));
        assert!(faults.iter().any(|fault| fault.contains(message)), "{more}: {faults:?}");
    }
}

#[test]
fn two_meters_of_one_address_on_a_line_are_told() {
    let one = |id| meter(id, ELECTRICITY, "bus = 'line-1', address = '000010604867'");
    let faults = wrong(&(one("a") + &one("b")));
    assert!(faults[0].contains("address 000010604867 on bus `line-1` is taken"), "{faults:?}");
}

#[test]
fn a_meter_needs_a_serial_line() {
    let faults = wrong(&meter("m", WATER, "bus = 'net', address = '78331505104145'"));
    assert!(faults[0].contains("needs a serial line"), "{faults:?}");
    assert!(faults[0].contains("需要串口"), "{faults:?}");
    let server = meter("m", WATER, "bus = 'server', address = '78331505104145'");
    assert!(read(&server).is_ok(), "{:?}", wrong(&server));
}

#[test]
fn a_serial_server_has_one_speed_for_all() {
    let mixed = [
        meter("e", ELECTRICITY, "bus = 'server', address = '000010604867'"),
        meter("w", WATER, "bus = 'server', address = '78331505104145'"),
        meter("s", "eastron-sdm630", "bus = 'server', unit = 1"),
        meter("t", "eastron-sdm630", "bus = 'server', unit = 2"),
    ];
    let faults = wrong(&mixed.concat());
    assert_eq!(faults.len(), 1, "one for each setting: {faults:?}");
    assert!(faults[0].contains("`s` needs a line of 9600 8N1, `e` one of 2400 8E1"), "{faults:?}");
    assert!(faults[0].contains("串口服务器"), "{faults:?}");
    let alike = mixed.concat().replace("unit =", "baud = 2400, frame = '8E1', unit =");
    assert_eq!(wrong(&alike), Vec::<String>::new());
    let local = mixed.concat().replace("'server'", "'line-1'");
    assert_eq!(wrong(&local), Vec::<String>::new(), "a port of this machine is retuned");
}

#[test]
fn a_bus_that_overrules_the_factory_setting_of_meters_is_noted_once_for_each_model() {
    let devices = [
        meter("a", ELECTRICITY, "bus = 'fast', address = '000010604867'"),
        meter("b", ELECTRICITY, "bus = 'fast', address = '000010604868'"),
        meter("c", WATER, "bus = 'fast', address = '78331505104145', baud = 2400, frame = '8E1'"),
    ];
    let settings = read(&devices.concat()).unwrap();
    let notes: Vec<String> =
        settings.notes.iter().map(told).filter(|note| note.contains("factory")).collect();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert!(notes[0].contains("2 of dlt645-2007-single-phase are read with 9600 8N1"), "{notes:?}");
    assert!(notes[0].contains("2400 8E1"), "{notes:?}");
    assert!(notes[0].contains("出厂设置"), "{notes:?}");
}

#[test]
fn the_meter_that_gives_the_time_must_be_one_with_a_clock_on_a_bus() {
    let devices = [
        meter("e-1", ELECTRICITY, "bus = 'line-1', address = '000010604867'"),
        meter("old", "dlt645-1997-single-phase", "bus = 'line-1', address = '000010604868'"),
        meter("w", WATER, "bus = 'line-1', address = '78331505104145'"),
    ];
    let with = |clock: &str| {
        let text = format!("{LINES}clock = {{ {clock} }}\ndevice = [{}]", devices.concat());
        parse_with("t.toml", &text, &Library::built_in())
    };
    let faults = |clock: &str| -> Vec<String> {
        with(clock).err().map_or_else(Vec::new, |faults| faults.all().iter().map(told).collect())
    };
    let cases = [
        ("meter = 'e-2'", "no such device", "没有这个设备"),
        ("meter = 'e-2'", "e-1", "e-1"),
        ("meter = 'w'", "has no clock that can be read", "没有可读的时钟"),
        ("meter = 'old'", "DL/T 645-2007", "DL/T 645-2007"),
        ("meter = 'E 1'", "is not an identifier", "不是合法的标识"),
        ("holdover = '2h'", "out of range", "超出范围"),
        ("holdover = 60", "unit", "单位"),
        ("platform = 'yes'", "never", "never"),
    ];
    for (clock, en, zh) in cases {
        let faults = faults(clock);
        let [fault] = &faults[..] else { panic!("{clock}: {faults:?}") };
        assert!(fault.contains(en) && fault.contains(zh), "{clock}: {fault}");
    }
    let clock = with("meter = 'e-1', holdover = '5s', platform = 'always'").unwrap().clock;
    assert_eq!(clock.meter.as_ref().map(DeviceId::as_str), Some("e-1"));
    assert_eq!(clock.holdover, Duration::from_secs(5));
}
