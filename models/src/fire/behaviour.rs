//! How fast and how hot a surface fire runs: Rothermel's spread equation with Albini's changes, flame length, and the
//! ellipse a fire grows into.
//!
//! What depends on fuel and moisture only is computed once ([`FuelBed`]); wind and slope then cost one power and two
//! exponentials per cell. Inside, the units are those of the papers (ft, lb, Btu, min); the interface is SI.
//!
//! # References
//! Rothermel (1972), A mathematical model for predicting fire spread in wildland fuels, USDA INT-115, equations 1-57;
//! Albini (1976), Computer-based models of wildland fire behavior; Byram (1959) for intensity and flame length;
//! Anderson (1983), INT-305, for length to width; Andrews (2012), RMRS-GTR-266, for wind adjustment. Scott and Burgan
//! (2005) for the curing of live herbs.

use crate::fire::fuels::FuelModel;
use anlan_engine::{Error, Fault, Result};
use serde::{Deserialize, Serialize};

/// Metres in a foot.
pub const M_PER_FT: f64 = 0.3048;
/// m/s in a mile per hour.
pub const M_S_PER_MPH: f64 = 0.447_04;
/// kW/m in one Btu/(ft s): 1055.05585262 J / 0.3048 m.
pub const KW_M_PER_BTU_FT_S: f64 = 1.055_055_852_62 / M_PER_FT;
/// kJ/m² in one Btu/ft².
pub const KJ_M2_PER_BTU_FT2: f64 = 1.055_055_852_62 / (M_PER_FT * M_PER_FT);
const FT_MIN_PER_MPH: f64 = 88.0;

const PARTICLE_DENSITY_LB_FT3: f64 = 32.0;
const MINERAL_TOTAL: f64 = 0.0555;
const MINERAL_EFFECTIVE: f64 = 0.010;

/// Fuel moisture (可燃物含水率), fractions of dry weight.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Moisture {
    /// Dead fuel under 6 mm (1-h time lag).
    pub dead_1h: f64,
    /// Dead fuel 6-25 mm (10-h).
    pub dead_10h: f64,
    /// Dead fuel 25-76 mm (100-h).
    pub dead_100h: f64,
    /// Live herbs.
    pub live_herb: f64,
    /// Live shrubs.
    pub live_woody: f64,
}

/// Law of length to width (长宽比) of the fire ellipse, U the effective mid-flame wind in mph. The laws differ by up to a
/// factor of two in burned area at the same head rate, so the choice belongs into the metadata of every product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EllipseLaw {
    /// Anderson (1983) as in BehavePlus and FARSITE: 0.936 exp(0.1147 U) + 0.461 exp(-0.0692 U) - 0.397.
    #[default]
    Anderson,
    /// The same form with 0.2566 and 0.1548, as published for U in m/s, yet applied to mph: the verification deck of
    /// ELMFIRE. For comparison with it only.
    AndersonSteep,
    /// 1 + 0.25 U (Rothermel 1991, INT-438).
    Linear,
}

/// What may be chosen about fire behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BehaviourOptions {
    /// Law of the ellipse.
    pub ellipse: EllipseLaw,
    /// Greatest length to width, 1..=8; 8 in BehavePlus.
    pub max_length_to_width: f64,
    /// Limit the effective wind to 0.9 I_R ft/min (Rothermel 1972, equation 87). Off in current tools.
    pub wind_limit: bool,
}

impl Default for BehaviourOptions {
    fn default() -> Self {
        BehaviourOptions {
            ellipse: EllipseLaw::Anderson,
            max_length_to_width: 8.0,
            wind_limit: false,
        }
    }
}

impl BehaviourOptions {
    /// Refuses figures out of range.
    ///
    /// # Errors
    /// `max_length_to_width` outside 1..=8, beyond which the spread solver is not verified.
    pub fn validate(&self) -> Result<()> {
        if (1.0..=8.0).contains(&self.max_length_to_width) {
            return Ok(());
        }
        Err(Error::input(
            Fault::new(
                "project",
                self.max_length_to_width.to_string(),
                "1 to 8",
                "set fire.behaviour.max_length_to_width within the range",
            )
            .at("fire.behaviour.max_length_to_width"),
        ))
    }

