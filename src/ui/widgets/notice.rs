//! Notices that come in at the lower right, one sentence and perhaps one action each, and go by themselves.

use super::button::{Button, IconButton};
use crate::ui::{
    icons,
    style::{self, DRAWER_SECONDS},
    text::{self, IconWeight},
    theme,
};
use eframe::egui::{self, Align2, Id, Label, Layout, Order, Pos2, Role, vec2};
use std::time::Duration;

/// What a notice is about; it decides the icon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    /// Something to know.
    Info,
    /// Something is done.
    Done,
    /// Something to look at.
    Warning,
    /// Something failed.
    Failure,
}

struct Notice {
    number: u64,
    kind: NoticeKind,
    sentence: String,
    action: Option<String>,
    seconds_left: f32,
}

/// The notices in view.
#[derive(Default)]
pub struct Notices {
    list: Vec<Notice>,
    next: u64,
}

const WIDTH: f32 = 320.0;

impl Notices {
    /// Shows a sentence for six seconds, a failure for twelve. The number names it in what [`Self::show`] answers.
    pub fn push(&mut self, kind: NoticeKind, sentence: impl Into<String>, action: Option<&str>) -> u64 {
        let sentence = sentence.into();
        self.list.retain(|notice| notice.sentence != sentence);
        self.next += 1;
        let seconds_left = if kind == NoticeKind::Failure { 12.0 } else { 6.0 };
        let action = action.map(str::to_owned);
        self.list.push(Notice { number: self.next, kind, sentence, action, seconds_left });
        if self.list.len() > 4 {
            self.list.remove(0);
        }
        self.next
    }

    /// As [`Self::push`] for something that is offered: it stays until somebody answers.
    pub fn offer(&mut self, sentence: impl Into<String>, action: &str) -> u64 {
        let number = self.push(NoticeKind::Info, sentence, Some(action));
        if let Some(notice) = self.list.last_mut() {
            notice.seconds_left = f32::INFINITY;
        }
        number
    }

    /// Takes a notice away whose time is over.
    pub fn dismiss(&mut self, number: u64) {
        self.list.retain(|notice| notice.number != number);
    }

    /// Whether none is in view.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Paints them upwards from `corner` (their lower right end). Answers the notice whose action was pressed.
    pub fn show(&mut self, ctx: &egui::Context, corner: Pos2) -> Option<u64> {
        let elapsed = ctx.input(|input| input.unstable_dt).min(1.0);
        let mut acted = None;
        let mut bottom = corner.y;
        for notice in self.list.iter_mut().rev() {
            let id = Id::unique("notice").with(notice.number);
            let shown = ctx.animate_bool_with_time(id, true, DRAWER_SECONDS);
            let area = egui::Area::new(id)
                .order(Order::Foreground)
                .pivot(Align2::RIGHT_BOTTOM)
                .fixed_pos(egui::pos2(corner.x + (1.0 - shown) * 24.0, bottom))
                .show(ctx, |ui| {
                    ui.multiply_opacity(shown);
                    style::floating(theme::of(ui)).show(ui, |ui| notice.ui(ui)).inner
                });
            let (action, close) = area.inner;
            if action {
                acted = Some(notice.number);
            }
            if action || close {
                notice.seconds_left = 0.0;
            } else if !area.response.contains_pointer() {
                notice.seconds_left -= elapsed;
            }
            bottom -= area.response.rect.height() + 8.0;
        }
        self.list.retain(|notice| notice.seconds_left > 0.0);
        if self.list.iter().any(|notice| notice.seconds_left.is_finite()) {
            ctx.request_repaint_after(Duration::from_millis(100));
        }
        acted
    }
}

impl Notice {
    fn ui(&self, ui: &mut egui::Ui) -> (bool, bool) {
        let p = theme::of(ui);
        ui.set_width(WIDTH - 24.0);
        let (icon, colour) = match self.kind {
            NoticeKind::Info => (icons::INFO, p.text2),
            NoticeKind::Done => (icons::CHECK_CIRCLE, p.accent),
            NoticeKind::Warning => (icons::WARNING, p.warn),
            NoticeKind::Failure => (icons::WARNING_CIRCLE, p.error),
        };
        ui.horizontal(|ui| {
            ui.label(text::icon(icon, 18.0, IconWeight::Fill).color(colour));
            let action_width = self.action.as_ref().map_or(0.0, |action| 32.0 + 7.0 * action.len() as f32);
            let room = ui.available_width() - 32.0 - action_width - 12.0;
            let sentence =
                ui.allocate_ui_with_layout(vec2(room, 32.0), Layout::left_to_right(egui::Align::Center), |ui| {
                    ui.set_width(room);
                    ui.add(Label::new(text::body(&self.sentence)).wrap())
                });
            sentence.inner.widget_info(|| egui::WidgetInfo::labeled(Role::Alert, true, &self.sentence));
            ui.with_layout(Layout::right_to_left(egui::Align::Center), |ui| {
                ui.spacing_mut().item_spacing.x = 0.0;
                let close = ui.add(IconButton::new(icons::X, "Close notice").size(14.0)).clicked();
                let action = self.action.as_ref().is_some_and(|action| ui.add(Button::quiet(action)).clicked());
                (action, close)
            })
            .inner
        })
        .inner
    }
}
