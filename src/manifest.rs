//! Manifests: what a task was made from, and whether it still is.
//!
//! Every task owns one folder of the output. It is written under `.tmp/` and committed by one rename, so a folder
//! under its final name is always whole. Its `manifest.json` holds the key of the task: a hash over the release, the
//! options, the bytes of the inputs and the keys of the tasks to its left. A task whose key is unchanged is not run again.

use anlan_engine::{Error, Result};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

/// Name and version that every manifest and product carries.
pub const RELEASE: &str = concat!("anlan ", env!("CARGO_PKG_VERSION"));

/// A file with its size and SHA-256.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRecord {
    /// Path: inputs relative to the project file, outputs relative to the task's folder. Always with `/`.
    pub path: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
}

/// What one task was made from and what it made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Task, e.g. `hazard/flood`.
    pub task: String,
    /// Hash of everything that the outputs depend on.
    pub key: String,
    /// Release that made it.
    pub release: String,
    /// Seed of all random numbers.
    pub seed: u64,
    /// Options the task reads, as JSON.
    pub options: serde_json::Value,
    /// Input files the task reads.
    pub inputs: Vec<FileRecord>,
    /// Keys of the tasks it builds on.
    pub upstream: BTreeMap<String, String>,
    /// Files it made.
    pub outputs: Vec<FileRecord>,
    /// What the task states of its own accuracy, by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stated: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// A manifest of a task that has not run yet; the key is computed here.
    pub fn new(
        task: &str,
        seed: u64,
        options: serde_json::Value,
        inputs: Vec<FileRecord>,
        upstream: BTreeMap<String, String>,
    ) -> Self {
        let mut hash = Sha256::new();
        for part in [
            RELEASE.to_string(),
            task.to_string(),
            seed.to_string(),
            options.to_string(),
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        for input in &inputs {
            hash.update(input.path.as_bytes());
            hash.update(input.sha256.as_bytes());
        }
        for (task, key) in &upstream {
            hash.update(task.as_bytes());
            hash.update(key.as_bytes());
        }
        Manifest {
            task: task.to_string(),
            key: hex(&hash.finalize()),
            release: RELEASE.to_string(),
            seed,
            options,
            inputs,
            upstream,
            outputs: Vec::new(),
            stated: BTreeMap::new(),
        }
    }

    /// The manifest in a task's folder; `None` where there is none or it cannot be read (the task then runs again).
    pub fn read(folder: &Path) -> Option<Manifest> {
        let text = fs::read_to_string(folder.join("manifest.json")).ok()?;
        serde_json::from_str(&text).ok()
    }

    /// True where a folder holds the finished outputs of this very key, all with their recorded sizes.
    pub fn is_done(&self, folder: &Path) -> bool {
        Manifest::read(folder).is_some_and(|old| {
            old.key == self.key
                && old.outputs.iter().all(|file| {
                    fs::metadata(folder.join(&file.path)).is_ok_and(|m| m.len() == file.bytes)
                })
        })
    }
}

/// The folder in which a task writes until it commits.
#[derive(Debug)]
pub struct Draft {
    work: PathBuf,
    /// Parts of a long task that outlive a killed run, under the key of what they are parts of.
    parts: PathBuf,
    target: PathBuf,
    stated: Mutex<BTreeMap<String, serde_json::Value>>,
}

impl Draft {
    /// An empty folder `out/.tmp/<task>`; leftovers of a killed run are removed, but for the parts of this very key.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn begin(out: &Path, task: &str, key: &str) -> Result<Draft> {
        let name = task.replace('/', "-");
        let work = out.join(".tmp").join(&name);
        let parts = out.join(".tmp").join(name + ".parts");
        let marked = parts.join(key);
        if !marked.exists() {
            remove_dir(&parts)?;
        }
        remove_dir(&work)?;
        fs::create_dir_all(&work).map_err(|e| Error::io("creating", &work, e))?;
        Ok(Draft {
            work,
            parts: marked,
            target: out.join(task),
            stated: Mutex::default(),
        })
    }

    /// States a figure of the task's accuracy, which its manifest will carry.
    pub fn state(&self, name: &str, value: impl Into<serde_json::Value>) {
        self.stated
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_string(), value.into());
    }

    /// Path of a finished part of a long task, which the next run finds again if this one is killed; makes its folder.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn part(&self, name: &str) -> Result<PathBuf> {
        fs::create_dir_all(&self.parts).map_err(|e| Error::io("creating", &self.parts, e))?;
        Ok(self.parts.join(name))
    }

    /// Where the task writes.
    pub fn dir(&self) -> &Path {
        &self.work
    }

    /// Path of one file to write; makes the folders between.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn file(&self, name: &str) -> Result<PathBuf> {
        let path = self.work.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::io("creating", parent, e))?;
        }
        Ok(path)
    }

    /// Records the outputs in the manifest and moves the folder to its final name.
    ///
    /// # Errors
    /// The file system refuses.
    pub fn commit(self, mut manifest: Manifest) -> Result<Manifest> {
        manifest.stated = self
            .stated
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        let mut files = Vec::new();
        list_files(&self.work, &mut files)?;
        files.sort();
        for file in files {
            let record = record(&file, &self.work)?;
            manifest.outputs.push(record);
        }
        let text = serde_json::to_string_pretty(&manifest)
            .map_err(|e| Error::Failed(format!("writing a manifest: {e}")))?;
        let path = self.work.join("manifest.json");
        fs::write(&path, text + "\n").map_err(|e| Error::io("writing", &path, e))?;
        if let Some(parent) = self.target.parent() {
            fs::create_dir_all(parent).map_err(|e| Error::io("creating", parent, e))?;
        }
        let old = self.work.with_extension("old");
        remove_dir(&old)?;
        if self.target.exists() {
            fs::rename(&self.target, &old).map_err(|e| Error::io("renaming", &self.target, e))?;
        }
        fs::rename(&self.work, &self.target).map_err(|e| Error::io("renaming", &self.work, e))?;
        remove_dir(&old)?;
        if let Some(parts) = self.parts.parent() {
            remove_dir(parts)?;
        }
        Ok(manifest)
    }
}

