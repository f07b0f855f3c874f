//! The current reading (identifiers 901FH and 911FH), the status, and single values.

use super::{Dimension, Kind, MeterType, Quantity, Unit};
use crate::protocol::{MeterTime, bcd};

/// The status ST. The second byte and bits 3 to 7 of the first are the vendor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Status(pub [u8; 2]);

/// Where a valve stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Valve {
    /// Open.
    Open,
    /// Closed.
    Closed,
    /// It does not do what it was told.
    Abnormal,
}

impl Status {
    /// What meters send that have no status.
    pub const UNKNOWN: Self = Self([0xFF; 2]);

    /// Where the valve stands. `None`: not said (FFH) or not defined.
    pub fn valve(self) -> Option<Valve> {
        match self.0[0] {
            0xFF => None,
            first => match first & 3 {
                0 => Some(Valve::Open),
                1 => Some(Valve::Closed),
                3 => Some(Valve::Abnormal),
                _ => None,
            },
        }
    }

    /// Whether the battery is low. `None`: not said (FFH).
    pub fn battery_low(self) -> Option<bool> {
        (self.0[0] != 0xFF).then_some(self.0[0] & 4 != 0)
    }
}

/// The reading of a water or gas meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct VolumeReading {
    /// Cumulative volume now.
    pub current: Quantity,
    /// Cumulative volume at the settlement day.
    pub settlement: Quantity,
    /// The meter's clock. `None`: it has none (all FFH), or it was never set (all 00H).
    pub clock: Option<MeterTime>,
    /// Valve and battery.
    pub status: Status,
}

/// The cold of a meter that counts heat and cold apart (911FH).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Cooling {
    /// At the settlement day.
    pub settlement: Quantity,
    /// Now.
    pub current: Quantity,
    /// Pressure of the supply, in the vendor's unit, two decimals.
    pub supply_pressure: Option<f64>,
    /// Pressure of the return.
    pub return_pressure: Option<f64>,
}

/// The reading of a heat meter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeatReading {
    /// Heat at the settlement day; in some models the cold.
    pub settlement: Quantity,
    /// Heat now.
    pub current: Quantity,
    /// Thermal power.
    pub power: Quantity,
    /// Flow, read with four decimals (three in the short layout of 2018); some vendors send two:
    /// see [`HeatReading::flow_with`].
    pub flow: Quantity,
    /// Cumulative volume.
    pub volume: Quantity,
    /// Supply temperature, °C.
    pub supply: Option<f64>,
    /// Return temperature, °C.
    pub return_: Option<f64>,
    /// Operating hours.
    pub hours: Option<u32>,
    /// The meter's clock. `None`: it has none (all FFH), or it was never set (all 00H).
    pub clock: Option<MeterTime>,
    /// Valve and battery.
    pub status: Status,
    /// Units stand before their values.
    pub unit_first: bool,
    /// Cold, counted apart.
    pub cooling: Option<Cooling>,
    /// Decimals with which `flow` was read.
    pub flow_decimals: u8,
}

impl HeatReading {
    /// The flow when the vendor sends it with `decimals`.
    pub fn flow_with(&self, decimals: u8) -> Quantity {
        let shift = i32::from(self.flow_decimals) - i32::from(decimals);
        Quantity { value: self.flow.value.map(|v| v * 10f64.powi(shift)), ..self.flow }
    }
}

/// A current reading.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Current {
    /// Of a water or gas meter.
    Volume(VolumeReading),
    /// Of a heat meter.
    Heat(HeatReading),
}

/// A body that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadBody {
    /// No layout has this length.
    #[error("{got} bytes of data after the sequence number; {allowed}")]
    Length {
        /// Bytes there.
        got: usize,
        /// What is allowed, in words.
        allowed: &'static str,
    },
    /// A field that must hold decimal digits.
    #[error("{field} holds {bytes:02X?}, which are no decimal digits")]
    NotDecimal {
        /// Its name.
        field: &'static str,
        /// Its bytes, as on the wire.
        bytes: Vec<u8>,
    },
}

