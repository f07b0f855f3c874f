//! The judge: sources, steps, holdover, what is refused.

use super::*;
use crate::model::DeviceId;

/// 2026-11-01T00:00:00Z.
const FLOOR: i64 = 1_793_491_200_000;
/// An offset that makes a sensible time.
const RIGHT: i64 = FLOOR + 30 * 24 * HOUR_MS;

fn at(seconds: u64) -> Moment {
    Moment { boot_ms: seconds * 1000 }
}

fn judge() -> Judge {
    Judge::new(Duration::from_secs(60), FLOOR)
}

fn ntp(offset_ms: i64) -> Sample {
    Sample { source: Source::Ntp, offset_ms, uncertainty_ms: 100 }
}

fn system(offset_ms: i64) -> Sample {
    Sample { source: Source::System, offset_ms, uncertainty_ms: 1000 }
}

fn platform(offset_ms: i64) -> Sample {
    Sample { source: Source::Platform, offset_ms, uncertainty_ms: 60 }
}

fn meter(offset_ms: i64) -> Sample {
    let source = Source::Meter(DeviceId::new("meter-1").unwrap());
    Sample { source, offset_ms, uncertainty_ms: 2000 }
}

/// Hears the system's clock every five seconds over a span; returns everything that came of it.
fn hear_over(judge: &mut Judge, sample: &Sample, seconds: std::ops::Range<u64>) -> Vec<Effect> {
    let mut effects = Vec::new();
    for second in seconds.step_by(5) {
        effects.extend(judge.hear(sample, at(second)));
    }
    effects.retain(|effect| !matches!(effect, Effect::Compared { .. }));
    effects
}

fn news(effects: Vec<Effect>) -> Vec<Effect> {
    effects.into_iter().filter(|effect| !matches!(effect, Effect::Compared { .. })).collect()
}

#[test]
fn a_source_makes_the_clock_trusted_its_loss_holdover_and_in_the_end_untrusted() {
    let mut judge = judge();
    judge.guess(RIGHT, at(1));
    assert_eq!(judge.uncertainty_ms(at(1)), None);
    let (from, source) = (TrustState::Untrusted, Some(Source::Ntp));
    let to = TrustState::Synchronised;
    let first = Effect::State { from, to, source: source.clone(), uncertainty_ms: Some(100) };
    assert_eq!(news(judge.hear(&ntp(RIGHT), at(5))), [first]);
    assert_eq!(judge.tick(at(30)), [], "one look missed is no loss");
    let lost = judge.tick(at(36));
    let expected = TrustState::Holdover;
    assert!(matches!(&lost[..], [Effect::State { to, .. }] if *to == expected), "{lost:?}");
    // 50 ppm of a day are 4.3 s.
    let uncertainty = judge.uncertainty_ms(at(5 + 86_400)).unwrap();
    assert!((4_400..4_450).contains(&uncertainty), "{uncertainty}");
    // 60 s less 0.1 s at 50 ppm: 13.9 days.
    assert_eq!(judge.tick(at(13 * 86_400)), []);
    let given_up = judge.tick(at(14 * 86_400));
    let (from, to) = (TrustState::Holdover, TrustState::Untrusted);
    assert_eq!(given_up, [Effect::State { from, to, source, uncertainty_ms: None }]);
    // It comes back, a little off: what was read meanwhile was not claimed to be right.
    let back = judge.hear(&ntp(RIGHT + 400), at(15 * 86_400));
    assert_eq!(back[0], Effect::Compared { offset_ms: 0, source: Source::Ntp });
    assert_eq!(judge.offset_ms(at(15 * 86_400)), RIGHT + 400);
}

#[test]
fn steps_forward_and_back_are_told_and_small_differences_are_slewed_without_a_word() {
    let mut judge = judge();
    judge.hear(&ntp(RIGHT), at(0));
    let forward = news(judge.hear(&ntp(RIGHT + 3_600_000), at(5)));
    assert_eq!(forward, [Effect::Stepped { step_ms: 3_600_000, source: Source::Ntp }]);
    let back = judge.hear(&ntp(RIGHT), at(10));
    let off = Effect::Compared { offset_ms: 3_600_000, source: Source::Ntp };
    assert_eq!(back[0], off, "evidence says how far off the clock was");
    assert_eq!(news(back), [Effect::Stepped { step_ms: -3_600_000, source: Source::Ntp }]);
    assert_eq!(judge.offset_ms(at(10)), RIGHT);
    assert_eq!(hear_over(&mut judge, &ntp(RIGHT - 499), 15..1500), []);
    assert_eq!(judge.offset_ms(at(1500)), RIGHT - 499);
}

