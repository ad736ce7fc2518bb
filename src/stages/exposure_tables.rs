//! Tables and files of the exposure.

use super::Context;
use super::exposure::Made;
use super::inputs::Inputs;
use crate::manifest::Draft;
use anlan_engine::io::parquet::{self, Column, ColumnData};
use anlan_engine::io::table::{Table, write_csv, write_xlsx};
use anlan_engine::io::vector::{Feature, Layer};
use anlan_engine::io::{Value, geotiff, vector};
use anlan_engine::{Crs, Error, Raster, Result};
use anlan_models::census::Record;
use anlan_models::census::buildings::{BuildingRow, BuildingTable, STOREYS, STRUCTURES};
use anlan_models::census::crossval::{Prediction, families, skill};
use anlan_models::census::daytime::Moves;
use anlan_models::census::lifelines::{LifelineRow, LifelineTable};
use anlan_models::census::places::PlaceTable;
use anlan_models::census::township::Township;
use std::path::PathBuf;

/// Chinese names of the columns, for the workbook.
const NAMES: [(&str, &str); 49] = [
    ("unit", "单元代码"),
    ("name", "名称"),
    ("night", "夜间人口"),
    ("day", "白天人口"),
    ("holiday", "节假日人口"),
    ("to_work", "外出就业"),
    ("at_work", "到岗就业"),
    ("pupils", "在校学生"),
    ("visitors", "就诊人员"),
    ("from_outside", "区域外净流入"),
    ("holiday_leave", "节假日离开"),
    ("holiday_come", "节假日返乡"),
    ("holiday_out_of_region", "离开本区域"),
    ("structure", "结构代码"),
    ("structure_zh", "承重类型"),
    ("storeys", "层数代码"),
    ("storeys_zh", "建筑层数"),
    ("count", "栋数"),
    ("floor_m2", "建筑面积（平方米）"),
    ("value_yuan", "重置价值（元）"),
    ("code", "编号"),
    ("kind", "类型代码"),
    ("kind_zh", "类型"),
    ("lon", "经度"),
    ("lat", "纬度"),
    ("capacity", "人数或床位数"),
    ("capacity_counts", "计数对象"),
    ("township", "乡镇代码"),
    ("cell", "单元格"),
    ("provenance", "来源"),
    ("length_m", "长度（米）"),
    ("set", "权重方案"),
    ("set_zh", "方案名称"),
    ("quantity", "分配对象"),
    ("units", "单元数"),
    ("rmse", "均方根误差"),
    ("mean_relative_error", "平均相对误差"),
    ("correlation", "相关系数"),
    ("misplaced_share", "错分比例"),
    ("used", "是否采用"),
    ("status", "状态"),
    ("hazard", "灾种代码"),
    ("hazard_zh", "灾种"),
    ("measure", "强度指标代码"),
    ("measure_zh", "强度指标"),
    ("measure_unit", "强度单位"),
    ("return_period_years", "重现期（年）"),
    ("intensity", "强度"),
    ("grade", "等级"),
];

/// The table with Chinese names before the English ones.
pub fn both(table: &Table) -> Table {
    let mut out = table.clone();
    for column in &mut out.columns {
        if let Some((en, zh)) = NAMES.iter().find(|(en, _)| en == column) {
            *column = format!("{zh} {en}");
        }
    }
    out
}

/// Every table as CSV and all as one workbook.
pub fn write(draft: &Draft, tables: &[(&str, Table)], files: &[&str]) -> Result<()> {
    for ((_, table), file) in tables.iter().zip(files) {
        write_csv(&draft.file(file)?, table)?;
    }
    let sheets: Vec<(&str, Table)> = tables.iter().map(|(n, t)| (*n, both(t))).collect();
    let sheets: Vec<(&str, &Table)> = sheets.iter().map(|(n, t)| (*n, t)).collect();
    write_xlsx(&draft.file("exposure.xlsx")?, &sheets)
}

/// People by night, by day and on holidays, and what moved.
pub fn people(inputs: &Inputs, moves: &[Moves]) -> Table {
    let mut table = Table::new(&[
        "unit",
        "name",
        "night",
        "day",
        "holiday",
        "to_work",
        "at_work",
        "pupils",
        "visitors",
        "from_outside",
        "holiday_leave",
        "holiday_come",
        "holiday_out_of_region",
    ]);
    for (u, m) in inputs.units.iter().zip(moves) {
        let n = |v: u64| Value::Integer(v as i64);
        table.rows.push(vec![
            u.code.clone().into(),
            u.name.clone().into(),
            n(m.night),
            n(m.day),
            n(m.holiday),
            n(m.to_work),
            n(m.at_work),
            n(m.pupils),
            n(m.visitors),
            Value::Integer(m.from_outside),
            n(m.leave),
            n(m.come),
            n(m.out_of_region),
        ]);
    }
    table
}

