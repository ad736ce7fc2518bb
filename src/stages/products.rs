//! `products`: maps, charts and the summary.

use super::losses::scope_name;
use super::{Context, risk, store, summary};
use crate::manifest::Draft;
use anlan_engine::io::table;
use anlan_engine::io::{geotiff, vector, write_atomic};
use anlan_engine::{Error, Raster, Result};
use anlan_models::cartography::chart::{Curve, exceedance_png};
use anlan_models::cartography::{
    Border, Colour, Label, LegendEntry, Mark, PointSymbol, Sheet, SheetLanguage, render_png,
};
use anlan_models::fire::screening::high_danger_from;
use anlan_models::fire::season::SeasonConfig;
use anlan_models::hazard::Hazard;
use anlan_models::risk::RulePack;
use geo::{MultiPolygon, Polygon};
use rayon::prelude::*;
use std::path::Path;

/// A map to be drawn.
struct Job {
    file: String,
    title: String,
    legend_title: String,
    classes: Raster<u8>,
    legend: Vec<LegendEntry>,
    points: Vec<PointSymbol>,
    notes: Vec<String>,
}

/// Upper bounds are open; values from each bound on belong to the class.
struct Scale {
    from: &'static [f32],
    colours: &'static [[u8; 3]],
}

const DEPTH: Scale = Scale {
    from: &[0.05, 0.15, 0.5, 1.0, 2.0, 4.0],
    colours: &[
        [222, 235, 247],
        [198, 219, 239],
        [107, 174, 214],
        [49, 130, 189],
        [8, 81, 156],
        [8, 40, 90],
    ],
};
const EXPECTED_DEPTH: Scale = Scale {
    from: &[0.01, 0.05, 0.1, 0.2, 0.5, 1.0],
    colours: DEPTH.colours,
};
const GUST: Scale = Scale {
    from: &[17.2, 20.8, 24.5, 28.5, 32.7, 37.0],
    colours: &[
        [254, 237, 222],
        [253, 208, 162],
        [253, 174, 107],
        [253, 141, 60],
        [230, 85, 13],
        [166, 54, 3],
    ],
};
const HAIL: Scale = Scale {
    from: &[5.0, 10.0, 20.0, 30.0, 50.0],
    colours: &[
        [242, 240, 247],
        [203, 201, 226],
        [158, 154, 200],
        [117, 107, 177],
        [84, 39, 143],
    ],
};
const BURN: Scale = Scale {
    from: &[1e-6, 1e-5, 5e-5, 1e-4, 5e-4, 1e-3],
    colours: &[
        [255, 255, 204],
        [255, 237, 160],
        [254, 178, 76],
        [253, 141, 60],
        [240, 59, 32],
        [189, 0, 38],
    ],
};
const SLIDE: Scale = Scale {
    from: &[1e-6, 1e-5, 1e-4, 5e-4, 1e-3],
    colours: &[
        [254, 240, 217],
        [253, 204, 138],
        [252, 141, 89],
        [227, 74, 51],
        [179, 0, 0],
    ],
};
const RANK: Scale = Scale {
    from: &[0.01, 0.2, 0.4, 0.6, 0.8],
    colours: SLIDE.colours,
};
const DANGER_DAYS: Scale = Scale {
    from: &[1.0, 5.0, 10.0, 15.0, 20.0, 30.0],
    colours: BURN.colours,
};
/// Residents per km².
const PEOPLE: Scale = Scale {
    from: &[1.0, 50.0, 200.0, 500.0, 2000.0, 10_000.0],
    colours: &[
        [237, 248, 233],
        [199, 233, 192],
        [161, 217, 155],
        [116, 196, 118],
        [49, 163, 84],
        [0, 90, 50],
    ],
};

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let zh = ctx.project.products.language == SheetLanguage::Zh;
    let units = store::units(ctx)?;
    let mut shade = store::raster(ctx, "layers", "hillshade.tif")?;
    let unit = store::raster(ctx, "layers", "unit.tif")?;
    for (s, u) in shade.values_mut().iter_mut().zip(unit.values()) {
        if u.is_nan() {
            *s = f32::NAN;
        }
    }
    let jobs = jobs(ctx, zh)?;
    let base = ctx.project_file.parent().unwrap_or(Path::new(""));
    let region: Vec<MultiPolygon<f64>> = {
        let layer =
            vector::read(&base.join(&ctx.project.inputs.region))?.reprojected(shade.grid.crs);
        (0..layer.features.len())
            .filter_map(|i| layer.polygons(i))
            .collect()
    };
    let labels: Vec<Label> = units
        .iter()
        .filter_map(|u| {
            // Of a county of islands, the greatest.
            let area = |p: &&Polygon<f64>| geo::Area::unsigned_area(*p);
            let main = u.border.iter().max_by(|a, b| area(a).total_cmp(&area(b)))?;
            let p = geo::InteriorPoint::interior_point(main)?;
            let size = if units.len() > 30 { 17.0 } else { 30.0 };
            Some(Label {
                x: p.x(),
                y: p.y(),
                text: u.name.clone(),
                size,
            })
        })
        .collect();
    let total = jobs.len();
    let pictures: Vec<(String, Vec<u8>)> = jobs
        .into_par_iter()
        .map(|job| {
            let borders = vec![
                Border {
                    polygons: units.iter().map(|u| &u.border).collect(),
                    width: 2.0,
                    colour: Colour([70, 70, 70]),
                    dash: "",
                    name: if zh { "县级界" } else { "county border" }.into(),
                },
                Border {
                    polygons: region.iter().collect(),
                    width: 4.5,
                    colour: Colour([30, 30, 30]),
                    dash: "18 6 4 6",
                    name: if zh { "地级界" } else { "prefecture border" }.into(),
                },
            ];
            let sheet = Sheet {
                title: job.title,
                subtitle: ctx.project.products.data_period.clone(),
                classes: &job.classes,
                hillshade: Some(&shade),
                legend_title: job.legend_title,
                legend: job.legend,
                borders,
                labels: labels.clone(),
                points: job.points,
                notes: job.notes,
                producer: ctx.project.products.producer.clone(),
                date: ctx.project.products.date.clone(),
                marks: ctx.marks(),
                language: ctx.project.products.language,
            };
            render_png(&sheet, ctx.fonts).map(|png| (job.file, png))
        })
        .collect::<Result<Vec<_>>>()?;
    ctx.step(0.8, &format!("{total} maps"));
    for (file, png) in pictures {
        save(draft, &format!("maps/{file}.png"), &png)?;
    }
    let chart = curves(ctx, zh)?;
    save(draft, "charts/exceedance_direct_loss.png", &chart)?;
    let text = summary::text(ctx, &units, zh)?;
    save(draft, "summary.md", text.as_bytes())
}

