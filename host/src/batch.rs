//! Files into a rebuilt table, by the stream's own functions. In the order of the data's way:
//!
//! - [`plan`]: a job of the manifest in the functions' words, its files by group;
//! - [`feed`]: files to batches in one order, read ahead side by side; parse workers are the stream's;
//! - [`interval`]: how far apart rows are, where nobody says it;
//! - [`fold`]: takes parsed batches in order into the windows, and keeps the books and the dead letters;
//! - [`coverage`]: which times rows are there for, and where none are;
//! - [`close`], [`step`], [`finish`]: when windows close, in which pieces, and from there through the merge function into
//!   partitions;
//! - [`letters`]: dead letters into files;
//! - [`report`]: what became of everything;
//! - [`spill`]: parsed rows with where they came from, as rows that can be sorted, and back;
//! - [`group`]: all of that for one group of files;
//! - [`run`]: the whole job on one screen.

pub mod close;
pub mod coverage;
pub mod error;
pub mod feed;
pub mod finish;
pub mod fold;
pub mod group;
pub mod interval;
pub mod letters;
pub mod plan;
pub mod report;
pub mod run;
pub mod spill;
pub mod step;
