//! Real certificates of every age, in files.

use std::path::Path;

use super::*;
use crate::broker::TlsConfig;
use crate::config::parse;
use crate::profile::Library;

const DAY_MS: i64 = 86_400_000;
/// 1 January 2030.
const NEW_YEAR: i64 = 1_893_456_000_000;

/// Writes a certificate that expires on 11 January 2030.
fn write(path: &Path) {
    let mut params = rcgen::CertificateParams::new(vec!["g.test".into()]).unwrap();
    params.not_after = rcgen::date_time_ymd(2030, 1, 11);
    let key = rcgen::KeyPair::generate().unwrap();
    std::fs::write(path, params.self_signed(&key).unwrap().pem()).unwrap();
}

fn settings(folder: &Path) -> Settings {
    let text = "[gateway]\nid = \"g\"\n[uplink]\nhost = \"platform.test\"\n";
    let mut settings = parse("linli.toml", text, &Library::load(&[]).unwrap()).unwrap();
    let uplink = settings.uplink.as_mut().unwrap();
    let cert_file = Some(folder.join("gateway.pem"));
    uplink.broker.tls = Some(TlsConfig { cert_file, ..TlsConfig::default() });
    settings
}

fn wall(days: i64) -> Option<WallTime> {
    Some(WallTime { unix_ms: NEW_YEAR + days * DAY_MS })
}

fn at(days: i64) -> Moment {
    Moment { boot_ms: u64::try_from((days + 100) * DAY_MS).unwrap() }
}

fn days(events: &[EventKind]) -> Vec<i64> {
    let day = |kind: &EventKind| match kind {
        EventKind::CertificateExpires { days, .. } => *days,
        other => panic!("{other:?}"),
    };
    events.iter().map(day).collect()
}

#[tokio::test]
async fn one_that_ends_soon_is_told_once_a_day_until_it_is_renewed() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("gateway.pem"));
    let mut all = Certificates::new(&settings(folder.path()), Vec::new(), None);
    assert_eq!(all.look(at(-30), wall(-30)).await, [], "forty days ahead");
    assert_eq!(all.all().len(), 1);
    assert_eq!(days(&all.look(at(0), wall(0)).await), [10]);
    assert_eq!(all.look(at(0), wall(0)).await, [], "told already");
    assert_eq!(days(&all.look(at(1), wall(1)).await), [9]);
    assert_eq!(days(&all.look(at(12), wall(12)).await), [-2]);
    std::fs::remove_file(folder.path().join("gateway.pem")).unwrap();
    assert_eq!(all.look(at(13), wall(13)).await, [], "who knows");
}

#[tokio::test]
async fn what_was_told_today_is_not_told_again_after_a_restart_even_if_the_clock_was_wrong() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("gateway.pem"));
    let settings = settings(folder.path());
    let mut all = Certificates::new(&settings, Vec::new(), wall(0));
    assert_eq!(all.look(at(0), wall(0)).await, []);
    // Told by a clock that was years ahead: that is no reason to be silent until then.
    let mut all = Certificates::new(&settings, Vec::new(), wall(5000));
    assert_eq!(days(&all.look(at(0), wall(0)).await), [10]);
}

#[tokio::test]
async fn without_a_trusted_clock_nothing_is_told() {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("gateway.pem"));
    let mut all = Certificates::new(&settings(folder.path()), Vec::new(), None);
    assert_eq!(all.look(at(20), None).await, []);
    assert_eq!(days(&all.look(at(20), wall(20)).await), [-10]);
}

#[tokio::test]
async fn the_page_s_own_certificate_is_judged_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("page.pem");
    write(&path);
    let text = "[gateway]\nid = \"g\"\n";
    let settings = parse("linli.toml", text, &Library::load(&[]).unwrap()).unwrap();
    let mut all = Certificates::new(&settings, Vec::new(), None);
    all.add_chain("status.cert_file", path);
    assert_eq!(days(&all.look(at(0), wall(0)).await), [10]);
    assert_eq!(all.all()[0].what, "status.cert_file");
}
