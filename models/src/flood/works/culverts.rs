//! Culverts (涵洞): boxes and pipes under inlet control or outlet control, whichever lets less through.
//!
//! * **Inlet control** (HDS-5, appendix A): not submerged, X = Ku Q / (A D^0.5) up to 3.5, HW/D = Hc/D + K X^M + s S (first
//!   form) or K X^M (second form), Hc the energy of critical flow; submerged, X from 4, HW/D = c X² + Y + s S; a straight line in
//!   between. Ku = 1.811. The slope term s S of the first form fades in with X, so that no water stands in the inlet at no flow.
//! * **Outlet control**: Q = A sqrt(2 g ΔH / (ke + kx + 2 g n² L / R^(4/3))), with the wet section and the fall ΔH of an
//!   opening ([`super::weirs`]) whose sill is the higher invert: full at 1.5 D above it, where HDS-5 has full flow to
//!   (dc + D) / 2. Free outlets of part-full culverts fall to the lower invert as well.
//! * R of a part-full pipe is not taken above that of the full one, so that flow grows with the level up to the crown.
//!
//! # References
//! FHWA (2012), Hydraulic Design of Highway Culverts, HDS-5, third edition, FHWA-HIF-12-026, appendix A and section 3.1.

use super::weirs::section;
use super::{GRAVITY, above_zero, require};
use anlan_engine::{Error, Fault, Result};

/// Unit conversion of HDS-5's constants to SI.
const KU: f64 = 1.811;
/// X up to which an inlet is not submerged.
const WEIR_X: f64 = 3.5;
/// X from which an inlet is submerged.
const ORIFICE_X: f64 = 4.0;

/// Shape of the barrel.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Barrel {
    /// Box (箱涵).
    Box {
        /// Width, m.
        width_m: f64,
        /// Height, m.
        height_m: f64,
    },
    /// Pipe (管涵).
    Pipe {
        /// Diameter, m.
        diameter_m: f64,
    },
}

impl Barrel {
    /// Height inside, m.
    pub fn height_m(&self) -> f64 {
        match *self {
            Barrel::Box { height_m, .. } => height_m,
            Barrel::Pipe { diameter_m } => diameter_m,
        }
    }

    /// Wet area, wet perimeter and width of the surface at a depth up to the height, m², m, m.
    fn wet(&self, depth: f64) -> (f64, f64, f64) {
        match *self {
            Barrel::Box { width_m, height_m } => {
                let roof = if depth >= height_m { width_m } else { 0.0 };
                (width_m * depth, width_m + 2.0 * depth + roof, width_m)
            }
            Barrel::Pipe { diameter_m: d } => {
                let share = (1.0 - 2.0 * depth / d).clamp(-1.0, 1.0);
                let angle = 2.0 * libm::acos(share);
                let area = 0.125 * d * d * (angle - libm::sin(angle));
                (
                    area,
                    0.5 * d * angle,
                    d * (1.0 - share * share).max(0.0).sqrt(),
                )
            }
        }
    }

    /// Wet area and hydraulic radius, the latter not above that of the full barrel.
    fn conveying(&self, depth: f64) -> (f64, f64) {
        let (full_area, full_perimeter, _) = self.wet(self.height_m());
        let (area, perimeter, _) = self.wet(depth);
        (area, (area / perimeter).min(full_area / full_perimeter))
    }
}

/// Form of the law of an inlet that is not submerged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InletForm {
    /// Form 1, from the specific head at critical depth.
    SpecificHead,
    /// Form 2, a power law.
    Power,
}

/// Constants of an inlet; see [`super::WorksTables::inlet`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inlet {
    /// Form of the law where not submerged.
    pub form: InletForm,
    /// K.
    pub k: f64,
    /// M.
    pub m: f64,
    /// c.
    pub c: f64,
    /// Y.
    pub y: f64,
    /// Factor of the slope: -0.5, or 0.7 for mitered inlets.
    pub slope: f64,
    /// Entrance loss ke of outlet control.
    pub entrance_loss: f64,
}

