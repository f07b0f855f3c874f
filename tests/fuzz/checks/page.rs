//! The page and its API: address lines, queries, cookies, forms.

use std::cell::RefCell;

use linli::status::fuzzing::{Answer, Site};

use crate::allocation::within;

/// One page of the estate, and the answer in the making.
const SINGLE: usize = 4 << 20;
const TOTAL: usize = 16 << 20;
/// What a stranger would put into a page: it must never stand there as it was sent.
const MARKUP: &str = "<zq";
/// Fields that every answer carries.
const GUARDS: [&str; 3] = ["content-security-policy", "x-content-type-options", "referrer-policy"];

thread_local! {
    static SITE: RefCell<Option<Site>> = const { RefCell::new(None) };
}

pub(super) fn judge(input: &[u8]) {
    SITE.with_borrow_mut(|site| {
        let site = site.get_or_insert_with(Site::new);
        let answer = within("answering", SINGLE, TOTAL, || site.ask(input));
        if let Some(answer) = answer {
            judge_answer(&answer);
        }
    });
}

fn judge_answer(answer: &Answer) {
    let field = |name: &str| {
        answer.headers.get(name).map(|value| value.to_str().expect("a field is plain text"))
    };
    // 503 is said where something is not there yet.
    assert!(answer.status < 500 || answer.status == 503, "{answer:?}");
    for guard in GUARDS {
        assert!(field(guard).is_some(), "{guard} is missing: {:?}", answer.headers);
    }
    if let Some(to) = field("location") {
        assert!(to.starts_with('/') && !to.starts_with("//"), "leads elsewhere: {to}");
    }
    let kind = field("content-type").unwrap_or_default();
    // The answer to HEAD has the length of a body and none.
    let head = answer.body.is_empty() && field("content-length").is_none_or(|length| length != "0");
    if kind.starts_with("application/json") && !head {
        let read: Result<serde_json::Value, _> = serde_json::from_slice(&answer.body);
        assert!(read.is_ok(), "{:?}", String::from_utf8_lossy(&answer.body));
    }
    if kind.starts_with("text/html") {
        let text = std::str::from_utf8(&answer.body).expect("a page is UTF-8");
        assert!(!text.contains(MARKUP), "markup of a stranger stands in the page");
    }
}
