//! What can be wrong with the table of air quality and noise.

use super::noise::NoiseZone;
use super::parameter::Parameter;
use super::table::{Above, Edition, Row, Table, day};

/// Everything that is wrong: the place, the value, what is allowed.
pub(super) fn faults(table: &Table) -> Vec<String> {
    let mut faults = Vec::new();
    let mut note = |place: &str, fault: String| faults.push(format!("{place}: {fault}"));
    if !rises(&table.steps) || table.steps.first() != Some(&0) || table.steps.len() < 2 {
        note("steps", format!("{:?}: must begin with 0 and rise", table.steps));
    }
    editions(table, &mut note);
    for edition in &table.edition {
        rows(table, edition, &mut note);
    }
    classes(table, &mut note);
    let validity = &table.validity;
    for (key, value, most) in [
        ("hour_min_minutes", validity.hour_min_minutes, 60),
        ("o3_8h_min_hours", validity.o3_8h_min_hours, 8),
        ("day_min_hours", validity.day_min_hours, 24),
    ] {
        if !(1..=most).contains(&value) {
            note("validity", format!("{key} = {value}: must lie in 1..={most}"));
        }
    }
    state(table, &mut note);
    noise(table, &mut note);
    let statuses = [
        ("missing", &table.missing.status),
        ("primary", &table.primary.status),
        ("validity", &validity.status),
        ("reference_state", &table.reference_state.status),
        ("noise", &table.noise.status),
    ];
    for (place, status) in statuses {
        if status.is_empty() {
            note(place, "status is empty: must say how well the block is known".to_owned());
        }
    }
    faults
}

fn rises<T: PartialOrd>(values: &[T]) -> bool {
    values.windows(2).all(|pair| pair[0] < pair[1])
}

/// Editions follow each other day by day; the last is in force.
fn editions(table: &Table, note: &mut impl FnMut(&str, String)) {
    if table.edition.is_empty() {
        note("edition", "none: at least one is needed".to_owned());
    }
    for edition in &table.edition {
        if day(&edition.from).is_none() || edition.until.is_some() && edition.last().is_none() {
            note(&edition.id, "from and until must be dates: 2026-03-01".to_owned());
        } else if edition.last().is_some_and(|last| Some(last) < edition.first()) {
            note(&edition.id, "until lies before from".to_owned());
        }
        if edition.status.is_empty() {
            note(&edition.id, "status is empty: must say how well it is known".to_owned());
        }
    }
    for pair in table.edition.windows(2) {
        let (Some(last), Some(first)) = (pair[0].last(), pair[1].first()) else {
            note(&pair[0].id, format!("has no until before {} begins", pair[1].id));
            continue;
        };
        if last + 1 != first {
            let how = if last + 1 < first { "a gap" } else { "an overlap" };
            note(&pair[1].id, format!("there is {how} of days after {}", pair[0].id));
        }
    }
    if let Some(edition) = table.edition.last().filter(|edition| edition.until.is_some()) {
        note(&edition.id, "the last edition must have no until".to_owned());
    }
}

fn rows(table: &Table, edition: &Edition, note: &mut impl FnMut(&str, String)) {
    for row in Row::ALL {
        let place = format!("{}, {}", edition.id, row.word());
        let points = edition.row(row);
        if !rises(points) || points.first() != Some(&0) {
            note(&place, format!("{points:?}: must begin with 0 and rise"));
        }
        if points.last().is_some_and(|last| *last > 1_000_000) {
            note(&place, format!("{points:?}: must not exceed 1000000"));
        }
        let short = [Row::So2Hour, Row::O3Eight].contains(&row);
        let (least, most) = (if short { 2 } else { table.steps.len() }, table.steps.len());
        if !(least..=most).contains(&points.len()) {
            let has = points.len();
            note(&place, format!("has {has} breakpoints: must have {least}..={most}"));
        }
    }
    let above = [
        (Row::So2Hour, &edition.so2_1h_above, Row::So2Day),
        (Row::O3Eight, &edition.o3_8h_above, Row::O3Hour),
    ];
    for (row, above, other) in above {
        let place = format!("{}, {}_above", edition.id, row.word());
        match above {
            Above::Row(named) if named != other.word() => {
                note(&place, format!("`{named}`: must be an index or `{}`", other.word()));
            }
            Above::Index(index) if !table.steps.contains(index) => {
                note(&place, format!("{index}: must be one of {:?}", table.steps));
            }
            _ => {}
        }
    }
}

fn classes(table: &Table, note: &mut impl FnMut(&str, String)) {
    let ends: Vec<u16> = table.class.iter().map(|class| class.max).collect();
    if !rises(&ends) || ends.last() != table.steps.last() {
        note("class", format!("{ends:?}: max must rise and end at {:?}", table.steps.last()));
    }
    for class in &table.class {
        let digits = class.rgb.strip_prefix('#').unwrap_or_default();
        if digits.len() != 6 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            note("class", format!("rgb `{}`: must be `#RRGGBB`", class.rgb));
        }
        let texts = [&class.level, &class.zh, &class.en, &class.colour_zh, &class.colour_en];
        if texts.iter().any(|text| text.is_empty()) {
            note("class", format!("max {}: a text is empty", class.max));
        }
    }
}

fn state(table: &Table, note: &mut impl FnMut(&str, String)) {
    let state = &table.reference_state;
    for (key, value) in [
        ("kelvin", state.kelvin),
        ("kilopascal", state.kilopascal),
        ("gas_constant", state.gas_constant),
    ] {
        if !(value.is_finite() && value > 0.0) {
            note("reference_state", format!("{key} = {value}: must be above 0"));
        }
    }
    for gas in [Parameter::So2, Parameter::No2, Parameter::Co, Parameter::O3] {
        if !table.molar_mass(gas).is_some_and(|mass| mass.is_finite() && mass > 0.0) {
            note("reference_state", format!("molar_mass: {} must be above 0", gas.word()));
        }
    }
    if state.molar_mass.len() != 4 {
        note("reference_state", "molar_mass: only so2, no2, co, o3".to_owned());
    }
}

fn noise(table: &Table, note: &mut impl FnMut(&str, String)) {
    let noise = &table.noise;
    for zone in NoiseZone::ALL {
        match noise.limits.get(zone.word()) {
            None => note("noise", format!("limits: zone `{}` is missing", zone.word())),
            Some([day, night]) if night > day => {
                note("noise", format!("zone `{}`: night {night} above day {day}", zone.word()));
            }
            Some(_) => {}
        }
    }
    for zone in noise.limits.keys().filter(|zone| NoiseZone::of(zone).is_none()) {
        note("noise", format!("limits: `{zone}` is no zone of GB 3096"));
    }
    let (day, night) = (noise.day_from_hour, noise.night_from_hour);
    if !(day < night && night < 24) {
        note("noise", format!("day from {day}, night from {night}: must rise, below 24"));
        return;
    }
    let (hours, dark) = (night - day, 24 - (night - day));
    if !(1..=hours).contains(&noise.day_min_hours) {
        let has = noise.day_min_hours;
        note("noise", format!("day_min_hours = {has}: must lie in 1..={hours}"));
    }
    if !(1..=dark).contains(&noise.night_min_hours) {
        let has = noise.night_min_hours;
        note("noise", format!("night_min_hours = {has}: must lie in 1..={dark}"));
    }
}
