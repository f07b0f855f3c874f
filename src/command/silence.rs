//! For how long the platform has been silent: since when the link to it is down. A link that is up
//! was acknowledged something within its time limit, else it would have been given up.

use std::time::Duration;

use super::input::Now;
use crate::model::Moment;
use crate::store::{Changes, StoreError, Tree};

const HEARD: &[u8] = b"heard";
/// How often it is noted that the platform is there, while its orders hold.
const NOTE_EVERY: Duration = Duration::from_secs(60);

/// The silence of the platform.
#[derive(Debug)]
pub(super) struct Silence {
    up: bool,
    since: Moment,
    /// When an earlier run heard it last, as long as the time is not trusted.
    heard_ms: Option<i64>,
    /// Silence before this run.
    carried: Duration,
    noted: Option<Moment>,
}

impl Silence {
    /// Goes on with the silence of an earlier run.
    pub fn load(tree: &Tree, now: Moment) -> Result<Self, StoreError> {
        let heard = tree.get(HEARD)?.and_then(|bytes| bytes.try_into().ok());
        let heard_ms = heard.map(i64::from_be_bytes);
        Ok(Self { up: false, since: now, heard_ms, carried: Duration::ZERO, noted: None })
    }

    /// The link came up or went down.
    pub fn link(&mut self, up: bool, now: Moment) {
        if up || self.up {
            self.since = now;
            self.heard_ms = None;
            self.carried = Duration::ZERO;
        }
        self.up = up;
    }

    /// How long it lasts.
    pub fn span(&mut self, now: Now) -> Duration {
        if self.up {
            return Duration::ZERO;
        }
        let own = now.at.since(self.since);
        if now.trusted
            && let Some(heard_ms) = self.heard_ms.take()
        {
            let all = u64::try_from(now.wall_ms.saturating_sub(heard_ms)).unwrap_or(0);
            self.carried = Duration::from_millis(all).saturating_sub(own);
        }
        own + self.carried
    }

    /// Notes now and then that the platform is there; rides along with somebody's commit.
    pub fn note(&mut self, now: Now, changes: &mut Changes) {
        let due = self.noted.is_none_or(|noted| now.at.since(noted) >= NOTE_EVERY);
        if self.up && now.trusted && due {
            self.noted = Some(now.at);
            changes.insert(HEARD, &now.wall_ms.to_be_bytes());
        }
    }
}
