//! Decoding of Deflate strips and tiles, straight into rows.
//!
//! The rule, so that nothing is hidden: a file compressed by Deflate (codes 8 and 32946), bits in the usual order, with no
//! predictor, predictor 2 on integers or predictor 3 on floats, is decoded here; every other one by `geotiff-reader`.
//! Deflate is what GDAL users and our own writer choose, and large rasters spend nearly all of their time in it. Here each
//! block is read with a plain read (a mapped file would count in the memory of the process), inflated in parallel into a
//! buffer that is used again, and its predictor undone row by row while the row is in the cache.

use super::Sample;
use super::open::Opened;
use crate::error::{Error, Fault, Result};
use flate2::{Decompress, FlushDecompress, Status};
use rayon::prelude::*;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::ops::Range;

/// How the blocks of a file are stored.
#[derive(Debug)]
pub(super) struct Storage {
    /// First byte of each block, 0 where the file leaves it out.
    pub offsets: Vec<u64>,
    /// Bytes of each block.
    pub sizes: Vec<u64>,
    pub compression: u16,
    pub predictor: u16,
    /// Least significant byte first.
    pub little_endian: bool,
    /// Least significant bit first within bytes: not the usual order.
    pub bits_reversed: bool,
}

/// Inflated blocks, kept for rows that follow, and buffers to use again.
#[derive(Default)]
pub(super) struct Scratch {
    file: Option<File>,
    /// Number and bytes of blocks, ascending; no bytes where the file leaves the block out.
    held: Vec<(usize, Vec<u8>)>,
    spare: Vec<Vec<u8>>,
}

/// Blocks per column and row, and where those of a band begin.
struct Mosaic {
    across: usize,
    first: usize,
}

