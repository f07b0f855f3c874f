//! Readings to bodies: what a simulated meter answers.

use super::{HeatReading, Quantity, VolumeReading};
use crate::protocol::{MeterTime, bcd};

/// A number that has no place in its field.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("{field} cannot carry {value}: {bytes} bytes of decimal digits, {decimals} decimals")]
pub struct DoesNotFit {
    /// Name of the field.
    pub field: &'static str,
    /// The number.
    pub value: f64,
    /// Its bytes on the wire.
    pub bytes: usize,
    /// Its decimals on the wire.
    pub decimals: u8,
}

impl VolumeReading {
    /// The body of 19 bytes, units behind their values. What is `None` is sent as FFH.
    ///
    /// # Errors
    /// A number has more digits than its field, or is negative.
    pub fn to_body(&self) -> Result<Vec<u8>, DoesNotFit> {
        let mut body = Body { bytes: Vec::with_capacity(19), unit_first: false };
        body.quantity("the current volume", &self.current, 2, false)?;
        body.quantity("the settlement volume", &self.settlement, 2, false)?;
        body.clock(self.clock)?;
        body.bytes.extend(self.status.0);
        Ok(body.bytes)
    }
}

impl HeatReading {
    /// The body of 43 bytes as in 2004, with `unit_first` and `flow_decimals` as they stand;
    /// `cooling` has no place in it. What is `None` is sent as FFH.
    ///
    /// # Errors
    /// A number has more digits than its field, or is negative where no sign belongs.
    pub fn to_body(&self) -> Result<Vec<u8>, DoesNotFit> {
        let mut body = Body { bytes: Vec::with_capacity(43), unit_first: self.unit_first };
        body.quantity("the settlement heat", &self.settlement, 2, false)?;
        body.quantity("the current heat", &self.current, 2, false)?;
        body.quantity("the power", &self.power, 2, true)?;
        body.quantity("the flow", &self.flow, self.flow_decimals, true)?;
        body.quantity("the volume", &self.volume, 2, false)?;
        body.number("the supply temperature", self.supply, 3, 2, true)?;
        body.number("the return temperature", self.return_, 3, 2, true)?;
        body.number("the operating hours", self.hours.map(f64::from), 3, 0, false)?;
        body.clock(self.clock)?;
        body.bytes.extend(self.status.0);
        Ok(body.bytes)
    }
}

struct Body {
    bytes: Vec<u8>,
    unit_first: bool,
}

impl Body {
    fn number(
        &mut self,
        field: &'static str,
        value: Option<f64>,
        bytes: usize,
        decimals: u8,
        signed: bool,
    ) -> Result<(), DoesNotFit> {
        let place = self.bytes.len();
        self.bytes.resize(place + bytes, 0xFF);
        let Some(value) = value else {
            return Ok(());
        };
        let fault = DoesNotFit { field, value, bytes, decimals };
        let digits = (value * 10f64.powi(i32::from(decimals))).round();
        // Twelve digits are more than any field has, and far from where doubles lose whole ones.
        if !digits.is_finite() || digits.abs() >= 1e12 || (digits < 0.0 && !signed) {
            return Err(fault);
        }
        let slot = &mut self.bytes[place..];
        let fits = bcd::write(digits as i64, slot);
        // With a sign the top bit is no digit.
        let sign_free = !signed || digits < 0.0 || slot.last().is_none_or(|top| top & 0x80 == 0);
        if fits && sign_free { Ok(()) } else { Err(fault) }
    }

    fn quantity(
        &mut self,
        field: &'static str,
        quantity: &Quantity,
        decimals: u8,
        signed: bool,
    ) -> Result<(), DoesNotFit> {
        if self.unit_first {
            self.bytes.push(quantity.unit.0);
        }
        self.number(field, quantity.value, 4, decimals, signed)?;
        if !self.unit_first {
            self.bytes.push(quantity.unit.0);
        }
        Ok(())
    }

    fn clock(&mut self, clock: Option<MeterTime>) -> Result<(), DoesNotFit> {
        let Some(MeterTime { year, month, day, hour, minute, second }) = clock else {
            self.bytes.extend([0xFF; 7]);
            return Ok(());
        };
        for part in [second, minute, hour, day, month] {
            self.number("the clock", Some(f64::from(part)), 1, 0, false)?;
        }
        self.number("the clock", Some(f64::from(year)), 2, 0, false)
    }
}
