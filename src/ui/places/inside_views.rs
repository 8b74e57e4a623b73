//! The pictures of the RBF room: the drawing, its states, a code, and what every state adds to a distance.

use eframe::egui::{Align2, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};

use super::{DrawPlace, Scene};
use crate::drawing::SIDE;
use crate::inference::RbfReading;
use crate::models::CLASSES;
use crate::ui::text::{self, IconWeight, Weight};
use crate::ui::widgets::digit_view;
use crate::ui::widgets::unit_picture::{self, UnitPicture, legend};
use crate::ui::{icons, style, theme};

/// Widths of what stands between two pictures.
pub(super) const SIGN: f32 = 28.0;
pub(super) const WIDE_SIGN: f32 = 52.0;
/// Between the small pictures.
const SMALL_GAP: f32 = 20.0;
/// Height of a heading with its note.
const HEAD: f32 = 40.0;
/// What the squashing function of F6 cannot reach.
const STATE_LIMIT: f32 = 1.7159;
/// The scale of contributions ends here at least, so that a good match is not all glare.
const LEAST_EXTENT: f32 = 1.0;

/// The width of [`View::against`].
pub(super) fn against_width(cell: f32) -> f32 {
    21.0 * cell + 2.0 * SMALL_GAP
}

/// A heading of 13/600 over a note.
pub(super) fn head(ui: &mut Ui, width: f32, title: &str, note: &str) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, HEAD), Sense::hover());
    let painter = ui.painter();
    painter.text(rect.left_top(), Align2::LEFT_TOP, title, text::font(text::BODY, Weight::Semibold), p.text);
    let at = rect.left_top() + vec2(0.0, 18.0);
    painter.text(at, Align2::LEFT_TOP, note, text::font(text::SMALL, Weight::Regular), p.text2);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, format!("{title}, {note}")));
}

/// What one frame shows.
pub(super) struct View<'a> {
    /// `[classes · units]`.
    pub codes: &'a [f32],
    pub reading: Option<&'a RbfReading>,
    pub ranked: Option<[usize; CLASSES]>,
    /// Whose code is shown large: the one the person has chosen, or the nearest.
    class: usize,
    /// The nearest, and what it is set against: the chosen one, or the second.
    pair: Option<[usize; 2]>,
    units: usize,
    ringed: Option<usize>,
    /// The unit under the pointer in this frame, or the one that keys have reached.
    pub hovered: Option<usize>,
}

impl<'a> View<'a> {
    pub fn new(
        codes: &'a [f32],
        reading: Option<&'a RbfReading>,
        compared: Option<usize>,
        ringed: Option<usize>,
    ) -> Self {
        let ranked = reading.map(RbfReading::ranked);
        let class = compared.or(ranked.map(|ranked| ranked[0])).unwrap_or(0);
        let pair = ranked.map(|[best, second, ..]| [best, if class == best { second } else { class }]);
        Self { codes, reading, ranked, class, pair, units: codes.len() / CLASSES, ringed, hovered: None }
    }

    /// The pad, and the states that the network makes of the drawing.
    pub fn read(&mut self, ui: &mut Ui, draw: &mut DrawPlace, pad: f32, cell: f32, scene: &mut Scene<'_>) {
        let p = theme::of(ui);
        ui.vertical(|ui| {
            ui.set_width(pad);
            head(ui, pad, "Drawing", "the same as on Draw");
            draw.small_pad(ui, pad, scene);
            ui.add_space(8.0);
            what_is_read(ui, pad, scene);
        });
        sign(ui, SIGN, cell, icons::ARROW_RIGHT, "");
        let layer = self.reading.map_or("F6", |reading| &reading.layer);
        let (title, note) = (format!("{layer} now"), format!("{} states of the drawing", self.units));
        let values = self.reading.map(|reading| reading.states.as_slice());
        let response = self.picture(ui, &title, &note, values, cell, &|x| p.signed(x / STATE_LIMIT), |ui, width| {
            legend(ui, width, ["−1.72", "0", "1.72"], |t| p.signed(2.0 * t - 1.0));
        });
        self.tell(&response, |reading, unit| format!("state {}", text::number(reading.states[unit].into(), 2)));
    }

