//! Clients that mean harm, on loopback: whatever they do to the page, the daemon goes on reading its
//! meters, its memory stays flat, and the page answers again when they are gone.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpSocket, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use crate::parts::{Process, ask, free_port, linli, modbus_peer, wait_until};

/// How long the meters are watched in peace, and how long under attack.
const SPAN: Duration = Duration::from_secs(12);
/// Connections that are opened and dropped.
const DROPPED: u64 = 10_000;
/// Connections that are held at a time, or tried to be.
const HELD: usize = 600;
/// Memory that the attack may cost, KiB. Sixty-four connections with 16 KiB each and the runtime's
/// own are 2 MiB; one page of each is 1 MiB more.
const MOST_MORE: u64 = 24 << 10;

fn site(folder: &Path, page: u16, modbus: u16, tls: &str) -> std::path::PathBuf {
    let mut text = format!(
        r#"
[gateway]
id = "besieged"
[clock]
trust = "system"
[buffer]
path = "{at}/buffer"
keep_free = "1MiB"
[status]
listen = "127.0.0.1:{page}"
access = "open"
{tls}
[[bus]]
id = "row"
tcp = "127.0.0.1:{modbus}"
"#,
        at = folder.display(),
    );
    for unit in 1..=4 {
        text.push_str(&format!(
            "[[device]]\nid = \"meter-{unit}\"\nprofile = \"eastron-sdm120\"\nbus = \"row\"\n\
             unit = {unit}\nperiod = \"1s\"\n"
        ));
    }
    let config = folder.join("linli.toml");
    fs::write(&config, text).unwrap();
    config
}

/// What the bus has done so far.
#[derive(Debug, Clone, Copy)]
struct Polls {
    answers: u64,
    missed: u64,
    timeouts: u64,
}

impl Polls {
    /// As the page shows them; waits for a place when there is none.
    fn now(ask: impl Fn(&str) -> Option<serde_json::Value>) -> Self {
        let mut seen = None;
        wait_until("the page shows its buses", || {
            seen = ask("/api/v1/buses");
            seen.as_ref().is_some_and(serde_json::Value::is_array)
        });
        let row = &seen.unwrap()[0];
        let count = |key: &str| row[key].as_u64().unwrap();
        Self { answers: count("answers"), missed: count("missed"), timeouts: count("timeouts") }
    }

    fn since(self, before: Self) -> Self {
        Self {
            answers: self.answers - before.answers,
            missed: self.missed - before.missed,
            timeouts: self.timeouts - before.timeouts,
        }
    }
}

/// Memory of the process, KiB.
fn memory(process: &Process) -> u64 {
    let text = fs::read_to_string(format!("/proc/{}/status", process.id())).unwrap();
    let line = text.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn descriptors(process: &Process) -> usize {
    fs::read_dir(format!("/proc/{}/fd", process.id())).unwrap().count()
}

/// A connection from one of the attackers' addresses.
async fn connect(from: u8, page: SocketAddr) -> std::io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.bind((Ipv4Addr::new(127, 0, 6, from), 0).into())?;
    match timeout(Duration::from_secs(2), socket.connect(page)).await {
        Ok(connected) => connected,
        Err(_) => Err(std::io::ErrorKind::TimedOut.into()),
    }
}

/// Reads what comes and forgets it, until the other side ends.
async fn drain(stream: &mut TcpStream) {
    let mut part = [0; 4096];
    while let Ok(Ok(1..)) = timeout(Duration::from_secs(20), stream.read(&mut part)).await {}
}

/// The ways to do harm. Each holds its connection as long as it is let.
const HARMS: usize = 9;

