//! Coordinate reference systems of Chinese practice, and the transformations between them.
//!
//! Geographic CGCS2000 (EPSG:4490) and WGS 84 (4326), Gauss-Kruger zones of CGCS2000 (4491..=4554), UTM on WGS 84
//! (32601..=32660, 32701..=32760) and web Mercator (3857). CGCS2000 and WGS 84 are taken as one datum (they differ
//! by centimetres). Axis order is always x = easting or longitude, y = northing or latitude, as files store them,
//! although EPSG:4490 and the zones list the northing first.
//!
//! Transverse Mercator: Krüger's series to the sixth order in the third flattening (Karney 2011,
//! doi:10.1007/s00190-011-0445-3, eqs. 7-11, 35, 36): error below a nanometre within a zone. It is our own, on
//! `libm`, so that coordinates do not depend on the platform's mathematical library.

use crate::error::{Error, Fault, Result};
use libm::{asinh, atan, atan2, atanh, cos, cosh, exp, log, sin, sinh, sqrt, tan};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, PI};
use std::fmt;

/// Semi-major axis of CGCS2000 and WGS 84, m.
pub const SEMI_MAJOR_M: f64 = 6_378_137.0;
const FLATTENING_CGCS2000: f64 = 1.0 / 298.257_222_101;
const FLATTENING_WGS84: f64 = 1.0 / 298.257_223_563;

/// A coordinate reference system, known by its EPSG code.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Crs(u32);

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kind {
    Geographic,
    TransverseMercator {
        central_meridian_deg: f64,
        scale: f64,
        false_easting_m: f64,
        false_northing_m: f64,
    },
    WebMercator,
}

impl Crs {
    /// WGS 84, longitude and latitude in degrees.
    pub const WGS84: Crs = Crs(4326);
    /// CGCS2000 (2000 国家大地坐标系), longitude and latitude in degrees.
    pub const CGCS2000: Crs = Crs(4490);

    /// The system with this EPSG code.
    ///
    /// # Errors
    /// A code outside the table at the head of this module.
    pub fn from_epsg(code: u32) -> Result<Crs> {
        match code {
            4326 | 4490..=4554 | 3857 | 32601..=32660 | 32701..=32760 => Ok(Crs(code)),
            _ => Err(Error::input(Fault::new(
                "coordinate reference system",
                format!("EPSG:{code}"),
                "EPSG:4326, 4490, a CGCS2000 Gauss-Kruger zone (4491-4554), UTM on WGS 84 (326xx, 327xx) or 3857",
                "reproject the file to one of these, e.g. EPSG:4490",
            ))),
        }
    }

    /// EPSG code.
    pub fn epsg(self) -> u32 {
        self.0
    }

    /// True where coordinates are longitude and latitude in degrees.
    pub fn is_geographic(self) -> bool {
        self.kind() == Kind::Geographic
    }

    /// The CGCS2000 3-degree Gauss-Kruger system without zone prefix (EPSG:4534..=4554) whose central meridian is
    /// nearest to a longitude in degrees.
    pub fn gauss_kruger_3_degree(lon_deg: f64) -> Crs {
        let zone = ((lon_deg - 75.0) / 3.0).round().clamp(0.0, 20.0) as u32;
        Crs(4534 + zone)
    }

    /// Name as maps print it, e.g. `CGCS2000 / 3-degree Gauss-Kruger CM 120E`.
    pub fn name(self) -> String {
        match self.0 {
            4326 => "WGS 84".into(),
            4490 => "CGCS2000".into(),
            3857 => "WGS 84 / Pseudo-Mercator".into(),
            c @ 4491..=4501 => format!("CGCS2000 / Gauss-Kruger zone {}", c - 4491 + 13),
            c @ 4502..=4512 => format!("CGCS2000 / Gauss-Kruger CM {}E", 75 + 6 * (c - 4502)),
            c @ 4513..=4533 => format!("CGCS2000 / 3-degree Gauss-Kruger zone {}", c - 4513 + 25),
            c @ 4534..=4554 => format!(
                "CGCS2000 / 3-degree Gauss-Kruger CM {}E",
                75 + 3 * (c - 4534)
            ),
            c @ 32601..=32660 => format!("WGS 84 / UTM zone {}N", c - 32600),
            c => format!("WGS 84 / UTM zone {}S", c - 32700),
        }
    }

