//! Brokers, certificates, the page, and what the self-test says of passwords and files.

use super::{Area, Item, Level};
use crate::broker::{BrokerConfig, Reached, Stage, Unreached};
use crate::model::{WallTime, Words};
use crate::selftest;
use crate::status::promises::Expiry;

/// What came of an attempt to reach a broker; `field` is that of the devices.
pub fn broker(config: &BrokerConfig, field: bool, tried: &Result<Reached, Unreached>) -> Item {
    let area = if field { Area::FieldBroker } else { Area::Platform };
    match tried {
        Ok(reached) => {
            let Reached { address, name, connection, tls, session, .. } = reached;
            let ms = |span: &std::time::Duration| format!("{} ms", span.as_millis());
            let secure = tls.as_ref().map_or(String::new(), |tls| format!(", TLS {}", ms(tls)));
            let title = config.title();
            let (name, connection) = (ms(name), ms(connection));
            let (en, zh) =
                if *session { (", session accepted", "，会话被接受") } else { ("", "") };
            Item::good(
                area,
                (
                    format!("{title} ({address}): name {name}, TCP {connection}{secure}{en}"),
                    format!("{title}（{address}）：解析 {name}，TCP {connection}{secure}{zh}"),
                ),
            )
        }
        Err(Unreached { stage, why }) => {
            let title = config.title();
            let seen = (format!("{title}: {}", why.en), format!("{title}：{}", why.zh));
            // What is read waits for the platform; without the field broker nothing is read.
            let level = if field { Level::Critical } else { Level::Warning };
            Item::wrong(area, level, seen, advice(*stage, field))
        }
    }
}

fn advice(stage: Stage, field: bool) -> Words {
    match (stage, field) {
        (Stage::Files, _) => (
            "mend the file that is named; it is read again within a minute",
            "修正所指的文件；一分钟内自动重新读取",
        ),
        (Stage::Name, _) => (
            "check the network cable or the SIM card, then the name servers: resolvectl status, \
             cat /etc/resolv.conf",
            "先查网线或 SIM 卡，再查域名服务器：resolvectl status、cat /etc/resolv.conf",
        ),
        (Stage::Connection, true) => (
            "systemctl status mosquitto; host and port in [mqtt]",
            "systemctl status mosquitto；核对 [mqtt] 的 host 与 port",
        ),
        (Stage::Connection, false) => (
            "check the network (ip route, ping) and whether a firewall lets the port out; host \
             and port in [uplink]",
            "检查网络（ip route、ping）及防火墙是否放行该端口；核对 [uplink] 的 host 与 port",
        ),
        (Stage::Tls, _) => (
            "check the clock first (timedatectl), then `ca_file` and `cert_file`, and the name \
             in `host`",
            "先核对时钟（timedatectl），再核对 `ca_file`、`cert_file` 与 `host` 中的主机名",
        ),
        (Stage::Session, _) => (
            "check `username` and `password_file`, and the access list of the broker",
            "核对 `username`、`password_file` 及消息代理的访问控制",
        ),
    }
    .into()
}

/// When certificates expire; `unreadable` are those that nobody can say it of. Without a trusted
/// clock (`now` is `None`) dates are shown, not judged.
pub fn certificates(
    expiries: &[Expiry],
    unreadable: &[String],
    now: Option<WallTime>,
) -> Vec<Item> {
    let mut items: Vec<Item> = expiries.iter().map(|one| certificate(one, now)).collect();
    for why in unreadable {
        items.push(Item::unseen(
            Area::Certificates,
            (why.clone(), why.clone()),
            (
                "run the doctor as root; mend the file when it says the same",
                "以 root 身份运行 linli doctor；若仍如此，请修正该文件",
            ),
        ));
    }
    items
}

fn certificate(one: &Expiry, now: Option<WallTime>) -> Item {
    let Some(now) = now else {
        let date = jiff::Timestamp::from_millisecond(one.expires_ms)
            .map_or_else(|_| "-".to_owned(), |at| at.strftime("%Y-%m-%d").to_string());
        let Expiry { what, source, .. } = one;
        return Item::notice(
            Area::Certificates,
            (
                format!("{what} ({source}) ends on {date}; the clock is not trusted"),
                format!("{what}（{source}）有效期至 {date}；时钟不可信"),
            ),
        );
    };
    let told = one.told(now);
    if !one.is_due(now) {
        return Item::good(Area::Certificates, told);
    }
    let level = if one.seconds_left(now) <= 0 { Level::Critical } else { Level::Warning };
    let todo = (
        "get a new certificate and replace the file; no restart is needed",
        "申请新证书并替换文件；无需重启",
    );
    Item::wrong(Area::Certificates, level, told, todo)
}

/// Items of the security self-test that do not depend on who looks.
pub fn safety(report: &selftest::Report) -> Vec<Item> {
    const OF_THE_BOX: [&str; 6] = [
        "platform_tls",
        "platform_credential",
        "field_broker",
        "page_login",
        "passwords",
        "secret_files",
    ];
    let ours = report.items.iter().filter(|item| OF_THE_BOX.contains(&item.id));
    ours.filter_map(|item| {
        let level = match item.outcome {
            selftest::Outcome::Pass => return None,
            selftest::Outcome::Fail => Level::Warning,
            // No platform is a thing of the configuration, not of the eyes.
            selftest::Outcome::Unknown if item.id.starts_with("platform") => return None,
            selftest::Outcome::Unknown => Level::Unseen,
        };
        let seen = (
            format!("{}: {}", item.title.en, item.seen.en),
            format!("{}：{}", item.title.zh, item.seen.zh),
        );
        let todo = item.todo.clone().unwrap_or_default();
        Some(Item::wrong(Area::Safety, level, seen, todo))
    })
    .collect()
}
