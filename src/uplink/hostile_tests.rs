//! Brokers that break every rule: nothing is lost, memory stays bounded, people are told in both
//! languages, and a healthy broker is served at once.

use super::*;
use crate::broker::fake::told;

/// Waits until everything is delivered and acknowledged.
async fn drained(rig: Rig) {
    let store = rig.store.clone();
    let mut status = rig.status.clone();
    let empty = status.wait_for(|_| store.left() == 0);
    tokio::time::timeout(Duration::from_secs(20), empty).await.unwrap().unwrap();
    rig.end().await;
}

impl Rig {
    /// Waits for a fault with these words.
    async fn told(&mut self, en: &str, zh: &str) {
        told(&mut self.status, |status| status.fault.as_ref(), en, zh).await;
    }
}

#[tokio::test]
async fn every_refusal_is_told_by_its_reason_and_readings_are_kept() {
    let broker = FakeBroker::start().await;
    let cases = [
        (ConnectReturnCode::RefusedProtocolVersion, "MQTT 3.1.1", "不支持 MQTT 3.1.1"),
        (ConnectReturnCode::BadClientId, "client id not allowed", "客户端标识不被接受"),
        (ConnectReturnCode::ServiceUnavailable, "service unavailable", "服务不可用"),
        (ConnectReturnCode::BadUserNamePassword, "wrong user name", "用户名或密码错误"),
        (ConnectReturnCode::NotAuthorized, "not authorised", "未获授权"),
    ];
    broker.set(|state| state.refuse = Some(cases[0].0));
    let mut rig = rig(&broker, |_| {});
    fill(&rig.store, 1..=20);
    for (code, en, zh) in cases {
        broker.set(|state| state.refuse = Some(code));
        rig.told(en, zh).await;
        assert_eq!(rig.store.left(), 20);
    }
    broker.set(|state| state.refuse = None);
    drained(rig).await;
}

#[tokio::test]
async fn bytes_against_the_protocol_end_the_connection_and_lose_nothing() {
    let cases: [(&str, &[u8]); 5] = [
        ("a packet of 256 MB", &[0x30, 0xff, 0xff, 0xff, 0x7f, 0, 0]),
        ("a length that never ends", &[0x30, 0xff, 0xff, 0xff, 0xff, 0xff]),
        ("a packet type that does not exist", &[0x00, 0x02, 0, 0]),
        ("an acknowledgement of what was never sent", &[0x40, 0x02, 0xff, 0xff]),
        ("another CONNACK with a reason that does not exist", &[0x20, 0x02, 0x00, 0x77]),
    ];
    for (name, bytes) in cases {
        let broker = FakeBroker::start().await;
        let rig = rig(&broker, |_| {});
        broker.until("birth", |state| state.received.len() >= 2).await;
        broker.set(|state| {
            state.withhold = true;
            state.raw = Some(bytes.to_vec());
        });
        fill(&rig.store, 1..=50);
        broker.until(name, |state| state.connects.len() >= 2).await;
        assert_eq!(rig.store.left(), 50, "{name}");
        broker.set(|state| {
            state.withhold = false;
            state.generation += 1;
        });
        drained(rig).await;
        broker.see(|state| assert_eq!(blocks(&state.received).len(), 50, "{name}"));
    }
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_an_acknowledgement_loses_nothing() {
    let broker = FakeBroker::start().await;
    let rig = rig(&broker, |_| {});
    broker.until("birth", |state| state.received.len() >= 2).await;
    for round in 0..5u64 {
        let sessions = broker.see(|state| state.connects.len());
        // Half a PUBACK, then the end.
        broker.set(|state| {
            state.withhold = true;
            state.raw = Some(vec![0x40, 0x02, 0x00]);
        });
        fill(&rig.store, round * 10 + 1..=round * 10 + 10);
        broker.until("it was written", |state| state.raw.is_none()).await;
        broker.set(|state| {
            state.withhold = false;
            state.generation += 1;
        });
        broker.until("another session", |state| state.connects.len() > sessions).await;
    }
    drained(rig).await;
    broker.see(|state| assert_eq!(blocks(&state.received).len(), 50));
}

#[tokio::test]
async fn acknowledgements_that_come_twice_delete_nothing_else() {
    let broker = FakeBroker::start().await;
    let rig = rig(&broker, |_| {});
    broker.until("birth", |state| state.received.len() >= 2).await;
    broker.set(|state| state.raw = Some(vec![0x40, 0x02, 0x00, 0x01, 0x40, 0x02, 0x00, 0x01]));
    fill(&rig.store, 1..=40);
    broker.until("all blocks", |state| blocks(&state.received).len() == 40).await;
    let store = rig.store.clone();
    drained(rig).await;
    let mut acknowledged = store.acknowledged();
    acknowledged.sort_unstable();
    assert_eq!(acknowledged, (1..=40).collect::<Vec<_>>(), "each block once, after its own");
}

#[tokio::test]
async fn a_port_that_accepts_and_says_nothing_is_left_after_the_connect_timeout() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.silent = true);
    let mut rig = rig(&broker, |config| config.broker.connect_timeout = Duration::from_secs(1));
    fill(&rig.store, 1..=20);
    rig.told("within 1s", "内无应答").await;
    assert!(!rig.status.borrow().connected && rig.store.left() == 20);
    broker.set(|state| state.silent = false);
    drained(rig).await;
}

