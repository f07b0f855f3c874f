//! What is taken of a proposal, and what is not.

use std::os::unix::fs::symlink;

use super::*;

const OLD: &str = "[gateway]\nid = \"box\"\n[buffer]\npath = \"/var/lib/linli/buffer\"\n";

struct Site {
    folder: tempfile::TempDir,
    main: PathBuf,
    texts: Vec<(PathBuf, String)>,
}

fn site() -> Site {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("linli.toml");
    let drop_in = folder.path().join("conf.d/a.toml");
    fs::create_dir(folder.path().join("conf.d")).unwrap();
    fs::write(&main, OLD).unwrap();
    fs::write(&drop_in, "# nothing\n").unwrap();
    let texts = vec![(main.clone(), OLD.to_owned()), (drop_in, "# nothing\n".to_owned())];
    Site { folder, main, texts }
}

impl Site {
    fn proposal(&self, place: usize, text: &str) -> Proposal {
        let (path, old) = &self.texts[place];
        Proposal::new(&self.main, path, digest_of(old), text.to_owned(), "li").unwrap()
    }
}

#[test]
fn a_proposal_is_taken_once_and_changes_the_file_that_it_names() {
    let site = site();
    let state = site.folder.path();
    assert_eq!(Proposal::take(&state.join(FOLDER)), Ok(None));
    site.proposal(0, "# one\n").put(state).unwrap();
    site.proposal(1, "# two\n").put(state).unwrap();
    let waits = Proposal::waiting(state).unwrap();
    assert_eq!((&*waits.file, &*waits.who), ("conf.d/a.toml", "li"));
    let taken = Proposal::take(&state.join(FOLDER)).unwrap().unwrap();
    let Taken { proposal: taken, owner } = taken;
    assert_eq!((taken.file(), taken.who()), ("conf.d/a.toml", "li"));
    let own = fs::metadata(state).unwrap();
    assert_eq!(owner, (own.uid(), own.gid()));
    assert_eq!(Proposal::take(&state.join(FOLDER)), Ok(None), "it is gone");
    assert_eq!(Proposal::waiting(state), None);
    let (after, place) = taken.applied(&site.main, &site.texts).unwrap();
    assert_eq!((place, after[1].1.as_str(), after[0].1.as_str()), (1, "# two\n", OLD));
    let elsewhere = Path::new("/etc/passwd");
    assert!(Proposal::new(&site.main, elsewhere, String::new(), String::new(), "li").is_none());
}

#[test]
fn what_was_made_from_another_text_or_for_no_file_of_the_configuration_is_refused() {
    let site = site();
    let stale = Proposal { base: digest_of("# other\n"), ..site.proposal(0, "# new\n") };
    assert!(stale.applied(&site.main, &site.texts).unwrap_err().en.contains("somebody else"));
    for file in
        ["trust/evil.pub", "../passwd", "conf.d/../linli.toml", "conf.d/b.toml", "/etc/x", ""]
    {
        let other = Proposal { file: file.into(), ..site.proposal(0, "# new\n") };
        let why = other.applied(&site.main, &site.texts).unwrap_err();
        assert!(why.en.contains("no such file"), "{file}: {}", why.en);
    }
    // A drop-in that became a link leads elsewhere.
    let drop_in = site.folder.path().join("conf.d/a.toml");
    let linked = site.proposal(1, "# new\n");
    fs::remove_file(&drop_in).unwrap();
    symlink("/etc/hostname", &drop_in).unwrap();
    assert!(linked.applied(&site.main, &site.texts).is_err());
}

#[test]
fn links_pipes_and_rubbish_in_its_place_are_refused_and_gone() {
    let site = site();
    let folder = site.folder.path().join(FOLDER);
    fs::create_dir(&folder).unwrap();
    let secret = site.folder.path().join("secret");
    fs::write(&secret, "root's alone").unwrap();
    let change = folder.join(CHANGE);
    let refused = |what: &str| {
        let why = Proposal::take(&folder).unwrap_err();
        assert!(!why.en.contains("root's alone"), "{what}: {}", why.en);
        assert!(fs::symlink_metadata(&change).is_err(), "{what} is gone");
    };
    symlink(&secret, &change).unwrap();
    refused("a link");
    fs::hard_link(&secret, &change).unwrap();
    refused("another name of a file");
    rustix::fs::mknodat(rustix::fs::CWD, &change, rustix::fs::FileType::Fifo, Mode::RWXU, 0)
        .unwrap();
    refused("a pipe");
    fs::write(&change, "{\"v\":1,\"file\":").unwrap();
    refused("half of one");
    fs::write(&change, vec![b' '; 5 << 20]).unwrap();
    refused("one that is too long");
    let more = "{\"v\":1,\"file\":\"a\",\"base\":\"\",\"text\":\"\",\"who\":\"\",\"mode\":7}";
    fs::write(&change, more).unwrap();
    refused("one with more in it");
    assert_eq!(fs::read_to_string(&secret).unwrap(), "root's alone");
    // The folder itself is a link.
    let elsewhere = site.folder.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::write(elsewhere.join(CHANGE), "{}").unwrap();
    fs::remove_dir(&folder).unwrap();
    symlink(&elsewhere, &folder).unwrap();
    assert!(Proposal::take(&folder).is_err());
    assert!(elsewhere.join(CHANGE).exists());
}

