//! Small charts out of block characters.

const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// For values that do not differ.
const LEVEL: char = '▄';

/// A block a value, the lowest to the highest of them.
pub(super) fn sparkline(values: &[f64]) -> String {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    // Halved, so that the range of the largest doubles is still one.
    let range = high / 2.0 - low / 2.0;
    let block = |value: &f64| {
        let level = ((value / 2.0 - low / 2.0) / range * (BLOCKS.len() - 1) as f64).round();
        if range > 0.0 { BLOCKS[level as usize] } else { LEVEL }
    };
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_value_is_the_lowest_block_and_the_highest_the_highest() {
        assert_eq!(sparkline(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]), "▁▂▃▄▅▆▇█");
        assert_eq!(sparkline(&[60_000.0, 60_001.0]), "▁█");
        assert_eq!(sparkline(&[-1.0, 0.0, -1.0]), "▁█▁");
    }

    #[test]
    fn equal_values_are_a_level_line() {
        assert_eq!(sparkline(&[5.0; 3]), "▄▄▄");
        assert_eq!(sparkline(&[]), "");
    }

    #[test]
    fn the_largest_doubles_do_not_break_it() {
        assert_eq!(sparkline(&[f64::MAX, f64::MIN, 0.0]), "█▁▅");
    }
}
