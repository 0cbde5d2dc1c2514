//! Snapshots: whole, by what changed, damaged, and of the function before.

use std::collections::BTreeMap;

use tallow_engine::{CallError, Component, Part, Snapshot, WindowFunction};

use super::play::{Manner, Player};
use super::rows::{self, Phase};
use super::trials::{Trials, differ};
use crate::refusal::Trial;
use crate::{Refusal, Rule};

pub fn check(
    trials: &Trials<'_>,
    predecessor: Option<&Component>,
    trial: &mut Trial<'_>,
) -> Result<(), Refusal> {
    let phases = rows::phases(trials.case);
    let (before, after) = phases.split_at(1);
    trial.begin(Rule::Snapshot);
    restores(trials, before, after, trial)?;
    trial.begin(Rule::ForeignState);
    damaged(trials, before, trial)?;
    if let Some(predecessor) = predecessor {
        trial.begin(Rule::OldState);
        takes_over(trials, predecessor, before, after, trial)?;
    }
    Ok(())
}

/// A restored instance has the same state, and continues to the same candles.
fn restores(
    trials: &Trials<'_>,
    before: &[Phase],
    after: &[Phase],
    trial: &Trial<'_>,
) -> Result<(), Refusal> {
    let name = &trials.case.name;
    let remedy = "write what is held sorted and whole, and read back all of it";
    let mut player = trials.player(trial)?;
    for phase in before {
        player.phase(phase, Manner::PLAIN, trial)?;
    }
    let first = snapshot(&mut player, 0, trial)?;
    if !same(&first.parts, &snapshot(&mut player, 0, trial)?.parts) {
        return Err(trial.refuse(format!("two snapshots in a row differ, with the windows `{name}`"), remedy));
    }
    let mut restored = restored(trials, before, &first.parts, trial)?;
    if !same(&first.parts, &snapshot(&mut restored, 0, trial)?.parts) {
        let seen = format!(
            "a snapshot of the restored state differs from the one it is from, with the windows `{name}`"
        );
        return Err(trial.refuse(seen, remedy));
    }
    let (went_on, came_back) =
        (player.all(after, Manner::PLAIN, trial)?, restored.all(after, Manner::PLAIN, trial)?);
    if let Some(seen) = differ(&went_on, &came_back) {
        let seen = format!("{seen} after a restore, with the windows `{name}`");
        return Err(trial.refuse(seen, remedy));
    }
    let last = snapshot(&mut player, 0, trial)?;
    let changes = snapshot(&mut player, first.version, trial)?;
    let overlaid = overlay(&first.parts, changes.parts);
    let mut restored = self::restored(trials, after, &overlaid, trial)?;
    if !same(&last.parts, &snapshot(&mut restored, 0, trial)?.parts) {
        let seen = format!(
            "the parts that changed since version {}, over those of then, are not the whole state, with the windows `{name}`",
            first.version
        );
        return Err(trial.refuse(seen, "give every part that changed after `since`, emptied ones too"));
    }
    Ok(())
}

/// Damaged state is answered, with an error where it is seen.
fn damaged(trials: &Trials<'_>, before: &[Phase], trial: &Trial<'_>) -> Result<(), Refusal> {
    let mut player = trials.player(trial)?;
    for phase in before {
        player.phase(phase, Manner::PLAIN, trial)?;
    }
    let parts = snapshot(&mut player, 0, trial)?.parts;
    let Some(part) = parts.iter().max_by_key(|part| part.bytes.len()) else { return Ok(()) };
    let whole = &part.bytes;
    let mut damages = vec![Vec::new(), b"not a state".to_vec(), whole[..whole.len() / 2].to_vec()];
    for at in [0, whole.len() / 3, whole.len() / 2, whole.len().saturating_sub(1)] {
        let mut flipped = whole.clone();
        flipped.get_mut(at).into_iter().for_each(|byte| *byte ^= 0x55);
        damages.push(flipped);
    }
    for bytes in damages {
        let damaged = Part { spec: part.spec, group: part.group, bytes };
        match restore(trials.component, trials, before, std::slice::from_ref(&damaged)) {
            Ok(_) | Err(CallError::Refused(_)) => {}
            Err(error) => {
                let damage = format!("restore of {} damaged bytes", damaged.bytes.len());
                return Err(trial.refuse(
                    format!("{damage}: it {error}"),
                    "read state as something that may be wrong: check lengths and counts before using them",
                ));
            }
        }
    }
    Ok(())
}