#[test]
fn wall_time_never_runs_backwards_while_it_is_slewed() {
    let mut judge = judge();
    judge.hear(&ntp(RIGHT), at(0));
    let mut last = i64::MIN;
    for second in 1..2000u64 {
        if second % 5 == 0 {
            // A jittery service.
            let jitter = i64::try_from(second % 7).unwrap() - 300;
            judge.hear(&ntp(RIGHT + jitter), at(second));
        }
        for ms in 0..10 {
            let moment = Moment { boot_ms: second * 1000 + ms * 100 };
            let wall = now_ms(moment) + judge.offset_ms(moment);
            assert!(wall >= last, "{wall} after {last}");
            last = wall;
        }
    }
    assert!(judge.offset_ms(at(2000)) < RIGHT - 290);
}

#[test]
fn a_leap_second_is_a_step_of_one_second() {
    let mut judge = judge();
    judge.hear(&ntp(RIGHT), at(0));
    let leap = news(judge.hear(&ntp(RIGHT - 1000), at(5)));
    assert_eq!(leap, [Effect::Stepped { step_ms: -1000, source: Source::Ntp }]);
    // One that is smeared over a day goes unnoticed.
    for second in (10..86_410u64).step_by(5) {
        let smeared = RIGHT - 1000 - i64::try_from(second / 87).unwrap();
        assert_eq!(news(judge.hear(&ntp(smeared), at(second))), []);
    }
}

#[test]
fn after_a_power_cut_1970_and_any_time_before_the_last_trusted_one_is_never_believed() {
    let mut judge = judge();
    judge.guess(0, at(10));
    let refused = judge.hear(&system(0), at(10));
    let (source, said_ms) = (Source::System, 10_000);
    assert_eq!(refused, [Effect::Refused { source, said_ms, not_before_ms: FLOOR }]);
    assert_eq!(judge.hear(&system(0), at(15)), [], "told once");
    assert_eq!(judge.state(), TrustState::Untrusted);
    assert_eq!(judge.refused().collect::<Vec<_>>(), [&Source::System]);
    judge.raise_floor(RIGHT);
    assert!(!news(judge.hear(&ntp(RIGHT - HOUR_MS), at(20))).is_empty());
    assert_eq!(judge.state(), TrustState::Untrusted);
    // Nor one far ahead.
    judge.hear(&ntp(RIGHT + 21 * 365 * 24 * HOUR_MS), at(25));
    assert_eq!(judge.state(), TrustState::Untrusted);
    judge.hear(&ntp(RIGHT + HOUR_MS), at(30));
    assert_eq!(judge.state(), TrustState::Synchronised);
    assert_eq!(judge.refused().count(), 1, "what is heard rightly is not refused any more");
}

#[test]
fn a_clock_that_falls_back_to_1970_while_it_is_followed_is_dropped_not_followed() {
    let mut judge = judge();
    hear_over(&mut judge, &ntp(RIGHT), 0..60);
    hear_over(&mut judge, &ntp(0), 60..180);
    assert_eq!(judge.state(), TrustState::Holdover);
    assert_eq!(judge.offset_ms(at(180)), RIGHT);
}

#[test]
fn two_sources_that_agree_overrule_a_wrong_memory_of_the_future() {
    let mut judge = judge();
    let future = RIGHT + 10 * 365 * 24 * HOUR_MS;
    judge.raise_floor(future);
    judge.hear(&ntp(RIGHT), at(5));
    judge.hear(&system(RIGHT), at(6));
    assert_eq!(judge.state(), TrustState::Untrusted, "both are the system's clock");
    judge.hear(&platform(RIGHT + 20), at(7));
    assert_eq!(judge.state(), TrustState::Synchronised);
    judge.hear(&ntp(RIGHT), at(10));
    assert_eq!(judge.source(), Some(&Source::Ntp));
}

#[test]
fn a_wrong_time_zone_is_told_in_hours_and_the_better_source_wins() {
    let mut judge = judge();
    // The system's clock stands at China's time, as if it were UTC.
    hear_over(&mut judge, &system(RIGHT + 8 * HOUR_MS), 0..10);
    assert_eq!(judge.source(), Some(&Source::System));
    let effects = news(judge.hear(&platform(RIGHT - 300), at(10)));
    let stepped = Effect::Stepped { step_ms: -8 * HOUR_MS - 300, source: Source::Platform };
    let told = Effect::Disagrees(Disagreement {
        source: Source::System,
        follows: Source::Platform,
        difference_ms: 8 * HOUR_MS + 300,
        whole_hours: Some(8),
    });
    assert_eq!(effects, [stepped, told]);
    let again = hear_over(&mut judge, &system(RIGHT + 8 * HOUR_MS), 15..300);
    assert_eq!(again, [], "told once");
    assert_eq!(judge.disagreements().count(), 1);
    // Somebody sets the zone right.
    hear_over(&mut judge, &system(RIGHT), 300..310);
    assert_eq!(judge.disagreements().count(), 0);
}

