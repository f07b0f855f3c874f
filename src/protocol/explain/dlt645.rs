//! DL/T 645, explained.

use serde_json::{Map, Value, json};

use super::{Explained, Fault, Parts, Protocol, Role, Step, meter};
use crate::protocol::Found;
use crate::protocol::dlt645::{self, DataId, Edition, Frame};

/// Where the length and the second 68H stand behind the first.
const LENGTH_AT: usize = 9;
const SECOND: usize = 7;

/// Keeps the request that waits for its answer.
pub(super) struct Reader {
    protocol: Protocol,
    edition: Edition,
    asked: Option<Frame>,
}

impl Reader {
    pub(super) fn new(protocol: Protocol) -> Self {
        let edition = match protocol {
            Protocol::Dlt645V1997 => Edition::V1997,
            _ => Edition::V2007,
        };
        Self { protocol, edition, asked: None }
    }

    pub(super) fn step(&mut self, bytes: &[u8], at: usize) -> Result<Step, Fault> {
        let shape = meter::shape(bytes, at, LENGTH_AT, Some(SECOND))?;
        let mended = shape.mended(bytes);
        // Without the preamble, of which the finder keeps only a few bytes.
        let Found::Frame { mut frame, .. } = dlt645::find(&mended[usize::from(shape.preamble)..])
        else {
            return Err(Fault::Unrecognised);
        };
        frame.preamble = shape.preamble;
        let role = if frame.is_reply() { Role::Reply } else { Role::Request };
        let mut fields = match dlt645::describe(&frame, self.edition) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        fields.insert("checksum".to_owned(), json!(format!("{:02X}", shape.sum)));
        let unread = fields.get("fault").and_then(Value::as_str).map(|why| Fault::Content {
            offset: shape.start,
            en: why.to_owned(),
            zh: format!("数据无法解析({why})"),
        });
        let unknown = function_names(self.edition, frame.function())
            .is_none()
            .then_some(Fault::UnknownFunction { offset: shape.start + 8, code: frame.control });
        let unknown = unknown.or_else(|| self.unknown_identifier(&frame, shape.start));
        let fault =
            shape.fault().or(unknown).or(unread).or_else(|| self.mismatch(&frame, shape.start));
        let explained = Explained {
            protocol: self.protocol,
            range: at..shape.end,
            role,
            parts: self.parts(&frame, &fields, at, &shape),
            fields,
            beside: None,
        };
        self.asked = (role == Role::Request).then_some(frame);
        Ok(Step { frame: explained, fault })
    }

    /// An identifier that is neither in the table nor of a class whose records differ by maker.
    fn unknown_identifier(&self, frame: &Frame, start: usize) -> Option<Fault> {
        let reads = match self.edition {
            Edition::V2007 => matches!(frame.function(), 0x11 | 0x12),
            Edition::V1997 => frame.function() == 0x01,
        };
        let id = DataId::from_wire(self.edition, &frame.data)?;
        let known = dlt645::item(self.edition, id).is_some() || self.class(id).is_some();
        (reads && !frame.is_refusal() && !known)
            .then(|| Fault::UnknownIdentifier { offset: start + LENGTH_AT + 1, id: id.to_string() })
    }

    /// What an identifier is about whose layout only its maker knows.
    fn class(&self, id: DataId) -> Option<(&'static str, &'static str)> {
        match (self.edition, id.0 >> 24) {
            (Edition::V2007, 0x03) => Some(("event record", "事件记录")),
            (Edition::V2007, 0x05) => Some(("frozen data", "冻结数据")),
            (Edition::V2007, 0x06) => Some(("load profile", "负荷记录")),
            _ => None,
        }
    }

    fn mismatch(&self, answer: &Frame, offset: usize) -> Option<Fault> {
        let asked = self.asked.as_ref().filter(|_| answer.is_reply())?;
        let mismatch = dlt645::reply(self.edition, asked, answer).err()?;
        Some(Fault::NotAnswer { offset, en: mismatch.to_string(), zh: mismatch.zh() })
    }

    fn parts(
        &self,
        frame: &Frame,
        fields: &Map<String, Value>,
        at: usize,
        shape: &meter::Shape,
    ) -> Vec<super::Part> {
        let mut parts = Parts::from(at);
        parts.add(usize::from(shape.preamble), "preamble", "前导字节");
        parts.add(1, "start of frame", "帧起始符");
        let address = frame.address;
        parts.add(6, format!("address {address}"), format!("地址 {address}"));
        parts.add(1, "second start", "第二起始符");
        let names = function_names(self.edition, frame.function());
        let (en, zh) = names.unwrap_or(("unknown", "未知"));
        let (what_en, what_zh) = match (frame.is_reply(), frame.is_refusal()) {
            (_, true) => ("refused", "异常应答"),
            (true, _) if frame.more_follows() => ("answer, more follows", "应答,有后续帧"),
            (true, _) => ("answer", "应答"),
            _ => ("request", "请求"),
        };
        parts.add(1, format!("control code: {en}, {what_en}"), format!("控制码:{zh},{what_zh}"));
        let length = frame.data.len();
        let plural = if length == 1 { "" } else { "s" };
        parts.add(1, format!("{length} byte{plural} of data"), format!("数据长度 {length}"));
        self.data(frame, fields, &mut parts);
        let (good_en, good_zh) = match shape.fault() {
            None => ("right".to_owned(), "正确".to_owned()),
            Some(_) => {
                let expected = shape.expected;
                (format!("WRONG, {expected:02X}H expected"), format!("错误,应为 {expected:02X}H"))
            }
        };
        parts.add(1, format!("check sum: {good_en}"), format!("校验和:{good_zh}"));
        parts.add(1, "end of frame", "结束符");
        parts.list
    }

