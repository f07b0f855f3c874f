//! The page behind its login, over real sockets.

mod lock;
mod routes;
mod trail;
mod users;

use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::LazyLock;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket};
use tokio_util::sync::CancellationToken;

use super::{Access, Guard, lock as hold};
use crate::access::{More, Role, Secret, Token, USERS_FILE, User, Users, UsersFault, digest, hash};
use crate::audit::{Audit, Entry, Filter};
use crate::status::sample::sample;
use crate::status::{View, serve};
use crate::store::{Limits, Store};

/// Of everybody here.
const PASSWORD: &str = "correct-horse-battery";

static HASH: LazyLock<String> = LazyLock::new(|| hash(&Secret::from(PASSWORD.to_owned())).unwrap());

/// A page behind a login with a viewer `li`, a maintainer `wang`, and a token of each role.
struct Site {
    view: View,
    file: PathBuf,
    audit: Audit,
    tokens: [String; 2],
    folder: tempfile::TempDir,
}

/// What a browser gets.
struct Answer {
    status: u16,
    head: String,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.into_iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The session's cookie as it is sent back.
    fn cookie(&self) -> Option<String> {
        let set = self.header("set-cookie")?.split(';').next()?;
        set.starts_with("linli_session=").then(|| set.to_owned())
    }

    /// Whether the layer in front refused it.
    fn is_refused(&self) -> bool {
        matches!(self.status, 401 | 403)
            || (self.status == 303 && self.header("location").unwrap().starts_with("/login?next="))
    }
}

fn edit(file: &Path, change: impl FnOnce(&mut Users)) {
    Users::edit(file, |users| {
        change(users);
        Ok::<(), UsersFault>(())
    })
    .unwrap();
}

fn user(name: &str, role: Role) -> User {
    User { name: name.into(), role, hash: HASH.clone(), more: More::new() }
}

async fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(USERS_FILE);
    let tokens = Role::ALL.map(|role| format!("linli_test-token-of-a-{}", role.word()));
    edit(&file, |users| {
        users.users = vec![user("li", Role::Viewer), user("wang", Role::Maintainer)];
        users.tokens = Role::ALL
            .iter()
            .zip(&tokens)
            .map(|(role, token)| Token {
                name: format!("script-{}", role.word()),
                role: *role,
                sha256: digest(&token.clone().into()),
                made_ms: 0,
                ends_ms: None,
                more: More::new(),
            })
            .collect();
    });
    let mut view = sample(1, 0).await.view;
    let store = Store::open(&folder.path().join("store"), Limits::default()).unwrap();
    let audit = Audit::open(&store, view.clock.clone()).unwrap();
    view.access = guarded(&view, &file, &store, &audit);
    Site { view, file, audit, tokens, folder }
}

fn guarded(view: &View, file: &Path, store: &Store, audit: &Audit) -> Access {
    let (clock, tree) = (view.clock.clone(), Some(store.tree("access")));
    Access::guarded(file, false, clock, Some(audit.clone()), tree).unwrap()
}

async fn pass(span: Duration) {
    tokio::time::pause();
    tokio::time::advance(span).await;
    tokio::time::resume();
}

impl Site {
    fn guard(&self) -> &Guard {
        self.view.access.0.guard.as_ref().unwrap()
    }

    /// A session, as a login begins it.
    fn session(&self, name: &str) -> String {
        let users = self.view.access.users();
        let stamp = users.user(name).unwrap().stamp();
        let now = self.view.clock.now();
        let cookie = hold(&self.guard().sessions).begin(name, &stamp, now).unwrap();
        format!("linli_session={cookie}")
    }

    fn form_token(&self, cookie: &str) -> String {
        let value = cookie.strip_prefix("linli_session=").unwrap();
        hold(&self.guard().sessions).form_token(value).unwrap()
    }

    async fn get(&self, path: &str, headers: &str) -> Answer {
        self.ask(&format!("GET {path}"), headers, "").await
    }

