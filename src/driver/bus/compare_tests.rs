//! Meters' clocks read between the polls, in paused time: faults first.

use jiff::civil::DateTime;
use jiff::{SignedDuration, Timestamp, tz::TimeZone};

use super::super::super::rig::{MS, SECOND};
use super::super::*;
use super::meter_rig::{
    Bench, Responder, asked_645, electricity, id_of, meters, water_meter, with_line,
    with_line_and_clock,
};
use crate::clock::{Config as ClockConfig, Effect, Source, TrustState};
use crate::model::DeviceId;
use crate::protocol::dlt645::{self, ErrorBits};

const DATE: u32 = 0x0400_0101;
const TIME: u32 = 0x0400_0102;
const HOUR: Duration = Duration::from_secs(3600);

/// Noon by the meters, so that a test of a few hours does not meet midnight.
fn noon() -> DateTime {
    let now = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
    now.date().at(12, 0, 0, 0)
}

/// The zone in which it is noon now.
fn zone_of_noon() -> Duration {
    let now = Timestamp::now().to_zoned(TimeZone::UTC).datetime();
    let ahead = noon().duration_since(now.with().subsec_nanosecond(0).build().unwrap());
    // Not a real zone, but one that the configuration can express.
    Duration::try_from(ahead + SignedDuration::from_hours(24)).unwrap()
}

/// A meter whose clock is off by so many seconds; what it says to its other identifiers is that of
/// [`meters`]. The calendar day is that of the zone.
fn meter(off_s: i64) -> Responder {
    let begun = Instant::now();
    let mut others = meters(true);
    Box::new(move |bytes| {
        let Some(frame) = asked_645(bytes).filter(|frame| frame.control == 0x11) else {
            return others(bytes);
        };
        let passed = SignedDuration::try_from(begun.elapsed()).unwrap();
        let shown = noon().checked_add(SignedDuration::from_hours(24)).unwrap();
        let shown = shown.checked_add(passed + SignedDuration::from_secs(off_s)).unwrap();
        let number = |n: i8| bcd(n.unsigned_abs());
        let value = match id_of(&frame).0 {
            DATE => {
                let weekday = shown.weekday().to_sunday_zero_offset();
                let year = i8::try_from(shown.year() % 100).unwrap();
                vec![number(weekday), number(shown.day()), number(shown.month()), number(year)]
            }
            TIME => vec![number(shown.second()), number(shown.minute()), number(shown.hour())],
            _ => return others(bytes),
        };
        let answer = dlt645::answer_data(&frame, id_of(&frame), &value, false, None);
        Some((100 * MS, answer.to_bytes()))
    })
}

fn bcd(number: u8) -> u8 {
    ((number / 10) << 4) | (number % 10)
}

fn id() -> DeviceId {
    electricity().id
}

fn clocks_asked(bench: &Bench) -> usize {
    let requests = bench.requests();
    let frames = requests.iter().filter_map(|bytes| asked_645(bytes));
    frames.filter(|frame| frame.control == 0x11 && [DATE, TIME].contains(&id_of(frame).0)).count()
}

fn zone(config: &mut BusConfig) {
    config.meter_zone = zone_of_noon();
}

