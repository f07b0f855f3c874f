//! The demo estate: one table of devices, from which both the configuration of the daemon and the
//! simulated devices are made, so that they cannot disagree.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::driver::{LineSettings, Parity};

/// Where the parts of the demo listen: on loopback, but for the pseudo terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ports {
    /// Modbus TCP endpoint of the chargers.
    pub chargers: u16,
    /// Modbus TCP endpoint of the meters.
    pub meters: u16,
    /// First serial line behind a serial server.
    pub line_a: u16,
    /// Second serial line behind a serial server.
    pub line_b: u16,
    /// Third serial line, a pseudo terminal; `None` where the system has none to give.
    pub line_c: Option<PathBuf>,
    /// The field broker.
    pub field: u16,
    /// The platform's broker, through the line that can be cut.
    pub platform: u16,
    /// The local page.
    pub status: u16,
}

/// How a device of the estate is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum At {
    /// Bus and unit id.
    Unit(&'static str, u8),
    /// On the line that is retuned between its devices.
    Wire(Wire),
    /// Base topic.
    Topic(&'static str),
}

/// How a device of the mixed line is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Wire {
    /// Unit id, or address as printed on the meter.
    pub(super) address: &'static str,
    /// Baud rate and frame, where they are not those of its model.
    pub(super) set: Option<LineSettings>,
    /// Seconds between two readings.
    pub(super) period: u8,
}

/// One device of the estate.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    pub(super) id: &'static str,
    pub(super) name: &'static str,
    pub(super) place: &'static str,
    pub(super) profile: &'static str,
    pub(super) at: At,
    /// A group of its model with another number of members than usual.
    pub(super) size: Option<(&'static str, u16)>,
}

const fn unit(
    id: &'static str,
    name: &'static str,
    place: &'static str,
    profile: &'static str,
    bus: &'static str,
    unit: u8,
) -> Row {
    Row { id, name, place, profile, at: At::Unit(bus, unit), size: None }
}

const fn topic(
    id: &'static str,
    name: &'static str,
    place: &'static str,
    profile: &'static str,
    topic: &'static str,
) -> Row {
    Row { id, name, place, profile, at: At::Topic(topic), size: None }
}

const fn wire(
    id: &'static str,
    name: &'static str,
    place: &'static str,
    profile: &'static str,
    address: &'static str,
    period: u8,
) -> Row {
    let wire = Wire { address, set: None, period };
    Row { id, name, place, profile, at: At::Wire(wire), size: None }
}

impl Row {
    /// So many members in a group of its model.
    const fn with(mut self, group: &'static str, members: u16) -> Self {
        self.size = Some((group, members));
        self
    }

    /// Another speed than its model leaves the factory with; meters have even parity.
    const fn baud(mut self, baud: u32) -> Self {
        if let At::Wire(wire) = &mut self.at {
            wire.set = Some(LineSettings { baud, parity: Parity::Even, stop_bits: 1 });
        }
        self
    }
}

/// The line that is retuned between its devices.
pub(super) const MIXED_LINE: &str = "line-c";

/// The other buses: name and transport.
pub(super) const BUSES: [(&str, &str); 4] = [
    ("chargers", "tcp"),
    ("meters", "tcp"),
    ("line-a", "rtu_over_tcp"),
    ("line-b", "rtu_over_tcp"),
];

const SINGLE: &str = "dlt645-2007-single-phase";
const THREE: &str = "dlt645-2007-three-phase";

