//! The page's certificate, judged by `openssl`, and its files as people change them.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::*;

fn own(listen: &str) -> Config {
    let config = Config::at(listen.parse().unwrap());
    Config { protection: Protection::OwnCertificate, ..config }
}

fn open(config: &Config, folder: &TempDir) -> Result<PageTls, TlsFault> {
    PageTls::open(config, "weihai-0631", &folder.path().join("buffer")).map(Option::unwrap)
}

fn openssl(arguments: &[&str], file: &Path) -> String {
    let output = Command::new("openssl").args(arguments).arg(file).output().expect("openssl");
    let (out, error) = (output.stdout, output.stderr);
    format!("{}{}", String::from_utf8_lossy(&out), String::from_utf8_lossy(&error))
}

fn copy(from: &TempDir, to: &TempDir) {
    for name in [CERTIFICATE, KEY] {
        // As those do who renew certificates: a new file in place of the old one.
        let beside = to.path().join("renewed");
        fs::copy(from.path().join(name), &beside).unwrap();
        fs::rename(beside, to.path().join(name)).unwrap();
    }
}

#[test]
fn openssl_takes_the_certificate_for_every_name_and_from_2024_to_2049() {
    let folder = tempfile::tempdir().unwrap();
    let tls = open(&own("192.168.7.3:8443"), &folder).unwrap();
    let file = tls.certificate().file;
    let text = openssl(&["x509", "-noout", "-text", "-in"], &file);
    for part in [
        "Version: 3",
        "ecdsa-with-SHA256",
        "ASN1 OID: prime256v1",
        "Subject: CN = weihai-0631",
        "Not Before: Jan  1 00:00:00 2024 GMT",
        "Not After : Dec 31 23:59:59 2049 GMT",
        "CA:FALSE",
        "Digital Signature",
        "TLS Web Server Authentication",
        "DNS:weihai-0631",
        "DNS:localhost",
        "IP Address:192.168.7.3",
        "IP Address:127.0.0.1",
        "IP Address:0:0:0:0:0:0:0:1",
    ] {
        let spaced = text.replace("CN=", "CN = ");
        assert!(spaced.contains(part), "`{part}` is not in\n{text}");
    }
    let path = file.to_str().unwrap();
    let verified =
        openssl(&["verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", path], &file);
    assert!(verified.contains(": OK"), "{verified}");
    let print = openssl(&["x509", "-noout", "-fingerprint", "-sha256", "-in"], &file);
    assert!(print.contains(&tls.certificate().fingerprint), "{print}");
    assert_eq!(fingerprint_of(&file).unwrap(), tls.certificate().fingerprint);
}

#[test]
fn the_key_is_its_owners_alone_and_both_files_stay_as_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(&own("127.0.0.1:0"), &folder).unwrap().certificate().fingerprint;
    let mode = |name| folder.path().join(name).metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(KEY), mode(CERTIFICATE)), (0o600, 0o644));
    assert_eq!(open(&own("127.0.0.1:0"), &folder).unwrap().certificate().fingerprint, first);
    // Another address has another name: a certificate for it is made.
    let moved = open(&own("192.168.7.3:0"), &folder).unwrap().certificate().fingerprint;
    assert_ne!(moved, first);
    // What was torn is made anew; nobody can have trusted half a file.
    let text = fs::read_to_string(folder.path().join(CERTIFICATE)).unwrap();
    fs::write(folder.path().join(CERTIFICATE), text.get(..200).unwrap()).unwrap();
    assert_ne!(open(&own("192.168.7.3:0"), &folder).unwrap().certificate().fingerprint, moved);
}

#[test]
fn files_that_do_not_belong_together_are_refused_by_name_in_both_languages() {
    let (one, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(&own("127.0.0.1:0"), &one).unwrap();
    open(&own("127.0.0.1:0"), &other).unwrap();
    let with = |cert_file: PathBuf, key_file: PathBuf| {
        let protection = Protection::Files { cert_file, key_file };
        let config = Config { protection, ..own("127.0.0.1:0") };
        PageTls::open(&config, "g", Path::new("nowhere")).unwrap_err().words()
    };
    let words = with(one.path().join(CERTIFICATE), other.path().join(KEY));
    assert!(words.en.contains("does not belong to the certificate"), "{}", words.en);
    assert!(words.zh.contains("不配对") && words.zh.contains(KEY), "{}", words.zh);
    let words = with(one.path().join("absent.pem"), one.path().join(KEY));
    assert!(words.en.contains("absent.pem"), "{}", words.en);
    let words = with(one.path().join(KEY), one.path().join(KEY));
    assert!(words.en.contains("no certificate"), "{}", words.en);
}

#[tokio::test]
async fn renewed_files_are_served_without_a_restart_and_wrong_ones_are_told_while_the_old_go_on() {
    let (site, next) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    open(&own("127.0.0.1:0"), &site).unwrap();
    let renewed = open(&own("127.0.0.1:0"), &next).unwrap().certificate().fingerprint;
    let (cert_file, key_file) = (site.path().join(CERTIFICATE), site.path().join(KEY));
    let protection = Protection::Files { cert_file: cert_file.clone(), key_file };
    let config = Config { protection, ..own("127.0.0.1:0") };
    let tls = open(&config, &site).unwrap();
    let first = tls.certificate();
    tls.look_again().await;
    assert_eq!(tls.certificate(), first);
    fs::write(&cert_file, "rubbish").unwrap();
    tls.look_again().await;
    let told = tls.certificate();
    assert_eq!(told.fingerprint, first.fingerprint, "the old one goes on");
    assert!(told.fault.unwrap().en.contains(CERTIFICATE));
    copy(&next, &site);
    tls.look_again().await;
    let taken = tls.certificate();
    assert_eq!((taken.fingerprint, taken.fault), (renewed, None));
}
