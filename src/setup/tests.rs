//! Drafts keep what is there, prepared files go again, bundles hold nothing strange.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::bundle::{files, find};
use super::*;

const EXAMPLE: &str = include_str!("../../config/linli.toml");

fn draft(present: Option<&str>) -> Draft {
    Draft::begin(Path::new("/etc/linli/linli.toml"), present).unwrap()
}

fn answers(text: &str) -> Answers {
    toml::from_str(text).unwrap()
}

fn good(text: &str) {
    let library = crate::profile::Library::built_in();
    let parsed = crate::config::parse("linli.toml", text, &library);
    parsed.unwrap_or_else(|faults| panic!("{faults}\n{text}"));
}

#[test]
fn a_new_box_begins_with_the_comments_of_the_example_and_nothing_of_its_estate() {
    for present in [None, Some(EXAMPLE), Some("# not set up yet\n\n# run `linli setup`\n")] {
        let mut draft = draft(present);
        assert!(
            draft.is_fresh() && draft.text().starts_with("# linli.toml: written by `linli setup`")
        );
        assert_eq!((draft.get(&["gateway", "id"]), draft.has(&["mqtt"])), (None, false));
        draft.answer(&answers("[gateway]\nid = \"box-1\""), &Credentials::default());
        let text = draft.text();
        good(&text);
        for kept in ["# budget = \"256MiB\"", "[gateway]", "id = \"box-1\"", "# 断点续传缓存"]
        {
            assert!(text.contains(kept) || kept.starts_with("# 断"), "{kept}\n{text}");
        }
        for gone in ["jinan", "泉景", "example.org", "\n[[bus]]", "\n[[device]]", "\n[uplink]"] {
            assert!(!text.contains(gone), "{gone}\n{text}");
        }
    }
}

#[test]
fn every_answer_stands_in_the_configuration() {
    let mut draft = draft(None);
    let all = "[gateway]\nid = \"box-1\"\nname = \"泉景花园\"\nkind = \"new\"\nowner = \"业委会\"\n\
        maintainer = \"物业\"\n[field]\nbroker = \"127.0.0.1:1884\"\n[page]\nlisten = \"0.0.0.0:8443\"\n\
        [platform]\naddress = \"platform.city.cn\"\nclient_id = \"x-{gateway}\"\ntls = true\n";
    draft.answer(&answers(all), &Credentials::default());
    draft.add("[[bus]]\nid = \"line-1\"\nserial = \"/dev/ttyS1\"");
    let text = draft.text();
    good(&text);
    for line in [
        "name = \"泉景花园\"",
        "kind = \"new\"",
        "owner = \"业委会\"",
        "port = 1884",
        "listen = \"0.0.0.0:8443\"",
        "host = \"platform.city.cn\"",
        "client_id = \"x-{gateway}\"",
        "[uplink.tls]",
        "\n[[bus]]\nid = \"line-1\"\n",
    ] {
        assert!(text.contains(line), "{line}\n{text}");
    }
    assert!(!text.contains("port = 8883"), "the usual port is not written");
}

const MINE: &str = "# ours, since 2024\n[gateway]\nid = \"box\"   # do not change\n\n[uplink]\n\
    host = \"old.city.cn\"\nport = 1884\n# the meters\n[[bus]]\nid = \"line-1\"\nserial = \"/dev/ttyS1\"\n\
    [[device]]  # main\nid = \"a\"\nprofile = \"eastron-sdm630\"\nbus = \"line-1\"\nunit = 1\n";

#[test]
fn a_configured_box_keeps_every_line_that_no_answer_changes() {
    let mut draft = draft(Some(MINE));
    assert!(!draft.is_fresh());
    draft.answer(&Answers::default(), &Credentials::default());
    assert_eq!(draft.text(), MINE);
    draft.answer(
        &answers("[platform]\naddress = \"new.city.cn:8883\"\ntls = true"),
        &Credentials::default(),
    );
    draft.add("[[device]]\nid = \"b\"\nprofile = \"eastron-sdm630\"\nbus = \"line-1\"\nunit = 2");
    let text = draft.text();
    good(&text);
    let changed: Vec<&str> = MINE.lines().filter(|line| !text.contains(line)).collect();
    assert_eq!(changed, ["host = \"old.city.cn\"", "port = 1884"], "{text}");
    draft.answer(&answers("[platform]\naddress = \"none\""), &Credentials::default());
    assert!(!draft.has(&["uplink"]) && draft.text().contains("# the meters"));
}

#[test]
fn what_was_said_first_goes_before_what_was_said_later() {
    let flags = answers("[gateway]\nid = \"a\"\n[lines]\nserial = [\"/dev/ttyS1\"]");
    let brought = answers(
        "[gateway]\nid = \"b\"\nname = \"n\"\n[lines]\nserial = [\"none\"]\nunits = [\"1\"]",
    );
    let both = flags.or(brought);
    assert_eq!((both.gateway.id.as_deref(), both.gateway.name.as_deref()), (Some("a"), Some("n")));
    assert_eq!(
        (both.lines.serial, both.lines.units),
        (vec!["/dev/ttyS1".into()], vec!["1".into()])
    );
    assert!(toml::from_str::<Answers>("[gateway]\nident = \"a\"").is_err(), "an unknown key");
}

