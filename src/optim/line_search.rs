//! How far to go along a direction: a search for a step that meets the strong Wolfe conditions.
//!
//! With φ(α) the value at step α and φ′(α) the slope there, a step is good enough when
//! φ(α) ≤ φ(0) + c₁ α φ′(0) (the value has decreased as the slope promised) and |φ′(α)| ≤ c₂ |φ′(0)| (it is nearly level).
//! Nocedal & Wright 2006, algorithms 3.5 and 3.6, with cubic interpolation (equation 3.59).

use candle_core::Result;

/// What the two conditions ask for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wolfe {
    /// c₁: the share of the decrease promised by the slope that is enough.
    pub decrease: f64,
    /// c₂: the share of the slope that may be left.
    pub slope: f64,
}

/// A place on the line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Place {
    /// α, in lengths of the direction.
    pub step: f64,
    pub value: f64,
    /// Along the line, at this place.
    pub slope: f64,
}

/// How a search has ended.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Search {
    /// Both conditions hold here, and it was the last place to be asked about.
    Found(Place),
    /// The best place met within [`MOST_QUESTIONS`], lower than the start as the first condition wants; the second does not
    /// hold. It need not be the last one asked about.
    Lower(Place),
    /// No place met is lower.
    Failed,
    /// Nobody wants to know any more.
    Interrupted,
}

/// Places that a search asks about, at most. A search with a good first step needs one to three.
const MOST_QUESTIONS: usize = 20;
/// A step grows tenfold at most from one place to the next.
const MOST_GROWTH: f64 = 10.0;
/// An interpolated place keeps this share of the interval away from its ends, so that intervals shrink.
const MARGIN: f64 = 0.1;

/// A search under way.
struct Line<'a> {
    start: Place,
    wolfe: Wolfe,
    ask: &'a mut dyn FnMut(f64) -> Result<Option<(f64, f64)>>,
    questions: usize,
    best: Option<Place>,
}

/// Searches from `start` (step 0, slope below 0), first at `first`. `ask` answers with value and slope at a step; a value that
/// is no number counts as a step too long, and `None` ends the search.
pub(super) fn strong_wolfe(
    start: Place,
    first: f64,
    wolfe: Wolfe,
    ask: &mut dyn FnMut(f64) -> Result<Option<(f64, f64)>>,
) -> Result<Search> {
    Line { start, wolfe, ask, questions: 0, best: None }.bracket(first)
}

impl Line<'_> {
    fn ask(&mut self, step: f64) -> Result<Option<Place>> {
        self.questions += 1;
        let Some((value, slope)) = (self.ask)(step)? else { return Ok(None) };
        let is_number = value.is_finite() && slope.is_finite();
        let place = Place { step, value: if is_number { value } else { f64::INFINITY }, slope };
        if self.decreases(&place) && self.best.is_none_or(|best| place.value < best.value) {
            self.best = Some(place);
        }
        Ok(Some(place))
    }

    /// The first condition.
    fn decreases(&self, place: &Place) -> bool {
        place.value <= self.start.value + self.wolfe.decrease * place.step * self.start.slope
    }

    /// The second condition.
    fn is_level(&self, place: &Place) -> bool {
        place.slope.abs() <= self.wolfe.slope * self.start.slope.abs()
    }

    fn given_up(&self) -> Search {
        self.best.map_or(Search::Failed, Search::Lower)
    }

    /// Algorithm 3.5: goes on until an interval must hold a good step.
    fn bracket(&mut self, first: f64) -> Result<Search> {
        let mut before = self.start;
        let mut step = first;
        while self.questions < MOST_QUESTIONS {
            let Some(here) = self.ask(step)? else { return Ok(Search::Interrupted) };
            if !self.decreases(&here) || (before.step > 0.0 && here.value >= before.value) {
                return self.zoom(before, here);
            }
            if self.is_level(&here) {
                return Ok(Search::Found(here));
            }
            if here.slope >= 0.0 {
                return self.zoom(here, before);
            }
            // still downhill: on to where a cubic through the last two places is lowest, at least twice as far
            let farthest = here.step * MOST_GROWTH;
            let lowest = lowest_of_cubic(&before, &here).filter(|lowest| *lowest > here.step);
            step = lowest.unwrap_or(farthest).clamp(2.0 * here.step, farthest);
            before = here;
        }
        Ok(self.given_up())
    }

    /// Algorithm 3.6: `low` is the lowest place so far that meets the first condition, and a good step lies between it and
    /// `high`.
    fn zoom(&mut self, mut low: Place, mut high: Place) -> Result<Search> {
        while self.questions < MOST_QUESTIONS {
            let width = high.step - low.step;
            let ends = [low.step + MARGIN * width, high.step - MARGIN * width];
            let [least, greatest] = if width > 0.0 { ends } else { [ends[1], ends[0]] };
            let middle = low.step + 0.5 * width;
            let lowest = if high.value.is_finite() { lowest_of_cubic(&low, &high) } else { None };
            let step = lowest.map_or(middle, |lowest| lowest.clamp(least, greatest));
            let Some(here) = self.ask(step)? else { return Ok(Search::Interrupted) };
            if !self.decreases(&here) || here.value >= low.value {
                high = here;
                continue;
            }
            if self.is_level(&here) {
                return Ok(Search::Found(here));
            }
            if here.slope * (high.step - low.step) >= 0.0 {
                high = low;
            }
            low = here;
        }
        Ok(self.given_up())
    }
}

