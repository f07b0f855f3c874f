//! An MQTT 3.1.1 broker for tests, with switches for everything that real ones do wrong.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use rumqttc::mqttbytes::v4::{
    ConnAck, Connect, ConnectReturnCode, Packet, PubAck, Publish, SubAck, SubscribeReasonCode,
};
use rumqttc::mqttbytes::{Error, QoS};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::broker::BrokerConfig;
use crate::model::Words;

/// Longest wait for what a test expects.
const PATIENCE: Duration = Duration::from_secs(10);

/// Waits until a status tells a fault with these words.
pub async fn told<S>(
    status: &mut watch::Receiver<S>,
    fault: impl Fn(&S) -> Option<&Words>,
    en: &str,
    zh: &str,
) {
    let named = |status: &S| {
        fault(status).is_some_and(|fault| fault.en.contains(en) && fault.zh.contains(zh))
    };
    let wait = tokio::time::timeout(Duration::from_secs(15), status.wait_for(named)).await;
    let met = wait.is_ok();
    drop(wait);
    assert!(met, "wanted `{en}`, told {:?}", fault(&status.borrow()));
}

/// What the broker does, and what it saw.
#[derive(Debug, Default)]
pub struct State {
    /// CONNECT is answered with this refusal.
    pub refuse: Option<ConnectReturnCode>,
    /// CONNECT is answered with bytes that are no MQTT.
    pub garbage: bool,
    /// Connections are accepted and nothing is ever answered.
    pub silent: bool,
    /// Sessions begin, and then nothing is read any more.
    pub deaf: bool,
    /// QoS 1 messages are taken and never acknowledged.
    pub withhold: bool,
    /// Every connection is cut after this many messages, before the last is acknowledged.
    pub cut_after: Option<usize>,
    /// Every connection is cut on a message whose topic ends so.
    pub cut_on: Option<String>,
    /// SUBSCRIBE to this filter is refused.
    pub forbidden: Option<String>,
    /// Raw bytes written after the session's messages.
    pub raw: Option<Vec<u8>>,
    /// Connections that asked for a session.
    pub connects: Vec<Connect>,
    /// Messages received, repeats included.
    pub received: Vec<Publish>,
    /// Packet ids acknowledged by the client, in order.
    pub acks: Vec<u16>,
    /// Filters subscribed.
    pub filters: HashSet<String>,
    /// Unsubscribed.
    pub unsubscribed: Vec<String>,
    /// Clean goodbyes.
    pub disconnects: usize,
    /// Sent to the client and not acknowledged, by packet id; whether it was sent before.
    pub queue: BTreeMap<u16, (Publish, bool)>,
    /// Retained messages, sent to whoever subscribes.
    pub retained: Vec<Publish>,
    /// Messages that go out once, QoS 0.
    pub loose: Vec<Publish>,
    /// Connections are cut when this changes.
    pub generation: u64,
    has_session: bool,
    next_id: u16,
}

/// The broker; it ends with this handle.
pub struct FakeBroker {
    port: u16,
    state: Arc<watch::Sender<State>>,
    _task: JoinSet<()>,
}

impl FakeBroker {
    /// Listens on a free port of the loopback.
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(watch::Sender::new(State::default()));
        let mut task = JoinSet::new();
        let shared = Arc::clone(&state);
        task.spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (socket, _) = listener.accept().await.unwrap();
                connections.spawn(serve(socket, Arc::clone(&shared)));
            }
        });
        Self { port, state, _task: task }
    }

    /// Settings of a connection to it.
    pub fn config(&self) -> BrokerConfig {
        BrokerConfig {
            port: self.port,
            client_id: "test".into(),
            connect_timeout: Duration::from_secs(2),
            ..BrokerConfig::default()
        }
    }

    /// Turns switches.
    pub fn set(&self, change: impl FnOnce(&mut State)) {
        self.state.send_modify(change);
    }

    /// Looks at what it saw.
    pub fn see<R>(&self, look: impl FnOnce(&State) -> R) -> R {
        look(&self.state.borrow())
    }

    /// Tells when it sees something new.
    pub fn changes(&self) -> watch::Receiver<State> {
        self.state.subscribe()
    }

    /// Waits until it saw something.
    pub async fn until(&self, what: &str, seen: impl FnMut(&State) -> bool) {
        let mut reader = self.state.subscribe();
        let waited = tokio::time::timeout(PATIENCE, reader.wait_for(seen)).await;
        assert!(waited.is_ok(), "waited in vain for: {what}");
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.set(|state| state.generation += 1);
    }

    /// Sends a QoS 1 message to the session, now or when it comes back.
    pub fn send(&self, topic: &str, payload: impl Into<Vec<u8>>) -> u16 {
        let mut publish = Publish::new(topic, QoS::AtLeastOnce, payload);
        let mut id = 0;
        self.set(|state| {
            state.next_id += 1;
            id = state.next_id;
            publish.pkid = id;
            state.queue.insert(id, (publish, false));
        });
        id
    }
}

