//! From answers to the text of a profile. Pure: nothing is read, nothing is asked.

use std::fmt::Write as _;

use super::answers::{Answers, Counting, Place, Protocol, Raw, Reading};
use super::expected::Expected;
use super::write_points::points;

/// The file, with a comment at each key that says what it is for.
pub(super) fn text(answers: &Answers, expected: &Expected) -> String {
    let mut out = String::new();
    head(&mut out, answers);
    match answers.protocol {
        Protocol::Modbus => modbus(&mut out, answers),
        Protocol::Dlt645 => dlt645(&mut out, answers),
        Protocol::Cjt188 => cjt188(&mut out, answers),
        Protocol::Mqtt => mqtt(&mut out, answers),
    }
    points(&mut out, answers, expected);
    examples(&mut out, answers);
    out
}

/// A line with its comment in both languages, in a column where there is room.
pub(super) fn line(out: &mut String, code: &str, zh: &str, en: &str) {
    // Chinese characters are two columns wide.
    let width: usize = code.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
    let gap = " ".repeat(38_usize.saturating_sub(width));
    push(out, format_args!("{code}{gap} # {zh} | {en}\n"));
}

pub(super) fn push(out: &mut String, text: std::fmt::Arguments<'_>) {
    out.write_fmt(text).expect("writing into a String cannot fail");
}

/// A basic string of TOML.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => push(&mut out, format_args!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn head(out: &mut String, answers: &Answers) {
    let file = format!("{}.toml", answers.id);
    push(
        out,
        format_args!(
            "# {file}：文件名就是型号标识 | the file's name is the profile's identifier\n\
             # 检查 | check it: linli profiles check {file}\n"
        ),
    );
    push(out, format_args!("category = \"{}\"\n", answers.category));
    push(
        out,
        format_args!(
            "title = {{ zh = {}, en = {} }}\n\
             # 铭牌上的品牌和型号 | brand and model as on the type plate\n\
             products = [{{ brand = {}, model = {} }}]\n\
             # 数据手册的出处 | where the facts come from\n\
             sources = [\n",
            quoted(&answers.zh),
            quoted(&answers.en),
            quoted(&answers.brand),
            quoted(&answers.model)
        ),
    );
    for source in &answers.sources {
        push(out, format_args!("  {},\n", quoted(source)));
    }
    push(
        out,
        format_args!(
            "]\n\
             # 安装人员须知 | traps for who installs it\n\
             # caveats = [\"…\"]\n\n\
             # 依据：device 实机读过，document 原厂手册，agreeing 两个来源一致，single 一个来源，unverified 未证实\n\
             # how far the facts go: device, document, agreeing, single, unverified\n\
             [verified]\n\
             level = \"unverified\"\n\
             against = {}\n",
            quoted(&format!(
                "Written from {}; not tried on a device",
                answers.sources.first().map_or("the datasheet", String::as_str)
            ))
        ),
    );
}

fn serial(out: &mut String, answers: &Answers) {
    line(out, &format!("baud = {}", answers.baud), "出厂波特率", "as it leaves the factory");
    line(
        out,
        &format!("frame = {}", quoted(&answers.frame)),
        "校验与停止位：8N1 8E1 8O1 8N2",
        "parity and stop bits",
    );
}

fn modbus(out: &mut String, answers: &Answers) {
    out.push_str("\n[modbus]\n");
    serial(out, answers);
    match answers.unit {
        Some(unit) => line(out, &format!("unit = {unit}"), "出厂站号", "factory-set unit id"),
        None => line(out, "# unit = 1", "出厂站号", "factory-set unit id"),
    }
    match answers.counting {
        Counting::One => line(
            out,
            "first_address = 1",
            "手册从 1 开始编号",
            "what the datasheet calls the first register",
        ),
        _ => line(
            out,
            "# first_address = 1",
            "手册从 1 开始编号时",
            "where the datasheet counts from 1",
        ),
    }
    line(
        out,
        &format!("table = \"{}\"", answers.table),
        "input 功能码 4，holding 3，coil 1，discrete_input 2",
        "function 4, 3, 1, 2",
    );
    line(
        out,
        &format!("encoding = \"{}\"", answers.encoding),
        "u16 i16 u32 i32 f32 …，测点可另写",
        "of points that say nothing else",
    );
    line(
        out,
        &format!("order = \"{}\"", answers.order),
        "字序：abcd 高字在前，cdab 低字在前",
        "high word first, low word first",
    );
    line(out, "# max_registers = 60", "一次最多读几个寄存器", "most registers of one request");
    line(out, "# timeout = \"2s\"", "应答慢的设备", "when it answers slowly");
}

fn dlt645(out: &mut String, answers: &Answers) {
    out.push_str("\n[dlt645]\n");
    line(out, &format!("edition = \"{}\"", answers.edition), "2007 或 1997", "2007 or 1997");
    serial(out, answers);
}

fn cjt188(out: &mut String, answers: &Answers) {
    out.push_str("\n[cjt188]\n");
    line(
        out,
        &format!("meter_type = 0x{:02X}", answers.meter_type),
        "10 冷水 11 热水 20 热量 30 燃气（十六进制）",
        "10 cold water, 11 hot water, 20 heat, 30 gas",
    );
    serial(out, answers);
}

