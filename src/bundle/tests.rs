//! Secrets in all the places where they turn up.

use std::io::Read as _;

use proptest::prelude::*;

use super::*;

fn clean(text: &str) -> String {
    Scrubber::default().text(text)
}

fn clean_toml(text: &str) -> String {
    Scrubber::default().toml(text)
}

#[test]
fn a_known_secret_goes_from_every_place_and_a_short_one_only_where_it_stands_alone() {
    let mut scrubber = Scrubber::default();
    scrubber.hide("correct horse\n");
    scrubber.hide("abc");
    let text = scrubber.text("xcorrect horsey; abc, abcd, ABC");
    assert_eq!(text, "x[removed]y; [removed], abcd, ABC");
    assert_eq!(scrubber.removed(), 2);
}

#[test]
fn values_of_names_that_say_secret_go_and_the_names_stay() {
    for (text, kept) in [
        ("password=hunter2 user=anna", "password=[removed] user=anna"),
        ("{\"token\": \"hun\\\"ter2\", \"n\": 1}", "{\"token\": [removed], \"n\": 1}"),
        ("Authorization: Bearer hunter2 hunter3\nnext", "Authorization: [removed]\nnext"),
        ("MQTT_PASSWORD='hunter2 x' y", "MQTT_PASSWORD=[removed] y"),
        ("password_file = \"/etc/linli/p\"", "password_file = \"/etc/linli/p\""),
        ("password_file = hunter2", "password_file = [removed]"),
        ("12:30:45 host linli[7]: ok", "12:30:45 host linli[7]: ok"),
        ("令牌 token：无；token=hunter2", "令牌 token：无；token=[removed]"),
    ] {
        assert_eq!(clean(text), kept);
    }
}

#[test]
fn logins_in_addresses_go() {
    for (text, kept) in [
        ("at mqtts://anna:hunter2@box:8883/x now", "at mqtts://[removed]@box:8883/x now"),
        ("http://hunter2@box/", "http://[removed]@box/"),
        ("http://a:hun/ter2@box/", "http://[removed]@box/"),
        ("http://box/a@b", "http://box/a@b"),
        ("http://box:80/ mail a@b", "http://box:80/ mail a@b"),
    ] {
        assert_eq!(clean(text), kept);
    }
}

#[test]
fn keys_hashes_and_tokens_go_by_their_shape() {
    let key = "a\n-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\nb";
    assert_eq!(clean(key), "a\n[removed]\nb");
    assert_eq!(clean("x -----BEGIN PRIVATE KEY----- AAAA"), "x [removed]");
    let certificate = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----";
    assert_eq!(clean(certificate), certificate);
    let hash = "anna $argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo .";
    assert_eq!(clean(hash), "anna [removed] .");
    let token = format!("x linli_{} y", "Ab0_-".repeat(9).get(..43).unwrap());
    assert_eq!(clean(&token), "x [removed] y");
    let metric = "linli_certificate_expires_seconds_of_everything_there{what=\"a\"} 3";
    assert_eq!(clean(metric), metric);
}

#[test]
fn a_configuration_keeps_what_is_no_secret_and_loses_comments() {
    let kept = clean_toml(
        "# old password: hunter1\n[uplink]\nhost = \"box\"\npassword = \"hunter2\"\n\
         password_file = \"/etc/linli/p\"\nkey_file = \"hunter3\"\n[[device]]\nid = \"m\"\n\
         [device.secrets]\na = \"hunter4\"\nurl = \"http://u:hunter5@h/\"\n",
    );
    assert!(!kept.contains("hunter"), "{kept}");
    for part in ["host = \"box\"", "password_file = \"/etc/linli/p\"", "id = \"m\""] {
        assert!(kept.contains(part), "{part} in {kept}");
    }
}

#[test]
fn a_configuration_that_is_no_toml_loses_its_secrets_too() {
    let kept = clean_toml(
        "[uplink\nhost = box # hunter0\npassword = \"\"\"\nhunter1\nx = y hunter2\n\"\"\"\n\
         \"api token\" = hunter3\n[mqtt]\nport = 1883\n",
    );
    for secret in ["hunter0", "hunter1", "hunter2", "hunter3"] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
    assert!(kept.contains("port = 1883") && kept.contains("host = box"), "{kept}");
}

fn read(bytes: &[u8]) -> Vec<(String, String)> {
    let mut archive = tar::Archive::new(zstd::Decoder::new(bytes).unwrap());
    let entries = archive.entries().unwrap().map(|entry| {
        let mut entry = entry.unwrap();
        let mut text = String::new();
        entry.read_to_string(&mut text).unwrap();
        (entry.path().unwrap().display().to_string(), text)
    });
    entries.collect()
}

#[test]
fn the_archive_holds_every_text_and_its_first_file_lists_them() {
    let mut bundle = Bundle::new(Scrubber::default());
    bundle.add("a.txt", "a text", "token=hunter2\n");
    bundle.miss("journal.txt", "no journal here, password=hunter3");
    let mut bytes = Vec::new();
    bundle.write(&mut bytes, 1_800_000_000).unwrap();
    let files = read(&bytes);
    assert_eq!(files[0].0, "linli-support/CONTENTS");
    assert!(files[0].1.contains("a.txt") && files[0].1.contains("no journal here"));
    assert_eq!(files[1], ("linli-support/a.txt".into(), "token=[removed]\n".into()));
    assert!(files.iter().all(|(_, text)| !text.contains("hunter")));
    assert_eq!(bundle.removed(), 2);
}

#[test]
fn of_a_long_text_the_end_is_kept_and_a_full_bundle_says_what_is_missing() {
    let mut bundle = Bundle::bounded(Scrubber::default(), 100, 250);
    let long = format!("{}尾", "早".repeat(100));
    for name in ["1", "2", "3", "4"] {
        bundle.add(name, "", &long);
    }
    let total: usize = bundle.entries.iter().map(|entry| entry.text.len()).sum();
    assert!(total < 250 + 3 * 60, "{total}");
    assert!(bundle.entries[0].text.ends_with('尾'));
    assert!(bundle.entries[0].text.starts_with("[the first "));
    assert_eq!(bundle.missing, [("4".to_owned(), "the bundle is full".to_owned())]);
}

proptest! {
    #[test]
    fn whatever_stands_around_it_a_known_secret_never_stays(
        before in "\\PC{0,40}", secret in "[ -~]{6,20}", after in "\\PC{0,40}"
    ) {
        prop_assume!(secret.trim().len() >= 6 && !REMOVED.repeat(2).contains(secret.trim()));
        let mut scrubber = Scrubber::default();
        scrubber.hide(&secret);
        let text = scrubber.text(&format!("{before}{secret}{after}"));
        prop_assert!(!text.contains(secret.trim()), "{}", text);
        // Any text passes without a panic.
        std::hint::black_box(scrubber.toml(&format!("{before}={after}\n{secret}")));
    }
}

const REMOVED: &str = "[removed]";
