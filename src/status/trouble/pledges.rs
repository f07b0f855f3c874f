//! Troubles of the promises that are no outage: certificates, a refused configuration, nobody to
//! deliver to.

use super::{Severity, Trouble};
use crate::model::Promise;
use crate::starlevel::Bilingual;
use crate::status::finding;
use crate::status::promises::standing;
use crate::status::view::View;

pub(super) fn all(view: &View, list: &mut Vec<Trouble>) {
    configuration(view, list);
    certificates(view, list);
    delivery(view, list);
}

fn configuration(view: &View, list: &mut Vec<Trouble>) {
    let Some(refusal) = view.promises.configuration.borrow().clone() else { return };
    let join = |pick: fn(&crate::model::Words) -> &str, glue: &str| {
        refusal.faults.iter().map(pick).collect::<Vec<_>>().join(glue)
    };
    let more = refusal.count.saturating_sub(refusal.faults.len());
    let (zh_more, en_more) = match more {
        0 => (String::new(), String::new()),
        more => (format!("；另有 {more} 处"), format!("; and {more} more")),
    };
    list.push(Trouble {
        severity: Severity::Warning,
        title: Bilingual::new(
            "新配置被拒绝，仍按原配置运行",
            "The changed configuration was refused; the one before runs",
        ),
        cause: Bilingual::new(
            format!("{}{zh_more}", join(|fault| &fault.zh, "；")),
            format!("{}{en_more}", join(|fault| &fault.en, "; ")),
        ),
        advice: Bilingual::new(
            "用 linli check 查看全部错误，修正后重新加载（systemctl reload linli）；否则重启后无法启动",
            "linli check shows all faults; mend them and reload (systemctl reload linli), or the next start fails",
        ),
        since: Some(refusal.since),
        link: "/settings#configuration".into(),
    });
}

fn certificates(view: &View, list: &mut Vec<Trouble>) {
    let wrong = [
        view.uplink.borrow().credentials.clone(),
        view.broker.as_ref().and_then(|broker| broker.borrow().credentials.clone()),
    ];
    for fault in wrong.into_iter().flatten() {
        list.push(Trouble {
            severity: Severity::Warning,
            title: Bilingual::new(
                "更换的证书或密码有误，仍用原连接",
                "Renewed certificates or passwords are wrong; the connection before goes on",
            ),
            cause: finding::both(&fault),
            advice: Bilingual::new(
                "修正文件；一分钟内自动重新读取",
                "mend the file; it is read again within a minute",
            ),
            since: None,
            link: "/delivery".into(),
        });
    }
    let Some(now) = view.clock.wall(view.now()) else { return };
    let certificates = view.promises.certificates.borrow().clone();
    for one in certificates.iter().filter(|one| one.is_due(now)) {
        let expired = one.seconds_left(now) <= 0;
        let title = if expired {
            Bilingual::new("证书已过期", "A certificate has expired")
        } else {
            Bilingual::new("证书即将过期", "A certificate expires soon")
        };
        list.push(Trouble {
            severity: if expired { Severity::Critical } else { Severity::Warning },
            title,
            cause: finding::both(&one.told(now)),
            advice: Bilingual::new(
                "更换证书文件；无需重启",
                "replace the certificate's file; no restart is needed",
            ),
            since: None,
            link: "/settings#certificates".into(),
        });
    }
}

/// What `delivered` lacks although the platform is connected, or because there is none.
fn delivery(view: &View, list: &mut Vec<Trouble>) {
    let (configured, connected) = {
        let uplink = view.uplink.borrow();
        (uplink.configured, uplink.connected)
    };
    if configured && !connected {
        // The outage is a trouble of its own.
        return;
    }
    let delivered = standing(view).into_iter().find(|one| one.promise == Promise::Delivered);
    let Some((why, since)) = delivered.and_then(|one| Some((one.why?, one.since))) else { return };
    let advice = if configured {
        Bilingual::new(
            "无需处理；查看投递页的进度",
            "nothing; the delivery page shows the progress",
        )
    } else {
        Bilingual::new(
            "在配置中填写 [uplink]",
            "name the platform in [uplink] of the configuration",
        )
    };
    list.push(Trouble {
        severity: Severity::Notice,
        title: Bilingual::new("数据尚未全部送达平台", "Not everything has reached the platform"),
        cause: finding::both(&why),
        advice,
        since,
        link: "/delivery".into(),
    });
}