impl BadBody {
    /// The fault in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::Length { got, .. } => {
                format!(
                    "序号之后有 {got} 字节数据,不符合任何已知格式(水表、燃气表 19;热量表 43、40、54)"
                )
            }
            Self::NotDecimal { field, bytes } => {
                format!("{field} 的字节 {bytes:02X?} 不是 BCD 数字")
            }
        }
    }
}

/// Widths of the fields of a heat body.
struct Layout {
    /// Bytes of power and of flow.
    rate: usize,
    flow_decimals: u8,
    /// Bytes of a temperature.
    temperature: usize,
    /// Bytes of the operating hours.
    hours: usize,
    cooling: bool,
}

const VOLUME_BODY: usize = 19;
const HEAT_2004: Layout =
    Layout { rate: 4, flow_decimals: 4, temperature: 3, hours: 3, cooling: false };
const HEAT_2018: Layout =
    Layout { rate: 3, flow_decimals: 3, temperature: 2, hours: 4, cooling: false };
const HEAT_COOLING_2018: Layout =
    Layout { rate: 3, flow_decimals: 4, temperature: 2, hours: 4, cooling: true };

/// Reads the body (what follows DI and SER) of a current reading. The layout is told by its length;
/// units before or after their values by which bytes are units of the right dimension.
///
/// # Errors
/// The length fits no layout of this kind of meter, or a number is not decimal.
pub fn current(meter_type: MeterType, body: &[u8]) -> Result<Current, BadBody> {
    let (volume, heat) = match meter_type.kind() {
        Kind::Water | Kind::Gas => (true, false),
        Kind::Heat => (false, true),
        Kind::Electricity | Kind::Unknown => (true, true),
    };
    let layout = match body.len() {
        VOLUME_BODY if volume => return volume_reading(body).map(Current::Volume),
        43 if heat => HEAT_2004,
        40 if heat => HEAT_2018,
        54 if heat => HEAT_COOLING_2018,
        got => {
            let allowed = match (volume, heat) {
                (true, false) => "a water or gas meter sends 19",
                (false, _) => "a heat meter sends 43, in the layouts of 2018 also 40 or 54",
                (true, true) => "19, 40, 43 and 54 are known",
            };
            return Err(BadBody::Length { got, allowed });
        }
    };
    heat_reading(body, &layout).map(Current::Heat)
}

/// Reads a body that is one number of four bytes with two decimals and its unit: settlements of
/// past months and the like.
///
/// # Errors
/// The length is not 5, or the number is not decimal.
pub fn value_with_unit(body: &[u8]) -> Result<Quantity, BadBody> {
    if body.len() != 5 {
        let allowed = "a value with its unit has 5";
        return Err(BadBody::Length { got: body.len(), allowed });
    }
    Fields { rest: body, unit_first: false }.quantity("the value", 4, 2, false)
}

fn volume_reading(body: &[u8]) -> Result<VolumeReading, BadBody> {
    let dimension = Some(Dimension::Volume);
    let expected = [(4, dimension), (4, dimension)];
    let mut fields = Fields { rest: body, unit_first: unit_first(body, &expected) };
    Ok(VolumeReading {
        current: fields.quantity("the current volume", 4, 2, false)?,
        settlement: fields.quantity("the settlement volume", 4, 2, false)?,
        clock: fields.clock()?,
        status: fields.status(),
    })
}

