//! Modbus devices, unit id by unit id.

use std::time::Duration;

use super::machine::{Effect, Found, ScanProbe, Speaks};
use super::plan::{Kind, ScanPlan};
use crate::driver::bus::{Answer, Ask, Fault, Heard};
use crate::driver::{BusAddress, LineSettings};
use crate::profile::Table;

/// Wait for an answer on a line; devices of the field answer within 20 to 150 ms.
const PATIENCE: Duration = Duration::from_millis(200);
/// Over a network.
const PATIENCE_TCP: Duration = Duration::from_millis(500);
/// A gateway says that behind it nobody answers: path unavailable, target does not respond.
const NOBODY: [u8; 2] = [0x0A, 0x0B];
/// An endpoint that answers at all of these is one device that looks at no unit id.
const TELLING: [u8; 3] = [1, 247, 246];
/// So many ids with damaged answers are noise, not devices that share an id.
const FEW: usize = 3;

/// Wait for an answer.
pub(super) fn patience(plan: &ScanPlan) -> Duration {
    let usual = if plan.kind == Kind::Mbap { PATIENCE_TCP } else { PATIENCE };
    plan.patience.unwrap_or(usual)
}

/// The unit ids at one setting.
#[derive(Debug)]
pub(super) struct Units {
    line: LineSettings,
    units: Vec<u8>,
    at: usize,
    again: bool,
    present: Vec<u8>,
    damaged: Vec<u8>,
}

impl Units {
    pub(super) fn new(line: LineSettings, units: Vec<u8>) -> Self {
        Self { line, units, at: 0, again: false, present: Vec::new(), damaged: Vec::new() }
    }

    /// The setting of the line.
    pub(super) fn line(&self) -> LineSettings {
        self.line
    }

    /// The next question. A device that was found answers at other framings of the same rate as
    /// well, or disturbs: its id is not asked for again there.
    pub(super) fn next(&mut self, plan: &ScanPlan, found: &[Found]) -> Option<ScanProbe> {
        let taken = |unit: u8| {
            found.iter().any(|one| {
                one.address == BusAddress::Unit(unit)
                    && one.line.baud == self.line.baud
                    && one.line != self.line
            })
        };
        while self.units.get(self.at).is_some_and(|&unit| taken(unit)) {
            self.at += 1;
        }
        let unit = *self.units.get(self.at)?;
        let ask = Ask::Registers { unit, table: Table::Holding, address: 0, quantity: 1 };
        let patience = patience(plan);
        Some(ScanProbe { line: self.line, ask, patience, listen: Duration::ZERO })
    }

    /// What came of it.
    pub(super) fn heard(&mut self, heard: &Heard, plan: &ScanPlan, out: &mut Vec<Effect>) {
        let Some(&unit) = self.units.get(self.at) else { return };
        let (line, address) = (self.line, BusAddress::Unit(unit));
        let here = match &heard.outcome {
            Ok(Answer::Exception(code)) => !NOBODY.contains(code),
            Ok(_) => true,
            Err(Fault::Damaged | Fault::Foreign) if !self.again => {
                self.again = true;
                return;
            }
            Err(Fault::Damaged | Fault::Foreign) => {
                self.damaged.push(unit);
                out.push(Effect::Noise { line, bytes: heard.bytes.clone() });
                false
            }
            Err(Fault::Silent | Fault::Unset(_) | Fault::Lost(_) | Fault::Broken(_)) => false,
        };
        self.again = false;
        self.at += 1;
        if here {
            self.present.push(unit);
            out.push(Effect::Found { address, speaks: Speaks::Modbus, line });
            if plan.kind == Kind::Mbap && TELLING.iter().all(|id| self.present.contains(id)) {
                out.push(Effect::EveryUnit { line });
                self.at = self.units.len();
            }
        }
        if self.at >= self.units.len() {
            self.finish(out);
        }
    }

    /// Damage at few ids where others answer clearly: two devices share the id.
    fn finish(&self, out: &mut Vec<Effect>) {
        if !self.present.is_empty() && self.damaged.len() <= FEW {
            let shared =
                |&unit: &u8| Effect::Shared { line: self.line, address: BusAddress::Unit(unit) };
            out.extend(self.damaged.iter().map(shared));
        }
    }

    /// Questions left.
    pub(super) fn left(&self) -> usize {
        self.units.len() - self.at.min(self.units.len())
    }
}
