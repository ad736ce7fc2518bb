//! Floods that were surveyed, measured in a model or imaged, and some that have no data but a known answer: what the solver
//! gives with the parameters that the sources state. The figures are in VALIDATION.md.
//!
//! A figure is asserted against a published one where there is one; where it falls short of what was wanted, the test
//! says so and holds the figure where it is.

mod beach;
mod buscot;
mod channels;
mod malpasset;
mod merewether;
mod plain;

use super::tests::shared_file;
use super::{Inundation, Scheme};
use ndarray::Array2;

const SCHEMES: [Scheme; 3] = [Scheme::Inertial, Scheme::Fv1, Scheme::Fv2];

/// Rectangle of square cells in the coordinates of a case: west and north edge, cell size, m; rows, columns.
#[derive(Debug, Clone, Copy)]
struct Frame {
    west: f64,
    north: f64,
    cell: f64,
    rows: usize,
    cols: usize,
}

impl Frame {
    fn middle(&self, row: usize, col: usize) -> [f64; 2] {
        [
            self.west + (col as f64 + 0.5) * self.cell,
            self.north - (row as f64 + 0.5) * self.cell,
        ]
    }

    fn cell_at(&self, [x, y]: [f64; 2]) -> (usize, usize) {
        let (col, row) = ((x - self.west) / self.cell, (self.north - y) / self.cell);
        assert!(row >= 0.0 && col >= 0.0 && row < self.rows as f64 && col < self.cols as f64);
        (row as usize, col as usize)
    }

    fn number(&self, (row, col): (usize, usize)) -> u32 {
        (row * self.cols + col) as u32
    }
}

/// A file of the shared data as text.
fn text(path: &str) -> Option<String> {
    Some(String::from_utf8(shared_file(path)?).unwrap())
}

/// Rows of a table of the shared data, without its heading; words and numbers.
fn table(path: &str) -> Option<Vec<Vec<String>>> {
    let row = |l: &str| l.split(',').map(|v| v.trim().to_string()).collect();
    Some(text(path)?.lines().skip(1).map(row).collect())
}

fn number(row: &[String], column: usize) -> f64 {
    row[column].parse().unwrap()
}

/// An ESRI ASCII grid: its frame and values, north-up; no-data is NaN.
fn ascii_grid(text: &str) -> (Frame, Array2<f64>) {
    let mut words = text.split_whitespace();
    let mut head = [0.0f64; 6];
    for value in &mut head {
        words.next();
        *value = words.next().unwrap().parse().unwrap();
    }
    let [cols, rows, west, south, cell, none] = head;
    let (rows, cols) = (rows as usize, cols as usize);
    let values: Vec<f64> = (words.take(rows * cols))
        .map(|w| w.parse().unwrap())
        .map(|v| if v == none { f64::NAN } else { v })
        .collect();
    let north = south + rows as f64 * cell;
    let frame = Frame {
        west,
        north,
        cell,
        rows,
        cols,
    };
    (frame, Array2::from_shape_vec((rows, cols), values).unwrap())
}

fn rmse(errors: &[f64]) -> f64 {
    libm::sqrt(errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64)
}

/// Water must not be lost or made: 1e-6 of what was given.
fn assert_balanced(end: &Inundation) {
    let error = end.ledger.error();
    assert!(error.abs() < 1e-6, "ledger {error:e}");
}
