//! Commands as the platform publishes them.

use linli::model::{CommandDocument, CommandRequest, Value};

use super::harmless;
use crate::allocation::within;

const A_BYTE: usize = 64;
const AT_LEAST: usize = 64 << 10;

pub(super) fn judge(input: &[u8]) {
    let most = AT_LEAST + A_BYTE * input.len();
    let read = || serde_json::from_slice::<CommandDocument>(input);
    let Ok(document) = within("reading", most, most, read) else { return };
    let again = CommandRequest::of_platform(document.clone());
    match CommandRequest::of_platform(document) {
        Err(said) => {
            harmless(&said.en);
            harmless(&said.zh);
            assert!(!said.en.is_empty() && !said.zh.is_empty(), "refused without a reason");
        }
        Ok(request) => {
            assert_eq!(again.ok().as_ref(), Some(&request), "the same command is read in two ways");
            // What is signed has a line for each thing; only the last, the value, may have more.
            let signed = request.signed_bytes(OURS);
            let ends = |text: &[u8]| text.iter().filter(|byte| **byte == b'\n').count();
            let own = match &request.value {
                Some(Value::Text(text)) => ends(text.as_bytes()),
                _ => 0,
            };
            assert_eq!(ends(&signed), ENDS + own, "{}", String::from_utf8_lossy(&signed));
            let back = CommandRequest::of_platform(request.document(OURS)).ok();
            assert_eq!(back.as_ref(), Some(&request), "published and read, it is another");
        }
    }
}

/// Ends of lines between the ten lines of what is signed.
const ENDS: usize = 9;
/// The gateway that it is for; another one's is refused before.
const OURS: &str = "estate-1";
