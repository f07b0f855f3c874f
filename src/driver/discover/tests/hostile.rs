//! Messages that mean harm: nothing panics, everything stays bounded, the rest goes on.

use proptest::prelude::*;

use super::*;

const GOOD: (&str, &str) = (
    "homeassistant/sensor/n/good/config",
    r#"{"stat_t":"good/v","unit_of_meas":"V","dev_cla":"voltage","dev":{"ids":"good","name":"good"}}"#,
);

#[test]
fn wrong_messages_are_told_with_their_topics_and_the_rest_goes_on() {
    let deep = format!("{{\"a\":{}", "[".repeat(50_000));
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(100_000));
    let messages = [
        ("homeassistant/sensor/n/a/config", "{\"stat_t\":"),
        ("homeassistant/sensor/n/b/config", deep.as_str()),
        ("homeassistant/sensor/n/c/config", large.as_str()),
        ("homeassistant/sensor/n/d/config", "[1]"),
        ("homeassistant/device/n/e/config", "{}"),
        ("zigbee2mqtt/bridge/devices", "{}"),
        ("tasmota/discovery/x/config", "{}"),
        GOOD,
    ];
    let book = book(&messages);
    let told = book.remarks();
    assert_eq!(told.len(), 7, "{told:#?}");
    for (remark, (topic, _)) in told.iter().zip(messages) {
        assert!(remark.en.starts_with(topic) && remark.zh.starts_with(topic), "{remark:?}");
    }
    let found = propose(&book, &Library::built_in(), &[]);
    assert_eq!(found.len(), 1);
    made(&found[0]);
}

#[test]
fn text_of_the_network_reaches_neither_the_terminal_nor_the_files_as_it_is() {
    let evil = r#"\u001b[2J\u001b]0;x\u0007\"]\n[[device]]\nid = \"evil\u202e"#;
    let config = format!(
        r#"{{"name":"{evil}","stat_t":"a/b","unit_of_meas":"{evil}","options":["{evil}"],"val_tpl":"{{{{ value_json['{{n}}'] }}}}{evil}","dev":{{"ids":"{evil}","name":"{evil}","mf":"{evil}","mdl":"{evil}"}}}}"#
    );
    let plain = format!(
        r#"{{"name":"{evil}","stat_t":"a/c","unit_of_meas":"{evil}","dev":{{"ids":"{evil}","name":"{evil}","mf":"{evil}","mdl":"{evil}"}}}}"#
    );
    let found = proposals(&[
        ("homeassistant/sensor/n/a/config", &config),
        ("homeassistant/sensor/n/b/config", &plain),
        ("a/c", "\u{1b}[31m\u{202e}1"),
    ]);
    let loaded = made(&found[0]);
    assert_eq!(loaded.profile.points.len(), 1);
    let text = &own(&found[0]).generated.as_ref().unwrap().text;
    let entry = entry(&found[0], own(&found[0]), &mut Names::default(), true);
    for text in [text, &entry] {
        assert!(!text.contains(['\u{1b}', '\u{7}', '\u{202e}']), "{text:?}");
        assert!(!text.lines().any(|line| line.starts_with("id = \"evil")), "{text}");
    }
    assert_eq!(accepted(&found).devices.len(), 1);
}

#[test]
fn floods_of_devices_values_and_topics_are_cut_off() {
    let mut book = Book::new(Where::default());
    for n in 0..6000 {
        let config = format!(
            r#"{{"name":"v{n}","stat_t":"x/{n}/v","unit_of_meas":"V","dev":{{"ids":"d{}"}}}}"#,
            n % 700
        );
        book.take(&format!("homeassistant/sensor/n/o{n}/config"), config.as_bytes());
        book.take(&format!("homeassistant/sensor/n/bad{n}/config"), b"{");
    }
    for n in 0..10_000 {
        book.take(&format!("x/{n}/v"), b"1");
    }
    assert!(book.heard() <= 5000);
    assert_eq!(book.remarks().len(), 51);
    assert!(book.remarks()[50].en.contains("more"));
    let found = propose(&book, &Library::built_in(), &[]);
    assert_eq!(found.len(), 500);
    // One device with a thousand topics.
    let mut book = Book::new(Where::default());
    for n in 0..1000 {
        let config =
            format!(r#"{{"name":"v{n}","stat_t":"x/{n}","unit_of_meas":"V","dev":{{"ids":"d"}}}}"#);
        book.take(&format!("homeassistant/sensor/n/o{n}/config"), config.as_bytes());
    }
    let found = propose(&book, &Library::built_in(), &[]);
    assert_eq!(made(&found[0]).profile.points.len(), 60);
    assert!(!unread(&found[0]).is_empty());
}

const KEYS: &[&str] = &[
    "~",
    "stat_t",
    "state_topic",
    "val_tpl",
    "dev",
    "ids",
    "name",
    "cmps",
    "p",
    "ops",
    "avty",
    "topic",
    "t",
    "unit_of_meas",
    "stat_cla",
    "dev_cla",
    "exp_aft",
    "pl_on",
    "pl_off",
    "type",
    "friendly_name",
    "definition",
    "exposes",
    "features",
    "property",
    "access",
    "values",
    "value_on",
    "value_off",
    "endpoint",
    "unit",
    "value_min",
    "value_max",
    "ieee_address",
    "{n}",
];

fn json() -> impl Strategy<Value = serde_json::Value> {
    let keys = prop::sample::select(KEYS.to_vec());
    let words = prop::sample::select(vec![
        "a/b",
        "a/b/c",
        "~/x",
        "/",
        "",
        "sensor",
        "enum",
        "numeric",
        "binary",
        "composite",
        "energy",
        "temperature",
        "°C",
        "kWh",
        "total_increasing",
        "ON",
        "false",
        "{{ value_json.x }}",
        "{{ value | float / 3 }}",
        "{base}",
        "\u{1b}",
        "switch",
        "climate",
        "厨房",
        "a\"b\\",
        "1",
    ]);
    let leaf = prop_oneof![
        words.prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        Just(serde_json::Value::Null),
        ".{0,12}".prop_map(serde_json::Value::from),
    ];
    leaf.prop_recursive(5, 60, 10, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(serde_json::Value::from),
            prop::collection::vec((keys.clone(), inner), 0..10).prop_map(|pairs| {
                pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
            }),
        ]
    })
}

