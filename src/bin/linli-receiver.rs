//! The platform's side of the stream on the command line: receives, writes JSON lines, verifies.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use clap::Parser;
use linli::broker::{BrokerConfig, TlsConfig};
use linli::model::Document;
use linli::receiver::{self, Config, End, Limits, State, Verifier};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// Receives the stream of linli gateways from the platform's broker, removes duplicates and
/// checks that nothing is missing.
///
/// Exit status: 0 well; 1 with --verify: a silent gap or a fault, the expected block or any
/// connection is missing; 2 wrong arguments; 74 the output or a file failed.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Broker, HOST or HOST:PORT (1883, with TLS 8883).
    #[arg(long, default_value = "127.0.0.1")]
    broker: String,
    /// MQTT client id; the broker keeps what arrives while this client is away.
    #[arg(long, default_value = "linli-receiver")]
    client_id: String,
    /// Do not ask the broker to keep anything.
    #[arg(long)]
    transient: bool,
    /// Begin of the topics; `+` stands for the gateway.
    #[arg(long, default_value = "linli/v1/+")]
    prefix: String,
    /// Encrypt, trusting the system's authorities.
    #[arg(long)]
    tls: bool,
    /// Encrypt, trusting the authorities in this PEM file.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// The client's certificate chain (PEM).
    #[arg(long, value_name = "FILE", requires = "key")]
    cert: Option<PathBuf>,
    /// The client's key (PEM).
    #[arg(long, value_name = "FILE", requires = "cert")]
    key: Option<PathBuf>,
    /// User name.
    #[arg(long)]
    username: Option<String>,
    /// File with the password on one line.
    #[arg(long, value_name = "FILE", requires = "username")]
    password_file: Option<PathBuf>,
    /// Write every new document to standard output, one JSON line each, and the summary as JSON.
    #[arg(long)]
    json: bool,
    /// End with status 1 on a silent gap or a fault.
    #[arg(long)]
    verify: bool,
    /// Count from the lowest block received, not from 1: for a receiver that joins late.
    #[arg(long)]
    from_first: bool,
    /// End after this long without a block: 500ms, 10s, 5m.
    #[arg(long, value_name = "SPAN", value_parser = span)]
    until_idle: Option<Duration>,
    /// End once every stream has all blocks up to N; with --verify they must be there at the end.
    #[arg(long, value_name = "N")]
    expect_seq: Option<u64>,
    /// Tell gateways that ask what time it is here; this machine's clock must be right.
    #[arg(long)]
    answer_time: bool,
    /// Keep which blocks were received in this file, and go on from it.
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
}

fn main() -> ExitCode {
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_target(false).init();
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let outcome =
        runtime.context("cannot start").and_then(|runtime| runtime.block_on(receive(&arguments)));
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::from(74)
        }
    }
}

/// Whether the stream is as it should be; always, without `--verify`.
async fn receive(arguments: &Arguments) -> anyhow::Result<bool> {
    let mut verifier = Verifier::new(&arguments.prefix, arguments.from_first, Limits::default());
    if let Some(file) = &arguments.state {
        restore(&mut verifier, file)?;
    }
    let stop = CancellationToken::new();
    let (summary, _) = watch::channel(verifier.summary());
    let json = arguments.json;
    let write = move |_: &str, document: &Document| {
        if json { write_line(document) } else { Ok(()) }
    };
    let keeper = arguments.state.clone().map(|file| -> receiver::Keep {
        Box::new(move |state| keep(state, &file).map_err(std::io::Error::other))
    });
    let config = config(arguments)?;
    let run = receiver::run_keeping(config, verifier, summary, write, keeper, stop.clone());
    let interrupt = async {
        if let Err(error) = tokio::signal::ctrl_c().await {
            tracing::warn!(%error, "cannot listen for Ctrl-C");
            std::future::pending::<()>().await;
        }
        stop.cancel();
        std::future::pending::<()>().await
    };
    let outcome = tokio::select! {
        outcome = run => outcome?,
        () = interrupt => unreachable!("the interrupt only cancels"),
    };
    let summary = outcome.verifier.summary();
    if json {
        write_line(&serde_json::json!({
            "summary": &summary,
            "per_device": outcome.verifier.devices(),
        }))?;
    } else {
        writeln!(std::io::stdout(), "{summary}")?;
        for (device, count) in outcome.verifier.devices() {
            let (readings, not_good) = (count.readings, count.not_good);
            writeln!(std::io::stdout(), "  {device:<40} {readings:>9}   not good {not_good}")?;
        }
    }
    if outcome.sessions == 0 {
        tracing::error!(broker = arguments.broker, "broker was never reached");
    }
    let expected = arguments
        .expect_seq
        .is_none_or(|seq| outcome.end == End::Complete || outcome.verifier.is_complete_to(seq));
    if !expected {
        tracing::error!(expected = arguments.expect_seq, "not all expected blocks arrived");
    }
    Ok(!arguments.verify || summary.is_whole() && expected && outcome.sessions > 0)
}

fn write_line(what: &impl serde::Serialize) -> std::io::Result<()> {
    let mut line = serde_json::to_vec(what)?;
    line.push(b'\n');
    let mut out = std::io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

fn config(arguments: &Arguments) -> anyhow::Result<Config> {
    let encrypted = arguments.tls || arguments.ca.is_some() || arguments.cert.is_some();
    let (host, port) = match arguments.broker.rsplit_once(':') {
        // `::1` is a host, `[::1]:1883` is host and port.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
            let port = port.parse().with_context(|| {
                format!("--broker {}: `{port}` is not a port, 1..=65535", arguments.broker)
            })?;
            (host.trim_start_matches('[').trim_end_matches(']'), port)
        }
        _ => (arguments.broker.as_str(), if encrypted { 8883 } else { 1883 }),
    };
    let tls = encrypted.then(|| TlsConfig {
        ca_file: arguments.ca.clone(),
        cert_file: arguments.cert.clone(),
        key_file: arguments.key.clone(),
    });
    Ok(Config {
        broker: BrokerConfig {
            host: host.into(),
            port,
            client_id: arguments.client_id.clone(),
            username: arguments.username.clone(),
            password_file: arguments.password_file.clone(),
            tls,
            ..BrokerConfig::default()
        },
        prefix: arguments.prefix.clone(),
        persistent: !arguments.transient,
        until_idle: arguments.until_idle,
        expect_seq: arguments.expect_seq,
        answer_time: arguments.answer_time,
    })
}

fn restore(verifier: &mut Verifier, file: &Path) -> anyhow::Result<()> {
    let text = match std::fs::read(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        read => read.with_context(|| format!("cannot read state `{}`", file.display()))?,
    };
    let state: State = serde_json::from_slice(&text)
        .with_context(|| format!("`{}` is not a state of this program", file.display()))?;
    Ok(verifier.restore(state)?)
}

/// Written beside and renamed, so that a crash leaves the old one or the new one.
fn keep(state: &State, file: &Path) -> anyhow::Result<()> {
    let mut beside = file.as_os_str().to_owned();
    beside.push(".new");
    let write = || {
        let mut out = std::fs::File::create(&beside)?;
        out.write_all(&serde_json::to_vec(state)?)?;
        out.sync_all()?;
        std::fs::rename(&beside, file)
    };
    write().with_context(|| format!("cannot keep state in `{}`", file.display()))
}

fn span(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("`{text}`: write 500ms, 10s, 5m"))?;
    match text.trim_start_matches(digits) {
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        "m" => Ok(Duration::from_secs(number.saturating_mul(60))),
        _ => Err(format!("`{text}`: write 500ms, 10s, 5m")),
    }
}
