//! A record is rejected as "JSON: …" or "not UTF-8 …" exactly where serde_json refuses it. Left out: texts that
//! are no object or array, and the faults that this crate adds on purpose (keys that are there twice, keys that
//! are no text).
#![no_main]

use libfuzzer_sys::fuzz_target;
use parse_market::{Batch, Options, Path, parse_by};
use serde::de::IgnoredAny;

fuzz_target!(|data: &[u8]| {
    if !matches!(data.trim_ascii_start().first(), Some(b'{' | b'[')) {
        return;
    }
    let mut batch = Batch::default();
    batch.values.push(Some(data));
    let parsed = parse_by(Path::FullOnly, &batch, &Options::default()).unwrap();
    let reason = if parsed.rejected.records.is_empty() { "" } else { parsed.rejected.reasons.get(0) };
    if reason.starts_with("JSON: key") || reason.contains("keys") || reason.contains("so late") {
        return;
    }
    let refused = reason.starts_with("JSON: ") || reason.starts_with("not UTF-8");
    let text = std::str::from_utf8(data);
    let sound = text.is_ok_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    assert_eq!(refused, !sound, "{reason}");
});
