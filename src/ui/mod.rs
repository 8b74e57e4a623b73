//! The window. The only folder that knows egui.
//!
//! | file | what lives there |
//! |---|---|
//! | [`theme`] | colours of both themes by role, colour scales |
//! | [`text`] | fonts, text styles, how numbers are written |
//! | [`icons`] | icons by name |
//! | [`style`] | all of that as egui's style; rings, cards |
//! | [`widgets`] | the parts, taking plain numbers |
pub mod icons;
pub mod style;
pub mod text;
pub mod theme;
pub mod widgets;
