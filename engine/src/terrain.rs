//! Terrain from a DEM (数字高程模型): slope, aspect, hillshade, and three measures of ruggedness.
//!
//! Slope and aspect: Horn 1981, doi:10.1109/PROC.1981.11918 (third-order finite difference, weights 1 2 1); Zevenbergen
//! & Thorne 1987, doi:10.1002/esp.3290120107 (central difference). Hillshade: the cosine of the angle between the
//! surface's normal and the sun, scaled as GDAL does. TPI and TRI after Riley, DeGloria & Elliot 1999; roughness after
//! Wilson et al. 2007, doi:10.1080/01490410701295962.
//!
//! Neighbours of cell `e`, north up:
//!
//! ```text
//! a b c
//! d e f
//! g h i
//! ```
//!
//! Elevations are in metres; cell sizes are taken in metres also on geographic grids, row by row. A cell without data
//! stays without data. [`Edge`] says what stands in for missing neighbours.
//!
//! Angles come from our own branch-free arc tangent in f32 (2e-7 relative), so that rows run in vector registers and
//! give the same bits on any machine.

use crate::raster::Raster;
use rayon::prelude::*;

/// What to do where a neighbour lies beyond the grid or has no data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Edge {
    /// No value: the outermost ring and cells beside missing ones are NaN, as `gdaldem` writes by default.
    NoData,
    /// The nearest row or column stands in beyond the grid, the cell itself for a missing neighbour. Slopes across the
    /// edge are then about half of the true ones, but every cell with data has a value.
    #[default]
    Replicate,
}

/// The eight neighbours and the cell itself.
#[derive(Clone, Copy)]
struct Around {
    a: f32,
    b: f32,
    c: f32,
    d: f32,
    e: f32,
    f: f32,
    g: f32,
    h: f32,
    i: f32,
}

impl Around {
    /// Horn's rise to the east and to the south, m/m. Opposite cells are subtracted before they are summed: their
    /// difference is exact or nearly so, while a sum of high elevations in f32 is not.
    #[inline(always)]
    fn horn(&self, per_8dx: f32, per_8dy: f32) -> (f32, f32) {
        let east = (self.c - self.a) + 2.0 * (self.f - self.d) + (self.i - self.g);
        let south = (self.g - self.a) + 2.0 * (self.h - self.b) + (self.i - self.c);
        (east * per_8dx, south * per_8dy)
    }

    #[inline(always)]
    fn ring(&self) -> [f32; 8] {
        [
            self.a, self.b, self.c, self.d, self.f, self.g, self.h, self.i,
        ]
    }
}

/// Slope (坡度) after Horn, degrees, 0..90.
pub fn slope_deg(dem: &Raster<f32>, edge: Edge) -> Raster<f32> {
    neighbourhood(dem, edge, |dx, dy| {
        let (px, py) = ((0.125 / dx) as f32, (0.125 / dy) as f32);
        move |w: Around| {
            let (p, q) = w.horn(px, py);
            arctan((p * p + q * q).sqrt()) * DEG
        }
    })
}

/// Slope after Zevenbergen & Thorne, degrees, 0..90: from the four cells beside alone, for smooth surfaces.
pub fn slope_zevenbergen_thorne_deg(dem: &Raster<f32>, edge: Edge) -> Raster<f32> {
    neighbourhood(dem, edge, |dx, dy| {
        let (px, py) = ((0.5 / dx) as f32, (0.5 / dy) as f32);
        move |w: Around| {
            let (p, q) = ((w.f - w.d) * px, (w.h - w.b) * py);
            arctan((p * p + q * q).sqrt()) * DEG
        }
    })
}

/// Aspect (坡向): the direction the ground falls to, degrees clockwise from north, 0..360, after Horn; level cells NaN.
///
/// On cells that are not square the true rises are compared, where `gdaldem` compares differences of elevation.
pub fn aspect_deg(dem: &Raster<f32>, edge: Edge) -> Raster<f32> {
    neighbourhood(dem, edge, |dx, dy| {
        let (px, py) = ((0.125 / dx) as f32, (0.125 / dy) as f32);
        move |w: Around| {
            let (p, q) = w.horn(px, py);
            bearing_deg(-p, q)
        }
    })
}

