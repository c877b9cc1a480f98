//! The terminal between two inputs: what is typed ahead waits unseen for the next prompt, and comes to it as it was typed.
//!
//! In a terminal's usual state Enter would arrive as another character, which ends what the line editor takes at once: of several lines
//! that were typed ahead it would keep the first one.

use std::io;

#[cfg(unix)]
use rustix::{
    stdio::stdin,
    termios::{InputModes, LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcsetattr},
};

/// The terminal as it was found, which it is again when this is dropped. Signals by key and line feeds stay as they are all along.
pub struct Quiet {
    #[cfg(unix)]
    found: Termios,
}

impl Quiet {
    /// Keeps what is typed from now on.
    ///
    /// # Errors
    /// When standard input is no terminal.
    #[cfg(unix)]
    pub fn begin() -> io::Result<Self> {
        let found = tcgetattr(stdin())?;
        let mut quiet = found.clone();
        quiet.local_modes.remove(LocalModes::ECHO | LocalModes::ICANON);
        quiet.input_modes.remove(InputModes::ICRNL | InputModes::INLCR);
        quiet.special_codes[SpecialCodeIndex::VMIN] = 1;
        quiet.special_codes[SpecialCodeIndex::VTIME] = 0;
        tcsetattr(stdin(), OptionalActions::Now, &quiet)?;
        Ok(Self { found })
    }

    /// Where terminals are not of this kind nothing has to be done.
    ///
    /// # Errors
    /// Never.
    #[cfg(not(unix))]
    pub fn begin() -> io::Result<Self> {
        Ok(Self {})
    }

    /// Leaves the terminal as it was found: for a program that is about to end without unwinding.
    pub fn end(&self) {
        // A terminal that is gone needs nothing any more.
        #[cfg(unix)]
        let _ = tcsetattr(stdin(), OptionalActions::Now, &self.found);
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        self.end();
    }
}
