//! A value that comes in several frames (edition of 2007): collecting its parts.

use super::address::Address;
use super::frame::Frame;
use super::reply::{ErrorBits, Reply};
use super::request::read_next;
use super::{DataId, Edition};

/// Most frames of one value, the first included.
pub const FOLLOW_MAX: u8 = 32;
/// Most bytes of one value.
pub const VALUE_MAX: usize = 4096;

/// Collects the answers to one read. Push each answer to the question asked before; ask what it
/// says.
#[derive(Debug, Clone)]
pub struct Collect {
    edition: Edition,
    address: Address,
    id: DataId,
    value: Vec<u8>,
    /// Parts that were pushed; also the number that the next one must bear.
    parts: u8,
}

/// What to do after an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask this.
    Ask(Frame),
    /// The whole value: see [`values`](super::values).
    Done(Vec<u8>),
    /// The value cannot be had; what was collected is thrown away.
    Abort(Aborted),
}

/// Why a value cannot be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Aborted {
    /// The meter will not.
    #[error("the meter refuses: {}", .0.en())]
    Refused(ErrorBits),
    /// Parts are missing, doubled or without a number.
    #[error("part {expected} was expected, the answer is {}", part(*.got))]
    Sequence {
        /// Number that had to come.
        expected: u8,
        /// Number that came.
        got: Option<u8>,
    },
    /// Another identifier.
    #[error("identifier {got} answers to {asked}")]
    Identifier {
        /// What was asked for.
        asked: DataId,
        /// What came.
        got: DataId,
    },
    /// No data at all.
    #[error("the answer carries no data")]
    NoData,
    /// It does not end.
    #[error("the value has more than {FOLLOW_MAX} frames or {VALUE_MAX} bytes")]
    TooLong,
    /// Parts without numbers cannot be put together safely.
    #[error("a value in several frames is not supported for DL/T 645-1997")]
    Edition,
}

fn part(seq: Option<u8>) -> String {
    seq.map_or_else(|| "the first part".to_owned(), |seq| format!("part {seq}"))
}

impl Aborted {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Refused(bits) => format!("电表拒绝：{}", bits.zh()),
            Self::Sequence { expected, got: Some(got) } => {
                format!("应为第 {expected} 帧，收到第 {got} 帧")
            }
            Self::Sequence { expected, got: None } => format!("应为第 {expected} 帧，收到首帧"),
            Self::Identifier { asked, got } => format!("问的是数据标识 {asked}，应答的是 {got}"),
            Self::NoData => "应答中没有数据".to_owned(),
            Self::TooLong => format!("数据超过 {FOLLOW_MAX} 帧或 {VALUE_MAX} 字节"),
            Self::Edition => "DL/T 645-1997 不支持多帧数据".to_owned(),
        }
    }
}

impl Collect {
    /// Collects the answers to [`read`](super::read) with the same arguments.
    pub fn new(edition: Edition, address: Address, id: DataId) -> Self {
        Self { edition, address, id, value: Vec::new(), parts: 0 }
    }

    /// The answer to the question asked before. After [`Next::Done`] or [`Next::Abort`] it begins
    /// anew.
    pub fn push(&mut self, reply: Reply) -> Next {
        let next = match self.take(reply) {
            Ok(Some(ask)) => return Next::Ask(ask),
            Ok(None) => Next::Done(std::mem::take(&mut self.value)),
            Err(aborted) => Next::Abort(aborted),
        };
        self.value.clear();
        self.parts = 0;
        next
    }

    fn take(&mut self, reply: Reply) -> Result<Option<Frame>, Aborted> {
        let (id, more, seq, value) = match reply {
            Reply::Data { id, more, seq, value } => (id, more, seq, value),
            Reply::Refused(bits) => return Err(Aborted::Refused(bits)),
            Reply::Address(_) | Reply::Done => return Err(Aborted::NoData),
        };
        if id != self.id {
            return Err(Aborted::Identifier { asked: self.id, got: id });
        }
        let expected = (self.parts > 0).then_some(self.parts);
        if seq != expected {
            return Err(Aborted::Sequence { expected: self.parts, got: seq });
        }
        if self.value.len() + value.len() > VALUE_MAX {
            return Err(Aborted::TooLong);
        }
        if self.parts == 0 {
            self.value = value;
        } else {
            self.value.extend(value);
        }
        if !more {
            return Ok(None);
        }
        self.parts += 1;
        match self.edition {
            Edition::V1997 => Err(Aborted::Edition),
            Edition::V2007 if self.parts >= FOLLOW_MAX => Err(Aborted::TooLong),
            Edition::V2007 => Ok(Some(read_next(self.address, self.id, self.parts))),
        }
    }
}
