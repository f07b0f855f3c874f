//! The field side of the joints: a task for each bus, one for the field broker.

use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};

use super::alarms::Watcher;
use super::{Joints, ORDERS, READ_AGAIN};
use crate::config::{Connection, Settings};
use crate::driver::bus::{Bus, BusDevice, LessonBook, Ports};
use crate::driver::mqtt::{BrokerStatus, Driver, MqttDevice, Post, Tap};
use crate::driver::record::FrameLog;
use crate::model::{BusState, BusTable, DeviceIndex, FieldMessage, FieldRequest, Record};
use crate::pipeline::{Act, Baselines, Pipeline, Progress};
use crate::status::BusLine;
use crate::store::Store;
use crate::supervise::Part;

/// The buses, for those who look at them or ask them.
pub(super) struct Buses {
    pub table: BusTable,
    /// Per device, how to ask its bus.
    pub drivers: Vec<Option<mpsc::Sender<FieldRequest>>>,
    /// In the order of the table.
    pub lines: Vec<BusLine>,
}

/// What was learned about the models.
///
/// # Errors
/// It cannot be read.
pub(super) fn lessons(store: &Store) -> anyhow::Result<LessonBook> {
    LessonBook::load(store.tree("lessons")).context("what was learned about the models")
}

impl Joints {
    /// One task per bus.
    pub(super) fn buses(&mut self, settings: &Settings, book: &LessonBook) -> Buses {
        let mut drivers = vec![None; settings.devices.len()];
        let mut per_bus: Vec<Vec<BusDevice>> = settings.buses.iter().map(|_| Vec::new()).collect();
        for (index, device) in (0u32..).map(DeviceIndex).zip(&settings.devices) {
            if let Connection::Bus { bus, address, line, allow } = &device.connection {
                let title = if device.name.is_empty() { device.id.as_str() } else { &device.name };
                per_bus[*bus].push(BusDevice {
                    index,
                    id: device.id.clone(),
                    title: title.to_owned(),
                    address: *address,
                    line: *line,
                    allow: allow.clone(),
                    profile: Arc::clone(&device.profile),
                    params: device.params.clone(),
                    period: device.period,
                });
            }
        }
        let now = self.clock.now();
        let rows = settings.buses.iter().zip(&per_bus).map(|(bus, devices)| BusState {
            id: bus.config.id.clone(),
            line: bus.config.transport.to_string(),
            devices: devices.len(),
            open: false,
            fault: None,
            since: now,
            load: 0.0,
            counters: Default::default(),
            planned: bus.weight.budget,
            measured: None,
            units: Vec::new(),
            findings: Vec::new(),
        });
        let table = BusTable::new(rows.collect());
        let mut lines = Vec::with_capacity(settings.buses.len());
        for (row, (bus, devices)) in settings.buses.iter().zip(per_bus).enumerate() {
            let (ask, requests) = mpsc::channel(READ_AGAIN);
            for device in &devices {
                drivers[device.index.slot()] = Some(ask.clone());
            }
            let (order, orders) = mpsc::channel(ORDERS);
            let mbap = !bus.config.transport.is_serial();
            let log = FrameLog::new(bus.config.id.clone(), mbap);
            lines.push(BusLine { id: bus.config.id.clone(), order, log: log.clone() });
            let ports = Ports {
                table: table.clone(),
                row,
                clock: self.clock.clone(),
                out: self.field.clone(),
                requests,
                orders,
                log,
                book: book.clone(),
            };
            let task = Bus::new(bus.config.clone(), devices, ports);
            let stop = self.supervisor.token(Part::Source);
            self.supervisor.spawn(Part::Source, format!("bus {}", bus.config.id), task.run(stop));
        }
        Buses { table, drivers, lines }
    }

    /// The pipeline, between the drivers and the recorder; `ends` are what comes from the field, from
    /// the page, and what goes to the recorder. Returns its progress.
    ///
    /// # Errors
    /// Where the counters stood cannot be read.
    pub(super) fn pipeline(
        &mut self,
        drivers: Vec<Option<mpsc::Sender<FieldRequest>>>,
        store: &Store,
        ends: (mpsc::Receiver<FieldMessage>, mpsc::Receiver<Act>, mpsc::Sender<Record>),
        watcher: Watcher,
    ) -> anyhow::Result<Progress> {
        let counters = Baselines::load(store.tree("counters"), &self.estate)
            .context("where the counters stood")?;
        let (snapshot, clock) = (self.snapshot.clone(), self.clock.clone());
        let (pipeline, progress) = Pipeline::new(snapshot, clock, drivers, Some(counters));
        let pipeline = pipeline.heard_by(self.keep_history());
        let (field, acts, records) = ends;
        let pipeline = pipeline.watched_by(watcher.eyes, watcher.out);
        let task = pipeline.run(field, acts, records);
        self.supervisor.spawn(Part::Stage, "pipeline", task);
        Ok(progress)
    }

    /// The task at the field broker, if devices publish; `tap` hears every message too, `posts` are
    /// sent to the devices.
    pub(super) fn field_broker(
        &mut self,
        settings: &Settings,
        hurry: Arc<dyn Fn() + Send + Sync>,
        (tap, posts): (Option<Tap>, Option<mpsc::Receiver<Post>>),
    ) -> Option<watch::Receiver<BrokerStatus>> {
        let config = settings.mqtt.clone()?;
        let devices = (0u32..)
            .map(DeviceIndex)
            .zip(&settings.devices)
            .filter_map(|(index, device)| match &device.connection {
                Connection::Mqtt { base } => Some(MqttDevice {
                    index,
                    profile: Arc::clone(&device.profile),
                    base: base.clone(),
                    params: device.params.clone(),
                }),
                Connection::Bus { .. } => None,
            })
            .collect();
        let (mut driver, status) = Driver::new(
            config,
            devices,
            Arc::clone(&self.estate),
            self.clock.clone(),
            self.field.clone(),
            hurry,
        );
        let broker = status.borrow().broker.clone();
        self.presented.push(("mqtt".into(), broker, driver.presented()));
        if let Some(tap) = tap {
            driver.listen_in(tap);
        }
        if let Some(posts) = posts {
            driver.attend(posts);
        }
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "field broker", driver.run(stop));
        Some(status)
    }
}
