//! Meters of a profile: the values of its points as the bytes that such a meter sends. The reverse
//! of `profile::decode_meter`.

use std::collections::BTreeMap;

use super::body::digits;
use super::station::{Kind, Slave};
use super::{Cjt188Meter, Dlt645Meter, HeatLayout, heat_body, volume_body};
use crate::driver::{BusAddress, LineSettings, Parity};
use crate::model::Value;
use crate::profile::{
    Binding, Cjt188Model, Code, Dlt645Model, ItemSource, MeterField, MeterPlace, MeterSource,
    Scale, SerialDefaults,
};
use crate::protocol::cjt188::{
    Cooling, DataId as MeterId, HeatReading, Kind as Measures, Quantity, Status, Unit as MeterUnit,
    VolumeReading,
};
use crate::protocol::{bcd, dlt645};
use crate::sim::{Device, Unit};

impl Slave {
    /// A slave that holds the device's values; with the model's own line settings when none are
    /// given. `None`: the model is not read over a line, or by another protocol than the address
    /// belongs to.
    pub fn of(device: &Device, address: BusAddress, line: Option<LineSettings>) -> Option<Self> {
        let (serial, kind) = match (&device.profile().binding, address) {
            (Binding::Modbus { serial, .. }, BusAddress::Unit(id)) => {
                (serial, Kind::Modbus(id, Unit::of(device)?))
            }
            (Binding::Dlt645(model), BusAddress::Dlt645(address)) => {
                let meter = Dlt645Meter::new(model.edition, address);
                (&model.manners.serial, Kind::Dlt645(meter))
            }
            (Binding::Cjt188(model), BusAddress::Cjt188(address)) => {
                let mut meter = Cjt188Meter::new(model.meter_type, address);
                if let Some(order) = model.order {
                    meter = meter.only(order);
                }
                (&model.manners.serial, Kind::Cjt188(meter))
            }
            _ => return None,
        };
        let mut slave = Self::new(kind, line.unwrap_or_else(|| settings(*serial)));
        slave.kind.refresh(device);
        Some(slave)
    }
}

impl Kind {
    /// Takes over the device's present values. Returns how many did not fit their fields; these
    /// are sent as not available.
    pub(super) fn refresh(&mut self, device: &Device) -> usize {
        match (self, &device.profile().binding) {
            (Self::Modbus(_, unit), Binding::Modbus { .. }) => unit.refresh(device),
            (Self::Dlt645(meter), Binding::Dlt645(model)) => electricity(meter, model, device),
            (Self::Cjt188(meter), Binding::Cjt188(model)) => others(meter, model, device),
            _ => 0,
        }
    }
}

/// The settings that a model leaves the factory with.
pub(super) fn settings(serial: SerialDefaults) -> LineSettings {
    let parity = match serial.frame[1] {
        b'E' => Parity::Even,
        b'O' => Parity::Odd,
        _ => Parity::None,
    };
    let stop_bits = if serial.frame[2] == b'2' { 2 } else { 1 };
    LineSettings { baud: serial.baud, parity, stop_bits }
}

fn electricity(meter: &mut Dlt645Meter, model: &Dlt645Model, device: &Device) -> usize {
    let mut table: BTreeMap<dlt645::DataId, Vec<u8>> = BTreeMap::new();
    let mut misfits = 0;
    let own = model.sources.iter().zip(device.values()).enumerate();
    for (slot, (source, value)) in own.filter(|(slot, _)| !device.follows(*slot)) {
        let ItemSource { id, at, block, field, .. } = source;
        let raw = match device.withholds(slot) {
            true => None,
            false => raw(&source.scale, &source.codes, source.flag, value, device),
        };
        let places = [Some((*id, *at)), *block];
        // What does not fit one place is not available in the other either.
        let put = |(id, at)| put(table.entry(id).or_default(), at, *field, raw.as_ref());
        let fits = places.into_iter().flatten().map(put).fold(true, |all, fits| all & fits);
        misfits += usize::from(!fits);
    }
    for (id, data) in table {
        meter.set(id, data);
    }
    misfits
}

