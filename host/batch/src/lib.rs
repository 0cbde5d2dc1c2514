//! Files into a rebuilt table, by the stream's own functions. In the order of the data's way:
//!
//! - [`plan`]: a job of the manifest in the functions' words, its files by group;
//! - [`feed`]: files to batches in one order, read ahead side by side; parse workers are the stream's;
//! - [`beginning`]: how a file is read, by its first lines; [`interval`]: how far apart its rows are, where nobody says it;
//!   [`fit`]: whether they make whole windows;
//! - [`accounts`]: keeps the books of what became of each line and row, and the dead letters;
//! - [`fold`]: takes parsed rows in order into the windows; [`back`]: do they reach back further than contents are known;
//! - [`coverage`]: which times rows are there for, and where none are;
//! - [`close`], [`step`], [`finish`]: when windows close, in which pieces, and from there through the merge function into
//!   partitions;
//! - [`letters`]: dead letters into files;
//! - [`judgement`]: may what was made take the place of what is there;
//! - [`report`]: what became of everything;
//! - [`work`]: all of that for one group of files, as its lines come; [`checkpoint`]: how far it is;
//! - [`sorting`]: the same for a group whose rows are far out of order; [`spill`]: rows on their way through the sort;
//! - [`commits`]: what is made and not committed;
//! - [`group`]: one group from its files to its partitions;
//! - [`run`]: the whole job on one screen.

pub mod accounts;
pub mod back;
pub mod beginning;
pub mod checkpoint;
pub mod close;
pub mod commits;
pub mod coverage;
pub mod error;
pub mod feed;
pub mod finish;
pub mod fit;
pub mod fold;
pub mod group;
pub mod interval;
pub mod judgement;
pub mod letters;
pub mod plan;
pub mod report;
pub mod run;
pub mod sorting;
pub mod spill;
pub mod step;
pub mod work;
