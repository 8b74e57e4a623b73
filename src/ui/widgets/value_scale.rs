//! How values are spread over a plot and written beside it; where the lines of its grid lie.

use crate::storage::figure::ticks;
pub(super) use crate::storage::figure::ticks::nice_step;
use crate::ui::text;

/// How values are spread and written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// Logarithmic, three figures: loss.
    Log,
    /// From the least to the greatest, three figures: loss.
    Linear,
    /// Shares 0…1, shown as per cent with two decimals.
    Percent,
}

impl Scale {
    /// Where a value lies between `low` (0) and `high` (1); `None` for what has no place.
    pub(super) fn place(self, value: f64, low: f64, high: f64) -> Option<f64> {
        let t = match self {
            Scale::Log if value > 0.0 => (value / low).ln() / (high / low).ln(),
            Scale::Log => return None,
            Scale::Linear | Scale::Percent => (value - low) / (high - low),
        };
        t.is_finite().then_some(t)
    }

    /// The ends of the axis for values from `low` to `high`; `low` is not finite where there are none.
    pub(super) fn ends(self, low: f64, high: f64) -> (f64, f64) {
        match self {
            Scale::Log if low < high => (low / 1.12, high * 1.12),
            Scale::Log if low.is_finite() => (low / 2.0, low * 2.0),
            Scale::Log => (0.05, 3.0),
            Scale::Linear if low.is_finite() => {
                // up and down to the next whole step, so that the outer labels are the edges of the plot
                let step = nice_step((high - low).max(1e-6) / 4.0);
                let ends = ((low / step + 1e-6).floor() * step, (high / step - 1e-6).ceil() * step);
                if ends.1 > ends.0 { ends } else { (low - step, low + step) }
            }
            Scale::Linear => (0.0, 3.0),
            Scale::Percent if low.is_finite() => {
                let span = ((1.0 - low) * 100.0).max(0.5);
                let step = nice_step(span / 4.0) / 100.0;
                (((low + 1e-9) / step).floor() * step, 1.0)
            }
            Scale::Percent => (0.0, 1.0),
        }
    }

    pub(super) fn ticks(self, low: f64, high: f64) -> Vec<f64> {
        match self {
            Scale::Log => ticks::logarithmic(low, high),
            Scale::Linear => ticks::linear(low, high, nice_step((high - low) / 4.0)),
            Scale::Percent => {
                let step = nice_step((high - low) * 100.0 / 4.0) / 100.0;
                let count = ((high - low) / step + 1e-6).floor() as i32;
                (0..=count).map(|index| high - step * f64::from(index)).collect()
            }
        }
    }

    pub(super) fn tick_label(self, value: f64) -> String {
        match self {
            Scale::Log => ticks::label(value, value / 10.0),
            Scale::Linear => ticks::label(value, 1e-6),
            Scale::Percent => ticks::label(value * 100.0, 0.01),
        }
    }

    pub(super) fn label(self, value: f64) -> String {
        match self {
            Scale::Log | Scale::Linear => text::number(value, if value.abs() < 0.01 { 4 } else { 3 }),
            Scale::Percent => text::number(value * 100.0, 2),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_of_the_grid_are_round() {
        let labels = |scale: Scale, low, high| {
            scale.ticks(low, high).into_iter().map(|value| scale.tick_label(value)).collect::<Vec<_>>()
        };
        assert_eq!(labels(Scale::Percent, 0.92, 1.0), ["100", "98", "96", "94", "92"]);
        assert_eq!(labels(Scale::Linear, 0.0, 2.0), ["0", "0.5", "1", "1.5", "2"]);
        for (value, expected) in [(0.3, "0.3"), (0.05, "0.05"), (3.0, "3"), (0.0015, "0.0015")] {
            assert_eq!(Scale::Log.tick_label(value), expected);
        }
    }

    #[test]
    fn ends_hold_all_values_and_one_value_has_room() {
        for scale in [Scale::Log, Scale::Linear, Scale::Percent] {
            for (low, high) in [(0.03, 0.9), (0.5, 0.5), (f64::INFINITY, f64::NEG_INFINITY)] {
                let (from, to) = scale.ends(low, high);
                assert!(from < to, "{scale:?} {low} {high}");
                assert!(low.is_infinite() || (from <= low && high <= to), "{scale:?} {low} {high}: {from} {to}");
            }
        }
        assert_eq!(Scale::Linear.ends(0.03, 0.9), (0.0, 1.0));
    }
}
