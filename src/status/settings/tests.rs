//! The editor over a made-up configuration of two files.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::words::Word;
use super::{EDITOR, Files, HandedOver, Writing};
use crate::proposal::{Waiting, digest_of};
use crate::settings::{Fault, Place};
use crate::status::View;
use crate::status::layout::encode;
use crate::status::sample::sample;
use crate::status::tests::{get, request};
use crate::status::text::Said as _;

/// Two files; whatever holds the word `wrong` is.
#[derive(Debug)]
struct Fake {
    texts: Mutex<Vec<(PathBuf, String)>>,
    earlier: Vec<PathBuf>,
    writing: Writing,
    handed: Mutex<Vec<String>>,
    outcome: Option<HandedOver>,
    waits: Option<Waiting>,
    full: bool,
    unreadable: bool,
    reloads: AtomicUsize,
}

impl Fake {
    fn new() -> Self {
        let texts = vec![
            ("/etc/linli/linli.toml".into(), "[gateway]\nid = \"box\"\n".into()),
            ("/etc/linli/conf.d/a.toml".into(), "# <b>nothing</b> yet\n".into()),
        ];
        Self {
            texts: Mutex::new(texts),
            earlier: Vec::new(),
            writing: Writing::Own,
            handed: Mutex::default(),
            outcome: None,
            waits: None,
            full: false,
            unreadable: false,
            reloads: AtomicUsize::new(0),
        }
    }

    fn text(&self, place: usize) -> String {
        self.texts.lock().unwrap()[place].1.clone()
    }
}

impl Files for Fake {
    fn texts(&self) -> Result<Vec<(PathBuf, String)>, Vec<Fault>> {
        if self.unreadable {
            let why = ("cannot be read", "无法读取");
            return Err(vec![Fault::new(Place::of_file("/etc/linli/linli.toml"), why)]);
        }
        Ok(self.texts.lock().unwrap().clone())
    }

    fn examine(&self, texts: &[(PathBuf, String)]) -> Vec<Fault> {
        let mut faults = Vec::new();
        for (path, text) in texts {
            for (line, _) in (1..).zip(text.lines()).filter(|(_, line)| line.contains("wrong")) {
                let place = Place { line, ..Place::of_file(&path.display().to_string()) };
                faults.push(Fault::new(place, ("this is wrong", "此处有误")).allowed("right"));
            }
        }
        faults
    }

    fn writing(&self, _: &Path) -> Writing {
        self.writing
    }

    fn hand_over(&self, path: &Path, base: &str, text: &str, who: &str) -> io::Result<()> {
        assert_eq!(base, digest_of(&self.text(0)));
        let change = format!("{who} {} {text}", path.display());
        self.handed.lock().unwrap().push(change);
        Ok(())
    }

    fn handed_over(&self) -> Option<HandedOver> {
        self.outcome.clone()
    }

    fn waiting(&self) -> Option<Waiting> {
        self.waits.clone()
    }

    fn write(&self, path: &Path, text: &str) -> io::Result<PathBuf> {
        if self.full {
            return Err(io::ErrorKind::StorageFull.into());
        }
        let mut texts = self.texts.lock().unwrap();
        let (_, kept) = texts.iter_mut().find(|(name, _)| name == path).unwrap();
        text.clone_into(kept);
        Ok(path.with_extension("1"))
    }

    fn earlier(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.earlier.clone())
    }

    fn reload(&self) -> bool {
        self.reloads.fetch_add(1, Ordering::Relaxed);
        true
    }
}

async fn with(fake: Fake) -> (View, Arc<Fake>) {
    let fake = Arc::new(fake);
    let mut view = sample(1, 0).await.view;
    view.files = Some(fake.clone());
    (view, fake)
}