    /// A code, and what every state adds to the distance from it, `gap` apart.
    pub fn compare(&mut self, ui: &mut Ui, cell: f32, gap: f32) {
        let p = theme::of(ui);
        let class = self.class;
        let code = &self.codes[class * self.units..][..self.units];
        let title = format!("Code of {class}");
        let signed = |x: f32| p.signed(x / STATE_LIMIT);
        let is_learnt = code.iter().any(|x| x.abs() != 1.0);
        let decimals = if is_learnt { 2 } else { 0 };
        let note = if is_learnt { "learnt" } else { "−1 or +1" };
        let response = self.picture(ui, &title, note, Some(code), cell, &signed, |ui, width| {
            if is_learnt {
                legend(ui, width, ["−1.72", "0", "1.72"], |t| p.signed(2.0 * t - 1.0));
                return;
            }
            let font = text::font(text::SMALL, Weight::Regular);
            let (rect, _) = ui.allocate_exact_size(vec2(width, 26.0), Sense::hover());
            ui.painter().text(rect.left_top(), Align2::LEFT_TOP, "orange +1, blue −1", font, p.text2);
        });
        self.tell(&response, |_, unit| format!("code of {class} {}", text::change(code[unit].into(), decimals)));
        sign(ui, gap, cell, icons::ARROW_RIGHT, "squared");
        let added = self.reading.map(|reading| reading.contributions(class));
        let extent = extent(added.as_deref().unwrap_or_default());
        let note = self.reading.map_or_else(
            || "adds up to the distance".to_owned(),
            |reading| format!("adds up to {}", text::number(reading.distances[class].into(), 1)),
        );
        let amount = |x: f32| p.amount(x / extent);
        let response = self.picture(ui, "Squared difference", &note, added.as_deref(), cell, &amount, |ui, width| {
            legend(ui, width, ["0", "", &text::number(extent.into(), 2)], |t| p.amount(t));
        });
        self.tell(&response, |reading, unit| {
            let [state, code, adds] = [reading.states[unit], code[unit], (reading.states[unit] - code[unit]).powi(2)];
            let [state, adds] = [state, adds].map(|x| text::number(x.into(), 2));
            format!("state {state}, code {}, adds {adds}", text::change(code.into(), decimals))
        });
    }

    /// What every state adds to the distances of two digits, and the difference of the two: it decides.
    pub fn against(&mut self, ui: &mut Ui, cell: f32) {
        let p = theme::of(ui);
        let added = self.reading.zip(self.pair).map(|(reading, pair)| pair.map(|class| reading.contributions(class)));
        let apart: Option<Vec<f32>> =
            added.as_ref().map(|[best, other]| other.iter().zip(best).map(|(other, best)| other - best).collect());
        let most = added.as_ref().map_or(LEAST_EXTENT, |both| extent(&both[0]).max(extent(&both[1])));
        let widest = extent(apart.as_deref().unwrap_or_default());
        let [to_best, to_other] = [0, 1].map(|which| self.pair.map(|pair| pair[which]));
        let name = |class: Option<usize>, otherwise: &str| {
            class.map_or_else(|| otherwise.to_owned(), |class| class.to_string())
        };
        let (best, other) = (name(to_best, "best"), name(to_other, "second"));
        let distance = |class: Option<usize>| {
            let reading = self.reading.zip(class);
            reading.map_or_else(String::new, |(reading, class)| text::number(reading.distances[class].into(), 1))
        };
        let lead = self.reading.zip(self.pair).map_or_else(
            || "the lead".to_owned(),
            |(reading, [a, b])| {
                format!("{} in all", text::change((reading.distances[b] - reading.distances[a]).into(), 1))
            },
        );
        let [note_best, note_other] = [to_best, to_other].map(|class| match distance(class) {
            sum if sum.is_empty() => "squared differences".to_owned(),
            sum => format!("{sum} in all"),
        });
        let amount = |x: f32| p.amount(x / most);
        let signed = |x: f32| p.signed(x / widest);
        let (first, second) = (format!("Adds to {best}"), format!("Adds to {other}"));
        ui.horizontal_top(|ui| {
            let parts: [(&str, &str, Option<&[f32]>); 2] = [
                (&first, &note_best, added.as_ref().map(|both| both[0].as_slice())),
                (&second, &note_other, added.as_ref().map(|both| both[1].as_slice())),
            ];
            for (title, note, values) in parts {
                let response = self.picture(ui, title, note, values, cell, &amount, |ui, width| {
                    legend(ui, width, ["0", "", &text::number(most.into(), 2)], |t| p.amount(t));
                });
                self.tell(&response, |_, unit| {
                    format!("adds {}", text::number(values.map_or(0.0, |values| values[unit]).into(), 2))
                });
                ui.add_space(SMALL_GAP);
            }
            let ends = self.pair.map_or_else(
                || [String::new(), String::new()],
                |[best, other]| [format!("for {other}"), format!("for {best}")],
            );
            let response = self.picture(ui, "Difference", &lead, apart.as_deref(), cell, &signed, |ui, width| {
                legend(ui, width, [&ends[0], "", &ends[1]], |t| p.signed(2.0 * t - 1.0));
            });
            self.tell(&response, |_, unit| {
                let value = apart.as_ref().map_or(0.0, |apart| apart[unit]);
                format!(
                    "speaks for {} by {}",
                    if value < 0.0 { &other } else { &best },
                    text::number(value.abs().into(), 2)
                )
            });
        });
    }

