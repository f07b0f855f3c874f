//! Characters on their way to the master. Two transmissions at once are merged as on a wire: the
//! dominant level of a zero wins, and characters that do not begin together are shifted.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

use crate::driver::LineSettings;

/// Characters that may be on their way; a transmission beyond is cut.
const MOST: usize = 8192;
/// Characters of one transmission are handed on in portions of this time, as a UART's buffer does.
const PORTION: Duration = Duration::from_millis(3);

/// One character.
#[derive(Debug, Clone, Copy)]
pub(super) struct Char {
    /// When its stop bit ends.
    pub at: Instant,
    pub byte: u8,
    /// With which settings it is sent.
    pub line: LineSettings,
    /// The master's own, heard again.
    pub own: bool,
    /// First or last of its transmission: handed on at its very time.
    edge: bool,
}

/// What is on its way, in the order of time.
#[derive(Debug, Default)]
pub(super) struct Wire {
    chars: VecDeque<Char>,
}

impl Wire {
    /// Sends bytes; the first begins at `begin`. Returns when the last one ends, and whether they
    /// ran into another transmission.
    pub fn send(
        &mut self,
        begin: Instant,
        line: LineSettings,
        bytes: &[u8],
        own: bool,
    ) -> (Instant, bool) {
        let mut collided = false;
        let room = MOST.saturating_sub(self.chars.len());
        for (place, &byte) in bytes.iter().enumerate().take(room) {
            let at = begin + line.time_of(place + 1);
            let edge = place == 0 || place + 1 == bytes.len();
            collided |= self.put(Char { at, byte, line, own, edge });
        }
        (begin + line.time_of(bytes.len()), collided)
    }

    /// Puts one character on the wire; returns whether another was there.
    fn put(&mut self, char: Char) -> bool {
        let place = self.chars.partition_point(|other| other.at <= char.at);
        let before = place.checked_sub(1);
        let there = [before, Some(place)].into_iter().flatten().find(|&place| {
            self.chars.get(place).is_some_and(|other| {
                let span = char.line.time_of(1).min(other.line.time_of(1));
                gap(other.at, char.at) < span
            })
        });
        match there {
            Some(place) => {
                let other = &mut self.chars[place];
                let shift = shift(gap(other.at, char.at), char.line);
                other.byte &= char.byte.rotate_left(shift);
                other.edge |= char.edge;
                true
            }
            None => {
                self.chars.insert(place, char);
                false
            }
        }
    }

    /// The master sends `bytes` from `begin` on: what is on the wire then is damaged. Returns
    /// whether anything was.
    pub fn talk_over(&mut self, begin: Instant, line: LineSettings, bytes: &[u8]) -> bool {
        let mut collided = false;
        let (one, end) = (line.time_of(1), begin + line.time_of(bytes.len()));
        for char in self.chars.iter_mut().filter(|char| !char.own) {
            let from = char.at - char.line.time_of(1);
            if char.at <= begin || from >= end {
                continue;
            }
            collided = true;
            let place = char.at.saturating_duration_since(begin).as_nanos() / one.as_nanos().max(1);
            let place = usize::try_from(place).unwrap_or(usize::MAX).min(bytes.len() - 1);
            let offset = gap(begin + line.time_of(place + 1), char.at);
            char.byte &= bytes[place].rotate_left(shift(offset, line));
        }
        collided
    }

    /// When something is to be handed on.
    pub fn next(&self) -> Option<Instant> {
        let front = self.chars.front()?.at;
        let edge = self.chars.iter().take_while(|char| char.at < front + PORTION);
        let edge = edge.clone().find(|char| char.edge).map(|char| char.at);
        Some(edge.unwrap_or(front + PORTION))
    }

    /// Takes what has arrived by now.
    pub fn arrived(&mut self, now: Instant) -> impl Iterator<Item = Char> + '_ {
        let count = self.chars.partition_point(|char| char.at <= now);
        self.chars.drain(..count)
    }

    /// Nothing arrives any more.
    pub fn clear(&mut self) {
        self.chars.clear();
    }
}

fn gap(one: Instant, other: Instant) -> Duration {
    one.saturating_duration_since(other).max(other.saturating_duration_since(one))
}

/// Bits by which a character is shifted that begins this much later.
fn shift(gap: Duration, line: LineSettings) -> u32 {
    let bits = gap.as_nanos() * u128::from(line.baud) / 1_000_000_000;
    u32::try_from(bits).unwrap_or(0)
}
