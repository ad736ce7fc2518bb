//! Faults of a case, named together before anything runs.

use super::{ACTIVE, BoundaryLaw, Case, Channels, Domain, Inflow, OUTLET, Series, SolverOptions};
use anlan_engine::{Fault, Grid, Raster};

/// The fault of an inflow, if it has one.
fn inflow(inflow: &Inflow, domain: &Domain<'_>) -> Option<Fault> {
    let fault = |found: String, expected: &str| {
        Some(Fault::new(
            "flood inflow",
            found,
            expected,
            "build the inflow on the solver's cells",
        ))
    };
    if !(inflow.step_s > 0.0 && inflow.step_s.is_finite()) {
        return fault(format!("step of {} s", inflow.step_s), "a step above 0 s");
    }
    if inflow.steps() * inflow.cells.len() != inflow.rates_m_s.len() {
        let found = format!(
            "{} rates for {} cells",
            inflow.rates_m_s.len(),
            inflow.cells.len()
        );
        return fault(found, "as many rates as cells in every step");
    }
    if let Some(rate) = (inflow.rates_m_s.iter()).find(|r| !(r.is_finite() && **r >= 0.0)) {
        return fault(format!("rate {rate} m/s"), "0 m/s or more");
    }
    let kind = domain.kind.values();
    let stray = (inflow.cells.iter()).find(|&&c| kind.get(c as usize) != Some(&ACTIVE))?;
    fault(format!("cell {stray}"), "an active cell of the solver")
}

/// The fault of a series, if it has one.
fn series(what: &str, series: &Series) -> Option<Fault> {
    let good = !series.times_s.is_empty()
        && series.times_s.len() == series.values.len()
        && series
            .times_s
            .iter()
            .chain(&series.values)
            .all(|v| v.is_finite())
        && series.times_s.windows(2).all(|w| w[0] < w[1]);
    (!good).then(|| {
        Fault::new(
            what,
            format!(
                "{} times, {} values",
                series.times_s.len(),
                series.values.len()
            ),
            "one finite value for each of at least one time, times ascending",
            "sort the series by time and fill its gaps",
        )
    })
}

/// The first fault of channels.
fn channel_fault(channels: &Channels, domain: &Domain<'_>) -> Option<Fault> {
    let fault = |found: String, expected: &str| {
        let remedy = "build the channels on the cells of the bed raster";
        Some(Fault::new("flood channels", found, expected, remedy))
    };
    let (grid, n) = (&domain.bed_m.grid, channels.cells.len());
    let lengths = [&channels.width_m, &channels.depth_m, &channels.manning_n].map(Vec::len);
    if lengths != [n; 3] {
        return fault(
            format!("{n} cells with {lengths:?} values"),
            "one width, depth and n per cell",
        );
    }
    let kind = domain.kind.values();
    let mut seen = std::collections::BTreeSet::new();
    for (k, &cell) in channels.cells.iter().enumerate() {
        if kind.get(cell as usize) != Some(&ACTIVE) || !seen.insert(cell) {
            return fault(format!("cell {cell}"), "active cells, each once");
        }
        let (w, d, n) = (
            channels.width_m[k],
            channels.depth_m[k],
            channels.manning_n[k],
        );
        let widest = grid.dx as f32;
        if !(w > 0.0 && w <= widest && d > 0.0 && d.is_finite() && n > 0.0 && n <= 1.0) {
            return fault(
                format!("width {w} m, depth {d} m, n {n} in cell {cell}"),
                "a width above 0, at most that of the cell, a depth above 0 m, n above 0, at most 1",
            );
        }
    }
    let near = |a: u32, b: u32| {
        let ((ra, ca), (rb, cb)) = (grid.row_col(a), grid.row_col(b));
        a != b && ra.abs_diff(rb) <= 1 && ca.abs_diff(cb) <= 1
    };
    let stray = channels.joints.iter().find(|&&(a, b)| {
        let cells = [a, b].map(|k| channels.cells.get(k as usize).copied());
        !matches!(cells, [Some(a), Some(b)] if near(a, b))
    });
    stray.and_then(|joint| {
        fault(
            format!("joint {joint:?}"),
            "two reaches in neighbouring cells",
        )
    })
}

