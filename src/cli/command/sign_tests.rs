//! What is signed, as the gateway looks at it.

use clap::Parser as _;
use ring::signature::{ED25519, UnparsedPublicKey};

use super::*;

const NOW: i64 = 1_796_083_200_000;

#[derive(Debug, clap::Parser)]
struct Line {
    #[command(flatten)]
    arguments: Arguments,
}

fn arguments(words: &str) -> Arguments {
    let words = ["sign", "--key", "k"].into_iter().chain(words.split_whitespace());
    Line::try_parse_from(words).unwrap().arguments
}

fn key(folder: &Path) -> SigningKey {
    SigningKey::open_or_make(&folder.join("platform.pk8")).unwrap()
}

fn site() -> Settings {
    let text = "[gateway]\nid = \"box\"\n[uplink]\nhost = \"p\"\nprefix = \"city/{gateway}\"\n\
                [[bus]]\nid = \"a\"\ntcp = \"127.0.0.1:502\"\n[[device]]\nid = \"charger\"\n\
                profile = \"vestel-evc04\"\nbus = \"a\"\nallow = [\"currentLimit\"]\n";
    config::parse("t", text, &crate::profile::Library::built_in()).unwrap()
}

#[test]
fn what_is_missing_or_wrong_is_told_and_nothing_is_signed() {
    let fill = |words: &str, draft: &str| {
        let draft = serde_json::from_str(draft).unwrap();
        filled(&arguments(words), draft, None, NOW).map_err(|error| error.to_string())
    };
    let why = fill("--device a --command b", "{}").unwrap_err();
    assert!(why.contains("--gateway ID") && why.contains("网关"), "{why}");
    assert!(fill("--gateway g --command b", "{}").unwrap_err().contains("--device"));
    assert!(fill("--gateway g --device b", "{}").unwrap_err().contains("--command"));
    let folder = tempfile::tempdir().unwrap();
    let refused = |words: &str, draft: &str| {
        signed(fill(words, draft).unwrap(), &key(folder.path()), None).unwrap_err().to_string()
    };
    assert!(refused("--gateway g --device a --command b --id a/b", "{}").contains("no id"));
    assert!(refused("--gateway G! --device a --command b", "{}").contains("G!"));
    let other = "{\"v\": 2, \"gateway\": \"g\", \"device\": \"a\", \"command\": \"b\"}";
    assert!(refused("", other).contains("`v` is 2"));
    let back = "{\"gateway\": \"g\", \"device\": \"a\", \"command\": \"b\", \"expires\": 1}";
    assert!(refused("", back).contains("order"));
}

#[test]
fn a_key_that_is_missing_open_to_others_or_none_is_told_and_none_is_made() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("platform.pk8");
    let why = open(&file).unwrap_err().to_string();
    assert!(why.contains("platform.pk8") && !file.exists(), "{why}");
    key(folder.path());
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert!(open(&file).unwrap_err().to_string().contains("0600"));
    fs::write(&file, "rubbish").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    assert!(open(&file).unwrap_err().to_string().contains("linli command key"));
}

#[test]
fn what_is_printed_is_a_command_whose_signature_fits_and_options_replace_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(folder.path());
    let draft =
        "{\"device\": \"other\", \"command\": \"currentLimit\", \"value\": 6, \"by\": \"duty\",
        \"signature\": \"00\"}";
    let given = arguments("--device charger --value 16 --id one --expires 5m --until 2h");
    let site = site();
    let document = filled(&given, serde_json::from_str(draft).unwrap(), Some(&site), NOW).unwrap();
    let signed = signed(document, &key, Some(&site)).unwrap();
    assert_eq!(signed.topic, "city/box/command/one");
    // Over the wire, and as the gateway reads it.
    let payload = serde_json::to_string(&signed.payload).unwrap();
    let read: CommandDocument = serde_json::from_str(&payload).unwrap();
    let request = CommandRequest::of_platform(read).unwrap();
    assert_eq!((&*request.device, &*request.by), ("charger", "duty"));
    assert_eq!(request.value, Some(Value::Number(16.0)));
    assert_eq!(
        (request.issued_ms, request.expires_ms, request.until_ms),
        (NOW, NOW + 300_000, Some(NOW + 7_200_000))
    );
    let signature = request.signature.clone().unwrap();
    assert_eq!(signature.len(), 128);
    let digits = |at: usize| u8::from_str_radix(signature.get(at..at + 2).unwrap(), 16).unwrap();
    let bytes: Vec<u8> = (0..128).step_by(2).map(digits).collect();
    let public = UnparsedPublicKey::new(&ED25519, key.public());
    public.verify(&request.signed_bytes("box"), &bytes).unwrap();
    assert!(
        public.verify(&request.signed_bytes("box-2"), &bytes).is_err(),
        "for one gateway alone"
    );
}

#[test]
fn what_the_gateway_would_refuse_is_said_beforehand() {
    let folder = tempfile::tempdir().unwrap();
    let key = key(folder.path());
    let mut site = site();
    let told = |words: &str, site: &Settings| {
        let document = filled(&arguments(words), Draft::default(), Some(site), NOW).unwrap();
        notes(&signed(document, &key, Some(site)).unwrap(), Some(site), NOW).join("\n")
    };
    let good = "--device charger --command currentLimit --value 16";
    assert!(told(good, &site).contains("not among [commands] public_keys"));
    site.commands.public_keys = vec![crate::command::PublicKey::of_hex(&key.public_hex()).unwrap()];
    assert_eq!(told(good, &site), "");
    assert!(told("--device nobody --command a", &site).contains("no device `nobody`"));
    assert!(told("--device charger --command explode", &site).contains("allowed: currentLimit"));
    assert!(told(&format!("{good} --expires 25h"), &site).contains("24 h"));
    assert_eq!(
        told(&format!("{good} --gateway elsewhere"), &site),
        "",
        "of others nothing is known"
    );
}

#[test]
fn a_value_is_what_it_looks_like_and_in_quotes_a_text() {
    let read = |text: &str| value(text).unwrap();
    assert_eq!(read("-1.5"), Value::Number(-1.5));
    assert_eq!(read("true"), Value::Flag(true));
    assert_eq!(read("\"16\""), Value::Text("16".into()));
    assert_eq!(read("请勿外出"), Value::Text("请勿外出".into()));
    assert_eq!(read("[1]"), Value::Text("[1]".into()));
}
