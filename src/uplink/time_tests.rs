//! The question for the time on the link, and what answers may do to the delivery.

use super::*;
use crate::clock::Config;
use crate::model::{EstateKind, GatewayId};

fn estate() -> Estate {
    let gateway = GatewayId::new("estate-1").unwrap();
    Estate::new(gateway, String::new(), EstateKind::New, Vec::new()).unwrap()
}

struct Rig {
    asker: Asker,
    clock: Clock,
    estate: Estate,
}

impl Rig {
    fn new() -> Self {
        let clock =
            Clock::of_boot(Config { synchronised: Vec::new(), ..Config::default() }, "boot-1", 0);
        let mut asker = Asker::new(at(0));
        asker.granted(true);
        Self { asker, clock, estate: estate() }
    }

    fn ask(&mut self, ms: u64) -> Option<TimeRequest> {
        self.asker.due(at(ms), &self.estate, &self.clock)
    }

    /// Asks, and gives the answer after a round trip.
    fn round_trip(&mut self, ms: u64, trip: u64, unix_ms: i64) -> Option<Sample> {
        let id = self.ask(ms).expect("due").id;
        self.asker.sent(at(ms));
        self.asker.answer(&answer(&id, unix_ms), at(ms + trip))
    }
}

fn at(boot_ms: u64) -> Moment {
    Moment { boot_ms }
}

fn answer(id: &str, unix_ms: i64) -> Vec<u8> {
    serde_json::to_vec(&TimeAnswer { v: 1, id: id.into(), unix_ms }).unwrap()
}

#[tokio::test(start_paused = true)]
async fn the_platforms_time_belongs_to_the_middle_of_the_round_trip() {
    let mut rig = Rig::new();
    let sample = rig.round_trip(1_000, 80, 5_000_000).unwrap();
    // It answered at 1040, and that was 5,000,000.
    assert_eq!(sample.offset_ms, 5_000_000 - 1_040);
    assert_eq!(sample.uncertainty_ms, 40 + PLATFORM_MS);
}

#[tokio::test(start_paused = true)]
async fn of_a_round_the_quickest_answer_counts_and_the_next_round_is_later() {
    let mut rig = Rig::new();
    assert!(rig.round_trip(0, 900, 1).is_some());
    assert!(rig.round_trip(1_000, 950, 1).is_none(), "slower than the first");
    assert!(rig.round_trip(2_000, 10, 1).is_some());
    assert!(rig.round_trip(3_000, 11, 1).is_none());
    assert_eq!(rig.ask(4_000), None, "the round is over");
    assert_eq!(rig.asker.wake_at(), Some(at(3_000 + 900_000)));
    assert!(rig.round_trip(903_000, 1_500, 1).is_some(), "a new round");
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_late_foreign_repeated_or_garbled_count_for_nothing() {
    let mut rig = Rig::new();
    assert!(rig.round_trip(0, 2_000, 1).is_none(), "too long a trip");
    let id = rig.ask(3_000).unwrap().id;
    rig.asker.sent(at(3_000));
    assert!(rig.asker.answer(&answer("0123456789abcdef", 1), at(3_010)).is_none());
    assert!(rig.asker.answer(b"{\"v\":1", at(3_010)).is_none());
    assert!(rig.asker.answer(&[0xFF; 300], at(3_010)).is_none());
    assert!(rig.asker.answer(&answer(&id, 1), at(3_020)).is_some());
    assert!(rig.asker.answer(&answer(&id, 9_999), at(3_030)).is_none(), "once");
}

#[tokio::test(start_paused = true)]
async fn the_trip_begins_when_the_question_left_not_when_it_was_queued() {
    let mut rig = Rig::new();
    let id = rig.ask(0).unwrap().id;
    rig.asker.sent(at(1_900));
    let sample = rig.asker.answer(&answer(&id, 10_000), at(2_000)).unwrap();
    assert_eq!(sample.uncertainty_ms, 50 + PLATFORM_MS);
}

#[tokio::test(start_paused = true)]
async fn nobody_is_asked_before_the_broker_granted_the_answers_and_silence_is_borne() {
    let mut rig = Rig::new();
    rig.asker.granted(false);
    assert_eq!(rig.ask(0), None);
    assert_eq!(rig.asker.wake_at(), None);
    rig.asker.granted(true);
    let mut asked = 0;
    for ms in (0..3_600_000).step_by(500) {
        asked += u32::from(rig.ask(ms).is_some());
    }
    // Rounds of four, five minutes apart while the time is needed.
    assert!((44..=52).contains(&asked), "{asked}");
}
