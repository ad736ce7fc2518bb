//! The dated storm catalogue: counts, days, places, shapes and depths of plum-rain, typhoon and convective storms.
//!
//! Storms of a kind have centres uniform over the region and a margin of three greatest half axes, so rain of storms
//! centred outside is there, and every point of the region sees the same law. A storm carries a growth factor G (times
//! the depth of P = 1 year at its duration); at a point it brings G exp(-r²/2), r in half axes, up to r = 3.
//!
//! # Depths that keep the point frequency
//! The area in which a storm of mean half axes product E\[ab\] keeps more than a share s is 2 pi E\[ab\] ln(1/s). With N(G)
//! centres per area and year above G, a point sees g exceeded at the rate
//! L(g) = 2 pi E\[ab\] x integral from g to g e^4.5 of N(G)/G dG, hence N(g) = -g L'(g) / (2 pi E\[ab\]); the term N(90 g)
//! of the cut at r = 3 is left out (below e^-100 for any storm formula). No fit, no tolerance: N follows from L.
//!
//! Two rates are kept, those of 1 h and of 24 h. Frontal and typhoon storms bring depth G h(24 h) in 24 h and
//! rho G h(1 h) in their wettest hour; convective storms last at most 3 h and bring G h(1 h) in an hour and G h(D) in all.
//! With L the rate of the formula, w the shares of frontal and typhoon storms and q those of convective durations,
//! - 24 h: L(g) = Llong(g) + sum of q Lconv(g h(24)/h(D)),
//! - 1 h: L(g) = Lconv(g) + sum of w Llong(g/rho),
//!
//! each term on the right taken at a higher growth, so the recursion ends where L vanishes. Between, a storm follows the
//! power law through its two depths ([`super::Storm::depth_within_mm`]); a long storm of more than 24 h extends it, so
//! the frequency of 48 h and 72 h is near the formula's, not equal to it. Point depths of several storms are not added.
//! Return levels of annual maxima at a point with the shipped table, 20,000 years, T = 5 to 100 years, over the formula's:
//! 1 h and 24 h within 1 % (sampling), 2 to 12 h -4 to +4 %, 48 h -8 to -5 %, 72 h -16 to -13 %: storms shorter than 72 h
//! end while the formula goes on. For a design storm of several days take the formula, not the catalogue.
//!
//! The catalogue keeps storms whose growth reaches the least return period somewhere in the region: all exceedances
//! above it, and none of those below. The daily rain takes the areal rain of all storms drawn, also of those not kept, so
//! its expectation is known.

use super::frequency::Idf;
use super::parameters::{StormParameters, WeatherParameters};
use super::quantile::{Count, Length, Season};
use super::{Storm, StormKind};
use anlan_engine::distributions::normal_quantile;
use anlan_engine::random::Stream;
use anlan_engine::{Bounds, Error, Fault, Result};

/// Points per side of the net on which the areal rain of a storm is taken.
const NET: usize = 8;
/// r² at which a storm ends.
const EDGE_R2: f64 = 9.0;
/// Most storms a year: their numbers have ten bits.
pub(crate) const MOST: usize = 1024;

/// Numbers of draws kept apart for each kind and year.
const PER_KIND: u32 = 4096;

/// A storm with its areal rain.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Drawn {
    pub(crate) storm: Storm,
    /// Mean depth over the region's net, mm.
    pub(crate) areal_mm: f64,
    /// It reaches the least return period in the region.
    pub(crate) kept: bool,
}

/// One kind of storm, ready to draw.
#[derive(Debug, Clone)]
pub(crate) struct Kind {
    kind: StormKind,
    count: Count,
    pub(crate) mean_count: f64,
    pub(crate) clustering: f64,
    season: Season,
    domain: Bounds,
    length: Length,
    aspect: f64,
    angle: (f64, f64),
    durations: Vec<(f64, f64)>,
    /// Growth at equal steps of -ln(N(G)/N(least growth)).
    growth: Vec<f64>,
    /// Depth of growth 1 per duration, mm, and of the wettest hour.
    unit_mm: Vec<f64>,
    unit_peak_mm: f64,
}

