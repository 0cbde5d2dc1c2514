//! What the caller asks for, checked once a call.

use parse_base::Options;
use parse_base::columns::{Wanted, wanted};
use parse_base::date::Order;
use parse_base::interval::Interval;
use parse_base::options::unknown;
use parse_base::symbol;
use tallow_contract::{Refusal, refuse};

use crate::FUNCTION;
use crate::cells::{cells, without_end};
use crate::layout::Layout;
use crate::schema::{COLUMNS, ColumnId, KINDS};

/// Scale at which a decimal is read whose column is not wanted.
const UNWANTED_SCALE: u8 = 8;

/// The function's settings.
/// - `symbol`: of lines that name none;
/// - `interval`: `1m`, `1d` …;
/// - `columns`: names of the columns by place, separated by commas, `-` for one that is not read;
/// - `delimiter`: one character, or `tab`;
/// - `dates`: `day-first` or `month-first`, of dates whose year comes last;
/// - `first-line`: the first line of the file that the batch is a part of, or the one that names its columns;
/// - `id-unit-us`: what ids count, in microseconds; else intervals. Klines that open within one unit have the same id;
/// - `headers`: `follow` if a header among the lines says what the columns are from there on;
/// - `beginning`: `yes` if the batch is the beginning of a file. What it tells about the whole file is then in the column
///   `settings`, and what people should know in `remarks`.
pub const SETTINGS: [&str; 9] = [
    "symbol",
    "interval",
    "columns",
    "delimiter",
    "dates",
    "first-line",
    "id-unit-us",
    "headers",
    "beginning",
];

/// Options that hold.
pub struct Plan<'o> {
    pub columns: Wanted<ColumnId>,
    /// Scales of the decimal columns.
    pub scales: [u8; 8],
    pub symbol: Option<&'o str>,
    pub interval: Option<Interval>,
    /// What ids count; `None` for intervals.
    pub id_unit_us: Option<i64>,
    /// `None` for a comma, unless the beginning of a file says otherwise.
    pub delimiter: Option<u8>,
    pub dates: Option<Order>,
    pub follows_headers: bool,
    pub is_beginning: bool,
    /// The columns; `None` if only their number can tell.
    pub layout: Option<Layout>,
    /// The file's first line if it is a header, without its end.
    pub header: Option<&'o [u8]>,
}

impl<'o> Plan<'o> {
    /// The error names what is unknown, and the nearest thing that is known.
    pub fn new(options: &'o Options) -> Result<Self, Refusal> {
        if let Some(kind) = options.kinds.iter().find(|kind| !KINDS.contains(&kind.as_str())) {
            return Err(unknown(FUNCTION, "kind", kind, KINDS));
        }
        let columns = wanted(FUNCTION, &COLUMNS, options)?;
        let mut scales = [UNWANTED_SCALE; 8];
        for (info, scale) in columns.iter().filter(|(info, _)| ColumnId::DECIMALS.contains(&info.id)) {
            scales[info.id.decimal()] = *scale;
        }
        let mut plan = Plan {
            columns,
            scales,
            symbol: None,
            interval: None,
            id_unit_us: None,
            delimiter: None,
            dates: None,
            follows_headers: false,
            is_beginning: false,
            layout: None,
            header: None,
        };
        let (mut names, mut first_line) = (None, None);
        for (name, value) in &options.settings {
            match name.as_str() {
                "symbol" => plan.symbol = Some(symbol::of_setting(value)?),
                "interval" => plan.interval = Some(interval(value)?),
                "columns" => names = Some(value.as_str()),
                "delimiter" => plan.delimiter = Some(delimiter(value)?),
                "id-unit-us" => plan.id_unit_us = Some(id_unit_us(value)?),
                "dates" => plan.dates = Some(dates(value)?),
                "headers" => plan.follows_headers = value == "follow",
                "beginning" => plan.is_beginning = value == "yes",
                "first-line" => first_line = Some(without_end(value.as_bytes())),
                _ => return Err(unknown(FUNCTION, "setting", name, SETTINGS)),
            }
        }
        plan.layout = names.map(Layout::by_setting).transpose()?;
        if let Some(line) = first_line {
            plan.read_first_line(line);
        }
        Ok(plan)
    }

    /// The character that separates fields.
    pub fn separator(&self) -> u8 {
        self.delimiter.unwrap_or(b',')
    }

    /// The settings by which lines of such columns are read, one a line.
    pub fn as_settings(&self, layout: Option<&Layout>, header: Option<&[u8]>) -> String {
        let mut settings = Vec::new();
        let mut say = |name: &str, value: &str| settings.push(format!("{name}={value}"));
        if let Some(layout) = layout {
            say("columns", &layout.as_setting());
        }
        match self.delimiter {
            Some(b'\t') => say("delimiter", "tab"),
            Some(delimiter) => say("delimiter", char::from(delimiter).encode_utf8(&mut [0; 4])),
            None => {}
        }
        if let Some(dates) = self.dates {
            say("dates", dates.name());
        }
        if self.follows_headers {
            say("headers", "follow");
        }
        if let Some(header) = header.and_then(|header| std::str::from_utf8(header).ok()) {
            say("first-line", header);
        }
        settings.join("\n")
    }

    fn read_first_line(&mut self, line: &'o [u8]) {
        let cells = cells(line, self.separator());
        let header = Layout::by_header(&cells, self.symbol);
        // With the columns given, unknown names are a header too.
        let begins_as_number =
            |cell: &&[u8]| cell.first().is_some_and(|first| b"0123456789+-.".contains(first));
        let names = self.layout.is_some() && !cells.iter().any(begins_as_number);
        if header.is_some() || names {
            self.header = Some(line);
        }
        if self.layout.is_none() && !self.is_beginning {
            self.layout = header.or_else(|| Layout::by_count(cells.len()));
        }
    }
}

fn interval(value: &str) -> Result<Interval, Refusal> {
    Interval::read(value).ok_or_else(|| {
        format!("setting `interval` takes a count and one of s m h d w M, like `1m`, not `{value}`").into()
    })
}

fn id_unit_us(value: &str) -> Result<i64, Refusal> {
    let unit_us = value.parse().ok().filter(|unit_us| *unit_us > 0);
    unit_us
        .ok_or_else(|| format!("setting `id-unit-us` takes a number of microseconds, not `{value}`").into())
}

fn dates(value: &str) -> Result<Order, Refusal> {
    Order::read(value)
        .ok_or_else(|| format!("setting `dates` takes `day-first` or `month-first`, not `{value}`").into())
}

fn delimiter(value: &str) -> Result<u8, Refusal> {
    match value.as_bytes() {
        b"tab" => Ok(b'\t'),
        [byte] if byte.is_ascii() && !byte.is_ascii_alphanumeric() && !b"\"\r\n.+-".contains(byte) => {
            Ok(*byte)
        }
        _ => refuse!("setting `delimiter` takes one character like `;`, or `tab`, not `{value}`"),
    }
}