    /// A picture under its heading, with `below` under it.
    #[allow(clippy::too_many_arguments, reason = "all of it is on the screen")]
    fn picture(
        &mut self,
        ui: &mut Ui,
        title: &str,
        note: &str,
        values: Option<&[f32]>,
        cell: f32,
        colour: &dyn Fn(f32) -> eframe::egui::Color32,
        below: impl FnOnce(&mut Ui, f32),
    ) -> Response {
        let width = unit_picture::size(self.units, cell).x;
        let shown = ui.vertical(|ui| {
            ui.set_width(width);
            head(ui, width, title, note);
            let name = format!("{title}, {} units", self.units);
            let picture = UnitPicture { name: &name, units: self.units, values, cell, colour, ringed: self.ringed };
            let (response, hovered) = picture.show(ui);
            self.hovered = hovered.or(self.hovered);
            ui.add_space(8.0);
            below(ui, width);
            response
        });
        shown.inner
    }

    /// Names the unit under the pointer or reached by keys.
    fn tell(&self, response: &Response, what: impl Fn(&RbfReading, usize) -> String) {
        let asked = response.hovered() || response.has_focus();
        if let (true, Some(unit), Some(reading)) = (asked, self.hovered, self.reading) {
            response.show_tooltip_text(format!("Unit {unit}, {}", what(reading, unit)));
        }
    }
}

/// The image that the network gets, small, with its name beside it.
fn what_is_read(ui: &mut Ui, width: f32, scene: &Scene<'_>) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(width, 56.0), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, "The image that the network gets"));
    let place = Rect::from_min_size(rect.min, vec2(56.0, 56.0));
    match scene.workbench.preparation() {
        Some(preparation) => {
            digit_view::paint_digit(ui, response.id, place, &preparation.image.pixels, SIDE, style::IMAGE_RADIUS);
        }
        None => digit_view::paint_empty(ui, place),
    }
    for (line, words) in ["what the network", "gets, 28 × 28"].into_iter().enumerate() {
        let at = pos2(place.right() + 10.0, place.center().y + 15.0 * (line as f32 - 0.5));
        ui.painter().text(at, Align2::LEFT_CENTER, words, text::font(text::SMALL, Weight::Regular), p.text2);
    }
}

/// The greatest size of a value, for a scale.
fn extent(values: &[f32]) -> f32 {
    values.iter().fold(LEAST_EXTENT, |extent, x| extent.max(x.abs()))
}

/// The minus between the states and the code beside them.
pub(super) fn minus(ui: &mut Ui, cell: f32) {
    sign(ui, SIGN, cell, icons::MINUS, "");
}

/// A sign between two pictures, at the height of their middle.
fn sign(ui: &mut Ui, width: f32, cell: f32, icon: &str, word: &str) {
    let p = theme::of(ui);
    let (rect, _) = ui.allocate_exact_size(vec2(width, HEAD + 12.0 * cell), Sense::hover());
    let at = pos2(rect.center().x, rect.top() + HEAD + 6.0 * cell);
    let painter = ui.painter();
    painter.text(at, Align2::CENTER_CENTER, icon, text::icon_font(16.0, IconWeight::Regular), p.text2);
    let font = text::font(text::SMALL, Weight::Regular);
    painter.text(at - vec2(0.0, 10.0), Align2::CENTER_BOTTOM, word, font, p.text2);
}
