//! Who may use the page, and the trail of who did what.

use std::path::PathBuf;

use anyhow::Context as _;

use super::Joints;
use crate::access::USERS_FILE;
use crate::audit::Audit;
use crate::buffer::Buffer;
use crate::config::Settings;
use crate::status::{Access, AccessBy};
use crate::supervise::Part;

/// The users file: where `[status] users` says, else beside the store.
pub fn users_file(settings: &Settings) -> PathBuf {
    let named = settings.status.as_ref().and_then(|status| status.users.clone());
    named.unwrap_or_else(|| settings.buffer.path.with_file_name(USERS_FILE))
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
    ) -> anyhow::Result<Access> {
        let store = buffer.store();
        let audit = Audit::open(store, self.clock.clone()).context("the audit trail")?;
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
        let tree = Some(store.tree("access"));
        let access = Access::guarded(&file, false, self.clock.clone(), Some(audit), tree)
            .context("who may use the page")?;
        let stop = self.supervisor.token(Part::Outlet);
        self.supervisor.spawn(Part::Outlet, "users", access.clone().watch(stop));
        Ok(access)
    }
}
