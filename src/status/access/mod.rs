//! Who may reach what on the page, the API and the metrics, and the trail of who did what.
//!
//! | who | is told by | may |
//! | --- | --- | --- |
//! | nobody | | `/healthz`; of `/readyz` the status; the login |
//! | viewer | session cookie, or `Authorization: Bearer` with an API token | look |
//! | maintainer | the same | also record, attest, withdraw, scan, see the settings and change the configuration, and read the audit trail |
//! | console | the token in the state folder | as maintainer |
//!
//! With `access = "open"`, on a loopback address only, everybody is maintainer.
//!
//! One layer decides for every route ([`gate`]): what it does not know needs a viewer to be read
//! and a maintainer for all else, so that a new route is not open by oversight.

mod gate;
mod login;
mod seen;
#[cfg(test)]
mod tests;
mod trail;
mod who;

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

pub(super) use gate::{OnlyLooked, gate};
pub(super) use login::{login, login_page, logout};
#[cfg(feature = "schema")]
pub(super) use trail::{SessionRow, UserRows};
pub(super) use trail::{api_audit, api_session, api_users, api_verify, audit_page};
pub(super) use who::{Via, Who, cookie};

use crate::access::{ConsoleToken, Guesses, Role, Sessions, Users, digest};
use crate::audit::{Action, Audit, Deed, Outcome};
use crate::clock::Clock;
use crate::model::{Moment, Words};
use crate::store::Tree;
use seen::Seen;

/// How often the users file is looked at beside every request.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// Logins that may wait for the one hash that is made at a time.
const MOST_WAITING: usize = 8;
/// Entries in a minute that anybody on the network can cause in the trail.
const MOST_REFUSALS: u32 = 10;
const MINUTE: Duration = Duration::from_secs(60);

/// Handle on who may do what; clones share it.
#[derive(Clone)]
pub struct Access(Arc<Inner>);

struct Inner {
    /// `None`: open to whoever reaches the page.
    guard: Option<Guard>,
    audit: Option<Audit>,
    clock: Clock,
    refusals: Mutex<Refusals>,
}

struct Guard {
    path: PathBuf,
    console: Option<ConsoleToken>,
    /// The page speaks TLS: cookies never travel in clear.
    secure: bool,
    known: Mutex<Known>,
    sessions: Arc<Mutex<Sessions>>,
    guesses: Mutex<Guesses>,
    /// One hash at a time: each takes 19 MiB.
    hashing: Semaphore,
    queue: Semaphore,
    counts: Mutex<Counts>,
    /// When a lock was told to the platform last.
    told: Mutex<Option<Moment>>,
}

/// The sessions of a page, for the next one that goes on with them; holds nothing else of it.
pub struct KeptSessions(Option<Arc<Mutex<Sessions>>>);

/// The users as of the last look at their file.
struct Known {
    users: Arc<Users>,
    state: Option<crate::access::Change>,
    fault: Option<Words>,
    seen: Seen,
}

/// What came of logins since the start, for the metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    pub done: u64,
    pub refused: u64,
    pub locks: u64,
}

/// Holds back entries that anybody can cause.
#[derive(Debug, Default)]
struct Refusals {
    since: Moment,
    noted: u32,
    held: u32,
}

impl std::fmt::Debug for Access {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(if self.is_open() { "Access(open)" } else { "Access(login)" })
    }
}

impl Access {
    /// Open to whoever reaches the page: for one that listens on this machine only.
    pub fn open(clock: Clock, audit: Option<Audit>) -> Self {
        Self(Arc::new(Inner { guard: None, audit, clock, refusals: Mutex::default() }))
    }