/// Name of a hazard with 灾害 behind it, unless it says so itself.
fn disaster_zh(hazard: Hazard) -> String {
    let name = hazard.name_zh();
    if name.ends_with("灾害") || name.ends_with('灾') {
        name.to_string()
    } else {
        format!("{name}灾害")
    }
}

fn save(draft: &Draft, name: &str, bytes: &[u8]) -> Result<()> {
    let path = draft.file(name)?;
    write_atomic(&path, |tmp| {
        std::fs::write(tmp, bytes).map_err(|e| Error::io("writing", &path, e))
    })
}

/// Classes of a scale, 1 the highest; values below the least bound, NaN and cells outside the units get 0.
fn classify(raster: &Raster<f32>, unit: &Raster<f32>, scale: &Scale) -> Raster<u8> {
    let n = scale.from.len();
    let mut out = Raster::filled(raster.grid, 0_u8).with_nodata(0);
    for ((class, &v), &u) in out
        .values_mut()
        .iter_mut()
        .zip(raster.values())
        .zip(unit.values())
    {
        if !u.is_nan() && v >= scale.from[0] {
            *class = (n - scale.from.partition_point(|b| *b <= v)) as u8 + 1;
        }
    }
    out
}

/// Share of graded cells below which a map would show specks that nobody sees.
const SPECKS: f64 = 0.005;

