//! The twelve categories of device that the standard names (DB3710/T 133-2021, 7.5.2).

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! categories {
    ($($(#[$doc:meta])* $name:ident => $word:literal, $zh:literal, $en:literal;)*) => {
        /// What kind of thing a device is, in the words of clause 7.5.2, or `other`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Category {
            $($(#[$doc])* $name,)*
        }

        impl Category {
            /// All, the twelve of the standard first.
            pub const ALL: &[Category] = &[$(Category::$name),*];

            /// The word used in files and in the stream.
            pub fn word(self) -> &'static str {
                match self { $(Category::$name => $word,)* }
            }

            /// For people, Chinese.
            pub fn zh(self) -> &'static str {
                match self { $(Category::$name => $zh,)* }
            }

            /// For people, English.
            pub fn en(self) -> &'static str {
                match self { $(Category::$name => $en,)* }
            }

            /// Reads the word.
            pub fn from_word(word: &str) -> Option<Self> {
                match word { $($word => Some(Category::$name),)* _ => None }
            }
        }
    };
}

categories! {
    /// 供电计量装置
    ElectricityMeter => "electricity_meter", "电表", "Electricity meter";
    /// 供水计量装置
    WaterMeter => "water_meter", "水表", "Water meter";
    /// 供气计量装置
    GasMeter => "gas_meter", "燃气表", "Gas meter";
    /// 供暖计量装置
    HeatMeter => "heat_meter", "热量表", "Heat meter";
    /// 车辆智能充电系统
    EvCharger => "ev_charger", "充电桩", "EV charger";
    /// 智能快递柜
    ParcelLocker => "parcel_locker", "快递柜", "Parcel locker";
    /// 智能垃圾分类箱
    WasteBin => "waste_bin", "垃圾分类箱", "Waste bin";
    /// 无人售卖机
    VendingMachine => "vending_machine", "售卖机", "Vending machine";
    /// 无人图书借阅机
    BookMachine => "book_machine", "图书借阅机", "Book machine";
    /// 小区信息提示屏
    InfoScreen => "info_screen", "信息屏", "Information screen";
    /// 公共应急广播
    EmergencyBroadcast => "emergency_broadcast", "应急广播", "Emergency broadcast";
    /// 环境监测
    EnvironmentSensor => "environment_sensor", "环境监测", "Environment sensor";
    /// Anything else: relays, smoke and leak detectors, gates.
    Other => "other", "其他", "Other";
}

impl fmt::Display for Category {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// Which target the standard sets (7.5.1): a new estate four stars, a retrofitted old one three.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EstateKind {
    /// 新建小区
    New,
    /// 改造后老旧小区
    #[default]
    OldRetrofit,
}

impl EstateKind {
    /// The word used in files.
    pub fn word(self) -> &'static str {
        match self {
            EstateKind::New => "new",
            EstateKind::OldRetrofit => "old_retrofit",
        }
    }
}
