//! The lock against guessing: after some failures each further one makes whoever it was wait, twice
//! as long each time.
//!
//! - An address waits up to a quarter of an hour. In IPv6 the 64 leading bits are one address: that
//!   is what one customer gets.
//! - A user name waits up to a minute, against guessing from many addresses; not where that user
//!   came in before, so that nobody can keep a user out by failing in his name.
//! - What comes while it is locked is refused unseen and does not make the wait longer.
//! - A name that no user has is treated as one that a user has.
//!
//! The tables are bounded; when one is full, what failed least and longest ago is forgotten.

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;
use std::time::Duration;

use crate::model::Moment;

/// Failures without a wait.
const FREE_ADDRESS: u32 = 5;
const FREE_USER: u32 = 10;
/// Longest waits.
const LONGEST_ADDRESS: Duration = Duration::from_secs(900);
const LONGEST_USER: Duration = Duration::from_secs(60);
/// Failures are forgotten after so long without another.
const FORGET: Duration = Duration::from_secs(3600);
/// Most addresses and names that are remembered.
const MOST: usize = 1024;
/// Most places from which users came in that are remembered.
const MOST_KNOWN: usize = 256;
/// Longest name that is remembered, in characters.
const LONGEST_NAME: usize = 64;

/// What is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Locked {
    /// Everything from an address.
    Address,
    /// A user, from where he never came in.
    User,
}

/// A lock that a failure closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lock {
    /// What is locked.
    pub of: Locked,
    /// For how long.
    pub span: Duration,
    /// After how many failures.
    pub failures: u32,
}

#[derive(Debug, Clone, Copy)]
struct Failures {
    count: u32,
    last: Moment,
    until: Moment,
}

/// Failures of logins, as far as they are remembered.
#[derive(Debug, Default)]
pub struct Guesses {
    addresses: BTreeMap<IpAddr, Failures>,
    users: BTreeMap<String, Failures>,
    /// From where users came in, the newest last.
    known: VecDeque<(String, IpAddr)>,
}

impl Guesses {
    /// How long this user must still wait at this address; `None` when he may try.
    pub fn wait(&self, user: &str, from: IpAddr, now: Moment) -> Option<Duration> {
        let (user, from) = (name(user), place(from));
        let address = self.addresses.get(&from).map(|failures| failures.until);
        let own = self.users.get(&user).map(|failures| failures.until);
        let own = own.filter(|_| !self.known.contains(&(user, from)));
        let until = address.into_iter().chain(own).max()?;
        Some(until.since(now)).filter(|wait| !wait.is_zero())
    }

    /// A login failed; the lock that this closed, if any.
    pub fn failed(&mut self, user: &str, from: IpAddr, now: Moment) -> Option<Lock> {
        let address = count(&mut self.addresses, place(from), now, FREE_ADDRESS, LONGEST_ADDRESS);
        let own = count(&mut self.users, name(user), now, FREE_USER, LONGEST_USER);
        let lock = |of: Locked| move |(span, failures)| Lock { of, span, failures };
        address.map(lock(Locked::Address)).or(own.map(lock(Locked::User)))
    }

    /// A user came in.
    pub fn succeeded(&mut self, user: &str, from: IpAddr) {
        let (user, from) = (name(user), place(from));
        self.users.remove(&user);
        // One good account must not make guessing at others free.
        if self.addresses.get(&from).is_some_and(|failures| failures.count <= FREE_ADDRESS) {
            self.addresses.remove(&from);
        }
        self.known.retain(|known| *known != (user.clone(), from));
        self.known.push_back((user, from));
        if self.known.len() > MOST_KNOWN {
            self.known.pop_front();
        }
    }
}

/// Counts a failure; wait and count when it makes one wait.
fn count<K: Ord + Clone>(
    table: &mut BTreeMap<K, Failures>,
    key: K,
    now: Moment,
    free: u32,
    longest: Duration,
) -> Option<(Duration, u32)> {
    if table.len() >= MOST && !table.contains_key(&key) {
        table.retain(|_, failures| now.since(failures.last) < FORGET);
        let least = table.iter().min_by_key(|(_, failures)| (failures.count, failures.last));
        if table.len() >= MOST
            && let Some(least) = least.map(|(key, _)| key.clone())
        {
            table.remove(&least);
        }
    }
    let entry = table.entry(key).or_insert(Failures { count: 0, last: now, until: now });
    if now.since(entry.last) >= FORGET {
        entry.count = 0;
    }
    entry.count = entry.count.saturating_add(1);
    entry.last = now;
    let doublings = entry.count.checked_sub(free + 1)?;
    let span = Duration::from_secs(1u64 << doublings.min(20)).min(longest);
    entry.until = now.plus(span);
    Some((span, entry.count))
}