    /// Chinese name for maps and reports.
    pub fn name_zh(self) -> String {
        match self.0 {
            4326 => "WGS 84 地理坐标".into(),
            4490 => "2000国家大地坐标系".into(),
            c @ 4491..=4501 => format!("2000国家大地坐标系 高斯-克吕格6度带 {}带", c - 4491 + 13),
            c @ 4502..=4512 => {
                format!(
                    "2000国家大地坐标系 高斯-克吕格6度带 中央经线{}°",
                    75 + 6 * (c - 4502)
                )
            }
            c @ 4513..=4533 => format!("2000国家大地坐标系 高斯-克吕格3度带 {}带", c - 4513 + 25),
            c @ 4534..=4554 => {
                format!(
                    "2000国家大地坐标系 高斯-克吕格3度带 中央经线{}°",
                    75 + 3 * (c - 4534)
                )
            }
            _ => self.name(),
        }
    }

    /// Well-known text (WKT 1) of the system, as GeoPackage and Shapefile want it.
    pub fn wkt(self) -> String {
        let (datum, ellipsoid, inverse, base) = if (4490..=4554).contains(&self.0) {
            (
                "China_2000",
                "CGCS2000",
                "298.257222101",
                (4490, "China Geodetic Coordinate System 2000"),
            )
        } else {
            ("WGS_1984", "WGS 84", "298.257223563", (4326, "WGS 84"))
        };
        let geographic = format!(
            "GEOGCS[\"{}\",DATUM[\"{datum}\",SPHEROID[\"{ellipsoid}\",6378137,{inverse}]],PRIMEM[\"Greenwich\",0],UNIT[\"degree\",0.0174532925199433],AUTHORITY[\"EPSG\",\"{}\"]]",
            base.1, base.0
        );
        match self.kind() {
            Kind::Geographic => geographic,
            Kind::TransverseMercator {
                central_meridian_deg,
                scale,
                false_easting_m,
                false_northing_m,
            } => format!(
                "PROJCS[\"{}\",{geographic},PROJECTION[\"Transverse_Mercator\"],PARAMETER[\"latitude_of_origin\",0],PARAMETER[\"central_meridian\",{central_meridian_deg}],PARAMETER[\"scale_factor\",{scale}],PARAMETER[\"false_easting\",{false_easting_m}],PARAMETER[\"false_northing\",{false_northing_m}],UNIT[\"metre\",1],AUTHORITY[\"EPSG\",\"{}\"]]",
                self.name(),
                self.0
            ),
            Kind::WebMercator => format!(
                "PROJCS[\"{}\",{geographic},PROJECTION[\"Mercator_1SP\"],PARAMETER[\"central_meridian\",0],PARAMETER[\"scale_factor\",1],PARAMETER[\"false_easting\",0],PARAMETER[\"false_northing\",0],UNIT[\"metre\",1],AUTHORITY[\"EPSG\",\"3857\"]]",
                self.name()
            ),
        }
    }

    /// The system that a WKT (also ESRI's, of a .prj file) describes, by its parameters; `None` where it is not in the
    /// table.
    pub fn from_wkt(wkt: &str) -> Option<Crs> {
        crate::wkt::recognise(wkt).ok()
    }

    /// Flattening of the ellipsoid.
    pub fn flattening(self) -> f64 {
        if (4490..=4554).contains(&self.0) {
            FLATTENING_CGCS2000
        } else {
            FLATTENING_WGS84
        }
    }

    pub(crate) fn kind(self) -> Kind {
        let tm = |central_meridian_deg: f64, scale, false_easting_m, false_northing_m| {
            Kind::TransverseMercator {
                central_meridian_deg,
                scale,
                false_easting_m,
                false_northing_m,
            }
        };
        let at = |first: u32| f64::from(self.0 - first);
        match self.0 {
            4491..=4501 => tm(
                75.0 + 6.0 * at(4491),
                1.0,
                (at(4491) + 13.0) * 1e6 + 5e5,
                0.0,
            ),
            4502..=4512 => tm(75.0 + 6.0 * at(4502), 1.0, 5e5, 0.0),
            4513..=4533 => tm(
                75.0 + 3.0 * at(4513),
                1.0,
                (at(4513) + 25.0) * 1e6 + 5e5,
                0.0,
            ),
            4534..=4554 => tm(75.0 + 3.0 * at(4534), 1.0, 5e5, 0.0),
            32601..=32660 => tm(6.0 * at(32600) - 183.0, 0.9996, 5e5, 0.0),
            32701..=32760 => tm(6.0 * at(32700) - 183.0, 0.9996, 5e5, 1e7),
            3857 => Kind::WebMercator,
            _ => Kind::Geographic,
        }
    }

