//! Where the master meets the line: a pseudo terminal, a device file, or TCP.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{ControlModes, InputModes, OptionalActions, tcgetattr, tcsetattr};

use super::engine::Tuning;
use crate::driver::{LineSettings, Parity};

/// How long a pseudo terminal that nobody has open is left alone.
const CLOSED: Duration = Duration::from_millis(5);

/// The side of the slaves.
#[derive(Debug)]
pub(super) enum Port {
    /// A pseudo terminal of ours; the link goes with it.
    Pty { master: OwnedFd, _link: Option<Link> },
    /// A device file; what the other side is tuned to cannot be seen.
    Device { file: OwnedFd },
    /// A serial server with the settings of its line, if they are known.
    Tcp { listener: TcpListener, line: Option<LineSettings>, master: Option<TcpStream> },
}

/// A stable name for a pseudo terminal; goes when it is dropped.
#[derive(Debug)]
pub(super) struct Link(PathBuf);

impl Drop for Link {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_file(&self.0) {
            tracing::debug!(%error, path = %self.0.display(), "link is gone already");
        }
    }
}

/// What a wait ended with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Woken {
    /// The time is over.
    Timeout,
    /// Bytes may have come.
    Bytes,
    /// The master has closed its side.
    Closed,
}

impl Port {
    /// Opens a pseudo terminal. Returns the path that a master opens: the link, if one is wanted.
    pub fn pty(link: Option<&Path>) -> io::Result<(Self, PathBuf)> {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let name =
            PathBuf::from(std::ffi::OsString::from_vec(ptsname(&master, Vec::new())?.into_bytes()));
        raw(&master)?;
        rustix::io::ioctl_fionbio(&master, true)?;
        let (link, path) = match link {
            None => (None, name),
            Some(path) => {
                // Left over from a run that was killed; a file that is no link stays.
                if path.is_symlink() {
                    fs::remove_file(path)?;
                }
                std::os::unix::fs::symlink(&name, path)?;
                (Some(Link(path.to_owned())), path.to_owned())
            }
        };
        Ok((Self::Pty { master, _link: link }, path))
    }

    /// Opens a device file.
    pub fn device(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::NONBLOCK | OFlags::CLOEXEC;
        let file = rustix::fs::open(path, flags, Mode::empty())?;
        raw(&file)?;
        Ok(Self::Device { file })
    }

    /// Listens as a serial server.
    pub fn tcp(address: &str, line: Option<LineSettings>) -> io::Result<(Self, SocketAddr)> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let bound = listener.local_addr()?;
        Ok((Self::Tcp { listener, line, master: None }, bound))
    }

    /// What the master's side is tuned to.
    pub fn tuning(&self) -> Tuning {
        match self {
            Self::Device { .. } => Tuning::Unknown,
            Self::Tcp { line, .. } => line.map_or(Tuning::Unknown, Tuning::of),
            Self::Pty { master, .. } => tcgetattr(master).map_or(Tuning::Unknown, |seen| {
                let (control, input) = (seen.control_modes, seen.input_modes);
                let odd = control.contains(ControlModes::PARODD);
                let with = if odd { Parity::Odd } else { Parity::Even };
                let parity = if control.contains(ControlModes::PARENB)
                    || input.contains(InputModes::INPCK)
                    || odd
                {
                    Some(with)
                } else {
                    input.contains(InputModes::IGNPAR).then_some(Parity::None)
                };
                let stop_bits = if control.contains(ControlModes::CSTOPB) { 2 } else { 1 };
                Tuning::Seen { baud: seen.output_speed(), parity, stop_bits }
            }),
        }
    }

    /// Waits for bytes of the master, at most this long.
    pub fn wait(&mut self, limit: Duration) -> io::Result<Woken> {
        let limit = Timespec {
            tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
            tv_nsec: limit.subsec_nanos().into(),
        };
        let mut events: Vec<PollFd<'_>> = Vec::with_capacity(2);
        if let Some(fd) = self.fd() {
            events.push(PollFd::from_borrowed_fd(fd, PollFlags::IN));
        }
        if let Self::Tcp { listener, .. } = &*self {
            events.push(PollFd::from_borrowed_fd(listener.as_fd(), PollFlags::IN));
        }
        match poll(&mut events, Some(&limit)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(Woken::Timeout),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let closed = events
            .iter()
            .all(|event| !event.revents().contains(PollFlags::IN) && !event.revents().is_empty());
        drop(events);
        if let Self::Tcp { listener, master, .. } = self
            && let Ok((stream, _)) = listener.accept()
        {
            // A serial server gives up a connection that lost its network when the master is
            // back with another.
            stream.set_nonblocking(true)?;
            stream.set_nodelay(true)?;
            *master = Some(stream);
        }
        Ok(if closed { Woken::Closed } else { Woken::Bytes })
    }

    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match self {
            Self::Pty { master: file, .. } | Self::Device { file } => Some(file.as_fd()),
            Self::Tcp { master, .. } => master.as_ref().map(AsFd::as_fd),
        }
    }

    /// Reads what is there. `false`: the master has closed its side.
    pub fn read(&mut self, into: &mut Vec<u8>) -> io::Result<bool> {
        let mut chunk = [0; 1024];
        let got = match self {
            Self::Pty { master: file, .. } | Self::Device { file } => {
                rustix::io::read(&*file, &mut chunk).map_err(io::Error::from)
            }
            Self::Tcp { master: Some(stream), .. } => stream.read(&mut chunk),
            Self::Tcp { master: None, .. } => return Ok(true),
        };
        match got {
            Ok(0) => Ok(self.closed()),
            Ok(count) => {
                into.extend(&chunk[..count]);
                Ok(true)
            }
            Err(error) if is_pause(&error) => Ok(true),
            // What a pseudo terminal says while nobody has its other side open.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                Ok(self.closed())
            }
            Err(_) if matches!(self, Self::Tcp { .. }) => Ok(self.closed()),
            Err(error) => Err(error),
        }
    }

    fn closed(&mut self) -> bool {
        if let Self::Tcp { master, .. } = self {
            *master = None;
        }
        false
    }

    /// Writes what reached the master. What it does not read is lost, as on a line.
    pub fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let sent = match self {
                Self::Pty { master: file, .. } | Self::Device { file } => {
                    rustix::io::write(&*file, bytes).map_err(io::Error::from)
                }
                Self::Tcp { master: Some(stream), .. } => stream.write(bytes),
                Self::Tcp { master: None, .. } => return Ok(()),
            };
            match sent {
                Ok(count) => bytes = &bytes[count..],
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if is_pause(&error) => return Ok(()),
                Err(_) if matches!(self, Self::Tcp { .. }) => {
                    self.closed();
                    return Ok(());
                }
                Err(error)
                    if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) =>
                {
                    return Ok(());
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Leaves a closed port alone for a moment: it would be ready at once.
pub(super) fn rest(limit: Duration) {
    let limit = limit.min(CLOSED);
    let limit = Timespec { tv_sec: 0, tv_nsec: limit.subsec_nanos().into() };
    if let Err(error) = poll(&mut [], Some(&limit)) {
        tracing::trace!(%error, "woken early");
    }
}

fn is_pause(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Bytes as they are: no echo, no lines.
fn raw(file: &OwnedFd) -> io::Result<()> {
    let mut modes = tcgetattr(file)?;
    modes.make_raw();
    tcsetattr(file, OptionalActions::Now, &modes)?;
    Ok(())
}