#[tokio::test]
async fn a_broker_that_stops_reading_is_left_and_memory_stays_within_the_window() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker, |config| {
        config.ack_timeout = Duration::from_millis(500);
        config.window = 8;
        config.late_rate = 1 << 30;
    });
    broker.until("birth", |state| state.received.len() >= 2).await;
    broker.set(|state| state.deaf = true);
    for seq in 1..=2000 {
        rig.store.put(Block { payload: vec![7; 4096].into(), ..block(seq, Lane::Telemetry) });
    }
    rig.told("no acknowledgement within", "未确认").await;
    let status = rig.status.borrow().clone();
    assert_eq!(rig.store.left(), 2000);
    assert!(status.published_blocks <= 32, "{status:?}");
    broker.set(|state| state.deaf = false);
    drained(rig).await;
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_noticed_by_the_keep_alive() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker, |config| config.broker.keep_alive = Duration::from_secs(1));
    broker.until("birth", |state| state.received.len() >= 2).await;
    broker.set(|state| state.deaf = true);
    rig.told("does not answer pings", "不回应心跳").await;
    broker.set(|state| state.deaf = false);
    fill(&rig.store, 1..=10);
    drained(rig).await;
}

#[tokio::test]
async fn a_broker_that_drops_every_session_is_not_hammered() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.cut_after = Some(1));
    let rig = rig(&broker, |config| config.reconnect_cap = Duration::from_secs(2));
    fill(&rig.store, 1..=10);
    let began = tokio::time::Instant::now();
    broker.until("four sessions", |state| state.connects.len() >= 4).await;
    // 0.5 s, 1 s, 2 s with their jitter of a half.
    assert!(began.elapsed() >= Duration::from_millis(1500), "{:?}", began.elapsed());
    assert_eq!(rig.store.left(), 10);
    broker.set(|state| state.cut_after = None);
    drained(rig).await;
}

#[tokio::test]
async fn a_renewed_password_is_used_without_a_restart_and_a_wrong_file_is_told_meanwhile() {
    let broker = FakeBroker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "old\n").unwrap();
    let mut rig = rig(&broker, |config| {
        config.broker.username = Some("gateway".into());
        config.broker.password_file = Some(path.clone());
    });
    broker.until("birth", |state| state.received.len() >= 2).await;
    std::fs::write(&path, "").unwrap();
    let wrong = rig.status.wait_for(|status| status.credentials.is_some());
    let status = tokio::time::timeout(Duration::from_secs(10), wait_done(wrong)).await.unwrap();
    assert!(status.connected, "the running connection is better");
    fill(&rig.store, 1..=10);
    broker.until("blocks", |state| blocks(&state.received).len() == 10).await;
    std::fs::write(&path, "new\n").unwrap();
    broker.until("another session", |state| state.connects.len() == 2).await;
    let login = broker.see(|state| state.connects[1].login.clone().unwrap());
    assert_eq!(login.password, "new");
    broker.until("the first ended in order", |state| state.disconnects == 1).await;
    let told = rig.status.wait_for(|status| status.connected && status.credentials.is_none());
    tokio::time::timeout(Duration::from_secs(10), wait_done(told)).await.unwrap();
    fill(&rig.store, 11..=20);
    drained(rig).await;
    broker.see(|state| assert_eq!(blocks(&state.received).len(), 20));
}

/// The status itself, without the lock on it.
async fn wait_done(
    wait: impl Future<Output = Result<watch::Ref<'_, UplinkStatus>, watch::error::RecvError>>,
) -> UplinkStatus {
    wait.await.unwrap().clone()
}

#[tokio::test]
async fn a_hundred_thousand_blocks_drain_while_live_ones_pass_them_undelayed() {
    const BACKLOG: u64 = 100_000;
    const LIVE: u64 = 200;
    let broker = FakeBroker::start().await;
    broker.set(|state| state.refuse = Some(ConnectReturnCode::ServiceUnavailable));
    let mut rig = rig(&broker, |config| config.late_rate = 1 << 30);
    fill(&rig.store, 1..=BACKLOG);
    rig.told("service unavailable", "服务不可用").await;
    let began = tokio::time::Instant::now();
    broker.set(|state| state.refuse = None);
    let mut worst = 0;
    for live in 1..=LIVE {
        // Spread over the whole drain.
        let at = usize::try_from(BACKLOG / (LIVE + 1) * live).unwrap();
        let mut reader = broker.changes();
        let wait = reader.wait_for(|state| state.received.len() >= at);
        tokio::time::timeout(Duration::from_secs(120), wait).await.unwrap().unwrap();
        let seq = BACKLOG + live;
        let before = broker.see(|state| state.received.len());
        rig.store.put(block(seq, Lane::Telemetry));
        let name = format!("block {seq}").into_bytes();
        let wait = reader.wait_for(|state| {
            state.received[before..].iter().any(|publish| publish.payload[..] == name[..])
        });
        tokio::time::timeout(Duration::from_secs(30), wait).await.unwrap().unwrap();
        let passed = broker.see(|state| {
            let all = state.received[before..].iter();
            let place = all.clone().position(|publish| publish.payload[..] == name[..]).unwrap();
            let publish = &state.received[before + place];
            assert!(publish.topic.ends_with("/telemetry"), "{}", publish.topic);
            place
        });
        worst = worst.max(passed);
    }
    // What was on its way already, in the client and in the sockets, cannot be passed.
    assert!(worst <= 128, "{worst} late blocks went before a live one");
    let store = rig.store.clone();
    let mut status = rig.status.clone();
    let empty = status.wait_for(|_| store.left() == 0);
    tokio::time::timeout(Duration::from_secs(120), empty).await.unwrap().unwrap();
    println!("{BACKLOG} blocks in {:?}, at most {worst} before a live one", began.elapsed());
    rig.end().await;
    assert_eq!(store.acknowledged().len() as u64, BACKLOG + LIVE, "each once");
}
