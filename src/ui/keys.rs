//! The keyboard: what every key does, told in one list and obeyed from it.

use eframe::egui::{self, Align2, Key, Modifiers, Ui, vec2};

use super::places::Place;
use super::{style, text, theme};

/// What a key asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Go(Place),
    PlayOrPause,
    StepBatch,
    StepEpoch,
    Reset,
    ResetZoom,
    Clear,
    /// Clear the pad, or delete the selected drawing on Data, the chosen runs on Runs.
    Delete,
    Undo,
    Redo,
    Pin,
    Eraser,
    Guides,
    /// The drawing is this digit.
    Label(u8),
    Narrower,
    Wider,
    OpenPicture,
    SavePicture,
    CopyPicture,
    Theme,
    FullScreen,
    Help,
    /// Back to the newest weights.
    Live,
    Close,
}

struct Shortcut {
    action: Action,
    modifiers: Modifiers,
    key: Key,
    /// Acts also while a field is being edited.
    everywhere: bool,
}

const fn plain(action: Action, key: Key) -> Shortcut {
    Shortcut { action, modifiers: Modifiers::NONE, key, everywhere: false }
}

const fn command(action: Action, key: Key) -> Shortcut {
    Shortcut { action, modifiers: Modifiers::COMMAND, key, everywhere: true }
}

const SHIFT_COMMAND: Modifiers = Modifiers { shift: true, ..Modifiers::COMMAND };

/// The longer chords first: a key with more modifiers must not be taken for the one with fewer.
const SHORTCUTS: [Shortcut; 41] = [
    Shortcut { action: Action::Redo, modifiers: SHIFT_COMMAND, key: Key::Z, everywhere: false },
    Shortcut { action: Action::Undo, modifiers: Modifiers::COMMAND, key: Key::Z, everywhere: false },
    Shortcut { action: Action::Redo, modifiers: Modifiers::COMMAND, key: Key::Y, everywhere: false },
    command(Action::Go(Place::Draw), Key::Num1),
    command(Action::Go(Place::Train), Key::Num2),
    command(Action::Go(Place::Inside), Key::Num3),
    command(Action::Go(Place::Mistakes), Key::Num4),
    command(Action::Go(Place::Runs), Key::Num5),
    command(Action::Go(Place::Data), Key::Num6),
    command(Action::OpenPicture, Key::O),
    command(Action::SavePicture, Key::S),
    command(Action::Reset, Key::R),
    command(Action::Theme, Key::T),
    plain(Action::PlayOrPause, Key::Space),
    Shortcut { action: Action::StepEpoch, modifiers: Modifiers::SHIFT, key: Key::Period, everywhere: false },
    plain(Action::StepBatch, Key::Period),
    plain(Action::ResetZoom, Key::Z),
    plain(Action::Live, Key::L),
    plain(Action::Clear, Key::C),
    plain(Action::Pin, Key::P),
    plain(Action::Delete, Key::Delete),
    plain(Action::Eraser, Key::E),
    plain(Action::Guides, Key::G),
    plain(Action::Narrower, Key::OpenBracket),
    plain(Action::Wider, Key::CloseBracket),
    plain(Action::Label(0), Key::Num0),
    plain(Action::Label(1), Key::Num1),
    plain(Action::Label(2), Key::Num2),
    plain(Action::Label(3), Key::Num3),
    plain(Action::Label(4), Key::Num4),
    plain(Action::Label(5), Key::Num5),
    plain(Action::Label(6), Key::Num6),
    plain(Action::Label(7), Key::Num7),
    plain(Action::Label(8), Key::Num8),
    plain(Action::Label(9), Key::Num9),
    Shortcut { action: Action::FullScreen, modifiers: Modifiers::NONE, key: Key::F11, everywhere: true },
    Shortcut { action: Action::Help, modifiers: Modifiers::NONE, key: Key::F1, everywhere: true },
    Shortcut { action: Action::Help, modifiers: Modifiers::SHIFT, key: Key::Slash, everywhere: false },
    plain(Action::Help, Key::Questionmark),
    Shortcut { action: Action::Help, modifiers: Modifiers::SHIFT, key: Key::Questionmark, everywhere: false },
    Shortcut { action: Action::Close, modifiers: Modifiers::NONE, key: Key::Escape, everywhere: false },
];

/// The actions of this frame's keys. Single keys act only when no field or focused control wants them.
pub fn actions(ctx: &egui::Context) -> Vec<Action> {
    let typing = ctx.text_edit_focused();
    let focused = ctx.memory(|memory| memory.focused().is_some());
    let mut actions = Vec::new();
    for shortcut in &SHORTCUTS {
        let free = if shortcut.modifiers == Modifiers::NONE { !focused } else { !typing };
        // an open menu takes Escape for itself
        let taken = shortcut.key == Key::Escape && egui::Popup::is_any_open(ctx);
        if taken || !(free || shortcut.everywhere) {
            continue;
        }
        if ctx.input_mut(|input| input.consume_key(shortcut.modifiers, shortcut.key)) {
            actions.push(shortcut.action);
        }
    }
    // the window turns Ctrl+C into an event of its own
    if !typing && ctx.input(|input| input.events.iter().any(|event| matches!(event, egui::Event::Copy))) {
        actions.push(Action::CopyPicture);
    }
    actions
}

