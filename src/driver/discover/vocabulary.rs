//! What devices call their values, and what they are called here.

/// A value by its usual name.
#[derive(Debug, Clone, Copy)]
pub(super) struct Word {
    /// What devices call it: device classes of Home Assistant, properties of Zigbee2MQTT.
    called: &'static [&'static str],
    pub name: &'static str,
    pub zh: &'static str,
    pub en: &'static str,
    /// UCUM code that it should have; empty for whatever it comes in.
    pub unit: &'static str,
    pub decimals: u8,
    pub range: Option<(f64, f64)>,
    pub dead_band: Option<f64>,
    /// Fastest growth of a counter, in its unit a second.
    pub max_rate: Option<f64>,
    /// It says something about the device, not about the world.
    pub minor: bool,
}

const PLAIN: Word = Word {
    called: &[],
    name: "",
    zh: "",
    en: "",
    unit: "",
    decimals: 3,
    range: None,
    dead_band: None,
    max_rate: None,
    minor: false,
};

macro_rules! words {
    ($kind:ident: $($called:expr => $name:literal, $zh:literal, $en:literal
        $(, unit $unit:literal)? $(, decimals $decimals:literal)? $(, range $range:expr)?
        $(, band $band:literal)? $(, rate $rate:literal)? $(, minor $minor:literal)?;)*) => {
        const $kind: &[Word] = &[$(Word {
            called: &$called,
            name: $name,
            zh: $zh,
            en: $en,
            $(unit: $unit,)?
            $(decimals: $decimals,)?
            $(range: Some($range),)?
            $(dead_band: Some($band),)?
            $(max_rate: Some($rate),)?
            $(minor: $minor,)?
            ..PLAIN
        }),*];
    };
}

