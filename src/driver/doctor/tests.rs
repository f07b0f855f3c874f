//! Every diagnosis comes from its fault, goes when the fault is mended, and comes from nothing else.

use super::*;
use crate::driver::Parity;
use crate::model::Diagnosis;
use crate::protocol::{dlt645, modbus};

const LINE: LineSettings = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };

/// A line under test: devices are asked in turn, one a second.
struct Rig {
    doctor: Doctor,
    devices: usize,
    now: Moment,
    findings: Vec<Finding>,
    /// How often the findings changed.
    changes: usize,
}

/// What a device does.
enum Does {
    Answers,
    AnswersAfter(u64),
    Silent,
    Sends(Outcome, Vec<u8>),
}

fn crc(body: &[u8]) -> Vec<u8> {
    let mut frame = body.to_vec();
    frame.extend(modbus::crc16(body).to_le_bytes());
    frame
}

fn reply(unit: usize) -> Vec<u8> {
    crc(&[unit as u8, 3, 8, 0x12, 0x34, 0, 7, 0x41, 0x55, 0, unit as u8])
}

fn request(unit: usize) -> Vec<u8> {
    crc(&[unit as u8, 3, 0, 0, 0, 4])
}

fn damaged(unit: usize) -> Does {
    let mut bytes = reply(unit);
    bytes[5] ^= 0x24;
    Does::Sends(Outcome::Damaged, bytes)
}

impl Rig {
    fn new(devices: usize) -> Self {
        let patient = |n| Patient {
            index: DeviceIndex(n as u32),
            title: format!("表{}", n + 1),
            address: BusAddress::Unit(n as u8 + 1),
        };
        let doctor = Doctor::new((0..devices).map(patient).collect());
        let now = Moment { boot_ms: 1000 };
        Self { doctor, devices, now, findings: Vec::new(), changes: 0 }
    }

    /// One exchange with device `n`, counted from 0.
    fn ask(&mut self, n: usize, does: &Does) {
        self.now = self.now.plus(Duration::from_secs(1));
        let answer = reply(n + 1);
        let (outcome, received, ms): (_, &[u8], _) = match does {
            Does::Answers => (Outcome::Answered, &answer, 30),
            Does::AnswersAfter(ms) => (Outcome::Answered, &answer, *ms),
            Does::Silent => (Outcome::Silent, &[], 0),
            Does::Sends(outcome, bytes) => (*outcome, bytes.as_slice(), 30),
        };
        let answer_time = (!received.is_empty()).then(|| Duration::from_millis(ms));
        let line = Some(LINE);
        let now = self.now;
        let seen = Observation { patient: n, outcome, received, answer_time, line, now };
        self.doctor.observe(&seen);
        if let Some(findings) = self.doctor.examine(self.now) {
            let keys = |all: &[Finding]| -> Vec<_> {
                all.iter().map(|one| (one.diagnosis, one.devices.clone())).collect()
            };
            self.changes += usize::from(keys(&findings) != keys(&self.findings));
            self.findings = findings;
        }
    }

    /// So many rounds over all devices.
    fn rounds(&mut self, rounds: usize, does: impl Fn(usize, usize) -> Does) {
        for round in 0..rounds {
            for n in 0..self.devices {
                self.ask(n, &does(n, round));
            }
        }
    }

    fn healthy(&mut self, rounds: usize) {
        self.rounds(rounds, |_, _| Does::Answers);
    }

    /// What was found, and about which devices counted from 0.
    fn found(&self) -> Vec<(Diagnosis, Vec<u32>)> {
        self.findings
            .iter()
            .map(|one| (one.diagnosis, one.devices.iter().map(|device| device.0).collect()))
            .collect()
    }

    /// The only finding; its texts are there in both languages.
    fn only(&self, diagnosis: Diagnosis, devices: &[u32]) -> &Finding {
        assert_eq!(self.found(), [(diagnosis, devices.to_vec())]);
        let one = &self.findings[0];
        for text in [&one.seen, &one.check] {
            assert!(text.en.is_ascii() || text.en.contains('表'), "{}", text.en);
            assert!(text.zh.chars().any(|c| c > '\u{4e00}'), "{}", text.zh);
        }
        one
    }

