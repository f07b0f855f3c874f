//! What the terminal shows during the demo: one screen, renewed each second; plain lines when
//! the output is no terminal.

use std::io::{IsTerminal as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::say;
use crate::model::Health;
use crate::receiver::Summary;
use crate::sim::StepText;
use crate::status::{Page, View};

/// Lines of the story that fit on the screen.
const STORY: usize = 9;
/// Devices in trouble that fit on the screen.
const TROUBLES: usize = 5;
/// Seconds between two plain lines.
const PLAIN_EVERY: u64 = 5;

/// The demo's terminal.
pub(super) struct Screen {
    view: View,
    summary: watch::Receiver<Summary>,
    steps: watch::Receiver<Vec<StepText>>,
    page: Page,
    log: PathBuf,
}

impl Screen {
    pub(super) fn new(
        view: View,
        summary: watch::Receiver<Summary>,
        steps: watch::Receiver<Vec<StepText>>,
        page: Page,
        log: &Path,
    ) -> Self {
        Self { view, summary, steps, page, log: log.to_owned() }
    }

    /// Renews the screen each second until `stop`.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let screen = std::io::stdout().is_terminal();
        let mut told = 0;
        let mut ticks = tokio::time::interval(Duration::from_secs(1));
        for second in 0u64.. {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            if screen {
                self.draw();
            } else {
                told = self.tell(told);
                if second.is_multiple_of(PLAIN_EVERY) {
                    say(&self.plain());
                }
            }
        }
    }

    fn draw(&mut self) {
        let mut lines = vec![
            String::new(),
            format!("  邻里 linli demo    page 页面: {}", self.page),
            format!("  log 日志: {}    Ctrl-C ends it 结束", self.log.display()),
            String::new(),
        ];
        lines.extend(self.figures());
        lines.push(String::new());
        lines.extend(self.troubles());
        lines.push("  story 经过".into());
        let steps = self.steps.borrow_and_update();
        for step in steps.iter().rev().take(STORY).rev() {
            lines.push(format!("  {:>4} s  {}  {}", step.at.as_secs(), step.zh, step.en));
        }
        // Home, then each line cleared to its end, then the rest of the screen.
        let mut text = String::from("\x1b[H");
        for line in lines {
            text += &line;
            text += "\x1b[K\n";
        }
        text += "\x1b[J";
        let mut out = std::io::stdout().lock();
        if out.write_all(text.as_bytes()).and_then(|()| out.flush()).is_err() {
            tracing::debug!("the terminal is gone");
        }
    }

    /// Devices by health: online, suspect, offline, not yet heard.
    fn tally(&self) -> [usize; 4] {
        let mut tally = [0; 4];
        for (index, _) in self.view.estate.indexed() {
            let slot = match self.view.snapshot.with(index, |state| state.health) {
                Health::Online => 0,
                Health::Suspect => 1,
                Health::Offline => 2,
                Health::Unknown => 3,
            };
            tally[slot] += 1;
        }
        tally
    }

    fn figures(&self) -> Vec<String> {
        let [online, suspect, offline, unknown] = self.tally();
        let buffer = self.view.buffer.borrow().clone();
        let uplink = self.view.uplink.borrow().clone();
        let summary = self.summary.borrow();
        let link = match (&uplink.connected, &uplink.fault) {
            (true, _) => "connected 已连接".to_owned(),
            (false, Some(fault)) => format!("down 中断 ({} {})", fault.en, fault.zh),
            (false, None) => "connecting 连接中".to_owned(),
        };
        let star = match self.view.assessment.borrow().as_ref() {
            Some(assessment) => format!("{} (self-assessment 自评)", assessment.star),
            None => "not assessed yet 尚未自评".into(),
        };
        vec![
            format!(
                "  devices 设备     {online} online 在线, {suspect} suspect 可疑, {offline} offline 离线, {unknown} not yet heard 未知"
            ),
            format!(
                "  stored 缓存      {} blocks 块, {} readings 读数; {} committed since start 已落盘",
                buffer.blocks, buffer.readings, buffer.committed_readings
            ),
            format!(
                "  uplink 上传      {link}; {} blocks acknowledged 已确认",
                uplink.acknowledged_blocks
            ),
            format!(
                "  platform 平台    {} blocks, {} readings, {} late 补传, {} duplicates 重复, {} gaps 缺口, {} faults",
                summary.blocks,
                summary.readings,
                summary.late,
                summary.duplicates,
                summary.open_gaps,
                summary.faults
            ),
            format!("  star 星级        {star}"),
        ]
    }

    fn troubles(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for (index, device) in self.view.estate.indexed() {
            let (health, cause) =
                self.view.snapshot.with(index, |state| (state.health, state.cause.clone()));
            if matches!(health, Health::Offline | Health::Suspect) && lines.len() < TROUBLES {
                let cause = cause.map_or_else(String::new, |cause| cause.zh());
                lines.push(format!("  ! {} {} {cause}", device.title(), health.zh()));
            }
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines
    }

    /// Tells the steps that were not told yet; returns how many were told in all.
    fn tell(&mut self, told: usize) -> usize {
        let steps = self.steps.borrow_and_update();
        for step in steps.iter().skip(told) {
            say(&format!("{:>4} s  {} / {}", step.at.as_secs(), step.zh, step.en));
        }
        steps.len()
    }

    fn plain(&self) -> String {
        let [online, suspect, offline, _] = self.tally();
        let buffer = self.view.buffer.borrow();
        let summary = self.summary.borrow();
        format!(
            "online {online} suspect {suspect} offline {offline} | stored {} blocks | platform {} readings, {} late, {} gaps",
            buffer.blocks, summary.readings, summary.late, summary.open_gaps
        )
    }
}
