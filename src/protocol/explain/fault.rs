//! What is wrong with bytes, precisely, in both languages.

use std::fmt;

use serde_json::{Value, json};

/// One fault. Offsets count from the first byte given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// No bytes.
    Empty,
    /// No protocol of ours begins like this.
    Unrecognised,
    /// A frame of the protocol cannot begin here.
    NoFrame {
        /// Where.
        offset: usize,
        /// What stands there.
        byte: u8,
        /// What begins a frame, e.g. `68H`.
        expected: &'static str,
    },
    /// The check sum is wrong.
    Checksum {
        /// Where it stands.
        offset: usize,
        /// On the wire, hexadecimal in the order of the wire.
        got: String,
        /// What the bytes give.
        expected: String,
    },
    /// A byte that must have a certain value.
    Fixed {
        /// Where.
        offset: usize,
        /// On the wire.
        got: u8,
        /// What belongs there.
        expected: u8,
    },
    /// Bytes are missing at the end.
    Short {
        /// Where the frame begins.
        offset: usize,
        /// Its bytes there.
        have: usize,
        /// Its bytes, as far as they are known.
        need: usize,
    },
    /// Bytes before a frame that belong to none.
    Noise {
        /// Where they begin.
        offset: usize,
        /// How many.
        count: usize,
    },
    /// Bytes behind the last frame.
    Trailing {
        /// Where they begin.
        offset: usize,
        /// How many.
        count: usize,
    },
    /// A function or control code that is not known.
    UnknownFunction {
        /// Where it stands.
        offset: usize,
        /// The code.
        code: u8,
    },
    /// A data identifier that is not known.
    UnknownIdentifier {
        /// Where it stands.
        offset: usize,
        /// As the standard writes it.
        id: String,
    },
    /// The frame is whole but its content cannot be read.
    Content {
        /// Where the frame begins.
        offset: usize,
        /// Why.
        en: String,
        /// Why, in Chinese.
        zh: String,
    },
    /// A reply that does not answer the request before it.
    NotAnswer {
        /// Where the reply begins.
        offset: usize,
        /// Why.
        en: String,
        /// Why, in Chinese.
        zh: String,
    },
}

