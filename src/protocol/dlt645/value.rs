//! Data field <-> values.

use std::fmt;

use super::super::{MeterTime, bcd};
use super::DataId;
use super::items::{Field, Item, Kind};
use super::request::{bcd as pair, from_bcd};

/// The value of one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemValue {
    /// A number: `digits` / 10^`decimals`.
    Number {
        /// All digits, with the sign.
        digits: i64,
        /// How many of them stand behind the point.
        decimals: u8,
    },
    /// A date.
    Date {
        /// Full year.
        year: u16,
        /// 1..=12.
        month: u8,
        /// 1..=31.
        day: u8,
        /// 0 is Sunday.
        weekday: u8,
    },
    /// A time of day.
    Time {
        /// 0..=23.
        hour: u8,
        /// 0..=59.
        minute: u8,
        /// 0..=59.
        second: u8,
    },
    /// Date and time to the minute; the second is 0.
    Moment(MeterTime),
    /// A status word.
    Bits(u32),
    /// Text.
    Text(String),
    /// Digits that are no quantity.
    Digits(String),
}

impl ItemValue {
    /// The number, if it is one: the nearest there is to the decimal digits.
    pub fn number(&self) -> Option<f64> {
        match *self {
            // Digits of a field are at most nine: exact, so the quotient is the nearest.
            #[expect(clippy::cast_precision_loss, reason = "at most nine digits")]
            Self::Number { digits, decimals } => {
                Some(digits as f64 / 10_f64.powi(i32::from(decimals)))
            }
            _ => None,
        }
    }
}

impl fmt::Display for ItemValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { decimals, .. } => {
                let number = self.number().unwrap_or_default();
                write!(out, "{number:.*}", usize::from(*decimals))
            }
            Self::Date { year, month, day, .. } => write!(out, "{year:04}-{month:02}-{day:02}"),
            Self::Time { hour, minute, second } => write!(out, "{hour:02}:{minute:02}:{second:02}"),
            Self::Moment(t) => write!(
                out,
                "{:04}-{:02}-{:02} {:02}:{:02}",
                t.year, t.month, t.day, t.hour, t.minute
            ),
            Self::Bits(bits) => write!(out, "{bits:04X}"),
            Self::Text(text) | Self::Digits(text) => out.write_str(text),
        }
    }
}

/// A data field that does not fit its item, or a value that does not fit its field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Wrong number of bytes.
    #[error("{id} has {got} bytes, {step} belong to one value and there may be {most} of them")]
    Length {
        /// The item.
        id: DataId,
        /// Bytes that came.
        got: usize,
        /// Bytes of one repetition.
        step: usize,
        /// Most repetitions.
        most: usize,
    },
    /// Something else than decimal digits.
    #[error("{id}, value {place}: {bytes} (most significant first) are no decimal digits")]
    NotDecimal {
        /// The item.
        id: DataId,
        /// Which value, from 0.
        place: usize,
        /// Its bytes, hexadecimal.
        bytes: String,
    },
    /// A value of another kind, or too large for its field.
    #[error("{id}, value {place}: `{value}` does not fit its field")]
    DoesNotFit {
        /// The item.
        id: DataId,
        /// Which value, from 0.
        place: usize,
        /// The value.
        value: String,
    },
}

impl Malformed {
    /// The message in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Length { id, got, step, most } => {
                format!("{id} 的数据为 {got} 字节，每个值应为 {step} 字节，最多 {most} 个")
            }
            Self::NotDecimal { id, place, bytes } => {
                format!("{id} 第 {place} 个值 {bytes}（高字节在前）不是十进制数")
            }
            Self::DoesNotFit { id, place, value } => {
                format!("{id} 第 {place} 个值 `{value}` 与字段不符")
            }
        }
    }
}

/// The values in a data field (without its identifier). A block may have fewer repetitions than
/// [`Repeat::most`](super::Repeat::most): meters leave out what they do not have. `None`: the meter
/// says that it does not have it (all FFH), or a maximum demand never was.
///
/// # Errors
/// The number of bytes does not fit, or a field holds no decimal digits.
pub fn values(item: &Item, data: &[u8]) -> Result<Vec<Option<ItemValue>>, Malformed> {
    if let [field] = item.fields
        && field.kind == Kind::Ascii
        && !data.is_empty()
    {
        return Ok(vec![text(data)]);
    }
    let (step, most) = (item.step(), item.repeat.most());
    let count = data.len() / step;
    if !data.len().is_multiple_of(step) || count == 0 || count > most {
        return Err(Malformed::Length { id: item.id, got: data.len(), step, most });
    }
    let mut rest = data;
    let mut values = Vec::with_capacity(count * item.fields.len());
    for field in item.fields.iter().cycle().take(count * item.fields.len()) {
        let (bytes, behind) = rest.split_at(usize::from(field.bytes));
        rest = behind;
        let value = decode(field, bytes).ok_or_else(|| Malformed::NotDecimal {
            id: item.id,
            place: values.len(),
            bytes: bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect(),
        })?;
        values.push(value);
    }
    Ok(values)
}

