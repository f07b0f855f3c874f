//! Answers gateways that ask for the time.

use std::time::SystemTime;

use rumqttc::{AsyncClient, Publish, QoS, SubscribeFilter};

use crate::model::{TimeAnswer, TimeRequest};

/// Ends the topic of a question; the answer goes to the topic without `/request`.
const REQUEST: &str = "/time/request";

/// Where the questions come in. A broker that refuses it leaves them unanswered.
pub(super) fn filter(prefix: &str) -> SubscribeFilter {
    SubscribeFilter::new(format!("{prefix}{REQUEST}"), QoS::AtMostOnce)
}

pub(super) fn is_request(publish: &Publish) -> bool {
    publish.topic.ends_with(REQUEST)
}

/// Says what time it is here. A question that cannot be read, or for which there is no room, gets
/// no answer: the gateway asks again.
pub(super) fn answer(client: &AsyncClient, publish: &Publish) {
    let Some((topic, text)) = answer_to(publish, SystemTime::now()) else {
        tracing::debug!(topic = publish.topic, "not a question for the time");
        return;
    };
    if client.try_publish(topic, QoS::AtMostOnce, false, text).is_err() {
        tracing::debug!("no room for the answer");
    }
}

fn answer_to(publish: &Publish, now: SystemTime) -> Option<(String, Vec<u8>)> {
    let topic = publish.topic.strip_suffix("/request")?.to_owned();
    let request: TimeRequest = serde_json::from_slice(&publish.payload).ok()?;
    let since = now.duration_since(SystemTime::UNIX_EPOCH).ok()?;
    let unix_ms = i64::try_from(since.as_millis()).ok()?;
    let answer = TimeAnswer { v: request.v, id: request.id, unix_ms };
    Some((topic, serde_json::to_vec(&answer).ok()?))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_question_gets_its_id_and_the_time_back_and_rubbish_gets_nothing() {
        let ask = |payload: &[u8]| Publish::new("p/g/time/request", QoS::AtMostOnce, payload);
        let now = SystemTime::UNIX_EPOCH + Duration::from_millis(1_793_900_000_123);
        let text = br#"{"v":1,"gateway":"g","id":"5f","boot":"b","boot_ms":7}"#;
        let (topic, answer) = answer_to(&ask(text), now).unwrap();
        assert_eq!(topic, "p/g/time");
        let answer: TimeAnswer = serde_json::from_slice(&answer).unwrap();
        assert_eq!((&*answer.id, answer.unix_ms), ("5f", 1_793_900_000_123));
        for rubbish in [&b"{}"[..], b"", &[0xFF; 40], br#"{"v":1,"id":3}"#] {
            assert_eq!(answer_to(&ask(rubbish), now), None);
        }
    }
}
