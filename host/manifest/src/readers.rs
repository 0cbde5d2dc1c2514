//! What takes a pipeline's parsed rows.

use std::collections::BTreeSet;

use crate::rekey::Rekey;
use crate::window::Window;

/// What takes the parsed rows, and what of them.
pub(crate) struct RowReader<'a> {
    /// As messages call it.
    pub who: String,
    pub columns: BTreeSet<&'a str>,
    pub kinds: &'a [String],
}

pub(crate) fn readers<'a>(windows: &'a [Window], rekey: Option<&'a Rekey>) -> Vec<RowReader<'a>> {
    let windows = windows.iter().map(|window| RowReader {
        who: format!("window `{}`", window.name),
        columns: window.columns(),
        kinds: &window.kinds,
    });
    let rekey = rekey.map(|rekey| RowReader {
        who: "`rekey`".to_owned(),
        columns: rekey.columns(),
        kinds: &rekey.kinds,
    });
    windows.chain(rekey).collect()
}
