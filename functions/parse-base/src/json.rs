//! Any JSON, level by level: values stay the bytes that write them until a column takes them.

mod level;
mod scan;
mod value;

pub use level::{array, members};
pub use scan::Scanner;
pub use value::{Value, unescaped};
