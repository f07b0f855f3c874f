//! Field brokers that break every rule: what they hold comes again, once, and people are told.

use super::*;
use crate::broker::fake::told;

impl Rig {
    /// Waits for a fault with these words.
    async fn told(&mut self, en: &str, zh: &str) {
        told(&mut self.status, |status| status.fault.as_ref(), en, zh).await;
    }

    /// The next value of a device's first point, confirmed.
    async fn value(&mut self) -> Option<crate::model::Value> {
        let batch = self.batch().await;
        let value = batch.readings[0].value.clone();
        confirm(batch);
        value
    }
}

fn number(value: f64) -> Option<crate::model::Value> {
    Some(crate::model::Value::Number(value))
}

#[tokio::test]
async fn every_refusal_is_told_and_a_healthy_broker_is_heard_again() {
    let broker = FakeBroker::start().await;
    let cases = [
        (ConnectReturnCode::RefusedProtocolVersion, "MQTT 3.1.1", "不支持"),
        (ConnectReturnCode::BadClientId, "client id not allowed", "客户端标识不被接受"),
        (ConnectReturnCode::ServiceUnavailable, "service unavailable", "服务不可用"),
        (ConnectReturnCode::NotAuthorized, "not authorised", "未获授权"),
    ];
    broker.set(|state| state.refuse = Some(cases[0].0));
    let mut rig = rig(&broker).await;
    for (code, en, zh) in cases {
        broker.set(|state| state.refuse = Some(code));
        rig.told(en, zh).await;
    }
    broker.set(|state| state.refuse = None);
    let id = broker.send("z/a", r#"{"t":1}"#);
    assert_eq!(rig.value().await, number(1.0));
    broker.until("ack", |state| state.acks == [id]).await;
    rig.end().await;
}

#[tokio::test]
async fn a_port_that_accepts_and_says_nothing_is_left_after_the_connect_timeout() {
    let broker = FakeBroker::start().await;
    broker.set(|state| state.silent = true);
    let mut config = Config { broker: broker.config(), ..Config::default() };
    config.broker.connect_timeout = Duration::from_secs(1);
    let mut rig = rig_with(config);
    rig.told("within 1s", "内无应答").await;
    broker.set(|state| state.silent = false);
    broker.send("z/a", r#"{"t":1}"#);
    assert_eq!(rig.value().await, number(1.0));
    rig.end().await;
}

#[tokio::test]
async fn a_connection_cut_in_the_middle_of_a_message_brings_it_again_once() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    broker.until("subscription", |state| state.filters.len() == 4).await;
    for round in 1..=3u32 {
        let sessions = broker.see(|state| state.connects.len());
        // The begin of a PUBLISH of 20 bytes, then the end.
        broker.set(|state| state.raw = Some(vec![0x32, 20, 0, 3, b'z']));
        broker.until("it was written", |state| state.raw.is_none()).await;
        broker.cut();
        broker.until("another session", |state| state.connects.len() > sessions).await;
        let id = broker.send("z/a", format!("{{\"t\":{round}}}"));
        assert_eq!(rig.value().await, number(f64::from(round)));
        broker.until("ack", |state| state.acks.last() == Some(&id)).await;
    }
    rig.end().await;
}

#[tokio::test]
async fn answers_to_what_was_never_asked_lose_nothing() {
    let broker = FakeBroker::start().await;
    let mut rig = rig(&broker).await;
    broker.until("subscription", |state| state.filters.len() == 4).await;
    // PUBACK, PUBREC and SUBACK of ids that nobody used.
    for raw in [[0x40, 2, 0x7f, 0xff], [0x50, 2, 0x7f, 0xff], [0xb0, 2, 0x7f, 0xff]] {
        broker.set(|state| state.raw = Some(raw.to_vec()));
        broker.until("it was written", |state| state.raw.is_none()).await;
        let id = broker.send("z/a", r#"{"t":1}"#);
        assert_eq!(rig.value().await, number(1.0));
        broker.until("ack", |state| state.acks.last() == Some(&id)).await;
    }
    rig.end().await;
}

#[tokio::test]
async fn a_peer_that_is_gone_without_a_word_is_noticed_by_the_keep_alive() {
    let broker = FakeBroker::start().await;
    let mut config = Config { broker: broker.config(), ..Config::default() };
    config.broker.keep_alive = Duration::from_secs(1);
    let mut rig = rig_with(config);
    broker.until("subscription", |state| state.filters.len() == 4).await;
    broker.set(|state| state.deaf = true);
    rig.told("does not answer pings", "不回应心跳").await;
    broker.set(|state| state.deaf = false);
    broker.send("z/a", r#"{"t":1}"#);
    assert_eq!(rig.value().await, number(1.0));
    rig.end().await;
}

#[tokio::test]
async fn a_renewed_password_is_used_without_a_restart_and_nothing_is_lost() {
    let broker = FakeBroker::start().await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("password");
    std::fs::write(&path, "old\n").unwrap();
    let mut config = Config { broker: broker.config(), ..Config::default() };
    config.broker.username = Some("gateway".into());
    config.broker.password_file = Some(path.clone());
    let mut rig = rig_with(config);
    broker.until("subscription", |state| state.filters.len() == 4).await;
    // Not durable yet when the connection changes.
    let id = broker.send("z/a", r#"{"t":1}"#);
    let open = rig.batch().await;
    std::fs::write(&path, "new\n").unwrap();
    broker.until("another session", |state| state.connects.len() == 2).await;
    let login = broker.see(|state| state.connects[1].login.clone().unwrap());
    assert_eq!(login.password, "new");
    confirm(open);
    broker.until("ack", |state| state.acks.contains(&id)).await;
    broker.send("z/b", r#"{"t":2}"#);
    assert_eq!(rig.value().await, number(2.0), "the first is not taken twice");
    rig.end().await;
}

#[tokio::test]
async fn a_broker_that_waits_for_no_acknowledgement_is_heard_to_its_last_message() {
    const MESSAGES: u16 = 6000;
    let broker = FakeBroker::start().await;
    let config = Config { broker: broker.config(), max_rate: 10_000, ..Config::default() };
    let mut rig = rig_with(config);
    broker.until("subscription", |state| state.filters.len() == 4).await;
    let ids: Vec<u16> = (0..MESSAGES).map(|_| broker.send("z/a", r#"{"t":1}"#)).collect();
    // As many as are taken at all become durable at one blow.
    let mut slow = Vec::new();
    while slow.len() < crate::driver::mqtt::MAX_UNACKED {
        slow.push(rig.batch().await);
    }
    slow.into_iter().for_each(confirm);
    for _ in crate::driver::mqtt::MAX_UNACKED..ids.len() {
        confirm(rig.batch().await);
    }
    broker.until("every acknowledgement", |state| state.acks == ids).await;
    rig.end().await;
}
