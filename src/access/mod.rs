//! Who may do what on the page: users with passwords, API tokens, sessions, the lock against
//! guessing. Nothing here speaks HTTP; [`status`](crate::status) does.
//!
//! # What is kept where
//!
//! | what | where |
//! | --- | --- |
//! | users, with argon2id hashes of their passwords; tokens, with their SHA-256 | the users file, mode 0600, beside the store; only `linli users` writes it |
//! | the console's token, for `linli` on this machine | a file of mode 0600 beside it, new at each start |
//! | sessions, failures of logins | memory alone: they end with the daemon, so no clock is asked; a reload hands the sessions on |
//!
//! Spans are measured on the monotonic clock: a box without a clock battery knows no date at first.

mod lockout;
mod password;
mod secret;
mod sessions;
mod token;
mod users;

pub use lockout::{Guesses, Lock, Locked};
pub use password::{LEAST_PASSWORD, MOST_PASSWORD, Password, PasswordFault, hash, looks_like_hash};
pub use secret::Secret;
pub use sessions::{IDLE, LONGEST, Sessions};
pub use token::{CONSOLE_FILE, ConsoleToken, digest, new_token};
pub use users::{Change, More, Role, Token, USERS_FILE, User, Users, UsersFault, check_name};
