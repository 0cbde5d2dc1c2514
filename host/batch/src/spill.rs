//! A slice's rows with where each came from, as rows that can be sorted and written to a scratch file; and sorted rows
//! as a slice.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch};
use arrow_schema::{ArrowError, DataType, Field, Schema};
use tallow_engine::{Column, ColumnData, Marked, Parsed, Rows, Table, Text, from_arrow, to_arrow};
use tallow_record::Batch;
use tallow_worker::ParsedSlice;
use tallow_worker::slices::event_times;

/// The columns of a row's origin. They are behind all others and are found by their places, so that the others may
/// have any names, even these.
const ORIGIN: [&str; 5] = ["origin.kind", "origin.file", "origin.line", "origin.row", "origin.raw"];

/// Bytes of a slice's lines, each as often as it gave rows.
const MOST_LINE_BYTES: usize = 256 << 20;

/// Sorted rows as a slice.
#[derive(Debug)]
pub struct Sorted {
    /// Each row has its own record, which is the whole line that the row came from. Nothing is ignored, rejected
    /// or rounded in it: that was told when the lines were parsed. Clocks are 0: they have judged the rows then.
    pub slice: ParsedSlice,
    /// Of each row, its number among the rows of its line: what [`ledger_entries::record_and_row`](tallow_worker::ledger_entries::record_and_row)
    /// said of it before.
    pub within: Vec<u32>,
}

/// The rows of a slice: their columns, and what they came from. None where there are no rows.
///
/// # Errors
/// A decimal has more than 38 digits; long lines gave thousands of rows each.
pub fn to_rows(slice: &ParsedSlice) -> Result<Option<RecordBatch>, ArrowError> {
    let rows = &slice.parsed.rows;
    if rows.table.rows == 0 {
        return Ok(None);
    }
    // Each row carries its line.
    let line_bytes = |record: &u32| slice.batch.values.get(*record as usize).map_or(0, <[u8]>::len);
    if rows.records.iter().map(line_bytes).sum::<usize>() > MOST_LINE_BYTES {
        let why = "lines that give so many rows that they cannot be sorted; sort the files by time";
        return Err(ArrowError::InvalidArgumentError(why.to_owned()));
    }
    let columns = to_arrow(&rows.table)?;
    let origin = to_arrow(&origin(&slice.batch, rows))?;
    let values = &slice.batch.values;
    let raw: BinaryArray = rows.records.iter().map(|record| values.get(*record as usize)).collect();
    let raw_field = Arc::new(Field::new(ORIGIN[4], DataType::Binary, true));
    let (schema, origin_schema) = (columns.schema(), origin.schema());
    let fields: Vec<_> =
        schema.fields().iter().chain(origin_schema.fields()).cloned().chain([raw_field]).collect();
    let raw: ArrayRef = Arc::new(raw);
    let arrays = columns.columns().iter().chain(origin.columns()).cloned().chain([raw]).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).map(Some)
}

/// All that a table can hold of the rows' origin.
fn origin(batch: &Batch, rows: &Rows) -> Table {
    let count = rows.table.rows as usize;
    let mut files = Text { codes: Vec::with_capacity(count), ..Text::default() };
    for topic in &batch.topics {
        files.push_entry(topic.as_bytes());
    }
    for (first, run) in batch.runs_from() {
        let after = first + run.records as usize;
        let to = rows.records.partition_point(|record| (*record as usize) < after);
        files.codes.resize(to, run.topic);
    }
    let lines = rows.records.iter().map(|record| batch.offsets[*record as usize]).collect();
    let mut within = Vec::with_capacity(count);
    for of_record in rows.records.chunk_by(|a, b| a == b) {
        within.extend(0..of_record.len() as i64);
    }
    let data = [
        ColumnData::Text(rows.kinds.clone()),
        ColumnData::Text(files),
        ColumnData::Int64(lines),
        ColumnData::Int64(within),
    ];
    let columns = ORIGIN.iter().zip(data);
    let columns = columns.map(|(name, data)| Column { name: (*name).to_owned(), data, validity: None });
    Table { rows: rows.table.rows, columns: columns.collect() }
}

