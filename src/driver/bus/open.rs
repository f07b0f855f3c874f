//! Opens what a bus runs over.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_serial::{SerialPort as _, SerialPortBuilderExt as _, SerialStream};

use crate::driver::{LineSettings, Parity, Transport};
use crate::model::Words;

/// Anything that carries bytes.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {
    /// Sets the line; nothing to do where there is none.
    fn tune(&mut self, _line: LineSettings) -> io::Result<()> {
        Ok(())
    }

    /// Hands what was written on to the system.
    fn poll_sent(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(self).poll_flush(cx)
    }
}

impl Stream for TcpStream {}
/// As a port that does not know one of the rates.
#[cfg(test)]
impl Stream for tokio::io::DuplexStream {
    fn tune(&mut self, line: LineSettings) -> io::Result<()> {
        if line.baud == 14_400 { Err(io::ErrorKind::InvalidInput.into()) } else { Ok(()) }
    }
}

/// How frames are told apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// Modbus TCP.
    Mbap,
    /// Serial, or serial over TCP: by the protocol of who is asked.
    Serial,
}

/// A line that is open.
pub(super) struct Opened {
    /// Its bytes.
    pub(super) stream: Box<dyn Stream>,
    /// How frames are told apart.
    pub(super) framing: Framing,
    /// A serial port of this machine: it can be retuned, and keeps its own silences.
    pub(super) local: bool,
}

/// Opens the transport, a serial port with `line`; the system's words when it cannot be.
pub(super) async fn open(
    transport: &Transport,
    line: LineSettings,
    limit: Duration,
) -> Result<Opened, Words> {
    let stream: Box<dyn Stream> = match transport {
        Transport::Tcp { address } | Transport::RtuOverTcp { address } => {
            match timeout(limit, connect(address)).await {
                Ok(Ok(stream)) => Box::new(stream),
                Ok(Err(error)) => return Err(Words::of_io(&error)),
                Err(_elapsed) => {
                    let limit = Words::of_span(limit);
                    let en = format!("no connection within {}", limit.en);
                    return Err((en, format!("{}内未能连接", limit.zh)).into());
                }
            }
        }
        Transport::Serial { path } => {
            Box::new(serial(path, line).map_err(|error| Words::of_io(&error.into()))?)
        }
    };
    Ok(describe(transport, stream))
}

/// Adds what the transport says about an open stream.
pub(super) fn describe(transport: &Transport, stream: Box<dyn Stream>) -> Opened {
    let (framing, local) = match transport {
        Transport::Tcp { .. } => (Framing::Mbap, false),
        // The serial server at the far end keeps the silence of its own line.
        Transport::RtuOverTcp { .. } => (Framing::Serial, false),
        Transport::Serial { .. } => (Framing::Serial, true),
    };
    Opened { stream, framing, local }
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn parity(parity: Parity) -> tokio_serial::Parity {
    match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    }
}

fn stop_bits(bits: u8) -> tokio_serial::StopBits {
    if bits == 2 { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One }
}

impl Stream for SerialStream {
    /// Nothing to do: a write goes straight to the kernel. Its flush would block the thread until
    /// the last character has left the port, and for ever on an adapter that hangs.
    fn poll_sent(&mut self, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn tune(&mut self, line: LineSettings) -> io::Result<()> {
        self.set_baud_rate(line.baud)?;
        self.set_parity(parity(line.parity))?;
        self.set_stop_bits(stop_bits(line.stop_bits))?;
        Ok(())
    }
}

fn serial(path: &str, line: LineSettings) -> tokio_serial::Result<SerialStream> {
    let mut port = tokio_serial::new(path, line.baud)
        .data_bits(tokio_serial::DataBits::Eight)
        .flow_control(tokio_serial::FlowControl::None)
        .parity(parity(line.parity))
        .stop_bits(stop_bits(line.stop_bits))
        .open_native_async()?;
    // A second master on the line would talk into our frames.
    port.set_exclusive(true)?;
    Ok(port)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_serial_line_is_opened_and_carries_bytes_both_ways() {
        let (mut far, near) = SerialStream::pair().unwrap();
        let path = near.name().unwrap();
        // It is locked while it is open; the pair lives on with its far end.
        drop(near);
        let line = LineSettings { baud: 9600, parity: Parity::Even, stop_bits: 1 };
        let transport = Transport::Serial { path };
        let mut opened = open(&transport, line, Duration::from_secs(1)).await.unwrap();
        assert_eq!((opened.framing, opened.local), (Framing::Serial, true));
        let slow = LineSettings { baud: 2400, ..line };
        opened.stream.tune(slow).unwrap();
        assert_eq!(far.baud_rate().unwrap(), 2400, "the far end of a pair sees the same settings");
        let mut space = [0; 3];
        opened.stream.write_all(&[1, 3, 0]).await.unwrap();
        far.read_exact(&mut space).await.unwrap();
        far.write_all(&[1, 0x83, 2]).await.unwrap();
        opened.stream.read_exact(&mut space).await.unwrap();
        assert_eq!(space, [1, 0x83, 2]);
    }

    #[tokio::test]
    async fn a_port_that_is_not_there_is_told_in_the_systems_words() {
        let path = "/dev/does-not-exist".to_owned();
        let line = LineSettings { baud: 9600, parity: Parity::None, stop_bits: 1 };
        let transport = Transport::Serial { path };
        let error = open(&transport, line, Duration::from_secs(1)).await.err().unwrap();
        assert!(error.en.contains("No such file"), "{error}");
        assert_eq!(error.zh, "文件或设备不存在");
    }
}
