//! Who watches for alarms sees everything that is read and happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use super::*;
use crate::model::{AlarmEyes, AlarmSignal, AlarmSignals, Receipt};

/// Notes what it is shown; tells of every number above 100.
#[derive(Clone, Default)]
struct Eyes {
    seen: Arc<Mutex<Vec<f64>>>,
    events: Arc<Mutex<Vec<EventKind>>>,
    out: Arc<Mutex<Vec<AlarmSignal>>>,
}

impl AlarmEyes for Eyes {
    fn reading(&mut self, device: DeviceIndex, at: Moment, reading: &Reading) {
        let Some(number) = reading.value.as_ref().and_then(Value::number) else { return };
        self.seen.lock().unwrap().push(number);
        if number > 100.0 {
            self.out.lock().unwrap().push(AlarmSignal {
                rule: 0,
                device: Some(device),
                point: Some(reading.point),
                about: String::new(),
                on: true,
                value: reading.value.clone(),
                at,
            });
        }
    }

    fn event(&mut self, event: &Event) {
        self.events.lock().unwrap().push(event.kind.clone());
    }

    fn take(&mut self) -> Vec<AlarmSignal> {
        std::mem::take(&mut *self.out.lock().unwrap())
    }
}

fn watched() -> (Bench, Eyes) {
    let report = ReportRule { dead_band: 50.0, at_least_every: Duration::from_secs(900) };
    let mut bench = Bench::new(vec![Point { report, ..point("t", Quantity::Instantaneous) }]);
    let eyes = Eyes::default();
    let (out, _) = mpsc::channel::<AlarmSignals>(1);
    bench.stage = bench.stage.watched_by(Box::new(eyes.clone()), out);
    (bench, eyes)
}

#[tokio::test]
async fn readings_that_are_not_worth_storing_are_seen_too_and_so_are_events() {
    let (mut bench, eyes) = watched();
    assert_eq!(bench.read(20.0).0.len(), 1);
    assert_eq!(bench.read(21.0).0, [], "within the dead band");
    assert_eq!(*eyes.seen.lock().unwrap(), [20.0, 21.0]);
    let health = Health::Offline;
    let change = HealthChange { device: DeviceIndex(0), at: bench.now, health, cause: None };
    bench.stage.apply(FieldMessage::Health(change));
    assert_eq!(eyes.events.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_message_that_raises_is_confirmed_only_when_that_is_durable_as_well() {
    let (mut bench, _) = watched();
    let told = Arc::new(AtomicBool::new(false));
    let batch = |value, told: &Arc<AtomicBool>| {
        let told = Arc::clone(told);
        Batch {
            device: DeviceIndex(0),
            at: Moment { boot_ms: 1000 },
            source_time: None,
            readings: vec![Reading::good(PointIndex(0), Value::Number(value))],
            receipt: Some(Receipt::new(move || told.store(true, Ordering::SeqCst))),
        }
    };
    let mut effects = bench.stage.apply(FieldMessage::Readings(batch(20.0, &told)));
    assert!(effects.signals.is_none());
    let Record::Readings(stored) = effects.records.remove(0) else { panic!() };
    stored.receipt.unwrap().confirm();
    assert!(told.swap(false, Ordering::SeqCst));

    let mut effects = bench.stage.apply(FieldMessage::Readings(batch(120.0, &told)));
    let signals = effects.signals.take().unwrap();
    assert_eq!(signals.list.len(), 1);
    let Record::Readings(stored) = effects.records.remove(0) else { panic!() };
    stored.receipt.unwrap().confirm();
    assert!(!told.load(Ordering::SeqCst), "the alarm is not durable yet");
    signals.receipt.unwrap().confirm();
    assert!(told.load(Ordering::SeqCst));
}
