//! What is demanded of everything that reads what others wrote, whatever bytes come: fuzzing looks
//! for inputs that break it, and the tests judge every kept input again.
//!
//! ```text
//! all           no panic, no overflow; memory within a bound that is stated here
//! finders       ranges inside the input; a found frame encodes to the very bytes it was found in;
//!               no frame begins before the place up to which bytes may be thrown away; a frame
//!               behind any noise is found, unless a frame with a right check sum lies across it
//! documents     whatever is found can be described
//! explanations  frames follow each other, their parts name every byte once
//! files         the same verdict twice; what is accepted holds what everybody behind relies on; what
//!               is refused is refused with a place inside the file, in both languages
//! payloads      finite numbers, bounded texts; what is too large or too deep costs nothing
//! blocks        composed again the same; no flipped bit is accepted; never more than 64 KiB unpacked
//! charts        in order of time, lowest and highest around the last; sorting a day loses nothing
//! warnings      texts within their bounds; a command reads back as itself, and no text of it stands for
//!               another line of what is signed
//! page          no fault of ours (5xx), the guarding fields always, no markup of a stranger, no way out
//! what is told  no control characters: the text of a stranger does nothing to a terminal
//! ```

mod block;
mod cjt188;
mod config;
mod discovery;
mod dlt645;
mod explain;
mod history;
mod mbus;
mod modbus;
mod order;
mod page;
mod payload;
mod profile;
mod recording;
mod report;
mod rules;
mod stream;
mod warning;

/// A target: its name, which is also that of its folder in the corpus, and what judges an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 19] = [
    ("dlt645", dlt645::judge),
    ("cjt188", cjt188::judge),
    ("modbus", modbus::judge),
    ("reply_finder", crate::driver::judge),
    ("mbus", mbus::judge),
    ("explain", explain::judge),
    ("config", config::judge),
    ("profile", profile::judge),
    ("rules", rules::judge),
    ("payload", payload::judge),
    ("discovery", discovery::judge),
    ("block", block::judge),
    ("stream", stream::judge),
    ("recording", recording::judge),
    ("report", report::judge),
    ("page", page::judge),
    ("warning", warning::judge),
    ("order", order::judge),
    ("history", history::judge),
];

/// Judges one input; panics when a demand is not met.
pub fn judge(target: &str, input: &[u8]) {
    let (_, judge) =
        TARGETS.into_iter().find(|(name, _)| *name == target).expect("targets name themselves");
    judge(input);
}

/// Places to cut `length` bytes at: all of a short input, some of a long one.
fn cuts(length: usize) -> impl Iterator<Item = usize> {
    (0..length).step_by(1 + length / 48)
}

/// Whether `inner` and `outer` have a byte in common.
pub fn overlap(one: &std::ops::Range<usize>, other: &std::ops::Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// What is told to people must not reach into their terminal.
fn harmless(text: &str) {
    let harm = text.chars().find(|c| c.is_control() && *c != '\n');
    assert_eq!(harm, None, "{text:?}");
}
