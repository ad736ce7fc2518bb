//! Breaches (溃口): how large, how fast, how much water.
//!
//! * [`BreachGrowth`]: a trapezoid that widens and sinks from its first to its last form, linearly or along a half sine
//!   wave, (1 - cos πτ) / 2. A level crest is a trapezoid of vertical sides.
//! * [`DykeBreach`]: a breach in a river dyke, widened by the difference of the levels on its sides.
//! * [`Opened::flow_m3_s`]: rectangle as a [`Weir`], side slopes as in the National Weather Service's DAMBRK, 0.8 of the
//!   broad-crested weir's unit flow on the wedges: Q = q b + 4/5 q z H, q of the head H.
//! * Sizes and times of breaches in dams come from [`super::dams`].
//!
//! # References
//! Fread (1988), The NWS DAMBRK model, National Weather Service. Verheij (2003), Aanpassen van het bresgroeimodel in
//! HIS-OM, WL Delft Hydraulics Q3299 (the formula read in program sources).

use super::weirs::Weir;
use super::{GRAVITY, above_zero, require};
use anlan_engine::Result;

/// Course of a breach between its first and its last form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// Evenly.
    Linear,
    /// Slow, fast, slow: half a sine wave.
    Sine,
}

/// A breach that grows in time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BreachGrowth {
    /// Begin, s.
    pub start_s: f64,
    /// Time from begin to the last form, s; 0: at once.
    pub duration_s: f64,
    /// Width at the bottom in the first and in the last form, m.
    pub bottom_width_m: [f64; 2],
    /// Level of the bottom in the first (usually the crest) and in the last form, m above datum.
    pub bottom_m: [f64; 2],
    /// Run of the sides per rise, at least 0.
    pub side_slope: f64,
    /// Course.
    pub progress: Progress,
}

/// Form of a breach at one moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opened {
    /// Width at the bottom, m.
    pub bottom_width_m: f64,
    /// Level of the bottom, m above datum.
    pub bottom_m: f64,
    /// Run of the sides per rise.
    pub side_slope: f64,
}

impl BreachGrowth {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A time that is negative or no number, widths that are negative or shrink, a bottom that rises, a negative slope.
    pub fn check(&self) -> Result<()> {
        let [w0, w1] = self.bottom_width_m;
        let [z0, z1] = self.bottom_m;
        require(
            "breach",
            self,
            &[
                (
                    self.start_s.is_finite()
                        && self.duration_s >= 0.0
                        && self.duration_s.is_finite(),
                    "a begin and a duration of at least 0 s",
                ),
                (
                    0.0 <= w0 && w0 <= w1 && w1.is_finite(),
                    "widths of at least 0 m that do not shrink",
                ),
                (
                    z1 <= z0 && z0.is_finite() && z1.is_finite(),
                    "a bottom that does not rise",
                ),
                (
                    self.side_slope >= 0.0 && self.side_slope.is_finite(),
                    "a side slope of at least 0",
                ),
            ],
        )
    }

    /// Share of the growth at a time, 0..=1.
    pub fn share(&self, t_s: f64) -> f64 {
        let since = t_s - self.start_s;
        if since >= self.duration_s {
            return f64::from(u8::from(since >= 0.0));
        }
        let tau = (since / self.duration_s).max(0.0);
        match self.progress {
            Progress::Linear => tau,
            Progress::Sine => 0.5 * (1.0 - libm::cos(std::f64::consts::PI * tau)),
        }
    }

    /// Form at a time; `None` before the begin.
    pub fn at(&self, t_s: f64) -> Option<Opened> {
        let p = self.share(t_s);
        let between = |[a, b]: [f64; 2]| a + p * (b - a);
        (t_s >= self.start_s).then(|| Opened {
            bottom_width_m: between(self.bottom_width_m),
            bottom_m: between(self.bottom_m),
            side_slope: self.side_slope,
        })
    }
}

impl Opened {
    /// Width at a level, m.
    pub fn width_m(&self, level_m: f64) -> f64 {
        self.bottom_width_m + 2.0 * self.side_slope * (level_m - self.bottom_m).max(0.0)
    }

    /// Flow, m³/s, from a to b.
    pub fn flow_m3_s(&self, weir: &Weir, level_a_m: f64, level_b_m: f64) -> f64 {
        let head = (level_a_m.max(level_b_m) - self.bottom_m).max(0.0);
        let q = weir.flow_m2_s(level_a_m, level_b_m, self.bottom_m);
        q * (self.bottom_width_m + 0.8 * self.side_slope * head)
    }
}

