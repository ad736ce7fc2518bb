//! TIFF files made by hand, byte by byte from the specification, for the tests of the reader: every sample type,
//! compression, predictor, block layout and byte order, without the code of any reader or writer.

/// What a file shall be.
#[derive(Debug, Clone)]
pub struct Spec {
    pub shape: (usize, usize),
    pub bands: usize,
    /// Sample format (1 unsigned, 2 signed, 3 float) and bits.
    pub sample: (u16, u16),
    pub compression: u16,
    pub predictor: u16,
    /// Rows and columns of a tile, or rows of a strip.
    pub block: (usize, Option<usize>),
    /// Bands one after the other.
    pub planar: bool,
    pub little_endian: bool,
    pub nodata: Option<&'static str>,
    pub metadata: Option<&'static str>,
    /// Blocks that the file leaves out.
    pub absent: Vec<usize>,
}

impl Spec {
    pub fn new(shape: (usize, usize), sample: (u16, u16)) -> Self {
        Spec {
            shape,
            bands: 1,
            sample,
            compression: 1,
            predictor: 1,
            block: (shape.0, None),
            planar: false,
            little_endian: true,
            nodata: None,
            metadata: None,
            absent: Vec::new(),
        }
    }

    /// The file; `value(band, row, col)` gives the cells.
    pub fn bytes(&self, value: impl Fn(usize, usize, usize) -> f64) -> Vec<u8> {
        let (rows, cols) = self.shape;
        let (height, width) = (self.block.0, self.block.1.unwrap_or(cols));
        let (planes, depth) = if self.planar {
            (self.bands, 1)
        } else {
            (1, self.bands)
        };
        let mut blocks = Vec::new();
        for plane in 0..planes {
            for top in (0..rows).step_by(height) {
                for left in (0..cols).step_by(width) {
                    // Strips end with the raster, tiles are padded.
                    let last = if self.block.1.is_none() {
                        (top + height).min(rows)
                    } else {
                        top + height
                    };
                    let mut raw = Vec::new();
                    for row in top..last {
                        let mut line = Vec::new();
                        for col in left..left + width {
                            for d in 0..depth {
                                let inside = row < rows && col < cols;
                                let v = if inside {
                                    value(plane + d, row, col)
                                } else {
                                    0.0
                                };
                                line.push(self.word(v));
                            }
                        }
                        raw.extend(self.predicted(&line, depth));
                    }
                    if self.absent.contains(&blocks.len()) {
                        blocks.push(Vec::new());
                    } else {
                        blocks.push(compressed(&raw, self.compression));
                    }
                }
            }
        }
        self.assemble(&blocks)
    }

    /// The bits of a cell.
    fn word(&self, v: f64) -> u64 {
        match self.sample {
            (3, 32) => u64::from((v as f32).to_bits()),
            (3, 64) => v.to_bits(),
            (2, _) => v as i64 as u64,
            _ => v as u64,
        }
    }

    fn stored(&self, word: u64) -> Vec<u8> {
        let n = usize::from(self.sample.1 / 8);
        if self.little_endian {
            word.to_le_bytes()[..n].to_vec()
        } else {
            word.to_be_bytes()[8 - n..].to_vec()
        }
    }

    /// TIFF 6.0 section 14 (differences of words), TIFF technical note 3 (bytes of floats by significance, then
    /// differences of bytes).
    fn predicted(&self, line: &[u64], depth: usize) -> Vec<u8> {
        match self.predictor {
            2 => (0..line.len())
                .flat_map(|i| {
                    let before = if i < depth { 0 } else { line[i - depth] };
                    self.stored(line[i].wrapping_sub(before))
                })
                .collect(),
            3 => {
                let n = usize::from(self.sample.1 / 8);
                let mut bytes: Vec<u8> = (0..n)
                    .flat_map(|k| line.iter().map(move |w| w.to_be_bytes()[8 - n + k]))
                    .collect();
                for i in (depth..bytes.len()).rev() {
                    bytes[i] = bytes[i].wrapping_sub(bytes[i - depth]);
                }
                bytes
            }
            _ => line.iter().flat_map(|w| self.stored(*w)).collect(),
        }
    }

