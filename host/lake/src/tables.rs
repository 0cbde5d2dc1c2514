//! Tables that commits add files to, by day.

use crate::hive;

/// Candles of a pipeline's window.
pub fn speed(pipeline: &str, window: &str) -> String {
    format!("speed/{}", of_window(pipeline, window))
}

/// The same by the table's own name, `<pipeline>_<window>`.
pub fn speed_table(table: &str) -> String {
    format!("speed/{}", hive::encode(table))
}

/// Rows that came too late for a pipeline's window.
pub fn late(pipeline: &str, window: &str) -> String {
    format!("late/{}", of_window(pipeline, window))
}

/// The name of the tables of a pipeline's window.
pub fn of_window(pipeline: &str, window: &str) -> String {
    format!("{}_{}", hive::encode(pipeline), hive::encode(window))
}

/// Dead letters of a pipeline.
pub fn dead_letters(pipeline: &str) -> String {
    format!("dead-letter/{}", hive::encode(pipeline))
}

/// File `number` of the dead letters of a batch's group of files.
pub fn batch_dead_letters(job: &str, group: &str, number: u64) -> String {
    format!("dead-letter/{job}/{}/{number:05}.parquet", hive::segment("group", group))
}

/// What a commit's files are called. Names of one chain and shard sort by seq.
pub fn commit_name(chain: &str, shard: u32, seq: u64) -> String {
    format!("{}-{shard}-{seq:020}", hive::encode(chain))
}

/// A commit's file in a table, under a [`hive::day`].
pub fn commit_file(table: &str, day: &str, commit_name: &str) -> String {
    format!("{table}/date={day}/{commit_name}.parquet")
}

/// The seq of the commit of a chain and shard whose file has this path.
pub fn seq_of(path: &str, chain: &str, shard: u32) -> Option<u64> {
    let name = path.rsplit('/').next()?.strip_suffix(".parquet")?;
    let seq = name.strip_prefix(chain)?.strip_prefix(&format!("-{shard}-"))?;
    if seq.len() == 20 && seq.bytes().all(|byte| byte.is_ascii_digit()) { seq.parse().ok() } else { None }
}

/// The day (`2025-01-31`) that a Parquet file of a table is filed under; `None` for other objects.
pub fn day_of<'a>(table: &str, path: &'a str) -> Option<&'a str> {
    let (day, name) = path.strip_prefix(table)?.strip_prefix("/date=")?.split_once('/')?;
    name.ends_with(".parquet").then_some(day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commits_file_is_under_its_day_and_its_name_is_read_back() {
        let path = commit_file(&speed("trades", "1m"), "1970-01-01", &commit_name("c0ffee", 3, 7));
        assert_eq!(path, "speed/trades_1m/date=1970-01-01/c0ffee-3-00000000000000000007.parquet");
        assert_eq!(seq_of(&path, "c0ffee", 3), Some(7));
        assert_eq!((seq_of(&path, "c0ffee", 1), seq_of(&path, "0ther", 3)), (None, None));
        assert_eq!(day_of(&speed_table("trades_1m"), &path), Some("1970-01-01"));
        assert_eq!(day_of(&speed("trades", "1"), &path), None);
        assert_eq!(seq_of("speed/trades_1m/date=1970-01-01/c0ffee-3-7.parquet", "c0ffee", 3), None);
    }

    #[test]
    fn tables_of_the_user_stay_inside_their_folder() {
        assert_eq!(late("../x", "1m"), "late/%2E.%2Fx_1m");
        assert_eq!(dead_letters("trades"), "dead-letter/trades");
        assert_eq!(batch_dead_letters("daily", "a/b", 2), "dead-letter/daily/group=a%2Fb/00002.parquet");
    }
}
