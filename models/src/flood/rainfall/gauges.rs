//! Rain gauges and their gaps.

use super::Gaps;
use anlan_engine::{Error, Fault, Result};

/// A rain gauge.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// Name, for messages.
    pub name: String,
    /// x in the system of the compute grid.
    pub x: f64,
    /// y in the system of the compute grid.
    pub y: f64,
    /// Depth of each step, mm; NaN where it is missing.
    pub depth_mm: Vec<f64>,
}

pub(super) fn check_gauges(gauges: &[Gauge], step_h: f64, gaps: Gaps) -> Result<usize> {
    let fault = |gauge: &Gauge, found: String, expected: String, remedy: &str| {
        Fault::new("rain gauges", found, expected, remedy).at(format!("gauge {}", gauge.name))
    };
    let steps = gauges.first().map_or(0, |g| g.depth_mm.len());
    let mut faults = Vec::new();
    if steps == 0 || !(step_h > 0.0 && step_h.is_finite()) {
        faults.push(Fault::new(
            "rain gauges",
            format!(
                "{} gauges, {steps} steps of {step_h} h in the first",
                gauges.len()
            ),
            "at least one gauge with at least one step above 0",
            "check the table of the gauges",
        ));
    }
    for gauge in gauges {
        if !(gauge.x.is_finite() && gauge.y.is_finite()) {
            faults.push(fault(
                gauge,
                format!("place {}, {}", gauge.x, gauge.y),
                "coordinates".into(),
                "complete the place",
            ));
        }
        if gauge.depth_mm.len() != steps {
            faults.push(fault(
                gauge,
                format!("{} steps", gauge.depth_mm.len()),
                format!("{steps} steps, as the first gauge"),
                "cut or fill the series; mark missing steps",
            ));
            continue;
        }
        let wrong = |d: &f64| *d < 0.0 || d.is_infinite();
        if let Some(k) = gauge.depth_mm.iter().position(wrong) {
            faults.push(fault(
                gauge,
                format!("{} mm in step {}", gauge.depth_mm[k], k + 1),
                "at least 0 mm".into(),
                "correct the step, or mark it as missing",
            ));
        }
        let missing = gauge.depth_mm.iter().filter(|d| d.is_nan()).count();
        if missing > 0 && gaps == Gaps::Refuse {
            let first = gauge.depth_mm.iter().position(|d| d.is_nan());
            faults.push(fault(
                gauge,
                format!(
                    "{missing} missing steps, the first {}",
                    first.map_or(0, |k| k + 1)
                ),
                "a value in every step".into(),
                "fill the gaps, or allow filling from the other gauges",
            ));
        }
    }
    if faults.is_empty() {
        let empty = (0..steps).find(|&k| gauges.iter().all(|g| g.depth_mm[k].is_nan()));
        if let Some(k) = empty {
            faults.push(
                Fault::new(
                    "rain gauges",
                    "no gauge with a value",
                    "at least one in every step",
                    "fill the step",
                )
                .at(format!("step {}", k + 1)),
            );
        }
    }
    if faults.is_empty() {
        Ok(steps)
    } else {
        Err(Error::Input(faults))
    }
}

/// A missing step from the gauges that have it, by inverse squared distance (in units of the system).
pub(super) fn from_others(gauges: &[Gauge], at: usize, step: usize) -> f64 {
    let (mut sum, mut weight) = (0.0, 0.0);
    for (g, other) in gauges.iter().enumerate() {
        let depth = other.depth_mm[step];
        if g == at || depth.is_nan() {
            continue;
        }
        let (dx, dy) = (other.x - gauges[at].x, other.y - gauges[at].y);
        let d2 = dx * dx + dy * dy;
        if d2 == 0.0 {
            return depth;
        }
        sum += depth / d2;
        weight += 1.0 / d2;
    }
    sum / weight
}
