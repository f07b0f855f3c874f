//! The kinds of components of discovery messages: which topics tell their state, and what it is.

use super::announced::Kind;
use super::bounds::clean;
use super::home_assistant::Table;
use crate::driver::scan::Text;

/// One value of a component.
#[derive(Debug, Clone)]
pub(super) struct Channel {
    /// Key of its topic.
    pub topic: &'static str,
    /// Keys of its template, the one that counts first.
    pub templates: &'static [&'static str],
    /// Member of the document that holds it when there is no template.
    pub json_key: Option<&'static str>,
    pub kind: Kind,
    /// What it is, where the component itself says it.
    pub word: Option<&'static str>,
    /// Added to the component's name.
    pub label: &'static str,
    pub unit: Option<String>,
    /// `min` and `max` of the component hold for it.
    pub bounded: bool,
}

/// Numbers that have no unit.
const BARE_NUMBERS: &[&str] = &["power_factor", "aqi", "ph"];

const VALUE: &[&str] = &["value_template"];
const STATE: &[&str] = &["state_value_template", "value_template"];

fn channel(kind: Kind) -> Channel {
    Channel {
        topic: "state_topic",
        templates: VALUE,
        json_key: None,
        kind,
        word: None,
        label: "",
        unit: None,
        bounded: false,
    }
}

fn choice(words: &[&str]) -> Kind {
    Kind::Choice(words.iter().map(|word| (*word).to_owned()).collect())
}

/// What a component publishes.
///
/// # Errors
/// It publishes nothing that is a state.
pub(super) fn channels(component: &str, table: &Table<'_>) -> Result<Vec<Channel>, Text> {
    let one = |channel: Channel| Ok(vec![channel]);
    match component {
        "sensor" => one(sensor(table)),
        "number" => {
            let unit = table.text("unit_of_measurement").map(clean);
            one(Channel { unit, bounded: true, ..channel(Kind::Number) })
        }
        "binary_sensor" => {
            let on = table.word("payload_on", "ON");
            let off = table.word("payload_off", "OFF");
            one(channel(Kind::Flag { on, off }))
        }
        "switch" | "light" | "fan" | "humidifier" | "siren" => {
            let on = table.word("state_on", &table.word("payload_on", "ON"));
            let off = table.word("state_off", &table.word("payload_off", "OFF"));
            let json = table.text("schema") == Some("json");
            one(Channel {
                templates: STATE,
                json_key: (component == "light" && json).then_some("state"),
                word: Some(if component == "light" { "light" } else { "switch" }),
                ..channel(Kind::Flag { on, off })
            })
        }
        "select" => one(channel(Kind::Choice(table.words("options")))),
        "text" => one(channel(Kind::Text)),
        "lock" => {
            let words = ["state_locked", "state_unlocked"];
            let words = words.map(|key| table.word(key, default_word(key)));
            one(channel(Kind::Choice(words.to_vec())))
        }
        "cover" | "valve" => Ok(cover(table)),
        "climate" | "water_heater" => Ok(climate(table)),
        "alarm_control_panel" => one(channel(choice(&[
            "disarmed",
            "armed_home",
            "armed_away",
            "armed_night",
            "armed_vacation",
            "armed_custom_bypass",
            "pending",
            "triggered",
            "arming",
            "disarming",
        ]))),
        _ => {
            let component = clean(component);
            Err((
                format!("a `{component}` has no state that could be read"),
                format!("`{component}` 类部件没有可读取的状态"),
            )
                .into())
        }
    }
}

fn default_word(key: &str) -> &'static str {
    match key {
        "state_locked" => "LOCKED",
        "state_unlocked" => "UNLOCKED",
        "state_open" => "open",
        "state_opening" => "opening",
        "state_closed" => "closed",
        "state_closing" => "closing",
        _ => "stopped",
    }
}

fn sensor(table: &Table<'_>) -> Channel {
    let options = table.words("options");
    let class = table.text("device_class").unwrap_or("");
    let unit = table.text("unit_of_measurement").map(clean).filter(|unit| !unit.is_empty());
    let kind = if !options.is_empty() {
        Kind::Choice(options)
    } else if unit.is_some() || table.get("state_class").is_some() || BARE_NUMBERS.contains(&class)
    {
        Kind::Number
    } else if matches!(class, "timestamp" | "date") {
        Kind::Text
    } else {
        Kind::Unknown
    };
    Channel { unit, ..channel(kind) }
}

fn cover(table: &Table<'_>) -> Vec<Channel> {
    let keys = ["state_open", "state_opening", "state_closed", "state_closing", "state_stopped"];
    let words = keys.map(|key| table.word(key, default_word(key)));
    vec![
        channel(Kind::Choice(words.to_vec())),
        Channel {
            topic: "position_topic",
            templates: &["position_template"],
            word: Some("position"),
            label: "position",
            ..channel(Kind::Number)
        },
    ]
}

fn climate(table: &Table<'_>) -> Vec<Channel> {
    let fahrenheit = table.text("temperature_unit") == Some("F");
    let unit = Some(if fahrenheit { "°F" } else { "°C" }.to_owned());
    let modes = table.words("modes");
    let modes = if modes.is_empty() {
        choice(&["off", "auto", "heat", "cool", "heat_cool", "dry", "fan_only"])
    } else {
        Kind::Choice(modes)
    };
    vec![
        Channel {
            topic: "current_temperature_topic",
            templates: &["current_temperature_template"],
            word: Some("temperature"),
            label: "temperature",
            unit: unit.clone(),
            ..channel(Kind::Number)
        },
        Channel {
            topic: "current_humidity_topic",
            templates: &["current_humidity_template"],
            word: Some("humidity"),
            label: "humidity",
            unit: Some("%".to_owned()),
            ..channel(Kind::Number)
        },
        Channel {
            topic: "temperature_state_topic",
            templates: &["temperature_state_template"],
            word: Some("setpoint"),
            label: "set point",
            unit,
            ..channel(Kind::Number)
        },
        Channel {
            topic: "mode_state_topic",
            templates: &["mode_state_template"],
            word: Some("mode"),
            label: "mode",
            ..channel(modes)
        },
        Channel {
            topic: "action_topic",
            templates: &["action_template"],
            word: Some("hvac_action"),
            label: "action",
            ..channel(choice(&["off", "idle", "heating", "cooling", "drying", "fan", "preheating"]))
        },
    ]
}
