//! `/metrics` in the Prometheus text format. Labels stay few: buses and states, never devices.

mod warn;

use std::fmt::{Display, Write as _};
use std::time::Duration;

use super::finding;
use super::promises::standing;
use super::view::View;
use crate::buffer::WearStatus;
use crate::clock::TrustState;
use crate::model::{BusCounters, BusState};

/// Writes one family after the other.
struct Page(String);

impl Page {
    /// A family: HELP and TYPE once, then its samples; `labels` is empty or `{a="b"}`.
    fn family<L: Display, V: Display>(
        &mut self,
        name: &str,
        kind: &str,
        help: &str,
        samples: impl IntoIterator<Item = (L, V)>,
    ) {
        let mut samples = samples.into_iter().peekable();
        if samples.peek().is_none() {
            return;
        }
        let text = &mut self.0;
        write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n").expect(INFALLIBLE);
        for (labels, value) in samples {
            writeln!(text, "{name}{labels} {value}").expect(INFALLIBLE);
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "gauge", help, [("", value)]);
    }

    fn counter(&mut self, name: &str, help: &str, value: impl Display) {
        self.family(name, "counter", help, [("", value)]);
    }
}

/// Takes one counter of a bus.
type Counter = fn(&BusCounters) -> f64;

const INFALLIBLE: &str = "writing to a String does not fail";

fn label(name: &str, value: &str) -> String {
    labels(&[(name, value)])
}

fn labels(pairs: &[(&str, &str)]) -> String {
    let pair = |(name, value): &(&str, &str)| {
        let escaped = value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("{name}=\"{escaped}\"")
    };
    format!("{{{}}}", pairs.iter().map(pair).collect::<Vec<_>>().join(","))
}

fn logins(page: &mut Page, view: &View) {
    let Some((counts, alive)) = view.access.counts() else { return };
    let outcomes = [("done", counts.done), ("refused", counts.refused)];
    let samples = outcomes.map(|(outcome, count)| (label("outcome", outcome), count));
    page.family("linli_logins_total", "counter", "Logins at the local page.", samples);
    page.counter("linli_login_locks_total", "Locks that failed logins closed.", counts.locks);
    page.gauge("linli_page_sessions", "Sessions that are alive.", alive);
}

/// The whole page.
pub(super) fn render(view: &View) -> String {
    let mut page = Page(String::with_capacity(8 << 10));
    let version = label("version", &view.version);
    page.family("linli_build_info", "gauge", "Version of the daemon.", [(version, 1)]);
    let uptime = view.now().since(view.started).as_secs_f64();
    page.gauge("linli_uptime_seconds", "Time since the daemon started.", uptime);
    let trusted = u8::from(view.clock.trusted());
    page.gauge("linli_clock_trusted", "1 when the wall clock is trusted.", trusted);
    clock(&mut page, view);
    promises(&mut page, view);
    logins(&mut page, view);
    warn::commands(&mut page, view);
    warn::alarms(&mut page, view);
    devices(&mut page, view);
    risk(&mut page, view);
    buses(&mut page, view);
    broker(&mut page, view);
    buffer(&mut page, view);
    uplink(&mut page, view);
    warn::broadcast(&mut page, view);
    warn::history(&mut page, view);
    if let Some(result) = view.assessment.borrow().as_deref() {
        page.gauge("linli_star_level", "Star of the self-assessment, 0 for none.", result.star);
        page.gauge("linli_star_target", "Star that the standard demands.", result.target);
    }
    page.0
}

