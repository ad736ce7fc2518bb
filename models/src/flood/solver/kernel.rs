//! Arithmetic that both schemes share: comparisons without rules for NaN, roots, sums without loss.

/// Acceleration of gravity, m/s².
pub const GRAVITY: f32 = 9.806_65;

/// The greater of two numbers; one machine instruction, unlike `f32::max` with its rule for NaN.
#[inline(always)]
pub(super) fn hi(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
pub(super) fn lo(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}

/// Reciprocal sixth root of a positive, normal number: x^(-1/6), relative error below 3e-6.
///
/// A guess from the exponent (within 4 %), one step of third order and one of Newton's. Its powers give every root that
/// Manning's friction needs: y² = x^(-1/3), y³ = x^(-1/2).
#[inline(always)]
pub(super) fn reciprocal_sixth_root(x: f32) -> f32 {
    let bits = x.to_bits();
    // A sixth of the bits: 5/16 * 17/16 / 2.
    let mut third = (bits >> 2) + (bits >> 4);
    third += third >> 4;
    let y = f32::from_bits(ROOT.wrapping_sub(third >> 1));
    let square = y * y;
    let e = (-x).mul_add(square * square * square, 1.0);
    let y = (y * e).mul_add(e.mul_add(0.097_222_224, 0.166_666_67), y);
    let square = y * y;
    let e = (-x).mul_add(square * square * square, 1.0);
    (y * e).mul_add(0.166_666_67, y)
}

/// 7/6 of the bits of 1, less what makes the guess fair.
const ROOT: u32 = 0x4a03_2753;

/// Adds to a depth that is held as the unevaluated sum `h + rest` (two-sum, Knuth): a millimetre of rain per hour added
/// to metres of water in single precision would be rounded away in every step. Returns the new pair.
#[inline(always)]
pub(super) fn add(h: f32, rest: f32, change: f32) -> (f32, f32) {
    let change = change + rest;
    let new = h + change;
    let moved = new - h;
    (new, (h - (new - moved)) + (change - moved))
}

/// Cells that the loops take at once: a vector of AVX-512, two of AVX2. All runs are whole multiples of it.
pub(super) const LANES: usize = 16;

/// A run as groups of [`LANES`] cells.
#[inline(always)]
pub(super) fn lanes(run: &[f32]) -> &[[f32; LANES]] {
    run.as_chunks().0
}

/// A run as groups of [`LANES`] cells, to write.
#[inline(always)]
pub(super) fn lanes_mut(run: &mut [f32]) -> &mut [[f32; LANES]] {
    run.as_chunks_mut().0
}

/// `for_lanes!(n; a = run, ...; mut out = run, ...; i => { ... })`: the body for every cell of runs that hold `n` groups,
/// `a[i]` being a cell of a run.
macro_rules! for_lanes {
    ($n:expr; $($name:ident = $run:expr),* ; $(mut $out:ident = $to:expr),* ; $i:ident => $body:block) => {{
        let n: usize = $n;
        $(let $name = &lanes($run)[..n];)*
        $(let $out = &mut lanes_mut($to)[..n];)*
        for k in 0..n {
            $(let $name = &$name[k];)*
            $(let $out = &mut $out[k];)*
            for $i in 0..LANES $body
        }
    }};
}
pub(super) use for_lanes;

/// Greatest value of a run (0 for an empty one).
#[inline(always)]
pub(super) fn greatest(values: &[f32]) -> f32 {
    let mut most = [0.0f32; LANES];
    let (groups, tail) = values.as_chunks::<LANES>();
    for group in groups {
        for i in 0..LANES {
            most[i] = hi(group[i], most[i]);
        }
    }
    (most.iter().chain(tail)).fold(0.0, |m, &v| hi(v, m))
}

#[inline(always)]
fn pour_body<'a>(h: &'a mut [f32], rest: &'a mut [f32], falls: &'a [f32]) -> f64 {
    let mut sum = [0.0f64; LANES];
    for_lanes!(falls.len() / LANES; falls = falls; mut h = h, mut rest = rest; i => {
        (h[i], rest[i]) = add(h[i], rest[i], falls[i]);
        sum[i] += f64::from(falls[i]);
    });
    sum.iter().sum()
}

/// Compiles a function for any x86-64, for AVX2 and for AVX-512, chosen at run time. Only the width of the vectors
/// differs: multiplication and addition are fused where `mul_add` says so and nowhere else, so that all versions give
/// the same bytes (tested with each scheme). Without AVX2 every `mul_add` is a call, and the solver slow.
macro_rules! wide {
    ($(#[$doc:meta])* $name:ident = $body:ident, $avx2:ident, $avx512:ident, <$($life:lifetime),*>
        ($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)?) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2,fma")]
        fn $avx2<$($life),*>($($arg: $type),*) $(-> $out)? {
            $body($($arg),*)
        }

        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx512f,avx512vl,avx512dq,avx512bw")]
        fn $avx512<$($life),*>($($arg: $type),*) $(-> $out)? {
            $body($($arg),*)
        }

        $(#[$doc])*
        #[allow(unsafe_code)]
        pub(super) fn $name<$($life),*>($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            {
                if std::arch::is_x86_feature_detected!("avx512dq")
                    && std::arch::is_x86_feature_detected!("avx512bw")
                    && std::arch::is_x86_feature_detected!("avx512vl")
                {
                    // SAFETY: the processor has what the function asks for beyond its safe body.
                    return unsafe { $avx512($($arg),*) };
                }
                if std::arch::is_x86_feature_detected!("avx2")
                    && std::arch::is_x86_feature_detected!("fma")
                {
                    // SAFETY: as above.
                    return unsafe { $avx2($($arg),*) };
                }
            }
            $body($($arg),*)
        }
    };
}
pub(super) use wide;

wide!(
    /// Adds what falls on a run of cells to their depths; returns the sum of it.
    pour = pour_body, pour_avx2, pour_avx512, <'a>
    (h: &'a mut [f32], rest: &'a mut [f32], falls: &'a [f32]) -> f64
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reciprocal_sixth_roots_are_right() {
        let mut worst = 0.0f64;
        let mut x = 1e-6f32;
        while x < 2e4 {
            let exact = 1.0 / libm::sqrt(libm::cbrt(f64::from(x)));
            worst = worst.max((f64::from(reciprocal_sixth_root(x)) / exact - 1.0).abs());
            x *= 1.000_37;
        }
        assert!(worst < 3e-6, "{worst:e}");
    }

    #[test]
    fn rain_is_poured_to_the_last_cell() {
        let falls: Vec<f32> = (0..48).map(|i| 1e-3 * i as f32).collect();
        let mut h: Vec<f32> = (0..48).map(|i| 5.0 + i as f32).collect();
        let mut rest = vec![1e-8f32; 48];
        let expected: Vec<(f32, f32)> = (0..48).map(|i| add(h[i], rest[i], falls[i])).collect();
        let sum = pour(&mut h, &mut rest, &falls);
        assert!((sum - 1.128).abs() < 1e-6, "{sum}");
        for i in 0..48 {
            assert_eq!((h[i], rest[i]), expected[i]);
        }
    }

    #[test]
    fn small_rain_on_deep_water_is_not_lost() {
        // 1 mm/h for an hour in steps of one second: each step adds half of a unit in the last place of 5 m.
        let (mut h, mut rest) = (5.0f32, 0.0f32);
        for _ in 0..3600 {
            (h, rest) = add(h, rest, 1e-3 / 3600.0);
        }
        let stored = f64::from(h) + f64::from(rest);
        assert!((stored - 5.001).abs() < 1e-9, "{stored}");
    }
}
