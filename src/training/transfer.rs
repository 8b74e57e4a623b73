//! What a run takes over from the weights it starts from, told before it begins.

use anyhow::{Result, ensure};

use super::TrainingConfig;
use crate::nn::{Transfer, Weights};

/// What a run of `config` copies from `weights`. Fails where nothing fits, or where a layer that is to be frozen does not.
pub fn plan_transfer(config: &TrainingConfig, weights: &Weights) -> Result<Transfer> {
    let network = (config.architecture()?.network)()?;
    let plan = Transfer::of_weights(&network, weights);
    let from = config.from.as_deref().unwrap_or("the weights");
    ensure!(
        !plan.copied.is_empty(),
        "nothing of {from} fits {}: no layer has the same name and shapes; its layers are {}",
        config.model,
        plan.fresh.join(", ")
    );
    let frozen = &network.layers()[..config.frozen_layers(&network)?];
    if let Some(place) = frozen.iter().find(|place| plan.fresh.contains(&place.name)) {
        let last = config.freeze_up_to.as_deref().unwrap_or_default();
        anyhow::bail!(
            "layers up to {last} cannot be frozen: {} does not fit that of {from}; what fits is {}",
            place.name,
            plan.copied.join(", ")
        );
    }
    Ok(plan)
}

/// In words: "Starts from lenet5: copied C1, C3; fresh Output; frozen up to C3".
pub fn describe_transfer(config: &TrainingConfig, plan: &Transfer) -> String {
    let from = config.from.as_deref().unwrap_or("other weights");
    let mut words = format!("Starts from {from}: copied {}", plan.copied.join(", "));
    if !plan.fresh.is_empty() {
        words += &format!("; fresh {}", plan.fresh.join(", "));
    }
    if let Some(layer) = &config.freeze_up_to {
        words += &format!("; frozen up to {layer}");
    }
    words
}