fn clock(page: &mut Page, view: &View) {
    let status = view.clock.status();
    let states = TrustState::ALL
        .map(|state| (label("state", state.word()), u8::from(state == status.state)));
    page.family("linli_clock_state", "gauge", "1 for the state of the clock.", states);
    #[expect(clippy::cast_precision_loss, reason = "a span for people")]
    let seconds = |ms: i64| ms as f64 / 1000.0;
    if let Some(ms) = status.uncertainty_ms {
        let help = "How far the clock may be from the true time.";
        let seconds = seconds(i64::try_from(ms).unwrap_or(i64::MAX));
        page.gauge("linli_clock_uncertainty_seconds", help, seconds);
    }
    if let Some(ms) = status.offset_ms {
        let help = "Clock less its source when they were last compared.";
        page.gauge("linli_clock_offset_seconds", help, seconds(ms));
    }
    if let Some(at) = status.synchronised_at {
        let help = "Time since the source of the clock was last heard.";
        let age = view.now().since(at).as_secs_f64();
        page.gauge("linli_clock_synchronised_age_seconds", help, age);
    }
    let disagreeing = status.disagreements.len();
    let help = "Sources of time that disagree with the one that is followed.";
    page.gauge("linli_clock_disagreements", help, disagreeing);
    let meters = view.estate.indexed().filter_map(|(_, device)| {
        let offset = view.clock.meter(&device.id)?.offset_s?;
        Some((label("device", device.id.as_str()), offset))
    });
    let meters: Vec<_> = meters.collect();
    if !meters.is_empty() {
        let help = "A meter's clock less the gateway's, when it was last read.";
        page.family("linli_meter_clock_offset_seconds", "gauge", help, meters);
    }
}

fn promises(page: &mut Page, view: &View) {
    let kept = standing(view)
        .map(|one| (label("promise", one.promise.word()), u8::from(one.why.is_none())));
    page.family("linli_promise_kept", "gauge", "1 while the gateway keeps the promise.", kept);
    // Without a trusted clock nobody can say how long a certificate lasts.
    let Some(now) = view.clock.wall(view.now()) else { return };
    let certificates = view.promises.certificates.borrow().clone();
    let left = certificates.iter().map(|one| (label("what", &one.what), one.seconds_left(now)));
    let help = "Time until a certificate expires; negative afterwards.";
    page.family("linli_certificate_expires_seconds", "gauge", help, left);
}

fn devices(page: &mut Page, view: &View) {
    let tally = view.tally();
    let health = [
        ("online", tally.online),
        ("suspect", tally.suspect),
        ("offline", tally.offline),
        ("unknown", tally.unknown),
    ];
    let samples = health.map(|(word, count)| (label("health", word), count));
    page.family("linli_devices", "gauge", "Devices by health.", samples);
    page.counter("linli_readings_total", "Readings obtained from devices.", tally.readings);
    let help = "Readings that are uncertain or bad.";
    page.counter("linli_readings_not_good_total", help, tally.not_good);
}

fn risk(page: &mut Page, view: &View) {
    let counts = view.risk.estate().counts;
    let grades = [
        ("low", counts.low),
        ("medium", counts.medium),
        ("high", counts.high),
        ("unknown", counts.unknown),
    ];
    let samples = grades.map(|(word, count)| (label("grade", word), count));
    page.family("linli_risk_devices", "gauge", "Devices by equipment-risk grade.", samples);
}

fn buses(page: &mut Page, view: &View) {
    let all = view.buses.all();
    let mut each = |name: &str, kind: &str, help: &str, value: &dyn Fn(usize) -> f64| {
        let samples =
            all.iter().enumerate().map(|(n, bus)| (label("bus", bus.id.as_str()), value(n)));
        page.family(name, kind, help, samples);
    };
    let open = |n: usize| f64::from(u8::from(all[n].open));
    each("linli_bus_open", "gauge", "1 when the line or connection is open.", &open);
    each(
        "linli_bus_load_ratio",
        "gauge",
        "Share of the last minute that the bus was busy.",
        &|n| all[n].load,
    );
    #[expect(clippy::cast_precision_loss, reason = "Prometheus samples are 64-bit floats")]
    let counters: [(&str, &str, Counter); 11] = [
        ("linli_bus_requests_total", "Requests sent.", |c| c.requests as f64),
        ("linli_bus_answers_total", "Requests answered as asked.", |c| c.answers as f64),
        ("linli_bus_timeouts_total", "Requests without an answer in time.", |c| c.timeouts as f64),
        ("linli_bus_exceptions_total", "Answers with an exception code.", |c| c.exceptions as f64),
        ("linli_bus_damaged_total", "Damaged, short or foreign replies.", |c| c.damaged as f64),
        ("linli_bus_opens_total", "Times the line was opened.", |c| c.opens as f64),
        ("linli_bus_missed_polls_total", "Polls skipped on a busy bus.", |c| c.missed as f64),
        ("linli_bus_sent_bytes_total", "Bytes sent.", |c| c.sent_bytes as f64),
        ("linli_bus_received_bytes_total", "Bytes received.", |c| c.received_bytes as f64),
        ("linli_bus_busy_seconds_total", "Time spent in requests.", |c| c.busy.as_secs_f64()),
        ("linli_bus_probing_seconds_total", "Time spent probing silent devices.", |c| {
            c.probing.as_secs_f64()
        }),
    ];
    for (name, help, value) in counters {
        each(name, "counter", help, &|n| value(&all[n].counters));
    }
    let help = "Shortest period that a device of the bus asks for.";
    each("linli_bus_wanted_seconds", "gauge", help, &|n| all[n].planned.wanted.as_secs_f64());
    wiring(page, &all);
}

