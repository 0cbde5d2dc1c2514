//! What a function can do wrong.

use crate::parse::types::ColumnData;
use crate::parse::{Answer, Record};

/// Misdeeds while reading: most do not come back.
pub fn commit(word: &str, record: &Record, answer: &mut Answer) -> bool {
    match word {
        "trap" => core::arch::wasm32::unreachable(),
        "panic" => panic!("the record said so"),
        "loop" => spin(u64::MAX),
        // `slow 300` takes 300 million steps.
        "slow" => spin(record.argument().unwrap_or(100) * 1_000_000),
        "stack" => _ = core::hint::black_box(deeper(1)),
        "hog" => hog(),
        // `huge 100` gives 100 MiB back.
        "huge" => return huge(record, answer),
        "lost" => return true,
        "twice" => answer.reject(record.index, b"in two lists"),
        "backwards" => answer.backwards = true,
        "unequal" => answer.unequal = true,
        "codes" => answer.codes = true,
        "latin1" => answer.reject_alone(record.index, b"caf\xe9"),
        "refuse" => answer.refusal = Some("a record asked for it".to_owned()),
        _ => return false,
    }
    if word == "latin1" {
        return true;
    }
    answer.row_of_zeros(record.index);
    true
}

/// Misdeeds that spoil the finished answer.
pub fn spoil(answer: &mut Answer) {
    if answer.backwards {
        answer.records.reverse();
    }
    if answer.codes {
        answer.kinds.codes.fill(7);
    }
    if answer.unequal {
        for column in &mut answer.columns {
            if let ColumnData::Decimal(decimals) = &mut column.data {
                decimals.values.pop();
            }
        }
    }
}

fn spin(steps: u64) {
    for step in 0..steps {
        core::hint::black_box(step);
    }
}

fn deeper(depth: u64) -> u64 {
    let frame = core::hint::black_box([depth; 64]);
    deeper(depth + 1).wrapping_add(frame[0])
}

fn hog() {
    loop {
        core::mem::forget(core::hint::black_box(vec![1u8; 1 << 20]));
    }
}

fn huge(record: &Record, answer: &mut Answer) -> bool {
    let mib = record.argument().unwrap_or(100) as usize;
    answer.reject_alone(record.index, &vec![b'x'; mib << 20]);
    true
}