/// What the function before held, the candidate holds.
fn takes_over(
    trials: &Trials<'_>,
    predecessor: &Component,
    before: &[Phase],
    after: &[Phase],
    trial: &Trial<'_>,
) -> Result<(), Refusal> {
    let name = &trials.case.name;
    let remedy = "name the old version in `reads-state-versions` and read it in `restore`";
    let old = WindowFunction::open(predecessor, trials.limits, &trials.case.specs);
    // Windows that the function before does not know have no old state.
    let Ok(old) = old else { return Ok(()) };
    let mut old = Player::opened(old, trials.case);
    for phase in before {
        old.phase(phase, Manner::PLAIN, trial)?;
    }
    let parts = snapshot(&mut old, 0, trial)?.parts;
    let held = open_assignments(&mut old, trial)?;
    let new = restore(trials.component, trials, before, &parts).map_err(|error| {
        let seen =
            format!("restore of {}'s state, with the windows `{name}`: it {error}", predecessor.name());
        trial.refuse(seen, remedy)
    })?;
    let mut new = Player::restored(new, trials.case, watermark_us(before));
    let taken = open_assignments(&mut new, trial)?;
    if held != taken {
        let seen =
            format!("{held} assignments were open before and {taken} after, with the windows `{name}`");
        return Err(trial.refuse(seen, remedy));
    }
    let first = snapshot(&mut new, 0, trial)?.parts;
    let mut again = restored(trials, before, &first, trial)?;
    if !same(&first, &snapshot(&mut again, 0, trial)?.parts) {
        let seen =
            format!("old state, written again and read back, is another one, with the windows `{name}`");
        return Err(trial.refuse(seen, remedy));
    }
    new.all(after, Manner::PLAIN, trial).map(drop)
}

fn restored<'a>(
    trials: &Trials<'a>,
    until: &[Phase],
    parts: &[Part],
    trial: &Trial<'_>,
) -> Result<Player<'a>, Refusal> {
    let function = restore(trials.component, trials, until, parts).map_err(|error| {
        let seen =
            format!("restore of its own snapshot, with the windows `{}`: it {error}", trials.case.name);
        trial.refuse(seen, "read back what `snapshot` writes")
    })?;
    Ok(Player::restored(function, trials.case, watermark_us(until)))
}

fn restore(
    component: &Component,
    trials: &Trials<'_>,
    until: &[Phase],
    parts: &[Part],
) -> Result<WindowFunction, CallError> {
    WindowFunction::restore(component, trials.limits, &trials.case.specs, watermark_us(until), parts)
}

fn watermark_us(until: &[Phase]) -> i64 {
    until.last().map_or(i64::MIN, |phase| phase.watermark_us)
}

fn snapshot(player: &mut Player<'_>, since: u64, trial: &Trial<'_>) -> Result<Snapshot, Refusal> {
    player.function.snapshot(since).map_err(|error| trial.failed(&error, "snapshot"))
}

fn open_assignments(player: &mut Player<'_>, trial: &Trial<'_>) -> Result<u64, Refusal> {
    let stats = player.function.stats().map_err(|error| trial.failed(&error, "stats"))?;
    Ok(stats.iter().map(|it| it.open_assignments).sum())
}

fn same(left: &[Part], right: &[Part]) -> bool {
    let key = |part: &Part| (part.spec, part.group, part.bytes.clone());
    left.len() == right.len() && left.iter().map(key).eq(right.iter().map(key))
}

/// Parts with others laid over them.
fn overlay(parts: &[Part], over: Vec<Part>) -> Vec<Part> {
    let mut all: BTreeMap<(u32, u32), Part> =
        parts.iter().map(|part| ((part.spec, part.group), part.clone())).collect();
    all.extend(over.into_iter().map(|part| ((part.spec, part.group), part)));
    all.into_values().collect()
}
