//! State that is larger than a limit: what it takes, and what to set. No record is to blame.

use std::fmt;
use std::time::Duration;

use tallow_engine::{CallError, Limits, Rows};

use crate::state::{Sandboxed, StateCopy};

/// The largest memory that a function can have.
const LARGEST_BYTES: u64 = 4 << 30;
/// More room and time than the limits give, to find out what a state takes.
const ROOM: u32 = 2;
const TIME: u32 = 8;

const MIB: u64 = 1 << 20;

/// A state where an epoch begins, and what was taken since.
pub struct Held<'a> {
    pub function: &'a Sandboxed,
    pub state: &'a StateCopy,
    pub taken: Vec<&'a Rows>,
}

/// What a state takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Takes {
    /// Of the function's memory.
    pub memory_bytes: u64,
    /// By window definition.
    pub keys: Vec<(String, u64)>,
}

impl Held<'_> {
    /// Measures it in an instance with more room; `None` if that is too little, too.
    pub fn measure(&self) -> Option<Takes> {
        let Sandboxed { component, limits, specs, .. } = self.function;
        let limits = Limits {
            memory_bytes: limits.memory_bytes.saturating_mul(u64::from(ROOM)).min(LARGEST_BYTES),
            deadline: limits.deadline * TIME,
            output_bytes: limits.output_bytes.saturating_mul(u64::from(ROOM)),
        };
        let mut function = self.state.open(component, limits, specs).ok()?;
        for rows in &self.taken {
            function.update(rows).ok()?;
        }
        let stats = function.stats().ok()?;
        let keys = stats
            .iter()
            .filter_map(|it| specs.get(it.spec as usize).map(|spec| (spec.name.clone(), it.keys)));
        Some(Takes { memory_bytes: function.memory_before()?, keys: keys.collect() })
    }
}

/// A call that failed because of all that is held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateLimit {
    function: String,
    call: &'static str,
    error: CallError,
    limits: Limits,
    takes: Option<Takes>,
}

impl StateLimit {
    /// `None` if the error is not about a limit.
    pub fn new(call: &'static str, error: &CallError, held: &Held<'_>) -> Option<Self> {
        error.limit()?;
        let function = held.function.component.name().to_owned();
        tracing::warn!(function, call, %error, "the state is too large for a limit; measuring what it takes");
        let takes = held.measure();
        Some(Self { function, call, error: error.clone(), limits: held.function.limits, takes })
    }
}

impl fmt::Display for StateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { function, call, error, limits, takes } = self;
        let limit = error.limit().unwrap_or("memory");
        write!(f, "function `{function}`, {call}: it {error}, the limit `limits.{limit}`. ")?;
        match takes {
            Some(takes) => write!(f, "That is for its whole state, which takes {takes}. ")?,
            None => write!(
                f,
                "That is for its whole state, which takes more than {} of memory. ",
                size(limits.memory_bytes.saturating_mul(u64::from(ROOM)).min(LARGEST_BYTES))
            )?,
        }
        write!(f, "No record is to blame, and nothing of this epoch was committed. {}", self.remedy())
    }
}

impl StateLimit {
    fn remedy(&self) -> String {
        const ELSE: &str = "have fewer keys, or windows that close sooner";
        match self.error {
            CallError::Deadline { .. } => {
                let deadline = self.limits.deadline * 4;
                format!("Set `limits.deadline` to \"{}\", or {ELSE}", time(deadline))
            }
            CallError::Output { .. } => {
                format!("Set `limits.output` to \"{}\", or {ELSE}", size(self.limits.output_bytes * 4))
            }
            _ => match self.enough_bytes() {
                Some(bytes) => format!("Set `limits.memory` to \"{}\", or {ELSE}", size(bytes)),
                None => format!(
                    "A function has {} of memory at most: {ELSE}, or share the topic among pipelines",
                    size(LARGEST_BYTES)
                ),
            },
        }
    }

    /// Memory with room to grow; `None` if there is no more.
    fn enough_bytes(&self) -> Option<u64> {
        let wanted = match &self.takes {
            Some(takes) => takes.memory_bytes.saturating_mul(2),
            None => self.limits.memory_bytes.saturating_mul(4),
        };
        let wanted = wanted.max(MIB).checked_next_power_of_two()?.min(LARGEST_BYTES);
        (wanted > self.limits.memory_bytes).then_some(wanted)
    }
}

impl fmt::Display for Takes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of memory for", size(self.memory_bytes))?;
        for (place, (window, keys)) in self.keys.iter().enumerate() {
            write!(f, "{} {keys} keys of `{window}`", if place == 0 { "" } else { "," })?;
        }
        let keys: u64 = self.keys.iter().map(|(_, keys)| keys).sum();
        match self.memory_bytes.checked_div(keys) {
            Some(each) if keys >= 100 => {
                write!(f, ": {each} bytes a key, {} for a million", size(each * 1_000_000))
            }
            _ => Ok(()),
        }
    }
}

fn size(bytes: u64) -> String {
    format!("{}MiB", bytes.div_ceil(MIB))
}

fn time(time: Duration) -> String {
    if time.subsec_millis() == 0 { format!("{}s", time.as_secs()) } else { format!("{}ms", time.as_millis()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limit(error: CallError, takes: Option<Takes>) -> String {
        let limits =
            Limits { memory_bytes: 64 * MIB, deadline: Duration::from_secs(2), output_bytes: 64 * MIB };
        StateLimit { function: "window".to_owned(), call: "update", error, limits, takes }.to_string()
    }

    #[test]
    fn what_a_state_takes_and_what_to_set_is_said_in_the_manifests_words() {
        let keys = vec![("1m".to_owned(), 20_000), ("1d".to_owned(), 10_000)];
        let takes = Takes { memory_bytes: 90 * MIB, keys };
        assert_eq!(
            limit(CallError::Memory { cap_bytes: 67_108_864 }, Some(takes)),
            "function `window`, update: it wanted more than its 67108864 bytes of memory, the limit `limits.memory`. \
             That is for its whole state, which takes 90MiB of memory for 20000 keys of `1m`, 10000 keys of `1d`: 3145 \
             bytes a key, 3000MiB for a million. No record is to blame, and nothing of this epoch was committed. \
             Set `limits.memory` to \"256MiB\", or have fewer keys, or windows that close sooner"
        );
    }

    #[test]
    fn each_limit_is_named_with_a_value_that_gives_room() {
        let late = limit(CallError::Deadline { deadline_ms: 4000 }, None);
        assert!(late.contains("Set `limits.deadline` to \"8s\""), "{late}");
        let long = limit(CallError::Output { cap_bytes: 64 * MIB }, None);
        assert!(long.contains("Set `limits.output` to \"256MiB\""), "{long}");
        let large = limit(CallError::Memory { cap_bytes: 64 * MIB }, None);
        assert!(large.contains("takes more than 128MiB of memory"), "{large}");
        assert!(large.contains("Set `limits.memory` to \"256MiB\""), "{large}");
    }
}
