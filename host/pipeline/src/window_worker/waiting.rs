//! Reports a watermark that waits for a partition: after a minute, then each minute, and in the summary with the number
//! of windows that wait.

use std::time::Duration;

use super::WindowWorker;
use crate::reminder::{Notice, Reminder};
use crate::watermark_hold::WatermarkHold;
use crate::words::duration;

const LONG: Duration = Duration::from_secs(60);

/// A watermark that does not move.
pub(super) struct Waiting {
    watermark_us: Option<i64>,
    reminder: Reminder,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { watermark_us: None, reminder: Reminder::after_a_while(LONG) }
    }
}

impl WindowWorker {
    /// At an epoch's end: whether a partition holds the watermark back, and whether to report it.
    pub(super) fn look_at_watermark(&mut self) {
        let held = self.state.watermarks.hold().map(|hold| WatermarkHold::new(hold, None));
        let watermark_us = self.state.watermarks.watermark_us();
        let open = self.state.open_assignments.values().any(|assignments| *assignments > 0);
        let is_still = watermark_us == self.waiting.watermark_us;
        self.waiting.watermark_us = watermark_us;
        let waits = held.is_some() && open && is_still;
        let pipeline = self.plan.name();
        match (self.waiting.reminder.look(self.clock.ticks(), waits), &held) {
            (Notice::Lasts { so_far }, Some(held)) => {
                let open_windows = self.progress.counts().open_windows;
                let (partition, others, why) = (&held.partition, held.others, held.why());
                let so_far = duration(so_far.as_micros() as i64);
                tracing::warn!(
                    pipeline, %partition, others, why, open_windows, so_far,
                    "the watermark waits for a partition: no window closes meanwhile"
                );
            }
            (Notice::Over { after }, _) => {
                let after = duration(after.as_micros() as i64);
                tracing::info!(pipeline, after, "the watermark moves again");
            }
            _ => {}
        }
        self.progress.held(held);
    }

    /// At the run's end: how many windows wait for the partition that holds the watermark back. The instance is not
    /// needed any more, so they are closed in it.
    pub(super) fn count_waiting(&mut self) {
        let Some(hold) = self.state.watermarks.hold() else { return };
        let windows = self.state.function.advance(hold.without_it_us).ok();
        let windows = windows.map(|outputs| outputs.iter().map(|it| u64::from(it.table.rows)).sum());
        self.progress.held(Some(WatermarkHold::new(hold, windows)));
    }
}
