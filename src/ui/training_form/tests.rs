//! The form: what is typed, what it makes, and what comes back from files.

use super::*;

#[test]
fn a_form_makes_its_preset_and_tells_what_is_wrong() {
    let form = TrainingForm::preset("lenet5", "mnist").unwrap();
    assert_eq!(form.config().unwrap(), presets::find("lenet5").unwrap().config().unwrap());
    for (field, change) in [
        (Field::Rate, TrainingForm { rate: "NaN".to_owned(), ..form.clone() }),
        (Field::Rate, TrainingForm { rate: "fast".to_owned(), ..form.clone() }),
        (Field::Rate, TrainingForm { rate: "-1".to_owned(), ..form.clone() }),
        (Field::Rate, TrainingForm { rate: "0,002".to_owned(), ..form.clone() }),
        (Field::Batch, TrainingForm { batch: "0".to_owned(), ..form.clone() }),
        (Field::Epochs, TrainingForm { epochs: "1e3".to_owned(), ..form.clone() }),
        (Field::Seed, TrainingForm { seed: "-1".to_owned(), ..form.clone() }),
        (Field::Momentum, TrainingForm { momentum: "1".to_owned(), ..form.clone() }),
    ] {
        assert_eq!(change.config().unwrap_err().0, field, "{change:?}");
    }
}

#[test]
fn every_configuration_comes_back_as_it_went_in() {
    let presets = presets::all().map(|preset| preset.config().unwrap());
    let own = "model = \"mlp\"\nepochs = 7\nbatch_size = 10\nlearning_rate = 0.003\ndata = \"/some/where\"\nvalidation = 9\n\
               keep_epochs = true\norder = \"constant\"\nchosen = \"last\"\ntrain_limit = 20\nclip_norm = 1.5\n\
               warm_up = 0.07\nfrom = \"mlp\"\n[optimizer]\nkind = \"adam-w\"\nbeta1 = 0.85\nbeta2 = 0.9\nweight_decay = 0.3\n\
               [schedule]\nkind = \"one-cycle\"\nrise = 0.21\n[augmentation]\nsqueeze = 0.07\nundistorted = 0.3\n\
               [beside]\ndrawn = 12\nstrangers = 3\n[early_stopping]\npatience = 30\nmin_delta = 0.5\non = \"accuracy\"\n";
    let optimizers = OptimizerConfig::CHOICES.iter().map(|(.., optimizer)| {
        let config = presets::find("mlp").unwrap().config().unwrap();
        TrainingConfig { optimizer: *optimizer, clip_norm: None, ..config }
    });
    let own = TrainingConfig::from_toml(own).unwrap();
    for config in presets.chain([own]).chain(optimizers) {
        assert_eq!(TrainingForm::of(config.clone()).config().unwrap(), config);
    }
    // another model learns from the same digits, and other digits leave the rest as it was
    let own = presets::find("mlp").unwrap().config().unwrap();
    let own = TrainingConfig { data: "/some/where".to_owned(), validation: 9, keep_epochs: true, ..own };
    let mut form = TrainingForm::of(own.clone());
    form.choose_model("lenet5");
    assert_eq!((form.config().unwrap().data, form.own_digits()), (own.data.clone(), Some("where")));
    let mut form = TrainingForm::of(own.clone());
    form.choose_source("drawn");
    let drawn = TrainingConfig { data: "drawn".to_owned(), validation: DRAWN_VALIDATION, ..own };
    assert_eq!(form.config().unwrap(), drawn);
}

#[test]
fn a_form_knows_which_preset_it_shows() {
    let mut form = TrainingForm::preset("ninety-nine", "mnist").unwrap();
    assert_eq!((form.model, form.chosen_preset()), ("lenet5", Some("ninety-nine")));
    form.choose_source("drawn");
    form.seed = "7".to_owned();
    assert_eq!(form.chosen_preset(), Some("ninety-nine"));
    form.epochs = "1000".to_owned();
    assert_eq!(form.chosen_preset(), None);
    assert!(form.presets().contains(&("lenet5", "Recommended")));
}

