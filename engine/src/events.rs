//! Events, their occurrences in simulated years, and their footprints on a grid.

/// Something that can happen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Number of the event, unique within its event set.
    pub id: u64,
    /// Number of the cause: all events of one storm, or of one dry spell, share it.
    pub cause: u64,
    /// Code of the hazard; the models give it meaning.
    pub hazard: u16,
    /// Mean number of occurrences per year.
    pub rate_per_year: f64,
}

/// An event at a date.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurrence {
    /// Simulated year, from 0.
    pub year: u32,
    /// Day of the year, 1..=365.
    pub day: u16,
    /// Duration, h.
    pub duration_h: f32,
    /// Number of the event.
    pub event: u64,
}

/// Where an event strikes and how hard: sparse, cells in ascending order, one value per cell and intensity measure.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Footprint {
    /// Cell numbers ([`crate::Grid::index`]), ascending, each once.
    pub cells: Vec<u32>,
    /// One column per intensity measure, in the order in which the hazard names them; same length as `cells`.
    pub values: Vec<Vec<f32>>,
}

impl Footprint {
    /// An empty footprint with this many intensity measures.
    pub fn new(measures: usize) -> Self {
        Footprint {
            cells: Vec::new(),
            values: vec![Vec::new(); measures],
        }
    }

    /// Adds a cell; cells must come in ascending order.
    pub fn push(&mut self, cell: u32, values: &[f32]) {
        debug_assert_eq!(values.len(), self.values.len());
        debug_assert!(self.cells.last().is_none_or(|&last| last < cell));
        self.cells.push(cell);
        for (column, &value) in self.values.iter_mut().zip(values) {
            column.push(value);
        }
    }

    /// Number of cells struck.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// True where nothing is struck.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }
}
