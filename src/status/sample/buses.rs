//! The buses of the made-up estate: one wired badly from its fourth device on, one that is well.

use std::time::Duration;

use crate::driver::record::{FrameLog, Way};
use crate::driver::{LineSettings, Parity};
use crate::model::*;
use crate::status::BusLine;

const MS: Duration = Duration::from_millis(1);

pub(super) fn rows(line: &BusId, copies: usize, back: &impl Fn(u64) -> Moment) -> Vec<BusState> {
    let counters = BusCounters {
        requests: 48_120,
        answers: 47_630,
        timeouts: 470,
        damaged: 20,
        missed: 3,
        busy: Duration::from_secs(2900),
        probing: Duration::from_secs(96),
        ..BusCounters::default()
    };
    let planned = BusBudget {
        sweep: 11_400 * MS,
        sweep_with_dead: 14_000 * MS,
        wanted: 60_000 * MS,
        load: 0.19,
        requests: 24,
    };
    let row = |id: &BusId, text: &str, load, units: Vec<UnitState>| BusState {
        id: id.clone(),
        line: text.into(),
        devices: units.len(),
        open: true,
        fault: None,
        since: back(7100),
        load,
        counters: counters.clone(),
        planned,
        measured: Some(BusBudget { sweep: 12_250 * MS, load, ..planned }),
        units,
        findings: Vec::new(),
    };
    // Eleven devices a copy, of which the first six hang on the line.
    let on_line: Vec<UnitState> = (0..copies)
        .flat_map(|copy| (0..6).map(move |slot| copy * 11 + slot))
        .enumerate()
        .map(|(place, slot)| unit(place, slot))
        .collect();
    let first = row(line, "serial /dev/ttyS1 9600 8N1", 0.41, on_line);
    vec![first, row(&BusId::new("chargers").unwrap(), "tcp 10.0.0.5:502", 0.08, Vec::new())]
}

/// What the doctor says of the first line: its fourth device is dead, its sixth slow.
pub(in crate::status) fn findings(now: Moment) -> Vec<Finding> {
    let back = |seconds: u64| Moment { boot_ms: now.boot_ms.saturating_sub(seconds * 1000) };
    vec![
        Finding {
            diagnosis: Diagnosis::SlowerAnswers,
            devices: vec![DeviceIndex(5)],
            since: back(900),
            seen: ("answers took 40 ms, now 310 ms", "应答时间由 40 毫秒变为 310 毫秒").into(),
            check: ("look at its converter", "检查该设备前的转换器").into(),
        },
        Finding {
            diagnosis: Diagnosis::DeviceSilent,
            devices: vec![DeviceIndex(3)],
            since: back(4100),
            seen: (
                "not one byte in 470 requests, while others on this bus answer: 5",
                "470 次请求无一字节应答，而其他 5 台正常",
            )
                .into(),
            check: (
                "its power light, then A and B at its terminals",
                "到现场看供电指示，再在其端子处测 A/B 线",
            )
                .into(),
        },
    ]
}

fn unit(place: usize, slot: usize) -> UnitState {
    let (answers, damaged) = match slot {
        3 => (0, 0),
        5 => (7_600, 310),
        _ => (8_012, 2),
    };
    UnitState {
        device: DeviceIndex(u32::try_from(slot).unwrap()),
        address: format!("#{}", place + 1),
        line: Some("9600 8N1".to_owned()),
        requests: 8_020,
        answers,
        timeouts: 8_020 - answers - damaged,
        damaged,
        answer_time: (answers > 0).then(|| if slot == 5 { 310 * MS } else { 38 * MS }),
        longest: if answers > 0 { 720 * MS } else { Duration::ZERO },
    }
}

/// A recorder with a few frames of two protocols, noise, and a recording that a fault kept.
pub(super) fn line(id: &BusId, back: &impl Fn(u64) -> Moment) -> BusLine {
    let log = FrameLog::new(id.clone(), false);
    let settings = |baud, parity| Some(LineSettings { baud, parity, stop_bits: 1 });
    let modbus = settings(9600, Parity::None);
    let meter = settings(2400, Parity::Even);
    let exchange = |at: u64| {
        log.push(back(at), Way::Sent, modbus, &[1, 3, 0, 0, 0, 2, 0xC4, 0x0B]);
        log.push(back(at), Way::Received, modbus, &[1, 3, 4, 0, 1, 0, 2, 0x2A, 0x32]);
    };
    exchange(4110);
    log.push(back(4105), Way::Sent, modbus, &[4, 3, 0, 0, 0, 2, 0xC4, 0x5E]);
    let why = ("heat_meter-0-3 went offline", "heat_meter-0-3 离线").into();
    log.keep(back(4100), &why);
    exchange(4095);
    exchange(30);
    log.push(back(20), Way::Received, meter, &[0x00, 0xFF, 0x13, 0x37]);
    let request = [
        0xFE, 0xFE, 0xFE, 0xFE, 0x68, 0x12, 0x34, 0x56, 0x78, 0x90, 0x12, 0x68, 0x11, 0x04, 0x33,
        0x33, 0x33, 0x33,
    ];
    let sum = request[4..].iter().fold(0u8, |sum, byte| sum.wrapping_add(*byte));
    log.push(back(10), Way::Sent, meter, &[&request[..], &[sum, 0x16]].concat());
    exchange(5);
    BusLine { id: id.clone(), order: tokio::sync::mpsc::channel(1).0, log }
}
