//! What the caller asks for, checked once a call.

pub use parse_base::Options;
#[cfg(test)]
use parse_base::WantedColumn;
use parse_base::columns::{Wanted, wanted};
use parse_base::options::unknown;
use parse_base::symbol;
use tallow_contract::Refusal;

use crate::schema::{COLUMNS, ColumnId, Kind};

/// As errors name it.
const FUNCTION: &str = "parse-market";

/// Options that hold: every name is known.
pub(crate) struct Plan<'o> {
    kinds: u8,
    pub columns: Wanted<ColumnId>,
    /// The setting `symbol`.
    pub symbol: Option<&'o str>,
}

impl<'o> Plan<'o> {
    /// The error names what is unknown, and the nearest thing that is known.
    pub fn new(options: &'o Options) -> Result<Self, Refusal> {
        let mut plan = Plan { kinds: 0, columns: wanted(FUNCTION, &COLUMNS, options)?, symbol: None };
        for name in &options.kinds {
            let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
            let kind = kind.ok_or_else(|| unknown(FUNCTION, "kind", name, Kind::ALL.map(Kind::name)))?;
            plan.kinds |= 1 << kind as u8;
        }
        if options.kinds.is_empty() {
            plan.kinds = u8::MAX;
        }
        for (name, value) in &options.settings {
            if name != "symbol" {
                return Err(unknown(FUNCTION, "setting", name, ["symbol"]));
            }
            plan.symbol = Some(symbol::of_setting(value)?);
        }
        Ok(plan)
    }

    pub fn wants(&self, kind: Kind) -> bool {
        self.kinds & (1 << kind as u8) != 0
    }

    /// Trades off the market go with those on it, since their ids are in one row.
    pub fn wants_ids_of_trades(&self) -> bool {
        self.wants(Kind::Trade) || self.wants(Kind::TradeIds)
    }

    /// Scale of a wanted decimal column.
    pub fn scale_of(&self, id: ColumnId) -> Option<u8> {
        self.columns.iter().find(|(info, _)| info.id == id).map(|(_, scale)| *scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(kinds: &[&str], columns: &[(&str, u8)], settings: &[(&str, &str)]) -> String {
        let options = Options {
            kinds: kinds.iter().map(|kind| kind.to_string()).collect(),
            columns: columns
                .iter()
                .map(|(name, scale)| WantedColumn { name: name.to_string(), scale: *scale })
                .collect(),
            settings: settings.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect(),
        };
        Plan::new(&options).err().map(String::from).unwrap_or_default()
    }

    #[test]
    fn an_unknown_name_is_an_error_that_names_the_nearest_known_one() {
        assert_eq!(error(&["trades"], &[], &[]), "parse-market has no kind `trades`; the nearest is `trade`");
        assert_eq!(
            error(&[], &[("prize", 8)], &[]),
            "parse-market has no column `prize`; the nearest is `price`"
        );
        assert_eq!(
            error(&[], &[], &[("symbl", "A")]),
            "parse-market has no setting `symbl`; the nearest is `symbol`"
        );
    }

    #[test]
    fn a_column_twice_and_a_scale_beyond_38_are_errors() {
        assert_eq!(error(&[], &[("price", 8), ("price", 2)], &[]), "column `price` is asked for twice");
        assert_eq!(error(&[], &[("price", 39)], &[]), "column `price`: scale 39 is above 38");
    }

    #[test]
    fn no_kinds_means_all_kinds() {
        let options = Options::default();
        let plan = Plan::new(&options).unwrap();
        assert!(Kind::ALL.into_iter().all(|kind| plan.wants(kind)));
    }
}
