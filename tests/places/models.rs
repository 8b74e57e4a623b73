//! Every model in every place.

use digitpad::storage::shipped;
use digitpad::training::TrainingConfig;
use digitpad::ui::places::Place;
use digitpad::workbench::{Command, ModelChoice, Phase};

use crate::window::Window;
use crate::{essentials, visit_all};

#[test]
fn every_layer_of_every_shipped_model_can_be_seen() {
    let mut window = Window::open();
    window.draw_one();
    for shipped in shipped::SHIPPED {
        window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped(shipped.id)));
        for (number, layer) in window.workbench().layers().into_iter().enumerate() {
            window.workbench().handle(Command::WatchLayer(Some(number)));
            window.until(&format!("{} of {}", layer.name, shipped.id), |workbench| {
                workbench
                    .feature_maps()
                    .is_some_and(|maps| maps.layer == layer.name && maps.description == layer.description)
            });
            window.go(Place::Draw);
            window.assert_sees(&[&layer.name, &layer.description]);
        }
        window.go(Place::Inside);
        window.assert_sees(essentials(Place::Inside));
    }
}

#[test]
fn models_of_every_kind_are_judged_trained_and_looked_back_at() {
    let mut window = Window::open();
    window.draw_one();
    let digits = window.config(1).data;
    for id in ["scratch", "scratch-deep", "cnn-bn", "resnet", "ensemble"] {
        let shipped = shipped::find(id).unwrap();
        // an ensemble does not learn
        if let Ok(preset) = shipped.config() {
            let short = TrainingConfig { epochs: 2, validation: 100, batch_size: 50, train_limit: Some(100), ..preset };
            window.workbench().handle(Command::StartTraining(TrainingConfig { data: digits.clone(), ..short }));
            window.until("the end", |workbench| {
                workbench.training().is_some_and(|view| matches!(view.phase, Phase::Ended(_)))
            });
            visit_all(&mut window);
            window.go(Place::Train);
            window.assert_sees(&["F1 per digit"]);
            window.workbench().handle(Command::LookBack(Some(0)));
            window.until("a moment", |workbench| workbench.time().is_some_and(|time| time.playhead.is_some()));
            visit_all(&mut window);
        }
        window.workbench().handle(Command::ChooseModel(ModelChoice::Shipped(shipped.id)));
        window.evaluate();
        let confusion = window.workbench().evaluation().result.as_ref().unwrap().confusion;
        assert!(confusion.accuracy() > 0.8, "{id}: {}", confusion.accuracy());
        visit_all(&mut window);
        window.go(Place::Mistakes);
        window.assert_sees(&["Confusion matrix"]);
    }
}