/// Classes drawn two cells wider: each cell takes the first class (the highest) within two cells.
fn enlarged(classes: &Raster<u8>) -> Raster<u8> {
    let (rows, cols) = classes.grid.shape();
    let mut out = classes.clone();
    for ((row, col), &class) in classes.data.indexed_iter() {
        if class == 0 {
            continue;
        }
        for r in row.saturating_sub(2)..(row + 3).min(rows) {
            for c in col.saturating_sub(2)..(col + 3).min(cols) {
                let here = &mut out.data[(r, c)];
                if *here == 0 || class < *here {
                    *here = class;
                }
            }
        }
    }
    out
}

fn legend(scale: &Scale, unit: &str) -> Vec<LegendEntry> {
    let n = scale.from.len();
    (0..n)
        .rev()
        .map(|k| LegendEntry {
            code: (n - k) as u8,
            colour: Colour(scale.colours[k]),
            name: match scale.from.get(k + 1) {
                Some(next) => format!("{} ~ {next} {unit}", scale.from[k]),
                None => format!("≥ {} {unit}", scale.from[k]),
            },
        })
        .collect()
}

fn pack_legend(pack: &RulePack, zh: bool) -> Vec<LegendEntry> {
    (0..pack.grading.classes())
        .map(|k| LegendEntry {
            code: k as u8 + 1,
            colour: Colour(pack.colours[k]),
            name: pack.name(k as u8 + 1, zh).to_string(),
        })
        .collect()
}

