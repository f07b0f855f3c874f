//! CJ/T 188, explained.

use serde_json::{Map, Value, json};

use super::{Explained, Fault, Parts, Protocol, Role, Step, hex, meter};
use crate::protocol::Found;
use crate::protocol::cjt188::{
    self, Current, DataId, DiOrder, Frame, HeatReading, Mismatch, Quantity, Status, Valve,
};

/// Where the length stands behind 68H.
const LENGTH_AT: usize = 10;

/// Keeps the request that waits for its answer.
#[derive(Default)]
pub(super) struct Reader {
    asked: Option<Frame>,
}

impl Reader {
    pub(super) fn step(&mut self, bytes: &[u8], at: usize) -> Result<Step, Fault> {
        let shape = meter::shape(bytes, at, LENGTH_AT, None)?;
        let Found::Frame { frame, .. } = cjt188::find(&shape.mended(bytes)) else {
            return Err(Fault::Unrecognised);
        };
        let role = if frame.is_reply() { Role::Reply } else { Role::Request };
        let mut fields = match cjt188::describe(&frame) {
            Value::Object(fields) => fields,
            _ => Map::new(),
        };
        fields.insert("checksum".to_owned(), json!(format!("{:02X}", shape.sum)));
        let (beside, unread) = match cjt188::meaning(&frame) {
            Ok(beside) => (beside, None),
            Err(bad) => {
                let zh = bad.zh();
                (None, Some(Fault::Content { offset: shape.start, en: bad.to_string(), zh }))
            }
        };
        let fault = shape
            .fault()
            .or_else(|| unknown(&frame, shape.start))
            .or(unread)
            .or_else(|| self.mismatch(&frame, shape.start));
        let explained = Explained {
            protocol: Protocol::Cjt188,
            range: at..shape.end,
            role,
            parts: parts(&frame, at, &shape),
            fields,
            beside,
        };
        self.asked = (role == Role::Request).then_some(frame);
        Ok(Step { frame: explained, fault })
    }

    fn mismatch(&self, answer: &Frame, offset: usize) -> Option<Fault> {
        let asked = self.asked.as_ref().filter(|_| answer.is_reply())?;
        let mismatch = cjt188::reply(asked, answer).err()?;
        Some(Fault::NotAnswer { offset, en: mismatch.to_string(), zh: chinese(&mismatch) })
    }
}

fn chinese(mismatch: &Mismatch) -> String {
    match mismatch {
        Mismatch::NotReply { control } => format!("控制码 {control:02X}H 是请求,不是应答"),
        Mismatch::Function { asked, got } => {
            format!("应答的功能为 {got:02X}H,请求的是 {asked:02X}H")
        }
        Mismatch::Address { asked, got } => format!("应答的是表 {got},请求的是 {asked}"),
        Mismatch::Kind { asked, got } => {
            format!("应答的表类型为 {:02X}H,请求的是 {:02X}H", got.0, asked.0)
        }
        Mismatch::Identifier { asked, got } => {
            format!("应答的数据标识为 {got},请求的是 {asked}")
        }
        Mismatch::Short { got, needed } => {
            format!("应答的数据只有 {got} 字节,至少需要 {needed} 字节")
        }
    }
}

/// A control code or identifier that is not known.
fn unknown(frame: &Frame, start: usize) -> Option<Fault> {
    if control_names(frame.function()).is_none() || frame.control & 0xC0 == 0x40 {
        return Some(Fault::UnknownFunction { offset: start + 9, code: frame.control });
    }
    if frame.is_refusal() {
        return None;
    }
    let wire = *frame.data.first_chunk()?;
    let (id, _) = DataId::from_wire(wire);
    let fault = Fault::UnknownIdentifier { offset: start + LENGTH_AT + 1, id: id.to_string() };
    id.names().is_none().then_some(fault)
}

fn control_names(function: u8) -> Option<(&'static str, &'static str)> {
    Some(match function {
        0x01 => ("read data", "读数据"),
        0x03 => ("read the address", "读地址"),
        0x04 => ("write data", "写数据"),
        0x09 => ("read the key version", "读密钥版本号"),
        0x15 => ("write the address", "写地址"),
        0x16 => ("set the counter", "写机电同步数据"),
        _ => return None,
    })
}

