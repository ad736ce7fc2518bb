//! The choice between the inertial equations and finite volumes.

use super::flow::Flow;
use super::kernel::{GRAVITY, hi};
use super::plane::Shape;
use super::{AutoRule, Case, Scheme, Work};
use rayon::prelude::*;

/// The scheme to begin with.
pub(super) fn first(
    case: &Case<'_>,
    depth: &[f32],
    bed: &[f32],
    shape: &Shape,
    rule: &AutoRule,
) -> Scheme {
    let breaks = case.dykes.iter().any(|d| !d.breaches.is_empty())
        || (case.links.iter()).any(|l| matches!(l.work, Work::Breach(..)));
    // A front: water beside ground that lies lower than its level by a share of its depth.
    let front = |a: usize, b: usize| {
        let (level_a, level_b) = (bed[a] + depth[a], bed[b] + depth[b]);
        let (deep, fall) = if level_a > level_b {
            (depth[a], level_a - level_b)
        } else {
            (depth[b], level_b - level_a)
        };
        let walls = bed[a] > 1e19 || bed[b] > 1e19;
        !walls && deep >= rule.deep_m && fall > rule.front * deep
    };
    let fronts = case.initial_depth_m.is_some()
        && (0..shape.rows as isize - 1).any(|row| {
            (0..shape.cols as isize - 1).any(|col| {
                let at = shape.at(row, col);
                front(at, at + 1) || front(at, at + shape.stride)
            })
        });
    if breaks || fronts {
        Scheme::Fv2
    } else {
        Scheme::Inertial
    }
}

impl Flow {
    /// True where too many deep cells run near their critical speed. For the inertial scheme.
    pub(super) fn is_too_fast(&self, rule: &AutoRule) -> bool {
        let (shape, h, x, y) = self.inertial_fields();
        let counts: Vec<(u64, u64)> = (0..shape.rows as isize)
            .into_par_iter()
            .with_min_len(16)
            .map(|row| {
                let (mut deep, mut fast) = (0, 0);
                for run in self.blocks.runs(row) {
                    let at = shape.at(row, run.start as isize);
                    for k in (at..at + run.len()).filter(|&k| h[k] >= rule.deep_m) {
                        let (qx, qy) =
                            (0.5 * (x[k - 1] + x[k]), 0.5 * (y[k - shape.stride] + y[k]));
                        let critical = rule.froude * rule.froude * GRAVITY * h[k] * h[k] * h[k];
                        deep += 1;
                        fast += u64::from(qx * qx + qy * qy >= critical);
                    }
                }
                (deep, fast)
            })
            .collect();
        let (deep, fast) = counts.iter().fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1));
        fast as f64 > rule.share * deep as f64
    }

    /// Goes over from faces to cells: every cell takes the mean of its faces.
    pub(super) fn go_over_to_volumes(&mut self) {
        let (shape, h, x, y) = self.inertial_fields();
        let (mut cell_x, mut cell_y) = (x.clone(), y.clone());
        let mut fastest = 0.0f32;
        for row in 0..shape.rows as isize {
            for col in 0..shape.cols as isize {
                let k = shape.at(row, col);
                cell_x[k] = 0.5 * (x[k - 1] + x[k]);
                cell_y[k] = 0.5 * (y[k - shape.stride] + y[k]);
                // Critical flow of its faces would be kilometres per second in a cell that has just become wet.
                let wave = (GRAVITY * h[k]).sqrt();
                let flow = (cell_x[k] * cell_x[k] + cell_y[k] * cell_y[k]).sqrt();
                let most = self.options.froude_max * h[k] * wave;
                if flow > most {
                    cell_x[k] *= most / flow;
                    cell_y[k] *= most / flow;
                }
                if h[k] > self.options.dry_m {
                    fastest = hi(flow.min(most) / h[k] + wave, fastest);
                }
            }
        }
        self.put_volumes(cell_x, cell_y, fastest);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{Ground, grid};
    use super::super::*;

    #[test]
    fn films_stay_inertial_dams_and_torrents_do_not() {
        let options = SolverOptions {
            scheme: Scheme::Auto,
            end_s: 600.0,
            ..SolverOptions::default()
        };
        let scheme = |case: &Case<'_>| simulate(case, &options, &mut |_| {}).unwrap().scheme;
        // Heavy rain on a slope of 1 in 5: fast films.
        let slope = Ground::new(grid(20, 40, 10.0), 0.03, |_, c| -2.0 * c as f64);
        let hours = crate::flood::rain::Hyetograph::uniform(100.0, 1.0, 1.0);
        let rain = RainField::uniform(&hours, &slope.bed.grid);
        let case = Case {
            rain: Some(&rain),
            ..Case::new(slope.domain())
        };
        assert_eq!(scheme(&case), (Scheme::Inertial, 0.0));
        // A dam at the start.
        let flat = Ground::new(grid(20, 40, 10.0), 0.03, |_, _| 0.0);
        let dam = flat.depth(|_, c| if c < 20 { 5.0 } else { 0.0 });
        let case = Case {
            initial_depth_m: Some(&dam),
            ..Case::new(flat.domain())
        };
        assert_eq!(scheme(&case), (Scheme::Fv2, 0.0));
        // A lake with its shore is no front.
        let basin = Ground::new(grid(20, 40, 10.0), 0.03, |_, c| 0.05 * c as f64);
        let lake = basin.depth(|_, c| (1.0 - 0.05 * c as f64).max(0.0));
        let case = Case {
            initial_depth_m: Some(&lake),
            ..Case::new(basin.domain())
        };
        assert_eq!(scheme(&case), (Scheme::Inertial, 0.0));
        // A torrent: 5 m²/s down 1 in 20, Froude 1.9 at normal depth, reached after some time.
        let torrent = Ground::new(grid(4, 60, 10.0), 0.03, |_, c| -0.5 * c as f64);
        let inflow = Inflow {
            cells: vec![0, 60, 120, 180],
            step_s: 600.0,
            rates_m_s: vec![0.5; 4],
        };
        let case = Case {
            inflows: std::slice::from_ref(&inflow),
            ..Case::new(torrent.domain())
        };
        let (at_end, since) = scheme(&case);
        assert!(at_end == Scheme::Fv2 && since > 0.0, "{at_end:?} {since}");
    }
}