/// The minimum of the cubic with these values and slopes at two places (equation 3.59); `None` where it has none.
fn lowest_of_cubic(a: &Place, b: &Place) -> Option<f64> {
    let width = b.step - a.step;
    let d1 = a.slope + b.slope - 3.0 * (a.value - b.value) / (a.step - b.step);
    let root = (d1 * d1 - a.slope * b.slope).sqrt();
    let d2 = root.copysign(width);
    let lowest = b.step - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2.0 * d2);
    lowest.is_finite().then_some(lowest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STRICT: Wolfe = Wolfe { decrease: 1e-4, slope: 1e-3 };

    /// Searches from 0, and how many places were asked about.
    fn search(of: fn(f64) -> (f64, f64), first: f64, wolfe: Wolfe) -> (Search, usize) {
        let mut questions = 0;
        let (value, slope) = of(0.0);
        let found = strong_wolfe(Place { step: 0.0, value, slope }, first, wolfe, &mut |step| {
            questions += 1;
            Ok(Some(of(step)))
        });
        (found.unwrap(), questions)
    }

    #[test]
    fn found_steps_meet_both_conditions_whatever_the_first_step() {
        /// Value and slope along a line.
        type Slope = fn(f64) -> (f64, f64);
        let functions: [(&str, Slope); 4] = [
            ("a parabola", |x| ((x - 3.0).powi(2), 2.0 * (x - 3.0))),
            ("a valley that rises steeply", |x| (-x / (x * x + 2.0), (x * x - 2.0) / (x * x + 2.0).powi(2))),
            ("two valleys", |x| ((x - 1.0).powi(4) - x * x, 4.0 * (x - 1.0).powi(3) - 2.0 * x)),
            ("a wall of no numbers", |x| {
                if x > 4.0 { (f64::NAN, f64::NAN) } else { (-x.ln_1p() + x * 0.25, 0.25 - 1.0 / (1.0 + x)) }
            }),
        ];
        for (name, of) in functions {
            for first in [1e-3, 0.1, 1.0, 10.0, 1e3] {
                let (found, questions) = search(of, first, STRICT);
                let Search::Found(place) = found else { panic!("{name} from {first}: {found:?}") };
                let ((start, slope), (value, level)) = (of(0.0), of(place.step));
                assert_eq!((place.value, place.slope), (value, level), "{name}");
                assert!(value <= start + 1e-4 * place.step * slope, "{name} from {first}: too little lower");
                assert!(level.abs() <= 1e-3 * slope.abs(), "{name} from {first}: slope {level}");
                assert!(questions <= 16, "{name} from {first}: {questions} questions");
            }
        }
    }

    #[test]
    fn a_parabola_takes_two_questions() {
        assert_eq!(search(|x| ((x - 3.0).powi(2), 2.0 * (x - 3.0)), 7.0, STRICT).1, 2);
    }

    #[test]
    fn a_line_without_a_lower_place_fails_and_one_without_an_end_is_given_up() {
        // the slope lies: the value rises
        assert_eq!(search(|x| (x, -1.0), 1.0, STRICT), (Search::Failed, MOST_QUESTIONS));
        let (endless, _) = search(|x| (-x, -1.0), 1.0, STRICT);
        assert!(matches!(endless, Search::Lower(place) if place.step > 1e6), "{endless:?}");
        let start = Place { step: 0.0, value: 0.0, slope: -1.0 };
        assert_eq!(strong_wolfe(start, 1.0, STRICT, &mut |_| Ok(None)).unwrap(), Search::Interrupted);
    }
}
