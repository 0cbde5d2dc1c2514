//! A schema as a setting of the parse function, and whether it goes with the windows.

use std::collections::BTreeMap;

use tallow_contract::schema::{KindOf, SETTING, Schema};

use super::Messages;
use crate::error::{Report, quoted, suggestion};
use crate::node::Node;
use crate::readers::RowReader;

/// The settings of a parse function with the schema as one of them; what does not fit together is reported.
pub(crate) fn settings(
    pipeline: &Node,
    mut settings: BTreeMap<String, String>,
    messages: Option<Messages>,
    permissive: bool,
    readers: &[RowReader<'_>],
    report: &mut Report,
) -> Option<BTreeMap<String, String>> {
    let Some(Messages { mut schema, .. }) = messages else {
        if permissive {
            let at = pipeline.find(&["on-reject"]).unwrap_or(pipeline);
            report.at(at, "`permissive` needs [trigger.kafka.schema]: it says which columns there are");
        }
        return Some(settings);
    };
    let node = pipeline.find(&["schema"]).unwrap_or(pipeline);
    schema.raw = schema.raw.filter(|_| permissive);
    check_readers(&schema, node, readers, report);
    if settings.insert(SETTING.to_owned(), schema.to_setting()).is_some() {
        let at = pipeline.find(&["parse-settings", SETTING]).unwrap_or(pipeline);
        report.at(at, "[trigger.kafka.schema] gives this setting already");
    }
    Some(settings)
}

/// Reports what is asked for and no message gives.
fn check_readers(schema: &Schema, node: &Node, readers: &[RowReader<'_>], report: &mut Report) {
    let mut known: Vec<&str> = schema.columns.iter().map(|field| field.name.as_str()).collect();
    known.extend(schema.raw.as_deref());
    for RowReader { who, columns, kinds } in readers {
        for column in columns.iter().filter(|column| !known.contains(column)) {
            let advice = suggestion(column, &known);
            report.at(node, format!("{who} reads `{column}`, which no message has; {advice}"));
        }
        if let KindOf::Fixed(kind) = &schema.kind
            && !kinds.contains(kind)
        {
            let kinds: Vec<&str> = kinds.iter().map(String::as_str).collect();
            let kinds = quoted(&kinds);
            report.at(node, format!("{who} takes {kinds}, and all rows are `{kind}`"));
        }
    }
    let Some(raw) = &schema.raw else { return };
    if schema.columns.iter().any(|field| field.name == *raw) {
        let problem = format!(
            "`permissive` keeps messages in the column `{raw}`, which the schema has already; `raw-column` names another one"
        );
        report.at(node, problem);
    }
    if !readers.iter().any(|reader| reader.columns.contains(raw.as_str())) {
        let problem = format!(
            "with `permissive`, a message that could not be read in full shows in the column `{raw}` only, and no window \
             reads it; add an aggregate such as broken = \"count({raw})\""
        );
        report.at(node, problem);
    }
}