/// Steps of the growth table per unit of -ln(N/N0), and its length: the rest has probability e^-40.
const STEPS_PER_UNIT: usize = 32;
const UNITS: usize = 40;

/// All storms of a region.
#[derive(Debug, Clone)]
pub(crate) struct Storms {
    pub(crate) kinds: Vec<Kind>,
    region: Bounds,
    least_growth: f64,
    stream: Stream,
}

/// Point rates of exceedance per kind, solved from the formula.
pub(crate) struct Rates<'a> {
    idf: &'a Idf,
    /// Share and 1-hour ratio of frontal and typhoon storms.
    long: [(f64, f64); 2],
    /// Share of a convective duration and h(24)/h(D).
    short: Vec<(f64, f64)>,
}

impl<'a> Rates<'a> {
    pub(crate) fn new(idf: &'a Idf, p: &WeatherParameters) -> Self {
        let s = &p.storms;
        let day = idf.unit_depth_mm(24.0);
        Rates {
            idf,
            long: [&s.frontal, &s.typhoon].map(|k| (k.share, k.short_ratio)),
            short: s
                .convective
                .durations_h
                .iter()
                .map(|d| (d[1], day / idf.unit_depth_mm(d[0])))
                .collect(),
        }
    }

    /// Rate of 24-hour growth above `g` from frontal and typhoon storms, and its derivative.
    pub(crate) fn long(&self, g: f64) -> (f64, f64) {
        let (mut rate, mut slope) = self.idf.rate(g);
        if rate < 1e-17 {
            return (rate, slope);
        }
        for &(share, factor) in &self.short {
            let (r, s) = self.convective(g * factor);
            rate -= share * r;
            slope -= share * factor * s;
        }
        (rate, slope)
    }

    /// Rate of 1-hour growth above `g` from convective storms, and its derivative.
    pub(crate) fn convective(&self, g: f64) -> (f64, f64) {
        let (mut rate, mut slope) = self.idf.rate(g);
        if rate < 1e-17 {
            return (rate, slope);
        }
        for &(share, ratio) in &self.long {
            let (r, s) = self.long(g / ratio);
            rate -= share * r;
            slope -= share * s / ratio;
        }
        (rate, slope)
    }
}

impl Storms {
    pub(crate) fn new(
        p: &WeatherParameters,
        idf: &Idf,
        region: Bounds,
        stream: Stream,
    ) -> Result<Self> {
        let s = &p.storms;
        let least_growth = idf.growth(s.least_return_period_years);
        let rates = Rates::new(idf, p);
        if let Some((share, factor)) = rates.short.iter().find(|(_, f)| *f <= 1.0) {
            return Err(unfit(format!(
                "a 24-hour depth of {factor:.2} times that of a convective storm (share {share})"
            )));
        }
        let mut kinds = Vec::with_capacity(3);
        for (kind, k) in [
            (StormKind::Frontal, &s.frontal),
            (StormKind::Typhoon, &s.typhoon),
            (StormKind::Convective, &s.convective),
        ] {
            kinds.push(Kind::new(kind, k, idf, &rates, region, least_growth)?);
        }
        // Storms kept lie in the region or reach it: about those within a median half axis.
        let (mut drawn, mut drawn_variance) = (0.0, 0.0);
        let (mut kept, mut kept_variance) = (0.0, 0.0);
        for (k, p) in kinds.iter().zip([&s.frontal, &s.typhoon, &s.convective]) {
            let share = area(&region.expanded(p.half_axis_m)) / area(&k.domain);
            let spread = |mean: f64| mean + k.clustering * mean * mean;
            drawn += k.mean_count;
            drawn_variance += spread(k.mean_count);
            kept += share * k.mean_count;
            kept_variance += spread(share * k.mean_count);
        }
        // Clustered counts have long tails: ten deviations.
        if drawn + 10.0 * drawn_variance.sqrt() > f64::from(PER_KIND)
            || kept + 10.0 * kept_variance.sqrt() > MOST as f64
        {
            return Err(Error::input(Fault::new(
                "climate",
                format!("a region with {kept:.0} storms a year, {drawn:.0} with its margin"),
                format!("well below {MOST} storms a year, {PER_KIND} with the margin"),
                "raise storms.least_return_period_years or storms half_axis_m, or take a smaller region",
            )));
        }
        Ok(Storms {
            kinds,
            region,
            least_growth,
            stream,
        })
    }

