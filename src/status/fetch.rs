//! Asks a running gateway's page, for the commands.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// Longest wait for the page.
const PATIENCE: Duration = Duration::from_secs(5);
/// Longest answer that is read, bytes.
const MOST: u64 = 32 << 20;

/// The body of a resource of the page at `address`.
///
/// # Errors
/// Nobody listens there, the answer takes too long, or it is not a success.
pub async fn fetch(address: SocketAddr, path: &str) -> io::Result<String> {
    timeout(PATIENCE, ask(address, path))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the page does not answer"))?
}

async fn ask(address: SocketAddr, path: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    // Version 1.0: the end of the connection is the end of the answer.
    let request = format!("GET {path} HTTP/1.0\r\nHost: {address}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = String::new();
    stream.take(MOST).read_to_string(&mut answer).await?;
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "the answer is not HTTP");
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(broken)?;
    let status = head.split_whitespace().nth(1).ok_or_else(broken)?;
    if status == "200" {
        return Ok(body.to_owned());
    }
    Err(io::Error::other(format!("the page answers {status}: {}", body.trim())))
}
