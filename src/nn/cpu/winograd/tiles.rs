//! Tiles of all blocks in one row, their borders, and the transformed inputs that both products begin with.

use std::cell::RefCell;
use std::thread::AccessError;

use super::super::convolution::ConvShape;
use super::super::simd::{LANES, Simd};
use super::transforms::{Square, Transform, transform};
use super::{POSITIONS, SIDE};

/// Tiles that are transformed together: their values at all positions stay in the second cache.
pub const GROUP: usize = 6;

/// Memory whose vectors never straddle two cache lines, lent by the thread: to ask the system for it at every call, and to
/// fill it with zeros, cost a twentieth of a training.
pub struct Scratch {
    memory: Vec<Line>,
    lines: usize,
}

#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; 16]);

impl Line {
    const ZERO: Self = Self([0.0; 16]);
}

thread_local! {
    /// What no product on this thread uses at the moment.
    static IDLE: RefCell<Vec<Vec<Line>>> = const { RefCell::new(Vec::new()) };
}

impl Scratch {
    /// At least so many floats, which hold whatever was left there.
    pub fn new(floats: usize) -> Self {
        let lines = floats.div_ceil(16);
        let mut memory = IDLE.with_borrow_mut(|idle| {
            // the smallest that is large enough, else the largest, which has least to grow
            let rank = |at: &usize| match idle[*at].len() {
                enough if enough >= lines => (false, enough),
                small => (true, usize::MAX - small),
            };
            (0..idle.len()).min_by_key(rank).map(|at| idle.swap_remove(at)).unwrap_or_default()
        });
        if memory.len() < lines {
            memory.resize(lines, Line::ZERO);
        }
        Self { memory, lines }
    }
    /// At least so many zeros.
    pub fn zeros(floats: usize) -> Self {
        let mut scratch = Self::new(floats);
        scratch.clear();
        scratch
    }
    pub fn clear(&mut self) {
        self.memory[..self.lines].fill(Line::ZERO);
    }
    pub fn as_ptr(&self) -> *const f32 {
        self.memory.as_ptr().cast()
    }
    pub fn as_mut_ptr(&mut self) -> *mut f32 {
        self.memory.as_mut_ptr().cast()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        // a thread that is ending lends nothing any more
        let _: Result<(), AccessError> = IDLE.try_with(|idle| idle.borrow_mut().push(memory));
    }
}

/// Floats from one position to the next where a position holds so many vectors: a line more, because steps of a power
/// of two would put all 36 positions into the same few places of the cache.
pub fn step(vectors: usize) -> usize {
    (vectors + 2) * LANES
}

/// Maps in which every tile has a square of `side` rows and columns.
#[derive(Clone, Copy)]
pub struct Maps {
    pub channels: usize,
    height: usize,
    pub width: usize,
    side: usize,
    padding: usize,
}

impl Maps {
    /// What tiles read in the forward direction.
    pub fn inputs(s: &ConvShape) -> Self {
        Self { channels: s.in_channels, height: s.height, width: s.width, side: SIDE, padding: s.padding }
    }
    /// What tiles write in the forward direction.
    pub fn outputs(s: &ConvShape, side: usize) -> Self {
        Self { channels: s.out_channels, height: s.out_height(), width: s.out_width(), side, padding: 0 }
    }
    /// Floats of one map.
    pub fn size(&self) -> usize {
        self.height * self.width * LANES
    }
}

/// The part of a tile's square that lies inside the maps; the rest is padding, or outputs that nobody asked for.
#[derive(Clone, Copy, Default)]
pub struct Window {
    pub block: usize,
    /// Rows and columns of the square that lie inside, first and behind the last.
    pub rows: (usize, usize),
    pub columns: (usize, usize),
    /// The first vector inside, counted from the beginning of its map.
    pub first: usize,
    /// Whether all of it lies inside.
    pub whole: bool,
}

/// The outputs in squares of `side`, row by row, block after block.
pub struct Tiles {
    side: usize,
    across: usize,
    per_block: usize,
    pub count: usize,
}

