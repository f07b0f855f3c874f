//! A range of TCP endpoints: who listens, and which Modbus devices answer behind them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use tokio::time::Instant;

use super::event::{Remark, RemarkKind, ScanEvent};
use super::machine::{Models, Scan};
use super::plan::ScanPlan;
use super::prober::Prober;
use super::walk::Walk;
use crate::driver::Transport;
use crate::driver::bus::OwnLine;
use crate::model::Words;

/// Endpoints that are asked at a time.
const AT_ONCE: usize = 32;
/// Most endpoints of one scan.
const MOST: u64 = 4096;
/// Port of Modbus TCP.
const PORT: u16 = 502;
/// Longest wait for a connection: the estate's own network answers within milliseconds.
const CONNECT: Duration = Duration::from_secs(1);

/// Endpoints to scan, `host:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Targets(Vec<String>);

/// A text that names no endpoints.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` names no endpoints: allowed are HOST, HOST:PORT, 192.168.1.0/24, 192.168.1.10-20, each with :PORT behind it when it is not 502; at most 4096"
)]
pub struct BadTargets(pub String);

impl Targets {
    /// Reads `192.168.1.0/24:502`, `10.0.0.5-10.0.0.20`, `10.0.0.5-20`, `meter.example:1502`.
    ///
    /// # Errors
    /// The text, when it names nothing or too many.
    pub fn parse(text: &str) -> Result<Self, BadTargets> {
        let bad = || BadTargets(text.to_owned());
        let (hosts, port) = match text.rsplit_once(':') {
            Some((hosts, port)) => {
                (hosts, port.parse().ok().filter(|&port: &u16| port > 0).ok_or_else(bad)?)
            }
            None => (text, PORT),
        };
        let (first, last) = if let Some((net, bits)) = hosts.split_once('/') {
            let net: Ipv4Addr = net.parse().map_err(|_| bad())?;
            let bits: u32 = bits.parse().ok().filter(|&bits| bits <= 32).ok_or_else(bad)?;
            let size = 1u64 << (32 - bits);
            let first = u64::from(net.to_bits()) / size * size;
            // The first and last address of a network are nobody's, in those of two bits and more.
            let edge = u64::from(bits < 31);
            (first + edge, first + size - 1 - edge)
        } else if let Some((first, last)) = range(hosts) {
            (u64::from(first.to_bits()), u64::from(last.to_bits()))
        } else {
            crate::settings::check_host(hosts).map_err(|_| bad())?;
            return Ok(Self(vec![format!("{hosts}:{port}")]));
        };
        if first > last || last - first >= MOST {
            return Err(bad());
        }
        let host = |bits: u64| u32::try_from(bits).ok().map(Ipv4Addr::from_bits);
        Ok(Self((first..=last).filter_map(host).map(|host| format!("{host}:{port}")).collect()))
    }

    /// `host:port` of each.
    pub fn endpoints(&self) -> &[String] {
        &self.0
    }
}

/// `10.0.0.5-10.0.0.20` or `10.0.0.5-20`.
fn range(text: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let (first, last) = text.split_once('-')?;
    let first: Ipv4Addr = first.parse().ok()?;
    let [a, b, c, _] = first.octets();
    let last = last.parse().or_else(|_| last.parse().map(|d: u8| Ipv4Addr::new(a, b, c, d)));
    Some((first, last.ok()?))
}

/// What an endpoint gave; why there was no connection.
type Outcome = Result<Vec<ScanEvent>, Words>;

/// A scan of a network.
#[derive(Debug)]
pub struct NetworkScan {
    targets: Targets,
    plan: ScanPlan,
    models: Models,
    /// Devices of the configuration by endpoint: address as shown to people, identifier.
    known: BTreeMap<String, BTreeMap<String, String>>,
}

impl NetworkScan {
    /// Asks each endpoint by `plan`.
    pub fn new(
        targets: Targets,
        plan: ScanPlan,
        models: Models,
        known: BTreeMap<String, BTreeMap<String, String>>,
    ) -> Self {
        Self { targets, plan, models, known }
    }