    /// The fault is mended: every finding goes, once, and none comes.
    fn mended(&mut self) {
        self.changes = 0;
        self.healthy(25);
        assert_eq!(self.found(), []);
        assert!(self.changes <= 2, "flutter: {} changes", self.changes);
        self.changes = 0;
        self.healthy(50);
        assert_eq!(self.changes, 0);
    }
}

/// What a receiver at `listen` makes of bytes sent at `send`: framing errors become zeros, as the
/// serial driver hands them over.
fn misheard(bytes: &[u8], send: LineSettings, listen: LineSettings) -> Vec<u8> {
    let mut bits = vec![true; 12];
    for &byte in bytes {
        bits.push(false);
        bits.extend((0..8).map(|bit| byte >> bit & 1 == 1));
        let odd = byte.count_ones() % 2 == 1;
        match send.parity {
            Parity::None => {}
            Parity::Even => bits.push(odd),
            Parity::Odd => bits.push(!odd),
        }
        bits.extend(vec![true; usize::from(send.stop_bits)]);
    }
    bits.extend(vec![true; 40]);
    let level = |time: f64| bits.get((time * f64::from(send.baud)) as usize).copied();
    let bit = 1.0 / f64::from(listen.baud);
    let mut heard = Vec::new();
    let mut time = 0.0;
    while let Some(high) = level(time) {
        if high {
            time += bit / 8.0;
            continue;
        }
        let sample = |n: f64| level(time + bit * (n + 0.5)).unwrap_or(true);
        let byte = (0..8).fold(0u8, |byte, n| byte | u8::from(sample(f64::from(n) + 1.0)) << n);
        let mut stop = 9.0;
        let mut good = true;
        if listen.parity != Parity::None {
            let odd = byte.count_ones() % 2 == 1;
            good = sample(9.0) == (odd == (listen.parity == Parity::Even));
            stop = 10.0;
        }
        good &= sample(stop);
        heard.push(if good { byte } else { 0 });
        time += bit * (stop + 0.6);
        // A break lasts until the line is idle again.
        while level(time) == Some(false) && !good {
            time += bit / 8.0;
        }
    }
    heard
}

#[test]
fn a_healthy_line_with_single_errors_has_no_finding() {
    for seed in 0..5 {
        let mut random = fastrand::Rng::with_seed(seed);
        let mut rig = Rig::new(10);
        for round in 0..1000 {
            for n in 0..10 {
                let does = match random.u32(..300) {
                    0 => Does::Silent,
                    1 => damaged(n + 1),
                    2 => Does::Sends(Outcome::Damaged, vec![0x00, 0xff, 0x13, 0x77, 0x52]),
                    _ => Does::AnswersAfter(25 + random.u64(..30)),
                };
                rig.ask(n, &does);
                assert_eq!(rig.found(), [], "seed {seed}, round {round}");
            }
        }
    }
}

#[test]
fn an_adapter_that_echoes_is_no_finding_and_a_dead_device_behind_it_is_silent() {
    let mut rig = Rig::new(3);
    let answers = |n: usize| {
        let bytes = [request(n + 1), reply(n + 1)].concat();
        Does::Sends(Outcome::Answered, bytes)
    };
    rig.rounds(30, |n, _| answers(n));
    assert_eq!(rig.found(), []);
    let dead = |n: usize| Does::Sends(Outcome::Damaged, request(n + 1));
    rig.rounds(30, |n, _| if n == 1 { dead(n) } else { answers(n) });
    rig.only(Diagnosis::DeviceSilent, &[1]);
    let mut rig = Rig::new(3);
    rig.rounds(10, |n, _| dead(n));
    rig.only(Diagnosis::NothingHeard, &[]);
}

