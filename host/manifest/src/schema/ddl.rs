//! A schema as Spark writes it: `symbol STRING, price DECIMAL(38,8), ts TIMESTAMP`.

use tallow_contract::schema::{Field, FieldType, Path, Source, Step, TimeForm};

/// A column of a DDL string, with the scale of a DECIMAL.
pub(super) type Column = (Field, Option<u8>);

/// Spark's scale of a DECIMAL without one.
const DEFAULT_SCALE: u8 = 0;
const MAX_SCALE: u8 = 18;

/// The columns of a DDL string. A STRUCT gives a column per field, named by the field; the fields of an ARRAY's items
/// give a row per item.
///
/// # Errors
/// What is wrong, and where.
pub(super) fn columns(text: &str) -> Result<Vec<Column>, String> {
    let mut reader = Reader { text, rest: text };
    let mut columns = Vec::new();
    reader.fields(&[], &mut columns)?;
    if reader.rest.is_empty() { Ok(columns) } else { Err(reader.expected("a comma between two columns")) }
}

struct Reader<'a> {
    text: &'a str,
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn fields(&mut self, within: &[Step], columns: &mut Vec<Column>) -> Result<(), String> {
        loop {
            let name = self.name()?;
            self.accept(":");
            let path = [within, &[Step::Key(name.clone())]].concat();
            let first = columns.len();
            self.type_of(&name, path, columns)?;
            if self.word("not") {
                if !self.word("null") {
                    return Err(self.expected("NULL after NOT"));
                }
                columns[first..].iter_mut().for_each(|(field, _)| field.required = true);
            }
            if self.word("comment") {
                self.quoted()?;
            }
            if !self.accept(",") {
                return Ok(());
            }
        }
    }

    fn type_of(&mut self, name: &str, path: Vec<Step>, columns: &mut Vec<Column>) -> Result<(), String> {
        let before = self.rest;
        let word = self.identifier("a type")?.to_ascii_lowercase();
        let mut scale = None;
        let type_ = match word.as_str() {
            "string" => FieldType::Text,
            "varchar" | "char" => {
                self.arguments()?;
                FieldType::Text
            }
            "boolean" => FieldType::Boolean,
            "byte" | "tinyint" | "short" | "smallint" | "int" | "integer" | "long" | "bigint" => {
                FieldType::Int64
            }
            "float" | "real" | "double" => FieldType::Float64,
            "decimal" | "dec" | "numeric" => {
                let arguments = self.arguments()?;
                let places = arguments.get(1).copied().unwrap_or(u32::from(DEFAULT_SCALE));
                let kept = u8::try_from(places).ok().filter(|places| *places <= MAX_SCALE);
                scale = Some(kept.ok_or(format!("`{name}`: {MAX_SCALE} decimal places are the most"))?);
                FieldType::Decimal
            }
            "date" | "timestamp" | "timestamp_ltz" | "timestamp_ntz" => FieldType::Timestamp(TimeForm::Iso),
            "struct" => return self.within("<", |reader| reader.fields(&path, columns)),
            "array" => {
                let items = [path.as_slice(), &[Step::Every]].concat();
                return self.within("<", |reader| reader.type_of(name, items, columns));
            }
            "map" => {
                return Err(format!(
                    "`{name}` is a MAP, which has no fixed columns; name the keys that you need as a STRUCT"
                ));
            }
            _ => {
                self.rest = before;
                return Err(
                    self.expected("a type of Spark, such as STRING, BIGINT, DECIMAL(38,8) or TIMESTAMP")
                );
            }
        };
        columns.push((
            Field {
                name: name.to_owned(),
                type_,
                source: Source::Value(Path::new(path)),
                required: false,
                default: None,
            },
            scale,
        ));
        Ok(())
    }

    fn within(
        &mut self,
        open: &str,
        read: impl FnOnce(&mut Self) -> Result<(), String>,
    ) -> Result<(), String> {
        if !self.accept(open) {
            return Err(self.expected("`<`"));
        }
        read(self)?;
        if self.accept(">") { Ok(()) } else { Err(self.expected("`>`")) }
    }

    /// `(38, 8)`, or nothing.
    fn arguments(&mut self) -> Result<Vec<u32>, String> {
        let mut arguments = Vec::new();
        if !self.accept("(") {
            return Ok(arguments);
        }
        loop {
            let digits = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
            arguments.push(self.rest[..digits].parse().map_err(|_| self.expected("a number"))?);
            self.advance(digits);
            if self.accept(")") {
                return Ok(arguments);
            }
            if !self.accept(",") {
                return Err(self.expected("`,` or `)`"));
            }
        }
    }

    fn name(&mut self) -> Result<String, String> {
        if self.rest.starts_with('`') {
            let end =
                self.rest[1..].find('`').ok_or_else(|| self.expected("a backquote at the name's end"))?;
            let name = self.rest[1..=end].to_owned();
            self.advance(end + 2);
            return Ok(name);
        }
        self.identifier("a column's name").map(str::to_owned)
    }

    fn identifier(&mut self, what: &str) -> Result<&'a str, String> {
        let end = self.rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.expected(what));
        }
        let word = &self.rest[..end];
        self.advance(end);
        Ok(word)
    }

    /// A word, in upper or lower case.
    fn word(&mut self, word: &str) -> bool {
        let before = self.rest;
        let found = self.identifier("").is_ok_and(|found| found.eq_ignore_ascii_case(word));
        if !found {
            self.rest = before;
        }
        found
    }

    fn quoted(&mut self) -> Result<(), String> {
        let quote = self.rest.chars().next().filter(|c| matches!(c, '\'' | '"'));
        let end = quote.and_then(|quote| self.rest[1..].find(quote));
        let end = end.ok_or_else(|| self.expected("a comment in quotes"))?;
        self.advance(end + 2);
        Ok(())
    }

    fn accept(&mut self, sign: &str) -> bool {
        self.advance(0);
        let found = self.rest.starts_with(sign);
        if found {
            self.advance(sign.len());
        }
        found
    }

    fn advance(&mut self, bytes: usize) {
        self.rest = self.rest[bytes..].trim_start();
    }

    fn expected(&self, what: &str) -> String {
        let at = self.text.len() - self.rest.len();
        let found: String = self.rest.chars().take(20).collect();
        match found.is_empty() {
            true => format!("{what} is missing at the end"),
            false => format!("{what} is expected at byte {at}, where `{found}` is"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Result<Vec<String>, String> {
        let shown = |(field, scale): Column| {
            let Source::Value(path) = field.source else { unreachable!() };
            let needed = if field.required { "!" } else { "" };
            let scale = scale.map_or(String::new(), |scale| format!(" {scale}"));
            format!("{}{needed} {:?} {path}{scale}", field.name, field.type_)
        };
        Ok(columns(text)?.into_iter().map(shown).collect())
    }

    #[test]
    fn a_schema_of_spark_gives_its_columns() {
        assert_eq!(
            shown("symbol STRING NOT NULL COMMENT 'the pair', price DECIMAL(38,8), `odd name` bigint, ts TIMESTAMP").unwrap(),
            ["symbol! Text symbol", "price Decimal price 8", "odd name Int64 odd name", "ts Timestamp(Iso) ts"]
        );
    }

    #[test]
    fn structs_give_their_fields_and_arrays_a_row_per_item() {
        assert_eq!(
            shown("id INT, data STRUCT<s: STRING, fills: ARRAY<STRUCT<p: DECIMAL, q: DOUBLE>>>, tags array<string>").unwrap(),
            ["id Int64 id", "s Text data.s", "p Decimal data.fills[].p 0", "q Float64 data.fills[].q", "tags Text tags[]"]
        );
    }

    #[test]
    fn what_is_no_schema_is_refused_where_it_goes_wrong() {
        for (text, problem) in [
            ("", "a column's name is missing at the end"),
            ("a", "a type is missing at the end"),
            (
                "a STRINGG",
                "a type of Spark, such as STRING, BIGINT, DECIMAL(38,8) or TIMESTAMP is expected at byte 2, where `STRINGG` is",
            ),
            ("a STRING b INT", "a comma between two columns is expected at byte 9, where `b INT` is"),
            ("a DECIMAL(38", "`,` or `)` is missing at the end"),
            ("a DECIMAL(38,30)", "`a`: 18 decimal places are the most"),
            ("a STRUCT<b INT", "`>` is missing at the end"),
            (
                "a MAP<STRING, INT>",
                "`a` is a MAP, which has no fixed columns; name the keys that you need as a STRUCT",
            ),
        ] {
            assert_eq!(shown(text).unwrap_err(), problem, "{text}");
        }
    }
}
