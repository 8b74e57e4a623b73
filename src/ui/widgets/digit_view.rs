//! Small grey images on the screen: one digit, a sheet of hundreds, and grids of signed maps. Each keeps one texture
//! and uploads it only when its pixels changed.

use crate::ui::theme::{self, Palette};
use eframe::egui::{
    self, Color32, ColorImage, CornerRadius, Id, Rect, Shape, Stroke, StrokeKind, TextureHandle, TextureOptions, Ui,
    epaint::RectShape, pos2,
};
use std::hash::{DefaultHasher, Hash, Hasher};

/// What a view remembers between frames under its id.
#[derive(Clone)]
struct Kept {
    seen: u64,
    texture: TextureHandle,
}

/// The texture kept under `id`, made or renewed with `image` when `seen` (a fingerprint of its content) is new.
pub(super) fn kept_texture(
    ctx: &egui::Context,
    id: Id,
    seen: u64,
    options: TextureOptions,
    image: impl FnOnce() -> ColorImage,
) -> TextureHandle {
    match ctx.data(|data| data.get_temp::<Kept>(id)) {
        Some(kept) if kept.seen == seen => kept.texture,
        Some(mut kept) => {
            kept.texture.set(image(), options);
            kept.seen = seen;
            ctx.data_mut(|data| data.insert_temp(id, kept.clone()));
            kept.texture
        }
        None => {
            let texture = ctx.load_texture("digit", image(), options);
            ctx.data_mut(|data| data.insert_temp(id, Kept { seen, texture: texture.clone() }));
            texture
        }
    }
}

pub(super) fn fingerprint(content: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    hasher.finish()
}

/// Ink as an opacity, so that one texture serves both themes: it is tinted when painted.
pub(super) fn ink_pixel(ink: u8) -> Color32 {
    Color32::from_white_alpha(ink)
}

/// Paints a square grey raster (0 is paper, 255 is ink) of `side`×`side` into `rect`, with its paper and its edge.
/// `id` names the view; its texture is kept from frame to frame.
pub fn paint_digit(ui: &Ui, id: Id, rect: Rect, ink: &[u8], side: usize, radius: u8) {
    debug_assert_eq!(ink.len(), side * side);
    let magnified = rect.width() * ui.pixels_per_point() > side as f32;
    // Larger than the screen shows it, an image has to be averaged; smaller, its pixels are to be seen.
    let options = if magnified { TextureOptions::NEAREST } else { TextureOptions::LINEAR };
    let texture = kept_texture(ui.ctx(), id, fingerprint((ink, side, magnified)), options, || {
        ColorImage::new([side, side], ink.iter().map(|&ink| ink_pixel(ink)).collect())
    });
    paint_paper(ui, rect, radius);
    let p = theme::of(ui);
    let uv = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
    ui.painter().add(RectShape::filled(rect, CornerRadius::same(radius), p.ink).with_texture(texture.id(), uv));
    paint_edge(ui, rect, radius);
}

/// Paints the empty place of a digit image: a dashed outline.
pub fn paint_empty(ui: &Ui, rect: Rect) {
    let p = theme::of(ui);
    let rect = rect.shrink(0.5);
    let corners = [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom(), rect.left_top()];
    ui.painter().extend(Shape::dashed_line(&corners, Stroke::new(1.0, p.line), 4.0, 4.0));
}

fn paint_paper(ui: &Ui, rect: Rect, radius: u8) {
    ui.painter().rect_filled(rect, CornerRadius::same(radius), theme::of(ui).paper);
}

fn paint_edge(ui: &Ui, rect: Rect, radius: u8) {
    let stroke = Stroke::new(1.0, theme::of(ui).hair);
    ui.painter().rect_stroke(rect, CornerRadius::same(radius), stroke, StrokeKind::Inside);
}

/// Many equal square images in one texture.
pub struct Sheet {
    texture: TextureHandle,
    tile: usize,
    columns: usize,
    rows: usize,
    count: usize,
}

