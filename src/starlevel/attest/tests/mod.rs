//! The attestations file, the desk over a real store, and what the engine makes of both.

mod desk;
mod file;
mod judged;

use super::{Attestation, Day, Subject};
use crate::model::{Category, WallTime};

/// 2026-01-01 00:00 in Shanghai.
const NEW_YEAR: i64 = 1_767_196_800_000;

fn day(text: &str) -> Day {
    Day::parse(text).unwrap()
}

fn at(ms: i64) -> Option<WallTime> {
    Some(WallTime { unix_ms: ms })
}

fn inventory(category: Category, devices: u32) -> Subject {
    Subject::Inventory { category, devices }
}

fn privacy(document: &str) -> Subject {
    Subject::Privacy { document: document.into() }
}

fn word(subject: Subject, by: &str, on: &str, until: &str) -> Attestation {
    Attestation { subject, by: by.into(), on: day(on), until: day(until), note: String::new() }
}