/// Size and SHA-256 of a file, its path told relative to `base`.
///
/// # Errors
/// The file cannot be read.
pub fn record(path: &Path, base: &Path) -> Result<FileRecord> {
    let mut file = fs::File::open(path).map_err(|e| Error::io("reading", path, e))?;
    let mut hash = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    let mut bytes = 0;
    loop {
        let n = file
            .read(&mut buffer)
            .map_err(|e| Error::io("reading", path, e))?;
        if n == 0 {
            break;
        }
        hash.update(&buffer[..n]);
        bytes += n as u64;
    }
    let relative = path.strip_prefix(base).unwrap_or(path);
    let path = relative
        .components()
        .map(|c| c.as_os_str().to_string_lossy())
        .collect::<Vec<_>>()
        .join("/");
    Ok(FileRecord {
        path,
        bytes,
        sha256: hex(&hash.finalize()),
    })
}

fn list_files(dir: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    let entries = fs::read_dir(dir).map_err(|e| Error::io("listing", dir, e))?;
    for entry in entries {
        let path = entry.map_err(|e| Error::io("listing", dir, e))?.path();
        if path.is_dir() {
            list_files(&path, files)?;
        } else {
            files.push(path);
        }
    }
    Ok(())
}

fn remove_dir(dir: &Path) -> Result<()> {
    match fs::remove_dir_all(dir) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => Err(Error::io("removing", dir, e)),
        _ => Ok(()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn manifest(options: &str) -> Manifest {
        Manifest::new(
            "layers",
            1,
            serde_json::Value::String(options.into()),
            Vec::new(),
            BTreeMap::new(),
        )
    }

    #[test]
    fn a_committed_folder_is_recognised_until_something_changes() {
        let out = tempfile::tempdir().unwrap();
        let draft = Draft::begin(out.path(), "hazard/flood", "k").unwrap();
        fs::write(draft.file("maps/depth.txt").unwrap(), "deep").unwrap();
        assert!(!out.path().join("hazard/flood").exists());
        draft.state("error_m", 0.25);
        let m = draft.commit(manifest("a")).unwrap();
        assert_eq!(m.stated["error_m"], 0.25);
        let folder = out.path().join("hazard/flood");
        assert_eq!(m.outputs[0].path, "maps/depth.txt");
        assert!(m.is_done(&folder));
        assert!(!manifest("b").is_done(&folder));
        fs::write(folder.join("maps/depth.txt"), "shallow").unwrap();
        assert!(!m.is_done(&folder));
    }

    #[test]
    fn parts_outlive_a_killed_run_of_the_same_key_only() {
        let out = tempfile::tempdir().unwrap();
        let begin = |key: &str| Draft::begin(out.path(), "hazard/flood", key).unwrap();
        fs::write(begin("k").part("storm").unwrap(), "wet").unwrap();
        assert!(begin("k").part("storm").unwrap().exists());
        assert!(!begin("other").part("storm").unwrap().exists());
        let draft = begin("other");
        fs::write(draft.part("storm").unwrap(), "wet").unwrap();
        draft.commit(manifest("a")).unwrap();
        assert!(!begin("other").part("storm").unwrap().exists());
    }

    #[test]
    fn a_second_commit_replaces_the_first_whole() {
        let out = tempfile::tempdir().unwrap();
        for (name, text) in [("a.txt", "1"), ("b.txt", "2")] {
            let draft = Draft::begin(out.path(), "layers", "k").unwrap();
            fs::write(draft.file(name).unwrap(), text).unwrap();
            draft.commit(manifest(name)).unwrap();
        }
        assert!(!out.path().join("layers/a.txt").exists());
        assert!(out.path().join("layers/b.txt").exists());
    }
}