    /// Length to width at an effective mid-flame wind in mph.
    #[inline]
    pub fn length_to_width(&self, wind_mph: f64) -> f64 {
        let anderson = |a: f64, b: f64| {
            0.936 * libm::exp(a * wind_mph) + 0.461 * libm::exp(-b * wind_mph) - 0.397
        };
        let lw = match self.ellipse {
            EllipseLaw::Anderson => anderson(0.1147, 0.0692),
            EllipseLaw::AndersonSteep => anderson(0.2566, 0.1548),
            EllipseLaw::Linear => 1.0 + 0.25 * wind_mph,
        };
        lw.max(1.0).min(self.max_length_to_width)
    }
}

/// A fuel bed at given moistures: everything in Rothermel's equation that wind and slope do not change.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FuelBed {
    /// Rate of spread without wind and slope, ft/min.
    pub no_wind_rate_ft_min: f64,
    /// Reaction intensity I_R, Btu/(ft² min).
    pub reaction_intensity: f64,
    /// Residence time of the flame, min.
    pub residence_min: f64,
    /// Characteristic surface-area-to-volume ratio, 1/ft.
    pub savr_ft: f64,
    /// Packing ratio.
    pub packing: f64,
    /// Packing ratio over its optimum.
    pub relative_packing: f64,
    /// Moisture of extinction of live fuel, fraction; 0 without live fuel.
    pub live_extinction: f64,
    /// phi_W = wind_factor * U^wind_exponent, U in ft/min.
    wind_factor: f64,
    wind_exponent: f64,
    /// phi_S = slope_factor * tan².
    slope_factor: f64,
}

/// The head of a fire in one place: the ellipse it would grow into in uniform fuel, terrain and weather.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HeadFire {
    /// Rate of spread of the head, m/min.
    pub rate_m_min: f64,
    /// Unit vector towards which the head runs, (east, north).
    pub toward: (f64, f64),
    /// Effective mid-flame wind that alone would give this rate, m/s.
    pub effective_wind_m_s: f64,
    /// Length to width of the ellipse, at least 1.
    pub length_to_width: f64,
    /// Heat released per area by the flaming front, kJ/m².
    pub heat_kj_m2: f64,
}

impl HeadFire {
    /// Eccentricity of the ellipse.
    #[inline]
    pub fn eccentricity(&self) -> f64 {
        (1.0 - 1.0 / (self.length_to_width * self.length_to_width))
            .max(0.0)
            .sqrt()
    }

    /// Rate of the backing fire, m/min.
    pub fn backing_rate_m_min(&self) -> f64 {
        let e = self.eccentricity();
        self.rate_m_min * (1.0 - e) / (1.0 + e)
    }

    /// Fireline intensity (火线强度) of the head, kW/m.
    pub fn intensity_kw_m(&self) -> f64 {
        fireline_intensity_kw_m(self.heat_kj_m2, self.rate_m_min)
    }
}

/// Byram's fireline intensity, kW/m, from heat per area in kJ/m² and the rate of spread normal to the front in m/min.
#[inline]
pub fn fireline_intensity_kw_m(heat_kj_m2: f64, rate_m_min: f64) -> f64 {
    heat_kj_m2 * rate_m_min / 60.0
}

/// Byram's flame length (火焰长度), m, from intensity in kW/m: 0.45 I^0.46 ft with I in Btu/(ft s).
#[inline]
pub fn flame_length_m(intensity_kw_m: f64) -> f64 {
    if intensity_kw_m <= 0.0 {
        return 0.0;
    }
    0.45 * M_PER_FT * libm::pow(intensity_kw_m / KW_M_PER_BTU_FT_S, 0.46)
}

/// Mid-flame wind over the wind at 20 ft above open fuel of a depth in ft (Andrews 2012, equation 2).
pub fn wind_adjustment_open(depth_ft: f64) -> f64 {
    1.83 / libm::log((20.0 + 0.36 * depth_ft) / (0.13 * depth_ft))
}

/// Mid-flame wind over the wind at 20 ft above a canopy: canopy height in m, cover and crown ratio as fractions
/// (Andrews 2012, equation 4).
pub fn wind_adjustment_sheltered(height_m: f64, cover: f64, crown_ratio: f64) -> f64 {
    let h = height_m / M_PER_FT;
    let filled = cover * crown_ratio / 3.0;
    0.555 / ((filled * h).sqrt() * libm::log((20.0 + 0.36 * h) / (0.13 * h)))
}

