//! Asks a running gateway's page, for the commands.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::access::Secret;

/// Longest wait for the page.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes.
const MOST: u64 = 32 << 20;

/// Where a gateway's page is, and with what right it is asked.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its address.
    pub address: SocketAddr,
    /// The token that is shown to it.
    pub token: Option<Secret>,
}

impl Page {
    /// The header that shows the token; empty without one.
    fn authorization(&self) -> String {
        let line = |token: &Secret| format!("Authorization: Bearer {}\r\n", token.expose());
        self.token.as_ref().map(line).unwrap_or_default()
    }
}

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
#[derive(Debug)]
pub struct Lines(BufReader<TcpStream>);

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
    let address = page.address;
    let mut stream = TcpStream::connect(address).await?;
    let request = format!(
        "POST {path} HTTP/1.0\r\nHost: {address}\r\n{}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        page.authorization(),
        body.len()
    );
    stream.write_all(request.as_bytes()).await?;
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
    let address = page.address;
    let mut stream = TcpStream::connect(address).await?;
    // Version 1.0: the end of the connection is the end of the answer.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n{}\r\n", page.authorization());
    stream.write_all(request.as_bytes()).await?;
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
