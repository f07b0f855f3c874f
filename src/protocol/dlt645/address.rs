//! Address of a meter: twelve decimal digits, or `AA` for pairs that may be anything.

use std::fmt;
use std::str::FromStr;

/// A pair of digits that stands for any.
const WILD: u8 = 0xAA;

/// Address of a meter, in wire order: least significant byte first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 6]);

impl Address {
    /// Any meter. For a line with one meter only: all that hear it answer at once.
    pub const ANY: Self = Self([WILD; 6]);
    /// All meters; none answers (time, freeze).
    pub const BROADCAST: Self = Self([0x99; 6]);

    /// The address that stands in a frame.
    pub fn from_wire(bytes: [u8; 6]) -> Self {
        Self(bytes)
    }

    /// As it stands in a frame.
    pub fn wire(self) -> [u8; 6] {
        self.0
    }

    /// All meters whose low bytes are these (wire order, BCD), for finding out addresses
    /// (缩位寻址). Bytes beyond the sixth are ignored.
    pub fn low(digits: &[u8]) -> Self {
        let mut bytes = [WILD; 6];
        for (byte, &digit) in bytes.iter_mut().zip(digits) {
            *byte = digit;
        }
        Self(bytes)
    }

    /// Whether both may be the same meter: `AA` in either stands for any pair.
    pub fn matches(self, other: Self) -> bool {
        self.0.iter().zip(other.0).all(|(&one, two)| one == two || one == WILD || two == WILD)
    }

    /// Whether it names one meter: only decimal digits, and not the broadcast address.
    pub fn is_plain(self) -> bool {
        self != Self::BROADCAST && self.0.iter().all(|&byte| byte >> 4 <= 9 && byte & 0x0F <= 9)
    }
}

/// A text that is no meter address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no meter address: 12 digits as printed on the meter, or AA for pairs that may be anything"
)]
pub struct BadAddress(pub String);

impl BadAddress {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        format!("`{}` 不是电表地址：应为表上印的 12 位数字，任意的两位可写 AA", self.0)
    }
}

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let digits: &[u8; 12] = text.as_bytes().try_into().map_err(|_| bad())?;
        let mut bytes = [0; 6];
        for (byte, pair) in bytes.iter_mut().rev().zip(digits.chunks_exact(2)) {
            *byte = match *pair {
                [b'A' | b'a', b'A' | b'a'] => WILD,
                [high @ b'0'..=b'9', low @ b'0'..=b'9'] => (high - b'0') << 4 | (low - b'0'),
                _ => return Err(bad()),
            };
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(out, "{byte:02X}"))
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Address({self})")
    }
}