impl Fault {
    /// A word for scripts.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Unrecognised => "unrecognised",
            Self::NoFrame { .. } => "no_frame",
            Self::Checksum { .. } => "checksum",
            Self::Fixed { .. } => "fixed_byte",
            Self::Short { .. } => "short",
            Self::Noise { .. } => "noise",
            Self::Trailing { .. } => "trailing",
            Self::UnknownFunction { .. } => "unknown_function",
            Self::UnknownIdentifier { .. } => "unknown_identifier",
            Self::Content { .. } => "content",
            Self::NotAnswer { .. } => "not_the_answer",
        }
    }

    /// The fault in Chinese; in English it is its `Display`.
    pub fn zh(&self) -> String {
        match self {
            Self::Empty => "没有字节".to_owned(),
            Self::Unrecognised => "无法识别协议,请用 --protocol 指定".to_owned(),
            Self::NoFrame { offset, byte, expected } => {
                format!("第 {offset} 字节为 {byte:02X}H,不是帧头(应为 {expected})")
            }
            Self::Checksum { offset, got, expected } => {
                format!("校验错误:第 {offset} 字节处为 {got},应为 {expected}")
            }
            Self::Fixed { offset, got, expected } => {
                format!("第 {offset} 字节为 {got:02X}H,应为 {expected:02X}H")
            }
            Self::Short { offset, have, need } => {
                let missing = need.saturating_sub(*have);
                format!(
                    "从第 {offset} 字节开始的帧不完整:有 {have} 字节,需要 {need} 字节,缺 {missing} 字节"
                )
            }
            Self::Noise { offset, count } => {
                format!("第 {offset} 字节起有 {count} 字节不属于任何帧(干扰)")
            }
            Self::Trailing { offset, count } => {
                format!("最后一帧之后(第 {offset} 字节起)多出 {count} 字节")
            }
            Self::UnknownFunction { offset, code } => {
                format!("第 {offset} 字节的功能码/控制码 {code:02X}H 未知")
            }
            Self::UnknownIdentifier { offset, id } => {
                format!("第 {offset} 字节处的数据标识 {id} 未知")
            }
            Self::Content { offset, zh, .. } => format!("从第 {offset} 字节开始的帧:{zh}"),
            Self::NotAnswer { offset, zh, .. } => {
                format!("从第 {offset} 字节开始的应答与请求不符:{zh}")
            }
        }
    }

    /// As JSON: `kind`, both texts, and the numbers.
    pub fn json(&self) -> Value {
        let mut out = json!({ "kind": self.kind(), "en": self.to_string(), "zh": self.zh() });
        match self {
            Self::Empty | Self::Unrecognised => {}
            Self::NoFrame { offset, byte, expected } => {
                out["offset"] = json!(offset);
                out["got"] = json!(format!("{byte:02X}"));
                out["expected"] = json!(expected);
            }
            Self::Checksum { offset, got, expected } => {
                out["offset"] = json!(offset);
                out["got"] = json!(got);
                out["expected"] = json!(expected);
            }
            Self::Fixed { offset, got, expected } => {
                out["offset"] = json!(offset);
                out["got"] = json!(format!("{got:02X}"));
                out["expected"] = json!(format!("{expected:02X}"));
            }
            Self::Short { offset, have, need } => {
                out["offset"] = json!(offset);
                out["have"] = json!(have);
                out["need"] = json!(need);
                out["missing"] = json!(need.saturating_sub(*have));
            }
            Self::Noise { offset, count } | Self::Trailing { offset, count } => {
                out["offset"] = json!(offset);
                out["count"] = json!(count);
            }
            Self::UnknownFunction { offset, code } => {
                out["offset"] = json!(offset);
                out["code"] = json!(format!("{code:02X}"));
            }
            Self::UnknownIdentifier { offset, id } => {
                out["offset"] = json!(offset);
                out["id"] = json!(id);
            }
            Self::Content { offset, .. } | Self::NotAnswer { offset, .. } => {
                out["offset"] = json!(offset);
            }
        }
        out
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(f, "no bytes"),
            Self::Unrecognised => {
                write!(f, "no known protocol begins like this; name it with --protocol")
            }
            Self::NoFrame { offset, byte, expected } => {
                write!(f, "byte {offset} is {byte:02X}H, no frame begins there ({expected} does)")
            }
            Self::Checksum { offset, got, expected } => {
                write!(f, "wrong check sum at byte {offset}: {got}, the bytes give {expected}")
            }
            Self::Fixed { offset, got, expected } => {
                write!(f, "byte {offset} is {got:02X}H, {expected:02X}H belongs there")
            }
            Self::Short { offset, have, need } => write!(
                f,
                "the frame at byte {offset} is cut: {have} bytes of {need}, {} missing",
                need.saturating_sub(*have)
            ),
            Self::Noise { offset, count } => {
                let (plural, belong) = if *count == 1 { ("", "belongs") } else { ("s", "belong") };
                write!(f, "{count} byte{plural} from byte {offset} {belong} to no frame: noise")
            }
            Self::Trailing { offset, count } => {
                let plural = if *count == 1 { "" } else { "s" };
                write!(f, "{count} byte{plural} behind the last frame, from byte {offset}")
            }
            Self::UnknownFunction { offset, code } => {
                write!(f, "function or control code {code:02X}H at byte {offset} is not known")
            }
            Self::UnknownIdentifier { offset, id } => {
                write!(f, "data identifier {id} at byte {offset} is not known")
            }
            Self::Content { offset, en, .. } => write!(f, "the frame at byte {offset}: {en}"),
            Self::NotAnswer { offset, en, .. } => {
                write!(f, "the reply at byte {offset} does not answer the request: {en}")
            }
        }
    }
}
