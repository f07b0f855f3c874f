//! `linli upgrade`: the next version on trial, installed when it delivers, else the old one again.

mod machine;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::Context as _;

use super::{complain, runtime, say, span};
use crate::doctor::{Area, Item, Level};
use crate::model::Words;
use crate::signed::TRUST_FOLDER;
use crate::upgrade::{Desk, Ended, Order, Outcome, Places, State, Step, Under};
use machine::Machine;

/// The unit that watches over an upgrade, so that it outlives the terminal.
const UNIT: &str = "linli-upgrade-watch";
/// Seconds that nobody may hold the upgrade.
const ALONE: u32 = 30;
/// Least and longest trial.
const WITHIN: std::ops::RangeInclusive<Duration> =
    Duration::from_secs(60)..=Duration::from_secs(3600);

const EXIT_CODES: &str = "FILE is a package (.deb) or a program; FILE.minisig beside it is its \
signature, whose trusted comment begins with `linli-upgrade`, made by a key in /etc/linli/trust:\n  \
minisign -S -s KEY -m FILE -t 'linli-upgrade'\n\n\
Exit codes: 0 the new version is installed (--back: the old one); 1 it is not, the reason is on \
standard error and in the log.";

/// What to do.
#[derive(Debug, clap::Args)]
#[command(after_help = EXIT_CODES)]
pub(super) struct Arguments {
    /// The next version: a package or a program (新版本文件).
    #[arg(value_name = "FILE", required_unless_present_any = ["back", "status", "recover", "drive"])]
    file: Option<PathBuf>,
    /// Return to the version before the last upgrade (恢复上一版本).
    #[arg(long, conflicts_with = "file")]
    back: bool,
    /// Show what is under way, and how the last upgrade ended (查看状态).
    #[arg(long, conflicts_with_all = ["file", "back"])]
    status: bool,
    /// Take up what a power cut interrupted; done at each start of the machine (断电后恢复).
    #[arg(long, conflicts_with_all = ["file", "back", "status"])]
    recover: bool,
    /// Go on with what lies ready, watched by systemd.
    #[arg(long, hide = true, conflicts_with_all = ["file", "back", "status", "recover"])]
    drive: bool,
    /// Longest trial (试运行时限).
    #[arg(long, value_name = "DURATION", default_value = "5m")]
    within: String,
    /// Allow an older version (允许降级).
    #[arg(long)]
    downgrade: bool,
    /// The trial need not show a good reading (不要求读数).
    #[arg(long)]
    without_reading: bool,
    /// The trial need not show that the platform acknowledges (不要求平台确认).
    #[arg(long)]
    without_platform: bool,
    /// Configuration file.
    #[arg(short, long, value_name = "FILE", default_value = "/etc/linli/linli.toml")]
    config: PathBuf,
    /// Folder with the public keys whose signatures count (信任的公钥目录).
    #[arg(long, value_name = "FOLDER", default_value = TRUST_FOLDER)]
    trust: PathBuf,
}

pub(super) fn execute(arguments: &Arguments) -> anyhow::Result<ExitCode> {
    let places = Places::of_the_box(arguments.config.clone());
    if arguments.status {
        return status(&places);
    }
    anyhow::ensure!(
        machine::is_root(),
        "only root may upgrade: sudo linli upgrade / 须以 root 执行"
    );
    let mut machine = Machine::new(&arguments.config, &arguments.trust, runtime()?);
    if arguments.recover || arguments.drive {
        // Nobody reads a terminal: what is told goes to the journal.
        super::logging::start(&crate::config::LogConfig::default())?;
        let desk = Desk::take(places)?;
        return Ok(match (arguments.drive, desk.state()?) {
            (_, None) => {
                tracing::info!("no upgrade is under way");
                ExitCode::SUCCESS
            }
            (true, Some(state)) => told(&desk.drive(&mut machine, state)?),
            (false, Some(_)) => match desk.recover(&mut machine)? {
                Some(ended) => told(&ended),
                None => ExitCode::SUCCESS,
            },
        });
    }
    let desk = Desk::take(places.clone())?;
    let state = match &arguments.file {
        Some(file) => desk.stage(&mut machine, &order(arguments, file)?)?,
        None => desk.order_back(&mut machine)?,
    };
    drop(desk);
    say(&format!("{} → {}", state.from, state.to));
    watch_by_systemd(arguments)?;
    follow(&places, &state)
}

fn order(arguments: &Arguments, file: &Path) -> anyhow::Result<Order> {
    let within = span(&arguments.within)
        .map_err(|why| anyhow::anyhow!("--within {}: {why}", arguments.within))?;
    anyhow::ensure!(
        WITHIN.contains(&within),
        "--within {}: 1m to 1h are allowed / 允许 1m 至 1h",
        arguments.within
    );
    Ok(Order {
        file: file.to_owned(),
        downgrade: arguments.downgrade,
        within,
        want_reading: !arguments.without_reading,
        want_acknowledged: !arguments.without_platform,
    })
}

