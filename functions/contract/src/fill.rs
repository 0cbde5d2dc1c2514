//! Windows without rows, which are published if a definition asks for it.
//!
//! A definition asks by an aggregate that functions which do not know of it refuse: a `vwap` of no column, *by* a text. So
//! a function that cannot fill does not leave windows out in silence.

use crate::window::Aggregate;
use crate::{Operation, Refusal, refuse};

/// What the columns of a filled window hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum FillWith {
    /// What the key's last window with rows has; sums and counts are 0.
    Previous,
    /// Nothing.
    Null,
    /// 0; times are null.
    Zero,
}

impl FillWith {
    pub const ALL: [Self; 3] = [Self::Previous, Self::Null, Self::Zero];

    pub fn name(self) -> &'static str {
        match self {
            Self::Previous => "previous",
            Self::Null => "null",
            Self::Zero => "zero",
        }
    }
}

/// How empty windows between two windows of a key are filled.
///
/// ```
/// use tallow_contract::fill::{Fill, FillWith};
/// let fill = Fill { with: FillWith::Previous, for_us: 60_000_000, keep_us: 86_400_000_000 };
/// assert_eq!(fill.aggregate().by.as_deref(), Some("previous 60000000 86400000000"));
/// assert_eq!(Fill::asked(&fill.aggregate()).unwrap().unwrap(), fill);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fill {
    pub with: FillWith,
    /// A key that was silent for longer is not filled up to its next window, µs of event time.
    pub for_us: u64,
    /// A key is forgotten so long after its newest window closed, µs of event time.
    pub keep_us: u64,
}

impl Fill {
    /// The column that says whether a window was filled.
    pub const FILLED: &'static str = "filled";
    /// The column that says how many empty windows before a window were not.
    pub const UNFILLED: &'static str = "unfilled";

    /// As a definition asks for it.
    pub fn aggregate(&self) -> Aggregate {
        Aggregate {
            name: Self::FILLED.to_owned(),
            operation: Operation::Vwap,
            column: None,
            by: Some(format!("{} {} {}", self.with.name(), self.for_us, self.keep_us)),
        }
    }

    /// What an aggregate asks for; `None` if it is one like others.
    pub fn asked(aggregate: &Aggregate) -> Option<Result<Self, Refusal>> {
        match aggregate {
            Aggregate { name, operation: Operation::Vwap, column: None, by: Some(by) }
                if name == Self::FILLED =>
            {
                Some(Self::read(by))
            }
            _ => None,
        }
    }

    fn read(text: &str) -> Result<Self, Refusal> {
        let parts: Vec<&str> = text.split(' ').collect();
        if let [with, for_us, keep_us] = parts[..]
            && let Some(with) = FillWith::ALL.into_iter().find(|it| it.name() == with)
            && let (Ok(for_us), Ok(keep_us)) = (for_us.parse(), keep_us.parse())
        {
            return Ok(Self { with, for_us, keep_us });
        }
        refuse!(
            "`{text}` does not say how to fill: write `previous`, `null` or `zero`, for how long, and how long a key \
             is known, in µs"
        )
    }
}
