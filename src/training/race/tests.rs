//! Races on a few drawn digits.

use super::*;
use crate::data::{Corpus, Drawn};
use crate::nn::DeviceChoice;
use crate::training::{Event, run};

const MODEL: &str = "model = \"MODEL\"\nseed = 7\nepochs = 2\nbatch_size = 16\nlearning_rate = 0.1\nvalidation = 40\n\
                     [optimizer]\nkind = \"sgd\"\n";

fn corpus() -> Arc<Corpus> {
    Arc::new(Drawn { train: 200, test: 0, seed: 1 }.generate(&mut |_, _| ControlFlow::Continue(())).unwrap())
}

fn lane(id: &str) -> RaceLane {
    RaceLane::usual(
        OptimizerConfig::find(id).unwrap(),
        &TrainingConfig::from_toml(&MODEL.replace("MODEL", "mlp")).unwrap(),
    )
}

fn race(model: &str, lanes: &[RaceLane]) -> Race {
    let loss = if model == "lenet5-1998" { "loss = { kind = \"distance\" }\n" } else { "" };
    let base = TrainingConfig::from_toml(&format!("{loss}{}", MODEL.replace("MODEL", model)));
    Race::new(base.unwrap(), lanes.to_vec())
}

/// A lane's losses by update, and its accuracies by place, as bits.
type LaneBits = (Vec<u64>, Vec<(u64, u64)>);

