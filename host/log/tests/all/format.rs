//! The bytes of a record.

use proptest::prelude::*;
use tallow_log::Record;
use tallow_log::record::FormatError;

use crate::samples;

/// Written once, by the first program that wrote format 1. Never to be changed: every later program reads it.
const FROZEN: &[u8] = include_bytes!("../formats/1.record");

#[test]
fn the_frozen_record_of_format_1_reads_as_it_did() {
    assert_eq!(<Record>::decode(FROZEN).unwrap(), samples::frozen());
}

#[test]
fn the_frozen_record_is_what_is_written_today() {
    assert_eq!(samples::frozen().encode().unwrap(), FROZEN);
}

#[test]
fn a_record_of_a_newer_format_is_refused_by_its_number() {
    let newer = String::from_utf8(FROZEN.to_vec()).unwrap().replacen("tallow-log 1 ", "tallow-log 12 ", 1);
    let error = <Record>::decode(newer.as_bytes()).unwrap_err();
    assert_eq!(error, FormatError::Newer(12));
    assert!(error.to_string().contains("run the newer one"), "{error}");
}

#[test]
fn an_unknown_field_is_refused_rather_than_dropped() {
    let head_end = FROZEN.iter().position(|&byte| byte == b'\n').unwrap();
    let body = String::from_utf8(FROZEN[head_end + 1..].to_vec()).unwrap();
    let body = body.replacen("\"seq\"", "\"newer_field\": 1,\n  \"seq\"", 1);
    let head = format!("tallow-log 1 {:08x} {}\n", crc32c::crc32c(body.as_bytes()), body.len());
    assert!(matches!(<Record>::decode((head + &body).as_bytes()), Err(FormatError::Body(_))));
}

#[test]
fn other_bytes_are_no_record() {
    for other in ["", "\n", "PAR1", "tallow-log\n{}", "tallow-log 0 00000000 2\n{}", "tallow-log 1 xyz 2\n{}"]
    {
        assert_eq!(<Record>::decode(other.as_bytes()), Err(FormatError::NotARecord), "{other:?}");
    }
}

proptest! {
    #[test]
    fn every_record_is_read_back_as_it_was(record in samples::record()) {
        let bytes = record.encode().unwrap();
        prop_assert_eq!(<Record>::decode(&bytes).unwrap(), record);
    }

    #[test]
    fn a_record_cut_off_anywhere_is_refused(at in 0..FROZEN.len()) {
        prop_assert!(<Record>::decode(&FROZEN[..at]).is_err());
    }

    #[test]
    fn a_changed_byte_of_the_body_is_refused(at in any::<prop::sample::Index>(), flip in 1..=255u8) {
        let body = FROZEN.iter().position(|&byte| byte == b'\n').unwrap() + 1;
        let mut bytes = FROZEN.to_vec();
        bytes[body + at.index(FROZEN.len() - body)] ^= flip;
        let refused = matches!(<Record>::decode(&bytes), Err(FormatError::Checksum { .. }));
        prop_assert!(refused);
    }

    #[test]
    fn no_bytes_make_decoding_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = <Record>::decode(&bytes);
        let _ = <Record>::decode(&[b"tallow-log 1 ", &bytes[..]].concat());
    }
}