/// What counts as one address.
fn place(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(bits.into())
        }
        v4 => v4,
    }
}

fn name(user: &str) -> String {
    user.chars().take(LONGEST_NAME).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOME: &str = "192.168.1.7";

    fn at(seconds: u64) -> Moment {
        Moment { boot_ms: seconds * 1000 }
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn waits_grow_to_a_quarter_of_an_hour_and_end() {
        let mut guesses = Guesses::default();
        let mut now = 0;
        let mut waits = Vec::new();
        for n in 0..17 {
            // Another name each time: the address is what is locked.
            let lock = guesses.failed(&format!("user-{n}"), address(HOME), at(now));
            if let Some(wait) = guesses.wait("wang", address(HOME), at(now)) {
                assert_eq!(lock.unwrap().span, wait);
                waits.push(wait.as_secs());
                assert!(
                    guesses.wait("wang", address(HOME), at(now + wait.as_secs() - 1)).is_some()
                );
                now += wait.as_secs();
            }
            assert_eq!(guesses.wait("wang", address(HOME), at(now)), None);
        }
        assert_eq!(waits, [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]);
    }

    #[test]
    fn a_user_who_is_guessed_at_from_everywhere_still_gets_in_from_where_he_was() {
        let mut guesses = Guesses::default();
        guesses.succeeded("wang", address(HOME));
        for n in 0..30u8 {
            guesses.failed("wang", address(&format!("10.0.0.{n}")), at(0));
        }
        assert_eq!(guesses.wait("wang", address(HOME), at(0)), None);
        let elsewhere = guesses.wait("wang", address("10.9.9.9"), at(0)).unwrap();
        assert_eq!(elsewhere, Duration::from_secs(60));
        assert_eq!(guesses.wait("wang", address("10.9.9.9"), at(60)), None);
        assert_eq!(guesses.wait("zhang", address("10.9.9.9"), at(0)), None);
    }

    #[test]
    fn one_network_of_ipv6_is_one_address_and_a_mapped_one_is_its_own() {
        let mut guesses = Guesses::default();
        for n in 0..9 {
            guesses.failed("wang", address(&format!("2001:db8:1:2::{n}")), at(0));
        }
        assert!(guesses.wait("li", address("2001:db8:1:2:ffff::1"), at(0)).is_some());
        assert!(guesses.wait("li", address("2001:db8:1:3::1"), at(0)).is_none());
        for _ in 0..9 {
            guesses.failed("chen", address("::ffff:192.168.1.7"), at(0));
        }
        assert!(guesses.wait("li", address(HOME), at(0)).is_some());
    }

    #[test]
    fn coming_in_forgives_slips_but_not_an_attack() {
        let mut guesses = Guesses::default();
        for _ in 0..5 {
            guesses.failed("wang", address(HOME), at(0));
        }
        guesses.succeeded("wang", address(HOME));
        assert_eq!(guesses.failed("wang", address(HOME), at(1)), None);
        for _ in 0..9 {
            guesses.failed("zhang", address(HOME), at(1));
        }
        guesses.succeeded("wang", address(HOME));
        assert!(guesses.failed("zhang", address(HOME), at(1000)).is_some());
        assert_eq!(guesses.failed("zhang", address(HOME), at(5000)), None, "an hour later");
    }

    #[test]
    fn the_tables_are_bounded_and_keep_who_failed_most() {
        let mut guesses = Guesses::default();
        for _ in 0..20 {
            guesses.failed("wang", address(HOME), at(0));
        }
        for n in 0..3000u32 {
            let from = IpAddr::V4((0x0A00_0000 + n).into());
            guesses.failed(&format!("{n}{}", "x".repeat(100)), from, at(1));
            guesses.succeeded(&format!("{n}"), from);
        }
        assert!(guesses.addresses.len() <= MOST && guesses.users.len() <= MOST);
        assert!(guesses.known.len() <= MOST_KNOWN);
        assert!(guesses.wait("wang", address(HOME), at(1)).is_some());
    }
}
