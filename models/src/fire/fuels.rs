//! Surface fuel models (地表可燃物模型) and the fuel of a land cover class.
//!
//! A fuel model is the set of figures Rothermel's spread equation needs: loads of dead wood in three sizes and of live
//! herbs and shrubs, their surface-to-volume ratios, depth of the bed, moisture of extinction, heat content.
//!
//! # References
//! Anderson (1982), Aids to determining fuel models, USDA INT-GTR-122. Scott and Burgan (2005), Standard fire behavior
//! fuel models, USDA RMRS-GTR-153, doi:10.2737/RMRS-GTR-153.

use anlan_engine::{Error, Fault, Result};
use serde::Deserialize;
use std::path::Path;

const STANDARD_CSV: &str = include_str!("../../standards/fuel_models.csv");
const LAND_COVER_TOML: &str = include_str!("../../standards/fuel_by_landcover.toml");

/// US tons per acre in lb/ft².
const LB_FT2_PER_TON_ACRE: f64 = 2000.0 / 43_560.0;

/// Value of a fuel raster where nothing burns and no fuel model is named (no-data).
pub const NO_FUEL: u8 = 255;

/// One surface fuel model, in the units of the papers (every published table is in them).
#[derive(Debug, Clone, PartialEq)]
pub struct FuelModel {
    /// Number of the model, 1..=254.
    pub number: u8,
    /// Short code, e.g. `GR2`.
    pub code: String,
    /// Name in words.
    pub name: String,
    /// Oven-dry loads of 1-h, 10-h, 100-h dead, live herbaceous and live woody fuel, lb/ft².
    pub load_lb_ft2: [f64; 5],
    /// Surface-area-to-volume ratios of the same five, 1/ft.
    pub savr_ft: [f64; 5],
    /// Depth of the fuel bed, ft.
    pub depth_ft: f64,
    /// Dead-fuel moisture of extinction, fraction of dry weight.
    pub extinction_moisture: f64,
    /// Heat content of dead fuel, Btu/lb.
    pub heat_dead_btu_lb: f64,
    /// Heat content of live fuel, Btu/lb.
    pub heat_live_btu_lb: f64,
    /// True where herbs cure: part of the live herbaceous load burns as dead fuel, depending on its moisture.
    pub dynamic: bool,
    /// True where the fuel lies under a canopy, which shelters it from the wind.
    pub sheltered: bool,
}

impl FuelModel {
    /// True where the model carries fire at all.
    pub fn burnable(&self) -> bool {
        self.load_lb_ft2.iter().sum::<f64>() > 0.0
    }
}

/// Fuel models by number.
#[derive(Debug, Clone)]
pub struct FuelTable {
    models: Vec<Option<FuelModel>>,
}

#[derive(Deserialize)]
struct Row {
    number: u8,
    code: String,
    name: String,
    load_unit: String,
    load_1h: f64,
    load_10h: f64,
    load_100h: f64,
    load_live_herb: f64,
    load_live_woody: f64,
    savr_1h: f64,
    savr_10h: f64,
    savr_100h: f64,
    savr_live_herb: f64,
    savr_live_woody: f64,
    depth_ft: f64,
    mx_dead_pct: f64,
    heat_dead_btu_lb: f64,
    heat_live_btu_lb: f64,
    dynamic: u8,
    sheltered: u8,
}

impl FuelTable {
    /// The 53 standard models compiled in.
    ///
    /// # Panics
    /// Never: a test reads the compiled-in table.
    pub fn standard() -> FuelTable {
        FuelTable::parse(STANDARD_CSV, Path::new("standards/fuel_models.csv"))
            .expect("the compiled-in fuel table is read by a test")
    }

