//! A frame in words that a script reads: JSON.

use serde_json::{Map, Value, json};

use super::{Adu, Direction, Pdu};

/// Adds what a frame says to `into`. `asked` is the request that a reply belongs to: it tells how
/// many of the packed bits mean something.
pub fn describe(frame: &Adu, asked: Option<&Adu>, into: &mut Map<String, Value>) {
    let mut put = |key: &str, value: Value| into.insert(key.to_owned(), value);
    match frame {
        Adu::Vendor { direction, frame } => {
            put("vendor_frame", json!(true));
            match direction {
                Direction::Reply => {
                    put("baud_id", json!(frame.baud_id));
                    put("baud", json!(frame.baud()));
                    put("address", json!(frame.address));
                }
                Direction::Request if frame.address != 0 => {
                    put("set_address", json!(frame.address));
                }
                Direction::Request if frame.baud_id != 0 => {
                    put("set_baud_id", json!(frame.baud_id));
                }
                Direction::Request => {}
            }
        }
        Adu::Modbus { transaction, unit, pdu, .. } => {
            if let Some(transaction) = transaction {
                put("transaction", json!(transaction));
            }
            put("unit_id", json!(unit));
            put("fc", json!(pdu.function()));
            for (key, value) in fields(pdu, asked) {
                put(key, value);
            }
        }
    }
}

fn fields(pdu: &Pdu, asked: Option<&Adu>) -> Vec<(&'static str, Value)> {
    match pdu {
        Pdu::Read { address, quantity, .. } | Pdu::Written { address, quantity, .. } => {
            vec![("address", json!(address)), ("quantity", json!(quantity))]
        }
        Pdu::Bits { bytes, .. } => {
            let quantity = match asked {
                Some(Adu::Modbus { pdu: Pdu::Read { quantity, .. }, .. }) => usize::from(*quantity),
                _ => bytes.len() * 8,
            };
            vec![("bits", bits(bytes, quantity))]
        }
        Pdu::Registers { values, .. } => vec![("registers", json!(values))],
        Pdu::WriteCoil { address, value } => {
            let value = match value {
                0xFF00 => json!(true),
                0 => json!(false),
                other => json!(other),
            };
            vec![("coil", json!(address)), ("value", value)]
        }
        Pdu::WriteRegister { address, value } => {
            vec![("address", json!(address)), ("value", json!(value))]
        }
        Pdu::WriteCoils { address, quantity, bytes } => vec![
            ("address", json!(address)),
            ("quantity", json!(quantity)),
            ("bits", bits(bytes, usize::from(*quantity))),
        ],
        Pdu::WriteRegisters { address, values } => vec![
            ("address", json!(address)),
            ("quantity", json!(values.len())),
            ("values", json!(values)),
        ],
        Pdu::Mask { address, and, or } => {
            vec![("address", json!(address)), ("and", json!(and)), ("or", json!(or))]
        }
        Pdu::ReadWrite { address, quantity, write_address, values } => vec![
            ("address", json!(address)),
            ("quantity", json!(quantity)),
            ("write_address", json!(write_address)),
            ("values", json!(values)),
        ],
        Pdu::Identify { code, object } => {
            vec![("mei", json!(14)), ("code", json!(code)), ("object", json!(object))]
        }
        Pdu::Identity { more, next, objects, .. } => {
            let texts: Map<String, Value> = objects
                .iter()
                .map(|(number, text)| (number.to_string(), json!(String::from_utf8_lossy(text))))
                .collect();
            let mut fields = vec![("mei", json!(14)), ("objects", Value::Object(texts))];
            if *more != 0 {
                fields.push(("next_object", json!(next)));
            }
            fields
        }
        Pdu::Exception { code, .. } => vec![("exception", json!(code))],
    }
}

fn bits(bytes: &[u8], quantity: usize) -> Value {
    let all = bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1));
    all.take(quantity).collect()
}

/// What a function does, in English and Chinese.
pub fn function_names(function: u8) -> (&'static str, &'static str) {
    match function {
        1 => ("read coils", "读线圈"),
        2 => ("read discrete inputs", "读离散输入"),
        3 => ("read holding registers", "读保持寄存器"),
        4 => ("read input registers", "读输入寄存器"),
        5 => ("write one coil", "写单个线圈"),
        6 => ("write one register", "写单个寄存器"),
        15 => ("write coils", "写多个线圈"),
        16 => ("write registers", "写多个寄存器"),
        22 => ("mask a register", "掩码写寄存器"),
        23 => ("read and write registers", "读写多个寄存器"),
        43 => ("read device identification", "读设备标识"),
        _ => ("unknown function", "未知功能码"),
    }
}

/// Why a unit refuses, in English and Chinese.
pub fn exception_names(code: u8) -> (&'static str, &'static str) {
    match code {
        1 => ("illegal function", "非法功能码"),
        2 => ("illegal data address", "非法数据地址"),
        3 => ("illegal data value", "非法数据值"),
        4 => ("device failure", "设备故障"),
        5 => ("acknowledged, still working", "已确认,处理中"),
        6 => ("device busy", "设备忙"),
        8 => ("memory parity error", "存储奇偶校验错"),
        10 => ("gateway path unavailable", "网关路径不可用"),
        11 => ("gateway target does not answer", "网关目标设备无响应"),
        _ => ("unknown exception", "未知异常码"),
    }
}
