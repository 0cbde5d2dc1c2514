//! Sixteen bytes at once: the few operations that a text of numbers needs, by the vector instructions of WebAssembly
//! in a sandbox, byte by byte elsewhere. Both give the same.

pub use imp::Lanes;

/// Bytes of [`Lanes`].
pub const LANES: usize = 16;

#[cfg(target_arch = "wasm32")]
mod imp {
    use core::arch::wasm32::{
        i8x16_bitmask, i8x16_eq, i8x16_swizzle, i16x8_mul, i16x8_narrow_i32x4, i16x8_splat, i32x4_dot_i16x8,
        u8x16_lt, u8x16_splat, u8x16_sub_sat, u16x8_shr, u64x2, u64x2_extract_lane, v128, v128_any_true,
        v128_or, v128_xor,
    };

    #[derive(Clone, Copy, Debug)]
    pub struct Lanes(v128);

    impl Lanes {
        #[inline(always)]
        pub const fn of(bytes: &[u8; super::LANES]) -> Self {
            let both = u128::from_le_bytes(*bytes);
            Self(u64x2(both as u64, (both >> 64) as u64))
        }

        /// The bytes in which one differs from the other by no more than `limit` allows are 0, the others are not.
        #[inline(always)]
        pub fn beyond(self, expected: Self, limit: Self) -> Self {
            Self(u8x16_sub_sat(v128_xor(self.0, expected.0), limit.0))
        }

        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            Self(v128_or(self.0, other.0))
        }

        /// A bit for each byte that is `byte`, the lowest for the first.
        #[inline(always)]
        pub fn equal(self, byte: u8) -> u16 {
            i8x16_bitmask(i8x16_eq(self.0, u8x16_splat(byte)))
        }

        /// A bit for each byte below `limit`.
        #[inline(always)]
        pub fn below(self, limit: u8) -> u16 {
            i8x16_bitmask(u8x16_lt(self.0, u8x16_splat(limit)))
        }

        #[inline(always)]
        pub fn is_zero(self) -> bool {
            !v128_any_true(self.0)
        }

        /// The digits at the places that `places` names; a place of 16 and more gives 0.
        #[inline(always)]
        pub fn digits(self, places: Self) -> Self {
            Self(i8x16_swizzle(v128_xor(self.0, u8x16_splat(b'0')), places.0))
        }

        /// The numbers that the digits of both write: the first eight and the last eight, of one and of the other.
        #[inline(always)]
        pub fn numbers(self, other: Self) -> [[u32; 2]; 2] {
            let fours = |digits: v128| {
                let pairs = u16x8_shr(i16x8_mul(digits, i16x8_splat(10 << 8 | 1)), 8);
                i32x4_dot_i16x8(pairs, u64x2(0x0001_0064_0001_0064, 0x0001_0064_0001_0064))
            };
            let all = i16x8_narrow_i32x4(fours(self.0), fours(other.0));
            let eights = i32x4_dot_i16x8(all, u64x2(0x0001_2710_0001_2710, 0x0001_2710_0001_2710));
            let halves = |both: u64| [both as u32, (both >> 32) as u32];
            [halves(u64x2_extract_lane::<0>(eights)), halves(u64x2_extract_lane::<1>(eights))]
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod imp {
    use super::LANES;

    #[derive(Clone, Copy, Debug)]
    pub struct Lanes([u8; LANES]);

    impl Lanes {
        #[inline(always)]
        pub const fn of(bytes: &[u8; LANES]) -> Self {
            Self(*bytes)
        }

        /// The bytes in which one differs from the other by no more than `limit` allows are 0, the others are not.
        #[inline(always)]
        pub fn beyond(self, expected: Self, limit: Self) -> Self {
            Self(std::array::from_fn(|at| (self.0[at] ^ expected.0[at]).saturating_sub(limit.0[at])))
        }

        /// A bit for each byte that is `byte`, the lowest for the first.
        #[inline(always)]
        pub fn equal(self, byte: u8) -> u16 {
            self.bits(|it| it == byte)
        }

        /// A bit for each byte below `limit`.
        #[inline(always)]
        pub fn below(self, limit: u8) -> u16 {
            self.bits(|it| it < limit)
        }

        #[inline(always)]
        fn bits(self, is: impl Fn(u8) -> bool) -> u16 {
            self.0.iter().rev().fold(0, |bits, byte| bits << 1 | u16::from(is(*byte)))
        }

        #[inline(always)]
        pub fn or(self, other: Self) -> Self {
            Self(std::array::from_fn(|at| self.0[at] | other.0[at]))
        }

        #[inline(always)]
        pub fn is_zero(self) -> bool {
            self.0 == [0; LANES]
        }

        /// The digits at the places that `places` names; a place of 16 and more gives 0.
        #[inline(always)]
        pub fn digits(self, places: Self) -> Self {
            Self(places.0.map(|place| self.0.get(usize::from(place)).map_or(0, |byte| byte ^ b'0')))
        }

        /// The numbers that the digits of both write: the first eight and the last eight, of one and of the other.
        #[inline(always)]
        pub fn numbers(self, other: Self) -> [[u32; 2]; 2] {
            let number =
                |digits: &[u8]| digits.iter().fold(0, |number, digit| number * 10 + u32::from(*digit));
            [self, other].map(|Self(digits)| [number(&digits[..8]), number(&digits[8..])])
        }
    }
}
