//! Any line, read with care.

use parse_base::decimal::Number;
use parse_base::interval::Interval;
use parse_base::options::MAX_SYMBOL_BYTES;
use parse_base::reason::{Apart, Step, excerpt};
use parse_base::time::{self, NoTime};

use crate::cells::{cells, without_end};
use crate::layout::Layout;
use crate::names::Field;
use crate::options::Plan;
use crate::rows::Kline;
use crate::schema::ColumnId;

/// Reads a line into a kline.
pub fn read<'a>(line: &'a [u8], plan: &Plan<'a>) -> Step<Kline<'a>> {
    let line = without_end(line);
    let cells = cells(line, plan.delimiter);
    if cells == [b""] {
        return Err(Apart::ignored("empty line"));
    }
    if plan.header.is_some_and(|header| header == line) || Layout::by_header(&cells).is_some() {
        return Err(Apart::ignored("header"));
    }
    let by_count;
    let layout = match &plan.layout {
        Some(layout) => layout,
        None => {
            by_count = Layout::by_count(cells.len());
            by_count.as_ref().ok_or_else(|| {
                Apart::rejected(format!(
                    "{} fields, and no header: only 6 and 12 are known by their places; name them by the setting \
                     `columns`",
                    cells.len()
                ))
            })?
        }
    };
    if cells.len() != layout.fields.len() {
        return Err(Apart::rejected(format!("{} fields, not {}", cells.len(), layout.fields.len())));
    }
    kline(&cells, layout, plan)
}

fn kline<'a>(cells: &[&'a [u8]], layout: &Layout, plan: &Plan<'a>) -> Step<Kline<'a>> {
    let mut kline = Kline {
        symbol: "",
        open_time_us: 0,
        interval: None,
        decimals: [None; 8],
        trades: None,
        flagged: false,
        rounded: 0,
    };
    let (mut symbol, mut close_time, mut interval) = (None, None, None);
    for (field, cell) in layout.fields.iter().zip(cells.iter().copied()) {
        match *field {
            Field::Skipped => {}
            Field::Time => kline.open_time_us = event_time("event_time", cell)?,
            Field::CloseTime if is_null(cell) => {}
            Field::CloseTime => close_time = Some((cell, event_time("close_time", cell)?)),
            Field::Cell(ColumnId::Symbol) => symbol = Some(cell),
            Field::Cell(ColumnId::Interval) if is_null(cell) => {}
            Field::Cell(ColumnId::Interval) => interval = Some(named_interval(cell)?),
            Field::Cell(ColumnId::Trades) => kline.trades = integer("trades", cell)?,
            Field::Cell(column) => decimal(column, cell, plan, &mut kline)?,
        }
    }
    kline.symbol = chosen_symbol(symbol, plan)?;
    let between = close_time.map(|close| interval_until(kline.open_time_us, close)).transpose()?;
    kline.interval = agreed(&[plan.interval, interval, between])?;
    kline.flagged = contradicts(&kline.decimals, &plan.scales);
    Ok(kline)
}

/// Pandas, R and databases write nothing in these ways.
pub fn is_null(cell: &[u8]) -> bool {
    cell.is_empty()
        || [&b"nan"[..], b"na", b"null", b"none"].iter().any(|null| cell.eq_ignore_ascii_case(null))
}

fn fault(name: &str, what: &str, cell: &[u8]) -> Box<Apart> {
    Apart::rejected(format!("{name}: {what}: {}", excerpt(cell)))
}

fn event_time(name: &str, cell: &[u8]) -> Step<i64> {
    let time = match Number::read(cell) {
        Some(number) => Some(time::from_unix(&number)),
        None => time::from_iso(cell),
    };
    match time {
        Some(Ok(time_us)) => Ok(time_us),
        Some(Err(NoTime::Before1970)) => Err(fault(name, "before 1970", cell)),
        Some(Err(NoTime::After9999)) => Err(fault(name, "after 9999", cell)),
        None => Err(fault(name, "not a time", cell)),
    }
}

