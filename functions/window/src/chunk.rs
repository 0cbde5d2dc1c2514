//! Which of 65,536 consecutive ids are in a set: as runs while these are few, else as a bit each.

use crate::bits::{Bits, Run, each_word};

/// Ids of a chunk.
pub const SPAN: u32 = 1 << 16;

/// A run takes 4 bytes, so more of them take more than a bit an id.
pub const MOST_RUNS: usize = Bits::BYTES / 4;

#[derive(Clone, Debug)]
enum Form {
    /// Ascending, never adjacent.
    Runs(Vec<Run>),
    Bits(Bits),
}

/// At least one id and not all of them, as its owner sees to.
#[derive(Clone, Debug)]
pub struct Chunk {
    ids: u32,
    runs: u32,
    form: Form,
}

impl Chunk {
    /// A chunk of one run.
    pub fn of(first: u16, last: u16) -> Chunk {
        Chunk { ids: u32::from(last - first) + 1, runs: 1, form: Form::Runs(vec![(first, last)]) }
    }

    /// A chunk of runs that ascend and are never adjacent.
    pub fn of_runs(runs: Vec<Run>) -> Chunk {
        let ids = runs.iter().map(|run| u32::from(run.1 - run.0) + 1).sum();
        let mut chunk = Chunk { ids, runs: runs.len() as u32, form: Form::Runs(runs) };
        chunk.settle();
        chunk
    }

    pub fn of_bits(bits: Bits) -> Chunk {
        let ids = bits.0.iter().map(|word| word.count_ones()).sum();
        let mut before = 0;
        let runs = bits.0.iter().map(|&word| {
            let starts = word & !(word << 1 | before);
            before = word >> 63;
            starts.count_ones()
        });
        let mut chunk = Chunk { ids, runs: runs.sum(), form: Form::Bits(bits) };
        chunk.settle();
        chunk
    }

    pub fn ids(&self) -> u32 {
        self.ids
    }

    pub fn count_of_runs(&self) -> usize {
        self.runs as usize
    }

    /// All bits, if these take less than the runs.
    pub fn bits(&self) -> Option<&Bits> {
        match &self.form {
            Form::Bits(bits) if self.count_of_runs() > MOST_RUNS => Some(bits),
            _ => None,
        }
    }

    /// Bytes that the smaller form takes: it follows from the ids alone, whatever form they are in.
    pub fn bytes(&self) -> u64 {
        4 * u64::from(self.runs).min(MOST_RUNS as u64)
    }

    pub fn contains(&self, id: u16) -> bool {
        match &self.form {
            Form::Runs(runs) => {
                runs[..runs.partition_point(|run| run.0 <= id)].last().is_some_and(|run| id <= run.1)
            }
            Form::Bits(Bits(words)) => words[usize::from(id) / 64] >> (id % 64) & 1 == 1,
        }
    }

    /// Adds ids of which none is there.
    pub fn insert(&mut self, first: u16, last: u16) {
        let joins_before = first.checked_sub(1).is_some_and(|id| self.contains(id));
        let joins_after = last.checked_add(1).is_some_and(|id| self.contains(id));
        self.ids += u32::from(last - first) + 1;
        self.runs = self.runs + 1 - u32::from(joins_before) - u32::from(joins_after);
        match &mut self.form {
            Form::Runs(runs) => insert_run(runs, (first, last), joins_before, joins_after),
            Form::Bits(Bits(words)) => each_word(first, last, |word, mask| words[word] |= mask),
        }
        self.settle();
    }

    /// How many ids of `first..=last` are there.
    pub fn count_within(&self, first: u16, last: u16) -> u32 {
        let mut count = 0;
        match &self.form {
            Form::Runs(runs) => {
                let from = runs.partition_point(|run| run.1 < first);
                for run in runs[from..].iter().take_while(|run| run.0 <= last) {
                    count += u32::from(run.1.min(last) - run.0.max(first)) + 1;
                }
            }
            Form::Bits(Bits(words)) => {
                each_word(first, last, |word, mask| count += (words[word] & mask).count_ones());
            }
        }
        count
    }

