//! What the workbench has to say to the person. How it is shown is the window's affair.

use std::time::Instant;

/// How serious a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoticeKind {
    Info,
    Problem,
}

/// A sentence for the person, kept as long as the program runs.
#[derive(Clone, Debug, PartialEq)]
pub struct Notice {
    pub id: u64,
    pub kind: NoticeKind,
    pub text: String,
    pub since: Instant,
}
