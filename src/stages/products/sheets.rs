//! What all sheets share, and each map as sheets: one of the region, and one of each unit where the project asks for them.

use super::super::{Context, store};
use super::{Job, save};
use crate::manifest::Draft;
use crate::map::{Counted, has_hanzi, interior, unit_level, window_of};
use crate::project::UnitMaps;
use anlan_engine::io::{table, vector};
use anlan_engine::{Bounds, Crs, Error, Fault, Projector, Raster, Result};
use anlan_models::cartography::styles::Level;
use anlan_models::cartography::{
    Border, Colour, Inset, Label, MapStyles, Mark, Page, PointSymbol, Setting, Sheet,
    SheetLanguage, draw as lay_out,
};
use geo::{BooleanOps, MultiPolygon, Rect};
use rayon::prelude::*;
use std::path::Path;

/// Font sizes of names on A4, px at 200 dpi: few units, many units, places.
const LARGE: f32 = 30.0;
const SMALL: f32 = 18.0;
const PLACE: f32 = 19.0;

/// What all sheets share.
pub(super) struct Base<'a> {
    ctx: &'a Context<'a>,
    styles: &'a MapStyles,
    units: &'a [store::UnitRow],
    region: Vec<MultiPolygon<f64>>,
    /// Units of the level above, and whether each is the region.
    overview: Vec<(MultiPolygon<f64>, bool)>,
    unit: Raster<f32>,
    shade: Raster<f32>,
    people: Raster<f32>,
    labels: Vec<Label>,
    /// Settlements with a name in the language of the sheets.
    places: Vec<(f64, f64, String)>,
    zh: bool,
    marks: Vec<Mark>,
    page: Page,
}

/// What was drawn.
pub(super) struct Drawn {
    pub maps: usize,
    /// Files with the names that found no place.
    pub dropped: Vec<(String, Vec<String>)>,
}

