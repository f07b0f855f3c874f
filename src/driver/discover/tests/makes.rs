//! Other makes: ESPHome, Tasmota, a reader of water meters, a device of one message, Shelly,
//! ChirpStack.

use super::*;

#[test]
fn an_esphome_node_gets_a_profile_of_its_texts_below_its_prefix() {
    let device = r#""dev":{"ids":"a1b2c3d4e5f6","name":"pump-room","sw":"esphome v2024.6.4","mdl":"esp32dev","mf":"espressif"},"avty_t":"pump-room/status""#;
    let config = |rest: &str| format!("{{{rest},{device}}}");
    let messages = [
        (
            "homeassistant/sensor/pump-room/water_pressure/config",
            config(
                r#""dev_cla":"pressure","unit_of_meas":"bar","stat_cla":"measurement","name":"Water Pressure","stat_t":"pump-room/sensor/water_pressure/state","uniq_id":"ESPsensorwater_pressure""#,
            ),
        ),
        (
            "homeassistant/sensor/pump-room/heat_energy/config",
            config(
                r#""dev_cla":"energy","unit_of_meas":"Wh","stat_cla":"total_increasing","name":"Heat Energy","stat_t":"pump-room/sensor/heat_energy/state""#,
            ),
        ),
        (
            "homeassistant/binary_sensor/pump-room/floor_wet/config",
            config(
                r#""dev_cla":"moisture","name":"Floor Wet","stat_t":"pump-room/binary_sensor/floor_wet/state""#,
            ),
        ),
        (
            "homeassistant/switch/pump-room/pump/config",
            config(
                r#""name":"Pump","stat_t":"pump-room/switch/pump/state","cmd_t":"pump-room/switch/pump/command""#,
            ),
        ),
        (
            "homeassistant/sensor/pump-room/firmware/config",
            config(
                r#""name":"Firmware","ent_cat":"diagnostic","stat_t":"pump-room/sensor/firmware/state""#,
            ),
        ),
        (
            "homeassistant/button/pump-room/restart/config",
            config(r#""name":"Restart","cmd_t":"pump-room/button/restart/command""#),
        ),
        ("pump-room/sensor/water_pressure/state", "2.53".to_owned()),
        ("pump-room/binary_sensor/floor_wet/state", "OFF".to_owned()),
        ("pump-room/sensor/firmware/state", "2024.6.4 (Jun 21 2024)".to_owned()),
        ("pump-room/status", "online".to_owned()),
    ];
    let messages: Vec<(&str, &str)> = messages.iter().map(|(t, p)| (*t, p.as_str())).collect();
    let found = proposals(&messages);
    assert_eq!((found.len(), topic(&found[0])), (1, "pump-room"));
    let loaded = made(&found[0]);
    let mut names = points(&loaded);
    names.sort();
    assert_eq!(
        names,
        ["firmware 1", "leak 1", "pressure kPa", "switchedOn 1", "totalActiveEnergyImport kW.h"]
    );
    assert_eq!(reading(&loaded, "pressure"), "253");
    assert_eq!(reading(&loaded, "leak"), "false");
    let pump = loaded.profile.points.iter().find(|point| &*point.name == "switchedOn").unwrap();
    assert_eq!((&*pump.zh, &*pump.en), ("开关（Pump）", "switched on (Pump)"));
    assert_eq!(unread(&found[0]), ["Restart"]);
    let profile::Binding::Mqtt(model) = &loaded.profile.binding else { panic!() };
    assert_eq!(model.availability.as_ref().unwrap().pattern, "{base}/status");
    assert_eq!(accepted(&found).devices.len(), 1);
}

#[test]
fn tasmota_messages_of_the_old_discovery_fit_the_built_in_plug() {
    let config = |key: &str, class: &str, unit: &str| {
        format!(
            r#"{{"name":"Plug {key}","stat_t":"tele/plug-7/SENSOR","avty_t":"tele/plug-7/LWT","pl_avail":"Online","pl_not_avail":"Offline","uniq_id":"35EBF6_ENERGY_{key}","dev":{{"ids":["35EBF6"],"name":"Plug","mdl":"Sonoff Pow","mf":"Tasmota"}},"unit_of_meas":"{unit}","dev_cla":"{class}","frc_upd":true,"val_tpl":"{{{{value_json['ENERGY']['{key}']}}}}"}}"#
        )
    };
    let all = [
        ("homeassistant/sensor/35EBF6_ENERGY_Voltage/config", config("Voltage", "voltage", "V")),
        ("homeassistant/sensor/35EBF6_ENERGY_Current/config", config("Current", "current", "A")),
        ("homeassistant/sensor/35EBF6_ENERGY_Power/config", config("Power", "power", "W")),
        ("homeassistant/sensor/35EBF6_ENERGY_Total/config", config("Total", "energy", "kWh")),
        ("homeassistant/sensor/35EBF6_ENERGY_Factor/config", config("Factor", "power_factor", "")),
    ];
    let mut all: Vec<(&str, &str)> = all.iter().map(|(t, p)| (*t, p.as_str())).collect();
    // The manner of today, beside what an older firmware left on the broker.
    let today = r#"{"dn":"Plug","md":"Sonoff Pow","t":"plug-7","ft":"%prefix%/%topic%/"}"#;
    all.push(("tasmota/discovery/35EBF6000001/config", today));
    let found = proposals(&all);
    assert_eq!((found.len(), topic(&found[0])), (1, "plug-7"));
    assert_eq!(found[0].candidates[0].profile, "tasmota-energy-plug");
}

#[test]
fn tasmota_that_announces_itself_its_own_way_is_judged_by_its_telemetry() {
    let config = r#"{"ip":"192.168.1.5","dn":"Kitchen","fn":["Kitchen",null],"hn":"kitchen-1","mac":"35EBF6000001","md":"Sonoff Pow","ty":0,"if":0,"ofln":"Offline","onln":"Online","state":["OFF","ON","TOGGLE","HOLD"],"sw":"14.1.0","t":"kitchen","ft":"%prefix%/%topic%/","tp":["cmnd","stat","tele"],"rl":[1,0,0,0],"ver":1}"#;
    let sensors = r#"{"sn":{"Time":"2026-01-02T03:04:05","ENERGY":{"TotalStartTime":"2020-01-01T00:00:00","Total":12.5,"Yesterday":0.1,"Today":0.2,"Power":41,"ApparentPower":50,"ReactivePower":5,"Factor":0.82,"Voltage":229,"Current":0.21}},"ver":1}"#;
    let found = proposals(&[
        ("tasmota/discovery/35EBF6000001/config", config),
        ("tasmota/discovery/35EBF6000001/sensors", sensors),
    ]);
    assert_eq!((found.len(), topic(&found[0])), (1, "kitchen"));
    assert_eq!(found[0].candidates[0].profile, "tasmota-energy-plug");
    assert_eq!(accepted(&found).devices[0].name, "Kitchen");
}

#[test]
fn a_reader_of_a_water_meter_keeps_its_counter_and_its_own_words_of_presence() {
    let config = |id: &str, rest: &str| {
        (
            format!("homeassistant/sensor/watermeter/{id}/config"),
            format!(
                r#"{{"~":"watermeter","unique_id":"watermeter-{id}","object_id":"watermeter_{id}",{rest},"avty_t":"~/connection","pl_avail":"connected","pl_not_avail":"connection lost","dev":{{"ids":["watermeter"],"name":"watermeter","mdl":"Watermeter","mf":"AI on the Edge","sw":"15.7.0","cu":"http://192.168.1.9"}}}}"#
            ),
        )
    };
    let all = [
        config(
            "value",
            r#""name":"Value","stat_t":"~/main/value","unit_of_meas":"m³","dev_cla":"water","stat_cla":"total_increasing""#,
        ),
        config("rate", r#""name":"Rate","stat_t":"~/main/rate","unit_of_meas":"m³/min""#),
        config("error", r#""name":"Error","stat_t":"~/main/error""#),
        config(
            "wifiRSSI",
            r#""name":"Wi-Fi RSSI","stat_t":"~/wifiRSSI","unit_of_meas":"dBm","dev_cla":"signal_strength","ent_cat":"diagnostic""#,
        ),
    ];
    let mut messages: Vec<(&str, &str)> = all.iter().map(|(t, p)| (&**t, &**p)).collect();
    messages.extend([("watermeter/main/value", "545.7085"), ("watermeter/main/error", "no error")]);
    let found = proposals(&messages);
    assert_eq!(topic(&found[0]), "watermeter");
    let loaded = made(&found[0]);
    assert_eq!(loaded.profile.category.word(), "water_meter");
    assert_eq!(reading(&loaded, "waterConsumption"), "545.7085");
    assert_eq!(reading(&loaded, "readingStatus"), "no error");
    let counter = loaded.profile.points.iter().find(|p| &*p.name == "waterConsumption").unwrap();
    assert!(counter.max_rate.is_some());
    let profile::Binding::Mqtt(model) = &loaded.profile.binding else { panic!() };
    assert_eq!(model.availability.as_ref().unwrap().online, ["connected"]);
}

#[test]
fn a_device_of_one_message_has_its_components_with_what_they_share() {
    let config = r#"{
        "dev":{"ids":"ea334450945afc","name":"Kitchen","mf":"Bla electronics","mdl":"xya","sw":"1.0"},
        "o":{"name":"bla2mqtt","sw":"2.1"},
        "cmps":{
            "c1":{"p":"sensor","name":"Air","device_class":"temperature","unit_of_measurement":"°F","value_template":"{{ (value_json.temp | float / 10) | round(1) }}","unique_id":"t1"},
            "c2":{"p":"sensor","name":"Water","device_class":"temperature","unit_of_measurement":"°C","value_template":"{{ value_json['probe'].t }}","unique_id":"t2"},
            "c3":{"p":"binary_sensor","name":"Lid","device_class":"opening","payload_on":"2","payload_off":"3","value_template":"{{ value_json.lid }}"},
            "c4":{"p":"select","name":"Program","options":["slow","fast"],"value_template":"{{ value_json.prog }}","command_topic":"x/set"},
            "c5":{"p":"sensor","name":"Sum","value_template":"{{ value_json.a + value_json.b }}"},
            "c6":{"p":"climate","name":"Heater","current_temperature_topic":"~/heat","current_temperature_template":"{{ value_json.now }}","mode_state_topic":"~/mode"},
            "gone":{"p":"sensor"}
        },
        "~":"plant/kitchen","state_topic":"~/state","availability":[{"topic":"~/online","payload_available":"1","payload_not_available":"0"}],"expire_after":90
    }"#;
    let found = proposals(&[
        ("homeassistant/device/ea334450945afc/config", config),
        (
            "plant/kitchen/state",
            r#"{"temp":680,"probe":{"t":12.25},"lid":2,"prog":"fast","more":[1,2]}"#,
        ),
        ("plant/kitchen/heat", r#"{"now":21}"#),
    ]);
    assert_eq!((found.len(), topic(&found[0])), (1, "plant/kitchen"));
    let loaded = made(&found[0]);
    assert_eq!(reading(&loaded, "temperature"), "20");
    assert_eq!(reading(&loaded, "temperature.c2"), "12.25");
    assert_eq!(reading(&loaded, "temperature.c6Temperature"), "21");
    assert_eq!(reading(&loaded, "open"), "true");
    assert_eq!(reading(&loaded, "program"), "1");
    assert_eq!(unread(&found[0]), ["Sum"]);
    assert!(own(&found[0]).unread[0].why.zh.contains("模板"));
    let profile::Binding::Mqtt(model) = &loaded.profile.binding else { panic!() };
    assert_eq!(model.silent_after, Some(std::time::Duration::from_secs(90)));
    assert_eq!(accepted(&found).devices[0].id.as_str(), "kitchen");
}

#[test]
fn values_on_topics_without_anything_in_common_are_told_one_by_one() {
    let config = |topic: &str| {
        format!(
            r#"{{"name":"{topic}","stat_t":"{topic}","unit_of_meas":"V","dev":{{"ids":"n","name":"n"}}}}"#
        )
    };
    let all = [
        ("homeassistant/sensor/n/a/config", config("home/n/a")),
        ("homeassistant/sensor/n/b/config", config("home/n/b")),
        ("homeassistant/sensor/n/c/config", config("elsewhere/c")),
    ];
    let all: Vec<(&str, &str)> = all.iter().map(|(t, p)| (*t, p.as_str())).collect();
    let found = proposals(&all);
    assert_eq!(topic(&found[0]), "home/n");
    assert_eq!(unread(&found[0]), ["elsewhere/c"]);
    assert_eq!(made(&found[0]).profile.points.len(), 2);
}

#[test]
fn shelly_of_both_generations_and_lorawan_uplinks_find_their_profiles() {
    let uplink = r#"{"deduplicationId":"3ac7","time":"2026-01-02T03:04:05Z","deviceInfo":{"tenantName":"t","applicationId":"a1","applicationName":"x","deviceProfileName":"Milesight EM300-TH","deviceName":"roof","devEui":"24e124136b000001"},"devAddr":"01","dr":5,"fCnt":10,"fPort":85,"object":{"battery":98,"temperature":21.5,"humidity":48}}"#;
    let found = proposals(&[
        ("shellyplus1pm-441793d69718/online", "true"),
        (
            "shellyplus1pm-441793d69718/status/switch:0",
            r#"{"id":0,"source":"init","output":true,"apower":12.5,"voltage":230.1,"current":0.08,"pf":0.9,"freq":50,"aenergy":{"total":1234.5},"temperature":{"tC":47.3,"tF":117.1}}"#,
        ),
        (
            "shellies/announce",
            r#"{"id":"shelly1-B929CC","model":"SHSW-1","mac":"B929CC","ip":"10.0.0.2","new_fw":false,"fw_ver":"1"}"#,
        ),
        ("shellies/shelly1-B929CC/relay/0", "on"),
        ("application/a1/device/24e124136b000001/event/up", uplink),
    ]);
    let told: Vec<(&str, bool)> =
        found.iter().map(|device| (topic(device), !device.candidates.is_empty())).collect();
    assert_eq!(
        told,
        [
            ("application/a1/device/24e124136b000001", true),
            ("shellies/shelly1-B929CC", true),
            ("shellyplus1pm-441793d69718", true)
        ]
    );
    assert_eq!(found[0].candidates[0].profile, "chirpstack-milesight-em300-th");
    assert_eq!(found[1].candidates[0].profile, "shelly-gen1-relay");
    assert!(found[2].candidates[0].profile.starts_with("shelly-"), "{:?}", found[2].candidates);
    assert_eq!(accepted(&found).devices.len(), 3);
}

#[test]
fn a_device_with_other_members_than_usual_says_how_many() {
    let config = r#"{"dn":"Board","md":"Relay board","t":"board","ft":"%prefix%/%topic%/"}"#;
    let found = proposals(&[
        ("tasmota/discovery/35EBF6000009/config", config),
        ("stat/board/POWER1", "ON"),
        ("stat/board/POWER2", "OFF"),
        ("stat/board/POWER3", "OFF"),
        ("stat/board/POWER4", "OFF"),
        ("stat/board/POWER5", "OFF"),
        ("stat/board/POWER6", "ON"),
    ]);
    assert_eq!(found[0].candidates[0].profile, "tasmota-relay-4");
    assert_eq!(own(&found[0]).groups, std::collections::BTreeMap::from([("relays".into(), 6)]));
    let settings = accepted(&found);
    assert!(settings.devices[0].points.iter().any(|point| &*point.name == "relays.6.on"));
}
