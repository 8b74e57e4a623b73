//! How values are spread over a plot and written beside it; where the lines of its grid lie.

use crate::ui::text;

/// How values are spread and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Logarithmic, three figures: loss.
    Log,
    /// Shares 0…1, shown as per cent with two decimals.
    Percent,
}

impl Scale {
    /// Where a value lies between `low` (0) and `high` (1); `None` for what has no place.
    pub(super) fn place(self, value: f64, low: f64, high: f64) -> Option<f64> {
        let t = match self {
            Scale::Log if value > 0.0 => (value / low).ln() / (high / low).ln(),
            Scale::Log => return None,
            Scale::Percent => (value - low) / (high - low),
        };
        t.is_finite().then_some(t)
    }

    pub(super) fn ticks(self, low: f64, high: f64) -> Vec<f64> {
        match self {
            Scale::Log => {
                let decades = low.log10().floor() as i32..=high.log10().ceil() as i32;
                let all = |steps: &[f64]| -> Vec<f64> {
                    decades
                        .clone()
                        .flat_map(|decade| steps.iter().map(move |step| step * 10.0_f64.powi(decade)))
                        .filter(|value| (low..=high).contains(value))
                        .collect()
                };
                let candidates: [&[f64]; 3] = [&[1.0, 1.5, 2.0, 3.0, 5.0, 7.0], &[1.0, 2.0, 5.0], &[1.0, 3.0]];
                candidates.iter().map(|steps| all(steps)).find(|ticks| ticks.len() <= 5).unwrap_or_else(|| all(&[1.0]))
            }
            Scale::Percent => {
                let step = nice_step((high - low) * 100.0 / 4.0) / 100.0;
                let count = ((high - low) / step + 1e-6).floor() as i32;
                (0..=count).map(|index| high - step * f64::from(index)).collect()
            }
        }
    }

    pub(super) fn tick_label(self, value: f64) -> String {
        match self {
            Scale::Log => {
                let decimals = (-value.log10().floor()).clamp(0.0, 6.0) as usize;
                let text = text::number(value, decimals + 1);
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
            Scale::Percent => {
                let text = text::number(value * 100.0, 2);
                text.trim_end_matches('0').trim_end_matches('.').to_owned()
            }
        }
    }

    pub(super) fn label(self, value: f64) -> String {
        match self {
            Scale::Log => text::number(value, if value.abs() < 0.01 { 4 } else { 3 }),
            Scale::Percent => text::number(value * 100.0, 2),
        }
    }
}

/// 1, 2 or 5 times a power of ten, at least `least`.
pub(super) fn nice_step(least: f64) -> f64 {
    let power = 10.0_f64.powf(least.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * power)
        .into_iter()
        .find(|&step| step >= least * 0.999)
        .unwrap_or(10.0 * power)
}

/// Whole epochs where that gives at least two ticks, never more than about eight.
pub(super) fn epoch_ticks((low, high): (f64, f64)) -> Vec<f64> {
    let step = nice_step((high - low) / 8.0);
    let step = if high - low >= 2.0 { step.max(1.0) } else { step };
    let first = (low / step - 1e-9).ceil() as i64;
    let last = (high / step + 1e-9).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_and_few() {
        assert_eq!(epoch_ticks((0.0, 7.0)), vec![0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]);
        assert_eq!(epoch_ticks((0.0, 100.0)), vec![0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(epoch_ticks((0.0, 1.0)), vec![0.0, 0.2, 0.4, 0.6000000000000001, 0.8, 1.0]);
        for (low, high) in [(0.05, 3.0), (0.08, 2.6), (0.0003, 2.4), (0.4, 0.6)] {
            let ticks = Scale::Log.ticks(low, high);
            assert!((1..=6).contains(&ticks.len()), "{low} {high}: {ticks:?}");
        }
        let percents: Vec<String> =
            Scale::Percent.ticks(0.92, 1.0).into_iter().map(|v| Scale::Percent.tick_label(v)).collect();
        assert_eq!(percents, ["100", "98", "96", "94", "92"]);
        assert_eq!(Scale::Log.tick_label(0.3), "0.3");
        assert_eq!(Scale::Log.tick_label(0.05), "0.05");
        assert_eq!(Scale::Log.tick_label(3.0), "3");
    }
}