/// The devices.
pub(super) const DEVICES: [Row; 66] = [
    unit("charger-1", "地面充电桩 1", "地面停车场", "abb-terra-ac", "chargers", 1),
    unit("charger-2", "地面充电桩 2", "地面停车场", "abb-terra-ac", "chargers", 2),
    unit("charger-3", "地面充电桩 3", "地面停车场", "abb-terra-ac", "chargers", 3),
    unit("charger-4", "地面充电桩 4", "地面停车场", "abb-terra-ac", "chargers", 4),
    unit("charger-5", "地库充电桩 1", "地下车库 A 区", "alfen-ng9xx", "chargers", 11),
    unit("charger-6", "地库充电桩 2", "地下车库 A 区", "alfen-ng9xx", "chargers", 12),
    unit("meter-main", "小区总电表", "配电房", "schneider-iem3155", "meters", 1),
    unit("meter-1-1", "1号楼1单元公共电表", "1号楼1单元", "chint-dtsu666", "meters", 11),
    unit("meter-1-2", "1号楼2单元公共电表", "1号楼2单元", "chint-dtsu666", "meters", 12),
    unit("meter-2-1", "2号楼1单元公共电表", "2号楼1单元", "eastron-sdm630", "meters", 21),
    unit("meter-2-2", "2号楼2单元公共电表", "2号楼2单元", "eastron-sdm630", "meters", 22),
    unit("meter-pump", "二次供水泵房电表", "泵房", "abb-b23", "meters", 31),
    unit("meter-lift", "电梯总表", "3号楼机房", "abb-b23", "meters", 32),
    unit("meter-light", "路灯电表", "中心花园", "chint-dtsu666", "meters", 33),
    unit("meter-3-1", "3号楼1单元公共电表", "3号楼1单元", "chint-dtsu666", "line-a", 1),
    unit("meter-3-2", "3号楼2单元公共电表", "3号楼2单元", "chint-dtsu666", "line-a", 2),
    unit("meter-3-3", "3号楼3单元公共电表", "3号楼3单元", "chint-dtsu666", "line-a", 3),
    unit("heat-3", "3号楼热力入口", "3号楼地下室", "tuf-2000m", "line-a", 11),
    unit("heat-4", "4号楼热力入口", "4号楼地下室", "tuf-2000m", "line-a", 12),
    unit("climate-3", "3号楼地下室温湿度", "3号楼地下室", "xy-md02", "line-a", 21),
    unit("climate-4", "4号楼地下室温湿度", "4号楼地下室", "xy-md02", "line-a", 22),
    unit("meter-5-1", "5号楼1单元公共电表", "5号楼1单元", "eastron-sdm630", "line-b", 1),
    unit("meter-5-2", "5号楼2单元公共电表", "5号楼2单元", "chint-dtsu666", "line-b", 2),
    unit("meter-office", "物业中心电表", "物业服务中心", "chint-dtsu666", "line-b", 3),
    unit("heat-5", "5号楼热力入口", "5号楼地下室", "tuf-2000m", "line-b", 11),
    unit("weather-1", "中心花园环境监测", "中心花园", "renke-rs-byh-m", "line-b", 21),
    unit("weather-2", "儿童乐园环境监测", "儿童乐园", "renke-rs-byh-m", "line-b", 22),
    unit("climate-5", "泵房温湿度", "泵房", "xy-md02", "line-b", 23),
    // Meters of the community, as half of the estates have them: all on one pair of wires.
    wire("stair-6-1", "6号楼1单元楼道公共电表", "6号楼1单元弱电井", SINGLE, "202406000101", 60),
    wire("stair-6-2", "6号楼2单元楼道公共电表", "6号楼2单元弱电井", SINGLE, "202406000102", 60),
    wire("stair-7-1", "7号楼1单元楼道公共电表", "7号楼1单元弱电井", SINGLE, "202406000103", 60),
    wire("meter-gate", "西门门禁公共电表", "小区西门", SINGLE, "202406000104", 60),
    wire("meter-shed", "充电棚电表", "6号楼东侧充电棚", SINGLE, "202406000105", 10),
    wire("meter-lift-6", "6号楼电梯电表", "6号楼机房", THREE, "202311000011", 15).baud(9600),
    wire("meter-fire", "消防泵房电表", "消防泵房", THREE, "202311000012", 15).baud(9600),
    wire("meter-guard", "西门岗亭电表", "小区西门", "dlt645-1997-single-phase", "000000451207", 30)
        .baud(1200),
    wire("water-green", "绿化用水表", "中心花园水表井", "cjt188-water", "33201907000021", 30),
    wire("water-fire", "消防水池补水表", "消防泵房", "cjt188-water", "33201907000022", 30),
    wire("water-clean", "保洁用水表", "6号楼地下室", "cjt188-water", "33201907000023", 30),
    wire("heat-6", "6号楼热力入口", "6号楼地下室", "cjt188-heat", "20201510000006", 20),
    wire("gas-canteen", "老年食堂燃气表", "老年食堂", "cjt188-gas", "30202103000001", 30),
    wire("climate-6", "6号楼弱电井温湿度", "6号楼弱电井", "xy-md02", "31", 10),
    wire("climate-fire", "消防泵房温湿度", "消防泵房", "xy-md02", "32", 10),
    topic("hall-1", "1号楼大堂温湿度", "1号楼大堂", "zigbee2mqtt-climate", "zigbee2mqtt/hall-1"),
    topic("hall-2", "2号楼大堂温湿度", "2号楼大堂", "zigbee2mqtt-climate", "zigbee2mqtt/hall-2"),
    topic("hall-3", "3号楼大堂温湿度", "3号楼大堂", "zigbee2mqtt-climate", "zigbee2mqtt/hall-3"),
    topic("club", "老年活动室温湿度", "老年活动室", "zigbee2mqtt-climate", "zigbee2mqtt/club"),
    topic("plug-screen", "信息屏插座", "小区南门", "tasmota-energy-plug", "plug-screen"),
    topic("plug-vending", "售卖机插座", "小区南门", "tasmota-energy-plug", "plug-vending"),
    topic("plug-books", "图书借阅机插座", "老年活动室", "tasmota-energy-plug", "plug-books"),
    topic("plug-bin", "垃圾分类箱插座", "小区北门", "tasmota-energy-plug", "plug-bin"),
    topic("wallbox-1", "访客充电桩 1", "小区南门", "go-echarger-mqtt", "go-eCharger/100001"),
    topic("wallbox-2", "访客充电桩 2", "小区南门", "go-echarger-mqtt", "go-eCharger/100002"),
    topic("locker-1", "南门快递柜", "小区南门", "parcel-locker-cabinet", "estate/locker/1")
        .with("cells", 48),
    topic("locker-2", "北门快递柜", "小区北门", "parcel-locker-cabinet", "estate/locker/2"),
    topic("locker-3", "3号楼快递柜", "3号楼大堂", "parcel-locker-cabinet", "estate/locker/3"),
    topic("screen-1", "南门信息屏", "小区南门", "info-screen", "estate/screen/1"),
    topic("screen-2", "活动室信息屏", "老年活动室", "info-screen", "estate/screen/2"),
    topic("bin-1", "北门垃圾分类箱", "小区北门", "waste-bin", "estate/bin/1"),
    topic("bin-2", "5号楼垃圾分类箱", "5号楼东侧", "waste-bin", "estate/bin/2"),
    topic("vending-1", "南门售卖机", "小区南门", "vending-machine", "estate/vending/1")
        .with("slots", 24),
    topic("books-1", "图书借阅机", "老年活动室", "book-machine", "estate/books/1")
        .with("slots", 30),
    topic("station-1", "共享充电站", "地下车库 B 区", "json-ev-charger", "estate/station/1")
        .with("connectors", 4),
    topic(
        "speaker-1",
        "南门应急广播",
        "小区南门",
        "emergency-broadcast-terminal",
        "estate/speaker/1",
    ),
    topic(
        "speaker-2",
        "花园应急广播",
        "中心花园",
        "emergency-broadcast-terminal",
        "estate/speaker/2",
    ),
    topic(
        "speaker-3",
        "北门应急广播",
        "小区北门",
        "emergency-broadcast-terminal",
        "estate/speaker/3",
    ),
];

