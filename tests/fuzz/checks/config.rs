//! The configuration file, with the profiles that are built in.

use std::sync::LazyLock;

use linli::config::{Connection, Settings, parse};
use linli::profile::Library;

use super::harmless;
use crate::allocation::within;

/// Library and words of the settings are read once, outside of what is counted.
static LIBRARY: LazyLock<Library> = LazyLock::new(Library::built_in);
/// A byte of a file may become a fault, in two languages with what is allowed there.
const A_BYTE: usize = 4 * 1024;
const AT_LEAST: usize = 4 << 20;

pub(super) fn judge(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let library = &*LIBRARY;
    let most = AT_LEAST + A_BYTE * input.len();
    let first = within("reading", most, most, || parse("linli.toml", text, library));
    let second = parse("linli.toml", text, library);
    match (first, second) {
        (Ok(settings), Ok(again)) => {
            assert_eq!(format!("{settings:?}"), format!("{again:?}"), "read twice");
            accepted(&settings);
        }
        (Err(faults), Err(again)) => {
            assert_eq!(faults, again, "refused twice");
            let lines = text.lines().count().max(1);
            for fault in faults.all() {
                assert!((1..=lines + 1).contains(&fault.place.line), "{fault}");
                assert!(fault.place.column >= 1 && !fault.problem.is_empty(), "{fault}");
                assert!(!fault.problem_zh.is_empty(), "{fault}");
                harmless(&fault.to_string());
            }
        }
        _ => panic!("the same text is accepted once and refused once"),
    }
}

/// What everybody behind it relies on.
fn accepted(settings: &Settings) {
    let mut ids: Vec<&str> = settings.devices.iter().map(|device| device.id.as_str()).collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), settings.devices.len(), "each device has an identifier of its own");
    for device in &settings.devices {
        assert!(!device.period.is_zero(), "{}", device.id);
        assert_eq!(device.params.len(), device.profile.params.len(), "{}", device.id);
        assert_eq!(device.points.len(), device.profile.points.len(), "{}", device.id);
        match &device.connection {
            Connection::Bus { bus, .. } => assert!(*bus < settings.buses.len(), "{}", device.id),
            Connection::Mqtt { base } => {
                assert!(settings.mqtt.is_some() && !base.contains(['+', '#']), "{}", device.id);
            }
        }
        harmless(&device.name);
        harmless(&device.place);
    }
    settings.notes.iter().for_each(|note| harmless(&note.to_string()));
}
