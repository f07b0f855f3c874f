//! What the star level is told, over days: the platform's part is played by the test.

use std::time::Duration;

use tokio::sync::mpsc;

use super::support::*;
use crate::buffer::{Buffer, Lane};
use crate::model::{Delivered, Event, EventKind, Fact, FactKind, Record};

const HOUR: Duration = Duration::from_secs(3600);
const NEVER: Duration = Duration::MAX;

/// Kind, count, age, time with a link after an outage.
type Row = (Delivered, u32, Duration, Option<Duration>);

fn rows(told: &mut mpsc::Receiver<Fact>) -> Vec<Row> {
    let mut rows = Vec::new();
    while let Ok(Fact { kind, .. }) = told.try_recv() {
        let FactKind::Delivered { what, age, count, after_outage } = kind else {
            panic!("{kind:?}")
        };
        // Whole seconds: the clocks of the test run on.
        let whole =
            |span: Duration| if span == NEVER { span } else { Duration::from_secs(span.as_secs()) };
        rows.push((what, count, whole(age), after_outage.map(whole)));
    }
    rows
}

async fn acknowledge_all(buffer: &Buffer) {
    for lane in Lane::ALL {
        let blocks = all(buffer, lane).iter().map(|block| (lane, block.seq)).collect();
        buffer.acknowledge(blocks).await;
    }
}

async fn store(buffer: &Buffer, records: &mpsc::Sender<Record>, record: Record) {
    let before = *buffer.committed().borrow();
    records.send(record).await.unwrap();
    commit_after(buffer, before).await;
}

#[tokio::test(start_paused = true)]
async fn the_age_counts_from_the_oldest_reading_and_the_day_after_an_outage_only_while_the_link_is_up()
 {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(2, 3), clock());
    let (recorder, buffer) = reopen(&config(&folder.path().join("b")), &estate, &clock);
    let (facts, mut told) = mpsc::channel(64);
    buffer.tell(facts);
    beside(recorder, async |records| {
        buffer.link(true);
        let old = batch(&clock, 0, &[1.0, 2.0]);
        tokio::time::sleep(Duration::from_secs(7)).await;
        records.send(Record::Readings(batch(&clock, 1, &[3.0]))).await.unwrap();
        store(&buffer, &records, Record::Readings(old)).await;
        tokio::time::sleep(Duration::from_secs(20)).await;
        acknowledge_all(&buffer).await;
        let [(Delivered::Telemetry, 3, age, None)] = rows(&mut told)[..] else { panic!() };
        assert!((27..=29).contains(&age.as_secs()), "{age:?}");
        // Left by the link's breaking; the link is up for 10 h, down for 50, up for 13.
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
        buffer.link(false);
        tokio::time::sleep(HOUR).await;
        buffer.link(true);
        tokio::time::sleep(10 * HOUR).await;
        buffer.link(false);
        tokio::time::sleep(50 * HOUR).await;
        buffer.link(true);
        tokio::time::sleep(13 * HOUR).await;
        acknowledge_all(&buffer).await;
        let [(Delivered::Telemetry, 1, age, Some(up))] = rows(&mut told)[..] else { panic!() };
        assert_eq!((age.as_secs() / 3600, up.as_secs() / 3600), (74, 23));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn what_is_still_here_after_its_day_is_told_as_lost_once_and_not_again_when_it_arrives() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(2, 3), clock());
    let (recorder, buffer) = reopen(&config(&folder.path().join("b")), &estate, &clock);
    let (facts, mut told) = mpsc::channel(64);
    buffer.tell(facts);
    beside(recorder, async |records| {
        let kind = EventKind::GatewayStarted { version: String::new() };
        let event = Event { at: clock.now(), device: None, kind };
        store(&buffer, &records, Record::Event(event)).await;
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0, 2.0]))).await;
        buffer.link(true);
        tokio::time::sleep(24 * HOUR - Duration::from_secs(60)).await;
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
        assert_eq!(rows(&mut told), [], "a minute is left");
        tokio::time::sleep(Duration::from_secs(120)).await;
        store(&buffer, &records, Record::Readings(batch(&clock, 0, &[1.0]))).await;
        let lost = Some(NEVER);
        let expected = [(Delivered::Event, 1, NEVER, lost), (Delivered::Telemetry, 2, NEVER, lost)];
        assert_eq!(rows(&mut told), expected);
        acknowledge_all(&buffer).await;
        let live = rows(&mut told);
        assert!(live.iter().all(|(what, count, age, up)| {
            (*what, *count, *up) == (Delivered::Telemetry, 1, None) && age.as_secs() < 200
        }));
        assert_eq!(live.len(), 2);
    })
    .await;
}

#[tokio::test]
async fn a_block_of_an_earlier_run_belongs_to_an_outage_and_its_events_keep_their_age() {
    let folder = tempfile::tempdir().unwrap();
    let (estate, clock) = (estate(1, 2), clock());
    let config = config(&folder.path().join("b"));
    let (recorder, buffer) = reopen(&config, &estate, &clock);
    buffer.link(true);
    let kind = EventKind::GatewayStarted { version: String::new() };
    let event = Event { at: clock.now(), device: None, kind };
    let readings = Record::Readings(batch(&clock, 0, &[1.0, 2.0]));
    ends(recorder, vec![Record::Event(event), readings]).await.unwrap();
    drop(buffer);
    let (_recorder, buffer) = reopen(&config, &estate, &clock);
    let (facts, mut told) = mpsc::channel(64);
    buffer.tell(facts);
    buffer.link(true);
    acknowledge_all(&buffer).await;
    let rows = rows(&mut told);
    let [(Delivered::Event, 1, age, Some(_)), (Delivered::Telemetry, 2, _, Some(up))] = rows[..]
    else {
        panic!("{rows:?}")
    };
    assert!(age < HOUR && up < HOUR, "{age:?} {up:?}");
    // Acknowledged twice before the next commit: told once.
    buffer.acknowledge(vec![(Lane::Urgent, crate::model::Seq(1))]).await;
    assert_eq!(self::rows(&mut told), []);
}