/// Budgets, answer times and findings of the buses.
fn wiring(page: &mut Page, all: &[BusState]) {
    let sweeps = all.iter().flat_map(|bus| {
        let kinds = [
            ("planned", Some(bus.planned.sweep)),
            ("measured", bus.measured.map(|measured| measured.sweep)),
            ("with_dead", Some(bus.planned.sweep_with_dead)),
        ];
        kinds.into_iter().filter_map(|(kind, time)| {
            Some((labels(&[("bus", bus.id.as_str()), ("kind", kind)]), time?.as_secs_f64()))
        })
    });
    let help = "Time to read every device of the bus once; with_dead: with three dead ones.";
    page.family("linli_bus_sweep_seconds", "gauge", help, sweeps);
    let answers = all.iter().flat_map(|bus| {
        let known = || bus.units.iter().filter_map(|unit| unit.answer_time);
        let count = u32::try_from(known().count()).unwrap_or(u32::MAX);
        let mean = (count > 0).then(|| known().sum::<Duration>() / count.max(1));
        let max = mean.and(bus.units.iter().map(|unit| unit.longest).max());
        [("mean", mean), ("max", max)].into_iter().filter_map(|(kind, time)| {
            Some((labels(&[("bus", bus.id.as_str()), ("kind", kind)]), time?.as_secs_f64()))
        })
    });
    let help = "Time from a request to the first byte of its answer: mean of the devices, longest.";
    page.family("linli_bus_answer_seconds", "gauge", help, answers);
    // All diagnoses, so that an alert rule finds a series before the first finding.
    let findings = all.iter().flat_map(|bus| {
        finding::ALL.into_iter().map(|diagnosis| {
            let count = bus.findings.iter().filter(|one| one.diagnosis == diagnosis).count();
            let word = finding::word(diagnosis);
            (labels(&[("bus", bus.id.as_str()), ("diagnosis", word)]), count)
        })
    });
    page.family("linli_bus_findings", "gauge", "Findings of the wiring doctor.", findings);
}

fn broker(page: &mut Page, view: &View) {
    let Some(status) = view.broker.as_ref().map(|broker| broker.borrow().clone()) else { return };
    let connected = u8::from(status.connected);
    page.gauge("linli_broker_connected", "1 when the field broker is connected.", connected);
    page.counter("linli_broker_messages_total", "Messages received.", status.messages);
    page.counter("linli_broker_rejected_total", "Messages refused.", status.rejected);
    let help = "QoS 1 messages that wait for the disk.";
    page.gauge("linli_broker_unacked_messages", help, status.unacked);
}

