//! A window without a screen, and what a person does with it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use digitpad::data::{Drawn, idx};
use digitpad::nn::DeviceChoice;
use digitpad::storage::shipped;
use digitpad::training::TrainingConfig;
use digitpad::ui::app::App;
use digitpad::ui::places::Place;
use digitpad::ui::style;
use digitpad::workbench::{Command, Options, SetChoice, Workbench};
use eframe::egui::{self, Key, Modifiers, PointerButton, Pos2, Theme, Vec2, vec2};
use egui_kittest::Harness;
use egui_kittest::kittest::{NodeT, Queryable};

/// A window with the folder that its runs go to.
pub struct Window {
    pub harness: Harness<'static, App>,
    pub folder: tempfile::TempDir,
}

impl Window {
    pub fn open() -> Self {
        Self::open_as(vec2(1280.0, 800.0), 1.0, Theme::Dark)
    }

    /// `size` in points; a screen of `scale` pixels a point.
    pub fn open_as(size: Vec2, scale: f32, theme: Theme) -> Self {
        Self::open_in(tempfile::tempdir().unwrap(), size, scale, theme)
    }

    /// With the runs and drawings that an earlier window has left.
    pub fn open_in(folder: tempfile::TempDir, size: Vec2, scale: f32, theme: Theme) -> Self {
        let workbench = Workbench::start(Options {
            runs: folder.path().join("runs"),
            drawings: Some(folder.path().join("drawings")),
            device: DeviceChoice::Cpu,
            threads: Some(2),
            wake: Arc::new(|_| {}),
            snapshot_every: Duration::from_millis(100),
        });
        let app = App::new(workbench.unwrap(), None, Arc::default()).unwrap();
        let harness = Harness::builder()
            .with_size(size)
            .with_pixels_per_point(scale)
            .with_theme(theme)
            .with_context_setup(style::install)
            // nothing draws until a picture is asked for, so that no graphics driver is needed
            .build_eframe(|_| app);
        let mut window = Self { harness, folder };
        window.settle();
        window
    }

    /// A few frames: an answer to an event may need a second layout, and animations are short.
    pub fn settle(&mut self) {
        self.harness.run_steps(4);
    }

    /// Frames until `done`, at most a minute.
    pub fn until(&mut self, what: &str, done: impl Fn(&Workbench) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(60);
        while !done(self.harness.state_mut().workbench()) {
            let notices = self.harness.state_mut().workbench().notices().to_vec();
            assert!(Instant::now() < deadline, "waited a minute for {what}; notices: {notices:?}");
            self.harness.step();
            std::thread::sleep(Duration::from_millis(5));
        }
        self.settle();
    }

    pub fn workbench(&mut self) -> &mut Workbench {
        self.harness.state_mut().workbench()
    }

    pub fn press(&mut self, modifiers: Modifiers, key: Key) {
        self.harness.key_press_modifiers(modifiers, key);
        self.settle();
    }

    pub fn go(&mut self, place: Place) {
        self.harness.state_mut().go(place);
        self.settle();
    }

    pub fn sees(&self, label: &str) -> bool {
        self.harness.query_all_by_label_contains(label).next().is_some()
    }

    pub fn assert_sees(&self, labels: &[&str]) {
        for label in labels {
            assert!(self.sees(label), "nothing here is called \"{label}\"; there are: {}", self.names());
        }
    }

    pub fn names(&self) -> String {
        let labels = self.harness.root().children_recursive().filter_map(|node| node.accesskit_node().label());
        labels.collect::<Vec<_>>().join(" | ")
    }

    /// Presses and releases the main button.
    pub fn click(&mut self, at: Pos2) {
        self.harness.event(egui::Event::PointerMoved(at));
        self.button(at, true);
        self.harness.step();
        // a frame counts as a quarter of a second here, and a press that lasts is no click
        self.button(at, false);
        self.settle();
    }

    pub fn button(&self, pos: Pos2, pressed: bool) {
        let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
        self.harness.event(egui::Event::PointerButton { pos, button, pressed, modifiers });
    }

    pub fn click_label(&mut self, label: &str) {
        let centre = self.harness.get_by_label(label).rect().center();
        self.click(centre);
    }

    pub fn click_label_containing(&mut self, label: &str) {
        let node = self.harness.query_all_by_label_contains(label).next();
        let centre = node.unwrap_or_else(|| panic!("nothing is called \"{label}\"")).rect().center();
        self.click(centre);
    }

    /// Where several things have this name: the one furthest down.
    pub fn click_lowest(&mut self, label: &str) {
        let centres = self.harness.query_all_by_label(label).map(|node| node.rect().center());
        let centre = centres.max_by(|a, b| a.y.total_cmp(&b.y));
        self.click(centre.unwrap_or_else(|| panic!("nothing is called \"{label}\"")));
    }

    /// A stroke on the pad through points in shares of its side, several samples a frame.
    pub fn draw(&mut self, points: &[[f32; 2]]) {
        let pad = self.harness.get_by_label_contains("Pad, ").rect();
        let at = |point: &[f32; 2]| pad.min + vec2(point[0], point[1]) * pad.width();
        self.harness.event(egui::Event::PointerMoved(at(&points[0])));
        self.button(at(&points[0]), true);
        self.harness.step();
        for pair in points.windows(2) {
            for share in [0.25, 0.5, 0.75, 1.0] {
                let [from, to] = [at(&pair[0]), at(&pair[1])];
                self.harness.event(egui::Event::PointerMoved(from + (to - from) * share));
            }
            self.harness.step();
        }
        self.button(at(&points[points.len() - 1]), false);
        self.settle();
    }

    /// What the close button of the window's frame says.
    pub fn ask_to_close(&mut self) {
        let viewports = &mut self.harness.input_mut().viewports;
        viewports.entry(egui::ViewportId::ROOT).or_default().events.push(egui::ViewportEvent::Close);
        self.settle();
    }

    pub fn draw_one(&mut self) {
        self.draw(&[[0.52, 0.15], [0.5, 0.5], [0.48, 0.85]]);
    }

    /// A quick training: a few hundred drawn digits, for so many epochs.
    pub fn config(&self, epochs: u32) -> TrainingConfig {
        let digits = Drawn { train: 600, test: 100, seed: 3 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap();
        let data = self.folder.path().join("digits");
        std::fs::create_dir_all(&data).unwrap();
        idx::write_folder(&data, &digits.train, &digits.test).unwrap();
        let preset = shipped::find("mlp").unwrap().config().unwrap();
        TrainingConfig { data: data.to_str().unwrap().to_owned(), epochs, validation: 100, batch_size: 32, ..preset }
    }

    pub fn train(&mut self, epochs: u32) {
        let config = self.config(epochs);
        self.workbench().handle(Command::StartTraining(config));
    }

    pub fn evaluate(&mut self) {
        self.workbench().handle(Command::Evaluate { set: SetChoice::Test });
        self.until("an evaluation", |workbench| {
            let evaluation = workbench.evaluation();
            evaluation.progress.is_none() && evaluation.result.is_some()
        });
    }

    /// Draws the window into a file; false where this computer cannot draw.
    pub fn picture(&mut self, path: &Path) -> bool {
        self.settle();
        let drawn = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.harness.render()));
        let Ok(Ok(image)) = drawn else { return false };
        let first = *image.get_pixel(0, 0);
        let different = image.pixels().filter(|pixel| **pixel != first).count();
        assert!(different > 1_000, "{} is nearly blank: {different} pixels differ", path.display());
        image.save(path).unwrap();
        true
    }
}
