//! The signed report as a user gets, prints and verifies it: from a running gateway, and afterwards
//! with openssl and Python's HTML parser instead of our own code.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::{Value, json};

use crate::parts::{
    Process, ask, free_port, linli, lonely_site, peer, program, python, wait_until, watched,
};
use crate::second_parsers::Opinion;

/// A running gateway with some closed days.
struct Site {
    folder: tempfile::TempDir,
    config: PathBuf,
    page: SocketAddr,
    daemon: Process,
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

/// Three days before the present one.
fn past(store: &Path) {
    let now = jiff::Timestamp::now().as_millisecond();
    let zone = 8 * 3_600_000;
    let begin = (now + zone).div_euclid(86_400_000) * 86_400_000 - zone - 3 * 86_400_000;
    watched(store, begin, 72);
}

impl Site {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let at = folder.path();
        past(&at.join("buffer"));
        let port = free_port();
        let config = lonely_site(at, port, "一号<院>");
        let daemon = linli(&config, &at.join("log"));
        let page = SocketAddr::from(([127, 0, 0, 1], port));
        wait_until("the estate was assessed", || ask(page, "/api/v1/stars").is_some());
        Self { config, page, daemon, folder }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn report(&self, file: &Path) -> Output {
        stars(&["--report", file.to_str().unwrap(), "--config", self.config.to_str().unwrap()])
    }
}

fn stars(arguments: &[&str]) -> Output {
    Command::new(program()).arg("stars").args(arguments).output().unwrap()
}

fn verify(file: &Path, more: &[&str]) -> Output {
    let mut arguments = vec!["verify", file.to_str().unwrap()];
    arguments.extend(more);
    stars(&arguments)
}

/// Whether openssl finds the signature good.
fn openssl(folder: &Path, public: &str, signature: &str, signed: &[u8]) -> bool {
    let bytes = |hex: &str| -> Vec<u8> {
        let pairs = hex.as_bytes().chunks(2);
        pairs.map(|pair| u8::from_str_radix(text(pair), 16).unwrap()).collect()
    };
    let at = |name: &str| folder.join(name);
    // RFC 8410: an Ed25519 public key in DER is these bytes and the key.
    let der = [bytes("302a300506032b6570032100"), bytes(public)].concat();
    fs::write(at("key.der"), der).unwrap();
    fs::write(at("signature"), bytes(signature)).unwrap();
    fs::write(at("signed"), signed).unwrap();
    let output = Command::new("openssl")
        .args(["pkeyutl", "-verify", "-pubin", "-rawin", "-keyform", "DER", "-inkey"])
        .args([at("key.der"), "-sigfile".into(), at("signature"), "-in".into(), at("signed")])
        .output()
        .unwrap();
    output.status.success()
}

#[test]
fn openssl_and_an_html_parser_find_the_report_good_and_it_shows_what_the_page_shows() {
    let site = Site::start();
    let (page, json) = (site.file("out.html"), site.file("out.json"));
    for file in [&page, &json] {
        let output = site.report(file);
        assert!(output.status.success(), "{}", text(&output.stderr));
    }
    // JSON: the signed bytes are the text of the member `report`.
    let file = fs::read_to_string(&json).unwrap();
    let whole: Value = serde_json::from_str(&file).unwrap();
    let (public, value) = (&whole["signature"]["public_key"], &whole["signature"]["value"]);
    let (public, value) = (public.as_str().unwrap(), value.as_str().unwrap());
    let end = file.rfind(",\"signature\":").unwrap();
    let signed = &file.as_bytes()["{\"report\":".len()..end];
    assert!(openssl(site.folder.path(), public, value, signed));
    let mut changed = signed.to_vec();
    changed[200] ^= 1;
    assert!(!openssl(site.folder.path(), public, value, &changed), "openssl looks at the bytes");
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/config/stream/report.schema.json");
    let schema: Value = serde_json::from_str(&fs::read_to_string(schema).unwrap()).unwrap();
    let mut opinion = Opinion::of("json_schema.py");
    let asked = json!({ "do": "validate", "schema": schema, "payload": whole["report"] });
    assert_eq!(opinion.ask(&asked)["wrong"], Value::Null);
    // The page: all bytes before the last line.
    let output = python().arg(peer("report_page.py")).arg(&page).output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
    let parsed: Value = serde_json::from_slice(&output.stdout).unwrap();
    let bytes = fs::read(&page).unwrap();
    let at = usize::try_from(parsed["signed"].as_u64().unwrap()).unwrap();
    let last: Vec<&str> = text(&bytes[at..]).split(' ').collect();
    assert_eq!(last[3], public, "both are signed by the same key");
    assert!(openssl(site.folder.path(), last[3], last[4], &bytes[..at]));
    // One assessment, three ways to look at it: the API and the two files.
    let api = ask(site.page, "/api/v1/stars").unwrap();
    for report in [&whole["report"], &parsed["report"]] {
        assert_eq!(report["assessment"]["star"], api["star"]);
        assert_eq!(report["assessment"]["missing"], api["missing"]);
        assert_eq!(report["public_key"], public);
        assert_eq!(report["days"].as_array().unwrap().len(), 3, "{}", report["days"]);
    }
    assert_eq!(parsed["missing"], api["missing"], "the page lists them in the same order");
    assert_eq!(parsed["stars"], api["star"]);
    assert_eq!(parsed["titles"].as_array().unwrap().len(), 4, "each chart has a title");
    let shown = Command::new("curl")
        .args(["-sf", &format!("http://{}/stars?lang=en", site.page)])
        .output()
        .unwrap();
    let shown = text(&shown.stdout);
    assert!(
        shown.contains(public) && shown.contains("format=html") && shown.contains("format=json")
    );
    for id in api["missing"].as_array().unwrap() {
        assert!(shown.contains(&format!("{} ", id.as_str().unwrap())), "{id}");
    }
}

#[test]
fn a_report_is_verified_without_gateway_and_configuration_and_a_changed_one_is_refused() {
    let site = Site::start();
    let file = site.file("out.html");
    assert!(site.report(&file).status.success());
    let key = linli::starlevel::report::SigningKey::beside(&site.file("buffer")).unwrap();
    let nothing = site.file("nothing.html");
    let Site { folder: _folder, config, daemon, .. } = site;
    assert_eq!(daemon.terminate(), 0);
    fs::remove_file(&config).unwrap();
    let output = verify(&file, &[]);
    let told = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}");
    for part in ["as it was signed", "一致", "gateway 网关 lonely", "3 closed days", "compare it"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    let output = verify(&file, &["--key", &key.public_hex().to_uppercase()]);
    assert_eq!(output.status.code(), Some(0));
    assert!(text(&output.stdout).contains("the one of --key"));
    let output = verify(&file, &["--key", &"ab".repeat(32), "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&found["good"], &found["key_matches"]), (&false.into(), &false.into()));
    let output = verify(&file, &["--key", "abc"]);
    assert!(!output.status.success() && text(&output.stderr).contains("64 hex digits"));
    let mut bytes = fs::read(&file).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    fs::write(&file, &bytes).unwrap();
    let output = verify(&file, &[]);
    assert_eq!(output.status.code(), Some(1));
    let told = text(&output.stderr);
    assert!(told.contains("changed after it was signed") && told.contains("改动"), "{told}");
    let output = verify(&nothing, &[]);
    assert_eq!(output.status.code(), Some(1));
    assert!(text(&output.stderr).contains("nothing.html"));
}

#[test]
fn a_file_that_is_no_report_or_cannot_be_written_whole_is_refused_and_nothing_is_left() {
    let site = Site::start();
    let output = site.report(&site.file("out.pdf"));
    assert_eq!(output.status.code(), Some(64));
    let told = text(&output.stderr);
    assert!(told.contains("out.pdf") && told.contains(".html or .json"), "{told}");
    let folder = site.file("reports");
    fs::create_dir(&folder).unwrap();
    let file = folder.join("out.html");
    fs::write(&file, "the one before").unwrap();
    // A limit on the size of files stands for a disk that is full.
    let output = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 8; exec \"$@\"", "sh"])
        .arg(program())
        .args(["stars", "--report"])
        .arg(&file)
        .arg("--page")
        .arg(site.page.to_string())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", text(&output.stdout));
    assert!(text(&output.stderr).contains("out.html"), "{}", text(&output.stderr));
    assert_eq!(fs::read_to_string(&file).unwrap(), "the one before");
    let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["out.html"], "nothing half is left");
    // The page refuses another form in the same words.
    let refused = Command::new("curl")
        .args(["-s", &format!("http://{}/api/v1/stars/report?format=pdf&lang=en", site.page)])
        .output()
        .unwrap();
    assert!(text(&refused.stdout).contains("allowed are html, json"));
}
