//! The way out when the broker holds a message for us that cannot even be framed: it would come
//! again with every connection and let nothing pass.
//!
//! The session's queue is given up, once. A retained message outlives that; so every topic is
//! asked for alone, and those that end the connection are named, to be left out.

use std::time::Duration;

use rumqttc::{
    AsyncClient, ConnectionError, Event, EventLoop, MqttOptions, NetworkOptions, Outgoing, Packet,
    QoS, StateError,
};
use tokio::time::timeout;

/// Requests of the probe: one at a time.
const REQUESTS: usize = 8;
/// Longest wait for one answer of the broker.
const ANSWER: Duration = Duration::from_secs(10);

/// Whether a connection ended because of a packet that cannot be read.
pub(super) fn unreadable(error: &ConnectionError) -> bool {
    matches!(
        error,
        ConnectionError::MqttState(StateError::Deserialization(error))
            if !matches!(error, rumqttc::mqttbytes::Error::Io(_))
    )
}

/// Gives the broker's queue up. Returns the filters under which something retained cannot be read.
///
/// # Errors
/// The broker cannot be reached, or does not answer.
pub(super) async fn purge(
    mut options: MqttOptions,
    network: NetworkOptions,
    filters: &[String],
) -> Result<Vec<String>, ConnectionError> {
    options.set_clean_session(true);
    let mut deaf = Vec::new();
    let mut rest = filters.iter();
    let mut suspect = None;
    loop {
        let (client, mut events) = AsyncClient::new(options.clone(), REQUESTS);
        events.set_network_options(network.clone());
        match probe(&client, &mut events, &mut rest, &mut suspect).await {
            Ok(()) => return Ok(deaf),
            Err(error) if unreadable(&error) => match suspect.take() {
                Some(filter) => deaf.push(filter),
                // Not a message: the broker itself.
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
}

/// Subscribes one filter after the other and leaves it again: between the two answers comes what
/// is retained.
async fn probe<'a>(
    client: &AsyncClient,
    events: &mut EventLoop,
    rest: &mut impl Iterator<Item = &'a String>,
    suspect: &mut Option<String>,
) -> Result<(), ConnectionError> {
    until(events, |event| matches!(event, Event::Incoming(Packet::ConnAck(_)))).await?;
    for filter in rest {
        *suspect = Some(filter.clone());
        // QoS 0: nothing of it has to be acknowledged.
        if client.try_subscribe(filter, QoS::AtMostOnce).is_ok() {
            until(events, |event| matches!(event, Event::Incoming(Packet::SubAck(_)))).await?;
        }
        if client.try_unsubscribe(filter).is_ok() {
            until(events, |event| matches!(event, Event::Incoming(Packet::UnsubAck(_)))).await?;
        }
        *suspect = None;
    }
    if client.try_disconnect().is_ok() {
        until(events, |event| matches!(event, Event::Outgoing(Outgoing::Disconnect))).await?;
    }
    Ok(())
}

async fn until(
    events: &mut EventLoop,
    mut seen: impl FnMut(&Event) -> bool,
) -> Result<(), ConnectionError> {
    let wait = async {
        loop {
            if seen(&events.poll().await?) {
                return Ok(());
            }
        }
    };
    timeout(ANSWER, wait).await.unwrap_or(Err(ConnectionError::NetworkTimeout))
}
