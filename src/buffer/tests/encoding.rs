//! What is written is the document of the stream.

use super::support::*;
use crate::buffer::block::{Lane, MAX_PAYLOAD, parse};
use crate::buffer::columns::{Columns, Scratch};
use crate::buffer::sealer::{MAX_DOCUMENT, Sealer};
use crate::model::{
    DeviceColumns, DeviceIndex, Epoch, Event, EventKind, Moment, PointIndex, Quality, QualityNote,
    Reading, Reason, Seq, TimeTrust, Value, WallTime,
};

fn sealer(devices: usize, points: usize) -> Sealer {
    Sealer::new(estate(devices, points), clock(), Epoch(7), Seq(1))
}

#[tokio::test]
async fn the_writer_by_hand_says_the_same_as_the_document_type() {
    let estate = estate(2, 4);
    let clock = clock();
    let base = Moment { boot_ms: 5_000 };
    let mut first = batch(&clock, 1, &[1520.0, -0.5, 1e300]);
    first.at = Moment { boot_ms: 6_000 };
    first.source_time = Some(WallTime { unix_ms: -3 });
    first.readings[2].quality = Quality::Uncertain(Reason::OutOfRange);
    let mut earlier = batch(&clock, 1, &[f64::NAN]);
    earlier.at = base;
    earlier.readings.push(Reading::bad(PointIndex(3), Reason::NoAnswer));
    earlier.readings.push(Reading::good(PointIndex(1), Value::Flag(true)));
    let text = Value::Text("电\"表\\\n".into());
    earlier.readings.push(Reading::good(PointIndex(2), text.clone()));
    let mut columns = Columns::default();
    columns.push(&estate, first);
    columns.push(&estate, earlier);
    let mut out = b"{".to_vec();
    columns.write(&estate, base, &mut Scratch::default(), &mut out);
    out.push(b'}');
    #[derive(serde::Deserialize)]
    struct Part {
        devices: Vec<DeviceColumns>,
    }
    let part: Part = serde_json::from_slice(&out).unwrap();
    let note = |row, point, word: &str, reason: &str| {
        QualityNote(row, point, word.to_owned(), reason.to_owned())
    };
    let number = |n| Some(Value::Number(n));
    let expected = DeviceColumns {
        id: "meter-1".into(),
        at: vec![0, 1000],
        points: [0, 1, 2, 3].map(|n| format!("phaseQuantity{n}")).to_vec(),
        values: vec![
            vec![None, number(1520.0)],
            vec![Some(Value::Flag(true)), number(-0.5)],
            vec![Some(text), number(1e300)],
            vec![None, None],
        ],
        quality: vec![
            note(0, 0, "bad", "not_available"),
            note(0, 3, "bad", "no_answer"),
            note(1, 2, "uncertain", "out_of_range"),
        ],
        source_times: vec![(1, -3)],
        thinned: Vec::new(),
    };
    assert_eq!(part.devices, [expected]);
    assert!(String::from_utf8(out).unwrap().contains("1520]"), "whole numbers have no point");
}

#[tokio::test]
async fn blocks_stay_within_their_size_and_hold_every_reading_in_order() {
    let mut random = fastrand::Rng::with_seed(3);
    let clock = clock();
    let mut sealer = sealer(20, 40);
    let mut sealed = Vec::new();
    let mut sent = Vec::new();
    for round in 0..60 {
        for device in 0..20 {
            // Turns from repetitive to incompressible: blocks must be split.
            let values = if round < 30 { vec![1.0; 40] } else { noise(&mut random, 40) };
            sent.extend(values.clone());
            sealer.push(batch(&clock, device, &values), &mut sealed);
        }
    }
    sealer.cut(&mut sealed);
    let mut seen = Vec::new();
    for (n, block) in (1..).zip(&sealed) {
        assert!(block.value.len() <= crate::store::MAX_VALUE);
        assert_eq!(block.seq, Seq(n));
        let key = crate::buffer::block::key(Lane::Telemetry, block.seq);
        let (_, payload) = parse(&key, &block.value).unwrap();
        let document = decode(payload);
        assert_eq!(numbers(&document).count(), block.readings as usize);
        seen.extend(numbers(&document));
    }
    sent.sort_by(f64::total_cmp);
    seen.sort_by(f64::total_cmp);
    // Compared without printing thousands of numbers.
    assert!(seen == sent);
}

#[tokio::test]
async fn a_full_block_of_meters_costs_at_most_sixteen_bytes_a_reading() {
    for devices in [10u32, 200] {
        let mut random = fastrand::Rng::with_seed(1);
        let clock = clock();
        let mut sealer = sealer(devices as usize, 40);
        let mut sealed = Vec::new();
        for _ in 0..20 {
            for device in 0..devices {
                let values: Vec<f64> = (0..40)
                    .map(|point| f64::from(point * 100) + f64::from(random.u32(0..2000)) / 10.0)
                    .collect();
                sealer.push(batch(&clock, device, &values), &mut sealed);
            }
        }
        let bytes: usize = sealed.iter().map(|block| block.value.len()).sum();
        let readings: u32 = sealed.iter().map(|block| block.readings).sum();
        let each = bytes as f64 / f64::from(readings);
        let fill = bytes as f64 / sealed.len() as f64;
        println!("{devices} devices: {each:.2} bytes a reading, {fill:.0} bytes a block");
        assert!(each <= 16.0, "{each}");
        assert!(fill > 2800.0, "{fill}");
    }
}

#[tokio::test]
async fn an_oversized_text_is_cut_and_says_so() {
    let clock = clock();
    let mut random = fastrand::Rng::with_seed(9);
    let mut sealer = sealer(1, 8);
    let mut sealed = Vec::new();
    let mut batch = batch(&clock, 0, &[]);
    batch.device = DeviceIndex(0);
    for point in 0..8 {
        let text: String = (0..200_000).map(|_| random.alphanumeric()).collect();
        batch.readings.push(Reading::good(PointIndex(point), Value::Text(text.into())));
    }
    sealer.push(batch, &mut sealed);
    sealer.cut(&mut sealed);
    assert_eq!(sealed.iter().map(|block| block.readings).sum::<u32>(), 8);
    let key = crate::buffer::block::key(Lane::Telemetry, sealed[0].seq);
    let document = decode(parse(&key, &sealed[0].value).unwrap().1);
    assert_eq!(document.devices[0].quality[0].3, "truncated");
    assert_eq!(document.time.trust, TimeTrust::Trusted);
}

#[tokio::test]
async fn events_of_any_length_fit_a_block() {
    let mut sealer = sealer(1, 1);
    let at = clock().now();
    let mut random = fastrand::Rng::with_seed(2);
    let long: String = (0..100_000).map(|_| random.alphanumeric()).collect();
    let rejected = |text: &str| Event {
        at,
        device: None,
        kind: EventKind::PayloadRejected { topic: text.to_owned(), fault: text.to_owned() },
    };
    let mut events = vec![rejected(&long), rejected("短")];
    events.extend((0..100).map(|_| rejected("a/topic")));
    let mut sealed = Vec::new();
    sealer.seal_events(&mut events, &mut sealed);
    assert!(events.is_empty());
    let mut seen = 0;
    for block in &sealed {
        let key = crate::buffer::block::key(Lane::Urgent, block.seq);
        let payload = parse(&key, &block.value).unwrap().1;
        assert!(payload.len() <= MAX_PAYLOAD && payload.len() <= MAX_DOCUMENT);
        seen += decode(payload).events.len();
    }
    assert_eq!(seen, 102);
}
