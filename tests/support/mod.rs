//! The bench: a temporary workspace, a sandbox on free ports, a hand-turned clock, and the real command.