fn decimal(column: ColumnId, cell: &[u8], plan: &Plan<'_>, kline: &mut Kline<'_>) -> Step<()> {
    let info = column.info();
    let required = matches!(column, ColumnId::Open | ColumnId::High | ColumnId::Low | ColumnId::Close);
    if is_null(cell) && !required {
        return Ok(());
    }
    let number = Number::read(cell).ok_or_else(|| fault(info.name, "not a decimal", cell))?;
    if let Some(wrong) = info.range.fault(&number) {
        return Err(fault(info.name, wrong, cell));
    }
    let scale = plan.scales[column.decimal()];
    let scaled = number.at_scale(scale).map_err(|unfit| fault(info.name, &unfit.fault(scale), cell))?;
    kline.decimals[column.decimal()] = Some(scaled.mantissa);
    let wanted = plan.columns.iter().any(|(wanted, _)| wanted.id == column);
    kline.rounded += u64::from(scaled.rounded && wanted);
    Ok(())
}

/// A whole number; `306.0` is one.
fn integer(name: &str, cell: &[u8]) -> Step<Option<i64>> {
    if is_null(cell) {
        return Ok(None);
    }
    let number = Number::read(cell).ok_or_else(|| fault(name, "not a number", cell))?;
    let whole = number.at_scale(0).ok().filter(|scaled| !scaled.rounded);
    match whole.map(|scaled| i64::try_from(scaled.mantissa)) {
        Some(Ok(..0)) => Err(fault(name, "negative", cell)),
        Some(Ok(value)) => Ok(Some(value)),
        Some(Err(_)) => Err(fault(name, "beyond 64 bits", cell)),
        None => Err(fault(name, "not a whole number", cell)),
    }
}

fn chosen_symbol<'a>(cell: Option<&'a [u8]>, plan: &Plan<'a>) -> Step<&'a str> {
    let Some(cell) = cell.filter(|_| plan.symbol.is_none()) else {
        return plan
            .symbol
            .ok_or_else(|| Apart::rejected("symbol: no column names it, and no setting `symbol` is given"));
    };
    let symbol = std::str::from_utf8(cell).map_err(|_| fault("symbol", "not UTF-8", cell))?;
    match symbol.len() {
        0 => Err(Apart::rejected("symbol: empty")),
        1..=MAX_SYMBOL_BYTES => Ok(symbol),
        length => Err(Apart::rejected(format!("symbol: {length} bytes, more than {MAX_SYMBOL_BYTES}"))),
    }
}

fn named_interval(cell: &[u8]) -> Step<Interval> {
    let name = std::str::from_utf8(cell).ok();
    name.and_then(Interval::read).ok_or_else(|| fault("interval", "not a count and one of s m h d w M", cell))
}

/// From the open to the close time, which is the last unit before the next open, or the next open itself: of the
/// readings that give whole seconds, one that days can be cut into.
fn interval_until(open_us: i64, (cell, close_us): (&[u8], i64)) -> Step<Interval> {
    const DAY_US: i64 = 86_400_000_000;
    let regular = |interval: &Interval| match *interval {
        Interval::Fixed(length_us) => DAY_US % length_us == 0 || length_us % DAY_US == 0,
        Interval::Months(_) => true,
    };
    let readings = [1, 1_000, 1_000_000, 0].map(|unit_us| Interval::between(open_us, close_us + unit_us));
    let whole = || readings.iter().flatten();
    whole().find(|interval| regular(interval)).or(whole().next()).copied().ok_or_else(|| {
        fault("interval", &format!("no whole number of seconds from {open_us} µs to the close time"), cell)
    })
}

/// The interval that the setting, a column and the close time say alike.
fn agreed(said: &[Option<Interval>]) -> Step<Option<Interval>> {
    let mut said = said.iter().flatten();
    let Some(first) = said.next() else { return Ok(None) };
    match said.find(|other| *other != first) {
        None => Ok(Some(*first)),
        Some(other) => Err(Apart::rejected(format!("interval: {}, not {}", other.name(), first.name()))),
    }
}

/// Whether high or low contradict open, close or each other.
fn contradicts(decimals: &[Option<i128>; 8], scales: &[u8; 8]) -> bool {
    let [Some(open), Some(high), Some(low), Some(close), ..] = *decimals else { return false };
    let prices = [open, high, low, close];
    let finest = scales[..4].iter().copied().max().unwrap_or(0);
    let aligned = |index: usize| {
        let factor = 10i128.checked_pow(u32::from(finest - scales[index]));
        factor.and_then(|factor| prices[index].checked_mul(factor))
    };
    match [aligned(0), aligned(1), aligned(2), aligned(3)] {
        [Some(open), Some(high), Some(low), Some(close)] => {
            high < open.max(close).max(low) || low > open.min(close)
        }
        // Beyond 38 digits at the finest scale only the coarse numbers can be compared.
        _ => false,
    }
}