/// For every lane its curves.
fn curves(race: &Race, threads: usize) -> Vec<LaneBits> {
    let data = TrainingData::split(race.base(), corpus()).unwrap();
    let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(threads)).unwrap());
    let mut curves = vec![(Vec::new(), Vec::new()); race.lanes.len()];
    let ended = race.run(&data, &compute, &mut |event| {
        match event {
            RaceEvent::Update { lane, loss, .. } => curves[lane].0.push(loss.to_bits()),
            RaceEvent::Judged { lane, accuracy, place, .. } => {
                curves[lane].1.push((place.to_bits(), accuracy.to_bits()));
            }
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert!(ended.unwrap().is_continue());
    curves
}

#[test]
fn a_seed_gives_the_same_curves_on_any_number_of_threads() {
    let all: Vec<RaceLane> = OptimizerConfig::CHOICES.iter().map(|(id, ..)| lane(id)).collect();
    let mut race = race("lenet5", &all);
    let once = curves(&race, 1);
    assert_eq!(once, curves(&race, 3));
    assert!(once[..5].iter().all(|(losses, _)| losses.len() == 20), "two epochs of ten batches");
    assert!(once.iter().all(|(_, judged)| judged[0] == once[0].1[0]), "all begin with the same weights");
    race.base.seed = 8;
    assert_ne!(once, curves(&race, 1));
}

#[test]
fn lanes_meet_equal_batches_in_the_same_order() {
    let both = curves(&race("mlp", &[lane("adam"), lane("sgd"), lane("adam")]), 1);
    assert_eq!(both[0], both[2], "what is the same in all but its lane goes the same way");
    assert_ne!(both[0], both[1]);
    assert_eq!(both[0].0[0], both[1].0[0], "the first loss is one of the same weights on the same batch");
}

#[test]
fn a_lane_has_the_bits_of_an_ordinary_run() {
    let all: Vec<RaceLane> = OptimizerConfig::CHOICES.iter().map(|(id, ..)| lane(id)).collect();
    for model in ["lenet5", "mlp-deep"] {
        let all: Vec<RaceLane> = all.iter().filter(|lane| race(model, &[**lane]).validate().is_ok()).copied().collect();
        let race = race(model, &all);
        let data = TrainingData::split(race.base(), corpus()).unwrap();
        let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
        for (lane, (losses, _)) in all.iter().zip(curves(&race, 1)) {
            let mut alone = Vec::new();
            run(&race.config(lane), &data, &compute, None, &mut |event, _| {
                if let Event::Step { loss, .. } = event {
                    alone.push(loss.to_bits());
                }
                ControlFlow::Continue(None)
            })
            .unwrap();
            let both = losses.len().min(alone.len());
            assert!(both >= 1 && losses[..both] == alone[..both], "{} of {model}", lane.optimizer.id());
            assert!(lane.optimizer.id() == "conjugate-gradient" || both == 20);
        }
    }
}

#[test]
fn a_lane_that_diverges_rests_and_conjugate_gradient_waits_for_the_others() {
    let wild = RaceLane { learning_rate: 100.0, ..lane("sgd") };
    let race = race("lenet5-1998", &[wild, lane("adam"), lane("conjugate-gradient")]);
    let race = Race { updates: Some(60), ..race };
    let data = TrainingData::split(race.base(), corpus()).unwrap();
    let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
    let (mut fallen, mut steps, mut places) = (None, [0; 3], Vec::new());
    let mut round = 0;
    let ended = race.run(&data, &compute, &mut |event| {
        match event {
            RaceEvent::Diverged { lane: 0, step, .. } => fallen = Some(step),
            RaceEvent::Update { lane: 2, place, .. } => places.push((round, place)),
            RaceEvent::Update { lane, step, .. } => steps[lane] = step,
            RaceEvent::Round { update, .. } => round = update,
            _ => {}
        }
        ControlFlow::Continue(())
    });
    assert!(ended.unwrap().is_continue());
    assert!(fallen.is_some_and(|step| step < 60 && step == steps[0]), "{fallen:?}");
    assert_eq!(steps[1], 60, "the others go on");
    // an update begins only once the others have come to where the one before has ended
    assert!(places.len() >= 2, "{places:?}");
    assert!(places.windows(2).all(|pair| pair[1].0 as f64 >= pair[0].1.floor()), "{places:?}");
}

#[test]
fn conjugate_gradient_ends_with_the_race_after_its_first_update() {
    let race = race("mlp", &[lane("sgd"), lane("conjugate-gradient")]);
    let places = |updates| -> Vec<f64> {
        let race = Race { updates: Some(updates), ..race.clone() };
        let data = TrainingData::split(race.base(), corpus()).unwrap();
        let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
        let mut places = Vec::new();
        let ended = race.run(&data, &compute, &mut |event| {
            if let RaceEvent::Update { lane: 1, place, .. } = event {
                places.push(place);
            }
            ControlFlow::Continue(())
        });
        assert!(ended.unwrap().is_continue());
        places
    };
    let first = places(2);
    assert!(first.len() == 1 && first[0] > 2.0, "the first is made, however far it reads: {first:?}");
    // a second would begin before the end and read as far beyond it
    assert_eq!(places(first[0] as u64 + 3), first);
    assert!(places(200).len() > 2);
}

#[test]
fn a_race_is_run_on_the_data_set_alone() {
    let own = TrainingConfig::from_toml(&format!("{}[beside]\ndrawn = 30\n", MODEL.replace("MODEL", "mlp"))).unwrap();
    let data = TrainingData::split(Race::new(own.clone(), vec![lane("sgd")]).base(), corpus()).unwrap();
    assert_eq!((data.train.len(), data.describe_images(&own)), (160, "160 images".to_owned()));
    let title = &data.corpus.title;
    let run = TrainingData::split(&own, Arc::clone(&data.corpus)).unwrap();
    assert_eq!(run.describe_images(&own), format!("160 images of {title} and 30 drawn digits"));
}

#[test]
fn a_race_stops_at_once_and_refuses_what_cannot_be() {
    let race = race("lenet5", &[lane("sgd"), lane("conjugate-gradient")]);
    let data = TrainingData::split(race.base(), corpus()).unwrap();
    let compute = Arc::new(Compute::new(DeviceChoice::Cpu, Some(1)).unwrap());
    let mut told = 0;
    let ended = race.run(&data, &compute, &mut |event| {
        told += 1;
        if event == RaceEvent::Reading { ControlFlow::Break(Stop) } else { ControlFlow::Continue(()) }
    });
    assert!(ended.unwrap().is_break());
    assert_eq!(told, 4, "two judgements, an update, and the first batch of all images");
    let refused = |race: &Race| format!("{:#}", race.validate().unwrap_err());
    assert!(refused(&super::tests::race("cnn-bn", &[lane("sdlm")])).contains("sdlm cannot race: sdlm needs"));
    assert!(refused(&super::tests::race("mlp", &[])).contains("an optimiser at least"));
    let none = Race::new(TrainingConfig { epochs: 0, ..race.base().clone() }, Vec::new());
    assert_eq!(Race::lanes_of(none.base()), []);
    assert!(refused(&none).contains("epochs lies between 1 and 10,000, got 0"), "why there is no lane is told");
    assert!(refused(&Race { updates: Some(0), ..race }).contains("0 updates"));
}
