//! The attestations file: `attestations` in `[stars]`. All faults are told at once.

use std::collections::BTreeMap;
use std::path::Path;

use super::day::{DATE, Day};
use super::rules::{
    LONGEST_NAME, LONGEST_TEXT, MOST_DEVICES_ATTESTED, last_day, person, remark, sentence, whole,
};
use super::subject::{Attestation, Subject};
use crate::model::Category;
use crate::settings::{Document, Fault, Faults, Place, Section, Wrong, meant_value, nearest};
use crate::starlevel::pack::RulePack;

/// What others call our keys.
const OTHER_NAMES: &[(&str, &str)] = &[
    ("name", "by"),
    ("person", "by"),
    ("who", "by"),
    ("date", "on"),
    ("from", "on"),
    ("expires", "until"),
    ("to", "until"),
    ("reference", "document"),
    ("issued_by", "issuer"),
    ("id", "item"),
    ("comment", "note"),
];

/// Reads an attestations file; `name` stands in the faults. How long an attestation may hold and
/// which advisory items there are is the pack's.
///
/// # Errors
/// All faults of the file.
pub fn read_attestations(
    name: &str,
    text: &str,
    pack: &RulePack,
) -> Result<Vec<Attestation>, Faults> {
    let document =
        Document::parse(name, text, Path::new("")).map_err(|fault| Faults::new(vec![*fault]))?;
    let mut reader = Reader { pack, read: Vec::new(), seen: BTreeMap::new() };
    reader.file(document.root());
    let read = reader.read;
    let faults = document.into_faults();
    if faults.is_empty() { Ok(read) } else { Err(Faults::new(faults)) }
}

struct Reader<'p> {
    pack: &'p RulePack,
    read: Vec<Attestation>,
    /// Subject and day of what was read, with its line.
    seen: BTreeMap<(String, Day), usize>,
}

/// Who says it, and when.
struct Signed {
    by: String,
    on: Day,
    until: Day,
    note: String,
}

