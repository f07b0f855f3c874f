//! The daemon with one configuration after the other, in one process.
//!
//! A changed configuration is read and checked while the running one goes on. Only a good one
//! ends it, along the flow: what was read is stored, what the field broker still holds it delivers
//! again to the persistent session. If the new one cannot be started after all, the old one is.

mod changes;
mod rehearsal;

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};

use super::App;
use super::editor::Editor;
use super::promises::refused;
use super::support::Gatherer;
use crate::clock::Clock;
use crate::config::{self, LogConfig, Settings};
use crate::model::{Event, EventKind, Moment, Record, Words};
use crate::settings::Fault;
use crate::status::promises::Refusal;
use crate::status::{Files, Support};
use crate::watchdog;

/// Most faults that the page and the platform are told.
const SHOWN: usize = 5;

/// What somebody asks of the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// To stop.
    Stop,
    /// To apply the configuration as it is in the file now.
    Reload,
}

/// How the parts begin.
#[derive(Debug)]
pub struct Opening {
    /// The daemon starts; else it goes on with another configuration.
    pub(super) starts: bool,
    /// What the platform is told once everything runs.
    pub(super) news: Vec<EventKind>,
    /// Why the configuration in the file does not run.
    pub(super) configuration: watch::Receiver<Option<Refusal>>,
    pub(super) own: Own,
}

/// What there is of a gateway that runs from a file.
#[derive(Debug, Clone, Default)]
pub(super) struct Own {
    /// The files of the configuration.
    pub files: Option<Arc<dyn Files>>,
    /// Makes bundles for support.
    pub support: Option<Arc<dyn Support>>,
}

impl Opening {
    /// The daemon starts.
    pub fn start() -> Self {
        let configuration = watch::channel(None).1;
        Self { starts: true, news: Vec::new(), configuration, own: Own::default() }
    }

    /// Tells the platform that the daemon started, when it did: the first record.
    pub(super) async fn tell_start(
        &self,
        records: &mpsc::Sender<Record>,
        at: Moment,
    ) -> anyhow::Result<()> {
        if !self.starts {
            return Ok(());
        }
        let kind = EventKind::GatewayStarted { version: env!("CARGO_PKG_VERSION").into() };
        let start = Record::Event(Event { at, device: None, kind });
        records.send(start).await.ok().context("the recorder ended at once")
    }
}

/// The daemon: runs one configuration until another is put in its place.
pub struct Daemon<'a, L> {
    path: &'a Path,
    running: Settings,
    /// Why the configuration in the file does not run.
    refusal: watch::Sender<Option<Refusal>>,
    set_level: L,
    files: Arc<dyn Files>,
    support: Arc<dyn Support>,
    /// The page asks to read the files again.
    asked: mpsc::Receiver<()>,
}

impl<'a, L: Fn(&LogConfig) -> anyhow::Result<()>> Daemon<'a, L> {
    /// Starts nothing yet. `settings` were read from `path`; `set_level` changes the level of the
    /// log that runs.
    pub fn new(path: &'a Path, settings: Settings, set_level: L) -> Self {
        let (ask, asked) = mpsc::channel(1);
        let files = Arc::new(Editor::new(path, ask));
        let (refusal, support) = (watch::Sender::new(None), Arc::new(Gatherer::new(path)));
        Self { path, running: settings, refusal, set_level, files, support, asked }
    }

    /// Runs until told to stop.
    ///
    /// # Errors
    /// When the first configuration cannot be started, a task failed, or neither the new
    /// configuration nor the one before can be started.
    pub async fn run(mut self, mut orders: impl AsyncFnMut() -> Order) -> anyhow::Result<()> {
        let opening = Opening { starts: true, ..self.opening(Vec::new()) };
        let mut app = App::start(self.running.clone(), Vec::new(), opening).await?;
        loop {
            let mut next = None;
            let clock = app.view.clock.clone();
            let audit = app.view.access.audit().cloned();
            let sessions = app.view.access.sessions();
            let ended = app
                .run(async {
                    next = self.until_told(&mut orders, &clock, audit.as_ref()).await;
                })
                .await;
            // The trail lies in the store, and whoever holds the store keeps the next from opening it.
            drop(audit);
            let Some(settings) = next else { return Ok(ended?) };
            if let Err(failure) = ended {
                // Who did not stop in time was cut off; the new parts begin all the same.
                tracing::error!(%failure, "not everything stopped in order for the reload");
            }
            app = self.replace(settings).await?;
            app.view.access.go_on_with(&sessions);
        }
    }