#[tokio::test(start_paused = true)]
async fn a_meter_that_is_off_is_told_with_its_seconds_once_a_day_between_the_polls() {
    let devices = vec![electricity(), water_meter()];
    with_line(zone, LessonBook::default(), devices, meter(400), async |bench| {
        bench.during(SECOND * 290).await;
        assert_eq!(clocks_asked(bench), 0, "the values come first");
        assert_eq!(bench.clock.meter(&id()), None);
        // These polls leave no gap: a poll waits for it after ten minutes.
        bench.during(SECOND * 700).await;
        assert_eq!(clocks_asked(bench), 2);
        let seen = bench.clock.meter(&id()).unwrap();
        let offset = seen.offset_s.unwrap();
        assert!((398..=402).contains(&offset), "{offset}");
        let told = bench.clock.effects();
        let effect = Effect::Meter { device: id(), offset_s: offset };
        assert!(told.contains(&effect), "{told:?}");
        bench.during(4 * HOUR).await;
        assert_eq!(clocks_asked(bench), 0, "once a day");
        let missed = bench.table.all()[0].counters.missed;
        assert!(missed <= 1, "{missed} polls were late for it");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_meter_that_refuses_its_clock_is_noted_and_left_alone() {
    let mut inner = meter(0);
    let refuses: Responder = Box::new(move |bytes| match asked_645(bytes) {
        Some(frame) if frame.control == 0x11 && id_of(&frame).0 == DATE => {
            let answer = dlt645::answer_refused(&frame, ErrorBits::NO_DATA);
            Some((100 * MS, answer.to_bytes()))
        }
        _ => inner(bytes),
    });
    with_line(zone, LessonBook::default(), vec![electricity()], refuses, async |bench| {
        bench.during(SECOND * 1000).await;
        assert_eq!(bench.clock.meter(&id()).unwrap().offset_s, None);
        let told = bench.clock.effects();
        assert!(!told.iter().any(|effect| matches!(effect, Effect::Meter { .. })), "{told:?}");
        assert_eq!(clocks_asked(bench), 1);
        bench.during(30 * HOUR).await;
        assert_eq!(clocks_asked(bench), 0, "asked again in a week");
        let units = &bench.table.all()[0].units;
        assert!(units.is_empty() || bench.table.all()[0].open, "its polls go on");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn rubbish_for_a_date_is_no_time_and_a_silent_meter_is_asked_later() {
    let mut inner = meter(0);
    let mut silent = true;
    let odd: Responder = Box::new(move |bytes| match asked_645(bytes) {
        Some(frame) if frame.control == 0x11 && id_of(&frame).0 == DATE => {
            if std::mem::take(&mut silent) {
                return None;
            }
            let value = [0x00, 0x32, 0x13, 0x26];
            let answer = dlt645::answer_data(&frame, id_of(&frame), &value, false, None);
            Some((100 * MS, answer.to_bytes()))
        }
        _ => inner(bytes),
    });
    with_line(zone, LessonBook::default(), vec![electricity()], odd, async |bench| {
        bench.during(SECOND * 1000).await;
        assert_eq!(bench.clock.meter(&id()), None, "no answer says nothing");
        bench.during(SECOND * 1300).await;
        assert_eq!(bench.clock.meter(&id()).unwrap().offset_s, None, "the 32nd of a 13th month");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_meter_gives_the_time_where_nothing_else_does_and_no_meter_is_set_by_it() {
    let clock =
        ClockConfig { synchronised: Vec::new(), meter: Some(id()), ..ClockConfig::default() };
    let config = |config: &mut BusConfig| {
        zone(config);
        config.time_sync = Some(HOUR);
    };
    let devices = vec![electricity(), water_meter()];
    let book = LessonBook::default();
    with_line_and_clock(config, clock, book, devices, meter(0), async |bench| {
        assert!(!bench.clock.trusted());
        bench.during(SECOND * 20).await;
        let status = bench.clock.status();
        assert_eq!(status.state, TrustState::Synchronised);
        assert_eq!(status.source, Some(Source::Meter(id())));
        assert!((2_000..2_600).contains(&status.uncertainty_ms.unwrap()), "{status:?}");
        // Paused time and the system's clock began together, and little has passed since.
        let real = Timestamp::now().as_millisecond();
        let passed = 20_000;
        let ours = bench.clock.wall(bench.clock.now()).unwrap().unix_ms;
        assert!((ours - passed - real).abs() < 5_000, "{} ms off", ours - passed - real);
        bench.during(3 * HOUR).await;
        let asked = bench.requests();
        let broadcasts = asked.iter().filter_map(|bytes| asked_645(bytes));
        assert_eq!(broadcasts.filter(|frame| frame.control == 0x08).count(), 0);
        assert_eq!(bench.clock.status().state, TrustState::Synchronised, "read every hour");
        assert_eq!(bench.clock.meter(&id()), None, "not compared with itself");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn nothing_is_compared_while_there_is_no_time_to_compare_with() {
    let clock = ClockConfig { synchronised: Vec::new(), ..ClockConfig::default() };
    let book = LessonBook::default();
    with_line_and_clock(zone, clock, book, vec![electricity()], meter(0), async |bench| {
        bench.during(2 * HOUR).await;
        assert_eq!(clocks_asked(bench), 0);
    })
    .await;
}
