//! Comments by which tools for migrations divide a file: goose, sql-migrate, dbmate, node-pg-migrate. What goes back
//! stands in the same file, and each part is run in a transaction unless the comment says otherwise.

use super::Event;

/// What begins at this comment. `unwrapped`: the file has said that it wants no transaction.
pub fn section(comment: &str, unwrapped: bool) -> Option<Event> {
    let line = comment.trim_start_matches('-').trim().to_ascii_lowercase();
    let (tool, rest) = ["+goose ", "+migrate ", "migrate:"]
        .iter()
        .find_map(|tool| Some((*tool, line.strip_prefix(tool)?)))
        .unwrap_or(("", &line));
    let mut words = rest.split_whitespace();
    let goes_back = match (tool, words.next()?) {
        ("", "up") if words.next() == Some("migration") => false,
        ("", "down") if words.next() == Some("migration") => true,
        ("", _) => return None,
        (_, "up") => false,
        (_, "down") => true,
        _ => return None,
    };
    let alone = words.any(|word| matches!(word, "notransaction" | "transaction:false"));
    Some(Event::Section {
        goes_back,
        in_transaction: !alone && !unwrapped,
    })
}

/// goose says it for the whole file, before its parts.
pub fn wants_no_transaction(comment: &str) -> bool {
    let line = comment.trim_start_matches('-').trim();
    line.eq_ignore_ascii_case("+goose no transaction")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_tool_has_its_own_words() {
        for (comment, expected) in [
            ("-- +goose Up", Some((false, true))),
            ("-- +goose Down", Some((true, true))),
            ("-- +migrate Up notransaction", Some((false, false))),
            ("-- migrate:up transaction:false", Some((false, false))),
            ("-- migrate:down", Some((true, true))),
            ("-- Down Migration", Some((true, true))),
            ("-- +goose StatementBegin", None),
            ("-- up to here", None),
            ("-- down", None),
            ("--", None),
        ] {
            let found = section(comment, false);
            let expected = expected.map(|(goes_back, in_transaction)| Event::Section {
                goes_back,
                in_transaction,
            });
            assert_eq!(found, expected, "{comment}");
        }
        assert!(wants_no_transaction("-- +goose NO TRANSACTION"));
    }
}