impl<'a> Base<'a> {
    /// Reads what all sheets share.
    pub fn read(
        ctx: &'a Context<'a>,
        styles: &'a MapStyles,
        units: &'a [store::UnitRow],
    ) -> Result<Base<'a>> {
        let products = &ctx.project.products;
        let zh = products.language == SheetLanguage::Zh;
        let mut shade = store::raster(ctx, "layers", "hillshade.tif")?;
        let unit = store::raster(ctx, "layers", "unit.tif")?;
        for (s, u) in shade.values_mut().iter_mut().zip(unit.values()) {
            if u.is_nan() {
                *s = f32::NAN;
            }
        }
        let base = ctx.project_file.parent().unwrap_or(Path::new(""));
        let layer =
            vector::read(&base.join(&ctx.project.inputs.region))?.reprojected(shade.grid.crs);
        let region = (0..layer.features.len())
            .filter_map(|i| layer.polygons(i))
            .collect();
        let overview = match &products.overview {
            Some(file) => overview(&base.join(file), &ctx.project.project.code, shade.grid.crs)?,
            None => Vec::new(),
        };
        let size = if units.len() > 30 { SMALL } else { LARGE };
        let labels = units
            .iter()
            .filter_map(|u| {
                let (x, y) = interior(&u.border)?;
                Some(Label {
                    x,
                    y,
                    text: u.name.clone(),
                    size,
                })
            })
            .collect();
        Ok(Base {
            places: places(&base.join(&ctx.project.inputs.places), shade.grid.crs, zh)?,
            people: store::raster(ctx, "layers", "population.tif")?,
            page: Page {
                paper: products.paper,
                orientation: products.orientation,
                dpi: products.dpi,
            },
            marks: ctx.marks(),
            ctx,
            styles,
            units,
            region,
            unit,
            shade,
            labels,
            overview,
            zh,
        })
    }

    fn borders(&self) -> Result<Vec<Border<'_>>> {
        let level = unit_level(self.units.iter().map(|u| u.code.as_str()));
        let above = Level::of_code(&self.ctx.project.project.code).max(level);
        let mut out = vec![
            self.styles
                .border(level)?
                .of(self.units.iter().map(|u| &u.border).collect(), self.zh),
        ];
        if above != level {
            out.push(
                self.styles
                    .border(above)?
                    .of(self.region.iter().collect(), self.zh),
            );
        }
        Ok(out)
    }

    fn notes(&self, job: &Job) -> Vec<String> {
        let mut notes = job.notes.clone();
        let source = &self.ctx.project.products.border_source;
        if !source.is_empty() {
            notes.push(if self.zh {
                format!("行政区划界线来源：{source}")
            } else {
                format!("Borders: {source}")
            });
        }
        notes
    }

    fn title(&self, name: &str, subject: &str) -> String {
        if self.zh {
            format!("{name}{subject}")
        } else {
            format!("{name}: {subject}")
        }
    }

    fn setting(&self) -> Setting<'_> {
        let products = &self.ctx.project.products;
        Setting {
            page: self.page,
            height_datum: products.height_datum.clone(),
            approval: products.map_approval.clone(),
            ..Setting::default()
        }
    }

    fn sheet<'s>(
        &'s self,
        job: &'s Job,
        title: String,
        labels: Vec<Label>,
        points: Vec<PointSymbol>,
    ) -> Result<Sheet<'s>> {
        let products = &self.ctx.project.products;
        Ok(Sheet {
            title,
            subtitle: products.data_period.clone(),
            classes: &job.classes,
            hillshade: Some(&self.shade),
            legend_title: job.legend_title.clone(),
            legend: job.legend.clone(),
            borders: self.borders()?,
            labels,
            points,
            notes: self.notes(job),
            producer: products.producer.clone(),
            date: products.date.clone(),
            marks: self.marks.clone(),
            language: products.language,
        })
    }

    /// The map of the region.
    fn of_region(&self, job: &Job, draft: &Draft) -> Result<(String, Vec<String>)> {
        let about = &self.ctx.project.project;
        let name = if self.zh { &about.name } else { &about.name_en };
        let sheet = self.sheet(
            job,
            self.title(name, &job.subject),
            self.labels.clone(),
            job.points.clone(),
        )?;
        let mut setting = self.setting();
        if let Some(classes) = &job.counted {
            let counted = Counted::of(classes, Some(&self.people), |i| {
                !self.unit.values()[i].is_nan()
            });
            setting.tables = vec![counted.table(&job.legend, self.zh)];
        }
        if Level::of_code(&about.code) == Level::National {
            setting.inset = Some(self.south_china_sea());
        } else if !self.overview.is_empty() {
            setting.inset = Some(Inset {
                title: if self.zh { "位置图" } else { "Location" }.into(),
                units: self.overview.iter().map(|(b, _)| b).collect(),
                highlight: self
                    .overview
                    .iter()
                    .filter_map(|(b, own)| own.then_some(b))
                    .collect(),
                window: None,
                rectangle: false,
            });
        }
        self.write(&sheet, &setting, &format!("maps/{}", job.file), draft)
    }

    /// The islands that a map of the whole country shows beside it.
    fn south_china_sea(&self) -> Inset<'_> {
        let around = Bounds {
            west: 106.0,
            south: 2.0,
            east: 123.0,
            north: 24.5,
        };
        Inset {
            title: if self.zh {
                "南海诸岛"
            } else {
                "Islands of the South China Sea"
            }
            .into(),
            units: self
                .units
                .iter()
                .map(|u| &u.border)
                .chain(&self.region)
                .collect(),
            highlight: Vec::new(),
            window: Some(around.projected(Crs::CGCS2000, self.unit.grid.crs)),
            rectangle: false,
        }
    }

    /// The map of one unit: its neighbours pale, a small map tells where it lies.
    fn of_unit(&self, job: &Job, k: usize, draft: &Draft) -> Result<(String, Vec<String>)> {
        let row = &self.units[k];
        let window = window_of(&row.border, 0.04);
        let inside = |x: f64, y: f64| {
            x > window.west && x < window.east && y > window.south && y < window.north
        };
        let pane = Rect::new(
            geo::coord! { x: window.west, y: window.south },
            geo::coord! { x: window.east, y: window.north },
        )
        .to_polygon();
        let mut labels = Vec::new();
        labels.extend(interior(&row.border).map(|(x, y)| Label {
            x,
            y,
            text: row.name.clone(),
            size: LARGE,
        }));
        for (i, other) in self.units.iter().enumerate() {
            if i == k || !window_of(&other.border, 0.0).intersects(&window) {
                continue;
            }
            let seen = other.border.intersection(&MultiPolygon(vec![pane.clone()]));
            labels.extend(interior(&seen).map(|(x, y)| Label {
                x,
                y,
                text: other.name.clone(),
                size: SMALL,
            }));
        }
        let seen: Vec<&(f64, f64, String)> =
            self.places.iter().filter(|p| inside(p.0, p.1)).collect();
        labels.extend(seen.iter().map(|(x, y, name)| Label {
            x: *x,
            y: *y,
            text: name.clone(),
            size: PLACE,
        }));
        let mut points = job.points.clone();
        if !seen.is_empty() {
            points.push(PointSymbol {
                points: seen.iter().map(|p| (p.0, p.1)).collect(),
                colour: Colour([20, 20, 20]),
                radius: 4.0,
                name: if self.zh { "居民地" } else { "settlement" }.into(),
            });
        }
        let sheet = self.sheet(job, self.title(&row.name, &job.subject), labels, points)?;
        let mut setting = self.setting();
        setting.window = Some(window);
        setting.focus = Some(&row.border);
        let about = &self.ctx.project.project;
        setting.inset = Some(Inset {
            title: if self.zh {
                format!("{}在{}的位置", row.name, about.name)
            } else {
                format!("{} in {}", row.name, about.name_en)
            },
            units: self.units.iter().map(|u| &u.border).collect(),
            highlight: vec![&row.border],
            window: None,
            rectangle: true,
        });
        if let Some(classes) = &job.counted {
            let counted = Counted::of(classes, Some(&self.people), |i| {
                self.unit.values()[i] as usize == k && !self.unit.values()[i].is_nan()
            });
            setting.tables = vec![counted.table(&job.legend, self.zh)];
        }
        let file = format!("maps/units/{}_{}/{}", row.code, row.name, job.file);
        self.write(&sheet, &setting, &file, draft)
    }

    fn write(
        &self,
        sheet: &Sheet<'_>,
        setting: &Setting<'_>,
        file: &str,
        draft: &Draft,
    ) -> Result<(String, Vec<String>)> {
        let drawing = lay_out(sheet, setting, self.ctx.fonts)?;
        for &format in &self.ctx.project.products.formats {
            let bytes = drawing.encoded(format, self.ctx.fonts)?;
            save(draft, &format!("{file}.{}", format.extension()), &bytes)?;
        }
        Ok((file.to_string(), drawing.dropped().to_vec()))
    }
}

