//! Texts of strangers: shortened, without control characters.

use std::fmt::Write as _;

use ring::digest::{SHA256, digest};

use super::{MAX_NAME, Unread};
use crate::model::WarningId;

/// Bytes of the digest in the name of an identifier that no terminal takes.
const DIGEST_KEPT: usize = 16;

/// A short name for such an identifier.
fn digest_name(text: &str) -> String {
    let digest = digest(&SHA256, text.as_bytes());
    digest.as_ref().iter().take(DIGEST_KEPT).fold(String::from("id-"), |mut name, byte| {
        write!(name, "{byte:02x}").expect("a String takes all");
        name
    })
}

/// Printable, without line ends at the edges, and at most `most` bytes: what is longer ends in `…`.
pub fn shortened(text: &str, most: usize) -> String {
    let clean: String = text
        .trim()
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .collect::<String>()
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if clean.len() <= most {
        return clean;
    }
    let room = most.saturating_sub('…'.len_utf8());
    let mut short = String::with_capacity(most);
    for c in clean.chars() {
        if short.len() + c.len_utf8() > room {
            break;
        }
        short.push(c);
    }
    short.push('…');
    short
}

/// An identifier that a stranger chose. One that no terminal takes (other signs, too long) gets a
/// name made of its digest, always the same one.
pub(super) fn id_of(text: &str) -> Result<WarningId, Unread> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Unread::malformed("it has no identifier"));
    }
    WarningId::new(text)
        .or_else(|_| WarningId::new(&digest_name(text)))
        .map_err(|error| Unread::malformed(error.to_string()))
}

/// Adds a zone once, shortened.
pub(super) fn add_zone(zones: &mut Vec<String>, zone: &str) -> Result<(), Unread> {
    let zone = shortened(zone, MAX_NAME);
    if zone.is_empty() || zones.contains(&zone) {
        return Ok(());
    }
    if zones.len() == super::MAX_ZONES {
        return Err(Unread::malformed(format!("it names more than {} zones", super::MAX_ZONES)));
    }
    zones.push(zone);
    Ok(())
}
