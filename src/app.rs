//! The joints: builds every part from checked settings, and connects them.
//!
//! Three phases: [`Settings`] (checked, nothing opened), [`App::start`] (everything bound, tasks
//! handed to the supervisor), [`App::run`] (until told to stop, then along the flow).
//!
//! | channel | size | when full |
//! | --- | --- | --- |
//! | drivers → pipeline | [`FIELD_MESSAGES`] | the driver waits: polls are skipped and counted, the field broker keeps its messages |
//! | pipeline → recorder | [`RECORDS`] | the pipeline waits, and with it the drivers |
//! | pipeline → a bus, "read again" | [`READ_AGAIN`] | not asked; the next regular poll decides |
//! | whoever orders → commands | [`ASKS`](crate::command::ASKS) | whoever orders waits |
//! | uplink → commands, messages | [`ORDERED_MESSAGES`] | the command is refused: `busy` |
//! | commands → uplink, results | [`RESULTS`] | not told there; the event is the record |
//! | commands → field broker | [`POSTS`] | the command waits, and is refused when it expires |
//! | uplink → broadcast, messages | [`MESSAGES`](crate::broadcast::MESSAGES) | not acknowledged: the platform's broker brings it again |
//! | broadcast → uplink, answers | [`ANSWERS`](crate::broadcast::ANSWERS) | not told there; the event is the record |
//! | page, alarm rules → broadcast | [`ASKS`](crate::broadcast::ASKS) | whoever warns waits |
//! | scan, commands → a bus | [`ORDERS`] | the scan waits; a command is refused when it expires |
//! | pipeline → alarms, conditions | [`SIGNALS`] | the pipeline waits, and with it the drivers |
//! | alarms → recorder | [`RECORDS`], shared with the pipeline | the desk of the alarms waits |
//! | page → alarms, acts | [`ALARM_ACTS`] | the page's request waits |
//! | page → pipeline, recorded acts | [`ACTS`] | the page's request waits |
//! | whoever knows → star level, facts | [`FACTS`] | the teller adds up what it could not tell, and tells that later |
//! | page, scans → star level, attestations | watch | only the newest set is kept |
//! | page → daemon, "read the configuration again" | 1 | one that waits is as good as two |
//! | status, assessment, time, board of the alarms | watch | only the newest is kept |

mod access;
mod alarms;
mod assess;
mod broadcast;
mod certificates;
mod checkup;
mod commands;
mod editor;
mod field;
mod handover;
mod history;
mod page;
#[cfg(feature = "demo")]
mod past;
mod promises;
mod reload;
mod stars;
mod support;
mod tasks;
mod trial;
mod upgrades;
mod warned;

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};

use crate::broker::Presented;
use crate::buffer::{self, BufferStatus};
use crate::clock::Clock;
use crate::config::Settings;
use crate::history::{History, Writer};
use crate::model::{Estate, Fact, FieldMessage, Snapshot};
use crate::pipeline::Progress;
use crate::starlevel::report::{Reporter, SigningKey};
use crate::starlevel::{Assessment, Bilingual, METER_CLOCK_S, RulePack};
use crate::status::{self, View};
use crate::store::Tree;
use crate::supervise::{Failure, Part, Supervisor};
use crate::uplink::{BroadcastPort, CommandPort, Session, UplinkStatus};
use crate::watchdog;
use assess::{Ends, desk};
use broadcast::WarningEnds;
use commands::CommandEnds;
use field::{Buses, lessons};
use handover::Handover;
use page::Shown;
use stars::{publish_assessment, reporter, rule_pack};
use tasks::ClockWatch;
use upgrades::Upgrades;

pub use access::users_file;
pub use alarms::{alarm_manner, alarm_plan};
pub use certificates::expiries;
pub use checkup::checkup_of;
#[cfg(feature = "demo")]
pub use past::{Present, attested, invent, invent_history};
pub use reload::{Daemon, Opening, Order};
pub use trial::Trial;

/// Messages between the drivers and the pipeline.
pub const FIELD_MESSAGES: usize = 1024;
/// Records between the pipeline and the recorder.
pub const RECORDS: usize = 512;
/// Requests to one bus.
pub const READ_AGAIN: usize = 16;
/// Orders to one bus: probes of a scan, commands.
pub const ORDERS: usize = 4;
/// Messages of the platform under `command/<id>`.
pub const ORDERED_MESSAGES: usize = 64;
/// Results of commands for the platform.
pub const RESULTS: usize = 256;
/// Messages of commands to devices at the field broker.
pub const POSTS: usize = 32;
/// Conditions of alarms that changed, by message.
pub const SIGNALS: usize = 256;
/// What people do with alarms.
pub const ALARM_ACTS: usize = 4;
/// Facts for the star level.
pub const FACTS: usize = 4096;
/// Recorded acts.
pub const ACTS: usize = 4;

