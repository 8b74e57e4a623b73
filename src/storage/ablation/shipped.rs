//! The plans inside the program: a file in `assets/plans/` and a line in [`PLANS`].

use anyhow::{Context, Result};

use super::Plan;

/// A plan with its name.
pub struct ShippedPlan {
    pub name: &'static str,
    toml: &'static str,
}

macro_rules! plan {
    ($name:literal) => {
        ShippedPlan { name: $name, toml: include_str!(concat!("../../../assets/plans/", $name, ".toml")) }
    };
}

/// All of them. Each takes a few minutes on two cores.
pub const PLANS: &[ShippedPlan] = &[
    plan!("initialisation"),
    plan!("regularisation"),
    plan!("schedule"),
    plan!("batch-norm"),
    plan!("rbf-or-softmax"),
    plan!("table-1"),
    plan!("augmentation"),
    plan!("activation"),
    plan!("optimiser"),
];

impl ShippedPlan {
    pub fn plan(&self) -> Result<Plan> {
        Plan::from_toml(self.toml, self.name).with_context(|| format!("the plan {} is damaged", self.name))
    }
}

/// The plan of that name.
pub fn find(name: &str) -> Option<&'static ShippedPlan> {
    PLANS.iter().find(|plan| plan.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_plan_can_be_run_asks_a_question_and_has_a_bet() {
        for shipped in PLANS {
            let plan = shipped.plan().unwrap();
            assert_eq!(plan.name, shipped.name);
            assert!(plan.question.ends_with('?') && plan.bet.is_some() && plan.seeds >= 3, "{}", shipped.name);
            for variant in &plan.variants {
                assert!(variant.config.validation > 0, "{}: {} is judged", shipped.name, variant.name);
                assert!(!variant.config.keep_epochs, "{}: {} keeps no epochs", shipped.name, variant.name);
            }
        }
        assert!(find("no-such-plan").is_none());
    }
}
