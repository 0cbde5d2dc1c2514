//! Rows in any order, given back by key, event time and arrival, in bounded memory. In the order of the rows' way:
//!
//! - [`Sorter`]: holds rows until they take as much memory as they may, then sorts them and writes them as one run;
//! - `layout`: what the batches' columns must be, and how many bytes a row takes;
//! - `order`: the order of rows that are in memory; `picks`: rows out of several batches as one batch;
//! - `run`: a sorted run in an unnamed file of the scratch folder, compressed;
//! - `merge`: many sorted runs into one order, with one small block of each in memory;
//! - [`Sorted`]: the rows in order, a key at a time.
//!
//! An unnamed file is gone when the process ends, whatever way it ends. Where all rows fit into memory there is none.

mod error;
mod layout;
mod merge;
mod order;
mod picks;
mod run;
mod sorted;
mod sorter;

pub use error::SortError;
pub use sorted::Sorted;
pub use sorter::Sorter;

/// What bounds memory beside the rows that are held until they are sorted.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    /// Runs that are merged at once. Each is an open file.
    runs: usize,
    /// Bytes of the decoded blocks of runs that are merged at once, one a run.
    merge_bytes: usize,
    /// A block of a run: the smaller, the more runs go into `merge_bytes`; the larger, the better it compresses.
    block: Extent,
    /// A batch that is given back.
    given: Extent,
}

impl Bounds {
    const WIDE: Self = Self {
        runs: 200,
        merge_bytes: 64 << 20,
        block: Extent { rows: 8192, bytes: 250 << 10 },
        given: Extent { rows: 8192, bytes: 4 << 20 },
    };
}

/// The most of a batch: it ends with the row that reaches either.
#[derive(Clone, Copy, Debug)]
struct Extent {
    rows: usize,
    bytes: usize,
}
