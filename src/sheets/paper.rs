//! Pages to files.

use anlan_engine::io::write_atomic;
use anlan_engine::{Error, Result};
use anlan_models::cartography::Fonts;
use anlan_models::lists::page;
use std::path::Path;

/// Scale of the PNG pages: 0.75 of 200 dpi, 150 dpi.
const SCALE: f32 = 0.75;

/// Writes bytes whole or not at all.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic(path, |tmp| {
        std::fs::write(tmp, bytes).map_err(|e| Error::io("writing", path, e))
    })
}

/// Writes the pages of one document as `NAME-1.svg`, `NAME-1.png` and so on.
pub fn pages(folder: &Path, name: &str, pages: &[String], fonts: &Fonts) -> Result<()> {
    for (n, svg) in pages.iter().enumerate() {
        save(
            &folder.join(format!("{name}-{}.svg", n + 1)),
            svg.as_bytes(),
        )?;
        let png = page::png(svg, fonts, SCALE)?;
        save(&folder.join(format!("{name}-{}.png", n + 1)), &png)?;
    }
    Ok(())
}
