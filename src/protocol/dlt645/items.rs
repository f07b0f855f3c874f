//! What an identifier means: its fields, their units and names.

use super::{DataId, Edition, table, table1997};

/// How the bytes of a field are to be read. All but text stand least significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// BCD number with a fixed decimal point.
    Number,
    /// Of 4 bytes: weekday, day, month, year. Of 3: second, minute, hour.
    Clock,
    /// Bits of a status word.
    Bits,
    /// Text.
    Ascii,
    /// Digits that are no quantity: a number plate.
    Digits,
    /// Minute, hour, day, month, year of a maximum demand.
    DemandTime,
}

/// One field of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// What it is within its item, English; empty when the item has only this field.
    pub name_en: &'static str,
    /// The same in Chinese.
    pub name_zh: &'static str,
    /// Bytes on the line. Of a text: most that are usual.
    pub bytes: u8,
    /// Digits behind the decimal point.
    pub decimals: u8,
    /// Unit; empty for none.
    pub unit: &'static str,
    /// The top bit of the most significant byte is the sign.
    pub signed: bool,
    /// How to read it.
    pub kind: Kind,
}

/// Over what the fields of a block repeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// No block.
    Once,
    /// Total, tariff 1, 2, …
    Tariffs,
    /// Phases A, B, C.
    Phases,
    /// Total, phases A, B, C.
    TotalAndPhases,
    /// Now, one settlement period back, two, …
    Settlements,
    /// Harmonics 1, 2, …
    Harmonics,
}

impl Repeat {
    /// Most repetitions.
    pub fn most(self) -> usize {
        match self {
            Self::Once => 1,
            Self::Tariffs => 64,
            Self::Phases => 3,
            Self::TotalAndPhases => 4,
            Self::Settlements => 13,
            Self::Harmonics => 21,
        }
    }

    /// Name of one repetition, English and Chinese; empty when there is only one.
    fn part(self, index: usize) -> (String, String) {
        match self {
            Self::Once => (String::new(), String::new()),
            Self::Tariffs => tariff(index),
            Self::Phases => phase(index + 1),
            Self::TotalAndPhases if index == 0 => tariff(0),
            Self::TotalAndPhases => phase(index),
            Self::Settlements => settlement(index),
            Self::Harmonics => harmonic(index + 1),
        }
    }
}

/// Name of a tariff; 0 is the total.
pub(super) fn tariff(index: usize) -> (String, String) {
    // The four usual ones; which meaning a site gives them is its own affair.
    let usual = [("sharp", "尖"), ("peak", "峰"), ("flat", "平"), ("valley", "谷")];
    match (index, usual.get(index.wrapping_sub(1))) {
        (0, _) => ("total".to_owned(), "总".to_owned()),
        (_, Some((en, zh))) => (format!("tariff {index} ({en})"), format!("费率{index}（{zh}）")),
        _ => (format!("tariff {index}"), format!("费率{index}")),
    }
}

/// Name of a phase, 1..=3.
pub(super) fn phase(index: usize) -> (String, String) {
    let letter = ["A", "B", "C"][(index.max(1) - 1).min(2)];
    (format!("phase {letter}"), format!("{letter}相"))
}

/// Name of a settlement period; 0 is now.
pub(super) fn settlement(back: usize) -> (String, String) {
    match back {
        0 => ("now".to_owned(), "当前".to_owned()),
        _ => (format!("settlement {back} back"), format!("上{back}结算日")),
    }
}

/// Name of a harmonic.
pub(super) fn harmonic(order: usize) -> (String, String) {
    (format!("harmonic {order}"), format!("{order}次谐波"))
}

/// What one identifier means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Edition that it belongs to.
    pub edition: Edition,
    /// The identifier.
    pub id: DataId,
    /// Name in English.
    pub name_en: String,
    /// Name in Chinese.
    pub name_zh: String,
    /// Fields of one repetition, in the order of the line.
    pub fields: &'static [Field],
    /// Whether it is a block, and over what.
    pub repeat: Repeat,
}

impl Item {
    /// The field at a place of [`values`](super::values), which may lie in a later repetition.
    pub fn field(&self, index: usize) -> &'static Field {
        &self.fields[index % self.fields.len()]
    }

    /// Full name of the field at a place of [`values`](super::values), English and Chinese.
    pub fn field_name(&self, index: usize) -> (String, String) {
        let field = self.field(index);
        let part = self.repeat.part(index / self.fields.len());
        let join = |between: &str, texts: [&str; 3]| {
            let set: Vec<&str> = texts.into_iter().filter(|text| !text.is_empty()).collect();
            set.join(between)
        };
        (
            join(", ", [&self.name_en, &part.0, field.name_en]),
            join(" ", [&self.name_zh, &part.1, field.name_zh]),
        )
    }

    /// Bytes of one repetition.
    pub fn step(&self) -> usize {
        self.fields.iter().map(|field| usize::from(field.bytes)).sum()
    }

    /// The one number that it is, if it is that.
    pub fn single_number(&self) -> Option<&'static Field> {
        match self.fields {
            [field] if field.kind == Kind::Number && self.repeat == Repeat::Once => Some(field),
            _ => None,
        }
    }
}

/// What an identifier means; `None` when it is not in the table: its data can be read all the same.
pub fn item(edition: Edition, id: DataId) -> Option<Item> {
    let meaning = match edition {
        Edition::V2007 => table::meaning(id.0),
        Edition::V1997 => table1997::meaning(u16::try_from(id.0).ok()?),
    }?;
    let (mut name_en, mut name_zh) = (meaning.name.0.to_owned(), meaning.name.1.to_owned());
    for (en, zh) in meaning.parts {
        name_en = format!("{name_en}, {en}");
        name_zh = format!("{name_zh} {zh}");
    }
    Some(Item { edition, id, name_en, name_zh, fields: meaning.fields, repeat: meaning.repeat })
}

/// What a table tells of an identifier.
pub(super) struct Meaning {
    /// English, Chinese.
    pub name: (&'static str, &'static str),
    /// Tariff, phase, settlement period: what the identifier narrows it to.
    pub parts: Vec<(String, String)>,
    pub fields: &'static [Field],
    pub repeat: Repeat,
}

/// A field that is its item's only one.
pub(super) const fn field(bytes: u8, decimals: u8, unit: &'static str, signed: bool) -> Field {
    Field { name_en: "", name_zh: "", bytes, decimals, unit, signed, kind: Kind::Number }
}

/// The same for what is no number.
pub(super) const fn special(bytes: u8, kind: Kind) -> Field {
    Field { name_en: "", name_zh: "", bytes, decimals: 0, unit: "", signed: false, kind }
}

/// The same field with a name within its item.
pub(super) const fn named(name_en: &'static str, name_zh: &'static str, field: Field) -> Field {
    Field { name_en, name_zh, ..field }
}
