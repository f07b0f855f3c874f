//! The field side of the joints: a task for each bus, one for the field broker.

use std::sync::Arc;

use tokio::sync::{mpsc, watch};

use super::{Joints, ORDERS, READ_AGAIN};
use crate::config::{Connection, Settings};
use crate::driver::bus::{Bus, BusDevice, LessonBook, Ports};
use crate::driver::mqtt::{BrokerStatus, Driver, MqttDevice, Tap};
use crate::driver::record::FrameLog;
use crate::model::{BusState, BusTable, DeviceIndex, FieldRequest};
use crate::status::BusLine;
use crate::supervise::Part;

/// The buses, for those who look at them or ask them.
pub(super) struct Buses {
    pub table: BusTable,
    /// Per device, how to ask its bus.
    pub drivers: Vec<Option<mpsc::Sender<FieldRequest>>>,
    /// In the order of the table.
    pub lines: Vec<BusLine>,
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

    /// The task at the field broker, if devices publish; `tap` hears every message too.
    pub(super) fn field_broker(
        &mut self,
        settings: &Settings,
        hurry: Arc<dyn Fn() + Send + Sync>,
        tap: Option<Tap>,
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
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "field broker", driver.run(stop));
        Some(status)
    }
}
