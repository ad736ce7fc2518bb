//! Random numbers with addresses: Philox 4x32-10 keyed by (seed, stream, event, item, sample).
//!
//! Every draw is a pure function of its address, so results do not depend on threads, blocks or shards. Distributions
//! are sampled by inverse cumulative distribution functions, never by rejection.
//!
//! # References
//! Salmon, Moraes, Dror, Shaw (2011), Parallel random numbers: as easy as 1, 2, 3, SC'11, doi:10.1145/2063384.2063405.

const MULTIPLIER: [u32; 2] = [0xD251_1F53, 0xCD9E_8D57];
const WEYL: [u32; 2] = [0x9E37_79B9, 0xBB67_AE85];

/// Philox 4x32 with ten rounds.
#[inline]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..10 {
        if round > 0 {
            key[0] = key[0].wrapping_add(WEYL[0]);
            key[1] = key[1].wrapping_add(WEYL[1]);
        }
        let a = u64::from(MULTIPLIER[0]) * u64::from(counter[0]);
        let b = u64::from(MULTIPLIER[1]) * u64::from(counter[2]);
        counter = [
            (b >> 32) as u32 ^ counter[1] ^ key[0],
            b as u32,
            (a >> 32) as u32 ^ counter[3] ^ key[1],
            a as u32,
        ];
    }
    counter
}

/// One stream of random numbers under a seed: for one purpose (storm depth, ignition place, ...).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stream {
    key: [u32; 2],
    id: u16,
}

impl Stream {
    /// The stream `id` of a seed. Two purposes never share an id.
    pub fn new(seed: u64, id: u16) -> Self {
        Stream {
            key: [seed as u32, (seed >> 32) as u32],
            id,
        }
    }

    /// Four random words at an address; `event` below 2^48.
    #[inline]
    pub fn words(&self, event: u64, item: u32, sample: u32) -> [u32; 4] {
        debug_assert!(event < 1 << 48, "event number {event} exceeds 48 bits");
        let high = (event >> 32) as u32 & 0xFFFF | u32::from(self.id) << 16;
        philox4x32([sample, item, event as u32, high], self.key)
    }

    /// A uniform number in the open interval (0, 1), 52 bits.
    #[inline]
    pub fn uniform(&self, event: u64, item: u32, sample: u32) -> f64 {
        let w = self.words(event, item, sample);
        open01(w[0], w[1])
    }

    /// Two independent uniform numbers in (0, 1), 52 bits each, for the price of one.
    #[inline]
    pub fn uniform2(&self, event: u64, item: u32, sample: u32) -> [f64; 2] {
        let w = self.words(event, item, sample);
        [open01(w[0], w[1]), open01(w[2], w[3])]
    }

    /// Four independent uniform numbers in (0, 1), 32 bits each, for the price of one.
    #[inline]
    pub fn uniform4(&self, event: u64, item: u32, sample: u32) -> [f64; 4] {
        self.words(event, item, sample)
            .map(|w| (f64::from(w) + 0.5) * TWO_POW_M32)
    }
}

const TWO_POW_M32: f64 = 1.0 / 4_294_967_296.0;
const TWO_POW_M52: f64 = 1.0 / 4_503_599_627_370_496.0;

/// The middle of one of 2^52 equal cells of (0, 1): never 0, never 1.
#[inline]
pub(crate) fn open01(a: u32, b: u32) -> f64 {
    let bits = (u64::from(a) << 32 | u64::from(b)) >> 12;
    (bits as f64 + 0.5) * TWO_POW_M52
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Known answers of Random123 (kat_vectors, philox4x32 10).
    #[test]
    fn published_vectors() {
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
        );
        assert_eq!(
            philox4x32([u32::MAX; 4], [u32::MAX; 2]),
            [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344],
                [0xa409_3822, 0x299f_31d0]
            ),
            [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
        );
    }

    #[test]
    fn uniforms_stay_inside_the_open_interval() {
        assert!(open01(0, 0) > 0.0);
        assert!(open01(u32::MAX, u32::MAX) < 1.0);
        let s = Stream::new(7, 3);
        let mean: f64 = (0..100_000).map(|i| s.uniform(i, 0, 0)).sum::<f64>() / 1e5;
        // Standard error of the mean of a uniform is 0.2887/sqrt(n); six of them.
        assert!((mean - 0.5).abs() < 6.0 * 0.288_7 / 316.2);
        let four: f64 = (0..25_000).flat_map(|i| s.uniform4(i, 1, 0)).sum::<f64>() / 1e5;
        assert!((four - 0.5).abs() < 6.0 * 0.288_7 / 316.2);
    }
}
