//! Sums over stretches of cells: the kernel of zonal statistics. Everything here can be merged.

/// Number of partial sums of a stretch: wide enough for the widest vector registers, and fixed, so that the order of
/// additions does not depend on the machine.
const LANES: usize = 8;

/// Weighted sums of values. The spread is kept about the mean of what has been added and merged by the formula of Chan,
/// Golub & LeVeque (1983, eq. 2.1), so that one pass over the cells is as good as two.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Moments {
    pub weight: f64,
    pub sum: f64,
    /// Weighted sum of squared differences from the mean.
    pub squares: f64,
}

impl Moments {
    pub fn merge(&mut self, other: Moments) {
        if other.weight == 0.0 && other.sum == 0.0 {
            return;
        }
        if self.weight != 0.0 {
            let apart = other.sum / other.weight - self.sum / self.weight;
            self.squares +=
                apart * apart * (self.weight * other.weight / (self.weight + other.weight));
        }
        self.squares += other.squares;
        self.weight += other.weight;
        self.sum += other.sum;
    }

    pub fn mean(&self) -> f64 {
        self.sum / self.weight
    }

    /// Of the population. NaN passes, which `f64::max` would swallow.
    pub fn variance(&self) -> f64 {
        let variance = self.squares / self.weight;
        if variance < 0.0 { 0.0 } else { variance }
    }
}

/// What a zone's cells add up to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sums {
    /// Covered shares of cells with data.
    pub count: f64,
    /// Values by covered share, times the cell's area where asked for.
    pub values: Moments,
    /// The same by the weights of a second raster as well.
    pub weighted: Moments,
    pub min: f32,
    pub max: f32,
}

impl Sums {
    pub const EMPTY: Sums = Sums {
        count: 0.0,
        values: Moments {
            weight: 0.0,
            sum: 0.0,
            squares: 0.0,
        },
        weighted: Moments {
            weight: 0.0,
            sum: 0.0,
            squares: 0.0,
        },
        min: f32::INFINITY,
        max: f32::NEG_INFINITY,
    };

    /// Adds neighbouring cells of which the same `share` is covered; `area` is a cell's.
    pub fn add(&mut self, values: &[f32], share: f64, area: f64, spread: bool) {
        let part = stretch(values);
        if part.count == 0.0 {
            return;
        }
        self.count += part.count * share;
        self.min = self.min.min(part.min);
        self.max = self.max.max(part.max);
        let weight = share * area;
        let moments = Moments {
            weight: part.count * weight,
            sum: part.sum * weight,
            squares: if spread && values.len() > 1 {
                weight * squares(values, part.sum / part.count, part.count)
            } else {
                0.0
            },
        };
        if spread {
            self.values.merge(moments);
        } else {
            self.values.weight += moments.weight;
            self.values.sum += moments.sum;
        }
    }

    /// Adds the weights of cells to those of a second raster. A cell that has a value but no weight makes them NaN.
    pub fn add_weighted(&mut self, values: &[f32], weights: &[f32], factor: f64, spread: bool) {
        let (mut weight, mut sum) = ([0.0f64; LANES], [0.0f64; LANES]);
        each_lane(values, weights, |i, v, w| {
            weight[i] += w;
            sum[i] += w * v;
        });
        let (weight, sum) = (weight.iter().sum::<f64>(), sum.iter().sum::<f64>());
        let mut squares = 0.0;
        if spread && weight != 0.0 {
            let mean = sum / weight;
            let mut parts = [0.0f64; LANES];
            each_lane(values, weights, |i, v, w| {
                parts[i] += w * (v - mean) * (v - mean)
            });
            squares = parts.iter().sum();
        }
        let moments = Moments {
            weight: weight * factor,
            sum: sum * factor,
            squares: squares * factor,
        };
        if spread {
            self.weighted.merge(moments);
        } else {
            self.weighted.weight += moments.weight;
            self.weighted.sum += moments.sum;
        }
    }

    pub fn merge(&mut self, other: &Sums) {
        self.count += other.count;
        self.values.merge(other.values);
        self.weighted.merge(other.weighted);
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
    }
}

/// Calls `f` with the lane, value and weight of each cell that has a value.
fn each_lane(values: &[f32], weights: &[f32], mut f: impl FnMut(usize, f64, f64)) {
    for (i, (&v, &w)) in values.iter().zip(weights).enumerate() {
        if !v.is_nan() {
            f(i % LANES, f64::from(v), f64::from(w));
        }
    }
}

struct Stretch {
    count: f64,
    sum: f64,
    min: f32,
    max: f32,
}

fn stretch(values: &[f32]) -> Stretch {
    // Most stretches are a single cell on a border.
    if let [v] = *values {
        let known = !v.is_nan();
        return Stretch {
            count: f64::from(u8::from(known)),
            sum: if known { f64::from(v) } else { 0.0 },
            min: if known { v } else { f32::INFINITY },
            max: if known { v } else { f32::NEG_INFINITY },
        };
    }
    let mut sum = [0.0f64; LANES];
    let mut count = [0u32; LANES];
    let mut min = [f32::INFINITY; LANES];
    let mut max = [f32::NEG_INFINITY; LANES];
    let mut add = |i: usize, v: f32| {
        let known = !v.is_nan();
        sum[i] += if known { f64::from(v) } else { 0.0 };
        count[i] += u32::from(known);
        // Comparisons with NaN are false, so that it never enters.
        min[i] = if v < min[i] { v } else { min[i] };
        max[i] = if v > max[i] { v } else { max[i] };
    };
    let (blocks, tail) = values.as_chunks::<LANES>();
    for block in blocks {
        for (i, &v) in block.iter().enumerate() {
            add(i, v);
        }
    }
    for (i, &v) in tail.iter().enumerate() {
        add(i, v);
    }
    Stretch {
        count: f64::from(count.iter().sum::<u32>()),
        sum: sum.iter().sum(),
        min: min.iter().fold(f32::INFINITY, |a, &b| a.min(b)),
        max: max.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b)),
    }
}

/// Sum of squared differences of the known values from their mean.
fn squares(values: &[f32], mean: f64, count: f64) -> f64 {
    let (mut squares, mut rest) = ([0.0f64; LANES], [0.0f64; LANES]);
    let mut add = |i: usize, v: f32| {
        let d = if v.is_nan() { 0.0 } else { f64::from(v) - mean };
        squares[i] += d * d;
        rest[i] += d;
    };
    let (blocks, tail) = values.as_chunks::<LANES>();
    for block in blocks {
        for (i, &v) in block.iter().enumerate() {
            add(i, v);
        }
    }
    for (i, &v) in tail.iter().enumerate() {
        add(i, v);
    }
    let (squares, rest) = (squares.iter().sum::<f64>(), rest.iter().sum::<f64>());
    // The second term takes out what the mean's rounding leaves (Chan, Golub & LeVeque 1983, eq. 1.7).
    (squares - rest * rest / count).max(0.0)
}
