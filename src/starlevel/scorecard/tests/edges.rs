//! Edges of the bands, the floor under deductions, points that are inferred.

use super::{assessment, full, measured, scored};
use crate::starlevel::scorecard::{Card, Points, Scorecard, Table, Variant};

/// A total of an estate, made by giving items all until the rest is less.
fn of_total(hundredths: i64) -> Scorecard {
    let variant = Some(Variant::New);
    let card = Card::built_in(Table::A1);
    let mut left = hundredths - 400;
    let mut text = String::new();
    for item in card.items(variant) {
        let points = left.min(item.most().in_hundredths());
        left -= points;
        let points = Points::hundredths(points);
        if measured(item) {
            left += points.in_hundredths();
            continue;
        }
        text.push_str(&format!("[[answer]]\nitem = \"{}\"\npoints = {points}\n", item.id));
    }
    let made = scored(Table::A1, variant, &text, Some(&assessment(Variant::New, 4)));
    assert_eq!(made.total, Points::hundredths(hundredths));
    made
}

#[test]
fn the_bands_give_stars_of_the_red_property_scale_and_a_gap_counts_as_not_reached() {
    for (hundredths, stars, gap) in [
        (6899, None, false),
        (6999, None, true),
        (7000, Some(3), false),
        (7900, Some(3), false),
        (7950, Some(3), true),
        (8000, Some(4), false),
        (8900, Some(4), false),
        (8950, Some(4), true),
        (8999, Some(4), true),
        (9000, Some(5), false),
        (10000, Some(5), false),
    ] {
        let got = of_total(hundredths).red_property.unwrap();
        assert_eq!((got.red_property_stars, got.gap.is_some()), (stars, gap), "{hundredths}");
    }
    let card = of_total(8950);
    let red = card.red_property.as_ref().unwrap();
    let gap = red.gap.as_ref().unwrap();
    assert!(gap.en.contains("89.5 lies between 89 and 90") && gap.zh.contains("未达到五星级"));
    assert_eq!(red.label.zh, "四星级红色物业小区（项目）");
    let json: serde_json::Value = serde_json::from_str(&card.to_json()).unwrap();
    assert_eq!(json["red_property"]["red_property_stars"], 4);
    assert_eq!(json["total"], 89.5);
    assert_eq!(json["assessment"]["smart_area_star"], 4);
    assert!(json.get("star").is_none() && json.get("stars").is_none(), "never one field for both");
}

#[test]
fn the_negative_list_takes_off_by_name_and_the_score_stops_at_0() {
    let deduction = |id: &str, points: u32| {
        format!("[[deduction]]\nitem = \"{id}\"\npoints = {points}\nreason = \"事故\"\n")
    };
    let all = full(Table::A2, None) + &deduction("a2.n1", 20) + &deduction("a2.n3", 5);
    let card = scored(Table::A2, None, &all, None);
    assert_eq!((card.before_deductions, card.deducted), (Points::whole(100), Points::whole(25)));
    assert_eq!((card.total, card.below_zero), (Points::whole(75), None));
    assert!(card.red_property.is_none(), "A.2.4 speaks of estates only");
    assert_eq!(
        (card.negative[0].deductions[0].reason.as_str(), card.negative[1].deductions.len()),
        ("事故", 0)
    );

    let card = scored(Table::A2, None, &deduction("a2.n1", 5), None);
    assert_eq!(
        (card.total, card.below_zero),
        (Points::ZERO, Some(Points::whole(0) - Points::whole(5)))
    );
    let told = card.to_text();
    assert!(told.contains("-5 after deductions; the standard states no floor"), "{told}");
    assert!(told.contains("no proof that nothing happened"), "{told}");
}

#[test]
fn the_inferred_points_of_a_district_are_marked_and_counted_apart() {
    let one = scored(Table::A4, None, "[[answer]]\nitem = \"a4.26\"\nmet = true\n", None);
    let inferred = one.inferred.clone().unwrap();
    assert_eq!(inferred.items, ["a4.24", "a4.26"]);
    assert_eq!((inferred.points, inferred.of), (Points::whole(2), Points::whole(4)));
    assert!(one.to_text().contains("其中 2 / 4 分为推定分值（a4.24、a4.26）"));
    assert!(one.to_html().contains("推定 inferred"));
    assert!(scored(Table::A3, None, "", None).inferred.is_none());
}