fn jobs(ctx: &Context<'_>, zh: bool) -> Result<Vec<Job>> {
    let unit = store::raster(ctx, "layers", "unit.tif")?;
    let name = if zh {
        &ctx.project.project.name
    } else {
        &ctx.project.project.name_en
    };
    let title = |z: &str, e: &str| {
        if zh {
            format!("{name}{z}")
        } else {
            format!("{name}: {e}")
        }
    };
    let mut common = Vec::new();
    if !ctx.project.products.map_approval.is_empty() {
        common.push(format!(
            "{}{}",
            if zh { "审图号：" } else { "Map approval: " },
            ctx.project.products.map_approval
        ));
    }
    common.push(if zh {
        "行政区划界线来源：天地图".to_string()
    } else {
        "Borders: Tianditu".to_string()
    });
    let mut out = Vec::new();
    let mut scaled = |raster: Raster<f32>,
                      key: &str,
                      scale: &Scale,
                      titles: (String, String),
                      legends: (&str, &str),
                      unit_name: &str,
                      note: String| {
        let mut notes = vec![note];
        notes.extend(common.iter().cloned());
        out.push(Job {
            file: key.to_string(),
            title: title(&titles.0, &titles.1),
            legend_title: if zh { legends.0 } else { legends.1 }.to_string(),
            classes: classify(&raster, &unit, scale),
            legend: legend(scale, unit_name),
            points: Vec::new(),
            notes,
        });
    };
    let pick = |z: &str, e: &str| if zh { z.to_string() } else { e.to_string() };
    let cell_km2 = unit.grid.dx * unit.grid.dy / 1e6;
    let density = store::raster(ctx, "layers", "population.tif")?
        .map(|people| (f64::from(people) / cell_km2) as f32);
    scaled(
        density,
        "exposure_population",
        &PEOPLE,
        ("常住人口分布图".into(), "residents".into()),
        ("常住人口（人/km²）", "residents per km²"),
        "",
        pick(
            "人口按县级普查数分摊，县级合计与普查一致。",
            "Residents spread from county totals, which are kept exactly.",
        ),
    );
    let screening = ctx.project.project.screening;
    for &t in store::return_periods(ctx.project) {
        let years = t.round() as u64;
        let flood_note = if screening {
            pick(
                "HAND与水位流量关系筛查。",
                "Screening by HAND and rating curves.",
            )
        } else {
            pick(
                "河谷二维局地惯性模型，坡面SCS-CN产流；点雨量按汇水面积折减。",
                "2-D local-inertial flow in valleys, SCS-CN runoff; point rain reduced by drainage area.",
            )
        };
        scaled(
            store::raster(ctx, "hazard/flood", &store::rp_file("depth_m", t))?,
            &format!("flood_depth_rp{years:04}"),
            &DEPTH,
            (
                format!("{years}年一遇洪涝淹没水深图"),
                format!("flood depth, {years}-year return period"),
            ),
            ("最大水深", "maximum depth"),
            "m",
            flood_note,
        );
    }
    let rarest = store::return_periods(ctx.project).last().copied();
    let expected = store::existing(ctx, "hazard/flood", store::EXPECTED_DEPTH)?;
    scaled(
        geotiff::read_f32(&expected, 2)?,
        "flood_expected_annual_depth",
        &EXPECTED_DEPTH,
        (
            "年期望淹没水深图".into(),
            "expected annual flood depth".into(),
        ),
        ("年最大水深的期望", "mean of the year's greatest depth"),
        "m",
        pick(
            &format!(
                "各重现期水深对年超越概率积分；重现期超过{0}年的按{0}年一遇水深计；不计堤防。",
                rarest.unwrap_or(f64::NAN)
            ),
            &format!(
                "Depth integrated over annual exceedance probability; beyond {0} years the depth of {0} years; no dykes.",
                rarest.unwrap_or(f64::NAN)
            ),
        ),
    );
    let last = *store::return_periods(ctx.project)
        .iter()
        .rfind(|&&t| t <= 50.0)
        .unwrap_or(&50.0);
    let years = last.round() as u64;
    let rate_note = pick(
        "事件集模拟；发生率未经核实，可替换。",
        "From the event set; rates unverified and replaceable.",
    );
    scaled(
        store::raster(ctx, "hazard/convection", &store::rp_file("gust_m_s", last))?,
        "convection_gust",
        &GUST,
        (
            format!("{years}年一遇雷暴大风阵风图"),
            format!("convective gust, {years}-year return period"),
        ),
        ("阵风", "gust"),
        "m/s",
        rate_note.clone(),
    );
    scaled(
        store::raster(ctx, "hazard/convection", &store::rp_file("hail_mm", last))?,
        "convection_hail",
        &HAIL,
        (
            format!("{years}年一遇冰雹直径图"),
            format!("hail diameter, {years}-year return period"),
        ),
        ("冰雹最大直径", "greatest hail diameter"),
        "mm",
        rate_note,
    );
    if screening {
        let fwi = high_danger_from(&SeasonConfig::default());
        scaled(
            store::raster(ctx, "hazard/geology", "susceptibility_index.tif")?,
            "geology_susceptibility_index",
            &RANK,
            (
                "滑坡易发性筛查指数图".into(),
                "landslide screening index".into(),
            ),
            ("筛查指数（区域内排序）", "index (rank in the region)"),
            "",
            pick(
                "地形地表易发性排序×强降雨排序；不是概率，不估算损失。",
                "Rank of terrain and cover times rank of heavy rain; no probability, no losses.",
            ),
        );
        scaled(
            store::raster(ctx, "hazard/fire", "high_danger_days.tif")?,
            "fire_high_danger_days",
            &DANGER_DAYS,
            (
                "森林火险年均高火险日数图".into(),
                "days of high fire danger a year".into(),
            ),
            (
                &format!("FWI≥{fwi}的日数"),
                &format!("days with FWI ≥ {fwi}"),
            ),
            "",
            pick(
                "逐日天气按海拔与年雨量订正；未含火源与蔓延，不估算损失。",
                "Daily weather by height and annual rain; no ignition, no spread, no losses.",
            ),
        );
    } else {
        scaled(
            store::raster(ctx, "hazard/geology", "annual_strike_probability.tif")?,
            "geology_probability",
            &SLIDE,
            (
                "滑坡年到达概率图".into(),
                "annual probability of being struck by a slide".into(),
            ),
            ("年概率（每格网）", "annual probability per cell"),
            "",
            pick(
                "无限边坡稳定，强度参数抽样，暴雨驱动，含运动路径；年均次数为标定值。",
                "Infinite slope, sampled strength, driven by storms, runout included; the yearly number is calibrated.",
            ),
        );
        scaled(
            store::raster(ctx, "hazard/fire", "burn_probability.tif")?,
            "fire_burn_probability",
            &BURN,
            (
                "森林火灾年过火概率图".into(),
                "annual burn probability".into(),
            ),
            ("年过火概率", "annual burn probability"),
            "",
            pick(
                "Rothermel蔓延，逐日天气驱动；起火点为合成。",
                "Rothermel spread under daily weather; ignitions are synthetic.",
            ),
        );
    }
    let packs = risk::packs(ctx)?;
    let mut graded = |file: &str, z: String, e: String, pack: &RulePack| -> Result<()> {
        let mut classes = store::classes(ctx, "risk", &format!("{file}.tif"))?;
        let graded = classes.values().iter().filter(|&&c| c > 0).count();
        let specks = (graded as f64) < SPECKS * classes.grid.cells() as f64;
        if specks {
            classes = enlarged(&classes);
        }
        let mut notes = vec![if zh {
            format!("规则包：{}（{}，{}）", pack.id, pack.status, pack.hash())
        } else {
            format!("Rule pack: {} ({}, {})", pack.id, pack.status, pack.hash())
        }];
        if specks {
            notes.push(pick(
                "图斑外扩2格以便辨读。",
                "Patches are drawn two cells wider, to be seen.",
            ));
        }
        notes.extend(common.iter().cloned());
        out.push(Job {
            file: file.to_string(),
            title: title(&z, &e),
            legend_title: pick("等级", "grade"),
            classes,
            legend: pack_legend(pack, zh),
            points: Vec::new(),
            notes,
        });
        Ok(())
    };
    for hazard in Hazard::ALL {
        let pack = packs.get(&risk::hazard_pack(ctx, hazard))?;
        graded(
            &format!("{}_hazard_grade", hazard.name()),
            pack.title_zh.clone() + "图",
            pack.title_en.clone(),
            pack,
        )?;
        let risk_pack = packs.get("risk")?;
        graded(
            &format!("{}_risk_grade", hazard.name()),
            format!("{}{}图", disaster_zh(hazard), risk_pack.title_zh),
            format!("{} risk grade", hazard.name()),
            risk_pack,
        )?;
    }
    out.extend(unit_jobs(ctx, zh, &unit, packs.get("unit-risk")?, &common)?);
    Ok(out)
}

