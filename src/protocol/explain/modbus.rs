//! Modbus, explained.

use serde_json::Map;

use super::{Explained, Fault, Part, Parts, Protocol, Role, Step};
use crate::protocol::modbus::{
    self, Adu, AduFault, Direction, Mismatch, Pdu, exception_names, function_names,
};

/// Keeps the request that waits for its reply.
pub(super) struct Reader {
    protocol: Protocol,
    asked: Option<Adu>,
}

impl Reader {
    pub(super) fn new(protocol: Protocol) -> Self {
        Self { protocol, asked: None }
    }

    pub(super) fn step(&mut self, bytes: &[u8], at: usize) -> Result<Step, Fault> {
        let here = &bytes[at..];
        let parsed = match self.protocol {
            Protocol::ModbusTcp => modbus::tcp(here, self.asked.as_ref()),
            _ => modbus::rtu(here, self.asked.as_ref()),
        };
        match parsed {
            Ok((adu, length)) => {
                let fault = self.mismatch(&adu, at);
                Ok(self.explained(adu, at, length, true, fault))
            }
            Err(AduFault::Checksum { got, expected, frame, length }) => {
                let wire = |sum: u16| super::hex(&sum.to_le_bytes());
                let fault = Fault::Checksum {
                    offset: at + length - 2,
                    got: wire(got),
                    expected: wire(expected),
                };
                match frame {
                    Some(adu) => Ok(self.explained(*adu, at, length, false, Some(fault))),
                    None => Err(fault),
                }
            }
            Err(AduFault::Short { have, need }) => Err(Fault::Short { offset: at, have, need }),
            Err(AduFault::Function(code)) => {
                let place = if self.protocol == Protocol::ModbusTcp { 7 } else { 1 };
                Err(Fault::UnknownFunction { offset: at + place, code })
            }
            Err(AduFault::Header(text)) => {
                Err(Fault::Content { offset: at, en: text.to_owned(), zh: chinese(text) })
            }
            Err(AduFault::Content { text, .. }) => {
                Err(Fault::Content { offset: at, en: text.to_owned(), zh: chinese(text) })
            }
        }
    }

    fn explained(
        &mut self,
        adu: Adu,
        at: usize,
        length: usize,
        good: bool,
        fault: Option<Fault>,
    ) -> Step {
        let role = match adu.direction() {
            Direction::Request => Role::Request,
            Direction::Reply => Role::Reply,
        };
        let mut fields = Map::new();
        modbus::describe(&adu, self.asked.as_ref(), &mut fields);
        let frame = Explained {
            protocol: self.protocol,
            range: at..at + length,
            role,
            parts: parts(&adu, at, length, good),
            fields,
            beside: None,
        };
        // Nobody answers a broadcast.
        let broadcast = matches!(adu, Adu::Modbus { unit: 0, transaction: None, .. });
        self.asked = (role == Role::Request && !broadcast).then_some(adu);
        Step { frame, fault }
    }

    fn mismatch(&self, adu: &Adu, offset: usize) -> Option<Fault> {
        let asked = self.asked.as_ref().filter(|_| adu.direction() == Direction::Reply)?;
        let mismatch = modbus::answers(asked, adu).err()?;
        let zh = match &mismatch {
            Mismatch::Transaction { asked, got } => {
                format!("应答的事务号为 {got},请求的是 {asked}:迟到的应答")
            }
            Mismatch::Unit { asked, got } => format!("应答的是从站 {got},请求的是 {asked}"),
            Mismatch::Function { asked, got } => {
                format!("应答的功能码为 {got},请求的是 {asked}")
            }
            Mismatch::Count { asked, got } => {
                format!("应答带 {got} 字节数据,请求的是 {asked} 字节")
            }
            Mismatch::Echo => "应答确认的写操作与请求不同".to_owned(),
        };
        Some(Fault::NotAnswer { offset, en: mismatch.to_string(), zh })
    }
}

