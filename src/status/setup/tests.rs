//! Who sees the console, and nobody else, fills the form in.

use axum::http::Request as HttpRequest;
use tower_service::Service as _;

use super::*;

const CODE: &str = "123456789012";

struct Visitor {
    router: Router,
    cookie: Option<String>,
}

impl Visitor {
    fn new(desk: &SetupDesk) -> Self {
        Self { router: router(desk.clone()), cookie: None }
    }

    async fn ask(
        &mut self,
        method: &str,
        path: &str,
        form: &str,
        origin: Option<&str>,
    ) -> (u16, String) {
        let mut request = HttpRequest::builder().method(method).uri(path).header("host", "box");
        if method == "POST" {
            request = request.header("content-type", "application/x-www-form-urlencoded");
        }
        if let Some(cookie) = &self.cookie {
            request = request.header("cookie", cookie);
        }
        if let Some(origin) = origin {
            request = request.header("origin", origin);
        }
        let mut request = request.body(Body::from(form.to_owned())).unwrap();
        request.extensions_mut().insert(ConnectInfo(Peer::here()));
        let response = self.router.call(request).await.unwrap();
        let cookies = response.headers().get_all(header::SET_COOKIE).into_iter();
        let cookies = cookies.map(|cookie| cookie.to_str().unwrap());
        // The switch of the language leaves one as well.
        for text in cookies.filter(|cookie| cookie.starts_with(COOKIE)) {
            assert!(text.contains("HttpOnly; SameSite=Strict; Secure"), "{text}");
            self.cookie = text.split(';').next().map(str::to_owned);
        }
        let status = response.status().as_u16();
        let body = axum::body::to_bytes(response.into_body(), 1 << 20).await.unwrap();
        (status, String::from_utf8(body.to_vec()).unwrap())
    }

    async fn enter(&mut self) -> u16 {
        self.ask("POST", "/code", "code=1234-5678-9012", None).await.0
    }
}

fn desk() -> (SetupDesk, mpsc::Receiver<SetupForm>) {
    let shown = SetupForm { id: "box-1".into(), ..SetupForm::default() };
    SetupDesk::new(&CODE.to_owned().into(), shown, true)
}

/// The proof that the form holds.
fn proof(page: &str) -> String {
    let rest = page.split("name=\"csrf\" value=\"").nth(1).expect("the form has its proof");
    rest.split('"').next().unwrap().to_owned()
}

#[tokio::test]
async fn the_form_goes_out_to_who_has_the_code_and_to_nobody_else() {
    let (desk, mut sent) = desk();
    let mut stranger = Visitor::new(&desk);
    let (status, page) = stranger.ask("GET", "/", "", None).await;
    assert!(status == 200 && page.contains("name=\"code\"") && !page.contains("box-1"), "{page}");
    assert_eq!(stranger.ask("POST", "/", "id=evil", None).await.0, 303, "back to the code");
    assert_eq!(stranger.ask("POST", "/code", "code=000000000000", None).await.0, 403);
    assert_eq!(stranger.ask("GET", "/api/v1/gateway", "", None).await.0, 303);

    let mut installer = Visitor::new(&desk);
    assert_eq!(installer.enter().await, 303);
    let (_, page) = installer.ask("GET", "/", "", None).await;
    assert!(page.contains("value=\"box-1\""), "{page}");
    assert_eq!(stranger.enter().await, 403, "the code is good once");
    let form = format!("id=box-2&password=a-secret-word&csrf={}", proof(&page));
    assert_eq!(installer.ask("POST", "/", "id=box-2&csrf=guessed", None).await.0, 403);
    assert_eq!(installer.ask("POST", "/", &form, Some("https://evil.example")).await.0, 403);
    assert!(sent.try_recv().is_err(), "nothing was sent so far");
    assert_eq!(installer.ask("POST", "/", &form, Some("https://box")).await.0, 303);
    let got = sent.try_recv().unwrap();
    assert_eq!((got.id.as_str(), got.password.unwrap().expose()), ("box-2", "a-secret-word"));
}

#[tokio::test]
async fn what_cannot_be_is_shown_with_what_was_typed_but_without_secrets() {
    let (desk, mut sent) = desk();
    let mut installer = Visitor::new(&desk);
    installer.enter().await;
    let (_, page) = installer.ask("GET", "/", "", None).await;
    let form = format!("id=box-2&password=a-secret-word&key=KEY&csrf={}", proof(&page));
    installer.ask("POST", "/", &form, None).await;
    sent.try_recv().unwrap();
    desk.tell(("scanning", "正在扫描").into());
    let (_, page) = installer.ask("GET", "/", "", None).await;
    assert!(page.contains("正在扫描") && !page.contains("name=\"csrf\""), "{page}");
    assert_eq!(installer.ask("POST", "/", &form, None).await.0, 409, "one at a time");
    desk.refuse(("wrong <b>", "有误 <b>").into());
    let (_, page) = installer.ask("GET", "/?lang=en", "", None).await;
    assert!(page.contains("wrong &lt;b&gt;") && page.contains("value=\"box-2\""), "{page}");
    assert!(!page.contains("a-secret-word") && !page.contains(">KEY<"), "{page}");
    installer.ask("POST", "/", &form, None).await;
    sent.try_recv().unwrap();
    desk.done();
    let (_, page) = installer.ask("GET", "/", "", None).await;
    assert!(page.contains("配置已就位"), "{page}");
}

#[tokio::test]
async fn guesses_are_slowed_down() {
    let (desk, _sent) = desk();
    let mut stranger = Visitor::new(&desk);
    let mut answers = Vec::new();
    for _ in 0..7 {
        answers.push(stranger.ask("POST", "/code", "code=1", None).await.0);
    }
    assert_eq!(answers.first(), Some(&403));
    assert_eq!(answers.last(), Some(&429));
    assert_eq!(stranger.enter().await, 429, "the right one waits as well");
}
