//! Announcements of many makes, as they are heard, and the proposals that come of them.

mod hostile;
mod makes;
mod zigbee;

use std::sync::Arc;

use super::*;
use crate::driver::scan::{FoundDevice, Names};
use crate::profile::{self, Library, Loaded};

/// The proposals for these messages, with the built-in profiles.
fn proposals(messages: &[(&str, &str)]) -> Vec<FoundDevice> {
    proposals_beside(messages, &[])
}

fn proposals_beside(messages: &[(&str, &str)], known: &[Known]) -> Vec<FoundDevice> {
    let book = book(messages);
    assert_eq!(book.remarks(), [], "everything is read");
    propose(&book, &Library::built_in(), known)
}

fn book(messages: &[(&str, &str)]) -> Book {
    let mut book = Book::new(Where::default());
    for (topic, payload) in messages {
        book.take(topic, payload.as_bytes());
    }
    book
}

fn own(device: &FoundDevice) -> &Announced {
    device.mqtt.as_ref().unwrap()
}

fn topic(device: &FoundDevice) -> &str {
    own(device).topic.as_deref().unwrap_or("")
}

/// The profile that was made, read again and its examples run.
fn made(device: &FoundDevice) -> Loaded {
    let made = own(device).generated.as_ref();
    let made = made.unwrap_or_else(|| panic!("no profile was made: {device:#?}"));
    let loaded = profile::parse(&format!("{}.toml", made.id), &made.text);
    let loaded = loaded.unwrap_or_else(|faults| panic!("{faults:#?}\n{}", made.text));
    assert_eq!(profile::run_examples(&loaded), [], "{}", made.text);
    assert_eq!(made.points, loaded.profile.points.len());
    loaded
}

/// Names of the points of a profile that was made, with their units.
fn points(loaded: &Loaded) -> Vec<String> {
    let points = loaded.profile.points.iter();
    points.map(|point| format!("{} {}", point.name, point.unit.code())).collect()
}

/// The reading of a point in the examples, as its file has it.
fn reading(loaded: &Loaded, point: &str) -> String {
    let of = |example: &profile::Example| example.readings.get(point).cloned();
    match loaded.examples.iter().find_map(of) {
        Some(Ok(value)) => value.to_string(),
        Some(Err(reason)) => format!("bad {reason}"),
        None => String::new(),
    }
}

fn unread(device: &FoundDevice) -> Vec<&str> {
    own(device).unread.iter().map(|unread| unread.name.as_str()).collect()
}

/// The entries of all devices as a configuration, with the profiles that were made.
fn accepted(found: &[FoundDevice]) -> crate::config::Settings {
    let folder = tempfile::tempdir().unwrap();
    let mut names = Names::default();
    let profiles = folder.path().join("profiles");
    std::fs::create_dir(&profiles).unwrap();
    let mut text = String::from(
        "[gateway]\nid = \"box\"\nprofiles = [\"profiles\"]\n[mqtt]\nhost = \"127.0.0.1\"\n\n",
    );
    for device in found {
        if let Some(made) = &own(device).generated {
            std::fs::write(profiles.join(format!("{}.toml", made.id)), &made.text).unwrap();
        }
        text += &entry(device, own(device), &mut names, true);
    }
    let library = Library::load(&[profiles]).unwrap();
    let parsed = crate::config::parse("linli.toml", &text, &library);
    parsed.unwrap_or_else(|faults| panic!("{faults}\n{text}"))
}

#[test]
fn what_the_configuration_has_already_is_told_as_known() {
    let config = r#"{"name":"T","state_topic":"zigbee2mqtt/hall","unique_id":"a",
        "unit_of_measurement":"°C","value_template":"{{ value_json.temperature }}",
        "device":{"identifiers":["x1"],"name":"hall"}}"#;
    let library = Library::built_in();
    let profile = library.get("zigbee2mqtt-climate").unwrap();
    let known =
        |base: &str| Known { id: "hall".into(), base: base.into(), profile: Arc::clone(&profile) };
    let messages = [("homeassistant/sensor/x1/t/config", config)];
    let found = proposals_beside(&messages, &[known("zigbee2mqtt/hall")]);
    assert_eq!(found[0].known.as_deref(), Some("hall"));
    assert!(found[0].candidates.is_empty() && own(&found[0]).generated.is_none());
    let found = proposals_beside(&messages, &[known("zigbee2mqtt/other")]);
    assert_eq!(found[0].known, None);
}

#[test]
fn an_empty_message_takes_an_announcement_back_and_a_later_one_replaces_it() {
    let topic = "homeassistant/sensor/n/o/config";
    let config = r#"{"stat_t":"a/b","unit_of_meas":"V","dev":{"ids":"n","name":"old"}}"#;
    let renamed = config.replace("old", "new");
    assert!(proposals(&[(topic, config), (topic, "")]).is_empty());
    let found = proposals(&[(topic, config), (topic, &renamed)]);
    assert_eq!((found.len(), own(&found[0]).name.as_str()), (1, "new"));
}
