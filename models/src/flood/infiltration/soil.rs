//! Soil under a run of cells: the laws themselves.

/// Rain of an interval.
#[derive(Debug, Clone, Copy)]
pub enum Rain<'a> {
    /// The same depth on all cells, m.
    Uniform(f64),
    /// Depth of every cell of the run, m.
    Cells(&'a [f32]),
}

/// What an interval brought and took, summed over the cells of a run; times the area of a cell these are volumes.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Wetting {
    /// Rain, m.
    pub rain_m: f64,
    /// Infiltrated, m.
    pub lost_m: f64,
}

/// A run of cells of an [`super::Infiltration`], for work in parallel.
#[derive(Debug)]
pub struct Soil<'a> {
    pub(super) cells: usize,
    pub(super) law: LawOf<'a>,
}

#[derive(Debug)]
pub(super) enum LawOf<'a> {
    None,
    Constant {
        rate_m_s: &'a [f32],
    },
    CurveNumber {
        retention_m: &'a [f32],
        ia_ratio: f64,
        fallen_m: &'a mut [f64],
    },
    GreenAmpt {
        conductivity_m_s: &'a [f32],
        suction_m: &'a [f32],
        deficit: &'a [f32],
        ponded_head: bool,
        taken_m: &'a mut [f64],
    },
    Horton {
        initial_m_s: &'a [f32],
        final_m_s: &'a [f32],
        decay_per_s: &'a [f32],
        recovery: f64,
        dryness: &'a mut [f64],
    },
}

impl<'a> Soil<'a> {
    /// Cuts the run after its first `cells` cells, or at its end.
    #[must_use]
    pub fn split_at(self, cells: usize) -> (Soil<'a>, Soil<'a>) {
        let at = cells.min(self.cells);
        let (a, b) = match self.law {
            LawOf::None => (LawOf::None, LawOf::None),
            LawOf::Constant { rate_m_s } => {
                let (a, b) = rate_m_s.split_at(at);
                (
                    LawOf::Constant { rate_m_s: a },
                    LawOf::Constant { rate_m_s: b },
                )
            }
            LawOf::CurveNumber {
                retention_m,
                ia_ratio,
                fallen_m,
            } => {
                let (sa, sb) = retention_m.split_at(at);
                let (pa, pb) = fallen_m.split_at_mut(at);
                let law = |retention_m, fallen_m| LawOf::CurveNumber {
                    retention_m,
                    ia_ratio,
                    fallen_m,
                };
                (law(sa, pa), law(sb, pb))
            }
            LawOf::GreenAmpt {
                conductivity_m_s,
                suction_m,
                deficit,
                ponded_head,
                taken_m,
            } => {
                let (ka, kb) = conductivity_m_s.split_at(at);
                let (sa, sb) = suction_m.split_at(at);
                let (da, db) = deficit.split_at(at);
                let (ta, tb) = taken_m.split_at_mut(at);
                let law = |conductivity_m_s, suction_m, deficit, taken_m| LawOf::GreenAmpt {
                    conductivity_m_s,
                    suction_m,
                    deficit,
                    ponded_head,
                    taken_m,
                };
                (law(ka, sa, da, ta), law(kb, sb, db, tb))
            }
            LawOf::Horton {
                initial_m_s,
                final_m_s,
                decay_per_s,
                recovery,
                dryness,
            } => {
                let (ia, ib) = initial_m_s.split_at(at);
                let (fa, fb) = final_m_s.split_at(at);
                let (ka, kb) = decay_per_s.split_at(at);
                let (xa, xb) = dryness.split_at_mut(at);
                let law = |initial_m_s, final_m_s, decay_per_s, dryness| LawOf::Horton {
                    initial_m_s,
                    final_m_s,
                    decay_per_s,
                    recovery,
                    dryness,
                };
                (law(ia, fa, ka, xa), law(ib, fb, kb, xb))
            }
        };
        (
            Soil { cells: at, law: a },
            Soil {
                cells: self.cells - at,
                law: b,
            },
        )
    }

    /// Number of cells of the run.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Adds the rain of an interval of `dt_s` and takes out what infiltrates, never more than is there.
    ///
    /// The water of a cell is the unevaluated sum `depth_m + rest_m`; it is read and written as such, so that the least
    /// rain on deep water is kept. A cell whose sum is negative is left alone until rain fills it.
    ///
    /// # Panics
    /// Slices of another length than the run.
    pub fn apply(
        &mut self,
        rain: Rain<'_>,
        depth_m: &mut [f32],
        rest_m: &mut [f32],
        dt_s: f64,
    ) -> Wetting {
        match rain {
            Rain::Uniform(m) => self.wet(|_| m, depth_m, rest_m, dt_s),
            Rain::Cells(m) => {
                assert_eq!(m.len(), self.cells, "rain");
                self.wet(|i| f64::from(m[i]), depth_m, rest_m, dt_s)
            }
        }
    }

