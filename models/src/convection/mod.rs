//! Severe convection (强对流): thunderstorm gale, hail, tornadoes, short-duration heavy rain, and the gale of typhoons.
//!
//! | file | holds |
//! | --- | --- |
//! | `parameters` | rates, sizes, intensities as data |
//! | `swath` | laws of gale and hail swaths, with their exceedance rates in closed form |
//! | `tornado` | outbreaks, paths, strike rate in closed form |
//! | `shape` | what a swath, vortex, path or rain cell brings to a point |
//! | `activity` | where convection is more or less frequent |
//! | `footprint` | incidents over the sites |
//!
//! # What makes an incident
//! - A convective storm of the weather year: its hourly rain where it reaches 20 mm/h, and, each by its own chance, gale
//!   and hail, placed about the storm's centre. One incident with all measures; cause = the storm.
//! - A typhoon storm of the weather year: gale that decays from the centre of its rain. Typhoons without heavy rain in
//!   the region are not in the weather year, so their gale is missing here.
//! - Dry swaths: the rest of the gale and hail rates; each its own cause.
//! - Tornado outbreaks: one incident, one cause, of one or more straight paths. EF only: the gust column stays 0, so that
//!   a damage model does not count the same wind twice.
//!
//! `rain_mm_h` is an intensity (短时强降水) and a reason for damage by seepage at most: the water of the storm belongs to the
//! flood model, which reads the same storm, and is not booked here again.
//!
//! Lightning is left to a later model. Swaths move with no storm; a swath has one day.
//!
//! Storms outside the region are in the weather year only where their rain reaches it, so the rate of swaths that come
//! with storms falls off within a swath's reach of the region's edge.

mod activity;
mod footprint;
mod parameters;
mod shape;
mod swath;
mod tornado;

pub use activity::Activity;
pub use parameters::{
    ConvectionParameters, PathParameters, SwathParameters, TornadoParameters, TyphoonParameters,
};

use crate::hazard::{Hazard, HazardModel, Incident, Lattice, Sites, stream};
use crate::weather::quantile::Length;
use crate::weather::{MOST_STORMS, StormKind, WeatherModel, WeatherYear};
use anlan_engine::distributions::normal_quantile;
use anlan_engine::random::Stream;
use anlan_engine::{Error, Event, Fault, Occurrence, Result};
use footprint::SiteRows;
use shape::{GUST, HAIL, Shape};
use swath::{Peak, SwathLaw};
use tornado::Outbreaks;

/// Most draws of one law a year.
const MOST: usize = 1 << 16;
/// Incidents of a year are numbered year * 2^17 + order.
const NUMBERS: u64 = 1 << 17;
/// Items of the draws of a year: see [`swath_item`]; outbreaks from 0x10_0000.
const OUTBREAKS: u32 = 0x10_0000;
/// Items of the draws of a storm, apart from those of a year: a storm's number may equal a year's.
const STORM: u32 = 0x4000_0000;

/// Severe convection in the year simulation.
#[derive(Debug, Clone)]
pub struct ConvectionModel {
    laws: Vec<SwathLaw>,
    /// The first laws bring gale, the rest hail.
    gale_laws: usize,
    vortex: Peak,
    radius: Length,
    decay: f64,
    outbreaks: Outbreaks,
    least_gust: f64,
    least_rain: f64,
    /// Where tornadoes are judged.
    rows: SiteRows,
    /// Where all else is judged, which is smooth; none: at the same sites.
    smooth: Option<SiteRows>,
    activity: Activity,
    places: Stream,
    sizes: Stream,
}

/// An incident before its footprint.
struct Draft {
    day: u16,
    duration_h: f32,
    cause: Cause,
    shapes: Vec<Shape>,
}

#[derive(Clone, Copy)]
enum Cause {
    Storm(u64),
    Own,
}