async fn serve(mut socket: TcpStream, state: Arc<watch::Sender<State>>) {
    let mut changes = state.subscribe();
    let generation = state.borrow().generation;
    let mut input = BytesMut::new();
    let (mut connected, mut taken, mut goes_on) = (false, 0, true);
    loop {
        let mut output = BytesMut::new();
        loop {
            match Packet::read(&mut input, 1 << 24) {
                Ok(packet) => {
                    goes_on = answer(packet, &state, &mut output, &mut connected, &mut taken);
                    if !goes_on {
                        break;
                    }
                }
                Err(Error::InsufficientBytes(_)) => break,
                Err(error) => panic!("the client sent {error}"),
            }
        }
        if connected && goes_on {
            state.send_if_modified(|state| deliver(state, &mut output));
        }
        if socket.write_all(&output).await.is_err() {
            return;
        }
        if !goes_on {
            // A socket closed over unread data is reset, and the client loses what was written.
            if socket.shutdown().await.is_ok() {
                while matches!(socket.read_buf(&mut input).await, Ok(1..)) {
                    input.clear();
                }
            }
            return;
        }
        let deaf = state.borrow().deaf && connected;
        tokio::select! {
            read = socket.read_buf(&mut input), if !deaf => {
                if !matches!(read, Ok(1..)) { return }
            }
            _ = changes.changed() => {
                if state.borrow().generation != generation { return }
            }
        }
    }
}

/// Writes what waits for the client; says whether anything changed.
fn deliver(state: &mut State, output: &mut BytesMut) -> bool {
    let loose = std::mem::take(&mut state.loose);
    let mut changed = !loose.is_empty();
    for publish in loose {
        publish.write(output).unwrap();
    }
    for (publish, sent) in state.queue.values_mut().filter(|(_, sent)| !sent) {
        publish.write(output).unwrap();
        *sent = true;
        changed = true;
    }
    if let Some(raw) = state.raw.take() {
        output.extend_from_slice(&raw);
        changed = true;
    }
    changed
}

/// Says whether the connection goes on.
fn answer(
    packet: Packet,
    shared: &watch::Sender<State>,
    output: &mut BytesMut,
    connected: &mut bool,
    taken: &mut usize,
) -> bool {
    let mut goes_on = true;
    shared.send_modify(|state| match packet {
        Packet::Connect(connect) => {
            if state.silent {
                state.connects.push(connect);
                return;
            }
            if state.garbage {
                output.extend_from_slice(b"HTTP/1.1 400 Bad Request\r\n\r\n");
                return;
            }
            let code = state.refuse.unwrap_or(ConnectReturnCode::Success);
            let present = state.has_session && !connect.clean_session;
            if connect.clean_session {
                state.queue.clear();
            }
            // Redelivery: everything unacknowledged goes out again, marked.
            for (publish, sent) in state.queue.values_mut() {
                publish.dup |= *sent;
                *sent = false;
            }
            state.has_session = !connect.clean_session;
            state.connects.push(connect);
            ConnAck::new(code, present).write(output).unwrap();
            *connected = state.refuse.is_none();
        }
        Packet::Publish(publish) => {
            let (id, wants) = (publish.pkid, publish.qos != QoS::AtMostOnce);
            let asked = state.cut_on.as_ref().is_some_and(|end| publish.topic.ends_with(end));
            state.received.push(publish);
            *taken += 1;
            goes_on = state.cut_after != Some(*taken) && !asked;
            if goes_on && !state.withhold && wants {
                PubAck::new(id).write(output).unwrap();
            }
        }
        Packet::PubAck(ack) => {
            assert!(state.queue.remove(&ack.pkid).is_some(), "ack of unknown id {}", ack.pkid);
            state.acks.push(ack.pkid);
        }
        Packet::Subscribe(subscribe) => {
            let mut codes = Vec::new();
            for filter in subscribe.filters {
                if state.forbidden.as_ref() == Some(&filter.path) {
                    codes.push(SubscribeReasonCode::Failure);
                    continue;
                }
                codes.push(SubscribeReasonCode::Success(filter.qos));
                state
                    .loose
                    .extend(state.retained.iter().filter(|m| m.topic == filter.path).cloned());
                state.filters.insert(filter.path);
            }
            SubAck::new(subscribe.pkid, codes).write(output).unwrap();
        }
        Packet::Unsubscribe(unsubscribe) => {
            state.unsubscribed.extend(unsubscribe.topics);
            rumqttc::mqttbytes::v4::UnsubAck::new(unsubscribe.pkid).write(output).unwrap();
        }
        Packet::PingReq => {
            rumqttc::mqttbytes::v4::PingResp.write(output).unwrap();
        }
        Packet::Disconnect => {
            state.disconnects += 1;
            goes_on = false;
        }
        other => panic!("a client does not send {other:?}"),
    });
    goes_on
}
