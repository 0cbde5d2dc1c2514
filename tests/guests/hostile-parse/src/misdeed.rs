//! What a function can do wrong.

use crate::answer::{Answer, Spoil};
use crate::trade::Trade;

/// Commits the misdeed that a record asks for; `None` where it asks for none.
pub fn commit(text: &str, record: u32, answer: &mut Answer) -> Option<()> {
    let (word, argument) = text.split_once(' ').unwrap_or((text, ""));
    match word {
        "trap" => core::arch::wasm32::unreachable(),
        "panic" => panic!("a record asked for it"),
        "loop" => spin(u64::MAX),
        // `slow 300` takes 300 million steps.
        "slow" => spin(argument.parse::<u64>().ok()? * 1_000_000),
        "stack" => _ = deeper(1),
        "hog" => hog(),
        "unequal" => answer.spoil = Some(Spoil::UnequalColumns),
        "codes" => answer.spoil = Some(Spoil::CodesOutOfRange),
        "backwards" => answer.spoil = Some(Spoil::RecordsBackwards),
        "refuse" => answer.spoil = Some(Spoil::Refuse),
        "lost" => return Some(()),
        "twice" => answer.reject(record, b"it has a row as well".to_vec()),
        "latin1" => return Some(answer.reject(record, b"caf\xe9".to_vec())),
        // `huge 100` gives 100 MiB back.
        "huge" => return Some(answer.reject(record, vec![b'x'; argument.parse::<usize>().ok()? << 20])),
        _ => return None,
    }
    answer.row(record, Trade::default());
    Some(())
}

fn spin(steps: u64) {
    for step in 0..steps {
        core::hint::black_box(step);
    }
}

#[expect(unconditional_recursion, reason = "the stack is to overflow")]
fn deeper(depth: u64) -> u64 {
    depth ^ deeper(depth + 1).rotate_left(1)
}

fn hog() {
    loop {
        core::mem::forget(core::hint::black_box(vec![1u8; 1 << 20]));
    }
}
