//! Channels narrower than a cell (亚网格河道): one reach per cell, joined along the river, under the ground of the raster.
//!
//! * A reach is a rectangle of its own width and depth below the bed of its cell, the bank. Its water moves by the local
//!   inertial equation in one dimension with the hydraulic radius A / (w + 2 h), in f64. The raster's time step follows the
//!   waves of full channels.
//! * What rises above the bank lies on the cell; what lies on the cell falls into a reach that is not full. While both
//!   hold water they share one level, and the depth over the bank adds to the section of the channel. The raster still
//!   carries its flow over the whole cell, the channel's strip included: right for channels much narrower than a cell.
//!
//! After Neal, Schumann & Bates (2012), Water Resour. Res. 48:W11506, doi:10.1029/2012WR012514: sub-grid channels of a
//! raster model.

use super::{Boundary, BoundaryLaw, Case, Channels, OUTLET};

const G: f64 = 9.81;
/// Depth below which nothing flows, m.
const DRY: f64 = 1e-4;
/// Courant factor.
const ALPHA: f64 = 0.7;
/// Least slope where water leaves at normal depth.
const SLOPE_MIN: f64 = 1e-4;

/// What lies at the open end of a river.
#[derive(Debug, Clone, Copy, PartialEq)]
enum End {
    /// Normal depth on a slope.
    Normal(f64),
    /// The level of a boundary.
    Level(usize),
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Reach {
    cell: usize,
    width: f64,
    /// Bottom, m above datum; depth up to the bank, m.
    bottom: f64,
    full: f64,
    manning: f64,
    /// Plan area, m².
    area: f64,
    end: Option<End>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Joint {
    from: usize,
    to: usize,
    length: f64,
    width: f64,
    manning: f64,
}

/// State of the channels.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Network {
    reaches: Vec<Reach>,
    joints: Vec<Joint>,
    /// Depth of water below the bank, m.
    depth: Vec<f64>,
    /// Flow through joints, m³/s, positive from the first to the second reach.
    flow: Vec<f64>,
    /// Room for a step.
    asked: Vec<f64>,
    over: Vec<f64>,
    leaving: Vec<f64>,
}

impl Network {
    pub fn new(case: &Case<'_>, channels: &Channels) -> Network {
        let (bed, kind) = (case.domain.bed_m, case.domain.kind);
        let grid = &bed.grid;
        let (rows, cols) = grid.shape();
        let place = |k: usize| grid.row_col(channels.cells[k]);
        let mut length = vec![0.0; channels.cells.len()];
        let mut joints = Vec::with_capacity(channels.joints.len());
        let mut has_next = vec![false; channels.cells.len()];
        let mut has_last = has_next.clone();
        for &(a, b) in &channels.joints {
            let (a, b) = (a as usize, b as usize);
            let ((ra, ca), (rb, cb)) = (place(a), place(b));
            let way = grid.dx * libm::hypot(ra.abs_diff(rb) as f64, ca.abs_diff(cb) as f64);
            length[a] += 0.5 * way;
            length[b] += 0.5 * way;
            has_next[a] = true;
            has_last[b] = true;
            let narrow = channels.width_m[a].min(channels.width_m[b]);
            joints.push(Joint {
                from: a,
                to: b,
                length: way,
                width: f64::from(narrow),
                manning: 0.5
                    * (f64::from(channels.manning_n[a]) + f64::from(channels.manning_n[b])),
            });
        }
        let level_of = |cell: u32| {
            case.boundaries
                .iter()
                .position(|b| matches!(b.law, BoundaryLaw::Level(_)) && b.cells.contains(&cell))
        };
        let is_at_edge = |(row, col): (usize, usize)| {
            [(0isize, 1isize), (1, 0), (0, -1), (-1, 0)]
                .iter()
                .any(|&(dr, dc)| {
                    let at = row.checked_add_signed(dr).zip(col.checked_add_signed(dc));
                    at.filter(|&(r, c)| r < rows && c < cols)
                        .is_none_or(|rc| kind.data[rc] == OUTLET)
                })
        };
        let bottom = |k: usize| {
            f64::from(bed.values()[channels.cells[k] as usize]) - f64::from(channels.depth_m[k])
        };
        let fall = |k: usize| {
            // Of the joint above.
            let above = joints.iter().find(|j| j.to == k);
            above.map_or(SLOPE_MIN, |j| (bottom(j.from) - bottom(j.to)) / j.length)
        };
        let reaches = (0..channels.cells.len())
            .map(|k| {
                let cell = channels.cells[k];
                // The ends of a river have half a cell more.
                let ends =
                    0.5 * grid.dx * f64::from(u8::from(!has_next[k]) + u8::from(!has_last[k]));
                let end = level_of(cell).map(End::Level).or_else(|| {
                    let open = !has_next[k] && is_at_edge(place(k));
                    open.then(|| End::Normal(fall(k).max(SLOPE_MIN)))
                });
                Reach {
                    cell: cell as usize,
                    width: f64::from(channels.width_m[k]),
                    bottom: bottom(k),
                    full: f64::from(channels.depth_m[k]),
                    manning: f64::from(channels.manning_n[k]),
                    area: f64::from(channels.width_m[k]) * (length[k] + ends),
                    end,
                }
            })
            .collect::<Vec<Reach>>();
        Network {
            depth: vec![0.0; reaches.len()],
            flow: vec![0.0; joints.len()],
            asked: vec![0.0; reaches.len()],
            over: vec![0.0; reaches.len()],
            leaving: vec![0.0; reaches.len()],
            reaches,
            joints,
        }
    }

