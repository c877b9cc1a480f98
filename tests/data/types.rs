//! Values on their way into fields: nothing is lost, changed or guessed without a word.
