//! Each fault is seen on the wire.

use super::*;
use crate::protocol::{Found, cjt188};

const PATIENCE: Duration = Duration::from_secs(3);
const NAME: &str = "123456789012";

fn address() -> BusAddress {
    BusAddress::Dlt645(NAME.parse().unwrap())
}

/// A meter with a fault, asked once: what came, and when the last byte did after the begin.
fn asked(faults: &[Fault]) -> (Vec<u8>, Duration, Bench) {
    let slave = Slave::dlt645(meter(NAME), METER).delay(20 * MS);
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    bench.engine.stations[0].set_faults(faults.to_vec());
    let (reply, last) = bench.ask(&ask_meter(NAME), PATIENCE);
    let took = last - bench.begin;
    (reply, took, bench)
}

fn whole(bytes: &[u8]) -> Option<dlt645::Frame> {
    match dlt645::find(bytes) {
        Found::Frame { frame, .. } => Some(frame),
        Found::More { .. } => None,
    }
}

/// A healthy answer and its time.
fn healthy() -> (Vec<u8>, Duration) {
    let (reply, took, _) = asked(&[]);
    assert!(whole(&reply).unwrap().is_reply());
    (reply, took)
}

#[test]
fn a_silent_slave_says_nothing_and_still_counts_who_asked() {
    let (reply, _, bench) = asked(&[Fault::Silent]);
    assert!(reply.is_empty());
    assert_eq!((bench.engine.stations[0].requests, bench.engine.stations[0].answers), (1, 0));
    assert_eq!(bench.engine.log.summary().unwrap().answered, 0);
}

#[test]
fn a_late_slave_answers_the_same_later() {
    let (reply, took, _) = asked(&[Fault::Late(700 * MS)]);
    let (healthy, least) = healthy();
    assert_eq!((reply, took), (healthy, least + 700 * MS));
}

#[test]
fn half_a_frame_is_the_first_half() {
    let (reply, _, _) = asked(&[Fault::Half]);
    let (healthy, _) = healthy();
    assert_eq!(reply, healthy[..healthy.len() / 2]);
}

#[test]
fn noise_stands_before_or_behind_a_frame_that_is_whole() {
    let (healthy, _) = healthy();
    let (before, _, _) = asked(&[Fault::NoiseBefore(7)]);
    assert_eq!((before.len(), &before[7..]), (healthy.len() + 7, &healthy[..]));
    let (after, _, _) = asked(&[Fault::NoiseAfter(7)]);
    assert_eq!((after.len(), &after[..healthy.len()]), (healthy.len() + 7, &healthy[..]));
}

#[test]
fn a_wrong_check_sum_or_a_flipped_bit_spoils_the_frame_of_every_protocol() {
    for fault in [Fault::WrongCheckSum, Fault::FlippedBit(1)] {
        let (reply, _, _) = asked(&[fault]);
        let (healthy, _) = healthy();
        assert_eq!(reply.len(), healthy.len());
        assert_eq!(reply.iter().zip(&healthy).filter(|(a, b)| a != b).count(), 1, "{fault:?}");
    }
    let mut bench = Bench::new(vec![Slave::modbus(1, unit(), FAST)], Tuning::of(FAST));
    let (good, _) = bench.ask(&ASK_UNIT, PATIENCE);
    bench.engine.stations[0].set_faults(vec![Fault::WrongCheckSum]);
    let (bad, _) = bench.ask(&ASK_UNIT, PATIENCE);
    assert_eq!((&good[..24], good[24] ^ 0x55), (&bad[..24], bad[24]));
}

#[test]
fn a_bit_may_be_turned_in_every_third_answer_only() {
    let mut bench = Bench::new(vec![Slave::modbus(1, unit(), FAST)], Tuning::of(FAST));
    let (good, _) = bench.ask(&ASK_UNIT, PATIENCE);
    bench.engine.stations[0].set_faults(vec![Fault::FlippedBit(3)]);
    let spoiled: Vec<bool> = (0..6).map(|_| bench.ask(&ASK_UNIT, PATIENCE).0 != good).collect();
    assert_eq!(spoiled, [false, true, false, false, true, false]);
}

#[test]
fn a_drifting_slave_takes_longer_each_time() {
    let (_, first, mut bench) = asked(&[Fault::Drift(15 * MS)]);
    for round in 1..4 {
        let begin = bench.now;
        let (_, last) = bench.ask(&ask_meter(NAME), PATIENCE);
        assert_eq!(last - begin, first + 15 * MS * round);
    }
}