#[test]
fn a_variation_is_a_setting_of_its_model() {
    let mut form = TrainingForm::preset("lenet5", "mnist").unwrap();
    let plain = form.config().unwrap();
    form.model = "lenet5-relu";
    assert_eq!(form.config().unwrap(), TrainingConfig { model: "lenet5-relu".to_owned(), ..plain });
    assert_eq!((form.chosen_preset(), form.further_settings()), (Some("lenet5"), 1));
    form.choose_preset("ninety-nine");
    assert_eq!((form.model, form.chosen_preset()), ("lenet5-relu", Some("ninety-nine")));
    let again = TrainingForm::of(form.config().unwrap());
    assert_eq!(again.config().unwrap(), form.config().unwrap());
}

#[test]
fn further_settings_reach_the_configuration_and_wait_while_they_mean_nothing() {
    let mut form = TrainingForm::preset("lenet5", "mnist").unwrap();
    let plain = form.config().unwrap();
    (form.warm_up, form.smoothing, form.clip) = (0.05, 0.1, " 1.5 ".to_owned());
    form.initialisation = Initialisation::Kaiming;
    form.freeze_up_to = Some("S4".to_owned());
    let config = form.config().unwrap();
    assert_eq!(config.loss, Loss::SmoothedCrossEntropy { smoothing: 0.1 });
    assert_eq!((config.warm_up, config.clip_norm), (0.05, Some(1.5)));
    assert_eq!((config.initialisation, &config.freeze_up_to), (Initialisation::Kaiming, &None));
    assert_eq!(form.further_settings(), 4);
    form.from = Some("cnn".to_owned());
    assert_eq!(form.config().unwrap().freeze_up_to.as_deref(), Some("S4"));
    assert_eq!(
        form.changes(&plain)[..3],
        ["start fresh to cnn".to_owned(), "frozen nothing to S4".into(), "warm-up 0 to 0.05".into()]
    );
    form.clip = "short".to_owned();
    assert_eq!(form.config().unwrap_err().0, Field::Clip);
    // a loss of distances has no targets to smooth
    let mut distances = TrainingForm::preset("lenet5-1998", "mnist").unwrap();
    distances.smoothing = 0.1;
    assert_eq!(distances.config().unwrap().loss, Loss::Distance);
    assert_eq!(distances.further_settings(), 1, "its recommended initial weights");
}

#[test]
fn a_schedule_keeps_its_settings_while_another_is_chosen() {
    let mut form = TrainingForm::preset("lenet5", "mnist").unwrap();
    let own = form.schedule;
    *form.chosen_schedule() = Schedule::Cosine { final_factor: 0.2 };
    for kind in 0..Schedule::CHOICES.len() {
        form.schedule = kind;
        assert_eq!(form.config().unwrap().schedule.choice(), kind);
    }
    form.schedule = own;
    assert_eq!(form.config().unwrap().schedule, Schedule::Cosine { final_factor: 0.2 });
}

#[test]
fn changes_are_named_and_can_be_discarded() {
    let mut form = TrainingForm::preset("lenet5", "mnist").unwrap();
    let running = form.config().unwrap();
    assert!(form.changes(&running).is_empty());
    (form.batch, form.momentum) = ("32".to_owned(), "0.8".to_owned());
    assert!(form.changes(&running).is_empty(), "both act on the run under way");
    form.choose_optimizer("momentum");
    form.choose_source("drawn");
    assert_eq!(form.changes(&running)[..2], ["digits mnist to drawn", "optimiser adam to momentum"]);
    form.discard(&running);
    assert_eq!(form.config().unwrap(), running);
}

#[test]
fn plain_back_propagation_is_offered_nothing_that_it_would_refuse() {
    for id in ["scratch", "scratch-deep"] {
        let mut form = TrainingForm::preset(id, "mnist").unwrap();
        (form.smoothing, form.from, form.freeze_up_to) = (0.1, Some(id.to_owned()), Some("Hidden".to_owned()));
        assert!(!form.has_targets() && !form.learns_by_layers());
        let config = form.config().unwrap();
        assert_eq!((config.loss, config.freeze_up_to), (Loss::CrossEntropy, None), "{id}");
    }
    assert!(TrainingForm::preset("mlp", "mnist").unwrap().has_targets());
}

#[test]
fn the_form_knows_what_digits_a_configuration_names() {
    let own = "model = \"mlp\"\nepochs = 7\nbatch_size = 10\nlearning_rate = 0.003\ndata = \"/some/where\"\n\
               [optimizer]\nkind = \"sgd\"\n";
    let mut form = TrainingForm::of(TrainingConfig::from_toml(own).unwrap());
    assert_eq!(form.data(), "/some/where");
    form.choose_source("drawn");
    assert_eq!(form.data(), "drawn");
}