/// What a culvert is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CulvertData {
    /// Shape.
    pub barrel: Barrel,
    /// Number of equal barrels side by side.
    pub barrels: u32,
    /// Length, m.
    pub length_m: f64,
    /// Bottom at the ends a and b, m above datum.
    pub invert_m: [f64; 2],
    /// Manning's n, s m^(-1/3).
    pub manning_n: f64,
    /// Inlets at the ends a and b.
    pub inlet: [Inlet; 2],
    /// Exit loss kx, 1 by custom.
    pub exit_loss: f64,
    /// True where water can only go from a to b (flap, 拍门).
    pub one_way: bool,
}

/// A culvert, checked.
///
/// # Examples
/// ```
/// use anlan_models::flood::works::WorksTables;
/// use anlan_models::flood::works::culverts::{Barrel, Culvert, CulvertData};
///
/// let inlet = WorksTables::published().inlet("pipe, concrete, square edge with headwall")?;
/// let culvert = Culvert::new(CulvertData {
///     barrel: Barrel::Pipe { diameter_m: 1.5 },
///     barrels: 1,
///     length_m: 60.0,
///     invert_m: [10.0, 10.0],
///     manning_n: 0.012,
///     inlet: [inlet; 2],
///     exit_loss: 1.0,
///     one_way: false,
/// })?;
/// // Full, under outlet control: sqrt(2 g / 2.13) over 1.77 m².
/// assert!((culvert.flow_m3_s(14.0, 13.0) - 5.37).abs() < 0.01);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Culvert {
    data: CulvertData,
    /// Critical depth at which X is 3.5, of form 1, m.
    weir_depth_m: f64,
}

impl Culvert {
    /// Checks the numbers.
    ///
    /// # Errors
    /// Sizes, length or roughness not above 0, losses that are negative, no barrel; constants of an inlet that let less
    /// water through when it becomes submerged.
    pub fn new(data: CulvertData) -> Result<Culvert> {
        let sizes = match data.barrel {
            Barrel::Box { width_m, height_m } => above_zero(width_m) && above_zero(height_m),
            Barrel::Pipe { diameter_m } => above_zero(diameter_m),
        };
        require(
            "culvert",
            &data,
            &[
                (sizes, "sizes above 0 m"),
                (data.barrels > 0, "at least one barrel"),
                (above_zero(data.length_m), "a length above 0 m"),
                (above_zero(data.manning_n), "a roughness above 0"),
                (
                    data.invert_m.iter().all(|z| z.is_finite()),
                    "inverts, m above datum",
                ),
                (
                    data.exit_loss >= 0.0
                        && data
                            .inlet
                            .iter()
                            .all(|i| i.entrance_loss + data.exit_loss > 0.0),
                    "losses that are not negative and not all 0",
                ),
            ],
        )?;
        let barrel = data.barrel;
        let height = barrel.height_m();
        // X at critical flow of a depth grows without bound towards the crown of a pipe; a box is cut at 1.5 heights.
        let (mut low, mut high) = (0.0, 1.5 * height);
        if matches!(barrel, Barrel::Pipe { .. }) {
            high = height;
        }
        for _ in 0..60 {
            let y = 0.5 * (low + high);
            if x_of(&barrel, critical(&barrel, y).0) < WEIR_X {
                low = y;
            } else {
                high = y;
            }
        }
        let culvert = Culvert {
            data,
            weir_depth_m: low,
        };
        for (end, inlet) in data.inlet.iter().enumerate() {
            let slope = culvert.slope(end);
            let (weir, orifice) = (
                culvert.weir_top(inlet, slope),
                orifice(inlet, slope, ORIFICE_X),
            );
            if !(weir > 0.0 && orifice > weir) {
                return Err(Error::input(
                    Fault::new(
                        "culvert",
                        format!("HW/D {weir} before and {orifice} after submergence ({inlet:?})"),
                        "a headwater that grows with the flow",
                        "check the constants of the inlet and the slope of the barrel",
                    )
                    .at(format!("end {end}")),
                ));
            }
        }
        Ok(culvert)
    }

    /// What it was made from.
    pub fn data(&self) -> &CulvertData {
        &self.data
    }

