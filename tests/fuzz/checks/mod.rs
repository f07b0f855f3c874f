//! What is demanded of the codecs, whatever bytes come: fuzzing looks for inputs that break it, and
//! the tests judge every kept input again.
//!
//! ```text
//! all           no panic, no overflow; memory within a bound that is stated here
//! finders       ranges inside the input; a found frame encodes to the very bytes it was found in;
//!               no frame begins before the place up to which bytes may be thrown away; a frame
//!               behind any noise is found, unless a frame with a right check sum lies across it
//! documents     whatever is found can be described
//! explanations  frames follow each other, their parts name every byte once
//! ```

mod cjt188;
mod dlt645;
mod explain;
mod mbus;
mod modbus;

/// A target: its name, which is also that of its folder in the corpus, and what judges an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 6] = [
    ("dlt645", dlt645::judge),
    ("cjt188", cjt188::judge),
    ("modbus", modbus::judge),
    ("reply_finder", crate::driver::judge),
    ("mbus", mbus::judge),
    ("explain", explain::judge),
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
