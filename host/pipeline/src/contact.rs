//! Whether the brokers answer a pipeline's fetch clients: reported when they stop, each minute, and when they answer again.

use std::sync::{Arc, Mutex, PoisonError};

use tallow_env::{Clock, Ticks};
use tallow_source::is_answer;

use crate::reminder::{Notice, Reminder};
use crate::words::duration;

pub struct Contact {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

struct State {
    /// By client: whether it waits for a broker.
    away: Vec<bool>,
    reminder: Reminder,
}

impl State {
    /// `away`: whether a client's last fetch found no broker.
    fn look(&mut self, client: usize, away: bool, now: Ticks) -> Notice {
        self.away[client] = away;
        let any = self.away.iter().any(|away| *away);
        // One that is still away says itself why.
        if any && !away { Notice::Nothing } else { self.reminder.look(now, any) }
    }
}

impl Contact {
    pub fn new(clock: Arc<dyn Clock>, clients: usize) -> Self {
        let state = State { away: vec![false; clients], reminder: Reminder::at_once() };
        Self { clock, state: Mutex::new(state) }
    }

    /// What a client's last fetch learnt: why no broker answered it; `None` if one did.
    pub fn told(&self, client: usize, away: Option<&str>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match state.look(client, away.is_some(), self.clock.ticks()) {
            Notice::Lasts { so_far } => {
                let so_far = duration(so_far.as_micros() as i64);
                tracing::warn!(why = away, so_far, "{}; waiting", what(away.unwrap_or_default()));
            }
            Notice::Over { after } => {
                tracing::info!(after = duration(after.as_micros() as i64), "the brokers answer again");
            }
            Notice::Nothing => {}
        }
    }
}

fn what(why: &str) -> &'static str {
    if is_answer(why) { "a broker answers with an error" } else { "no broker answers" }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_broker_that_answers_with_an_error_is_not_called_silent() {
        let not_leader =
            "Message consumption error: NotLeaderForPartition (Broker: Not leader for partition)";
        assert_eq!(what(not_leader), "a broker answers with an error");
        assert_eq!(what("Connection refused"), "no broker answers");
    }

    #[test]
    fn clients_that_lose_their_brokers_together_are_told_once() {
        let mut state = State { away: vec![false; 2], reminder: Reminder::at_once() };
        let lasts = |seconds| Notice::Lasts { so_far: Duration::from_secs(seconds) };
        for (seconds, client, away, told) in [
            (0, 0, false, Notice::Nothing),
            (1, 0, true, lasts(0)),
            (1, 1, true, Notice::Nothing),
            (2, 0, true, Notice::Nothing),
            // One of two is back, and the other still waits.
            (3, 0, false, Notice::Nothing),
            (61, 0, false, Notice::Nothing),
            (62, 1, true, lasts(61)),
            (63, 1, false, Notice::Over { after: Duration::from_secs(62) }),
            (64, 0, false, Notice::Nothing),
        ] {
            assert_eq!(state.look(client, away, Ticks(seconds * 1_000_000)), told, "after {seconds} s");
        }
    }
}
