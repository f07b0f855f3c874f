//! How much of what a network says is taken in, and how its text is made harmless.

use serde_json::Value as Json;

use crate::driver::mqtt::depth;
use crate::driver::scan::Text;

/// Largest announcement of one thing, bytes.
pub(super) const MAX_ANNOUNCEMENT: usize = 64 * 1024;
/// Largest list of a bridge's devices, bytes.
pub(super) const MAX_LIST: usize = 4 << 20;
/// Deepest nesting.
const MAX_DEPTH: usize = 16;
/// Most announcements that are kept.
pub(super) const MAX_ANNOUNCEMENTS: usize = 5000;
/// Most devices that are proposed.
pub(super) const MAX_DEVICES: usize = 500;
/// Most values of one device.
pub(super) const MAX_ENTITIES: usize = 200;
/// Most different topics of one device: what a profile bears.
pub(super) const MAX_TOPICS: usize = 60;
/// Most choices of one value.
pub(super) const MAX_CHOICES: usize = 64;
/// Most topics whose messages are kept.
pub(super) const MAX_SAMPLES: usize = 4096;
/// Longest message that is kept, bytes.
pub(super) const MAX_SAMPLE: usize = 8192;
/// Most remarks about messages that cannot be read.
pub(super) const MAX_REMARKS: usize = 50;
/// Longest text for people, characters.
const MAX_WORDS: usize = 80;
/// Longest topic, bytes; a pattern of a profile may be as long.
const MAX_TOPIC: usize = 200;
/// Most levels of a topic.
const MAX_LEVELS: usize = 16;

/// Reads a document of at most `most` bytes.
///
/// # Errors
/// It is too large, too deep, or no JSON.
pub(super) fn json(payload: &[u8], most: usize) -> Result<Json, Text> {
    let len = payload.len();
    if len > most {
        return Err((
            format!("{len} bytes are too many, at most {most}"),
            format!("长达 {len} 字节，最多 {most} 字节"),
        )
            .into());
    }
    if depth(payload) > MAX_DEPTH {
        return Err((
            format!("JSON nested deeper than {MAX_DEPTH} levels"),
            format!("JSON 嵌套超过 {MAX_DEPTH} 层"),
        )
            .into());
    }
    serde_json::from_slice(payload)
        .map_err(|error| (format!("not JSON: {error}"), format!("不是 JSON：{error}")).into())
}

/// Characters that do nothing but move the cursor or turn the reading direction.
fn is_harmful(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200B}'..='\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2060}'..='\u{206F}' | '\u{FEFF}')
}

/// Whether a character may be shown as it is.
pub(super) fn is_harmless(c: char) -> bool {
    !is_harmful(c)
}

/// A text of the network for people: one line, no control characters, not too long.
pub(super) fn clean(text: &str) -> String {
    let kept = text.chars().map(|c| if c == '\n' || c == '\t' { ' ' } else { c });
    let kept: String = kept.filter(|c| !is_harmful(*c)).take(MAX_WORDS).collect();
    kept.trim().to_owned()
}

/// Whether it is a topic that a profile and an entry can name.
pub(super) fn is_topic(topic: &str) -> bool {
    !topic.is_empty()
        && topic.len() <= MAX_TOPIC
        && topic.split('/').count() <= MAX_LEVELS
        && !topic.starts_with('$')
        && !topic.chars().any(|c| is_harmful(c) || matches!(c, '+' | '#' | '{' | '}'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_lose_what_moves_the_cursor_and_topics_with_wildcards_are_none() {
        assert_eq!(clean("\u{1b}[2J厨房\u{202E} plug\nx\u{7}"), "[2J厨房 plug x");
        assert_eq!(clean(&"长".repeat(500)).chars().count(), MAX_WORDS);
        for topic in ["", "a/#", "a/+/b", "$SYS/x", "a\u{0}b", "{base}/x", "a\u{1b}[0m"] {
            assert!(!is_topic(topic), "{topic:?}");
        }
        assert!(is_topic("zigbee2mqtt/走廊/hall-1") && !is_topic(&"a/".repeat(20)));
    }

    #[test]
    fn documents_are_bounded_in_size_and_depth() {
        assert!(json(b"[1]", 2).unwrap_err().en.contains("3 bytes"));
        let deep = "[".repeat(100_000);
        assert!(json(deep.as_bytes(), MAX_LIST).unwrap_err().en.contains("deeper"));
        assert!(json(b"{\"a\":", 100).unwrap_err().en.contains("not JSON"));
    }
}