    /// Expected areal rain of the storms on each day of the year, mm.
    pub(crate) fn expected_daily_mm(&self) -> Vec<f64> {
        let mut days = vec![0.0; 365];
        for k in &self.kinds {
            let per_storm = k.mean_point_share() * k.mean_growth();
            for (day, p) in k.season.days() {
                for (i, &(hours, share)) in k.durations.iter().enumerate() {
                    let n = days_of(hours);
                    let depth = k.mean_count * p * share * per_storm * k.unit_mm[i] / n as f64;
                    for d in 0..n {
                        days[usize::from(day) - 1 + d] += depth;
                    }
                }
            }
        }
        days
    }

    /// All storms drawn for a year, in order of drawing (kind by kind).
    pub(crate) fn draw(&self, year: u32, out: &mut Vec<Drawn>) {
        out.clear();
        let event = u64::from(year);
        for (i, k) in self.kinds.iter().enumerate() {
            let count = k.count.quantile(self.stream.uniform(event, i as u32, 0));
            for j in 0..count.min(PER_KIND as usize) {
                let item = 16 + (i as u32) * PER_KIND + j as u32;
                out.push(self.one(k, event, item));
            }
        }
    }

    fn one(&self, k: &Kind, event: u64, item: u32) -> Drawn {
        let place = self.stream.uniform2(event, item, 0);
        let shape = self.stream.uniform4(event, item, 1);
        let size = self.stream.uniform2(event, item, 2);
        let d = &k.domain;
        let centre = (
            d.west + place[0] * (d.east - d.west),
            d.south + place[1] * (d.north - d.south),
        );
        let a = k.length.quantile(size[1]);
        let growth = k.growth(size[0]);
        let mut duration = k.durations.len() - 1;
        let mut sum = 0.0;
        for (n, &(_, share)) in k.durations.iter().enumerate() {
            sum += share;
            if shape[0] < sum {
                duration = n;
                break;
            }
        }
        let mut storm = Storm {
            id: 0,
            day: k.season.quantile(shape[1]),
            kind: k.kind,
            duration_h: k.durations[duration].0,
            centre,
            half_axes_m: (a, a * k.aspect),
            angle_rad: 0.0,
            depth_mm: growth * k.unit_mm[duration],
            peak_1h_mm: growth * k.unit_peak_mm,
            antecedent_mm: 0.0,
        };
        // Most storms drawn lie in the margin and never reach the region: they end here.
        if distance(&self.region, centre) > 3.0 * a {
            return Drawn {
                storm,
                areal_mm: 0.0,
                kept: false,
            };
        }
        storm.angle_rad = k.angle.0 + k.angle.1 * normal_quantile(shape[2]);
        let r2 = least_r2(&storm, &self.region);
        Drawn {
            storm,
            areal_mm: areal_mean_mm(&storm, &self.region),
            kept: r2 <= EDGE_R2 && growth * libm::exp(-0.5 * r2) >= self.least_growth,
        }
    }

    /// Mean number of convective storms drawn per m² and year.
    pub(crate) fn convective_density(&self) -> f64 {
        let k = &self.kinds[2];
        k.mean_count / area(&k.domain)
    }
}

