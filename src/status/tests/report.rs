//! The report on the page, and as a download.

use std::path::Path;
use std::sync::Arc;

use super::{get, json};
use crate::starlevel::report::{KEY_FILE, Reporter, SigningKey, verify};
use crate::starlevel::{Bilingual, EvidenceChain, RulePack};
use crate::status::View;
use crate::status::sample::sample;
use crate::store::{Limits, Store};

/// The made-up estate with a store in `folder`.
async fn with_store(folder: &Path) -> View {
    let view = sample(1, 0).await.view;
    let store = Store::open(&folder.join("store"), Limits::default()).unwrap();
    let evidence = EvidenceChain::new(&store);
    let key = SigningKey::beside(store.path());
    let estate = Arc::clone(&view.estate);
    let reporter = Reporter::new(RulePack::built_in(), estate, evidence, None, key);
    View { reporter: Some(reporter), ..view }
}

#[tokio::test]
async fn a_download_is_a_file_with_a_name_that_verifies_and_says_what_the_pages_say() {
    let folder = tempfile::tempdir().unwrap();
    let mut view = with_store(folder.path()).await;
    view.notes.push(Bilingual::new("演示<数据>", "made up"));
    let api = json(&view, "/api/v1/stars").await;
    for (form, kind) in [("html", "text/html"), ("json", "application/json")] {
        let (head, file) = get(&view, &format!("/api/v1/stars/report?format={form}")).await;
        assert!(head.starts_with("HTTP/1.1 200") && head.contains(kind), "{head}");
        assert!(head.contains("attachment; filename=\"linli-stars-weihai-0631-2"), "{head}");
        assert!(head.contains(&format!(".{form}\"")), "{head}");
        let found = verify(file.as_bytes(), None);
        assert!(found.good, "{:?}", found.faults);
        assert_eq!(found.star.map(u64::from), api["star"].as_u64());
        assert!(file.contains("made up"), "a report of a simulated estate says that it is one");
    }
    let key = view.reporter.as_ref().unwrap().key().unwrap().public_hex();
    for (path, words) in [("/stars", "可打印"), ("/stars?lang=en", "a page to print")] {
        let (_, page) = get(&view, path).await;
        assert!(page.contains(&key) && page.contains(words), "{path}");
    }
}

#[tokio::test]
async fn a_key_that_is_damaged_is_told_on_the_page_and_by_the_download_in_both_languages() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(KEY_FILE), b"damaged").unwrap();
    let view = with_store(folder.path()).await;
    for (lang, words) in [("zh", "签名密钥"), ("en", "signing key")] {
        let (_, page) = get(&view, &format!("/stars?lang={lang}")).await;
        assert!(page.contains(words) && page.contains(KEY_FILE), "{lang}");
        let path = format!("/api/v1/stars/report?format=json&lang={lang}");
        let (head, body) = get(&view, &path).await;
        assert!(head.starts_with("HTTP/1.1 503"), "{head}");
        assert!(body.contains(words) && body.contains(KEY_FILE), "{body}");
    }
}

#[tokio::test]
async fn another_form_is_refused_and_without_a_store_there_is_no_report() {
    let folder = tempfile::tempdir().unwrap();
    let view = with_store(folder.path()).await;
    let (head, body) = get(&view, "/api/v1/stars/report?format=pdf").await;
    assert!(head.starts_with("HTTP/1.1 400") && body.contains("可用 html、json"), "{head} {body}");
    let view = View { reporter: None, ..view };
    let (head, _) = get(&view, "/api/v1/stars/report").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (_, page) = get(&view, "/stars").await;
    assert!(!page.contains("/api/v1/stars/report"));
}
