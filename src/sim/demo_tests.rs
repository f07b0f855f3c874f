//! The embedded broker, devices that publish through it, and a receiver behind it.

use std::io;
use std::path::Path;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, MqttOptions, Packet, QoS};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::tests::plug;
use super::{Device, EmbeddedBroker, MqttDevice, MqttFleet, Ports, demo_config};
use crate::broker::{BrokerConfig, MAX_PACKET};
use crate::config::Connection;
use crate::model::{Document, TimeBase};
use crate::profile::Library;
use crate::receiver::{self, Config, End, Limits as Memory, ReceiverError, Summary, Verifier};

#[tokio::test]
async fn a_device_that_goes_without_a_word_is_announced_offline_by_its_will() {
    let broker = EmbeddedBroker::start("test-broker", 7).await.unwrap();
    let (device, presence) = MqttDevice::new(plug(), "plug-1", Duration::from_secs(60));
    let port = broker.address().port();
    let fleet = MqttFleet { host: "127.0.0.1".into(), port, devices: vec![device] };
    let stop = CancellationToken::new();
    let listen = async {
        let (client, mut events) =
            AsyncClient::new(MqttOptions::new("listener", "127.0.0.1", port), 16);
        client.try_subscribe("tele/plug-1/LWT", QoS::AtLeastOnce).unwrap();
        let mut said = Vec::new();
        while said.last().map(String::as_str) != Some("Offline") {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await.unwrap() {
                said.push(String::from_utf8(publish.payload.to_vec()).unwrap());
                presence.send_replace(false);
            }
        }
        stop.cancel();
        // Who subscribes while it is published may get it live and retained.
        said.dedup();
        said
    };
    let limit = Duration::from_secs(20);
    let both = async { tokio::join!(fleet.run(stop.clone()), listen).1 };
    let said = tokio::time::timeout(limit, both).await.unwrap();
    assert_eq!(said, ["Online", "Offline"]);
}

#[tokio::test]
async fn a_cabinet_with_two_hundred_cells_publishes_all_of_them() {
    let broker = EmbeddedBroker::start("test-broker", 9).await.unwrap();
    let full = Library::built_in().full("parcel-locker-cabinet").unwrap();
    let (device, _presence) =
        MqttDevice::new(Device::new(full, 1), "l", Duration::from_millis(100));
    let port = broker.address().port();
    let fleet = MqttFleet { host: "127.0.0.1".into(), port, devices: vec![device] };
    let stop = CancellationToken::new();
    let listen = async {
        let mut options = MqttOptions::new("listener", "127.0.0.1", port);
        options.set_max_packet_size(MAX_PACKET, MAX_PACKET);
        let (client, mut events) = AsyncClient::new(options, 16);
        client.try_subscribe("l/state", QoS::AtLeastOnce).unwrap();
        loop {
            if let Event::Incoming(Packet::Publish(publish)) = events.poll().await.unwrap() {
                stop.cancel();
                return publish.payload;
            }
        }
    };
    let both = async { tokio::join!(fleet.run(stop.clone()), listen).1 };
    let payload = tokio::time::timeout(Duration::from_secs(20), both).await.unwrap();
    let state: serde_json::Value = serde_json::from_slice(&payload).unwrap();
    assert_eq!(state["cells"].as_object().unwrap().len(), 200);
    assert!(payload.len() > 10 * 1024, "no more than the client sends anyway");
}

fn ports(with_pty: bool) -> Ports {
    let line_c = with_pty.then(|| "/dev/pts/7".into());
    let (field, platform, status) = (5, 6, 7);
    Ports { chargers: 1, meters: 2, line_a: 3, line_b: 4, line_c, field, platform, status }
}

#[test]
fn the_demo_estate_goes_without_its_mixed_line_where_there_is_no_pseudo_terminal() {
    let library = Library::built_in();
    let parsed = |with_pty| {
        let text = demo_config(&ports(with_pty), Path::new("/tmp/demo"));
        crate::config::parse("demo", &text, &library).unwrap()
    };
    let (with, without) = (parsed(true), parsed(false));
    assert_eq!(with.buses.len(), without.buses.len() + 1);
    assert_eq!(with.devices.len(), without.devices.len() + 15);
    let mixed = with.devices.iter().filter_map(|device| match &device.connection {
        Connection::Bus { bus, line, .. } if *bus == without.buses.len() => Some(*line),
        _ => None,
    });
    let mut settings: Vec<String> = mixed.map(|line| line.to_string()).collect();
    settings.sort_unstable();
    settings.dedup();
    assert_eq!(settings.len(), 4, "the daemon has to retune: {settings:?}");
}

