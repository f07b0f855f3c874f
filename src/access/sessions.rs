//! Sessions: a bounded table in memory, reached by a signed cookie.
//!
//! The key is made at each start and never leaves the memory, so sessions end with the daemon, and
//! no clock is needed to tell old ones. An id is made at login and at nothing else: nobody can give
//! a session to somebody.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use ring::rand::{SecureRandom as _, SystemRandom};

use crate::model::Moment;

/// A session ends after so long without a request.
pub const IDLE: Duration = Duration::from_secs(30 * 60);
/// A session ends so long after its login.
pub const LONGEST: Duration = Duration::from_secs(12 * 3600);

/// Most sessions at a time, of all and of one user; the one unused for longest gives way.
const MOST: usize = 64;
const MOST_OF_USER: usize = 8;

const ID: usize = 16;
const MAC: usize = 32;

type Id = [u8; ID];

#[derive(Debug)]
struct Session {
    user: String,
    /// What the user's entry was at login: another password or role ends the session.
    stamp: String,
    began: Moment,
    used: Moment,
}

/// The sessions.
pub struct Sessions {
    key: hmac::Key,
    random: SystemRandom,
    table: HashMap<Id, Session>,
}

impl std::fmt::Debug for Sessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Sessions({})", self.table.len())
    }
}

impl Sessions {
    /// None yet, and a new key.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn new() -> io::Result<Self> {
        let random = SystemRandom::new();
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &random).map_err(|_| no_random())?;
        Ok(Self { key, random, table: HashMap::new() })
    }

    /// Begins a session; its cookie's value.
    ///
    /// # Errors
    /// The system gave no random numbers.
    pub fn begin(&mut self, user: &str, stamp: &str, now: Moment) -> io::Result<String> {
        self.table.retain(|_, session| !session.is_over(now));
        let own = self.table.values().filter(|session| session.user == user).count();
        if own >= MOST_OF_USER {
            self.end_oldest(|session| session.user == user);
        } else if self.table.len() >= MOST {
            self.end_oldest(|_| true);
        }
        let mut id = [0u8; ID];
        self.random.fill(&mut id).map_err(|_| no_random())?;
        let (user, stamp) = (user.to_owned(), stamp.to_owned());
        self.table.insert(id, Session { user, stamp, began: now, used: now });
        let mac = hmac::sign(&self.key, &message("session", &id));
        Ok(URL_SAFE_NO_PAD.encode([&id[..], mac.as_ref()].concat()))
    }

    /// The user of a cookie, when its session is alive; that counts as a use. `stamp` gives what
    /// the user's entry is now; a session that began with another is over.
    pub fn user(
        &mut self,
        cookie: &str,
        now: Moment,
        stamp: impl FnOnce(&str) -> Option<String>,
    ) -> Option<String> {
        let id = self.id(cookie)?;
        let session = self.table.get_mut(&id)?;
        if session.is_over(now) || stamp(&session.user).is_none_or(|stamp| stamp != session.stamp) {
            self.table.remove(&id);
            return None;
        }
        session.used = now;
        Some(session.user.clone())
    }

    /// Ends the session of a cookie.
    pub fn end(&mut self, cookie: &str) {
        if let Some(id) = self.id(cookie) {
            self.table.remove(&id);
        }
    }

    /// The token that every form of this session carries.
    pub fn form_token(&self, cookie: &str) -> Option<String> {
        let id = self.id(cookie)?;
        let mac = hmac::sign(&self.key, &message("form", &id));
        Some(URL_SAFE_NO_PAD.encode(mac.as_ref()))
    }

    /// Whether this is the token of that session's forms.
    pub fn is_form_token(&self, cookie: &str, token: &str) -> bool {
        let (Some(id), Ok(mac)) = (self.id(cookie), URL_SAFE_NO_PAD.decode(token)) else {
            return false;
        };
        hmac::verify(&self.key, &message("form", &id), &mac).is_ok()
    }

    /// How many are alive.
    pub fn alive(&self, now: Moment) -> usize {
        self.table.values().filter(|session| !session.is_over(now)).count()
    }

    /// The id of a cookie that we signed.
    fn id(&self, cookie: &str) -> Option<Id> {
        let bytes = URL_SAFE_NO_PAD.decode(cookie).ok()?;
        let (id, mac) = bytes.split_first_chunk::<ID>()?;
        if mac.len() != MAC {
            return None;
        }
        hmac::verify(&self.key, &message("session", id), mac).ok()?;
        Some(*id)
    }

    fn end_oldest(&mut self, of: impl Fn(&Session) -> bool) {
        let sessions = self.table.iter().filter(|(_, session)| of(session));
        if let Some(id) = sessions.min_by_key(|(_, session)| session.used).map(|(id, _)| *id) {
            self.table.remove(&id);
        }
    }
}

