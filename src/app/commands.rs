//! The joints of the commands: how each device is reached, who orders, who is told.

use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use tokio::sync::{mpsc, watch};

use super::{Joints, ORDERED_MESSAGES, POSTS, RESULTS};
use crate::audit::Audit;
use crate::buffer::Buffer;
use crate::command::{Desk, Ends, Router, Target, Way};
use crate::config::{Connection, DeviceSettings, Settings};
use crate::driver::bus::RelayKey;
use crate::driver::mqtt::Post;
use crate::model::{CommandResult, DeviceIndex, FieldRequest};
use crate::status::BusLine;
use crate::supervise::Part;
use crate::uplink::{CommandMessage, CommandPort, UplinkStatus};

/// The ends of the commands that others hold.
pub(super) struct CommandEnds {
    port: Option<CommandPort>,
    messages: mpsc::Receiver<CommandMessage>,
    results: mpsc::Sender<CommandResult>,
    posts: mpsc::Sender<Post>,
    inbox: Option<mpsc::Receiver<Post>>,
}

impl CommandEnds {
    /// The platform is listened to only where something may be ordered: a broker may take the
    /// subscription amiss.
    pub fn new(settings: &Settings) -> Self {
        let (sender, messages) = mpsc::channel(ORDERED_MESSAGES);
        let (results, told) = mpsc::channel(RESULTS);
        let (posts, inbox) = mpsc::channel(POSTS);
        let port = CommandPort { messages: sender, results: told };
        let port = settings.devices.iter().any(may_be_ordered).then_some(port);
        Self { port, messages, results, posts, inbox: Some(inbox) }
    }

    /// For the uplink.
    pub fn port(&mut self) -> Option<CommandPort> {
        self.port.take()
    }

    /// For the session at the field broker.
    pub fn inbox(&mut self) -> Option<mpsc::Receiver<Post>> {
        self.inbox.take()
    }
}

fn may_be_ordered(device: &DeviceSettings) -> bool {
    let acts = match &device.connection {
        Connection::Bus { allow, .. } => !allow.is_empty(),
        Connection::Mqtt { .. } => false,
    };
    acts || !device.commands.is_empty()
}

impl Joints {
    /// The desk of the commands; before the first commit of the store.
    ///
    /// # Errors
    /// What is kept of commands cannot be read.
    pub(super) fn commands(
        &mut self,
        settings: &Settings,
        buffer: &Buffer,
        ends: CommandEnds,
        (lines, drivers): (&[BusLine], &[Option<mpsc::Sender<FieldRequest>>]),
        (audit, uplink): (Option<&Audit>, watch::Receiver<UplinkStatus>),
    ) -> anyhow::Result<Router> {
        let mut targets = Vec::with_capacity(settings.devices.len());
        let mut ways = Vec::with_capacity(settings.devices.len());
        for (index, device) in (0u32..).map(DeviceIndex).zip(&settings.devices) {
            let mut acts = Vec::new();
            ways.push(match &device.connection {
                Connection::Bus { bus, allow, .. } => {
                    acts.clone_from(allow);
                    Way::Bus {
                        orders: lines[*bus].order.clone(),
                        requests: drivers[index.slot()].clone(),
                        key: device.key_file.as_deref().and_then(relay_key),
                    }
                }
                Connection::Mqtt { base } => {
                    Way::Mqtt { base: base.clone(), posts: ends.posts.clone() }
                }
            });
            targets.push(Target {
                index,
                id: device.id.clone(),
                profile: Arc::clone(&device.profile),
                params: device.params.clone(),
                commands: device.commands.clone(),
                acts,
                safe_after: device.safe_after,
            });
        }
        let (link_in, link) = watch::channel(false);
        let ends = Ends {
            ways,
            field: self.field.clone(),
            audit: audit.cloned(),
            messages: ends.messages,
            results: ends.results,
            link,
        };
        let kept = (buffer.store().clone(), self.clock.clone());
        let (desk, router) =
            Desk::open(settings.commands.clone(), targets, self.snapshot.clone(), kept, ends)
                .context("what is kept of commands")?;
        let stop = self.supervisor.token(Part::Source);
        self.supervisor.spawn(Part::Source, "commands", desk.run(stop.clone()));
        self.supervisor.spawn(Part::Source, "link watch", watch_link(uplink, link_in, stop));
        Ok(router)
    }
}

/// What a meter wants with a relay command: level, password, operator code, as hex digits with
/// blanks between them. Without it the meter is not switched, and the log says why.
fn relay_key(path: &Path) -> Option<RelayKey> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            let file = path.display();
            tracing::error!(%file, %error, "no key for relay commands: the meter is not switched");
            return None;
        }
    };
    let key = read_key(&text);
    if key.is_none() {
        let file = path.display();
        tracing::error!(
            %file,
            "no key for relay commands: it must be 2, 6 and 8 hex digits with blanks between them"
        );
    }
    key
}

fn read_key(text: &str) -> Option<RelayKey> {
    let mut words = text.split_whitespace();
    let key = RelayKey {
        level: digits::<1>(words.next()?)?[0],
        password: digits(words.next()?)?,
        operator: digits(words.next().unwrap_or("00000000"))?,
    };
    words.next().is_none().then_some(key)
}

fn digits<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// Tells the desk whether the platform is there.
async fn watch_link(
    mut uplink: watch::Receiver<UplinkStatus>,
    link: watch::Sender<bool>,
    stop: tokio_util::sync::CancellationToken,
) {
    loop {
        let up = uplink.borrow_and_update().connected;
        link.send_if_modified(|held| std::mem::replace(held, up) != up);
        tokio::select! {
            () = stop.cancelled() => return,
            changed = uplink.changed() => if changed.is_err() {
                // Without an uplink nobody is there.
                link.send_replace(false);
                return stop.cancelled().await;
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_of_a_meter_is_three_words_and_nothing_else() {
        let key = read_key("02 123456 00000001\n").unwrap();
        assert_eq!((key.level, key.password, key.operator), (2, [0x12, 0x34, 0x56], [0, 0, 0, 1]));
        assert_eq!(read_key("04 abcdef").unwrap().operator, [0; 4]);
        for text in
            ["", "02", "2 123456", "02 12345", "02 12345g", "02 123456 1", "02 123456 00000001 x"]
        {
            assert!(read_key(text).is_none(), "{text}");
        }
    }
}