    /// Water below the banks, m³.
    pub fn volume_m3(&self) -> f64 {
        self.reaches
            .iter()
            .zip(&self.depth)
            .map(|(r, d)| r.area * d)
            .sum()
    }

    /// How far the water of the reach in a cell lies below the bank, m; `None` without a reach.
    pub fn room_in(&self, cell: usize) -> Option<f64> {
        let k = self.reaches.iter().position(|r| r.cell == cell)?;
        Some(self.reaches[k].full - self.depth[k])
    }

    /// Depths and flows, to be saved.
    pub fn state(&self) -> impl Iterator<Item = f64> {
        self.depth.iter().chain(&self.flow).copied()
    }

    /// Time step of the waves of full channels, s: so that no reach is filled and emptied within a step.
    pub fn longest_step(&self) -> f64 {
        let deepest = (self.reaches.iter().enumerate())
            .map(|(k, r)| r.full.max(self.section(k)))
            .fold(DRY, f64::max);
        let shortest = (self.joints.iter().map(|j| j.length)).fold(f64::INFINITY, f64::min);
        ALPHA * shortest / libm::sqrt(G * deepest)
    }

    /// Puts saved depths and flows.
    pub fn restore(&mut self, state: &[f64]) {
        let (depth, flow) = state.split_at(self.depth.len());
        self.depth.copy_from_slice(depth);
        self.flow.copy_from_slice(flow);
    }

    pub fn len(&self) -> usize {
        self.depth.len() + self.flow.len()
    }

    /// Moves the water for `dt` s. `over(cell)` tells the depth on a cell; `change(cell, m3)` gives water to the cell, or
    /// takes it. Returns what left through open ends, m³.
    pub fn advance(
        &mut self,
        dt: f64,
        now: f64,
        boundaries: &[Boundary],
        mut over: impl FnMut(usize) -> f64,
        cell_area: f64,
        mut change: impl FnMut(usize, f64),
    ) -> f64 {
        for (depth, reach) in self.over.iter_mut().zip(&self.reaches) {
            *depth = over(reach.cell);
        }
        // What lies on the cells falls into reaches that are not full.
        for (k, reach) in self.reaches.iter().enumerate() {
            let room = (reach.full - self.depth[k]).max(0.0) * reach.area;
            let falls = room.min(self.over[k] * cell_area);
            if falls > 0.0 {
                self.depth[k] += falls / reach.area;
                self.over[k] -= falls / cell_area;
                change(reach.cell, -falls);
            }
        }
        let left = self.step(dt, now, boundaries);
        // What rises above the banks lies on the cells.
        for (k, reach) in self.reaches.iter().enumerate() {
            let above = self.depth[k] - reach.full;
            if above > 0.0 {
                self.depth[k] = reach.full;
                change(reach.cell, above * reach.area);
            }
        }
        left
    }

