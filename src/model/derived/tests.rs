//! What follows from good, bad and missing inputs.

use super::*;
use crate::model::{Quantity, Unit};

fn point(decimals: u8) -> Point {
    Point { decimals, ..Point::new("p", Unit::ONE, Quantity::Instantaneous) }
}

fn good(value: f64) -> PointState {
    state(Some(value), Some(Quality::Good))
}

fn bad(reason: Reason) -> PointState {
    state(None, Some(Quality::Bad(reason)))
}

fn state(value: Option<f64>, quality: Option<Quality>) -> PointState {
    PointState { value: value.map(Value::Number), quality, ..PointState::default() }
}

fn derive(rule: Rule, inputs: &[PointState]) -> Option<(Option<f64>, Quality)> {
    let of = (0..u16::try_from(inputs.len()).unwrap()).map(PointIndex).collect();
    let derived = Derived { point: PointIndex(9), rule, of, flag: false };
    let reading = derived.reading(&point(1), |input| &inputs[input.slot()])?;
    assert_eq!(reading.point, PointIndex(9));
    Some((reading.value.and_then(|value| value.number()), reading.quality))
}

#[test]
fn a_sum_adds_and_rounds_to_the_points_decimals() {
    let inputs = [good(0.1), good(0.2), good(1.26)];
    assert_eq!(derive(Rule::Sum, &inputs), Some((Some(1.6), Quality::Good)));
}

#[test]
fn a_difference_is_the_first_less_the_second() {
    let inputs = [good(5.0), good(7.5)];
    assert_eq!(derive(Rule::Difference, &inputs), Some((Some(-2.5), Quality::Good)));
}

#[test]
fn a_ratio_over_zero_is_not_available() {
    let ratio = || Rule::Ratio { factor: 100.0 };
    assert_eq!(derive(ratio(), &[good(1.0), good(8.0)]), Some((Some(12.5), Quality::Good)));
    let none = Some((None, Quality::Bad(Reason::NotAvailable)));
    assert_eq!(derive(ratio(), &[good(1.0), good(0.0)]), none);
    assert_eq!(derive(ratio(), &[good(0.0), good(0.0)]), none);
}

#[test]
fn a_sum_waits_for_all_inputs_and_is_bad_with_one_of_them() {
    assert_eq!(derive(Rule::Sum, &[good(1.0), PointState::default()]), None);
    let inputs = [good(1.0), bad(Reason::NoAnswer)];
    assert_eq!(derive(Rule::Sum, &inputs), Some((None, Quality::Bad(Reason::NoAnswer))));
}

#[test]
fn doubt_about_an_input_is_doubt_about_the_sum() {
    let doubtful = state(Some(2.0), Some(Quality::Uncertain(Reason::RateOfChange)));
    let outcome = Some((Some(3.0), Quality::Uncertain(Reason::RateOfChange)));
    assert_eq!(derive(Rule::Sum, &[good(1.0), doubtful]), outcome);
}

#[test]
fn the_worst_is_the_code_that_stands_first() {
    let rule = || Rule::WorstOf(Worst::Order(vec![255.0, 0.0, 3.0, 1.0]));
    let inputs = [good(1.0), good(3.0), good(0.0), good(1.0)];
    assert_eq!(derive(rule(), &inputs), Some((Some(0.0), Quality::Good)));
    // Nobody knows how bad a code is that has no place.
    assert_eq!(derive(rule(), &[good(3.0), good(77.0)]), Some((Some(77.0), Quality::Good)));
}

#[test]
fn the_worst_of_numbers_is_the_highest_or_lowest() {
    let inputs = [good(4.0), good(9.0), good(-1.0)];
    assert_eq!(derive(Rule::WorstOf(Worst::Highest), &inputs).unwrap().0, Some(9.0));
    assert_eq!(derive(Rule::WorstOf(Worst::Lowest), &inputs).unwrap().0, Some(-1.0));
}

#[test]
fn a_count_says_what_is_known_and_that_it_is_not_all() {
    let rule = || Rule::CountWhere(Test::Equals(0.0));
    assert_eq!(derive(rule(), &[good(0.0), good(1.0)]), Some((Some(1.0), Quality::Good)));
    let some = [good(0.0), PointState::default(), good(0.0)];
    let outcome = Some((Some(2.0), Quality::Uncertain(Reason::NotAvailable)));
    assert_eq!(derive(rule(), &some), outcome);
    assert_eq!(derive(rule(), &[PointState::default()]), None);
    let none = [bad(Reason::NoAnswer), PointState::default()];
    assert_eq!(derive(rule(), &none), Some((None, Quality::Bad(Reason::NoAnswer))));
}

#[test]
fn above_and_below_leave_the_limit_out() {
    let inputs = [good(1.0), good(2.0), good(3.0)];
    assert_eq!(derive(Rule::CountWhere(Test::Above(2.0)), &inputs).unwrap().0, Some(1.0));
    assert_eq!(derive(Rule::CountWhere(Test::Below(2.0)), &inputs).unwrap().0, Some(1.0));
}

#[test]
fn a_flag_that_is_derived_is_a_flag() {
    let inputs = [
        PointState {
            value: Some(Value::Flag(false)),
            quality: Some(Quality::Good),
            ..Default::default()
        },
        PointState {
            value: Some(Value::Flag(true)),
            quality: Some(Quality::Good),
            ..Default::default()
        },
    ];
    let rule = Rule::WorstOf(Worst::Highest);
    let of = vec![PointIndex(0), PointIndex(1)];
    let derived = Derived { point: PointIndex(2), rule, of, flag: true };
    let reading = derived.reading(&point(0), |input| &inputs[input.slot()]).unwrap();
    assert_eq!(reading.value, Some(Value::Flag(true)));
}
