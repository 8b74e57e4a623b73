//! The parts that places are built from. Each takes plain numbers and answers what the user did; none knows the
//! workbench.
//!
//! | file | what it shows |
//! |---|---|
//! | [`bars`] | ten values as bars |
//! | [`button`] | buttons, icon buttons, pills, the switch, tooltips |
//! | [`canvas`] | the pad |
//! | [`digit_view`] | a digit image, sheets of them, signed maps |
//! | [`distances`] | ten distances beside their codes, with the reject line |
//! | [`dot_plot`] | values of several seeds on a line |
//! | [`f1_rows`] | ten F1 curves as rows |
//! | [`field`] | rows of a form: text, choice, slider |
//! | [`gallery`] | a scrolling grid of digit images |
//! | [`kept_pixels`] | which pixels a network looks at |
//! | [`matrix`] | the confusion matrix |
//! | [`moments`] | what was read after every point of a drawing |
//! | [`notice`] | sentences that come and go |
//! | [`overlay`] | curves of several runs over each other |
//! | [`pin_history`] | when a pinned drawing was learnt and lost |
//! | [`plot`], [`plot_lines`] | curves over a shared axis, each chart with its table of values |
//! | [`progress`] | how far something is |
//! | [`rail`] | the items that lead to the places |
//! | [`reading`] | a digit image with what is read in it |
//! | [`reject_curve`] | what rejecting answers costs |
//! | [`segmented`] | segmented control |
//! | [`share_bars`] | ten shares as thin bars |
//! | [`shared_axis`] | the axis, cursor and zoom that plots share |
//! | [`thumbnail`] | small digit images to press |
//! | [`unit_picture`] | the units of a layer as a picture |
//! | [`value_scale`] | how values are spread over a plot |
pub mod bars;
pub mod button;
pub mod canvas;
pub mod digit_view;
pub mod distances;
pub mod dot_plot;
pub mod f1_rows;
pub mod field;
pub mod gallery;
pub mod kept_pixels;
pub mod matrix;
pub mod moments;
pub mod notice;
pub mod overlay;
pub mod pin_history;
pub mod plot;
pub mod plot_lines;
pub mod progress;
pub mod rail;
pub mod reading;
pub mod reject_curve;
pub mod segmented;
pub mod share_bars;
pub mod shared_axis;
pub mod thumbnail;
pub mod trade_off;
pub mod unit_picture;
pub mod value_scale;