impl Opened<'_> {
    /// True where blocks are decoded here, by the rule above.
    pub fn inflates(&self) -> bool {
        let s = &self.storage;
        let float = matches!(self.sample, Sample::F32 | Sample::F64);
        matches!(s.compression, 8 | 32946)
            && !s.bits_reversed
            && match s.predictor {
                1 => true,
                2 => !float,
                3 => float,
                _ => false,
            }
    }

    fn mosaic(&self, at: usize) -> Mosaic {
        let (height, width) = self.shape();
        let across = width.div_ceil(self.block.1);
        let plane = if self.planar { at } else { 0 };
        Mosaic {
            across,
            first: plane * across * height.div_ceil(self.block.0),
        }
    }

    /// Samples of a cell that lie side by side in a block.
    fn depth(&self) -> usize {
        if self.planar { 1 } else { self.bands }
    }

    /// Inflates the blocks of a band (index from 0) that hold some rows and columns of the file; those that `scratch`
    /// holds already are kept, the others given up.
    pub fn inflate(
        &self,
        at: usize,
        rows: &Range<usize>,
        cols: &Range<usize>,
        scratch: &mut Scratch,
    ) -> Result<()> {
        let mosaic = self.mosaic(at);
        let (down, right) = (
            rows.start / self.block.0..rows.end.div_ceil(self.block.0),
            cols.start / self.block.1..cols.end.div_ceil(self.block.1),
        );
        let mut held = std::mem::take(&mut scratch.held).into_iter().peekable();
        let (mut kept, mut new) = (Vec::new(), Vec::new());
        for r in down {
            for c in right.clone() {
                let number = mosaic.first + r * mosaic.across + c;
                while let Some((_, buffer)) = held.next_if(|h| h.0 < number) {
                    scratch.spare.push(buffer);
                }
                match held.next_if(|h| h.0 == number) {
                    Some(block) => kept.push(block),
                    None => new.push((number, r)),
                }
            }
        }
        scratch.spare.extend(held.map(|h| h.1));
        let stored = self.stored_blocks(&new, scratch)?;
        let mut work: Vec<(usize, usize, Vec<u8>, Vec<u8>)> = new
            .iter()
            .zip(stored)
            .map(|(&(number, row), bytes)| {
                (number, row, bytes, scratch.spare.pop().unwrap_or_default())
            })
            .collect();
        let fault = work
            .par_iter_mut()
            .filter_map(|(number, row, bytes, raw)| {
                let size = self.block_bytes(*row);
                inflate_block(bytes, size, raw)
                    .err()
                    .map(|why| (*number, *row, why))
            })
            .min_by_key(|f| f.0);
        if let Some((number, row, why)) = fault {
            let first = row * self.block.0;
            return Err(Error::input(
                Fault::new(
                    self.path,
                    format!("strip or tile {number} {why}"),
                    "strips or tiles that can be decoded",
                    "the file is damaged: copy or download it again, or export it anew",
                )
                .at(format!(
                    "band {}, rows {first} to {}",
                    at + 1,
                    (first + self.block.0).min(self.shape().0) - 1
                )),
            ));
        }
        for (number, _, bytes, raw) in work {
            scratch.spare.push(bytes);
            kept.push((number, raw));
        }
        // Compressed and inflated buffers of one round, and no more, are worth keeping.
        scratch.spare.truncate(2 * kept.len());
        kept.sort_unstable_by_key(|k| k.0);
        scratch.held = kept;
        Ok(())
    }

    /// The bytes of blocks as stored; none of those that the file leaves out.
    fn stored_blocks(
        &self,
        blocks: &[(usize, usize)],
        scratch: &mut Scratch,
    ) -> Result<Vec<Vec<u8>>> {
        let io = |e| Error::io("reading", self.path, e);
        let file = match &mut scratch.file {
            Some(file) => file,
            none => none.insert(File::open(self.path).map_err(io)?),
        };
        let mut out = Vec::with_capacity(blocks.len());
        for &(number, _) in blocks {
            let mut bytes = scratch.spare.pop().unwrap_or_default();
            bytes.clear();
            let (offset, size) = (self.storage.offsets[number], self.storage.sizes[number]);
            if offset != 0 && size != 0 {
                bytes.resize(size as usize, 0);
                file.seek(SeekFrom::Start(offset)).map_err(io)?;
                file.read_exact(&mut bytes).map_err(io)?;
            }
            out.push(bytes);
        }
        Ok(out)
    }

    /// Bytes of a block in this row of blocks: the last strip ends with the raster, tiles are always whole.
    fn block_bytes(&self, row: usize) -> usize {
        let rows = if self.tiled {
            self.block.0
        } else {
            self.block.0.min(self.shape().0 - row * self.block.0)
        };
        rows * self.block.1 * self.depth() * self.sample.bytes()
    }

    /// Calls `f` with the samples of each stretch of a row that lies in one block, in the machine's byte order, and the
    /// number of its first cell within `cols`; with the number of its cells and no samples where the file leaves the
    /// block out. [`Opened::inflate`] must have been called for the row.
    pub fn inflated_row(
        &self,
        at: usize,
        row: usize,
        cols: &Range<usize>,
        scratch: &Scratch,
        turned: &mut Vec<u8>,
        samples: &mut Vec<u8>,
        mut f: impl FnMut(usize, usize, &[u8]),
    ) {
        let mosaic = self.mosaic(at);
        let first = mosaic.first + row / self.block.0 * mosaic.across;
        let line_bytes = self.block.1 * self.depth() * self.sample.bytes();
        let line_start = row % self.block.0 * line_bytes;
        let begin = scratch
            .held
            .partition_point(|h| h.0 < first + cols.start / self.block.1);
        for (number, raw) in &scratch.held[begin..] {
            let left = (number - first) * self.block.1;
            if left >= cols.end {
                break;
            }
            let part = cols.start.max(left)..cols.end.min(left + self.block.1);
            let to = part.start - cols.start;
            if raw.is_empty() {
                f(to, part.len(), &[]);
                continue;
            }
            let line = &raw[line_start..line_start + line_bytes];
            samples.resize(part.len() * self.sample.bytes(), 0);
            self.samples(at, line, part.start - left, turned, samples);
            f(to, part.len(), samples);
        }
    }

    /// Undoes the predictor of one row of a block and picks the samples of a band, from column `from` on.
    fn samples(&self, at: usize, line: &[u8], from: usize, turned: &mut Vec<u8>, out: &mut [u8]) {
        let depth = self.depth();
        let at = if self.planar { 0 } else { at };
        match self.sample.bytes() {
            1 => self.samples_of::<1>(line, from, (at, depth), turned, out),
            2 => self.samples_of::<2>(line, from, (at, depth), turned, out),
            4 => self.samples_of::<4>(line, from, (at, depth), turned, out),
            _ => self.samples_of::<8>(line, from, (at, depth), turned, out),
        }
    }

    fn samples_of<const N: usize>(
        &self,
        line: &[u8],
        from: usize,
        (at, depth): (usize, usize),
        turned: &mut Vec<u8>,
        out: &mut [u8],
    ) {
        let (out, _) = out.as_chunks_mut::<N>();
        match self.storage.predictor {
            3 => {
                byte_sums(line, depth, turned);
                significance_to_words::<N>(turned, from * depth + at, depth, out);
            }
            2 => {
                let (words, _) = line.as_chunks::<N>();
                let mut sum = 0u32;
                for (i, word) in words.iter().skip(at).step_by(depth).enumerate() {
                    sum = sum.wrapping_add(self.integer(*word));
                    if i < from {
                        continue;
                    }
                    let Some(to) = out.get_mut(i - from) else {
                        break;
                    };
                    let bytes = sum.to_ne_bytes();
                    // Wrapping sums hold in the low bytes, whatever lies above them.
                    let low = if cfg!(target_endian = "little") {
                        0
                    } else {
                        4 - N
                    };
                    to.copy_from_slice(&bytes[low..low + N]);
                }
            }
            _ => {
                let (words, _) = line.as_chunks::<N>();
                let same = self.storage.little_endian == cfg!(target_endian = "little");
                for (to, word) in out
                    .iter_mut()
                    .zip(words[from * depth + at..].iter().step_by(depth))
                {
                    *to = *word;
                    if !same {
                        to.reverse();
                    }
                }
            }
        }
    }

    /// A stored integer of up to 32 bits, without its sign.
    fn integer<const N: usize>(&self, word: [u8; N]) -> u32 {
        let fold = |n: u32, b: &u8| n << 8 | u32::from(*b);
        if self.storage.little_endian {
            word.iter().rev().fold(0, fold)
        } else {
            word.iter().fold(0, fold)
        }
    }
}

