//! A copy of the showcase in a folder of its own, small enough to run in seconds.

use anlan::progress::News;
use anlan::run::{Outcome, RunOptions, run};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// The Jinhua inputs with 450 m cells, 100 years and few fires.
pub struct Region {
    pub dir: tempfile::TempDir,
}

impl Region {
    pub fn new() -> Region {
        let dir = tempfile::tempdir().unwrap();
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/jinhua");
        for entry in fs::read_dir(source).unwrap() {
            let path = entry.unwrap().path();
            fs::copy(&path, dir.path().join(path.file_name().unwrap())).unwrap();
        }
        let region = Region { dir };
        region.edit(|text| {
            text.replace("cell_m = 90.0", "cell_m = 450.0")
                .replace("years = 10000", "years = 100")
                .replace(
                    "return_periods = [5.0, 10.0, 20.0, 50.0, 100.0]",
                    "return_periods = [5.0, 20.0]\nchannel_km2 = 6.0",
                )
                .replace(
                    "[losses]",
                    "[fire]\nfires_per_class = 30\n\n[losses]\nreturn_periods = [2.0, 5.0, 10.0]",
                )
                .replace("confidence = 0.95", "confidence = 0.85")
                .replace("units = true", "units = false")
        });
        region
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub fn project(&self) -> PathBuf {
        self.file("project.toml")
    }

    pub fn edit(&self, f: impl Fn(&str) -> String) {
        let text = fs::read_to_string(self.project()).unwrap();
        fs::write(self.project(), f(&text)).unwrap();
    }

    pub fn run_to(&self, out: &Path, threads: usize) -> anlan::engine::Result<Outcome> {
        let options = RunOptions {
            out: Some(out.to_path_buf()),
            ..RunOptions::default()
        };
        let pool = rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap();
        pool.install(|| run(&self.project(), &options, &|_: News<'_>| {}))
    }
}

/// Every file below a folder with its bytes.
pub fn bytes(dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut out = BTreeMap::new();
    let mut stack = vec![dir.to_path_buf()];
    while let Some(folder) = stack.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                stack.push(path);
            } else {
                out.insert(
                    path.strip_prefix(dir).unwrap().to_path_buf(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    out
}