/// Hillshade (山体阴影), 1 (shade) to 255 (facing the sun): `1 + 254 max(0, cos i)`, not rounded.
///
/// `azimuth_deg`: where the sun stands, clockwise from north; `altitude_deg`: above the horizon; `z_factor`: vertical
/// exaggeration.
pub fn hillshade(
    dem: &Raster<f32>,
    azimuth_deg: f64,
    altitude_deg: f64,
    z_factor: f64,
    edge: Edge,
) -> Raster<f32> {
    let (sin_az, cos_az) = libm::sincos(azimuth_deg.to_radians());
    let (sin_alt, cos_alt) = libm::sincos(altitude_deg.to_radians());
    let sun_east = (sin_az * cos_alt) as f32;
    let sun_north = (cos_az * cos_alt) as f32;
    let sun_up = sin_alt as f32;
    neighbourhood(dem, edge, |dx, dy| {
        let (px, py) = (
            (0.125 * z_factor / dx) as f32,
            (0.125 * z_factor / dy) as f32,
        );
        move |w: Around| {
            let (p, q) = w.horn(px, py);
            let cos_i = (sun_up - p * sun_east + q * sun_north) / (1.0 + p * p + q * q).sqrt();
            if cos_i > 0.0 {
                1.0 + 254.0 * cos_i
            } else {
                1.0
            }
        }
    })
}

/// Topographic position index: elevation less the mean of the eight cells around, m.
pub fn tpi_m(dem: &Raster<f32>, edge: Edge) -> Raster<f32> {
    neighbourhood(dem, edge, |_, _| {
        |w: Around| w.ring().iter().map(|z| w.e - z).sum::<f32>() * 0.125
    })
}

/// Terrain ruggedness index after Riley: root of the summed squares of the differences to the eight cells around, m.
pub fn tri_riley_m(dem: &Raster<f32>, edge: Edge) -> Raster<f32> {
    neighbourhood(dem, edge, |_, _| {
        |w: Around| {
            w.ring()
                .iter()
                .map(|z| (z - w.e) * (z - w.e))
                .sum::<f32>()
                .sqrt()
        }
    })
}

/// Roughness: greatest less least elevation of the 3 x 3 cells, m.
pub fn roughness_m(dem: &Raster<f32>, edge: Edge) -> Raster<f32> {
    neighbourhood(dem, edge, |_, _| {
        |w: Around| {
            let (mut lo, mut hi) = (w.e, w.e);
            for z in w.ring() {
                lo = if z < lo { z } else { lo };
                hi = if z > hi { z } else { hi };
            }
            hi - lo
        }
    })
}

const DEG: f32 = 57.295_78;

/// Applies the formula that `formula` makes from a row's cell size in metres to every cell; rows in parallel.
fn neighbourhood<K: Fn(Around) -> f32>(
    dem: &Raster<f32>,
    edge: Edge,
    formula: impl Fn(f64, f64) -> K + Sync,
) -> Raster<f32> {
    let grid = dem.grid;
    let (rows, cols) = grid.shape();
    let z = dem.values();
    let line = |r: usize| &z[r * cols..(r + 1) * cols];
    let mut out = Raster::filled(grid, f32::NAN);
    out.values_mut()
        .par_chunks_mut(cols)
        .enumerate()
        .for_each(|(r, out)| {
            let (dx, dy) = grid.cell_size_m(r);
            let kernel = formula(dx, dy);
            let (north, here, south) = (
                line(r.saturating_sub(1)),
                line(r),
                line((r + 1).min(rows - 1)),
            );
            match edge {
                Edge::NoData => {
                    if r > 0 && r + 1 < rows {
                        inner_cells(north, here, south, out, |w| {
                            // Any missing neighbour makes the sum missing.
                            let known = w.ring().iter().sum::<f32>() + w.e;
                            let value = kernel(w);
                            if known.is_nan() { f32::NAN } else { value }
                        });
                    }
                }
                Edge::Replicate => {
                    let replaced = |w: Around| {
                        let or_e = |v: f32| if v.is_nan() { w.e } else { v };
                        let value = kernel(Around {
                            a: or_e(w.a),
                            b: or_e(w.b),
                            c: or_e(w.c),
                            d: or_e(w.d),
                            e: w.e,
                            f: or_e(w.f),
                            g: or_e(w.g),
                            h: or_e(w.h),
                            i: or_e(w.i),
                        });
                        if w.e.is_nan() { f32::NAN } else { value }
                    };
                    inner_cells(north, here, south, out, replaced);
                    for c in [0, cols - 1] {
                        let (w, e) = (c.saturating_sub(1), (c + 1).min(cols - 1));
                        out[c] = replaced(Around {
                            a: north[w],
                            b: north[c],
                            c: north[e],
                            d: here[w],
                            e: here[c],
                            f: here[e],
                            g: south[w],
                            h: south[c],
                            i: south[e],
                        });
                    }
                }
            }
        });
    out
}