    /// A table of fuel models from CSV text with the columns of `standards/fuel_models.csv`; lines that start with `#`
    /// are notes.
    ///
    /// # Errors
    /// All faulty rows together: missing columns, numbers out of range, a number given twice.
    pub fn parse(text: &str, file: &Path) -> Result<FuelTable> {
        let mut models: Vec<Option<FuelModel>> = vec![None; 256];
        let mut faults = Vec::new();
        let mut reader = csv::ReaderBuilder::new()
            .comment(Some(b'#'))
            .from_reader(text.as_bytes());
        for (i, row) in reader.deserialize::<Row>().enumerate() {
            let place = |what: &str| format!("data row {}, {what}", i + 1);
            match row {
                Ok(row) => match row.check() {
                    Ok(model) => {
                        let number = usize::from(model.number);
                        if models[number].is_some() {
                            faults.push(
                                Fault::new(
                                    file,
                                    format!("fuel model {number} a second time"),
                                    "each number once",
                                    "delete one of the two rows or renumber it",
                                )
                                .at(place("number")),
                            );
                        }
                        models[number] = Some(model);
                    }
                    Err((column, found, expected)) => faults.push(
                        Fault::new(file, found, expected, "correct the figure in this row")
                            .at(place(column)),
                    ),
                },
                Err(e) => faults.push(
                    Fault::new(
                        file,
                        e.to_string(),
                        "the columns of standards/fuel_models.csv, one number each",
                        "compare the header and this row with the standard table",
                    )
                    .at(place("whole row")),
                ),
            }
        }
        if faults.is_empty() {
            Ok(FuelTable { models })
        } else {
            Err(Error::Input(faults))
        }
    }

    /// The model of a number; `None` where the table has none (treated as unburnable).
    pub fn get(&self, number: u8) -> Option<&FuelModel> {
        self.models[usize::from(number)].as_ref()
    }

    /// All models in ascending number.
    pub fn iter(&self) -> impl Iterator<Item = &FuelModel> {
        self.models.iter().flatten()
    }
}

impl Row {
    fn check(self) -> std::result::Result<FuelModel, (&'static str, String, &'static str)> {
        let factor = match self.load_unit.as_str() {
            "lb/ft2" => 1.0,
            "ton/acre" => LB_FT2_PER_TON_ACRE,
            other => return Err(("load_unit", other.to_owned(), "lb/ft2 or ton/acre")),
        };
        let load_lb_ft2 = [
            self.load_1h,
            self.load_10h,
            self.load_100h,
            self.load_live_herb,
            self.load_live_woody,
        ]
        .map(|w| w * factor);
        let savr_ft = [
            self.savr_1h,
            self.savr_10h,
            self.savr_100h,
            self.savr_live_herb,
            self.savr_live_woody,
        ];
        if self.number == 0 || self.number == NO_FUEL {
            return Err(("number", self.number.to_string(), "1 to 254"));
        }
        let in_range = |v: f64, lo: f64, hi: f64| v >= lo && v <= hi;
        if let Some(w) = load_lb_ft2.iter().find(|w| !in_range(**w, 0.0, 10.0)) {
            return Err(("load", format!("{w} lb/ft2"), "0 to 10 lb/ft2"));
        }
        if let Some(s) = savr_ft.iter().find(|s| !in_range(**s, 1.0, 10_000.0)) {
            return Err(("savr", s.to_string(), "1 to 10000 per ft"));
        }
        if !in_range(self.depth_ft, 0.01, 50.0) {
            return Err(("depth_ft", self.depth_ft.to_string(), "0.01 to 50 ft"));
        }
        if !in_range(self.mx_dead_pct, 5.0, 100.0) {
            return Err(("mx_dead_pct", self.mx_dead_pct.to_string(), "5 to 100 %"));
        }
        for heat in [self.heat_dead_btu_lb, self.heat_live_btu_lb] {
            if !in_range(heat, 4000.0, 15_000.0) {
                return Err(("heat", heat.to_string(), "4000 to 15000 Btu/lb"));
            }
        }
        Ok(FuelModel {
            number: self.number,
            code: self.code,
            name: self.name,
            load_lb_ft2,
            savr_ft,
            depth_ft: self.depth_ft,
            extinction_moisture: self.mx_dead_pct / 100.0,
            heat_dead_btu_lb: self.heat_dead_btu_lb,
            heat_live_btu_lb: self.heat_live_btu_lb,
            dynamic: self.dynamic != 0,
            sheltered: self.sheltered != 0,
        })
    }
}

