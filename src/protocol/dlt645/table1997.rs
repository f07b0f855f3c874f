//! The identifiers of the edition of 1997 that gateways read: energies 9xxx, measured values B6xx,
//! clock and number C0xx.

use super::items::{Field, Kind, Meaning, Repeat, field, phase, settlement, special, tariff};

/// Lowest digit that asks for a block.
const BLOCK: u16 = 0xF;

const ACTIVE: &[Field] = &[field(4, 2, "kWh", false)];
const REACTIVE: &[Field] = &[field(4, 2, "kvarh", false)];

/// Name, fields, whether the lowest digit 0 is the total; by the third digit.
type Measured = ((&'static str, &'static str), &'static [Field], bool);

const MEASURED: [Measured; 5] = [
    (("voltage", "电压"), &[field(2, 0, "V", false)], false),
    (("current", "电流"), &[field(2, 2, "A", false)], false),
    (("active power", "有功功率"), &[field(3, 4, "kW", false)], true),
    (("reactive power", "无功功率"), &[field(2, 2, "kvar", false)], true),
    (("power factor", "功率因数"), &[field(2, 3, "", false)], true),
];

const DATE: &[Field] = &[special(4, Kind::Clock)];
const TIME: &[Field] = &[special(3, Kind::Clock)];
const PLATE: &[Field] = &[special(6, Kind::Digits)];

pub(super) fn meaning(id: u16) -> Option<Meaning> {
    let single =
        |name, fields| Some(Meaning { name, parts: Vec::new(), fields, repeat: Repeat::Once });
    match (id >> 8, id) {
        (0x90 | 0x91 | 0x94 | 0x95 | 0x98 | 0x99, _) => energy(id),
        (0xB6, _) => measured(id),
        (_, 0xC010) => single(("date and weekday", "日期及周次"), DATE),
        (_, 0xC011) => single(("time", "时间"), TIME),
        (_, 0xC032) => single(("meter number", "表号"), PLATE),
        _ => None,
    }
}

/// 90, 91 now; 94, 95 last month; 98, 99 the month before. Even: active.
fn energy(id: u16) -> Option<Meaning> {
    let back = usize::from(((id >> 8) - 0x90) / 4);
    let active = id & 0x0100 == 0;
    let (name, fields) = match (active, id >> 4 & 0xF) {
        (true, 1) => (("forward active", "正向有功"), ACTIVE),
        (true, 2) => (("reverse active", "反向有功"), ACTIVE),
        (false, 1) => (("forward reactive", "正向无功"), REACTIVE),
        (false, 2) => (("reverse reactive", "反向无功"), REACTIVE),
        (false, 3) => (("quadrant I reactive", "第一象限无功"), REACTIVE),
        (false, 4) => (("quadrant IV reactive", "第四象限无功"), REACTIVE),
        (false, 5) => (("quadrant II reactive", "第二象限无功"), REACTIVE),
        (false, 6) => (("quadrant III reactive", "第三象限无功"), REACTIVE),
        _ => return None,
    };
    let mut parts = Vec::new();
    let repeat = match id & 0xF {
        BLOCK => Repeat::Tariffs,
        index => {
            parts.push(tariff(usize::from(index)));
            Repeat::Once
        }
    };
    if back > 0 {
        parts.push(settlement(back));
    }
    Some(Meaning { name, parts, fields, repeat })
}

fn measured(id: u16) -> Option<Meaning> {
    let &(name, fields, total) = MEASURED.get(usize::from(id >> 4 & 0xF).checked_sub(1)?)?;
    let (parts, repeat) = match id & 0xF {
        0 if total => (vec![tariff(0)], Repeat::Once),
        index @ 1..=3 => (vec![phase(usize::from(index))], Repeat::Once),
        BLOCK if total => (Vec::new(), Repeat::TotalAndPhases),
        BLOCK => (Vec::new(), Repeat::Phases),
        _ => return None,
    };
    Some(Meaning { name, parts, fields, repeat })
}