fn chinese(text: &str) -> String {
    match text {
        "the protocol number is not 0" => "协议标识不为 0",
        "the length field is not within 2 to 254" => "长度字段不在 2 到 254 之间",
        "the length field is longer than the function's data" => "长度字段大于该功能码的数据长度",
        "the length field is shorter than the function's data" => "长度字段小于该功能码的数据长度",
        "an odd count of bytes is no registers" => "字节数为奇数,不是寄存器",
        "the count of bytes does not fit the coils" => "字节数与线圈数不符",
        "the count of bytes does not fit the registers" => "字节数与寄存器数不符",
        "of function 43 only type 14 is known" => "功能码 43 只支持类型 14",
        other => other,
    }
    .to_owned()
}

fn parts(adu: &Adu, at: usize, length: usize, good: bool) -> Vec<Part> {
    let mut parts = Parts::from(at);
    let mut tail = 2;
    match adu {
        Adu::Vendor { frame, .. } => {
            parts.add(3, "head of a Renke or ZTS sensor's own frame", "仁科/中通类传感器私有帧头");
            let baud = frame.baud().map_or(String::new(), |baud| format!(", {baud} bit/s"));
            let id = frame.baud_id;
            parts.add(1, format!("speed code {id}{baud}"), format!("波特率代码 {id}{baud}"));
            let address = frame.address;
            parts.add(1, format!("address {address}"), format!("地址 {address}"));
        }
        Adu::Modbus { transaction, unit, direction, pdu } => {
            if let Some(transaction) = transaction {
                tail = 0;
                parts.add(2, format!("transaction {transaction}"), format!("事务号 {transaction}"));
                parts.add(2, "protocol 0: Modbus", "协议标识 0:Modbus");
                let rest = length - 6;
                parts.add(2, format!("{rest} bytes follow"), format!("后续 {rest} 字节"));
            }
            match unit {
                0 => parts.add(1, "unit 0: all, nobody replies", "从站 0:广播,无应答"),
                _ => parts.add(1, format!("unit {unit}"), format!("从站 {unit}")),
            }
            let (en, zh) = function_names(pdu.function());
            let (way_en, way_zh) = match (direction, pdu) {
                (_, Pdu::Exception { .. }) => ("refused", "异常应答"),
                (Direction::Request, _) => ("request", "请求"),
                (Direction::Reply, _) => ("reply", "应答"),
            };
            let code = pdu.function();
            parts.add(
                1,
                format!("function {code}: {en}, {way_en}"),
                format!("功能码 {code}:{zh},{way_zh}"),
            );
            pdu_parts(pdu, &mut parts);
        }
    }
    // What no arm above named, so that every byte is shown.
    let rest = (at + length - tail).saturating_sub(parts.at);
    parts.add(rest, "data", "数据");
    let (en, zh) = if good { ("right", "正确") } else { ("WRONG", "错误") };
    parts.add(tail, format!("CRC, low byte first: {en}"), format!("CRC(低字节在前):{zh}"));
    parts.list
}

fn address(parts: &mut Parts, address: u16) {
    let text = format!("{address} ({address:04X}H)");
    parts.add(2, format!("address {text}"), format!("地址 {text}"));
}

fn quantity(parts: &mut Parts, quantity: u16) {
    parts.add(2, format!("quantity {quantity}"), format!("数量 {quantity}"));
}

fn registers(parts: &mut Parts, values: &[u16]) {
    let bytes = values.len() * 2;
    parts.add(1, format!("{bytes} bytes follow"), format!("后续 {bytes} 字节"));
    for (place, value) in values.iter().enumerate() {
        let text = format!("{value} ({value:04X}H)");
        parts.add(2, format!("register +{place}: {text}"), format!("寄存器 +{place}:{text}"));
    }
}

fn count(values: &[u16]) -> u16 {
    u16::try_from(values.len()).unwrap_or(u16::MAX)
}

