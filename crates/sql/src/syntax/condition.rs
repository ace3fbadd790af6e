//! Conditions as their words say: whether one holds for every row, and whether one keeps a column from being NULL.
//! Words are those of `normalized`.

use crate::lexer::tokens;

/// `true`, `1 = 1`, `NOT false` and what AND and OR make of them.
pub fn is_always_true(condition: &str) -> bool {
    always(&words(condition), true)
}

/// `column IS NOT NULL`, `NOT (column IS NULL)`, alone or where AND and OR leave no other way.
pub fn says_not_null(condition: &str, column: &str) -> bool {
    let words = words(condition);
    // What a CASE says is not looked into.
    !words.contains(&"case") && excludes_null(&words, column, true)
}

/// What a table is looked up by: `id = 7`, `version_num = 'a'`, `id IN (1, 2)`.
pub fn says_key(condition: &str) -> bool {
    let words = words(condition);
    let all = without_parentheses(&words);
    let parts = split(all, "and").unwrap_or_else(|| vec![all]);
    split(all, "or").is_none() && parts.iter().any(|part| is_key(without_parentheses(part)))
}

fn is_key(words: &[&str]) -> bool {
    let words = match words {
        [_, ".", rest @ ..] => rest,
        words => words,
    };
    let is_name = |word: &str| {
        let word = word.trim_matches('"');
        ["id", "key", "name", "code", "uuid", "slug"].contains(&word)
            || ["_id", "_key", "version", "version_num"]
                .iter()
                .any(|end| word.ends_with(end))
    };
    let is_value = |word: &str| word.starts_with(['\'', '$']) || word.parse::<f64>().is_ok();
    match words {
        [name, "=", value] => is_name(name) && is_value(value),
        [name, "in", "(", values @ .., ")"] => {
            is_name(name) && values.iter().all(|value| *value == "," || is_value(value))
        }
        _ => false,
    }
}

pub(super) fn words(condition: &str) -> Vec<&str> {
    let tokens = tokens(condition);
    tokens.iter().map(|token| token.text(condition)).collect()
}

/// Whether the condition is always `value`.
fn always(words: &[&str], value: bool) -> bool {
    let words = without_parentheses(words);
    let any = |parts: Vec<&[&str]>| parts.iter().any(|part| always(part, value));
    let all = |parts: Vec<&[&str]>| parts.iter().all(|part| always(part, value));
    if let Some(parts) = split(words, "or") {
        return if value { any(parts) } else { all(parts) };
    }
    if let Some(parts) = split(words, "and") {
        return if value { all(parts) } else { any(parts) };
    }
    match words {
        ["not", rest @ ..] => always(rest, !value),
        ["true" | "'t'" | "'true'"] => value,
        ["true" | "'t'" | "'true'", "::", "bool" | "boolean"] => value,
        ["false"] => !value,
        [one, operator, two] => compared(one, operator, two) == Some(value),
        _ => false,
    }
}

/// What two constants are to each other.
fn compared(one: &str, operator: &str, two: &str) -> Option<bool> {
    let is_text = |word: &str| word.starts_with('\'');
    if let (Ok(one), Ok(two)) = (one.parse::<f64>(), two.parse::<f64>()) {
        return match operator {
            "=" => Some(one == two),
            "<" => Some(one < two),
            ">" => Some(one > two),
            _ => None,
        };
    }
    (is_text(one) && is_text(two) && operator == "=").then(|| one == two)
}

/// Whether the condition, being `value` or NULL, leaves no NULL in the column.
fn excludes_null(words: &[&str], column: &str, value: bool) -> bool {
    let words = without_parentheses(words);
    let any = |parts: Vec<&[&str]>| parts.iter().any(|part| excludes_null(part, column, value));
    let all = |parts: Vec<&[&str]>| parts.iter().all(|part| excludes_null(part, column, value));
    if let Some(parts) = split(words, "or") {
        return if value { all(parts) } else { any(parts) };
    }
    if let Some(parts) = split(words, "and") {
        return if value { any(parts) } else { all(parts) };
    }
    let quoted = format!("\"{}\"", column.replace('"', "\"\""));
    let is_column = |word: &str| word == column || word == quoted;
    match words {
        ["not", rest @ ..] => excludes_null(rest, column, !value),
        [word, "is", "not", "null"] | [word, "notnull"] => value && is_column(word),
        [word, "is", "null"] | [word, "isnull"] => !value && is_column(word),
        [open @ .., "is", "not", "null"] if open.len() > 1 => {
            value && matches!(without_parentheses(open), [word] if is_column(word))
        }
        _ => false,
    }
}

/// Without the parentheses around all of it.
pub(super) fn without_parentheses<'a, 'b>(mut words: &'a [&'b str]) -> &'a [&'b str] {
    while let ["(", inner @ .., ")"] = words {
        let mut depth = 1_usize;
        let closes_early = inner.iter().any(|word| {
            match *word {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            depth == 0
        });
        if closes_early {
            break;
        }
        words = inner;
    }
    words
}

/// The parts between a word that stands in no parentheses; `None` where it does not stand there.
pub(super) fn split<'a, 'b>(words: &'a [&'b str], by: &str) -> Option<Vec<&'a [&'b str]>> {
    let mut parts = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    // BETWEEN has an AND of its own.
    let mut between = false;
    for (at, word) in words.iter().enumerate() {
        match *word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "between" if depth == 0 => between = true,
            "and" if depth == 0 && between => between = false,
            word if depth == 0 && word == by => {
                parts.push(&words[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    if parts.is_empty() {
        return None;
    }
    parts.push(&words[start..]);
    Some(parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_always_true() {
        for condition in [
            "true",
            "( true )",
            "1 = 1",
            "1 = 1 and ( true )",
            "2 > 1",
            "a or true",
            "'a' = 'a'",
            "not false",
            "not ( 1 = 2 and a )",
        ] {
            assert!(is_always_true(condition), "{condition}");
        }
        for condition in [
            "a",
            "a = a",
            "1 = 2",
            "true and a",
            "not true",
            "a between 1 and 2 or b",
            "a = 1",
        ] {
            assert!(!is_always_true(condition), "{condition}");
        }
    }

    #[test]
    fn what_leaves_no_null() {
        for condition in [
            "b is not null",
            "( b ) is not null",
            "not ( b is null )",
            "not b is null",
            "\"b\" notnull",
            "a > 0 and ( b is not null )",
            "not ( a is null or b is null )",
            "( a and b is not null ) or ( b is not null )",
            "a between 1 and 2 and b is not null",
        ] {
            assert!(says_not_null(condition, "b"), "{condition}");
        }
        for condition in [
            "b > 0",
            "b is not null or a",
            "not ( b is null and a )",
            "not ( b is not null )",
            "not ( a and b is not null )",
            "a is not null",
            "case when a then b is not null end",
        ] {
            assert!(!says_not_null(condition, "b"), "{condition}");
        }
    }
}