/// Bounds of the size classes within which surface areas are pooled, 1/ft.
fn size_class(savr: f64) -> usize {
    [1200.0, 192.0, 96.0, 48.0, 16.0]
        .iter()
        .position(|&bound| savr >= bound)
        .unwrap_or(5)
}

/// Damping by moisture (Rothermel equation 29).
fn moisture_damping(moisture: f64, extinction: f64) -> f64 {
    if extinction <= 0.0 || moisture >= extinction {
        return 0.0;
    }
    let r = moisture / extinction;
    1.0 - 2.59 * r + 5.11 * r * r - 3.52 * r * r * r
}

/// One category (dead or live) of fuel particles; unused slots have load 0.
struct Category {
    load: [f64; 4],
    savr: [f64; 4],
    moisture: [f64; 4],
}

/// Area-weighted means over a category.
struct Weighted {
    area: f64,
    savr: f64,
    net_load: f64,
    moisture: f64,
    ignition_heat: f64,
}

impl Category {
    fn weigh(&self) -> Weighted {
        let area: [f64; 4] =
            std::array::from_fn(|j| self.savr[j] * self.load[j] / PARTICLE_DENSITY_LB_FT3);
        let total: f64 = area.iter().sum();
        let mut w = Weighted {
            area: total,
            savr: 0.0,
            net_load: 0.0,
            moisture: 0.0,
            ignition_heat: 0.0,
        };
        if total <= 0.0 {
            return w;
        }
        let mut pooled = [0.0; 6];
        for j in 0..4 {
            if area[j] > 0.0 {
                pooled[size_class(self.savr[j])] += area[j] / total;
            }
        }
        for j in 0..4 {
            if area[j] <= 0.0 {
                continue;
            }
            let f = area[j] / total;
            let heat = 250.0 + 1116.0 * self.moisture[j];
            w.savr += f * self.savr[j];
            // Particles thinner than 16 1/ft take no part in the flaming front (Albini 1976).
            if self.savr[j] >= 16.0 {
                w.net_load +=
                    pooled[size_class(self.savr[j])] * self.load[j] * (1.0 - MINERAL_TOTAL);
            }
            w.moisture += f * self.moisture[j];
            w.ignition_heat += f * libm::exp(-138.0 / self.savr[j]) * heat;
        }
        w
    }
}

