//! Reads snapshots. Bytes that were not written by [`crate::state`], or under another spec, are refused.

mod cells;

use cells::read_pane;
use tallow_contract::window::Part;
use tallow_contract::{Refusal, ValueType, refuse};

use crate::bounds::{count, time};
use crate::bytes::Reader;
use crate::decimal::MAX_SCALE;
use crate::held::{Pane, SpecState};
use crate::idbytes::{read_ids, read_ids_v1};
use crate::keys::{GROUPS, decode, group_of};
use crate::order::Topics;
use crate::spec::{Form, Plan, Spec};
use crate::state::{self, AGGREGATES, MAGIC, OF_ROWS, READS_VERSIONS, says};
use crate::widen::Written;
use crate::windows::Windows;

/// How a part was written.
struct Layout {
    version: u16,
    written: Written,
    /// The watermark that held then.
    watermark_us: i64,
}

/// Version at which parts of an older layout are said to have changed: after the one that a restored state has.
const REWRITE: u64 = 2;

impl Windows {
    /// State from the parts of a snapshot, under the watermark that held then; more parts may be loaded. Nothing has
    /// changed since version 1 of what is returned.
    ///
    /// # Errors
    /// Which spec is wrong, or as [`Windows::load`].
    pub fn restore(specs: Vec<Spec>, watermark_us: i64, parts: &[Part]) -> Result<Windows, Refusal> {
        let mut windows = Windows::open(specs)?;
        windows.advance(watermark_us);
        windows.load(parts)?;
        windows.version = 1;
        Ok(windows)
    }

    /// Takes in parts of a snapshot, each once.
    ///
    /// # Errors
    /// Which field of a spec differs from the one that the state was written under, or what is wrong with the bytes.
    pub fn load(&mut self, parts: &[Part]) -> Result<(), Refusal> {
        self.check_idle()?;
        for part in parts {
            let specs = self.specs.len();
            let Some(state) = self.specs.get_mut(part.spec as usize) else {
                refuse!("a part is of spec {}, and there are {specs}", part.spec);
            };
            let name = state.plan.spec.name.clone();
            read_part(state, &mut self.topics, part, self.watermark_us).map_err(|wrong| {
                wrong.within(format_args!("window `{name}`: state of group {}", part.group))
            })?;
        }
        Ok(())
    }
}

fn read_part(
    state: &mut SpecState,
    topics: &mut Topics,
    part: &Part,
    watermark_us: i64,
) -> Result<(), Refusal> {
    if part.group >= GROUPS {
        refuse!("there are {GROUPS} groups");
    }
    if state.changed_at[part.group as usize] != 0 {
        refuse!("it is there twice");
    }
    state.changed_at[part.group as usize] = 1;
    let mut reader = Reader::new(&part.bytes);
    if reader.fixed(MAGIC.len())? != MAGIC {
        refuse!("this is not the state of a window");
    }
    let version = u16::from_le_bytes(reader.array()?);
    if !READS_VERSIONS.contains(&version) {
        let [oldest, .., newest] = READS_VERSIONS;
        refuse!("it has state version {version}, and {oldest} to {newest} are the ones that are read");
    }
    if (version == OF_ROWS) != state.plan.latest.is_some() {
        let (then, now) = if version == OF_ROWS { ("with", "without") } else { ("without", "with") };
        refuse!(
            "it was written {then} `latest-by`, and is to be read {now} it: give the window another name to start it \
             afresh, or restore its `latest-by`"
        );
    }
    let written = read_says(&mut reader, &state.plan)?;
    let layout = Layout { version, written, watermark_us };
    if version != state::version(&state.plan) {
        // It is written as it is read now, so that what was added to it is kept.
        state.changed_at[part.group as usize] = REWRITE;
    }
    read_types(&mut reader, state, &layout.written)?;
    let mut names = Vec::new();
    for _ in 0..reader.unsigned()? {
        let name = std::str::from_utf8(reader.text()?).map_err(|_| "a topic is not UTF-8".to_owned())?;
        names.push(topics.index(name));
    }
    let mut previous: Option<Vec<u8>> = None;
    for _ in 0..reader.unsigned()? {
        let text = reader.text()?;
        let columns = decode(text).map_or(0, |columns| columns.len());
        let ascends = previous.as_deref().is_none_or(|previous| previous < text);
        if columns != state.plan.spec.keys.len() || group_of(text) != part.group || !ascends {
            refuse!("a key is broken, out of order or in the wrong group");
        }
        let key = state.key(text);
        read_key(&mut reader, &layout, state, key, &names)?;
        previous = Some(text.to_vec());
    }
    if reader.is_done() { Ok(()) } else { refuse!("there is more than its keys") }
}

