//! What the running gateway answers on its page.

use std::io::ErrorKind;

use serde::de::DeserializeOwned;

use crate::doctor::gateway::{Buffer, Bus, Gateway, Uplink};
use crate::doctor::{Area, Item, Level};
use crate::model::Words;
use crate::status::{Page, fetch};

/// The answers; what was not answered is `None`, and `page` says why.
#[derive(Default)]
pub(in crate::cli) struct Running {
    pub page: Vec<Item>,
    pub gateway: Option<Gateway>,
    pub buffer: Option<Buffer>,
    pub uplink: Option<Uplink>,
    pub buses: Vec<Bus>,
    /// Somebody answers, whether or not he answers us.
    heard: bool,
}

impl Running {
    /// Asks the page, when there is one.
    pub async fn ask(page: Option<&Page>) -> Self {
        let mut found = Self::default();
        let Some(page) = page else {
            found.page.push(Item::notice(
                Area::Page,
                ("the configuration has no [status] page", "配置中没有 [status] 页面"),
            ));
            return found;
        };
        match fetch(page, "/healthz").await {
            Ok(_) => {
                found.heard = true;
                let seen = (format!("{page} answers"), format!("{page} 有应答"));
                found.page.push(Item::good(Area::Page, seen));
            }
            Err(error) => {
                found.heard = error.kind() != ErrorKind::ConnectionRefused;
                found.page.push(silent(page, &error, found.heard));
                return found;
            }
        }
        found.gateway = found.take(page, "/api/v1/gateway").await;
        if found.gateway.is_none() {
            return found;
        }
        found.buffer = found.take(page, "/api/v1/buffer").await;
        found.uplink = found.take(page, "/api/v1/uplink").await;
        found.buses = found.take(page, "/api/v1/buses").await.unwrap_or_default();
        found
    }

    async fn take<T: DeserializeOwned>(&mut self, page: &Page, path: &str) -> Option<T> {
        let why: Words = match fetch(page, path).await {
            Ok(body) => match serde_json::from_str(&body) {
                Ok(read) => return Some(read),
                Err(error) => (
                    format!("{path}: the answer is of another version: {error}"),
                    format!("{path}：应答的版本不同：{error}"),
                )
                    .into(),
            },
            Err(error) => {
                let Words { en, zh } = Words::of_io(&error);
                (format!("{path}: {en}"), format!("{path}：{zh}")).into()
            }
        };
        self.page.push(Item::unseen(
            Area::Page,
            why,
            (
                "run the doctor as root, or name an API token in LINLI_TOKEN",
                "以 root 身份运行 linli doctor，或在 LINLI_TOKEN 中给出接口令牌",
            ),
        ));
        None
    }

    /// Whether a gateway runs, as far as the page tells.
    pub fn answers(&self) -> bool {
        self.heard
    }

    /// Whether the running gateway trusts its clock.
    pub fn clock_trusted(&self) -> Option<bool> {
        self.gateway.as_ref().map(Gateway::trusts_its_clock)
    }
}

fn silent(page: &Page, error: &std::io::Error, heard: bool) -> Item {
    let why = Words::of_io(error);
    let seen = (format!("{page}: {}", why.en), format!("{page}：{}", why.zh));
    let todo = if heard {
        (
            "journalctl -u linli -n 50; then systemctl restart linli",
            "journalctl -u linli -n 50；然后 systemctl restart linli",
        )
    } else {
        ("the gateway does not run: systemctl start linli", "网关未运行：systemctl start linli")
    };
    Item::wrong(Area::Page, Level::Critical, seen, todo)
}
