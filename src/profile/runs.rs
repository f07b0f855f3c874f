//! The names, numbers and codes of an entry of `[[points]]`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::binding::Code;
use super::fault::Faults;
use super::schema::{PointFile, QuantityWord};
use crate::model::Label;

/// Codes travel as numbers; a double holds these exactly.
const MAX_CODE: u64 = 4_294_967_295;
/// Most codes of a point: the search is linear.
const MAX_CODES: usize = 256;

/// The names of an entry's points, in their order.
pub(super) fn run_names(
    file: &PointFile,
    span: &Range<usize>,
    faults: &mut Faults<'_>,
) -> Option<Vec<String>> {
    match (&file.name, &file.names, &file.count) {
        (Some(name), None, None) => Some(vec![name.get_ref().clone()]),
        (None, Some(names), None) => {
            Some(names.iter().map(|name| name.get_ref().clone()).collect())
        }
        (Some(name), None, Some(count)) if name.get_ref().contains("{n}") => {
            let modbus = false;
            let number = |place| run_number(file, place, modbus).to_string();
            let count = u32::from(*count.get_ref()).min(1000);
            Some((0..count).map(|place| name.get_ref().replace("{n}", &number(place))).collect())
        }
        _ => {
            faults.at(
                span.clone(),
                "a point has `name`, or `names`, or `name` with `{n}` and `count`",
            );
            None
        }
    }
}

/// The `{n}` of a run's place; with registers `step` counts addresses, with meters bytes, not
/// numbers.
pub(super) fn run_number(file: &PointFile, place: u32, modbus: bool) -> u32 {
    let counts = modbus || file.address.is_some() || file.id.is_some() || file.place.is_some();
    let step = if counts { 1 } else { u32::from(file.step.unwrap_or(1)) };
    file.from.unwrap_or(1).saturating_add(place.saturating_mul(step))
}

/// The table of codes; with labels alone the raw number is the code, and others are unknown.
pub(super) fn codes(file: &PointFile, labels: &[Label], faults: &mut Faults<'_>) -> Vec<Code> {
    let known: BTreeMap<i64, ()> = labels.iter().map(|label| (label.code, ())).collect();
    if file.codes.is_empty() && file.quantity == Some(QuantityWord::State) {
        return labels.iter().map(|l| Code::new(l.code.to_string(), l.code)).collect();
    }
    if file.codes.len() > MAX_CODES
        && let Some((raw, _)) = file.codes.first_key_value()
    {
        faults.at(raw.span(), format!("{} codes, at most {MAX_CODES}", file.codes.len()));
    }
    let mut codes = Vec::new();
    for (raw, code) in &file.codes {
        if !known.is_empty() && !known.contains_key(code) {
            let codes: Vec<String> = known.keys().map(ToString::to_string).collect();
            let set = file.labels.as_ref().map_or("", |set| set.get_ref().as_str());
            let message = format!(
                "code {code} has no label; `{set}` has {}: add {code} = [\"…\", \"…\"] to [labels.{set}], or map `{}` to one of them",
                codes.join(" "),
                raw.get_ref()
            );
            faults.at(raw.span(), message);
        }
        if code.unsigned_abs() > MAX_CODE {
            faults.at(raw.span(), format!("code {code} is too large, at most {MAX_CODE}"));
        }
        codes.push(Code::new(raw.get_ref(), *code));
    }
    codes
}