/// The topics in the order in which they are first named, and whether their payload is a text.
pub(super) fn topics(answers: &Answers) -> Vec<(&str, bool)> {
    let mut topics: Vec<(&str, bool)> = Vec::new();
    for point in &answers.points {
        let Place::Message { topic, path } = &point.place else { continue };
        match topics.iter_mut().find(|(known, _)| known == topic) {
            Some((_, text)) => *text &= path.is_none(),
            None => topics.push((topic, path.is_none())),
        }
    }
    topics
}

fn mqtt(out: &mut String, answers: &Answers) {
    out.push_str(
        "\n[mqtt]\n\
         # {base} 是每台设备自己的主题 | {base} is each device's own topic, given in [[device]]\n\
         topics = [\n",
    );
    for (topic, text) in topics(answers) {
        let format = if text { ", format = \"text\"" } else { "" };
        push(out, format_args!("  {{ pattern = {}{format} }},\n", quoted(topic)));
    }
    out.push_str(
        "]\n\
         # 在线主题（若有）| the topic that says whether it is there, if it has one\n\
         # availability = { pattern = \"{base}/availability\", online = [\"online\"], offline = [\"offline\"] }\n\
         # 多久无消息算离线 | silent after this long without a message\n\
         # silent_after = \"1h\"\n",
    );
}

fn examples(out: &mut String, answers: &Answers) {
    if answers.raws.is_empty() && answers.reads.is_empty() {
        return no_example(out, answers);
    }
    out.push_str(
        "\n# 样例：设备里的原始值与应得的读数 | what the device holds, and what must be read from it\n\
         [[examples]]\nabout = \"as read or as the datasheet shows it\"\n",
    );
    let lines = |kind: fn(&Raw) -> Option<String>| answers.raws.iter().filter_map(kind);
    let registers = |raw: &Raw| match raw {
        Raw::Registers { table, address, words } => Some(format!(
            "  {{ table = \"{table}\", address = 0x{address:04X}, words = [{}] }},\n",
            joined(words.iter().map(|word| format!("0x{word:04X}")))
        )),
        Raw::Bits { table, address, bits } => Some(format!(
            "  {{ table = \"{table}\", address = 0x{address:04X}, bits = [{}] }},\n",
            joined(bits.iter().map(bool::to_string))
        )),
        _ => None,
    };
    let messages = |raw: &Raw| match raw {
        Raw::Message { topic, payload } => Some(format!(
            "  {{ topic = {}, payload = {} }},\n",
            quoted(topic),
            payload_text(payload)
        )),
        _ => None,
    };
    let frames = |raw: &Raw| match raw {
        Raw::Frame(frame) => Some(format!("  {},\n", quoted(frame))),
        _ => None,
    };
    for (key, kind) in [
        ("registers", registers as fn(&Raw) -> Option<String>),
        ("messages", messages),
        ("frames", frames),
    ] {
        let entries: String = lines(kind).collect();
        if !entries.is_empty() {
            push(out, format_args!("{key} = [\n{entries}]\n"));
        }
    }
    out.push_str("\n[examples.readings]\n");
    for (name, reading) in &answers.reads {
        let value = match reading {
            Reading::Number(number) => number.to_string(),
            Reading::Flag(flag) => flag.to_string(),
            Reading::Text(text) => quoted(text),
        };
        push(out, format_args!("{} = {value}\n", key(name)));
    }
}

/// What an example looks like, for who has none yet.
fn no_example(out: &mut String, answers: &Answers) {
    let file = format!("{}.toml", answers.id);
    let name = answers.points.first().map_or("phaseVoltage", |point| &point.name);
    let name = key(name);
    let (raw, how) = match answers.protocol {
        Protocol::Modbus => (
            format!(
                "registers = [{{ table = \"{}\", address = 0x0000, words = [0x4366, 0x199A] }}]",
                answers.table
            ),
            "--tcp HOST:PORT --example",
        ),
        Protocol::Mqtt => (
            "messages = [{ topic = \"{base}/state\", payload = '{\"value\":230.1}' }]".to_owned(),
            "--broker HOST:PORT --base TOPIC --example",
        ),
        _ => (
            "frames = [\"68 45 92 66 23 00 10 68 91 06 33 34 34 35 66 55 62 16\"]".to_owned(),
            "--serial /dev/ttyUSB0 --address DIGITS --example",
        ),
    };
    push(
        out,
        format_args!(
            "\n# 须有样例：设备里的原始值与应得的读数 | an example is needed: what the device holds, what is read\n\
             # 从设备取得 | get one from the device: linli profiles try {file} {how} >> {file}\n\
             # [[examples]]\n\
             # {raw}\n\
             # readings = {{ {name} = 230.1 }}\n"
        ),
    );
}

/// JSON reads best between single quotes; a text with some goes between double ones.
fn payload_text(payload: &str) -> String {
    match payload.contains('\'') || payload.chars().any(char::is_control) {
        true => quoted(payload),
        false => format!("'{payload}'"),
    }
}

/// A point's name as a key: with a `.` it is quoted.
fn key(name: &str) -> String {
    if name.contains('.') { quoted(name) } else { name.to_owned() }
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
#[path = "write_tests.rs"]
mod tests;
