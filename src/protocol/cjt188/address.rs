//! Who speaks and about what: address, meter type, data identifier.

use std::fmt;
use std::str::FromStr;

/// A byte of an address that stands for any.
const WILD: u8 = 0xAA;

/// A meter's address, in the order of the wire: least significant byte first. The last two bytes
/// are the code of the manufacturer. `AAH` is a wild card, byte by byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address(pub [u8; 7]);

impl Address {
    /// Any meter.
    pub const ANY: Self = Self([WILD; 7]);

    /// The address whose low bytes (wire order) are given, the others wild: for old meters of which
    /// only the low bytes are known. More than seven bytes are cut.
    pub fn low(bytes: &[u8]) -> Self {
        let mut address = Self::ANY;
        for (slot, &byte) in address.0.iter_mut().zip(bytes) {
            *slot = byte;
        }
        address
    }

    /// Whether both may mean the same meter: a wild byte on either side fits everything.
    pub fn matches(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(&a, &b)| a == b || a == WILD || b == WILD)
    }

    /// Whether it names one meter: decimal digits only, no wild card, not the broadcast address.
    pub fn is_plain(&self) -> bool {
        self.0.iter().all(|&byte| byte >> 4 <= 9 && byte & 0x0F <= 9) && self.0 != [0x99; 7]
    }
}

/// Most significant byte first, as it is printed on the meter.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().rev().try_for_each(|byte| write!(f, "{byte:02X}"))
    }
}

/// A text that is no address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no CJ/T 188 address: exactly 14 digits, most significant first, or AA for a byte \
     that may be any"
)]
pub struct BadAddress(pub String);

impl FromStr for Address {
    type Err = BadAddress;

    fn from_str(text: &str) -> Result<Self, BadAddress> {
        let bad = || BadAddress(text.to_owned());
        let digits = text.as_bytes();
        if digits.len() != 14 {
            return Err(bad());
        }
        let mut address = [0; 7];
        for (slot, pair) in address.iter_mut().rev().zip(digits.chunks_exact(2)) {
            *slot = match pair {
                b"AA" | b"aa" => WILD,
                [high @ b'0'..=b'9', low @ b'0'..=b'9'] => (high - b'0') << 4 | (low - b'0'),
                _ => return Err(bad()),
            };
        }
        Ok(Self(address))
    }
}

/// What a meter measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Water of any quality: types 10H to 1FH.
    Water,
    /// Heat or cold: 20H to 2FH.
    Heat,
    /// Gas: 30H to 3FH.
    Gas,
    /// Electricity: 40H to 4FH.
    Electricity,
    /// Any, or a type that is not assigned.
    Unknown,
}

/// The byte T of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MeterType(pub u8);

impl MeterType {
    /// Cold water.
    pub const COLD_WATER: Self = Self(0x10);
    /// Domestic hot water.
    pub const HOT_WATER: Self = Self(0x11);
    /// Drinking water.
    pub const DRINKING_WATER: Self = Self(0x12);
    /// Reclaimed water.
    pub const RECLAIMED_WATER: Self = Self(0x13);
    /// Heat.
    pub const HEAT: Self = Self(0x20);
    /// Cooling.
    pub const COOLING: Self = Self(0x21);
    /// Heat and cooling (2018).
    pub const HEAT_AND_COOLING: Self = Self(0x22);
    /// Gas.
    pub const GAS: Self = Self(0x30);
    /// Electricity.
    pub const ELECTRICITY: Self = Self(0x40);
    /// Any type.
    pub const ANY: Self = Self(0xAA);

    /// What it measures.
    pub fn kind(self) -> Kind {
        match self.0 {
            0x10..=0x1F => Kind::Water,
            0x20..=0x2F => Kind::Heat,
            0x30..=0x3F => Kind::Gas,
            0x40..=0x4F => Kind::Electricity,
            _ => Kind::Unknown,
        }
    }

    /// Name in English.
    pub fn en(self) -> &'static str {
        self.names().0
    }

    /// Name in Chinese.
    pub fn zh(self) -> &'static str {
        self.names().1
    }

    fn names(self) -> (&'static str, &'static str) {
        match self.0 {
            0x10 => ("cold water meter", "冷水水表"),
            0x11 => ("hot water meter", "生活热水水表"),
            0x12 => ("drinking water meter", "直饮水水表"),
            0x13 => ("reclaimed water meter", "中水水表"),
            0x14..=0x1F => ("water meter", "水表"),
            0x20 => ("heat meter", "热量表(计热量)"),
            0x21 => ("cooling meter", "热量表(计冷量)"),
            0x22 => ("heat and cooling meter", "冷热量表"),
            0x23..=0x2F => ("heat meter, vendor's type", "热量表(厂家类型)"),
            0x30 => ("gas meter", "燃气表"),
            0x31..=0x3F => ("gas meter, vendor's type", "燃气表(厂家类型)"),
            0x40..=0x4F => ("electricity meter", "电能表"),
            0x00 | 0xAA => ("any meter", "任意表"),
            _ => ("unknown type", "未知类型"),
        }
    }
}

