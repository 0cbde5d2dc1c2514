//! Records made for the purpose: those of the golden vectors, objects of the function's own columns, what these become
//! when they are cut and bent, and what breaks careless parsers.

use tallow_engine::golden::parse_input;
use tallow_engine::{ColumnType, ParseDescription, ParseOptions};
use tallow_env::{Random, SeededRandom};
use tallow_record::Batch;

use crate::Vector;

/// How often each record is bent.
const BENT: usize = 4;
/// Records that are bent, at most.
const SEEDS: usize = 40;
/// Records and their bytes in one call, as a pipeline has them where its manifest says nothing.
const CALL_RECORDS: usize = 4096;
const CALL_BYTES: usize = 512 << 10;
const SEED: u64 = 0x7a11_0e5e_ed00_0001;

/// What the golden vectors put in.
pub struct OfVectors {
    pub options: Vec<ParseOptions>,
    pub values: Vec<Vec<u8>>,
}

/// Vectors that cannot be read have been refused before.
pub fn of_vectors(vectors: &[Vector]) -> OfVectors {
    let mut out = OfVectors { options: Vec::new(), values: Vec::new() };
    for (options, batch) in vectors.iter().filter_map(|vector| parse_input(&vector.text).ok()) {
        if !out.options.contains(&options) {
            out.options.push(options);
        }
        let values = (0..batch.len()).filter_map(|record| batch.values.get(record));
        out.values.extend(values.map(<[u8]>::to_vec));
    }
    out
}

/// Values of records, some null. The same description, messages and samples give the same records. `message` makes a
/// message by the function's schema, if there is one.
pub fn records(
    description: &ParseDescription,
    message: &dyn Fn(&dyn Random) -> Option<Vec<u8>>,
    samples: &[Vec<u8>],
) -> Vec<Option<Vec<u8>>> {
    let random = SeededRandom::new(SEED);
    let made = (0..SEEDS / 2).map(|_| message(&random).unwrap_or_else(|| object(description, &random)));
    let seeds: Vec<Vec<u8>> = samples.iter().take(SEEDS).cloned().chain(made).collect();
    let mut records: Vec<Option<Vec<u8>>> = Vec::new();
    for seed in &seeds {
        records.push(Some(seed.clone()));
        records.extend((0..BENT).map(|_| Some(bent(seed, &random))));
    }
    records.extend(odd().into_iter().map(Some));
    records.push(None);
    // A record's neighbours are to differ: no order that a careless function could go by.
    for index in (1..records.len()).rev() {
        records.swap(index, random.below(index as u64 + 1) as usize);
    }
    records.push(None);
    records
}

/// As many of the values, again and again, as a pipeline puts into one call.
pub fn many(values: &[Option<Vec<u8>>]) -> Vec<Option<Vec<u8>>> {
    let small = |value: &&Option<Vec<u8>>| {
        value.as_ref().is_none_or(|value| value.len() <= CALL_BYTES / CALL_RECORDS * 4)
    };
    let mut bytes = 0;
    let fits = |value: &&Option<Vec<u8>>| {
        bytes += value.as_ref().map_or(0, Vec::len);
        bytes <= CALL_BYTES
    };
    values.iter().filter(small).cycle().take(CALL_RECORDS).take_while(fits).cloned().collect()
}

/// Records of one partition with these values.
pub fn batch(values: &[Option<Vec<u8>>]) -> Batch {
    let mut batch = Batch::default();
    let topic = batch.topic_index(&"vet".into());
    for (offset, value) in (0..).zip(values) {
        batch.push(topic, 0, offset, 1_700_000_000_000_000 + offset, 0, Some(b"KEY"), value.as_deref());
    }
    batch
}

/// A JSON object with the function's own columns.
fn object(description: &ParseDescription, random: &dyn Random) -> Vec<u8> {
    let fields = description.columns.iter().map(|column| {
        let value = match column.type_ {
            ColumnType::Int64 => (random.next_u64() >> 20).to_string(),
            ColumnType::TimestampUs => (1_700_000_000_000 + random.below(1_000_000)).to_string(),
            ColumnType::Decimal => format!("\"{}.{}\"", random.below(100_000), random.below(1_000_000)),
            ColumnType::Float64 => format!("{}", random.unit() * 1e6),
            ColumnType::Boolean => (random.below(2) == 0).to_string(),
            ColumnType::Text => format!("\"SYN{}\"", random.below(4)),
        };
        format!("\"{}\":{value}", column.name)
    });
    format!("{{{}}}", fields.collect::<Vec<_>>().join(",")).into_bytes()
}

