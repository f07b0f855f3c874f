//! Opens what a bus runs over.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_serial::SerialPortBuilderExt;

use super::wire::{Framing, Stream};
use crate::driver::{Parity, Transport};

/// Bits of a character on a serial line: start, eight data, parity or a second stop bit, stop.
const CHAR_BITS: u32 = 11;

/// A line that is open.
#[derive(Debug)]
pub(super) struct Opened<S> {
    /// Its bytes.
    pub(super) stream: S,
    /// How frames are told apart.
    pub(super) framing: Framing,
    /// Time of one character; zero where it is not known.
    pub(super) char_time: Duration,
}

/// Opens the transport; the system's words when it cannot be.
pub(super) async fn open(
    transport: &Transport,
    limit: Duration,
) -> Result<Opened<Box<dyn Stream>>, String> {
    let stream: Box<dyn Stream> = match transport {
        Transport::Tcp { address } | Transport::RtuOverTcp { address } => {
            match timeout(limit, connect(address)).await {
                Ok(Ok(stream)) => Box::new(stream),
                Ok(Err(error)) => return Err(error.to_string()),
                Err(_elapsed) => return Err(format!("no connection within {limit:?}")),
            }
        }
        Transport::Serial { path, baud, parity, stop_bits } => {
            Box::new(serial(path, *baud, *parity, *stop_bits).map_err(|error| error.to_string())?)
        }
    };
    Ok(describe(transport, stream))
}

/// Adds what the transport says about an open stream.
pub(super) fn describe<S>(transport: &Transport, stream: S) -> Opened<S> {
    let (framing, char_time) = match transport {
        Transport::Tcp { .. } => (Framing::Mbap, Duration::ZERO),
        // The serial server at the far end keeps the silence of its own line.
        Transport::RtuOverTcp { .. } => (Framing::Rtu, Duration::ZERO),
        Transport::Serial { baud, .. } => {
            (Framing::Rtu, Duration::from_secs(u64::from(CHAR_BITS)) / (*baud).max(1))
        }
    };
    Opened { stream, framing, char_time }
}

async fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

fn serial(
    path: &str,
    baud: u32,
    parity: Parity,
    stop_bits: u8,
) -> tokio_serial::Result<tokio_serial::SerialStream> {
    let parity = match parity {
        Parity::None => tokio_serial::Parity::None,
        Parity::Even => tokio_serial::Parity::Even,
        Parity::Odd => tokio_serial::Parity::Odd,
    };
    let stop_bits =
        if stop_bits == 2 { tokio_serial::StopBits::Two } else { tokio_serial::StopBits::One };
    let mut port = tokio_serial::new(path, baud)
        .data_bits(tokio_serial::DataBits::Eight)
        .flow_control(tokio_serial::FlowControl::None)
        .parity(parity)
        .stop_bits(stop_bits)
        .open_native_async()?;
    // A second master on the line would talk into our frames.
    port.set_exclusive(true)?;
    Ok(port)
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio_serial::{SerialPort, SerialStream};

    use super::*;

    #[tokio::test]
    async fn a_serial_line_is_opened_and_carries_bytes_both_ways() {
        let (mut far, near) = SerialStream::pair().unwrap();
        let path = near.name().unwrap();
        // It is locked while it is open; the pair lives on with its far end.
        drop(near);
        let transport = Transport::Serial { path, baud: 9600, parity: Parity::Even, stop_bits: 1 };
        let mut opened = open(&transport, Duration::from_secs(1)).await.unwrap();
        assert_eq!(opened.framing, Framing::Rtu);
        assert_eq!(opened.char_time.as_micros(), 1145);
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
        let transport = Transport::Serial { path, baud: 9600, parity: Parity::None, stop_bits: 1 };
        let error = open(&transport, Duration::from_secs(1)).await.err().unwrap();
        assert!(error.contains("No such file"), "{error}");
    }
}