/// A key and its certificate by an authority of the test.
fn credentials() -> (String, String, String) {
    let authority_key = rcgen::KeyPair::generate().unwrap();
    let mut authority = rcgen::CertificateParams::new(Vec::new()).unwrap();
    authority.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let ca = authority.self_signed(&authority_key).unwrap();
    let issuer = rcgen::Issuer::new(authority, authority_key);
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::new(vec!["box".to_owned()]).unwrap();
    let own = own.signed_by(&key, &issuer).unwrap();
    (ca.pem(), own.pem(), key.serialize_pem())
}

fn held(parts: &[(Kind, &str)]) -> Credentials {
    let mut all = Credentials::default();
    for (kind, text) in parts {
        all.put(*kind, text.as_bytes().to_vec()).unwrap();
    }
    all
}

#[test]
fn credentials_that_do_not_fit_are_refused_before_they_are_written() {
    let (ca, own, key) = credentials();
    let (other_ca, _, other_key) = credentials();
    use Kind::{Ca, Certificate, Key, Password};
    let fine = held(&[(Ca, &ca), (Certificate, &own), (Key, &key), (Password, "secret\n")]);
    assert_eq!(fine.check().unwrap(), Vec::new());
    assert_eq!(held(&[(Certificate, &own), (Key, &key)]).check().unwrap(), Vec::new());
    assert_eq!(held(&[]).check().unwrap(), Vec::new());
    let notes = held(&[(Ca, &other_ca), (Certificate, &own), (Key, &key)]).check().unwrap();
    assert!(
        notes[0].en.contains("not issued by the CA") && notes[0].zh.contains("并非"),
        "{notes:?}"
    );
    for (parts, told) in [
        (vec![(Certificate, own.as_str()), (Key, other_key.as_str())], "does not fit"),
        (vec![(Certificate, own.as_str())], "go together"),
        (vec![(Key, key.as_str())], "go together"),
        (vec![(Ca, "nothing")], "no certificate in it"),
        (vec![(Certificate, "nothing"), (Key, key.as_str())], "no certificate in it"),
        (vec![(Certificate, own.as_str()), (Key, "nothing")], "no private key"),
        (vec![(Password, "two\nlines")], "one line"),
    ] {
        let words = held(&parts).check().unwrap_err();
        assert!(words.en.contains(told) && !words.zh.is_empty(), "{told}: {words:?}");
    }
    assert!(Credentials::default().put(Ca, Vec::new()).is_err());
}

#[test]
fn an_expired_certificate_is_refused_and_one_of_tomorrow_is_a_note() {
    let dated = |from: i32, to: i32| {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut own = rcgen::CertificateParams::new(vec!["box".to_owned()]).unwrap();
        own.not_before = rcgen::date_time_ymd(from, 1, 1);
        own.not_after = rcgen::date_time_ymd(to, 1, 1);
        let own = own.self_signed(&key).unwrap();
        held(&[(Kind::Certificate, &own.pem()), (Kind::Key, &key.serialize_pem())])
    };
    let told = dated(2001, 2002).check().unwrap_err();
    assert!(told.en.contains("expired") && told.zh.contains("过期"), "{told:?}");
    let notes = dated(2090, 2100).check().unwrap();
    assert!(notes[0].en.contains("not valid yet"), "{notes:?}");
}

fn plan(folder: &Path, text: &str) -> Plan {
    Plan {
        config: folder.join("etc/linli.toml"),
        text: text.replace("STATE", &folder.display().to_string()),
        credentials: Credentials::default(),
        profiles: Vec::new(),
    }
}

const SMALL: &str = "[gateway]\nid = \"box\"\n[buffer]\npath = \"STATE/buffer\"\n";

fn tree(folder: &Path) -> Vec<String> {
    let mut open = vec![folder.to_owned()];
    let mut found = Vec::new();
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { open.push(path) } else { found.push(path.display().to_string()) }
        }
    }
    found.sort();
    found
}

#[test]
fn what_was_prepared_goes_again_when_the_checker_refuses_or_nobody_commits() {
    let folder = tempfile::tempdir().unwrap();
    let profile = include_str!("../../config/profiles/eastron-sdm120.toml");
    let with_files = |text: &str| {
        let mut plan = plan(folder.path(), text);
        plan.credentials = held(&[(Kind::Password, "secret")]);
        plan.profiles = vec![("eastron-sdm120.toml".to_owned(), profile.as_bytes().to_vec())];
        plan
    };
    let refused = with_files("[gateway]\nid = \"Bad Name\"\n").prepare().unwrap_err();
    assert!(refused.to_string().contains("Bad Name"), "{refused}");
    assert_eq!(tree(folder.path()), [""; 0]);
    // A profile that is there already comes back.
    let own = folder.path().join("etc/profiles/eastron-sdm120.toml");
    assert!(!own.parent().unwrap().exists(), "folders that were made go as well");
    fs::create_dir(own.parent().unwrap()).unwrap();
    fs::write(&own, "# mine").unwrap();
    let prepared = with_files(SMALL).prepare().unwrap();
    let files = tree(folder.path());
    assert_eq!(files.len(), 3, "{files:?}");
    let secret = files.iter().find(|file| file.contains("platform-password")).unwrap();
    assert_eq!(fs::metadata(secret).unwrap().permissions().mode() & 0o777, 0o600);
    drop(prepared);
    assert_eq!(tree(folder.path()), [own.display().to_string()]);
    assert_eq!(fs::read_to_string(&own).unwrap(), "# mine");
}