    /// Checks that a coordinate pair can belong to this system, and names the usual slips (swapped axes, metres for
    /// degrees, a zone prefix too many or too few). `None` means plausible.
    pub fn implausible(self, x: f64, y: f64) -> Option<&'static str> {
        if !(x.is_finite() && y.is_finite()) {
            return Some("a coordinate is not a finite number");
        }
        match self.kind() {
            Kind::Geographic => {
                if x.abs() > 180.0 && y.abs() > 90.0 {
                    Some("metres where degrees are expected")
                } else if y.abs() > 90.0 || (x > 3.0 && x < 54.0 && y > 73.0) {
                    Some("axes swapped: latitude stands where longitude is expected")
                } else if x.abs() > 180.0 {
                    Some("longitude outside -180..180")
                } else {
                    None
                }
            }
            Kind::TransverseMercator {
                false_easting_m, ..
            } => {
                let off = (x - false_easting_m).abs();
                if x.abs() <= 180.0 && y.abs() <= 90.0 {
                    Some("degrees where metres are expected")
                } else if off > 1e6 && (y - false_easting_m).abs() < 1e6 && x > 0.0 && x < 1e7 {
                    Some("axes swapped: the northing stands where the easting is expected")
                } else if off > 1e6 {
                    Some(
                        "easting too far from the central meridian: wrong zone, or zone prefix missing or not wanted",
                    )
                } else if y.abs() > 1e7 {
                    Some("northing outside the hemisphere")
                } else {
                    None
                }
            }
            Kind::WebMercator => {
                (x.abs() > 2.1e7 || y.abs() > 2.1e7).then_some("outside the square of web Mercator")
            }
        }
    }
}

impl fmt::Debug for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.0)
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "EPSG:{}", self.0)
    }
}

/// Transforms coordinates from one system to another.
#[derive(Debug, Clone, Copy)]
pub struct Projector {
    from: Side,
    to: Side,
    same: bool,
}

#[derive(Debug, Clone, Copy)]
struct Side {
    kind: Kind,
    series: Krueger,
}

impl Projector {
    /// The transformation `from` → `to`.
    pub fn new(from: Crs, to: Crs) -> Self {
        let side = |crs: Crs| Side {
            kind: crs.kind(),
            series: Krueger::new(crs.flattening()),
        };
        let same = from == to || (from.is_geographic() && to.is_geographic());
        Projector {
            from: side(from),
            to: side(to),
            same,
        }
    }

    /// True where coordinates pass unchanged.
    pub fn is_identity(&self) -> bool {
        self.same
    }

    /// Transforms one point. Points far outside a projection's domain come back as NaN.
    pub fn point(&self, x: f64, y: f64) -> (f64, f64) {
        if self.same {
            return (x, y);
        }
        let (lon, lat) = self.from.inverse(x, y);
        self.to.forward(lon, lat)
    }
}

impl Side {
    /// To longitude and latitude, radians.
    fn inverse(&self, x: f64, y: f64) -> (f64, f64) {
        match self.kind {
            Kind::Geographic => (x.to_radians(), y.to_radians()),
            Kind::WebMercator => (
                x / SEMI_MAJOR_M,
                2.0 * atan(exp(y / SEMI_MAJOR_M)) - FRAC_PI_2,
            ),
            Kind::TransverseMercator {
                central_meridian_deg,
                scale,
                false_easting_m,
                false_northing_m,
            } => {
                let (lon, lat) = self.series.inverse(
                    (x - false_easting_m) / scale,
                    (y - false_northing_m) / scale,
                );
                (lon + central_meridian_deg.to_radians(), lat)
            }
        }
    }

    /// From longitude and latitude, radians.
    fn forward(&self, lon: f64, lat: f64) -> (f64, f64) {
        match self.kind {
            Kind::Geographic => (lon.to_degrees(), lat.to_degrees()),
            Kind::WebMercator => (
                lon * SEMI_MAJOR_M,
                SEMI_MAJOR_M * log(tan(FRAC_PI_4 + lat / 2.0)),
            ),
            Kind::TransverseMercator {
                central_meridian_deg,
                scale,
                false_easting_m,
                false_northing_m,
            } => {
                let dlon = lon - central_meridian_deg.to_radians();
                if dlon.abs() > 0.5 * PI {
                    return (f64::NAN, f64::NAN);
                }
                let (x, y) = self.series.forward(dlon, lat);
                (x * scale + false_easting_m, y * scale + false_northing_m)
            }
        }
    }
}

