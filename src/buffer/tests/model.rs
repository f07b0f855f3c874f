//! Random operations against a plain reference.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::support::*;
use crate::buffer::Lane;
use crate::model::{Event, EventKind, Receipt, Record, Seq};

/// What the test knows without the buffer: each reading is a number that occurs once.
#[derive(Default)]
struct Reference {
    sent: u32,
    /// Numbers whose receipt was confirmed.
    confirmed: Arc<Mutex<BTreeSet<u32>>>,
    /// What the platform got and acknowledged.
    delivered: BTreeSet<u32>,
    /// Content of each position, once seen: it must never change.
    seen: std::collections::BTreeMap<Seq, String>,
    events_sent: u32,
    highest: Seq,
}

impl Reference {
    /// Everything that was promised is stored or delivered.
    fn check(&mut self, buffer: &crate::buffer::Buffer) {
        let documents = documents(buffer);
        let mut have = self.delivered.clone();
        for (seq, document) in documents {
            let text = format!("{document:?}");
            let first = self.seen.entry(seq).or_insert_with(|| text.clone());
            assert_eq!(*first, text, "position {seq} has two contents");
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counted")]
            have.extend(numbers(&document).map(|n| n as u32));
            self.highest = self.highest.max(seq);
        }
        let confirmed = self.confirmed.lock().unwrap();
        let lost: Vec<&u32> = confirmed.difference(&have).collect();
        assert!(lost.is_empty(), "confirmed, then lost: {lost:?}");
        let status = buffer.status().borrow().clone();
        assert!(status.next_seq > self.highest);
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_that_was_confirmed_is_ever_lost_whatever_happens() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(5, 3), clock());
    let mut reference = Reference::default();
    let mut random = fastrand::Rng::with_seed(20_250_101);
    let mut path = folder.path().join("life-0");
    for life in 1..=25 {
        let (recorder, buffer) = reopen(&config(&path), &estate, &clock);
        reference.check(&buffer);
        let image = folder.path().join(format!("life-{life}"));
        let kill = random.u8(0..3);
        let run = async |records: tokio::sync::mpsc::Sender<Record>| {
            for _ in 0..random.u32(40..160) {
                match random.u8(0..12) {
                    0..=6 => {
                        let number = reference.sent;
                        reference.sent += 1;
                        let mut batch = batch(&clock, random.u32(0..5), &[f64::from(number)]);
                        let confirmed = reference.confirmed.clone();
                        batch.receipt = Some(Receipt::new(move || {
                            confirmed.lock().unwrap().insert(number);
                        }));
                        records.send(Record::Readings(batch)).await.unwrap();
                    }
                    7 => {
                        reference.events_sent += 1;
                        let version = reference.events_sent.to_string();
                        let kind = EventKind::GatewayStarted { version };
                        let event = Event { at: clock.now(), device: None, kind };
                        records.send(Record::Event(event)).await.unwrap();
                    }
                    8 => buffer.hurry(),
                    9 => {
                        let lane = Lane::ALL[random.usize(0..2)];
                        let blocks = buffer.read(lane, None, random.usize(1..6)).unwrap();
                        let mut acknowledged = Vec::new();
                        for block in blocks {
                            let document = decode(&block.payload);
                            #[expect(
                                clippy::cast_possible_truncation,
                                clippy::cast_sign_loss,
                                reason = "counted"
                            )]
                            reference.delivered.extend(numbers(&document).map(|n| n as u32));
                            acknowledged.push((lane, block.seq));
                        }
                        buffer.acknowledge(acknowledged).await;
                    }
                    10 => tokio::time::sleep(Duration::from_millis(random.u64(1..1500))).await,
                    _ => reference.check(&buffer),
                }
            }
            if kill == 1 {
                // The image of a kill: the files as they are at this very moment. What is
                // confirmed after it is not promised for it.
                copy(&path, &image);
                reference.check(&buffer);
            }
        };
        match kill {
            0 => beside(recorder, run).await,
            _ => killed(recorder, run).await,
        }
        drop(buffer);
        if kill == 1 {
            path = image;
        }
    }
    assert!(reference.sent > 1000);
    assert!(reference.confirmed.lock().unwrap().len() > 500);
}
