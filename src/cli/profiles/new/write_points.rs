//! The points of a new profile, with what the category knows about them.

use super::answers::{Answers, NewPoint, PLACES, Place, Reading};
use super::expected::{Expected, Known};
use super::write::{line, push, quoted, topics};
use crate::model::{Point, Unit};
use crate::profile::Nature;
use crate::protocol::dlt645::{self, DataId, Edition};

/// Fastest rise of a counter that nobody knows anything about, units a second.
const LOOSE_RATE: f64 = 1000.0;

pub(super) fn points(out: &mut String, answers: &Answers, expected: &Expected) {
    for (place, point) in answers.points.iter().enumerate() {
        out.push_str("\n[[points]]\n");
        let known = expected.get(&point.name);
        one(out, answers, point, known.as_ref(), place == 0);
    }
}

/// The shared set of codes that a point's state has, by what is known of it or where it lies.
fn labels_of(point: &NewPoint, known: Option<&Known>) -> Option<&'static str> {
    if quantity(point, known) != "state" {
        return None;
    }
    let valve = point.place == Place::Part { place: "valve" };
    if valve { Some("valveState") } else { known.and_then(|known| known.labels) }
}

/// `first` carries the explanations; the others would only repeat them.
fn one(out: &mut String, answers: &Answers, point: &NewPoint, known: Option<&Known>, first: bool) {
    let mut say = |code: &str, zh: &str, en: &str| match first {
        true => line(out, code, zh, en),
        false => push(out, format_args!("{code}\n")),
    };
    let (zh, en) = known.map_or((point.name.as_str(), point.name.as_str()), |known| {
        (known.point.zh.as_str(), known.point.en.as_str())
    });
    say(&format!("name = {}", quoted(&point.name)), "数据流中的名称", "its name in the stream");
    say(&format!("zh = {}", quoted(zh)), "显示名称", "title for people");
    say(&format!("en = {}", quoted(en)), "英文名称", "title in English");
    let quantity = quantity(point, known);
    let unit = unit(answers, point, known, quantity);
    if unit != "1" {
        say(&format!("unit = \"{unit}\""), "单位（UCUM）", "unit (UCUM)");
    }
    if quantity != "instantaneous" {
        say(
            &format!("quantity = \"{quantity}\""),
            "counter 计数 state 状态 flag 开关 text 文本",
            "what kind of value it is",
        );
    }
    if let Some(set) = labels_of(point, known) {
        say(&format!("labels = \"{set}\""), "状态的含义", "what the codes mean");
        if !matches!(point.place, Place::Part { .. }) {
            say("# codes = { 1 = 0, 2 = 1 }", "设备的值 = 代码", "what the device says = code");
        }
    }
    let same_unit = known.map(|known| &known.point).filter(|known| known.unit.code() == unit);
    let decimals = decimals(answers, point, same_unit, quantity);
    if decimals > 0 {
        say(&format!("decimals = {decimals}"), "小数位数", "digits after the point");
    }
    if let Some((low, high)) = same_unit.and_then(|known| known.range) {
        say(&format!("range = [{low}, {high}]"), "合理范围", "plausible range");
    }
    if quantity == "counter" {
        // Where it begins anew differs from model to model, so nothing is said of `counter_max`.
        let rate = same_unit.and_then(|known| known.max_rate).unwrap_or(LOOSE_RATE);
        say(&format!("max_rate = {rate}"), "每秒最多增加", "rises at most this much a second");
    } else if let Some(band) = same_unit.map(|p| p.report.dead_band).filter(|band| *band > 0.0) {
        say(&format!("dead_band = {band}"), "变化小于此值不上报", "smaller changes are not sent");
    }
    where_it_lies(&mut say, answers, point, quantity);
}

