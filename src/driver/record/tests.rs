//! The recorder forgets the oldest, keeps what a fault needs, and reads back what it wrote.

use std::time::Duration;

use super::*;
use crate::driver::Parity;

fn log() -> FrameLog {
    FrameLog::new(BusId::new("rs485-1").unwrap(), false)
}

fn at(seconds: u64) -> Moment {
    Moment { boot_ms: seconds * 1000 }
}

fn line(baud: u32, parity: Parity, stop_bits: u8) -> Option<LineSettings> {
    Some(LineSettings { baud, parity, stop_bits })
}

fn why(what: &str) -> Words {
    Words::from((what, what))
}

const READ: [u8; 8] = [0x01, 0x03, 0x00, 0x00, 0x00, 0x02, 0xC4, 0x0B];
const REPLY: [u8; 9] = [0x01, 0x03, 0x04, 0x00, 0x01, 0x00, 0x02, 0x2A, 0x32];

fn two_lines() -> Recording {
    let frame = |ms, way, line, bytes: &[u8]| Captured {
        at: Moment { boot_ms: ms },
        way,
        line,
        bytes: bytes.to_vec(),
    };
    let (slow, odd) = (line(2400, Parity::Even, 1), line(19_200, Parity::Odd, 2));
    let frames = vec![
        frame(5_000, Way::Sent, slow, &READ),
        frame(5_043, Way::Received, slow, &REPLY),
        frame(6_100, Way::Sent, odd, &READ),
        frame(6_150, Way::Received, odd, &[0xff, 0x00, 0x3c]),
        frame(6_900, Way::Sent, None, &READ),
    ];
    Recording { bus: "rs485-1".into(), mbap: false, frames }
}

fn mbap() -> Recording {
    let mut recording = two_lines();
    recording.mbap = true;
    for (number, frame) in recording.frames.iter_mut().enumerate() {
        frame.line = None;
        let pdu: &[u8] = if frame.way == Way::Sent { &READ[..6] } else { &REPLY[..7] };
        frame.bytes = vec![0, u8::try_from(number / 2).unwrap(), 0, 0, 0];
        frame.bytes.push(u8::try_from(pdu.len()).unwrap());
        frame.bytes.extend(pdu);
    }
    recording
}

/// The same, with times since the first frame.
fn from_zero(mut recording: Recording) -> Recording {
    let first = recording.frames[0].at;
    for frame in &mut recording.frames {
        frame.at = Moment::default().plus(frame.at.since(first));
    }
    recording
}

fn unknown(_: Moment) -> Option<WallTime> {
    None
}

fn in_november(at: Moment) -> Option<WallTime> {
    let unix_ms = 1_795_397_190_000 + i64::try_from(at.boot_ms).unwrap();
    Some(WallTime { unix_ms })
}

#[test]
fn frames_come_back_as_they_were_pushed_and_from_a_moment_on() {
    let log = log();
    for frame in two_lines().frames {
        log.push(frame.at, frame.way, frame.line, &frame.bytes);
    }
    log.push(at(7), Way::Received, None, &[]);
    assert_eq!(log.recent(at(0)), two_lines().frames);
    assert_eq!(log.recent(at(6)), two_lines().frames[2..]);
    assert_eq!(log.recent(at(60)), []);
}

#[test]
fn the_ring_never_grows_and_forgets_the_oldest_first() {
    let log = log();
    let mut bytes = Vec::new();
    for second in 0..5_000u64 {
        bytes.clear();
        bytes.extend((0..second % 300 + 1).map(|n| (n + second) as u8));
        log.push(at(second), Way::Received, None, &bytes);
    }
    let frames = log.recent(at(0));
    let total: usize = frames.iter().map(|frame| ring::HEAD + frame.bytes.len()).sum();
    assert!((RING_BYTES - 400..=RING_BYTES).contains(&total), "{total}");
    assert_eq!(frames.last().unwrap().at, at(4_999));
    for (frame, second) in frames.iter().rev().zip((0..5_000u64).rev()) {
        assert_eq!((frame.at, frame.bytes.len() as u64), (at(second), second % 300 + 1));
        assert_eq!(frame.bytes[0], second as u8);
    }
}

#[test]
fn of_an_endless_frame_the_head_is_kept() {
    let log = log();
    log.push(at(1), Way::Received, None, &vec![0x55; 200_000]);
    log.push(at(2), Way::Sent, None, &READ);
    let lengths: Vec<_> = log.recent(at(0)).iter().map(|frame| frame.bytes.len()).collect();
    assert_eq!(lengths, [ring::FRAME_MAX, 8]);
}

#[test]
fn what_came_unasked_and_is_told_late_stands_in_its_place() {
    let log = log();
    log.push(at(5), Way::Sent, None, &READ);
    log.push(at(4), Way::Received, None, &REPLY);
    let order: Vec<_> = log.recent(at(0)).iter().map(|frame| frame.at).collect();
    assert_eq!(order, [at(4), at(5)]);
}

#[test]
fn a_fault_keeps_what_was_before_it_and_ten_seconds_after() {
    let log = log();
    for second in 0..100 {
        log.push(at(second), Way::Sent, None, &[second as u8]);
        if second == 50 {
            log.keep(at(50), &why("meter 3 went offline"));
        }
    }
    let kept = log.kept();
    assert_eq!(kept.len(), 1);
    assert_eq!((kept[0].at, kept[0].why.en.as_str()), (at(50), "meter 3 went offline"));
    let bytes: Vec<u8> = kept[0].frames.iter().map(|frame| frame.bytes[0]).collect();
    assert_eq!(bytes, (0..=60).collect::<Vec<u8>>());
}

