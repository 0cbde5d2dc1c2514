//! A manifest with other windows than the newest record. The change is a separate record, so that the windows of every
//! other record are those that its state was made with.

use tallow_log::record::{Epoch, State};
use tallow_log::{Draft, Log};
use tallow_manifest::{Kept, Succession};

use crate::error::PipelineError;
use tallow_worker::plan::Plan;

/// `state` under the windows of `next`, and what an epoch says that takes nothing but brings them.
pub fn under(next: &Succession, state: &State) -> (Epoch, State) {
    let mut state = State { windows: Kept::write(&next.windows), ..state.clone() };
    let mut epoch = Epoch { watermark_us: state.watermark_us, ..Epoch::default() };
    for gone in &next.gone {
        state.parts.retain(|part| part.window != *gone);
        state.whole.remove(gone);
        let open = state.ledger.windows.get(gone).map_or(0, |counts| counts.open);
        if open > 0 {
            let counts = epoch.ledger.window(gone);
            (counts.open, counts.dropped) = (-open, open as u64);
        }
    }
    state.ledger.absorb(&epoch.ledger);
    (epoch, state)
}

/// Commits the windows, and says what is new. `state`: what [`under`] made of them.
pub fn commit(
    plan: &Plan,
    job: &mut Log,
    next: &Succession,
    (epoch, state): (Epoch, State),
    clock_us: i64,
) -> Result<(), PipelineError> {
    let epoch = Epoch { clock_us: Some(clock_us), ..epoch };
    for gone in &next.gone {
        let rows = epoch.ledger.windows.get(gone).map_or(0, |counts| counts.dropped);
        tracing::warn!(
            pipeline = plan.name(),
            window = gone,
            rows,
            "window dropped, with the rows of its open windows"
        );
    }
    for window in &next.added {
        tracing::info!(
            pipeline = plan.name(),
            window,
            "window added: it begins here, and is incomplete until a window has seen all of its rows"
        );
    }
    for (window, aggregates) in &next.widened {
        tracing::info!(
            pipeline = plan.name(),
            window,
            ?aggregates,
            "aggregates added: they are null in windows that began before"
        );
    }
    job.commit(Draft::commit(epoch, state))?;
    Ok(())
}

/// Whether a record did nothing but bring other windows.
pub fn only(before: &State, epoch: &Epoch, state: &State) -> bool {
    let took_nothing = epoch.chunks.is_empty() && epoch.gaps.is_empty() && epoch.outbox.is_empty();
    took_nothing && !before.windows.is_null() && before.windows != state.windows
}

/// What is wrong with such a record. Pure.
pub fn judge(before: &State, epoch: &Epoch, state: &State) -> Vec<String> {
    let kept = Kept::read(&state.windows).unwrap_or_default();
    let is_there = |window: &str| kept.iter().any(|it| it.window.name == window);
    let parts = before.parts.iter().filter(|part| is_there(&part.window));
    let dropped = epoch.ledger.windows.iter().all(|(window, counts)| {
        !is_there(window) && counts.open < 0 && counts.dropped == counts.open.unsigned_abs()
    });
    let moved = [
        ("watermark", before.watermark_us != state.watermark_us),
        ("offsets", before.partitions != state.partitions),
        ("state", !parts.eq(state.parts.iter())),
        ("books", !dropped || !epoch.ledger.partitions.is_empty()),
    ];
    let what = moved.iter().filter(|(_, moved)| *moved).map(|(what, _)| *what);
    what.map(|what| format!("it brings other windows, and its {what} should be those of the record before"))
        .collect()
}