    fn wet(
        &mut self,
        rain: impl Fn(usize) -> f64,
        depth_m: &mut [f32],
        rest_m: &mut [f32],
        dt: f64,
    ) -> Wetting {
        assert_eq!(depth_m.len(), self.cells, "depth");
        assert_eq!(rest_m.len(), self.cells, "rest");
        match &mut self.law {
            LawOf::None => exchange(rain, depth_m, rest_m, |_, _, _| 0.0),
            LawOf::Constant { rate_m_s } => exchange(rain, depth_m, rest_m, |i, there, _| {
                there.min(f64::from(rate_m_s[i]) * dt)
            }),
            LawOf::CurveNumber {
                retention_m,
                ia_ratio,
                fallen_m,
            } => exchange(rain, depth_m, rest_m, |i, there, rain| {
                let s = f64::from(retention_m[i]);
                let before = fallen_m[i];
                fallen_m[i] = before + rain;
                let lost = kept(before + rain, s, *ia_ratio) - kept(before, s, *ia_ratio);
                lost.clamp(0.0, there)
            }),
            LawOf::GreenAmpt {
                conductivity_m_s,
                suction_m,
                deficit,
                ponded_head,
                taken_m,
            } => exchange(rain, depth_m, rest_m, |i, there, _| {
                let head = if *ponded_head { there } else { 0.0 };
                let s = (f64::from(suction_m[i]) + head) * f64::from(deficit[i]);
                let k_dt = f64::from(conductivity_m_s[i]) * dt;
                let x = ponded(k_dt, s, taken_m[i], there);
                taken_m[i] += x;
                x
            }),
            LawOf::Horton {
                initial_m_s,
                final_m_s,
                decay_per_s,
                recovery,
                dryness,
            } => exchange(rain, depth_m, rest_m, |i, there, _| {
                let k = f64::from(decay_per_s[i]);
                let x = dryness[i];
                if there <= 0.0 {
                    dryness[i] = 1.0 - (1.0 - x) * libm::exp(-*recovery * k * dt);
                    return 0.0;
                }
                let fc = f64::from(final_m_s[i]);
                let a = (f64::from(initial_m_s[i]) - fc) * x / k;
                let decayed = libm::expm1(-k * dt);
                let full = fc * dt - a * decayed;
                if there >= full {
                    dryness[i] = x * (1.0 + decayed);
                    return full;
                }
                dryness[i] = x * libm::exp(-k * time_to_take(there, fc, a, k, dt));
                there
            }),
        }
    }
}

/// Adds the rain of each cell and takes out what `take(cell, water there, rain)` says.
#[inline(always)]
pub(in crate::flood) fn exchange(
    rain: impl Fn(usize) -> f64,
    depth_m: &mut [f32],
    rest_m: &mut [f32],
    mut take: impl FnMut(usize, f64, f64) -> f64,
) -> Wetting {
    let mut sum = Wetting::default();
    for (i, (h, rest)) in depth_m.iter_mut().zip(rest_m).enumerate() {
        let rain = rain(i);
        let water = f64::from(*h) + f64::from(*rest) + rain;
        let lost = take(i, water.max(0.0), rain);
        let water = water - lost;
        *h = water as f32;
        *rest = (water - f64::from(*h)) as f32;
        sum.rain_m += rain;
        sum.lost_m += lost;
    }
    sum
}

/// Loss, m, of a cumulative rain with retention `s`, m: the rain less its effective part. Without branches, for vectors.
#[inline(always)]
fn kept(fallen: f64, s: f64, ia_ratio: f64) -> f64 {
    let initial = ia_ratio * s;
    let over = (fallen - initial).max(0.0);
    fallen.min(initial) + s * over / (over + s).max(1e-300)
}

/// What Green-Ampt takes of `there` with `k_dt` = K dt, `s` = suction times deficit, `f` taken before; all m.
pub(super) fn ponded(k_dt: f64, s: f64, f: f64, there: f64) -> f64 {
    // The rate is never below K.
    if there <= k_dt {
        return there;
    }
    if s <= 0.0 || k_dt <= 0.0 {
        return k_dt.min(there);
    }
    // The implicit Euler step lies below the root; the function is convex, so that the first Newton step goes beyond it
    // and the others come back.
    let b = f - k_dt;
    let c = k_dt * (f + s);
    let root = (b * b + 4.0 * c).sqrt();
    let mut x = if b > 0.0 {
        2.0 * c / (b + root)
    } else {
        0.5 * (root - b)
    };
    if x >= there {
        return there;
    }
    for _ in 0..12 {
        let beyond = x - s * libm::log1p(x / (f + s)) - k_dt;
        let step = beyond * (f + s + x) / (f + x);
        x -= step;
        // The error that a step leaves is at most half its square, in units of f + x.
        if step.abs() <= 1e-7 * (f + x) {
            break;
        }
    }
    x.clamp(0.0, there)
}

/// Time, s, in which Horton's soil takes `water` at capacity: fc t + a (1 - exp(-k t)) = water, within 0..=dt.
fn time_to_take(water: f64, fc: f64, a: f64, k: f64, dt: f64) -> f64 {
    // The function is concave: Newton from the left stays on the left.
    let mut t = water / (fc + a * k);
    for _ in 0..20 {
        let decayed = libm::exp(-k * t);
        let step = (water - fc * t - a * (1.0 - decayed)) / (fc + a * k * decayed);
        t += step;
        if step.abs() <= 1e-13 * dt {
            break;
        }
    }
    t.clamp(0.0, dt)
}
