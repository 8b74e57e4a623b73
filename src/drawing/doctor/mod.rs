//! What is unlike MNIST about a drawing, and what can be done about it. [`Shape`] measures a digit image and holds it
//! against the training digits; [`Fix`] changes a drawing, as strokes where it is strokes. Nothing here asks a network.

mod differences;
mod fixes;
mod shape;

pub use differences::{Difference, differences};
pub use fixes::Fix;
pub use shape::{Loops, Shape, Spread, Typical, typical};