    /// The smallest id at or above a given one.
    pub fn next_from(&self, id: u16) -> Option<u16> {
        match &self.form {
            Form::Runs(runs) => runs.get(runs.partition_point(|run| run.1 < id)).map(|run| run.0.max(id)),
            Form::Bits(Bits(words)) => {
                let start = usize::from(id) / 64;
                let mut masked = words[start] & (u64::MAX << (id % 64));
                let mut word = start;
                while masked == 0 {
                    word += 1;
                    masked = *words.get(word)?;
                }
                Some((word * 64) as u16 + masked.trailing_zeros() as u16)
            }
        }
    }

    /// The largest id at or below a given one.
    pub fn last_through(&self, id: u16) -> Option<u16> {
        match &self.form {
            Form::Runs(runs) => {
                runs[..runs.partition_point(|run| run.0 <= id)].last().map(|run| run.1.min(id))
            }
            Form::Bits(Bits(words)) => {
                let mut word = usize::from(id) / 64;
                let mut masked = words[word] & (u64::MAX >> (63 - id % 64));
                while masked == 0 {
                    word = word.checked_sub(1)?;
                    masked = words[word];
                }
                Some((word * 64) as u16 + 63 - masked.leading_zeros() as u16)
            }
        }
    }

    /// Removes every id of `first..=last`. If nothing is left, the chunk must not be used again.
    pub fn remove(&mut self, first: u16, last: u16) {
        match &mut self.form {
            Form::Runs(runs) => {
                let kept = runs.iter().flat_map(|&run| cut(run, first, last)).flatten().collect();
                *runs = kept;
            }
            Form::Bits(Bits(words)) => each_word(first, last, |word, mask| words[word] &= !mask),
        }
        let runs = self.runs();
        self.runs = runs.len() as u32;
        self.ids = runs.iter().map(|run| u32::from(run.1 - run.0) + 1).sum();
        self.settle();
    }

    /// The run that ends with an id.
    pub fn run_to(&self, last: u16) -> Option<Run> {
        match &self.form {
            Form::Runs(runs) => {
                runs[..runs.partition_point(|run| run.0 <= last)].last().copied().filter(|run| run.1 == last)
            }
            Form::Bits(_) if !self.contains(last) => None,
            Form::Bits(Bits(words)) => {
                let mut word = usize::from(last) / 64;
                let mut holes = !words[word] & (u64::MAX >> (63 - last % 64));
                while holes == 0 && word > 0 {
                    word -= 1;
                    holes = !words[word];
                }
                let hole = (holes != 0).then(|| (word * 64) as u16 + 63 - holes.leading_zeros() as u16);
                Some((hole.map_or(0, |hole| hole + 1), last))
            }
        }
    }

    /// Removes a run that [`Chunk::run_to`] gave and that no id follows.
    pub fn remove_run(&mut self, run: Run) {
        self.ids -= u32::from(run.1 - run.0) + 1;
        self.runs -= 1;
        match &mut self.form {
            Form::Runs(runs) => runs.retain(|known| known.1 != run.1),
            Form::Bits(Bits(words)) => each_word(run.0, run.1, |word, mask| words[word] &= !mask),
        }
        self.settle();
    }

    /// The runs, ascending.
    pub fn runs(&self) -> Vec<Run> {
        match &self.form {
            Form::Runs(runs) => runs.clone(),
            Form::Bits(bits) => bits.runs(),
        }
    }

    /// Takes the form that suits; between two sizes the one that it has, so that filling a hole and making
    /// one do not turn it over and over.
    fn settle(&mut self) {
        match &self.form {
            Form::Runs(runs) if runs.len() > MOST_RUNS => {
                self.form = Form::Bits(Bits::of(runs));
            }
            Form::Bits(_) if self.runs as usize <= MOST_RUNS / 2 => self.form = Form::Runs(self.runs()),
            _ => {}
        }
    }
}

