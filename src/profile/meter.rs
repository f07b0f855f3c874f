//! The data model of meters on the RS-485 protocols: how a point is obtained from a data
//! identifier of DL/T 645 or CJ/T 188.

use std::time::Duration;

use super::binding::{Code, Scale, SerialDefaults};
use crate::protocol::cjt188::{DiOrder, MeterType};
use crate::protocol::{cjt188, dlt645};

/// How a model of the RS-485 meter protocols must be treated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeterManners {
    /// Serial defaults of the model.
    pub serial: SerialDefaults,
    /// Bytes FEH before a request, 0..=4 (CJ/T 188: 0..=5).
    pub preamble: u8,
    /// Longest time from the end of the request to the first byte of the answer.
    pub timeout: Duration,
    /// Least silence after a reply of this model.
    pub pause: Duration,
    /// Least silence before it is addressed after another meter.
    pub pause_on_switch: Duration,
}

/// How a model speaks DL/T 645.
#[derive(Debug, Clone, PartialEq)]
pub struct Dlt645Model {
    /// 2007 or 1997.
    pub edition: dlt645::Edition,
    /// How it is treated.
    pub manners: MeterManners,
    /// One per point.
    pub sources: Vec<ItemSource>,
}

/// Where a point lies in a DL/T 645 model.
#[derive(Debug, Clone, PartialEq)]
pub struct ItemSource {
    /// Data identifier that holds it.
    pub id: dlt645::DataId,
    /// Bytes of the identifier's data before it.
    pub at: u8,
    /// A block identifier that holds it as well, with its offset there: one request for many
    /// points. When a meter refuses the block its points are read by `id`.
    pub block: Option<(dlt645::DataId, u8)>,
    /// How its bytes are read.
    pub field: MeterField,
    /// To the point's unit.
    pub scale: Scale,
    /// Table of codes; empty when the raw number is the code.
    pub codes: Vec<Code>,
    /// The value is a flag: raw is not 0.
    pub flag: bool,
    /// Digits to round to, from the point.
    pub decimals: u8,
}

/// How bytes of a meter become a number or text. All least significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeterField {
    /// Decimal digits, two to a byte. All FFH: not available.
    Bcd {
        /// Bytes, 1..=8.
        length: u8,
        /// The top bit is the sign.
        signed: bool,
    },
    /// Bits of an unsigned number.
    Bits {
        /// Bytes of the number, 1..=4.
        length: u8,
        /// Lowest bit.
        low: u8,
        /// Number of bits.
        count: u8,
    },
    /// Characters, in the order in which they are read by people (last byte on the wire first).
    Ascii {
        /// Bytes.
        length: u8,
    },
    /// Decimal digits as a text: addresses, numbers of meters.
    Digits {
        /// Bytes.
        length: u8,
    },
}

impl MeterField {
    /// Bytes that it takes.
    pub fn length(self) -> u8 {
        match self {
            MeterField::Bcd { length, .. }
            | MeterField::Bits { length, .. }
            | MeterField::Ascii { length }
            | MeterField::Digits { length } => length,
        }
    }
}

/// How a model speaks CJ/T 188.
#[derive(Debug, Clone, PartialEq)]
pub struct Cjt188Model {
    /// Type that its frames carry.
    pub meter_type: MeterType,
    /// Order of the data identifier's bytes, when the model is known to want one; the driver tries
    /// both and remembers otherwise.
    pub order: Option<DiOrder>,
    /// How it is treated.
    pub manners: MeterManners,
    /// One per point.
    pub sources: Vec<MeterSource>,
}

/// Where a point lies in a CJ/T 188 model.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterSource {
    /// Data identifier that holds it.
    pub id: cjt188::DataId,
    /// Which part of its data.
    pub place: MeterPlace,
    /// To the point's unit, after the unit byte of the meter was applied.
    pub scale: Scale,
    /// Table of codes; empty when the raw number is the code.
    pub codes: Vec<Code>,
    /// The value is a flag: raw is not 0.
    pub flag: bool,
    /// Digits to round to, from the point.
    pub decimals: u8,
}

/// Which part of the data of a CJ/T 188 identifier. Volumes come in m³, energies in kWh, powers in
/// kW, flows in m³/h, temperatures in °C, whatever unit the meter sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MeterPlace {
    /// 901F: cumulative volume.
    Volume,
    /// 901F: volume at the settlement day.
    SettlementVolume,
    /// 901F of heat meters: cumulative heat.
    Heat,
    /// 901F of heat meters: heat (or cold) at the settlement day.
    SettlementHeat,
    /// 911F of heat meters that count both: cumulative cold.
    Cold,
    /// 911F of heat meters that count both: cold at the settlement day.
    SettlementCold,
    /// 901F of heat meters: thermal power.
    Power,
    /// 901F of heat meters: flow.
    Flow,
    /// The same of the makers that send it with two decimals; the frame does not tell which.
    FlowTwoDecimals,
    /// 901F of heat meters: supply temperature.
    SupplyTemperature,
    /// 901F of heat meters: return temperature.
    ReturnTemperature,
    /// 901F of heat meters: hours in operation.
    Hours,
    /// 901F: valve, 0 open, 1 closed, 3 abnormal.
    Valve,
    /// 901F: battery low.
    BatteryLow,
    /// Other identifiers that hold one number and its unit byte (D120 … D12B: months).
    Quantity,
    /// Any identifier: bytes at a place of its data.
    Raw {
        /// Bytes before it.
        at: u8,
        /// How they are read.
        field: MeterField,
    },
}

impl MeterPlace {
    /// Of 911F alone.
    pub fn is_cold(self) -> bool {
        matches!(self, MeterPlace::Cold | MeterPlace::SettlementCold)
    }

    /// Of heat meters alone.
    pub fn of_heat_only(self) -> bool {
        match self {
            MeterPlace::Heat
            | MeterPlace::SettlementHeat
            | MeterPlace::Cold
            | MeterPlace::SettlementCold
            | MeterPlace::Power
            | MeterPlace::Flow
            | MeterPlace::FlowTwoDecimals
            | MeterPlace::SupplyTemperature
            | MeterPlace::ReturnTemperature
            | MeterPlace::Hours => true,
            MeterPlace::Volume
            | MeterPlace::SettlementVolume
            | MeterPlace::Valve
            | MeterPlace::BatteryLow
            | MeterPlace::Quantity
            | MeterPlace::Raw { .. } => false,
        }
    }
}
