//! The identifiers of the edition of 2007: DI3 class, DI2 quantity, DI1 tariff or phase, DI0
//! settlement period or harmonic; FF in DI1 or DI0 asks for a block.

use super::items::{
    Field, Kind, Meaning, Repeat, field, harmonic, named, phase, settlement, special, tariff,
};

/// Asks for all of a place.
const BLOCK: u8 = 0xFF;
/// Tariffs that an identifier can name.
const TARIFFS: u8 = 63;
/// Settlement periods that a meter keeps.
const PERIODS: u8 = 12;
/// Harmonics that a meter measures.
const HARMONICS: u8 = 21;

/// Signed: what adds and subtracts directions. All the other energies only grow.
const ACTIVE: &[Field] = &[field(4, 2, "kWh", false)];
const ACTIVE_SIGNED: &[Field] = &[field(4, 2, "kWh", true)];
const REACTIVE: &[Field] = &[field(4, 2, "kvarh", false)];
const REACTIVE_SIGNED: &[Field] = &[field(4, 2, "kvarh", true)];
const APPARENT: &[Field] = &[field(4, 2, "kVAh", false)];

const WHEN: Field = named("time", "发生时间", special(5, Kind::DemandTime));
const fn demand(unit: &'static str, signed: bool) -> [Field; 2] {
    [named("demand", "需量", field(3, 4, unit, signed)), WHEN]
}
const DEMAND_ACTIVE: &[Field] = &demand("kW", false);
const DEMAND_REACTIVE: &[Field] = &demand("kvar", false);
const DEMAND_REACTIVE_SIGNED: &[Field] = &demand("kvar", true);
const DEMAND_APPARENT: &[Field] = &demand("kVA", false);

/// A quantity that meters count: name, fields of the energy, fields of the maximum demand.
type Counted = ((&'static str, &'static str), &'static [Field], &'static [Field]);

/// By DI2, 00..0A; of a phase by DI2 less 14H (A), 28H (B), 3CH (C), from 01.
const COUNTED: [Counted; 11] = [
    (("combined active", "组合有功"), ACTIVE_SIGNED, &[]),
    (("forward active", "正向有功"), ACTIVE, DEMAND_ACTIVE),
    (("reverse active", "反向有功"), ACTIVE, DEMAND_ACTIVE),
    (("combined reactive 1", "组合无功1"), REACTIVE_SIGNED, DEMAND_REACTIVE_SIGNED),
    (("combined reactive 2", "组合无功2"), REACTIVE_SIGNED, DEMAND_REACTIVE_SIGNED),
    (("quadrant I reactive", "第一象限无功"), REACTIVE, DEMAND_REACTIVE),
    (("quadrant II reactive", "第二象限无功"), REACTIVE, DEMAND_REACTIVE),
    (("quadrant III reactive", "第三象限无功"), REACTIVE, DEMAND_REACTIVE),
    (("quadrant IV reactive", "第四象限无功"), REACTIVE, DEMAND_REACTIVE),
    (("forward apparent", "正向视在"), APPARENT, DEMAND_APPARENT),
    (("reverse apparent", "反向视在"), APPARENT, DEMAND_APPARENT),
];