    /// The data field; its bytes carry an offset of 33H each.
    fn data(&self, frame: &Frame, fields: &Map<String, Value>, parts: &mut Parts) {
        let mut left = frame.data.len();
        let width = self.edition.id_bytes();
        if fields.contains_key("di")
            && let Some(id) = DataId::from_wire(self.edition, &frame.data)
        {
            let name = dlt645::item(self.edition, id).map(|item| item.field_name(0));
            let class = || self.class(id).unwrap_or(("unknown", "未知"));
            let (en, zh) = name.unwrap_or_else(|| (class().0.to_owned(), class().1.to_owned()));
            parts.add(
                width,
                format!("identifier {id} {en} (33H added)").replace("  ", " "),
                format!("数据标识 {id} {zh}(各字节加 33H)"),
            );
            left -= width;
        }
        if frame.is_refusal()
            && self.edition == Edition::V2007
            && let [bits] = *frame.data.as_slice()
        {
            let causes = dlt645::ErrorBits(bits);
            let (en, zh) = (causes.en(), causes.zh());
            return parts.add(
                left,
                format!("error byte {bits:02X}: {en} (33H added)"),
                format!("错误信息字 {bits:02X}:{zh}(各字节加 33H)"),
            );
        }
        let text = |key: &str| fields.get(key).map(plain);
        let told = [
            ("value", "value", "数值"),
            ("error_byte", "error byte", "错误信息字"),
            ("meter_address", "address of the meter", "表地址"),
            ("clock_ss_mm_hh_DD_MM_YY", "clock", "时钟"),
            (
                "clock_year_first",
                "clock, year first (not the standard's order)",
                "时钟(年在前,非标准顺序)",
            ),
            ("relay", "relay", "拉合闸"),
            ("body_big_endian", "data, high byte first", "数据(高字节在前)"),
        ];
        if let Some(Value::Array(values)) = fields.get("values") {
            let (en, zh) = (each(values, "name_en"), each(values, "name_zh"));
            parts.add(left, format!("{en} (33H added)"), format!("{zh}(各字节加 33H)"));
            return;
        }
        let found = told.iter().find_map(|(key, en, zh)| text(key).map(|text| (en, zh, text)));
        match found {
            Some((en, zh, text)) => {
                let unit = text_unit(fields);
                parts.add(
                    left,
                    format!("{en}: {text}{unit} (33H added)"),
                    format!("{zh}:{text}{unit}(各字节加 33H)"),
                );
            }
            None => parts.add(left, "data (33H added)", "数据(各字节加 33H)"),
        }
    }
}

/// A value for people, without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}

/// The values of a block, each with its name in one language.
fn each(values: &[Value], name: &str) -> String {
    let tell = |entry: &Value| {
        let unit = entry.as_object().map(text_unit).unwrap_or_default();
        format!("{} {}{unit}", plain(&entry[name]), plain(&entry["value"]))
    };
    values.iter().map(tell).collect::<Vec<_>>().join(", ")
}

fn text_unit(fields: &Map<String, Value>) -> String {
    match fields.get("unit").and_then(Value::as_str) {
        Some(unit) if !unit.is_empty() => format!(" {unit}"),
        _ => String::new(),
    }
}

/// What a function does, in English and Chinese; `None` when the edition has no such function.
fn function_names(edition: Edition, function: u8) -> Option<(&'static str, &'static str)> {
    Some(match (edition, function) {
        (_, 0x08) => ("broadcast the time", "广播校时"),
        (Edition::V2007, 0x03) => ("security authentication", "安全认证"),
        (Edition::V2007, 0x11) | (Edition::V1997, 0x01) => ("read data", "读数据"),
        (Edition::V2007, 0x12) | (Edition::V1997, 0x02) => ("read more data", "读后续数据"),
        (Edition::V2007, 0x13) => ("read the address", "读通信地址"),
        (Edition::V2007, 0x14) | (Edition::V1997, 0x04) => ("write data", "写数据"),
        (Edition::V2007, 0x15) | (Edition::V1997, 0x0A) => ("write the address", "写通信地址"),
        (Edition::V2007, 0x16) => ("freeze", "冻结命令"),
        (Edition::V2007, 0x17) | (Edition::V1997, 0x0C) => ("change the speed", "更改通信速率"),
        (Edition::V2007, 0x18) | (Edition::V1997, 0x0F) => ("change the password", "修改密码"),
        (Edition::V2007, 0x19) | (Edition::V1997, 0x10) => ("clear the demand", "最大需量清零"),
        (Edition::V2007, 0x1A) => ("clear the meter", "电表清零"),
        (Edition::V2007, 0x1B) => ("clear the events", "事件清零"),
        (Edition::V2007, 0x1C) => ("relay, alarm, power protection", "跳合闸、报警、保电"),
        (Edition::V2007, 0x1D) => ("output of the multi-function terminal", "多功能端子输出控制"),
        (Edition::V1997, 0x03) => ("read again", "重读数据"),
        _ => return None,
    })
}
