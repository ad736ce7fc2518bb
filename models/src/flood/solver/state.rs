//! A run saved to be taken up again.
//!
//! File format (little endian): magic `ANLFRUN1`; rows and columns of the planes, cells of the solver, length of soil,
//! of channels and of works, u64 each; times now, watched and wetted, since when the scheme rules, f64 each; deepest and fastest
//! water, f32; scheme, u64; steps and cell-steps, u64; the seven sums of the ledger, f64; ten planes of f32 row by row
//! (depth, its rest, flow to the east and south, and the six that a run remembers); soil and channels, f64; works that run, a byte
//! each; CRC-32 of all before it.

use super::{Ledger, Scheme};
use anlan_engine::{Error, Fault, Result};
use std::path::Path;

const MAGIC: &[u8; 8] = b"ANLFRUN1";
const FIELDS: usize = 10;

/// All that a run needs to be taken up.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// Rows and columns of the planes, with the ring around the grid.
    pub(super) shape: (usize, usize),
    pub(super) cells: usize,
    pub(super) now_s: f64,
    pub(super) watched_s: f64,
    pub(super) wetted_s: f64,
    pub(super) deepest: f32,
    pub(super) fastest: f32,
    pub(super) scheme: (Scheme, f64),
    pub(super) steps: u64,
    pub(super) cell_steps: u64,
    pub(super) ledger: Ledger,
    pub(super) fields: Vec<Vec<f32>>,
    pub(super) soil: Vec<f64>,
    pub(super) channels: Vec<f64>,
    pub(super) running: Vec<bool>,
}

impl State {
    /// Simulated time at which it was saved, s.
    pub fn now_s(&self) -> f64 {
        self.now_s
    }

    /// The state as bytes of the restart format.
    pub fn to_bytes(&self) -> Vec<u8> {
        let cells = self.shape.0 * self.shape.1;
        let mut out = Vec::with_capacity(256 + 4 * FIELDS * cells + 8 * self.soil.len());
        out.extend_from_slice(MAGIC);
        let (rows, cols) = self.shape;
        for v in [
            rows,
            cols,
            self.cells,
            self.soil.len(),
            self.channels.len(),
            self.running.len(),
        ] {
            out.extend_from_slice(&(v as u64).to_le_bytes());
        }
        for v in [self.now_s, self.watched_s, self.wetted_s, self.scheme.1] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        for v in [self.deepest, self.fastest] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        let scheme = match self.scheme.0 {
            Scheme::Inertial | Scheme::Auto => 0u64,
            Scheme::Fv1 => 1,
            Scheme::Fv2 => 2,
        };
        for v in [scheme, self.steps, self.cell_steps] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        let l = &self.ledger;
        for v in [
            l.initial_m3,
            l.inflow_m3,
            l.rain_m3,
            l.infiltrated_m3,
            l.drained_m3,
            l.outflow_m3,
            l.stored_m3,
        ] {
            out.extend_from_slice(&v.to_le_bytes());
        }
        for v in self.fields.iter().flatten() {
            out.extend_from_slice(&v.to_le_bytes());
        }
        for v in self.soil.iter().chain(&self.channels) {
            out.extend_from_slice(&v.to_le_bytes());
        }
        out.extend(self.running.iter().map(|&r| u8::from(r)));
        let sum = crc32fast::hash(&out);
        out.extend_from_slice(&sum.to_le_bytes());
        out
    }

    /// Reads the restart format; `file` is named in faults.
    ///
    /// # Errors
    /// Another format or version, a truncated or changed file.
    pub fn from_bytes(bytes: &[u8], file: &Path) -> Result<State> {
        let fault = |found: &str, expected: &str| {
            Error::input(Fault::new(
                file,
                found,
                expected,
                "take another restart file, or start anew",
            ))
        };
        if bytes.len() < 12 || &bytes[..8] != MAGIC {
            return Err(fault(
                "no saved flood run (or one of another version)",
                "a file that begins with ANLFRUN1",
            ));
        }
        let (body, sum) = bytes.split_at(bytes.len() - 4);
        if crc32fast::hash(body).to_le_bytes() != sum {
            return Err(fault("a wrong checksum", "the bytes that were written"));
        }
        let mut reader = Reader(&body[8..]);
        let short = || fault("a file that ends too early", "the bytes that were written");
        reader.state().ok_or_else(short)
    }
}

/// Takes numbers from the front of bytes.
struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*head)
    }

    fn whole(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn size(&mut self) -> Option<usize> {
        self.whole().and_then(|v| usize::try_from(v).ok())
    }

    fn double(&mut self) -> Option<f64> {
        self.take().map(f64::from_le_bytes)
    }

    fn single(&mut self) -> Option<f32> {
        self.take().map(f32::from_le_bytes)
    }

    fn state(&mut self) -> Option<State> {
        let (rows, cols) = (self.size()?, self.size()?);
        let (cells, soil) = (self.size()?, self.size()?);
        let (channels, works) = (self.size()?, self.size()?);
        let [now_s, watched_s, wetted_s, since] = [
            self.double()?,
            self.double()?,
            self.double()?,
            self.double()?,
        ];
        let (deepest, fastest) = (self.single()?, self.single()?);
        let scheme = match self.whole()? {
            0 => Scheme::Inertial,
            1 => Scheme::Fv1,
            _ => Scheme::Fv2,
        };
        let (steps, cell_steps) = (self.whole()?, self.whole()?);
        let ledger = Ledger {
            initial_m3: self.double()?,
            inflow_m3: self.double()?,
            rain_m3: self.double()?,
            infiltrated_m3: self.double()?,
            drained_m3: self.double()?,
            outflow_m3: self.double()?,
            stored_m3: self.double()?,
        };
        let plane = rows.checked_mul(cols)?;
        let expected = (plane.checked_mul(4 * FIELDS)?)
            .checked_add(soil.checked_mul(8)?)?
            .checked_add(channels.checked_mul(8)?)?
            .checked_add(works)?;
        if expected != self.0.len() {
            return None;
        }
        let mut fields = Vec::with_capacity(FIELDS);
        for _ in 0..FIELDS {
            fields.push((0..plane).map(|_| self.single()).collect::<Option<_>>()?);
        }
        Some(State {
            shape: (rows, cols),
            cells,
            now_s,
            watched_s,
            wetted_s,
            deepest,
            fastest,
            scheme: (scheme, since),
            steps,
            cell_steps,
            ledger,
            fields,
            soil: (0..soil).map(|_| self.double()).collect::<Option<_>>()?,
            channels: (0..channels)
                .map(|_| self.double())
                .collect::<Option<_>>()?,
            running: self.0.iter().map(|&b| b != 0).collect(),
        })
    }
}
