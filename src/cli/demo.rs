//! `linli demo`: simulated estate, gateway and platform in one process.

mod screen;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio_util::sync::CancellationToken;

use super::run::told_to_stop;
use super::{logging, runtime, say};
use crate::app::{self, App, Opening};
use crate::config::{self, Settings};
use crate::model::WallTime;
use crate::profile::Library;
use crate::sim::Demo;
use crate::starlevel::Bilingual;
use crate::status;

/// Longest made-up past: no evidence is kept for longer.
const LONGEST_PAST: Duration = Duration::from_secs(400 * 86_400);

/// How the demo runs.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Where the local page listens.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Folder for the demo's buffer and log; kept afterwards. Without it a temporary one.
    #[arg(long, value_name = "FOLDER")]
    dir: Option<PathBuf>,
    /// Chance of the simulated estate; the same number plays the same day.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Begin with the made-up evidence of so many days, e.g. `45d`, so that the star level and its
    /// report have something to show at once. Needs a folder without a store.
    #[arg(long, value_name = "DURATION", value_parser = super::span)]
    history: Option<Duration>,
    /// End by itself after this long, e.g. `100s`; fails when anything was lost.
    #[arg(long = "for", value_name = "DURATION", value_parser = super::span)]
    span: Option<Duration>,
}

pub(super) fn execute(arguments: Arguments) -> anyhow::Result<ExitCode> {
    let temporary = std::env::temp_dir().join(format!("linli-demo-{}", std::process::id()));
    let dir = arguments.dir.clone().unwrap_or_else(|| temporary.clone());
    std::fs::create_dir_all(&dir).with_context(|| format!("creating {}", dir.display()))?;
    let log = dir.join("linli.log");
    logging::start_in_file(&log)?;
    let outcome = runtime().context("the runtime")?.block_on(play(&arguments, &dir, &log));
    if arguments.dir.is_none()
        && let Err(error) = std::fs::remove_dir_all(&temporary)
    {
        tracing::debug!(%error, "the temporary folder stays");
    }
    outcome
}

/// Fills the evidence of the star level.
async fn tell_past(
    settings: &mut Settings,
    present: app::Present,
    span: Duration,
    notes: &mut Vec<Bilingual>,
) -> anyhow::Result<()> {
    let folder = settings.buffer.path.display();
    if settings.buffer.path.exists() {
        bail!(
            "--history needs a new folder, there is a store in / 请换一个空目录，此处已有存储: {folder}"
        );
    }
    if !(Duration::from_secs(86_400)..=LONGEST_PAST).contains(&span) {
        bail!("--history allows 1d to 400d / 允许 1d 至 400d");
    }
    say("writing a made-up past… / 正在生成演示用的历史证据…");
    let now = jiff::Timestamp::now().as_millisecond();
    let begin = WallTime { unix_ms: now - i64::try_from(span.as_millis()).unwrap_or(0) };
    settings.starlevel.attested = app::attested(settings, begin)?;
    let settings = settings.clone();
    let work = tokio::task::spawn_blocking(move || {
        let now = WallTime { unix_ms: now };
        app::invent_history(&settings, span, now, &present);
        app::invent(&settings, span, now)
    });
    work.await.context("the made-up past")??;
    let days = span.as_secs() / 86_400;
    notes.push(Bilingual {
        zh: format!("星级证据与历史曲线中此前 {days} 天为演示而编造"),
        en: format!(
            "The star level's evidence and the charts of the {days} days before are made up for the demo"
        ),
    });
    Ok(())
}

/// The demo's page has no login: nobody else may reach it.
fn only_here(listen: SocketAddr) -> anyhow::Result<()> {
    if !listen.ip().is_loopback() {
        bail!(
            "the demo's page has no login: --listen allows this machine's own addresses only, \
             e.g. 127.0.0.1:8080 / 演示页面无需登录，--listen 只允许本机地址，如 127.0.0.1:8080"
        );
    }
    Ok(())
}

async fn play(arguments: &Arguments, dir: &Path, log: &Path) -> anyhow::Result<ExitCode> {
    only_here(arguments.listen)?;
    let demo = Demo::start(dir, arguments.seed).await.context("the simulated estate")?;
    let mut settings = match config::parse("demo", &demo.config_text, &Library::built_in()) {
        Ok(settings) => settings,
        Err(faults) => bail!("the demo's own configuration is wrong:\n{faults}"),
    };
    if let Some(page) = &mut settings.status {
        *page = status::Config { access: page.access, ..status::Config::at(arguments.listen) };
    }
    let note = Bilingual {
        zh: "演示：以下设备均为模拟".into(),
        en: "Demo: every device below is simulated".into(),
    };
    let mut notes = vec![note];
    if let Some(error) = &demo.no_line {
        tracing::warn!(%error, "no pseudo terminal: the demo goes on without its mixed line");
        notes.push(Bilingual {
            zh: format!("系统没有可用的伪终端（{error}），演示中没有 line-c 总线"),
            en: format!("No pseudo terminal to be had ({error}): the demo goes without line-c"),
        });
    }
    if let Some(span) = arguments.history {
        tell_past(&mut settings, demo.present(), span, &mut notes).await?;
    }
    let app = App::start(settings, notes, Opening::start()).await?;
    let certificate = app.view.tls.as_ref().map(|tls| tls.certificate().file);
    let page = status::Page { address: arguments.listen, certificate, token: None };
    let (summary, steps) = (demo.summary.clone(), demo.steps.clone());
    let screen = screen::Screen::new(app.view.clone(), summary, steps, page, log);
    let (stop_daemon, stop_world) = (CancellationToken::new(), CancellationToken::new());
    let told = told_to_stop()?;
    let span = arguments.span;
    let end = async {
        match span {
            Some(span) => tokio::select! {
                () = told => {}
                () = tokio::time::sleep(span) => {}
            },
            None => told.await,
        }
        stop_daemon.cancel();
    };
    // The daemon stops first, so that its last blocks still reach the platform.
    let daemon = async {
        let ended = app.run(stop_daemon.cancelled()).await;
        stop_daemon.cancel();
        stop_world.cancel();
        ended
    };
    let (daemon, verifier, (), ()) = tokio::join!(
        daemon,
        demo.run(stop_world.clone()),
        screen.run(stop_daemon.clone()),
        async {
            tokio::select! { () = end => {} () = stop_world.cancelled() => {} }
        },
    );
    daemon?;
    let verifier = verifier.context("the receiving platform")?;
    let summary = verifier.summary();
    say(&format!("\n{summary}"));
    if summary.is_whole() {
        say("nothing was lost / 数据完整");
        Ok(ExitCode::SUCCESS)
    } else {
        say("something was lost / 数据有缺口");
        Ok(ExitCode::FAILURE)
    }
}
