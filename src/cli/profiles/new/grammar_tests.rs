//! What is said about a point is read as it was meant, and refused with what is allowed.

use super::*;

fn context(protocol: Protocol) -> Context<'static> {
    Context { protocol, counting: Counting::Auto, topic: "{base}/state", table: "input" }
}

fn point(protocol: Protocol, text: &str) -> NewPoint {
    context(protocol).point(text, &mut Vec::new()).unwrap_or_else(|why| panic!("{text}: {why}"))
}

fn refused(protocol: Protocol, text: &str) -> String {
    context(protocol).point(text, &mut Vec::new()).unwrap_err()
}

fn register(table: Option<&'static str>, address: u32) -> Place {
    Place::Register { table, address }
}

fn unit(point: &NewPoint) -> Option<&'static str> {
    point.unit.map(Unit::code)
}

#[test]
fn a_register_point_has_words_in_any_order() {
    let full = point(Protocol::Modbus, "phaseVoltage=0x0000:f32:V:0.1");
    assert_eq!(full.place, register(None, 0));
    assert_eq!((full.encoding, unit(&full), full.factor), (Some("f32"), Some("V"), Some(0.1)));
    let other = point(Protocol::Modbus, "phaseVoltage = 0x0000 : 0.1 : V : f32");
    assert_eq!(other, full);
    let counter = point(Protocol::Modbus, "pulses=input@10H:u32:cdab:1:counter");
    assert_eq!(counter.place, register(Some("input"), 16));
    assert_eq!((counter.order, counter.quantity), (Some("cdab"), Some("counter")));
    assert_eq!((unit(&counter), counter.factor), (Some("1"), None), "`1` is the unit");
    assert_eq!(point(Protocol::Modbus, "alarm=3:bit4").bits, Some((4, 1)));
    assert_eq!(point(Protocol::Modbus, "mode=3:bits0-3:state").bits, Some((0, 4)));
    let text = point(Protocol::Modbus, "serialNumber=100:ascii8");
    assert_eq!((text.encoding, text.length, text.quantity), (Some("ascii"), Some(8), Some("text")));
}

#[test]
fn a_modicon_number_is_converted_and_said() {
    let mut notes = Vec::new();
    let point = context(Protocol::Modbus).point("flow=30013:f32:m3/h", &mut notes).unwrap();
    assert_eq!(point.place, register(Some("input"), 12));
    assert!(notes[0].contains("30013") && notes[0].contains("0x000C"), "{notes:?}");
}

#[test]
fn a_json_pointer_may_hold_colons_of_its_own() {
    let place = |topic: &str, path: Option<&str>| Place::Message {
        topic: topic.to_owned(),
        path: path.map(str::to_owned),
    };
    for (text, expected, code) in [
        ("t=/temperature:Cel", place("{base}/state", Some("/temperature")), Some("Cel")),
        ("t=/switch:0/apower:W", place("{base}/state", Some("/switch:0/apower")), Some("W")),
        ("t=/switch:0", place("{base}/state", Some("/switch:0")), None),
        ("t=/switch:0:W", place("{base}/state", Some("/switch:0")), Some("W")),
        ("t=/people:1", place("{base}/state", Some("/people")), Some("1")),
        ("t={base}/power:W", place("{base}/power", None), Some("W")),
        ("t={base}:W", place("{base}", None), Some("W")),
        (
            "t=tele/{base}/SENSOR#/ENERGY/Power:W",
            place("tele/{base}/SENSOR", Some("/ENERGY/Power")),
            Some("W"),
        ),
        ("t={base}/raw#", place("{base}/raw", Some("")), None),
    ] {
        let point = point(Protocol::Mqtt, text);
        assert_eq!((&point.place, unit(&point)), (&expected, code), "{text}");
    }
    assert_eq!(point(Protocol::Mqtt, "t=/temperature:Cel:0.1").factor, Some(0.1));
}

#[test]
fn meters_have_identifiers_and_places() {
    assert_eq!(
        point(Protocol::Dlt645, "phaseVoltage=02010100").place,
        Place::Item { id: 0x0201_0100 }
    );
    assert_eq!(point(Protocol::Dlt645, "e=0x9010").place, Place::Item { id: 0x9010 });
    let own = point(Protocol::Dlt645, "x=0x04000999:bcd:len4");
    assert_eq!((own.encoding, own.length), (Some("bcd"), Some(4)));
    assert_eq!(
        point(Protocol::Cjt188, "waterConsumption=volume").place,
        Place::Part { place: "volume" }
    );
}

#[test]
fn a_wrong_word_is_refused_with_what_is_allowed() {
    for (protocol, text, told) in [
        (Protocol::Modbus, "phaseVoltage", "name=place"),
        (Protocol::Modbus, "Phase Voltage=1", "no point name"),
        (Protocol::Modbus, "v=1:Volt", "it is written `V`"),
        (Protocol::Modbus, "v=1:float", "f32"),
        (Protocol::Modbus, "v=1:V:0", "factor of 0"),
        (Protocol::Modbus, "v=hold@1", "`holding`"),
        (Protocol::Modbus, "v=abc", "no address"),
        (Protocol::Mqtt, "t=state#/x", "{base}"),
        (Protocol::Mqtt, "t={base}#x", "JSON pointer"),
        (Protocol::Mqtt, "t=/temperature:degrees", "not a known UCUM unit"),
        (Protocol::Dlt645, "v=voltage", "no data identifier"),
        (Protocol::Cjt188, "v=volumes", "did you mean `volume`?"),
    ] {
        let why = refused(protocol, text);
        assert!(why.contains(told), "{text}: {why}");
    }
}

#[test]
fn raw_values_are_registers_bits_messages_or_frames() {
    let raw = |protocol, text: &str| context(protocol).raw(text, &mut Vec::new());
    let registers = Raw::Registers { table: "input", address: 0, words: vec![0x4366, 0x199A] };
    for text in
        ["input:0x0000=4366 199A", "0=4366199A", "input:0=0x4366, 0x199a", "30001=4366 199A"]
    {
        assert_eq!(raw(Protocol::Modbus, text).unwrap(), registers, "{text}");
    }
    assert_eq!(
        raw(Protocol::Modbus, "coil:3=1 0 true").unwrap(),
        Raw::Bits { table: "coil", address: 3, bits: vec![true, false, true] }
    );
    assert_eq!(
        raw(Protocol::Mqtt, "{base}/state={\"a=b\":1}").unwrap(),
        Raw::Message { topic: "{base}/state".into(), payload: "{\"a=b\":1}".into() }
    );
    assert_eq!(raw(Protocol::Dlt645, "68 aa 16").unwrap(), Raw::Frame("68 AA 16".into()));
    for (protocol, text) in [
        (Protocol::Modbus, "input:0=436"),
        (Protocol::Modbus, "input:0="),
        (Protocol::Modbus, "coil:0=2"),
        (Protocol::Modbus, "4366 199A"),
        (Protocol::Mqtt, "state"),
        (Protocol::Dlt645, "68 A"),
        (Protocol::Cjt188, "xyz"),
    ] {
        assert!(raw(protocol, text).is_err(), "{text}");
    }
}

#[test]
fn readings_are_numbers_flags_or_texts() {
    assert_eq!(reads("a.b=230.1").unwrap(), ("a.b".into(), Reading::Number(230.1)));
    assert_eq!(reads("on=true").unwrap(), ("on".into(), Reading::Flag(true)));
    assert_eq!(reads("id=A 7").unwrap(), ("id".into(), Reading::Text("A 7".into())));
    assert!(reads("230.1").is_err());
}
