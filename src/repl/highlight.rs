//! Colours of what is typed.

use nu_ansi_term::{Color, Style};
use reedline::{Highlighter, StyledText};

use crate::script::{PieceKind, lex};

/// Colours by kind; longer input than anybody types by hand stays plain.
pub(super) struct Colours;

const LONGEST: usize = 64 << 10;

impl Highlighter for Colours {
    fn highlight(&self, line: &str, _cursor: usize) -> StyledText {
        let mut styled = StyledText::new();
        if line.len() > LONGEST || line.starts_with([':', '?']) {
            styled.push((Style::new(), line.to_owned()));
            return styled;
        }
        let mut at = 0;
        for piece in lex(line).pieces {
            let (gap, text) = (line.get(at..piece.start).unwrap_or_default(), line.get(piece.start..piece.end).unwrap_or_default());
            if !gap.is_empty() {
                styled.push((Style::new(), gap.to_owned()));
            }
            styled.push((style(piece.kind), text.to_owned()));
            at = piece.end;
        }
        styled.push((Style::new(), line.get(at..).unwrap_or_default().to_owned()));
        styled
    }
}

fn style(kind: PieceKind) -> Style {
    match kind {
        PieceKind::Comment => Style::new().dimmed(),
        PieceKind::Keyword => Style::new().fg(Color::Magenta),
        PieceKind::Number => Style::new().fg(Color::Cyan),
        PieceKind::Text => Style::new().fg(Color::Green),
        PieceKind::Name | PieceKind::Open | PieceKind::Close | PieceKind::Sign => Style::new(),
    }
}
