//! Deterministic minimisation without derivatives, and the curvature at the minimum.
//!
//! # References
//! Nelder and Mead (1965), The Computer Journal 7, 308-313, doi:10.1093/comjnl/7.4.308.

/// Minimises `f` from `start` by the simplex of Nelder and Mead with first edges `steps`, restarted until a restart gains
/// nothing. Values that are not finite count as infinitely bad. Returns the place and its value.
pub fn minimise<const N: usize>(
    f: impl Fn(&[f64; N]) -> f64,
    start: [f64; N],
    steps: [f64; N],
) -> ([f64; N], f64) {
    let f = |x: &[f64; N]| {
        let v = f(x);
        if v.is_finite() { v } else { f64::INFINITY }
    };
    let mut best = start;
    let mut value = f(&best);
    let mut edges = steps;
    for _ in 0..10 {
        let before = value;
        (best, value) = simplex(&f, best, edges);
        if before - value <= 1e-13 * (1.0 + value.abs()) {
            break;
        }
        edges = edges.map(|e| 0.1 * e);
    }
    (best, value)
}

fn simplex<const N: usize>(
    f: &impl Fn(&[f64; N]) -> f64,
    start: [f64; N],
    steps: [f64; N],
) -> ([f64; N], f64) {
    let mut points: Vec<([f64; N], f64)> = Vec::with_capacity(N + 1);
    points.push((start, f(&start)));
    for i in 0..N {
        let mut x = start;
        x[i] += steps[i];
        points.push((x, f(&x)));
    }
    for _ in 0..400 * N {
        points.sort_by(|a, b| a.1.total_cmp(&b.1));
        let spread = (0..N)
            .map(|i| (points[N].0[i] - points[0].0[i]).abs() / (1e-300 + steps[i].abs()))
            .fold(0.0, f64::max);
        if spread < 1e-10 || points[N].1 == points[0].1 && spread < 1e-8 {
            break;
        }
        let mut centre = [0.0; N];
        for (x, _) in &points[..N] {
            for i in 0..N {
                centre[i] += x[i] / N as f64;
            }
        }
        let worst = points[N];
        let along = |t: f64| -> ([f64; N], f64) {
            let x = std::array::from_fn(|i| centre[i] + t * (worst.0[i] - centre[i]));
            (x, f(&x))
        };
        let reflected = along(-1.0);
        points[N] = if reflected.1 < points[0].1 {
            let expanded = along(-2.0);
            if expanded.1 < reflected.1 {
                expanded
            } else {
                reflected
            }
        } else if reflected.1 < points[N - 1].1 {
            reflected
        } else {
            let contracted = along(if reflected.1 < worst.1 { -0.5 } else { 0.5 });
            if contracted.1 < worst.1.min(reflected.1) {
                contracted
            } else {
                let first = points[0].0;
                for (x, value) in &mut points[1..] {
                    for i in 0..N {
                        x[i] = first[i] + 0.5 * (x[i] - first[i]);
                    }
                    *value = f(x);
                }
                continue;
            }
        };
    }
    points.sort_by(|a, b| a.1.total_cmp(&b.1));
    points[0]
}

/// Matrix of second derivatives of `f` at `x` by central differences of the given steps.
pub fn hessian<const N: usize>(
    f: impl Fn(&[f64; N]) -> f64,
    x: [f64; N],
    steps: [f64; N],
) -> [[f64; N]; N] {
    let at = |moves: &[(usize, f64)]| {
        let mut y = x;
        for &(i, m) in moves {
            y[i] += m * steps[i];
        }
        f(&y)
    };
    let middle = f(&x);
    let mut h = [[0.0; N]; N];
    for i in 0..N {
        h[i][i] = (at(&[(i, 1.0)]) - 2.0 * middle + at(&[(i, -1.0)])) / (steps[i] * steps[i]);
        for j in 0..i {
            let corners =
                at(&[(i, 1.0), (j, 1.0)]) - at(&[(i, 1.0), (j, -1.0)]) - at(&[(i, -1.0), (j, 1.0)])
                    + at(&[(i, -1.0), (j, -1.0)]);
            h[i][j] = corners / (4.0 * steps[i] * steps[j]);
            h[j][i] = h[i][j];
        }
    }
    h
}

/// Inverse of a symmetric positive definite matrix by Cholesky; `None` where it is not one.
pub fn inverse<const N: usize>(m: &[[f64; N]; N]) -> Option<[[f64; N]; N]> {
    let mut l = [[0.0; N]; N];
    for i in 0..N {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[i][k] * l[j][k]).sum();
            if i == j {
                let d = m[i][i] - dot;
                if d.is_nan() || d <= 0.0 {
                    return None;
                }
                l[i][i] = d.sqrt();
            } else {
                l[i][j] = (m[i][j] - dot) / l[j][j];
            }
        }
    }
    let mut out = [[0.0; N]; N];
    for column in 0..N {
        let mut y = [0.0; N];
        for i in 0..N {
            let dot: f64 = (0..i).map(|k| l[i][k] * y[k]).sum();
            y[i] = (f64::from(u8::from(i == column)) - dot) / l[i][i];
        }
        for i in (0..N).rev() {
            let dot: f64 = (i + 1..N).map(|k| l[k][i] * out[k][column]).sum();
            out[i][column] = (y[i] - dot) / l[i][i];
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rosenbrock_and_its_curvature() {
        let f = |x: &[f64; 2]| {
            let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
            a * a + 100.0 * b * b
        };
        let (x, value) = minimise(f, [-1.2, 1.0], [0.5, 0.5]);
        assert!((x[0] - 1.0).abs() < 1e-6 && (x[1] - 1.0).abs() < 1e-6 && value < 1e-12);
        let h = hessian(f, [1.0, 1.0], [1e-3, 1e-3]);
        // Exact: [[802, -400], [-400, 200]]; central differences err by the fourth derivative, 2400·h²/12.
        assert!((h[0][0] - 802.0).abs() < 1e-3 && (h[0][1] + 400.0).abs() < 1e-3);
        let v = inverse(&[[802.0, -400.0], [-400.0, 200.0]]).unwrap();
        assert!((v[0][0] - 0.5).abs() < 1e-10 && (v[1][1] - 2.005).abs() < 1e-10);
        assert!(inverse(&[[1.0, 2.0], [2.0, 1.0]]).is_none());
    }
}