/// The value of one field; the outer `None`: no decimal digits.
fn decode(field: &Field, bytes: &[u8]) -> Option<Option<ItemValue>> {
    if bytes.iter().all(|&byte| byte == 0xFF) {
        return Some(None);
    }
    Some(Some(match (field.kind, bytes) {
        (Kind::Number, _) => ItemValue::Number {
            digits: bcd::number(bytes, field.signed).ok()??,
            decimals: field.decimals,
        },
        (Kind::Clock, &[weekday, day, month, year]) => ItemValue::Date {
            year: 2000 + u16::from(from_bcd(year)?),
            month: from_bcd(month)?,
            day: from_bcd(day)?,
            weekday: from_bcd(weekday)?,
        },
        (Kind::Clock, &[second, minute, hour]) => ItemValue::Time {
            hour: from_bcd(hour)?,
            minute: from_bcd(minute)?,
            second: from_bcd(second)?,
        },
        (Kind::DemandTime, [0, 0, 0, 0, 0]) => return Some(None),
        (Kind::DemandTime, &[minute, hour, day, month, year]) => ItemValue::Moment(MeterTime {
            year: 2000 + u16::from(from_bcd(year)?),
            month: from_bcd(month)?,
            day: from_bcd(day)?,
            hour: from_bcd(hour)?,
            minute: from_bcd(minute)?,
            second: 0,
        }),
        (Kind::Bits, _) => {
            ItemValue::Bits(bytes.iter().rev().fold(0, |all, &byte| all << 8 | u32::from(byte)))
        }
        (Kind::Ascii, _) => return Some(text(bytes)),
        (Kind::Digits, _) => {
            let digits: String = bytes.iter().rev().map(|byte| format!("{byte:02X}")).collect();
            ItemValue::Digits(digits)
        }
        (Kind::Clock | Kind::DemandTime, _) => return None,
    }))
}

/// Text stands last character first, as every field does; no capture of a meter was at hand to
/// confirm it. Padding of NUL, blank and FFH is dropped.
fn text(bytes: &[u8]) -> Option<ItemValue> {
    let text: String = bytes
        .iter()
        .rev()
        .filter(|&&byte| byte != 0 && byte != 0xFF)
        .map(|&byte| if byte.is_ascii_graphic() || byte == b' ' { char::from(byte) } else { '?' })
        .collect();
    let text = text.trim();
    (!text.is_empty()).then(|| ItemValue::Text(text.to_owned()))
}

/// The data field (without its identifier) that holds these values, for simulated meters; `None`
/// becomes FFH.
///
/// # Errors
/// A value does not fit its field, or there are too few or too many of them.
pub fn encode(item: &Item, values: &[Option<ItemValue>]) -> Result<Vec<u8>, Malformed> {
    let (count, step, most) = (values.len(), item.step(), item.repeat.most());
    let fields = item.fields.len();
    if count == 0 || !count.is_multiple_of(fields) || count / fields > most {
        let got = count * step / fields;
        return Err(Malformed::Length { id: item.id, got, step, most });
    }
    let mut data = Vec::with_capacity(count / fields * step);
    for (place, value) in values.iter().enumerate() {
        let field = item.field(place);
        let begin = data.len();
        data.resize(begin + usize::from(field.bytes), 0xFF);
        let Some(value) = value else { continue };
        if !write(field, value, &mut data[begin..]) {
            return Err(Malformed::DoesNotFit { id: item.id, place, value: value.to_string() });
        }
    }
    Ok(data)
}

/// Writes a value into its field; returns whether it fits.
fn write(field: &Field, value: &ItemValue, out: &mut [u8]) -> bool {
    match (field.kind, value) {
        (Kind::Number, &ItemValue::Number { digits, decimals }) => {
            // A number whose top digits fill the place of the sign would be read as negative.
            decimals == field.decimals
                && (field.signed || digits >= 0)
                && bcd::write(digits, out)
                && bcd::number(out, field.signed) == Ok(Some(digits))
        }
        (Kind::Clock, &ItemValue::Date { year, month, day, weekday }) => {
            put(out, &[weekday, day, month, short(year)])
        }
        (Kind::Clock, &ItemValue::Time { hour, minute, second }) => {
            put(out, &[second, minute, hour])
        }
        (Kind::DemandTime, ItemValue::Moment(t)) => {
            put(out, &[t.minute, t.hour, t.day, t.month, short(t.year)])
        }
        (Kind::Bits, ItemValue::Bits(bits)) => {
            let bytes = bits.to_le_bytes();
            let fits = bytes.iter().skip(out.len()).all(|&byte| byte == 0);
            for (byte, bits) in out.iter_mut().zip(bytes) {
                *byte = bits;
            }
            fits
        }
        (Kind::Ascii, ItemValue::Text(text)) => {
            out.fill(0);
            let fits = text.is_ascii() && text.len() <= out.len();
            for (byte, letter) in out.iter_mut().zip(text.bytes().rev()) {
                *byte = letter;
            }
            fits
        }
        (Kind::Digits, ItemValue::Digits(digits)) => {
            let pairs = digits.as_bytes().chunks_exact(2);
            let fits = digits.len() == out.len() * 2 && digits.bytes().all(|d| d.is_ascii_digit());
            for (byte, pair) in out.iter_mut().rev().zip(pairs) {
                *byte = pair[0] << 4 | pair[1] & 0x0F;
            }
            fits
        }
        _ => false,
    }
}

/// The last two digits of a year.
fn short(year: u16) -> u8 {
    u8::try_from(year % 100).expect("below 100")
}

fn put(out: &mut [u8], numbers: &[u8]) -> bool {
    for (byte, &number) in out.iter_mut().zip(numbers) {
        *byte = pair(number);
    }
    out.len() == numbers.len() && numbers.iter().all(|&number| number < 100)
}
