//! Messages as platforms send them, and as nobody should.

use proptest::prelude::*;
use ring::signature::KeyPair as _;

use super::ebd::{Answering, BroadcastState, ResultCode, response, state_response};
use super::envelope::{Key, open, signer};
use super::*;
use crate::model::{ReceiptCounts, Severity, WarningSource, WarningStatus};

const ID: &str = "371002000000000000202601020001";

fn warned(text: &str) -> (Warning, Vec<WarningId>) {
    match read(text.as_bytes()).unwrap().message {
        Message::Warn { warning, replaces } => (*warning, replaces),
        other => panic!("{other:?}"),
    }
}

fn refused(text: &str) -> Unread {
    read(text.as_bytes()).unwrap_err()
}

fn cap(kind: &str, more: &str, infos: &str) -> String {
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>37100041600000_20260102030405</identifier>
<sender>weihai@cma</sender><sent>2026-01-02T03:04:05+08:00</sent><status>Actual</status>
<msgType>{kind}</msgType><scope>Public</scope>{more}{infos}</alert>"#
    )
}

const INFOS: &str = "<info><language>zh-CN</language><category>Met</category><event>暴雨</event>\
<urgency>Immediate</urgency><severity>Severe</severity><certainty>Likely</certainty>\
<onset>2026-01-02T04:00:00+08:00</onset><expires>2026-01-02T06:00:00+08:00</expires>\
<headline>暴雨橙色预警</headline><description>三小时内有暴雨</description>\
<instruction>请勿外出</instruction><area><areaDesc>环翠区</areaDesc><geocode><valueName>区划</valueName>\
<value>371002000000</value></geocode></area></info><info><language>en</language><event>Rainstorm</event>\
<severity>Extreme</severity><expires>2026-01-02T07:00:00+08:00</expires>\
<description>Heavy rain</description></info>";

fn ebd(kind: &str, message_type: &str, more: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><EBD><EBDVersion>1.0</EBDVersion>\
<EBDID>102371002000000000000000000000000001</EBDID><EBDType>{kind}</EBDType>\
<SRC><EBRID>237100200000000001</EBRID><URL>http://a</URL></SRC><EBDTime>2026-01-02 03:04:05</EBDTime>\
<EBM><EBMVersion>1.0</EBMVersion><EBMID>{ID}</EBMID>{more}<MsgBasicInfo><MsgType>{message_type}</MsgType>\
<SenderName>区应急局</SenderName><SendTime>2026-01-02 03:04:05</SendTime><EventType>11B03</EventType>\
<Severity>1</Severity><StartTime>2026-01-02 03:04:05</StartTime><EndTime>2026-01-02 05:04:05</EndTime>\
</MsgBasicInfo><MsgContent><LanguageCode>zho</LanguageCode><MsgTitle>火警</MsgTitle>\
<MsgDesc>请从楼梯离开</MsgDesc><AreaCode>371002001005,371002001006</AreaCode></MsgContent></EBM></EBD>"
    )
}

#[test]
fn our_own_form_is_read_with_its_defaults() {
    let (warning, replaces) = warned(&format!(
        r#"{{"v":1,"id":"{ID}","severity":"red","zh":{{"title":"火警"}},"zones":["north"," north "],
        "end":"2026-01-02T05:00:00+08:00","new":1}}"#
    ));
    assert_eq!(warning.id.as_str(), ID);
    assert_eq!((warning.status, warning.severity), (WarningStatus::Actual, Severity::Red));
    assert_eq!((warning.repeat, warning.zones.as_slice()), (1, &["north".to_owned()][..]));
    assert_eq!(warning.end_ms, Some(1_767_301_200_000));
    assert!(replaces.is_empty());
    let cancel = read(br#"{"v":1,"cancel":["local-1"],"sender":"city"}"#).unwrap().message;
    let refers = vec![WarningId::new("local-1").unwrap()];
    assert_eq!(cancel, Message::Cancel { refers, by: "city".into() });
}

