//! Reads what a pane holds of its rows.

use tallow_contract::{Refusal, refuse};

use super::Layout;
use crate::aggregate::{Cell, Pick};
use crate::bounds::{count, id, time};
use crate::bytes::Reader;
use crate::decimal::Sum;
use crate::held::Pane;
use crate::kept::{Kept, Row};
use crate::order::{OrderKey, Place};
use crate::spec::Plan;

pub(super) fn read_pane(
    reader: &mut Reader,
    pane: &mut Pane,
    layout: &Layout,
    plan: &Plan,
    topics: &[u32],
) -> Result<(), Refusal> {
    (pane.first_id, pane.last_id, pane.changed_at) = (0, 0, 1);
    if plan.latest.is_some() {
        return read_rows(reader, pane, layout, plan);
    }
    pane.rows = count(reader)?;
    if plan.spec.ids.is_some() {
        pane.first_id = id(reader.signed()?)?;
        pane.last_id = id(pane.first_id.saturating_add_unsigned(reader.unsigned()?))?;
    }
    pane.pending = reader.flag()?;
    let start_us = pane.start_us;
    for &cell in &layout.written.cells {
        read_cell(reader, &mut pane.cells[cell], start_us, topics)?;
    }
    Ok(())
}

/// Reads a pane's rows; what they add up to follows from them.
fn read_rows(reader: &mut Reader, pane: &mut Pane, layout: &Layout, plan: &Plan) -> Result<(), Refusal> {
    pane.pending = reader.flag()?;
    pane.rows = count(reader)?;
    let mut kept = Kept::default();
    for _ in 0..pane.rows {
        let time_us = time(pane.start_us.saturating_add(reader.signed()?))?;
        let after = kept.rows.last_key_value().is_none_or(|(before_us, _)| *before_us < time_us);
        if !after || time_us < pane.start_us || time_us >= pane.end_us {
            refuse!("a row is out of order, or outside of its window");
        }
        let rank = reader.signed()?;
        let mut values = vec![None; plan.inputs.len()];
        for &input in &layout.written.inputs {
            if reader.flag()? {
                values[input] = Some(reader.wide()?);
            }
        }
        kept.rows.insert(time_us, Row { rank, values: values.into() });
    }
    pane.cells = kept.cells(plan);
    pane.kept = Some(Box::new(kept));
    Ok(())
}

fn read_cell(reader: &mut Reader, cell: &mut Cell, start_us: i64, topics: &[u32]) -> Result<(), Refusal> {
    let total = |reader: &mut Reader| {
        let low = reader.wide()? as u128;
        Ok::<Sum, String>(Sum { low, high: reader.signed()? })
    };
    match cell {
        Cell::Pick(pick) if reader.flag()? => {
            let time_us = time(start_us.saturating_add(reader.signed()?))?;
            let id = id(reader.signed()?)?;
            let topic = reader.unsigned()?;
            let topic = *topics.get(topic as usize).ok_or("a row's topic is not listed")?;
            let partition = i32::try_from(reader.signed()?).map_err(|_| "a partition is too large")?;
            let offset = reader.signed()?;
            let row = u32::try_from(reader.unsigned()?).map_err(|_| "a row is too large")?;
            let order = OrderKey { time_us, id, place: Place { topic, partition, offset, row } };
            *pick = Some(Pick { order, value: reader.wide()? });
        }
        Cell::Pick(_) => {}
        Cell::Extreme(best) => {
            if reader.flag()? {
                *best = Some(reader.wide()?);
            }
        }
        Cell::Count(rows) => *rows = count(reader)?,
        Cell::Sum { sum, count: rows } => {
            *sum = total(reader)?;
            *rows = count(reader)?;
        }
        Cell::Product { product, weight, count: rows, overflow } => {
            *product = total(reader)?;
            *weight = total(reader)?;
            *rows = count(reader)?;
            *overflow = reader.flag()?;
        }
    }
    Ok(())
}
