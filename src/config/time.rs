//! The section `[clock]` against the others: the meter that gives the time must be one that can.

use super::read::Context;
use super::{Connection, DeviceSettings};
use crate::clock::Config;
use crate::profile::Binding;
use crate::protocol::dlt645::Edition;
use crate::settings::{Fault, meant_value, nearest};

pub(super) fn check(clock: &Config, devices: &[DeviceSettings], context: &mut Context<'_>) {
    let (Some(meter), Some(place)) = (&clock.meter, &clock.meter_at) else { return };
    let Some(device) = devices.iter().find(|device| device.id == *meter) else {
        let names = devices.iter().filter(|device| has_clock(device)).map(|d| d.id.as_str());
        let hint = nearest(meter.as_str(), names).map(meant_value);
        let problem = ("there is no such device", "没有这个设备");
        context.faults.push(Fault::new(place.clone(), problem).maybe_hint(hint));
        return;
    };
    if !has_clock(device) {
        let profile = &device.profile.id;
        context.faults.push(
            Fault::new(
                place.clone(),
                (
                    format!("`{meter}` has no clock that can be read: `{profile}`"),
                    format!("`{meter}` 没有可读的时钟：`{profile}`"),
                ),
            )
            .hint((
                "name a meter that speaks DL/T 645-2007 on a bus",
                "请填写总线上的 DL/T 645-2007 电表",
            )),
        );
    }
}

fn has_clock(device: &DeviceSettings) -> bool {
    let speaks = |binding: &Binding| match binding {
        Binding::Dlt645(model) => model.edition == Edition::V2007,
        _ => false,
    };
    matches!(device.connection, Connection::Bus { .. }) && speaks(&device.profile.binding)
}