fn parts(frame: &Frame, at: usize, shape: &meter::Shape) -> Vec<super::Part> {
    let mut parts = Parts::from(at);
    parts.add(usize::from(shape.preamble), "preamble", "前导字节");
    parts.add(1, "start of frame", "帧起始符");
    let kind = frame.meter_type;
    parts.add(1, format!("meter type: {}", kind.en()), format!("表类型:{}", kind.zh()));
    let address = frame.address;
    let (wild_en, wild_zh) = match address {
        cjt188::Address::ANY => (" (any)", "(任意)"),
        _ => ("", ""),
    };
    parts.add(7, format!("address {address}{wild_en}"), format!("地址 {address}{wild_zh}"));
    let (en, zh) = control_names(frame.function()).unwrap_or(("unknown", "未知"));
    let (what_en, what_zh) = match (frame.is_reply(), frame.is_refusal()) {
        (_, true) => ("refused", "异常应答"),
        (true, _) => ("answer", "应答"),
        _ => ("request", "请求"),
    };
    parts.add(1, format!("control code: {en}, {what_en}"), format!("控制码:{zh},{what_zh}"));
    let length = frame.data.len();
    let plural = if length == 1 { "" } else { "s" };
    parts.add(1, format!("{length} byte{plural} of data"), format!("数据长度 {length}"));
    data(frame, &mut parts);
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

fn data(frame: &Frame, parts: &mut Parts) {
    let [first, second, ser, ref body @ ..] = frame.data[..] else {
        parts.add(frame.data.len(), "data", "数据");
        return;
    };
    if frame.is_refusal() {
        parts.add(1, format!("sequence {first}"), format!("序号 {first}"));
        status(Status([second, ser]), parts);
        parts.add(body.len(), "data", "数据");
        return;
    }
    let (id, order) = DataId::from_wire([first, second]);
    let (en, zh) = id.names().unwrap_or(("unknown", "未知"));
    let (order_en, order_zh) = match order {
        DiOrder::HighFirst => ("high byte first, as in 2004", "高字节在前,2004 版"),
        DiOrder::LowFirst => ("low byte first, as in 2018", "低字节在前,2018 版"),
    };
    parts.add(
        2,
        format!("identifier {id}: {en} ({order_en})"),
        format!("数据标识 {id}:{zh}({order_zh})"),
    );
    parts.add(1, format!("sequence {ser}"), format!("序号 {ser}"));
    match (frame.is_reply(), frame.function(), id) {
        (true, 0x01, DataId::CURRENT | DataId::CURRENT_HEAT_COOLING) => {
            match cjt188::current(frame.meter_type, body) {
                Ok(Current::Volume(reading)) => {
                    quantity(5, "current volume", "当前累积流量", &reading.current, parts);
                    quantity(5, "settlement volume", "结算日累积流量", &reading.settlement, parts);
                    clock(&body[10..17], parts);
                    status(reading.status, parts);
                }
                Ok(Current::Heat(reading)) => heat(&reading, body, parts),
                Err(_) => parts.add(body.len(), "data that cannot be read", "无法解析的数据"),
            }
        }
        (true, 0x04, DataId::VALVE) if body.len() >= 2 => {
            status(Status([body[0], body[1]]), parts);
            parts.add(body.len() - 2, "data", "数据");
        }
        (false, 0x04, DataId::VALVE) if body.len() == 1 => {
            let (en, zh) = match body[0] {
                0x55 => ("open the valve", "开阀"),
                0x99 => ("close the valve", "关阀"),
                0x00 => ("ask, or automatic (vendor's code)", "查询或自动(厂家扩展)"),
                0x66 => ("force the valve open (vendor's code)", "强制开阀(厂家扩展)"),
                0x77 => ("force the valve closed (vendor's code)", "强制关阀(厂家扩展)"),
                _ => ("unknown valve code", "未知阀控命令"),
            };
            parts.add(1, en, zh);
        }
        _ => match cjt188::value_with_unit(body) {
            Ok(value) if frame.is_reply() => quantity(5, "value", "数值", &value, parts),
            _ => parts.add(body.len(), "data", "数据"),
        },
    }
}

fn heat(reading: &HeatReading, body: &[u8], parts: &mut Parts) {
    // Power and flow have four digits bytes and the temperatures three, or three and two.
    let (rate, temperature, hours) = if body.len() == 43 { (5, 3, 3) } else { (4, 2, 4) };
    quantity(5, "settlement heat (or cold)", "结算日热量(或冷量)", &reading.settlement, parts);
    if let Some(cooling) = &reading.cooling {
        quantity(5, "settlement cold", "结算日冷量", &cooling.settlement, parts);
    }
    quantity(5, "current heat", "当前热量", &reading.current, parts);
    if let Some(cooling) = &reading.cooling {
        quantity(5, "current cold", "当前冷量", &cooling.current, parts);
    }
    quantity(rate, "thermal power", "热功率", &reading.power, parts);
    quantity(rate, "flow", "流量", &reading.flow, parts);
    quantity(5, "cumulative volume", "累积流量", &reading.volume, parts);
    number(temperature, "supply temperature", "供水温度", reading.supply, " °C", parts);
    number(temperature, "return temperature", "回水温度", reading.return_, " °C", parts);
    if let Some(cooling) = &reading.cooling {
        number(2, "supply pressure", "供水压力", cooling.supply_pressure, "", parts);
        number(2, "return pressure", "回水压力", cooling.return_pressure, "", parts);
    }
    let worked = reading.hours.map(f64::from);
    number(hours, "operating hours", "累积工作时间", worked, " h", parts);
    clock(&body[body.len() - 9..body.len() - 2], parts);
    status(reading.status, parts);
}

fn number(width: usize, en: &str, zh: &str, value: Option<f64>, unit: &str, parts: &mut Parts) {
    match value {
        Some(value) => {
            parts.add(width, format!("{en}: {value}{unit}"), format!("{zh}:{value}{unit}"));
        }
        None => parts.add(width, format!("{en}: not available"), format!("{zh}:无此数据")),
    }
}

fn quantity(width: usize, en: &str, zh: &str, quantity: &Quantity, parts: &mut Parts) {
    let code = format!(" (unit {:02X}H)", quantity.unit.0);
    let unit = quantity.unit.sign().map_or(code, |sign| format!(" {sign}"));
    number(width, en, zh, quantity.value, &unit, parts);
}

fn clock(bytes: &[u8], parts: &mut Parts) {
    let (en, zh) = match bytes {
        [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF] => ("not available".into(), "无此数据".into()),
        [0, 0, 0, 0, 0, 0, 0] => ("not set".into(), "未设置".into()),
        [second, minute, hour, day, month, year, century] => {
            let text = format!(
                "{century:02X}{year:02X}-{month:02X}-{day:02X} {hour:02X}:{minute:02X}:{second:02X}"
            );
            (text.clone(), text)
        }
        _ => (hex(bytes), hex(bytes)),
    };
    parts.add(bytes.len(), format!("clock: {en}"), format!("时钟:{zh}"));
}

fn status(status: Status, parts: &mut Parts) {
    let (valve_en, valve_zh) = match status.valve() {
        Some(Valve::Open) => ("valve open", "阀门开"),
        Some(Valve::Closed) => ("valve closed", "阀门关"),
        Some(Valve::Abnormal) => ("valve abnormal", "阀门异常"),
        None => ("valve unknown", "阀门状态未知"),
    };
    let (battery_en, battery_zh) = match status.battery_low() {
        Some(true) => ("battery low", "电池欠压"),
        Some(false) => ("battery good", "电池正常"),
        None => ("battery unknown", "电池状态未知"),
    };
    parts.add(
        2,
        format!("status: {valve_en}, {battery_en}"),
        format!("状态:{valve_zh},{battery_zh}"),
    );
}