    /// Flow, m³/s, from a to b.
    pub fn flow_m3_s(&self, level_a_m: f64, level_b_m: f64) -> f64 {
        if level_a_m > level_b_m {
            self.through(0, level_a_m, level_b_m)
        } else if self.data.one_way {
            0.0
        } else {
            -self.through(1, level_b_m, level_a_m)
        }
    }

    /// Flow under inlet control at one end (0 a, 1 b), m³/s, all barrels.
    pub fn inlet_flow_m3_s(&self, end: usize, headwater_m: f64) -> f64 {
        let barrel = &self.data.barrel;
        let inlet = &self.data.inlet[end];
        let height = barrel.height_m();
        let slope = self.slope(end);
        let wanted = headwater_m / height;
        if wanted <= 0.0 {
            return 0.0;
        }
        let (weir, full) = (
            self.weir_top(inlet, slope),
            orifice(inlet, slope, ORIFICE_X),
        );
        let x = if wanted >= full {
            ((wanted - inlet.y - inlet.slope * slope) / inlet.c).sqrt()
        } else if wanted >= weir {
            WEIR_X + (ORIFICE_X - WEIR_X) * (wanted - weir) / (full - weir)
        } else if inlet.form == InletForm::Power {
            libm::pow(wanted / inlet.k, 1.0 / inlet.m)
        } else {
            // Along critical depths both flow and headwater are explicit.
            let (mut low, mut high) = (0.0, self.weir_depth_m);
            for _ in 0..52 {
                let y = 0.5 * (low + high);
                if weir_head(barrel, inlet, slope, y) < wanted {
                    low = y;
                } else {
                    high = y;
                }
            }
            x_of(barrel, critical(barrel, 0.5 * (low + high)).0)
        };
        let (area, _, _) = barrel.wet(height);
        x * area * height.sqrt() / KU * f64::from(self.data.barrels)
    }

    /// Flow under outlet control from one end (0 a, 1 b), m³/s, all barrels.
    pub fn outlet_flow_m3_s(&self, end: usize, up_m: f64, down_m: f64) -> f64 {
        let d = &self.data;
        let (inlet, outlet) = (d.invert_m[end], d.invert_m[1 - end]);
        let sill = inlet.max(outlet);
        let e = up_m - sill;
        if e <= 0.0 || up_m <= down_m {
            return 0.0;
        }
        let height = d.barrel.height_m();
        let (depth, _) = section(e, down_m - sill, height);
        let fall = up_m - down_m.max(outlet + height.min(2.0 / 3.0 * e));
        let (area, radius) = d.barrel.conveying(depth);
        let friction =
            2.0 * GRAVITY * d.manning_n * d.manning_n * d.length_m / (radius * libm::cbrt(radius));
        let loss = d.inlet[end].entrance_loss + d.exit_loss + friction;
        area * (2.0 * GRAVITY * fall.max(0.0) / loss).sqrt() * f64::from(d.barrels)
    }

    fn through(&self, end: usize, up_m: f64, down_m: f64) -> f64 {
        let outlet = self.outlet_flow_m3_s(end, up_m, down_m);
        let inlet = self.inlet_flow_m3_s(end, up_m - self.data.invert_m[end]);
        outlet.min(inlet)
    }

    /// Fall of the barrel from an end, at least 0.
    fn slope(&self, end: usize) -> f64 {
        let [a, b] = self.data.invert_m;
        let fall = if end == 0 { a - b } else { b - a };
        (fall / self.data.length_m).max(0.0)
    }

    /// HW/D at X = 3.5.
    fn weir_top(&self, inlet: &Inlet, slope: f64) -> f64 {
        match inlet.form {
            InletForm::SpecificHead => {
                weir_head(&self.data.barrel, inlet, slope, self.weir_depth_m)
            }
            InletForm::Power => inlet.k * libm::pow(WEIR_X, inlet.m),
        }
    }
}