/// Maps of the units' grades, with the depots on the comprehensive one.
fn unit_jobs(
    ctx: &Context<'_>,
    zh: bool,
    unit: &Raster<f32>,
    pack: &RulePack,
    common: &[String],
) -> Result<Vec<Job>> {
    let grades = table::read(&store::existing(ctx, "risk", "grades.csv")?)?;
    let units = store::units(ctx)?;
    let name = if zh {
        &ctx.project.project.name
    } else {
        &ctx.project.project.name_en
    };
    let mut jobs = Vec::new();
    for scope in 0..5 {
        let of: Vec<u8> = units
            .iter()
            .map(|u| {
                grades
                    .rows
                    .iter()
                    .find(|r| r[0].to_string() == u.code && r[2].to_string() == scope_name(scope))
                    .and_then(|r| r[7].as_f64())
                    .unwrap_or(0.0) as u8
            })
            .collect();
        let mut classes = Raster::filled(unit.grid, 0_u8).with_nodata(0);
        for (c, &u) in classes.values_mut().iter_mut().zip(unit.values()) {
            if !u.is_nan() {
                *c = of[u as usize];
            }
        }
        let hazard_zh = if scope == 0 {
            "自然灾害综合"
        } else {
            Hazard::ALL[scope - 1].name_zh()
        };
        let title = if zh {
            format!("{name}{hazard_zh}{}图", pack.title_zh)
        } else {
            format!("{name}: {} {}", scope_name(scope), pack.title_en)
        };
        let mut notes = vec![if zh {
            format!("规则包：{}（{}，{}）", pack.id, pack.status, pack.hash())
        } else {
            format!("Rule pack: {} ({}, {})", pack.id, pack.status, pack.hash())
        }];
        notes.extend(common.iter().cloned());
        jobs.push(Job {
            file: format!("unit_{}_grade", scope_name(scope)),
            title,
            legend_title: if zh { "等级" } else { "grade" }.into(),
            classes,
            legend: pack_legend(pack, zh),
            points: if scope == 0 {
                depot_points(ctx, zh)?
            } else {
                Vec::new()
            },
            notes,
        });
    }
    Ok(jobs)
}

