//! Any line, read with care.

use parse_base::decimal::Number;
use parse_base::interval::Interval;
use parse_base::reason::{Apart, Step, fault};
use parse_base::symbol;

use crate::cells::{cells, without_end};
use crate::layout::Layout;
use crate::names::Field;
use crate::number::{self, Rewritten};
use crate::options::Plan;
use crate::rows::Kline;
use crate::schema::ColumnId as C;
use crate::schema::ColumnId;
use crate::when::{self, event_time};

/// Reads a line; `None` for a header, whatever the order of its columns. `layout`: the line's columns; `None` if
/// only their number can tell. `header`: the line that names them.
pub fn read<'a>(
    line: &'a [u8],
    plan: &Plan<'a>,
    layout: Option<&Layout>,
    header: Option<&[u8]>,
) -> Step<Option<Kline<'a>>> {
    let line = without_end(line);
    let cells = cells(line, plan.separator());
    if cells == [b""] {
        return Err(Apart::ignored("empty line"));
    }
    if header.is_some_and(|header| header == line) {
        return Err(Apart::ignored("header"));
    }
    if Layout::by_header(&cells, None).is_some() {
        return Ok(None);
    }
    if is_comment(&cells) {
        return Err(Apart::ignored("comment"));
    }
    let by_count;
    let layout = match layout {
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
    kline(&cells, layout, plan).map(Some)
}

/// A remark among the lines, or the address that they are from.
fn is_comment(cells: &[&[u8]]) -> bool {
    let first = cells[0];
    first.starts_with(b"#")
        || cells.len() == 1 && [&b"//"[..], b"http://", b"https://"].iter().any(|it| first.starts_with(it))
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
    if prices(cells, layout).all(is_null) {
        return Err(Apart::ignored("no prices"));
    }
    let (mut symbol, mut close_time, mut interval) = (None, None, None);
    let (mut day, mut of_day) = (&b""[..], &b""[..]);
    for (field, cell) in layout.fields.iter().zip(cells.iter().copied()) {
        match *field {
            Field::Skipped => {}
            Field::Time => kline.open_time_us = event_time("event_time", cell, plan.dates)?,
            Field::Day => day = cell,
            Field::TimeOfDay => of_day = cell,
            Field::CloseTime if is_null(cell) => {}
            Field::CloseTime => close_time = Some((cell, event_time("close_time", cell, plan.dates)?)),
            Field::Cell(ColumnId::Symbol) => symbol = Some(cell),
            Field::Cell(ColumnId::Interval) if is_null(cell) => {}
            Field::Cell(ColumnId::Interval) => interval = Some(named_interval(cell)?),
            Field::Cell(ColumnId::Trades) => kline.trades = integer("trades", cell)?,
            Field::Cell(column) => decimal(column, cell, plan, &mut kline)?,
        }
    }
    if layout.has(Field::Day) {
        kline.open_time_us = when::of_two(day, of_day, plan.dates)?;
    }
    kline.symbol = chosen_symbol(symbol, plan)?;
    kline.interval = agreed(plan.interval, interval)?;
    if let Some(close) = close_time {
        kline.interval = Some(until_close(kline.open_time_us, close, kline.interval)?);
    }
    kline.flagged = contradicts(&kline.decimals, &plan.scales);
    Ok(kline)
}

/// The cells of open, high, low and close.
fn prices<'c>(cells: &'c [&[u8]], layout: &'c Layout) -> impl Iterator<Item = &'c [u8]> {
    let is_price = |field: &Field| matches!(field, Field::Cell(C::Open | C::High | C::Low | C::Close));
    layout.fields.iter().zip(cells).filter(move |(field, _)| is_price(field)).map(|(_, cell)| *cell)
}

/// Pandas, R and databases write nothing in these ways.
pub fn is_null(cell: &[u8]) -> bool {
    const NULLS: [&[u8]; 7] = [b"nan", b"na", b"n/a", b"null", b"none", b"-", b"\\n"];
    cell.is_empty() || NULLS.iter().any(|null| cell.eq_ignore_ascii_case(null))
}