    /// By login, with the users of a file. What the tree remembers of an earlier run tells which
    /// users were changed meanwhile. Makes the console's token beside the file; where that cannot
    /// be written the gateway goes on, and only its commands cannot ask it. Blocks.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn guarded(
        path: &Path,
        secure: bool,
        clock: Clock,
        audit: Option<Audit>,
        tree: Option<Tree>,
    ) -> std::io::Result<Self> {
        let console = match ConsoleToken::make(path.parent().unwrap_or(Path::new("."))) {
            Ok(token) => Some(token),
            Err(error) => {
                tracing::warn!(%error, "no token for the console: commands cannot ask the page");
                None
            }
        };
        let known =
            Known { users: Arc::default(), state: None, fault: None, seen: Seen::load(tree) };
        let guard = Guard {
            path: path.to_owned(),
            console,
            secure,
            known: Mutex::new(known),
            sessions: Arc::new(Mutex::new(Sessions::new()?)),
            guesses: Mutex::default(),
            hashing: Semaphore::new(1),
            queue: Semaphore::new(MOST_WAITING),
            counts: Mutex::default(),
            told: Mutex::default(),
        };
        let guard = Some(guard);
        let access = Self(Arc::new(Inner { guard, audit, clock, refusals: Mutex::default() }));
        access.look(true);
        Ok(access)
    }

    /// Its sessions, to be handed to the page that follows.
    pub fn sessions(&self) -> KeptSessions {
        KeptSessions(self.0.guard.as_ref().map(|guard| Arc::clone(&guard.sessions)))
    }

    /// Goes on with the sessions of the page before: whoever changed the configuration there is not
    /// thrown out by it.
    pub fn go_on_with(&self, before: &KeptSessions) {
        if let (Some(guard), Some(before)) = (&self.0.guard, &before.0) {
            std::mem::swap(&mut *lock(&guard.sessions), &mut *lock(before));
        }
    }

    /// The trail; `None` where nothing can be kept.
    pub fn audit(&self) -> Option<&Audit> {
        self.0.audit.as_ref()
    }

    /// Looks at the users file until told to stop: a change is noted in the trail soon, also when
    /// nobody asks for anything.
    pub async fn watch(self, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            let this = self.clone();
            let looked = tokio::task::spawn_blocking(move || this.look(false)).await;
            if looked.unwrap_or(false)
                && let Some(audit) = self.audit()
            {
                audit.settle().await;
            }
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.0.guard.is_none()
    }

    /// What came of logins, and the sessions that are alive; `None` when open.
    pub(super) fn counts(&self) -> Option<(Counts, usize)> {
        let guard = self.0.guard.as_ref()?;
        let alive = lock(&guard.sessions).alive(self.0.clock.now());
        Some((*lock(&guard.counts), alive))
    }

    /// Why nobody can log in, if so: the users file cannot be used.
    pub(super) fn fault(&self) -> Option<Words> {
        lock(&self.0.guard.as_ref()?.known).fault.clone()
    }

    /// Who may do what, for the settings; `None` when open.
    pub(super) fn known_users(&self) -> Option<Arc<Users>> {
        (!self.is_open()).then(|| self.users())
    }

    /// The users now. Looks whether their file changed: who was removed is out at once.
    fn users(&self) -> Arc<Users> {
        let Some(guard) = &self.0.guard else { return Arc::default() };
        self.look(false);
        Arc::clone(&lock(&guard.known).users)
    }

    /// Reads the users file if it changed; whether it did. Blocks shortly.
    fn look(&self, first: bool) -> bool {
        let Some(guard) = &self.0.guard else { return false };
        let mut known = lock(&guard.known);
        let state = Users::state(&guard.path);
        match &state {
            Ok(state) if *state == known.state && !first && known.fault.is_none() => return false,
            // The same fault as before, of the same file.
            Ok(state) if *state == known.state && !first && state.is_some() => return false,
            _ => {}
        }
        let loaded = state.and_then(|state| Users::load(&guard.path).map(|users| (state, users)));
        let (state, users, fault) = match loaded {
            Ok((state, users)) => (state, users, None),
            Err(fault) => {
                let state = Users::state(&guard.path).ok().flatten();
                (state, Users::default(), Some(fault.words()))
            }
        };
        let new_fault = fault != known.fault;
        known.state = state;
        if let Some(fault) = &fault
            && new_fault
        {
            tracing::error!(fault = fault.en, "nobody can log in: the users file cannot be used");
            self.soon(
                Deed::done("-", "file", Action::UsersUnreadable, "")
                    .ended(Outcome::Failed, &fault.en),
            );
        }
        // A file that cannot be read says nothing about who was removed.
        if fault.is_none() {
            for deed in known.seen.differences(&users) {
                tracing::info!(what = deed.action.word(), who = deed.about, "the users changed");
                self.soon(deed);
            }
        }
        known.users = Arc::new(users);
        known.fault = fault;
        true
    }

    /// Notes an entry that rides along with the next commit.
    fn soon(&self, deed: Deed) {
        if let Some(audit) = &self.0.audit {
            audit.note_soon(deed);
        }
    }

    /// Notes an entry that anybody can cause: at most ten in a minute, the others are counted.
    fn refused(&self, mut deed: Deed) {
        let now = self.0.clock.now();
        let mut refusals = lock(&self.0.refusals);
        if now.since(refusals.since) >= MINUTE {
            *refusals = Refusals { since: now, noted: 0, held: refusals.held };
        }
        if refusals.noted >= MOST_REFUSALS {
            refusals.held = refusals.held.saturating_add(1);
            return;
        }
        refusals.noted += 1;
        let held = std::mem::take(&mut refusals.held);
        drop(refusals);
        if held > 0 {
            deed.detail += &format!(" (+{held} not listed)");
        }
        self.soon(deed);
    }

    /// Notes what a person did, durably.
    pub(super) async fn did(&self, deed: Deed) {
        if let Some(audit) = &self.0.audit {
            audit.note(deed).await;
        }
    }

    /// Who presents a token; `None` for one that is not good now.
    fn by_token(&self, token: &crate::access::Secret) -> Option<Who> {
        let guard = self.0.guard.as_ref()?;
        let digest = digest(token);
        if guard.console.as_ref().is_some_and(|console| console.is(&digest)) {
            return Some(Who::new("console", Role::Maintainer, Via::Token));
        }
        let users = self.users();
        let token = users.token(&digest)?;
        let now = self.0.clock.wall(self.0.clock.now());
        // Without a trusted clock nobody knows whether it ended: then it did.
        if let Some(ends) = token.ends_ms
            && now.is_none_or(|now| now.unix_ms >= ends)
        {
            return None;
        }
        lock(&guard.known).seen.used(&digest, now);
        Some(Who::new(&format!("token:{}", token.name), token.role, Via::Token))
    }

    /// Who shows this cookie; `None` when its session is over.
    fn by_cookie(&self, cookie: &str) -> Option<Who> {
        let guard = self.0.guard.as_ref()?;
        let users = self.users();
        let now = self.0.clock.now();
        let mut sessions = lock(&guard.sessions);
        let stamp = |name: &str| users.user(name).map(crate::access::User::stamp);
        let name = sessions.user(cookie, now, stamp)?;
        let user = users.user(&name)?;
        let token = sessions.form_token(cookie)?;
        Some(Who::new(&user.name, user.role, Via::Session).with_form_token(token))
    }

    fn is_form_token(&self, cookie: &str, token: &str) -> bool {
        let Some(guard) = &self.0.guard else { return false };
        lock(&guard.sessions).is_form_token(cookie, token)
    }

    /// Name of the session's cookie. Under TLS the browser itself takes care that no other host
    /// and no page in clear sets it.
    fn cookie_name(&self) -> &'static str {
        match &self.0.guard {
            Some(Guard { secure: true, .. }) => "__Host-linli_session",
            _ => "linli_session",
        }
    }
}

// Nothing that holds one of these locks panics half-way through a change.
fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An address for people and for the trail.
fn place(from: IpAddr) -> String {
    from.to_canonical().to_string()
}
