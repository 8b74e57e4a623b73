//! The program: parse the command line, open the window or run a subcommand.
fn main() {}
