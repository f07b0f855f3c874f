//! MQTT payloads through the profiles that are built in.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use linli::driver::mqtt::fuzzing::Reader;
use linli::model::Value;
use linli::profile::{Library, MAX_TEXT};

use super::harmless;
use crate::allocation::within;

/// Every profile of a device that publishes, in the order of the library.
static READERS: LazyLock<Vec<Reader>> = LazyLock::new(|| {
    Library::built_in().iter().filter_map(|profile| Reader::new(profile.clone())).collect()
});
/// `{"":0,…` is six bytes; a tree of them has nodes of eleven entries, half full at the worst.
const A_BYTE: usize = 160;
/// A reading of each point of the largest model, and a fault.
const AT_LEAST: usize = 256 * 1024;

/// Two bytes choose model and topic, the rest is the payload.
pub(super) fn judge(input: &[u8]) {
    let Some((&[model, topic], payload)) = input.split_first_chunk() else { return };
    let readers = &*READERS;
    let reader = &readers[usize::from(model) % readers.len()];
    let topic = usize::from(topic) % reader.topics();
    let most = AT_LEAST + A_BYTE * payload.len();
    let read = within("reading", most, most, || reader.read(topic, payload));
    assert_eq!(read, reader.read(topic, payload), "the same payload is read in two ways");
    let mut points = BTreeSet::new();
    for reading in &read.readings {
        assert!(points.insert(reading.point), "a point is read twice");
        assert_eq!(reading.value.is_some(), reading.quality.is_good(), "{reading:?}");
        match &reading.value {
            Some(Value::Number(number)) => assert!(number.is_finite(), "{reading:?}"),
            Some(Value::Text(text)) => assert!(text.len() <= MAX_TEXT, "{reading:?}"),
            _ => {}
        }
    }
    if let Some(time) = read.time {
        assert!((1_577_836_800_000..4_102_444_800_000).contains(&time.unix_ms), "{time:?}");
    }
    let faults = [read.fault, reader.presence(payload).and_then(Result::err)];
    for fault in faults.into_iter().flatten() {
        assert!(!fault.is_empty() && fault.len() < 1024, "{fault}");
        harmless(&fault);
    }
    // What is nested too deep is refused before it is parsed: nothing is held for it.
    let hostile = vec![b'['; 60_000];
    within("refusing", AT_LEAST, AT_LEAST, || reader.read(topic, &hostile));
}
