//! What the buses have to carry, and whether they can.

use super::read::Context;
use super::{BusSettings, Connection, DeviceSettings};
use crate::driver::Transport;
use crate::driver::bus::{Polled, Remedy, Weight, weigh};
use crate::model::{DeviceId, Words};
use crate::settings::Fault;

/// Devices named as the costliest of a full bus.
const CONSUMERS: usize = 3;

/// Estimates what each bus has to carry; more than a serial line can is a fault.
pub(super) fn weigh_buses(
    buses: &mut [BusSettings],
    devices: &[DeviceSettings],
    context: &mut Context<'_>,
) {
    for (slot, bus) in buses.iter_mut().enumerate() {
        let (names, on_it): (Vec<&DeviceId>, Vec<Polled<'_>>) = devices
            .iter()
            .filter_map(|device| match device.connection {
                Connection::Bus { bus, address, line, .. } if bus == slot => Some((
                    &device.id,
                    Polled { profile: &device.profile, address, line, period: device.period },
                )),
                _ => None,
            })
            .unzip();
        let weight = weigh(&bus.config, &on_it);
        bus.devices = weight.consumers.iter().map(|one| names[one.device].clone()).collect();
        if on_it.is_empty() {
            let problem = ("no device hangs on this bus", "此总线上没有设备");
            context.notes.push(Fault::new(bus.at.clone(), problem));
        } else if weight.tight() {
            // What a line can carry is known; how fast an endpoint answers is a guess.
            let line = matches!(bus.config.transport, Transport::Serial { .. });
            if weight.too_much() && line {
                let hint = remedies(&weight, &bus.devices);
                context.faults.push(
                    Fault::new(bus.at.clone(), weight.told()).allowed("at most 100 %").hint(hint),
                );
            } else {
                let load = weight.budget.load * 100.0;
                let problem = (
                    format!("its polls take {load:.0} % of the bus"),
                    format!("其轮询占总线时间 {load:.0} %"),
                );
                context.notes.push(Fault::new(bus.at.clone(), problem));
            }
        }
        bus.weight = weight;
    }
}

/// What to change, in one sentence, and which devices cost most.
fn remedies(weight: &Weight, devices: &[DeviceId]) -> Words {
    let all: Vec<Words> = weight.remedies.iter().map(Remedy::told).collect();
    let join =
        |side: fn(&Words) -> &str, or: &str| all.iter().map(side).collect::<Vec<_>>().join(or);
    let most: Vec<&str> = devices.iter().take(CONSUMERS).map(DeviceId::as_str).collect();
    let most = most.join(", ");
    let (mut en, mut zh) = (join(|words| &words.en, "; or "), join(|words| &words.zh, "；或"));
    if all.is_empty() {
        (en, zh) = ("read less on it".to_owned(), "减少此总线上的设备或测点".to_owned());
    }
    (format!("{en}; the costliest: {most}"), format!("{zh}；耗时最多：{most}")).into()
}