#[test]
fn faults_that_begin_together_share_a_recording() {
    let log = log();
    log.keep(at(50), &why("a"));
    log.keep(at(55), &why("b"));
    log.keep(at(56), &why("b"));
    let kept = log.kept();
    assert_eq!(kept.len(), 1);
    assert_eq!(kept[0].why.en, "a; b");
}

#[test]
fn the_same_reason_is_kept_once_in_five_minutes() {
    let log = log();
    log.keep(at(0), &why("a"));
    log.keep(at(299), &why("a"));
    assert_eq!(log.kept().len(), 1);
    log.keep(at(300), &why("a"));
    assert_eq!(log.kept().len(), 2);
}

#[test]
fn of_a_cascade_the_first_four_are_kept_and_later_the_newest_replace_the_oldest() {
    let log = log();
    for n in 0..10 {
        log.keep(at(n * 20), &why(&format!("fault {n}")));
    }
    let whys = |log: &FrameLog| -> Vec<u64> {
        log.kept().iter().map(|kept| kept.at.boot_ms / 1000).collect()
    };
    assert_eq!(whys(&log), [0, 20, 40, 60]);
    log.keep(at(400), &why("later"));
    assert_eq!(whys(&log), [20, 40, 60, 400]);
}

#[test]
fn a_text_says_time_direction_line_bytes_and_meaning() {
    let text = two_lines().text(unknown, Tongue::English);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[0], "# linli frames 1 serial rs485-1");
    assert!(lines[1].trim_start().starts_with("5.000 > 2400-8E1 01 03 00 00 00 02 C4 0B ; "));
    assert!(lines[1].contains("function 3"), "{}", lines[1]);
    assert!(lines[2].contains("5.043 < 2400-8E1 01 03 04"), "{}", lines[2]);
    assert!(lines[4].ends_with("< 19200-8O2 FF 00 3C"), "noise has no meaning: {}", lines[4]);
    assert!(lines[5].contains("6.900 > - 01 03"), "{}", lines[5]);
    let chinese = two_lines().text(in_november, Tongue::Chinese);
    assert!(chinese.contains("功能码 3"), "{chinese}");
    assert!(chinese.contains("2026-11-23T"), "{chinese}");
}

#[test]
fn both_formats_are_read_back_as_they_were_written() {
    for recording in [two_lines(), mbap()] {
        let expected = Ok(from_zero(recording.clone()));
        for wall in [unknown, in_november] {
            let text = recording.text(wall, Tongue::Chinese);
            assert_eq!(load(text.as_bytes()), expected, "{text}");
            assert_eq!(load(&recording.pcapng(wall)), expected);
        }
    }
}

#[test]
fn a_hand_written_text_without_a_head_is_read() {
    let text = "# the meter in the cellar\n\n0.000 > 9600-8N1 68 11\n1.5 < - FE\n";
    let fault = load(text.as_bytes()).unwrap_err();
    assert_eq!(
        fault.to_string(),
        "line 4: `1.5` where a time: `2026-11-23T02:06:30.123Z`, or seconds such as `12.345` must \
         stand"
    );
    let mended = text.replace("1.5", "1.500");
    let recording = load(mended.as_bytes()).unwrap();
    assert_eq!(recording.frames[0].line, line(9600, Parity::None, 1));
    assert_eq!(recording.frames[1].at, Moment::default().plus(Duration::from_millis(1500)));
}

#[test]
fn a_file_that_is_no_recording_says_why() {
    let told = |bytes: &[u8]| load(bytes).unwrap_err().to_string();
    assert_eq!(told(b""), "no frame in it");
    assert!(told(b"\x7fELF\0\0").contains("7F 45 4C 46 00 00"));
    assert!(told(&[0xd4, 0xc3, 0xb2, 0xa1, 2, 0]).contains("pcapng"));
    assert!(told("0.000 > 9600-8N1 1 2".as_bytes()).contains("line 1: `1`"));
    assert!(told("0.000 = - 11".as_bytes()).contains("`>` or `<`"));
    assert!(told("0.000 > 9600-7E1 11".as_bytes()).contains("9600-7E1"));
    let mut file = two_lines().pcapng(unknown);
    file.truncate(file.len() - 3);
    assert!(told(&file).contains("ends inside"), "{}", told(&file));
    let mut file = two_lines().pcapng(unknown);
    let section = usize::try_from(u32::from_le_bytes(*file[4..].first_chunk().unwrap())).unwrap();
    file[section + 8] = 147;
    assert!(told(&file).contains("link type 147"), "{}", told(&file));
}

#[test]
fn no_bytes_at_all_panic_the_loader() {
    let good = two_lines().pcapng(unknown);
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..20_000 {
        let mut file = good.clone();
        for _ in 0..random.usize(1..6) {
            let place = random.usize(..file.len());
            file[place] = random.u8(..);
        }
        file.truncate(random.usize(..=file.len()));
        if let Ok(recording) = load(&file) {
            assert!(recording.frames.len() <= 5);
        }
    }
}
