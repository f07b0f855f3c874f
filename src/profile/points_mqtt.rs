//! Points of MQTT models: their topics and paths.

use super::binding::Code;
use super::fault::Faults;
use super::load_mqtt::pointer;
use super::mqtt::{Absent, MqttModel, MqttSource};
use super::points::{Place, Source, Templates};
use super::schema::{PointFile, QuantityWord};

/// Which of the model's topics the point is in.
fn topic(
    model: &MqttModel,
    file: &PointFile,
    (at, number): (Place<'_>, &str),
    faults: &mut Faults<'_>,
) -> Option<usize> {
    let Some(topic) = &file.topic else {
        let mut own = model
            .topics
            .iter()
            .enumerate()
            .filter(|(_, rule)| rule.member.is_none() || rule.member == at.member);
        let only = own.next().map(|(slot, _)| slot);
        if only.is_none() || own.next().is_some() {
            faults.at(at.span.clone(), "`topic` is missing: the model has several");
            return None;
        }
        return only;
    };
    let wanted = topic.get_ref().replace("{n}", number);
    let known = || model.topics.iter().map(|rule| rule.pattern.as_str());
    let found = known().position(|pattern| pattern == wanted);
    if found.is_none() {
        let message = format!("`{}` is none of the topics in `[mqtt]`", topic.get_ref());
        faults.word(topic.span(), message, topic.get_ref(), known());
    }
    found
}

impl Templates<'_> {
    /// Where a point stands in the messages.
    pub(super) fn message(
        &self,
        model: &MqttModel,
        file: &PointFile,
        (at, number): (Place<'_>, &str),
        codes: &[Code],
        faults: &mut Faults<'_>,
    ) -> Option<Source> {
        let span = at.span;
        if file.address.is_some() || file.encoding.is_some() || file.table.is_some() {
            faults.at(span.clone(), "`table`, `address` and `encoding` belong to Modbus models");
        }
        let topic = topic(model, file, (at, number), faults)?;
        let path = match &file.path {
            Some(path) => pointer(&path.get_ref().replace("{n}", number), &path.span(), faults)?,
            None => Vec::new(),
        };
        Some(Source::Message(MqttSource {
            topic,
            path,
            names: 0,
            scale: self.scale(file, faults),
            unavailable: file
                .unavailable
                .iter()
                .map(|word| Absent::new(&word.get_ref().0))
                .collect(),
            codes: codes.to_vec(),
            flag_words: file.words.clone(),
            flag: file.quantity == Some(QuantityWord::Flag),
            text: file.quantity == Some(QuantityWord::Text),
            decimals: file.decimals.as_ref().map_or(0, |decimals| *decimals.get_ref()),
        }))
    }
}