fn decimal(column: ColumnId, cell: &[u8], plan: &Plan<'_>, kline: &mut Kline<'_>) -> Step<()> {
    let info = column.info();
    let required = matches!(column, ColumnId::Open | ColumnId::High | ColumnId::Low | ColumnId::Close);
    if is_null(cell) && !required {
        return Ok(());
    }
    let mut room = Rewritten::default();
    let number = number::read(cell, &mut room).ok_or_else(|| fault(info.name, "not a decimal", cell))?;
    if let Some(wrong) = info.range.fault(&number) {
        return Err(fault(info.name, wrong, cell));
    }
    let scale = plan.scales[column.decimal()];
    let scaled = number.at_scale(scale).map_err(|unfit| fault(info.name, &unfit.fault(scale), cell))?;
    if required && scaled.rounded && loses_digits(&number, scale, scaled.mantissa) {
        let what = format!("it loses more than a part in 10,000 at scale {scale} (raise it by `scales`)");
        return Err(fault(info.name, &what, cell));
    }
    kline.decimals[column.decimal()] = Some(scaled.mantissa);
    let wanted = plan.columns.iter().any(|(wanted, _)| wanted.id == column);
    kline.rounded += u64::from(scaled.rounded && wanted);
    Ok(())
}

/// Whether a number has lost more than a part in 10,000 by being rounded.
fn loses_digits(number: &Number<'_>, scale: u8, mantissa: i128) -> bool {
    let finer = number.at_scale(scale.saturating_add(4));
    mantissa < 5_000 && finer.is_ok_and(|finer| (finer.mantissa - mantissa * 10_000).abs() > mantissa)
}

/// A whole number; `306.0` is one.
fn integer(name: &str, cell: &[u8]) -> Step<Option<i64>> {
    if is_null(cell) {
        return Ok(None);
    }
    let mut room = Rewritten::default();
    let number = number::read(cell, &mut room).ok_or_else(|| fault(name, "not a number", cell))?;
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
    symbol::of_record(std::str::from_utf8(cell).map_err(|_| fault("symbol", "not UTF-8", cell))?)
}

fn named_interval(cell: &[u8]) -> Step<Interval> {
    let name = std::str::from_utf8(cell).ok();
    name.and_then(Interval::read).ok_or_else(|| fault("interval", "not a count and one of s m h d w M", cell))
}

/// How long a kline is by its close time. One that ends before its time was cut short by its exchange, and is of that
/// interval all the same.
fn until_close(open_us: i64, close: (&[u8], i64), known: Option<Interval>) -> Step<Interval> {
    let (cell, close_us) = close;
    if close_us < open_us {
        return Err(fault("close_time", "before the open time", cell));
    }
    let Some(known) = known else { return interval_between(open_us, close) };
    // The last unit before the next open, or the next open itself.
    let readings = [1, 1_000, 1_000_000, 0].map(|unit_us| Interval::between(open_us, close_us + unit_us));
    if readings.contains(&Some(known)) || close_us < open_us.saturating_add(known.least_us()) {
        return Ok(known);
    }
    match interval_between(open_us, close) {
        Ok(longer) => Err(Apart::rejected(format!("interval: {}, not {}", longer.name(), known.name()))),
        Err(_) => Err(fault("close_time", &format!("later than {} after the open time", known.name()), cell)),
    }
}

/// From the open to the close time: of the readings that give whole seconds, one that days can be cut into.
fn interval_between(open_us: i64, (cell, close_us): (&[u8], i64)) -> Step<Interval> {
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

/// The interval that the setting and a column say alike.
fn agreed(setting: Option<Interval>, column: Option<Interval>) -> Step<Option<Interval>> {
    match (setting, column) {
        (Some(known), Some(other)) if known != other => {
            Err(Apart::rejected(format!("interval: {}, not {}", other.name(), known.name())))
        }
        (setting, column) => Ok(setting.or(column)),
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