#[test]
fn against_a_meter_alone_the_systems_clock_wins_and_the_difference_is_told() {
    let mut judge = judge();
    hear_over(&mut judge, &system(RIGHT - HOUR_MS), 0..10);
    let told = news(judge.hear(&meter(RIGHT), at(10)));
    let hours = |effect: &Effect| match effect {
        Effect::Disagrees(found) => found.whole_hours,
        _ => None,
    };
    assert_eq!(told.iter().map(hours).collect::<Vec<_>>(), [Some(1)]);
    assert_eq!(judge.offset_ms(at(10)), RIGHT - HOUR_MS);
    assert_eq!(whole_hours(1_000), None);
    assert_eq!(whole_hours(-5 * HOUR_MS + 59_000), Some(-5));
    assert_eq!(whole_hours(HOUR_MS + 61_000), None);
    assert_eq!(whole_hours(15 * HOUR_MS), None);
}

#[test]
fn a_coarse_source_that_agrees_confirms_the_clock_and_does_not_move_it() {
    let mut judge = judge();
    judge.hear(&platform(RIGHT), at(0));
    judge.tick(at(41 * 60));
    assert_eq!(judge.state(), TrustState::Holdover);
    judge.hear(&meter(RIGHT + 1500), at(41 * 60));
    assert_eq!(judge.state(), TrustState::Synchronised);
    assert_eq!(judge.offset_ms(at(41 * 60)), RIGHT);
    let uncertainty = judge.uncertainty_ms(at(41 * 60)).unwrap();
    assert!((170..200).contains(&uncertainty), "what the platform said still counts");
    // Hour by hour the meter bounds what the crystal may have gone astray.
    for hour in 2..200 {
        judge.hear(&meter(RIGHT + 1500), at(hour * 3600));
    }
    assert_eq!(judge.offset_ms(at(200 * 3600)), RIGHT);
    assert!(judge.uncertainty_ms(at(199 * 3600)).unwrap() <= 2_000);
    // More than it may be off itself: now it knows better.
    let moved = news(judge.hear(&meter(RIGHT + 5000), at(200 * 3600)));
    assert_eq!(moved.len(), 1, "{moved:?}");
    assert_eq!(judge.offset_ms(at(200 * 3600)), RIGHT + 5000);
}

#[test]
fn when_the_best_source_is_lost_the_next_best_is_followed_at_once() {
    let mut judge = judge();
    judge.hear(&platform(RIGHT + 700), at(0));
    hear_over(&mut judge, &ntp(RIGHT), 1..300);
    assert_eq!(judge.source(), Some(&Source::Ntp));
    let effects = news(judge.tick(at(360)));
    assert_eq!(effects, [Effect::Stepped { step_ms: 700, source: Source::Platform }]);
    assert_eq!(judge.state(), TrustState::Synchronised);
}

#[test]
fn a_daemon_that_starts_again_goes_on_from_what_was_known_in_this_boot() {
    let mut judge = judge();
    let effects = judge.resume(&ntp(RIGHT), at(1000), at(2000));
    assert!(matches!(effects[..], [Effect::State { to: TrustState::Holdover, .. }]));
    assert_eq!(judge.uncertainty_ms(at(2000)), Some(150));
    // Too long ago to be of use.
    let mut old = Judge::new(Duration::from_secs(1), FLOOR);
    assert_eq!(old.resume(&ntp(RIGHT), at(1000), at(100_000)), []);
    assert_eq!(old.state(), TrustState::Untrusted);
    assert_eq!(old.offset_ms(at(0)), RIGHT, "pages still show the best that there is");
}

#[test]
fn a_worse_source_moves_the_clock_only_once_it_knows_better_than_holdover() {
    let mut judge = judge();
    judge.hear(&platform(RIGHT), at(0));
    let lost = 41 * 60;
    judge.tick(at(lost));
    let told = news(judge.hear(&system(RIGHT - 3_000), at(lost)));
    assert!(
        matches!(&told[..], [Effect::Disagrees(found)] if found.difference_ms == -3_000),
        "{told:?}"
    );
    assert_eq!((judge.state(), judge.offset_ms(at(lost))), (TrustState::Holdover, RIGHT));
    // 50 ppm: 0.94 s more take 5.2 hours.
    assert_eq!(hear_over(&mut judge, &system(RIGHT - 3_000), lost + 5..5 * 3600), []);
    let stepped = hear_over(&mut judge, &system(RIGHT - 3_000), 5 * 3600..6 * 3600);
    let step = Effect::Stepped { step_ms: -3_000, source: Source::System };
    assert!(stepped.contains(&step), "{stepped:?}");
    // One that agrees confirms what is known, and does not move it.
    let mut judge = self::judge();
    judge.hear(&platform(RIGHT), at(0));
    judge.tick(at(lost));
    judge.hear(&system(RIGHT + 800), at(lost));
    assert_eq!((judge.state(), judge.offset_ms(at(lost))), (TrustState::Synchronised, RIGHT));
}