/// Faults of boundaries and dykes.
fn works(case: &Case<'_>, faults: &mut Vec<Fault>) {
    let grid = &case.domain.bed_m.grid;
    let kind = case.domain.kind.values();
    let (rows, cols) = grid.shape();
    let active = |cell: u32| kind.get(cell as usize) == Some(&ACTIVE);
    let near = |a: u32, b: u32| {
        let ((r, c), (s, d)) = (grid.row_col(a), grid.row_col(b));
        r.abs_diff(s) + c.abs_diff(d) == 1
    };
    for (number, boundary) in case.boundaries.iter().enumerate() {
        let place = format!("boundary {number}");
        match &boundary.law {
            BoundaryLaw::NormalDepth { slope } if !(*slope > 0.0 && *slope <= 1.0) => faults.push(
                Fault::new(
                    "flood boundary",
                    format!("slope {slope}"),
                    "above 0, at most 1",
                    "correct the slope",
                )
                .at(&place),
            ),
            BoundaryLaw::Level(level) => {
                faults.extend(series("flood boundary", level).map(|f| f.at(&place)));
            }
            BoundaryLaw::NormalDepth { .. } => {}
        }
        let stray = boundary.cells.iter().find(|&&cell| {
            let edge = |cell: u32| {
                let (r, c) = grid.row_col(cell);
                r == 0 || c == 0 || r + 1 == rows || c + 1 == cols
            };
            let outlet = |cell: u32| {
                let beside = [
                    cell.wrapping_sub(1),
                    cell + 1,
                    cell.wrapping_sub(cols as u32),
                    cell + cols as u32,
                ];
                (beside.into_iter()).any(|b| kind.get(b as usize) == Some(&OUTLET) && near(cell, b))
            };
            !active(cell) || !(edge(cell) || outlet(cell))
        });
        if let Some(cell) = stray {
            faults.push(
                Fault::new(
                    "flood boundary",
                    format!("cell {cell}"),
                    "an active cell at the edge of the grid or beside an outlet cell",
                    "choose cells along the edge",
                )
                .at(&place),
            );
        }
    }
    for (number, dyke) in case.dykes.iter().enumerate() {
        let mut fault = |found: String, expected: &str, remedy: &str| {
            faults.push(Fault::new("dyke", found, expected, remedy).at(format!("dyke {number}")));
        };
        if dyke.crest_m.len() != dyke.faces.len() || !dyke.crest_m.iter().all(|c| c.is_finite()) {
            fault(
                format!(
                    "{} crests for {} faces",
                    dyke.crest_m.len(),
                    dyke.faces.len()
                ),
                "a finite crest for every face",
                "give the crest along the whole line",
            );
        }
        if !(dyke.coefficient > 0.0 && dyke.coefficient <= 4.0) {
            fault(
                format!("coefficient {}", dyke.coefficient),
                "above 0, at most 4 m^(1/2)/s",
                "correct the coefficient",
            );
        }
        if let Some((a, b)) =
            (dyke.faces.iter()).find(|&&(a, b)| !(active(a) && active(b) && near(a, b)))
        {
            fault(
                format!("cells {a} and {b}"),
                "two active cells that share a side",
                "lay the line along the sides of cells",
            );
        }
        for (face, crest) in &dyke.breaches {
            if *face >= dyke.faces.len() {
                fault(
                    format!("breach of face {face}"),
                    "a face of the dyke",
                    "correct the breach",
                );
            }
            if let Some(f) = series("dyke breach", crest) {
                fault(f.found, &f.expected, &f.remedy);
            }
        }
    }
}