fn bent(seed: &[u8], random: &dyn Random) -> Vec<u8> {
    let mut value = seed.to_vec();
    if value.is_empty() {
        return value;
    }
    let at = |len: usize| random.below(len as u64) as usize;
    match random.below(6) {
        0 => value.truncate(at(value.len())),
        1 => {
            let index = at(value.len());
            value[index] = random.next_u64() as u8;
        }
        2 => _ = value.remove(at(value.len())),
        3 => {
            let index = at(value.len());
            value.insert(index, b"\"{}[],:.-+eE0 9\\\0\xff"[at(18)]);
        }
        4 => bend_digits(&mut value, random),
        _ => {
            let from = at(value.len());
            let part = value[from..].to_vec();
            value.extend(part);
        }
    }
    value
}

/// Makes the first digits after a random place a number that is far too long.
fn bend_digits(value: &mut Vec<u8>, random: &dyn Random) {
    let from = random.below(value.len() as u64) as usize;
    let Some(digit) = value[from..].iter().position(u8::is_ascii_digit) else { return };
    let digits = value[from + digit..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let longs: [&[u8]; 5] = [b"99999999999999999999999999", b"-1", b"1e999", b"0.0000000000000000001", b""];
    let long = longs[random.below(5) as usize];
    value.splice(from + digit..from + digit + digits, long.iter().copied());
}

/// What breaks careless parsers.
fn odd() -> Vec<Vec<u8>> {
    let texts: [&[u8]; 24] = [
        b"",
        b" ",
        b"\n",
        b"\0",
        b"\xff\xfe",
        b"\xef\xbb\xbf{}",
        b"null",
        b"true",
        b"0",
        b"-",
        b"{}",
        b"[]",
        b"[[]]",
        b"{\"",
        b"{\"a\":",
        b"\"\\ud800\"",
        b"{\"\\u0000\":1}",
        b"NaN",
        b"1e400",
        b",,,,",
        b";",
        b"a=b&c=d",
        b"\xed\xa0\x80",
        b"{\"a\":1,\"a\":2}",
    ];
    let mut odd: Vec<Vec<u8>> = texts.iter().map(|text| text.to_vec()).collect();
    odd.push(b"[".repeat(20_000));
    odd.push(b"{\"a\":".repeat(10_000));
    odd.push(b"9".repeat(100_000));
    odd.push([b"\"".as_slice(), &b"x".repeat(1 << 18), b"\""].concat());
    odd
}

#[cfg(test)]
mod tests {
    use tallow_engine::golden::GoldenError;

    use super::*;

    fn description() -> ParseDescription {
        use tallow_engine::ColumnInfo;
        let column = |name: &str, type_| ColumnInfo { name: name.into(), type_, meaning: "m".into() };
        ParseDescription {
            name: "f".into(),
            version: "1".into(),
            kinds: vec!["trade".into()],
            columns: vec![column("symbol", ColumnType::Text), column("price", ColumnType::Decimal)],
            wants_keys: false,
            wants_headers: false,
        }
    }

    #[test]
    fn the_same_description_gives_the_same_records() {
        let samples = [b"{\"p\":\"1.5\"}".to_vec()];
        let records = records(&description(), &|_| None, &samples);
        assert_eq!(records, super::records(&description(), &|_| None, &samples));
        assert!(records.contains(&Some(samples[0].clone())) && records.contains(&None));
        assert!(records.len() > 100, "{}", records.len());
    }

    #[test]
    fn objects_have_the_functions_own_columns() {
        let object = String::from_utf8(object(&description(), &SeededRandom::new(1))).unwrap();
        assert!(object.starts_with("{\"symbol\":\"SYN") && object.contains("\"price\":\""), "{object}");
    }

    #[test]
    fn a_vector_gives_its_options_and_its_values() {
        let text = r#"{"options": {"kinds": ["k"], "columns": [{"name": "c", "scale": 2}], "settings": {}},
            "records": [{"topic": "t", "partition": 0, "offset": 0, "timestamp_us": 0, "key": null, "value": "v"},
                        {"topic": "t", "partition": 0, "offset": 1, "timestamp_us": 0, "key": null, "value": null}],
            "expected": {}}"#;
        let vector = || Vector { name: "v".into(), text: text.into() };
        let input = of_vectors(&[vector(), vector()]);
        assert_eq!(input.options.len(), 1);
        assert_eq!(input.values, [b"v".to_vec(), b"v".to_vec()]);
        assert!(matches!(parse_input("{}"), Err(GoldenError::Vector(_))));
    }
}