/// Longest orderly shutdown; systemd waits 30 s.
const GRACE: Duration = Duration::from_secs(15);

/// The daemon, bound and started.
pub struct App {
    supervisor: Supervisor,
    /// What the page shows; the demo shows it on the terminal.
    pub view: View,
}

/// What the parts share while the daemon is put together.
struct Joints {
    estate: Arc<Estate>,
    clock: Clock,
    snapshot: Snapshot,
    supervisor: Supervisor,
    field: mpsc::Sender<FieldMessage>,
    /// The chains that brokers present: section, broker, chain.
    presented: Vec<(String, String, Presented)>,
    history: Option<History>,
    /// Until the pipeline runs.
    history_writer: Option<Writer>,
}

impl App {
    /// Opens the buffer, binds the page, starts every task. `notes` are shown above every page.
    ///
    /// # Errors
    /// When the buffer cannot be opened, the page's address is taken, or the rule pack is wrong.
    /// What was started until then is shut down along the flow.
    pub async fn start(
        settings: Settings,
        notes: Vec<Bilingual>,
        opening: Opening,
    ) -> anyhow::Result<Self> {
        let (mut joints, field_out) = Joints::new(&settings);
        let built = Self::build(&mut joints, field_out, settings, notes, opening).await;
        let Joints { supervisor, field, .. } = joints;
        drop(field);
        match built {
            Ok(view) => Ok(Self { supervisor, view }),
            Err(error) => {
                if let Err(failure) = supervisor.run(std::future::ready(()), GRACE).await {
                    tracing::warn!(%failure, "not everything that was started stopped in order");
                }
                Err(error)
            }
        }
    }

    async fn build(
        joints: &mut Joints,
        field_out: mpsc::Receiver<FieldMessage>,
        settings: Settings,
        notes: Vec<Bilingual>,
        opening: Opening,
    ) -> anyhow::Result<View> {
        let (facts, facts_out) = mpsc::channel(FACTS);
        let (estate, clock) = (Arc::clone(&joints.estate), joints.clock.clone());
        let started = clock.now();
        let ((records, records_out), (acts, acts_out)) =
            (mpsc::channel(RECORDS), mpsc::channel(ACTS));

        let (recorder, buffer) =
            buffer::open(&settings.buffer, Arc::clone(&estate), clock).context("the buffer")?;
        joints.clock_watch(buffer.store().tree("clock"), facts.clone());
        buffer.tell(facts.clone());

        let Buses { table: buses, drivers, lines } =
            joints.buses(&settings, &lessons(buffer.store())?);
        let (mut ordered, mut warned) = (CommandEnds::new(&settings), WarningEnds::new(&settings));
        let broker = joints.field_broker(&settings, hurry(buffer.clone()), (None, ordered.inbox()));
        let applied = access::applied(&opening.news);
        let own = opening.own.clone();
        opening.tell_start(&records, started).await?;
        let (promises, keeper) = promises::pledges(opening, buffer.store())?;
        let left = (Upgrades::load(buffer.store())?, Handover::load(buffer.store())?);
        let pack = rule_pack(&settings)?;
        let told = (records.clone(), facts.clone());
        let (watcher, alarms) = joints.alarms(&settings, &pack, &buffer, told)?;
        let ends = (field_out, acts_out, records);
        let progress = joints.pipeline(drivers.clone(), buffer.store(), ends, watcher)?;

        let (assessment_in, assessment) = watch::channel(None);
        let reporter = reporter(&settings, &pack, &estate, &buffer);
        let ports = (ordered.port(), warned.port());
        let uplink =
            joints.uplink(&settings, &buffer, assessment.clone(), (&pack, &reporter), ports);
        let desk = desk(&settings, &pack, &estate, &buffer)?;
        let ends = Ends {
            facts: facts_out,
            attested: desk.attested(),
            assessment: assessment_in,
            events: joints.field.clone(),
            alarms: alarms.watch(),
        };
        let risk =
            joints.assessor(&settings, pack, ends, uplink.clone(), &buffer, buses.clone())?;
        let access = joints.access(&settings, &buffer, applied)?;
        let ends = (access.audit(), uplink.clone());
        let commands = joints.commands(&settings, &buffer, ordered, (&lines, &drivers), ends)?;
        let told = (warned, facts, alarms.watch());
        let broadcast = joints.broadcast(&settings, &buffer, told, commands.clone())?;
        // Not before all have read what they keep in the store: the first commit may rebuild its
        // files, and until that is done there is nothing to read.
        joints.supervisor.spawn_fallible(Part::Stage, "recorder", recorder.run(records_out));
        joints.watchdog(progress, buffer.status());
        let shown = Shown {
            started,
            buses,
            lines,
            broker,
            uplink,
            assessment,
            risk,
            reporter,
            desk,
            broadcast,
            commands,
            acts,
            alarms,
            access,
            own,
            notes,
            promises,
        };
        let view = joints.view(&settings, &buffer, shown)?;
        joints.page(&settings, view.clone()).await?;
        joints.watch_over(&settings, keeper, left, &view);
        Ok(view)
    }

