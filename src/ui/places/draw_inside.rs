//! Draw's right column: the maps of one layer, as the drawing passes through it.

use eframe::egui::{Align2, CornerRadius, Rect, Sense, Ui, pos2, vec2};

use super::Scene;
use crate::inference::FeatureMaps;
use crate::models;
use crate::ui::text::{self, Weight};
use crate::ui::widgets::bars::{self, DigitBars};
use crate::ui::widgets::digit_view::{self, MapSheet};
use crate::ui::widgets::kept_pixels::kept_pixels;
use crate::ui::widgets::segmented;
use crate::ui::{style, theme};
use crate::workbench::Command;

pub(super) fn inside(ui: &mut Ui, scene: &mut Scene<'_>, width: f32) {
    let p = theme::of(ui);
    let layers = scene.workbench.layers();
    if layers.is_empty() {
        ui.label(text::section("Inside"));
        ui.label(text::body("The network begins in a moment").color(p.text2));
        return;
    }
    let mut chosen = scene.workbench.watched_layer().unwrap_or(0).min(layers.len() - 1);
    let options: Vec<(usize, &str)> = layers.iter().enumerate().map(|(i, layer)| (i, layer.name.as_str())).collect();
    segmented::segmented(ui, "Layer", &mut chosen, &options, width);
    if scene.workbench.watched_layer() != Some(chosen) {
        scene.push(Command::WatchLayer(Some(chosen)));
    }
    let layer = &layers[chosen];
    let [channels, height, layer_width] = layer.output;
    ui.add_space(2.0);
    ui.horizontal(|ui| {
        ui.spacing_mut().item_spacing.x = 8.0;
        ui.label(text::section(layer.name.as_str()));
        let size = if !layer.members.is_empty() {
            "ten each".to_owned()
        } else if height * layer_width == 1 {
            format!("{channels} units")
        } else {
            let maps = if channels == 1 { "map" } else { "maps" };
            format!("{channels} {maps}, {height} × {layer_width}")
        };
        ui.label(text::label(format!("{size} · {}", layer.description)).color(p.text2));
    });
    if let Some(kept) = &layer.kept {
        ui.add_space(4.0);
        kept_pixels(ui, kept, 140.0, width);
        ui.add_space(8.0);
    }
    match scene.workbench.feature_maps().filter(|maps| maps.layer == layer.name) {
        Some(maps) => {
            if !layer.members.is_empty() {
                members(ui, &layer.members, maps);
                return;
            }
            if maps.height * maps.width == 1 {
                units(ui, maps, width);
            } else {
                maps_grid(ui, maps, width);
            }
            digit_view::signed_legend(ui, maps.extent(), 2);
        }
        None => {
            ui.add_space(40.0);
            ui.vertical_centered(|ui| {
                ui.label(text::body("Draw a digit to see what this layer makes of it").color(p.text2));
            });
        }
    }
}

/// What every network of an ensemble finds probable.
fn members(ui: &mut Ui, ids: &[String], maps: &FeatureMaps) {
    for (number, id) in ids.iter().enumerate() {
        let Some(probabilities) = maps.map(number).first_chunk() else { continue };
        ui.add_space(8.0);
        ui.label(text::label(title_of(id)));
        ui.add_space(2.0);
        bars::columns(ui, &DigitBars::probabilities(Some(probabilities)));
    }
}

/// "ResNet, small, seed 2".
fn title_of(id: &str) -> String {
    let title = |id: &str| models::find(id).map(|model| model.title);
    let seeded = || id.rsplit_once("-seed-").and_then(|(id, seed)| Some(format!("{}, seed {seed}", title(id)?)));
    title(id).map(str::to_owned).or_else(seeded).unwrap_or_else(|| id.to_owned())
}