impl Wire {
    /// The unit id of a Modbus device; a meter has an address of twelve or fourteen digits.
    pub(super) fn unit(&self) -> Option<u8> {
        self.address.parse().ok()
    }

    fn reached(&self) -> String {
        let address = match self.unit() {
            Some(unit) => format!("unit = {unit}"),
            None => format!("address = \"{}\"", self.address),
        };
        let set = self
            .set
            .map_or_else(String::new, |line| format!("baud = {}\nframe = \"8E1\"\n", line.baud));
        format!("bus = \"{MIXED_LINE}\"\n{address}\n{set}period = \"{}s\"", self.period)
    }
}

impl Ports {
    fn of_bus(&self, bus: &str) -> u16 {
        match bus {
            "chargers" => self.chargers,
            "meters" => self.meters,
            "line-a" => self.line_a,
            _ => self.line_b,
        }
    }
}

/// Where people are warned, and when that is tried.
const BROADCAST: &str = r#"
[[broadcast.zone]]
name = "south"
zh = "南区"
en = "South"
codes = ["371002001005001"]
places = ["小区南门", "中心花园"]

[[broadcast.zone]]
name = "north"
zh = "北区"
en = "North"
codes = ["371002001005002"]
places = ["小区北门", "老年活动室"]

[[broadcast.drill]]
name = "防灾减灾演练"
on = "first saturday"
at = "10:00"
template = "drill"
"#;