#[test]
fn paths_of_files_are_named_that_are_new_and_those_that_stay_are_not() {
    let text = |more: &str| vec![(PathBuf::from("/etc/linli/linli.toml"), format!("{OLD}{more}"))];
    let new = |more: &str| new_paths(&text(""), &text(more));
    for more in [
        "keep_free = \"1MiB\"\n[[bus]]\nserial = \"/dev/ttyS1\"\n",
        "[[bus]]\nserial = \"/dev/serial/by-id/usb-FTDI\"\n",
        "[[device]]\ntopic = \"/estate/1\"\n",
    ] {
        assert_eq!(new(more), [""; 0], "{more}");
    }
    assert!(new_paths(&text("[a]\nx_file = \"/a\"\n"), &text("[a]\nx_file = \"/a\"\n")).is_empty());
    for more in [
        "[uplink]\npassword_file = \"key\"\n",
        "[uplink]\npassword_file = \"credential:other\"\n",
        "[stars]\nattestations = \"/etc/shadow\"\n",
        "[stars]\nrule_pack = \"notes\"\n",
        // `linli users add` writes it as root.
        "[status]\nusers = \"trust/a.pub\"\n",
        "[gateway2]\nprofiles = [\"models\"]\n",
        "[broadcast]\ntexts = \"broadcast.toml\"\n",
        "[[broadcast.key]]\nfile = \"city.pem\"\n",
        "[clock]\nsynchronised = [\"mark\"]\n",
        "[[bus]]\nserial = \"/dev/../etc/shadow\"\n",
        // To open it is to start it: the box would be reset.
        "[[bus]]\nserial = \"/dev/watchdog\"\n",
        "[x]\ny = \"a/../../b\"\n",
    ] {
        assert_eq!(new(more).len(), 1, "{more}");
    }
    let moved = vec![(PathBuf::from("linli.toml"), OLD.replace("/var/lib/linli", "/etc"))];
    assert_eq!(new_paths(&text(""), &moved), ["buffer.path = \"/etc/buffer\""]);
}

#[test]
fn the_same_words_in_a_drop_in_name_another_file() {
    let device = "[[device]]\nkey_file = \"meter.key\"\n";
    let files = |main: &str, drop_in: &str| {
        let drop_in = ("/etc/linli/conf.d/a.toml".into(), drop_in.to_owned());
        vec![("/etc/linli/linli.toml".into(), main.to_owned()), drop_in]
    };
    assert_eq!(new_paths(&files(device, ""), &files(device, "")), [""; 0]);
    let moved = new_paths(&files(device, ""), &files("", device));
    assert_eq!(moved, ["device.key_file = \"meter.key\""]);
    let full = device.replace("meter", "/etc/linli/meter");
    assert_eq!(new_paths(&files(&full, ""), &files("", &full)), [""; 0], "the same file");
}

#[test]
fn the_outcome_is_told_in_both_languages_and_rubbish_is_none() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(Outcome::last(folder.path()), None);
    let why = Words::from(("no", "不"));
    let outcome = Outcome::new(("linli.toml", "li"), Some(&why), 7);
    outcome.put(folder.path()).unwrap();
    assert_eq!(Outcome::last(folder.path()), Some(outcome));
    // However much there is to tell, it can be read.
    let long = Words::from(("x".repeat(1 << 20), "错".repeat(1 << 20)));
    Outcome::new(("linli.toml", "li"), Some(&long), 8).put(folder.path()).unwrap();
    assert_eq!(Outcome::last(folder.path()).map(|outcome| outcome.at_ms), Some(8));
    fs::write(folder.path().join(OUTCOME), "{").unwrap();
    assert_eq!(Outcome::last(folder.path()), None);
}
