use super::beta::beta_front;
use super::*;
use proptest::prelude::*;
use statrs::distribution::{
    Beta, Binomial, ContinuousCDF, DiscreteCDF, Gamma, NegativeBinomial, Poisson,
};
use std::f64::consts::{LN_2, PI};

fn close(found: f64, expected: f64, relative: f64) {
    assert!(
        (found - expected).abs() <= relative * expected.abs(),
        "found {found:e}, expected {expected:e}"
    );
}

/// mpmath 1.3, 40 digits: (p, normal quantile).
const NORMAL: &[(f64, f64)] = &[
    (1e-300, -37.0470962993612),
    (1e-50, -14.933337534788489),
    (1e-12, -7.034483825301132),
    (1e-05, -4.264890793922825),
    (0.001, -3.0902323061678136),
    (0.01, -2.326347874040841),
    (0.07, -1.4757910281791706),
    (0.0751, -1.43882539275254),
    (0.2, -0.8416212335729142),
    (0.4, -0.2533471031357997),
    (0.49999, -2.5066282748960008e-05),
    (0.6, 0.2533471031357997),
    (0.95, 1.6448536269514722),
    (0.999, 3.090232306167813),
    (0.999999, 4.753424308817088),
];
/// mpmath: (p, shape, unit-scale gamma quantile).
const GAMMA: &[(f64, f64, f64)] = &[
    (1e-06, 0.05, 5.844632057286584e-121),
    (0.01, 0.05, 5.844632057286532e-41),
    (0.5, 0.05, 5.573878440746248e-07),
    (0.99, 0.05, 1.0876274000918096),
    (0.999999, 0.05, 8.696862667893743),
    (1e-06, 0.5, 7.853981633978594e-13),
    (0.01, 0.5, 7.854392895485099e-05),
    (0.5, 0.5, 0.2274682115597864),
    (0.99, 0.5, 3.317448300510607),
    (0.999999, 0.5, 11.964063488439734),
    (1e-06, 1.7, 0.000381708721536555),
    (0.01, 1.7, 0.08888853580561874),
    (0.5, 1.7, 1.380762075939121),
    (0.99, 1.7, 6.067966056258357),
    (0.999999, 1.7, 15.889657566584054),
    (1e-06, 12.0, 1.9399860087734906),
    (0.01, 12.0, 5.42818073776614),
    (0.5, 12.0, 11.668363153044766),
    (0.99, 12.0, 21.489910069675815),
    (0.999999, 12.0, 36.11442691003145),
    (1e-06, 350.0, 268.15376551882383),
    (0.01, 350.0, 307.9537348664753),
    (0.5, 350.0, 349.6667231629405),
    (0.99, 350.0, 394.9867531449198),
    (0.999999, 350.0, 446.2311213613687),
    (1e-06, 10000.0, 9531.835117189807),
    (0.01, 10000.0, 9768.836856696591),
    (0.5, 10000.0, 9999.666668642047),
    (0.99, 10000.0, 10234.104379158054),
    (0.999999, 10000.0, 10482.561164638257),
];
/// mpmath: (p, a, b, beta quantile).
const BETA: &[(f64, f64, f64, f64)] = &[
    (1e-06, 0.05, 0.1, 2.8666978182396807e-117),
    (0.01, 0.05, 0.1, 2.866697818239655e-37),
    (0.5, 0.05, 0.1, 0.0027275039756336247),
    (0.99, 0.05, 0.1, 0.9999999999999994),
    (0.9999, 0.05, 0.1, 1.0),
    (1e-06, 0.3, 4.0, 1.9049653209186664e-21),
    (0.01, 0.3, 4.0, 4.10412375939869e-08),
    (0.5, 0.3, 4.0, 0.019778314565049342),
    (0.99, 0.3, 4.0, 0.5118187304300782),
    (0.9999, 0.3, 4.0, 0.8353981164811275),
    (1e-06, 2.0, 3.0, 0.0004083594602042573),
    (0.01, 2.0, 3.0, 0.04199863562170072),
    (0.5, 2.0, 3.0, 0.38572756813238956),
    (0.99, 2.0, 3.0, 0.859132457305454),
    (0.9999, 2.0, 3.0, 0.9705412504285347),
    (1e-06, 30.0, 0.5, 0.6689631989024646),
    (0.01, 30.0, 0.5, 0.8944929762564698),
    (0.5, 30.0, 0.5, 0.9923834743981206),
    (0.99, 30.0, 0.5, 0.9999973599646244),
    (0.9999, 30.0, 0.5, 0.99999999973601),
    (1e-06, 80.0, 1200.0, 0.03521544260772284),
    (0.01, 80.0, 1200.0, 0.047784870585968225),
    (0.5, 80.0, 1200.0, 0.062272202968733655),
    (0.99, 80.0, 1200.0, 0.07922309012271912),
    (0.9999, 80.0, 1200.0, 0.09055951007597193),
];
/// mpmath: (p, kappa, von Mises quantile about 0.0).
const VON_MISES: &[(f64, f64, f64)] = &[
    (0.02, 0.5, -2.92213727608271),
    (0.3, 0.5, -0.858893916889824),
    (0.9, 0.5, 2.12847498428033),
    (0.02, 2.5, -1.59581632098512),
    (0.3, 2.5, -0.357384138335936),
    (0.9, 2.5, 0.906675923833224),
    (0.02, 30.0, -0.378845329523264),
    (0.3, 30.0, -0.0961862315182004),
    (0.9, 30.0, 0.235523161409738),
];