words! { NUMBERS:
    ["temperature", "local_temperature"] => "temperature", "温度", "temperature",
        unit "Cel", decimals 2, range (-60.0, 200.0), band 0.2;
    ["device_temperature", "internal_temperature"] => "deviceTemperature", "设备温度",
        "device temperature", unit "Cel", decimals 1, range (-60.0, 200.0), band 1.0, minor true;
    ["humidity"] => "relativeHumidity", "相对湿度", "relative humidity",
        unit "%", decimals 2, range (0.0, 100.0), band 1.0;
    ["moisture", "soil_moisture"] => "moisture", "含水率", "moisture",
        unit "%", decimals 1, range (0.0, 100.0), band 1.0;
    ["battery", "battery_level"] => "batteryLevel", "电池电量", "battery level",
        unit "%", decimals 0, range (0.0, 100.0), band 1.0, minor true;
    ["linkquality"] => "linkQuality", "信号质量", "link quality",
        decimals 0, range (0.0, 255.0), band 20.0, minor true;
    ["signal_strength", "rssi", "wifi_signal"] => "rssi", "信号强度", "signal strength",
        unit "dB[10.nV]", decimals 0, range (-200.0, 0.0), band 5.0, minor true;
    ["voltage"] => "phaseVoltage", "电压", "voltage", unit "V", decimals 3, band 0.5;
    ["battery_voltage"] => "batteryVoltage", "电池电压", "battery voltage",
        unit "V", decimals 3, band 0.1, minor true;
    ["current"] => "current", "电流", "current", unit "A", decimals 3, band 0.02;
    ["power", "active_power"] => "totalActivePower", "有功功率", "active power",
        unit "W", decimals 1, band 5.0;
    ["apparent_power", "power_apparent"] => "totalApparentPower", "视在功率", "apparent power",
        unit "V.A", decimals 1, band 5.0;
    ["reactive_power", "power_reactive"] => "totalReactivePower", "无功功率", "reactive power",
        unit "var", decimals 1, band 5.0;
    ["power_factor"] => "powerFactor", "功率因数", "power factor", decimals 3, band 0.02;
    ["frequency", "ac_frequency"] => "frequency", "频率", "frequency",
        unit "Hz", decimals 2, band 0.05;
    ["energy"] => "totalActiveEnergyImport", "累计电量", "active energy import",
        unit "kW.h", decimals 3, rate 0.1;
    ["produced_energy", "energy_produced"] => "totalActiveEnergyExport", "反向累计电量",
        "active energy export", unit "kW.h", decimals 3, rate 0.1;
    ["water", "water_consumed"] => "waterConsumption", "累计水量", "water consumption",
        unit "m3", decimals 4, rate 0.1;
    ["gas"] => "gasConsumption", "累计气量", "gas consumption",
        unit "m3", decimals 4, rate 0.1;
    ["volume_flow_rate", "flow", "flow_rate"] => "flow", "瞬时流量", "flow rate",
        unit "m3/h", decimals 4, band 0.01;
    ["carbon_dioxide", "co2"] => "co2", "二氧化碳", "carbon dioxide",
        unit "[ppm]", decimals 0, range (0.0, 50000.0), band 20.0;
    ["carbon_monoxide", "co"] => "carbonMonoxide", "一氧化碳", "carbon monoxide",
        unit "[ppm]", decimals 1, band 1.0;
    ["pm1"] => "pm1", "PM1", "PM1", unit "ug/m3", decimals 1, range (0.0, 2000.0), band 2.0;
    ["pm25", "pm2_5"] => "pm25", "PM2.5", "PM2.5",
        unit "ug/m3", decimals 1, range (0.0, 2000.0), band 2.0;
    ["pm10"] => "pm10", "PM10", "PM10", unit "ug/m3", decimals 1, range (0.0, 2000.0), band 2.0;
    ["formaldehyde", "formaldehyd"] => "formaldehyde", "甲醛", "formaldehyde", decimals 3;
    ["voc", "volatile_organic_compounds", "volatile_organic_compounds_parts"] => "voc",
        "挥发性有机物", "volatile organic compounds", decimals 3;
    ["voc_index"] => "vocIndex", "VOC 指数", "VOC index", decimals 0;
    ["ozone"] => "o3", "臭氧", "ozone", decimals 3;
    ["nitrogen_dioxide"] => "no2", "二氧化氮", "nitrogen dioxide", decimals 3;
    ["sulphur_dioxide"] => "so2", "二氧化硫", "sulphur dioxide", decimals 3;
    ["sound_pressure", "noise"] => "laeq", "噪声", "noise", unit "dB", decimals 1, band 1.0;
    ["atmospheric_pressure"] => "atmosphericPressure", "气压", "atmospheric pressure",
        unit "hPa", decimals 1, band 0.5;
    ["pressure"] => "pressure", "压力", "pressure", unit "kPa", decimals 2, band 1.0;
    ["illuminance", "illuminance_lux"] => "illuminance", "照度", "illuminance",
        unit "lx", decimals 0, band 20.0;
    ["wind_speed"] => "windSpeed", "风速", "wind speed", unit "m/s", decimals 1, band 0.3;
    ["distance"] => "distance", "距离", "distance", decimals 3;
    ["weight"] => "weight", "重量", "weight", unit "kg", decimals 3;
    ["position"] => "position", "开度", "position", unit "%", decimals 0, range (0.0, 100.0);
    ["current_heating_setpoint", "occupied_heating_setpoint", "setpoint"] => "setpoint",
        "设定温度", "set point", unit "Cel", decimals 1;
    ["strength"] => "vibrationStrength", "振动强度", "vibration strength", decimals 0, band 10.0;
    ["brightness"] => "brightness", "亮度", "brightness", decimals 0;
    ["fill_level", "filling_level"] => "fillingLevel", "满溢度", "filling level",
        unit "%", decimals 1, range (0.0, 100.0), band 1.0;
    ["uptime", "device_uptime"] => "uptime", "运行时间", "uptime", decimals 0, minor true;
}

words! { FLAGS:
    ["state", "switch", "outlet", "plug"] => "switchedOn", "开关", "switched on";
    ["light"] => "switchedOn", "灯", "switched on";
    ["water_leak", "moisture", "leak"] => "leak", "漏水报警", "water leak alarm";
    ["smoke"] => "smoke", "烟雾报警", "smoke alarm";
    ["gas"] => "gas", "燃气报警", "gas alarm";
    ["carbon_monoxide"] => "carbonMonoxideAlarm", "一氧化碳报警", "carbon monoxide alarm";
    ["contact"] => "contact", "门磁闭合", "contact closed";
    ["door", "window", "opening", "garage_door"] => "open", "门窗打开", "open";
    ["occupancy", "motion"] => "motion", "人体移动", "motion";
    ["presence"] => "presence", "有人", "presence";
    ["vibration"] => "vibration", "振动", "vibration";
    ["tamper"] => "alarmTamper", "防拆报警", "tamper alarm", minor true;
    ["battery_low", "battery"] => "batteryLow", "电池欠压", "battery low", minor true;
    ["connectivity"] => "connected", "已连接", "connected", minor true;
    ["problem"] => "fault", "故障", "fault";
    ["heat"] => "overTemperature", "超温", "over temperature";
    ["power"] => "powered", "有电", "powered";
    ["running"] => "running", "运行中", "running";
    ["safety"] => "unsafe", "不安全", "unsafe";
    ["lock"] => "unlocked", "未上锁", "unlocked";
    ["child_lock"] => "childLock", "童锁", "child lock", minor true;
}

