//! From settings to the estate that everybody shares.

use super::{Connection, DeviceSettings, Settings};
use crate::model::{Device, Estate};
use crate::profile::Profile;

impl Settings {
    /// The estate as configured: devices in the order of the file.
    ///
    /// # Panics
    /// Never for settings that were read: names are unique and profiles bounded.
    pub fn estate(&self) -> Estate {
        let devices = self.devices.iter().map(|device| self.device(device)).collect();
        Estate::new(self.gateway.clone(), self.name.clone(), self.estate_kind, devices)
            .expect("reading the settings refused double names and oversized profiles")
    }

    fn device(&self, device: &DeviceSettings) -> Device {
        let (connection, bus) = match &device.connection {
            Connection::Bus { bus, address, .. } => {
                let bus = self.buses[*bus].config.id.clone();
                (format!("{bus} {address}"), Some(bus))
            }
            Connection::Mqtt { base } => (format!("mqtt {base}"), None),
        };
        Device {
            id: device.id.clone(),
            name: device.name.clone(),
            place: device.place.clone(),
            owner: device.owner.clone(),
            maintainer: device.maintainer.clone(),
            category: device.profile.category,
            profile: device.profile.id.clone(),
            product: product(&device.profile),
            connection,
            bus,
            expected_every: device.period,
            points: device.points.clone(),
            groups: device.profile.groups.as_slice().into(),
            derived: device.profile.derived.as_slice().into(),
        }
    }
}

/// Brand and models, which read the same in both languages.
fn product(profile: &Profile) -> String {
    let mut text = String::new();
    let mut brand = "";
    for product in &profile.products {
        if !text.is_empty() {
            text.push_str(" / ");
        }
        if product.brand != brand {
            brand = &product.brand;
            text.push_str(brand);
            text.push(' ');
        }
        text.push_str(&product.model);
    }
    if text.is_empty() { profile.id.clone() } else { text }
}