#[test]
fn agrees_with_mpmath() {
    for &(p, z) in NORMAL {
        close(normal_quantile(p), z, 2e-15);
    }
    for &(p, shape, x) in GAMMA {
        close(gamma_quantile(p, shape, 1.0), x, 1e-10);
    }
    for &(p, a, b, x) in BETA {
        let found = beta_quantile(p, a, b);
        // The complement is the accurate one above 1/2.
        if x < 0.5 {
            close(found, x, 1e-10);
        } else {
            close(found, x, 4e-16 + 1e-10 * (1.0 - x));
        }
    }
    for &(p, kappa, angle) in VON_MISES {
        close(von_mises_quantile(p, 0.0, kappa), angle, 1e-12);
    }
}

#[test]
fn exact_cases() {
    // Erlang: P(Γ(1) < x) = 1 - e^-x; Beta(a, 1) = u^(1/a); arcsine law.
    close(
        gamma_quantile(0.3, 1.0, 2.0),
        exponential_quantile(0.3, 2.0),
        1e-14,
    );
    close(beta_quantile(0.2, 0.01, 1.0), libm::pow(0.2, 100.0), 1e-12);
    let s = libm::sin(PI * 0.5 * 0.9);
    close(beta_quantile(0.9, 0.5, 0.5), s * s, 1e-14);
    close(weibull_quantile(0.5, 1.0, 3.0), 3.0 * LN_2, 1e-15);
    close(
        gumbel_quantile(0.99, 0.0, 1.0),
        4.600_149_226_776_579,
        1e-14,
    );
    close(lognormal_quantile(0.5, 2.0, 0.7), 2.0, 1e-15);
    assert_eq!(poisson_quantile(0.5, 0.0), 0);
    assert_eq!(beta_quantile(0.3, 1e-5, 1e-5), 0.0);
}

/// Another implementation; statrs agrees to about 1e-9 in its worst corners, ours is held to mpmath above.
#[test]
fn agrees_with_statrs() {
    for shape in [0.1, 0.9, 3.0, 40.0, 900.0] {
        let other = Gamma::new(shape, 1.0).unwrap();
        for i in 1..40 {
            let x = shape * f64::from(i) / 10.0;
            assert!((gamma_cdf(x, shape, 1.0) - other.cdf(x)).abs() < 1e-9);
        }
    }
    for (a, b) in [(0.2, 0.7), (2.0, 5.0), (50.0, 3.0), (200.0, 300.0)] {
        let other = Beta::new(a, b).unwrap();
        for i in 1..40 {
            let x = f64::from(i) / 40.0;
            assert!((beta_cdf(x, a, b) - other.cdf(x)).abs() < 1e-9);
        }
    }
    for i in 1..50 {
        // Off the steps of the cumulative function, where the last digit decides.
        let p = f64::from(i) / 50.0 + 0.001_234_567;
        if p >= 1.0 {
            continue;
        }
        for mean in [0.3, 7.0, 49.0, 51.0, 3_000.0] {
            let other = Poisson::new(mean).unwrap();
            assert_eq!(u64::from(poisson_quantile(p, mean)), other.inverse_cdf(p));
        }
        let other = Binomial::new(0.3, 40).unwrap();
        assert_eq!(
            u64::from(binomial_quantile(p, 40, 0.3)),
            other.inverse_cdf(p)
        );
        for (mean, dispersion) in [(4.0, 3.0), (1_219.0, 92.0)] {
            let r = mean / (dispersion - 1.0);
            let other = NegativeBinomial::new(r, 1.0 / dispersion).unwrap();
            let k = u64::from(negative_binomial_quantile(p, mean, dispersion));
            assert!(other.cdf(k) >= p && (k == 0 || other.cdf(k - 1) < p));
        }
    }
}

