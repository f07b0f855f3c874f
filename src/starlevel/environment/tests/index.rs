//! Indices against the numbers of an independent script.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::starlevel::environment::parameter::Parameter;
use crate::starlevel::environment::table::{Row, Table};

/// 2026-03-01, days since 1970.
pub(super) const SWITCH: u32 = 20_513;

/// Concentration and index.
type Pairs = Vec<(f64, Option<u16>)>;
/// Single indices; AQI, primary pollutants, missing ones.
type Overall = (Vec<Option<u16>>, Option<u16>, Vec<String>, Vec<String>);

#[derive(Deserialize)]
struct Golden {
    /// By day and row.
    iaqi: BTreeMap<String, BTreeMap<String, Pairs>>,
    aqi: Vec<Overall>,
}

fn golden() -> Golden {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/air-quality.json");
    serde_json::from_str(&std::fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn the_index_of_both_editions_is_exact_at_and_about_every_breakpoint() {
    let golden = golden();
    let mut compared = 0;
    for (day, on) in [("2026-02-28", SWITCH - 1), ("2026-03-01", SWITCH)] {
        let rows = &golden.iaqi[day];
        assert_eq!(rows.len(), Row::ALL.len());
        for row in Row::ALL {
            for (concentration, index) in &rows[row.word()] {
                let found = Table::built_in().iaqi(row, *concentration, on);
                assert_eq!(found, *index, "{day} {} {concentration}", row.word());
                compared += 1;
            }
        }
    }
    assert!(compared > 3000, "{compared}");
}

#[test]
fn the_edition_changes_at_midnight_of_the_first_of_march_2026() {
    let table = Table::built_in();
    let of = |on| table.index(|_| Some(10), on).edition;
    assert_eq!(of(SWITCH - 1).as_deref(), Some("HJ 633-2012"));
    assert_eq!(of(SWITCH).as_deref(), Some("HJ 633-2026"));
    // 75 was the end of "good" and is 115's half now.
    assert_eq!(table.iaqi(Row::Pm25, 75.0, SWITCH - 1), Some(100));
    assert_eq!(table.iaqi(Row::Pm25, 60.0, SWITCH), Some(100));
    assert_eq!(table.iaqi(Row::Pm25, 61.0, SWITCH), Some(101));
    // Before the first edition that is known nothing is said.
    assert_eq!(table.iaqi(Row::Pm25, 35.0, 16_000), None);
    assert_eq!(table.index(|_| Some(10), 16_000).aqi, None);
}

#[test]
fn a_missing_pollutant_leaves_an_aqi_only_above_100() {
    let table = Table::built_in();
    let only = |index| move |p| (p == Parameter::Pm25).then_some(index);
    assert_eq!(table.index(only(100), SWITCH).aqi, None);
    let above = table.index(only(101), SWITCH);
    assert_eq!((above.aqi, above.primary), (Some(101), vec![Parameter::Pm25]));
    assert_eq!(above.missing.len(), 5);
}

#[test]
fn the_aqi_of_six_indices_with_and_without_gaps_is_that_of_the_script() {
    let words = |list: &[Parameter]| list.iter().map(|p| p.word().to_owned()).collect::<Vec<_>>();
    let golden = golden();
    assert_eq!(golden.aqi.len(), 400);
    for (single, aqi, primary, missing) in golden.aqi {
        let of = |p: Parameter| {
            single[Parameter::POLLUTANTS.iter().position(|other| *other == p).unwrap()]
        };
        let found = Table::built_in().index(of, SWITCH);
        let found = (found.aqi, words(&found.primary), words(&found.missing));
        assert_eq!(found, (aqi, primary, missing), "{single:?}");
    }
}

#[test]
fn what_is_no_concentration_has_no_index() {
    for value in [f64::NAN, f64::INFINITY, 1e12] {
        assert_eq!(Table::built_in().iaqi(Row::Pm25, value, SWITCH), None, "{value}");
    }
    assert_eq!(Table::built_in().iaqi(Row::Pm25, -3.0, SWITCH), Some(0));
}

#[test]
fn a_daily_ozone_value_above_the_last_breakpoint_follows_its_edition() {
    let table = Table::built_in();
    assert_eq!(table.iaqi_ozone_day(801.0, Some(900.0), SWITCH), Some(300));
    // Note 3 of the 2012 edition: the index of the hourly value is reported.
    assert_eq!(table.iaqi_ozone_day(801.0, Some(900.0), SWITCH - 1), Some(350));
    assert_eq!(table.iaqi_ozone_day(801.0, None, SWITCH - 1), None);
}
