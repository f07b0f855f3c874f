//! The little grammar of `--point`, `--raw` and `--reads`, which the questions use as well.

use super::address::address;
use super::answers::{
    Counting, ENCODINGS, METER_ENCODINGS, NewPoint, ORDERS, PLACES, Place, Protocol, QUANTITIES,
    Raw, Reading, TABLES, one_of,
};
use crate::model::Unit;

/// What the texts mean depends on these.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    pub protocol: Protocol,
    pub counting: Counting,
    /// Pattern of the topic that is meant when none is named.
    pub topic: &'a str,
    /// Table that is meant when none is named.
    pub table: &'static str,
}

/// Letters and digits in parts joined by `.`, as the loader wants it.
pub(super) fn point_name(text: &str) -> Result<String, String> {
    let name = text.trim();
    let part = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric());
    let begins = name.starts_with(|c: char| c.is_ascii_lowercase());
    if begins && name.len() <= 64 && name.split('.').all(part) {
        return Ok(name.to_owned());
    }
    Err(format!(
        "`{name}` is no point name: letters and digits, beginning with a lower-case letter, parts \
         joined by `.`, e.g. phaseVoltage.L1 / 测点名由字母和数字组成，小写字母开头，各段以 `.` 相连"
    ))
}

impl Context<'_> {
    /// `name=place[:word…]`, and notes about what was made of it.
    pub fn point(&self, text: &str, notes: &mut Vec<String>) -> Result<NewPoint, String> {
        let Some((name, rest)) = text.split_once('=') else {
            return Err(format!(
                "`{text}`: name=place[:encoding][:unit][:factor] / 应写作 名称=位置[:编码][:单位][:倍率]"
            ));
        };
        let name = point_name(name)?;
        self.place(&name, rest, notes).map_err(|wrong| format!("{name}: {wrong}"))
    }

    /// What stands behind the `=`.
    pub fn place(
        &self,
        name: &str,
        text: &str,
        notes: &mut Vec<String>,
    ) -> Result<NewPoint, String> {
        let text = text.trim();
        if self.protocol == Protocol::Mqtt {
            let (place, words) = message_words(text);
            let mut point = NewPoint::at(name, self.message(place)?);
            words.into_iter().try_for_each(|word| self.word(&mut point, word))?;
            return Ok(point);
        }
        let mut words = text.split(':').map(str::trim);
        let place = words.next().unwrap_or_default();
        let place = match self.protocol {
            Protocol::Dlt645 => Place::Item { id: hex_id(place)? },
            Protocol::Cjt188 => Place::Part { place: one_of(place, &places())? },
            _ => {
                let (table, place) = match place.split_once('@') {
                    Some((table, place)) => (Some(one_of(table, &TABLES)?), place),
                    None => (None, place),
                };
                let found = address(place, self.counting)?;
                notes.extend(found.note);
                Place::Register { table: table.or(found.table), address: found.number }
            }
        };
        let mut point = NewPoint::at(name, place);
        words.try_for_each(|word| self.word(&mut point, word))?;
        Ok(point)
    }

    /// One word behind the place; what it is tells itself.
    fn word(&self, point: &mut NewPoint, word: &str) -> Result<(), String> {
        let of = |words: &[&'static str]| words.iter().copied().find(|known| *known == word);
        let meter = matches!(self.protocol, Protocol::Dlt645 | Protocol::Cjt188);
        let encodings: &[&'static str] = match self.protocol {
            Protocol::Modbus => &ENCODINGS,
            Protocol::Dlt645 => &METER_ENCODINGS,
            _ => &[],
        };
        if let Some(encoding) = of(encodings) {
            point.encoding = Some(encoding);
        } else if let Some(order) = of(&ORDERS).filter(|_| self.protocol == Protocol::Modbus) {
            point.order = Some(order);
        } else if let Some(quantity) = of(&QUANTITIES) {
            point.quantity = Some(quantity);
        } else if let Some(bits) = bits(word).filter(|_| self.protocol != Protocol::Mqtt) {
            point.bits = Some(bits);
        } else if let Some(length) = word.strip_prefix("ascii").and_then(|n| n.parse().ok()) {
            (point.encoding, point.length) = (Some("ascii"), Some(length));
            point.quantity = Some("text");
        } else if let Some(length) =
            word.strip_prefix("len").and_then(|n| n.parse().ok()).filter(|_| meter)
        {
            point.length = Some(length);
        } else if let (Some(factor), true) = (number(word), word != "1") {
            if factor == 0.0 {
                return Err("a factor of 0 is no use / 倍率不能为 0".to_owned());
            }
            point.factor = Some(factor);
        } else {
            let unit = Unit::parse(word).map_err(|error| {
                let known = [encodings, &QUANTITIES].concat().join(" ");
                format!("{error}; or one of / 或 {known} bit0 … bit15, or a factor / 或倍率")
            })?;
            point.unit = Some(unit);
        }
        Ok(())
    }

    /// `TOPIC#/pointer`, `/pointer` of the usual topic, or a topic whose payload is the value.
    fn message(&self, text: &str) -> Result<Place, String> {
        let (topic, path) = match text.split_once('#') {
            Some((topic, path)) => (topic, Some(path)),
            None if text.starts_with('/') => (self.topic, Some(text)),
            None => (text, None),
        };
        if topic.split('/').filter(|level| *level == "{base}").count() != 1 {
            return Err(format!(
                "topic `{topic}`: one level of it is {{base}}, e.g. {{base}}/state#/temperature / \
                 主题须含一层 {{base}}"
            ));
        }
        if let Some(path) = path.filter(|path| !path.is_empty() && !path.starts_with('/')) {
            return Err(format!(
                "`{path}` is no JSON pointer: it begins with `/` / JSON 指针须以 `/` 开头"
            ));
        }
        Ok(Place::Message { topic: topic.to_owned(), path: path.map(str::to_owned) })
    }

    /// `[table:]address=words`, `topic=payload` or the bytes of a frame.
    pub fn raw(&self, text: &str, notes: &mut Vec<String>) -> Result<Raw, String> {
        let text = text.trim();
        if matches!(self.protocol, Protocol::Dlt645 | Protocol::Cjt188) {
            let digits: String = text.chars().filter(|c| !c.is_whitespace()).collect();
            let hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
            if !hex || digits.len() % 2 == 1 || digits.is_empty() {
                return Err(format!(
                    "`{text}`: a reply in hexadecimal, 68 … 16 / 应为十六进制应答帧 68 … 16"
                ));
            }
            return Ok(Raw::Frame(text.to_ascii_uppercase()));
        }
        let Some((place, value)) = text.split_once('=') else {
            return Err(format!(
                "`{text}`: input:0x0000=4366 199A, or {{base}}/state={{…}} / 缺少 `=`"
            ));
        };
        if self.protocol == Protocol::Mqtt {
            let Place::Message { topic, .. } = self.message(place)? else {
                return Err(place.to_owned());
            };
            return Ok(Raw::Message { topic, payload: value.to_owned() });
        }
        let (table, place) = match place.split_once([':', '@']) {
            Some((table, place)) => (Some(one_of(table, &TABLES)?), place),
            None => (None, place),
        };
        let found = address(place, self.counting)?;
        notes.extend(found.note);
        let (table, address) = (table.or(found.table).unwrap_or(self.table), found.number);
        if matches!(table, "coil" | "discrete_input") {
            return Ok(Raw::Bits { table, address, bits: bit_list(value)? });
        }
        Ok(Raw::Registers { table, address, words: words(value)? })
    }
}

