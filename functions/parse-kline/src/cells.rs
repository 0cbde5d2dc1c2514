//! A line's cells.

/// Most cells that are looked at; klines have 12.
const MAX_CELLS: usize = 64;

/// The cells of a line, without spaces around them and without their quotes. A delimiter between quotes separates
/// nothing. What follows the 64th is part of it.
pub fn cells(line: &[u8], delimiter: u8) -> Vec<&[u8]> {
    let mut cells = Vec::with_capacity(12);
    let mut rest = line;
    while cells.len() + 1 < MAX_CELLS
        && let Some(end) = end_of_cell(rest, delimiter)
    {
        cells.push(bare(&rest[..end]));
        rest = &rest[end + 1..];
    }
    cells.push(bare(rest));
    cells
}

fn end_of_cell(rest: &[u8], delimiter: u8) -> Option<usize> {
    let mut quoted = false;
    rest.iter().position(|&byte| {
        quoted ^= byte == b'"';
        byte == delimiter && !quoted
    })
}

fn bare(cell: &[u8]) -> &[u8] {
    let cell = cell.trim_ascii();
    match cell {
        [b'"', inner @ .., b'"'] => inner.trim_ascii(),
        cell => cell,
    }
}

/// A line without its line end.
pub fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(line: &str, delimiter: u8) -> Vec<&str> {
        cells(line.as_bytes(), delimiter).into_iter().map(|cell| std::str::from_utf8(cell).unwrap()).collect()
    }

    #[test]
    fn cells_lose_their_spaces_and_quotes() {
        assert_eq!(texts("1, 2 ,\" 3\"", b','), ["1", "2", "3"]);
        assert_eq!(texts("\"a,b\";c", b';'), ["a,b", "c"]);
        assert_eq!(texts("\"a,b\",c", b','), ["a,b", "c"]);
        assert_eq!(texts(",", b','), ["", ""]);
        assert_eq!(texts("", b','), [""]);
        assert_eq!(texts(&"1,".repeat(100), b',').len(), MAX_CELLS);
    }
}