#[test]
fn a_line_on_which_nothing_was_ever_heard_is_one_finding() {
    let mut rig = Rig::new(4);
    rig.rounds(20, |_, _| Does::Silent);
    assert_eq!(rig.changes, 1);
    let found = rig.only(Diagnosis::NothingHeard, &[]);
    assert_eq!(found.since, Moment { boot_ms: 2000 });
    assert!(found.seen.zh.contains("4 台设备") && found.check.zh.contains("对调"), "{found:?}");
    rig.mended();
}

#[test]
fn a_line_that_dies_later_is_one_finding_too() {
    let mut rig = Rig::new(4);
    rig.healthy(30);
    rig.changes = 0;
    rig.rounds(20, |_, _| Does::Silent);
    assert_eq!(rig.changes, 1);
    let found = rig.only(Diagnosis::NothingHeard, &[]);
    assert!(found.seen.zh.contains("不再应答"), "{}", found.seen.zh);
    rig.mended();
}

#[test]
fn a_dead_device_is_not_a_fault_of_the_line() {
    let mut rig = Rig::new(5);
    rig.rounds(40, |n, _| if n == 3 { Does::Silent } else { Does::Answers });
    assert_eq!(rig.changes, 1);
    let found = rig.only(Diagnosis::DeviceSilent, &[3]);
    assert!(found.seen.zh.contains("表4") && found.seen.zh.contains("另有 4 台正常"), "{found:?}");
    assert_eq!(found.since, Moment { boot_ms: 5000 });
    rig.mended();
}

#[test]
fn a_dead_device_that_is_asked_rarely_stays_found() {
    let mut rig = Rig::new(3);
    rig.rounds(300, |n, round| match n {
        1 if round < 8 || round % 30 == 0 => Does::Silent,
        1 => Does::Answers,
        _ => Does::Answers,
    });
    assert_eq!(rig.found(), []);
    let mut rig = Rig::new(3);
    for round in 0..2000 {
        rig.ask(0, &Does::Answers);
        rig.ask(2, &Does::Answers);
        if round < 8 || round % 300 == 0 {
            rig.ask(1, &Does::Silent);
        }
    }
    rig.only(Diagnosis::DeviceSilent, &[1]);
    assert_eq!(rig.changes, 1);
}

#[test]
fn a_stray_byte_of_a_dead_device_is_silence() {
    let mut rig = Rig::new(3);
    rig.rounds(30, |n, _| match n {
        2 => Does::Sends(Outcome::Damaged, vec![0xff]),
        _ => Does::Answers,
    });
    rig.only(Diagnosis::DeviceSilent, &[2]);
}

#[test]
fn a_device_with_another_baud_rate_is_told_from_its_bytes() {
    for baud in [1200, 2400, 4800, 19_200, 38_400] {
        let own = LineSettings { baud, ..LINE };
        let mut rig = Rig::new(4);
        rig.rounds(30, |n, _| match n {
            1 => Does::Sends(Outcome::Damaged, misheard(&reply(2), own, LINE)),
            _ => Does::Answers,
        });
        let found = rig.only(Diagnosis::WrongLineSettings, &[1]);
        assert!(found.seen.zh.contains("另有 3 台用同样的设置正常"), "{baud}: {}", found.seen.zh);
        assert_eq!(rig.changes, 1, "{baud}");
        rig.mended();
    }
}

#[test]
fn a_line_with_a_wrong_setting_is_one_finding() {
    let own = LineSettings { baud: 2400, parity: Parity::Even, stop_bits: 1 };
    let mut rig = Rig::new(4);
    rig.rounds(30, |n, _| Does::Sends(Outcome::Damaged, misheard(&reply(n + 1), own, LINE)));
    let found = rig.only(Diagnosis::WrongLineSettings, &[]);
    assert!(found.seen.zh.contains("比设定的低"), "{}", found.seen.zh);
    rig.mended();
}

