//! Where a device of a bus answers, and how its line is set.

use std::str::FromStr;

use super::claims::Claim;
use super::device::Buses;
use super::read::Context;
use super::{BusSettings, Connection};
use crate::driver::{Act, BusAddress, LineSettings, Parity, Transport, read_line};
use crate::model::Words;
use crate::profile::{Binding, Profile, SerialDefaults};
use crate::protocol::{cjt188, dlt645};
use crate::settings::{Fault, Section, write_it};

/// Unit ids above this are reserved by the Modbus specification, and used nevertheless.
const LAST_REGULAR_UNIT: u8 = 247;

/// What `[[device]]` says about its wire.
pub(super) struct Wire {
    bus: Option<String>,
    unit: Option<u8>,
    address: Option<String>,
    baud: Option<u32>,
    frame: Option<(Parity, u8)>,
}

impl Wire {
    pub fn read(section: &mut Section<'_>, bus: Option<String>) -> Self {
        let unit = section.integer("unit", 1..=255u8);
        // Without quotes its leading zeros would be lost, and TOML takes none.
        let allowed = "decimal digits in quotes, with leading zeros, like \"000012345678\"";
        let address = section.parsed("address", allowed, |text| Ok(text.to_owned()));
        let (baud, frame) = read_line(section);
        Self { bus, unit, address, baud, frame }
    }
}

/// The connection of a device whose model is read over a bus.
pub(super) fn on_bus(
    section: &mut Section<'_>,
    (wire, allow): (Wire, Vec<Act>),
    profile: &Profile,
    buses: &Buses<'_>,
    context: &mut Context<'_>,
) -> Option<Connection> {
    section.require("bus", "the name of a [[bus]]: the profile is read over one");
    let name = wire.bus.clone()?;
    // A bus whose own section is faulty has a name and no slot; that was said already.
    let slot = buses.buses.iter().position(|bus| bus.config.id.as_str() == name)?;
    let bus = &buses.buses[slot];
    let (address, serial) = match &profile.binding {
        Binding::Modbus { unit, serial, .. } => {
            (unit_id(section, &wire, *unit, bus, context)?, *serial)
        }
        Binding::Dlt645(model) => {
            let address = meter(section, &wire, bus, "12 digits, as on the meter's plate")?;
            (
                BusAddress::Dlt645(plain::<dlt645::Address>(section, &address, 12)?),
                model.manners.serial,
            )
        }
        Binding::Cjt188(model) => {
            let address = meter(section, &wire, bus, "14 digits, as on the meter's plate")?;
            (
                BusAddress::Cjt188(plain::<cjt188::Address>(section, &address, 14)?),
                model.manners.serial,
            )
        }
        Binding::Mqtt(_) => return None,
    };
    let key = if section.has("unit") { "unit" } else { "address" };
    let place = section.place(if section.has(key) { key } else { "id" });
    context.claim(Claim::Unit(name, address), place);
    let line = line(&wire, bus, serial);
    if matches!(bus.config.transport, Transport::Tcp { .. }) {
        for key in ["baud", "frame"].into_iter().filter(|key| section.has(key)) {
            section.note(
                Fault::new(section.place(key), ("only a serial line has this", "只有串口才有此项"))
                    .hint(("remove it", "请删除")),
            );
        }
    }
    Some(Connection::Bus { bus: slot, address, line, allow })
}

/// The device's own settings, else those of the bus, else the model's.
fn line(wire: &Wire, bus: &BusSettings, serial: SerialDefaults) -> LineSettings {
    let model = factory(serial);
    let frame = wire.frame.or(bus.config.frame);
    let (parity, stop_bits) = frame.unwrap_or((model.parity, model.stop_bits));
    let baud = wire.baud.or(bus.config.baud).unwrap_or(model.baud);
    LineSettings { baud, parity, stop_bits }
}

/// How the model leaves the factory.
pub(super) fn factory(serial: SerialDefaults) -> LineSettings {
    let parity = match serial.frame[1] {
        b'E' => Parity::Even,
        b'O' => Parity::Odd,
        _ => Parity::None,
    };
    let stop_bits = if serial.frame[2] == b'2' { 2 } else { 1 };
    LineSettings { baud: serial.baud, parity, stop_bits }
}