/// Compares what the spec said with what it says.
fn read_says(reader: &mut Reader, plan: &Plan) -> Result<Written, Refusal> {
    for (field, now) in says(plan) {
        let before = String::from_utf8_lossy(reader.text()?);
        if field == AGGREGATES
            && let Some(written) = Written::of(plan, &before)
        {
            return Ok(written);
        }
        if before != now {
            refuse!(
                "it was written under other {field} (then: {before}; now: {now}): give the window another \
                 name to start it afresh, or restore its {field}"
            );
        }
    }
    refuse!("it does not say what its aggregates are")
}

fn read_types(reader: &mut Reader, state: &mut SpecState, written: &Written) -> Result<(), Refusal> {
    for &input in &written.inputs {
        let (known, name) = (&mut state.types[input], &state.plan.inputs[input]);
        let kind = match reader.array()? {
            [0, 0] => None,
            [1, 0] => Some(ValueType::Int64),
            [2, 0] => Some(ValueType::TimestampUs),
            [3, scale] if scale <= MAX_SCALE => Some(ValueType::Decimal(scale)),
            [4, 0] => Some(ValueType::Float64),
            [5, 0] => Some(ValueType::Boolean),
            [6, 0] => Some(ValueType::Text),
            _ => refuse!("column `{name}` has an unknown type"),
        };
        match (*known, kind) {
            (Some(known), Some(kind)) if known != kind => {
                refuse!("column `{name}` is {kind}, and {known} in another group");
            }
            (None, _) => *known = kind,
            _ => {}
        }
    }
    Ok(())
}

fn read_key(
    reader: &mut Reader,
    layout: &Layout,
    state: &mut SpecState,
    key: u32,
    topics: &[u32],
) -> Result<(), Refusal> {
    let SpecState { plan, panes, states, .. } = state;
    let key_state = &mut states[key as usize];
    if plan.spec.ids.is_some() {
        key_state.ids = match layout.version {
            1 => read_ids_v1(reader, layout.watermark_us)?,
            _ => read_ids(reader)?,
        };
        if !layout.written.same_fingerprints(plan) {
            key_state.ids.ring.forget_content();
        }
    }
    let mut previous = i64::MIN;
    for _ in 0..reader.unsigned()? {
        let start_us = time(reader.signed()?)?;
        if start_us <= previous {
            refuse!("windows are out of order");
        }
        previous = start_us;
        key_state.given.insert(start_us, count(reader)?);
    }
    let mut free_from = i64::MIN;
    for _ in 0..reader.unsigned()? {
        let mut pane = Pane::new(plan, key, time(reader.signed()?)?, 0);
        match plan.form {
            Form::Panes(grid) => {
                pane.end_us = pane.start_us + grid.pane_us;
                if grid.pane_of(pane.start_us) != pane.start_us {
                    refuse!("a pane is not aligned");
                }
            }
            Form::Session { gap_us } => {
                pane.end_us = time(pane.start_us.saturating_add(reader.signed()?))?;
                pane.given = count(reader)?;
                if pane.end_us - pane.start_us < gap_us {
                    refuse!("a session is shorter than its gap");
                }
            }
        }
        let overlaps = match plan.form {
            Form::Panes(_) => pane.start_us < free_from,
            Form::Session { .. } => pane.start_us <= free_from,
        };
        if overlaps {
            refuse!("panes overlap or are out of order");
        }
        free_from = pane.end_us;
        read_pane(reader, &mut pane, layout, plan, topics)?;
        let start_us = pane.start_us;
        key_state.open.insert(start_us, panes.add(pane));
    }
    if layout.version >= 3 && reader.flag()? {
        let last = read_last(reader, layout, plan, key, topics)?;
        if key_state.open.keys().next().is_some_and(|open_us| *open_us < last.end_us) {
            refuse!("a window that closed is after one that is open");
        }
        key_state.last = plan.fill.is_some().then(|| Box::new(last));
    }
    Ok(())
}

/// Reads the newest window of a key that closed.
fn read_last(
    reader: &mut Reader,
    layout: &Layout,
    plan: &Plan,
    key: u32,
    topics: &[u32],
) -> Result<Pane, Refusal> {
    let Form::Panes(grid) = plan.form else { refuse!("sessions are not filled") };
    let start_us = time(reader.signed()?)?;
    if grid.pane_of(start_us) != start_us {
        refuse!("a window that closed is not aligned");
    }
    let mut last = Pane::new(plan, key, start_us, start_us + grid.pane_us);
    read_pane(reader, &mut last, layout, plan, topics)?;
    Ok(last)
}
