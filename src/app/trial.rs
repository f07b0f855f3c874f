//! The field side of the daemon alone: real drivers and the real pipeline, for a few devices,
//! without buffer, uplink and page. Nothing is kept, nothing is sent.
//!
//! What comes out is what the buffer would store, over a bounded channel; the present state of
//! every point stands in the snapshot.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::field::Buses;
use super::{ACTS, Joints, RECORDS};
use crate::clock::Clock;
use crate::config::Settings;
use crate::driver::bus::LessonBook;
use crate::driver::mqtt::{BrokerStatus, Heard, Tap};
use crate::model::{BusTable, DeviceIndex, Estate, FieldRequest, PointIndex, Record, Snapshot};
use crate::pipeline::{Act, Pipeline};
use crate::status::BusLine;
use crate::supervise::{Failure, Part};

/// Longest orderly end.
const GRACE: Duration = Duration::from_secs(5);
/// Messages of the field broker that wait for whoever listens in.
const HEARD: usize = 256;

/// Devices under trial; ends with its handle.
#[derive(Debug)]
pub struct Trial {
    /// The devices.
    pub estate: Arc<Estate>,
    /// The present state of every point.
    pub snapshot: Snapshot,
    /// The clock that the moments come from.
    pub clock: Clock,
    /// The buses, in the order of the settings: what was asked and answered.
    pub lines: Vec<BusLine>,
    /// How the buses do, in the order of the settings.
    pub buses: BusTable,
    /// How the field broker does, when devices publish.
    pub broker: Option<watch::Receiver<BrokerStatus>>,
    /// Messages of the field broker as they came.
    pub heard: mpsc::Receiver<Heard>,
    drivers: Vec<Option<mpsc::Sender<FieldRequest>>>,
    records: mpsc::Receiver<Record>,
    _acts: mpsc::Sender<Act>,
    stop: CancellationToken,
    running: Option<JoinHandle<Result<(), Failure>>>,
}

impl Trial {
    /// Starts the drivers of all devices of the settings, and the pipeline. Must be called within
    /// a tokio runtime.
    pub fn start(settings: &Settings) -> Self {
        let (mut joints, field_out) = Joints::new(settings);
        let Joints { estate, clock, snapshot, .. } = &joints;
        clock.judge();
        let (estate, clock, snapshot) = (Arc::clone(estate), clock.clone(), snapshot.clone());
        let (records_in, records) = mpsc::channel(RECORDS);
        let (acts, acts_out) = mpsc::channel(ACTS);
        let Buses { table: buses, drivers, lines } = joints.buses(settings, &LessonBook::default());
        let (tap, heard) = Tap::new(HEARD);
        let broker = joints.field_broker(settings, Arc::new(|| ()), (Some(tap), None));
        let (pipeline, _) = Pipeline::new(snapshot.clone(), clock.clone(), drivers.clone(), None);
        let stage = pipeline.run(field_out, acts_out, records_in);
        joints.supervisor.spawn(Part::Stage, "pipeline", stage);
        let Joints { supervisor, .. } = joints;
        let stop = CancellationToken::new();
        let ended = supervisor.run(stop.clone().cancelled_owned(), GRACE);
        #[expect(clippy::disallowed_methods, reason = "joined in `end`, told to stop by `drop`")]
        let running = Some(tokio::spawn(ended));
        Self {
            estate,
            snapshot,
            clock,
            lines,
            buses,
            broker,
            heard,
            drivers,
            records,
            _acts: acts,
            stop,
            running,
        }
    }

    /// What the buffer would store next; `None` when the trial is over. A message of the field
    /// broker counts as kept once it was given out here.
    pub async fn next(&mut self) -> Option<Record> {
        let mut record = self.records.recv().await?;
        if let Record::Readings(batch) = &mut record
            && let Some(receipt) = batch.receipt.take()
        {
            receipt.confirm();
        }
        Some(record)
    }

    /// Asks for all points of a device at once, whatever their periods. `false`: the bus has no
    /// room for the request now, or the device publishes by itself.
    pub fn read_again(&self, device: DeviceIndex) -> bool {
        let count = u16::try_from(self.estate.device(device).points.len()).unwrap_or(u16::MAX);
        let points = (0..count).map(PointIndex).collect();
        let driver = self.drivers[device.slot()].as_ref();
        driver.is_some_and(|driver| {
            driver.try_send(FieldRequest::ReadAgain { device, points }).is_ok()
        })
    }

    /// Ends it and waits for the end of every task.
    ///
    /// # Errors
    /// A task had failed, or did not stop.
    pub async fn end(mut self) -> Result<(), Failure> {
        self.stop.cancel();
        self.drivers.clear();
        let Some(running) = self.running.take() else { return Ok(()) };
        // The pipeline may wait for room: what nobody wants any more makes it.
        let records = &mut self.records;
        let drained = async { while records.recv().await.is_some() {} };
        let (ended, ()) = tokio::join!(running, drained);
        ended.unwrap_or_else(|_| Err(Failure::Panicked("supervisor".to_owned())))
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
