//! What the self-test looks at, from the settings.

use std::path::PathBuf;
use std::time::Duration;

use super::users_file;
use crate::broker::BrokerConfig;
use crate::config::{Settings, is_local};
use crate::model::Moment;
use crate::selftest::{self, Connection, LocalPage, Subject};
use crate::status::{self, AccessBy, Protection};

/// How often the gateway looks at itself.
const EVERY: Duration = Duration::from_secs(86_400);

/// The self-test, at the start and each day.
pub(super) struct Checkup {
    subject: Subject,
    last: Option<Moment>,
}

impl Checkup {
    pub(super) fn new(settings: &Settings) -> Self {
        Self { subject: checkup_of(settings), last: None }
    }

    /// The report when it is due. It reads files, on a thread of its own.
    pub(super) async fn run(&mut self, now: Moment) -> Option<selftest::Report> {
        if self.last.is_some_and(|last| now.since(last) < EVERY) {
            return None;
        }
        self.last = Some(now);
        let subject = self.subject.clone();
        match tokio::task::spawn_blocking(move || selftest::run(&subject)).await {
            Ok(report) => Some(report),
            Err(error) => {
                tracing::warn!(%error, "the self-test did not end; it is tried again tomorrow");
                None
            }
        }
    }
}

/// What the self-test looks at.
pub fn checkup_of(settings: &Settings) -> Subject {
    Subject {
        root: PathBuf::from("/"),
        platform: settings.uplink.as_ref().map(|uplink| connection(&uplink.broker)),
        field: settings.mqtt.as_ref().map(|mqtt| connection(&mqtt.broker)),
        page: settings.status.as_ref().map(|page| local_page(settings, page)),
        credentials: std::env::var_os("CREDENTIALS_DIRECTORY").map(PathBuf::from),
    }
}

fn local_page(settings: &Settings, page: &status::Config) -> LocalPage {
    LocalPage {
        listen: page.listen,
        users: (page.access == AccessBy::Login).then(|| users_file(settings)),
        tls: page.protection != Protection::Plain,
    }
}

fn connection(broker: &BrokerConfig) -> Connection {
    let tls = broker.tls.as_ref();
    Connection {
        title: broker.title(),
        port: broker.port,
        local: is_local(&broker.host),
        tls: tls.is_some(),
        certificate: tls.is_some_and(|tls| tls.cert_file.is_some() && tls.key_file.is_some()),
        username: broker.username.clone(),
        password_file: broker.password_file.clone(),
        key_file: tls.and_then(|tls| tls.key_file.clone()),
    }
}