/// Hands the upgrade to a unit of its own: a lost connection to this terminal ends nothing, and
/// when the watch itself is ended, systemd has the upgrade taken back.
fn watch_by_systemd(arguments: &Arguments) -> anyhow::Result<()> {
    let program = std::env::current_exe().context("the path of this program / 本程序路径")?;
    let [config, trust] = [&arguments.config, &arguments.trust]
        .map(|path| std::path::absolute(path).unwrap_or_else(|_| path.clone()));
    let again = |action: &str| {
        let [program, config, trust] =
            [&program, &config, &trust].map(|path| path.display().to_string());
        let words = ["upgrade", action, "--config", &config, "--trust", &trust];
        std::iter::once(program.as_str()).chain(words).map(str::to_owned).collect::<Vec<_>>()
    };
    let recover: Vec<String> =
        again("--recover").iter().map(|word| format!("\"{word}\"")).collect();
    let output = Command::new("systemd-run")
        .args(["--quiet", "--collect", "--unit", UNIT])
        .args(["--description", "linli upgrade: watch over the trial (升级监视)"])
        .arg(format!("--property=ExecStopPost=-{}", recover.join(" ")))
        .args(again("--drive"))
        .output()
        .context("systemd-run")?;
    let why = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "systemd-run: {}", why.trim());
    say(
        "the trial goes on without this terminal too: linli upgrade --status / 断开终端不影响试运行",
    );
    Ok(())
}

/// Shows how it goes until it ends.
fn follow(places: &Places, state: &State) -> anyhow::Result<ExitCode> {
    runtime()?.block_on(async {
        let mut step: Option<Step> = None;
        let mut alone = 0;
        loop {
            if let Some(ended) = Desk::last(places)?.filter(|ended| ended.id == state.id) {
                return Ok(told(&ended));
            }
            let under = Desk::look(places)?;
            // Between two of its owners nobody holds it for a moment.
            alone = if matches!(under, Under::Way(_)) { 0 } else { alone + 1 };
            anyhow::ensure!(
                alone < ALONE,
                "nobody works on the upgrade any more: linli upgrade --recover, journalctl -u {UNIT} / \
                 升级进程已终止：请执行 linli upgrade --recover"
            );
            match under {
                Under::Way(now) | Under::Cut(now) if step != Some(now.step) => {
                    say(&now.step.words().both());
                    step = Some(now.step);
                }
                _ => {}
            }
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    })
}

/// Says how it ended, on the terminal and in the log.
fn told(ended: &Ended) -> ExitCode {
    let (words, why) = (ended.outcome.words(), ended.why.clone().map(Words::from));
    let Ended { from, to, outcome, .. } = ended;
    // A return is wanted only when nothing failed.
    let wanted = match outcome {
        Outcome::Installed => true,
        Outcome::Withdrawn => false,
        Outcome::Returned => why.is_none(),
    };
    let (en, zh) =
        why.map_or_else(Default::default, |w| (format!(": {}", w.en), format!("：{}", w.zh)));
    if wanted {
        tracing::info!(%from, %to, outcome = %words.en, "the upgrade ended");
        say(&format!("{from} → {to}: {}{en} / {}{zh}", words.en, words.zh));
        ExitCode::SUCCESS
    } else {
        tracing::error!(%from, %to, outcome = %words.en, why = %en, "the upgrade failed");
        complain(&format!("{from} → {to}: {}{en} / {}{zh}", words.en, words.zh));
        ExitCode::FAILURE
    }
}

fn status(places: &Places) -> anyhow::Result<ExitCode> {
    match Desk::look(places)? {
        Under::Nothing => say("no upgrade is under way / 没有正在进行的升级"),
        Under::Way(state) => {
            let words = state.step.words();
            say(&format!("{} → {}: {} / {}", state.from, state.to, words.en, words.zh));
        }
        Under::Cut(state) => say(&format!(
            "{} → {}: cut short; linli upgrade --recover / 被中断",
            state.from, state.to
        )),
    }
    if let Some(ended) = Desk::last(places)? {
        let at = jiff::Timestamp::from_millisecond(ended.at_ms).map(|at| at.to_string());
        say(&format!("last / 上次: {}", at.unwrap_or_default()));
        return Ok(told(&ended));
    }
    Ok(ExitCode::SUCCESS)
}

/// What the doctor says of upgrades.
pub(super) fn doctor_items() -> Vec<Item> {
    let places = Places::of_the_box(PathBuf::new());
    let mut items = Vec::new();
    match Desk::look(&places) {
        Ok(Under::Nothing) => {}
        Ok(Under::Way(state)) => {
            let words = state.step.words();
            let (from, to) = (&state.from, &state.to);
            items.push(Item::notice(
                Area::Upgrade,
                (format!("{from} → {to}: {}", words.en), format!("{from} → {to}：{}", words.zh)),
            ));
        }
        Ok(Under::Cut(state)) => items.push(Item::wrong(
            Area::Upgrade,
            Level::Warning,
            (
                format!("the upgrade from {} to {} was cut short", state.from, state.to),
                format!("{} 至 {} 的升级被中断", state.from, state.to),
            ),
            ("linli upgrade --recover", "linli upgrade --recover"),
        )),
        Err(fault) => items.push(Item::unseen(
            Area::Upgrade,
            fault.0,
            ("run the doctor as root", "以 root 身份运行 linli doctor"),
        )),
    }
    if let Ok(Some(ended)) = Desk::last(&places)
        && let Some(why) = ended.why
    {
        let (words, to) = (ended.outcome.words(), ended.to);
        items.push(Item::notice(
            Area::Upgrade,
            (
                format!("the upgrade to {to} failed, {}: {}", words.en, why.en),
                format!("升级到 {to} 失败，{}：{}", words.zh, why.zh),
            ),
        ));
    }
    items
}
