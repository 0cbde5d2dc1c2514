//! What a window function can do wrong.

/// A spec named `trap-in-advance`, `loop-in-snapshot`, `hog-in-restore` … does so in that function.
pub fn by_spec<'a>(specs: impl IntoIterator<Item = &'a str>, function: &str) {
    for spec in specs {
        match spec.split_once("-in-") {
            Some(("trap", named)) if named == function => trap(),
            Some(("loop", named)) if named == function => spin(),
            Some(("hog", named)) if named == function => hog(),
            _ => {}
        }
    }
}

/// A row with the id 666 traps, 667 loops, 668 takes memory without end.
pub fn by_id(id: i64) {
    match id {
        666 => trap(),
        667 => spin(),
        668 => hog(),
        _ => {}
    }
}

pub fn trap() -> ! {
    core::arch::wasm32::unreachable()
}

pub fn spin() {
    loop {
        core::hint::black_box(());
    }
}

fn hog() {
    loop {
        core::mem::forget(core::hint::black_box(vec![1u8; 1 << 20]));
    }
}
