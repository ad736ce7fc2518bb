//! Weirs and openings.
//!
//! * Weir: q = Cd 2/3 sqrt(2 g) H1^1.5 per metre of crest, times (1 - s^1.5)^0.385 where the lower side stands above the
//!   crest; s = (H2/H1 - m) / (1 - m) above the modular limit m, 0 below. With m = 0 this is Villemonte's law for sharp
//!   crests; broad crests and embankments stay free up to m.
//! * Opening (gate, bridge, orifice of full width): Q = Cd B y sqrt(2 g ΔH). Upstream energy e above the sill; the opening
//!   is wet to min(a, e) on the upper side and to min(a, max(2 e / 3, lower level)) on the lower side, y is their mean and
//!   ΔH the fall between. Not submerged and free this is a broad crest, Cd 2.13 B e^1.5, that is critical flow for
//!   Cd = 0.8; drowned it is the orifice law with the usual Cd of 0.8 of bridges.
//! * A bridge is its opening plus, above the deck, a weir.
//!
//! At small differences of level flow grows like their root: steps of time must be limited, or flows relaxed, by the caller.
//!
//! # References
//! Villemonte (1947), Submerged weir discharge studies, Eng. News-Rec. 139:866-869. US Army Corps of Engineers, HEC-RAS
//! Hydraulic Reference Manual (2016), ch. 5 and 6, for the combination at bridges.

use super::{GRAVITY, above_zero, require};
use anlan_engine::Result;

/// A weir of any length.
///
/// # Examples
/// ```
/// use anlan_models::flood::works::WorksTables;
///
/// let weir = WorksTables::published().weir("broad crest")?;
/// // A metre of water over the crest, free: 1.705 m²/s; at equal levels nothing flows.
/// assert!((weir.flow_m2_s(11.0, 9.0, 10.0) - 1.705).abs() < 2e-3);
/// assert_eq!(weir.flow_m2_s(11.0, 11.0, 10.0), 0.0);
/// # Ok::<(), anlan_engine::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weir {
    /// Coefficient Cd of 2/3 sqrt(2 g) H^1.5; 0.577 is critical flow without loss.
    pub discharge: f64,
    /// Ratio of the heads up to which flow is free, 0..1.
    pub modular_limit: f64,
}

impl Weir {
    /// Flow per metre of crest, m²/s, from a to b.
    pub fn flow_m2_s(&self, level_a_m: f64, level_b_m: f64, crest_m: f64) -> f64 {
        let (up, down) = (level_a_m.max(level_b_m), level_a_m.min(level_b_m));
        let head = up - crest_m;
        if head <= 0.0 || up <= down {
            return 0.0;
        }
        let free = self.discharge * 2.0 / 3.0 * (2.0 * GRAVITY * head).sqrt() * head;
        let q = free * self.submergence((down - crest_m).max(0.0) / head);
        if level_a_m > level_b_m { q } else { -q }
    }

    /// Factor of submergence at a ratio of the heads, 1 to 0.
    pub fn submergence(&self, ratio: f64) -> f64 {
        let s = ((ratio - self.modular_limit) / (1.0 - self.modular_limit)).clamp(0.0, 1.0);
        libm::pow(1.0 - s * s.sqrt(), 0.385)
    }
}

/// A rectangular opening above a sill: gate, flap, orifice or the space under a bridge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Opening {
    /// Width, m.
    pub width_m: f64,
    /// Sill, m above datum.
    pub sill_m: f64,
    /// Height, m; 0 for a closed gate.
    pub height_m: f64,
    /// Coefficient Cd, 0.8 by custom.
    pub discharge: f64,
    /// True where water can only go from a to b (flap gate, 拍门).
    pub one_way: bool,
}

impl Opening {
    /// Checks the numbers.
    ///
    /// # Errors
    /// A width not above 0, a negative height, a coefficient outside 0..=1, a sill that is no number.
    pub fn check(&self) -> Result<()> {
        require(
            "opening",
            self,
            &[
                (above_zero(self.width_m), "a width above 0 m"),
                (self.height_m >= 0.0, "a height of at least 0 m"),
                (
                    self.discharge > 0.0 && self.discharge <= 1.0,
                    "a coefficient above 0, at most 1",
                ),
                (self.sill_m.is_finite(), "a sill, m above datum"),
            ],
        )
    }

    /// Flow, m³/s, from a to b.
    pub fn flow_m3_s(&self, level_a_m: f64, level_b_m: f64) -> f64 {
        let (up, down) = (level_a_m.max(level_b_m), level_a_m.min(level_b_m));
        let e = up - self.sill_m;
        if e <= 0.0 || up <= down || (self.one_way && level_b_m > level_a_m) {
            return 0.0;
        }
        let (depth, fall) = section(e, down - self.sill_m, self.height_m);
        let q = self.discharge * self.width_m * depth * (2.0 * GRAVITY * fall).sqrt();
        if level_a_m > level_b_m { q } else { -q }
    }
}

/// Mean wet height of an opening `height` high and the fall through it, at `e` above and `down` (any sign) below.
pub(super) fn section(e: f64, down: f64, height: f64) -> (f64, f64) {
    let free = 2.0 / 3.0 * e;
    let low = height.min(down.max(free));
    let fall = e - down.max(height.min(free));
    (0.5 * (height.min(e) + low), fall.max(0.0))
}

/// A bridge: the opening under the deck and the road above it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bridge {
    /// Space under the deck, net of piers.
    pub opening: Opening,
    /// Level from which the road is overtopped, m above datum; not below the top of the opening.
    pub deck_m: f64,
    /// Length of road that is overtopped, m.
    pub deck_length_m: f64,
    /// Law of overtopping.
    pub weir: Weir,
}

