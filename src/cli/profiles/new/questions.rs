//! Asks a person for what the flags leave open.

use std::io::{self, BufRead, Write};

use super::Arguments;
use super::answers::{
    Answers, Counting, ENCODINGS, NewPoint, ORDERS, Protocol, TABLES, baud, category, frame,
    identifier, meter_type, one_of, unit_id,
};
use super::ask::{Desk, Question, some_text};
use super::expected::Expected;
use super::gather::{DEFAULT_TOPIC, Gathered, context, line, start, table_of};
use super::grammar::{Context, reads};
use crate::profile::Library;

/// From the flags, and from a person what they leave open.
///
/// # Errors
/// The answers ended too early, or writing failed.
pub(super) fn from_desk<R: BufRead, W: Write>(
    args: &Arguments,
    library: &Library,
    desk: &mut Desk<R, W>,
) -> io::Result<Gathered> {
    desk.tell(
        "新型号：逐项回答，方括号内为默认值，直接回车即采用 | \
         a new model: answer one by one, Enter takes what stands in brackets",
    )?;
    let q = |zh, en, default| Question { zh, en, default };
    let mut args = args.clone();
    if args.category.is_none() {
        for category in crate::model::Category::ALL {
            desk.tell(&format!("  {:<20} {} | {}", category.word(), category.zh(), category.en()))?;
        }
        args.category = Some(desk.ask(q("类别", "category", None), category)?);
    }
    if args.protocol.is_none() {
        let question = q("协议：modbus dlt645 cjt188 mqtt", "protocol", Some("modbus"));
        args.protocol = Some(desk.ask(question, Protocol::parse)?);
    }
    let protocol = args.protocol.unwrap_or(Protocol::Modbus);
    if args.brand.is_none() {
        args.brand = Some(desk.ask(q("品牌", "brand", None), some_text)?);
    }
    if args.model.is_none() {
        args.model = Some(desk.ask(q("型号", "model", None), some_text)?);
    }
    let usual = start(&args, protocol);
    if args.id.is_none() {
        let question = q("标识（即文件名）", "identifier, the file's name", Some(&usual.id));
        args.id = Some(desk.ask(question, identifier)?);
    }
    if args.zh.is_none() {
        args.zh = Some(desk.ask(q("中文名称", "title in Chinese", Some(&usual.zh)), some_text)?);
    }
    if args.en.is_none() {
        args.en = Some(desk.ask(q("英文名称", "title in English", Some(&usual.en)), some_text)?);
    }
    if args.source.is_empty() {
        let question =
            q("数据手册（名称、版本或网址）", "datasheet: title, edition or address", None);
        args.source = vec![desk.ask(question, some_text)?];
    }
    ask_of_the_line(&mut args, protocol, desk)?;
    if protocol == Protocol::Modbus {
        ask_of_registers(&mut args, desk)?;
    }
    let expected = Expected::of(library, usual.category);
    let mut answers = start(&args, protocol);
    let mut notes = Vec::new();
    let context = context(&args, &answers);
    for text in &args.point {
        let point = context.point(text, &mut notes).map_err(io::Error::other)?;
        answers.points.push(point);
    }
    if answers.points.is_empty() {
        answers.points = ask_points(context, &expected, desk)?;
    }
    if let (None, Some(table)) = (args.table, table_of(&answers.points)) {
        answers.table = table;
    }
    examples(&args, context, &mut answers, &mut notes, desk)?;
    Ok((answers, expected, notes))
}

fn ask_of_the_line<R: BufRead, W: Write>(
    args: &mut Arguments,
    protocol: Protocol,
    desk: &mut Desk<R, W>,
) -> io::Result<()> {
    let q = |zh, en, default| Question { zh, en, default };
    let (usual_baud, usual_frame) = line(protocol);
    if protocol == Protocol::Mqtt {
        if args.topic.is_none() {
            let question = q(
                "消息主题，{base} 为设备自己的主题",
                "topic of its messages, {base} is the device's own topic",
                Some(DEFAULT_TOPIC),
            );
            args.topic = Some(desk.ask(question, some_text)?);
        }
        return Ok(());
    }
    if protocol == Protocol::Dlt645 && args.edition.is_none() {
        let question = q("标准版本 2007 或 1997", "edition", Some("2007"));
        args.edition = Some(desk.ask(question, |text| one_of(text, &["2007", "1997"]))?);
    }
    if protocol == Protocol::Cjt188 && args.meter_type.is_none() {
        let question = q("表类型：10 冷水 11 热水 20 热量 30 燃气", "type of meter", Some("0x10"));
        args.meter_type = Some(desk.ask(question, meter_type)?);
    }
    if args.baud.is_none() {
        args.baud = Some(desk.ask(q("出厂波特率", "factory baud rate", Some(usual_baud)), baud)?);
    }
    if args.frame.is_none() {
        let question = q("校验与停止位", "parity and stop bits", Some(usual_frame));
        args.frame = Some(desk.ask(question, frame)?);
    }
    if protocol == Protocol::Modbus && args.unit.is_none() {
        args.unit = desk.ask(
            q("出厂站号（可空）", "factory unit id, may be empty", Some("")),
            |text| {
                if text.is_empty() { Ok(None) } else { unit_id(text).map(Some) }
            },
        )?;
    }
    Ok(())
}

