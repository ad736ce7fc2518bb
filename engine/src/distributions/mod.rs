//! Distributions by their quantile functions: every random number of the engine is `quantile(uniform)`.
//!
//! All of it rests on `libm`, so that the same address gives the same bytes on every machine. Tails are kept: where a
//! lower probability nears one, the solvers work with its complement.
//!
//! | file | holds |
//! | --- | --- |
//! | here | distributions whose quantile is one line |
//! | `normal`, `gamma`, `beta` | continuous families |
//! | `counts` | Poisson, negative binomial, binomial, order statistics |
//! | `von_mises` | directions |
//! | `special` | what gamma and beta share |

mod beta;
mod counts;
mod gamma;
mod normal;
mod special;
mod von_mises;

#[cfg(test)]
mod tests;

pub use beta::{beta_cdf, beta_quantile, beta_tails};
pub use counts::{
    binomial_cdf, binomial_quantile, negative_binomial_cdf, negative_binomial_quantile,
    order_statistic_interval, poisson_cdf, poisson_quantile,
};
pub use gamma::{gamma_cdf, gamma_quantile, gamma_quantile_tails, gamma_tails};
pub use normal::{normal_cdf, normal_quantile};
pub use von_mises::von_mises_quantile;

/// Exponential quantile of a given mean.
pub fn exponential_quantile(p: f64, mean: f64) -> f64 {
    -mean * libm::log1p(-p)
}

/// Weibull quantile: scale·(-ln(1-p))^(1/shape).
pub fn weibull_quantile(p: f64, shape: f64, scale: f64) -> f64 {
    scale * libm::pow(-libm::log1p(-p), 1.0 / shape)
}

/// Lognormal quantile from the median and the standard deviation of the logarithm.
pub fn lognormal_quantile(p: f64, median: f64, sigma: f64) -> f64 {
    median * libm::exp(sigma * normal_quantile(p))
}

/// Triangular quantile over `low..=high` with its peak at `mode`; the mode where they coincide.
pub fn triangular_quantile(p: f64, low: f64, mode: f64, high: f64) -> f64 {
    let width = high - low;
    if special::not_positive(width) {
        return mode;
    }
    if p < (mode - low) / width {
        low + (p * width * (mode - low)).sqrt()
    } else {
        high - ((1.0 - p) * width * (high - mode)).sqrt()
    }
}

/// Gumbel (maxima) quantile: loc - scale·ln(-ln p).
pub fn gumbel_quantile(p: f64, loc: f64, scale: f64) -> f64 {
    loc - scale * libm::log(-libm::log(p))
}
