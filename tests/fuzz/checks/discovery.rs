//! What devices announce on the field broker.

use std::sync::LazyLock;

use linli::config::parse;
use linli::driver::discover::{Book, Where, entry, propose};
use linli::driver::scan::Names;
use linli::profile::{self, Library};

use super::harmless;
use crate::allocation::within;

static LIBRARY: LazyLock<Library> = LazyLock::new(Library::built_in);
const A_BYTE: usize = 8 * 1024;
const AT_LEAST: usize = 8 << 20;
/// Bounds of what is kept and proposed.
const MOST_REMARKS: usize = 51;
const MOST_DEVICES: usize = 500;

/// Messages behind each other: a topic up to a line feed, a payload up to a zero byte.
pub(super) fn judge(input: &[u8]) {
    let library = &*LIBRARY;
    let most = AT_LEAST + A_BYTE * input.len();
    let (book, found) = within("listening", most, most, || {
        let mut book = Book::new(Where::default());
        for message in input.split(|byte| *byte == 0) {
            let at = message.iter().position(|byte| *byte == b'\n').unwrap_or(message.len());
            let (topic, payload) = message.split_at(at);
            let Ok(topic) = std::str::from_utf8(topic) else { continue };
            for filter in book.take(topic, payload.get(1..).unwrap_or_default()) {
                harmless(&filter);
                // Everything below a device at the most, never below a name that is a pattern.
                let below = filter.strip_suffix("/#").or_else(|| filter.strip_suffix("/+"));
                let below = below.unwrap_or(&filter);
                assert!(!below.contains(['+', '#']), "subscribes to a pattern: {filter}");
            }
        }
        let found = propose(&book, library, &[]);
        (book, found)
    });
    assert!(book.remarks().len() <= MOST_REMARKS && found.len() <= MOST_DEVICES);
    for remark in book.remarks() {
        harmless(&remark.en);
        harmless(&remark.zh);
    }
    let mut names = Names::default();
    for device in &found {
        let own = device.mqtt.as_ref().expect("what announced itself has told something");
        for text in [&own.key, &own.name, &own.maker, &own.model] {
            harmless(text);
        }
        let made = own.generated.as_ref().map(|made| {
            harmless(&made.text);
            let read = profile::parse(&format!("{}.toml", made.id), &made.text);
            let read = read.unwrap_or_else(|faults| panic!("{faults:#?}\n{}", made.text));
            assert_eq!(profile::run_examples(&read), [], "{}", made.text);
            assert_eq!(read.profile.points.len(), made.points);
            Library::of(read)
        });
        // What is proposed for the configuration is accepted there.
        let text = entry(device, own, &mut names, true);
        harmless(&text);
        if own.topic.is_some() && (made.is_some() || !device.candidates.is_empty()) {
            let head = "[gateway]\nid = \"box\"\n[mqtt]\nhost = \"127.0.0.1\"\n\n";
            let text = format!("{head}{text}");
            let read = parse("linli.toml", &text, made.as_ref().unwrap_or(library));
            let read = read.unwrap_or_else(|faults| panic!("{faults}\n{text}"));
            assert_eq!(read.devices.len(), 1, "one entry is one device: {text}");
        }
    }
}