/// All cells of a row but the first and the last.
#[inline(always)]
fn inner_cells(
    north: &[f32],
    here: &[f32],
    south: &[f32],
    out: &mut [f32],
    kernel: impl Fn(Around) -> f32,
) {
    let Some(n) = out.len().checked_sub(2) else {
        return;
    };
    // Slices of one length: the loop then needs no bounds checks and vectorises.
    let (a, b, c) = (&north[..n], &north[1..n + 1], &north[2..n + 2]);
    let (d, e, f) = (&here[..n], &here[1..n + 1], &here[2..n + 2]);
    let (g, h, i) = (&south[..n], &south[1..n + 1], &south[2..n + 2]);
    let out = &mut out[1..n + 1];
    for k in 0..n {
        out[k] = kernel(Around {
            a: a[k],
            b: b[k],
            c: c[k],
            d: d[k],
            e: e[k],
            f: f[k],
            g: g[k],
            h: h[k],
            i: i[k],
        });
    }
}

/// Arc tangent of `t >= 0`, radians, within 2e-7 relative (tested against `libm`): reduced to |x| <= tan(pi/8), then the
/// first terms of the odd Taylor series, as many as f32 can tell; no branches.
#[inline(always)]
fn arctan(t: f32) -> f32 {
    use std::f32::consts::FRAC_PI_4;
    const TAN_PI_8: f32 = 0.414_213_57;
    const TAN_3_PI_8: f32 = 2.414_213_7;
    // Beyond 1e30 the quotients below would be infinity times zero; the angle is a right one there. NaN passes.
    let t = if t > 1e30 { 1e30 } else { t };
    // 0 or 1: multiplied in, exactly, because branches here would be taken at random.
    let (steep, middle) = (
        f32::from(u8::from(t > TAN_3_PI_8)),
        f32::from(u8::from(t > TAN_PI_8)),
    );
    // t, (t - 1) / (t + 1) or -1 / t, about 0, pi/4 or pi/2.
    let x = (t * (1.0 - steep) - middle) / (t * middle + (1.0 - steep));
    let base = FRAC_PI_4 * (middle + steep);
    let s = x * x;
    // atan x = x - x^3/3 + x^5/5 ...: the term in x^17 is below 2e-8 of x at tan(pi/8).
    let mut series = 1.0 / 17.0;
    for k in [15.0f32, 13.0, 11.0, 9.0, 7.0, 5.0, 3.0] {
        series = 1.0 / k - s * series;
    }
    base + (x - x * s * series)
}

/// Direction of (east, north), degrees clockwise from north, 0..360; NaN for no direction.
#[inline(always)]
fn bearing_deg(east: f32, north: f32) -> f32 {
    let (x, y) = (east.abs(), north.abs());
    let acute = arctan(x / y) * DEG;
    // Signs as numbers, for branches on them would be taken at random.
    let (south, west) = (
        f32::from(u8::from(north < 0.0)),
        f32::from(u8::from(east < 0.0)),
    );
    let half = 180.0 * south + (1.0 - 2.0 * south) * acute;
    let full = 360.0 * west + (1.0 - 2.0 * west) * half;
    // 360 arises by rounding just west of north. Without any direction the quotient is 0 / 0, which stays NaN.
    full - 360.0 * f32::from(u8::from(full >= 360.0))
}

#[cfg(test)]
#[allow(clippy::print_stdout)] // A skipped check says so.
mod tests {
    use super::*;
    use crate::crs::Crs;
    use crate::grid::Grid;
    use ndarray::Array2;
    use proptest::prelude::*;
    use std::path::{Path, PathBuf};

    fn grid(rows: usize, cols: usize, cell: f64) -> Grid {
        Grid::new(
            Crs::from_epsg(4549).unwrap(),
            (0.0, rows as f64 * cell),
            (cell, cell),
            (rows, cols),
        )
        .unwrap()
    }

    /// z = east * x + north * y, m.
    fn plane(g: Grid, east: f64, north: f64) -> Raster<f32> {
        Raster::new(
            g,
            Array2::from_shape_fn(g.shape(), |(r, c)| (east * g.x(c) + north * g.y(r)) as f32),
        )
    }

