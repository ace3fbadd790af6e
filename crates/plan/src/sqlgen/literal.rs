//! Text as an SQL literal, for the few statements that take no parameters (COMMENT, CREATE FUNCTION).

/// `'it''s'`, with `E'…'` where there is a backslash, so that it means the same whatever `standard_conforming_strings` is.
pub fn text(value: &str) -> String {
    let doubled = value.replace('\'', "''");
    if doubled.contains('\\') {
        format!("E'{}'", doubled.replace('\\', "\\\\"))
    } else {
        format!("'{doubled}'")
    }
}

/// `value` between dollar quotes whose tag does not occur in it.
pub fn dollar_quoted(value: &str) -> String {
    let mut tag = "$crossfade$".to_owned();
    let mut number = 0_u32;
    while value.contains(&tag) {
        number += 1;
        tag = format!("$crossfade{number}$");
    }
    format!("{tag}{value}{tag}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn quotes_and_backslashes_survive() {
        assert_eq!(super::text("it's"), "'it''s'");
        assert_eq!(super::text("a\\'b"), "E'a\\\\''b'");
        assert_eq!(super::dollar_quoted("x"), "$crossfade$x$crossfade$");
        assert_eq!(
            super::dollar_quoted("$crossfade$"),
            "$crossfade1$$crossfade$$crossfade1$"
        );
    }
}
