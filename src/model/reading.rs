//! Readings: value, quality with a reason, and the batch in which they travel.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use super::{DeviceIndex, Moment, PointIndex, WallTime};

/// What was read, in the point's unit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(untagged)]
pub enum Value {
    /// A switch, a contact, an alarm bit.
    Flag(bool),
    /// A measured value, a counter, or the code of a state.
    Number(f64),
    /// A text: serial number, state name, message id.
    Text(Arc<str>),
}

impl Value {
    /// The number, with a flag as 0 or 1; `None` for a text.
    pub fn number(&self) -> Option<f64> {
        match self {
            Value::Number(n) => Some(*n),
            Value::Flag(flag) => Some(f64::from(u8::from(*flag))),
            Value::Text(_) => None,
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Flag(flag) => flag.fmt(f),
            Value::Number(n) => n.fmt(f),
            Value::Text(text) => f.write_str(text),
        }
    }
}

/// How far a reading can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Quality {
    /// Read and plausible.
    Good,
    /// Read, but look at the reason before using it.
    Uncertain(Reason),
    /// Not usable, or not obtained.
    Bad(Reason),
}

impl Quality {
    /// Whether nothing speaks against the reading.
    pub fn is_good(self) -> bool {
        self == Quality::Good
    }

    /// `good`, `uncertain` or `bad`.
    pub fn word(self) -> &'static str {
        match self {
            Quality::Good => "good",
            Quality::Uncertain(_) => "uncertain",
            Quality::Bad(_) => "bad",
        }
    }

    /// Why it is not good.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Quality::Good => None,
            Quality::Uncertain(reason) | Quality::Bad(reason) => Some(reason),
        }
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident => $word:literal, $zh:literal, $en:literal;)*) => {
        /// Why a reading is uncertain or bad.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Reason {
            $($(#[$doc])* $name,)*
        }

        impl Reason {
            /// Every reason, for documents and schemas.
            pub const ALL: &[Reason] = &[$(Reason::$name),*];

            /// The word used in the stream.
            pub fn word(self) -> &'static str {
                match self { $(Reason::$name => $word,)* }
            }

            /// For people, Chinese.
            pub fn zh(self) -> &'static str {
                match self { $(Reason::$name => $zh,)* }
            }

            /// For people, English.
            pub fn en(self) -> &'static str {
                match self { $(Reason::$name => $en,)* }
            }
        }
    };
}

reasons! {
    /// The device did not answer in time.
    NoAnswer => "no_answer", "设备无应答", "no answer";
    /// The device answered with an exception for this point.
    Refused => "refused", "设备拒绝读取", "refused by the device";
    /// The answer was damaged or shorter than asked.
    BadReply => "bad_reply", "应答错误", "damaged reply";
    /// The device says that it has no value here (sentinel).
    NotAvailable => "not_available", "设备无此值", "not available";
    /// Outside the range of the profile.
    OutOfRange => "out_of_range", "超出量程", "out of range";
    /// Changed faster than the profile allows.
    RateOfChange => "rate_of_change", "变化过快", "changed too fast";
    /// A counter that ran backwards.
    CounterBackwards => "counter_backwards", "计数倒走", "counter ran backwards";
    /// A counter that jumped further than the meter can count.
    CounterJump => "counter_jump", "计数跳变", "counter jumped";
    /// A code that the profile's table does not name.
    UnknownCode => "unknown_code", "未知代码", "unknown code";
    /// The payload held something else than the profile says.
    BadPayload => "bad_payload", "报文内容错误", "wrong payload";
    /// The device is offline.
    DeviceOffline => "device_offline", "设备离线", "device offline";
    /// The text was longer than a block can hold and was cut.
    Truncated => "truncated", "文本过长已截断", "text was cut";
    /// Not renewed for longer than it should have been.
    Stale => "stale", "数据过期", "stale";
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// One value of one point.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// Which point of the device.
    pub point: PointIndex,
    /// The value; `None` when none was obtained (then the quality is bad).
    pub value: Option<Value>,
    /// How far it can be relied on.
    pub quality: Quality,
}

impl Reading {
    /// A good reading.
    pub fn good(point: PointIndex, value: Value) -> Self {
        Self { point, value: Some(value), quality: Quality::Good }
    }

    /// No value, and why.
    pub fn bad(point: PointIndex, reason: Reason) -> Self {
        Self { point, value: None, quality: Quality::Bad(reason) }
    }
}

/// What one poll or one message brought: readings of one device at one moment.
#[derive(Debug)]
pub struct Batch {
    /// Whose readings.
    pub device: DeviceIndex,
    /// When they were read.
    pub at: Moment,
    /// The time that the device itself gave, when it did.
    pub source_time: Option<WallTime>,
    /// The readings, each point at most once.
    pub readings: Vec<Reading>,
    /// Called once the block that holds the batch is durable. Travels with the batch even when
    /// no reading is left in it.
    pub receipt: Option<Receipt>,
}

/// A promise to tell the sender when its data are durable. Dropped unconfirmed it does nothing:
/// the sender keeps the message and delivers it again.
pub struct Receipt(Box<dyn FnOnce() + Send>);

impl Receipt {
    /// `confirmed` runs at most once, after the fsync; it must not block.
    pub fn new(confirmed: impl FnOnce() + Send + 'static) -> Self {
        Self(Box::new(confirmed))
    }

    /// Two halves: whoever gave it learns of it once both are confirmed.
    pub fn split(self) -> (Self, Self) {
        let whole = Arc::new((AtomicBool::new(false), Mutex::new(Some(self))));
        let half = |whole: Arc<(AtomicBool, Mutex<Option<Self>>)>| {
            Self::new(move || {
                let (first, receipt) = &*whole;
                if first.swap(true, Ordering::AcqRel) {
                    let mut receipt = receipt.lock().unwrap_or_else(PoisonError::into_inner);
                    if let Some(receipt) = receipt.take() {
                        receipt.confirm();
                    }
                }
            })
        };
        (half(Arc::clone(&whole)), half(whole))
    }

    /// The data are durable.
    pub fn confirm(self) {
        (self.0)();
    }
}

impl fmt::Debug for Receipt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Receipt")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_receipt_is_confirmed_by_both_halves_and_by_no_one_alone() {
        let told = Arc::new(AtomicBool::new(false));
        let receipt = || {
            let told = Arc::clone(&told);
            Receipt::new(move || told.store(true, Ordering::SeqCst))
        };
        let (one, other) = receipt().split();
        drop(one);
        other.confirm();
        assert!(!told.load(Ordering::SeqCst), "the other half was given up");
        let (one, other) = receipt().split();
        other.confirm();
        assert!(!told.load(Ordering::SeqCst));
        one.confirm();
        assert!(told.load(Ordering::SeqCst));
    }
}