    fn assemble(&self, blocks: &[Vec<u8>]) -> Vec<u8> {
        let (rows, cols) = self.shape;
        let bands = self.bands;
        let mut offsets = Vec::new();
        let mut at = 8;
        for block in blocks {
            offsets.push(if block.is_empty() { 0 } else { at });
            at += block.len() as u64;
        }
        let sizes: Vec<u64> = blocks.iter().map(|b| b.len() as u64).collect();
        let one = |v: usize| vec![v as u64];
        let mut tags: Vec<(u16, u16, Vec<u64>)> = vec![
            (256, 4, one(cols)),
            (257, 4, one(rows)),
            (258, 3, vec![u64::from(self.sample.1); bands]),
            (259, 3, vec![u64::from(self.compression)]),
            (262, 3, one(1)),
            (277, 3, one(bands)),
            (284, 3, one(if self.planar { 2 } else { 1 })),
            (317, 3, vec![u64::from(self.predictor)]),
            (339, 3, vec![u64::from(self.sample.0); bands]),
            (33550, 12, [0.1f64, 0.1, 0.0].map(f64::to_bits).to_vec()),
            (
                33922,
                12,
                [0.0f64, 0.0, 0.0, 119.0, 30.0, 0.0]
                    .map(f64::to_bits)
                    .to_vec(),
            ),
            (34735, 3, vec![1, 1, 0, 2, 1024, 0, 1, 2, 2048, 0, 1, 4490]),
        ];
        match self.block.1 {
            Some(width) => tags.extend([
                (322, 4, one(width)),
                (323, 4, one(self.block.0)),
                (324, 4, offsets),
                (325, 4, sizes),
            ]),
            None => tags.extend([
                (273, 4, offsets),
                (278, 4, one(self.block.0)),
                (279, 4, sizes),
            ]),
        }
        if bands > 1 {
            tags.push((338, 3, vec![0; bands - 1]));
        }
        for (code, text) in [(42112, self.metadata), (42113, self.nodata)] {
            if let Some(text) = text {
                tags.push((code, 2, text.bytes().chain([0]).map(u64::from).collect()));
            }
        }
        tags.sort_by_key(|t| t.0);
        let put = |v: u64, n: usize| {
            if self.little_endian {
                v.to_le_bytes()[..n].to_vec()
            } else {
                v.to_be_bytes()[8 - n..].to_vec()
            }
        };
        let mut out = if self.little_endian { *b"II" } else { *b"MM" }.to_vec();
        out.extend(put(42, 2));
        out.extend(put(at, 4));
        out.extend(blocks.concat());
        out.extend(put(tags.len() as u64, 2));
        let mut beyond = at + 2 + 12 * tags.len() as u64 + 4;
        let mut tail = Vec::new();
        for (code, kind, values) in &tags {
            let size = match kind {
                2 => 1,
                3 => 2,
                4 => 4,
                _ => 8,
            };
            let mut bytes: Vec<u8> = values.iter().flat_map(|v| put(*v, size)).collect();
            out.extend(put(u64::from(*code), 2));
            out.extend(put(u64::from(*kind), 2));
            out.extend(put(values.len() as u64, 4));
            if bytes.len() <= 4 {
                bytes.resize(4, 0);
                out.extend(bytes);
            } else {
                out.extend(put(beyond, 4));
                beyond += bytes.len() as u64;
                tail.extend(bytes);
            }
        }
        out.extend([0; 4]);
        out.extend(tail);
        out
    }
}

/// Bytes in one of TIFF's compressions, in the plainest form that each allows.
fn compressed(raw: &[u8], code: u16) -> Vec<u8> {
    match code {
        5 => lzw(raw),
        8 => {
            use std::io::Write;
            let mut encoder =
                flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
            encoder.write_all(raw).unwrap();
            encoder.finish().unwrap()
        }
        32773 => packbits(raw),
        50000 => zstd(raw),
        _ => raw.to_vec(),
    }
}

/// Literals, with a clear code before the codes grow beyond nine bits.
fn lzw(raw: &[u8]) -> Vec<u8> {
    const CLEAR: u16 = 256;
    const END: u16 = 257;
    let mut codes = vec![CLEAR];
    for (i, &byte) in raw.iter().enumerate() {
        if i > 0 && i % 200 == 0 {
            codes.push(CLEAR);
        }
        codes.push(u16::from(byte));
    }
    codes.push(END);
    let (mut out, mut held, mut bits) = (Vec::new(), 0_u32, 0);
    for code in codes {
        held = held << 9 | u32::from(code);
        bits += 9;
        while bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    if bits > 0 {
        out.push((held << (8 - bits)) as u8);
    }
    out
}

/// Runs of three and more, and literals between them.
fn packbits(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut i = 0;
    while i < raw.len() {
        let run = raw[i..]
            .iter()
            .take_while(|b| **b == raw[i])
            .count()
            .min(128);
        if run >= 3 {
            out.extend([(257 - run) as u8, raw[i]]);
            i += run;
        } else {
            out.extend([0, raw[i]]);
            i += 1;
        }
    }
    out
}

/// A frame of raw blocks (RFC 8878, 3.1.1).
fn zstd(raw: &[u8]) -> Vec<u8> {
    let mut out = vec![0x28, 0xB5, 0x2F, 0xFD];
    // Single segment with a content size of four bytes.
    out.push(0b1010_0000);
    out.extend((raw.len() as u32).to_le_bytes());
    let mut parts = raw.chunks(65_536).peekable();
    while let Some(part) = parts.next() {
        let head = (part.len() as u32) << 3 | u32::from(parts.peek().is_none());
        out.extend(&head.to_le_bytes()[..3]);
        out.extend(part);
    }
    out
}
