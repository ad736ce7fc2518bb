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
use rayon::prelude::*;
use std::ops::Range;

const G: f64 = 9.81;
/// Depth below which nothing flows, m.
const DRY: f64 = 1e-4;
/// Courant factor.
const ALPHA: f64 = 0.7;
/// Least slope where water leaves at normal depth.
const SLOPE_MIN: f64 = 1e-4;
/// Reaches or joints that are worth a task.
const PER_TASK: usize = 4096;

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
    /// Where the depth of its cell stands in a plane, and the block of the cell.
    at: usize,
    block: usize,
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
    /// Joints of each reach: its share of `meeting`, which holds them with 1 where water that goes along the joint
    /// leaves the reach, and -1 where it comes in.
    meets: Vec<Range<usize>>,
    meeting: Vec<(usize, f64)>,
    /// Length of the shortest joint, m.
    shortest: f64,
    /// Depth of water below the bank, m.
    depth: Vec<f64>,
    /// Flow through joints, m³/s, positive from the first to the second reach.
    flow: Vec<f64>,
    /// Room for a step: depth of the section with the water over the bank, m; share of what is asked of a reach that it
    /// can give; what leaves at an open end and what the cell is given, m³.
    section: Vec<f64>,
    share: Vec<f64>,
    leaving: Vec<f64>,
    given: Vec<f64>,
}

