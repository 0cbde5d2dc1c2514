//! Real recordings, where they are there: `../shared/data` beside the repository.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::PathBuf;

use tallow_produce::{Message, Replay};

fn recordings(names: &[&str]) -> Option<Vec<PathBuf>> {
    let folder = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if !folder.is_dir() {
        println!("skipped: no recordings at {}", folder.display());
        return None;
    }
    Some(names.iter().map(|name| folder.join(name)).collect())
}

fn all(paths: &[PathBuf]) -> (Vec<Message>, u64) {
    let mut replay = Replay::open(paths).unwrap();
    let messages = replay.by_ref().map(Result::unwrap).collect();
    (messages, replay.counts().broken)
}

#[test]
fn two_days_of_two_symbols_come_whole_and_in_order() {
    let names = ["btcusdt_20240808", "btcusdt_20240809", "ethusdt_20240808", "ethusdt_20240809"];
    let names = names.map(|name| format!("trades/{name}.gz"));
    let Some(paths) = recordings(&names.each_ref().map(String::as_str)) else { return };
    let (messages, broken) = all(&paths);
    assert_eq!(broken, 0);
    assert!(messages.windows(2).all(|pair| pair[0].due_us <= pair[1].due_us));
    // As counted by those who recorded them.
    for (symbol, want) in [("BTCUSDT", 19_904), ("ETHUSDT", 14_515)] {
        let is_trade = |message: &&Message| {
            let text = std::str::from_utf8(&message.value).unwrap();
            message.key.as_deref() == Some(symbol.as_bytes()) && text.contains(r#""e":"trade""#)
        };
        assert_eq!(messages.iter().filter(is_trade).count(), want, "{symbol}");
    }
}

#[test]
fn klines_of_12_columns_keep_their_digits() {
    let Some(paths) = recordings(&["kline12/DOTUSDT-1m-2024-11.csv.gz"]) else { return };
    let (messages, broken) = all(&paths);
    assert_eq!((messages.len(), broken), (30 * 24 * 60, 0));
    let first = r#"[1730419200000,"3.958","3.959","3.956","3.958","45103.8",1730419259999,"178487.4969",306,"26031.0","103016.3016","0"]"#;
    assert_eq!(messages[0].value, first.as_bytes());
    assert_eq!(messages[0].key.as_deref(), Some(&b"DOTUSDT"[..]));
}

#[test]
fn klines_of_6_columns_come_with_symbol_and_interval() {
    let Some(paths) = recordings(&["hourly/BTCUSDT_1h_2017-2025.csv.gz"]) else { return };
    let (messages, broken) = all(&paths);
    assert_eq!((messages.len(), broken), (72_570, 0));
    let first: serde_json::Value = serde_json::from_slice(&messages[0].value).unwrap();
    assert_eq!(first["k"]["i"], "1h");
    assert_eq!(first["k"]["o"], "4261.48");
    assert_eq!(first["k"]["l"], "4261.32");
    assert_eq!(first["k"]["T"], 1_502_945_999_999_i64);
}