/// Keys and what they do, as the help sheet and the README tell them.
pub const TOLD: [(&str, &[(&str, &str)]); 3] = [
    (
        "Draw",
        &[
            ("C, Delete", "Clear the pad"),
            ("Ctrl+Z, Ctrl+Shift+Z", "Undo, redo"),
            ("[ and ]", "Thinner, thicker pen"),
            ("P", "Pin the drawing"),
            ("E, right button", "Eraser"),
            ("G", "Guides and the network's pixels"),
            ("0 to 9", "Keep it as this digit; again takes it back"),
            ("Ctrl+O, Ctrl+V, drop", "Open, paste a picture"),
            ("Ctrl+S, Ctrl+C", "Save, copy the network's image"),
        ],
    ),
    (
        "Train",
        &[
            ("Space", "Train, pause, go on"),
            (". and Shift+.", "One batch, one epoch"),
            ("Ctrl+R", "Reset the curves; the run is kept"),
            ("Drag, then Z or double click", "Zoom into the plots, reset"),
            ("Left, Right", "Move the cursor of a plot"),
        ],
    ),
    (
        "Everywhere",
        &[
            ("Ctrl+1, 2, 3, 4, 5, 6", "Draw, Train, Inside, Mistakes, Runs, Data"),
            ("Delete, 0 to 9, Ctrl+Z", "On Data: delete, relabel, undo"),
            ("Arrows, Enter, Delete", "On Runs: move, to the pad or open seeds, delete"),
            ("Arrows, Enter", "Move in matrix, gallery and pictures of units, open"),
            ("Left, Right", "Move a slider, the reject line, the time strip"),
            ("L", "From a moment of the run back to live"),
            ("Tab, Space", "Next control, press it"),
            ("Ctrl+T", "Theme"),
            ("Ctrl+plus, Ctrl+minus, Ctrl+0", "Size of everything"),
            ("F11, F1, Ctrl+Q", "Full screen, this sheet, quit"),
        ],
    ),
];

/// The help sheet: keys, where files are, licences.
pub fn help(ctx: &egui::Context, open: &mut bool, runs: &std::path::Path) {
    if !*open {
        return;
    }
    let p = theme::of_theme(ctx.theme());
    egui::Window::new(text::heading("Keys and help"))
        .frame(style::card(p).fill(p.raise))
        .collapsible(false)
        .resizable(false)
        .anchor(Align2::CENTER_CENTER, vec2(0.0, 0.0))
        .open(open)
        .default_size(vec2(452.0, (ctx.content_rect().height() - 120.0).min(620.0)))
        .vscroll(true)
        .show(ctx, |ui| {
            ui.set_width(420.0);
            ui.spacing_mut().item_spacing.y = 2.0;
            for (heading, keys) in TOLD {
                ui.label(text::section(heading));
                for (key, does) in keys {
                    row(ui, key, does);
                }
                ui.add_space(8.0);
            }
            ui.label(text::section("Files"));
            ui.add(egui::Label::new(text::label(format!("Runs are kept in {}", runs.display())).color(p.text2)).wrap());
            ui.add_space(8.0);
            ui.label(text::section(format!("Digitpad {}", env!("CARGO_PKG_VERSION"))));
            egui::CollapsingHeader::new(text::label("Licences of fonts and icons")).show(ui, |ui| {
                for licence in super::text::LICENCES {
                    ui.label(text::small(licence).color(p.text2));
                }
            });
        });
}

fn row(ui: &mut Ui, key: &str, does: &str) {
    let p = theme::of(ui);
    let (rect, response) = ui.allocate_exact_size(vec2(420.0, 20.0), egui::Sense::hover());
    let font = |weight| text::font(text::LABEL, weight);
    ui.painter().text(rect.left_center(), Align2::LEFT_CENTER, key, font(text::Weight::Semibold), p.text);
    let at = rect.left_center() + vec2(190.0, 0.0);
    ui.painter().text(at, Align2::LEFT_CENTER, does, font(text::Weight::Regular), p.text2);
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, format!("{key}: {does}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_shortcuts_share_a_chord() {
        for (i, a) in SHORTCUTS.iter().enumerate() {
            for b in &SHORTCUTS[..i] {
                assert!(a.key != b.key || a.modifiers != b.modifiers, "{:?} and {:?}", a.action, b.action);
            }
        }
    }
}
