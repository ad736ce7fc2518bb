//! Maps of exposure and of hazards: values by the scales of the map styles.

use super::super::{Context, store};
use super::{Job, on_grid};
use anlan_engine::io::geotiff;
use anlan_engine::{Raster, Result};
use anlan_models::cartography::MapStyles;
use anlan_models::fire::screening::high_danger_from;
use anlan_models::fire::season::SeasonConfig;

/// Words of a map in both languages.
struct Words<'a> {
    file: String,
    scale: &'a str,
    subject: (String, String),
    /// Heading of the legend in place of the scale's.
    heading: Option<(String, String)>,
    note: (String, String),
}

fn both(zh: &str, en: &str) -> (String, String) {
    (zh.to_string(), en.to_string())
}

/// All maps of values.
pub(super) fn all(ctx: &Context<'_>, styles: &MapStyles, zh: bool) -> Result<Vec<Job>> {
    let unit = store::raster(ctx, "layers", "unit.tif")?;
    let pick = |(z, e): (String, String)| if zh { z } else { e };
    let mut out = Vec::new();
    let mut add = |raster: Raster<f32>, words: Words<'_>| -> Result<()> {
        let raster = on_grid(raster, &unit, &words.file)?;
        let scale = styles.scale(words.scale)?;
        let classes = scale.classify(&raster, Some(&unit));
        out.push(Job {
            counted: (words.scale != "people").then(|| classes.clone()),
            file: words.file,
            subject: pick(words.subject),
            legend_title: words.heading.map_or_else(|| scale.heading(zh), pick),
            classes,
            legend: scale.legend(),
            points: Vec::new(),
            notes: vec![pick(words.note)],
            grades: false,
        });
        Ok(())
    };
    let cell_km2 = unit.grid.dx * unit.grid.dy / 1e6;
    let density = store::raster(ctx, "layers", "population.tif")?
        .map(|people| (f64::from(people) / cell_km2) as f32);
    add(
        density,
        Words {
            file: "exposure_population".into(),
            scale: "people",
            subject: both("常住人口分布图", "residents"),
            heading: None,
            note: both(
                "人口按县级普查数分摊，县级合计与普查一致。",
                "Residents spread from county totals, which are kept exactly.",
            ),
        },
    )?;
    let screening = ctx.project.project.screening;
    for &t in store::return_periods(ctx.project) {
        let years = t.round() as u64;
        add(
            store::raster(ctx, "hazard/flood", &store::rp_file("depth_m", t))?,
            Words {
                file: format!("flood_depth_rp{years:04}"),
                scale: "flood-depth",
                subject: (
                    format!("{years}年一遇洪涝淹没水深图"),
                    format!("flood depth, {years}-year return period"),
                ),
                heading: None,
                note: if screening {
                    both(
                        "HAND与水位流量关系筛查。",
                        "Screening by HAND and rating curves.",
                    )
                } else {
                    both(
                        "河谷二维局地惯性模型，坡面SCS-CN产流；点雨量按汇水面积折减。",
                        "2-D local-inertial flow in valleys, SCS-CN runoff; point rain reduced by drainage area.",
                    )
                },
            },
        )?;
    }
    let rarest = store::return_periods(ctx.project)
        .last()
        .copied()
        .unwrap_or(f64::NAN);
    let expected = store::existing(ctx, "hazard/flood", store::EXPECTED_DEPTH)?;
    add(
        geotiff::read_f32(&expected, 2)?,
        Words {
            file: "flood_expected_annual_depth".into(),
            scale: "expected-depth",
            subject: both("年期望淹没水深图", "expected annual flood depth"),
            heading: None,
            note: (
                format!(
                    "各重现期水深对年超越概率积分；重现期超过{rarest}年的按{rarest}年一遇水深计；不计堤防。"
                ),
                format!(
                    "Depth integrated over annual exceedance probability; beyond {rarest} years the depth of {rarest} years; no dykes."
                ),
            ),
        },
    )?;
    let last = *store::return_periods(ctx.project)
        .iter()
        .rfind(|&&t| t <= 50.0)
        .unwrap_or(&50.0);
    let years = last.round() as u64;
    let rate_note = || {
        both(
            "事件集模拟；发生率未经核实，可替换。",
            "From the event set; rates unverified and replaceable.",
        )
    };
    add(
        store::raster(ctx, "hazard/convection", &store::rp_file("gust_m_s", last))?,
        Words {
            file: "convection_gust".into(),
            scale: "gust",
            subject: (
                format!("{years}年一遇雷暴大风阵风图"),
                format!("convective gust, {years}-year return period"),
            ),
            heading: None,
            note: rate_note(),
        },
    )?;
    add(
        store::raster(ctx, "hazard/convection", &store::rp_file("hail_mm", last))?,
        Words {
            file: "convection_hail".into(),
            scale: "hail",
            subject: (
                format!("{years}年一遇冰雹直径图"),
                format!("hail diameter, {years}-year return period"),
            ),
            heading: None,
            note: rate_note(),
        },
    )?;
    if screening {
        let fwi = high_danger_from(&SeasonConfig::default());
        add(
            store::raster(ctx, "hazard/geology", "susceptibility_index.tif")?,
            Words {
                file: "geology_susceptibility_index".into(),
                scale: "rank",
                subject: both("滑坡易发性筛查指数图", "landslide screening index"),
                heading: Some(both("筛查指数（区域内排序）", "index (rank in the region)")),
                note: both(
                    "地形地表易发性排序×强降雨排序；不是概率，不估算损失。",
                    "Rank of terrain and cover times rank of heavy rain; no probability, no losses.",
                ),
            },
        )?;
        add(
            store::raster(ctx, "hazard/fire", "high_danger_days.tif")?,
            Words {
                file: "fire_high_danger_days".into(),
                scale: "danger-days",
                subject: both(
                    "森林火险年均高火险日数图",
                    "days of high fire danger a year",
                ),
                heading: Some((format!("FWI≥{fwi}的日数"), format!("days with FWI ≥ {fwi}"))),
                note: both(
                    "逐日天气按海拔与年雨量订正；未含火源与蔓延，不估算损失。",
                    "Daily weather by height and annual rain; no ignition, no spread, no losses.",
                ),
            },
        )?;
    } else {
        add(
            store::raster(ctx, "hazard/geology", "annual_strike_probability.tif")?,
            Words {
                file: "geology_probability".into(),
                scale: "slide",
                subject: both(
                    "滑坡年到达概率图",
                    "annual probability of being struck by a slide",
                ),
                heading: None,
                note: both(
                    "无限边坡稳定，强度参数抽样，暴雨驱动，含运动路径；年均次数为标定值。",
                    "Infinite slope, sampled strength, driven by storms, runout included; the yearly number is calibrated.",
                ),
            },
        )?;
        add(
            store::raster(ctx, "hazard/fire", "burn_probability.tif")?,
            Words {
                file: "fire_burn_probability".into(),
                scale: "burn",
                subject: both("森林火灾年过火概率图", "annual burn probability"),
                heading: None,
                note: both(
                    "Rothermel蔓延，逐日天气驱动；起火点为合成。",
                    "Rothermel spread under daily weather; ignitions are synthetic.",
                ),
            },
        )?;
    }
    Ok(out)
}
