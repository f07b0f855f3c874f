//! Guessing.

use std::net::IpAddr;
use std::time::Duration;

use tokio::sync::mpsc;

use super::{PASSWORD, Site, pass, site};
use crate::model::EventKind;
use crate::pipeline::Act;
use crate::status::View;

async fn try_from(site: &Site, from: &str, name: &str, password: &str) -> (u16, Option<u64>) {
    let from: IpAddr = from.parse().unwrap();
    let headers = "Content-Type: application/x-www-form-urlencoded\r\n";
    let form = format!("name={name}&password={password}");
    let answer = site.ask_from(from, "POST /login", headers, &form).await;
    (answer.status, answer.header("retry-after").map(|text| text.parse().unwrap()))
}

#[tokio::test]
async fn an_address_that_guesses_waits_and_others_do_not() {
    let mut site = site().await;
    let (acts, mut told) = mpsc::channel(16);
    site.view = View { acts, ..site.view };
    for _ in 0..6 {
        assert_eq!(try_from(&site, "127.0.0.2", "wang", "guess").await.0, 403);
    }
    let (status, after) = try_from(&site, "127.0.0.2", "wang", PASSWORD).await;
    assert_eq!((status, after), (429, Some(1)), "the right password waits too");
    assert_eq!(try_from(&site, "127.0.0.2", "nobody", "guess").await.0, 429);
    assert_eq!(try_from(&site, "127.0.0.3", "wang", PASSWORD).await.0, 303);
    pass(Duration::from_secs(1)).await;
    assert_eq!(try_from(&site, "127.0.0.2", "wang", "guess").await.0, 403);
    assert_eq!(try_from(&site, "127.0.0.2", "wang", PASSWORD).await, (429, Some(1)));
    pass(Duration::from_secs(2)).await;
    assert_eq!(try_from(&site, "127.0.0.2", "wang", PASSWORD).await.0, 303);
    // Told once: the next lock came within the minute.
    let Some(Act::Kept(EventKind::LoginLocked { user, from, failures, seconds })) =
        told.recv().await
    else {
        panic!("no lock was told")
    };
    assert_eq!((user.as_deref(), &*from, failures, seconds), (Some("wang"), "127.0.0.2", 6, 1));
    assert!(told.try_recv().is_err());
    let locks = site.trail().iter().filter(|entry| entry.contains("login_locked")).count();
    assert_eq!(locks, 2);
    assert_eq!(site.view.access.counts().unwrap().0.locks, 2);
}

#[tokio::test]
async fn a_user_who_is_guessed_at_from_everywhere_still_comes_in_from_where_he_was() {
    let site = site().await;
    assert_eq!(try_from(&site, "127.0.0.200", "wang", PASSWORD).await.0, 303);
    for n in 2..13 {
        try_from(&site, &format!("127.0.0.{n}"), "wang", "guess").await;
    }
    assert_eq!(try_from(&site, "127.0.0.100", "wang", PASSWORD).await.0, 429);
    assert_eq!(try_from(&site, "127.0.0.200", "wang", PASSWORD).await.0, 303);
    // A script and the console have no password to guess: they are never locked.
    let bearer = format!("Authorization: Bearer {}\r\n", site.tokens[0]);
    let from: IpAddr = "127.0.0.12".parse().unwrap();
    assert_eq!(site.ask_from(from, "GET /metrics", &bearer, "").await.status, 200);
}

#[tokio::test]
async fn many_at_a_time_do_not_get_past_the_count_nor_take_the_memory() {
    let site = site().await;
    let tries = (0..40).map(|_| try_from(&site, "127.0.0.2", "wang", "guess"));
    let mut statuses = Vec::new();
    for (status, _) in futures_util::future::join_all(tries).await {
        statuses.push(status);
    }
    let count = |wanted: u16| statuses.iter().filter(|status| **status == wanted).count();
    // Compared were at most the free ones and the one that locked.
    assert!(count(403) <= 6, "{statuses:?}");
    assert_eq!(count(403) + count(429) + count(503), 40, "{statuses:?}");
}

#[tokio::test]
async fn whoever_guesses_for_long_fills_neither_trail_nor_flash() {
    let site = site().await;
    for n in 0..15 {
        try_from(&site, &format!("127.0.1.{n}"), &format!("user-{n}"), "guess").await;
    }
    let refused = site.trail().iter().filter(|entry| entry.contains("|refused|")).count();
    assert_eq!(refused, 10);
    pass(Duration::from_secs(61)).await;
    try_from(&site, "127.0.2.1", "wang", "guess").await;
    assert!(site.trail().last().unwrap().ends_with("(+5 not listed)"));
}
