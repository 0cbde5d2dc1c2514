//! Which field of a line is what: by the names of a header, by the setting `columns`, or by their number.

use parse_base::options::unknown;
use tallow_contract::{Refusal, refuse};

use crate::FUNCTION;
use crate::names::{self, Field};
use crate::schema::ColumnId as C;
use crate::volumes;

/// What each field of a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    pub fields: Vec<Field>,
}

/// Lines of 12 fields without a header: the exchange's. Lines of 6 have the first 6 of them.
const OF_THE_EXCHANGE: [Field; 12] = [
    Field::Time,
    Field::Cell(C::Open),
    Field::Cell(C::High),
    Field::Cell(C::Low),
    Field::Cell(C::Close),
    Field::Cell(C::Volume),
    Field::CloseTime,
    Field::Cell(C::QuoteVolume),
    Field::Cell(C::Trades),
    Field::Cell(C::TakerBuyVolume),
    Field::Cell(C::TakerBuyQuoteVolume),
    Field::Skipped,
];

const REQUIRED: [(Field, &str); 5] = [
    (Field::Time, "open_time"),
    (Field::Cell(C::Open), "open"),
    (Field::Cell(C::High), "high"),
    (Field::Cell(C::Low), "low"),
    (Field::Cell(C::Close), "close"),
];

impl Layout {
    /// By the setting `columns`. An error says which name is not known or missing.
    pub fn by_setting(columns: &str) -> Result<Self, Refusal> {
        let mut named = Vec::new();
        for name in columns.split(',').map(str::trim) {
            match names::field(name.as_bytes()) {
                Some(known) => named.push(Some(known)),
                None => return Err(unknown(FUNCTION, "name for a column", name, names::all())),
            }
        }
        let layout = Self::by_names(named);
        match layout.missing() {
            None => Ok(layout),
            Some(name) => refuse!("setting `columns`: no `{name}` among `{columns}`"),
        }
    }

    /// By a header's cells. `None` if they are no header of klines. `symbol`: whose klines they are, if known.
    pub fn by_header(cells: &[&[u8]], symbol: Option<&str>) -> Option<Self> {
        let numbers = cells.iter().filter(|cell| cell.first().is_some_and(u8::is_ascii_digit));
        if numbers.count() > 1 {
            return None;
        }
        let mut layout = Self::by_names(cells.iter().map(|cell| names::field(cell)).collect());
        volumes::by_coin(&mut layout.fields, cells, symbol);
        layout.has_all().then_some(layout)
    }

    /// By the number of fields, if no name is known.
    pub fn by_count(count: usize) -> Option<Self> {
        matches!(count, 6 | 12).then(|| Layout { fields: OF_THE_EXCHANGE[..count].to_vec() })
    }

    /// In the words of the setting `columns`.
    pub fn as_setting(&self) -> String {
        self.fields.iter().map(|field| names::of(*field)).collect::<Vec<_>>().join(",")
    }

    /// Of several columns that mean the same, the one whose name ranks first is read, the leftmost of equals.
    fn by_names(mut named: Vec<Option<(Field, usize)>>) -> Self {
        by_day(&mut named);
        let chosen = |index: usize, field: Field, rank: usize| {
            let others =
                named.iter().enumerate().filter_map(|(at, other)| other.map(|(is, rank)| (at, is, rank)));
            others.filter(|(_, is, _)| *is == field).all(|(at, _, other)| (rank, index) <= (other, at))
        };
        let fields = named.iter().enumerate().map(|(index, name)| match *name {
            Some((field, rank)) if chosen(index, field, rank) => field,
            _ => Field::Skipped,
        });
        Layout { fields: fields.collect() }
    }

    fn has_all(&self) -> bool {
        self.missing().is_none()
    }

    /// A column that every kline has, and these lines do not.
    fn missing(&self) -> Option<&'static str> {
        let has = |field: &Field| self.has(*field) || *field == Field::Time && self.has(Field::Day);
        REQUIRED.iter().find(|(field, _)| !has(field)).map(|(_, name)| *name)
    }

    pub fn has(&self, field: Field) -> bool {
        self.fields.contains(&field)
    }
}

/// `date` beside `time` are the day and the time of day, if no other column has both; a day alone is a time.
fn by_day(named: &mut [Option<(Field, usize)>]) {
    let place = |named: &[Option<(Field, usize)>], field: Field| {
        named.iter().position(|name| name.is_some_and(|(is, _)| is == field))
    };
    let ranks = [names::field(b"date"), names::field(b"time")];
    let [date, time] = ranks.map(|rank| named.iter().position(|name| *name == rank));
    let times = named.iter().flatten().filter(|(field, _)| *field == Field::Time).count();
    match (date, time, place(named, Field::Day), place(named, Field::TimeOfDay)) {
        (Some(date), Some(time), None, None) if times == 2 => {
            (named[date], named[time]) = (Some((Field::Day, 0)), Some((Field::TimeOfDay, 0)));
        }
        (_, Some(time), Some(_), None) if times == 1 => named[time] = Some((Field::TimeOfDay, 0)),
        (_, _, Some(day), None) => named[day] = Some((Field::Time, usize::MAX)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cells::cells;

    fn header(line: &str) -> Option<Layout> {
        Layout::by_header(&cells(line.as_bytes(), b','), Some("ETHBTC"))
    }

    #[test]
    fn the_exchanges_header_says_what_its_place_says() {
        let names = "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,\
                     taker_buy_quote_volume,ignore";
        assert_eq!(header(names), Layout::by_count(12));
        assert_eq!(header("timestamp_ms,open,high,low,close,volume"), Layout::by_count(6));
    }

    #[test]
    fn a_number_is_read_before_a_date() {
        let layout = header("timestamp,open,close,volume,unix_timestamp,high,low").unwrap();
        assert_eq!(layout.fields[0], Field::Skipped);
        assert_eq!(layout.fields[4], Field::Time);
        assert_eq!(layout.fields[6], Field::Cell(C::Low));
    }

    #[test]
    fn a_date_beside_a_time_is_the_day_and_the_time_of_day() {
        let fields = |line: &str| header(line).unwrap().fields[..2].to_vec();
        assert_eq!(fields("<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>"), [Field::Day, Field::TimeOfDay]);
        assert_eq!(fields("unix,date,time,open,high,low,close"), [Field::Time, Field::Skipped]);
        assert_eq!(fields("day,x,open,high,low,close"), [Field::Time, Field::Skipped]);
        let setting = Layout::by_setting("day,time_of_day,open,high,low,close").unwrap();
        assert_eq!(setting.as_setting(), "day,time_of_day,open,high,low,close");
    }

    #[test]
    fn data_is_no_header_and_half_a_header_is_none() {
        assert_eq!(header("1364774820000,93.25,93.3,93.25,93.3,93.3"), None);
        assert_eq!(header("time,open,high,low"), None);
        assert_eq!(Layout::by_count(7), None);
    }

    #[test]
    fn the_setting_says_what_is_wrong_with_it() {
        let wrong = Layout::by_setting("time,opne,high,low,close").unwrap_err().to_string();
        assert_eq!(wrong, "parse-kline has no name for a column `opne`; the nearest is `open`");
        assert!(Layout::by_setting("time,open,high,low").unwrap_err().to_string().contains("no `close`"));
    }
}
