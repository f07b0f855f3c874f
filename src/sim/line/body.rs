//! The data of a CJ/T 188 current reading from its values: the reverse of
//! [`cjt188::current`](crate::protocol::cjt188::current).

use crate::protocol::cjt188::{HeatReading, Quantity, VolumeReading};
use crate::protocol::{MeterTime, bcd};

/// Which layout a heat meter sends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HeatLayout {
    /// 43 bytes: the standard of 2004.
    Y2004,
    /// 40 bytes: the short one of 2018.
    Y2018,
    /// 54 bytes: heat and cold counted apart (911F).
    HeatAndCooling,
}

/// The data of a water or gas meter: 19 bytes. `None` when a number does not fit its field.
pub fn volume_body(reading: &VolumeReading, unit_first: bool) -> Option<Vec<u8>> {
    let mut body = Body { bytes: Vec::with_capacity(19), unit_first };
    body.quantity(reading.current, 4, 2)?;
    body.quantity(reading.settlement, 4, 2)?;
    body.clock(reading.clock);
    body.bytes.extend(reading.status.0);
    Some(body.bytes)
}

/// The data of a heat meter; the units stand where `unit_first` of the reading says. `None` when a
/// number does not fit its field. Cold that the reading does not have is sent as FFH.
pub fn heat_body(reading: &HeatReading, layout: HeatLayout) -> Option<Vec<u8>> {
    let (rate, temperature, hours) = match layout {
        HeatLayout::Y2004 => (4, 3, 3),
        HeatLayout::Y2018 | HeatLayout::HeatAndCooling => (3, 2, 4),
    };
    let flow_decimals = if layout == HeatLayout::Y2018 { 3 } else { 4 };
    let both = layout == HeatLayout::HeatAndCooling;
    let none = |unit| Quantity { value: None, unit };
    let cold = |pick: fn(&crate::protocol::cjt188::Cooling) -> Quantity| {
        reading.cooling.as_ref().map_or(none(reading.current.unit), pick)
    };
    let mut body = Body { bytes: Vec::with_capacity(54), unit_first: reading.unit_first };
    body.quantity(reading.settlement, 4, 2)?;
    if both {
        body.quantity(cold(|cooling| cooling.settlement), 4, 2)?;
    }
    body.quantity(reading.current, 4, 2)?;
    if both {
        body.quantity(cold(|cooling| cooling.current), 4, 2)?;
    }
    body.quantity(reading.power, rate, 2)?;
    body.quantity(reading.flow, rate, flow_decimals)?;
    body.quantity(reading.volume, 4, 2)?;
    body.number(reading.supply, temperature, 2)?;
    body.number(reading.return_, temperature, 2)?;
    if both {
        body.number(reading.cooling.and_then(|cooling| cooling.supply_pressure), 2, 2)?;
        body.number(reading.cooling.and_then(|cooling| cooling.return_pressure), 2, 2)?;
    }
    body.number(reading.hours.map(f64::from), hours, 0)?;
    body.clock(reading.clock);
    body.bytes.extend(reading.status.0);
    Some(body.bytes)
}

struct Body {
    bytes: Vec<u8>,
    unit_first: bool,
}

impl Body {
    fn quantity(&mut self, quantity: Quantity, width: usize, decimals: u8) -> Option<()> {
        if self.unit_first {
            self.bytes.push(quantity.unit.0);
        }
        self.number(quantity.value, width, decimals)?;
        if !self.unit_first {
            self.bytes.push(quantity.unit.0);
        }
        Some(())
    }

    /// FFH when there is none.
    fn number(&mut self, value: Option<f64>, width: usize, decimals: u8) -> Option<()> {
        let begin = self.bytes.len();
        self.bytes.resize(begin + width, 0xFF);
        match value {
            None => Some(()),
            Some(value) => digits(value, decimals, &mut self.bytes[begin..]).then_some(()),
        }
    }

    fn clock(&mut self, clock: Option<MeterTime>) {
        let Some(t) = clock else {
            self.bytes.extend([0xFF; 7]);
            return;
        };
        let pair = |number: u16| u8::try_from(number % 100).expect("below 100");
        let fields = [t.second, t.minute, t.hour, t.day, t.month, pair(t.year), pair(t.year / 100)];
        self.bytes.extend(fields.map(|value| (value / 10 % 10) << 4 | value % 10));
    }
}

/// Writes a number with this many decimals; returns whether it fits.
pub(super) fn digits(value: f64, decimals: u8, bytes: &mut [u8]) -> bool {
    let raw = (value * 10f64.powi(i32::from(decimals))).round();
    if !raw.is_finite() || raw.abs() >= 1e15 {
        return false;
    }
    #[expect(clippy::cast_possible_truncation, reason = "its range was checked")]
    let raw = raw as i64;
    bcd::write(raw, bytes)
}
