//! Charts of the products.

use super::super::losses::scope_name;
use super::super::{Context, store};
use anlan_engine::Result;
use anlan_engine::io::table;
use anlan_models::cartography::chart::{Curve, exceedance_svg};
use anlan_models::cartography::{Colour, Mark};
use anlan_models::hazard::Hazard;

/// Yearly direct loss by return period, all hazards and each.
pub(super) fn exceedance(ctx: &Context<'_>, zh: bool) -> Result<String> {
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
            // Curves near zero lie on the axis: the legend tells their value.
            let last = points.last().map_or((0.0, 0.0), |p| (p.0, p.1));
            let name = if zh {
                format!("{name}（{}年一遇{:.2}亿元）", last.0, last.1)
            } else {
                format!("{name} ({} years: {:.2})", last.0, last.1)
            };
            curves.push(Curve {
                name,
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
    exceedance_svg(&title, x, y, &curves, &note.join("；"), ctx.fonts)
}
