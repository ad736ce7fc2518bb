//! How often how much rain falls at a point in how long: the local storm formula, extended and scaled.
//!
//! - Up to the formula's longest duration (3 h): i = A1 (1 + C lg P) / (t + b)^n, mm/min (暴雨强度公式).
//! - Beyond: depth ~ t^(1 - n2) up to 24 h and t^(1 - n3) to 72 h and further, the decay law of Chinese storm atlases,
//!   joined at the formula's longest duration. Depth is therefore h(d) (1 + C lg P) at every duration: one growth
//!   factor per return period, which the storm catalogue uses.
//! - In space: proportional to the ITU-R P.837-7 rain rate exceeded 0.01 % of the year, over that at the station.
//!
//! A point formula is not spread over a prefecture: an area gets [`areal_reduction`] for a design storm, or storms with
//! extent from the catalogue, where the point frequency is kept and the areal one follows.
//!
//! P < 1 year and durations beyond 72 h are extrapolation; the functions give it without complaint.

use super::parameters::{ArealReduction, LongDurations, Sampling, StormFormula};

/// Intensity-duration-frequency of rain at a point.
#[derive(Debug, Clone, PartialEq)]
pub struct Idf {
    formula: StormFormula,
    long: LongDurations,
    scale: f64,
}

impl Idf {
    /// The formula at its own station.
    pub fn new(formula: &StormFormula, long: &LongDurations) -> Self {
        Idf {
            formula: formula.clone(),
            long: long.clone(),
            scale: 1.0,
        }
    }

    /// The formula carried to a place whose ITU-R rain rate exceeded 0.01 % of the year is `rain_rate_mm_h`.
    #[must_use]
    pub fn at_rain_rate(&self, rain_rate_mm_h: f64) -> Self {
        Idf {
            scale: rain_rate_mm_h / self.formula.station_rain_rate_mm_h,
            ..self.clone()
        }
    }

    /// Depth in mm over the greatest `duration_h` hours of a storm of return period P (as the formula counts it).
    pub fn depth_mm(&self, duration_h: f64, return_period_years: f64) -> f64 {
        self.unit_depth_mm(duration_h) * self.growth(return_period_years)
    }

    /// Return period in years, as the formula counts it, of a depth over a duration.
    pub fn return_period_years(&self, duration_h: f64, depth_mm: f64) -> f64 {
        self.period_of_growth(depth_mm / self.unit_depth_mm(duration_h))
    }

    /// Growth factor 1 + C lg P.
    pub fn growth(&self, return_period_years: f64) -> f64 {
        1.0 + self.formula.c * libm::log10(return_period_years)
    }

    /// Return period of a growth factor, years.
    pub fn period_of_growth(&self, growth: f64) -> f64 {
        libm::exp((growth - 1.0) / self.e_folding())
    }

    /// Depth of growth 1 (P = 1 year), mm.
    pub fn unit_depth_mm(&self, duration_h: f64) -> f64 {
        let f = &self.formula;
        let within = |h: f64| {
            let t = 60.0 * h;
            f.a1_mm_min * t / libm::pow(t + f.b_min, f.n)
        };
        let (a, b) = (
            1.0 - self.long.exponent_to_24_h,
            1.0 - self.long.exponent_to_72_h,
        );
        let depth = if duration_h <= f.longest_h {
            within(duration_h)
        } else {
            let to_day = duration_h.min(24.0).max(f.longest_h);
            let day = within(f.longest_h) * libm::pow(to_day / f.longest_h, a);
            day * libm::pow((duration_h / 24.0).max(1.0), b)
        };
        self.scale * depth
    }

    /// Mean number of exceedances a year of a growth factor, and its derivative. With a formula counted on annual
    /// maxima the rate is -ln(1 - 1/P), infinite at P = 1 year.
    pub(crate) fn rate(&self, growth: f64) -> (f64, f64) {
        let c = self.e_folding();
        let q = libm::exp((1.0 - growth) / c);
        match self.formula.sampling {
            Sampling::PartialDuration => (q, -q / c),
            Sampling::AnnualMaximum if q < 1.0 => (-libm::log1p(-q), -q / (1.0 - q) / c),
            Sampling::AnnualMaximum => (f64::INFINITY, f64::NEG_INFINITY),
        }
    }

    /// Growth by which the return period rises by the factor e.
    pub(crate) fn e_folding(&self) -> f64 {
        self.formula.c / std::f64::consts::LN_10
    }

    /// Depths in mm of the steps of a Chicago hyetograph (Keifer and Chu 1957), each the exact integral over its step.
    ///
    /// `peak_at` is the share of the duration before the peak, in (0, 1). Total = depth of the formula; no step is a
    /// point sample. Holds within the formula's durations; a duration beyond takes the formula outside its range.
    pub fn chicago_mm(
        &self,
        return_period_years: f64,
        duration_min: f64,
        peak_at: f64,
        steps: usize,
    ) -> Vec<f64> {
        let f = &self.formula;
        let a = self.scale * f.a1_mm_min * self.growth(return_period_years);
        // Depth within x minutes of one side of the peak, x measured on the stretched axis of the formula.
        let within = |x: f64| a * x / libm::pow(x + f.b_min, f.n);
        let peak = peak_at * duration_min;
        let until = |t: f64| {
            if t <= peak {
                peak_at * (within(duration_min) - within((peak - t) / peak_at))
            } else {
                peak_at * within(duration_min)
                    + (1.0 - peak_at) * within((t - peak) / (1.0 - peak_at))
            }
        };
        let edge = |i: usize| duration_min * i as f64 / steps as f64;
        (0..steps)
            .map(|i| until(edge(i + 1)) - until(edge(i)))
            .collect()
    }
}