impl Bridge {
    /// Checks the numbers.
    ///
    /// # Errors
    /// As [`Opening::check`]; a deck below the top of the opening; a negative length.
    pub fn check(&self) -> Result<()> {
        self.opening.check()?;
        require(
            "bridge",
            self,
            &[
                (
                    self.deck_m >= self.opening.sill_m + self.opening.height_m,
                    "a deck above the opening",
                ),
                (self.deck_length_m >= 0.0, "a length of at least 0 m"),
            ],
        )
    }

    /// Flow, m³/s, from a to b, under and over the deck.
    pub fn flow_m3_s(&self, level_a_m: f64, level_b_m: f64) -> f64 {
        self.opening.flow_m3_s(level_a_m, level_b_m)
            + self.deck_length_m * self.weir.flow_m2_s(level_a_m, level_b_m, self.deck_m)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::super::WorksTables;
    use super::*;
    use proptest::prelude::*;

    /// The conventions of all laws: sign, zero, monotone, continuous.
    pub fn lawful(
        flow: impl Fn(f64, f64) -> f64,
        (a, b): (f64, f64),
        scale: f64,
        symmetric: bool,
    ) -> Result<(), TestCaseError> {
        let q = flow(a, b);
        prop_assert!(q.is_finite());
        prop_assert!(q == 0.0 || (q > 0.0) == (a > b), "{} at {} {}", q, a, b);
        prop_assert_eq!(flow(a, a), 0.0);
        if symmetric {
            prop_assert!((flow(b, a) + q).abs() <= 1e-12 * q.abs().max(1.0));
        }
        for d in [1e-3, 0.05] {
            let tiny = 1e-9 * (1.0 + q.abs());
            prop_assert!(
                flow(a + d, b) >= q - tiny,
                "{} {} +{}: {} {}",
                a,
                b,
                d,
                q,
                flow(a + d, b)
            );
            prop_assert!(
                flow(a, b + d) <= q + tiny,
                "{} {} +{}: {} {}",
                a,
                b,
                d,
                q,
                flow(a, b + d)
            );
        }
        // The steepest is a root or, for Villemonte, a power of 0.385 at equal levels.
        let d = 1e-9;
        let bound = scale * libm::pow(d, 0.385) * 10.0;
        prop_assert!((flow(a + d, b) - q).abs() <= bound);
        prop_assert!((flow(a, b + d) - q).abs() <= bound);
        Ok(())
    }

    #[test]
    fn weirs_by_hand() {
        let tables = WorksTables::published();
        // Critical flow: 0.5443 sqrt(g) H^1.5 = 1.705 H^1.5.
        let broad = tables.weir("broad crest").unwrap();
        let q = broad.flow_m2_s(11.0, 5.0, 10.0);
        assert!((q - 1.705).abs() < 2e-3, "{q}");
        assert_eq!(broad.flow_m2_s(5.0, 11.0, 10.0), -q);
        assert_eq!(broad.flow_m2_s(11.0, 10.66, 10.0), q);
        // Villemonte's sharp crest at half submergence: (1 - 0.5^1.5)^0.385 = 0.845_4.
        let sharp = tables.weir("sharp crest").unwrap();
        assert!((sharp.submergence(0.5) - 0.845_4).abs() < 1e-4);
        // Sharp crest, H 0.3 m: 0.602 * 2/3 * sqrt(2 g) * 0.3^1.5 = 0.2920 m²/s.
        let q = sharp.flow_m2_s(0.3, -1.0, 0.0);
        assert!((q - 0.292_0).abs() < 1e-4, "{q}");
    }

    #[test]
    fn openings_by_hand() {
        let mut gate = Opening {
            width_m: 4.0,
            sill_m: 1.0,
            height_m: 1.5,
            discharge: 0.8,
            one_way: false,
        };
        gate.check().unwrap();
        // Drowned orifice: 0.8 * 6 m² * sqrt(2 g * 0.5) = 15.03 m³/s.
        let q = gate.flow_m3_s(5.0, 4.5);
        assert!((q - 0.8 * 6.0 * (GRAVITY * 1.0f64).sqrt()).abs() < 1e-12);
        assert!((q - 15.03).abs() < 0.01);
        // Free and not submerged: critical flow 1.705 B H^1.5.
        let q = gate.flow_m3_s(2.2, 0.0);
        assert!(
            (q / (1.705 * 4.0 * libm::pow(1.2, 1.5)) - 1.0).abs() < 2e-3,
            "{q}"
        );
        gate.one_way = true;
        assert_eq!(gate.flow_m3_s(4.5, 5.0), 0.0);
        gate.height_m = 0.0;
        assert_eq!(gate.flow_m3_s(5.0, 4.5), 0.0);
        gate.height_m = -1.0;
        assert!(
            gate.check()
                .unwrap_err()
                .to_string()
                .contains("height of at least 0")
        );
    }

    proptest! {
        #[test]
        fn weirs_are_lawful(a in -1.0f64..4.0, b in -1.0f64..4.0, limit in 0.0f64..0.9) {
            let weir = Weir { discharge: 0.577, modular_limit: limit };
            lawful(|a, b| weir.flow_m2_s(a, b, 0.0), (a, b), 100.0, true)?;
        }

        #[test]
        fn bridges_are_lawful(a in -1.0f64..6.0, b in -1.0f64..6.0, height in 0.1f64..3.0) {
            let bridge = Bridge {
                opening: Opening { width_m: 10.0, sill_m: 0.0, height_m: height, discharge: 0.8, one_way: false },
                deck_m: height + 0.5,
                deck_length_m: 40.0,
                weir: Weir { discharge: 0.572, modular_limit: 0.8 },
            };
            bridge.check().unwrap();
            lawful(|a, b| bridge.flow_m3_s(a, b), (a, b), 5000.0, true)?;
        }
    }
}
