//! The users file changes while the page is served.

use std::os::unix::fs::PermissionsExt as _;

use super::{PASSWORD, edit, site, user};
use crate::access::{Role, Secret, Users, hash};

#[tokio::test]
async fn a_user_who_is_removed_or_changed_is_out_with_the_next_request() {
    let site = site().await;
    for change in [
        (|users: &mut Users| users.users.retain(|user| user.name != "wang")) as fn(&mut Users),
        |users| users.users.push(user("wang", Role::Maintainer)),
        |users| users.users.iter_mut().for_each(|user| user.role = Role::Viewer),
        |users| {
            let other = hash(&Secret::from("another-password".to_owned())).unwrap();
            users.users.iter_mut().for_each(|user| user.hash.clone_from(&other));
        },
    ] {
        let cookie = site.view.access.users().user("wang").is_some().then(|| site.session("wang"));
        edit(&site.file, change);
        if let Some(cookie) = cookie {
            assert_eq!(site.get("/", &format!("Cookie: {cookie}\r\n")).await.status, 303);
        }
    }
    site.view.access.look(false);
    let told = site.trail().join("\n");
    for entry in [
        "user_removed|done|wang",
        "user_added|done|wang|maintainer",
        "role_changed|done|wang|maintainer → viewer",
        "password_changed|done|wang",
    ] {
        assert!(told.contains(entry), "{entry}: {told}");
    }
}

#[tokio::test]
async fn a_users_file_that_is_gone_or_spoiled_lets_nobody_in_and_is_told() {
    let site = site().await;
    let cookie = format!("Cookie: {}\r\n", site.session("wang"));
    let bearer = format!("Authorization: Bearer {}\r\n", site.tokens[1]);
    let good = std::fs::read(&site.file).unwrap();
    std::fs::write(&site.file, &good[..good.len() / 2]).unwrap();
    for headers in [&cookie, &bearer] {
        assert!(site.get("/devices", headers).await.is_refused());
    }
    let login = site.get("/login?lang=en", "").await;
    assert!(login.body.contains("users file cannot be used"));
    assert_eq!(site.log_in("wang", PASSWORD).await.status, 403);
    assert!(site.trail().iter().any(|entry| entry.contains("users_unreadable|failed")));
    assert_eq!(site.trail().iter().filter(|entry| entry.contains("unreadable")).count(), 1);
    std::fs::remove_file(&site.file).unwrap();
    let first = site.get("/?lang=en", "").await;
    assert_eq!(first.status, 403);
    assert!(first.body.contains("linli users add") && !first.body.contains("海景花园"));
    assert!(site.get("/api/v1/gateway", &bearer).await.body.contains("linli users add"));
    // It comes back as it was: everybody comes in again.
    let new = site.file.with_extension("restored");
    std::fs::write(&new, &good).unwrap();
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&new, mode).unwrap();
    std::fs::rename(&new, &site.file).unwrap();
    assert_eq!(site.get("/devices", &bearer).await.status, 200);
    assert_eq!(site.log_in("wang", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_stream_ends_when_whoever_has_it_logs_out_or_his_token_is_taken_away() {
    let site = site().await;
    let cookie = site.session("li");
    let csrf = site.form_token(&cookie);
    let headers = format!("Cookie: {cookie}\r\n");
    let begun = async {
        while site.view.history_desk.is_idle() {
            tokio::task::yield_now().await;
        }
    };
    let logout = async {
        begun.await;
        site.post("/logout", &headers, &format!("csrf={csrf}")).await
    };
    let (stream, out) = tokio::join!(site.get("/api/v1/events", &headers), logout);
    assert_eq!((stream.status, out.status), (200, 303), "{}", out.body);
    assert!(stream.body.contains("event: health"), "{}", stream.body);

    let bearer = format!("Authorization: Bearer {}\r\n", site.tokens[0]);
    let taken = async {
        while site.view.history_desk.is_idle() {
            tokio::task::yield_now().await;
        }
        edit(&site.file, |users| users.tokens.clear());
        site.view.access.look(true);
    };
    let (stream, ()) = tokio::join!(site.get("/api/v1/events", &bearer), taken);
    assert_eq!(stream.status, 200);
    assert_eq!(site.get("/api/v1/gateway", &bearer).await.status, 401);
}