impl Tiles {
    pub fn new(s: &ConvShape, side: usize, blocks: usize) -> Self {
        let across = s.out_width().div_ceil(side);
        let per_block = across * s.out_height().div_ceil(side);
        Self { side, across, per_block, count: blocks * per_block }
    }

    pub fn window(&self, tile: usize, maps: &Maps) -> Window {
        let Maps { height, width, side, padding, .. } = *maps;
        let (block, place) = (tile / self.per_block, tile % self.per_block);
        let (y, x) = (place / self.across * self.side, place % self.across * self.side);
        let rows = (padding.saturating_sub(y), side.min(height + padding - y));
        let columns = (padding.saturating_sub(x), side.min(width + padding - x));
        let first = (y + rows.0 - padding) * width + x + columns.0 - padding;
        Window { block, rows, columns, first, whole: rows == (0, side) && columns == (0, side) }
    }
}

/// A group of tiles at the points: Bᵀ d B, or A g Aᵀ on the way back.
pub struct Inputs {
    /// `[36][channel][tile of the group][8]`, `step` floats from position to position.
    pub values: Scratch,
    pub step: usize,
    pub maps: Maps,
    /// For each tile of the group, a tile with zeros where the map ends.
    borders: Scratch,
}

impl Inputs {
    pub fn new(maps: Maps) -> Self {
        let step = step(maps.channels * GROUP);
        let borders = Scratch::new(GROUP * POSITIONS * LANES);
        Self { values: Scratch::new(POSITIONS * step), step, maps, borders }
    }

    /// `x` has passed `check`; tiles from `first` on.
    #[inline(always)]
    pub fn fill<S: Simd, T: Transform<FROM, SIDE>, const FROM: usize>(
        &mut self,
        x: &[f32],
        tiles: &Tiles,
        first: usize,
    ) {
        let maps = &self.maps;
        let group = GROUP.min(tiles.count - first);
        let mut windows = [Window::default(); GROUP];
        for (t, window) in windows.iter_mut().enumerate().take(group) {
            *window = tiles.window(first + t, maps);
        }
        self.borders.clear();
        for c in 0..maps.channels {
            for (t, window) in windows.iter().enumerate().take(group) {
                // SAFETY: a window lies inside its map and inside its tile; every tile has its place at every position.
                unsafe {
                    let inside =
                        x.as_ptr().add((window.block * maps.channels + c) * maps.size() + window.first * LANES);
                    let from = if window.whole {
                        Square::map(inside, maps.width)
                    } else {
                        let border = self.borders.as_mut_ptr().add(t * POSITIONS * LANES);
                        copy::<S, false>(Square::map(inside, maps.width), window.in_square(border, FROM), window);
                        Square::map(border.cast_const(), FROM)
                    };
                    let values = self.values.as_mut_ptr().add((c * GROUP + t) * LANES);
                    transform::<S, T, FROM, SIDE, false>(from, Square::positions(values, self.step));
                }
            }
        }
    }
}

impl Window {
    /// The inside part of a square of its own, `side` vectors wide, that begins at `square`.
    ///
    /// # Safety
    /// `square` points at `side * side` vectors.
    #[inline(always)]
    pub unsafe fn in_square(&self, square: *mut f32, side: usize) -> Square<*mut f32> {
        // SAFETY: rows and columns are smaller than `side`.
        Square::map(unsafe { square.add((self.rows.0 * side + self.columns.0) * LANES) }, side)
    }
}

/// Copies the inside part of a window, or adds it to what is there.
///
/// # Safety
/// `from` is valid for reading as many rows and columns as the window has, `to` for writing them.
#[inline(always)]
pub unsafe fn copy<S: Simd, const ADD: bool>(from: Square<*const f32>, to: Square<*mut f32>, window: &Window) {
    for row in 0..window.rows.1 - window.rows.0 {
        for column in 0..window.columns.1 - window.columns.0 {
            // SAFETY: as the caller promises.
            unsafe {
                let vector = S::load(from.first.add(row * from.row + column * from.column));
                let to = to.first.add(row * to.row + column * to.column);
                if ADD { S::load(to).add(vector) } else { vector }.store(to);
            }
        }
    }
}