impl Kind {
    fn new(
        kind: StormKind,
        p: &StormParameters,
        idf: &Idf,
        rates: &Rates,
        region: Bounds,
        least_growth: f64,
    ) -> Result<Self> {
        let convective = kind == StormKind::Convective;
        // -g L'(g): centres above g per area of 2 pi E[ab].
        let flux = |g: f64| {
            let slope = if convective {
                rates.convective(g).1
            } else {
                p.share * rates.long(g).1
            };
            -g * slope
        };
        let growth = growth_table(&flux, least_growth, idf.e_folding()).ok_or_else(|| {
            unfit(format!(
                "a rate of {kind:?} storms that does not fall with depth everywhere above the least return period"
            ))
        })?;
        let length = Length::new(p.half_axis_m, p.half_axis_log_sd);
        let domain = region.expanded(3.0 * length.most());
        let spread = std::f64::consts::TAU * length.mean_square() * p.aspect;
        let mean_count = if p.share > 0.0 {
            flux(least_growth) / spread * area(&domain)
        } else {
            0.0
        };
        let day = idf.unit_depth_mm(24.0);
        let unit_peak_mm = p.short_ratio * idf.unit_depth_mm(1.0);
        let unit = |hours: f64| {
            if convective {
                idf.unit_depth_mm(hours)
            } else {
                // The power law through the wettest hour and the wettest 24 hours.
                let slope = libm::log(day / unit_peak_mm) / libm::log(24.0);
                day * libm::pow(hours / 24.0, slope)
            }
        };
        let durations: Vec<(f64, f64)> = p.durations_h.iter().map(|d| (d[0], d[1])).collect();
        Ok(Kind {
            kind,
            count: Count::new(mean_count, p.clustering),
            mean_count,
            clustering: p.clustering,
            season: Season::new(p.mean_day, p.sd_days, p.first_day, p.last_day),
            domain,
            length,
            aspect: p.aspect,
            angle: (p.angle_deg.to_radians(), p.angle_sd_deg.to_radians()),
            unit_mm: durations.iter().map(|d| unit(d.0)).collect(),
            durations,
            growth,
            unit_peak_mm,
        })
    }

    /// Growth of a centre at probability `u` of the upper tail.
    fn growth(&self, u: f64) -> f64 {
        let x = -libm::log(u) * STEPS_PER_UNIT as f64;
        let last = self.growth.len() - 2;
        let k = (x as usize).min(last);
        self.growth[k] + (x - k as f64) * (self.growth[k + 1] - self.growth[k])
    }

    /// Mean growth of a centre, exact for the table: an exponential variable through straight pieces.
    fn mean_growth(&self) -> f64 {
        let step = 1.0 / STEPS_PER_UNIT as f64;
        let mut mean = self.growth[0];
        for (i, pair) in self.growth.windows(2).enumerate() {
            let slope = (pair[1] - pair[0]) / step;
            let start = libm::exp(-(i as f64) * step);
            let end = if i + 2 == self.growth.len() {
                0.0
            } else {
                start * libm::exp(-step)
            };
            mean += slope * (start - end);
        }
        mean
    }

    /// Mean share of the centre's depth that a storm drawn brings to a point of the region.
    fn mean_point_share(&self) -> f64 {
        let cut = 1.0 - libm::exp(-0.5 * EDGE_R2);
        std::f64::consts::TAU * self.length.mean_square() * self.aspect * cut / area(&self.domain)
    }
}

