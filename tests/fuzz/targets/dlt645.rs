//! See `checks`.
#![no_main]

libfuzzer_sys::fuzz_target!(|input: &[u8]| linli_fuzz::checks::judge("dlt645", input));
