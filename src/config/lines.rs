//! How the lines of a bus are set, seen over all its devices.

use std::collections::BTreeMap;

use super::read::Context;
use super::wired::factory;
use super::{BusSettings, Connection, DeviceSettings};
use crate::driver::{LineSettings, Transport};
use crate::profile::Binding;
use crate::settings::Fault;

/// Faults and notes about the line settings of the devices of each bus.
pub(super) fn check_lines(
    buses: &[BusSettings],
    devices: &[DeviceSettings],
    context: &mut Context<'_>,
) {
    for (slot, bus) in buses.iter().enumerate() {
        let on_it: Vec<(&DeviceSettings, LineSettings)> = devices
            .iter()
            .filter_map(|device| match device.connection {
                Connection::Bus { bus, line, .. } if bus == slot => Some((device, line)),
                _ => None,
            })
            .collect();
        if matches!(bus.config.transport, Transport::RtuOverTcp { .. }) {
            one_speed(bus, &on_it, context);
        }
        unlike_the_factory(bus, &on_it, context);
    }
}

/// A serial server has the speed that its own page says; nobody can change it from here.
fn one_speed(
    bus: &BusSettings,
    devices: &[(&DeviceSettings, LineSettings)],
    context: &mut Context<'_>,
) {
    let Some(((first, line), others)) = devices.split_first() else { return };
    // One of each setting is told: a wrong model has many devices.
    let mut told = vec![*line];
    for (device, own) in others {
        if told.contains(own) {
            continue;
        }
        told.push(*own);
        let (id, bus_id) = (&device.id, &bus.config.id);
        let problem = (
            format!(
                "`{id}` needs a line of {own}, `{}` one of {line}: a serial server like `{bus_id}` \
                 has one setting for all",
                first.id
            ),
            format!(
                "`{id}` 的线路参数为 {own}，`{}` 的为 {line}：串口服务器 `{bus_id}` 只能有一种设置",
                first.id
            ),
        );
        context.faults.push(Fault::new(device.at.clone(), problem).hint((
            "write `baud` and `frame` of the bus as the server's own page has them, and set the \
             devices so; devices that cannot be set so need a server of their own",
            "请按串口服务器网页上的设置写总线的 `baud` 和 `frame`，并把各设备设成一致；不能设成一致的设备另接一台串口服务器",
        )));
    }
}

/// Meters of the RS-485 protocols whose bus says something else than what they leave the factory
/// with. It may be right, so it is a note, one for each model of a bus.
fn unlike_the_factory(
    bus: &BusSettings,
    devices: &[(&DeviceSettings, LineSettings)],
    context: &mut Context<'_>,
) {
    let mut models: BTreeMap<&str, (&DeviceSettings, LineSettings, LineSettings, usize)> =
        BTreeMap::new();
    for (device, line) in devices {
        let serial = match &device.profile.binding {
            Binding::Dlt645(model) => model.manners.serial,
            Binding::Cjt188(model) => model.manners.serial,
            Binding::Modbus { .. } | Binding::Mqtt(_) => continue,
        };
        let model = factory(serial);
        let from_bus = (bus.config.baud == Some(line.baud) && line.baud != model.baud)
            || (bus.config.frame == Some((line.parity, line.stop_bits))
                && (line.parity, line.stop_bits) != (model.parity, model.stop_bits));
        if from_bus {
            models.entry(&device.profile.id).or_insert((device, *line, model, 0)).3 += 1;
        }
    }
    for (id, (device, line, model, count)) in models {
        let problem = (
            format!(
                "{count} of {id} are read with {line}, as bus `{}` says; the model leaves the factory with {model}",
                bus.config.id
            ),
            format!(
                "{count} 台 {id} 按总线 `{}` 的设置以 {line} 读取，而该型号出厂设置为 {model}",
                bus.config.id
            ),
        );
        context.notes.push(Fault::new(device.at.clone(), problem).hint((
            "right when the meters were set so; otherwise write `baud` and `frame` of the device",
            "若表计已改为此设置则无误，否则请在设备处写 `baud` 和 `frame`",
        )));
    }
}
