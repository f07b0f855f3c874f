//! M-Bus, explained.

use serde_json::Map;

use super::{Explained, Fault, Part, Parts, Protocol, Role, Step};
use crate::protocol::mbus::{self, Amount, Frame, Header, LinkFault, medium_names};

pub(super) fn step(bytes: &[u8], at: usize) -> Result<Step, Fault> {
    match mbus::parse(&bytes[at..]) {
        Ok((frame, length)) => Ok(explained(&frame, at, length, None)),
        Err(LinkFault::Checksum { got, expected, frame, length }) => {
            let fault = Fault::Checksum {
                offset: at + length - 2,
                got: format!("{got:02X}"),
                expected: format!("{expected:02X}"),
            };
            Ok(explained(&frame, at, length, Some(fault)))
        }
        Err(LinkFault::Short { have, need }) => Err(Fault::Short { offset: at, have, need }),
        Err(LinkFault::Fixed { at: place, got, expected }) => {
            Err(Fault::Fixed { offset: at + place, got, expected })
        }
        Err(LinkFault::Length(length)) => Err(Fault::Content {
            offset: at,
            en: LinkFault::Length(length).to_string(),
            zh: format!("长度为 {length},至少应为 3"),
        }),
        Err(LinkFault::Start(byte)) => {
            Err(Fault::NoFrame { offset: at, byte, expected: "E5H, 10H, 68H" })
        }
    }
}

fn explained(frame: &Frame, at: usize, length: usize, fault: Option<Fault>) -> Step {
    let mut fields = Map::new();
    let unread = mbus::describe(frame, &mut fields).err().map(|bad| Fault::Content {
        offset: at,
        en: bad.to_string(),
        zh: format!("数据记录无法解析({bad})"),
    });
    let role = if frame.is_reply() { Role::Reply } else { Role::Request };
    let parts = parts(frame, at, fault.as_ref());
    let range = at..at + length;
    let frame = Explained { protocol: Protocol::Mbus, range, role, parts, fields, beside: None };
    Step { frame, fault: fault.or(unread) }
}

fn control_names(c: u8) -> (&'static str, &'static str) {
    match c {
        0x40 => ("reset the link (SND_NKE)", "链路初始化(SND_NKE)"),
        0x53 | 0x73 => ("send data (SND_UD)", "发送数据(SND_UD)"),
        0x5A | 0x7A => ("ask for urgent data (REQ_UD1)", "请求一类数据(REQ_UD1)"),
        0x5B | 0x7B => ("ask for data (REQ_UD2)", "请求二类数据(REQ_UD2)"),
        0x08 | 0x18 | 0x28 | 0x38 => ("answer with data (RSP_UD)", "应答数据(RSP_UD)"),
        _ => ("unknown", "未知"),
    }
}

fn ci_names(ci: u8) -> (&'static str, &'static str) {
    match ci {
        0x50 => ("application reset", "应用层复位"),
        0x51 => ("data to the meter", "下发数据"),
        0x52 | 0x56 => ("select by secondary address", "按二级地址选择"),
        0x72 => ("variable data, long header", "可变数据,长报头"),
        0x73 | 0x77 => ("fixed data (not read here)", "固定数据(不解析)"),
        0x78 => ("variable data, no header", "可变数据,无报头"),
        0x7A => ("variable data, short header", "可变数据,短报头"),
        _ => ("other (not read here)", "其他(不解析)"),
    }
}

fn parts(frame: &Frame, at: usize, fault: Option<&Fault>) -> Vec<Part> {
    let mut parts = Parts::from(at);
    let (c, a) = match frame {
        Frame::Ack => {
            parts.add(1, "acknowledged", "确认应答");
            return parts.list;
        }
        Frame::Short { c, a } => {
            parts.add(1, "start of a short frame", "短帧起始符");
            (*c, *a)
        }
        Frame::Long { c, a, data, .. } => {
            parts.add(1, "start of a long frame", "长帧起始符");
            let length = data.len() + 3;
            parts.add(2, format!("length {length}, twice"), format!("长度 {length}(两次)"));
            parts.add(1, "second start", "第二起始符");
            (*c, *a)
        }
    };
    let (en, zh) = control_names(c);
    parts.add(1, format!("control: {en}"), format!("控制域:{zh}"));
    let (en, zh) = match a {
        253 => (" (the selected meter)", "(被选中的表)"),
        254 | 255 => (" (all)", "(广播)"),
        _ => ("", ""),
    };
    parts.add(1, format!("address {a}{en}"), format!("地址 {a}{zh}"));
    if let Frame::Long { ci, data, .. } = frame {
        let (en, zh) = ci_names(*ci);
        parts.add(1, format!("CI: {en}"), format!("CI:{zh}"));
        let before = parts.at;
        content(*ci, data, &mut parts);
        // What no record named: fillers, the manufacturer's data, what cannot be read.
        parts.add(before + data.len() - parts.at, "other data", "其他数据");
    }
    match fault {
        Some(Fault::Checksum { expected, .. }) => parts.add(
            1,
            format!("check sum: WRONG, {expected}H expected"),
            format!("校验和:错误,应为 {expected}H"),
        ),
        _ => parts.add(1, "check sum: right", "校验和:正确"),
    }
    parts.add(1, "end of frame", "结束符");
    parts.list
}

fn content(ci: u8, data: &[u8], parts: &mut Parts) {
    let header = match ci {
        0x72 => 12,
        0x7A => 4,
        0x78 | 0x51 => 0,
        0x52 | 0x56 => 8,
        _ => return,
    };
    if data.len() < header {
        return;
    }
    if header >= 8
        && let Some(identity) = Header::parse(data)
    {
        let id = identity.id;
        parts.add(4, format!("identification {id:08X}"), format!("标识号 {id:08X}"));
        let letters = match identity.manufacturer {
            0xFFFF => "FFFF".to_owned(),
            _ => identity.letters(),
        };
        parts.add(2, format!("manufacturer {letters}"), format!("厂商 {letters}"));
        let version = identity.version;
        parts.add(1, format!("version {version}"), format!("版本 {version}"));
        let (en, zh) = medium_names(identity.medium);
        parts.add(1, format!("medium: {en}"), format!("介质:{zh}"));
    }
    if matches!(ci, 0x72 | 0x7A) {
        parts.add(1, "access number", "访问号");
        parts.add(1, "status", "状态");
        parts.add(2, "signature: 0 is plain, else encrypted", "签名:0 为明文,否则加密");
        if data[header - 2..header] != [0, 0] {
            return;
        }
    }
    if matches!(ci, 0x52 | 0x56) {
        return;
    }
    let Ok((records, _)) = mbus::records(&data[header..]) else {
        return;
    };
    let start = parts.at;
    for record in records {
        parts.add(start + record.offset - parts.at, "filler", "填充");
        let amount = match &record.amount {
            Amount::None => "-".to_owned(),
            Amount::Number(number) => format!("{number} {}", record.unit),
            Amount::Text(text) => text.clone(),
        };
        let what = &record.quantity;
        let past = match record.storage {
            0 => String::new(),
            number => format!(" #{number}"),
        };
        parts.add(
            record.length,
            format!("record {what}{past}: {amount}"),
            format!("数据记录 {what}{past}:{amount}"),
        );
    }
}
