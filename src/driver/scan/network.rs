//! A range of TCP endpoints: who listens, and which Modbus devices answer behind them.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use super::event::{Remark, RemarkKind, ScanEvent};
use super::machine::{Models, Scan};
use super::plan::ScanPlan;
use super::prober::Prober;
use super::walk::Walk;
use crate::driver::Transport;
use crate::driver::bus::OwnLine;

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

/// What an endpoint gave.
type Outcome = Vec<ScanEvent>;

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
        let (mut done, mut found) = (0, 0);
        loop {
            while open.len() < AT_ONCE
                && let Some(endpoint) = waiting.next()
            {
                open.push(self.endpoint(endpoint));
            }
            let Some((endpoint, events)) = open.next().await else { break };
            done += 1;
            for event in events {
                found += usize::from(matches!(event, ScanEvent::Found(_)));
                tell(event);
            }
            let now = (endpoint.to_owned(), endpoint.to_owned()).into();
            tell(ScanEvent::Progress { done, expected: total, now });
        }
        tell(ScanEvent::Done { found });
    }

    async fn endpoint<'e>(&self, endpoint: &'e str) -> (&'e str, Outcome) {
        let transport = Transport::Tcp { address: endpoint.to_owned() };
        // Nobody listens: the usual thing in a range, and no news.
        let Ok(line) = OwnLine::open(transport, self.plan.lines[0], CONNECT).await else {
            return (endpoint, Vec::new());
        };
        let known = self.known.get(endpoint).cloned().unwrap_or_default();
        let plan = ScanPlan { known, ..self.plan.clone() };
        let scan = Scan::new(plan, self.models.clone());
        let walk = Walk::new(scan, Prober::Own(Box::new(line)));
        let (devices, remarks, end) = walk.into_all().await;
        let mut events: Outcome = devices
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
        (endpoint, events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        for bad in ["10.0.0.0/8", "10.0.0.9-3", "", "10.0.0.0/33", "h:0", "a b", "1.2.3.4/x"] {
            let fault = Targets::parse(bad).unwrap_err();
            assert!(fault.to_string().contains(bad), "{fault}");
        }
    }
}
