//! What can be known of a changed configuration before the running one ends.

use std::net::TcpListener;

use super::super::stars::rule_pack;
use crate::broker::BrokerConfig;
use crate::config::Settings;
use crate::model::Words;

/// Everything that keeps the new settings from taking the place of the old ones. Opens nothing for
/// good; reads files.
pub(super) fn rehearse(old: &Settings, new: &Settings) -> Vec<Words> {
    let mut faults = Vec::new();
    fixed("gateway.id", &old.gateway, &new.gateway, &mut faults);
    let (before, now) = (old.buffer.path.display(), new.buffer.path.display());
    fixed("buffer.path", &before.to_string(), &now.to_string(), &mut faults);
    let format = |settings: &Settings| format!("{:?}", settings.log.format).to_lowercase();
    fixed("log.format", &format(old), &format(new), &mut faults);
    if let Err(error) = rule_pack(new) {
        faults.push((format!("{error:#}"), format!("星级规则包有误：{error:#}")).into());
    }
    brokers(old, new, &mut faults);
    page(old, new, &mut faults);
    faults
}

/// What the running process cannot change.
fn fixed<T: PartialEq + std::fmt::Display>(key: &str, old: &T, new: &T, faults: &mut Vec<Words>) {
    if old == new {
        return;
    }
    faults.push(
        (
            format!("{key}: `{old}` becomes `{new}` only by a restart (systemctl restart linli)"),
            format!("{key}：由 `{old}` 改为 `{new}` 需要重启（systemctl restart linli）"),
        )
            .into(),
    );
}

/// Certificates, keys and passwords that a changed section names.
fn brokers(old: &Settings, new: &Settings, faults: &mut Vec<Words>) {
    fn uplink(settings: &Settings) -> Option<&BrokerConfig> {
        settings.uplink.as_ref().map(|uplink| &uplink.broker)
    }
    fn field(settings: &Settings) -> Option<&BrokerConfig> {
        settings.mqtt.as_ref().map(|mqtt| &mqtt.broker)
    }
    let pairs = [("uplink", uplink(old), uplink(new)), ("mqtt", field(old), field(new))];
    for (section, before, now) in pairs {
        if before == now {
            continue;
        }
        if let Some(Err(error)) = now.map(BrokerConfig::options) {
            let Words { en, zh } = error.words();
            faults.push((format!("{section}: {en}"), format!("{section}：{zh}")).into());
        }
    }
}

/// Another port must be free. The same one is still ours, on whatever address: that is seen when
/// the new page starts.
fn page(old: &Settings, new: &Settings, faults: &mut Vec<Words>) {
    let Some(new) = &new.status else { return };
    let port = old.status.as_ref().map(|page| page.listen.port());
    if port == Some(new.listen.port()) {
        return;
    }
    if let Err(error) = TcpListener::bind(new.listen) {
        let Words { en, zh } = Words::of_io(&error);
        faults.push(
            (
                format!("status.listen: the page cannot listen on {}: {en}", new.listen),
                format!("status.listen：页面无法监听 {}：{zh}", new.listen),
            )
                .into(),
        );
    }
}