fn buffer(page: &mut Page, view: &View) {
    let status = view.buffer.borrow().clone();
    let durable = u8::from(status.fault.is_none());
    page.gauge("linli_buffer_durable", "1 when what is stored is durable.", durable);
    page.gauge("linli_buffer_blocks", "Blocks stored.", status.blocks);
    page.gauge("linli_buffer_readings", "Readings stored.", status.readings);
    page.gauge("linli_buffer_live_bytes", "Bytes of the stored blocks.", status.live_bytes);
    page.gauge("linli_buffer_file_bytes", "Bytes of the store's files.", status.file_bytes);
    page.gauge("linli_buffer_budget_bytes", "Most that the files may take.", status.budget);
    if let Some(hours) = status.hours_left {
        let help = "Outage that still fits at the present rate.";
        page.gauge("linli_buffer_left_seconds", help, hours * 3600.0);
    }
    let readings = status.committed_readings;
    page.counter("linli_buffer_committed_readings_total", "Readings made durable.", readings);
    let bytes = status.committed_bytes;
    page.counter("linli_buffer_committed_bytes_total", "Bytes of blocks made durable.", bytes);
    page.counter("linli_buffer_commits_total", "Group commits.", status.commits);
    let help = "Blocks deleted before the platform had them.";
    page.counter("linli_buffer_evicted_blocks_total", help, status.evicted_blocks);
    let help = "Blocks replaced by thinned ones before the platform had them.";
    page.counter("linli_buffer_thinned_blocks_total", help, status.thinned_blocks);
    let help = "Readings that thinning left out.";
    page.counter("linli_buffer_left_out_readings_total", help, status.left_out_readings);
    let help = "Blocks found damaged.";
    page.counter("linli_buffer_damaged_blocks_total", help, status.damaged_blocks);
    let seconds = std::time::Duration::from_millis(status.last_commit_ms).as_secs_f64();
    page.gauge("linli_buffer_last_commit_seconds", "Time of the last commit.", seconds);
    wear(page, &status.wear);
}

fn wear(page: &mut Page, wear: &WearStatus) {
    let seconds = |ms: u64| Duration::from_millis(ms).as_secs_f64();
    let help = "Time between two group commits: what a power cut loses of readings at most.";
    page.gauge("linli_buffer_commit_interval_seconds", help, seconds(wear.tick_ms));
    let help = "The longest that it may become to spare the medium.";
    page.gauge("linli_buffer_loss_bound_seconds", help, seconds(wear.loss_bound_ms));
    let help = "Bytes that the daemon wrote to disks.";
    page.counter("linli_disk_written_bytes_total", help, wear.written_bytes);
    if let Some(bytes) = wear.written_per_day {
        let help = "Bytes written a day, over the last 24 hours of running.";
        page.gauge("linli_disk_written_bytes_per_day", help, bytes);
    }
    if let Some(bytes) = wear.budget_per_day {
        let help = "Bytes a day that the medium bears over the years that it is to last.";
        page.gauge("linli_disk_wear_budget_bytes_per_day", help, bytes);
    }
    if let Some(years) = wear.years_left {
        let help = "Years that the medium lasts at the pace of the last day.";
        page.gauge("linli_disk_wear_left_years", help, years);
    }
}

fn uplink(page: &mut Page, view: &View) {
    let status = view.uplink.borrow().clone();
    let configured = u8::from(status.configured);
    page.gauge("linli_uplink_configured", "1 when an uplink is configured.", configured);
    let connected = u8::from(status.connected);
    page.gauge("linli_uplink_connected", "1 when the platform's broker is connected.", connected);
    page.gauge("linli_uplink_in_flight_blocks", "Blocks not yet acknowledged.", status.in_flight);
    let help = "Blocks published, repeats included.";
    page.counter("linli_uplink_published_blocks_total", help, status.published_blocks);
    let blocks = status.acknowledged_blocks;
    page.counter("linli_uplink_acknowledged_blocks_total", "Blocks acknowledged.", blocks);
    let readings = status.acknowledged_readings;
    page.counter("linli_uplink_acknowledged_readings_total", "Readings acknowledged.", readings);
    let bytes = status.acknowledged_bytes;
    page.counter("linli_uplink_acknowledged_bytes_total", "Payload acknowledged.", bytes);
    page.counter("linli_uplink_sessions_total", "Sessions begun.", status.sessions);
    if let Some(ms) = status.live_latency_ms {
        let seconds = Duration::from_millis(ms).as_secs_f64();
        let help = "Commit to acknowledgement of the last live block.";
        page.gauge("linli_uplink_live_latency_seconds", help, seconds);
    }
}