    /// Depth of the section of a reach, with the water over its bank, m.
    fn section(&self, k: usize) -> f64 {
        let own = self.depth[k];
        if own >= self.reaches[k].full {
            own + self.over[k]
        } else {
            own
        }
    }

    fn step(&mut self, dt: f64, now: f64, boundaries: &[Boundary]) -> f64 {
        self.asked.fill(0.0);
        for (number, j) in self.joints.iter().enumerate() {
            let (a, b) = (self.reaches[j.from], self.reaches[j.to]);
            let levels = [
                a.bottom + self.section(j.from),
                b.bottom + self.section(j.to),
            ];
            let depth = levels[0].max(levels[1]) - a.bottom.max(b.bottom);
            let flow = &mut self.flow[number];
            if depth <= DRY {
                *flow = 0.0;
                continue;
            }
            let area = j.width * depth;
            let radius = area / (j.width + 2.0 * depth);
            let slope = (levels[1] - levels[0]) / j.length;
            let friction =
                G * dt * j.manning * j.manning * flow.abs() / (libm::pow(radius, 4.0 / 3.0) * area);
            *flow = (*flow - G * area * dt * slope) / (1.0 + friction);
            // At most critical.
            let most = area * libm::sqrt(G * depth);
            *flow = flow.clamp(-most, most);
            let giver = if *flow >= 0.0 { j.from } else { j.to };
            self.asked[giver] += flow.abs() * dt;
        }
        // What leaves at normal depth, by the depths that the joints have seen.
        for (k, reach) in self.reaches.iter().enumerate() {
            if let Some(End::Normal(slope)) = reach.end {
                let depth = self.section(k);
                let area = reach.width * depth;
                let radius = area / (reach.width + 2.0 * depth);
                let flow = area * libm::pow(radius, 2.0 / 3.0) * libm::sqrt(slope) / reach.manning;
                self.leaving[k] = if depth > DRY { flow * dt } else { 0.0 };
                self.asked[k] += self.leaving[k];
            }
        }
        // No reach gives more than it has: all that is asked of it gets the same share.
        let shares: Vec<f64> = (self.reaches.iter().zip(&self.depth).zip(&self.asked))
            .map(|((reach, depth), asked)| (depth * reach.area / asked.max(1e-300)).min(1.0))
            .collect();
        for (flow, j) in self.flow.iter_mut().zip(&self.joints) {
            *flow *= shares[if *flow >= 0.0 { j.from } else { j.to }];
        }
        for (number, j) in self.joints.iter().enumerate() {
            let volume = self.flow[number] * dt;
            self.depth[j.from] -= volume / self.reaches[j.from].area;
            self.depth[j.to] += volume / self.reaches[j.to].area;
        }
        let mut left = 0.0;
        for (k, reach) in self.reaches.iter().enumerate() {
            match reach.end {
                None => {}
                Some(End::Normal(_)) => {
                    let volume = self.leaving[k] * shares[k];
                    self.depth[k] -= volume / reach.area;
                    left += volume;
                }
                Some(End::Level(number)) => {
                    if let BoundaryLaw::Level(level) = &boundaries[number].law {
                        let depth = (level.at(now) - reach.bottom).clamp(0.0, reach.full);
                        left += (self.depth[k] - depth) * reach.area;
                        self.depth[k] = depth;
                    }
                }
            }
            self.depth[k] = self.depth[k].max(0.0);
        }
        left
    }
}
