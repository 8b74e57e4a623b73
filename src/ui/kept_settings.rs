//! Settings of a configuration that the form has no row for: it keeps them, starts runs with them, and says so in words.

use crate::nn::Loss;
use crate::optim::OptimizerConfig;
use crate::training::{Chosen, Order, TrainingConfig};

use super::text::count;

/// One short phrase a setting; what is as usual says nothing.
pub fn in_words(config: &TrainingConfig) -> Vec<String> {
    let mut words = Vec::new();
    words.extend(beside(config));
    if let Loss::DistanceMap { j } = config.loss {
        words.push(format!("MAP loss with j {j}"));
    }
    words.extend(optimizer(&config.optimizer));
    if config.order == Order::Constant {
        words.push("the same order every epoch".to_owned());
    }
    if config.chosen == Chosen::Last {
        words.push("the last epoch counts".to_owned());
    }
    if config.keep_epochs {
        words.push("weights of every epoch kept".to_owned());
    }
    words
}

/// All phrases, the first with a capital letter where it begins with a Latin one; `None` where all is as usual.
pub fn in_one_line(config: &TrainingConfig) -> Option<String> {
    let words = in_words(config).join(", ");
    let first = words.chars().next()?;
    Some(format!("{}{}", first.to_ascii_uppercase(), &words[first.len_utf8()..]))
}

/// What trains beside the data set.
fn beside(config: &TrainingConfig) -> Vec<String> {
    let beside = &config.beside;
    let mut words = Vec::new();
    if let Some(pens) = &beside.pens {
        let name = pens.rsplit(['/', '\\']).next().unwrap_or(pens);
        words.push(format!("drawings of {name}"));
        if beside.pens_times > 1 {
            words.push(format!("each met {} times", beside.pens_times));
        }
        match beside.without_writers.len() {
            0 => {}
            1 => words.push("without one writer".to_owned()),
            writers => words.push(format!("without {writers} writers")),
        }
        if beside.pens_hold_out_half {
            words.push("half of them held out".to_owned());
        }
    }
    for (images, what) in [(beside.drawn, "drawn digits"), (beside.strangers, "things that are no digits")] {
        if images > 0 {
            words.push(format!("{} {what} beside", count(images as u64)));
        }
    }
    words
}

/// What an optimiser has beyond momentum and weight decay, where it is not as usual.
fn optimizer(config: &OptimizerConfig) -> Vec<String> {
    match (*config, OptimizerConfig::find(config.id())) {
        (OptimizerConfig::Adam { beta2, .. } | OptimizerConfig::AdamW { beta2, .. }, _) if beta2 != 0.999 => {
            vec![format!("β₂ {beta2}")]
        }
        (OptimizerConfig::Sdlm { mu, floor, patterns }, Some(usual)) if *config != usual => {
            vec![format!("μ {mu}, floor {floor}, {patterns} patterns")]
        }
        (OptimizerConfig::ConjugateGradient { iterations, .. }, _) if iterations != 5 => {
            vec![format!("{iterations} iterations an epoch")]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::storage::presets;

    #[test]
    fn what_has_no_row_is_said() {
        let config = presets::find("lenet5").unwrap().config().unwrap();
        let words = in_words(&config);
        assert_eq!(words.iter().any(|word| word.contains("beside")), config.beside.drawn + config.beside.strangers > 0);
        let text = "model = \"lenet5\"\nepochs = 2\nbatch_size = 64\nlearning_rate = 0.001\nkeep_epochs = true\n\
                    order = \"constant\"\nchosen = \"last\"\n[optimizer]\nkind = \"adam\"\nbeta2 = 0.9\n\
                    [beside]\npens = \"/somewhere/mine.jsonl\"\npens_times = 7\nstrangers = 3000\n";
        let words = in_words(&TrainingConfig::from_toml(text).unwrap()).join("; ");
        for expected in [
            "drawings of mine.jsonl; each met 7 times; 3,000 things that are no digits beside",
            "β₂ 0.9; the same order every epoch; the last epoch counts; weights of every epoch kept",
        ] {
            assert!(words.contains(expected), "{expected:?} in {words:?}");
        }
    }

    #[test]
    fn phrases_make_one_line_whatever_letter_they_begin_with_and_none_makes_none() {
        let config = |more: &str| {
            let text = "model = \"mlp\"\nepochs = 2\nbatch_size = 64\nlearning_rate = 0.001\n";
            TrainingConfig::from_toml(&format!("{text}{more}")).unwrap()
        };
        let line = |more: &str| in_one_line(&config(more));
        assert_eq!(line("[optimizer]\nkind = \"adam\"\n"), None);
        assert_eq!(line("[optimizer]\nkind = \"adam\"\nbeta2 = 0.9\n").as_deref(), Some("β₂ 0.9"));
        let both = line("order = \"constant\"\nchosen = \"last\"\n[optimizer]\nkind = \"adam\"\n");
        assert_eq!(both.as_deref(), Some("The same order every epoch, the last epoch counts"));
        let scratch = presets::find("scratch").unwrap().config().unwrap();
        assert_eq!(in_one_line(&scratch), None, "all of it has rows or is as usual");
    }
}