#[test]
fn order_statistics_of_small_samples() {
    // Hahn and Meeker's example sizes: cdf sums of Bin(10, 1/2) are 11/1024 below rank 2.
    assert_eq!(order_statistic_interval(10, 0.5, 0.95), (2, 9));
    // Too few values to bound the 0.99 quantile from above.
    assert_eq!(order_statistic_interval(100, 0.99, 0.95).1, 101);
    let (low, high) = order_statistic_interval(10_000, 0.99, 0.95);
    let cover = binomial_cdf(high - 1, 10_000, 0.99) - binomial_cdf(low - 1, 10_000, 0.99);
    assert!((0.95..0.957).contains(&cover), "{cover}");
}

#[test]
fn von_mises_is_symmetric_and_uniform_at_zero() {
    close(von_mises_quantile(0.75, 0.0, 0.0), PI / 2.0, 1e-14);
    for kappa in [0.1, 2.5, 40.0, 2_000.0] {
        let x = von_mises_quantile(0.9, 0.0, kappa);
        close(von_mises_quantile(0.1, 0.0, kappa), -x, 1e-9);
    }
}

proptest! {
    #[test]
    fn quantiles_invert_cumulative_functions(
        p in 1e-9..1.0_f64, ln_a in -2.0..6.0_f64, ln_b in -2.0..6.0_f64,
    ) {
        let (a, b) = (libm::exp(ln_a), libm::exp(ln_b));
        let x = beta_quantile(p, a, b);
        if x > 1e-300 && x < 1.0 {
            // A quantile is known to half a unit in its last place; times the density that is a probability.
            let rounding = 2.3e-16 * beta_front(x, 1.0 - x, a, b) / (x * (1.0 - x));
            prop_assert!((beta_cdf(x, a, b) - p).abs() < rounding + 2e-12);
        }
        let x = gamma_quantile(p, a, 1.0);
        if x > 1e-300 {
            prop_assert!((gamma_cdf(x, a, 1.0) - p).abs() < 1e-12);
        }
        let z = normal_quantile(p);
        prop_assert!((normal_cdf(z) - p).abs() < 1e-14);
    }

    #[test]
    fn counts_are_the_smallest_that_reach(p in 0.001..0.999_f64, mean in 0.01..9_000.0_f64, d in 1.01..100.0_f64) {
        // The two ways of summing differ in the last digits: a step closer than 1e-11 to p may go either way.
        let k = poisson_quantile(p, mean);
        prop_assert!(poisson_cdf(k, mean) >= p - 1e-11);
        prop_assert!(k == 0 || poisson_cdf(k - 1, mean) < p + 1e-11);
        let k = negative_binomial_quantile(p, mean, d);
        prop_assert!(negative_binomial_cdf(k, mean, d) >= p - 1e-10);
        prop_assert!(k == 0 || negative_binomial_cdf(k - 1, mean, d) < p + 1e-10);
    }
}

#[test]
fn triangular_quantiles_by_hand() {
    assert_eq!(triangular_quantile(0.5, 0.0, 1.0, 2.0), 1.0);
    assert_eq!(triangular_quantile(0.3, 5.0, 5.0, 5.0), 5.0);
    // The mean is (1 + 2 + 6) / 3; the midpoint rule over 1,000 shares.
    let mean: f64 = (0..1000)
        .map(|i| triangular_quantile((f64::from(i) + 0.5) / 1000.0, 1.0, 2.0, 6.0))
        .sum();
    assert!((mean / 1000.0 - 3.0).abs() < 1e-3);
}