impl Sheet {
    /// Digit images (`side`×`side` ink each). `None` when there are none, or more than one texture holds.
    pub fn of_digits<'a>(
        ctx: &egui::Context,
        name: &str,
        images: impl IntoIterator<Item = &'a [u8]>,
        side: usize,
    ) -> Option<Self> {
        let tiles: Vec<Vec<Color32>> =
            images.into_iter().map(|image| image.iter().map(|&ink| ink_pixel(ink)).collect()).collect();
        let (image, columns, rows) = sheet_image(&tiles, side)?;
        if image.width().max(image.height()) > ctx.input(|input| input.max_texture_side) {
            return None;
        }
        let texture = ctx.load_texture(name, image, TextureOptions::NEAREST);
        Some(Self { texture, tile: side, columns, rows, count: tiles.len() })
    }

    /// How many images it holds.
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Paints digit `index` into `rect` with paper and edge.
    pub fn paint(&self, ui: &Ui, index: usize, rect: Rect, radius: u8) {
        paint_paper(ui, rect, radius);
        let p = theme::of(ui);
        let uv = tile_uv(index, self.tile, self.columns, self.rows);
        ui.painter()
            .add(RectShape::filled(rect, CornerRadius::same(radius), p.ink).with_texture(self.texture.id(), uv));
        paint_edge(ui, rect, radius);
    }
}

/// Signed maps of one layer (row-major, `side`×`side` each), painted with one texture.
pub struct MapSheet {
    texture: TextureHandle,
    tile: usize,
    columns: usize,
    rows: usize,
}

impl MapSheet {
    /// The maps under the view `id`; `scale` is the size of value that gets the full colour (the same for all maps, or
    /// one per map when `scale` has as many entries). `None` when there are none.
    pub fn new(ui: &Ui, id: Id, maps: &[&[f32]], side: usize, scale: &[f32]) -> Option<Self> {
        let p = theme::of(ui);
        let bits: Vec<u32> = maps.iter().flat_map(|map| map.iter().map(|v| v.to_bits())).collect();
        let scale_bits: Vec<u32> = scale.iter().map(|v| v.to_bits()).collect();
        let seen = fingerprint((bits, scale_bits, side, p.dark));
        if maps.is_empty() || scale.is_empty() {
            return None;
        }
        let (columns, rows) = sheet_grid(maps.len());
        let texture = kept_texture(ui.ctx(), id, seen, TextureOptions::NEAREST, || {
            let tiles: Vec<Vec<Color32>> =
                maps.iter().enumerate().map(|(index, map)| map_pixels(p, map, scale[index % scale.len()])).collect();
            sheet_image(&tiles, side).map_or_else(ColorImage::default, |(image, _, _)| image)
        });
        Some(Self { texture, tile: side, columns, rows })
    }

    /// Paints map `index` into `rect`, `opacity` 1 unless it is to step back.
    pub fn paint(&self, ui: &Ui, index: usize, rect: Rect, radius: u8, opacity: f32) {
        let uv = tile_uv(index, self.tile, self.columns, self.rows);
        let tint = Color32::WHITE.gamma_multiply(opacity);
        ui.painter().add(RectShape::filled(rect, CornerRadius::same(radius), tint).with_texture(self.texture.id(), uv));
        paint_edge(ui, rect, radius);
    }
}

fn map_pixels(p: &Palette, map: &[f32], scale: f32) -> Vec<Color32> {
    let scale = if scale > 0.0 { scale } else { 1.0 };
    map.iter().map(|&value| p.signed(value / scale)).collect()
}

