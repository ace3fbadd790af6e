//! Text of others as a terminal may show it: what would move the cursor, end the line or turn the direction is spelled out.

use std::borrow::Cow;

/// Where a line's end in the text is taken for one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lines {
    /// It is the text's own: SQL, a rendered error.
    Kept,
    /// It can only be somebody's name, reason or value: on the terminal it would begin a line that nobody wrote.
    SpelledOut,
}

/// Control characters of ASCII and of Latin-1, ends of lines and paragraphs, changes of the writing direction, and what
/// takes no room at all.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{061C}' | '\u{180E}' | '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}'
            | '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}')
}

pub fn escaped(text: &str, lines: Lines) -> Cow<'_, str> {
    let is_plain = |character: char| {
        !is_deceptive(character) || lines == Lines::Kept && matches!(character, '\n' | '\t')
    };
    if text.chars().all(is_plain) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_plain(character) {
            shown.push(character);
        } else {
            shown.extend(character.escape_default());
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use crate::printable::*;

    #[test]
    fn what_a_terminal_would_obey_is_spelled_out() {
        let one = |text| escaped(text, Lines::SpelledOut).into_owned();
        assert_eq!(
            one("a\n9  approved\r\t\x1b[2Jb"),
            r"a\n9  approved\r\t\u{1b}[2Jb"
        );
        assert_eq!(
            one("\u{9b}31m \u{202e}abc \u{2028}"),
            r"\u{9b}31m \u{202e}abc \u{2028}"
        );
        assert_eq!(one("\u{7f}\0"), r"\u{7f}\u{0}");
        assert_eq!(one("żółw, 亀 – `x` \\n"), "żółw, 亀 – `x` \\n");
        let kept = escaped("SELECT 1;\n\tSELECT '\x1b'\r\n", Lines::Kept);
        assert_eq!(kept, "SELECT 1;\n\tSELECT '\\u{1b}'\\r\n");
    }
}
