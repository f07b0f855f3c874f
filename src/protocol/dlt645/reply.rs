//! Whether an answer belongs to the question, and what it says; and the answers of a meter.

use super::address::Address;
use super::frame::Frame;
use super::request::{READ, READ_1997, READ_ADDRESS, READ_NEXT};
use super::{DataId, Edition};

/// Direction bit: from a meter.
const ANSWER: u8 = 0x80;
/// The meter refuses.
const REFUSED: u8 = 0x40;
/// More frames follow.
const MORE: u8 = 0x20;

/// What a meter answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reply {
    /// A value or a part of it.
    Data {
        /// What was asked for.
        id: DataId,
        /// More must be asked for with [`read_next`](super::read_next).
        more: bool,
        /// Number of the part; `None` in the first.
        seq: Option<u8>,
        /// The bytes behind the identifier: see [`values`](super::values).
        value: Vec<u8>,
    },
    /// The meter will not.
    Refused(ErrorBits),
    /// Its address.
    Address(Address),
    /// Done (writing, freezing, relay).
    Done,
}

/// Why a meter refuses: one bit for each cause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ErrorBits(pub u8);

/// Bit, English, Chinese.
const CAUSES: [(u8, &str, &str); 8] = [
    (0x01, "other error", "其他错误"),
    (0x02, "no such data", "无请求数据"),
    (0x04, "wrong password or not authorised", "密码错或未授权"),
    (0x08, "baud rate cannot change", "通信速率不能更改"),
    (0x10, "too many yearly time zones", "年时区数超"),
    (0x20, "too many daily time slots", "日时段数超"),
    (0x40, "too many tariffs", "费率数超"),
    (0x80, "unknown cause (bit 7)", "未知原因（位 7）"),
];

impl ErrorBits {
    /// No such data: the only cause that another question can help.
    pub const NO_DATA: Self = Self(0x02);
    /// Wrong password or not authorised.
    pub const PASSWORD: Self = Self(0x04);

    /// All causes in English.
    pub fn en(self) -> String {
        self.texts("no cause given", ", ", |cause| cause.1)
    }

    /// All causes in Chinese.
    pub fn zh(self) -> String {
        self.texts("未说明原因", "、", |cause| cause.2)
    }

    fn texts(
        self,
        none: &str,
        between: &str,
        text: fn(&(u8, &'static str, &'static str)) -> &'static str,
    ) -> String {
        let set: Vec<&str> =
            CAUSES.iter().filter(|cause| self.0 & cause.0 != 0).map(text).collect();
        if set.is_empty() { none.to_owned() } else { set.join(between) }
    }
}

/// An answer that does not belong to the question.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Mismatch {
    /// It is a question itself, e.g. our own echoed by the line.
    #[error("control code {control:02X} is a request, not an answer: an echo?")]
    NotAnAnswer {
        /// Its control code.
        control: u8,
    },
    /// Another meter.
    #[error("meter {got} answers instead of {asked}")]
    Address {
        /// Who was asked.
        asked: Address,
        /// Who answers.
        got: Address,
    },
    /// Another function.
    #[error("function {got:02X} answers to {asked:02X}")]
    Function {
        /// What was asked.
        asked: u8,
        /// What is answered.
        got: u8,
    },
    /// Other data.
    #[error("identifier {got} answers to {asked}")]
    Identifier {
        /// What was asked for.
        asked: DataId,
        /// What is answered.
        got: DataId,
    },
    /// Another part.
    #[error("part {got} answers to part {asked}")]
    Sequence {
        /// What was asked for.
        asked: u8,
        /// What is answered.
        got: u8,
    },
    /// Not even what must be in it.
    #[error(
        "the answer to function {function:02X} has {got} bytes of data, at least {least} belong there"
    )]
    TooShort {
        /// What was asked.
        function: u8,
        /// Bytes of data.
        got: usize,
        /// Fewest that make sense.
        least: usize,
    },
}

