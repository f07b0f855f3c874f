//! Collisions, damage, slower answers, other masters, and what bytes look like.

use super::*;

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