fn depot_points(ctx: &Context<'_>, zh: bool) -> Result<Vec<PointSymbol>> {
    let table = table::read(&store::existing(ctx, "layers", "depots.csv")?)?;
    let grid = store::grid(ctx)?;
    let projector = anlan_engine::Projector::new(anlan_engine::Crs::CGCS2000, grid.crs);
    let (lon, lat) = (table.require("lon")?, table.require("lat")?);
    Ok(vec![PointSymbol {
        points: table
            .rows
            .iter()
            .filter_map(|r| Some(projector.point(r[lon].as_f64()?, r[lat].as_f64()?)))
            .collect(),
        colour: Colour([20, 20, 20]),
        radius: 9.0,
        name: if zh {
            "救灾物资储备库"
        } else {
            "relief depot"
        }
        .into(),
    }])
}

fn curves(ctx: &Context<'_>, zh: bool) -> Result<Vec<u8>> {
    let rows = table::read(&store::existing(ctx, "losses", "exceedance.csv")?)?.rows;
    let colours = [
        [40, 40, 40],
        [33, 113, 181],
        [217, 95, 14],
        [128, 60, 20],
        [203, 24, 29],
    ];
    let mut curves = Vec::new();
    for scope in 0..5 {
        let points: Vec<(f64, f64, f64, f64)> = rows
            .iter()
            .filter(|r| {
                r[0].to_string() == ctx.project.project.code
                    && r[2].to_string() == scope_name(scope)
                    && r[3].to_string() == "direct_loss_yuan"
                    && r[4].to_string() == "aep"
            })
            .filter_map(|r| {
                Some((
                    r[5].as_f64()?,
                    r[6].as_f64()? / 1e8,
                    r[7].as_f64()? / 1e8,
                    r[8].as_f64()? / 1e8,
                ))
            })
            .collect();
        if !points.is_empty() {
            let name = match (scope, zh) {
                (0, true) => "全部灾种",
                (0, false) => "all hazards",
                (s, true) => Hazard::ALL[s - 1].name_zh(),
                (s, false) => Hazard::ALL[s - 1].name(),
            };
            curves.push(Curve {
                name: name.into(),
                colour: Colour(colours[scope]),
                points,
            });
        }
    }
    let note: Vec<&str> = ctx
        .marks()
        .iter()
        .map(|m: &Mark| m.text(ctx.project.products.language))
        .collect();
    let (title, x, y) = if zh {
        (
            format!(
                "{}年直接经济损失超越概率曲线（AEP，95%区间）",
                ctx.project.project.name
            ),
            "重现期（年）",
            "亿元",
        )
    } else {
        (
            format!(
                "{}: yearly direct loss by return period (AEP, 95 % interval)",
                ctx.project.project.name_en
            ),
            "return period (years)",
            "100 M yuan",
        )
    };
    exceedance_png(&title, x, y, &curves, &note.join("；"), ctx.fonts)
}