/// Inverts N: growth at equal steps of -ln(N(g)/N(least)). `None` where N does not fall.
fn growth_table(flux: &impl Fn(f64) -> f64, least: f64, e_folding: f64) -> Option<Vec<f64>> {
    let first = flux(least);
    if first == 0.0 {
        // A kind without share: never drawn.
        return Some(vec![least; 2]);
    }
    let step = e_folding / 64.0;
    let (mut g, mut x) = (least, 0.0);
    let mut table = vec![least];
    if !(first > 0.0 && first.is_finite()) {
        return None;
    }
    while table.len() <= UNITS * STEPS_PER_UNIT {
        let next_g = g + step;
        let value = flux(next_g);
        if !(value > 0.0 && value.is_finite()) {
            return None;
        }
        let next_x = -libm::log(value / first);
        if next_x <= x {
            return None;
        }
        while table.len() <= UNITS * STEPS_PER_UNIT {
            let target = table.len() as f64 / STEPS_PER_UNIT as f64;
            if target > next_x {
                break;
            }
            table.push(g + step * (target - x) / (next_x - x));
        }
        (g, x) = (next_g, next_x);
    }
    Some(table)
}

fn unfit(found: String) -> Error {
    Error::input(Fault::new(
        "weather parameters",
        found,
        "storm kinds that together can give the frequencies of the storm formula",
        "lower short_ratio of frontal and typhoon storms, or raise storms.least_return_period_years",
    ))
}

/// Calendar days over which a storm's rain is spread.
pub(crate) fn days_of(hours: f64) -> usize {
    (hours / 24.0).ceil().max(1.0) as usize
}

/// Area of a rectangle, m².
pub(crate) fn area(b: &Bounds) -> f64 {
    (b.east - b.west) * (b.north - b.south)
}

/// Distance of a point from a rectangle.
fn distance(b: &Bounds, (x, y): (f64, f64)) -> f64 {
    let dx = (b.west - x).max(x - b.east).max(0.0);
    let dy = (b.south - y).max(y - b.north).max(0.0);
    (dx * dx + dy * dy).sqrt()
}

/// Mean depth of a storm over the net of 8 x 8 points of a region, mm.
pub(crate) fn areal_mean_mm(storm: &Storm, region: &Bounds) -> f64 {
    let (s, c) = libm::sincos(storm.angle_rad);
    let (a, b) = storm.half_axes_m;
    let dx = (region.east - region.west) / NET as f64;
    let dy = (region.north - region.south) / NET as f64;
    let mut sum = 0.0;
    for j in 0..NET {
        let y = region.south + (j as f64 + 0.5) * dy - storm.centre.1;
        if y.abs() > 3.0 * a {
            continue;
        }
        for i in 0..NET {
            let x = region.west + (i as f64 + 0.5) * dx - storm.centre.0;
            let u = (x * c + y * s) / a;
            let v = (y * c - x * s) / b;
            let r2 = u * u + v * v;
            if r2 <= EDGE_R2 {
                sum += libm::exp(-0.5 * r2);
            }
        }
    }
    storm.depth_mm * sum / (NET * NET) as f64
}

/// Least r² of a storm over a rectangle: 0 inside, else the least along the four edges.
fn least_r2(storm: &Storm, b: &Bounds) -> f64 {
    let (x, y) = storm.centre;
    if x >= b.west && x <= b.east && y >= b.south && y <= b.north {
        return 0.0;
    }
    let (s, c) = libm::sincos(storm.angle_rad);
    let (a2, b2) = (
        storm.half_axes_m.0 * storm.half_axes_m.0,
        storm.half_axes_m.1 * storm.half_axes_m.1,
    );
    // r² = p dx² + 2 q dx dy + t dy².
    let (p, q, t) = (
        c * c / a2 + s * s / b2,
        c * s * (1.0 / a2 - 1.0 / b2),
        s * s / a2 + c * c / b2,
    );
    let form = |dx: f64, dy: f64| p * dx * dx + 2.0 * q * dx * dy + t * dy * dy;
    let mut least = f64::INFINITY;
    for dx in [b.west - x, b.east - x] {
        let dy = (-q * dx / t).clamp(b.south - y, b.north - y);
        least = least.min(form(dx, dy));
    }
    for dy in [b.south - y, b.north - y] {
        let dx = (-q * dy / p).clamp(b.west - x, b.east - x);
        least = least.min(form(dx, dy));
    }
    least
}