/// Coefficients of Krüger's series for one ellipsoid.
#[derive(Debug, Clone, Copy)]
struct Krueger {
    e: f64,
    radius: f64,
    alpha: [f64; 6],
    beta: [f64; 6],
}

impl Krueger {
    fn new(f: f64) -> Self {
        let n = f / (2.0 - f);
        let n2 = n * n;
        let n3 = n2 * n;
        let n4 = n3 * n;
        let n5 = n4 * n;
        let n6 = n5 * n;
        Krueger {
            e: sqrt(f * (2.0 - f)),
            radius: SEMI_MAJOR_M / (1.0 + n) * (1.0 + n2 / 4.0 + n4 / 64.0 + n6 / 256.0),
            alpha: [
                n / 2.0 - 2.0 / 3.0 * n2 + 5.0 / 16.0 * n3 + 41.0 / 180.0 * n4 - 127.0 / 288.0 * n5
                    + 7891.0 / 37800.0 * n6,
                13.0 / 48.0 * n2 - 3.0 / 5.0 * n3 + 557.0 / 1440.0 * n4 + 281.0 / 630.0 * n5
                    - 1_983_433.0 / 1_935_360.0 * n6,
                61.0 / 240.0 * n3 - 103.0 / 140.0 * n4
                    + 15061.0 / 26880.0 * n5
                    + 167_603.0 / 181_440.0 * n6,
                49561.0 / 161_280.0 * n4 - 179.0 / 168.0 * n5 + 6_601_661.0 / 7_257_600.0 * n6,
                34729.0 / 80640.0 * n5 - 3_418_889.0 / 1_995_840.0 * n6,
                212_378_941.0 / 319_334_400.0 * n6,
            ],
            beta: [
                n / 2.0 - 2.0 / 3.0 * n2 + 37.0 / 96.0 * n3 - n4 / 360.0 - 81.0 / 512.0 * n5
                    + 96199.0 / 604_800.0 * n6,
                n2 / 48.0 + n3 / 15.0 - 437.0 / 1440.0 * n4 + 46.0 / 105.0 * n5
                    - 1_118_711.0 / 3_870_720.0 * n6,
                17.0 / 480.0 * n3 - 37.0 / 840.0 * n4 - 209.0 / 4480.0 * n5 + 5569.0 / 90720.0 * n6,
                4397.0 / 161_280.0 * n4 - 11.0 / 504.0 * n5 - 830_251.0 / 7_257_600.0 * n6,
                4583.0 / 161_280.0 * n5 - 108_847.0 / 3_991_680.0 * n6,
                20_648_693.0 / 638_668_800.0 * n6,
            ],
        }
    }

    fn forward(&self, lon: f64, lat: f64) -> (f64, f64) {
        let tau = tan(lat);
        let t1 = sqrt(1.0 + tau * tau);
        let sigma = sinh(self.e * atanh(self.e * tau / t1));
        let tau_c = tau * sqrt(1.0 + sigma * sigma) - sigma * t1;
        let xi0 = atan2(tau_c, cos(lon));
        let eta0 = asinh(sin(lon) / sqrt(tau_c * tau_c + cos(lon) * cos(lon)));
        let (mut xi, mut eta) = (xi0, eta0);
        for (j, a) in self.alpha.iter().enumerate() {
            let k = 2.0 * (j as f64 + 1.0);
            xi += a * sin(k * xi0) * cosh(k * eta0);
            eta += a * cos(k * xi0) * sinh(k * eta0);
        }
        (self.radius * eta, self.radius * xi)
    }

    fn inverse(&self, x: f64, y: f64) -> (f64, f64) {
        let xi = y / self.radius;
        let eta = x / self.radius;
        let (mut xi0, mut eta0) = (xi, eta);
        for (j, b) in self.beta.iter().enumerate() {
            let k = 2.0 * (j as f64 + 1.0);
            xi0 -= b * sin(k * xi) * cosh(k * eta);
            eta0 -= b * cos(k * xi) * sinh(k * eta);
        }
        let tau_c = sin(xi0) / sqrt(sinh(eta0) * sinh(eta0) + cos(xi0) * cos(xi0));
        let lon = atan2(sinh(eta0), cos(xi0));
        // Newton's method for the geographic latitude: two or three steps reach the last bit.
        let e2 = self.e * self.e;
        let mut tau = tau_c / (1.0 - e2);
        for _ in 0..5 {
            let t1 = sqrt(1.0 + tau * tau);
            let sigma = sinh(self.e * atanh(self.e * tau / t1));
            let tau_i = tau * sqrt(1.0 + sigma * sigma) - sigma * t1;
            let step = (tau_c - tau_i) / sqrt(1.0 + tau_i * tau_i) * (1.0 + (1.0 - e2) * tau * tau)
                / ((1.0 - e2) * t1);
            tau += step;
            if step.abs() < 1e-15 * tau.abs().max(1.0) {
                break;
            }
        }
        (lon, atan(tau))
    }
}