/// The slice of rows that [`to_rows`] made of any slices, in whatever order. `time` is the windows' event-time column.
///
/// # Errors
/// The rows are not such.
pub fn from_rows(sorted: &RecordBatch, time: &str) -> Result<Sorted, ArrowError> {
    let wrong = |why: &str| ArrowError::InvalidArgumentError(why.to_owned());
    let count =
        sorted.num_columns().checked_sub(ORIGIN.len()).ok_or_else(|| wrong("rows without an origin"))?;
    let table = from_arrow(&sorted.project(&(0..count).collect::<Vec<_>>())?)?;
    let origin = from_arrow(&sorted.project(&(count..count + 4).collect::<Vec<_>>())?)?;
    let raw = sorted.column(count + 4).as_binary_opt::<i32>();
    let origin =
        <[Column; 4]>::try_from(origin.columns).ok().map(|columns| columns.map(|column| column.data));
    let (
        Some(
            [
                ColumnData::Text(kinds),
                ColumnData::Text(files),
                ColumnData::Int64(lines),
                ColumnData::Int64(within),
            ],
        ),
        Some(raw),
    ) = (origin, raw)
    else {
        return Err(wrong("rows without an origin"));
    };
    let mut batch = Batch::default();
    let names = (0..files.ends.len() as u32).map(|code| String::from_utf8_lossy(files.entry(code)).into());
    batch.topics.extend(names);
    for (row, (file, line)) in files.codes.iter().zip(lines).enumerate() {
        let line_bytes = raw.is_valid(row).then(|| raw.value(row));
        batch.push(*file, 0, line, -1, 0, None, line_bytes);
    }
    let rows = Rows::new(table, kinds, (0..batch.len() as u32).collect(), &batch);
    let (event_times, _) = event_times(&batch, &rows, time, i64::MAX)
        .map_err(|error| ArrowError::InvalidArgumentError(error.to_string()))?;
    let parsed = Parsed { rows, ignored: Marked::default(), rejected: Marked::default(), rounded: 0 };
    let within = within.into_iter().map(|number| number as u32).collect();
    Ok(Sorted { slice: ParsedSlice { batch, parsed, event_times }, within })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use tallow_engine::Decimals;
    use tallow_sink::{DeadLetter, ReasonKind};

    use super::*;
    use tallow_worker::dead_letter::dead_letter;
    use tallow_worker::ledger_entries::record_and_row;

    /// A line of a file, and the times of the rows that it gave.
    type Line<'a> = (&'a str, i64, &'a str, &'a [i64]);

    /// A slice whose columns are of every type, with nulls in each but the key.
    fn slice(lines: &[Line<'_>]) -> ParsedSlice {
        let mut batch = Batch::default();
        let (mut records, mut times) = (Vec::new(), Vec::new());
        for (record, (file, line, raw, of_line)) in lines.iter().enumerate() {
            let topic = batch.topic_index(&(*file).into());
            batch.push(topic, 0, *line, -1, 0, None, Some(raw.as_bytes()));
            records.extend(of_line.iter().map(|_| record as u32));
            times.extend(*of_line);
        }
        let count = times.len();
        let each = |number: fn(i64) -> i64| times.iter().map(|time| number(*time)).collect::<Vec<i64>>();
        let codes: Vec<u32> = times.iter().map(|time| (time % 2) as u32).collect();
        let text = |words: &str| Text {
            bytes: words.replace('|', "").into(),
            ends: words
                .split('|')
                .scan(0, |end, word| {
                    *end += word.len() as u32;
                    Some(*end)
                })
                .collect(),
            codes: codes.clone(),
        };
        let validity = |of: i64| {
            let mut bits = vec![0u8; count.div_ceil(8)];
            let valid = (0..count).filter(|row| times[*row] % of != 0);
            valid.for_each(|row| bits[row / 8] |= 1 << (row % 8));
            Some(bits)
        };
        let (small, wide) = (each(|it| -it), each(|it| it << 54));
        let columns = [
            ("symbol", ColumnData::Text(text("BTC€|ETH")), None),
            ("event_time", ColumnData::TimestampUs(times.clone()), validity(11)),
            ("trades", ColumnData::Int64(each(|it| it * 3)), validity(3)),
            ("close", ColumnData::Decimal(Decimals { scale: 8, values: small, high: None }), validity(4)),
            (
                "wide",
                ColumnData::Decimal(Decimals { scale: 2, values: wide.clone(), high: Some(wide) }),
                validity(5),
            ),
            ("mean", ColumnData::Float64(times.iter().map(|it| *it as f64 / 8.0).collect()), validity(6)),
            ("odd", ColumnData::Boolean(times.iter().map(|it| it % 2 == 1).collect()), validity(7)),
            // Of the same name as one beside it.
            (ORIGIN[1], ColumnData::Text(text("here|there")), validity(2)),
        ];
        let columns = columns.map(|(name, data, validity)| Column { name: name.to_owned(), data, validity });
        let table = Table { rows: count as u32, columns: columns.into() };
        let rows = Rows::new(table, text("kline|trade"), records, &batch);
        let (event_times, _) = event_times(&batch, &rows, "event_time", i64::MAX).unwrap();
        let parsed = Parsed { rows, ignored: Marked::default(), rejected: Marked::default(), rounded: 3 };
        ParsedSlice { batch, parsed, event_times }
    }

    #[test]
    fn a_long_line_with_thousands_of_rows_is_an_error() {
        let (raw, times) = ("x".repeat(200_000), vec![1; 2_000]);
        let error = to_rows(&slice(&[("a.csv", 1, &raw, &times)])).unwrap_err();
        assert!(error.to_string().contains("cannot be sorted"), "{error}");
        assert!(to_rows(&slice(&[("a.csv", 1, &raw, &times[..20])])).unwrap().is_some());
    }

    fn slices() -> [ParsedSlice; 2] {
        [
            slice(&[
                ("a.csv", 2, "one\n", &[40]),
                ("a.csv", 3, "nothing of use\n", &[]),
                ("a.csv", 4, "three rows\r\n", &[31, 12, 33]),
                ("a.csv", 5, "", &[22]),
            ]),
            slice(&[("b.csv", 1, "two files\n", &[13, 32]), ("a.csv", 6, "in one slice\n", &[41, 10])]),
        ]
    }

    /// What a dead letter of each row would say, as the fold has it, with the row's kind.
    fn letters(slice: &ParsedSlice, within: Option<&[u32]>) -> Vec<(DeadLetter, String)> {
        let rows = &slice.parsed.rows;
        let of_row = |row: u32| {
            let (record, number) = record_and_row(rows, row);
            let mut letter = dead_letter(&slice.batch, record, ReasonKind::Conflict, "why".to_owned());
            letter.row = Some(within.map_or(number, |within| within[row as usize]));
            let code = rows.kinds.codes[row as usize] as usize;
            let start = if code == 0 { 0 } else { rows.kinds.ends[code - 1] as usize };
            let kind = &rows.kinds.bytes[start..rows.kinds.ends[code] as usize];
            (letter, String::from_utf8(kind.to_vec()).unwrap())
        };
        (0..rows.table.rows).map(of_row).collect()
    }

    #[test]
    fn rows_come_back_with_all_columns_and_the_lines_they_came_from() {
        for slice in slices() {
            let rows = to_rows(&slice).unwrap().unwrap();
            let Sorted { slice: back, within } = from_rows(&rows, "event_time").unwrap();
            assert_eq!(
                to_arrow(&back.parsed.rows.table).unwrap(),
                to_arrow(&slice.parsed.rows.table).unwrap()
            );
            assert_eq!(letters(&back, Some(&within)), letters(&slice, None));
            let count = slice.parsed.rows.table.rows;
            assert_eq!(back.parsed.rows.records, (0..count).collect::<Vec<_>>());
            assert_eq!((back.batch.len(), back.parsed.rounded), (count as usize, 0));
            assert!(back.parsed.ignored.is_empty() && back.parsed.rejected.is_empty());
        }
    }

    #[test]
    fn sorted_rows_of_several_files_keep_their_lines() {
        let mut sorter = tallow_sort::Sorter::new(&std::env::temp_dir(), 0, "symbol", "event_time");
        for slice in slices() {
            sorter.add(to_rows(&slice).unwrap().unwrap()).unwrap();
        }
        let mut sorted = sorter.finish().unwrap();
        let (mut letters_back, mut runs) = (Vec::new(), Vec::new());
        while let Some(rows) = sorted.next().unwrap() {
            let Sorted { slice, within } = from_rows(&rows, "event_time").unwrap();
            let batch = &slice.batch;
            for ((first, run), times) in batch.runs_from().zip(&slice.event_times) {
                let partition = batch.partition_of(run);
                assert_eq!(partition, times.partition);
                let offsets = &batch.offsets[first..first + run.records as usize];
                runs.push((partition.topic.to_string(), offsets.to_vec(), times.max_us));
            }
            letters_back.extend(letters(&slice, Some(&within)));
        }
        let expected = [
            // Even times: BTC€. 22 is null, for it is a multiple of 11.
            ("a.csv", vec![5, 6, 4], Some(12)),
            ("b.csv", vec![1], Some(32)),
            ("a.csv", vec![2], Some(40)),
            // Odd ones: ETH. 33 is null.
            ("a.csv", vec![4], None),
            ("b.csv", vec![1], Some(13)),
            ("a.csv", vec![4, 6], Some(41)),
        ];
        assert_eq!(runs, expected.map(|(file, lines, max_us)| (file.to_owned(), lines, max_us)));
        let by_place = |letters: Vec<(DeadLetter, String)>| -> BTreeMap<_, _> {
            let place =
                |letter: &DeadLetter| (letter.place.topic.to_string(), letter.place.offset, letter.row);
            letters.into_iter().map(|(letter, kind)| (place(&letter), (letter, kind))).collect()
        };
        let direct = slices().iter().flat_map(|slice| letters(slice, None)).collect();
        assert_eq!(by_place(letters_back), by_place(direct));
    }

    #[test]
    fn a_piece_without_rows_has_none_to_sort() {
        assert!(to_rows(&slice(&[("a.csv", 1, "header\n", &[])])).unwrap().is_none());
    }

    #[test]
    fn rows_without_an_origin_are_refused() {
        let rows = to_arrow(&slices()[0].parsed.rows.table).unwrap();
        assert!(from_rows(&rows, "event_time").unwrap_err().to_string().contains("without an origin"));
        let few = rows.project(&[0, 1]).unwrap();
        assert!(from_rows(&few, "event_time").is_err());
    }
}
