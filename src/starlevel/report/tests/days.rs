//! The daily figures against numbers worked out by hand.

use super::*;

const CHARGER: Category = Category::EvCharger;

fn near(value: Option<f64>, wanted: f64) -> bool {
    value.is_some_and(|value| (value - wanted).abs() < 0.000_11)
}

/// Seconds after which a device counts as offline at star 3, from the pack's file.
fn limit(play: &Play, category: Category) -> f64 {
    play.pack.offline_after(category, 3).unwrap().as_secs_f64()
}

#[test]
fn a_day_has_the_online_time_readings_and_link_that_were_played() {
    let mut play = Play::new(&[("a", CHARGER), ("b", CHARGER), ("w", Category::WaterMeter)]);
    play.run(DAY, 60_000, &[0, 1, 2]);
    // The second day: b falls silent at noon, the link breaks for six hours.
    play.run(12 * HOUR, 60_000, &[0, 1, 2]);
    play.link_up = false;
    play.run(6 * HOUR, 60_000, &[0, 2]);
    play.link_up = true;
    play.run(6 * HOUR, 60_000, &[0, 2]);
    play.run(60_000, 60_000, &[]);
    let report = play.report();
    assert_eq!(report.assessment.target, 3);
    let [first, second] = report.days.as_slice() else { panic!("{:?}", report.days) };
    assert_eq!((first.date.as_str(), second.date.as_str()), ("2026-01-01", "2026-01-02"));
    assert!(near(Some(first.observed_share), 1.0) && near(Some(second.observed_share), 1.0));
    assert!(near(Some(first.link_share), 1.0));
    assert!(near(Some(second.link_share), 0.75), "{second:?}");
    // A look at midnight belongs to the new day: each day begins with one reading of each.
    assert_eq!(first.readings_stored, 3 * 1440 - 3);
    assert_eq!(second.readings_stored, 3 * 721 + 2 * 719, "{second:?}");
    let b = (12.0 * 3600.0 + limit(&play, CHARGER)) / 86_400.0;
    let row = second.categories.iter().find(|row| row.category == CHARGER).unwrap();
    assert_eq!(row.devices, 2);
    assert!(near(row.online_rate, f64::midpoint(1.0, b)), "{row:?}, b {b}");
    assert!(near(second.online_rate, f64::midpoint(1.0, f64::midpoint(1.0, b))), "{second:?}");
    assert!(near(second.valid_share, 1.0));
}

#[test]
fn readings_that_are_not_good_lower_the_valid_share_of_their_day() {
    let mut play = Play::new(&[("a", CHARGER)]);
    play.run(12 * HOUR, 60_000, &[0]);
    for _ in 0..60 {
        play.run(60_000, 60_000, &[]);
        play.hear(0, false);
    }
    play.run(11 * HOUR + 60_000, 60_000, &[0]);
    let report = play.report();
    // Of 24 hours 23 with a good reading a minute, one at midnight counts for the next day.
    let good = 23.0 * 60.0 - 1.0;
    assert!(near(report.days[0].valid_share, good / (good + 60.0)), "{:?}", report.days[0]);
}

#[test]
fn a_day_in_which_the_gateway_was_off_is_no_row_and_a_gap_on_the_page() {
    let mut play = Play::new(&[("a", CHARGER)]);
    // Silent before the end, so that no online time reaches into the next day.
    play.run(20 * HOUR, 60_000, &[0]);
    play.run(3 * HOUR, 60_000, &[]);
    play.off(2 * DAY);
    play.run(DAY + HOUR + 60_000, 60_000, &[0]);
    let report = play.report();
    let dates: Vec<&str> = report.days.iter().map(|day| day.date.as_str()).collect();
    assert_eq!(dates, ["2026-01-01", "2026-01-03", "2026-01-04"]);
    let page = play.file(Form::Html);
    assert!(page.contains("<td>2026-01-02</td><td colspan=\"9\">无观测 not observed</td>"));
    assert!(page.contains("30 days, 27 not observed"), "the charts say so");
    assert!(verify(page.as_bytes(), None).good);
}

#[test]
fn who_is_silent_while_the_gateway_is_off_counts_beside_who_stays_online() {
    // A water meter stays online for 36 hours after a reading, a charger for minutes.
    let mut play = Play::new(&[("a", CHARGER), ("w", Category::WaterMeter)]);
    play.run(DAY, 60_000, &[0, 1]);
    play.off(DAY);
    play.run(DAY, 60_000, &[0, 1]);
    play.run(60_000, 60_000, &[]);
    let report = play.report();
    let off = report.day("2026-01-02").unwrap();
    assert!(near(Some(off.observed_share), 0.0), "{off:?}");
    let of = |category| off.categories.iter().find(|row| row.category == category).unwrap();
    assert!(near(of(Category::WaterMeter).online_rate, 1.0), "{off:?}");
    let charger = of(CHARGER);
    let rest = limit(&play, CHARGER) / 86_400.0;
    assert!(charger.devices == 1 && near(charger.online_rate, rest), "{off:?}");
    assert!(near(off.online_rate, f64::midpoint(1.0, rest)), "{off:?}");
}

#[test]
fn the_period_is_the_window_of_the_rules_and_older_days_are_left_out() {
    let mut play = Play::new(&[("a", CHARGER)]);
    play.run(40 * DAY, HOUR, &[0]);
    let report = play.report();
    let period = report.period.clone().unwrap();
    // The fortieth day ended with the last look: it is the tenth of February.
    assert_eq!((period.first.as_str(), period.last.as_str()), ("2026-01-11", "2026-02-09"));
    assert_eq!((period.days, report.days.len(), report.chain.days.len()), (30, 30, 30));
    assert!(verify(play.file(Form::Json).as_bytes(), None).good);
}

#[test]
fn out_of_the_heating_season_a_heat_meter_is_not_missed() {
    let mut play = Play::new(&[("a", CHARGER), ("h", Category::HeatMeter)]);
    play.season = Some(Season::parse("11-15..01-01").unwrap());
    play.run(3 * DAY + 60_000, 60_000, &[0]);
    let report = play.report();
    let last = report.day("2026-01-03").unwrap();
    assert_eq!(last.categories.len(), 1, "{last:?}");
    assert!(near(last.online_rate, 1.0), "{last:?}");
    let first = report.day("2026-01-01").unwrap();
    assert!(
        first.categories.len() == 2 && first.online_rate.is_some_and(|rate| rate < 0.51),
        "{first:?}"
    );
    assert!(verify(play.file(Form::Json).as_bytes(), None).good);
}
