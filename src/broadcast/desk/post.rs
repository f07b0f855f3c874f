//! One terminal or screen: what it said last, and what is still to be put right there after a warning
//! left it: silence, or the text that it showed before.

use super::keep::Row;
use super::{Desk, MOST_RETRIES, Now, OrderKind, Said, WORD_WITHIN};
use crate::model::{Moment, WarningId};

/// What is to be put right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Chore {
    /// Silence: this was cancelled, or its time is over.
    Silence(WarningId),
    /// The text from before.
    Former(String),
}

/// The same with its attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Doing {
    pub chore: Chore,
    /// For the trail: the warning that left.
    pub by: WarningId,
    /// Since when.
    since: Moment,
    /// When it is ordered (again).
    due: Moment,
    tries: u16,
    pub ticket: Option<u64>,
}

/// One terminal or screen.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Post {
    /// What it said last.
    pub said: Said,
    /// What a screen showed before the first of our texts.
    pub former: Option<String>,
    pub doing: Option<Doing>,
    /// The warning that had it last.
    pub last: Option<WarningId>,
}

impl Post {
    /// Whether something is still to be put right.
    pub fn is_busy(&self) -> bool {
        self.doing.is_some() || self.former.is_some()
    }

    pub fn give(&mut self, chore: Chore, by: WarningId, now: Now) {
        let (since, due) = (now.at, now.at);
        self.doing = Some(Doing { chore, by, since, due, tries: 0, ticket: None });
    }

    /// Whether the device says that it is as it should be.
    fn is_right(&self, doing: &Doing) -> bool {
        match &doing.chore {
            Chore::Silence(id) => {
                self.said.at >= doing.since
                    && (self.said.playing == Some(false)
                        || self.said.message.as_deref().is_some_and(|other| other != id.as_str()))
            }
            Chore::Former(text) => doing.tries > 0 && self.said.text.as_ref() == Some(text),
        }
    }
}

impl Desk {
    /// Nobody has the device: it is put right.
    pub(super) fn rest(&mut self, target: usize, now: Now) {
        let post = &mut self.posts[target];
        if post.doing.is_none()
            && let (Some(former), Some(last)) = (post.former.clone(), post.last.clone())
        {
            post.give(Chore::Former(former), last, now);
        }
        let Some(doing) = post.doing.clone() else { return };
        if post.is_right(&doing) || doing.tries > MOST_RETRIES {
            return self.put_right(target);
        }
        if doing.due > now.at {
            return;
        }
        let kind = match &doing.chore {
            Chore::Silence(_) if !self.setup.zones.targets()[target].stops => {
                return self.put_right(target);
            }
            Chore::Silence(_) => OrderKind::Stop,
            Chore::Former(text) => OrderKind::Text(text.clone()),
        };
        let ticket = self.order(target, kind, &doing.by, now);
        if let Some(doing) = &mut self.posts[target].doing {
            doing.tries += 1;
            doing.due = now.at.plus(WORD_WITHIN);
            doing.ticket = Some(ticket);
        }
    }

    /// It is as it should be, or was tried often enough.
    fn put_right(&mut self, target: usize) {
        let post = &mut self.posts[target];
        if let Some(Doing { chore: Chore::Former(_), .. }) = post.doing.take() {
            post.former = None;
            self.touched(Row::Former(target));
        }
    }

    /// What became of an order that was to put something right.
    pub(super) fn chore_outcome(&mut self, target: usize, ticket: u64, done: bool) {
        let Some(doing) = &mut self.posts[target].doing else { return };
        if doing.ticket != Some(ticket) {
            return;
        }
        doing.ticket = None;
        // A text is read back; that a terminal is silent it says itself.
        if done && matches!(doing.chore, Chore::Former(_)) {
            self.put_right(target);
        }
    }
}
