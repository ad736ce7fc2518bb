//! The inner loops of [`super::kernel`] compiled twice: for any x86-64 and for AVX2, chosen at run time.
//!
//! The only unsafe code of the solver. Only the width of the vectors differs: fused multiply-add is not enabled, so that
//! both versions give the same bytes (tested below).
#![allow(unsafe_code)]

use super::kernel::{self, Step};

macro_rules! dispatch {
    ($(#[$doc:meta])* $name:ident, $wide:ident, ($($arg:ident: $type:ty),*) $(-> $out:ty)?) => {
        #[cfg(target_arch = "x86_64")]
        #[target_feature(enable = "avx2")]
        fn $wide($($arg: $type),*) $(-> $out)? {
            kernel::$name($($arg),*)
        }

        $(#[$doc])*
        #[inline]
        pub(super) fn $name($($arg: $type),*) $(-> $out)? {
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                // SAFETY: the processor has AVX2, the only thing that the function asks for beyond its safe body.
                return unsafe { $wide($($arg),*) };
            }
            kernel::$name($($arg),*)
        }
    };
}

dispatch!(
    /// [`kernel::faces`].
    faces, faces_avx2,
    (left: [&[f32]; 3], right: [&[f32]; 3], own: [&[f32]; 3], across: [&[f32]; 4], step: Step, out: &mut [f32])
);
dispatch!(
    /// [`kernel::limits`].
    limits, limits_avx2,
    (h: &[f32], q: [&[f32]; 4], step: Step, out: &mut [f32]) -> bool
);
dispatch!(
    /// [`kernel::scale`].
    scale, scale_avx2,
    (q: &mut [f32], left: &[f32], right: &[f32])
);
dispatch!(
    /// [`kernel::continuity`].
    continuity, continuity_avx2,
    (h: &mut [f32], rest: &mut [f32], q: [&[f32]; 4], source: &[f32], step: Step)
);
dispatch!(
    /// [`kernel::greatest`].
    greatest, greatest_avx2,
    (h: &[f32]) -> f32
);

#[cfg(test)]
mod tests {
    use super::*;
    use anlan_engine::random::Stream;

    #[test]
    fn both_widths_give_the_same_bytes() {
        let s = Stream::new(3, 902);
        let field = |k: u32, low: f64, high: f64| -> Vec<f32> {
            (0..1003)
                .map(|i| (low + (high - low) * s.uniform(i, k, 0)) as f32)
                .collect()
        };
        let step = Step {
            theta: 0.9,
            g_dt: 12.0,
            g_dt_dx: 1.2,
            dt_dx: 0.12,
            dt: 1.2,
            dry: 1e-4,
            froude: 1.0,
        };
        let (zl, zr, n) = (field(0, 0.0, 2.0), field(1, 0.0, 2.0), field(2, 0.02, 0.1));
        let (hl, hr) = (field(3, 0.0, 1.0), field(4, 0.0, 1.0));
        let q: Vec<Vec<f32>> = (5..12).map(|k| field(k, -1.0, 1.0)).collect();
        let run = |wide: bool| {
            let (mut new, mut share, mut h, mut rest) = (
                vec![0f32; 1003],
                vec![0f32; 1003],
                hl.clone(),
                vec![0f32; 1003],
            );
            let flows = [&q[0][..], &q[1][..], &q[2][..]];
            let across = [&q[3][..], &q[4][..], &q[5][..], &q[6][..]];
            let (left, right) = ([&zl[..], &hl[..], &n[..]], [&zr[..], &hr[..], &n[..]]);
            let deepest = if wide {
                faces(left, right, flows, across, step, &mut new);
                limits(&hl, across, step, &mut share);
                scale(&mut new, &share, &hr);
                continuity(&mut h, &mut rest, across, &hr, step);
                greatest(&h)
            } else {
                kernel::faces(left, right, flows, across, step, &mut new);
                kernel::limits(&hl, across, step, &mut share);
                kernel::scale(&mut new, &share, &hr);
                kernel::continuity(&mut h, &mut rest, across, &hr, step);
                kernel::greatest(&h)
            };
            [new, share, h, rest, vec![deepest]]
                .concat()
                .iter()
                .map(|v| v.to_bits())
                .collect::<Vec<u32>>()
        };
        assert!(run(true) == run(false));
    }
}