fn pdu_parts(pdu: &Pdu, parts: &mut Parts) {
    match pdu {
        Pdu::Read { address: first, quantity: count, .. }
        | Pdu::Written { address: first, quantity: count, .. } => {
            address(parts, *first);
            quantity(parts, *count);
        }
        Pdu::Bits { bytes, .. } => bits(bytes, parts),
        Pdu::Registers { values, .. } => registers(parts, values),
        Pdu::Identify { code, object } => {
            parts.add(1, "type 14: device identification", "类型 14:设备标识");
            parts.add(1, format!("access {code}"), format!("读取方式 {code}"));
            parts.add(1, format!("from object {object}"), format!("起始对象 {object}"));
        }
        Pdu::Identity { code, objects, .. } => {
            parts.add(1, "type 14: device identification", "类型 14:设备标识");
            parts.add(1, format!("access {code}"), format!("读取方式 {code}"));
            parts.add(3, "conformity, more, next object", "一致性等级、后续标志、下一对象");
            let count = objects.len();
            parts.add(1, format!("{count} objects"), format!("{count} 个对象"));
            for (number, text) in objects {
                // A device's own words, on their way to a terminal.
                let name = String::from_utf8_lossy(text).replace(char::is_control, "\u{fffd}");
                parts.add(
                    2 + text.len(),
                    format!("object {number}: {name}"),
                    format!("对象 {number}:{name}"),
                );
            }
        }
        Pdu::Exception { code, .. } => {
            let (en, zh) = exception_names(*code);
            parts.add(1, format!("exception {code}: {en}"), format!("异常码 {code}:{zh}"));
        }
        write => write_parts(write, parts),
    }
}

fn write_parts(pdu: &Pdu, parts: &mut Parts) {
    match pdu {
        Pdu::WriteCoil { address: coil, value } => {
            address(parts, *coil);
            let (en, zh) = match value {
                0xFF00 => ("on", "接通"),
                0 => ("off", "断开"),
                _ => ("neither on (FF00H) nor off (0000H)", "既非接通(FF00H)也非断开(0000H)"),
            };
            parts.add(2, en, zh);
        }
        Pdu::WriteRegister { address: register, value } => {
            address(parts, *register);
            let text = format!("{value} ({value:04X}H)");
            parts.add(2, format!("value {text}"), format!("值 {text}"));
        }
        Pdu::WriteCoils { address: first, quantity: count, bytes } => {
            address(parts, *first);
            quantity(parts, *count);
            bits(bytes, parts);
        }
        Pdu::WriteRegisters { address: first, values } => {
            address(parts, *first);
            quantity(parts, count(values));
            registers(parts, values);
        }
        Pdu::Mask { address: register, and, or } => {
            address(parts, *register);
            parts.add(2, format!("and mask {and:04X}H"), format!("与掩码 {and:04X}H"));
            parts.add(2, format!("or mask {or:04X}H"), format!("或掩码 {or:04X}H"));
        }
        Pdu::ReadWrite { address: first, quantity: asked, write_address, values } => {
            address(parts, *first);
            quantity(parts, *asked);
            address(parts, *write_address);
            quantity(parts, count(values));
            registers(parts, values);
        }
        _ => {}
    }
}

fn bits(bytes: &[u8], parts: &mut Parts) {
    let count = bytes.len();
    parts.add(1, format!("{count} bytes follow"), format!("后续 {count} 字节"));
    for (place, byte) in bytes.iter().enumerate() {
        let (first, last) = (place * 8, place * 8 + 7);
        let list: Vec<String> = (0..8).map(|bit| (byte >> bit & 1).to_string()).collect();
        let list = list.join(" ");
        parts.add(
            1,
            format!("bits +{first} to +{last}: {list}"),
            format!("位 +{first} 至 +{last}:{list}"),
        );
    }
}