/// Width that a breach in a river dyke gains in `since_h` hours after its bottom reached its lowest level, under a steady
/// difference of levels, m: 1.3 g^0.5 ΔH^1.5 / uc · log10(1 + 0.04 g t / uc), t in h (Verheij 2003).
/// `critical_m_s`: critical velocity of the fill, about 0.2 m/s for sand, 0.5 m/s for clay.
pub fn dyke_width_m(head_m: f64, critical_m_s: f64, since_h: f64) -> f64 {
    let head = head_m.max(0.0);
    let scale = 1.3 * GRAVITY.sqrt() * head * head.sqrt() / critical_m_s;
    scale * libm::log10(1.0 + 0.04 * GRAVITY / critical_m_s * since_h.max(0.0))
}

/// A breach in a river dyke (堤防溃口) that the water itself widens: first it sinks to its bottom in a given time, then it
/// widens by [`dyke_width_m`] under the levels of each interval. The width is the caller's to keep.
///
/// # Examples
/// ```
/// use anlan_models::flood::works::breach::DykeBreach;
///
/// let dyke = DykeBreach {
///     start_s: 0.0,
///     deepening_s: 600.0,
///     width_m: [10.0, 150.0],
///     level_m: [8.0, 4.5],
///     critical_m_s: 0.2,
/// };
/// dyke.check()?;
/// let mut width_m = dyke.width_m[0];
/// for minute in 0..120 {
///     let t = f64::from(minute) * 60.0;
///     width_m = dyke.widened_m(width_m, (t, t + 60.0), 7.5, 5.0);
/// }
/// assert!(width_m > 40.0 && width_m < 150.0);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DykeBreach {
    /// Begin, s.
    pub start_s: f64,
    /// Time in which the bottom sinks, s.
    pub deepening_s: f64,
    /// First and greatest width, m.
    pub width_m: [f64; 2],
    /// Crest and lowest bottom, m above datum.
    pub level_m: [f64; 2],
    /// Critical velocity of the fill, m/s.
    pub critical_m_s: f64,
}

impl DykeBreach {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Times that are negative or no numbers, widths that are negative or shrink, a bottom above the crest, a critical
    /// velocity that is not above 0.
    pub fn check(&self) -> Result<()> {
        let ([w0, w1], [crest, bottom]) = (self.width_m, self.level_m);
        require(
            "dyke breach",
            self,
            &[
                (
                    self.start_s.is_finite()
                        && self.deepening_s >= 0.0
                        && self.deepening_s.is_finite(),
                    "a begin and a time of deepening of at least 0 s",
                ),
                (
                    0.0 <= w0 && w0 <= w1 && w1.is_finite(),
                    "widths of at least 0 m that do not shrink",
                ),
                (
                    bottom <= crest && bottom.is_finite() && crest.is_finite(),
                    "a bottom that is not above the crest",
                ),
                (
                    above_zero(self.critical_m_s),
                    "a critical velocity above 0 m/s",
                ),
            ],
        )
    }

    /// Form at a time with the width that it has now; `None` before the begin.
    pub fn at(&self, t_s: f64, width_m: f64) -> Option<Opened> {
        let since = t_s - self.start_s;
        let share = if since >= self.deepening_s {
            1.0
        } else {
            since / self.deepening_s
        };
        let [crest, bottom] = self.level_m;
        (since >= 0.0).then_some(Opened {
            bottom_width_m: width_m,
            bottom_m: crest + share * (bottom - crest),
            side_slope: 0.0,
        })
    }

    /// Width at the end of an interval `(from, to)`, s, in which the levels on the two sides are steady.
    pub fn widened_m(
        &self,
        width_m: f64,
        interval_s: (f64, f64),
        level_a_m: f64,
        level_b_m: f64,
    ) -> f64 {
        let bottom = self.level_m[1];
        let above = |level: f64| (level - bottom).max(0.0);
        let head = (above(level_a_m) - above(level_b_m)).abs();
        let hours = |t: f64| (t - self.start_s - self.deepening_s).max(0.0) / 3600.0;
        let gained = dyke_width_m(head, self.critical_m_s, hours(interval_s.1))
            - dyke_width_m(head, self.critical_m_s, hours(interval_s.0));
        (width_m + gained.max(0.0)).min(self.width_m[1].max(width_m))
    }
}

#[cfg(test)]
mod tests {
    use super::super::dams::{Failure, Reservoir, froehlich_2008};
    use super::super::weirs::tests::lawful;
    use super::*;
    use proptest::prelude::*;

    fn near(a: f64, b: f64, share: f64) {
        assert!((a / b - 1.0).abs() < share, "{a} {b}");
    }

