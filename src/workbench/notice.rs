//! What the workbench has to say to the person. How it is shown is the window's affair.

use std::time::Instant;

use super::Workbench;

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

impl Workbench {
    pub(super) fn notify(&mut self, kind: NoticeKind, text: String) {
        // the same sentence twice says no more
        self.notices.retain(|notice| notice.text != text);
        self.notices.push(Notice { id: self.next_notice, kind, text, since: Instant::now() });
        self.next_notice += 1;
    }
}