impl FuelBed {
    /// The bed of a fuel model at given moistures; `None` where nothing burns (no load, or too wet to spread).
    pub fn new(model: &FuelModel, moisture: &Moisture) -> Option<FuelBed> {
        if !model.burnable() {
            return None;
        }
        let [w1, w10, w100, herb, woody] = model.load_lb_ft2;
        let [s1, s10, s100, s_herb, s_woody] = model.savr_ft;
        let green = if model.dynamic {
            // Burgan (1979) as BehavePlus rounds it; the unrounded line is M / 0.9 - 1/3.
            (1.11 * moisture.live_herb - 0.333).clamp(0.0, 1.0)
        } else {
            1.0
        };
        let dead = Category {
            load: [w1, w10, w100, herb * (1.0 - green)],
            savr: [s1, s10, s100, s_herb],
            moisture: [
                moisture.dead_1h,
                moisture.dead_10h,
                moisture.dead_100h,
                moisture.dead_1h,
            ],
        };
        let live = Category {
            load: [herb * green, woody, 0.0, 0.0],
            savr: [s_herb, s_woody, 1.0, 1.0],
            moisture: [moisture.live_herb, moisture.live_woody, 0.0, 0.0],
        };

        let (d, l) = (dead.weigh(), live.weigh());
        let area = d.area + l.area;
        let (share_dead, share_live) = (d.area / area, l.area / area);
        let savr = share_dead * d.savr + share_live * l.savr;
        let load: f64 = dead.load.iter().chain(&live.load).sum();
        let bulk_density = load / model.depth_ft;
        let packing = bulk_density / PARTICLE_DENSITY_LB_FT3;
        let relative = packing / (3.348 * libm::pow(savr, -0.8189));

        let live_extinction = if herb + woody > 0.0 {
            live_extinction(&dead, &live, model.extinction_moisture)
        } else {
            0.0
        };
        let mineral = (0.174 * libm::pow(MINERAL_EFFECTIVE, -0.19)).min(1.0);
        let a = 133.0 * libm::pow(savr, -0.7913);
        let savr15 = savr * savr.sqrt();
        let optimum_rate = savr15 / (495.0 + 0.0594 * savr15);
        let reaction_rate = optimum_rate * libm::pow(relative, a) * libm::exp(a * (1.0 - relative));
        let reaction_intensity = reaction_rate
            * mineral
            * (d.net_load
                * model.heat_dead_btu_lb
                * moisture_damping(d.moisture, model.extinction_moisture)
                + l.net_load
                    * model.heat_live_btu_lb
                    * moisture_damping(l.moisture, live_extinction));

        let propagating =
            libm::exp((0.792 + 0.681 * savr.sqrt()) * (packing + 0.1)) / (192.0 + 0.2595 * savr);
        let heat_sink =
            bulk_density * (share_dead * d.ignition_heat + share_live * l.ignition_heat);
        let rate = reaction_intensity * propagating / heat_sink;
        if rate.is_nan() || rate <= 0.0 {
            return None;
        }
        let c = 7.47 * libm::exp(-0.133 * libm::pow(savr, 0.55));
        let e = 0.715 * libm::exp(-3.59e-4 * savr);
        Some(FuelBed {
            no_wind_rate_ft_min: rate,
            reaction_intensity,
            residence_min: 384.0 / savr,
            savr_ft: savr,
            packing,
            relative_packing: relative,
            live_extinction,
            wind_factor: c * libm::pow(relative, -e),
            wind_exponent: 0.025_26 * libm::pow(savr, 0.54),
            slope_factor: 5.275 * libm::pow(packing, -0.3),
        })
    }

    /// Heat per area of the flaming front, kJ/m².
    pub fn heat_kj_m2(&self) -> f64 {
        self.reaction_intensity * self.residence_min * KJ_M2_PER_BTU_FT2
    }

    /// Head fire under a mid-flame wind, m/s as a vector (east, north) towards which it blows, on a slope given as
    /// the vector (east, north) that points uphill with the tangent of the slope as its length.
    #[inline]
    pub fn head_fire(
        &self,
        wind_m_s: (f64, f64),
        uphill: (f64, f64),
        options: &BehaviourOptions,
    ) -> HeadFire {
        self.head_fire_with(self.wind_effect(wind_m_s), uphill, options)
    }

    /// phi_W as a vector: the same for all cells of one fuel bed under one wind.
    #[inline]
    pub fn wind_effect(&self, wind_m_s: (f64, f64)) -> (f64, f64) {
        let speed = (wind_m_s.0 * wind_m_s.0 + wind_m_s.1 * wind_m_s.1).sqrt();
        if speed <= 0.0 {
            return (0.0, 0.0);
        }
        let ft_min = speed / M_S_PER_MPH * FT_MIN_PER_MPH;
        let phi = self.wind_factor * libm::pow(ft_min, self.wind_exponent);
        (phi * wind_m_s.0 / speed, phi * wind_m_s.1 / speed)
    }

    /// As [`FuelBed::head_fire`], from the wind effect of [`FuelBed::wind_effect`].
    #[inline]
    pub fn head_fire_with(
        &self,
        wind_effect: (f64, f64),
        uphill: (f64, f64),
        options: &BehaviourOptions,
    ) -> HeadFire {
        let tan = (uphill.0 * uphill.0 + uphill.1 * uphill.1).sqrt();
        let east = wind_effect.0 + self.slope_factor * tan * uphill.0;
        let north = wind_effect.1 + self.slope_factor * tan * uphill.1;
        let mut phi = (east * east + north * north).sqrt();
        let toward = if phi > 0.0 {
            (east / phi, north / phi)
        } else {
            (0.0, 1.0)
        };
        let mut wind_ft_min = if phi > 0.0 {
            libm::pow(phi / self.wind_factor, 1.0 / self.wind_exponent)
        } else {
            0.0
        };
        if options.wind_limit {
            let limit = 0.9 * self.reaction_intensity;
            if wind_ft_min > limit {
                wind_ft_min = limit;
                phi = self.wind_factor * libm::pow(limit, self.wind_exponent);
            }
        }
        let mph = wind_ft_min / FT_MIN_PER_MPH;
        HeadFire {
            rate_m_min: self.no_wind_rate_ft_min * (1.0 + phi) * M_PER_FT,
            toward,
            effective_wind_m_s: mph * M_S_PER_MPH,
            length_to_width: options.length_to_width(mph),
            heat_kj_m2: self.heat_kj_m2(),
        }
    }
}

