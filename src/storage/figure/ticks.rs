//! Round numbers for axes: where the lines of a grid lie, and how they are written.

/// 1, 2 or 5 times a power of ten, at least `least`.
pub fn nice_step(least: f64) -> f64 {
    let power = 10.0_f64.powf(least.max(1e-9).log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .map(|step| step * power)
        .into_iter()
        .find(|&step| step >= least * 0.999)
        .unwrap_or(10.0 * power)
}

/// The multiples of `step` from `low` to `high`.
pub fn linear(low: f64, high: f64, step: f64) -> Vec<f64> {
    let first = (low / step - 1e-6).ceil() as i64;
    let last = (high / step + 1e-6).floor() as i64;
    (first..=last).map(|index| index as f64 * step).collect()
}

/// At most five or six values between `low` and `high`, which are above 0, evenly spread in their logarithms.
pub fn logarithmic(low: f64, high: f64) -> Vec<f64> {
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

/// A number with as many decimals as `step` has, thousands apart, with the true minus sign: "10,000", "−0.05".
pub fn label(value: f64, step: f64) -> String {
    let decimals = (-step.log10()).ceil().clamp(0.0, 9.0) as usize;
    let text = format!("{:.decimals$}", value.abs());
    let (whole, fraction) = text.split_once('.').map_or((text.as_str(), None), |(whole, rest)| (whole, Some(rest)));
    let mut shown = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    let fraction = fraction.map_or("", |fraction| fraction.trim_end_matches('0'));
    let point = if fraction.is_empty() { "" } else { "." };
    let is_negative = value < 0.0 && text.bytes().any(|b| (b'1'..=b'9').contains(&b));
    format!("{}{shown}{point}{fraction}", if is_negative { "−" } else { "" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_few_round_and_read_as_in_a_book() {
        assert_eq!(linear(0.0, 1.0, 0.25), vec![0.0, 0.25, 0.5, 0.75, 1.0]);
        assert_eq!(linear(91.0, 99.5, 2.0), vec![92.0, 94.0, 96.0, 98.0]);
        for (low, high) in [(0.05, 3.0), (0.0003, 2.4), (0.4, 0.6)] {
            assert!((1..=6).contains(&logarithmic(low, high).len()), "{low} {high}: {:?}", logarithmic(low, high));
        }
        for (value, step, expected) in [
            (12_500.0, 500.0, "12,500"),
            (0.6000000000000001, 0.2, "0.6"),
            (98.0, 0.5, "98"),
            (98.5, 0.5, "98.5"),
            (-0.05, 0.05, "−0.05"),
            (-0.0, 0.1, "0"),
            (0.002, 0.002, "0.002"),
        ] {
            assert_eq!(label(value, step), expected);
        }
    }
}
