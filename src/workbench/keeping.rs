//! What the pad, a digit key, the place Data and files of strokes do with the kept drawings.

use std::sync::Arc;

use super::handwriting::{HandwritingCommand, HandwritingEvent, HandwritingView};
use super::{NoticeKind, Workbench};
use crate::drawing::Drawing;
use crate::storage::handwriting::{KeptDrawing, MOST_DRAWINGS};
use crate::storage::handwriting_export;

impl Workbench {
    /// The drawings that the person keeps.
    pub fn handwriting(&self) -> &HandwritingView {
        &self.handwriting
    }

    /// The drawing on the pad has been given a label, another one, or none any more: it is kept, once.
    pub(super) fn keep_labelled(&mut self) {
        let hand = &mut self.handwriting;
        match (self.true_label, hand.on_pad.clone()) {
            (Some(label), Some(id)) => hand.relabel(&id, label),
            (Some(_), None) if hand.drawings.len() >= MOST_DRAWINGS => {
                let text = format!("{MOST_DRAWINGS} drawings are kept already; delete some to keep more");
                self.notify(NoticeKind::Info, text);
            }
            (Some(label), None) => {
                // undone and drawn again, or brought back from here: it is kept already
                if let Some(same) = hand.drawings.iter().find(|view| *view.kept.drawing == self.drawing) {
                    let id = same.kept.id.clone();
                    hand.relabel(&id, label);
                    hand.on_pad = Some(id);
                    return;
                }
                let drawing = Arc::new(self.drawing.clone());
                let ids = hand.add(vec![KeptDrawing { id: String::new(), label, writer: None, drawing }]);
                hand.on_pad = ids.into_iter().next();
                hand.tell(format!("Kept as {label}"));
            }
            (None, Some(id)) => hand.delete(&[id]),
            (None, None) => {}
        }
    }

    /// The drawing on the pad has changed: while it grows, what is kept grows with it.
    pub(super) fn kept_follows_pad(&mut self) {
        let hand = &mut self.handwriting;
        let Some(id) = hand.on_pad.clone() else { return };
        let Some(place) = hand.find(&id).map(|(place, _)| place).filter(|_| self.true_label.is_some()) else {
            hand.on_pad = None;
            return;
        };
        let begins =
            |drawing: &Drawing| drawing.strokes.first().map(|s| (s.width, s.samples.first().map(|p| [p.x, p.y])));
        let kept = &mut hand.drawings[place];
        // what has been moved or given another pen is no longer as the hand drew it
        if begins(&kept.kept.drawing) == begins(&self.drawing) && *kept.kept.drawing != self.drawing {
            kept.kept.drawing = Arc::new(self.drawing.clone());
            kept.measured = None;
            hand.changed();
        }
    }

    pub(super) fn handle_handwriting(&mut self, command: HandwritingCommand) {
        let hand = &mut self.handwriting;
        match command {
            HandwritingCommand::Delete(ids) => hand.delete(&ids),
            HandwritingCommand::Relabel { id, label } if label < 10 => hand.relabel(&id, label),
            HandwritingCommand::Relabel { .. } => {}
            HandwritingCommand::Undo => hand.undo(),
            HandwritingCommand::OnPad(id) => {
                self.true_label = hand.find(&id).map(|(_, view)| view.kept.label);
                hand.on_pad = Some(id).filter(|_| self.true_label.is_some());
            }
            HandwritingCommand::Import(path) => {
                let failed = |text| HandwritingEvent::Imported(Err(text));
                hand.once("Importing drawings", failed, move || {
                    let imported = handwriting_export::import(&path);
                    HandwritingEvent::Imported(imported.map_err(|error| super::jobs::sentence(&error)))
                });
            }
            HandwritingCommand::Export(form, path) => {
                let drawings = hand.kept();
                let failed = |text| HandwritingEvent::Exported(Err(text));
                hand.once("Exporting drawings", failed, move || {
                    let exported = handwriting_export::export(&drawings, form, &path);
                    HandwritingEvent::Exported(exported.map_err(|error| super::jobs::sentence(&error)))
                });
            }
            HandwritingCommand::Score => self.score_handwriting(),
            HandwritingCommand::CancelScoring => hand.scores.cancel(),
            HandwritingCommand::FineTune(name) => self.fine_tune(&name),
        }
        // what was on the pad and is kept no longer has no label either, or the next key would take it for kept
        if self.true_label.is_some() && self.handwriting.on_pad.is_none() {
            self.true_label = None;
        } else if let Some((_, view)) = self.handwriting.on_pad.as_ref().and_then(|id| self.handwriting.find(id)) {
            self.true_label = Some(view.kept.label);
        }
    }

    pub(super) fn handwriting_said(&mut self, event: HandwritingEvent) {
        let hand = &mut self.handwriting;
        match event {
            HandwritingEvent::Measured(part) => {
                hand.measured(part);
                if hand.scores.is_waiting() {
                    self.score_handwriting();
                }
            }
            HandwritingEvent::Written(Ok(())) => {}
            HandwritingEvent::Imported(Ok(imported)) => {
                let room = MOST_DRAWINGS - hand.drawings.len().min(MOST_DRAWINGS);
                let count = imported.drawings.len();
                if count > room {
                    let text = format!("{count} drawings are too many: {room} more can be kept. Nothing was imported");
                    self.notify(NoticeKind::Problem, text);
                    return;
                }
                hand.add(imported.drawings);
                hand.tell(if count == 1 {
                    "Imported 1 drawing".to_owned()
                } else {
                    format!("Imported {count} drawings")
                });
                if let Some(note) = imported.note {
                    self.notify(NoticeKind::Info, note);
                }
            }
            HandwritingEvent::Exported(Ok(text)) => self.notify(NoticeKind::Info, text),
            HandwritingEvent::ReadyToTrain(Ok(config)) => self.start_training(*config, None),
            HandwritingEvent::Written(Err(text))
            | HandwritingEvent::Imported(Err(text))
            | HandwritingEvent::Exported(Err(text))
            | HandwritingEvent::ReadyToTrain(Err(text)) => self.notify(NoticeKind::Problem, text),
            HandwritingEvent::Score(event) => hand.scores.apply(event, &hand.drawings),
        }
    }
}