/// Moisture of extinction of live fuel (Albini 1976): what dead fine fuel can dry out.
fn live_extinction(dead: &Category, live: &Category, dead_extinction: f64) -> f64 {
    let mut fine_dead = 0.0;
    let mut fine_water = 0.0;
    let mut fine_live = 0.0;
    for j in 0..4 {
        if dead.load[j] > 0.0 {
            let w = dead.load[j] * libm::exp(-138.0 / dead.savr[j]);
            fine_dead += w;
            fine_water += w * dead.moisture[j];
        }
        if live.load[j] > 0.0 {
            fine_live += live.load[j] * libm::exp(-500.0 / live.savr[j]);
        }
    }
    if fine_live <= 0.0 || fine_dead <= 0.0 {
        return dead_extinction;
    }
    let ratio = fine_dead / fine_live;
    (2.9 * ratio * (1.0 - fine_water / fine_dead / dead_extinction) - 0.226).max(dead_extinction)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fire::fuels::FuelTable;

    /// Relative distance of a figure from one stored with so many decimals.
    fn distance(got: f64, expected: f64, decimals: i32) -> f64 {
        let half_digit = 0.5 * libm::pow(10.0, f64::from(-decimals));
        ((got - expected).abs() - half_digit).max(0.0) / expected.abs().max(1e-30)
    }

    /// Greatest relative distance from a row of behave's table. Upslope is north, the wind blows towards the angle of
    /// column 8 clockwise from it.
    fn worst(table: &FuelTable, row: &[f64]) -> f64 {
        let m = Moisture {
            dead_1h: row[1] / 100.0,
            dead_10h: row[2] / 100.0,
            dead_100h: row[3] / 100.0,
            live_herb: row[4] / 100.0,
            live_woody: row[5] / 100.0,
        };
        let Some(bed) = FuelBed::new(table.get(row[0] as u8).unwrap(), &m) else {
            return row[9].abs();
        };
        let (s, c) = libm::sincos(row[8].to_radians());
        let wind = row[6] * M_S_PER_MPH;
        let options = BehaviourOptions::default();
        let head = bed.head_fire((wind * s, wind * c), (0.0, row[7] / 100.0), &options);
        let mut turn = libm::atan2(head.toward.0, head.toward.1).to_degrees() - row[14];
        turn -= 360.0 * (turn / 360.0).round();
        // The direction is stored with four decimals, and is meaningless in a calm on flat ground.
        assert!(
            turn.abs() < 1e-3 || (row[6] == 0.0 && row[7] == 0.0),
            "{turn} {row:?}"
        );
        [
            distance(head.rate_m_min / M_PER_FT, row[9], 6),
            distance(head.intensity_kw_m() / KW_M_PER_BTU_FT_S, row[10], 6),
            distance(flame_length_m(head.intensity_kw_m()) / M_PER_FT, row[11], 6),
            distance(head.heat_kj_m2 / KJ_M2_PER_BTU_FT2, row[12], 6),
            distance(bed.reaction_intensity, row[13], 6),
            distance(head.length_to_width, row[15], 6),
            distance(head.backing_rate_m_min() / M_PER_FT, row[16], 6),
            distance(bed.live_extinction * 100.0, row[17], 4),
            distance(bed.savr_ft, row[18], 4),
            distance(bed.packing, row[19], 8),
            distance(bed.relative_packing, row[20], 6),
            distance(bed.residence_min, row[22], 6),
        ]
        .into_iter()
        .fold(0.0, f64::max)
    }

    /// Rows of firelab/behave (commit d963287), run as a library.
    #[test]
    fn rows_of_behave() {
        let table = FuelTable::standard();
        #[rustfmt::skip]
        let row = [1.0, 3.0, 4.0, 5.0, 30.0, 60.0, 5.0, 0.0, 0.0, 131.309539, 225.556541, 5.441392, 103.064808, 939.392781, 0.0, 1.590064, 16.438289, 0.0, 3500.0, 0.0010625, 0.253385, 0.034, 0.109714];
        assert!(worst(&table, &row) < 1e-5);
        #[rustfmt::skip]
        let row = [4.0, 3.0, 4.0, 5.0, 30.0, 60.0, 5.0, 30.0, 90.0, 140.4361, 7448.276148, 27.186805, 3182.205776, 14413.05383, 81.722, 1.596297, 17.404993, 372.7322, 1739.2378, 0.00383333, 0.51561, 0.12266667, 0.220786];
        assert!(worst(&table, &row) < 1e-5);
        #[rustfmt::skip]
        let row = [10.0, 6.0, 7.0, 8.0, 60.0, 90.0, 10.0, 80.0, 90.0, 27.622499, 594.809534, 8.500145, 1292.010977, 5936.292411, 66.5415, 2.989018, 0.819483, 497.102, 1764.332, 0.01725, 2.347622, 0.552, 0.217646];
        assert!(worst(&table, &row) < 1e-5);
        #[rustfmt::skip]
        let row = [104.0, 9.0, 10.0, 11.0, 90.0, 120.0, 10.0, 30.0, 0.0, 43.198022, 119.318189, 4.059734, 165.727295, 787.856426, 0.0, 2.893413, 1.373304, 76.7716, 1825.5102, 0.00154241, 0.215855, 0.04935721, 0.210352];
        assert!(worst(&table, &row) < 1e-5);
        #[rustfmt::skip]
        let row = [145.0, 12.0, 13.0, 14.0, 120.0, 150.0, 20.0, 80.0, 90.0, 81.295119, 807.686414, 9.784625, 596.114321, 1943.106731, 80.6978, 8.0, 0.320064, 70.0631, 1251.6944, 0.00205655, 0.211298, 0.06580961, 0.306784];
        assert!(worst(&table, &row) < 1e-5);
        #[rustfmt::skip]
        let row = [165.0, 6.0, 7.0, 8.0, 60.0, 90.0, 5.0, 0.0, 0.0, 10.189264, 435.891805, 7.367612, 2566.771081, 8178.460028, 0.0, 1.590064, 1.275567, 656.2089, 1223.5328, 0.02008724, 2.025737, 0.64279155, 0.313845];
        assert!(worst(&table, &row) < 1e-5);
    }

    #[test]
    fn the_whole_table_of_behave() {
        let folder = std::env::var("ANLAN_SHARED_DATA").unwrap_or_else(|_| {
            concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data").to_owned()
        });
        let Ok(text) = std::fs::read_to_string(format!("{folder}/fire/behave/surface_table.csv"))
        else {
            eprintln!("SKIPPED: no fire/behave/surface_table.csv in {folder}");
            return;
        };
        let table = FuelTable::standard();
        let mut rows = 0;
        for line in text.lines().skip(1) {
            let row: Vec<f64> = line.split(',').map(|v| v.parse().unwrap()).collect();
            let distance = worst(&table, &row);
            assert!(distance < 1e-5, "{distance}: {line}");
            rows += 1;
        }
        assert!(rows >= 2520);
    }

    #[test]
    fn wind_adjustment_of_andrews() {
        // Andrews (2012), table 1: fuel model 1 (1 ft) 0.36, fuel model 4 (6 ft) 0.55.
        assert!((wind_adjustment_open(1.0) - 0.36).abs() < 0.005);
        assert!((wind_adjustment_open(6.0) - 0.55).abs() < 0.005);
        assert!(wind_adjustment_sheltered(20.0, 0.8, 0.5) < 0.15);
    }

    #[test]
    fn wet_or_absent_fuel_does_not_burn() {
        let table = FuelTable::standard();
        let wet = Moisture {
            dead_1h: 0.5,
            dead_10h: 0.5,
            dead_100h: 0.5,
            live_herb: 1.2,
            live_woody: 1.2,
        };
        assert!(FuelBed::new(table.get(98).unwrap(), &wet).is_none());
        assert!(FuelBed::new(table.get(1).unwrap(), &wet).is_none());
    }
}