/// Area in m² between the equator and a latitude (degrees), per radian of longitude, on the ellipsoid.
pub(crate) fn zone_area_per_radian(lat_deg: f64, flattening: f64) -> f64 {
    let e = sqrt(flattening * (2.0 - flattening));
    let s = sin(lat_deg.to_radians());
    let b2 = SEMI_MAJOR_M * SEMI_MAJOR_M * (1.0 - e * e);
    b2 / 2.0 * (s / (1.0 - e * e * s * s) + atanh(e * s) / e)
}

/// Length in metres of one degree of longitude and of latitude at a latitude (degrees).
pub fn degree_lengths_m(lat_deg: f64, flattening: f64) -> (f64, f64) {
    let e2 = flattening * (2.0 - flattening);
    let phi = lat_deg.to_radians();
    let w2 = 1.0 - e2 * sin(phi) * sin(phi);
    let w = sqrt(w2);
    let per_radian = (
        SEMI_MAJOR_M * cos(phi) / w,
        SEMI_MAJOR_M * (1.0 - e2) / (w2 * w),
    );
    (per_radian.0 * PI / 180.0, per_radian.1 * PI / 180.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// PROJ 9 (pyproj 3.7.2) for 114.7 E, 30.5 N, and R ln tan(π/4 + φ/2) for web Mercator; tolerance 0.1 mm, the
    /// last digit printed.
    #[test]
    fn agrees_with_proj() {
        for (epsg, x, y) in [
            (4547, 567_200.065_8, 3_375_750.084_8),
            (32650, 279_261.831_4, 3_376_440.923_0),
            (3857, 12_768_345.594_0, 3_567_983.455_9),
        ] {
            let p = Projector::new(Crs::CGCS2000, Crs::from_epsg(epsg).unwrap());
            let (a, b) = p.point(114.7, 30.5);
            assert!(
                (a - x).abs() < 1e-4 && (b - y).abs() < 1e-4,
                "EPSG:{epsg}: {a} {b}"
            );
        }
    }

    #[test]
    fn there_and_back_is_the_identity() {
        for epsg in [4547, 4549, 4528, 4507, 32650, 32750, 3857] {
            let crs = Crs::from_epsg(epsg).unwrap();
            let lon = if epsg == 4507 { 104.3 } else { 118.9 };
            let lat = if epsg == 32750 { -29.1 } else { 29.1 };
            let (x, y) = Projector::new(Crs::CGCS2000, crs).point(lon, lat);
            let (a, b) = Projector::new(crs, Crs::CGCS2000).point(x, y);
            // 1e-11 degree is a micrometre.
            assert!(
                (a - lon).abs() < 1e-11 && (b - lat).abs() < 1e-11,
                "{epsg}: {a} {b}"
            );
        }
    }

    #[test]
    fn zones_have_their_meridians() {
        assert_eq!(
            Crs::from_epsg(4549).unwrap().name(),
            "CGCS2000 / 3-degree Gauss-Kruger CM 120E"
        );
        assert_eq!(Crs::gauss_kruger_3_degree(119.9).epsg(), 4549);
        assert!(Crs::from_epsg(27700).is_err());
    }

    #[test]
    fn every_system_survives_its_own_wkt() {
        for code in (4513..=4554).chain([4490, 4326, 4491, 32650, 32750]) {
            let crs = Crs::from_epsg(code).unwrap();
            assert_eq!(Crs::from_wkt(&crs.wkt()), Some(crs), "{code}");
        }
        assert_eq!(Crs::from_wkt("GEOGCS[\"Beijing_1954\"]"), None);
    }

    #[test]
    fn slips_are_named() {
        let gk = Crs::from_epsg(4549).unwrap();
        assert_eq!(gk.implausible(500_000.0, 3_200_000.0), None);
        assert!(
            gk.implausible(3_200_000.0, 500_000.0)
                .unwrap()
                .contains("swapped")
        );
        assert!(gk.implausible(119.0, 29.0).unwrap().contains("degrees"));
        assert!(
            Crs::CGCS2000
                .implausible(29.0, 119.0)
                .unwrap()
                .contains("swapped")
        );
        assert_eq!(Crs::CGCS2000.implausible(119.0, 29.0), None);
    }
}
