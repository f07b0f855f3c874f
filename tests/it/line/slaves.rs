//! A mixed estate on one pair: models of four protocols, their slaves, and what the bus knows of
//! them. The benchmark of the line uses it too.

use std::sync::Arc;
use std::time::Duration;

use linli::driver::bus::BusDevice;
use linli::driver::{BusAddress, LineSettings, Parity};
use linli::model::{DeviceId, DeviceIndex};
use linli::profile::{Profile, parse};
use linli::sim::Device;
use linli::sim::line::{Fault, Line, Slave};

/// Slaves of a full line.
pub const SLAVES: u32 = 32;

/// Four models: protocol, its settings, how long a slave thinks.
const MODELS: [(&str, &str, u64); 4] = [
    (
        "dlt645-2007",
        "[dlt645]\nbaud = 9600\nframe = \"8E1\"\n[[points]]\nnames = [\"phaseVoltage.L1\", \"phaseVoltage.L2\", \
         \"phaseVoltage.L3\"]\nen = \"voltage {}\"\nzh = \"电压 {}\"\nunit = \"V\"\nid = 0x02010100\n\
         id_step = 0x100\nblock = 0x0201FF00\nblock_at = 0\ndecimals = 1\n",
        30,
    ),
    (
        "dlt645-1997",
        "[dlt645]\nedition = \"1997\"\nbaud = 2400\nframe = \"8E1\"\n[[points]]\nname = \
         \"totalActiveEnergyImport\"\nen = \"energy\"\nzh = \"电能\"\nunit = \"kW.h\"\nid = 0x9010\ndecimals = 2\n",
        60,
    ),
    (
        "cjt188",
        "[cjt188]\nmeter_type = 0x10\nbaud = 2400\nframe = \"8E1\"\n[[points]]\nname = \"volume\"\n\
         en = \"volume\"\nzh = \"水量\"\nunit = \"m3\"\nplace = \"volume\"\ndecimals = 2\n",
        80,
    ),
    (
        "modbus",
        "[modbus]\nbaud = 9600\nframe = \"8N1\"\ntable = \"holding\"\nencoding = \"u16\"\n[[points]]\n\
         name = \"v{n}\"\ncount = 20\nen = \"value {n}\"\nzh = \"值 {n}\"\nunit = \"1\"\naddress = 0\n",
        20,
    ),
];

/// A profile from the part that says how it is read.
pub fn model(name: &str, text: &str) -> Arc<Profile> {
    let head = "category = \"electricity_meter\"\ntitle = { zh = \"试\", en = \"trial\" }\n\
                products = [{ brand = \"a\", model = \"b\" }]\nsources = [\"trial\"]\n";
    // The examples are not run: one must be there that names a point.
    let point = text.split("\nname").nth(1).and_then(|rest| rest.split('"').nth(1)).unwrap();
    let point = point.replace("{n}", "1");
    let example = format!("[[examples]]\nreadings = {{ \"{point}\" = 0 }}\n");
    let loaded = parse(&format!("{name}.toml"), &format!("{head}{text}{example}"));
    Arc::new(loaded.unwrap_or_else(|faults| panic!("{name}: {faults:?}")).profile)
}

/// The device of a place on the line, protocols in turn, with its model's line settings.
pub fn device(slot: u32, period: Duration) -> BusDevice {
    let (name, text, _) = MODELS[slot as usize % MODELS.len()];
    let parity = if name == "modbus" { Parity::None } else { Parity::Even };
    let baud = if text.contains("2400") { 2400 } else { 9600 };
    let address = match name {
        "modbus" => BusAddress::Unit(u8::try_from(slot + 1).unwrap()),
        "cjt188" => BusAddress::Cjt188(format!("{:014}", 100 + slot).parse().unwrap()),
        _ => BusAddress::Dlt645(format!("{:012}", 100 + slot).parse().unwrap()),
    };
    BusDevice {
        index: DeviceIndex(slot),
        id: DeviceId::new(&format!("{name}-{slot}")).unwrap(),
        title: format!("{name} {slot}"),
        address,
        line: LineSettings { baud, parity, stop_bits: 1 },
        profile: model(name, text),
        params: Vec::new(),
        period,
        allow: Vec::new(),
    }
}

/// How long the slave of a place thinks.
pub fn thinks(slot: u32) -> Duration {
    Duration::from_millis(MODELS[slot as usize % MODELS.len()].2)
}

/// The slave of a device, with values of its profile.
pub fn slave(device: &BusDevice) -> Slave {
    let model = Device::new(Arc::clone(&device.profile), u64::from(device.index.0));
    Slave::of(&model, device.address, Some(device.line)).unwrap()
}

/// Whether the place is one of `dead`, spread over the line.
pub fn is_dead(slot: u32, dead: u32) -> bool {
    slot * dead / SLAVES != (slot + 1) * dead / SLAVES
}

/// The full line; of its slaves `dead` are silent, the others think `1 / hurry` of their time.
pub fn line(devices: &[BusDevice], dead: u32, hurry: u32) -> Line {
    let mut builder = Line::builder();
    for device in devices {
        builder = builder.slave(slave(device).delay(thinks(device.index.0) / hurry));
    }
    let line = builder.build();
    for device in devices.iter().filter(|device| is_dead(device.index.0, dead)) {
        line.handle(device.address).unwrap().fault(Fault::Silent);
    }
    line
}
