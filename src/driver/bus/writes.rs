//! Writes of registers, by order of the command path.

use tokio::sync::oneshot;
use tokio::time::Instant;

use super::ask::Ask;
use super::errands::ControlRefused;
use super::owner::Bus;
use super::session::{Answer, Fault, Session};
use crate::driver::BusAddress;
use crate::model::{DeviceIndex, Health, PointIndex};
use crate::profile::Table;

/// A write of registers. What may be written to which device was checked by the command path.
#[derive(Debug)]
pub struct RegisterWrite {
    /// Which device.
    pub device: DeviceIndex,
    /// `Holding` or `Coil`.
    pub table: Table,
    /// First address.
    pub address: u16,
    /// What is written, coils as 0 and 1.
    pub words: Vec<u16>,
    /// Functions 15 and 16 instead of 5 and 6.
    pub multiple: bool,
    /// Who ordered it.
    pub by: String,
    /// Not to be begun after this.
    pub expires: Instant,
    /// The point that must show it: read at once.
    pub read_back: Option<PointIndex>,
    /// Where the outcome goes.
    pub reply: oneshot::Sender<Result<(), ControlRefused>>,
}

impl Bus {
    /// Writes once: what was not answered may have been done, and is not tried again.
    pub(super) async fn write(
        &mut self,
        session: &mut Session,
        write: &RegisterWrite,
    ) -> Result<(), ControlRefused> {
        let slot = self.units.iter().position(|unit| unit.index == write.device);
        let slot = slot.ok_or(ControlRefused::NoSuchDevice)?;
        if write.expires <= Instant::now() {
            return Err(ControlRefused::Expired);
        }
        let unit = &self.units[slot];
        if unit.tracker.health() != Health::Online {
            return Err(ControlRefused::NotReachable);
        }
        let BusAddress::Unit(address) = unit.manners.address else {
            return Err(ControlRefused::WrongKind);
        };
        let ask = Ask::Write {
            unit: address,
            table: write.table,
            address: write.address,
            words: write.words.clone(),
            multiple: write.multiple,
        };
        let manners = unit.manners;
        let exchange = session.exchange(&manners, &ask).await;
        self.beside(Some(manners.address), &exchange);
        let outcome = match exchange.outcome {
            Ok(Answer::Written) => Ok(()),
            Ok(Answer::Exception(code)) => {
                Err(ControlRefused::Refused(format!("exception {code}")))
            }
            // Nothing was sent.
            Err(Fault::Unset(_) | Fault::Lost(_)) => Err(ControlRefused::NotReachable),
            _ => Err(ControlRefused::Unknown),
        };
        tracing::info!(
            bus = %self.config.id, device = %self.units[slot].id, address = write.address,
            words = ?write.words, by = write.by, ?outcome, "registers written"
        );
        if !matches!(outcome, Err(ControlRefused::NotReachable))
            && let Some(point) = write.read_back
        {
            let blocks: Vec<usize> = self.units[slot].blocks_of(&[point]).collect();
            blocks.into_iter().for_each(|block| self.schedule.again(slot, block));
        }
        outcome
    }
}
