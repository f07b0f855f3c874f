//! Asks a running gateway's page, for the commands.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite};
use tokio::io::{AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::config::Config;
use super::tls::pinned;
use crate::access::Secret;

/// Longest wait for the page.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes.
const MOST: u64 = 32 << 20;

/// How the page of a running gateway is reached from its own machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its address.
    pub address: SocketAddr,
    /// The file with its certificate, when it is served under TLS: no other is trusted.
    pub certificate: Option<PathBuf>,
    /// The token that is shown to it.
    pub token: Option<Secret>,
}

impl From<SocketAddr> for Page {
    /// In plain.
    fn from(address: SocketAddr) -> Self {
        Self { address, certificate: None, token: None }
    }
}

impl std::fmt::Display for Page {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let scheme = if self.certificate.is_some() { "https" } else { "http" };
        write!(f, "{scheme}://{}", self.address)
    }
}

impl Page {
    /// The page of these settings; `store` is the folder of the buffer.
    pub fn of(config: &Config, store: &Path) -> Self {
        let mut address = config.listen;
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        Self { address, certificate: config.certificate_file(store), token: None }
    }

    /// The header that shows the token; empty without one.
    fn authorization(&self) -> String {
        let line = |token: &Secret| format!("Authorization: Bearer {}\r\n", token.expose());
        self.token.as_ref().map(line).unwrap_or_default()
    }

    async fn connect(&self) -> io::Result<Box<dyn Wire>> {
        let stream = TcpStream::connect(self.address).await?;
        let Some(file) = &self.certificate else { return Ok(Box::new(stream)) };
        let connector = pinned::connector(file).map_err(io::Error::other)?;
        let name = ServerName::IpAddress(self.address.ip().into());
        let shaken = connector.connect(name, stream).await.map_err(|error| {
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(rustls::Error::InvalidCertificate(_)) => io::Error::other(format!(
                    "who answers at {} does not show the certificate in {}",
                    self.address,
                    file.display()
                )),
                _ => error,
            }
        });
        Ok(Box::new(shaken?))
    }
}

/// A connection, plain or under TLS.
trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// The body of a resource of the page.
///
/// # Errors
/// Nobody listens there, the answer takes too long or is longer than 32 MiB, or it is not a
/// success.
pub async fn fetch(page: &Page, path: &str) -> io::Result<String> {
    fetch_within(PATIENCE, page, path).await
}

/// As [`fetch`], for what takes longer to be made.
///
/// # Errors
/// As there.
pub async fn fetch_within(patience: Duration, page: &Page, path: &str) -> io::Result<String> {
    timeout(patience, ask(page, path))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the page does not answer"))?
}

/// Longest line of a stream, bytes.
const LONGEST_LINE: u64 = 1 << 20;

/// The answer to a request, line by line as it comes.
pub struct Lines(BufReader<Box<dyn Wire>>);

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lines")
    }
}

impl Lines {
    /// Sends `body`, a JSON document, to a resource of the page.
    ///
    /// # Errors
    /// Nobody listens there, the answer takes too long to begin, or it is not a success: the
    /// reason that the page gives.
    pub async fn post(page: &Page, path: &str, body: &str) -> io::Result<Self> {
        let late = || io::Error::new(io::ErrorKind::TimedOut, "the page does not answer");
        timeout(PATIENCE, begin(page, path, body)).await.map_err(|_| late())?
    }

    /// The next line; `None` at the end of the answer.
    ///
    /// # Errors
    /// The connection broke.
    pub async fn next(&mut self) -> io::Result<Option<String>> {
        let mut line = String::new();
        let read = (&mut self.0).take(LONGEST_LINE).read_line(&mut line).await?;
        Ok((read > 0).then(|| line.trim_end().to_owned()))
    }
}

async fn begin(page: &Page, path: &str, body: &str) -> io::Result<Lines> {
    let mut stream = page.connect().await?;
    let request = format!(
        "POST {path} HTTP/1.0\r\nHost: {}\r\n{}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        page.address,
        page.authorization(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut lines = Lines(BufReader::new(stream));
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let head = lines.next().await?.ok_or_else(broken)?;
    let status = head.split_whitespace().nth(1).ok_or_else(broken)?.to_owned();
    while !lines.next().await?.ok_or_else(broken)?.is_empty() {}
    if status == "200" {
        return Ok(lines);
    }
    let why = lines.next().await?.unwrap_or_default();
    Err(io::Error::other(format!("the page answers {status}: {why}")))
}

async fn ask(page: &Page, path: &str) -> io::Result<String> {
    let mut stream = page.connect().await?;
    // Version 1.0: the end of the connection is the end of the answer.
    let (address, right) = (page.address, page.authorization());
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{right}\r\n");
    stream.write_all(request.as_bytes()).await?;
    stream.flush().await?;
    let mut answer = String::new();
    let read = stream.take(MOST).read_to_string(&mut answer).await?;
    if read as u64 == MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the answer is too long"));
    }
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split_whitespace().nth(1).ok_or_else(broken)?;
    if status == "200" {
        return Ok(body.to_owned());
    }
    Err(io::Error::other(format!("the page answers {status}: {}", body.trim())))
}
