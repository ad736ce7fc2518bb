//! A table of reported figures (上报表).

use anlan_engine::io::Value;
use anlan_engine::io::table;
use anlan_engine::{Error, Fault, Result};
use anlan_models::lists::fast_report::ReportForm;
use std::collections::BTreeMap;
use std::path::Path;

/// Figures by code, in printed units, one for each field of the form; none where the table is silent.
pub type Reported = BTreeMap<String, Vec<Option<f64>>>;

/// Reads a table with a column of codes (`code` or 区划代码) and columns under the codes or headings of the form's fields.
///
/// # Errors
/// All faults together: no column of codes, no column of the form, codes of no unit or given twice, figures that are no numbers
/// or negative.
pub fn read(file: &Path, form: &ReportForm, codes: &[String]) -> Result<Reported> {
    let table = table::read(file)?;
    let code = ["code", "区划代码", "代码"]
        .into_iter()
        .find_map(|n| table.column(n));
    let bare = |name: &str| {
        name.split('（')
            .next()
            .unwrap_or(name)
            .trim_start_matches("其中：")
            .to_owned()
    };
    let columns: Vec<Option<usize>> = form
        .fields
        .iter()
        .map(|f| {
            [f.code.as_str(), f.zh.as_str(), &bare(&f.zh)]
                .into_iter()
                .find_map(|n| table.column(n))
        })
        .collect();
    let Some(code) = code.filter(|_| columns.iter().any(Option::is_some)) else {
        return Err(Error::input(
            Fault::new(
                file,
                format!("columns {}", table.columns.join(", ")),
                "a column `code` (区划代码) and columns of the report's form",
                "name the columns as fast_report.csv does",
            )
            .at("header"),
        ));
    };
    let mut faults = Vec::new();
    let mut out = Reported::new();
    for (i, row) in table.rows.iter().enumerate() {
        if row.iter().all(Value::is_null) {
            continue;
        }
        let key = row[code].to_string().trim().to_owned();
        let mut fault = |column: usize, expected: &str, remedy: &str| {
            let found = format!("`{}`", row[column]);
            faults.push(Fault::new(file, found, expected, remedy).at(table.place(i, column)));
        };
        if !codes.contains(&key) {
            fault(
                code,
                "the code of the region, a county or a township of the run",
                "correct the code",
            );
        }
        let figures = columns
            .iter()
            .map(|column| {
                let at = (*column)?;
                if row[at].is_null() {
                    return None;
                }
                match row[at].as_f64() {
                    Some(v) if v.is_finite() && v >= 0.0 => Some(v),
                    _ => {
                        fault(
                            at,
                            "a number, not negative",
                            "correct the figure; leave it empty where there is none",
                        );
                        None
                    }
                }
            })
            .collect();
        if out.insert(key, figures).is_some() {
            fault(code, "each code once", "delete the double row");
        }
    }
    if faults.is_empty() {
        Ok(out)
    } else {
        Err(Error::Input(faults))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_in_either_language_and_faults_together() {
        let dir = tempfile::tempdir().unwrap();
        let form = ReportForm::builtin();
        let codes = ["330700".to_owned(), "330702".to_owned()];
        let file = dir.path().join("r.csv");
        std::fs::write(
            &file,
            "区划代码,受灾人口,direct_loss\n330702,1200,35.5\n330700,,40\n",
        )
        .unwrap();
        let r = read(&file, &form, &codes).unwrap();
        let at = |code: &str| form.fields.iter().position(|f| f.code == code).unwrap();
        assert_eq!(r["330702"][at("affected_people")], Some(1200.0));
        assert_eq!(r["330700"][at("affected_people")], None);
        assert_eq!(r["330700"][at("direct_loss")], Some(40.0));
        assert_eq!(r["330700"][at("deaths")], None);
        std::fs::write(
            &file,
            "区划代码,受灾人口\n330702,-1\n330702,many\n330799,3\n",
        )
        .unwrap();
        assert_eq!(read(&file, &form, &codes).unwrap_err().faults().len(), 4);
        std::fs::write(&file, "区划代码,海拔\n330702,7\n").unwrap();
        assert!(
            read(&file, &form, &codes)
                .unwrap_err()
                .to_string()
                .contains("fast_report.csv")
        );
    }
}
