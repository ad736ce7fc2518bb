//! The four hazards of the census, and what each gives to the simulation: incidents of a year.

use crate::weather::WeatherYear;
use anlan_engine::{Event, Footprint, Grid, Occurrence};
use serde::{Deserialize, Serialize};

/// A hazard of the census (灾种).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Hazard {
    /// Flood (洪涝): depth_m, velocity_m_s.
    Flood,
    /// Strong convection (强对流): gust_m_s, hail_mm, tornado_ef (-1 where none), rain_mm_h.
    Convection,
    /// Geological hazards (地质灾害): landslide intensity 0..1 of the cell struck.
    Geology,
    /// Forest fire (森林火灾): flame_m, arrival_h.
    Fire,
}

impl Hazard {
    /// All four, in the order in which every table lists them.
    pub const ALL: [Hazard; 4] = [
        Hazard::Flood,
        Hazard::Convection,
        Hazard::Geology,
        Hazard::Fire,
    ];

    /// Code in event and loss tables: 1 flood, 2 convection, 3 geology, 4 fire.
    pub fn code(self) -> u16 {
        self as u16 + 1
    }

    /// Intensity measures of its footprints, with units in the names.
    pub fn measures(self) -> &'static [&'static str] {
        match self {
            Hazard::Flood => &["depth_m", "velocity_m_s"],
            Hazard::Convection => &["gust_m_s", "hail_mm", "tornado_ef", "rain_mm_h"],
            Hazard::Geology => &["landslide_intensity"],
            Hazard::Fire => &["flame_m", "arrival_h"],
        }
    }

    /// English name, lower case, as files and columns use it.
    pub fn name(self) -> &'static str {
        match self {
            Hazard::Flood => "flood",
            Hazard::Convection => "convection",
            Hazard::Geology => "geology",
            Hazard::Fire => "fire",
        }
    }

    /// Chinese name of the census.
    pub fn name_zh(self) -> &'static str {
        match self {
            Hazard::Flood => "洪涝",
            Hazard::Convection => "强对流",
            Hazard::Geology => "地质灾害",
            Hazard::Fire => "森林火灾",
        }
    }
}

/// The cells for which footprints are wanted: those with exposure in the year simulation, all cells for maps.
#[derive(Debug, Clone)]
pub struct Sites {
    /// The compute grid (projected, square cells).
    pub grid: Grid,
    /// Cell numbers, ascending.
    pub cells: Vec<u32>,
}

impl Sites {
    /// All cells of a grid.
    pub fn all(grid: Grid) -> Self {
        Sites {
            grid,
            cells: (0..grid.cells() as u32).collect(),
        }
    }
}

/// Square blocks of cells, for fields that are smooth over many cells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Blocks {
    /// The compute grid.
    pub cells: Grid,
    /// The blocks as a grid of their own, from the same north-west corner; the last row and column may reach beyond.
    pub grid: Grid,
    side: usize,
}

impl Blocks {
    /// Blocks of about `size_m`, of one cell at least.
    pub fn new(cells: Grid, size_m: f64) -> Self {
        let side = ((size_m / cells.dx).round() as usize).max(1);
        let mut grid = cells;
        (grid.dx, grid.dy) = (cells.dx * side as f64, cells.dy * side as f64);
        (grid.rows, grid.cols) = (cells.rows.div_ceil(side), cells.cols.div_ceil(side));
        Blocks { cells, grid, side }
    }

    /// The block of a cell.
    pub fn of(&self, cell: u32) -> u32 {
        let (row, col) = self.cells.row_col(cell);
        self.grid.index(row / self.side, col / self.side)
    }

    /// The blocks that hold some cells, ascending.
    pub fn holding(&self, cells: &[u32]) -> Sites {
        let mut blocks: Vec<u32> = cells.iter().map(|&c| self.of(c)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        Sites {
            grid: self.grid,
            cells: blocks,
        }
    }
}

/// What the numbers of a footprint's cells count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lattice {
    /// Cells of the compute grid.
    Cells,
    /// Blocks of cells.
    Blocks,
}

/// One occurrence with its event and footprint.
#[derive(Debug, Clone)]
pub struct Incident {
    /// What happened.
    pub event: Event,
    /// When.
    pub occurrence: Occurrence,
    /// Where and how hard, on the sites only.
    pub footprint: Footprint,
    /// What the footprint's cells are.
    pub lattice: Lattice,
}

/// A hazard in the year simulation. Incidents are a pure function of (model, weather of the year): no state is
/// carried from year to year, so years may be simulated in any order on any thread.
pub trait HazardModel: Sync {
    /// Which hazard it is.
    fn hazard(&self) -> Hazard;
    /// The incidents of one year, by ascending (day, event id).
    fn year(&self, weather: &WeatherYear) -> Vec<Incident>;
}

/// Streams of random numbers: two purposes never share an id.
pub mod stream {
    /// Daily weather.
    pub const WEATHER: u16 = 1;
    /// Storm counts, places, depths.
    pub const STORM: u16 = 2;
    /// Terrain detail below the 30" cells.
    pub const TERRAIN: u16 = 3;
    /// Synthetic exposure.
    pub const EXPOSURE: u16 = 4;
    /// Flood footprints.
    pub const FLOOD: u16 = 5;
    /// Convective events: counts and places.
    pub const CONVECTION: u16 = 6;
    /// Convective events: sizes and intensities.
    pub const CONVECTION_SIZE: u16 = 7;
    /// Slope strength and failures.
    pub const GEOLOGY: u16 = 8;
    /// Ignitions.
    pub const IGNITION: u16 = 9;
    /// Fire weather and duration of a fire.
    pub const FIRE: u16 = 10;
    /// Damage of assets.
    pub const DAMAGE: u16 = 11;
    /// People: relocation, casualties.
    pub const PEOPLE: u16 = 12;
    /// Relief depots, stocks, shelters of the showcase.
    pub const RELIEF: u16 = 13;
    /// Resampling for confidence intervals.
    pub const BOOTSTRAP: u16 = 14;
}
