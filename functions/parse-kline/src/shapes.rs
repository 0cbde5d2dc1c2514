//! Shapes of the lines before, by length: the next line mostly looks like one of them.

use parse_base::shape::{MAX_LINE_BYTES, MAX_NUMBERS, Shape};
use parse_base::window::Window;

pub struct Shapes {
    delimiter: u8,
    /// Index of the time among the numbers of a line.
    time: usize,
    known: [Option<Box<Known>>; MAX_LINE_BYTES + 1],
    /// Where the delimiters of the last line were that was of no known shape.
    strange: [u64; MAX_LINE_BYTES + 1],
}

struct Known {
    shape: Shape,
    /// Smaller times would be written with leading zeros.
    least_time: i64,
}

impl Shapes {
    pub fn new(delimiter: u8, time: usize) -> Self {
        let (known, strange) = ([const { None }; MAX_LINE_BYTES + 1], [0; MAX_LINE_BYTES + 1]);
        Self { delimiter, time, known, strange }
    }

    /// The numbers of the line at the window's start, the time as it is, the others at scale 8; `None` for a line that
    /// looks like none before it.
    #[inline(always)]
    pub fn read(&self, window: &Window, length: usize) -> Option<[i64; MAX_NUMBERS]> {
        let known = self.known.get(length)?.as_deref()?;
        let numbers = known.shape.read(window)?;
        (*numbers.get(self.time)? >= known.least_time).then_some(numbers)
    }

    /// Notes that a line could be read by other means. The second with its delimiters at the same places is what others
    /// are expected to look like: lines whose widths change with every one are not worth a shape each.
    #[cold]
    pub fn see(&mut self, window: &Window, length: usize, delimiters: u64) {
        let (Some(known), Some(strange)) = (self.known.get_mut(length), self.strange.get_mut(length)) else {
            return;
        };
        if std::mem::replace(strange, delimiters) != delimiters {
            return;
        }
        let line = &window[..length];
        let mut numbers = line.split(|byte| *byte == self.delimiter);
        let digits = numbers.nth(self.time).map_or(0, <[u8]>::len) as u32;
        let least_time = 10i64.checked_pow(digits.saturating_sub(1));
        *known = least_time.and_then(|least_time| {
            let shape = Shape::of(line, self.delimiter, self.time)?;
            Some(Box::new(Known { shape, least_time }))
        });
    }
}
