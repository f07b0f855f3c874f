//! The sections and words of a profile of an RS-485 meter.
//!
//! ```toml
//! [dlt645]
//! edition = "2007"                # or "1997"
//! baud = 2400                     # the default; frame "8E1"
//! preamble = 4                    # bytes FEH before a request, 0 to 4
//!
//! [[points]]                      # one entry, three points
//! names = ["phaseVoltage.L1", "phaseVoltage.L2", "phaseVoltage.L3"]
//! id = 0x02010100                 # length, sign, decimals, factor, unit come from the table of
//! id_step = 0x100                 # identifiers; what is written must agree with it
//! block = 0x0201FF00              # read in one request where the meter has it
//!
//! [[points]]
//! name = "relayOpen"
//! id = 0x04000503
//! bits = [4, 1]
//! quantity = "flag"
//! urgent = true                   # any protocol: read first when it is due
//!
//! [[examples]]                    # replies as they come over the line
//! frames = ["FE FE 68 45 92 66 23 00 10 68 91 06 33 34 34 35 66 55 62 16"]
//! readings = { "phaseVoltage.L1" = 223.3 }
//! ```
//!
//! ```toml
//! [cjt188]
//! meter_type = 0x10               # order = "2004" or "2018" where a model insists on one
//!
//! [[points]]
//! name = "waterConsumption"
//! place = "volume"                # of identifier 901F; comes in the unit of the point
//! unit = "m3"
//! quantity = "counter"
//! max_rate = 0.1
//! ```

use serde::Deserialize;
use toml::Spanned;

use super::meter::MeterPlace;
use super::span::Span;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [dlt645]")]
pub(super) struct Dlt645File {
    /// `2007` (default) or `1997`.
    pub edition: Option<Spanned<String>>,
    pub baud: Option<Spanned<u32>>,
    pub frame: Option<Spanned<String>>,
    pub preamble: Option<Spanned<u8>>,
    pub timeout: Option<Span>,
    pub pause: Option<Span>,
    pub pause_on_switch: Option<Span>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table [cjt188]")]
pub(super) struct Cjt188File {
    pub meter_type: Option<Spanned<u8>>,
    /// Order of the identifier's bytes as the edition `2004` or `2018` has it.
    pub order: Option<Spanned<String>>,
    pub baud: Option<Spanned<u32>>,
    pub frame: Option<Spanned<String>>,
    pub preamble: Option<Spanned<u8>>,
    pub timeout: Option<Span>,
    pub pause: Option<Span>,
    pub pause_on_switch: Option<Span>,
}

/// A part of a meter's reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum PlaceWord {
    Volume,
    SettlementVolume,
    Heat,
    SettlementHeat,
    Cold,
    SettlementCold,
    Power,
    Flow,
    FlowTwoDecimals,
    SupplyTemperature,
    ReturnTemperature,
    Hours,
    Valve,
    BatteryLow,
    Quantity,
}

impl PlaceWord {
    pub fn place(self) -> MeterPlace {
        match self {
            PlaceWord::Volume => MeterPlace::Volume,
            PlaceWord::SettlementVolume => MeterPlace::SettlementVolume,
            PlaceWord::Heat => MeterPlace::Heat,
            PlaceWord::SettlementHeat => MeterPlace::SettlementHeat,
            PlaceWord::Cold => MeterPlace::Cold,
            PlaceWord::SettlementCold => MeterPlace::SettlementCold,
            PlaceWord::Power => MeterPlace::Power,
            PlaceWord::Flow => MeterPlace::Flow,
            PlaceWord::FlowTwoDecimals => MeterPlace::FlowTwoDecimals,
            PlaceWord::SupplyTemperature => MeterPlace::SupplyTemperature,
            PlaceWord::ReturnTemperature => MeterPlace::ReturnTemperature,
            PlaceWord::Hours => MeterPlace::Hours,
            PlaceWord::Valve => MeterPlace::Valve,
            PlaceWord::BatteryLow => MeterPlace::BatteryLow,
            PlaceWord::Quantity => MeterPlace::Quantity,
        }
    }

    /// As the file writes it.
    pub fn word(self) -> &'static str {
        match self {
            PlaceWord::Volume => "volume",
            PlaceWord::SettlementVolume => "settlement_volume",
            PlaceWord::Heat => "heat",
            PlaceWord::SettlementHeat => "settlement_heat",
            PlaceWord::Cold => "cold",
            PlaceWord::SettlementCold => "settlement_cold",
            PlaceWord::Power => "power",
            PlaceWord::Flow => "flow",
            PlaceWord::FlowTwoDecimals => "flow_two_decimals",
            PlaceWord::SupplyTemperature => "supply_temperature",
            PlaceWord::ReturnTemperature => "return_temperature",
            PlaceWord::Hours => "hours",
            PlaceWord::Valve => "valve",
            PlaceWord::BatteryLow => "battery_low",
            PlaceWord::Quantity => "quantity",
        }
    }
}
