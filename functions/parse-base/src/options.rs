//! What the caller asks for.

/// Most decimal places of a column: what a 128-bit mantissa (38 digits) can hold.
pub const MAX_SCALE: u8 = 38;

/// Longest symbol, in bytes.
pub const MAX_SYMBOL_BYTES: usize = 256;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WantedColumn {
    pub name: String,
    /// Decimal places kept of a decimal column.
    pub scale: u8,
}

/// Options as the contract gives them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// Kinds to make rows of; empty: all.
    pub kinds: Vec<String>,
    pub columns: Vec<WantedColumn>,
    /// The function's own, by name.
    pub settings: Vec<(String, String)>,
}

/// Says that `function` has no `what` of that name, and which is the nearest that it has.
pub fn unknown<'n>(
    function: &str,
    what: &str,
    name: &str,
    known: impl IntoIterator<Item = &'n str>,
) -> String {
    let shown: String = name.chars().take(64).collect();
    let nearest = known
        .into_iter()
        .map(|known| (strsim::jaro_winkler(&shown, known), known))
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match nearest {
        Some((_, nearest)) => format!("{function} has no {what} `{shown}`; the nearest is `{nearest}`"),
        None => format!("{function} has no {what} `{shown}`"),
    }
}