/// Buildings by unit, structure and storeys.
pub fn buildings(inputs: &Inputs, rows: &[BuildingRow]) -> Table {
    let t = BuildingTable::builtin();
    let mut sums = vec![[[(0_u64, 0.0, 0.0); STOREYS]; STRUCTURES]; inputs.units.len()];
    for r in rows {
        let s = &mut sums[r.unit as usize][r.structure as usize][r.storeys as usize];
        *s = (
            s.0 + u64::from(r.count),
            s.1 + r.floor_m2,
            s.2 + r.value_yuan,
        );
    }
    let mut table = Table::new(&[
        "unit",
        "name",
        "structure",
        "structure_zh",
        "storeys",
        "storeys_zh",
        "count",
        "floor_m2",
        "value_yuan",
        "status",
    ]);
    for (u, sums) in inputs.units.iter().zip(&sums) {
        let own = inputs.exposure.houses.contains_key(&u.code);
        for (s, by_storeys) in sums.iter().enumerate() {
            for (k, &(count, floor, value)) in by_storeys.iter().enumerate() {
                if count == 0 {
                    continue;
                }
                table.rows.push(vec![
                    u.code.clone().into(),
                    u.name.clone().into(),
                    t.structure[s].id.clone().into(),
                    t.structure[s].name_zh.clone().into(),
                    t.storeys[k].clone().into(),
                    t.storeys_zh[k].clone().into(),
                    Value::Integer(count as i64),
                    floor.into(),
                    value.into(),
                    if own { "given" } else { t.status.as_str() }.into(),
                ]);
            }
        }
    }
    table
}

/// Critical places with unit, township and cell.
pub fn places(
    inputs: &Inputs,
    made: &Made,
    townships: &[Township],
    township: &Raster<u16>,
) -> Table {
    let kinds = PlaceTable::builtin().kind;
    let mut table = Table::new(&[
        "code",
        "name",
        "kind",
        "kind_zh",
        "lon",
        "lat",
        "capacity",
        "capacity_counts",
        "unit",
        "township",
        "cell",
        "provenance",
    ]);
    for (p, cell, unit) in &made.places {
        let kind = &kinds[p.kind];
        let t = township.values()[*cell as usize] as usize;
        table.rows.push(vec![
            p.code.clone().into(),
            p.name.clone().into(),
            kind.id.clone().into(),
            kind.name_zh.clone().into(),
            p.lon.into(),
            p.lat.into(),
            p.people.map_or(Value::Null, Value::Real),
            kind.capacity.clone().into(),
            inputs.units[*unit as usize].code.clone().into(),
            townships
                .get(t)
                .map_or(Value::Null, |t| t.code.clone().into()),
            Value::Integer(i64::from(*cell)),
            p.provenance.into(),
        ]);
    }
    table
}

/// Lengths of lines by unit and kind; synthetic roads where none are given.
pub fn lifelines(inputs: &Inputs, made: &Made) -> Table {
    let t = LifelineTable::builtin();
    let mut table = Table::new(&[
        "unit",
        "name",
        "kind",
        "kind_zh",
        "length_m",
        "value_yuan",
        "provenance",
    ]);
    let mut push = |u: usize, kind: (&str, &str), length: f64, value: f64, from: &str| {
        if length > 0.0 {
            table.rows.push(vec![
                inputs.units[u].code.clone().into(),
                inputs.units[u].name.clone().into(),
                kind.0.into(),
                kind.1.into(),
                length.into(),
                value.into(),
                from.into(),
            ]);
        }
    };
    let mut sums = vec![vec![(0.0, 0.0); t.kind.len()]; inputs.units.len()];
    let given = made.lifelines.as_deref().unwrap_or_default();
    for r in given {
        let s = &mut sums[r.unit as usize][r.kind as usize];
        *s = (s.0 + r.length_m, s.1 + r.value_yuan);
    }
    for (u, by_kind) in sums.iter().enumerate() {
        for (kind, &(length, value)) in t.kind.iter().zip(by_kind) {
            let names = (kind.id.as_str(), kind.name_zh.as_str());
            push(u, names, length, value, "given");
        }
    }
    if !given.iter().any(|r| t.kind[r.kind as usize].road) {
        let economy = anlan_models::census::exposure::ExposureValues::builtin().economy;
        for (u, length) in made.ledger.totals(|r| r.road_m).into_iter().enumerate() {
            let value = length * economy.road_yuan_m;
            push(u, ("road", "道路"), length, value, "synthetic");
        }
    }
    table
}