/// Faults of links, rain, soil and drains.
fn water(case: &Case<'_>, faults: &mut Vec<Fault>) {
    let kind = case.domain.kind.values();
    let cells = kind.len();
    for (number, link) in case.links.iter().enumerate() {
        let ends = [Some(link.from), link.to];
        let stray = (ends.into_iter().flatten()).find(|&c| kind.get(c as usize) != Some(&ACTIVE));
        if let Some(cell) = stray.or((link.to == Some(link.from)).then_some(link.from)) {
            faults.push(
                Fault::new(
                    "flood link",
                    format!("cell {cell}"),
                    "two different active cells",
                    "move the end of the work",
                )
                .at(format!("link {number}")),
            );
        }
    }
    if let Some(channels) = case.channels {
        faults.extend(channel_fault(channels, &case.domain));
    }
    if let Some(soil) = case.soil.filter(|s| s.cells() != cells) {
        faults.push(Fault::new(
            "infiltration",
            format!("{} cells", soil.cells()),
            format!("one entry for each of the {cells} cells of the bed raster"),
            "build it from rasters of the compute grid",
        ));
    }
    if let Some((_, served)) = case.drains {
        if !served.grid.same_cells(&case.domain.bed_m.grid) {
            faults.push(Fault::new(
                "storm drains",
                "other cells",
                "the cells of the bed raster",
                "resample it to the compute grid",
            ));
        } else if let Some(share) = served.values().iter().find(|s| !(0.0..=1.0).contains(*s)) {
            faults.push(Fault::new(
                "storm drains",
                format!("share {share}"),
                "0 to 1",
                "correct the shares served",
            ));
        }
    }
}

/// All faults of a case.
pub(super) fn check(case: &Case<'_>, options: &SolverOptions) -> Vec<Fault> {
    let mut faults = ground(&case.domain, case.initial_depth_m, options);
    if faults.is_empty() {
        for (number, i) in case.inflows.iter().enumerate() {
            faults.extend(inflow(i, &case.domain).map(|f| f.at(format!("inflow {number}"))));
        }
        works(case, &mut faults);
        water(case, &mut faults);
        for velocity in case.initial_velocity_m_s.into_iter().flatten() {
            if !velocity.grid.same_cells(&case.domain.bed_m.grid) {
                faults.push(Fault::new(
                    "initial velocity",
                    "other cells",
                    "the cells of the bed raster",
                    "resample it to the compute grid",
                ));
            }
        }
    }
    faults
}