#[test]
fn a_refusing_slave_refuses_in_the_words_of_its_protocol() {
    let (reply, _, _) = asked(&[Fault::Refuse(0x02)]);
    let frame = whole(&reply).unwrap();
    assert_eq!((frame.control, frame.data), (0xD1, vec![0x02]));
    let mut bench = Bench::new(vec![Slave::modbus(1, unit(), FAST)], Tuning::of(FAST));
    bench.engine.stations[0].set_faults(vec![Fault::Refuse(6)]);
    let (reply, _) = bench.ask(&ASK_UNIT, PATIENCE);
    assert_eq!(reply[..3], [1, 0x83, 6]);
}

#[test]
fn a_hole_in_the_registers_is_refused_with_exception_two() {
    let mut bench = Bench::new(vec![Slave::modbus(1, unit(), FAST)], Tuning::of(FAST));
    let mut request = hex("01 03 00 2F 00 0A");
    let sum = crate::sim::frame::crc(&request).to_le_bytes();
    request.extend(sum);
    let (reply, _) = bench.ask(&request, PATIENCE);
    assert_eq!(reply[..3], [1, 0x83, 2]);
    let unknown = hex("01 2B 0E 01 00 70 77");
    let (reply, _) = bench.ask(&unknown, PATIENCE);
    assert_eq!(reply[..3], [1, 0xAB, 1], "a function that it does not know");
}

#[test]
fn a_slave_with_other_settings_is_silent_or_mutters() {
    let (reply, _, _) = asked(&[Fault::WrongLine(FAST)]);
    assert!(reply.is_empty());
    let slave = Slave::dlt645(meter(NAME), METER).garbage();
    let mut bench = Bench::new(vec![slave], Tuning::of(FAST));
    let (reply, _) = bench.ask(&ask_meter(NAME), PATIENCE);
    assert!((3..9).contains(&reply.len()) && whole(&reply).is_none(), "{reply:02X?}");
    bench.tuning = Tuning::Unknown;
    let (reply, _) = bench.ask(&ask_meter(NAME), PATIENCE);
    assert!(whole(&reply).is_some(), "where settings cannot be seen it understands");
}

#[test]
fn parity_counts_and_stop_bits_do_not() {
    let odd = Tuning::of(line(2400, Parity::Odd));
    assert!(!odd.fits(METER));
    assert!(Tuning::of(LineSettings { stop_bits: 2, ..METER }).fits(METER));
    assert!(Tuning::Seen { baud: 2400, parity: None, stop_bits: 1 }.fits(METER));
}

#[test]
fn two_slaves_at_one_address_talk_at_once_and_nobody_understands_them() {
    let other = Dlt645Meter::new(dlt645::Edition::V2007, NAME.parse().unwrap())
        .with_numbers(0x0001_0000, &[Some(9876.54)])
        .unwrap();
    for apart in [0, 3] {
        let slaves = vec![
            Slave::dlt645(meter(NAME), METER).delay(20 * MS),
            Slave::dlt645(other.clone(), METER).delay((20 + apart) * MS),
        ];
        let mut bench = Bench::new(slaves, Tuning::of(METER));
        let (reply, _) = bench.ask(&ask_meter(NAME), PATIENCE);
        assert!(!reply.is_empty() && whole(&reply).is_none(), "{reply:02X?}");
        let sum = bench.engine.log.summary().unwrap();
        assert_eq!((sum.answered, sum.collisions), (1, 1));
        let entry = bench.engine.log.entries().next().unwrap();
        assert_eq!(entry.by, [address(), address()]);
    }
    // One dominant level wins: two equal frames at the very same time are one.
    let slaves = vec![
        Slave::dlt645(meter(NAME), METER).delay(20 * MS),
        Slave::dlt645(meter(NAME), METER).delay(20 * MS),
    ];
    let mut bench = Bench::new(slaves, Tuning::of(METER));
    assert!(whole(&bench.ask(&ask_meter(NAME), PATIENCE).0).is_some());
}

#[test]
fn a_twin_comes_on_top_or_behind() {
    let (healthy, _) = healthy();
    let (reply, _, _) = asked(&[Fault::Twin(2 * MS)]);
    assert!(whole(&reply).is_none(), "{reply:02X?}");
    let behind = METER.time_of(healthy.len() + 2);
    let (reply, _, _) = asked(&[Fault::Twin(behind)]);
    assert_eq!(reply, [&healthy[..], &healthy[..]].concat());
}