fn heat_reading(body: &[u8], layout: &Layout) -> Result<HeatReading, BadBody> {
    let energy = (4, Some(Dimension::Energy));
    let mut expected = vec![energy; if layout.cooling { 4 } else { 2 }];
    expected.push((layout.rate, Some(Dimension::Power)));
    expected.push((layout.rate, Some(Dimension::Flow)));
    expected.push((4, Some(Dimension::Volume)));
    let mut fields = Fields { rest: body, unit_first: unit_first(body, &expected) };
    let unit_first = fields.unit_first;
    let settlement = fields.quantity("the settlement heat", 4, 2, false)?;
    let cold_settlement = match layout.cooling {
        true => Some(fields.quantity("the settlement cold", 4, 2, false)?),
        false => None,
    };
    let current = fields.quantity("the current heat", 4, 2, false)?;
    let cold = match layout.cooling {
        true => Some(fields.quantity("the current cold", 4, 2, false)?),
        false => None,
    };
    let power = fields.quantity("the power", layout.rate, 2, true)?;
    let flow = fields.quantity("the flow", layout.rate, layout.flow_decimals, true)?;
    let volume = fields.quantity("the volume", 4, 2, false)?;
    let supply = fields.number("the supply temperature", layout.temperature, 2, true)?;
    let return_ = fields.number("the return temperature", layout.temperature, 2, true)?;
    let cooling = match (cold_settlement, cold) {
        (Some(settlement), Some(current)) => Some(Cooling {
            settlement,
            current,
            supply_pressure: fields.number("the supply pressure", 2, 2, false)?,
            return_pressure: fields.number("the return pressure", 2, 2, false)?,
        }),
        _ => None,
    };
    Ok(HeatReading {
        settlement,
        current,
        power,
        flow,
        volume,
        supply,
        return_,
        hours: fields.digits("the operating hours", layout.hours, false)?.map(hours),
        clock: fields.clock()?,
        status: fields.status(),
        unit_first,
        cooling,
        flow_decimals: layout.flow_decimals,
    })
}

fn hours(digits: i64) -> u32 {
    u32::try_from(digits).expect("four bytes of digits without a sign")
}

/// Whether units stand before their values: more of the bytes there are units of the dimension
/// that is expected. In doubt they follow, as the standard has it.
fn unit_first(body: &[u8], expected: &[(usize, Option<Dimension>)]) -> bool {
    let (mut first, mut last, mut at) = (0, 0, 0);
    for &(width, dimension) in expected {
        first += usize::from(Unit(body[at]).dimension() == dimension);
        last += usize::from(Unit(body[at + width]).dimension() == dimension);
        at += width + 1;
    }
    first > last
}

/// Reads one field after the other from a body whose length was checked.
struct Fields<'a> {
    rest: &'a [u8],
    unit_first: bool,
}

impl<'a> Fields<'a> {
    fn take(&mut self, width: usize) -> &'a [u8] {
        let (head, rest) = self.rest.split_at(width);
        self.rest = rest;
        head
    }

    fn digits(
        &mut self,
        field: &'static str,
        width: usize,
        signed: bool,
    ) -> Result<Option<i64>, BadBody> {
        let bytes = self.take(width);
        bcd::number(bytes, signed).map_err(|_| BadBody::NotDecimal { field, bytes: bytes.to_vec() })
    }

    fn number(
        &mut self,
        field: &'static str,
        width: usize,
        decimals: u8,
        signed: bool,
    ) -> Result<Option<f64>, BadBody> {
        let digits = self.digits(field, width, signed)?;
        // Dividing gives the double that is nearest to the decimal number; multiplying by 0.01
        // does not. Eight digits are exact in a double.
        Ok(digits.map(|digits| digits as f64 / 10f64.powi(i32::from(decimals))))
    }

    fn quantity(
        &mut self,
        field: &'static str,
        width: usize,
        decimals: u8,
        signed: bool,
    ) -> Result<Quantity, BadBody> {
        let before = self.unit_first.then(|| self.take(1)[0]);
        let value = self.number(field, width, decimals, signed)?;
        let unit = before.unwrap_or_else(|| self.take(1)[0]);
        Ok(Quantity { value, unit: Unit(unit) })
    }

    fn clock(&mut self) -> Result<Option<MeterTime>, BadBody> {
        let bytes = self.take(7);
        if bytes.iter().all(|&byte| byte == 0xFF) || bytes.iter().all(|&byte| byte == 0) {
            return Ok(None);
        }
        let bad = || BadBody::NotDecimal { field: "the clock", bytes: bytes.to_vec() };
        let mut pairs = [0u8; 7];
        for (slot, &byte) in pairs.iter_mut().zip(bytes) {
            if byte >> 4 > 9 || byte & 0x0F > 9 {
                return Err(bad());
            }
            *slot = (byte >> 4) * 10 + (byte & 0x0F);
        }
        let [second, minute, hour, day, month, year, century] = pairs;
        let year = u16::from(century) * 100 + u16::from(year);
        Ok(Some(MeterTime { year, month, day, hour, minute, second }))
    }

    fn status(&mut self) -> Status {
        let bytes = self.take(2);
        Status([bytes[0], bytes[1]])
    }
}