/// Words behind the place of a message: a JSON pointer may hold `:` itself, so they are taken from
/// the end as long as they are no part of it (`/switch:0/apower:W`, `/switch:0`).
fn message_words(text: &str) -> (&str, Vec<&str>) {
    let last = text.rfind('/').unwrap_or(0);
    let (head, tail) = text.split_at(last);
    let mut pieces: Vec<&str> = tail.split(':').collect();
    let mut kept = 1;
    // A bare number directly behind the key is an index of the device, not a factor.
    if pieces.len() > 1
        && pieces[1].parse::<u32>().is_ok()
        && !(pieces.len() == 2 && pieces[1] == "1")
    {
        kept = 2;
    }
    let words = pieces.split_off(kept);
    let length = head.len() + pieces.join(":").len();
    (text.get(..length).unwrap_or(text), words)
}

fn places() -> Vec<&'static str> {
    PLACES.iter().map(|(place, _)| *place).collect()
}

fn number(word: &str) -> Option<f64> {
    word.parse().ok().filter(|number: &f64| number.is_finite())
}

/// `bit4` is one bit, `bits0-3` are four.
fn bits(word: &str) -> Option<(u8, u8)> {
    if let Some(rest) = word.strip_prefix("bits") {
        let (low, high) = rest.split_once('-')?;
        let (low, high): (u8, u8) = (low.parse().ok()?, high.parse().ok()?);
        return Some((low, high.checked_sub(low)?.checked_add(1)?));
    }
    word.strip_prefix("bit")?.parse().ok().map(|low| (low, 1))
}