/// What is measured now, by DI2: name, fields, whether DI1 = 00 is the total.
type Measured = ((&'static str, &'static str), &'static [Field], bool);

const MEASURED: [Measured; 9] = [
    (("voltage", "电压"), &[field(2, 1, "V", false)], false),
    (("current", "电流"), &[field(3, 3, "A", true)], false),
    (("active power", "有功功率"), &[field(3, 4, "kW", true)], true),
    (("reactive power", "无功功率"), &[field(3, 4, "kvar", true)], true),
    (("apparent power", "视在功率"), &[field(3, 4, "kVA", true)], true),
    (("power factor", "功率因数"), &[field(2, 3, "", true)], true),
    (("phase angle", "相角"), &[field(2, 1, "deg", false)], false),
    (("voltage distortion", "电压波形失真度"), &[field(2, 2, "%", false)], false),
    (("current distortion", "电流波形失真度"), &[field(2, 2, "%", false)], false),
];

const HARMONIC: &[Field] = &[field(2, 2, "%", false)];

/// An identifier that stands for itself.
type Single = (u32, (&'static str, &'static str), &'static [Field], Repeat);

/// One field: text, digits, bits.
const fn one(bytes: u8, kind: Kind) -> [Field; 1] {
    [special(bytes, kind)]
}

const fn word(name_en: &'static str, name_zh: &'static str) -> Field {
    named(name_en, name_zh, special(2, Kind::Bits))
}

const STATUS: &[Field] = &one(2, Kind::Bits);
const BYTE: &[Field] = &one(1, Kind::Bits);
const PLATE: &[Field] = &one(6, Kind::Digits);
const RATING: &[Field] = &one(6, Kind::Ascii);
const STATUS_WORDS: &[Field] = &[
    word("word 1", "状态字1"),
    word("word 2", "状态字2"),
    word("word 3", "状态字3"),
    word("word 4", "状态字4"),
    word("word 5", "状态字5"),
    word("word 6", "状态字6"),
    word("word 7", "状态字7"),
];
const LOSSES: &[Field] = &[
    named("count", "总次数", field(3, 0, "", false)),
    named("time", "总累计时间", field(3, 0, "min", false)),
];

#[rustfmt::skip]
const SINGLE: &[Single] = &[
    // Prepaid: from memory of users, not confirmed by a second source.
    (0x0090_0100, ("remaining energy", "剩余电量"), ACTIVE, Repeat::Once),
    (0x0090_0200, ("remaining amount", "剩余金额"), &[field(4, 2, "yuan", false)], Repeat::Once),
    (0x0280_0001, ("neutral current", "零线电流"), &[field(3, 3, "A", true)], Repeat::Once),
    (0x0280_0002, ("grid frequency", "电网频率"), &[field(2, 2, "Hz", false)], Repeat::Once),
    (0x0280_0003, ("one-minute mean active power", "一分钟有功平均功率"), &[field(3, 4, "kW", true)], Repeat::Once),
    (0x0280_0004, ("present active demand", "当前有功需量"), &[field(3, 4, "kW", true)], Repeat::Once),
    (0x0280_0005, ("present reactive demand", "当前无功需量"), &[field(3, 4, "kvar", true)], Repeat::Once),
    (0x0280_0006, ("present apparent demand", "当前视在需量"), &[field(3, 4, "kVA", true)], Repeat::Once),
    (0x0280_0007, ("meter temperature", "表内温度"), &[field(2, 1, "degC", true)], Repeat::Once),
    (0x0280_0008, ("clock battery voltage", "时钟电池电压"), &[field(2, 2, "V", false)], Repeat::Once),
    (0x0280_0009, ("reading battery voltage", "停电抄表电池电压"), &[field(2, 2, "V", false)], Repeat::Once),
    (0x0280_000A, ("internal battery working time", "内部电池工作时间"), &[field(4, 0, "min", false)], Repeat::Once),
    (0x0280_0020, ("present price", "当前电价"), &[field(4, 4, "yuan", false)], Repeat::Once),
    (0x0301_0000, ("loss of voltage", "失压"), LOSSES, Repeat::Phases),
    (0x0330_0D00, ("cover openings", "开表盖总次数"), &[field(3, 0, "", false)], Repeat::Once),
    (0x0400_0101, ("date and weekday", "日期及星期"), &one(4, Kind::Clock), Repeat::Once),
    (0x0400_0102, ("time", "时间"), &one(3, Kind::Clock), Repeat::Once),
    (0x0400_0103, ("maximum demand period", "最大需量周期"), &[field(1, 0, "min", false)], Repeat::Once),
    (0x0400_0104, ("slide time", "滑差时间"), &[field(1, 0, "min", false)], Repeat::Once),
    (0x0400_0401, ("communication address", "通信地址"), PLATE, Repeat::Once),
    (0x0400_0402, ("meter number", "表号"), PLATE, Repeat::Once),
    (0x0400_0403, ("asset code", "资产管理编码"), &one(32, Kind::Ascii), Repeat::Once),
    (0x0400_0404, ("rated voltage", "额定电压"), RATING, Repeat::Once),
    (0x0400_0405, ("rated current", "额定电流"), RATING, Repeat::Once),
    (0x0400_0406, ("maximum current", "最大电流"), RATING, Repeat::Once),
    (0x0400_0409, ("active pulse constant", "有功常数"), &[field(3, 0, "imp/kWh", false)], Repeat::Once),
    (0x0400_040A, ("reactive pulse constant", "无功常数"), &[field(3, 0, "imp/kvarh", false)], Repeat::Once),
    (0x0400_040B, ("model", "电表型号"), &one(10, Kind::Ascii), Repeat::Once),
    (0x0400_040D, ("protocol version", "协议版本号"), &one(16, Kind::Ascii), Repeat::Once),
    (0x0400_0501, ("status word 1", "运行状态字1"), STATUS, Repeat::Once),
    (0x0400_0502, ("status word 2", "运行状态字2"), STATUS, Repeat::Once),
    // Bit 4: relay, 1 = open.
    (0x0400_0503, ("status word 3", "运行状态字3"), STATUS, Repeat::Once),
    (0x0400_0504, ("status word 4", "运行状态字4"), STATUS, Repeat::Once),
    (0x0400_0505, ("status word 5", "运行状态字5"), STATUS, Repeat::Once),
    (0x0400_0506, ("status word 6", "运行状态字6"), STATUS, Repeat::Once),
    (0x0400_0507, ("status word 7", "运行状态字7"), STATUS, Repeat::Once),
    (0x0400_05FF, ("status words", "运行状态字"), STATUS_WORDS, Repeat::Once),
    (0x0400_0701, ("baud rate code, modulated infrared", "调制型红外通信速率特征字"), BYTE, Repeat::Once),
    (0x0400_0702, ("baud rate code, contact infrared", "接触式红外通信速率特征字"), BYTE, Repeat::Once),
    (0x0400_0703, ("baud rate code, port 1", "通信口1速率特征字"), BYTE, Repeat::Once),
    (0x0400_0704, ("baud rate code, port 2", "通信口2速率特征字"), BYTE, Repeat::Once),
    (0x0400_0705, ("baud rate code, port 3", "通信口3速率特征字"), BYTE, Repeat::Once),
    (0x0400_0801, ("weekly rest days", "周休日特征字"), BYTE, Repeat::Once),
    (0x0400_0802, ("time slots of rest days", "周休日采用的日时段表号"), BYTE, Repeat::Once),
    // Where some makers put the state of the relay.
    (0x04FF_0405, ("relay state (of the maker)", "继电器状态（厂家）"), BYTE, Repeat::Once),
];

pub(super) fn meaning(id: u32) -> Option<Meaning> {
    if let Some(&(_, name, fields, repeat)) = SINGLE.iter().find(|single| single.0 == id) {
        return Some(Meaning { name, parts: Vec::new(), fields, repeat });
    }
    let [di3, di2, di1, di0] = id.to_be_bytes();
    match di3 {
        0x00 => counted(di2, di1, di0, |counted| counted.1),
        0x01 => counted(di2, di1, di0, |counted| counted.2),
        0x02 => measured(di2, di1, di0),
        _ => None,
    }
}

/// Energies and maximum demands.
fn counted(di2: u8, di1: u8, di0: u8, fields: fn(&Counted) -> &'static [Field]) -> Option<Meaning> {
    let (quantity, of) = match di2 {
        0x00..=0x0A => (di2, None),
        0x15..=0x1E => (di2 - 0x14, Some(1)),
        0x29..=0x32 => (di2 - 0x28, Some(2)),
        0x3D..=0x46 => (di2 - 0x3C, Some(3)),
        _ => return None,
    };
    let counted = COUNTED.get(usize::from(quantity))?;
    let fields = fields(counted);
    let mut parts = Vec::new();
    let mut repeat = Repeat::Once;
    match (of, di1) {
        (Some(of), 0) => parts.push(phase(of)),
        (Some(_), _) => return None,
        (None, BLOCK) => repeat = Repeat::Tariffs,
        (None, 0..=TARIFFS) => parts.push(tariff(usize::from(di1))),
        _ => return None,
    }
    match di0 {
        0 => {}
        1..=PERIODS => parts.push(settlement(usize::from(di0))),
        BLOCK if repeat == Repeat::Once => repeat = Repeat::Settlements,
        _ => return None,
    }
    (!fields.is_empty()).then_some(Meaning { name: counted.0, parts, fields, repeat })
}

/// What is measured now.
fn measured(di2: u8, di1: u8, di0: u8) -> Option<Meaning> {
    if matches!(di2, 0x0A | 0x0B) {
        let name = if di2 == 0x0A { ("voltage", "电压") } else { ("current", "电流") };
        let mut parts = vec![phase(usize::from(di1))];
        let repeat = match (di1, di0) {
            (1..=3, BLOCK) => Repeat::Harmonics,
            (1..=3, 1..=HARMONICS) => {
                parts.push(harmonic(usize::from(di0)));
                Repeat::Once
            }
            _ => return None,
        };
        return Some(Meaning { name, parts, fields: HARMONIC, repeat });
    }
    let &(name, fields, total) = MEASURED.get(usize::from(di2).checked_sub(1)?)?;
    let (parts, repeat) = match (di1, di0) {
        (0, 0) if total => (vec![tariff(0)], Repeat::Once),
        (1..=3, 0) => (vec![phase(usize::from(di1))], Repeat::Once),
        (BLOCK, 0) if total => (Vec::new(), Repeat::TotalAndPhases),
        (BLOCK, 0) => (Vec::new(), Repeat::Phases),
        _ => return None,
    };
    Some(Meaning { name, parts, fields, repeat })
}
