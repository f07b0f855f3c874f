//! How the page is protected, by its address and its `[status.tls]`.

use super::*;
use crate::status::Protection;

fn read(status: &str) -> Settings {
    let text = format!("gateway = {{ id = 'g' }}\n{status}");
    parse_with("t.toml", &text, &shelf()).unwrap_or_else(|faults| panic!("{status}: {faults}"))
}

fn about_tls(settings: &Settings) -> Vec<&Fault> {
    settings.notes.iter().filter(|note| note.place.path.starts_with("status.tls")).collect()
}

fn protection(status: &str) -> Protection {
    read(status).status.unwrap().protection
}

#[test]
fn the_page_is_under_tls_wherever_others_reach_it() {
    assert_eq!(protection("[status]\n"), Protection::Plain);
    for listen in ["127.0.0.1:80", "127.9.9.9:80", "[::1]:80", "[::ffff:127.0.0.1]:80"] {
        let status = format!("[status]\nlisten = '{listen}'\n");
        assert_eq!(protection(&status), Protection::Plain, "{listen}");
    }
    for listen in ["0.0.0.0:80", "192.168.7.3:80", "[::]:80", "[fe80::1]:80"] {
        let status = format!("[status]\nlisten = '{listen}'\n");
        assert_eq!(protection(&status), Protection::OwnCertificate, "{listen}");
    }
    assert_eq!(protection("[status.tls]\n"), Protection::OwnCertificate);
    let files = "[status.tls]\ncert_file = '/c'\nkey_file = '/k'\n";
    let (cert_file, key_file) = ("/c".into(), "/k".into());
    assert_eq!(protection(files), Protection::Files { cert_file, key_file });
}

#[test]
fn who_insists_on_plain_http_is_warned_in_both_languages_unless_nobody_else_hears_it() {
    let insist = "[status.tls]\ninsecure_plain_http = true\n";
    assert_eq!(about_tls(&read(insist)).len(), 0);
    let open = read(&format!("[status]\nlisten = '0.0.0.0:80'\n{insist}"));
    assert_eq!(open.status.as_ref().unwrap().protection, Protection::Plain);
    let notes = about_tls(&open);
    let [note] = notes.as_slice() else { panic!("{:?}", open.notes) };
    assert_eq!(note.place.path, "status.tls.insecure_plain_http");
    assert!(note.problem.contains("unencrypted") && note.problem_zh.contains("明文"), "{note:?}");
}

#[test]
fn half_a_pair_and_a_certificate_that_is_of_no_use_are_faults() {
    let told =
        |tls: &str| whole(&format!("gateway = {{ id = 'g' }}\n[status.tls]\n{tls}")).join("\n");
    assert!(told("cert_file = '/c'\n").contains("add `key_file`"));
    assert!(told("key = '/k'\n").contains("key_file"));
    let both = "insecure_plain_http = true\ncert_file = '/c'\nkey_file = '/k'\n";
    let told = told(both);
    assert_eq!(told.matches("is of no use with `insecure_plain_http`").count(), 2, "{told}");
}