/// In which order the two bytes of a data identifier stand on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DiOrder {
    /// As CJ/T 188-2004 writes it: 901FH is `90 1F`.
    HighFirst,
    /// As CJ/T 188-2018 writes it: 901FH is `1F 90`.
    LowFirst,
}

impl DiOrder {
    /// The other one.
    pub fn other(self) -> Self {
        match self {
            Self::HighFirst => Self::LowFirst,
            Self::LowFirst => Self::HighFirst,
        }
    }
}

/// A data identifier, e.g. 901FH.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DataId(pub u16);

impl DataId {
    /// Current reading.
    pub const CURRENT: Self = Self(0x901F);
    /// Current reading of heat and cooling (2018).
    pub const CURRENT_HEAT_COOLING: Self = Self(0x911F);
    /// Clock.
    pub const CLOCK: Self = Self(0x907F);
    /// Address.
    pub const ADDRESS: Self = Self(0x810A);
    /// Valve.
    pub const VALVE: Self = Self(0xA017);

    /// The bytes of the wire.
    pub fn to_wire(self, order: DiOrder) -> [u8; 2] {
        match order {
            DiOrder::HighFirst => self.0.to_be_bytes(),
            DiOrder::LowFirst => self.0.to_le_bytes(),
        }
    }

    /// Reads the bytes of the wire. The order is told by the high byte, 81H, 9xH, AxH or DxH in
    /// all identifiers; where both bytes could be it, the order of 2004 is taken.
    pub fn from_wire(wire: [u8; 2]) -> (Self, DiOrder) {
        let high = |byte: u8| byte == 0x81 || matches!(byte >> 4, 0x9 | 0xA | 0xD);
        if !high(wire[0]) && high(wire[1]) {
            (Self(u16::from_le_bytes(wire)), DiOrder::LowFirst)
        } else {
            (Self(u16::from_be_bytes(wire)), DiOrder::HighFirst)
        }
    }

    /// Name in English and Chinese, when the identifier is known.
    pub fn names(self) -> Option<(&'static str, &'static str)> {
        Some(match self.0 {
            0x901F => ("current reading", "当前计量数据"),
            0x903F => ("heat power", "热功率"),
            0x904F => ("return temperature", "回水温度"),
            0x905F => ("supply temperature", "供水温度"),
            0x906F => ("operating hours", "累积工作时间"),
            0x907F => ("clock", "实时时间"),
            0x911F => ("current reading of heat and cooling", "冷热量当前计量数据"),
            0xD120..=0xD12B => ("settlement of a past month", "历史月结算数据"),
            0xD200..=0xD2FF => ("history", "历史计量数据"),
            0xD300..=0xD3FF => ("timed freeze", "定时冻结数据"),
            0xD400..=0xD4FF => ("instant freeze", "瞬时冻结数据"),
            0x8102 => ("price table", "价格表"),
            0x8103 => ("settlement day", "结算日"),
            0x8104 => ("reading day", "抄表日"),
            0x8105 => ("purchased amount", "购入金额"),
            0x8106 => ("key version", "密钥版本号"),
            0x810A => ("address", "地址"),
            0xA010 => ("write the price table", "写价格表"),
            0xA011 => ("write the settlement day", "写结算日"),
            0xA012 => ("write the reading day", "写抄表日"),
            0xA013 => ("write the purchased amount", "写购入金额"),
            0xA014 => ("write a new key", "写新密钥"),
            0xA015 => ("write the time", "写标准时间"),
            0xA016 => ("set the counter", "写机电同步数据"),
            0xA017 => ("valve", "写阀门控制"),
            0xA018 => ("write the address", "写地址"),
            0xA019 => ("factory enable", "写出厂启用"),
            0xA101 => ("enter verification mode", "进入检定状态"),
            0xA102 => ("leave verification mode", "退出检定状态"),
            0xA103 => ("write communication parameters", "写通信参数"),
            0xA104 => ("freeze", "冻结命令"),
            0xA105 => ("write the alarm volume", "写报警用量"),
            0xA106 => ("write the alarm amount", "写报警金额"),
            0xA107 => ("write the key", "写密钥"),
            _ => return None,
        })
    }
}

/// As the standard writes it: `901F`.
impl fmt::Display for DataId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04X}", self.0)
    }
}