#[test]
fn our_own_form_is_refused_with_the_reason_and_where_possible_the_identifier() {
    let unread = refused(&format!(r#"{{"v":1,"id":"{ID}"}}"#));
    assert!(unread.detail.contains("says nothing"), "{unread}");
    assert_eq!(unread.id.unwrap().as_str(), ID);
    let draft = refused(&format!(r#"{{"v":1,"id":"{ID}","status":"draft","zh":{{"title":"x"}}}}"#));
    assert_eq!(draft.reason, WarningRefusal::NotForPlaying);
    for (text, part) in [
        (r#"{"v":2,"id":"a"}"#, "version is 2"),
        (r#"{"v":1,"zh":{"title":"x"}}"#, "no `id`"),
        (r#"{"v":1,"id":"a","zh":{"title":"x"},"end":"tomorrow"}"#, "`tomorrow`"),
        (r#"{"v":1,"id":"a b","zh":{"title":"x"}}"#, "no identifier"),
        (r#"{"v":1,"cancel":[]}"#, "cancels nothing"),
        ("", "neither JSON nor XML"),
        ("<a/>", "begins with <a>"),
    ] {
        let unread = refused(text);
        assert_eq!(unread.reason, WarningRefusal::Malformed);
        assert!(unread.detail.contains(part), "{text}: {unread}");
    }
}

#[test]
fn cap_is_read_in_both_languages_with_the_worst_level_and_the_latest_end() {
    let (warning, _) = warned(&cap("Alert", "", INFOS));
    assert_eq!(warning.id.as_str(), "37100041600000_20260102030405");
    assert_eq!((warning.source, warning.severity), (WarningSource::Cap, Severity::Red));
    assert_eq!(warning.zh.title, "暴雨橙色预警");
    assert_eq!(warning.zh.body, "三小时内有暴雨 请勿外出");
    assert_eq!((warning.en.title.as_str(), warning.en.body.as_str()), ("Rainstorm", "Heavy rain"));
    assert_eq!(warning.zones, ["371002000000"]);
    assert_eq!(warning.start_ms, Some(1_767_297_600_000));
    assert_eq!(warning.end_ms, Some(1_767_308_400_000));
}

#[test]
fn cap_updates_and_cancels_by_reference() {
    let more = "<references>weihai@cma,first_1,2026-01-01T00:00:00+08:00 \
                weihai@cma,second_1,2026-01-01T00:00:00+08:00</references>";
    let two = ["first_1", "second_1"].map(|id| WarningId::new(id).unwrap()).to_vec();
    assert_eq!(warned(&cap("Update", more, INFOS)).1, two);
    let cancel = read(cap("Cancel", more, "").as_bytes()).unwrap().message;
    assert_eq!(cancel, Message::Cancel { refers: two, by: "weihai@cma".into() });
    assert!(refused(&cap("Cancel", "", "")).detail.contains("cancels nothing"));
}

#[test]
fn cap_that_is_not_for_everybody_or_not_meant_is_not_played() {
    for (from, to) in [
        ("<status>Actual", "<status>Draft"),
        ("<scope>Public", "<scope>Restricted"),
        ("<msgType>Alert", "<msgType>Ack"),
    ] {
        let unread = refused(&cap("Alert", "", INFOS).replace(from, to));
        assert_eq!(unread.reason, WarningRefusal::NotForPlaying, "{to}");
    }
    let drill = cap("Alert", "", INFOS).replace("<status>Actual", "<status>Exercise");
    assert_eq!(warned(&drill).0.status, WarningStatus::Exercise);
    let other = refused(&cap("Alert", "", INFOS).replace("cap:1.2", "cap:1.1"));
    assert!(other.detail.contains("cap:1.1"));
}

#[test]
fn an_ebm_is_read_with_its_packet() {
    let parsed = read(ebd("EBM", "1", "").as_bytes()).unwrap();
    assert_eq!(parsed.ebd.as_ref().unwrap().source, "237100200000000001");
    let Message::Warn { warning, .. } = parsed.message else { panic!() };
    assert_eq!((warning.id.as_str(), warning.severity), (ID, Severity::Red));
    assert_eq!(warning.zones, ["371002001005", "371002001006"]);
    assert_eq!((warning.zh.title.as_str(), warning.event.as_str()), ("火警", "11B03"));
    assert_eq!(warning.sent_ms, Some(1_767_294_245_000));
    let long = ebd("EBM", "1", "").replace(ID, &"1".repeat(35));
    assert_eq!(warned(&long).0.id.as_str().len(), 35);
}

#[test]
fn an_ebm_cancels_what_it_relates_to_or_itself() {
    let other = "371002000000000000202601010009";
    let more = format!("<RelatedInfo><EBMID>{other}</EBMID></RelatedInfo>");
    for (more, id) in [(more.as_str(), other), ("", ID)] {
        let cancel = read(ebd("EBM", "2", more).as_bytes()).unwrap().message;
        let Message::Cancel { refers, by } = cancel else { panic!() };
        assert_eq!((refers[0].as_str(), by.as_str()), (id, "区应急局"));
    }
}

#[test]
fn a_packet_that_is_not_complete_is_refused_by_what_is_missing() {
    for (from, to, part) in [
        (ID, "123", "neither 30 nor 35"),
        ("<MsgType>1", "<MsgType>7", "MsgType is `7`"),
        ("<Severity>1<", "<Severity>9<", "Severity is `9`"),
        ("<EBDVersion>1.0", "<EBDVersion>2.0", "EBDVersion is `2.0`"),
        ("102371002000000000000000000000000001", "1", "has not 36 digits"),
        ("2026-01-02 05:04:05", "soon", "`soon`"),
        ("MsgContent", "Other", "no <MsgContent>"),
    ] {
        let unread = refused(&ebd("EBM", "1", "").replace(from, to));
        assert!(unread.detail.contains(part), "{unread}");
    }
    let log = refused(&ebd("EBMBrdLog", "1", ""));
    assert_eq!(log.reason, WarningRefusal::NotForPlaying);
}

#[test]
fn answers_are_packets_that_can_be_read() {
    let to = Ebd { id: "1".repeat(36), source: "<2&3>".into() };
    let ours = Answering { source: "237100200000000009", sequence: 7, now_ms: 1_767_294_245_000 };
    let text = response(&ours, &to, ResultCode::Refused(WarningRefusal::WrongSignature));
    let document = xml::parse(&text).unwrap();
    let root = document.root_element();
    assert_eq!(xml::required(root, "EBDID").unwrap(), "102371002000000000090000000000000007");
    assert_eq!(xml::required(root, "EBDTime").unwrap(), "2026-01-02 03:04:05");
    let result = xml::child(root, "EBDResponse").unwrap();
    assert_eq!(xml::required(result, "ResultCode").unwrap(), "4");
    let id = WarningId::new(ID).unwrap();
    let counts = ReceiptCounts { addressed: 4, acknowledged: 3, ..ReceiptCounts::default() };
    let text = state_response(&ours, &to, &id, BroadcastState::Playing, &counts);
    assert!(text.contains("<CoverageRate>0.75</CoverageRate>"), "{text}");
    xml::parse(&text).unwrap();
    // A question about it is understood.
    let ask = ebd("EBMStateRequest", "1", "").replace("<EBM>", "<EBMStateRequest><EBM>");
    let ask = ask.replace("</EBM>", "</EBM></EBMStateRequest>");
    assert_eq!(read(ask.as_bytes()).unwrap().message, Message::State(id));
}

#[test]
fn entities_depth_and_size_do_not_hurt() {
    let laughs = "<!DOCTYPE a [<!ENTITY b \"bbbb\"><!ENTITY c \"&b;&b;\">]><EBD>&c;</EBD>";
    assert!(refused(laughs).detail.contains("no XML that is taken"));
    let deep = format!("{}{}", "<a>".repeat(3000), "</a>".repeat(3000));
    assert_eq!(refused(&deep).reason, WarningRefusal::Malformed);
    let many = format!("<EBD>{}</EBD>", "<a/>".repeat(10_000));
    assert!(refused(&many).detail.contains("no XML"));
    let long = "x".repeat(MAX_MESSAGE + 1);
    assert!(refused(&long).detail.contains("longer than"));
    let (warning, _) = warned(&format!(
        r#"{{"v":1,"id":"a","zh":{{"title":"{}","body":"a\u0007b"}}}}"#,
        "长".repeat(5000)
    ));
    assert!(warning.zh.title.len() <= MAX_TITLE && warning.zh.title.ends_with('…'));
    assert_eq!(warning.zh.body, "a b");
}

fn pem(spki_head: &[u8], key: &[u8]) -> String {
    use base64::Engine as _;
    let der = [spki_head, key].concat();
    let text = base64::engine::general_purpose::STANDARD.encode(der);
    format!("-----BEGIN PUBLIC KEY-----\n{text}\n-----END PUBLIC KEY-----\n")
}

fn enveloped(message: &str, signature: &str) -> Vec<u8> {
    serde_json::json!({"v": 1, "message": message, "signature": signature}).to_string().into()
}

#[test]
fn a_signature_counts_for_this_text_and_a_trusted_key_only() {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::STANDARD;
    let pair = ring::signature::Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let head = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
    let key = Key::read("city", &pem(&head, pair.public_key().as_ref())).unwrap();
    let message = ebd("EBM", "1", "");
    let value = base64.encode(pair.sign(message.as_bytes()));
    let file = format!("<Signature><SignatureValue>\n{value}\n</SignatureValue></Signature>");
    for signature in [&value, &file] {
        let opened = open(&enveloped(&message, signature)).unwrap();
        assert_eq!(signer(std::slice::from_ref(&key), &opened).unwrap().name, "city");
        assert_eq!(
            signer(&[], &opened).unwrap_err().reason,
            WarningRefusal::WrongSignature,
            "nobody is trusted"
        );
    }
    let other = open(&enveloped(&message.replace("火警", "火灾"), &value)).unwrap();
    let keys = [key];
    assert_eq!(signer(&keys, &other).unwrap_err().reason, WarningRefusal::WrongSignature);
    let bare = open(message.as_bytes()).unwrap();
    assert_eq!(signer(&keys, &bare).unwrap_err().reason, WarningRefusal::Unsigned);
    for junk in ["%%%", "<a", "<a/>", "AAAA"] {
        let opened = open(&enveloped(&message, junk)).unwrap();
        assert_eq!(signer(&keys, &opened).unwrap_err().reason, WarningRefusal::WrongSignature);
    }
}

#[test]
fn ecdsa_keys_are_read_and_check_both_forms() {
    use base64::Engine as _;
    use ring::signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair,
    };
    let random = ring::rand::SystemRandom::new();
    let head = [
        0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08,
        0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
    ];
    for algorithm in [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P256_SHA256_FIXED_SIGNING] {
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        let key = Key::read("k", &pem(&head, pair.public_key().as_ref())).unwrap();
        let made = pair.sign(&random, b"{}").unwrap();
        let value = base64::engine::general_purpose::STANDARD.encode(made);
        let opened = open(&enveloped("{}", &value)).unwrap();
        assert!(signer(&[key], &opened).is_ok());
    }
}

/// Made by `openssl pkey -pubout`, and `openssl dgst -sha256 -sign` of the two bytes `{}`.
const RSA_KEY: &str = "-----BEGIN PUBLIC KEY-----\n\
MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAuYqJ9wvpWDInTrZllW59\n\
bsCDKsJrVEOittUuDL3lU/Zect1AWXq3xnX51Gt/pfV5LhXVrrOi8fESJJf5Kht6\n\
8tBilZkyMuLJ9wXIgST8DbU12xXk/yozJ3iAFqSSaJskgYYTFmXJ2Oyf1agcAAta\n\
yibg7cVDIelbycHCaYHCGiE5QLGWmQgHkhpkzyvSffmpP0C0/GYs2LrhIUHt7fv/\n\
qgWrhZTnuSG8deG5alZFAuuc7Jc9j9T8oNMPb2YQFYkdbRfDgxHtFkzf+wzoJ5RI\n\
Elh5pcSDyWcUSBFWHZsA4DWxCpwugpy+owo6L2CzwlBJvtBT8qDl+W3dPo/OK5DO\n\
RQIDAQAB\n\
-----END PUBLIC KEY-----";
const RSA_SIGNATURE: &str = "p6dMPVWX9rjId0MhiyfDL8WOYRh5vYfYwRnRWyFOY2IYMVkjD6aB8XDiE74/3W/QF6Q6kEhRKzp2Iq4N\
    K0Z6Z4FRs3QrHupCRfM7bi1i92GDBdA7V15YatDqmWxJhyjTMxmHEf2SSNAvKOiheV6Re+0ZTjEj02xY\
    W5V4xE3Yfake+SdqZQurf7X3N7MLUPtGS6jG3MI4qKjqhRAbvXIX3dlbk+i8l0dihbWwlpHAADk4UyBY\
    vvPjE+VQtZPZqUAB1CNuz1GcQQfyEJB9ZCwfjV1DNGnUoFziaL2e+7rcvpnB9rJG53mC77ELhbCNQqEr\
    ILU4qtcxA2P+HHfchDZ+4Q==";

#[test]
fn a_key_and_a_signature_of_openssl_are_taken() {
    let key = Key::read("rsa", RSA_KEY).unwrap();
    let opened = open(&enveloped("{}", RSA_SIGNATURE)).unwrap();
    assert!(signer(std::slice::from_ref(&key), &opened).is_ok());
    let other = open(&enveloped("{ }", RSA_SIGNATURE)).unwrap();
    assert!(signer(&[key], &other).is_err());
}

#[test]
fn a_key_that_cannot_be_used_is_refused_by_what_is_wrong() {
    for (text, part) in [
        ("hello", "BEGIN PUBLIC KEY"),
        ("-----BEGIN PUBLIC KEY-----\n*\n-----END PUBLIC KEY-----", "base64"),
        ("-----BEGIN PUBLIC KEY-----\nMAA=\n-----END PUBLIC KEY-----", "SM2"),
    ] {
        assert!(Key::read("k", text).unwrap_err().contains(part), "{text}");
    }
}

proptest! {
    #[test]
    fn no_text_breaks_the_readers(text in "\\PC{0,200}") {
        drop(read(text.as_bytes()));
        drop(open(text.as_bytes()));
        drop(Key::read("k", &text));
        for frame in ["<EBD>", "<alert>", "{\"v\":1,"] {
            drop(read(format!("{frame}{text}").as_bytes()));
        }
    }

    #[test]
    fn no_change_of_a_message_breaks_the_readers(
        at in 0usize..1400, with in any::<u8>(), which in 0usize..2
    ) {
        let mut bytes = match which {
            0 => ebd("EBM", "1", "").into_bytes(),
            _ => cap("Alert", "", INFOS).into_bytes(),
        };
        let at = at % bytes.len();
        bytes[at] = with;
        if let Ok(Parsed { message: Message::Warn { warning, .. }, .. }) = read(&bytes) {
            prop_assert!(warning.zh.title.len() <= MAX_TITLE);
            prop_assert!(warning.zones.len() <= MAX_ZONES);
        }
    }

    #[test]
    fn shortening_never_exceeds_and_never_cuts_a_character(text in "\\PC{0,60}", most in 3usize..80) {
        prop_assert!(shortened(&text, most).len() <= most);
    }
}