async fn harm(kind: usize, mut stream: TcpStream) -> std::io::Result<()> {
    match kind {
        // Says nothing.
        0 => {}
        // Half a request.
        1 => stream.write_all(b"GET /devices HTTP/1.1\r\nHost: x\r\nX-Half: ").await?,
        // One letter at a time.
        2 => {
            for letter in b"GET / HTTP/1.1\r\nHost: x\r\nX-Slow: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" {
                stream.write_all(&[*letter]).await?;
                sleep(Duration::from_millis(300)).await;
            }
        }
        // A field of a megabyte.
        3 => {
            stream.write_all(b"GET / HTTP/1.1\r\nX-Huge: ").await?;
            stream.write_all(&vec![b'a'; 1 << 20]).await?;
        }
        // Fields without end.
        4 => {
            stream.write_all(b"GET / HTTP/1.1\r\n").await?;
            for number in 0..200_000u32 {
                stream.write_all(format!("X-{number}: y\r\n").as_bytes()).await?;
            }
        }
        // No HTTP.
        5 => {
            let noise: Vec<u8> =
                (0..65_536u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
            stream.write_all(&noise).await?;
        }
        // A handshake that is none, or stands still where TLS is spoken.
        6 => stream.write_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03stop").await?,
        // A thousand requests at once, whose answers nobody takes.
        7 => {
            let many = "GET /devices HTTP/1.1\r\nHost: x\r\n\r\n".repeat(1000);
            stream.write_all(many.as_bytes()).await?;
            sleep(Duration::from_secs(6)).await;
        }
        // A body without end.
        _ => {
            let head = b"POST /stars/attest HTTP/1.1\r\nHost: x\r\nContent-Type: \
                application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n\r\n";
            stream.write_all(head).await?;
            for _ in 0..200_000u32 {
                stream.write_all(b"10\r\naaaaaaaaaaaaaaaa\r\n").await?;
            }
        }
    }
    drain(&mut stream).await;
    Ok(())
}

/// Everything at once for [`SPAN`]; how many connections were tried.
async fn attack(page: SocketAddr) -> u64 {
    let tried = Arc::new(AtomicU64::new(0));
    let end = tokio::time::Instant::now() + SPAN;
    let mut attackers = JoinSet::new();
    for number in 0..HELD {
        let tried = Arc::clone(&tried);
        attackers.spawn(async move {
            // Four addresses: as many as it takes to fill every place.
            let from = u8::try_from(number % 4 + 1).unwrap();
            while tokio::time::Instant::now() < end {
                tried.fetch_add(1, Ordering::Relaxed);
                if let Ok(stream) = connect(from, page).await {
                    // Being cut off is what is meant to happen.
                    drop(timeout(SPAN, harm(number % HARMS, stream)).await);
                }
                sleep(Duration::from_millis(50)).await;
            }
        });
    }
    for from in 5..=8 {
        let tried = Arc::clone(&tried);
        attackers.spawn(async move {
            for _ in 0..DROPPED / 4 {
                tried.fetch_add(1, Ordering::Relaxed);
                drop(connect(from, page).await);
            }
        });
    }
    while let Some(ended) = attackers.join_next().await {
        ended.unwrap();
    }
    tried.load(Ordering::Relaxed)
}

/// How the page is asked: the file of its certificate, its address, the resource.
type Asker = fn(&Path, SocketAddr, &str) -> Option<serde_json::Value>;

#[expect(clippy::print_stdout, reason = "speed is printed, not judged")]
fn siege(tls: &str, asker: Asker) {
    let folder = tempfile::tempdir().unwrap();
    let certificate = folder.path().join("page-certificate.pem");
    let answers = |page| asker(&certificate, page, "/api/v1/gateway").is_some();
    let look = |page| Polls::now(|path| asker(&certificate, page, path));
    let (page, modbus) = (free_port(), free_port());
    let _meters = modbus_peer(&["tcp", &modbus.to_string(), "1,2,3,4"]);
    let config = site(folder.path(), page, modbus, tls);
    let daemon = linli(&config, &folder.path().join("log"));
    let page = SocketAddr::from(([127, 0, 0, 1], page));
    wait_until("the page answers", || answers(page));
    wait_until("the meters answer", || look(page).answers > 8);

    let before = look(page);
    crate::parts::let_run(SPAN);
    let quiet = look(page).since(before);
    let (memory_before, open_before) = (memory(&daemon), descriptors(&daemon));

    let before = look(page);
    let start = Instant::now();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let tried = runtime.block_on(attack(page));
    let took = start.elapsed();
    let (memory_under, open_under) = (memory(&daemon), descriptors(&daemon));
    let gone = Instant::now();
    wait_until("the page answers again", || answers(page));
    let again = gone.elapsed();
    drop(runtime);
    let siege = look(page).since(before);
    let per_second = |polls: Polls, span: Duration| polls.answers as f64 / span.as_secs_f64();
    let (calm, loud) = (per_second(quiet, SPAN), per_second(siege, took + again));
    println!(
        "{tried} hostile connections in {took:.1?}: answers of the meters {loud:.2}/s, {calm:.2}/s in \
         peace ({:.0} %), missed polls {} ({} in peace), timeouts {}; memory {memory_before} -> \
         {memory_under} KiB, descriptors {open_before} -> {open_under}, page again after {again:.0?}",
        100.0 * loud / calm,
        siege.missed,
        quiet.missed,
        siege.timeouts,
    );
    assert!(tried > DROPPED, "only {tried} connections were tried");
    assert!(
        siege.answers > 0 && loud > calm / 2.0,
        "the meters were read {loud:.2} times a second"
    );
    assert!(memory_under < memory_before + MOST_MORE, "{memory_before} -> {memory_under} KiB");
    wait_until("the descriptors come back", || descriptors(&daemon) <= open_before + 2);
    let log = fs::read_to_string(folder.path().join("log")).unwrap();
    let bad: Vec<_> =
        log.lines().filter(|line| line.contains("panicked") || line.contains(" ERROR ")).collect();
    assert!(bad.is_empty(), "{bad:#?}");
    assert_eq!(daemon.terminate(), 0);
}

/// Asks the page under TLS by curl, which trusts the gateway's own certificate and nothing else.
fn by_curl(certificate: &Path, page: SocketAddr, path: &str) -> Option<serde_json::Value> {
    let output = Command::new("curl")
        .args(["--silent", "--max-time", "5", "--cacert"])
        .arg(certificate)
        .arg(format!("https://{page}{path}"))
        .output()
        .unwrap();
    serde_json::from_slice(&output.stdout).ok()
}

#[test]
fn under_hostile_clients_the_meters_are_read_on_and_the_page_comes_back() {
    siege("", |_, page, path| ask(page, path));
}

#[test]
fn under_hostile_clients_the_meters_are_read_on_and_the_page_under_tls_comes_back() {
    siege("[status.tls]", by_curl);
}
