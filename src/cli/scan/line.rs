//! The line that is scanned: through the gateway when that runs and owns it, else opened here.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::{Stop, complain, port};
use crate::cli::page::page_of;
use crate::config::Settings;
use crate::driver::Transport;
use crate::driver::bus::OwnLine;
use crate::driver::scan::{Models, Prober, Scan, ScanEvent, ScanOptions, ScanPlan, Walk};
use crate::status::{self, Lines, Page};

/// Longest wait for a connection to a serial server.
const CONNECT: Duration = Duration::from_secs(5);

/// Events of a scan, whoever asks.
enum Events {
    Own(Box<Walk>),
    Gateway(Lines),
    Over,
}

/// How the bus of the entries is reached; by that it is known in the configuration.
#[derive(Debug, Clone)]
pub(super) struct Bus {
    pub transport: Transport,
}

/// The line.
pub(super) struct Line {
    events: Events,
    bus: Bus,
}

impl Line {
    /// Asks the running gateway for the bus, or opens the line.
    pub(super) async fn open(
        transport: Transport,
        bus: Option<usize>,
        settings: Option<&Settings>,
        plan: ScanPlan,
        models: Models,
        options: &ScanOptions,
    ) -> Result<Self, Stop> {
        let name = bus
            .zip(settings)
            .map(|(slot, settings)| settings.buses[slot].config.id.as_str().to_owned());
        let page = settings.and_then(page_of);
        let bus = Bus { transport: transport.clone() };
        if let (Some(name), Some(page)) = (name, page)
            && owns(&page, &name, &transport).await?
        {
            complain(&format!(
                "the gateway runs and asks on `{name}` between its polls / 网关正在运行，由其在轮询间隙代为询问"
            ));
            let body = serde_json::to_string(options).expect("options have text keys");
            let path = format!("/api/v1/buses/{name}/scan");
            let lines = Lines::post(&page, &path, &body).await.map_err(|error| {
                Stop::Unavailable(format!("the gateway refuses / 网关拒绝: {error}"))
            })?;
            return Ok(Self { events: Events::Gateway(lines), bus });
        }
        if let Transport::Serial { path } = &transport
            && let Some(who) = holder(Path::new(path))
        {
            return Err(Stop::Unavailable(format!(
                "{path} is in use by {who}; when that is the gateway, name its configuration with \
                 --config and its page must be on: then the gateway asks\n\
                 {path} 正被 {who} 占用；若是网关，请用 --config 指明其配置文件（须启用页面），\
                 由网关代为询问"
            )));
        }
        let own =
            OwnLine::open(transport.clone(), plan.lines[0], CONNECT).await.map_err(|why| {
                let remedy = port::remedy(&transport, &why);
                Stop::Unavailable(format!(
                    "{transport} cannot be opened: {}; {}\n{transport} 无法打开：{}；{}",
                    why.en, remedy.en, why.zh, remedy.zh
                ))
            })?;
        let walk = Walk::new(Scan::new(plan, models), Prober::Own(Box::new(own)));
        Ok(Self { events: Events::Own(Box::new(walk)), bus })
    }

    /// The next thing that happens. Safe to drop while it waits.
    pub(super) async fn next(&mut self) -> Option<ScanEvent> {
        let lines = match &mut self.events {
            Events::Own(walk) => return walk.next().await,
            Events::Over => return None,
            Events::Gateway(lines) => lines,
        };
        let read = match lines.next().await {
            Ok(Some(line)) => serde_json::from_str(&line).map_err(|error| error.to_string()),
            Ok(None) => Err("the gateway ended the scan".to_owned()),
            Err(error) => Err(error.to_string()),
        };
        let event = read.unwrap_or_else(|why| {
            let zh = format!("网关中断了扫描：{why}");
            ScanEvent::Failed { why: (why, zh).into() }
        });
        if matches!(event, ScanEvent::Done { .. } | ScanEvent::Failed { .. }) {
            self.events = Events::Over;
        }
        Some(event)
    }

    /// The bus of the entries.
    pub(super) fn bus(&self) -> Bus {
        self.bus.clone()
    }
}

/// Whether a gateway runs there and the line is this bus of its.
///
/// # Errors
/// One runs there and does not say: it must not get a second master beside it.
async fn owns(page: &Page, bus: &str, transport: &Transport) -> Result<bool, Stop> {
    let body = match status::fetch(page, "/api/v1/buses").await {
        Ok(body) => body,
        Err(error) if error.kind() == std::io::ErrorKind::Other => {
            return Err(Stop::Unavailable(format!(
                "a gateway runs here and does not say which lines it has: {error}\n\
                 网关正在运行，但未告知其线路：{error}"
            )));
        }
        Err(_) => return Ok(false),
    };
    let buses: Vec<serde_json::Value> = serde_json::from_str(&body).unwrap_or_default();
    Ok(buses.iter().any(|row| row["id"] == bus && row["line"] == transport.to_string()))
}

/// Which process has a device file open, by the system's own list; `None` also when that may not
/// be looked at.
fn holder(path: &Path) -> Option<String> {
    let path = path.canonicalize().ok()?;
    for process in std::fs::read_dir("/proc").ok()?.flatten() {
        let name = process.file_name();
        let Some(number) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        if number == std::process::id() {
            continue;
        }
        let Ok(open) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let links = open.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        let links: Vec<PathBuf> = links.collect();
        // Who made a pseudo terminal keeps both its ends open and is no master of a line.
        let made_it = || links.iter().any(|target| target.ends_with("ptmx"));
        if links.contains(&path) && !made_it() {
            let command = std::fs::read_to_string(process.path().join("comm")).unwrap_or_default();
            return Some(format!("`{}` ({number})", command.trim()));
        }
    }
    None
}