/// The strip that explains the signed scale: 200×8 with both ends and zero under it.
pub fn signed_legend(ui: &mut Ui, scale: f32, decimals: usize) {
    use crate::ui::text::{self, Weight};
    let p = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(egui::vec2(200.0, 24.0), egui::Sense::hover());
    let strip = Rect::from_min_size(rect.min, egui::vec2(200.0, 8.0));
    strip_of(ui, strip, |t| p.signed(t * 2.0 - 1.0));
    let font = text::font(text::SMALL, Weight::Regular);
    let end = text::number(scale.into(), decimals);
    let y = rect.bottom();
    let painter = ui.painter();
    painter.text(pos2(strip.left(), y), egui::Align2::LEFT_BOTTOM, format!("−{end}"), font.clone(), p.text2);
    painter.text(pos2(strip.center().x, y), egui::Align2::CENTER_BOTTOM, "0", font.clone(), p.text2);
    painter.text(pos2(strip.right(), y), egui::Align2::RIGHT_BOTTOM, end, font, p.text2);
}

/// Fills `rect` with a colour scale from left (0) to right (1).
pub fn strip_of(ui: &Ui, rect: Rect, colour: impl Fn(f32) -> Color32) {
    let mut mesh = egui::Mesh::default();
    let steps = 64;
    for step in 0..=steps {
        let t = step as f32 / steps as f32;
        let x = rect.left() + rect.width() * t;
        mesh.colored_vertex(pos2(x, rect.top()), colour(t));
        mesh.colored_vertex(pos2(x, rect.bottom()), colour(t));
        if step > 0 {
            let i = 2 * step;
            mesh.add_triangle(i - 2, i - 1, i);
            mesh.add_triangle(i - 1, i, i + 1);
        }
    }
    ui.painter().add(Shape::mesh(mesh));
}

fn sheet_grid(count: usize) -> (usize, usize) {
    let columns = (count as f64).sqrt().ceil().max(1.0) as usize;
    (columns, count.div_ceil(columns).max(1))
}

/// Lays tiles out in rows, each with a border of its own edge pixels so that neighbours never bleed into it.
fn sheet_image(tiles: &[Vec<Color32>], side: usize) -> Option<(ColorImage, usize, usize)> {
    if tiles.is_empty() {
        return None;
    }
    let (columns, rows) = sheet_grid(tiles.len());
    let pitch = side + 2;
    let width = columns * pitch;
    let mut pixels = vec![Color32::TRANSPARENT; width * rows * pitch];
    for (index, tile) in tiles.iter().enumerate() {
        let (left, top) = ((index % columns) * pitch, (index / columns) * pitch);
        for y in 0..pitch {
            for x in 0..pitch {
                let from = y.saturating_sub(1).min(side - 1) * side + x.saturating_sub(1).min(side - 1);
                pixels[(top + y) * width + left + x] = tile[from];
            }
        }
    }
    Some((ColorImage::new([width, rows * pitch], pixels), columns, rows))
}

/// Where tile `index` lies in its texture, its border left out.
fn tile_uv(index: usize, side: usize, columns: usize, rows: usize) -> Rect {
    let pitch = (side + 2) as f32;
    let (width, height) = (pitch * columns as f32, pitch * rows as f32);
    let (left, top) = ((index % columns) as f32 * pitch + 1.0, (index / columns) as f32 * pitch + 1.0);
    let side = side as f32;
    Rect::from_min_max(pos2(left / width, top / height), pos2((left + side) / width, (top + side) / height))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sheet_keeps_every_tile_where_its_uv_points() {
        let tiles: Vec<Vec<Color32>> = (0..7).map(|index| vec![Color32::from_gray(index * 30); 4]).collect();
        let (image, columns, rows) = sheet_image(&tiles, 2).expect("seven tiles");
        assert_eq!((columns, rows), (3, 3));
        for (index, tile) in tiles.iter().enumerate() {
            let uv = tile_uv(index, 2, columns, rows);
            let x = (uv.center().x * image.width() as f32) as usize;
            let y = (uv.center().y * image.height() as f32) as usize;
            assert_eq!(image.pixels[y * image.width() + x], tile[0], "tile {index}");
        }
    }

    #[test]
    fn no_tiles_make_no_sheet() {
        assert!(sheet_image(&[], 28).is_none());
    }
}
