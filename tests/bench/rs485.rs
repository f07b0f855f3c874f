//! How well a mixed RS-485 line is used: 32 simulated slaves of four protocols at three line
//! settings on a socat pair, paced as their baud rates demand, read by the daemon's own bus.
//!
//!     cargo bench --bench rs485 [-- SECONDS]
//!
//! Two questions for each number of dead slaves: at about nine tenths of what the line can carry,
//! does every living slave keep its period? And when always something is due, which share of the
//! time is the line busy with what cannot be shortened (characters and the slaves' answer times)?
#![expect(clippy::unwrap_used, reason = "a benchmark that cannot go on should say where")]
#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::path::Path;
use std::process::{Child, Command};
use std::time::Duration;

use linli::clock::{Clock, Config};
use linli::driver::bus::{Bus, BusDevice, LessonBook, Polled, Ports, budget};
use linli::driver::record::FrameLog;
use linli::driver::{BusConfig, Transport};
use linli::model::{BusBudget, BusCounters, BusId, BusState, BusTable, FieldMessage, Moment};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

#[path = "../it/line/slaves.rs"]
mod slaves;

use slaves::{SLAVES, device, is_dead, line};

struct Socat(Child);

impl Drop for Socat {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

async fn socat(near: &Path, far: &Path) -> Socat {
    let end = |path: &Path| format!("pty,raw,echo=0,link={}", path.display());
    let socat = Socat(Command::new("socat").args([end(near), end(far)]).spawn().unwrap());
    while !near.exists() || !far.exists() {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    socat
}

fn table() -> BusTable {
    BusTable::new(vec![BusState {
        id: BusId::new("line").unwrap(),
        line: String::new(),
        devices: SLAVES as usize,
        open: false,
        fault: None,
        since: Moment::default(),
        load: 0.0,
        counters: BusCounters::default(),
        planned: BusBudget::default(),
        measured: None,
        units: Vec::new(),
        findings: Vec::new(),
    }])
}

/// What one run brought.
struct Run {
    /// Polls of each slave, and whether it lives.
    polls: Vec<(u64, bool)>,
    counters: BusCounters,
    utilisation: f64,
    living: f64,
}

async fn run(dead: u32, period: Duration, span: Duration) -> Run {
    let folder = tempfile::tempdir().unwrap();
    let (near, far) = (folder.path().join("near"), folder.path().join("far"));
    let _socat = socat(&near, &far).await;
    let devices: Vec<BusDevice> = (0..SLAVES).map(|slot| device(slot, period)).collect();
    let line = line(&devices, dead, 1);
    let serving = line.open_device(&far).unwrap();
    let stop = CancellationToken::new();
    let (out, mut messages) = mpsc::channel(1024);
    let (_requests, requests) = mpsc::channel(1);
    let (_orders, orders) = mpsc::channel(1);
    let table = table();
    let id = BusId::new("line").unwrap();
    let ports = Ports {
        table: table.clone(),
        row: 0,
        clock: Clock::new(Config::default()),
        out,
        requests,
        orders,
        log: FrameLog::new(id.clone(), false),
        book: LessonBook::default(),
    };
    let config = BusConfig::new(id, Transport::Serial { path: near.display().to_string() });
    let bus = Bus::new(config, devices, ports);
    let mut polls: Vec<(u64, bool)> = (0..SLAVES).map(|slot| (0, !is_dead(slot, dead))).collect();
    // The dead are found dead first; then it counts.
    let warm_up = Duration::from_secs(20) + 8 * Duration::from_secs(u64::from(dead));
    let count = async {
        let mut counting = false;
        let (mut begun, mut base) = (tokio::time::Instant::now(), BusCounters::default());
        let mut until = begun + warm_up;
        loop {
            match tokio::time::timeout_at(until, messages.recv()).await {
                Ok(Some(FieldMessage::Readings(batch))) if counting => {
                    polls[batch.device.slot()].0 += 1;
                }
                Ok(Some(_)) => {}
                Ok(None) => panic!("the bus ended"),
                Err(_elapsed) if counting => break,
                Err(_elapsed) => {
                    counting = true;
                    begun = tokio::time::Instant::now();
                    base = table.all()[0].counters.clone();
                    until = begun + span;
                }
            }
        }
        let end = tokio::time::Instant::now();
        let mut counters = table.all()[0].counters.clone();
        counters.missed -= base.missed;
        counters.probing -= base.probing;
        let summary = line.log().between(begun, end).unwrap();
        (counters, summary.utilisation(), summary.utilisation_of_the_living())
    };
    let (counters, utilisation, living) = tokio::select! {
        () = bus.run(stop.clone()) => panic!("the bus ended"),
        served = serving.run(stop.clone()) => panic!("the line ended: {served:?}"),
        counted = count => counted,
    };
    stop.cancel();
    Run { polls, counters, utilisation, living }
}

fn main() {
    let mut arguments = std::env::args().skip(1).filter(|argument| argument != "--bench");
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let seconds = arguments.next().map_or(60, |text| text.parse().unwrap());
    let span = Duration::from_secs(seconds);
    let devices: Vec<BusDevice> =
        (0..SLAVES).map(|slot| device(slot, Duration::from_secs(1))).collect();
    let polled: Vec<Polled<'_>> = devices
        .iter()
        .map(|device| Polled {
            profile: &device.profile,
            address: device.address,
            line: device.line,
            period: device.period,
        })
        .collect();
    let config =
        BusConfig::new(BusId::new("line").unwrap(), Transport::Serial { path: "/dev/null".into() });
    let planned = budget(&config, &polled);
    println!("one sweep of {SLAVES} slaves by the plan: {:.2} s", planned.sweep.as_secs_f64());
    let period =
        Duration::from_millis(u64::try_from(planned.sweep.as_millis()).unwrap().div_ceil(90) * 100);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    println!("each slave every {:.1} s:", period.as_secs_f64());
    println!("{:>5} {:>18} {:>8} {:>9}", "dead", "polls of expected", "missed", "probing");
    for dead in [0, 3, 10] {
        let run = runtime.block_on(run(dead, period, span));
        let living = || run.polls.iter().filter(|(_, lives)| *lives).map(|(polls, _)| *polls);
        let expected = span.as_secs_f64() / period.as_secs_f64();
        println!(
            "{dead:>5} {:>7}..{:<3}of {expected:>4.1} {:>8} {:>8.1}%",
            living().min().unwrap(),
            living().max().unwrap(),
            run.counters.missed,
            run.counters.probing.as_secs_f64() / span.as_secs_f64() * 100.0,
        );
    }
    println!("always something due:");
    println!("{:>5} {:>12} {:>24}", "dead", "utilisation", "without waiting for dead");
    for dead in [0, 3, 10] {
        let run = runtime.block_on(run(dead, Duration::from_millis(100), span));
        println!("{dead:>5} {:>11.1}% {:>23.1}%", run.utilisation * 100.0, run.living * 100.0);
    }
}
