//! Those who ask too much, too slowly or nonsense, over real sockets; and TLS.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, timeout};
use tokio_util::sync::CancellationToken;

use super::super::config::{Config, Protection};
use super::super::limits::{CONNECTIONS, FIELDS, HEAD, OF_ONE_ADDRESS, OF_THIS_MACHINE};
use super::super::server::outside;
use super::super::{Page, fetch};
use super::*;

/// Longer than anything here may take, in the runtime's time.
const LONG: Duration = Duration::from_secs(400);

fn small() -> Router {
    Router::new()
        .route("/", get(async || "here\n"))
        .route("/much", get(async || "x".repeat(32 << 20)))
        .route("/echo", post(async |body: Bytes| body))
}

/// Runs `client` against a listener; both end.
async fn with<T>(tls: Option<PageTls>, client: impl AsyncFnOnce(SocketAddr) -> T) -> T {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (guests, stop) = (Guests::default(), CancellationToken::new());
    let router = outside(small(), &guests, tls.as_ref());
    let client = async {
        let told = client(address).await;
        stop.cancel();
        told
    };
    let (served, told) =
        tokio::join!(listen(listener, guests.clone(), tls, router, stop.clone()), client);
    served.unwrap();
    told
}

/// Sends it and reads to the end of the connection.
async fn tell(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    ending(stream).await
}

/// What comes until the connection ends, however it does.
async fn ending(mut stream: TcpStream) -> String {
    let (mut answer, mut part) = (Vec::new(), [0; 4096]);
    let all = async {
        while let Ok(read @ 1..) = stream.read(&mut part).await {
            answer.extend(&part[..read]);
        }
    };
    timeout(LONG, all).await.expect("the connection ends");
    String::from_utf8_lossy(&answer).into_owned()
}

fn get_root(more: &str) -> String {
    format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{more}\r\n")
}

#[tokio::test(start_paused = true)]
async fn a_head_that_does_not_end_is_cut_after_ten_seconds_and_the_next_one_is_answered() {
    with(None, async |address| {
        for begin in ["", "G", "GET / HTTP/1.1\r\nHost: x\r\n", "GET / HTTP/1.1\r\nX: "] {
            let start = Instant::now();
            let answer = tell(address, begin).await;
            assert!(!answer.contains("here"), "{begin:?}: {answer}");
            assert!(start.elapsed() < Duration::from_secs(12), "{begin:?}: {:?}", start.elapsed());
        }
        assert!(tell(address, &get_root("")).await.ends_with("here\n"));
    })
    .await;
}

