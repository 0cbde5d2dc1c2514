//! Whether a function is on probation: the stages of a run look here, since what they forgive a proven function they
//! do not forgive a new one.

use std::sync::atomic::{AtomicU8, Ordering};

use tallow_log::record::Role;

#[derive(Default)]
pub struct Probation {
    /// 0: none.
    on: AtomicU8,
}

impl Probation {
    pub fn begin(&self, role: Role) {
        self.on.store(number(role), Ordering::SeqCst);
    }

    pub fn end(&self) {
        self.on.store(0, Ordering::SeqCst);
    }

    pub fn is_on(&self) -> bool {
        self.on.load(Ordering::SeqCst) != 0
    }

    pub fn is_of(&self, role: Role) -> bool {
        self.on.load(Ordering::SeqCst) == number(role)
    }
}

fn number(role: Role) -> u8 {
    match role {
        Role::Parse => 1,
        Role::Window => 2,
    }
}
