//! The section `[commands]`: whose commands count, and when an order of the platform ends by itself.

use std::time::Duration;

use super::signature::PublicKey;
use crate::settings::{Fault, Section, meant_value};

/// So long the link to the platform may be silent before its orders end.
const SAFE_AFTER: Duration = Duration::from_secs(600);
/// Digits of a key.
const DIGITS: usize = 64;

/// Settings of the commands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Keys whose signatures count.
    pub public_keys: Vec<PublicKey>,
    /// Whether the platform's commands must be signed.
    pub require_signature: bool,
    /// When the link to the platform was silent for so long, what it ordered returns to its safe
    /// value; a device may say otherwise.
    pub safe_after: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self { public_keys: Vec::new(), require_signature: false, safe_after: SAFE_AFTER }
    }
}

impl Config {
    /// Reads the section; what is wrong is noted there.
    pub fn read(section: &mut Section<'_>) -> Self {
        section.other_names(&[
            ("keys", "public_keys"),
            ("public_key", "public_keys"),
            ("signed", "require_signature"),
            ("signature", "require_signature"),
            ("timeout", "safe_after"),
        ]);
        let mut public_keys = Vec::new();
        for text in section.words("public_keys") {
            match PublicKey::of_hex(&text) {
                Some(key) => public_keys.push(key),
                None => {
                    let problem =
                        (format!("`{text}` is no public key"), format!("`{text}` 不是公钥"));
                    let lower = text.to_lowercase();
                    let meant = PublicKey::of_hex(&lower).map(|_| meant_value(&lower));
                    section.note(
                        Fault::new(section.place("public_keys"), problem)
                            .allowed(format!("{DIGITS} lower-case hex digits of an Ed25519 key"))
                            .maybe_hint(meant),
                    );
                }
            }
        }
        // Who names keys wants signatures.
        let require_signature = section.flag_or("require_signature", !public_keys.is_empty());
        if require_signature && public_keys.is_empty() && section.has("require_signature") {
            let problem =
                ("asks for signatures, and no key is named", "要求签名，却没有给出任何公钥");
            section.note(
                Fault::new(section.place("require_signature"), problem)
                    .hint(("add `public_keys`", "请填写 `public_keys`")),
            );
        }
        let safe_after = section.duration_or("safe_after", safe_range(), SAFE_AFTER);
        Self { public_keys, require_signature, safe_after }
    }
}

/// How long a link may be silent at least and at most.
pub fn safe_range() -> std::ops::RangeInclusive<Duration> {
    Duration::from_secs(10)..=Duration::from_secs(7 * 86_400)
}