/// What may be ordered of a model, so that warnings reach it.
fn allowed(profile: &str) -> &'static str {
    match profile {
        "emergency-broadcast-terminal" => "allow = [\"message\", \"play\", \"stop\"]\n",
        "info-screen" => "allow = [\"text\"]\n",
        // Loads that one may be asked to reduce, with a value that they return to.
        "alfen-ng9xx" | "abb-terra-ac" => "allow = [\"currentLimit\", \"pause\"]\n",
        _ => "",
    }
}

/// The configuration of the daemon for the demo estate; the buffer lies in `dir`. The mixed line
/// and its devices are left out where it is not there.
pub fn demo_config(ports: &Ports, dir: &Path) -> String {
    let buffer = toml::Value::String(dir.join("buffer").display().to_string());
    let mut text = format!(
        r#"[gateway]
id = "demo"
name = "海景花园小区（演示）"
owner = "海景花园业主委员会"
maintainer = "海景物业工程部"
kind = "old_retrofit"

[clock]
trust = "system"

[buffer]
path = {buffer}
budget = "64MiB"

[uplink]
host = "127.0.0.1"
port = {platform}
client_id = "demo"
reconnect_cap = "3s"

[mqtt]
host = "127.0.0.1"
port = {field}
client_id = "demo-field"

[status]
listen = "127.0.0.1:{status}"
access = "open"
"#,
        platform = ports.platform,
        field = ports.field,
        status = ports.status,
    );
    text.push_str(BROADCAST);
    for (id, transport) in BUSES {
        let port = ports.of_bus(id);
        // A serial server has one setting, whatever its devices left the factory with.
        let line = if transport == "tcp" { "" } else { "baud = 9600\nframe = \"8N1\"\n" };
        write!(text, "\n[[bus]]\nid = \"{id}\"\n{transport} = \"127.0.0.1:{port}\"\n{line}")
            .expect("writing to a string does not fail");
    }
    if let Some(path) = &ports.line_c {
        let path = toml::Value::String(path.display().to_string());
        write!(text, "\n[[bus]]\nid = \"{MIXED_LINE}\"\nserial = {path}\n")
            .expect("writing to a string does not fail");
    }
    for Row { id, name, place, profile, at, size } in DEVICES {
        let reached = match at {
            At::Unit(bus, unit) => format!("bus = \"{bus}\"\nunit = {unit}\nperiod = \"2s\""),
            At::Topic(topic) => format!("topic = \"{topic}\""),
            At::Wire(_) if ports.line_c.is_none() => continue,
            At::Wire(wire) => wire.reached(),
        };
        write!(
            text,
            "\n[[device]]\nid = \"{id}\"\nname = \"{name}\"\nplace = \"{place}\"\nprofile = \"{profile}\"\n{reached}\n"
        )
        .expect("writing to a string does not fail");
        text.push_str(allowed(profile));
        if let Some((group, members)) = size {
            writeln!(text, "groups = {{ {group} = {members} }}")
                .expect("writing to a string does not fail");
        }
    }
    text
}