fn insert_run(runs: &mut Vec<Run>, (first, last): Run, joins_before: bool, joins_after: bool) {
    let at = runs.partition_point(|run| run.0 < first);
    match (joins_before, joins_after) {
        (true, true) => {
            runs[at - 1].1 = runs[at].1;
            runs.remove(at);
        }
        (true, false) => runs[at - 1].1 = last,
        (false, true) => runs[at].0 = first,
        (false, false) => {
            // Grows by a quarter: what is counted is what is used.
            if runs.len() == runs.capacity() {
                runs.reserve_exact((runs.len() / 4).max(4));
            }
            runs.insert(at, (first, last));
        }
    }
}

/// What is left of a run without `first..=last`.
fn cut(run: Run, first: u16, last: u16) -> [Option<Run>; 2] {
    let before = (run.0 < first).then(|| (run.0, run.1.min(first.saturating_sub(1))));
    let after = (run.1 > last).then(|| (run.0.max(last.saturating_add(1)), run.1));
    [before, after]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn check(chunk: &Chunk, set: &BTreeSet<u16>, probes: &[u16]) -> Result<(), TestCaseError> {
        let listed: BTreeSet<u16> = chunk.runs().into_iter().flat_map(|(first, last)| first..=last).collect();
        prop_assert_eq!(&listed, set);
        prop_assert_eq!(chunk.ids as usize, set.len());
        prop_assert_eq!(chunk.runs as usize, chunk.runs().len());
        for &probe in probes {
            prop_assert_eq!(chunk.contains(probe), set.contains(&probe));
            prop_assert_eq!(chunk.next_from(probe), set.range(probe..).next().copied());
            prop_assert_eq!(chunk.last_through(probe), set.range(..=probe).next_back().copied());
            let until = probe.saturating_add(700);
            prop_assert_eq!(chunk.count_within(probe, until) as usize, set.range(probe..=until).count());
        }
        Ok(())
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

        #[test]
        fn a_chunk_is_a_set_in_either_form(
            step in 1u16..40, start in 0u16..1000, some in prop::collection::vec((any::<u16>(), 0u16..200), 0..60),
            removed in prop::collection::vec((any::<u16>(), any::<u16>()), 0..4),
            probes in prop::collection::vec(any::<u16>(), 20),
        ) {
            let mut chunk = Chunk::of(start, start);
            let mut set = BTreeSet::from([start]);
            // Steps below 32 make more than 2048 runs, so bits; larger ones stay runs.
            for id in (start..=u16::MAX).step_by(usize::from(step)).skip(1) {
                if !set.contains(&id) {
                    chunk.insert(id, id);
                    set.insert(id);
                }
            }
            check(&chunk, &set, &probes)?;
            for (first, more) in some {
                let last = first.saturating_add(more);
                if (first..=last).all(|id| !set.contains(&id)) {
                    chunk.insert(first, last);
                    set.extend(first..=last);
                }
            }
            check(&chunk, &set, &probes)?;
            check(&Chunk::of_runs(chunk.runs()), &set, &probes)?;
            check(&Chunk::of_bits(Bits::of(&chunk.runs())), &set, &probes)?;
            let highest = *set.last().unwrap();
            let run = chunk.run_to(highest).unwrap();
            prop_assert!((run.0..=run.1).all(|id| set.contains(&id)));
            prop_assert!(run.0 == 0 || !set.contains(&(run.0 - 1)));
            chunk.remove_run(run);
            set.retain(|id| *id < run.0);
            check(&chunk, &set, &probes)?;
            for (a, b) in removed {
                let (first, last) = (a.min(b), a.max(b));
                chunk.remove(first, last);
                set.retain(|id| *id < first || *id > last);
                check(&chunk, &set, &probes)?;
            }
        }
    }

    #[test]
    fn holes_that_fill_turn_bits_into_runs_again() {
        let mut chunk = Chunk::of(0, 0);
        (2..=u16::MAX - 1).step_by(2).for_each(|id| chunk.insert(id, id));
        assert!(matches!(chunk.form, Form::Bits(_)));
        assert_eq!((chunk.runs, chunk.bytes()), (32_768, 8192));
        (1..u16::MAX).step_by(2).for_each(|id| chunk.insert(id, id));
        assert!(matches!(chunk.form, Form::Runs(_)));
        assert_eq!((chunk.ids(), chunk.runs(), chunk.bytes()), (65_535, vec![(0, u16::MAX - 1)], 4));
    }
}