fn where_it_lies(
    say: &mut impl FnMut(&str, &str, &str),
    answers: &Answers,
    point: &NewPoint,
    quantity: &str,
) {
    match &point.place {
        Place::Register { table, address } => {
            let table = table.filter(|table| *table != answers.table);
            if let Some(table) = table {
                say(&format!("table = \"{table}\""), "寄存器类型", "which table");
            }
            say(&format!("address = 0x{address:04X}"), "寄存器地址", "first register");
            let bits = matches!(table.unwrap_or(answers.table), "coil" | "discrete_input");
            let encoding = point.encoding.or(bits.then_some("bit"));
            let encoding = encoding.filter(|encoding| *encoding != answers.encoding);
            if let (Some(encoding), None) = (encoding, point.bits) {
                say(&format!("encoding = \"{encoding}\""), "编码", "how its registers are read");
            }
            if let Some(order) = point.order.filter(|order| *order != answers.order) {
                say(&format!("order = \"{order}\""), "字序", "order of words");
            }
        }
        Place::Message { topic, path } => {
            if topics(answers).len() > 1 {
                say(&format!("topic = {}", quoted(topic)), "主题", "one of the topics above");
            }
            if let Some(path) = path {
                say(&format!("path = {}", quoted(path)), "JSON 指针", "JSON pointer");
            }
        }
        Place::Item { id } => {
            let digits = if answers.edition == "1997" { 4 } else { 8 };
            let id = format!("id = 0x{id:0digits$X}");
            say(&id, "数据标识，长度与小数位取自标识表", "length and decimals follow from it");
            if let Some(encoding) = point.encoding {
                say(&format!("encoding = \"{encoding}\""), "编码", "how its bytes are read");
            }
        }
        Place::Part { place } => {
            say(&format!("place = \"{place}\""), "读数中的位置", "part of the meter's reading");
        }
    }
    if let Some((low, count)) = point.bits {
        say(&format!("bits = [{low}, {count}]"), "[最低位, 位数]", "[lowest bit, how many]");
    }
    if let Some(length) = point.length {
        say(&format!("length = {length}"), "长度", "registers, or bytes of a meter");
    }
    if let Some(factor) = point.factor {
        say(&format!("factor = {factor}"), "倍率", "raw value times this");
    }
    if quantity == "flag" && matches!(point.place, Place::Message { .. }) {
        say(
            "# words = { open = true, closed = false }",
            "表示真假的词",
            "words that mean true and false",
        );
    }
}

fn quantity(point: &NewPoint, known: Option<&Known>) -> &'static str {
    if let Some(said) = point.quantity {
        return said;
    }
    match &point.place {
        Place::Part { place: "valve" } => return "state",
        Place::Part { place: "battery_low" } => return "flag",
        _ => {}
    }
    let text = matches!(point.place, Place::Message { .. }) || point.encoding == Some("ascii");
    match known.map(|known| known.nature) {
        // A text of registers would have said its length.
        Some(Nature::Text) if !text => return "instantaneous",
        Some(nature) => return nature.word(),
        None => {}
    }
    match (point.bits, point.encoding) {
        (Some((_, 1)), _) | (_, Some("bit")) => "flag",
        (Some(_), _) => "state",
        _ => match &point.place {
            Place::Register { table: Some("coil" | "discrete_input"), .. } => "flag",
            _ => "instantaneous",
        },
    }
}

fn unit(
    answers: &Answers,
    point: &NewPoint,
    known: Option<&Known>,
    quantity: &str,
) -> &'static str {
    if let Some(unit) = point.unit {
        return unit.code();
    }
    if matches!(quantity, "flag" | "state" | "text") {
        return "1";
    }
    if let Place::Part { place } = point.place {
        let usual = PLACES.iter().find(|(name, _)| *name == place).map_or("1", |(_, unit)| unit);
        // A category may count energy otherwise, the meter's own unit is converted.
        let same = |unit: &str| matches!((usual, unit), ("kW.h", "MJ" | "GJ" | "kW.h"));
        return known
            .map(|known| known.point.unit.code())
            .filter(|unit| same(unit))
            .unwrap_or(usual);
    }
    let known = known.map(|known| known.point.unit);
    // The table of identifiers tells it, and what is written must agree with it.
    if let (Place::Item { id }, None) = (&point.place, point.encoding) {
        return known.filter(|unit| agrees(answers, *id, *unit)).map_or("1", Unit::code);
    }
    known.map_or("1", Unit::code)
}

/// Whether the table of identifiers counts in this unit or in a thousand of it.
fn agrees(answers: &Answers, id: u32, unit: Unit) -> bool {
    let edition = if answers.edition == "1997" { Edition::V1997 } else { Edition::V2007 };
    let item = dlt645::item(edition, DataId(id));
    let field = item.and_then(|item| item.single_number());
    field.is_some_and(|field| {
        field.unit.strip_prefix('k') == Some(unit.sign()) || field.unit == unit.sign()
    })
}

fn decimals(answers: &Answers, point: &NewPoint, known: Option<&Point>, quantity: &str) -> usize {
    if matches!(quantity, "flag" | "state" | "text") {
        return 0;
    }
    let written = |number: f64| {
        let text = number.abs().to_string();
        text.split_once('.').map_or(0, |(_, digits)| digits.len()).min(9)
    };
    let wanted = answers.reads.iter().filter(|(name, _)| *name == point.name);
    let wanted = wanted.filter_map(|(_, reading)| match reading {
        Reading::Number(number) => Some(written(*number)),
        _ => None,
    });
    let wanted = wanted.max().unwrap_or(0);
    let of_known = known.map_or(3, |known| usize::from(known.decimals));
    let encoding = point.encoding.unwrap_or(answers.encoding);
    match (&point.place, point.factor) {
        // They follow from the table of identifiers, and from the meter's own reading.
        (Place::Item { .. } | Place::Part { .. }, _) => 0,
        (_, Some(factor)) if !encoding.starts_with('f') => written(factor).max(wanted),
        (Place::Register { .. }, None) if !encoding.starts_with('f') => wanted,
        _ => of_known.max(wanted),
    }
}
