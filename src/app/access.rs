//! Who may use the page, and the trail of who did what.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Joints;
use crate::access::USERS_FILE;
use crate::audit::{Action, Audit, Deed, Outcome};
use crate::buffer::Buffer;
use crate::config::Settings;
use crate::model::EventKind;
use crate::status::{Access, AccessBy, Protection};
use crate::supervise::Part;

/// The users file: where `[status] users` says, else beside the store.
pub fn users_file(settings: &Settings) -> PathBuf {
    let named = settings.status.as_ref().and_then(|status| status.users.clone());
    named.unwrap_or_else(|| settings.buffer.path.with_file_name(USERS_FILE))
}

/// The reload that put this configuration in place, for the trail.
pub(super) fn applied(news: &[EventKind]) -> Option<Deed> {
    news.iter().find_map(|kind| match kind {
        EventKind::ConfigurationApplied { changes, .. } => {
            Some(Deed::done("console", "signal", Action::Reload, "").more(&changes.join("; ")))
        }
        _ => None,
    })
}

/// Notes a reload that was refused.
pub(super) async fn refused(audit: Option<&Audit>, faults: usize) {
    if let Some(audit) = audit {
        let deed = Deed::done("console", "signal", Action::Reload, "");
        audit.note(deed.ended(Outcome::Refused, &format!("{faults} faults"))).await;
    }
}

impl Joints {
    /// Goes on with the trail, and looks after the users.
    ///
    /// # Errors
    /// The trail cannot be read, the system gives no random numbers, or the page would be open to
    /// other machines.
    pub(super) fn access(
        &mut self,
        settings: &Settings,
        buffer: &Buffer,
        applied: Option<Deed>,
    ) -> anyhow::Result<Access> {
        let store = buffer.store();
        let audit = Audit::open(store, self.clock.clone()).context("the audit trail")?;
        if let Some(applied) = applied {
            audit.note_soon(applied);
        }
        let by = settings.status.as_ref().map_or(AccessBy::Open, |status| status.access);
        if by == AccessBy::Open {
            let listen = settings.status.as_ref().map(|status| status.listen);
            anyhow::ensure!(
                listen.is_none_or(|listen| listen.ip().is_loopback()),
                "the page is open without a login: it may listen on this machine only / \
                 页面无需登录，只允许在本机监听"
            );
            return Ok(Access::open(self.clock.clone(), Some(audit)));
        }
        let file = users_file(settings);
        let protection = settings.status.as_ref().map(|status| &status.protection);
        let secure = protection.is_some_and(|protection| *protection != Protection::Plain);
        let tree = Some(store.tree("access"));
        let access = Access::guarded(&file, secure, self.clock.clone(), Some(audit), tree)
            .context("who may use the page")?;
        let stop = self.supervisor.token(Part::Outlet);
        self.supervisor.spawn(Part::Outlet, "users", access.clone().watch(stop));
        Ok(access)
    }
}
