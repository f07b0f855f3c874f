//! The machine on a line: a series of events. Dropping it stops the scan.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use super::event::{FoundDevice, Remark, ScanEvent};
use super::machine::{News, Scan, ScanProbe};
use super::prober::Prober;

/// Progress is told so often.
const TELL_EVERY: Duration = Duration::from_millis(200);
/// The pace is judged after so much.
const SETTLED: Duration = Duration::from_secs(2);

/// A scan that is on.
#[derive(Debug)]
pub struct Walk {
    scan: Scan,
    prober: Prober,
    /// To be asked after the events so far were told.
    waiting: Option<ScanProbe>,
    events: VecDeque<ScanEvent>,
    told: Option<Instant>,
    /// Time that the questions so far took, and that they would have taken unanswered.
    took: Duration,
    reckoned: Duration,
    over: bool,
}

impl Walk {
    /// Begins; nothing is asked before [`Walk::next`].
    pub fn new(scan: Scan, prober: Prober) -> Self {
        Self {
            scan,
            prober,
            waiting: None,
            events: VecDeque::new(),
            told: None,
            took: Duration::ZERO,
            reckoned: Duration::ZERO,
            over: false,
        }
    }

    /// The next thing that happens; `None` after [`ScanEvent::Done`] or [`ScanEvent::Failed`].
    pub async fn next(&mut self) -> Option<ScanEvent> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Some(event);
            }
            if self.over {
                return None;
            }
            match self.waiting.take() {
                Some(probe) => self.ask(&probe).await,
                None => self.plan(),
            }
        }
    }

    fn plan(&mut self) {
        let probe = self.scan.next();
        // The end of a guess is news without an answer.
        self.tell_news();
        let Some(probe) = probe else {
            self.over = true;
            let found = self.scan.found().len();
            return self.events.push_back(ScanEvent::Done { found });
        };
        if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
            self.told = Some(Instant::now());
            let progress = self.scan.progress();
            let left_s = progress.time_left.mul_f64(self.pace()).as_secs_f64().ceil() as u64;
            let (done, expected, now) = (progress.done, progress.expected, progress.now);
            self.events.push_back(ScanEvent::Progress { done, expected, left_s, now });
        }
        self.waiting = Some(probe);
    }

    /// How long the questions took against the silence that was reckoned with: less where many
    /// answer, more where the owner of the line has its own polls to do.
    fn pace(&self) -> f64 {
        if self.reckoned < SETTLED {
            return 1.0;
        }
        (self.took.as_secs_f64() / self.reckoned.as_secs_f64()).clamp(0.1, 20.0)
    }

    async fn ask(&mut self, probe: &ScanProbe) {
        let began = Instant::now();
        let answer = self.prober.ask(probe).await;
        self.took += began.elapsed();
        self.reckoned += probe.unanswered();
        match answer {
            Ok(heard) => self.scan.heard(&heard),
            Err(gone) => {
                self.over = true;
                let why = (format!("the line is lost: {gone}"), format!("线路中断：{gone}"));
                self.events.push_back(ScanEvent::Failed { why: why.into() });
            }
        }
        self.tell_news();
    }

    fn tell_news(&mut self) {
        while let Some(news) = self.scan.take_news() {
            let event = match news {
                News::Found(place) => ScanEvent::Found(self.scan.device(place)),
                News::Remark(remark) => ScanEvent::Remark(remark),
            };
            self.events.push_back(event);
        }
    }

    /// Runs to the end; devices and remarks in their order.
    pub(super) async fn into_all(mut self) -> (Vec<FoundDevice>, Vec<Remark>, Option<ScanEvent>) {
        let (mut devices, mut remarks, mut end) = (Vec::new(), Vec::new(), None);
        while let Some(event) = self.next().await {
            match event {
                ScanEvent::Found(device) => devices.push(device),
                ScanEvent::Remark(remark) => remarks.push(remark),
                ScanEvent::Progress { .. } => {}
                ScanEvent::Done { .. } | ScanEvent::Failed { .. } => end = Some(event),
            }
        }
        (devices, remarks, end)
    }
}