/// Inflates a block of `size` bytes; a block that the file leaves out stays empty.
fn inflate_block(
    bytes: &[u8],
    size: usize,
    raw: &mut Vec<u8>,
) -> std::result::Result<(), &'static str> {
    if bytes.is_empty() {
        raw.clear();
        return Ok(());
    }
    // Deflate makes 258 bytes of two bits at best: a block that claims more is not worth its memory.
    if size / 1032 > bytes.len() {
        return Err("holds less than its rows and columns");
    }
    raw.resize(size, 0);
    let mut inflater = Decompress::new(true);
    let status = inflater
        .decompress(bytes, raw, FlushDecompress::Finish)
        .map_err(|_| "is not a Deflate stream, or a damaged one")?;
    if status != Status::StreamEnd {
        return Err(if inflater.total_out() == size as u64 {
            "holds more than its rows and columns"
        } else {
            "ends too early"
        });
    }
    if inflater.total_out() != size as u64 {
        return Err("holds less than its rows and columns");
    }
    Ok(())
}

/// Running sums of bytes over a row of predictor 3, of each of `depth` interleaved samples on its own.
fn byte_sums(line: &[u8], depth: usize, out: &mut Vec<u8>) {
    out.resize(line.len(), 0);
    if depth == 1 {
        let mut sum = 0u8;
        for (to, from) in out.iter_mut().zip(line) {
            sum = sum.wrapping_add(*from);
            *to = sum;
        }
        return;
    }
    out[..depth].copy_from_slice(&line[..depth]);
    for i in depth..line.len() {
        out[i] = line[i].wrapping_add(out[i - depth]);
    }
}

/// Words of `N` bytes from a row that holds all most significant bytes first, then all of the next, and so on
/// (TIFF technical note 3): those from word `first` on, every `depth`-th.
fn significance_to_words<const N: usize>(
    bytes: &[u8],
    first: usize,
    depth: usize,
    out: &mut [[u8; N]],
) {
    let words = bytes.len() / N;
    if depth == 1 && N == 4 {
        let plane = |k: usize| &bytes[k * words + first..k * words + first + out.len()];
        let (a, b, c, d) = (plane(0), plane(1), plane(2), plane(3));
        for (i, to) in out.iter_mut().enumerate() {
            let word = u32::from_be_bytes([a[i], b[i], c[i], d[i]]);
            to.copy_from_slice(&word.to_ne_bytes());
        }
        return;
    }
    for (i, to) in out.iter_mut().enumerate() {
        for k in 0..N {
            to[k] = bytes[k * words + first + i * depth];
        }
        if cfg!(target_endian = "little") {
            to.reverse();
        }
    }
}
