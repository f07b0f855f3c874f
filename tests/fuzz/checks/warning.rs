//! Messages of strangers that want to be played: JSON, CAP, EBM, with or without an envelope.

use linli::broadcast::message::{
    MAX_BODY, MAX_MESSAGE, MAX_PAUSE_S, MAX_REFERENCES, MAX_REPEAT, MAX_TITLE, MAX_ZONES, Message,
    envelope::open, read,
};

use super::harmless;
use crate::allocation::within;

/// An XML tree takes some times its text; deep ones are refused.
const A_BYTE: usize = 256;
const AT_LEAST: usize = 1 << 20;

pub(super) fn judge(input: &[u8]) {
    let most = AT_LEAST + A_BYTE * input.len();
    let opened = match within("opening", most, most, || open(input)) {
        Ok(opened) => opened,
        Err(unread) => return harmless(&unread.detail),
    };
    let parsed = within("reading", most, most, || read(&opened.message));
    assert_eq!(parsed, read(&opened.message), "the same message is read in two ways");
    match parsed {
        Err(unread) => {
            assert!(!unread.detail.is_empty(), "refused without a reason");
            harmless(&unread.detail);
        }
        Ok(parsed) => {
            assert!(opened.message.len() <= MAX_MESSAGE, "too long, and taken");
            match parsed.message {
                Message::Warn { warning, replaces } => {
                    assert!(replaces.len() <= MAX_REFERENCES);
                    assert!(!(warning.zh.is_empty() && warning.en.is_empty()), "it says nothing");
                    for text in [&warning.zh, &warning.en] {
                        assert!(text.title.len() <= MAX_TITLE && text.body.len() <= MAX_BODY);
                        harmless(&text.title);
                        harmless(&text.body);
                    }
                    assert!((1..=MAX_REPEAT).contains(&warning.repeat));
                    assert!(warning.pause_s <= MAX_PAUSE_S && warning.zones.len() <= MAX_ZONES);
                    harmless(&warning.sender);
                    harmless(&warning.event);
                }
                Message::Cancel { refers, by } => {
                    assert!(!refers.is_empty() && refers.len() <= MAX_REFERENCES);
                    harmless(&by);
                }
                Message::State(_) | Message::Here => {}
            }
        }
    }
}
