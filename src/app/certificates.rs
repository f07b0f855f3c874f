//! When the certificates expire that the gateway depends on: its own, its authorities', those that
//! the brokers present, the page's.

use std::path::PathBuf;
use std::time::Duration;

use crate::broker::{BrokerConfig, Presented, Role, expiry_of};
use crate::config::Settings;
use crate::model::{EventKind, Moment, WallTime};
use crate::status::promises::Expiry;

/// How often the files are read.
const EVERY: Duration = Duration::from_secs(600);
/// How often the platform is told of one that is due, milliseconds.
const TELL_EVERY_MS: i64 = 86_400_000;

/// One file of certificates.
#[derive(Debug, Clone)]
struct Source {
    /// The key of the configuration that names it.
    what: String,
    key: &'static str,
    path: PathBuf,
    role: Role,
}

/// All of them.
pub(super) struct Certificates {
    files: Vec<Source>,
    /// Chains that brokers present: the section, the broker, the chain.
    presented: Vec<(String, String, Presented)>,
    read_at: Option<Moment>,
    /// Of the files, as last read.
    held: Vec<Expiry>,
    all: Vec<Expiry>,
    /// When the platform was told last, also by an earlier run.
    told_at: Option<WallTime>,
    /// Files that could not be judged, to be told once.
    unreadable: Vec<String>,
}

impl Certificates {
    /// Those that the settings name. `presented` are the chains that the brokers show: section,
    /// broker, chain; `told_at` is when the platform was told last.
    pub(super) fn new(
        settings: &Settings,
        presented: Vec<(String, String, Presented)>,
        told_at: Option<WallTime>,
    ) -> Self {
        let mut files = Vec::new();
        if let Some(uplink) = &settings.uplink {
            of_broker("uplink", &uplink.broker, &mut files);
        }
        if let Some(mqtt) = &settings.mqtt {
            of_broker("mqtt", &mqtt.broker, &mut files);
        }
        Self {
            files,
            presented,
            read_at: None,
            held: Vec::new(),
            all: Vec::new(),
            told_at,
            unreadable: Vec::new(),
        }
    }

    /// One more file: a chain that the gateway itself presents, e.g. the page's.
    pub(super) fn add_chain(&mut self, what: &str, path: PathBuf) {
        let source = Source { what: what.into(), key: "cert_file", path, role: Role::Chain };
        self.files.push(source);
    }

    /// The chain of the page, where it has one.
    pub(super) fn add_page(&mut self, settings: &Settings) {
        let page = settings.status.as_ref();
        if let Some(path) = page.and_then(|page| page.certificate_file(&settings.buffer.path)) {
            self.add_chain("status.cert_file", path);
        }
    }

    /// When the platform was told last.
    pub(super) fn told_at(&self) -> Option<WallTime> {
        self.told_at
    }

    /// When each expires, as far as known.
    pub(super) fn all(&self) -> &[Expiry] {
        &self.all
    }

    /// Reads the files when it is time; once a day returns what the platform is to be told. Without
    /// wall time nobody can say what has expired, and nothing is told.
    pub(super) async fn look(&mut self, now: Moment, wall: Option<WallTime>) -> Vec<EventKind> {
        if self.read_at.is_none_or(|at| now.since(at) >= EVERY) {
            self.read_at = Some(now);
            self.read().await;
        }
        self.all.clone_from(&self.held);
        for (section, broker, chain) in &self.presented {
            if let Some(held) = chain.last() {
                self.all.push(Expiry {
                    what: format!("{section}.broker"),
                    source: broker.clone(),
                    expires_ms: held.expires_ms,
                });
            }
        }
        let Some(wall) = wall else { return Vec::new() };
        let due: Vec<&Expiry> = self.all.iter().filter(|one| one.is_due(wall)).collect();
        // A clock that was ahead must not silence us for years.
        let fresh = |at: WallTime| (0..TELL_EVERY_MS).contains(&(wall.unix_ms - at.unix_ms));
        if due.is_empty() || self.told_at.is_some_and(fresh) {
            return Vec::new();
        }
        self.told_at = Some(wall);
        due.into_iter().map(|one| told(one, wall)).collect()
    }

    /// Files are read on a thread of their own.
    async fn read(&mut self) {
        let files = self.files.clone();
        let work = move || {
            let read = |source: &Source| {
                let expires = expiry_of(source.key, &source.path, source.role);
                (source.clone(), expires.map_err(|error| error.to_string()))
            };
            files.iter().map(read).collect::<Vec<_>>()
        };
        let read = match tokio::task::spawn_blocking(work).await {
            Ok(read) => read,
            Err(error) => {
                tracing::warn!(%error, "the certificates were not read; they are read again later");
                return;
            }
        };
        self.held.clear();
        let mut unreadable = Vec::new();
        for (source, expires) in read {
            match expires {
                Ok(expires_ms) => self.held.push(Expiry {
                    what: source.what,
                    source: source.path.display().to_string(),
                    expires_ms,
                }),
                Err(fault) => unreadable.push(format!("{}: {fault}", source.what)),
            }
        }
        if unreadable != self.unreadable {
            for fault in &unreadable {
                tracing::warn!(fault, "nobody can say when a certificate expires");
            }
            self.unreadable = unreadable;
        }
    }
}

/// When the certificates in the files of the settings expire, and what cannot be said and why; for
/// who looks from outside.
pub async fn expiries(settings: &Settings) -> (Vec<Expiry>, Vec<String>) {
    let mut certificates = Certificates::new(settings, Vec::new(), None);
    certificates.add_page(settings);
    certificates.read().await;
    (certificates.held, certificates.unreadable)
}

fn of_broker(section: &str, broker: &BrokerConfig, files: &mut Vec<Source>) {
    let Some(tls) = &broker.tls else { return };
    let pairs =
        [("ca_file", &tls.ca_file, Role::Authorities), ("cert_file", &tls.cert_file, Role::Chain)];
    for (key, path, role) in pairs {
        if let Some(path) = path {
            let what = format!("{section}.{key}");
            files.push(Source { what, key, path: path.clone(), role });
        }
    }
}

fn told(one: &Expiry, wall: WallTime) -> EventKind {
    let days = one.days_left(wall);
    let (what, source) = (&one.what, &one.source);
    if days < 0 {
        tracing::error!(what, source, days, "a certificate has expired");
    } else {
        tracing::warn!(what, source, days, "a certificate expires soon");
    }
    let (what, source) = (what.clone(), source.clone());
    EventKind::CertificateExpires { what, source, expires_ms: one.expires_ms, days }
}

#[cfg(test)]
#[path = "certificates_tests.rs"]
mod tests;