impl ConvectionModel {
    /// A model over sites, in step with the weather of a region. Gale, hail and rain, whose swaths are kilometres wide, are
    /// judged on the `blocks` if given, and their incidents then number blocks. Swaths and outbreaks are as frequent, and
    /// hourly rain is as strong, as `activity` says of the place of their centre.
    ///
    /// # Errors
    /// Laws whose share with storms exceeds their whole rate; more swaths a year than can be numbered.
    pub fn new(
        p: &ConvectionParameters,
        weather: &WeatherModel,
        sites: Sites,
        blocks: Option<Sites>,
        activity: Activity,
        seed: u64,
    ) -> Result<Self> {
        let bounds = sites.grid.bounds();
        let storms = weather.convective_storms_per_m2();
        let mut faults = Vec::new();
        let mut laws: Vec<SwathLaw> = Vec::new();
        let named = [
            ("gale", &p.gale, GUST, p.least_gust_m_s),
            ("hail", &p.hail, HAIL, p.least_hail_mm),
        ];
        for (group, list, measure, least) in named {
            for (i, s) in list.iter().enumerate() {
                let with_storm = s.with_storm * storms * 1e10;
                let dry = s.per_10000_km2_year - with_storm;
                if dry < 0.0 {
                    faults.push(
                        Fault::new(
                            "convection parameters",
                            format!("{} a year and 10,000 km²", s.per_10000_km2_year),
                            format!("at least the {with_storm:.2} that come with storms"),
                            "lower with_storm or raise per_10000_km2_year",
                        )
                        .at(format!("{group}[{i}].per_10000_km2_year")),
                    );
                    continue;
                }
                let law = SwathLaw::new(s, measure, least, dry / 1e10 * activity.most(), &bounds);
                faults.extend(too_many(&format!("{group}[{i}]"), law.dry.most(), MOST));
                laws.push(law);
            }
        }
        let outbreaks = Outbreaks::new(&p.tornado, &bounds, activity.most());
        faults.extend(too_many("tornado", outbreaks.count.most(), MOST));
        let all = laws.iter().map(|l| l.dry.most()).sum::<usize>() + outbreaks.count.most();
        faults.extend(too_many(
            "gale, hail and tornado",
            all,
            NUMBERS as usize - MOST_STORMS,
        ));
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let t = &p.typhoon;
        Ok(ConvectionModel {
            laws,
            gale_laws: p.gale.len(),
            vortex: Peak {
                least: t.threshold_m_s,
                scale: t.scale,
                shape: t.shape,
            },
            radius: Length::new(t.radius_m, t.radius_log_sd),
            decay: t.decay,
            outbreaks,
            least_gust: p.least_gust_m_s,
            least_rain: p.least_rain_mm_h,
            rows: SiteRows::new(sites),
            smooth: blocks.map(SiteRows::new),
            activity,
            places: Stream::new(seed, stream::CONVECTION),
            sizes: Stream::new(seed, stream::CONVECTION_SIZE),
        })
    }

    /// Mean number of times a year that a point of activity 1 has convective gale of at least `gust_m_s` (17.2 m/s or more). Closed form;
    /// without typhoons, which follow the weather year.
    pub fn gust_rate(&self, gust_m_s: f64) -> f64 {
        self.laws[..self.gale_laws]
            .iter()
            .map(|l| l.rate(gust_m_s))
            .sum()
    }

    /// Mean number of times a year that a point of activity 1 has hail of at least `hail_mm` (5 mm or more). Closed form.
    pub fn hail_rate(&self, hail_mm: f64) -> f64 {
        self.laws[self.gale_laws..]
            .iter()
            .map(|l| l.rate(hail_mm))
            .sum()
    }

    /// Mean number of times a year that a point of activity 1 is struck by a tornado of class `ef` (0 to 5) or more: density of
    /// tornadoes times mean path area. Closed form. 0 for classes above 5.
    pub fn tornado_rate(&self, ef: u8) -> f64 {
        self.outbreaks.strike_rate(usize::from(ef))
    }

