//! Random numbers from a seed: the same seed gives the same numbers, everywhere.

/// The generator xoshiro256++ (Blackman and Vigna, "Scrambled Linear Pseudorandom Number Generators", 2021).
pub struct Random([u64; 4]);

impl Random {
    /// The state is filled by SplitMix64, as the authors advise.
    pub fn new(seed: u64) -> Self {
        let mut state = seed;
        Self(std::array::from_fn(|_| {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mut mixed = state;
            mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            mixed ^ (mixed >> 31)
        }))
    }

    fn next(&mut self) -> u64 {
        let state = &mut self.0;
        let result = state[0].wrapping_add(state[3]).rotate_left(23).wrapping_add(state[0]);
        let shifted = state[1] << 17;
        state[2] ^= state[0];
        state[3] ^= state[1];
        state[1] ^= state[2];
        state[0] ^= state[3];
        state[2] ^= shifted;
        state[3] = state[3].rotate_left(45);
        result
    }

    /// Uniform between 0 and 1, both excluded.
    pub fn uniform(&mut self) -> f64 {
        ((self.next() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }

    /// Normal, of mean 0 and deviation 1.
    pub fn normal(&mut self) -> f64 {
        forecast::quantile(self.uniform())
    }

    /// Laplace, of mean 0 and mean distance `scale` from it.
    pub fn laplace(&mut self, scale: f64) -> f64 {
        let centred = self.uniform() - 0.5;
        -scale * centred.signum() * (1.0 - 2.0 * centred.abs()).ln()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COUNT: usize = 100_000;

    fn mean(of: impl FnMut(usize) -> f64) -> f64 {
        (0..COUNT).map(of).sum::<f64>() / COUNT as f64
    }

    #[test]
    fn normal_numbers_have_mean_0_and_variance_1() {
        let mut random = Random::new(7);
        let all: Vec<f64> = (0..COUNT).map(|_| random.normal()).collect();
        assert!(mean(|at| all[at]).abs() < 0.02);
        assert!((mean(|at| all[at] * all[at]) - 1.0).abs() < 0.02);
    }

    #[test]
    fn laplace_numbers_are_their_scale_from_0_in_the_mean() {
        let mut random = Random::new(7);
        let all: Vec<f64> = (0..COUNT).map(|_| random.laplace(3.0)).collect();
        assert!(mean(|at| all[at]).abs() < 0.06);
        assert!((mean(|at| all[at].abs()) - 3.0).abs() < 0.06);
    }

    #[test]
    fn a_seed_gives_its_numbers_again() {
        let first = |seed| Random::new(seed).uniform();
        assert_eq!(first(1), first(1));
        assert_ne!(first(1), first(2));
    }
}