impl Session {
    fn is_over(&self, now: Moment) -> bool {
        now.since(self.used) >= IDLE || now.since(self.began) >= LONGEST
    }
}

/// What is signed: a session's cookie must not be good as the token of its forms.
fn message(use_as: &str, id: &Id) -> Vec<u8> {
    [use_as.as_bytes(), b":", id].concat()
}

fn no_random() -> io::Error {
    io::Error::other("no random numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment { boot_ms: seconds * 1000 }
    }

    fn stamp(_: &str) -> Option<String> {
        Some("1".into())
    }

    #[test]
    fn a_cookie_with_any_bit_changed_or_signed_by_another_start_opens_nothing() {
        let mut sessions = Sessions::new().unwrap();
        let cookie = sessions.begin("wang", "1", at(0)).unwrap();
        assert_eq!(sessions.user(&cookie, at(1), stamp).as_deref(), Some("wang"));
        let bytes = URL_SAFE_NO_PAD.decode(&cookie).unwrap();
        for (n, bit) in (0..bytes.len()).flat_map(|n| (0..8).map(move |bit| (n, bit))) {
            let mut forged = bytes.clone();
            forged[n] ^= 1 << bit;
            let forged = URL_SAFE_NO_PAD.encode(forged);
            assert_eq!(sessions.user(&forged, at(1), stamp), None, "byte {n}, bit {bit}");
            assert!(!sessions.is_form_token(&forged, &sessions.form_token(&cookie).unwrap()));
        }
        for end in 0..cookie.len() {
            assert_eq!(sessions.user(cookie.get(..end).unwrap(), at(1), stamp), None);
        }
        let mut other = Sessions::new().unwrap();
        assert_eq!(other.user(&cookie, at(1), stamp), None);
    }

    #[test]
    fn the_token_of_a_form_belongs_to_its_session_alone() {
        let mut sessions = Sessions::new().unwrap();
        let one = sessions.begin("wang", "1", at(0)).unwrap();
        let two = sessions.begin("wang", "1", at(0)).unwrap();
        let token = sessions.form_token(&one).unwrap();
        assert!(sessions.is_form_token(&one, &token));
        for (cookie, token) in [(&*two, &*token), (&one, ""), (&one, &one), ("", &token)] {
            assert!(!sessions.is_form_token(cookie, token));
        }
        let mut bytes = URL_SAFE_NO_PAD.decode(&token).unwrap();
        for n in 0..bytes.len() {
            bytes[n] ^= 0x10;
            assert!(!sessions.is_form_token(&one, &URL_SAFE_NO_PAD.encode(&bytes)));
            bytes[n] ^= 0x10;
        }
    }

    #[test]
    fn sessions_end_unused_after_half_an_hour_and_used_after_twelve() {
        let mut sessions = Sessions::new().unwrap();
        let cookie = sessions.begin("wang", "1", at(0)).unwrap();
        for minute in (0..720).step_by(20) {
            assert!(sessions.user(&cookie, at(minute * 60), stamp).is_some(), "{minute}");
        }
        assert!(sessions.user(&cookie, at(720 * 60), stamp).is_none());
        let cookie = sessions.begin("wang", "1", at(0)).unwrap();
        assert!(sessions.user(&cookie, at(30 * 60), stamp).is_none());
        assert!(sessions.user(&cookie, at(1), stamp).is_none(), "it does not come back");
    }

    #[test]
    fn a_changed_or_removed_user_is_out_at_once_and_for_good() {
        let mut sessions = Sessions::new().unwrap();
        for change in [Some("2".to_owned()), None] {
            let cookie = sessions.begin("wang", "1", at(0)).unwrap();
            assert!(sessions.user(&cookie, at(1), |_| change).is_none());
            assert!(sessions.user(&cookie, at(1), stamp).is_none());
        }
        let cookie = sessions.begin("wang", "1", at(0)).unwrap();
        sessions.end(&cookie);
        assert!(sessions.user(&cookie, at(1), stamp).is_none());
    }

    #[test]
    fn the_table_is_bounded_and_a_user_ends_only_his_own() {
        let mut sessions = Sessions::new().unwrap();
        let other = sessions.begin("li", "1", at(0)).unwrap();
        let first = sessions.begin("wang", "1", at(1)).unwrap();
        for n in 0..20 {
            sessions.begin("wang", "1", at(2 + n)).unwrap();
        }
        assert_eq!(sessions.alive(at(30)), 1 + MOST_OF_USER);
        assert!(sessions.user(&first, at(30), stamp).is_none());
        assert!(sessions.user(&other, at(30), stamp).is_some());
        for n in 0..200 {
            sessions.begin(&format!("user-{n}"), "1", at(31)).unwrap();
        }
        assert_eq!(sessions.alive(at(31)), MOST);
    }
}