fn ask_of_registers<R: BufRead, W: Write>(
    args: &mut Arguments,
    desk: &mut Desk<R, W>,
) -> io::Result<()> {
    let q = |zh, en, default| Question { zh, en, default };
    if args.first_address.is_none() {
        desk.tell(
            "  手册如何编号：0 从 0 开始；1 从 1 开始；modicon 为 30001、40001 一类；auto 从 0 开始并换算 3xxxx、4xxxx\n  \
             how the datasheet counts: 0 from 0; 1 from 1; modicon 30001, 40001; auto from 0, 3xxxx and 4xxxx converted",
        )?;
        let question = q("寄存器编号", "how registers are counted", Some("auto"));
        args.first_address = Some(desk.ask(question, Counting::parse)?);
    }
    if args.table.is_none() && args.first_address != Some(Counting::Modicon) {
        let question = q(
            "寄存器类型：input 功能码 4，holding 功能码 3，coil 1，discrete_input 2",
            "table",
            Some("holding"),
        );
        args.table = Some(desk.ask(question, |text| one_of(text, &TABLES))?);
    }
    if args.encoding.is_none() {
        let question = q("编码：u16 i16 u32 i32 f32 …", "encoding of most points", Some("u16"));
        args.encoding = Some(desk.ask(question, |text| one_of(text, &ENCODINGS))?);
    }
    if args.order.is_none() {
        let question = q(
            "字序：abcd 高字在前，cdab 低字在前",
            "word order: high word first, low word first",
            Some("abcd"),
        );
        args.order = Some(desk.ask(question, |text| one_of(text, &ORDERS))?);
    }
    Ok(())
}

/// What is answered to a point that the category offers.
enum Offer {
    Taken(NewPoint, Vec<String>),
    Passed,
    Ended,
}

/// First what the category offers, by name; then any other.
fn ask_points<R: BufRead, W: Write>(
    context: Context<'_>,
    expected: &Expected,
    desk: &mut Desk<R, W>,
) -> io::Result<Vec<NewPoint>> {
    let how = match context.protocol {
        Protocol::Modbus => {
            "地址[:编码][:单位][:倍率]，如 0x0000:f32:V | address[:encoding][:unit][:factor]"
        }
        Protocol::Dlt645 => "数据标识，如 0x02010100 | data identifier",
        Protocol::Cjt188 => "读数位置，如 volume | part of the reading",
        Protocol::Mqtt => {
            "JSON 指针[:单位]，如 /temperature:Cel，或 主题#指针 | JSON pointer[:unit], or topic#pointer"
        }
    };
    desk.tell(&format!("  测点 | points: {how}\n  回车跳过，`.` 结束 | Enter passes, `.` ends"))?;
    let mut points: Vec<NewPoint> = Vec::new();
    for name in expected.names() {
        let given: Vec<&str> = points.iter().map(|point| point.name.as_str()).collect();
        if expected.is_told(&name, &given) {
            continue;
        }
        let Some(known) = expected.get(&name).map(|known| known.point) else { continue };
        let unit = known.unit.sign();
        let (zh, en) = (format!("{name} {} {unit}", known.zh), known.en);
        let question = Question { zh: zh.trim(), en: &en, default: Some("") };
        let answer = desk.ask(question, |text| match text {
            "" => Ok(Offer::Passed),
            "." => Ok(Offer::Ended),
            text => {
                let mut notes = Vec::new();
                context.place(&name, text, &mut notes).map(|point| Offer::Taken(point, notes))
            }
        })?;
        match answer {
            Offer::Taken(point, notes) => {
                notes.iter().try_for_each(|note| desk.tell(&format!("  {note}")))?;
                points.push(point);
            }
            Offer::Ended => break,
            Offer::Passed => {}
        }
    }
    loop {
        let question = Question {
            zh: "其他测点 名称=位置…（回车结束）",
            en: "another point, name=place… (Enter ends)",
            default: None,
        };
        desk.several(question, |text| {
            let mut notes = Vec::new();
            points.push(context.point(text, &mut notes)?);
            Ok(notes)
        })?;
        if !points.is_empty() {
            return Ok(points);
        }
        desk.tell("  ✗ 至少一个测点 | at least one point is needed")?;
    }
}

/// What the device held, and what must be read from it; both may be left for later.
fn examples<R: BufRead, W: Write>(
    args: &Arguments,
    context: Context<'_>,
    answers: &mut Answers,
    notes: &mut Vec<String>,
    desk: &mut Desk<R, W>,
) -> io::Result<()> {
    let context = Context { table: answers.table, ..context };
    for text in &args.raw {
        answers.raws.push(context.raw(text, notes).map_err(io::Error::other)?);
    }
    answers.reads.clone_from(&args.reads);
    if !answers.raws.is_empty() {
        return Ok(());
    }
    let how = match context.protocol {
        Protocol::Modbus => "input:0x0000=4366 199A",
        Protocol::Mqtt => "{base}/state={\"temperature\":21.5}",
        _ => "68 … 16",
    };
    let zh = format!("样例原始值，如 {how}（没有就回车）");
    let question =
        Question { zh: &zh, en: "raw values for an example (Enter: none)", default: None };
    desk.several(question, |text| {
        let mut notes = Vec::new();
        answers.raws.push(context.raw(text, &mut notes)?);
        Ok(notes)
    })?;
    if answers.raws.is_empty() {
        return Ok(());
    }
    let question = Question {
        zh: "应得的读数，如 phaseVoltage=230.1（回车结束）",
        en: "what they must read, name=value (Enter ends)",
        default: None,
    };
    let known: Vec<String> = answers.points.iter().map(|point| point.name.clone()).collect();
    desk.several(question, |text| {
        let (name, reading) = reads(text)?;
        if !known.contains(&name) {
            return Err(format!("`{name}`: {}", known.join(" ")));
        }
        answers.reads.push((name, reading));
        Ok(Vec::new())
    })
}