/// Skill of every set of weights.
pub fn check(inputs: &Inputs, predictions: &[Prediction]) -> Table {
    let dasymetric = &inputs.exposure.dasymetric;
    let records: Vec<Record> = inputs.units.iter().map(|u| u.record.clone()).collect();
    let families = families(&records);
    let family = |u: usize| {
        families
            .iter()
            .position(|f| f.units.contains(&u))
            .unwrap_or(families.len())
    };
    let mut table = Table::new(&[
        "set",
        "set_zh",
        "quantity",
        "units",
        "rmse",
        "mean_relative_error",
        "correlation",
        "misplaced_share",
        "used",
    ]);
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for p in predictions {
        let key = (p.quantity, p.set.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let order = ["residents", "households", "gdp_yuan"];
    keys.sort_by_key(|k| order.iter().position(|o| *o == k.0));
    for (quantity, set) in keys {
        let own: Vec<&Prediction> = predictions
            .iter()
            .filter(|p| p.quantity == quantity && p.set == set)
            .collect();
        let s = skill(&own, &family);
        let zh = dasymetric
            .set
            .iter()
            .find(|s| s.id == set)
            .map_or("三次产业分别分配", |s| s.name_zh.as_str());
        let residents = dasymetric
            .chosen
            .iter()
            .any(|(q, id)| q.name() == "residents" && id == set);
        let used = if quantity == "gdp_yuan" {
            set == "sectors"
        } else {
            residents
        };
        table.rows.push(vec![
            set.into(),
            zh.into(),
            quantity.into(),
            Value::Integer(s.units as i64),
            s.rmse.into(),
            s.mean_relative_error.into(),
            if s.correlation.is_nan() {
                Value::Null
            } else {
                s.correlation.into()
            },
            s.misplaced.into(),
            if used { "yes" } else { "no" }.into(),
        ]);
    }
    table
}

/// What every set of weights predicts for every unit.
pub fn check_units(inputs: &Inputs, predictions: &[Prediction]) -> Table {
    let mut table = Table::new(&[
        "set",
        "quantity",
        "unit",
        "name",
        "counted",
        "predicted",
        "relative_error",
    ]);
    for p in predictions {
        let unit = &inputs.units[p.unit];
        table.rows.push(vec![
            p.set.clone().into(),
            p.quantity.into(),
            unit.code.clone().into(),
            unit.name.clone().into(),
            p.counted.into(),
            p.predicted.into(),
            if p.counted > 0.0 {
                (p.predicted / p.counted - 1.0).into()
            } else {
                Value::Null
            },
        ]);
    }
    table
}

/// Buildings as a table by cell, and their value as a raster.
pub fn write_buildings(
    ctx: &Context<'_>,
    draft: &Draft,
    inputs: &Inputs,
    rows: &[BuildingRow],
) -> Result<()> {
    let u32s = |f: &dyn Fn(&BuildingRow) -> u32| ColumnData::U32(rows.iter().map(f).collect());
    let f64s = |f: &dyn Fn(&BuildingRow) -> f64| ColumnData::F64(rows.iter().map(f).collect());
    parquet::write(
        &draft.file("buildings.parquet")?,
        &[
            Column::new("cell", u32s(&|r| r.cell)),
            Column::new("unit", u32s(&|r| u32::from(r.unit))),
            Column::new("structure", u32s(&|r| u32::from(r.structure))),
            Column::new("storeys", u32s(&|r| u32::from(r.storeys))),
            Column::new("count", u32s(&|r| r.count)),
            Column::new("floor_m2", f64s(&|r| r.floor_m2)),
            Column::new("value_yuan", f64s(&|r| r.value_yuan)),
        ],
    )?;
    let mut value = Raster::filled(inputs.grid, f32::NAN);
    let mut cell = 0;
    while cell < rows.len() {
        let end = cell + rows[cell..].partition_point(|r| r.cell == rows[cell].cell);
        let sum: f64 = rows[cell..end].iter().map(|r| r.value_yuan).sum();
        value.values_mut()[rows[cell].cell as usize] = sum as f32;
        cell = end;
    }
    geotiff::write_f32(
        &draft.file("building_value_yuan.tif")?,
        &value,
        &ctx.tags("building_value", "yuan"),
    )
}

/// Lines by cell.
pub fn write_lifelines(draft: &Draft, rows: &[LifelineRow]) -> Result<()> {
    let u32s = |f: &dyn Fn(&LifelineRow) -> u32| ColumnData::U32(rows.iter().map(f).collect());
    let f64s = |f: &dyn Fn(&LifelineRow) -> f64| ColumnData::F64(rows.iter().map(f).collect());
    parquet::write(
        &draft.file("lifelines.parquet")?,
        &[
            Column::new("cell", u32s(&|r| r.cell)),
            Column::new("unit", u32s(&|r| u32::from(r.unit))),
            Column::new("kind", u32s(&|r| u32::from(r.kind))),
            Column::new("length_m", f64s(&|r| r.length_m)),
            Column::new("value_yuan", f64s(&|r| r.value_yuan)),
        ],
    )
}

/// Critical places as points.
pub fn write_places(draft: &Draft, table: &Table) -> Result<()> {
    let (lon, lat) = (table.require("lon")?, table.require("lat")?);
    let mut features = Vec::new();
    for row in &table.rows {
        let (Some(x), Some(y)) = (row[lon].as_f64(), row[lat].as_f64()) else {
            return Err(Error::Failed("a place without coordinates".into()));
        };
        features.push(Feature {
            geometry: geo::Geometry::Point(geo::Point::new(x, y)),
            values: row.clone(),
        });
    }
    let layer = Layer {
        source: PathBuf::new(),
        crs: Crs::CGCS2000,
        columns: table.columns.clone(),
        features,
    };
    vector::write_gpkg(
        &draft.file("critical_places.gpkg")?,
        &[("critical_places", &layer)],
    )
}