#[tokio::test]
async fn what_is_too_long_is_refused_by_its_kind() {
    with(None, async |address| {
        let field = format!("A: {}\r\n", "a".repeat(HEAD + 1));
        let fields: String = (0..=FIELDS).map(|n| format!("A{n}: a\r\n")).collect();
        let uri = format!("GET /?{} HTTP/1.1\r\nHost: x\r\n\r\n", "a".repeat(4 << 10));
        let post = |length: usize| {
            format!("POST /echo HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n")
        };
        let chunks = format!(
            "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{}",
            format!("1000\r\n{}\r\n", "a".repeat(0x1000)).repeat(17)
        );
        let cases = [
            (get_root(&field), "431"),
            (get_root(&fields), "431"),
            (uri, "414"),
            (post(64 * 1024 + 1), "413"),
            (chunks, "413"),
            ("\u{16}\u{3}\u{1}\0\r\n\r\n".to_owned(), "400"),
        ];
        for (text, status) in cases {
            let answer = tell(address, &text).await;
            let begin: String = text.chars().take(40).collect();
            assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{begin}: {answer}");
        }
        let fine = format!("{}{}", post(64 << 10), "b".repeat(64 << 10));
        assert!(tell(address, &fine).await.starts_with("HTTP/1.1 200"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_given_up_after_ten_seconds() {
    with(None, async |address| {
        for begin in
            ["Content-Length: 10\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"]
        {
            let start = Instant::now();
            let answer = tell(address, &format!("POST /echo HTTP/1.1\r\nHost: x\r\n{begin}")).await;
            assert!(answer.starts_with("HTTP/1.1 4"), "{begin:?}: {answer}");
            assert!(start.elapsed() < Duration::from_secs(12), "{begin:?}");
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_does_not_take_the_answer_is_let_go() {
    with(None, async |address| {
        let mut stream = TcpStream::connect(address).await.unwrap();
        stream.write_all(b"GET /much HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
        // Nothing is read while the time passes: the sockets' buffers fill up.
        tokio::time::sleep(Duration::from_secs(30)).await;
        let answer = ending(stream).await;
        assert!(answer.len() < 32 << 20, "the whole answer came");
        assert!(tell(address, &get_root("")).await.ends_with("here\n"));
    })
    .await;
}

#[tokio::test]
async fn one_address_cannot_take_all_places_and_who_leaves_makes_room() {
    with(None, async |address| {
        let mut held = Vec::new();
        for _ in 0..OF_THIS_MACHINE {
            let mut stream = TcpStream::connect(address).await.unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
            let mut first = [0; 12];
            stream.read_exact(&mut first).await.unwrap();
            assert_eq!(&first, b"HTTP/1.1 200");
            held.push(stream);
        }
        let refused = ending(TcpStream::connect(address).await.unwrap()).await;
        assert!(
            refused.starts_with("HTTP/1.1 503") && refused.contains("Retry-After"),
            "{refused}"
        );
        let (_, body) = refused.split_once("\r\n\r\n").unwrap();
        assert!(refused.contains(&format!("Content-Length: {}\r\n", body.len())));
        // Somebody else gets in.
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind((Ipv4Addr::new(127, 0, 0, 2), 0).into()).unwrap();
        let mut other = socket.connect(address).await.unwrap();
        other.write_all(get_root("").as_bytes()).await.unwrap();
        assert!(ending(other).await.ends_with("here\n"));
        drop(held);
        let again = async {
            while !tell(address, &get_root("")).await.ends_with("here\n") {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(10), again).await.expect("there is room again");
    })
    .await;
}

#[test]
fn all_places_are_bounded_and_a_network_of_ipv6_counts_as_one_address() {
    let guests = Guests::default();
    let own: Vec<_> =
        (0..20).filter_map(|n| guests.enter(format!("2001:db8::{n:x}").parse().unwrap())).collect();
    assert_eq!(own.len(), OF_ONE_ADDRESS);
    let others: Vec<_> =
        (0..200).filter_map(|n| guests.enter(Ipv4Addr::new(192, 0, 2, n).into())).collect();
    assert_eq!(own.len() + others.len(), CONNECTIONS);
    drop((own, others));
    assert!(guests.enter(Ipv4Addr::LOCALHOST.into()).is_some());
}

#[tokio::test(start_paused = true)]
async fn requests_of_one_address_are_bounded_in_a_second_and_those_of_this_machine_are_not() {
    let guests = Guests::default();
    let (one, other) = (Ipv4Addr::new(192, 0, 2, 1).into(), Ipv4Addr::new(192, 0, 2, 2).into());
    let asked = |address| (0..1000).take_while(|_| guests.may_ask(address)).count();
    assert_eq!(asked(one), 200);
    assert_eq!(asked(other), 200);
    tokio::time::advance(Duration::from_secs(1)).await;
    assert_eq!(asked(one), 50);
    assert_eq!(asked(Ipv4Addr::LOCALHOST.into()), 1000);
}

fn own(folder: &Path) -> (Config, std::path::PathBuf) {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let config = Config { protection: Protection::OwnCertificate, ..Config::at(listen) };
    (config, folder.join("buffer"))
}

#[tokio::test]
async fn the_commands_reach_the_page_by_its_very_certificate_and_no_other() {
    let folder = tempfile::tempdir().unwrap();
    let (config, store) = own(folder.path());
    let tls = PageTls::open(&config, "weihai-0631", &store).unwrap();
    let strange = tempfile::tempdir().unwrap();
    let (other, other_store) = own(strange.path());
    PageTls::open(&other, "weihai-0631", &other_store).unwrap();
    with(tls, async |address| {
        let certificate = config.certificate_file(&store);
        let page = Page { certificate, ..Page::from(address) };
        assert_eq!(fetch(&page, "/").await.unwrap(), "here\n");
        let certificate = other.certificate_file(&other_store);
        let wrong = Page { certificate, ..Page::from(address) };
        let error = fetch(&wrong, "/").await.unwrap_err();
        assert!(error.to_string().contains("does not show the certificate"), "{error}");
    })
    .await;
}

#[tokio::test]
async fn who_speaks_plain_http_to_the_page_under_tls_is_shown_the_way_and_told_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let (config, store) = own(folder.path());
    let tls = PageTls::open(&config, "weihai-0631", &store).unwrap();
    with(tls, async |address| {
        let answer = tell(address, "GET /x?y=1 HTTP/1.1\r\nHost: box:8080\r\n\r\n").await;
        assert!(answer.starts_with("HTTP/1.1 308"), "{answer}");
        assert!(answer.contains("location: https://box:8080/x?y=1\r\n"), "{answer}");
        let form = "POST / HTTP/1.1\r\nHost: box\r\nContent-Length: 3\r\n\r\na=b";
        assert!(tell(address, form).await.starts_with("HTTP/1.1 400"));
        // A handshake that is none ends the connection.
        assert!(!tell(address, "\u{16}\u{3}\u{1}\u{2}\0garbage").await.contains("HTTP"));
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_handshake_that_stands_still_is_cut_after_ten_seconds() {
    let folder = tempfile::tempdir().unwrap();
    let (config, store) = own(folder.path());
    let tls = PageTls::open(&config, "weihai-0631", &store).unwrap();
    with(tls, async |address| {
        for begin in ["", "\u{16}", "\u{16}\u{3}\u{1}"] {
            let start = Instant::now();
            tell(address, begin).await;
            assert!(start.elapsed() < Duration::from_secs(12), "{begin:?}: {:?}", start.elapsed());
        }
    })
    .await;
}
