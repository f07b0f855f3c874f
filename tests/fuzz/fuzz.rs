//! All targets in one binary, so that one build and one link serve them: `LINLI_FUZZ` names the
//! target. See `checks`.
#![no_main]

use std::sync::LazyLock;

static TARGET: LazyLock<String> =
    LazyLock::new(|| std::env::var("LINLI_FUZZ").expect("LINLI_FUZZ names a target"));

libfuzzer_sys::fuzz_target!(|input: &[u8]| linli_fuzz::checks::judge(&TARGET, input));