/// Critical flow and its energy above the bottom at a depth, m³/s, m.
fn critical(barrel: &Barrel, depth: f64) -> (f64, f64) {
    let (area, _, width) = barrel.wet(depth);
    if area <= 0.0 || width <= 0.0 {
        return (if depth > 0.0 { f64::INFINITY } else { 0.0 }, depth);
    }
    let mean = area / width;
    (area * (GRAVITY * mean).sqrt(), depth + 0.5 * mean)
}

fn x_of(barrel: &Barrel, flow: f64) -> f64 {
    let height = barrel.height_m();
    KU * flow / (barrel.wet(height).0 * height.sqrt())
}

/// HW/D of form 1 at a critical depth.
fn weir_head(barrel: &Barrel, inlet: &Inlet, slope: f64, depth: f64) -> f64 {
    let (flow, energy) = critical(barrel, depth);
    let x = x_of(barrel, flow);
    energy / barrel.height_m()
        + inlet.k * libm::pow(x, inlet.m)
        + inlet.slope * slope * (x / WEIR_X).min(1.0)
}

/// HW/D of a submerged inlet.
fn orifice(inlet: &Inlet, slope: f64, x: f64) -> f64 {
    inlet.c * x * x + inlet.y + inlet.slope * slope
}

#[cfg(test)]
mod tests {
    use super::super::WorksTables;
    use super::super::weirs::tests::lawful;
    use super::*;
    use proptest::prelude::*;

    fn culvert(barrel: Barrel, inlet: &str, fall: f64) -> Culvert {
        let inlet = WorksTables::published().inlet(inlet).unwrap();
        Culvert::new(CulvertData {
            barrel,
            barrels: 1,
            length_m: 60.0,
            invert_m: [10.0 + fall, 10.0],
            manning_n: 0.012,
            inlet: [inlet; 2],
            exit_loss: 1.0,
            one_way: false,
        })
        .unwrap()
    }

    #[test]
    fn inlet_control_of_the_charts() {
        // Readings of HDS-5's chart 8 (box, SI) by a public worksheet, slope 0.0133: width, flow, height, HW/D read.
        let readings = [
            (
                "box, concrete, wingwalls 90 and 15 degrees",
                1.5,
                4.8,
                1.2,
                1.60,
            ),
            (
                "box, concrete, wingwalls 90 and 15 degrees",
                2.0,
                4.0,
                0.8,
                1.81,
            ),
            (
                "box, concrete, wingwalls 90 and 15 degrees",
                4.0,
                16.0,
                1.5,
                1.42,
            ),
            (
                "box, concrete, wingwalls 90 and 15 degrees",
                6.0,
                18.0,
                1.5,
                1.12,
            ),
            ("box, concrete, wingwalls parallel", 1.5, 4.8, 1.2, 1.71),
            ("box, concrete, wingwalls parallel", 2.0, 4.0, 0.8, 1.91),
            ("box, concrete, wingwalls parallel", 4.0, 16.0, 1.5, 1.50),
            ("box, concrete, wingwalls parallel", 6.0, 18.0, 1.5, 1.18),
            (
                "box, concrete, wingwalls 30 to 75 degrees",
                1.5,
                4.8,
                1.2,
                1.49,
            ),
            (
                "box, concrete, wingwalls 30 to 75 degrees",
                2.0,
                4.0,
                0.8,
                1.70,
            ),
        ];
        for (inlet, width_m, flow, height_m, read) in readings {
            let c = culvert(Barrel::Box { width_m, height_m }, inlet, 0.0133 * 60.0);
            // Flow at the reading within what a nomograph allows; more where the inlet is not submerged (18 m³/s).
            let at = c.inlet_flow_m3_s(0, read * height_m);
            let allowed = if flow == 18.0 { 0.12 } else { 0.06 };
            assert!((at / flow - 1.0).abs() < allowed, "{inlet} {flow}: {at}");
        }
        // The submerged law by hand: X = 1.811 * 4.8 / (1.8 sqrt(1.2)) = 4.4086, HW/D = 0.0400 X² + 0.80 - 0.00665,
        // times 1.2 m.
        let c = culvert(
            Barrel::Box {
                width_m: 1.5,
                height_m: 1.2,
            },
            "box, concrete, wingwalls 90 and 15 degrees",
            0.0133 * 60.0,
        );
        assert!((c.inlet_flow_m3_s(0, 1.884_9) - 4.8).abs() < 2e-3);
    }

