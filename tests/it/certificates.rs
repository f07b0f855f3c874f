//! The platform's certificate and ours, with a real broker: whoever cannot prove who he is gets no
//! reading, and no reading is lost over it.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    date_time_ymd,
};

use crate::parts::{Process, ask, free_port, linli, lonely_site, mosquitto_with, wait_until};

/// An authority that signs.
pub struct Authority(pub CertifiedIssuer<'static, KeyPair>);

impl Authority {
    pub fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(rcgen::DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_after = date_time_ymd(2099, 1, 1);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    /// Writes `NAME.pem` and `NAME.key` for this subject, valid until that year.
    pub fn sign(&self, at: &Path, name: &str, subject: &str, year: i32) {
        let mut params = CertificateParams::new(vec![subject.into()]).unwrap();
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 1, 1);
        params.extended_key_usages =
            vec![ExtendedKeyUsagePurpose::ServerAuth, ExtendedKeyUsagePurpose::ClientAuth];
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
        fs::write(at.join(format!("{name}.pem")), certificate.pem()).unwrap();
        fs::write(at.join(format!("{name}.key")), key.serialize_pem()).unwrap();
    }
}

/// A broker with this certificate, for clients of the authority in `clients.pem`.
pub fn platform(at: &Path, port: u16, certificate: &str) -> Process {
    let folder = at.display();
    mosquitto_with(
        at,
        port,
        &format!(
            "cafile {folder}/clients.pem\ncertfile {folder}/{certificate}.pem\n\
             keyfile {folder}/{certificate}.key\nrequire_certificate true\n"
        ),
    )
}

/// A site that reaches its platform on `port` with the certificate in `gateway.pem`.
fn certified_site(at: &Path, page: u16, port: u16) -> PathBuf {
    let config = lonely_site(at, page, "site");
    let text = fs::read_to_string(&config).unwrap();
    let uplink = format!(
        "[uplink]\nhost = \"127.0.0.1\"\nport = {port}\nclient_id = \"site\"\n\
         reconnect_cap = \"1s\"\n[uplink.tls]\nca_file = \"ca.pem\"\ncert_file = \"gateway.pem\"\n\
         key_file = \"gateway.key\"\n[status]"
    );
    fs::write(&config, text.replace("[status]", &uplink)).unwrap();
    config
}

fn until_told(page: SocketAddr, word: &str) {
    let mut told = String::new();
    wait_until(&format!("the fault says `{word}`"), || {
        let Some(uplink) = ask(page, "/api/v1/uplink") else { return false };
        told = uplink.to_string();
        uplink["connected"] == false && uplink["fault"].as_str().unwrap_or("").contains(word)
    });
}

fn until_connected(page: SocketAddr) {
    wait_until("the platform is connected", || {
        ask(page, "/api/v1/uplink").is_some_and(|uplink| uplink["connected"] == true)
    });
}

#[test]
fn a_broker_that_is_not_who_it_should_be_gets_nothing_and_a_client_nobody_knows_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let (ours, other) = (Authority::new("the city"), Authority::new("somebody else"));
    fs::write(at.join("ca.pem"), ours.0.pem()).unwrap();
    fs::write(at.join("clients.pem"), ours.0.pem()).unwrap();
    ours.sign(at, "gateway", "gateway.test", 2098);
    ours.sign(at, "good", "127.0.0.1", 2098);
    ours.sign(at, "expired", "127.0.0.1", 2021);
    ours.sign(at, "misnamed", "other.test", 2098);
    other.sign(at, "foreign", "127.0.0.1", 2098);
    other.sign(at, "stranger", "stranger.test", 2098);
    let (port, page) = (free_port(), free_port());
    let config = certified_site(at, page, port);
    let (log, page) = (at.join("log"), SocketAddr::from(([127, 0, 0, 1], page)));
    let broker = platform(at, port, "good");
    let daemon = linli(&config, &log);
    until_connected(page);
    broker.terminate();
    let cases =
        [("foreign", "UnknownIssuer"), ("expired", "xpired"), ("misnamed", "not valid for name")];
    for (certificate, word) in cases {
        let broker = platform(at, port, certificate);
        until_told(page, word);
        let blocks = ask(page, "/api/v1/buffer").unwrap()["blocks"].as_u64().unwrap();
        assert!(blocks > 0, "{certificate}: events wait here, and nobody else has them");
        let ready = ask(page, "/readyz").unwrap();
        let row = ready["promises"].as_array().unwrap();
        let row = row.iter().find(|row| row["promise"] == "delivered").unwrap();
        assert!(row["kept"] == false && row["why_zh"].as_str().unwrap().contains("TLS"), "{row}");
        broker.terminate();
    }
    // A healthy one again: everything that waited goes out at once.
    let broker = platform(at, port, "good");
    until_connected(page);
    wait_until("nothing waits", || {
        ask(page, "/api/v1/buffer").is_some_and(|buffer| buffer["blocks"].as_u64() <= Some(1))
    });
    // Ours is replaced by one of an authority that the broker does not know: it is told which.
    broker.terminate();
    for end in ["pem", "key"] {
        fs::copy(at.join(format!("stranger.{end}")), at.join(format!("gateway.{end}"))).unwrap();
    }
    let _broker = platform(at, port, "good");
    until_told(page, "alert");
    assert_eq!(daemon.terminate(), 0, "{}", fs::read_to_string(&log).unwrap());
}

#[test]
fn a_certificate_that_is_renewed_is_used_and_its_end_is_watched() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let ours = Authority::new("the city");
    fs::write(at.join("ca.pem"), ours.0.pem()).unwrap();
    fs::write(at.join("clients.pem"), ours.0.pem()).unwrap();
    ours.sign(at, "good", "127.0.0.1", 2098);
    // Expired for everybody who looks at it; Mosquitto refuses it, too.
    ours.sign(at, "gateway", "gateway.test", 2021);
    let (port, page) = (free_port(), free_port());
    let config = certified_site(at, page, port);
    let (log, page) = (at.join("log"), SocketAddr::from(([127, 0, 0, 1], page)));
    let _broker = platform(at, port, "good");
    let daemon = linli(&config, &log);
    let promise = || {
        let ready = ask(page, "/readyz")?;
        let rows = ready["promises"].as_array()?.clone();
        rows.into_iter().find(|row| row["promise"] == "certificate")
    };
    wait_until("the expired certificate is told", || {
        promise().is_some_and(|row| {
            row["kept"] == false && row["why"].as_str().unwrap().contains("uplink.cert_file")
        })
    });
    until_told(page, "alert");
    ours.sign(at, "gateway", "gateway.test", 2098);
    until_connected(page);
    assert_eq!(daemon.terminate(), 0, "{}", fs::read_to_string(&log).unwrap());
}