#[test]
fn two_devices_with_one_address_are_found_by_two_replies() {
    let mut rig = Rig::new(4);
    let twice = || Does::Sends(Outcome::Answered, [reply(2), reply(2)].concat());
    rig.rounds(30, |n, _| if n == 1 { twice() } else { Does::Answers });
    let found = rig.only(Diagnosis::AddressCollision, &[1]);
    assert!(found.seen.zh.contains("地址 #2"), "{}", found.seen.zh);
    assert_eq!(rig.changes, 1);
    rig.mended();
}

#[test]
fn two_devices_with_one_address_are_found_by_replies_one_over_the_other() {
    let mut rig = Rig::new(4);
    rig.healthy(5);
    rig.rounds(30, |n, _| {
        let (mut bytes, second) = (reply(2), reply(2));
        bytes.truncate(7);
        bytes.extend(&second[1..]);
        if n == 1 { Does::Sends(Outcome::Damaged, bytes) } else { Does::Answers }
    });
    rig.only(Diagnosis::AddressCollision, &[1]);
    rig.mended();
}

#[test]
fn a_wildcard_that_two_meters_answer_is_a_collision() {
    let meter = |last: u8| dlt645::Address::from_wire([last, 0, 0, 0, 0, 0]);
    let patient = Patient {
        index: DeviceIndex(0),
        title: "电表".into(),
        address: BusAddress::Dlt645(dlt645::Address::ANY),
    };
    let mut doctor = Doctor::new(vec![patient]);
    let mut last = Vec::new();
    for second in 0..20u64 {
        let asked = dlt645::read_address();
        let frame = dlt645::answer_address(&asked, meter(if second % 2 == 0 { 1 } else { 2 }));
        let now = Moment { boot_ms: second * 1000 };
        let received = frame.to_bytes();
        doctor.observe(&Observation {
            patient: 0,
            outcome: Outcome::Answered,
            received: &received,
            answer_time: None,
            line: Some(LINE),
            now,
        });
        last = doctor.examine(now).unwrap_or(last);
    }
    assert_eq!(
        last.iter().map(|one| one.diagnosis).collect::<Vec<_>>(),
        [Diagnosis::AddressCollision]
    );
}

#[test]
fn late_replies_after_silence_are_no_collision() {
    let mut rig = Rig::new(3);
    rig.rounds(40, |n, round| match (n, round % 8) {
        (1, 0) => Does::Silent,
        (1, 1) => Does::Sends(Outcome::Answered, [reply(2), reply(2)].concat()),
        _ => Does::Answers,
    });
    assert_eq!(rig.found(), []);
}

#[test]
fn damage_of_one_device_is_its_own() {
    let mut rig = Rig::new(5);
    rig.rounds(40, |n, round| if n == 2 && round % 3 == 0 { damaged(3) } else { Does::Answers });
    let found = rig.only(Diagnosis::DamagedReplies, &[2]);
    assert!(found.check.zh.contains("这台设备的分支"), "{}", found.check.zh);
    assert_eq!(rig.changes, 1);
    rig.mended();
}

#[test]
fn damage_from_some_device_on_names_the_last_clean_one() {
    let mut rig = Rig::new(6);
    rig.rounds(40, |n, round| match n {
        4.. if (round + n) % 3 == 0 => damaged(n + 1),
        _ => Does::Answers,
    });
    let found = rig.only(Diagnosis::DamagedReplies, &[4, 5]);
    assert!(found.check.zh.contains("到 表4 为止都正常"), "{}", found.check.zh);
    rig.mended();
}

#[test]
fn damage_everywhere_is_a_noisy_line() {
    let mut random = fastrand::Rng::with_seed(3);
    let hits: Vec<bool> = (0..8 * 60).map(|_| random.u32(..100) < 22).collect();
    let mut rig = Rig::new(8);
    rig.rounds(60, |n, round| if hits[round * 8 + n] { damaged(n + 1) } else { Does::Answers });
    rig.only(Diagnosis::NoisyLine, &[]);
    assert!(rig.changes <= 3, "flutter: {}", rig.changes);
    rig.mended();
}