words! { OTHERS:
    ["action"] => "lastAction", "最近动作", "last action";
    ["error"] => "readingStatus", "读数状态", "reading status";
    ["mode", "system_mode"] => "mode", "模式", "mode";
}

impl Word {
    /// Whether a name says no more than the word itself.
    pub fn is_said_by(&self, name: &str) -> bool {
        let name = snake(name);
        name.is_empty() || self.called.contains(&&*name) || snake(self.en) == name
    }
}

/// Number, flag or another value of this name.
pub(super) fn number(called: &str) -> Option<&'static Word> {
    find(NUMBERS, called)
}

/// As [`number`].
pub(super) fn flag(called: &str) -> Option<&'static Word> {
    find(FLAGS, called)
}

/// As [`number`].
pub(super) fn other(called: &str) -> Option<&'static Word> {
    find(OTHERS, called)
}

fn find(words: &'static [Word], called: &str) -> Option<&'static Word> {
    words.iter().find(|word| word.called.contains(&called))
}

/// Units of counters that nobody names otherwise.
pub(super) fn max_rate(unit: &str) -> Option<f64> {
    Some(match unit {
        "kW.h" | "kV.A.h" | "kvar.h" | "m3" | "MJ" => 0.1,
        "W.h" | "L" => 100.0,
        "GJ" => 0.001,
        _ => return None,
    })
}

/// A name of ours from what somebody else calls a thing: `wifi_signal`, `Wifi Signal` →
/// `wifiSignal`. Empty when it has no letter that a name may have.
pub(super) fn camel(text: &str) -> String {
    let mut name = String::new();
    let mut begins = false;
    let mut chars = text.chars().peekable();
    let mut before = ' ';
    while let Some(c) = chars.next() {
        if !c.is_ascii_alphanumeric() {
            begins = true;
        } else if name.is_empty() {
            if c.is_ascii_alphabetic() {
                name.push(c.to_ascii_lowercase());
            }
            begins = false;
        } else {
            let next_low = chars.peek().is_some_and(char::is_ascii_lowercase);
            // `ENERGY` becomes `energy`, `FooBar` stays two words.
            let hump = c.is_ascii_uppercase() && (before.is_ascii_lowercase() || next_low);
            name.push(if begins || (hump && before.is_ascii_alphanumeric()) {
                c.to_ascii_uppercase()
            } else {
                c.to_ascii_lowercase()
            });
            begins = false;
        }
        before = c;
        if name.len() >= 30 {
            break;
        }
    }
    name
}

/// What somebody calls a thing, as a key of the tables: `Wifi Signal` → `wifi_signal`.
pub(super) fn snake(text: &str) -> String {
    let text = text.trim().to_lowercase();
    text.chars().map(|c| if c.is_alphanumeric() { c } else { '_' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Unit;

    #[test]
    fn names_of_others_become_names_of_ours() {
        assert_eq!(camel("wifi_signal"), "wifiSignal");
        assert_eq!(camel("ENERGY Total"), "energyTotal");
        assert_eq!(camel("FooBar"), "fooBar");
        assert_eq!(camel("1-2 x"), "x");
        assert_eq!(camel("温度"), "");
        assert!(camel(&"a".repeat(500)).len() <= 30);
        for word in NUMBERS.iter().chain(FLAGS).chain(OTHERS) {
            assert_eq!(camel(word.name), word.name);
            assert!(word.unit.is_empty() || Unit::parse(word.unit).is_ok(), "{}", word.unit);
        }
        assert_eq!(number("humidity").unwrap().name, "relativeHumidity");
        assert!(flag("nonsense").is_none());
    }
}