impl Mismatch {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotAnAnswer { control } => {
                format!("控制码 {control:02X} 是请求而不是应答：可能是回显")
            }
            Self::Address { asked, got } => format!("问的是电表 {asked}，应答的是 {got}"),
            Self::Function { asked, got } => format!("问的是功能 {asked:02X}，应答的是 {got:02X}"),
            Self::Identifier { asked, got } => format!("问的是数据标识 {asked}，应答的是 {got}"),
            Self::Sequence { asked, got } => format!("问的是第 {asked} 帧，应答的是第 {got} 帧"),
            Self::TooShort { function, got, least } => {
                format!("功能 {function:02X} 的应答只有 {got} 字节数据，至少应有 {least} 字节")
            }
        }
    }
}

/// What `answer` says to `request`. A request to a wild address takes the answer of any meter that
/// matches.
///
/// # Errors
/// The answer belongs to another question: a late one, another meter's, an echo.
pub fn reply(edition: Edition, request: &Frame, answer: &Frame) -> Result<Reply, Mismatch> {
    if !answer.is_reply() {
        return Err(Mismatch::NotAnAnswer { control: answer.control });
    }
    if !request.address.matches(answer.address) {
        return Err(Mismatch::Address { asked: request.address, got: answer.address });
    }
    let function = request.function();
    if function != answer.function() {
        return Err(Mismatch::Function { asked: function, got: answer.function() });
    }
    let data = answer.data.as_slice();
    let short = |least| Mismatch::TooShort { function, got: data.len(), least };
    if answer.is_refusal() {
        // Some leave the cause out; it is a refusal all the same.
        return Ok(Reply::Refused(ErrorBits(data.first().copied().unwrap_or(0))));
    }
    match function {
        READ_ADDRESS => {
            let wire = data.first_chunk().ok_or(short(6))?;
            Ok(Reply::Address(Address::from_wire(*wire)))
        }
        READ | READ_1997 | READ_NEXT => {
            let head = edition.id_bytes();
            let got = DataId::from_wire(edition, data).ok_or(short(head))?;
            if let Some(asked) = DataId::from_wire(edition, &request.data)
                && asked != got
            {
                return Err(Mismatch::Identifier { asked, got });
            }
            let more = answer.more_follows();
            if function != READ_NEXT {
                return Ok(Reply::Data { id: got, more, seq: None, value: data[head..].to_vec() });
            }
            let (&seq, part) = data[head..].split_last().ok_or(short(head + 1))?;
            match request.data.get(head) {
                Some(&asked) if asked != seq => Err(Mismatch::Sequence { asked, got: seq }),
                _ => Ok(Reply::Data { id: got, more, seq: Some(seq), value: part.to_vec() }),
            }
        }
        _ => Ok(Reply::Done),
    }
}

fn answer(request: &Frame, flags: u8, data: Vec<u8>) -> Frame {
    let control = ANSWER | flags | request.function();
    Frame { preamble: 0, address: request.address, control, data }
}

/// A meter's answer with a value or a part of it; `seq` in all parts but the first. The answer has
/// the address of the request: a meter that was asked by a wild address puts its own there.
pub fn answer_data(
    request: &Frame,
    id: DataId,
    value: &[u8],
    more: bool,
    seq: Option<u8>,
) -> Frame {
    let data = id.wire(Edition::of(request)).chain(value.iter().copied()).chain(seq).collect();
    answer(request, if more { MORE } else { 0 }, data)
}

/// A meter's refusal.
pub fn answer_refused(request: &Frame, bits: ErrorBits) -> Frame {
    answer(request, REFUSED, vec![bits.0])
}

/// A meter tells its address.
pub fn answer_address(request: &Frame, own: Address) -> Frame {
    let mut frame = answer(request, 0, own.wire().to_vec());
    frame.address = own;
    frame
}

/// A meter has done what was asked (writing, freezing, relay).
pub fn answer_done(request: &Frame) -> Frame {
    answer(request, 0, Vec::new())
}