#[test]
fn answers_that_get_slower_are_measured_against_the_first_hour() {
    let mut rig = Rig::new(3);
    rig.healthy(1300);
    let slow = |n: usize, round: usize| match n {
        1 => Does::AnswersAfter(30 + (round as u64).min(150)),
        _ => Does::Answers,
    };
    rig.rounds(250, slow);
    let found = rig.only(Diagnosis::SlowerAnswers, &[1]);
    assert!(found.seen.zh.contains("30 毫秒"), "{}", found.seen.zh);
    assert_eq!(rig.changes, 1);
    rig.healthy(50);
    assert_eq!(rig.found(), []);
    assert_eq!(rig.changes, 2);
}

#[test]
fn another_master_is_heard_and_forgotten_ten_minutes_after_its_last_request() {
    let mut rig = Rig::new(3);
    rig.healthy(5);
    for _ in 0..4 {
        rig.doctor.unasked(&[request(77), reply(77)].concat(), rig.now);
        rig.healthy(2);
    }
    let found = rig.only(Diagnosis::ForeignMaster, &[]);
    assert!(found.seen.zh.contains("询问报文"), "{}", found.seen.zh);
    rig.healthy(180);
    rig.only(Diagnosis::ForeignMaster, &[]);
    rig.healthy(40);
    assert_eq!(rig.found(), []);
    assert_eq!(rig.changes, 2);
}

#[test]
fn broadcasts_of_others_are_named_so_and_our_late_replies_are_not_counted() {
    let mut rig = Rig::new(2);
    for _ in 0..20 {
        rig.doctor.unasked(&reply(1), rig.now);
        rig.healthy(1);
    }
    assert_eq!(rig.found(), []);
    for _ in 0..5 {
        rig.doctor.unasked(&crc(&[0, 6, 0, 1, 0, 1]), rig.now);
        rig.doctor.unasked(&crc(&[0, 16, 0, 1, 0, 1, 2, 0, 9]), rig.now);
        rig.healthy(1);
    }
    let found = rig.only(Diagnosis::ForeignMaster, &[]);
    assert!(found.seen.zh.contains("广播"), "{}", found.seen.zh);
}

#[test]
fn signatures_tell_frames_damage_settings_and_other_protocols_apart() {
    let even = LineSettings { parity: Parity::Even, ..LINE };
    let meter =
        dlt645::read(dlt645::Edition::V2007, dlt645::Address::ANY, dlt645::DataId(0x0001_0000));
    let slow = LineSettings { baud: 2400, ..LINE };
    let fast = LineSettings { baud: 57_600, ..LINE };
    let mut broken = reply(1);
    broken[6] ^= 1;
    let seen = [
        (vec![], Signature::Nothing),
        (vec![0xf8], Signature::Glitch),
        (reply(1), Signature::Whole),
        ([request(1), reply(1)].concat(), Signature::Whole),
        (meter.to_bytes(), Signature::Whole),
        ([reply(1), reply(1)].concat(), Signature::Collision),
        (broken, Signature::Damaged),
        (misheard(&reply(1), slow, LINE), Signature::LowerBaud),
        (misheard(&reply(1), fast, LINE), Signature::HigherBaud),
        (b":010304000A00E1\r\n".to_vec(), Signature::ForeignProtocol),
    ];
    for (bytes, expected) in seen {
        assert_eq!(signature(&bytes), expected, "{bytes:02x?}");
    }
    let parity = signature(&misheard(&reply(1), even, LINE));
    assert!(parity.is_setting() || parity == Signature::Damaged, "{parity:?}");
}

#[test]
fn no_bytes_panic_the_signature() {
    let mut random = fastrand::Rng::with_seed(11);
    for _ in 0..20_000 {
        let mut bytes: Vec<u8> = (0..random.usize(..40)).map(|_| random.u8(..)).collect();
        if let Some(first) = bytes.first_mut()
            && random.bool()
        {
            *first = 0x68;
        }
        signature(&bytes);
    }
}