/// Faults of options and domain.
fn ground(
    domain: &Domain<'_>,
    initial_depth_m: Option<&Raster<f32>>,
    options: &SolverOptions,
) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut range = |name: &str, value: f64, ok: bool, expected: &str| {
        if !ok {
            faults.push(
                Fault::new(
                    "flood options",
                    value.to_string(),
                    expected,
                    "correct the option",
                )
                .at(name),
            );
        }
    };
    let o = options;
    range(
        "end_s",
        o.end_s,
        o.end_s.is_finite() && o.end_s >= 0.0,
        "0 s or more",
    );
    range(
        "alpha",
        o.alpha,
        o.alpha > 0.0 && o.alpha <= 0.7,
        "above 0, at most 0.7",
    );
    range(
        "courant",
        o.courant,
        o.courant > 0.0 && o.courant <= 0.5,
        "above 0, at most 0.5",
    );
    range(
        "theta",
        o.theta.into(),
        (0.5..=1.0).contains(&o.theta),
        "0.5 to 1",
    );
    range(
        "dry_m",
        o.dry_m.into(),
        (1e-6..=0.1).contains(&o.dry_m),
        "0.000001 to 0.1 m",
    );
    range(
        "froude_max",
        o.froude_max.into(),
        o.froude_max > 0.0 && o.froude_max.is_finite(),
        "above 0",
    );
    let rule = &o.auto;
    range(
        "auto",
        rule.share,
        rule.share > 0.0
            && rule.share <= 1.0
            && rule.deep_m > 0.0
            && rule.froude > 0.0
            && rule.front > 0.0,
        "depth, Froude number and front above 0, a share above 0, at most 1",
    );
    range(
        "hydrology_s",
        o.hydrology_s,
        o.hydrology_s > 0.0 && o.hydrology_s.is_finite(),
        "above 0 s",
    );
    range(
        "dt_max_s",
        o.dt_max_s,
        o.dt_max_s > 0.0 && o.dt_max_s.is_finite(),
        "above 0 s",
    );
    range(
        "dt_min_s",
        o.dt_min_s,
        o.dt_min_s > 0.0 && o.dt_min_s < o.dt_max_s,
        "above 0 s, below dt_max_s",
    );
    range(
        "flooded_m",
        o.flooded_m.into(),
        o.flooded_m > 0.0,
        "above 0 m",
    );
    range("moving_m", o.moving_m.into(), o.moving_m > 0.0, "above 0 m");
    range("watch_s", o.watch_s, o.watch_s >= 0.0, "0 s or more");
    range("progress_s", o.progress_s, o.progress_s > 0.0, "above 0 s");
    range(
        "outlet_slope_min",
        o.outlet_slope_min.into(),
        o.outlet_slope_min > 0.0 && o.outlet_slope_min <= 1.0,
        "above 0, at most 1",
    );

    let grid = &domain.bed_m.grid;
    let mut same = |name: &str, other: &Grid| {
        if !grid.same_cells(other) {
            faults.push(
                Fault::new(
                    "flood domain",
                    format!(
                        "{} x {} cells at ({}, {})",
                        other.rows, other.cols, other.west, other.north
                    ),
                    "the cells of the bed raster",
                    "resample it to the compute grid",
                )
                .at(name),
            );
        }
    };
    same("manning_n", &domain.manning_n.grid);
    same("kind", &domain.kind.grid);
    if let Some(depth) = initial_depth_m {
        same("initial depth", &depth.grid);
    }
    if grid.crs.is_geographic() || (grid.dx - grid.dy).abs() > 1e-6 * grid.dx {
        faults.push(Fault::new(
            "flood domain",
            format!(
                "cells of {} x {} in {}",
                grid.dx,
                grid.dy,
                if grid.crs.is_geographic() {
                    "degrees"
                } else {
                    "metres"
                }
            ),
            "square cells of a projected system",
            "resample the terrain to the compute grid of the project",
        ));
    }
    if !faults.is_empty() {
        return faults;
    }
    let (bed, manning, kind) = (
        domain.bed_m.values(),
        domain.manning_n.values(),
        domain.kind.values(),
    );
    let mut cell_fault = |cell: usize, what: &str, found: f32, expected: &str, remedy: &str| {
        let (row, col) = grid.row_col(cell as u32);
        faults.push(
            Fault::new("flood domain", format!("{what} {found}"), expected, remedy)
                .at(format!("row {row}, column {col}")),
        );
        faults.len() < 20
    };
    for cell in 0..kind.len() {
        let mut go_on = true;
        if kind[cell] > OUTLET {
            go_on = cell_fault(
                cell,
                "kind",
                f32::from(kind[cell]),
                "0 (wall), 1 (active) or 2 (outlet)",
                "correct the mask",
            );
        }
        if kind[cell] != ACTIVE {
            continue;
        }
        if !bed[cell].is_finite() {
            go_on &= cell_fault(
                cell,
                "bed",
                bed[cell],
                "an elevation in m",
                "fill the gap in the terrain or take the cell out of the mask",
            );
        }
        if !(manning[cell] > 0.0 && manning[cell] <= 1.0) {
            go_on &= cell_fault(
                cell,
                "Manning's n",
                manning[cell],
                "above 0, at most 1 s/m^(1/3)",
                "give every land cover a roughness",
            );
        }
        if let Some(depth) = initial_depth_m {
            let d = depth.values()[cell];
            if d < 0.0 || d.is_infinite() {
                go_on &= cell_fault(
                    cell,
                    "initial depth",
                    d,
                    "0 m or more",
                    "correct the initial depth",
                );
            }
        }
        if !go_on {
            break;
        }
    }
    faults
}