    /// Runs to the end and tells what happens; dropping the future stops it.
    pub async fn run(self, mut tell: impl FnMut(ScanEvent)) {
        let total = self.targets.0.len() as u64;
        let mut waiting = self.targets.0.iter();
        let mut open = FuturesUnordered::new();
        let (mut done, mut found, mut connected) = (0, 0, 0);
        let mut last = None;
        let began = Instant::now();
        loop {
            while open.len() < AT_ONCE
                && let Some(endpoint) = waiting.next()
            {
                open.push(self.endpoint(endpoint));
            }
            let Some((endpoint, outcome)) = open.next().await else { break };
            done += 1;
            if outcome.is_ok() {
                connected += 1;
            }
            let outcome = outcome.map_err(|why| last = Some(why)).unwrap_or_default();
            for event in outcome {
                found += usize::from(matches!(event, ScanEvent::Found(_)));
                tell(event);
            }
            let now = (endpoint.to_owned(), endpoint.to_owned()).into();
            let each = began.elapsed().as_secs_f64() / done as f64;
            let left_s = (each * (total - done) as f64).ceil() as u64;
            tell(ScanEvent::Progress { done, expected: total, left_s, now });
        }
        if let Some(why) = last.filter(|_| connected == 0) {
            tell(ScanEvent::Remark(nobody(total, &why)));
        }
        tell(ScanEvent::Done { found });
    }

    async fn endpoint<'e>(&self, endpoint: &'e str) -> (&'e str, Outcome) {
        let transport = Transport::Tcp { address: endpoint.to_owned() };
        let line = match OwnLine::open(transport, self.plan.lines[0], CONNECT).await {
            Ok(line) => line,
            // Nobody listens: the usual thing in a range.
            Err(why) => return (endpoint, Err(why)),
        };
        let known = self.known.get(endpoint).cloned().unwrap_or_default();
        let plan = ScanPlan { known, ..self.plan.clone() };
        let scan = Scan::new(plan, self.models.clone());
        let walk = Walk::new(scan, Prober::Own(Box::new(line)));
        let (devices, remarks, end) = walk.into_all().await;
        let mut events: Vec<ScanEvent> = devices
            .into_iter()
            .map(|device| {
                let endpoint = Some(endpoint.to_owned());
                ScanEvent::Found(super::FoundDevice { endpoint, ..device })
            })
            .collect();
        events.extend(remarks.into_iter().map(ScanEvent::Remark));
        if let Some(ScanEvent::Failed { why }) = end {
            let text = (format!("{endpoint}: {}", why.en), format!("{endpoint}：{}", why.zh));
            let remark = Remark { kind: RemarkKind::Broken, text: text.into() };
            events.push(ScanEvent::Remark(remark));
        }
        (endpoint, Ok(events))
    }
}

/// Not one connection: that is not the devices' doing.
fn nobody(total: u64, why: &Words) -> Remark {
    let text = (
        format!(
            "none of {total} endpoints takes a connection (the last: {}): check the cable, the \
             addresses of this machine and of the devices, and their port",
            why.en
        ),
        format!(
            "{total} 个地址都无法连接（最后一个：{}）：请检查网线、本机与设备的 IP 地址以及端口",
            why.zh
        ),
    );
    Remark { kind: RemarkKind::NothingHeard, text: text.into() }
}

#[cfg(test)]
mod tests {
    use super::super::ScanOptions;
    use super::super::plan::Kind;
    use super::*;

    #[tokio::test]
    async fn a_range_in_which_nobody_listens_is_told_with_the_reason() {
        let plan = ScanOptions::default().plan(Kind::Mbap, BTreeMap::new()).unwrap();
        // Port 1 of this machine: nobody listens there.
        let targets = Targets::parse("127.0.0.1-2:1").unwrap();
        let scan = NetworkScan::new(targets, plan, Models::default(), BTreeMap::new());
        let mut events = Vec::new();
        scan.run(|event| events.push(event)).await;
        let [ScanEvent::Remark(remark), ScanEvent::Done { found: 0 }] = &events[2..] else {
            panic!("{events:?}")
        };
        assert_eq!(remark.kind, RemarkKind::NothingHeard);
        assert!(remark.text.en.contains("refused") && remark.text.zh.contains("2 个地址"));
    }

    #[test]
    fn networks_ranges_and_single_hosts_are_read() {
        let count = |text: &str| Targets::parse(text).unwrap().0.len();
        assert_eq!(count("192.168.1.0/24"), 254);
        assert_eq!(count("192.168.1.7/32:1502"), 1);
        assert_eq!(count("10.0.0.5-20"), 16);
        assert_eq!(count("10.0.0.250-10.0.1.5:503"), 12);
        let one = Targets::parse("charger-3.example").unwrap();
        assert_eq!(one.endpoints(), ["charger-3.example:502"]);
        let net = Targets::parse("192.168.1.77/30").unwrap();
        assert_eq!(net.endpoints(), ["192.168.1.77:502", "192.168.1.78:502"]);
    }

    #[test]
    fn too_many_and_nonsense_are_refused_by_name() {
        for bad in
            ["10.0.0.0/8", "10.0.0.9-3", "", "10.0.0.0/33", "h:0", "a b", "1.2.3.4/x", "10.0.0.300"]
        {
            let fault = Targets::parse(bad).unwrap_err();
            assert!(fault.to_string().contains(bad), "{fault}");
        }
    }
}