    #[test]
    fn planes_have_one_slope_and_one_aspect() {
        // Falls: to the west, to the south, to the north-east, to the north.
        let cases = [
            (1.0, 0.0, 270.0),
            (0.0, 0.5, 180.0),
            (-0.25, -0.25, 45.0),
            (0.0, -2.0, 0.0),
        ];
        for (east, north, bearing) in cases {
            let dem = plane(grid(5, 6, 16.0), east, north);
            let steep = libm::atan(libm::hypot(east, north)).to_degrees() as f32;
            for edge in [Edge::NoData, Edge::Replicate] {
                let slope = slope_deg(&dem, edge);
                let zt = slope_zevenbergen_thorne_deg(&dem, edge);
                let aspect = aspect_deg(&dem, edge);
                assert!((slope.data[(2, 2)] - steep).abs() < 1e-5);
                assert!((zt.data[(2, 2)] - steep).abs() < 1e-5);
                assert!((aspect.data[(2, 2)] - bearing).abs() < 1e-4);
                assert_eq!(slope.data[(0, 3)].is_nan(), edge == Edge::NoData);
                assert_eq!(slope.data[(3, 5)].is_nan(), edge == Edge::NoData);
            }
        }
    }

    #[test]
    fn missing_cells_and_level_ground() {
        let mut dem = plane(grid(5, 5, 10.0), 0.0, 0.0);
        dem.data[(2, 2)] = f32::NAN;
        let known = |r: &Raster<f32>| r.values().iter().filter(|v| !v.is_nan()).count();
        assert_eq!(known(&slope_deg(&dem, Edge::NoData)), 0);
        assert_eq!(known(&slope_deg(&dem, Edge::Replicate)), 24);
        assert_eq!(known(&aspect_deg(&dem, Edge::Replicate)), 0);
        let tiny = plane(grid(1, 1, 10.0), 1.0, 1.0);
        assert_eq!(slope_deg(&tiny, Edge::Replicate).values(), [0.0]);
        assert!(slope_deg(&tiny, Edge::NoData).values()[0].is_nan());
    }

    #[test]
    fn shade_by_hand() {
        // Level ground shows the sine of the sun's altitude; ground that faces the sun squarely is white.
        let flat = plane(grid(3, 3, 10.0), 0.0, 0.0);
        let shade = hillshade(&flat, 315.0, 30.0, 1.0, Edge::NoData).data[(1, 1)];
        assert!((shade - 128.0).abs() < 1e-4);
        let to_the_east = plane(grid(3, 3, 10.0), -1.0, 0.0);
        let lit = hillshade(&to_the_east, 90.0, 45.0, 1.0, Edge::NoData).data[(1, 1)];
        assert!((lit - 255.0).abs() < 1e-4);
        let dark = hillshade(&to_the_east, 270.0, 30.0, 2.0, Edge::NoData).data[(1, 1)];
        assert_eq!(dark, 1.0);
        // Tilt 0.5, exaggerated twice: as a tilt of 1.
        let half = plane(grid(3, 3, 10.0), -0.5, 0.0);
        let lit2 = hillshade(&half, 90.0, 45.0, 2.0, Edge::NoData).data[(1, 1)];
        assert!((lit2 - 255.0).abs() < 1e-4);
    }

    #[test]
    fn geographic_cells_are_measured_in_metres() {
        // A rise of 1 m per metre eastward at 60 deg N, where a degree of longitude is half of one at the equator.
        let g = Grid::new(Crs::CGCS2000, (100.0, 60.0005), (0.001, 0.001), (3, 3)).unwrap();
        let (dx, _) = g.cell_size_m(1);
        let dem = Raster::new(
            g,
            Array2::from_shape_fn((3, 3), |(_, c)| (c as f64 * dx) as f32),
        );
        let s = slope_deg(&dem, Edge::NoData).data[(1, 1)];
        assert!((s - 45.0).abs() < 1e-4, "{s}");
        assert!((dx / 55.8 - 1.0).abs() < 0.001);
    }

    proptest! {
        /// The bound that the doc comment states, over the whole range of tangents.
        #[test]
        fn arctan_is_near_the_true_one(t in 0.0f32..20.0, power in -6i32..6) {
            let t = t * libm::powf(10.0, power as f32);
            let exact = libm::atan(f64::from(t));
            prop_assert!((f64::from(arctan(t)) - exact).abs() <= 2e-7 * exact);
        }

        #[test]
        fn bearings_agree_with_atan2(east in -9.0f32..9.0, north in -9.0f32..9.0) {
            let exact = libm::atan2(f64::from(east), f64::from(north)).to_degrees().rem_euclid(360.0);
            let d = (f64::from(bearing_deg(east, north)) - exact).abs();
            prop_assert!(d.min(360.0 - d) < 6e-5);
        }
    }

    fn shared(name: &str) -> Option<PathBuf> {
        let root = std::env::var_os("ANLAN_SHARED_DATA").map_or_else(
            || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"),
            PathBuf::from,
        );
        let path = root.join("geology/dem_derivatives").join(name);
        if path.exists() {
            return Some(path);
        }
        println!("SKIPPED: no {}", path.display());
        None
    }