#[test]
fn an_adapter_that_hears_itself_hands_on_the_request_before_the_answer() {
    let slave = Slave::dlt645(meter(NAME), METER);
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    bench.engine.echo = true;
    let (heard, _) = bench.ask(&ask_meter(NAME), PATIENCE);
    let (healthy, _) = healthy();
    assert_eq!(heard, [&ask_meter(NAME)[..], &healthy[..]].concat());
    assert_eq!(bench.engine.log.summary().unwrap().collisions, 0);
}

#[test]
fn another_master_is_heard_with_the_answers_it_gets() {
    let slave = Slave::dlt645(meter(NAME), METER);
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    let foreign = Foreign { frame: ask_meter(NAME), every: 500 * MS, line: METER };
    bench.engine.set_foreign(bench.now, Some(foreign));
    let (heard, _) = bench.listen(900 * MS);
    let (healthy, _) = healthy();
    assert_eq!(heard, [&ask_meter(NAME)[..], &healthy[..]].concat());
    assert!(bench.engine.log.entries().all(|entry| entry.foreign && entry.whole));
    // Both at once: the slave understands neither.
    bench.now += 80 * MS;
    let (heard, _) = bench.ask(&ask_meter(NAME), 200 * MS);
    assert!(whole(&heard).is_none_or(|frame| !frame.is_reply()), "{heard:02X?}");
    assert!(bench.engine.log.collisions > 0);
}

#[test]
fn a_master_that_does_not_wait_runs_into_the_answer() {
    let slave = Slave::dlt645(meter(NAME), METER).delay(20 * MS);
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    let request = ask_meter(NAME);
    let midst = METER.time_of(request.len()) + 20 * MS + METER.time_of(5);
    let (mut heard, _) = bench.ask(&request, midst);
    heard.extend(bench.ask(&request, PATIENCE).0);
    assert!(whole(&heard).is_none(), "{heard:02X?}");
    let collided: Vec<bool> = bench.engine.log.entries().map(|entry| entry.collided).collect();
    assert_eq!(collided, [true, true]);
}

#[test]
fn a_late_answer_after_retuning_is_noise() {
    let slave = Slave::dlt645(meter(NAME), METER).delay(300 * MS);
    let mut bench = Bench::new(vec![slave], Tuning::of(METER));
    let (nothing, _) = bench.ask(&ask_meter(NAME), 200 * MS);
    assert!(nothing.is_empty());
    bench.tuning = Tuning::of(FAST);
    let (late, _) = bench.listen(PATIENCE);
    assert!(late.len() > 10 && whole(&late).is_none(), "{late:02X?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_are_switched_while_the_line_is_served_and_settings_are_seen_on_the_terminal() {
    let water = Cjt188Meter::new(cjt188::MeterType::COLD_WATER, "00000012345678".parse().unwrap());
    let line = Line::builder()
        .slave(Slave::dlt645(meter(NAME), METER).delay(5 * MS))
        .slave(Slave::cjt188(water, METER).delay(5 * MS))
        .build();
    let handle = line.handle(address()).unwrap();
    assert!(line.handle(BusAddress::Unit(7)).is_none());
    let (path, serving) = line.open_pty(None).unwrap();
    let silence = Duration::from_millis(400);
    let talk = async {
        let mut master = open(&path, METER);
        master.write_all(&ask_meter(NAME)).await.unwrap();
        assert!(whole(&hear(&mut master, silence).await).is_some());
        handle.fault(Fault::Silent);
        master.write_all(&ask_meter(NAME)).await.unwrap();
        assert!(hear(&mut master, silence).await.is_empty());
        handle.mend();
        drop(master);
        for wrong in [FAST, super::line(2400, Parity::None), super::line(2400, Parity::Odd)] {
            let mut master = open(&path, wrong);
            master.write_all(&ask_meter(NAME)).await.unwrap();
            assert!(hear(&mut master, silence).await.is_empty(), "{wrong}");
        }
        let mut master = open(&path, METER);
        master.write_all(&ask_meter(NAME)).await.unwrap();
        assert!(whole(&hear(&mut master, silence).await).is_some());
    };
    tokio::select! {
        ended = serving.run(CancellationToken::new()) => panic!("{ended:?}"),
        () = talk => {}
    }
    assert_eq!((handle.requests(), handle.answers()), (3, 2));
}