    /// Runs until `stop`, then shuts down along the flow.
    ///
    /// # Errors
    /// When a task failed or did not stop in time.
    pub async fn run(self, stop: impl Future<Output = ()>) -> Result<(), Failure> {
        self.supervisor.run(stop, GRACE).await
    }
}

/// Lets the field side ask for an early commit.
fn hurry(buffer: buffer::Buffer) -> Arc<dyn Fn() + Send + Sync> {
    Arc::new(move || buffer.hurry())
}

impl Joints {
    /// Everything unknown, nothing running; the receiver is the pipeline's.
    fn new(settings: &Settings) -> (Self, mpsc::Receiver<FieldMessage>) {
        let estate = Arc::new(settings.estate());
        let clock = Clock::waiting(settings.clock.clone());
        let snapshot = Snapshot::new(Arc::clone(&estate), clock.now());
        let (field, field_out) = mpsc::channel(FIELD_MESSAGES);
        let supervisor = Supervisor::new();
        let presented = Vec::new();
        let (history, history_writer) = history::of(settings, &estate, &clock).unzip();
        let joints =
            Self { estate, clock, snapshot, supervisor, field, presented, history, history_writer };
        (joints, field_out)
    }

    fn uplink(
        &mut self,
        settings: &Settings,
        buffer: &buffer::Buffer,
        assessment: watch::Receiver<Option<Arc<Assessment>>>,
        (pack, reporter): (&RulePack, &Reporter),
        (commands, warnings): (Option<CommandPort>, Option<BroadcastPort>),
    ) -> watch::Receiver<UplinkStatus> {
        let Some(config) = settings.uplink.clone() else {
            // Nobody to send to: the buffer keeps what fits. The page says so.
            return watch::channel(UplinkStatus::default()).1;
        };
        let (documents_in, documents) = watch::channel(None);
        let (session, status) = Session::new(
            config,
            buffer.clone(),
            Arc::clone(&self.estate),
            self.clock.clone(),
            documents,
        );
        let broker = status.borrow().broker.clone();
        self.presented.push(("uplink".into(), broker, session.presented()));
        let session = session.signing(reporter.key().ok().map(SigningKey::public_hex));
        let session = match commands {
            Some(port) => session.commands(port),
            None => session,
        };
        let session = match warnings {
            Some(port) => session.warnings(port),
            None => session,
        };
        let stop = self.supervisor.token(Part::Outlet);
        self.supervisor.spawn(Part::Outlet, "uplink", session.run(stop.clone()));
        let publish = publish_assessment(assessment, documents_in, pack.clone(), stop);
        self.supervisor.spawn(Part::Outlet, "assessment", publish);
        status
    }

    /// Takes up what was known of the time, and goes on to watch it.
    fn clock_watch(&mut self, known: Tree, facts: mpsc::Sender<Fact>) {
        if let Err(error) = self.clock.remember(&known) {
            // Readings are worth more than the past of the clock.
            tracing::warn!(%error, "what was known about the time is not taken up");
        }
        self.clock.judge();
        let (clock, field) = (self.clock.clone(), self.field.clone());
        let watch = ClockWatch::new(clock, known, field, facts, METER_CLOCK_S);
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "clock", watch.run(stop));
    }

    fn watchdog(&mut self, progress: Progress, buffer: watch::Receiver<BufferStatus>) {
        let field = self.field.downgrade();
        let stop = self.supervisor.token(Part::Outlet);
        self.supervisor.spawn(
            Part::Outlet,
            "watchdog",
            watchdog::run(progress, field, buffer, stop),
        );
    }

    /// The promises, what became of an upgrade, and of a change that was handed over: looked at once
    /// everything runs.
    fn watch_over(
        &mut self,
        settings: &Settings,
        keeper: promises::Keeper,
        (upgrades, handover): (Upgrades, Handover),
        view: &View,
    ) {
        self.promises(settings, keeper, view);
        self.upgrades(upgrades, view.access.audit());
        self.handover(handover, view);
    }

    async fn page(&mut self, settings: &Settings, view: View) -> anyhow::Result<()> {
        let Some(config) = &settings.status else { return Ok(()) };
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("the page cannot listen on {}", config.listen))?;
        page::tell(listener.local_addr()?, view.tls.as_ref());
        let stop = self.supervisor.token(Part::Outlet);
        let page = status::serve(listener, view, stop);
        self.supervisor.spawn_fallible(Part::Outlet, "page", page);
        Ok(())
    }
}