    /// Cells of a small GeoTIFF of the shared data, -9999 as NaN.
    fn read(path: &Path) -> Raster<f32> {
        let tif = geotiff::GeoTiff::read(std::fs::File::open(path).unwrap()).unwrap();
        let extent = tif.model_extent();
        let (rows, cols) = (tif.raster_height, tif.raster_width);
        let g = Grid::new(
            Crs::from_epsg(32717).unwrap(),
            (extent.min().x, extent.max().y),
            (extent.width() / cols as f64, extent.height() / rows as f64),
            (rows, cols),
        )
        .unwrap();
        Raster::new(
            g,
            Array2::from_shape_fn((rows, cols), |(r, c)| {
                let at = geo::Coord {
                    x: g.x(c),
                    y: g.y(r),
                };
                match tif.get_value_at::<f32>(&at, 0) {
                    Some(v) if v > -9000.0 => v,
                    _ => f32::NAN,
                }
            }),
        )
    }

    /// Greatest difference, and the share of cells beyond `tolerance`; NaN in the same cells.
    fn compare(found: &Raster<f32>, name: &str, round: Option<f32>, tolerance: f32) -> (f32, f64) {
        let expected = read(&shared(name).unwrap());
        let (mut worst, mut beyond, mut n, mut unlike) = (0.0f32, 0usize, 0usize, 0usize);
        for (&a, &b) in found.values().iter().zip(expected.values()) {
            if a.is_nan() || b.is_nan() {
                unlike += usize::from(a.is_nan() != b.is_nan());
                continue;
            }
            let mut d = (a - b).abs();
            if let Some(full) = round {
                d = d.min(full - d);
            }
            worst = worst.max(d);
            beyond += usize::from(d > tolerance);
            n += 1;
        }
        println!(
            "{name}: worst {worst}, {beyond} of {n} beyond {tolerance}, no-data unlike {unlike}"
        );
        assert_eq!(unlike, 0, "{name}");
        assert!(n > 150_000);
        (worst, beyond as f64 / n as f64)
    }

    /// GDAL 3.6 sums elevations (up to 3,200 m) in f32 before it subtracts them: the unit in the last place of
    /// `a + 2 d + g` is 9.8e-4 m, and two sums of two roundings each may be off by 2e-3 m, over 80 m 2.4e-5 in the
    /// tangent, 1.5e-3 deg. We subtract first. The test therefore compares ours within that rounding, and shows with
    /// GDAL's own order of additions that nothing else differs.
    #[test]
    fn gdaldem_agrees() {
        let Some(path) = shared("ecuador_dem_10m.tif") else {
            return;
        };
        let dem = read(&path);
        let edge = Edge::NoData;
        let horn = "expected_gdaldem_slope_horn_deg.tif";
        let (worst, _) = compare(&slope_deg(&dem, edge), horn, None, 1e-4);
        assert!(worst < 1.5e-3);
        let in_their_order = neighbourhood(&dem, edge, |dx, dy| {
            let (px, py) = ((0.125 / dx) as f32, (0.125 / dy) as f32);
            move |w: Around| {
                let p = ((w.a + w.d + w.d + w.g) - (w.c + w.f + w.f + w.i)) * px;
                let q = ((w.g + w.h + w.h + w.i) - (w.a + w.b + w.b + w.c)) * py;
                arctan((p * p + q * q).sqrt()) * DEG
            }
        });
        let (worst, _) = compare(&in_their_order, horn, None, 1e-5);
        assert!(worst < 2e-5);
        let (worst, _) = compare(
            &slope_zevenbergen_thorne_deg(&dem, edge),
            "expected_gdaldem_slope_zt_deg.tif",
            None,
            1e-4,
        );
        assert!(worst < 2e-5);
        let (_, beyond) = compare(
            &aspect_deg(&dem, edge),
            "expected_gdaldem_aspect_horn_deg.tif",
            Some(360.0),
            0.01,
        );
        assert!(beyond < 1e-3);
        let (worst, _) = compare(&tpi_m(&dem, edge), "expected_gdaldem_tpi.tif", None, 1e-4);
        assert!(worst < 1e-3);
        let (worst, _) = compare(
            &tri_riley_m(&dem, edge),
            "expected_gdaldem_tri_riley.tif",
            None,
            1e-4,
        );
        assert!(worst < 1e-4);
        let (worst, _) = compare(
            &roughness_m(&dem, edge),
            "expected_gdaldem_roughness.tif",
            None,
            0.0,
        );
        assert_eq!(worst, 0.0);
    }
}
