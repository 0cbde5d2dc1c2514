//! What a file's first lines say of all of them: where the header is and what its columns are, which character separates
//! them, in which order dates are.

use parse_base::date::{self, Order};
use tallow_contract::{Refusal, refuse};

use crate::cells::{cells, without_end};
use crate::layout::Layout;
use crate::names::{self, Field};
use crate::options::Plan;
use crate::orders;
use crate::sample::Sample;
use crate::schema::ColumnId;
use crate::volumes;
use crate::when;

/// Lines among which a header is looked for.
const HEADER_LINES: usize = 64;
/// Lines under a header that say what it leaves open.
pub const UNDER_HEADER: usize = 64;
/// Characters that separate fields, the most common first.
const DELIMITERS: [u8; 4] = *b",;\t|";

/// How the rest of the file is to be read, and what people should know of it.
#[derive(Debug, Default)]
pub struct Learnt {
    pub layout: Option<Layout>,
    /// The line that names the columns, without its end.
    pub header: Option<Vec<u8>>,
    pub delimiter: u8,
    pub dates: Option<Order>,
    pub remarks: Vec<String>,
}

/// Learns it. An error says what cannot be told from the lines, and which setting tells it.
pub fn learn(lines: &[&[u8]], plan: &Plan<'_>) -> Result<Learnt, Refusal> {
    let mut learnt = match &plan.layout {
        Some(layout) => {
            let header = plan.header.map(<[u8]>::to_vec);
            let delimiter = plan.delimiter.unwrap_or(b',');
            Learnt { layout: Some(layout.clone()), header, delimiter, ..Learnt::default() }
        }
        None => by_header(lines, plan).map_or_else(|| by_arithmetic(lines, plan), Ok)?,
    };
    if let Some(layout) = &learnt.layout
        && plan.dates.is_none()
    {
        let sample = Sample::new(&lines[..lines.len().min(1 << 10)], learnt.delimiter);
        learnt.dates = order_of_dates(layout, &sample)?;
        let shown = learnt.dates.map(|order| format!("dates are read {}", order.name()));
        learnt.remarks.extend(shown);
    }
    Ok(learnt)
}

fn delimiters(plan: &Plan<'_>) -> Vec<u8> {
    plan.delimiter.map_or(DELIMITERS.to_vec(), |delimiter| vec![delimiter])
}

fn by_header(lines: &[&[u8]], plan: &Plan<'_>) -> Option<Learnt> {
    let found = delimiters(plan).into_iter().find_map(|delimiter| {
        let is_header =
            |line: &&[u8]| Layout::by_header(&cells(without_end(line), delimiter), None).is_some();
        Some((delimiter, lines.iter().take(HEADER_LINES).position(is_header)?))
    });
    let (delimiter, header, under) = match found {
        Some((delimiter, at)) => (delimiter, without_end(lines[at]), &lines[at + 1..]),
        // The header of a file that has only a header is not among the lines.
        None => (plan.separator(), plan.header?, lines),
    };
    let (layout, mut remarks) = under_header(header, under, delimiter, plan)?;
    remarks.extend(unread(&layout, &cells(header, delimiter)));
    Some(Learnt { layout: Some(layout), header: Some(header.to_vec()), delimiter, dates: None, remarks })
}

/// The columns that a header names, with what only the lines under it tell: whose coin a volume is in, which of several
/// times can be read. And what people should know of that.
pub fn under_header(
    header: &[u8],
    under: &[&[u8]],
    delimiter: u8,
    plan: &Plan<'_>,
) -> Option<(Layout, Vec<String>)> {
    let header = cells(header, delimiter);
    let layout = Layout::by_header(&header, None)?;
    let is_header = |line: &&[u8]| Layout::by_header(&cells(without_end(line), delimiter), None).is_some();
    let end = under.iter().take(UNDER_HEADER).position(is_header).unwrap_or(under.len().min(UNDER_HEADER));
    let sample = Sample::new(&under[..end], delimiter);
    let place = layout.fields.iter().position(|field| *field == Field::Cell(ColumnId::Symbol));
    let in_column = sample.cells.first().and_then(|row| std::str::from_utf8(row.get(place?)?).ok());
    let mut layout = Layout::by_header(&header, plan.symbol.or(in_column))?;
    let mut remarks = Vec::new();
    if let Some(other) = another_time(&layout, &header, &sample) {
        let from = layout.fields.iter().position(|field| *field == Field::Time)?;
        (layout.fields[from], layout.fields[other]) = (Field::Skipped, Field::Time);
        let [from, other] = [from, other].map(|at| String::from_utf8_lossy(header[at]));
        remarks
            .push(format!("times are those of the column `{other}`, since those of `{from}` cannot be read"));
    }
    if let Some(at) = volumes::quote_by_arithmetic(&layout.fields, &sample.numbers) {
        layout.fields[at] = Field::Cell(ColumnId::QuoteVolume);
        let name = String::from_utf8_lossy(header[at]);
        remarks.push(format!("`{name}` is read as the quote volume, since it is volume × price"));
    }
    Some((layout, remarks))
}

