//! Tables that people open: the Chinese name of a column before the English one that files and programs use.

use anlan_engine::io::table::Table;

/// Columns of the result tables.
const NAMES: [(&str, &str); 62] = [
    ("unit", "单元代码"),
    ("township", "乡镇代码"),
    ("name", "名称"),
    ("hazard", "灾种"),
    ("metric", "指标"),
    ("mean", "年均值"),
    ("standard_error", "标准误"),
    ("curve", "曲线"),
    ("return_period_years", "重现期（年）"),
    ("value", "数值"),
    ("low_95", "95%下限"),
    ("high_95", "95%上限"),
    ("aal_per_gdp_permille", "年均损失/GDP（‰）"),
    (
        "probability_loss_above_1_percent_of_gdp",
        "年损失超GDP 1%的概率",
    ),
    ("burned_forest_permille", "森林火灾受害率（‰）"),
    (
        "burned_forest_permille_standard_error",
        "森林火灾受害率标准误（‰）",
    ),
    ("hazard_index", "危险性指数"),
    ("exposure_index", "暴露度指数"),
    ("vulnerability_index", "脆弱性指数"),
    ("risk_index", "风险指数"),
    ("grade", "等级"),
    ("grade_zh", "等级名称"),
    ("grade_en", "等级名称（英文）"),
    ("aal_yuan", "年均损失（元）"),
    ("aal_standard_error", "年均损失标准误（元）"),
    ("rule_pack", "规则包"),
    ("rule_pack_status", "规则包状态"),
    ("rule_pack_hash", "规则包校验值"),
    ("item", "物资代码"),
    ("item_zh", "物资"),
    ("count_unit", "计量单位"),
    ("reserve", "建议储备量"),
    ("stock", "现有库存"),
    ("gap", "缺口"),
    ("cartons", "箱数"),
    ("volume_m3", "体积（m³）"),
    ("cost_yuan", "补足缺口费用（元）"),
    ("confidence", "保证率"),
    ("profile", "定额"),
    ("profile_status", "定额状态"),
    ("depot", "物资储备库"),
    ("quantity", "数量"),
    ("minutes", "到达时间（分钟）"),
    ("note", "说明"),
    ("people", "需安置人数"),
    ("places", "避难容量（人）"),
    ("sum_of_units", "各单元之和"),
    ("pooled", "统筹储备"),
    ("gain", "统筹节约"),
    ("level", "响应等级"),
    ("events", "事件数"),
    ("events_per_year", "年均事件数"),
    ("table", "标准表"),
    ("status", "状态"),
    ("assessed", "是否评估"),
    ("id", "编号"),
    ("hash", "校验值"),
    ("source", "来源"),
    ("title_zh", "名称（中文）"),
    ("title_en", "名称（英文）"),
    ("issuer", "发布单位"),
    ("year", "年份"),
];

/// Columns of the validation.
const VALIDATION: &[(&str, &str)] = &[
    ("date", "日期"),
    ("event", "事件"),
    ("code", "区划代码"),
    ("place", "地点"),
    ("hazard_text", "灾种（原文）"),
    ("units", "单元"),
    ("used", "是否采用"),
    ("level", "层级"),
    ("score", "指标"),
    ("struck", "有记录"),
    ("auc", "AUC"),
    ("auc_se_delong", "AUC标准误（DeLong）"),
    ("auc_se_hanley_mcneil", "AUC标准误（Hanley-McNeil）"),
    ("warned", "预警规则"),
    ("hits", "命中"),
    ("misses", "漏报"),
    ("false_alarms", "空报"),
    ("correct_negatives", "正确否定"),
    ("hit_rate", "命中率"),
    ("hit_rate_low_95", "命中率95%下限"),
    ("hit_rate_high_95", "命中率95%上限"),
    ("false_alarm_ratio", "空报比"),
    ("false_alarm_low_95", "空报比95%下限"),
    ("false_alarm_high_95", "空报比95%上限"),
    ("false_alarm_rate", "空报率"),
    ("critical_success_index", "临界成功指数"),
    ("cells", "格网数"),
    ("area_share", "面积占比"),
    ("event_share", "事件占比"),
    ("event_share_low_95", "事件占比95%下限"),
    ("event_share_high_95", "事件占比95%上限"),
    ("share_ratio", "占比之比"),
    ("reported", "上报值"),
    ("simulated_years", "模拟年数"),
    ("years_at_least", "达到的模拟年数"),
    ("simulated_mean_greatest", "模拟年均最大值"),
    ("from_year", "起始年"),
    ("to_year", "终止年"),
    ("least_loss_yuan", "损失下限（元）"),
    ("recorded", "记录数"),
    ("recorded_low_95", "记录数95%下限"),
    ("recorded_high_95", "记录数95%上限"),
    ("simulated", "模拟数"),
    ("class", "分组"),
    ("predicted", "模拟概率"),
    ("observed", "有记录比例"),
    ("brier", "Brier评分"),
    ("reliability", "可靠性"),
    ("resolution", "分辨率"),
    ("uncertainty", "不确定性"),
];

/// The table with both names in its head; a column without a Chinese name keeps its own.
pub fn bilingual(table: &Table) -> Table {
    let mut out = table.clone();
    for column in &mut out.columns {
        if let Some((en, zh)) = NAMES.iter().chain(VALIDATION).find(|(en, _)| en == column) {
            *column = format!("{zh} {en}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_columns_get_both_names() {
        let table = bilingual(&Table::new(&["unit", "gap", "of_my_own"]));
        assert_eq!(table.columns, ["单元代码 unit", "缺口 gap", "of_my_own"]);
    }
}