    async fn post(&self, path: &str, headers: &str, form: &str) -> Answer {
        let headers = format!("{headers}Content-Type: application/x-www-form-urlencoded\r\n");
        self.ask(&format!("POST {path}"), &headers, form).await
    }

    async fn log_in(&self, name: &str, password: &str) -> Answer {
        self.post("/login", "", &format!("name={name}&password={password}&next=%2Fdevices")).await
    }

    async fn ask(&self, line: &str, headers: &str, body: &str) -> Answer {
        self.ask_from("127.0.0.1".parse().unwrap(), line, headers, body).await
    }

    async fn ask_from(&self, from: IpAddr, line: &str, headers: &str, body: &str) -> Answer {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let client = async {
            let socket = TcpSocket::new_v4().unwrap();
            socket.bind(SocketAddr::new(from, 0)).unwrap();
            let mut stream = socket.connect(address).await.unwrap();
            let host = if headers.contains("Host: ") { "" } else { "Host: localhost\r\n" };
            let text = format!(
                "{line} HTTP/1.1\r\n{host}Connection: close\r\nContent-Length: {}\r\n{headers}\r\n{body}",
                body.len()
            );
            stream.write_all(text.as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            stop.cancel();
            answer
        };
        let (served, answer) =
            tokio::join!(serve(listener, self.view.clone(), stop.clone()), client);
        served.unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Answer { status, head: head.to_owned(), body: body.to_owned() }
    }

    /// The trail, the oldest first: who, action, outcome, about, detail.
    fn trail(&self) -> Vec<String> {
        let page = self.audit.trail().page(&Filter::default(), 100).unwrap();
        let text = |e: &Entry| {
            let parts = [&e.who, e.action.word(), &e.outcome.words().en, &e.about, &e.detail];
            parts.map(str::to_owned).join("|")
        };
        page.entries.iter().rev().map(text).collect()
    }
}

#[tokio::test]
async fn who_knows_the_password_comes_in_and_goes_out_again() {
    let site = site().await;
    let first = site.get("/devices?state=offline", "").await;
    assert_eq!(first.header("location"), Some("/login?next=%2Fdevices%3Fstate%3Doffline"));
    let wrong = site.log_in("wang", "wrong-horse-battery").await;
    assert_eq!((wrong.status, wrong.cookie()), (403, None));
    assert!(wrong.body.contains("用户名或口令不正确") && !wrong.body.contains("wrong-horse"));
    let unknown = site.log_in("nobody", PASSWORD).await;
    let strip = |answer: &Answer| answer.body.replace("nobody", "wang");
    assert_eq!((unknown.status, strip(&unknown)), (wrong.status, strip(&wrong)), "no difference");
    let right = site.log_in("wang", PASSWORD).await;
    assert_eq!((right.status, right.header("location")), (303, Some("/devices")));
    let set = right.header("set-cookie").unwrap();
    assert!(set.contains("; HttpOnly") && set.contains("; SameSite=Lax") && set.contains("Path=/"));
    let cookie = right.cookie().unwrap();
    let headers = format!("Cookie: linli_lang=en; {cookie}\r\n");
    let page = site.get("/", &headers).await;
    assert_eq!(page.status, 200);
    assert!(page.body.contains("wang") && page.body.contains("/audit"));
    let token = site.form_token(&cookie);
    let out = site.post("/logout", &headers, &format!("csrf={token}")).await;
    assert_eq!((out.status, out.header("location")), (303, Some("/login")));
    assert!(out.header("set-cookie").unwrap().contains("Max-Age=0"));
    assert_eq!(site.get("/", &headers).await.status, 303);
    let told = site.trail().join("\n");
    for entry in [
        "wang|login|refused||password",
        "-|login|refused||no such user",
        "wang|login|done|",
        "wang|logout|done|",
    ] {
        assert!(told.contains(entry), "{entry}: {told}");
    }
    assert!(!told.contains("nobody") && !told.contains("horse"));
}

#[tokio::test]
async fn a_login_begins_a_session_of_its_own_and_ends_the_one_before() {
    let site = site().await;
    let planted = "linli_session=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let form = format!("name=wang&password={PASSWORD}");
    let first = site.post("/login", &format!("Cookie: {planted}\r\n"), &form).await;
    let first = first.cookie().unwrap();
    assert_ne!(first, planted);
    let second = site.post("/login", &format!("Cookie: {first}\r\n"), &form).await;
    let second = second.cookie().unwrap();
    assert_ne!(first, second);
    assert_eq!(site.get("/", &format!("Cookie: {first}\r\n")).await.status, 303);
    assert_eq!(site.get("/", &format!("Cookie: {second}\r\n")).await.status, 200);
}

#[tokio::test]
async fn a_form_without_the_token_of_its_own_session_or_from_another_site_does_nothing() {
    let site = site().await;
    let (own, other) = (site.session("wang"), site.session("wang"));
    let (token, foreign) = (site.form_token(&own), site.form_token(&other));
    let cookie = format!("Cookie: {own}\r\n");
    let path = "/devices/electricity_meter-0-0/exchange";
    let try_it = async |headers: &str, form: String| {
        site.post(path, &format!("{cookie}{headers}"), &form).await.status
    };
    for (headers, form) in [
        ("", "by=x".to_owned()),
        ("", "by=x&csrf=".to_owned()),
        ("", format!("by=x&csrf={foreign}")),
        ("", format!("by=x&csrf={}", own.split_once('=').unwrap().1)),
        ("X-Linli-CSRF: abc\r\n", "by=x".to_owned()),
        ("Origin: http://evil.cn\r\n", format!("by=x&csrf={token}")),
        ("Origin: null\r\n", format!("by=x&csrf={token}")),
        ("Sec-Fetch-Site: cross-site\r\n", format!("by=x&csrf={token}")),
        ("Sec-Fetch-Site: same-site\r\n", format!("by=x&csrf={token}")),
    ] {
        assert_eq!(try_it(headers, form.clone()).await, 403, "{headers}{form}");
    }
    // The pipeline of the sample is gone: what is let through finds the gateway stopping.
    for (headers, form) in [
        ("", format!("by=x&csrf={token}")),
        ("Origin: http://localhost\r\n", format!("by=x&csrf={token}")),
        (&*format!("X-Linli-CSRF: {token}\r\n"), "by=x".to_owned()),
    ] {
        assert_eq!(try_it(headers, form.clone()).await, 503, "{headers}{form}");
    }
    // A script's token is in no browser: it needs no such proof.
    let bearer = format!("Authorization: Bearer {}\r\n", site.tokens[1]);
    assert_eq!(site.post(path, &bearer, "by=x").await.status, 503);
    let login = format!("name=wang&password={PASSWORD}");
    let foreign = site.post("/login", "Origin: http://evil.cn\r\n", &login).await;
    assert_eq!((foreign.status, foreign.cookie()), (403, None));
    let long = format!("by={}&csrf={token}", "x".repeat(70_000));
    assert_eq!(try_it("", long).await, 413);
}

#[tokio::test]
async fn every_form_of_a_maintainer_carries_the_token_and_a_viewer_sees_none() {
    let site = site().await;
    let page = "/devices/electricity_meter-0-0";
    for (name, forms) in [("wang", 2), ("li", 1)] {
        let cookie = site.session(name);
        let body = site.get(page, &format!("Cookie: {cookie}\r\n")).await.body;
        let token = site.form_token(&cookie);
        assert_eq!(body.matches("<form").count(), forms, "{name}");
        assert_eq!(body.matches(&format!("name=\"csrf\" value=\"{token}\"")).count(), forms);
        assert_eq!(body.contains("name=\"by\""), name == "wang");
        assert_eq!(body.contains("value=\"wang\""), name == "wang", "the name is filled in");
    }
}

#[tokio::test]
async fn tokens_work_until_they_end_or_are_revoked_and_a_bad_one_is_not_helped_by_a_cookie() {
    let site = site().await;
    let now = site.view.clock.wall(site.view.clock.now()).unwrap().unix_ms;
    let ask = async |token: &str, more: &str| {
        site.get("/api/v1/gateway", &format!("Authorization: Bearer {token}\r\n{more}"))
            .await
            .status
    };
    let token = site.tokens[0].clone();
    assert_eq!(ask(&token, "").await, 200);
    assert_eq!(
        site.get("/metrics", &format!("Authorization: bearer {token}\r\n")).await.status,
        200
    );
    assert_eq!(
        site.get("/metrics", &format!("Authorization: Basic {token}\r\n")).await.status,
        401
    );
    let cookie = format!("Cookie: {}\r\n", site.session("wang"));
    assert_eq!(ask("linli_wrong", &cookie).await, 401);
    edit(&site.file, |users| users.tokens[0].ends_ms = Some(now + 600_000));
    assert_eq!(ask(&token, "").await, 200);
    pass(Duration::from_secs(600)).await;
    assert_eq!(ask(&token, "").await, 401);
    edit(&site.file, |users| users.tokens[0].ends_ms = None);
    assert_eq!(ask(&token, "").await, 200);
    let users = site.get("/api/v1/users", &cookie).await;
    let users: serde_json::Value = serde_json::from_str(&users.body).unwrap();
    assert!(users["tokens"][0]["used_ms"].as_i64().unwrap() >= now);
    edit(&site.file, |users| users.tokens.clear());
    assert_eq!(ask(&token, "").await, 401);
}

#[tokio::test]
async fn the_console_asks_with_the_token_of_this_start() {
    let site = site().await;
    let token = crate::access::ConsoleToken::read(site.folder.path()).unwrap();
    let headers = format!("Authorization: Bearer {}\r\n", token.expose());
    let session = site.get("/api/v1/session", &headers).await;
    let session: serde_json::Value = serde_json::from_str(&session.body).unwrap();
    assert_eq!((&session["name"], &session["role"]), (&"console".into(), &"maintainer".into()));
    let store = Store::open(&site.folder.path().join("other"), Limits::default()).unwrap();
    let next = guarded(&site.view, &site.file, &store, &site.audit);
    let view = View { access: next, ..site.view.clone() };
    let site = Site { view, ..site };
    assert_eq!(site.get("/api/v1/session", &headers).await.status, 401);
}

#[tokio::test]
async fn under_tls_the_cookie_never_travels_in_clear() {
    let site = site().await;
    let store = Store::open(&site.folder.path().join("other"), Limits::default()).unwrap();
    let clock = site.view.clock.clone();
    let tree = Some(store.tree("access"));
    let access = Access::guarded(&site.file, true, clock, None, tree).unwrap();
    let view = View { access, ..site.view.clone() };
    let site = Site { view, ..site };
    let set = site.log_in("wang", PASSWORD).await;
    let set = set.header("set-cookie").unwrap();
    assert!(set.starts_with("__Host-linli_session=") && set.contains("; Secure"), "{set}");
}

#[tokio::test]
async fn without_a_login_only_whether_it_is_ready_is_told() {
    let site = site().await;
    let ready = site.get("/readyz", "").await;
    assert_eq!(ready.body, "{\"ready\":true}");
    let cookie = format!("Cookie: {}\r\n", site.session("li"));
    assert!(site.get("/readyz", &cookie).await.body.contains("degraded"));
    assert_eq!(site.get("/healthz", "").await.body, "ok\n");
}

#[tokio::test]
#[ignore = "serves the page behind its login on port 18081 until killed, to look at it"]
async fn look() {
    let site = site().await;
    let listener = TcpListener::bind("127.0.0.1:18081").await.unwrap();
    serve(listener, site.view.clone(), CancellationToken::new()).await.unwrap();
}