impl Network {
    /// `place(cell)` tells where the depth of a cell stands in a plane, and its block.
    pub fn new(
        case: &Case<'_>,
        channels: &Channels,
        place_of: impl Fn(usize) -> (usize, usize),
    ) -> Network {
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
                let (at, block) = place_of(cell as usize);
                Reach {
                    cell: cell as usize,
                    at,
                    block,
                    width: f64::from(channels.width_m[k]),
                    bottom: bottom(k),
                    full: f64::from(channels.depth_m[k]),
                    manning: f64::from(channels.manning_n[k]),
                    area: f64::from(channels.width_m[k]) * (length[k] + ends),
                    end,
                }
            })
            .collect::<Vec<Reach>>();
        let mut of_reach = vec![Vec::new(); reaches.len()];
        for (number, j) in joints.iter().enumerate() {
            of_reach[j.from].push((number, 1.0));
            of_reach[j.to].push((number, -1.0));
        }
        let meets = (of_reach.iter())
            .scan(0, |end, own| {
                let start = *end;
                *end += own.len();
                Some(start..*end)
            })
            .collect();
        let room = vec![0.0; reaches.len()];
        Network {
            meets,
            meeting: of_reach.concat(),
            shortest: (joints.iter().map(|j| j.length)).fold(f64::INFINITY, f64::min),
            depth: room.clone(),
            flow: vec![0.0; joints.len()],
            section: room.clone(),
            share: room.clone(),
            leaving: room.clone(),
            given: room,
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

    /// Time step of the waves of full channels, s: so that no reach is filled and emptied within a step. `over`: depths on
    /// the cells, a plane.
    pub fn longest_step(&self, over: &[f32]) -> f64 {
        let deepest = (self.reaches.par_iter().zip(&self.depth))
            .with_min_len(PER_TASK)
            .map(|(r, &depth)| r.full.max(r.section(depth, f64::from(over[r.at]))))
            .reduce(|| DRY, f64::max);
        ALPHA * self.shortest / libm::sqrt(G * deepest)
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

    /// Moves the water for `dt` s, with the depths on the cells, a plane; returns what left through open ends, m³. What
    /// the cells are given or lose is told by [`Network::given`].
    pub fn advance(
        &mut self,
        dt: f64,
        now: f64,
        boundaries: &[Boundary],
        over: &[f32],
        cell_area: f64,
    ) -> f64 {
        // What lies on the cells falls into reaches that are not full.
        (self.reaches.par_iter())
            .zip(&mut self.depth)
            .zip(&mut self.section)
            .zip(&mut self.given)
            .with_min_len(PER_TASK)
            .for_each(|(((reach, depth), section), given)| {
                let over = f64::from(over[reach.at]);
                let room = (reach.full - *depth).max(0.0) * reach.area;
                let falls = room.min(over * cell_area).max(0.0);
                *depth += falls / reach.area;
                *given = -falls;
                *section = reach.section(*depth, over - falls / cell_area);
            });
        let (reaches, section) = (&self.reaches, &self.section);
        (self.joints.par_iter().zip(&mut self.flow))
            .with_min_len(PER_TASK)
            .for_each(|(j, flow)| {
                let ends = [(j.from, section[j.from]), (j.to, section[j.to])]
                    .map(|(k, depth)| (reaches[k].bottom, depth));
                *flow = j.flow(*flow, ends, dt);
            });
        // No reach gives more than it has: all that is asked of it gets the same share.
        let (meets, meeting, flow) = (&self.meets, &self.meeting, &self.flow);
        (reaches.par_iter().zip(&self.depth).zip(section).zip(meets))
            .zip(self.share.par_iter_mut().zip(&mut self.leaving))
            .with_min_len(PER_TASK)
            .for_each(|((((reach, depth), &section), own), (share, leaving))| {
                *leaving = match reach.end {
                    Some(End::Normal(slope)) => reach.normal_flow(section, slope) * dt,
                    Some(End::Level(_)) | None => 0.0,
                };
                let asked = (meeting[own.clone()].iter())
                    .map(|&(number, sign)| (sign * flow[number]).max(0.0))
                    .sum::<f64>();
                let asked = asked * dt + *leaving;
                *share = (depth * reach.area / asked.max(1e-300)).min(1.0);
            });
        let share = &self.share;
        (self.joints.par_iter().zip(&mut self.flow))
            .with_min_len(PER_TASK)
            .for_each(|(j, flow)| *flow *= share[if *flow >= 0.0 { j.from } else { j.to }]);
        // The balance; what rises above the banks lies on the cells.
        let flow = &self.flow;
        (reaches
            .par_iter()
            .zip(&mut self.depth)
            .zip(meets)
            .zip(share))
        .zip(self.leaving.par_iter_mut().zip(&mut self.given))
        .with_min_len(PER_TASK)
        .for_each(|((((reach, depth), own), share), (leaving, given))| {
            let out = (meeting[own.clone()].iter())
                .map(|&(number, sign)| sign * flow[number])
                .sum::<f64>();
            *leaving *= share;
            *depth = (*depth - (out * dt + *leaving) / reach.area).max(0.0);
            if let Some(End::Level(number)) = reach.end
                && let BoundaryLaw::Level(level) = &boundaries[number].law
            {
                let held = (level.at(now) - reach.bottom).clamp(0.0, reach.full);
                *leaving += (*depth - held) * reach.area;
                *depth = held;
            }
            let above = *depth - reach.full;
            if above > 0.0 {
                *depth = reach.full;
                *given += above * reach.area;
            }
        });
        self.leaving.iter().sum()
    }

    /// What the last step gave to the cells, or took: position in a plane, block, m³.
    pub fn given(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        (self.reaches.iter().zip(&self.given))
            .filter(|(_, given)| **given != 0.0)
            .map(|(reach, given)| (reach.at, reach.block, *given))
    }
}

impl Reach {
    /// Depth of the section with `own` water below the bank and a depth of `over` on the cell, m.
    fn section(&self, own: f64, over: f64) -> f64 {
        if own >= self.full { own + over } else { own }
    }

    /// Discharge at normal depth, m³/s.
    fn normal_flow(&self, depth: f64, slope: f64) -> f64 {
        if depth <= DRY {
            return 0.0;
        }
        let area = self.width * depth;
        let root = libm::cbrt(area / (self.width + 2.0 * depth));
        area * root * root * libm::sqrt(slope) / self.manning
    }
}

impl Joint {
    /// New discharge, m³/s; `ends`: bottom and depth of the sections of both reaches, m.
    fn flow(&self, old: f64, [a, b]: [(f64, f64); 2], dt: f64) -> f64 {
        let levels = [a.0 + a.1, b.0 + b.1];
        let depth = levels[0].max(levels[1]) - a.0.max(b.0);
        if depth <= DRY {
            return 0.0;
        }
        let area = self.width * depth;
        let radius = area / (self.width + 2.0 * depth);
        let slope = (levels[1] - levels[0]) / self.length;
        let friction =
            G * dt * self.manning * self.manning * old.abs() / (radius * libm::cbrt(radius) * area);
        let new = (old - G * area * dt * slope) / (1.0 + friction);
        // At most critical.
        let most = area * libm::sqrt(G * depth);
        new.clamp(-most, most)
    }
}
