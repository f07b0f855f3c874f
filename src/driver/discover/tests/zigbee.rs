//! Zigbee2MQTT: its list of devices, and its own messages in the manner of Home Assistant.

use super::*;

const NUMBER: &str = r#""type":"numeric","access":1"#;

fn numeric(name: &str, unit: &str) -> String {
    format!(r#"{{"name":"{name}","property":"{name}","unit":"{unit}",{NUMBER}}}"#)
}

fn percent(name: &str) -> String {
    format!(
        r#"{{"name":"{name}","property":"{name}","unit":"%","value_min":0,"value_max":100,{NUMBER}}}"#
    )
}

fn binary(name: &str) -> String {
    format!(
        r#"{{"name":"{name}","property":"{name}","type":"binary","access":1,"value_on":true,"value_off":false}}"#
    )
}

fn link() -> String {
    format!(
        r#"{{"name":"linkquality","property":"linkquality","unit":"lqi","value_min":0,"value_max":255,{NUMBER}}}"#
    )
}

fn switch(endpoint: Option<&str>) -> String {
    let (property, own) = match endpoint {
        Some(endpoint) => (format!("state_{endpoint}"), format!(r#","endpoint":"{endpoint}""#)),
        None => ("state".to_owned(), String::new()),
    };
    format!(
        r#"{{"type":"switch"{own},"features":[{{"name":"state","property":"{property}","type":"binary","access":7,"value_on":"ON","value_off":"OFF","value_toggle":"TOGGLE"{own}}}]}}"#
    )
}

fn device(name: &str, vendor: &str, model: &str, exposes: &[String]) -> String {
    format!(
        r#"{{"ieee_address":"0x00158d000{:07x}","type":"EndDevice","friendly_name":"{name}","supported":true,"disabled":false,"definition":{{"vendor":"{vendor}","model":"{model}","description":"…","exposes":[{}]}}}}"#,
        name.len() * 7919,
        exposes.join(",")
    )
}

fn list(devices: &[String]) -> String {
    let coordinator = r#"{"ieee_address":"0x1","type":"Coordinator","friendly_name":"Coordinator","definition":null}"#;
    let all: Vec<&str> =
        std::iter::once(coordinator).chain(devices.iter().map(String::as_str)).collect();
    format!("[{}]", all.join(","))
}

fn announced(devices: &[String], messages: &[(&str, &str)]) -> Vec<FoundDevice> {
    let list = list(devices);
    let mut all = vec![("zigbee2mqtt/bridge/devices", list.as_str())];
    all.extend(messages);
    proposals(&all)
}

#[test]
fn devices_that_a_built_in_profile_fits_are_proposed_with_it() {
    let climate = device(
        "走廊/hall-1",
        "SONOFF",
        "SNZB-02D",
        &[percent("battery"), numeric("temperature", "°C"), percent("humidity"), link()],
    );
    let plug = device(
        "plug",
        "Tuya",
        "TS011F_plug_1",
        &[
            switch(None),
            numeric("power", "W"),
            numeric("current", "A"),
            numeric("voltage", "V"),
            numeric("energy", "kWh"),
            r#"{"name":"child_lock","property":"child_lock","type":"binary","access":7,"value_on":"LOCK","value_off":"UNLOCK","category":"config"}"#.to_owned(),
            link(),
        ],
    );
    let leak = device(
        "leak",
        "Aqara",
        "SJCGQ11LM",
        &[percent("battery"), binary("water_leak"), binary("battery_low"), link()],
    );
    let smoke = device(
        "smoke",
        "HEIMAN",
        "HS1SA",
        &[binary("smoke"), binary("battery_low"), binary("tamper"), percent("battery"), link()],
    );
    let contact = device(
        "door",
        "Aqara",
        "MCCGQ11LM",
        &[
            percent("battery"),
            r#"{"name":"contact","property":"contact","type":"binary","access":1,"value_on":false,"value_off":true}"#.to_owned(),
            link(),
        ],
    );
    let found = announced(&[climate, plug, leak, smoke, contact], &[]);
    let best: Vec<(&str, &str)> =
        found.iter().map(|device| (topic(device), device.candidates[0].profile.as_str())).collect();
    assert_eq!(
        best,
        [
            ("zigbee2mqtt/走廊/hall-1", "zigbee2mqtt-climate"),
            ("zigbee2mqtt/plug", "zigbee2mqtt-plug"),
            ("zigbee2mqtt/leak", "zigbee2mqtt-leak"),
            ("zigbee2mqtt/smoke", "zigbee2mqtt-smoke"),
            ("zigbee2mqtt/door", "zigbee2mqtt-contact"),
        ]
    );
    assert!(found.iter().all(|device| own(device).generated.is_none()));
    assert_eq!(unread(&found[1]), ["child lock"], "nothing is dropped silently");
    assert!(found.iter().all(|device| !device.candidates[0].certain));
    let why = &found[0].candidates[0].why;
    assert!(why.en.contains("4 of its 4") && why.zh.contains('4'), "{why:?}");
    let settings = accepted(&found);
    assert_eq!(settings.devices.len(), 5);
    assert_eq!(settings.devices[0].name, "走廊/hall-1");
}

#[test]
fn a_unit_that_the_profile_does_not_expect_is_not_read_as_if_it_were() {
    let wrong = device(
        "plug",
        "X",
        "Y",
        &[
            switch(None),
            numeric("power", "kW"),
            numeric("current", "mA"),
            numeric("voltage", "mV"),
            numeric("energy", "Wh"),
        ],
    );
    let found = announced(
        &[wrong],
        &[(
            "zigbee2mqtt/plug",
            r#"{"state":"ON","power":1.5,"current":250,"voltage":231000,"energy":1234}"#,
        )],
    );
    let loaded = made(&found[0]);
    assert_eq!(loaded.profile.category.word(), "electricity_meter");
    for (point, value) in [
        ("switchedOn", "true"),
        ("totalActivePower", "1500"),
        ("current", "0.25"),
        ("phaseVoltage", "231"),
        ("totalActiveEnergyImport", "1.234"),
    ] {
        assert_eq!(reading(&loaded, point), value, "{point}");
    }
    assert!(loaded.examples[0].about.contains("heard"));
}

#[test]
fn a_relay_of_two_gangs_gets_a_profile_with_its_channels() {
    let relay = device("relay", "Lonsonho", "X702", &[switch(Some("left")), switch(Some("right"))]);
    let twin =
        device("relay two", "Lonsonho", "X702", &[switch(Some("left")), switch(Some("right"))]);
    let found = announced(&[relay, twin], &[]);
    let loaded = made(&found[0]);
    assert_eq!(points(&loaded), ["channels.1.switchedOn 1", "channels.2.switchedOn 1"]);
    assert_eq!(own(&found[0]).generated, own(&found[1]).generated, "one profile for one model");
    assert!(loaded.examples.iter().all(|example| example.about.contains("constructed")));
    assert_eq!(accepted(&found).devices.len(), 2);
}

#[test]
fn a_model_that_nobody_has_a_profile_for_gets_one_with_composites_and_choices() {
    let odd = device(
        "lab \\\"1\\\"",
        "Böse",
        "T\\u0000{n}\\\"1",
        &[
            r#"{"name":"position_xyz","property":"pos","type":"composite","features":[{"name":"x","property":"x","type":"numeric","access":1,"unit":"°"},{"name":"y","property":"y","type":"numeric","access":1,"unit":"°"}]}"#.to_owned(),
            r#"{"name":"mode","property":"mode","type":"enum","access":3,"values":["eco","comfort",3]}"#.to_owned(),
            r#"{"name":"identify","property":"identify","type":"enum","access":2,"values":["identify"]}"#.to_owned(),
            r#"{"name":"schedule","property":"schedule","type":"list","access":1,"item_type":"text"}"#.to_owned(),
            numeric("odd_number", "furlong"),
            numeric("power_phase_b", "W"),
            r#"{"name":"note","property":"note","type":"text","access":1}"#.to_owned(),
            r#"{"name":"slot","property":"slot","type":"composite","features":[{"name":"state","property":"state","type":"binary","access":1,"value_on":"ON","value_off":"OFF"}]}"#.to_owned(),
            r#"{"type":"switch","features":[{"name":"state","property":"window_detection","type":"binary","access":7,"value_on":"ON","value_off":"OFF"}]}"#.to_owned(),
            r#"{"name":"energy","property":"energy","type":"numeric","access":1}"#.to_owned(),
        ],
    );
    let message = r#"{"pos":{"x":3,"y":-4.5},"mode":"boost","odd_number":7,"note":"a\"b","power_phase_b":-20}"#;
    let found = announced(&[odd], &[("zigbee2mqtt/lab \"1\"", message)]);
    let loaded = made(&found[0]);
    assert_eq!(
        points(&loaded),
        [
            "x deg",
            "y deg",
            "mode 1",
            "oddNumber 1",
            "activePower.L2 W",
            "note 1",
            "slotState 1",
            "windowDetection 1",
            "energy 1"
        ]
    );
    assert_eq!(reading(&loaded, "y"), "-4.5");
    assert_eq!(reading(&loaded, "mode"), "3", "a word that was heard is one of the choices");
    assert_eq!(reading(&loaded, "note"), "a\"b");
    assert_eq!(unread(&found[0]), ["identify", "schedule"]);
    assert!(loaded.profile.caveats.iter().any(|caveat| caveat.contains("furlong")));
    assert_eq!(accepted(&found).devices.len(), 1);
}

#[test]
fn a_device_that_the_bridge_does_not_know_is_told_without_an_entry() {
    let unknown = r#"{"ieee_address":"0x2","type":"EndDevice","friendly_name":"0x2","manufacturer":"_TZ","model_id":"TS9","supported":false,"definition":null}"#;
    let found = announced(&[unknown.to_owned()], &[]);
    assert!(found[0].candidates.is_empty() && own(&found[0]).generated.is_none());
    let text = entry(&found[0], own(&found[0]), &mut Names::default(), false);
    assert!(text.lines().all(|line| line.starts_with('#')), "{text}");
    assert!(text.contains("TS9") && text.contains("does not know the model"), "{text}");
}

#[test]
fn what_the_bridge_announces_twice_is_one_device_and_the_bridge_is_none() {
    let climate = device(
        "hall",
        "SONOFF",
        "SNZB-02D",
        &[numeric("temperature", "°C"), percent("humidity"), percent("battery"), link()],
    );
    let temperature = r#"{"availability":[{"topic":"zigbee2mqtt/bridge/state","value_template":"{{ value_json.state }}"}],"device":{"identifiers":["zigbee2mqtt_0x00158d000"],"manufacturer":"SONOFF","model":"SNZB-02D","name":"hall"},"device_class":"temperature","object_id":"hall_temperature","origin":{"name":"Zigbee2MQTT"},"state_class":"measurement","state_topic":"zigbee2mqtt/hall","unique_id":"0x00158d_temperature_zigbee2mqtt","unit_of_measurement":"°C","value_template":"{{ value_json.temperature }}"}"#;
    let bridge = r#"{"device":{"identifiers":["zigbee2mqtt_bridge_0x1"],"manufacturer":"Zigbee2MQTT","model":"Bridge","name":"Zigbee2MQTT Bridge"},"name":"Connection state","device_class":"connectivity","state_topic":"zigbee2mqtt/bridge/state","payload_on":"online","payload_off":"offline","value_template":"{{ value_json.state }}","unique_id":"bridge_x"}"#;
    let found = announced(
        &[climate],
        &[
            ("homeassistant/sensor/0x00158d/temperature/config", temperature),
            (
                "homeassistant/binary_sensor/1221051039810110150109113116116_0x1/connection_state/config",
                bridge,
            ),
        ],
    );
    assert_eq!(found.len(), 1);
    assert_eq!(own(&found[0]).source, Source::Zigbee2Mqtt);
}

#[test]
fn its_messages_for_home_assistant_alone_are_enough() {
    let config = |key: &str, class: &str, unit: &str| {
        format!(
            r#"{{"availability":[{{"topic":"zigbee2mqtt/bridge/state","value_template":"{{{{ value_json.state }}}}"}},{{"topic":"zigbee2mqtt/hall/availability","value_template":"{{{{ value_json.state }}}}"}}],"availability_mode":"all","device":{{"identifiers":["zigbee2mqtt_0x00158d"],"manufacturer":"SONOFF","model":"SNZB-02D","name":"hall"}},"device_class":"{class}","state_class":"measurement","state_topic":"zigbee2mqtt/hall","unit_of_measurement":"{unit}","unique_id":"0x_{key}","value_template":"{{{{ value_json['{key}'] }}}}"}}"#
        )
    };
    let all = [
        ("homeassistant/sensor/0x1/temperature/config", config("temperature", "temperature", "°C")),
        ("homeassistant/sensor/0x1/humidity/config", config("humidity", "humidity", "%")),
        ("homeassistant/sensor/0x1/battery/config", config("battery", "battery", "%")),
    ];
    let all: Vec<(&str, &str)> = all.iter().map(|(t, p)| (*t, p.as_str())).collect();
    let found = proposals(&all);
    assert_eq!((found.len(), topic(&found[0])), (1, "zigbee2mqtt/hall"));
    assert_eq!(found[0].candidates[0].profile, "zigbee2mqtt-climate");
}