/// `0x02010100`, `02010100` (always hexadecimal) or `9010`.
fn hex_id(text: &str) -> Result<u32, String> {
    let digits = text.strip_prefix("0x").unwrap_or(text).trim_end_matches(['h', 'H']);
    let id = u32::from_str_radix(digits, 16).ok().filter(|_| matches!(digits.len(), 4 | 8));
    id.ok_or_else(|| {
        format!(
            "`{text}` is no data identifier: 8 hexadecimal digits (4 of 1997), e.g. 0x02010100 / \
             数据标识为 8 位十六进制（1997 版 4 位）"
        )
    })
}

/// Registers in hexadecimal: `4366 199A`, `4366199A`, `0x4366, 0x199A`.
fn words(text: &str) -> Result<Vec<u16>, String> {
    let wrong = || {
        format!(
            "`{text}`: registers in hexadecimal, four digits each, e.g. 4366 199A / \
             每个寄存器四位十六进制"
        )
    };
    let mut words = Vec::new();
    for piece in text.split([' ', ',']).filter(|piece| !piece.is_empty()) {
        let digits = piece.strip_prefix("0x").unwrap_or(piece);
        if digits.is_empty() || digits.len() % 4 != 0 || !digits.is_ascii() {
            return Err(wrong());
        }
        for four in digits.as_bytes().chunks(4) {
            let four = std::str::from_utf8(four).map_err(|_| wrong())?;
            words.push(u16::from_str_radix(four, 16).map_err(|_| wrong())?);
        }
    }
    if words.is_empty() { Err(wrong()) } else { Ok(words) }
}

fn bit_list(text: &str) -> Result<Vec<bool>, String> {
    let bits: Option<Vec<bool>> = text
        .split([' ', ','])
        .filter(|piece| !piece.is_empty())
        .map(|piece| match piece {
            "0" | "false" => Some(false),
            "1" | "true" => Some(true),
            _ => None,
        })
        .collect();
    bits.filter(|bits| !bits.is_empty())
        .ok_or_else(|| format!("`{text}`: bits as 0 and 1, e.g. 1 0 1 / 位写作 0 和 1"))
}

/// `name=value`.
pub(super) fn reads(text: &str) -> Result<(String, Reading), String> {
    let Some((name, value)) = text.split_once('=') else {
        return Err(format!("`{text}`: name=value, e.g. phaseVoltage=230.1 / 应写作 名称=值"));
    };
    let value = value.trim();
    let reading = match (value, number(value)) {
        ("true", _) => Reading::Flag(true),
        ("false", _) => Reading::Flag(false),
        (_, Some(number)) => Reading::Number(number),
        _ => Reading::Text(value.to_owned()),
    };
    Ok((point_name(name)?, reading))
}

#[cfg(test)]
#[path = "grammar_tests.rs"]
mod tests;