/// Another column with times that can be read, if those that would be read cannot.
fn another_time(layout: &Layout, header: &[&[u8]], sample: &Sample<'_>) -> Option<usize> {
    let at = layout.fields.iter().position(|field| *field == Field::Time)?;
    let reads = |cell: &[u8]| {
        when::event_time("", cell, Some(Order::DayFirst)).is_ok()
            || when::event_time("", cell, Some(Order::MonthFirst)).is_ok()
    };
    if sample.cells.is_empty() || sample.mostly(at, reads) {
        return None;
    }
    let mut others: Vec<(usize, usize)> = header
        .iter()
        .enumerate()
        .filter_map(|(at, name)| names::field(name).map(|(field, rank)| (at, field, rank)))
        .filter(|(other, field, _)| *field == Field::Time && *other != at && sample.mostly(*other, reads))
        .map(|(other, _, rank)| (rank, other))
        .collect();
    others.sort_unstable();
    others.first().map(|(_, other)| *other)
}

fn by_arithmetic(lines: &[&[u8]], plan: &Plan<'_>) -> Result<Learnt, Refusal> {
    let mut first_error = None;
    for delimiter in delimiters(plan) {
        match orders::by_arithmetic(&Sample::new(lines, delimiter)) {
            Ok(None) => {}
            Err(error) => _ = first_error.get_or_insert(error),
            Ok(Some(found)) => {
                let how = if found.sure { "" } else { " (all prices are alike so far)" };
                let remark = format!("no header: read as {}{how}", found.layout.as_setting());
                let remarks = vec![remark];
                return Ok(Learnt { layout: Some(found.layout), delimiter, remarks, ..Learnt::default() });
            }
        }
    }
    match first_error {
        Some(error) => refuse!("{error}; name them by the setting `columns` (--columns)"),
        None => Ok(Learnt { delimiter: plan.delimiter.unwrap_or(b','), ..Learnt::default() }),
    }
}

/// The order of day and month, if the year comes last: the only one by which all dates are days, or by which they
/// are evenly spaced.
fn order_of_dates(layout: &Layout, sample: &Sample<'_>) -> Result<Option<Order>, Refusal> {
    let place = |field: Field| layout.fields.iter().position(|known| *known == field);
    let Some(at) = place(Field::Day).or_else(|| place(Field::Time)) else { return Ok(None) };
    let of_day = place(Field::TimeOfDay);
    let dated =
        sample.cells.iter().filter(|row| date::day(row[at]).is_some_and(|(day, _)| day.by(None).is_none()));
    let Some(either) = dated.map(|row| row[at]).next() else { return Ok(None) };
    let time = |row: &Vec<&[u8]>, order: Order| {
        let of_day_us = of_day.map_or(Some(0), |at| date::of_day_us(row[at]));
        Some(date::time_us(row[at], Some(order))? + of_day_us?)
    };
    let times = |order: Order| -> Vec<i64> {
        let mut times: Vec<i64> = sample.cells.iter().filter_map(|row| time(row, order)).collect();
        times.sort_unstable();
        times
    };
    let [day_first, month_first] = [Order::DayFirst, Order::MonthFirst].map(times);
    let better = (day_first.len().cmp(&month_first.len())).then(even(&day_first).cmp(&even(&month_first)));
    match better {
        std::cmp::Ordering::Greater => Ok(Some(Order::DayFirst)),
        std::cmp::Ordering::Less => Ok(Some(Order::MonthFirst)),
        std::cmp::Ordering::Equal => refuse!(
            "dates like {} have a day and a month that may be either: say `dates` = \"day-first\" or \"month-first\" among \
             the parse-settings",
            String::from_utf8_lossy(either)
        ),
    }
}

/// How many of the distances between times are the most frequent one.
fn even(times: &[i64]) -> usize {
    let mut distances: Vec<i64> =
        times.windows(2).map(|pair| pair[1] - pair[0]).filter(|it| *it > 0).collect();
    distances.sort_unstable();
    distances.chunk_by(|a, b| a == b).map(<[i64]>::len).max().unwrap_or(0)
}

/// Names the columns that are not read.
fn unread(layout: &Layout, header: &[&[u8]]) -> Option<String> {
    let unread = layout.fields.iter().zip(header).filter(|(field, name)| {
        **field == Field::Skipped && !matches!(names::field(name), Some((Field::Skipped, _)))
    });
    let unread: Vec<String> =
        unread.map(|(_, name)| format!("`{}`", String::from_utf8_lossy(name))).collect();
    (!unread.is_empty()).then(|| format!("columns not read: {}", unread.join(", ")))
}
