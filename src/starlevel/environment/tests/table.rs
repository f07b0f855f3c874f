//! What is wrong with a table is named with its place.

use crate::starlevel::environment::report::AirClass;
use crate::starlevel::environment::table::{BUILT_IN, Table};

#[test]
fn the_built_in_table_has_no_faults() {
    assert_eq!(Table::parse(BUILT_IN).err(), None);
}

#[test]
fn each_fault_of_a_table_is_named() {
    for (from, to, fault) in [
        ("until = 2026-02-28", "until = 2026-02-27", "a gap of days after HJ 633-2012"),
        ("until = 2026-02-28", "until = 2026-03-01", "an overlap of days after HJ 633-2012"),
        ("until = 2026-02-28\n", "", "HJ 633-2012: has no until"),
        ("from = 2026-03-01", "from = 2026-03-01\nuntil = 2027-01-01", "must have no until"),
        ("from = 2016-01-01", "from = 2016-01-01T00:00:00", "must be dates"),
        ("pm25_24h = [0, 35, 60,", "pm25_24h = [0, 35, 35,", "HJ 633-2026, pm25_24h"),
        ("pm25_24h = [0, 35, 75,", "pm25_24h = [0, 75,", "has 7 breakpoints"),
        ("so2_1h_above = 200", "so2_1h_above = 210", "so2_1h_above: 210"),
        ("o3_8h_above = \"o3_1h\"", "o3_8h_above = \"o3\"", "`o3`: must be an index or `o3_1h`"),
        ("steps = [0, 50, 100,", "steps = [0, 100, 50,", "steps: "),
        ("max = 100", "max = 40", "max must rise"),
        ("#FFFF00", "yellow", "rgb `yellow`"),
        ("hour_min_minutes = 45", "hour_min_minutes = 61", "must lie in 1..=60"),
        ("\"4b\" = [70, 60]", "\"4c\" = [70, 60]", "zone `4b` is missing"),
        ("\"1\" = [55, 45]", "\"1\" = [45, 55]", "night 55 above day 45"),
        ("day_min_hours = 14", "day_min_hours = 17", "must lie in 1..=16"),
        ("kelvin = 298.15", "kelvin = 0.0", "kelvin = 0"),
        ("co = 28.010, ", "", "molar_mass: co"),
        ("least = 1 ", "most = 1 ", "most"),
    ] {
        assert!(BUILT_IN.contains(from), "{from}");
        let faults = Table::parse(&BUILT_IN.replacen(from, to, 1)).err().unwrap_or_default();
        assert!(faults.iter().any(|text| text.contains(fault)), "{to}: {faults:?}");
    }
}

#[test]
fn classes_begin_after_the_end_of_the_one_before() {
    for (index, name) in [
        (0, "优"),
        (50, "优"),
        (51, "良"),
        (100, "良"),
        (101, "轻度污染"),
        (200, "中度污染"),
        (201, "重度污染"),
        (301, "严重污染"),
        (500, "严重污染"),
    ] {
        assert_eq!(AirClass::of(index).unwrap().name.zh, name, "{index}");
    }
    assert_eq!(AirClass::of(501), None);
}