/// Areal reduction factor (点面折减系数): mean depth over an area over the depth at a point, of equal return period.
/// 1 for areas up to 1 km².
pub fn areal_reduction(law: &ArealReduction, area_km2: f64, duration_h: f64) -> f64 {
    if area_km2 <= 1.0 {
        return 1.0;
    }
    let exponent = law.exponent - law.log_exponent * libm::log(area_km2);
    let loss = law.coefficient * libm::pow(area_km2, exponent)
        / libm::pow(duration_h, law.duration_exponent);
    (1.0 - loss).max(law.least)
}

#[cfg(test)]
mod tests {
    use super::super::parameters::{Status, WeatherParameters};
    use super::*;
    use proptest::prelude::*;

    fn zhejiang() -> Idf {
        let p = WeatherParameters::zhejiang().unwrap();
        Idf::new(&p.storm_formula, &p.long_durations)
    }

    #[test]
    fn chicago_storm_matches_the_golden_values() {
        let mut p = WeatherParameters::zhejiang().unwrap();
        p.storm_formula = StormFormula {
            name: "golden".into(),
            a1_mm_min: 12.0,
            c: 0.7,
            b_min: 8.0,
            n: 0.71,
            sampling: Sampling::PartialDuration,
            longest_h: 3.0,
            station_rain_rate_mm_h: 60.0,
            source: "test".into(),
            status: Status::Read,
        };
        let idf = Idf::new(&p.storm_formula, &p.long_durations);
        let steps = idf.chicago_mm(20.0, 120.0, 0.4, 24);
        let total: f64 = steps.iter().sum();
        assert!((total - 87.789_12).abs() < 5e-6, "{total}");
        assert!((idf.depth_mm(2.0, 20.0) - 87.789_12).abs() < 5e-6);
        // Shortest steps tend to the peak intensity a/b^n.
        let fine = idf.chicago_mm(20.0, 120.0, 0.4, 1_200_000);
        let peak = fine.iter().fold(0.0_f64, |a, &b| a.max(b)) * 1e4;
        assert!((peak - 5.238_231).abs() < 1e-4, "{peak}");
        // The step after the peak: (1 - r) x depth of the formula in dt/(1 - r).
        let t = 5.0 / 0.6;
        let a = 12.0 * (1.0 + 0.7 * libm::log10(20.0));
        let by_hand = 0.6 * a * t / libm::pow(t + 8.0, 0.71);
        let after = steps[(0.4_f64 * 24.0).ceil() as usize];
        assert!(after < by_hand && steps[9] > 0.9 * by_hand);
    }

    #[test]
    fn hangzhou_formula_in_litres_per_second_and_hectare() {
        // q = 10174 (1 + 0.844 lg 2) / (60 + 25)^1.038, by hand 126.84 L/(s ha) = 45.66 mm/h.
        let q = 10_174.0 * (1.0 + 0.844 * libm::log10(2.0)) / libm::pow(85.0, 1.038);
        let i = zhejiang().depth_mm(1.0, 2.0);
        assert!((i - q / 167.0 * 60.0).abs() < 1e-3 * i, "{i} {q}");
    }

    #[test]
    fn scaling_is_proportional_to_the_rain_rate() {
        let idf = zhejiang();
        let there = idf.at_rain_rate(2.0 * 60.957);
        assert!((there.depth_mm(1.0, 10.0) / idf.depth_mm(1.0, 10.0) - 2.0).abs() < 1e-12);
    }

    #[test]
    fn areal_reduction_by_hand() {
        let p = WeatherParameters::zhejiang().unwrap();
        // A = 100 km², d = 1 h: exponent 0.36 - 0.0460517 = 0.3139483; 100^0.3139483 = 4.24505; 1 - 0.203762.
        let r = areal_reduction(&p.areal_reduction, 100.0, 1.0);
        assert!((r - 0.796_238).abs() < 1e-5, "{r}");
        assert_eq!(areal_reduction(&p.areal_reduction, 0.5, 1.0), 1.0);
        assert!(areal_reduction(&p.areal_reduction, 1e5, 0.5) >= 0.25);
    }

    proptest! {
        #[test]
        fn depth_and_return_period_are_inverse(d in 0.1..72.0_f64, t in 1.0..1000.0_f64) {
            let idf = zhejiang();
            let back = idf.return_period_years(d, idf.depth_mm(d, t));
            prop_assert!((back / t - 1.0).abs() < 1e-9);
        }

        #[test]
        fn depth_rises_with_duration_and_return_period(d in 0.1..60.0_f64, t in 1.0..500.0_f64) {
            let idf = zhejiang();
            prop_assert!(idf.depth_mm(d * 1.2, t) > idf.depth_mm(d, t));
            prop_assert!(idf.depth_mm(d, t * 1.2) > idf.depth_mm(d, t));
        }
    }
}