    #[test]
    fn outlet_control_by_hand() {
        // Pipe of 1.5 m, 60 m long, level, n 0.012, ke 0.5, kx 1: R 0.375, 2 g n² L / R^(4/3) = 0.6265, losses 2.1265;
        // between 14.0 and 13.0 m: V = sqrt(2 g / 2.1265) = 3.0370 m/s, Q = 5.3668 m³/s, less than the inlet lets in.
        let c = culvert(
            Barrel::Pipe { diameter_m: 1.5 },
            "pipe, concrete, square edge with headwall",
            0.0,
        );
        let q = c.flow_m3_s(14.0, 13.0);
        assert!((q - 5.367).abs() < 2e-3, "{q}");
        assert!((c.flow_m3_s(13.0, 14.0) + q).abs() < 1e-12);
        assert!(c.inlet_flow_m3_s(0, 4.0) > q);
        // Half full, nearly level: friction slope by Manning's law, entrance and exit aside.
        let (up, down) = (10.76, 10.75);
        let q = c.flow_m3_s(up, down);
        let area = 0.5 * std::f64::consts::PI * 0.5625;
        let loss = 1.5 + 2.0 * GRAVITY * 0.012 * 0.012 * 60.0 / libm::pow(0.375, 4.0 / 3.0);
        let by_hand = area * (2.0 * GRAVITY * 0.01 / loss).sqrt();
        assert!((q / by_hand - 1.0).abs() < 0.01, "{q} {by_hand}");
    }

    #[test]
    fn faults_are_named() {
        let mut data = *culvert(
            Barrel::Pipe { diameter_m: 1.0 },
            "pipe, corrugated metal, projecting",
            0.5,
        )
        .data();
        data.one_way = true;
        assert_eq!(Culvert::new(data).unwrap().flow_m3_s(10.0, 12.0), 0.0);
        data.manning_n = 0.0;
        data.barrels = 0;
        assert_eq!(Culvert::new(data).unwrap_err().faults().len(), 2);
        data = *culvert(
            Barrel::Pipe { diameter_m: 1.0 },
            "pipe, corrugated metal, projecting",
            0.5,
        )
        .data();
        data.inlet[0].c = 0.001;
        assert!(
            Culvert::new(data)
                .unwrap_err()
                .to_string()
                .contains("end 0")
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(400))]
        #[test]
        fn culverts_are_lawful(
            a in 9.5f64..17.0, b in 9.5f64..17.0, pipe in any::<bool>(), which in 0usize..5,
            height in 0.4f64..3.0, ratio in 0.5f64..3.0, fall in -0.6f64..2.0,
        ) {
            let names = [
                "pipe, concrete, square edge with headwall",
                "pipe, corrugated metal, projecting",
                "pipe, corrugated metal, mitered to slope",
                "box, concrete, wingwalls parallel",
                "box, concrete, 90 degree headwall with chamfers",
            ];
            let barrel = if pipe {
                Barrel::Pipe { diameter_m: height }
            } else {
                Barrel::Box { width_m: ratio * height, height_m: height }
            };
            let c = culvert(barrel, names[which], fall);
            lawful(|a, b| c.flow_m3_s(a, b), (a, b), 2000.0, false)?;
        }

        /// Inlet control grows with the headwater and has no jump.
        #[test]
        fn inlet_control_grows(h in 0.0f64..6.0, pipe in any::<bool>()) {
            let barrel = if pipe {
                Barrel::Pipe { diameter_m: 1.2 }
            } else {
                Barrel::Box { width_m: 2.0, height_m: 1.2 }
            };
            for name in ["pipe, concrete, square edge with headwall", "box, concrete, 90 degree headwall with chamfers"] {
                let c = culvert(barrel, name, 0.6);
                let (q, more) = (c.inlet_flow_m3_s(0, h), c.inlet_flow_m3_s(0, h + 1e-4));
                prop_assert!(more >= q && more - q < 0.01, "{} {} {}", h, q, more);
            }
        }
    }
}