fn unit_id(
    section: &mut Section<'_>,
    wire: &Wire,
    factory: Option<u8>,
    bus: &BusSettings,
    context: &mut Context<'_>,
) -> Option<BusAddress> {
    if section.has("address") {
        let problem = (
            "the profile is read over Modbus and has no `address`",
            "该设备模型经 Modbus 读取，没有 `address`",
        );
        section.note(
            Fault::new(section.place("address"), problem)
                .hint(("a Modbus device has a `unit`", "Modbus 设备用 `unit`（站号）")),
        );
    }
    let tcp = matches!(bus.config.transport, Transport::Tcp { .. });
    let unit = wire.unit.or(factory);
    // Behind a TCP endpoint the factory setting is a fair guess; on a shared line it is not.
    if !tcp || unit.is_none() {
        section.require("unit", "a whole number from 1 to 255");
    }
    if !tcp && !section.has("unit") {
        return None;
    }
    let unit = unit?;
    if unit > LAST_REGULAR_UNIT && !tcp {
        let note = (
            "unit ids above 247 are reserved by the Modbus specification",
            "247 以上的站号为 Modbus 规范所保留",
        );
        context.notes.push(Fault::new(section.place("unit"), note).hint((
            "right for some models; see their data sheet",
            "个别型号确实如此，请查其说明书",
        )));
    }
    Some(BusAddress::Unit(unit))
}

/// The address of a meter as written; it hangs on a serial line.
fn meter(
    section: &mut Section<'_>,
    wire: &Wire,
    bus: &BusSettings,
    allowed: &'static str,
) -> Option<String> {
    if section.has("unit") {
        let problem = ("a meter of this protocol has no `unit`", "此协议的表计没有 `unit`");
        section.note(
            Fault::new(section.place("unit"), problem)
                .hint(("write its `address`", "请写 `address`（通信地址）")),
        );
    }
    if !bus.config.transport.is_serial() {
        let problem = (
            format!(
                "bus `{}` speaks Modbus TCP, the meter's protocol needs a serial line",
                bus.config.id
            ),
            format!("总线 `{}` 是 Modbus TCP，该表计的协议需要串口", bus.config.id),
        );
        section.note(Fault::new(section.place("bus"), problem).hint((
            "a serial server is written `rtu_over_tcp = \"host:port\"`",
            "串口服务器写作 `rtu_over_tcp = \"host:port\"`",
        )));
    }
    section.require("address", allowed);
    wire.address.clone()
}

/// An address of decimal digits: a wildcard or broadcast address would speak for all meters.
fn plain<A: FromStr + Plain>(section: &Section<'_>, text: &str, digits: usize) -> Option<A> {
    let parsed = text.parse::<A>().ok().filter(Plain::is_plain);
    if parsed.is_none() {
        section.note(
            Fault::new(
                section.place("address"),
                ("is no address of a meter", "不是表计的通信地址"),
            )
            .allowed(format!("exactly {digits} decimal digits in quotes, with leading zeros"))
            .hint(meant_address(text, digits)),
        );
    }
    parsed
}

/// What was probably meant by a text that is no address.
fn meant_address(text: &str, digits: usize) -> Words {
    let bare: String =
        text.chars().filter(|c| !c.is_whitespace() && !matches!(c, '-' | ':' | '.')).collect();
    let decimal = !bare.is_empty() && bare.bytes().all(|b| b.is_ascii_digit());
    let everyone = bare.bytes().all(|b| b == b'9') || bare.to_ascii_uppercase().contains("AA");
    if bare.len() == digits && everyone {
        return (
            "this speaks for many meters at once; write the number of the one meter",
            "这会同时指向多块表，请写该表自己的号码",
        )
            .into();
    }
    if decimal && bare.len() <= digits {
        return write_it(format!("{bare:0>digits$}"));
    }
    if digits == 12 && bare.len() == 14 {
        return (
            "14 digits are the address of a CJ/T 188 meter: is the profile right?",
            "14 位是 CJ/T 188 表计的地址，设备模型是否选对？",
        )
            .into();
    }
    ("it is printed on the meter's plate, often as a bar code", "见表计铭牌，常在条形码旁").into()
}

/// Addresses that may name a single meter.
trait Plain {
    fn is_plain(&self) -> bool;
}

impl Plain for dlt645::Address {
    fn is_plain(&self) -> bool {
        dlt645::Address::is_plain(*self)
    }
}

impl Plain for cjt188::Address {
    fn is_plain(&self) -> bool {
        cjt188::Address::is_plain(self)
    }
}
