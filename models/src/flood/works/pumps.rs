//! Pumps (泵站).

use super::require;
use anlan_engine::Result;

/// A pump that starts at one level and stops at a lower one.
#[derive(Debug, Clone, PartialEq)]
pub struct Pump {
    on_m: f64,
    off_m: f64,
    curve: Vec<(f64, f64)>,
    running: bool,
}

impl Pump {
    /// A pump of a head-discharge curve `(head m, flow m³/s)`, ascending in the head and not growing in the flow. It
    /// starts where the level at its intake reaches `on_m` and stops where it falls to `off_m`. A single point is a pump
    /// of one flow, whatever the head.
    ///
    /// # Errors
    /// Levels that are no numbers or not one above the other, an empty curve, a curve of another form.
    pub fn new(on_m: f64, off_m: f64, curve: &[(f64, f64)]) -> Result<Pump> {
        let pump = Pump {
            on_m,
            off_m,
            curve: curve.to_vec(),
            running: false,
        };
        let flows = curve
            .iter()
            .all(|p| p.1 >= 0.0 && p.1.is_finite() && p.0.is_finite());
        require(
            "pump",
            &pump,
            &[
                (
                    off_m < on_m && on_m.is_finite() && off_m.is_finite(),
                    "a level of start above the level of stop",
                ),
                (
                    !curve.is_empty() && flows,
                    "at least one point (head m, flow of at least 0 m³/s)",
                ),
                (
                    curve
                        .windows(2)
                        .all(|w| w[0].0 < w[1].0 && w[0].1 >= w[1].1),
                    "heads that ascend with flows that do not grow",
                ),
            ],
        )?;
        Ok(pump)
    }

    /// Puts it into or out of service, as a saved run left it.
    pub(in crate::flood) fn set_running(&mut self, running: bool) {
        self.running = running;
    }

    /// True while it runs.
    pub fn is_running(&self) -> bool {
        self.running
    }

    /// Flow at a head, m³/s, while it runs: linear between the points of the curve, the first flow below them, 0 beyond
    /// the last (unless that is the only one).
    pub fn capacity_m3_s(&self, head_m: f64) -> f64 {
        let c = &self.curve;
        let at = c.partition_point(|p| p.0 <= head_m);
        match at {
            0 => c[0].1,
            _ if c.len() == 1 => c[0].1,
            k if k == c.len() => {
                if head_m > c[k - 1].0 {
                    0.0
                } else {
                    c[k - 1].1
                }
            }
            k => {
                let ((h0, q0), (h1, q1)) = (c[k - 1], c[k]);
                q0 + (q1 - q0) * (head_m - h0) / (h1 - h0)
            }
        }
    }

    /// Starts or stops the pump by the level at its intake and gives its flow, m³/s, to the level where it delivers.
    pub fn flow_m3_s(&mut self, intake_m: f64, delivery_m: f64) -> f64 {
        self.running = intake_m > self.off_m && (self.running || intake_m >= self.on_m);
        if self.running {
            self.capacity_m3_s(delivery_m - intake_m)
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pumps_start_and_stop_with_hysteresis() {
        let mut pump = Pump::new(3.0, 2.0, &[(0.0, 1.2), (5.0, 1.0), (8.0, 0.0)]).unwrap();
        assert_eq!(pump.flow_m3_s(2.9, 4.0), 0.0);
        assert!((pump.flow_m3_s(3.0, 5.5) - 1.1).abs() < 1e-12);
        assert!((pump.flow_m3_s(2.1, 7.1) - 1.0).abs() < 1e-12);
        assert_eq!(pump.flow_m3_s(2.0, 5.5), 0.0);
        assert_eq!(pump.flow_m3_s(2.9, 5.5), 0.0);
        assert!(pump.flow_m3_s(3.1, 2.0) == 1.2 && pump.is_running());
        assert!((pump.capacity_m3_s(6.5) - 0.5).abs() < 1e-12);
        assert_eq!(pump.capacity_m3_s(9.0), 0.0);
        assert_eq!(
            Pump::new(3.0, 2.0, &[(0.0, 0.7)])
                .unwrap()
                .capacity_m3_s(50.0),
            0.7
        );
        assert!(Pump::new(2.0, 3.0, &[(0.0, 1.0)]).is_err());
        assert!(Pump::new(3.0, 2.0, &[]).is_err());
        assert!(Pump::new(3.0, 2.0, &[(0.0, 1.0), (5.0, 2.0)]).is_err());
    }
}
