//! What an ablation has found: figures, who has won, and the report in Markdown.

use std::fmt::Write;

use anyhow::Result;
use serde::{Deserialize, Serialize};

use super::{Estimate, Plan, Split};

/// The figures of an ablation, variant by variant in the order of its plan.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Results {
    pub split: Split,
    pub variants: Vec<Found>,
}

/// What was found of a variant.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Found {
    pub name: String,
    /// The share of right answers of every seed, in the order of the seeds.
    pub values: Vec<f64>,
    /// Whether the run of each value has diverged; empty in what programs before this one wrote.
    #[serde(default)]
    pub diverged: Vec<bool>,
    /// Of all its runs together.
    pub seconds: f64,
}

/// Who has won.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    pub winner: String,
    pub second: String,
    /// Of the winner beyond the second, seed by seed.
    pub lead: Estimate,
    /// Whether the bet was on the winner, if there was one.
    pub bet_held: Option<bool>,
}

impl Found {
    /// Of its seeds.
    pub fn estimate(&self) -> Option<Estimate> {
        Estimate::of_shares(&self.values)
    }

    /// How many of its seeds have diverged.
    pub fn diverged_seeds(&self) -> usize {
        self.diverged.iter().filter(|&&diverged| diverged).count()
    }

    /// "1 of 2 seeds diverged", where any has.
    pub fn divergence(&self) -> Option<String> {
        divergence(self.diverged_seeds(), self.values.len())
    }

    fn mean(&self) -> f64 {
        self.estimate().map_or(0.0, |estimate| estimate.mean)
    }
}

impl Results {
    pub(super) fn new(plan: &Plan, split: Split) -> Self {
        let found =
            |name: &String| Found { name: name.clone(), values: Vec::new(), diverged: Vec::new(), seconds: 0.0 };
        Self { split, variants: plan.variants.iter().map(|variant| found(&variant.name)).collect() }
    }

    pub(super) fn add(&mut self, variant: usize, value: f64, diverged: bool, seconds: f64) {
        let found = &mut self.variants[variant];
        found.values.push(value);
        found.diverged.push(diverged);
        found.seconds += seconds;
    }

    /// Whether they were found of this plan: its variants, no more seeds, shares.
    pub(super) fn are_of(&self, plan: &Plan) -> bool {
        let names = plan.variants.iter().map(|variant| &variant.name);
        let is_share = |value: &f64| (0.0..=1.0).contains(value);
        self.variants.iter().map(|found| &found.name).eq(names)
            && self.variants.iter().all(|found| {
                found.values.len() <= plan.seeds as usize
                    && found.diverged.len() <= found.values.len()
                    && found.values.iter().all(is_share)
                    && found.seconds >= 0.0
            })
    }

    /// Whether every variant has all seeds of the plan.
    pub fn are_complete(&self, plan: &Plan) -> bool {
        self.variants.iter().all(|found| found.values.len() == plan.seeds as usize)
    }

    /// Of a variant beyond the base, seed by seed; `None` for the base itself.
    pub fn difference(&self, found: &Found) -> Option<Estimate> {
        let base = self.variants.first().filter(|base| base.name != found.name)?;
        Estimate::of_difference(&found.values, &base.values)
    }

    /// The greatest mean wins, the earlier variant at a tie.
    pub fn verdict(&self, plan: &Plan) -> Option<Verdict> {
        let mut ranked: Vec<&Found> = self.variants.iter().collect();
        ranked.sort_by(|a, b| b.mean().total_cmp(&a.mean()));
        let [winner, second, ..] = ranked[..] else { return None };
        Some(Verdict {
            winner: winner.name.clone(),
            second: second.name.clone(),
            lead: Estimate::of_difference(&winner.values, &second.values)?,
            bet_held: plan.bet.as_ref().map(|bet| *bet == winner.name),
        })
    }

    /// A sentence for every variant with runs that have diverged.
    pub fn divergences(&self) -> Vec<String> {
        let sentence = |found: &Found| {
            let words = found.divergence()?;
            Some(format!("{}: {words}, and what it had learnt by then is judged.", found.name))
        };
        self.variants.iter().filter_map(sentence).collect()
    }

    /// A document of its own, as Markdown.
    ///
    /// # Errors
    /// Where the plan cannot be written as TOML.
    pub fn markdown(&self, plan: &Plan) -> Result<String> {
        let mut text = String::new();
        let images = match self.split {
            Split::Validation => "validation images",
            Split::Test => "test images",
        };
        let seeds = if plan.seeds == 1 { "one seed".to_owned() } else { format!("{} seeds each", plan.seeds) };
        writeln!(text, "# {}\n\nRight answers on the {images}, {seeds}, with 95 % intervals of", plan.question)?;
        writeln!(text, "the mean (Student's t over the seeds); differences are taken seed by seed.\n")?;
        writeln!(text, "| variant | differs in | mean | interval | beyond {} | every seed | seconds |", self.base())?;
        writeln!(text, "|---|---|---|---|---|---|---|")?;
        for (found, variant) in self.variants.iter().zip(&plan.variants) {
            let differs = match variant.differences() {
                none if none.is_empty() => String::new(),
                some => format!("`{}`", some.replace('|', "\\|")),
            };
            let value = |(seed, value): (usize, &f64)| {
                let mark = if found.diverged.get(seed) == Some(&true) { " (diverged)" } else { "" };
                format!("{:.2}{mark}", 100.0 * value)
            };
            let values: Vec<String> = found.values.iter().enumerate().map(value).collect();
            let beyond = self.difference(found).map_or_else(String::new, |difference| points(&difference));
            let (mean, interval) = (100.0 * found.mean(), found.estimate().and_then(|estimate| estimate.interval));
            writeln!(
                text,
                "| {} | {differs} | {mean:.2} % | {} | {beyond} | {} | {:.1} |",
                found.name,
                interval.map_or_else(String::new, |[low, high]| format!("{:.2} to {:.2} %", 100.0 * low, 100.0 * high)),
                values.join(", "),
                found.seconds
            )?;
        }
        if let Some(verdict) = self.verdict(plan) {
            writeln!(text, "\n{}", verdict.sentences(plan).join(" "))?;
        }
        for sentence in self.divergences() {
            writeln!(text, "\n{sentence}")?;
        }
        writeln!(text, "\n## Plan\n\n```toml\n{}```", plan.to_toml()?)?;
        Ok(text)
    }