fn others(meter: &mut Cjt188Meter, model: &Cjt188Model, device: &Device) -> usize {
    let mut misfits = 0;
    let mut ids: Vec<MeterId> = model.sources.iter().map(|source| source.id).collect();
    ids.sort_unstable();
    ids.dedup();
    for id in ids {
        let sources: Vec<(&MeterSource, Option<Raw>)> = model
            .sources
            .iter()
            .zip(device.values())
            .enumerate()
            .filter(|(slot, (source, _))| source.id == id && !device.follows(*slot))
            .map(|(slot, (source, value))| {
                let known = !device.withholds(slot);
                let raw = || raw(&source.scale, &source.codes, source.flag, value, device);
                (source, known.then(raw).flatten())
            })
            .collect();
        let number = |place: MeterPlace| {
            let found = sources.iter().find(|(source, _)| source.place == place);
            found.and_then(|(_, raw)| raw.as_ref()?.number())
        };
        let heat = meter.meter_type().kind() == Measures::Heat;
        let body = match id {
            MeterId::CURRENT | MeterId::CURRENT_HEAT_COOLING if heat => heat_of(id, &number),
            MeterId::CURRENT => volume_of(&number),
            _ => single(&number, heat),
        };
        misfits += usize::from(body.is_none());
        let mut body = body.unwrap_or_default();
        for (source, raw) in &sources {
            if let MeterPlace::Raw { at, field } = source.place {
                misfits += usize::from(!put(&mut body, at, field, raw.as_ref()));
            }
        }
        meter.set(id, body);
    }
    misfits
}

type Number<'a> = &'a dyn Fn(MeterPlace) -> Option<f64>;

fn quantity(number: Number<'_>, place: MeterPlace, unit: MeterUnit) -> Quantity {
    Quantity { value: number(place), unit }
}

fn status(number: Number<'_>) -> Status {
    let valve = match number(MeterPlace::Valve) {
        Some(1.0) => 1,
        Some(3.0) => 3,
        _ => 0,
    };
    let battery = u8::from(number(MeterPlace::BatteryLow).is_some_and(|low| low != 0.0)) << 2;
    Status([valve | battery, 0])
}

fn volume_of(number: Number<'_>) -> Option<Vec<u8>> {
    let reading = VolumeReading {
        current: quantity(number, MeterPlace::Volume, MeterUnit::M3),
        settlement: quantity(number, MeterPlace::SettlementVolume, MeterUnit::M3),
        clock: None,
        status: status(number),
    };
    volume_body(&reading, false)
}

fn heat_of(id: MeterId, number: Number<'_>) -> Option<Vec<u8>> {
    let both = id == MeterId::CURRENT_HEAT_COOLING || number(MeterPlace::Cold).is_some();
    let layout = if both { HeatLayout::HeatAndCooling } else { HeatLayout::Y2004 };
    // A vendor with two decimals means the same bytes by a hundredth of the number.
    let flow = number(MeterPlace::Flow)
        .or_else(|| number(MeterPlace::FlowTwoDecimals).map(|flow| flow / 100.0));
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and what does not fit its field is refused"
    )]
    let hours = number(MeterPlace::Hours).map(|hours| hours.max(0.0) as u32);
    let reading = HeatReading {
        settlement: quantity(number, MeterPlace::SettlementHeat, MeterUnit::KWH),
        current: quantity(number, MeterPlace::Heat, MeterUnit::KWH),
        power: quantity(number, MeterPlace::Power, MeterUnit::KW),
        flow: Quantity { value: flow, unit: MeterUnit::M3_PER_H },
        volume: quantity(number, MeterPlace::Volume, MeterUnit::M3),
        supply: number(MeterPlace::SupplyTemperature),
        return_: number(MeterPlace::ReturnTemperature),
        hours,
        clock: None,
        status: status(number),
        unit_first: false,
        cooling: both.then(|| Cooling {
            settlement: quantity(number, MeterPlace::SettlementCold, MeterUnit::KWH),
            current: quantity(number, MeterPlace::Cold, MeterUnit::KWH),
            supply_pressure: None,
            return_pressure: None,
        }),
        flow_decimals: 4,
    };
    heat_body(&reading, layout)
}