/// Square maps in a grid that fits the column.
fn maps_grid(ui: &mut Ui, maps: &FeatureMaps, width: f32) {
    let p = theme::of(ui);
    let columns = match maps.channels {
        0..=6 => 3,
        7..=16 => 4,
        17..=24 => 6,
        _ => 8,
    };
    let gap = if columns > 4 { 8.0 } else { 16.0 };
    let side = ((width - gap * (columns as f32 - 1.0)) / columns as f32).floor();
    let caption = if columns > 4 { 14.0 } else { 18.0 };
    let rows = maps.channels.div_ceil(columns);
    let tiles: Vec<&[f32]> = (0..maps.channels).map(|channel| maps.map(channel)).collect();
    let scale = [maps.extent()];
    let Some(sheet) = MapSheet::new(ui, ui.scope_id().with("maps"), &tiles, maps.width, &scale) else { return };
    let pitch = vec2(side + gap, side + caption + 4.0);
    let (rect, response) = ui.allocate_exact_size(vec2(width, rows as f32 * pitch.y), Sense::hover());
    response.widget_info(|| {
        let name = format!("{} maps of {}", maps.channels, maps.layer);
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Image, true, name)
    });
    for channel in 0..maps.channels {
        let at = rect.min + vec2((channel % columns) as f32 * pitch.x, (channel / columns) as f32 * pitch.y);
        let place = Rect::from_min_size(at, vec2(side, side));
        sheet.paint(ui, channel, place, 5, 1.0);
        let font = text::font(text::SMALL, Weight::Regular);
        ui.painter().text(at + vec2(0.0, side + 2.0), Align2::LEFT_TOP, channel.to_string(), font, p.text2);
        if response.hover_pos().is_some_and(|pointer| place.contains(pointer)) {
            style::ring(ui, place, 5, 2.0, 2.0);
            let values = maps.map(channel);
            let (low, high) = values.iter().fold((f32::MAX, f32::MIN), |(low, high), &x| (low.min(x), high.max(x)));
            response.show_tooltip_text(format!(
                "Map {channel}, values {} to {}",
                text::number(low.into(), 3),
                text::number(high.into(), 3)
            ));
        }
    }
}

/// Units of a dense layer as small squares, ten in a row where there are ten, else enough rows to fit.
fn units(ui: &mut Ui, maps: &FeatureMaps, width: f32) {
    let p = theme::of(ui);
    let count = maps.channels;
    let columns = match count {
        0..=10 => 10,
        84 => 12,
        _ => 16,
    };
    let pitch = (width / columns as f32).min(if count <= 10 { 40.0 } else { 27.0 });
    let rows = count.div_ceil(columns);
    let (rect, response) = ui.allocate_exact_size(vec2(width, rows as f32 * pitch + 8.0), Sense::hover());
    response.widget_info(|| {
        let name = format!("{count} units of {}", maps.layer);
        eframe::egui::WidgetInfo::labeled(eframe::egui::Role::Image, true, name)
    });
    let extent = maps.extent().max(f32::MIN_POSITIVE);
    for (unit, &value) in maps.values.iter().enumerate() {
        let at = rect.min + vec2((unit % columns) as f32 * pitch, (unit / columns) as f32 * pitch);
        let cell = Rect::from_min_size(at, vec2(pitch - 2.0, pitch - 2.0));
        ui.painter().rect_filled(cell, CornerRadius::same(3), p.signed(value / extent));
        if count <= 10 {
            let font = text::font(text::LABEL, Weight::Regular);
            let at = pos2(cell.center().x, cell.center().y);
            ui.painter().text(
                at,
                Align2::CENTER_CENTER,
                unit.to_string(),
                font,
                theme::text_on(p.signed(value / extent)),
            );
        }
        if response.hover_pos().is_some_and(|pointer| cell.contains(pointer)) {
            style::ring(ui, cell, 3, 1.0, 2.0);
            response.show_tooltip_text(format!("Unit {unit}, {}", text::number(value.into(), 3)));
        }
    }
}