#[test]
fn the_demo_estate_has_at_least_forty_devices_and_no_address_twice() {
    let text = demo_config(&ports(true), Path::new("/tmp/a \"b\""));
    let config: toml::Table = text.parse().unwrap();
    let devices = config["device"].as_array().unwrap();
    assert!(devices.len() >= 40);
    let mut ids = std::collections::HashSet::new();
    let mut places = std::collections::HashSet::new();
    for device in devices {
        assert!(ids.insert(device["id"].as_str().unwrap()));
        let place = ["bus", "unit", "address", "topic"]
            .map(|key| device.get(key))
            .map(|part| part.map(ToString::to_string));
        assert!(places.insert(place), "{device}");
    }
}

fn block(seq: u64) -> Vec<u8> {
    let time = TimeBase::trusted(0);
    let (gateway, epoch) = ("estate-1".to_owned(), "00000000000000aa".to_owned());
    let (devices, events) = (Vec::new(), Vec::new());
    serde_json::to_vec(&Document {
        v: 1,
        gateway,
        epoch,
        seq,
        time,
        thinned: None,
        devices,
        events,
    })
    .unwrap()
}

/// Publishes and returns once the broker acknowledged everything.
async fn publish(port: u16, seqs: &[u64]) {
    let (client, mut events) = AsyncClient::new(MqttOptions::new("gateway", "127.0.0.1", port), 64);
    for seq in seqs {
        let topic = "linli/v1/estate-1/telemetry";
        client.try_publish(topic, QoS::AtLeastOnce, false, block(*seq)).unwrap();
    }
    let mut acknowledged = 0;
    while acknowledged < seqs.len() {
        if let Event::Incoming(Packet::PubAck(_)) = events.poll().await.unwrap() {
            acknowledged += 1;
        }
    }
}

async fn receive(
    port: u16,
    expect_seq: u64,
    verifier: Verifier,
    sink: impl FnMut(&str, &Document) -> io::Result<()>,
    summary: watch::Sender<Summary>,
) -> Result<receiver::Outcome, ReceiverError> {
    let config = Config {
        broker: BrokerConfig { port, client_id: "platform".into(), ..BrokerConfig::default() },
        prefix: "linli/v1/+".into(),
        persistent: true,
        until_idle: None,
        expect_seq: Some(expect_seq),
        answer_time: false,
    };
    let run = receiver::run(config, verifier, summary, sink, CancellationToken::new());
    tokio::time::timeout(Duration::from_secs(20), run).await.unwrap()
}

fn verifier() -> Verifier {
    Verifier::new("linli/v1/+", false, Memory::default())
}

#[tokio::test]
async fn a_block_that_could_not_be_written_out_comes_again() {
    let broker = EmbeddedBroker::start("test-platform", 8).await.unwrap();
    let port = broker.address().port();
    // The session exists once the first block came through it.
    let (summary, seen) = watch::channel(Summary::default());
    let first = receive(port, 1, verifier(), |_, _| Ok(()), summary);
    let feed = async {
        loop {
            publish(port, &[1]).await;
            if seen.has_changed().is_err() || seen.borrow().blocks > 0 {
                return;
            }
        }
    };
    let (first, ()) = tokio::join!(first, feed);
    let first = first.unwrap();
    assert_eq!(first.end, End::Complete);
    publish(port, &[2, 3]).await;
    let (summary, _seen) = watch::channel(Summary::default());
    let full = |_: &str, _: &Document| Err(io::Error::other("disk full"));
    let failed = receive(port, 3, first.verifier, full, summary).await;
    assert!(matches!(failed, Err(ReceiverError::Sink(_))), "{failed:?}");
    let (summary, seen) = watch::channel(Summary::default());
    let mut written = Vec::new();
    let sink = |_: &str, document: &Document| {
        written.push(document.seq);
        Ok(())
    };
    let mut known = verifier();
    known.take("linli/v1/estate-1/telemetry", &block(1));
    let outcome = receive(port, 3, known, sink, summary).await.unwrap();
    assert_eq!(written, [2, 3]);
    assert!(outcome.verifier.summary().is_whole());
    assert_eq!(seen.borrow().blocks, 3);
}