    fn opening(&self, news: Vec<EventKind>) -> Opening {
        Opening {
            starts: false,
            news,
            configuration: self.refusal.subscribe(),
            own: Own {
                files: Some(Arc::clone(&self.files)),
                support: Some(Arc::clone(&self.support)),
            },
        }
    }

    /// Waits for an order that ends the running parts: the next settings, or `None` to stop.
    async fn until_told(
        &mut self,
        orders: &mut impl AsyncFnMut() -> Order,
        clock: &Clock,
        audit: Option<&crate::audit::Audit>,
    ) -> Option<Settings> {
        loop {
            let order = tokio::select! {
                biased;
                order = orders() => order,
                Some(()) = self.asked.recv() => {
                    tracing::info!("told to read the configuration again by the page");
                    Order::Reload
                }
            };
            if order == Order::Stop {
                watchdog::stopping();
                return None;
            }
            watchdog::reloading();
            match self.examine().await {
                Ok(settings) => return Some(settings),
                Err(faults) => {
                    super::access::refused(audit, faults.len()).await;
                    self.refuse(faults, clock.now());
                    watchdog::ready("the changed configuration was refused; the one before runs");
                }
            }
        }
    }

    /// Reads and checks the file; the log is told everything that is wrong.
    async fn examine(&self) -> Result<Settings, Vec<Words>> {
        let path = self.path.to_owned();
        let running = self.running.clone();
        let work = move || {
            let settings = config::load(&path).map_err(|faults| {
                tracing::error!("the changed configuration is refused:\n{faults}");
                let one = |fault: &Fault| {
                    let key = match (&fault.place.value, fault.place.path.as_str()) {
                        (_, "") => String::new(),
                        (Some(value), path) => format!(" {path} = {value}:"),
                        (None, path) => format!(" {path}:"),
                    };
                    let at = format!("{}:{key}", fault.place);
                    let (en, zh) = (&fault.problem, &fault.problem_zh);
                    Words::from((format!("{at} {en}"), format!("{at} {zh}")))
                };
                faults.all().iter().map(one).collect::<Vec<Words>>()
            })?;
            let faults = rehearsal::rehearse(&running, &settings);
            for fault in &faults {
                tracing::error!(%fault, "the changed configuration is refused");
            }
            if faults.is_empty() { Ok(settings) } else { Err(faults) }
        };
        // It reads files: on a thread of its own.
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
            let en = format!("the check of the configuration did not end: {error}");
            tracing::error!(fault = en, "the changed configuration is refused");
            Err(vec![(en, format!("配置检查未完成：{error}")).into()])
        })
    }

    fn refuse(&self, mut faults: Vec<Words>, since: Moment) {
        let count = faults.len();
        faults.truncate(SHOWN);
        self.refusal.send_replace(Some(Refusal { since, faults, count }));
    }

    /// Starts the new settings, or the old ones again.
    async fn replace(&mut self, settings: Settings) -> anyhow::Result<App> {
        let changes = changes::between(&self.running, &settings);
        let news = EventKind::ConfigurationApplied {
            changes: changes.iter().map(|change| change.en.clone()).collect(),
            changes_zh: changes.iter().map(|change| change.zh.clone()).collect(),
        };
        let before = self.refusal.send_replace(None);
        match App::start(settings.clone(), Vec::new(), self.opening(vec![news])).await {
            Ok(app) => {
                if let Err(error) = (self.set_level)(&settings.log) {
                    tracing::warn!(error = format!("{error:#}"), "the log keeps its level");
                }
                self.running = settings;
                for note in &self.running.notes {
                    tracing::info!(%note, "about the configuration");
                }
                for change in &changes {
                    tracing::info!(%change, "changed");
                }
                tracing::info!(changes = changes.len(), "the changed configuration runs");
                Ok(app)
            }
            Err(error) => {
                self.refusal.send_replace(before);
                self.fall_back(&error).await
            }
        }
    }

    async fn fall_back(&mut self, error: &anyhow::Error) -> anyhow::Result<App> {
        let error = format!("{error:#}");
        tracing::error!(error, "the changed configuration cannot be started; the one before is");
        let fault = (format!("it cannot be started: {error}"), format!("无法启动：{error}"));
        let clock = Clock::new(self.running.clock.clone());
        self.refuse(vec![fault.into()], clock.now());
        let news = self.refusal.borrow().as_ref().map(refused).into_iter().collect();
        App::start(self.running.clone(), Vec::new(), self.opening(news))
            .await
            .with_context(|| format!("neither the changed configuration ({error}) nor the old one"))
    }
}
