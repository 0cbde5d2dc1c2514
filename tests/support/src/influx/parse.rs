//! Line protocol, read by the strictest of what the documentation of all versions says.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// A value, with its type.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    Float(f64),
    Integer(i64),
    Boolean(bool),
    Text(String),
}

#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    pub measurement: String,
    pub tags: BTreeMap<String, String>,
    pub fields: BTreeMap<String, Field>,
    pub time: i64,
}

/// Reads one line; an error says what is wrong.
pub fn parse(line: &str) -> Result<Line, String> {
    let mut cursor = Cursor { rest: line.chars().peekable() };
    let (measurement, mut end) = cursor.name(&[',', ' '], &[',', ' '])?;
    if measurement.starts_with('#') {
        return Err("a comment".to_owned());
    }
    let mut tags = BTreeMap::new();
    while end == ',' {
        let (key, _) = cursor.name(&['='], SPECIAL)?;
        let (value, ended) = cursor.name(&[',', ' '], SPECIAL)?;
        if tags.insert(key.clone(), value).is_some() {
            return Err(format!("tag `{key}` twice"));
        }
        end = ended;
    }
    let mut fields = BTreeMap::new();
    loop {
        let (key, _) = cursor.name(&['='], SPECIAL)?;
        let (value, ended) = cursor.value()?;
        if key == "time" || fields.insert(key.clone(), value).is_some() {
            return Err(format!("field `{key}` is reserved, or there twice"));
        }
        match ended {
            ',' => {}
            _ => break,
        }
    }
    let time: String = cursor.rest.collect();
    let time = time.parse().map_err(|_| format!("`{time}` is no time"))?;
    Ok(Line { measurement, tags, fields, time })
}

const SPECIAL: &[char] = &[',', '=', ' '];

struct Cursor<'l> {
    rest: Peekable<Chars<'l>>,
}

impl Cursor<'_> {
    /// A name up to one of `ends`, and which. What is `special` has to be escaped within it, and nothing else may be.
    fn name(&mut self, ends: &[char], special: &[char]) -> Result<(String, char), String> {
        let mut out = String::new();
        loop {
            match self.rest.next() {
                Some('\\') => match self.rest.next() {
                    Some(c) if special.contains(&c) => out.push(c),
                    other => return Err(format!("`\\` before {other:?}")),
                },
                Some(c) if ends.contains(&c) => {
                    return if out.is_empty() {
                        Err("an empty name or tag".to_owned())
                    } else {
                        Ok((out, c))
                    };
                }
                Some(c) if special.contains(&c) || c.is_ascii_control() => {
                    return Err(format!("{c:?} after `{out}`"));
                }
                Some(c) => out.push(c),
                None => return Err(format!("the line ends in `{out}`")),
            }
        }
    }

    /// A field's value, and what ends it: a comma, or the space before the time, which has to be stated.
    fn value(&mut self) -> Result<(Field, char), String> {
        if self.rest.next_if_eq(&'"').is_some() {
            let text = self.text()?;
            return match self.rest.next() {
                Some(end @ (',' | ' ')) => Ok((Field::Text(text), end)),
                other => Err(format!("{other:?} after a string")),
            };
        }
        let mut word = String::new();
        loop {
            match self.rest.next() {
                Some(end @ (',' | ' ')) => return Ok((plain(&word)?, end)),
                Some(c) => word.push(c),
                None => return Err(format!("no time after `{word}`")),
            }
        }
    }

    fn text(&mut self) -> Result<String, String> {
        let mut out = String::new();
        loop {
            match self.rest.next() {
                Some('"') => return Ok(out),
                Some('\\') => match self.rest.next() {
                    Some(c @ ('"' | '\\')) => out.push(c),
                    other => return Err(format!("`\\` before {other:?} in a string")),
                },
                Some(c) if c.is_ascii_control() => return Err(format!("{c:?} in a string")),
                Some(c) => out.push(c),
                None => return Err("a string without an end".to_owned()),
            }
        }
    }
}

fn plain(word: &str) -> Result<Field, String> {
    let wrong = || format!("`{word}` is no value");
    if let Some(digits) = word.strip_suffix('i') {
        return digits.parse().map(Field::Integer).map_err(|_| wrong());
    }
    match word {
        "true" => return Ok(Field::Boolean(true)),
        "false" => return Ok(Field::Boolean(false)),
        _ => {}
    }
    // Rust would read `inf` and `NaN`, too.
    let numeric = word.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    let number = word.parse::<f64>().ok().filter(|number| numeric && number.is_finite());
    number.map(Field::Float).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_documentation_refuses_is_refused() {
        for line in [
            "m",
            "m 1",
            "m f=1i",
            "m,s= f=1i 0",
            "m,s=a f= 0",
            "m,s=a f=NaN 0",
            "m,s=a f=inf 0",
            "m,s=a f=\"x 0",
            "m,s=a f=x 0",
            "m,s=a\\ f=1i 0",
            "m,s=a,s=b f=1i 0",
            "m,s=a\tb f=1i 0",
            "m,s=a time=1i 0",
            "#m f=1i 0",
            "m f=1i now",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn a_line_is_read_with_its_types() {
        let line = parse(r#"m\ x,s=a\=b\,c f=1.5,i=-2i,b=true,t="a\"\\ ,=" -7"#).unwrap();
        assert_eq!((line.measurement.as_str(), line.tags["s"].as_str(), line.time), ("m x", "a=b,c", -7));
        assert_eq!(line.fields["t"], Field::Text("a\"\\ ,=".to_owned()));
        assert_eq!(line.fields["i"], Field::Integer(-2));
    }
}