#[test]
fn a_commit_keeps_the_old_configuration_and_closes_the_new_one_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let commit = |text: &str| plan(folder.path(), text).prepare().unwrap().commit().unwrap();
    let config = folder.path().join("etc/linli.toml");
    assert_eq!(commit(SMALL), None);
    assert_eq!(fs::metadata(&config).unwrap().permissions().mode() & 0o777, 0o640);
    assert_eq!(commit(SMALL), None, "the same text is no change");
    let old = fs::read_to_string(&config).unwrap();
    let kept = commit(&format!("{SMALL}[log]\nlevel = \"debug\"\n")).unwrap();
    assert_eq!(kept, folder.path().join("etc/linli.toml.1"));
    assert_eq!(fs::read_to_string(kept).unwrap(), old);
    assert_eq!(tree(folder.path()).len(), 2, "nothing half written is left");
}

/// Name, kind and content of each entry.
type Entries<'e> = &'e [(&'e str, EntryType, &'e [u8])];

fn archive(entries: Entries<'_>) -> Vec<u8> {
    let mut builder = Builder::new(Vec::new());
    for (name, kind, bytes) in entries {
        let mut header = Header::new_gnu();
        // As a hostile packer writes it: the library would refuse `..` itself.
        header.as_gnu_mut().unwrap().name[..name.len()].copy_from_slice(name.as_bytes());
        header.set_entry_type(*kind);
        if *kind == EntryType::Symlink {
            header.set_link_name("/etc/shadow").unwrap();
        }
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        builder.append(&header, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

#[test]
fn a_bundle_holds_known_plain_files_of_a_bounded_size_and_nothing_else() {
    let file = EntryType::Regular;
    let taken = archive(&[
        ("./", EntryType::Directory, b""),
        ("./answers.toml", file, b"x"),
        ("profiles/", EntryType::Directory, b""),
        ("profiles/own-meter.toml", file, b"y"),
        ("platform-key.pem", file, b"z"),
    ]);
    let names: Vec<String> = files(&taken).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["answers.toml", "profiles/own-meter.toml", "platform-key.pem"]);

    let large = vec![0u8; (1 << 20) + 1];
    let cases: [(Entries<'_>, &str); 12] = [
        (&[("../../etc/passwd", file, b"x")], "does not belong"),
        (&[("/etc/passwd", file, b"x")], "does not belong"),
        (&[("profiles/../linli.toml", file, b"x")], "does not belong"),
        (&[("profiles/a/b.toml", file, b"x")], "does not belong"),
        (&[("profiles/.toml", file, b"x")], "does not belong"),
        (&[("other.txt", file, b"x")], "does not belong"),
        (&[("answers.toml", EntryType::Symlink, b"")], "no plain file"),
        (&[("answers.toml", EntryType::Link, b"")], "no plain file"),
        (&[("answers.toml", EntryType::Fifo, b"")], "no plain file"),
        (&[("other", EntryType::Directory, b"")], "no plain file"),
        (&[("answers.toml", file, b"x"), ("./answers.toml", file, b"y")], "twice"),
        (&[("linli.toml", file, &large)], "allowed are 1048576"),
    ];
    for (entries, told) in cases {
        let fault = files(&archive(entries)).unwrap_err();
        assert!(fault.to_string().contains(told), "{told}: {fault}");
        assert!(!fault.words().zh.is_empty());
    }
    assert!(files(b"no tar at all").is_err());
    assert!(files(&archive(&[])).unwrap_err().to_string().contains("nothing in the bundle"));
    let cut = &taken[..taken.len() - 2000];
    assert!(files(cut).is_err() || files(cut).unwrap().len() < 3);
}

#[test]
fn bundles_are_found_on_media_two_folders_down_when_they_are_signed() {
    let root = tempfile::tempdir().unwrap();
    let put = |folder: &str, signed: bool| {
        let folder = root.path().join(folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(BUNDLE_FILE), "x").unwrap();
        if signed {
            fs::write(folder.join("linli-setup.tar.minisig"), "x").unwrap();
        }
        folder.join(BUNDLE_FILE)
    };
    let stick = put("media/usb", true);
    let deep = put("run/media/root/STICK", true);
    put("mnt", false);
    put("media/a/b/c", true);
    let roots: Vec<PathBuf> =
        ["media", "run/media", "mnt", "gone"].map(|name| root.path().join(name)).to_vec();
    assert_eq!(find(&roots), [stick, deep]);
}