/// Draws all maps, several at a time.
pub(super) fn draw(base: &Base<'_>, jobs: Vec<Job>, draft: &Draft) -> Result<Drawn> {
    let wanted = base.ctx.project.products.unit_maps;
    let mut tasks: Vec<(&Job, Option<usize>)> = Vec::new();
    for job in &jobs {
        tasks.push((job, None));
        let each = match wanted {
            UnitMaps::None => false,
            UnitMaps::Grades => job.grades,
            UnitMaps::All => true,
        };
        if each {
            tasks.extend((0..base.units.len()).map(|k| (job, Some(k))));
        }
    }
    let made = tasks
        .par_iter()
        .map(|(job, unit)| match unit {
            None => base.of_region(job, draft),
            Some(k) => base.of_unit(job, *k, draft),
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Drawn {
        maps: made.len(),
        dropped: made.into_iter().filter(|(_, d)| !d.is_empty()).collect(),
    })
}

/// Units of the level above; one of them must be the region.
fn overview(file: &Path, region: &str, crs: Crs) -> Result<Vec<(MultiPolygon<f64>, bool)>> {
    let layer = vector::read(file)?.reprojected(crs);
    let code = layer.require("code")?;
    let out: Vec<(MultiPolygon<f64>, bool)> = (0..layer.features.len())
        .filter_map(|i| {
            let own = layer.features[i].values[code].to_string() == region;
            layer.polygons(i).map(|b| (b, own))
        })
        .collect();
    if out.iter().any(|(_, own)| *own) {
        return Ok(out);
    }
    Err(Error::input(
        Fault::new(
            file,
            format!("no unit of code {region}"),
            "the region among the units of the level above",
            "take the file of the level above that holds the region, or leave `overview` out",
        )
        .at("code"),
    ))
}

/// Settlements whose name is in the language of the sheets: a Chinese map carries no Latin names.
fn places(file: &Path, crs: Crs, zh: bool) -> Result<Vec<(f64, f64, String)>> {
    let table = table::read(file)?;
    let (lon, lat, name) = (
        table.require("lon")?,
        table.require("lat")?,
        table.require("name")?,
    );
    let population = table.column("population");
    let projector = Projector::new(Crs::CGCS2000, crs);
    let mut out: Vec<(f64, (f64, f64), String)> = table
        .rows
        .iter()
        .filter_map(|r| {
            let text = r[name].to_string();
            let people = population.and_then(|p| r[p].as_f64()).unwrap_or(0.0);
            let at = projector.point(r[lon].as_f64()?, r[lat].as_f64()?);
            (has_hanzi(&text) == zh).then_some((people, at, text))
        })
        .collect();
    // The larger ones have the first choice of a place for their name.
    out.sort_by(|a, b| b.0.total_cmp(&a.0).then_with(|| a.2.cmp(&b.2)));
    Ok(out
        .into_iter()
        .map(|(_, at, text)| (at.0, at.1, text))
        .collect())
}
