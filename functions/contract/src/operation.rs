//! What an aggregate does.

/// What an aggregate does with the rows of a window.
///
/// ```
/// use tallow_contract::Operation;
/// assert_eq!(Operation::SumProduct.name(), "sum-product");
/// assert_eq!(Operation::from_name("vwap"), Some(Operation::Vwap));
/// assert_eq!(Operation::from_name("median"), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "kebab-case"))]
pub enum Operation {
    /// The value of the row that comes first by its time and place.
    First,
    /// The value of the row that comes last by its time and place.
    Last,
    Min,
    Max,
    Sum,
    /// Of rows, or of the values of a column.
    Count,
    Mean,
    /// The mean of one column, weighted by another: of prices by quantities.
    Vwap,
    /// The sum of the products of two columns.
    SumProduct,
}

impl Operation {
    /// All operations, in the order of WIT.
    pub const ALL: [Self; 9] = [
        Self::First,
        Self::Last,
        Self::Min,
        Self::Max,
        Self::Sum,
        Self::Count,
        Self::Mean,
        Self::Vwap,
        Self::SumProduct,
    ];

    /// The name in WIT and in messages. Manifests write `_` for its `-`.
    pub fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Mean => "mean",
            Self::Vwap => "vwap",
            Self::SumProduct => "sum-product",
        }
    }

    /// The operation of that name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|operation| operation.name() == name)
    }

    /// Whether it reads two columns.
    pub fn takes_two(self) -> bool {
        matches!(self, Self::Vwap | Self::SumProduct)
    }
}
