//! `report`: the white paper (白皮书) of the region in the languages asked for, and a short one of each unit, as PDF, HTML and DOCX.
//!
//! | file | holds |
//! | --- | --- |
//! | `data` | the tables read, and how figures are printed |
//! | `build` | a document in the making |
//! | `opening` | summary, region and data, methods |
//! | `results` | hazard maps, exposure, losses |
//! | `grading` | grades, relief |
//! | `closing` | limits, validation, provenance |
//! | `units` | short reports of the units with maps of their own |
//!
//! Every figure names the file and the column it was read from.

mod build;
mod closing;
mod compared;
mod data;
mod grading;
mod opening;
mod results;
mod units;

use super::Context;
use crate::manifest::{Draft, RELEASE};
use crate::project::ReportOptions;
use anlan_engine::io::write_atomic;
use anlan_engine::{Error, Result};
use anlan_models::cartography::SheetLanguage;
use anlan_models::cartography::pdf::pdf_of_svgs;
use anlan_models::report::{self, Document};
use build::Build;
use data::{Data, Say};
use rayon::prelude::*;

pub fn run(ctx: &Context<'_>, draft: &Draft) -> Result<()> {
    let data = Data::read(ctx)?;
    let options = &ctx.project.report;
    let languages = if options.languages.is_empty() {
        vec![ctx.project.products.language]
    } else {
        options.languages.clone()
    };
    for (k, language) in languages.iter().enumerate() {
        let say = Say {
            zh: *language == SheetLanguage::Zh,
        };
        ctx.step(k as f64 / languages.len() as f64, "report");
        let document = region(&data, say)?;
        let name = say.say("report_zh", "report_en");
        write(ctx, draft, &name, &document)?;
        if options.units {
            let all = units::all(&data, say)?;
            ctx.step(
                (k as f64 + 0.5) / languages.len() as f64,
                "reports of units",
            );
            all.into_par_iter().try_for_each(|(code, document)| {
                let name = format!("units/{code}_{}", say.say("zh", "en"));
                write(ctx, draft, &name, &document)
            })?;
        }
    }
    Ok(())
}

/// Writes a document in the formats of the project.
fn write(ctx: &Context<'_>, draft: &Draft, name: &str, document: &Document) -> Result<()> {
    for format in &ctx.project.report.formats {
        let bytes = match format.as_str() {
            "pdf" => pdf_of_svgs(&report::svg_pages(document, ctx.fonts)?, ctx.fonts)?,
            "html" => report::html(document).into_bytes(),
            _ => report::docx(document)?,
        };
        let path = draft.file(&format!("{name}.{format}"))?;
        write_atomic(&path, |tmp| {
            std::fs::write(tmp, &bytes).map_err(|e| Error::io("writing", &path, e))
        })?;
    }
    Ok(())
}

/// The report of the region.
fn region(data: &Data<'_>, say: Say) -> Result<Document> {
    let project = data.ctx.project;
    let options = &project.report;
    let region = data.region(say);
    let title = if options.title.is_empty() {
        say.say(
            &format!("{region}自然灾害综合风险普查评估报告"),
            &format!("{region}: natural-hazard risk census and assessment report"),
        )
    } else {
        options.title.clone()
    };
    let mut b = Build::new(data, say);
    opening::summary(&mut b)?;
    let wanted = |chapter: &str| {
        options.chapters.is_empty() || options.chapters.iter().any(|c| c == chapter)
    };
    for chapter in ReportOptions::CHAPTERS.into_iter().filter(|c| wanted(c)) {
        match chapter {
            "data" => opening::data(&mut b)?,
            "methods" => opening::methods(&mut b)?,
            "hazard" => results::hazard(&mut b)?,
            "exposure" => results::exposure(&mut b)?,
            "losses" => results::losses(&mut b)?,
            "grades" => grading::grades(&mut b)?,
            "relief" => grading::relief(&mut b)?,
            "limits" => closing::limits(&mut b),
            "validation" => closing::validation(&mut b)?,
            _ => closing::provenance(&mut b),
        }
    }
    let organisation = organisation(data);
    let period = &project.products.data_period;
    let mut cover = vec![
        (say.say("编制单位", "Organisation"), organisation),
        (say.say("编制日期", "Date"), project.products.date.clone()),
    ];
    if !period.is_empty() {
        cover.push((say.say("数据时段", "Data period"), period.clone()));
    }
    cover.extend([
        (
            say.say("行政区划代码", "Division code"),
            project.project.code.clone(),
        ),
        (
            say.say("软件与种子", "Software and seed"),
            format!("{RELEASE}, {}", project.project.seed),
        ),
    ]);
    if !project.products.map_approval.is_empty() {
        let number = project.products.map_approval.clone();
        cover.push((say.say("审图号", "Map approval"), number));
    }
    Ok(b.finish(
        title.clone(),
        say.say("白皮书", "White paper"),
        title,
        cover,
        true,
    ))
}

fn organisation(data: &Data<'_>) -> String {
    let project = data.ctx.project;
    if project.report.organisation.is_empty() {
        project.products.producer.clone()
    } else {
        project.report.organisation.clone()
    }
}