    fn base(&self) -> &str {
        self.variants.first().map_or("", |base| &base.name)
    }
}

impl Verdict {
    /// For people: who has won, by how much, and what became of the bet.
    pub fn sentences(&self, plan: &Plan) -> Vec<String> {
        let lead = points(&self.lead);
        let clear = match (self.lead.interval, self.lead.is_clear()) {
            (None, _) => "one seed cannot tell that from chance",
            (Some(_), true) => "more than chance between seeds",
            (Some(_), false) => "no more than chance between seeds",
        };
        let mut sentences = vec![format!("{} has won, {lead} points ahead of {}: {clear}.", self.winner, self.second)];
        if let (Some(bet), Some(held)) = (&plan.bet, self.bet_held) {
            let word = if held { "held" } else { "did not hold" };
            sentences.push(format!("The bet on {bet} {word}."));
        }
        sentences
    }
}

/// "1 of 2 seeds diverged"; `None` where none has.
pub fn divergence(diverged: usize, seeds: usize) -> Option<String> {
    let words = if seeds == 1 { "its one seed".to_owned() } else { format!("{diverged} of {seeds} seeds") };
    (diverged > 0).then(|| format!("{words} diverged"))
}

/// A difference of shares, in points: "+0.21 (−0.03 to +0.45)".
pub fn points(difference: &Estimate) -> String {
    let signed = |share: f64| format!("{:+.2}", 100.0 * share).replace('-', "−");
    match difference.interval {
        Some([low, high]) => format!("{} ({} to {})", signed(difference.mean), signed(low), signed(high)),
        None => signed(difference.mean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        Plan::from_toml(
            "question = \"Which?\"\nbet = \"slow\"\n[base]\npreset = \"mlp\"\n[[variants]]\nname = \"slow\"\n\
             learning_rate = 0.0001\n[[variants]]\nname = \"sgd\"\noptimizer = { kind = \"sgd\" }\n",
            "which",
        )
        .unwrap()
    }

    fn results(values: [[f64; 3]; 3]) -> Results {
        let mut results = Results::new(&plan(), Split::Validation);
        let mut add = |seed: usize| {
            (0..3).for_each(|variant| results.add(variant, values[variant][seed], variant == 2 && seed == 1, 1.0));
        };
        (0..3).for_each(&mut add);
        results
    }

    #[test]
    fn the_greatest_mean_wins_and_a_bet_is_judged_by_it() {
        let results = results([[0.90, 0.94, 0.98], [0.93, 0.97, 0.99], [0.10, 0.10, 0.40]]);
        let verdict = results.verdict(&plan()).unwrap();
        assert_eq!((verdict.winner.as_str(), verdict.second.as_str(), verdict.bet_held), ("slow", "base", Some(true)));
        let difference = results.difference(&results.variants[1]).unwrap();
        assert_eq!(difference, verdict.lead, "the second is the base");
        assert_eq!(results.difference(&results.variants[0]), None);
        let sentences = verdict.sentences(&plan());
        assert_eq!(
            sentences[0],
            "slow has won, +2.33 (−0.54 to +5.20) points ahead of base: no more than chance between seeds."
        );
        assert_eq!(sentences[1], "The bet on slow held.");
    }

    #[test]
    fn results_that_tell_nothing_of_divergence_can_be_read() {
        let old = r#"{"split":"validation","variants":[{"name":"base","values":[0.5],"seconds":1.0}]}"#;
        let read: Results = serde_json::from_str(old).unwrap();
        assert_eq!((read.variants[0].diverged_seeds(), read.variants[0].divergence()), (0, None));
    }

    #[test]
    fn the_report_holds_the_table_the_bet_and_the_plan() {
        let text = results([[0.90, 0.94, 0.98], [0.91, 0.93, 0.96], [0.1; 3]]).markdown(&plan()).unwrap();
        for part in [
            "# Which?",
            "3 seeds each",
            "| base |  | 94.00 % | 84.06 to 100.00 % |  | 90.00, 94.00, 98.00 | 3.0 |",
            "| slow | `learning_rate = 0.0001` | 93.33 % |",
            "| sgd | `optimizer = { kind = \"sgd\" }` | 10.00 % | 10.00 to 10.00 % |",
            "| 10.00, 10.00 (diverged), 10.00 |",
            "sgd: 1 of 3 seeds diverged, and what it had learnt by then is judged.",
            "The bet on slow did not hold.",
            "```toml\nversion = 1\nname = \"which\"",
        ] {
            assert!(text.contains(part), "{part} in\n{text}");
        }
    }
}