/// One number with its unit, when a point asks for that; nothing otherwise.
fn single(number: Number<'_>, heat: bool) -> Option<Vec<u8>> {
    let Some(value) = number(MeterPlace::Quantity) else { return Some(Vec::new()) };
    let mut body = vec![0; 4];
    let fits = digits(value, 2, &mut body);
    body.push(if heat { MeterUnit::KWH.0 } else { MeterUnit::M3.0 });
    fits.then_some(body)
}

/// What a meter's bytes say, before scale and codes.
enum Raw {
    Number(f64),
    Text(String),
}

impl Raw {
    fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Text(_) => None,
        }
    }
}

fn raw(scale: &Scale, codes: &[Code], flag: bool, value: &Value, device: &Device) -> Option<Raw> {
    if !codes.is_empty() {
        let number = value.number()?;
        #[expect(
            clippy::cast_precision_loss,
            reason = "codes are small, the loader refuses others"
        )]
        let code = codes.iter().find(|code| match value {
            Value::Flag(set) => (code.code != 0) == *set,
            _ => code.code as f64 == number,
        })?;
        return Some(code.raw.parse().map_or_else(|_| Raw::Text(code.raw.clone()), Raw::Number));
    }
    match value {
        Value::Text(text) => Some(Raw::Text(text.to_string())),
        _ if flag => value.number().map(Raw::Number),
        _ => {
            let raw = (value.number()? - scale.offset) / scale.resolve(device.params());
            raw.is_finite().then_some(Raw::Number(raw))
        }
    }
}

/// Writes a field into the data of an identifier, which grow as needed; returns whether it fits.
/// What does not, or is not known, is sent as FFH.
fn put(data: &mut Vec<u8>, at: u8, field: MeterField, raw: Option<&Raw>) -> bool {
    let (begin, length) = (usize::from(at), usize::from(field.length()));
    if data.len() < begin + length {
        data.resize(begin + length, 0);
    }
    let bytes = &mut data[begin..begin + length];
    let fits = match (field, raw) {
        (MeterField::Bits { low, count, .. }, Some(Raw::Number(bits))) => {
            return put_bits(bytes, low, count, *bits);
        }
        (MeterField::Bcd { signed, .. }, Some(Raw::Number(number))) => {
            let whole = digits(*number, 0, bytes);
            let same = matches!(bcd::number(bytes, signed), Ok(Some(_)));
            whole && same && (signed || *number >= 0.0)
        }
        (MeterField::Ascii { .. }, Some(Raw::Text(text))) => {
            bytes.fill(0);
            bytes.iter_mut().zip(text.bytes().rev()).for_each(|(byte, letter)| *byte = letter);
            text.is_ascii() && text.len() <= length
        }
        (MeterField::Digits { .. }, Some(Raw::Text(text))) => {
            // Letters of a made-up text are left out: the field holds only digits.
            let mut nibbles = text.bytes().rev().filter(u8::is_ascii_digit).map(|d| d - b'0');
            for byte in bytes.iter_mut() {
                let low = nibbles.next().unwrap_or(0);
                *byte = nibbles.next().unwrap_or(0) << 4 | low;
            }
            true
        }
        (MeterField::Digits { .. }, Some(Raw::Number(number))) => digits(*number, 0, bytes),
        _ => false,
    };
    if !fits {
        bytes.fill(0xFF);
    }
    fits
}

fn put_bits(bytes: &mut [u8], low: u8, count: u8, bits: f64) -> bool {
    let mask = ((1u64 << count.min(32)) - 1) << low;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and what is too large is cut by the mask and told"
    )]
    let wanted = (bits.max(0.0) as u64) << low;
    let before = bytes.iter().rev().fold(0u64, |whole, &byte| whole << 8 | u64::from(byte));
    let after = before & !mask | wanted & mask;
    bytes.iter_mut().zip(after.to_le_bytes()).for_each(|(byte, new)| *byte = new);
    wanted & !mask == 0 && bits >= 0.0
}