async fn send(view: &View, base: &str, text: &str, act: &str) -> (String, String) {
    let form = format!("file=0&base={base}&act={act}&text={}", encode(text));
    let headers = format!(
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\nOrigin: http://localhost\r\n\r\n{form}",
        form.len()
    );
    request(view, &format!("POST {EDITOR}?lang=en"), &headers).await
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_its_line_and_nothing_is_written() {
    let (view, fake) = with(Fake::new()).await;
    let before = fake.text(0);
    let text = "[gateway]\nid = \"box\"\nwrong = <i>1</i>\n";
    for act in ["check", "apply"] {
        let (head, body) = send(&view, &digest_of(&before), text, act).await;
        assert!(head.starts_with("HTTP/1.1 422"), "{act}: {head}");
        assert!(body.contains("data-line=\"3\"") && body.contains("this is wrong"), "{body}");
        assert!(body.contains("allowed: right") && !body.contains("<i>1"), "{body}");
        assert!(body.contains("wrong = &lt;i&gt;1"), "what was typed is still there: {body}");
    }
    assert_eq!((fake.text(0), fake.reloads.load(Ordering::Relaxed)), (before, 0));
}

#[tokio::test]
async fn a_good_change_is_shown_as_a_difference_first_and_then_written_and_applied() {
    let (view, fake) = with(Fake::new()).await;
    let (before, text) = (fake.text(0), "[gateway]\r\nid = \"box-2\"\r\n");
    let (head, body) = send(&view, &digest_of(&before), text, "check").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(
        body.contains("-id = &quot;box&quot;") && body.contains("+id = &quot;box-2&quot;"),
        "{body}"
    );
    assert!(body.contains("value=\"apply\"") && fake.text(0) == before);
    let (head, body) = send(&view, &digest_of(&before), text, "apply").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("data-return"), "{head} {body}");
    assert!(body.contains("Written, and being applied"), "{body}");
    assert_eq!(fake.text(0), "[gateway]\nid = \"box-2\"\n", "ends of lines are those of the file");
    assert_eq!(fake.reloads.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn what_somebody_else_wrote_meanwhile_is_not_overwritten() {
    let (view, fake) = with(Fake::new()).await;
    let base = digest_of(&fake.text(0));
    fake.write(Path::new("/etc/linli/linli.toml"), "# of somebody else\n").unwrap();
    let (head, body) = send(&view, &base, "# mine\n", "apply").await;
    assert!(head.starts_with("HTTP/1.1 409"), "{head}");
    assert!(body.contains("# mine") && body.contains("Somebody else"), "{body}");
    assert_eq!(fake.text(0), "# of somebody else\n");
}

#[tokio::test]
async fn a_full_disk_is_told_and_the_old_file_stays() {
    let (view, fake) = with(Fake { full: true, ..Fake::new() }).await;
    let before = fake.text(0);
    let (head, body) = send(&view, &digest_of(&before), "# new\n", "apply").await;
    assert!(head.starts_with("HTTP/1.1 503") && body.contains("no storage space"), "{head} {body}");
    assert_eq!((fake.text(0), fake.reloads.load(Ordering::Relaxed)), (before, 0));
}

#[tokio::test]
async fn the_settings_list_files_with_their_versions_and_an_earlier_one_can_be_taken_up() {
    let folder = tempfile::tempdir().unwrap();
    let old = folder.path().join("linli.toml.1");
    std::fs::write(&old, "# the earlier one\n").unwrap();
    let (view, _) = with(Fake { earlier: vec![old], ..Fake::new() }).await;
    let (_, zh) = get(&view, "/settings").await;
    let (_, en) = get(&view, "/settings?lang=en").await;
    assert!(zh.contains("历史版本") && en.contains("Earlier versions") && en.contains("a.toml"));
    assert!(en.contains("/settings/configuration?file=0&amp;version=1"), "{en}");
    let (_, body) = get(&view, "/settings/configuration?file=0&version=1").await;
    assert!(body.contains("# the earlier one"), "{body}");
    let (_, body) = get(&view, "/settings/configuration?file=1").await;
    assert!(body.contains("&lt;b&gt;nothing") && !body.contains("<b>nothing"), "{body}");
    let (head, body) = get(&view, "/settings/configuration?file=99&version=99&lang=en").await;
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(body.contains("not there any more"), "{body}");
}

#[tokio::test]
async fn a_file_that_may_not_be_written_is_checked_and_not_applied() {
    let (view, fake) = with(Fake { writing: Writing::No, full: true, ..Fake::new() }).await;
    let (_, body) = get(&view, "/settings/configuration?lang=en").await;
    assert!(body.contains("value=\"check\"") && body.contains("systemctl reload linli"), "{body}");
    let (_, body) = send(&view, &digest_of(&fake.text(0)), "# new\n", "check").await;
    assert!(body.contains("+# new") && !body.contains("value=\"apply\""), "{body}");
}

#[tokio::test]
async fn a_change_is_handed_over_where_only_root_writes_but_not_one_of_paths() {
    let (view, fake) = with(Fake { writing: Writing::HandedOver, full: true, ..Fake::new() }).await;
    let before = fake.text(0);
    let text = "[gateway]\nid = \"box\"\n[stars]\nattestations = \"/etc/shadow\"\n";
    for act in ["check", "apply"] {
        let (head, body) = send(&view, &digest_of(&before), text, act).await;
        assert!(head.starts_with("HTTP/1.1 422"), "{act}: {head}");
        assert!(body.contains("stars.attestations = &quot;/etc/shadow&quot;"), "{body}");
    }
    assert!(fake.handed.lock().unwrap().is_empty());
    let text = "[gateway]\nid = \"box-2\"\n";
    let (_, body) = send(&view, &digest_of(&before), text, "check").await;
    assert!(body.contains("value=\"apply\"") && body.contains("a service of the system"), "{body}");
    let (head, body) = send(&view, &digest_of(&before), text, "apply").await;
    assert!(head.starts_with("HTTP/1.1 200") && body.contains("Handed over"), "{head} {body}");
    let handed = fake.handed.lock().unwrap().clone();
    assert_eq!(handed, [format!("local /etc/linli/linli.toml {text}")]);
    assert_eq!((fake.text(0), fake.reloads.load(Ordering::Relaxed)), (before, 0), "root does it");
}

#[tokio::test]
async fn the_settings_tell_of_a_change_that_waits_and_what_became_of_the_last_one() {
    let outcome = |refused: Option<(&str, &str)>| {
        let refused = refused.map(Into::into);
        Some(HandedOver { file: "linli.toml".into(), who: "li".into(), refused, at_ms: 0 })
    };
    let refused = outcome(Some(("<b>somebody</b> else\nand more", "他人已修改")));
    let (view, _) = with(Fake { outcome: refused.clone(), ..Fake::new() }).await;
    let (_, zh) = get(&view, "/settings").await;
    let (_, en) = get(&view, "/settings?lang=en").await;
    assert!(
        zh.contains("他人已修改") && en.contains("&lt;b&gt;somebody&lt;/b&gt; else</p>"),
        "{en}"
    );
    assert!(en.contains("linli.toml · li · "), "{en}");
    // What waits is newer than what was.
    let waits = Some(Waiting { file: "conf.d/a.toml".into(), who: "wang".into(), since_ms: 0 });
    let (view, _) = with(Fake { outcome: refused, waits, ..Fake::new() }).await;
    let (_, en) = get(&view, "/settings?lang=en").await;
    assert!(en.contains("waits to be written") && en.contains("conf.d/a.toml · wang"), "{en}");
    assert!(!en.contains("was refused"), "{en}");
    let (view, _) = with(Fake { outcome: outcome(None), ..Fake::new() }).await;
    let (_, en) = get(&view, "/settings?lang=en").await;
    assert!(en.contains("is installed") && !en.contains("refused"), "{en}");
}

/// Posts a change as programs do.
async fn post(view: &View, change: &serde_json::Value) -> (String, serde_json::Value) {
    let body = change.to_string();
    let headers =
        format!("Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}", body.len());
    let (head, body) = request(view, "POST /api/v1/configuration", &headers).await;
    (head, serde_json::from_str(&body).unwrap())
}

#[tokio::test]
async fn programs_read_check_and_change_the_configuration_and_are_told_every_fault_at_its_line() {
    let (view, fake) = with(Fake::new()).await;
    let (_, files) = get(&view, "/api/v1/configuration").await;
    let files: serde_json::Value = serde_json::from_str(&files).unwrap();
    assert_eq!((&files[0]["writing"], files.as_array().unwrap().len()), (&"own".into(), 2));
    let (file, base) = (files[0]["file"].clone(), files[0]["sha256"].clone());
    let change = |text: &str, apply: bool| serde_json::json!({ "file": file, "base": base, "text": text, "apply": apply });
    let (head, said) = post(&view, &change("[gateway]\nwrong = 1\n", true)).await;
    assert!(head.starts_with("HTTP/1.1 422"), "{head}");
    assert_eq!(
        (&said["faults"][0]["line"], &said["faults"][0]["allowed"]),
        (&2.into(), &"right".into())
    );
    let (head, said) = post(&view, &change("# new\n", false)).await;
    assert!(head.starts_with("HTTP/1.1 200") && said["applied"] == false, "{head} {said}");
    assert!(said["difference"].as_str().unwrap().contains("+# new"), "{said}");
    assert_eq!(fake.reloads.load(Ordering::Relaxed), 0);
    let (_, said) = post(&view, &change("# new\n", true)).await;
    assert_eq!((&said["applied"], fake.text(0)), (&true.into(), "# new\n".to_owned()));
    assert_eq!(fake.reloads.load(Ordering::Relaxed), 1);
    let (head, _) = post(&view, &change("# newer\n", true)).await;
    assert!(head.starts_with("HTTP/1.1 409"), "made from the text before: {head}");
    let other = serde_json::json!({ "file": "/etc/passwd", "base": "", "text": "" });
    let (head, _) = post(&view, &other).await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
}

#[tokio::test]
async fn files_that_cannot_be_read_are_told_and_not_taken_for_none() {
    let (view, _) = with(Fake { unreadable: true, ..Fake::new() }).await;
    let (_, body) = get(&view, "/settings?lang=en").await;
    assert!(body.contains("/etc/linli/linli.toml") && body.contains("cannot be read"), "{body}");
    assert!(!body.contains("runs without a configuration file"), "{body}");
}

#[tokio::test]
async fn a_gateway_without_a_file_says_so() {
    let view = sample(1, 0).await.view;
    let (head, _) = get(&view, "/settings/configuration").await;
    assert!(head.starts_with("HTTP/1.1 404"), "{head}");
    let (_, body) = get(&view, "/settings?lang=en").await;
    assert!(body.contains("runs without a configuration file"), "{body}");
}

#[test]
fn every_text_of_the_settings_stands_in_both_languages() {
    for word in Word::ALL {
        let (zh, en) = word.both();
        assert!(!zh.is_empty() && !en.is_empty(), "{word:?}");
    }
}