    fn drafts(&self, weather: &WeatherYear) -> Vec<Draft> {
        let mut out = Vec::new();
        for storm in &weather.storms {
            let item = |k: usize| STORM + k as u32;
            let shapes = match storm.kind {
                StormKind::Frontal => continue,
                StormKind::Typhoon => {
                    let u = self.sizes.uniform2(storm.id, item(0), 0);
                    vec![Shape::Vortex {
                        centre: storm.centre,
                        radius_m: self.radius.quantile(u[0]),
                        peak: self.vortex.quantile(u[1]),
                        decay: self.decay,
                        least: self.least_gust,
                    }]
                }
                StormKind::Convective => {
                    let activity = self.activity.at(storm.centre);
                    let mut rain = *storm;
                    rain.peak_1h_mm *= activity;
                    let mut shapes = vec![Shape::Rain {
                        storm: rain,
                        least: self.least_rain,
                    }];
                    for (k, law) in self.laws.iter().enumerate() {
                        let u = self.places.uniform4(storm.id, item(k + 1), 0);
                        if u[0] < law.with_storm * activity {
                            let (a, b) = storm.half_axes_m;
                            let (s, c) = libm::sincos(storm.angle_rad);
                            // Half a half axis about the centre: the gust front and the hail core lie within the storm.
                            let x = 0.5 * a * normal_quantile(u[1]);
                            let y = 0.5 * b * normal_quantile(u[2]);
                            let centre = (
                                storm.centre.0 + x * c - y * s,
                                storm.centre.1 + x * s + y * c,
                            );
                            shapes.push(law.swath(centre, self.size(storm.id, item(k + 1))));
                        }
                    }
                    shapes
                }
            };
            out.push(Draft {
                day: storm.day,
                duration_h: storm.duration_h as f32,
                cause: Cause::Storm(storm.id),
                shapes,
            });
        }
        let event = u64::from(weather.year);
        for (k, law) in self.laws.iter().enumerate() {
            let count = law.dry.quantile(self.places.uniform(event, k as u32, 0));
            for j in 0..count.min(MOST) {
                let item = swath_item(k, j);
                let u = self.places.uniform4(event, item, 0);
                let centre = law.place([u[0], u[1]]);
                // Drawn as often as where convection is most frequent; elsewhere some are left out.
                if !self.activity.keeps(centre, u[2]) {
                    continue;
                }
                let day = law.day(self.places.uniform(event, item, 1));
                out.push(Draft {
                    day,
                    duration_h: law.duration_h,
                    cause: Cause::Own,
                    shapes: vec![law.swath(centre, self.size(event, item))],
                });
            }
        }
        let count = self
            .outbreaks
            .count
            .quantile(self.places.uniform(event, OUTBREAKS, 0));
        for j in 0..count.min(MOST) {
            let item = OUTBREAKS + 1 + j as u32;
            let (day, centre, shapes) = self.outbreaks.draw(&self.sizes, event, item);
            if !self
                .activity
                .keeps(centre, self.places.uniform(event, item, 0))
            {
                continue;
            }
            out.push(Draft {
                day,
                duration_h: self.outbreaks.duration_h,
                cause: Cause::Own,
                shapes,
            });
        }
        // Stable: incidents of a day stay in the order in which they were drawn.
        out.sort_by_key(|d| d.day);
        out
    }

    fn size(&self, event: u64, item: u32) -> [f64; 3] {
        let u = self.sizes.uniform4(event, item, 0);
        [u[0], u[1], u[2]]
    }
}

/// Item of draw `j` of the dry swaths of law `k`: the low 12 bits of `j` behind the number of the law, the others from bit
/// 24 on.
fn swath_item(k: usize, j: usize) -> u32 {
    ((j >> 12) << 24 | (k + 1) << 12 | (j & 0xfff)) as u32
}

fn too_many(key: &str, count: usize, most: usize) -> Option<Fault> {
    (count > most).then(|| {
        Fault::new(
            "convection parameters",
            format!("{count} in the busiest years over the sites and their margin"),
            format!("at most {most}"),
            "lower the rate, or take a smaller region",
        )
        .at(key)
    })
}

impl HazardModel for ConvectionModel {
    fn hazard(&self) -> Hazard {
        Hazard::Convection
    }

    /// Incidents that strike at least one site. `rate_per_year` is 1: the event happens in its own simulated year; over n
    /// simulated years its rate is 1/n.
    fn year(&self, weather: &WeatherYear) -> Vec<Incident> {
        let code = Hazard::Convection.code();
        let first = u64::from(weather.year) * NUMBERS;
        let mut incidents = Vec::new();
        for draft in self.drafts(weather) {
            let tornado = matches!(draft.shapes.first(), Some(Shape::Path { .. }));
            let (rows, lattice) = match &self.smooth {
                Some(blocks) if !tornado => (blocks, Lattice::Blocks),
                _ => (&self.rows, Lattice::Cells),
            };
            let footprint = rows.footprint(&draft.shapes);
            if footprint.is_empty() {
                continue;
            }
            let id = first + incidents.len() as u64;
            incidents.push(Incident {
                event: Event {
                    id,
                    cause: match draft.cause {
                        Cause::Storm(id) => id,
                        // Apart from the numbers of storms, which stay below 2^42, and from those of other hazards.
                        Cause::Own => u64::from(code) << 48 | id,
                    },
                    hazard: code,
                    rate_per_year: 1.0,
                },
                occurrence: Occurrence {
                    year: weather.year,
                    day: draft.day,
                    duration_h: draft.duration_h,
                    event: id,
                },
                footprint,
                lattice,
            });
        }
        incidents
    }
}

#[cfg(test)]
mod tests;