impl Reader<'_> {
    fn file(&mut self, mut root: Section<'_>) {
        for mut section in root.sections("inventory") {
            section.other_names(OTHER_NAMES);
            let signed = self.signed(&mut section);
            section.require("devices", "a table of counts, e.g. { electricity_meter = 24 }");
            let counts = section.numbers("devices");
            if section.has("devices") && counts.is_empty() {
                section.note(Fault::new(section.place("devices"), ("is empty", "为空")));
            }
            for (name, number, place) in counts {
                let subject = counted(&section, &name, number, &place);
                self.take(place, subject, signed.as_ref(), &section);
            }
        }
        for mut section in root.sections("not_applicable") {
            section.other_names(OTHER_NAMES);
            let signed = self.signed(&mut section);
            section.require("category", "one of the twelve categories");
            section.require("reason", "why there is none, e.g. \"no central heating\"");
            let category = section.word("category", &twelve());
            let reason = text(&mut section, "reason");
            let subject = category.zip(reason);
            let subject =
                subject.map(|(category, reason)| Subject::NotApplicable { category, reason });
            self.take(section.head(), subject, signed.as_ref(), &section);
        }
        for mut section in root.sections("security_grading") {
            section.other_names(OTHER_NAMES);
            let signed = self.signed(&mut section);
            section.require("document", "the reference of the document");
            section.require("issuer", "who issued it");
            let named = text(&mut section, "document").zip(text(&mut section, "issuer"));
            let subject =
                named.map(|(document, issuer)| Subject::SecurityGrading { document, issuer });
            self.take(section.head(), subject, signed.as_ref(), &section);
        }
        for mut section in root.sections("privacy") {
            section.other_names(OTHER_NAMES);
            let signed = self.signed(&mut section);
            section.require("document", "the reference of the statement");
            let subject =
                text(&mut section, "document").map(|document| Subject::Privacy { document });
            self.take(section.head(), subject, signed.as_ref(), &section);
        }
        for mut section in root.sections("advisory") {
            section.other_names(OTHER_NAMES);
            let signed = self.signed(&mut section);
            section.require("item", "an advisory item of the rule pack");
            section.require("share", "a share from 0 to 1");
            section.require("origin", "where the share comes from");
            let items: Vec<(&str, &str)> =
                self.pack.advisories().iter().map(|a| (a.id.as_str(), a.id.as_str())).collect();
            let item = section.word("item", &items).map(str::to_owned);
            let share = section.float("share", 0.0..=1.0);
            let origin = text(&mut section, "origin");
            let subject = item
                .zip(share)
                .zip(origin)
                .map(|((item, share), origin)| Subject::Advisory { item, share, origin });
            self.take(section.head(), subject, signed.as_ref(), &section);
        }
    }

    fn signed(&self, section: &mut Section<'_>) -> Option<Signed> {
        section.require("by", "the name of the person who attests it");
        section.require("on", DATE);
        let names = format!("a name of 1 to {LONGEST_NAME} characters");
        let by = section.parsed("by", &names, person);
        let on = section.parsed("on", DATE, Day::parse);
        let days = self.pack.evaluation().attestation_valid_days;
        let allowed = format!("{DATE}, at most {days} days after `on`");
        let until = section.parsed("until", &allowed, |text| {
            let until = Day::parse(text)?;
            on.map_or(Ok(until), |on| last_day(on, until, days))
        });
        let notes = format!("at most {LONGEST_TEXT} characters on one line");
        let note = section.parsed("note", &notes, remark).unwrap_or_default();
        let (by, on) = (by?, on?);
        Some(Signed { by, on, until: until.unwrap_or_else(|| on.plus(days)), note })
    }

    fn take(
        &mut self,
        place: Place,
        subject: Option<Subject>,
        signed: Option<&Signed>,
        section: &Section<'_>,
    ) {
        let (Some(subject), Some(signed)) = (subject, signed) else { return };
        let word = subject.word();
        if let Some(line) = self.seen.insert((word.clone(), signed.on), place.line) {
            let problem = (
                format!("`{word}` of {} stands in line {line} already", signed.on),
                format!("{} 的 `{word}` 已见于第 {line} 行", signed.on),
            );
            section
                .note(Fault::new(place, problem).allowed("one attestation of a subject and a day"));
            return;
        }
        let Signed { by, on, until, note } = signed;
        let (by, note) = (by.clone(), note.clone());
        self.read.push(Attestation { subject, by, on: *on, until: *until, note });
    }
}

fn text(section: &mut Section<'_>, key: &'static str) -> Option<String> {
    section.parsed(key, &format!("a text of 1 to {LONGEST_TEXT} characters on one line"), sentence)
}

/// One count of an inventory.
fn counted(section: &Section<'_>, name: &str, number: f64, place: &Place) -> Option<Subject> {
    let twelve = twelve();
    let category = twelve.iter().find(|(word, _)| *word == name).map(|(_, category)| *category);
    if category.is_none() {
        let words = twelve.iter().map(|(word, _)| *word);
        let near = nearest(name, words.clone()).map(meant_value);
        let problem = (
            format!("`{name}` is none of the twelve categories"),
            format!("`{name}` 不是十二类之一"),
        );
        section.note(
            Fault::new(place.clone(), problem)
                .allowed(words.collect::<Vec<_>>().join(", "))
                .maybe_hint(near),
        );
    }
    let devices = whole(number).map_err(|Wrong { problem, .. }| {
        let allowed = format!("a whole number from 0 to {MOST_DEVICES_ATTESTED}");
        section.note(Fault::new(place.clone(), problem).allowed(allowed));
    });
    Some(Subject::Inventory { category: category?, devices: devices.ok()? })
}

fn twelve() -> Vec<(&'static str, Category)> {
    let twelve = Category::ALL.iter().filter(|category| **category != Category::Other);
    twelve.map(|category| (category.word(), *category)).collect()
}