/// Fuel model per land cover class (IGBP), with where it comes from.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FuelByLandCover {
    /// Where the figures come from.
    pub source: String,
    /// `read` or `unverified`.
    pub status: String,
    /// One entry per class.
    #[serde(rename = "class")]
    pub classes: Vec<LandCoverFuel>,
}

/// The fuel of one land cover class.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LandCoverFuel {
    /// Code in the land cover raster.
    pub code: u8,
    /// English name.
    pub name: String,
    /// Chinese name.
    pub name_zh: String,
    /// Number of the fuel model.
    pub fuel: u8,
}

impl FuelByLandCover {
    /// The mapping compiled in (status unverified: no public national table exists).
    ///
    /// # Panics
    /// Never: a test reads the compiled-in table.
    pub fn standard() -> Self {
        FuelByLandCover::parse(
            LAND_COVER_TOML,
            Path::new("standards/fuel_by_landcover.toml"),
        )
        .expect("the compiled-in land cover table is read by a test")
    }

    /// A mapping from TOML text.
    ///
    /// # Errors
    /// Text that is not TOML of this shape.
    pub fn parse(text: &str, file: &Path) -> Result<Self> {
        toml::from_str(text).map_err(|e| {
            Error::input(Fault::new(
                file,
                e.to_string(),
                "source, status and [[class]] with code, name, name_zh, fuel",
                "compare with standards/fuel_by_landcover.toml",
            ))
        })
    }

    /// Fuel number for each of the 256 possible codes; [`NO_FUEL`] where the class is not listed.
    pub fn lookup(&self) -> [u8; 256] {
        let mut table = [NO_FUEL; 256];
        for class in &self.classes {
            table[usize::from(class.code)] = class.fuel;
        }
        table
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_53_models_and_two_known_rows() {
        let table = FuelTable::standard();
        assert_eq!(table.iter().count(), 13 + 40 + 5);
        assert_eq!(table.iter().filter(|m| m.burnable()).count(), 53);
        // Anderson (1982), table 1: model 10 has 3.01, 2.00, 5.01 and 2.00 tons/acre, printed to two decimals.
        let m = table.get(10).unwrap();
        for (w, ton) in m.load_lb_ft2.iter().zip([3.01, 2.0, 5.01, 0.0, 2.0]) {
            assert!((w / LB_FT2_PER_TON_ACRE - ton).abs() < 0.01);
        }
        // Scott and Burgan (2005), table 7: SH5 3.60, 2.10, 0, 0, 2.90 tons/acre, 6 ft, 15 %.
        let m = table.get(145).unwrap();
        assert!((m.load_lb_ft2[0] - 3.6 * 0.045_913_7).abs() < 1e-6);
        assert_eq!((m.depth_ft, m.extinction_moisture), (6.0, 0.15));
    }

    #[test]
    fn every_land_cover_class_names_a_known_fuel() {
        let table = FuelTable::standard();
        let cover = FuelByLandCover::standard();
        assert_eq!(cover.classes.len(), 18);
        assert!(cover.classes.iter().all(|c| table.get(c.fuel).is_some()));
        assert_eq!(cover.lookup()[17], 98);
        assert_eq!(cover.lookup()[200], NO_FUEL);
    }

    #[test]
    fn faults_are_listed_together() {
        let text = STANDARD_CSV
            .replace("1,FM1,Short grass,lb/ft2", "1,FM1,Short grass,kg/m2")
            .replace(
                "2,FM2,Timber grass and understory,lb/ft2,0.092",
                "2,FM2,x,lb/ft2,-1",
            );
        let e = FuelTable::parse(&text, Path::new("my.csv")).unwrap_err();
        assert_eq!(e.faults().len(), 2);
        assert!(e.to_string().contains("my.csv, data row 1, load_unit"));
    }
}
