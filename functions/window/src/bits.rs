//! A bit for each of 65,536 consecutive ids.

const WORDS: usize = (1 << 16) / 64;

/// First and last id of consecutive ones, both in the chunk.
pub type Run = (u16, u16);

/// A bit an id, the lowest first.
#[derive(Clone, Debug)]
pub struct Bits(pub Box<[u64; WORDS]>);

impl Bits {
    pub const BYTES: usize = 8 * WORDS;

    pub fn of(runs: &[Run]) -> Bits {
        let mut words = Box::new([0; WORDS]);
        runs.iter().for_each(|&(first, last)| each_word(first, last, |word, mask| words[word] |= mask));
        Bits(words)
    }

    pub fn from_words(from: impl Iterator<Item = u64>) -> Bits {
        let mut words = Box::new([0; WORDS]);
        words.iter_mut().zip(from).for_each(|(word, from)| *word = from);
        Bits(words)
    }

    /// The runs of set bits, ascending.
    pub fn runs(&self) -> Vec<Run> {
        let mut runs: Vec<Run> = Vec::new();
        for (index, &word) in self.0.iter().enumerate() {
            let mut left = word;
            while left != 0 {
                let start = left.trailing_zeros();
                let length = (left >> start).trailing_ones();
                let first = (index * 64) as u16 + start as u16;
                let last = first + (length - 1) as u16;
                match runs.last_mut() {
                    Some(before) if before.1.checked_add(1) == Some(first) => before.1 = last,
                    _ => runs.push((first, last)),
                }
                left = if start + length == 64 { 0 } else { left >> (start + length) << (start + length) };
            }
        }
        runs
    }
}

/// The words that hold `first..=last`, each with a mask of these.
pub fn each_word(first: u16, last: u16, mut with: impl FnMut(usize, u64)) {
    let (from, to) = (usize::from(first) / 64, usize::from(last) / 64);
    for word in from..=to {
        let low = if word == from { u64::MAX << (first % 64) } else { u64::MAX };
        let high = if word == to { u64::MAX >> (63 - last % 64) } else { u64::MAX };
        with(word, low & high);
    }
}