/// Messages as they should be, with something else put into them.
fn bent() -> impl Strategy<Value = serde_json::Value> {
    let pair = (prop::sample::select(KEYS.to_vec()), json());
    (prop::collection::vec(pair, 0..3), prop::sample::select(ENTITIES.to_vec())).prop_map(
        |(pairs, entity)| {
            let mut entity: serde_json::Value = serde_json::from_str(entity).unwrap();
            for (key, value) in pairs {
                entity[key] = value;
            }
            entity
        },
    )
}

const ENTITIES: &[&str] = &[
    r#"{"stat_t":"a/b","val_tpl":"{{ value_json.x }}","unit_of_meas":"kWh","stat_cla":"total_increasing"}"#,
    r#"{"stat_t":"a/b","val_tpl":"{{ value_json.y / 3 }}","unit_of_meas":"°F","dev_cla":"temperature"}"#,
    r#"{"stat_t":"a/c","pl_on":"1","pl_off":"2","ops":["x","y"],"p":"sensor"}"#,
    r#"{"type":"numeric","name":"n","property":"n","access":1,"unit":"mA","value_min":1,"value_max":2}"#,
    r#"{"type":"enum","name":"e","property":"e","access":1,"values":["a","b"]}"#,
    r#"{"type":"binary","name":"b","property":"b","access":1,"value_on":1,"value_off":false}"#,
];

const TOPICS: [&str; 8] = [
    "homeassistant/sensor/n/a/config",
    "homeassistant/binary_sensor/n/b/config",
    "homeassistant/select/n/c/config",
    "homeassistant/number/n/d/config",
    "homeassistant/climate/n/e/config",
    "homeassistant/device/n/f/config",
    "zigbee2mqtt/bridge/devices",
    "a/b",
];

/// Puts an entity where its topic has it.
fn wrapped(topic: &str, entity: &serde_json::Value) -> serde_json::Value {
    match topic {
        "homeassistant/device/n/f/config" => serde_json::json!({ "cmps": { "c": entity } }),
        "zigbee2mqtt/bridge/devices" => serde_json::json!([
            { "friendly_name": "z", "definition": { "exposes": [entity] } }
        ]),
        _ => entity.clone(),
    }
}

#[test]
fn whatever_is_announced_the_profiles_that_are_made_hold() {
    let most = std::cell::Cell::new(0u32);
    let messages = prop::collection::vec((0usize..TOPICS.len(), prop_oneof![bent(), json()]), 1..9);
    let config =
        ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let outcome = runner.run(&messages, |messages| {
        let mut book = Book::new(Where::default());
        for (topic, entity) in &messages {
            let topic = TOPICS[*topic];
            book.take(topic, wrapped(topic, entity).to_string().as_bytes());
        }
        book.take("a/c", b"1");
        for device in propose(&book, &Library::default(), &[]) {
            if own(&device).generated.is_some() {
                made(&device);
                most.set(most.get() + 1);
            }
        }
        Ok(())
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
    assert!(most.get() > 100, "only {} profiles were made", most.get());
}

proptest! {
    #[test]
    fn bytes_that_are_no_message_do_no_harm(payload in prop::collection::vec(any::<u8>(), 0..200)) {
        let mut book = Book::new(Where::default());
        for topic in ["homeassistant/sensor/a/config", "zigbee2mqtt/bridge/devices", "shellies/announce", "x"] {
            book.take(topic, &payload);
        }
        propose(&book, &Library::default(), &[]);
    }

    #[test]
    fn any_template_is_read_or_refused(template in "\\{\\{[ a-z_.'\\[\\]|()0-9*/+-]{0,60}\\}\\}") {
        super::super::template::read(&template);
    }
}
