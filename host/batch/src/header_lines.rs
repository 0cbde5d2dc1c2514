//! Lines that may be headers: those without a digit.

use tallow_files::Lines;

/// Lines after one that may be a header, that tell what it is.
const AFTER_HEADER: usize = 16;

/// The lines without a digit, each with some that follow it. Rows have digits: only these may be headers.
#[derive(Debug, Default)]
pub struct HeaderLines {
    lines: Lines,
    /// How many lines are still to follow the last one.
    left: usize,
}

impl HeaderLines {
    /// Those at the end of the piece before, with the first lines of the one that follows.
    pub fn before(&mut self, following: &Lines) -> Option<Lines> {
        if self.lines.ends.is_empty() {
            return None;
        }
        let mut start = 0;
        for end in following.ends.iter().take(AFTER_HEADER).map(|end| *end as usize) {
            self.put(&following.bytes[start..end]);
            start = end;
        }
        self.given()
    }

    /// Those among the lines after the first `skip`, where the last of them is followed by others.
    pub fn among(&mut self, lines: &Lines, skip: usize) -> Option<Lines> {
        let mut start =
            skip.checked_sub(1).and_then(|last| lines.ends.get(last)).map_or(0, |end| *end as usize);
        for end in lines.ends.iter().skip(skip).map(|end| *end as usize) {
            let line = &lines.bytes[start..end];
            start = end;
            let begins = line.first().is_some_and(u8::is_ascii_digit);
            if !begins && !line.iter().any(u8::is_ascii_digit) && !line.trim_ascii().is_empty() {
                self.left = AFTER_HEADER;
            } else if self.left == 0 {
                continue;
            } else {
                self.left -= 1;
            }
            self.put(line);
        }
        let followed = self.left < AFTER_HEADER && !self.lines.ends.is_empty();
        followed.then(|| self.given()).flatten()
    }

    fn put(&mut self, line: &[u8]) {
        self.lines.bytes.extend_from_slice(line);
        self.lines.ends.push(self.lines.bytes.len() as u32);
    }

    fn given(&mut self) -> Option<Lines> {
        self.left = 0;
        Some(std::mem::take(&mut self.lines))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str) -> Lines {
        let mut lines = Lines { bytes: text.into(), ..Lines::default() };
        lines.ends.extend(text.match_indices('\n').map(|(at, _)| at as u32 + 1));
        lines
    }

    fn text(lines: Option<Lines>) -> Option<String> {
        lines.map(|lines| String::from_utf8(lines.bytes).unwrap())
    }

    #[test]
    fn lines_that_may_be_headers_are_given_with_those_after_them() {
        let mut headers = HeaderLines::default();
        assert_eq!(text(headers.among(&lines("1,2\n3,4\n\n5,6\n"), 0)), None);
        assert_eq!(text(headers.among(&lines("a,b\n1,2\n"), 1)), None);
        assert_eq!(
            text(headers.among(&lines("1,2\nx,y\n3,4\n5,6\n"), 0)).as_deref(),
            Some("x,y\n3,4\n5,6\n")
        );
        assert_eq!(text(headers.before(&lines("7,8\n"))), None);
        // The last line of a piece waits for the next.
        assert_eq!(text(headers.among(&lines("1,2\nx,y\n"), 0)), None);
        assert_eq!(text(headers.before(&lines("3,4\n"))).as_deref(), Some("x,y\n3,4\n"));
        let many = "7,8\n".repeat(100);
        let found = text(headers.among(&lines(&format!("x,y\n{many}")), 0)).unwrap();
        assert_eq!(found.lines().count(), 1 + AFTER_HEADER);
    }
}
