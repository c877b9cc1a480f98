//! Silence is a value: who did nothing in the window has 0, or nothing, and keeps no old number.