    #[test]
    fn breaches_grow() {
        let dam = Reservoir {
            volume_m3: 310e6,
            water_m: 77.4,
            breach_m: 86.9,
            dam_m: 93.0,
            failure: Failure::Piping,
        };
        let growth = froehlich_2008(&dam).growth(100.0, 86.9, 3600.0, Progress::Sine);
        growth.check().unwrap();
        assert!(growth.at(3599.0).is_none());
        let (first, last) = (growth.at(3600.0).unwrap(), growth.at(1e9).unwrap());
        assert_eq!((first.bottom_width_m, first.bottom_m), (0.0, 100.0));
        assert!((last.bottom_m - 13.1).abs() < 1e-12);
        near(
            last.width_m(100.0 - 0.5 * 86.9),
            froehlich_2008(&dam).average_width_m,
            1e-12,
        );
        let middle = growth.at(3600.0 + 0.5 * growth.duration_s).unwrap();
        near(middle.bottom_width_m, 0.5 * last.bottom_width_m, 1e-12);
        let quarter = growth.share(3600.0 + 0.25 * growth.duration_s);
        near(quarter, 0.5 - 0.25 * 2f64.sqrt(), 1e-12);
        let linear = BreachGrowth {
            progress: Progress::Linear,
            ..growth
        };
        near(linear.share(3600.0 + 0.25 * growth.duration_s), 0.25, 1e-12);
        let sudden = BreachGrowth {
            duration_s: 0.0,
            ..growth
        };
        assert_eq!((sudden.share(3599.0), sudden.share(3600.0)), (0.0, 1.0));
        assert!(
            BreachGrowth {
                bottom_m: [0.0, 1.0],
                ..growth
            }
            .check()
            .is_err()
        );
        // DAMBRK in feet, 3.1 b H^1.5 + 2.45 z H^2.5, is 1.711 and 1.353 in metres: here 1.705 and 1.364.
        let weir = Weir {
            discharge: 0.577,
            modular_limit: 0.667,
        };
        let hole = Opened {
            bottom_width_m: 20.0,
            bottom_m: 0.0,
            side_slope: 1.0,
        };
        let q = hole.flow_m3_s(&weir, 4.0, 0.0);
        near(q, 1.711 * 20.0 * 8.0 + 1.353 * 32.0, 5e-3);
        // A sand dyke under 3 m: some tens of metres within the first hours.
        let w = dyke_width_m(3.0, 0.2, 1.0);
        assert!((40.0..60.0).contains(&w), "{w}");
        assert_eq!(dyke_width_m(0.0, 0.2, 1.0), 0.0);
    }

    #[test]
    fn dykes_widen_under_the_levels_of_each_interval() {
        let dyke = DykeBreach {
            start_s: 100.0,
            deepening_s: 600.0,
            width_m: [10.0, 80.0],
            level_m: [8.0, 4.0],
            critical_m_s: 0.2,
        };
        dyke.check().unwrap();
        assert!(dyke.at(99.0, 10.0).is_none());
        assert_eq!(dyke.at(400.0, 10.0).unwrap().bottom_m, 6.0);
        assert_eq!(dyke.at(9e9, 10.0).unwrap().bottom_m, 4.0);
        // Nothing while it sinks; then, however it is cut, the closed form; equal levels do not widen.
        let mut width = dyke.widened_m(10.0, (0.0, 700.0), 7.0, 4.0);
        assert_eq!(width, 10.0);
        for k in 0..7 {
            let t = 700.0 + 200.0 * f64::from(k);
            width = dyke.widened_m(width, (t, t + 200.0), 7.0, 3.0);
        }
        near(width - 10.0, dyke_width_m(3.0, 0.2, 1400.0 / 3600.0), 1e-12);
        assert_eq!(dyke.widened_m(width, (2100.0, 9000.0), 6.0, 6.0), width);
        assert_eq!(dyke.widened_m(width, (2100.0, 9e6), 7.0, 4.0), 80.0);
        assert!(
            DykeBreach {
                critical_m_s: 0.0,
                ..dyke
            }
            .check()
            .is_err()
        );
    }

    proptest! {
        #[test]
        fn breach_flow_is_lawful(a in -1.0f64..6.0, b in -1.0f64..6.0, z in 0.0f64..2.0) {
            let weir = Weir { discharge: 0.577, modular_limit: 0.667 };
            let hole = Opened { bottom_width_m: 5.0, bottom_m: 0.0, side_slope: z };
            lawful(|a, b| hole.flow_m3_s(&weir, a, b), (a, b), 5000.0, true)?;
        }
    }
}
