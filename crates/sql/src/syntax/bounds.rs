//! Whether CHECKs hold the bounds of a partition, in the plain forms: a column compared with constants, joined by AND.

use super::condition::{split, without_parentheses, words};
use crate::{name::fold, statement::Bound, types::is_known};
use std::cmp::Ordering;

/// A column and the constants that it is compared with.
struct Limit<'a> {
    column: String,
    operator: &'a str,
    values: Vec<Value>,
}

#[derive(PartialEq)]
struct Value {
    text: String,
    quoted: bool,
}

/// Whether rows that pass all of these CHECKs are within the bounds.
pub fn holds(checks: &[&str], bound: &Bound, is_not_null: impl Fn(&str) -> bool) -> bool {
    let all: Vec<Vec<&str>> = checks.iter().map(|check| signs(words(check))).collect();
    let limits: Vec<Limit<'_>> = all.iter().flat_map(|words| limits(words)).collect();
    let of_a_column = |proves: &dyn Fn(&[&Limit<'_>]) -> bool, takes_null: bool| {
        limits.iter().any(|first| {
            let same = limits.iter().filter(|limit| limit.column == first.column);
            (takes_null || is_not_null(&first.column)) && proves(&same.collect::<Vec<_>>())
        })
    };
    match bound {
        Bound::Default | Bound::Hash => false,
        Bound::List(listed) => {
            let listed_values: Vec<Value> = listed.iter().flat_map(|text| value(text)).collect();
            let is_listed = |value: &Value| {
                let mut listed = listed_values.iter();
                listed.any(|listed| compare(value, listed) == Some(Ordering::Equal))
            };
            let proves = |limits: &[&Limit<'_>]| {
                limits.iter().any(|limit| {
                    matches!(limit.operator, "=" | "in") && limit.values.iter().all(is_listed)
                })
            };
            of_a_column(&proves, listed.iter().any(|text| text == "null"))
        }
        Bound::Range { from, to } => match (from.as_slice(), to.as_slice()) {
            ([from], [to]) => {
                let proves = |limits: &[&Limit<'_>]| {
                    (from == "minvalue" || limits.iter().any(|limit| limit.is_from(from)))
                        && (to == "maxvalue" || limits.iter().any(|limit| limit.is_below(to)))
                };
                of_a_column(&proves, false)
            }
            // Of several columns the conditions are long: one that names every bound is taken for them.
            _ => all.iter().any(|words| {
                let says = words.windows(3).any(|three| three == ["is", "not", "null"]);
                says && names_all(words, bound)
            }),
        },
    }
}

/// Whether no row that passes one of these CHECKs is within the bounds.
pub fn excludes(checks: &[&str], bound: &Bound) -> bool {
    checks.iter().any(|check| {
        let words = signs(words(check));
        let turned = words.iter().enumerate().any(|(at, word)| match *word {
            "or" | "<>" | "!=" => true,
            "not" => words.get(at + 1) != Some(&"null"),
            _ => false,
        });
        (turned && names_all(&words, bound))
            || limits(&words).iter().any(|limit| limit.is_outside(bound))
    })
}

/// With operators of two signs as one word.
fn signs(words: Vec<&str>) -> Vec<&str> {
    let mut joined: Vec<&str> = Vec::with_capacity(words.len());
    for word in words {
        let pair = match (joined.last().copied(), word) {
            (Some("<"), "=") => "<=",
            (Some(">"), "=") => ">=",
            (Some("<"), ">") => "<>",
            (Some("!"), "=") => "!=",
            _ => {
                joined.push(word);
                continue;
            }
        };
        joined.pop();
        joined.push(pair);
    }
    joined
}

fn names_all(words: &[&str], bound: &Bound) -> bool {
    let values: Vec<&String> = match bound {
        Bound::Range { from, to } => from.iter().chain(to).collect(),
        Bound::List(values) => values.iter().collect(),
        Bound::Default | Bound::Hash => return false,
    };
    let mut named = values
        .into_iter()
        .filter(|value| !matches!(value.as_str(), "minvalue" | "maxvalue" | "null"))
        .flat_map(|text| value(text))
        .peekable();
    let is_there = |wanted: &Value| {
        let mut words = words.iter().flat_map(|word| value(word));
        words.any(|value| compare(&value, wanted) == Some(Ordering::Equal))
    };
    named.peek().is_some() && named.all(|value| is_there(&value))
}

impl Limit<'_> {
    /// At this bound or above.
    fn is_from(&self, bound: &str) -> bool {
        matches!(self.operator, ">" | ">=" | "=" | "in")
            && self.each(bound, |found| found != Ordering::Less)
    }

    fn is_below(&self, bound: &str) -> bool {
        match self.operator {
            "<" => self.each(bound, |found| found != Ordering::Greater),
            "<=" | "=" | "in" => self.each(bound, |found| found == Ordering::Less),
            _ => false,
        }
    }

    fn is_outside(&self, bound: &Bound) -> bool {
        match bound {
            Bound::Range { from, to } => match (from.as_slice(), to.as_slice()) {
                ([from], [to]) => self.is_below(from) || self.is_from(to),
                _ => false,
            },
            Bound::List(_) | Bound::Default | Bound::Hash => false,
        }
    }

    fn each(&self, bound: &str, fits: impl Fn(Ordering) -> bool) -> bool {
        let Some(bound) = value(bound) else {
            return false;
        };
        !self.values.is_empty()
            && self
                .values
                .iter()
                .all(|value| compare(value, &bound).is_some_and(&fits))
    }
}

/// Those that all must hold.
fn limits<'a>(words: &[&'a str]) -> Vec<Limit<'a>> {
    let words = without_parentheses(words);
    if split(words, "or").is_some() {
        return Vec::new();
    }
    match split(words, "and") {
        Some(parts) => parts.into_iter().flat_map(limits).collect(),
        None => limit(words),
    }
}

fn limit<'a>(words: &[&'a str]) -> Vec<Limit<'a>> {
    let mut depth = 0_usize;
    let place = words.iter().position(|word| {
        match *word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth == 0 && matches!(*word, "<" | "<=" | ">" | ">=" | "=" | "in" | "between")
    });
    let Some((left, [operator, right @ ..])) = place.map(|at| words.split_at(at)) else {
        return Vec::new();
    };
    let one = |column: Option<String>, operator, values: Option<Vec<Value>>| {
        let (column, values) = (column?, values?);
        let is_list = operator == "in";
        (is_list || values.len() == 1).then_some(Limit {
            column,
            operator,
            values,
        })
    };
    let found = match *operator {
        "between" => match split(right, "and").as_deref() {
            Some([low, high]) => vec![
                one(column(left), ">=", values(low)),
                one(column(left), "<=", values(high)),
            ],
            _ => Vec::new(),
        },
        "in" => vec![one(column(left), "in", values(right))],
        "=" if right.first() == Some(&"any") => {
            vec![one(column(left), "in", values(&right[1..]))]
        }
        operator => vec![
            one(column(left), operator, values(right)),
            one(column(right), turned(operator), values(left)),
        ],
    };
    found.into_iter().flatten().collect()
}

fn turned(operator: &str) -> &str {
    match operator {
        "<" => ">",
        "<=" => ">=",
        ">" => "<",
        ">=" => "<=",
        other => other,
    }
}

/// A column by itself, its table before it or a cast behind it.
fn column(words: &[&str]) -> Option<String> {
    let words = without_parentheses(words);
    let cast = words.iter().position(|word| *word == "::");
    let words = without_parentheses(&words[..cast.unwrap_or(words.len())]);
    match words {
        [name] | [_, ".", name]
            if name
                .starts_with(|first: char| first.is_alphabetic() || matches!(first, '_' | '"')) =>
        {
            Some(fold(name))
        }
        _ => None,
    }
}

/// The constants of a list or an array, with or without their types; `None` where something else is among them.
fn values(words: &[&str]) -> Option<Vec<Value>> {
    let mut found = Vec::new();
    let mut negative = false;
    for word in words {
        let is_type = |word: &str| {
            matches!(word, "varying" | "without" | "with" | "zone" | "precision") || is_known(word)
        };
        match *word {
            "(" | ")" | "[" | "]" | "," | "::" | "array" => {}
            "-" => negative = true,
            word => match value(word) {
                Some(mut value) => {
                    if std::mem::take(&mut negative) {
                        value.text.insert(0, '-');
                    }
                    found.push(value);
                }
                None if is_type(word) => {}
                None => return None,
            },
        }
    }
    Some(found)
}

/// `'2024-01-01'`, `7`, `- 7`
fn value(text: &str) -> Option<Value> {
    let inside = text.strip_prefix('\'').and_then(|it| it.strip_suffix('\''));
    let bare = text.replace(' ', "");
    match inside {
        Some(inside) => Some(Value {
            text: inside.to_owned(),
            quoted: true,
        }),
        None => bare.parse::<f64>().is_ok().then_some(Value {
            text: bare,
            quoted: false,
        }),
    }
}

/// `None` where the type would have to be known.
fn compare(one: &Value, two: &Value) -> Option<Ordering> {
    if one.text == two.text {
        return Some(Ordering::Equal);
    }
    // Between quotes it may be text, which has another order.
    if !(one.quoted && two.quoted) {
        return match (one.text.parse::<i128>(), two.text.parse::<i128>()) {
            (Ok(one), Ok(two)) => Some(one.cmp(&two)),
            _ => {
                let (one, two): (f64, f64) = (one.text.parse().ok()?, two.text.parse().ok()?);
                one.partial_cmp(&two)
            }
        };
    }
    let (one, two) = (date(&one.text)?, date(&two.text)?);
    let alike = one.len() == two.len()
        && std::iter::zip(one.bytes(), two.bytes())
            .all(|(one, two)| one == two || (one.is_ascii_digit() && two.is_ascii_digit()));
    alike.then(|| one.cmp(two))
}

/// Midnight is the date alone.
fn date(text: &str) -> Option<&str> {
    let bytes = text.as_bytes();
    let begins = bytes.len() >= 10 && bytes[4] == b'-' && bytes[7] == b'-';
    let (day, time) = text.split_at_checked(10).filter(|_| begins)?;
    let is_midnight = matches!(time, "" | " 00:00" | " 00:00:00" | " 00:00:00+00");
    Some(if is_midnight { day } else { text })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::syntax::normalized;

    fn range(from: &str, to: &str) -> Bound {
        Bound::Range {
            from: vec![normalized(from)],
            to: vec![normalized(to)],
        }
    }

    /// What PostgreSQL 15 says of them ("is implied by existing constraints").
    #[test]
    fn plain_checks_prove_the_bounds() {
        let list =
            |values: &[&str]| Bound::List(values.iter().map(|it| (*it).to_owned()).collect());
        for (checks, bound, expected) in [
            (vec!["a > 0 AND a < 2000"], range("0", "3000"), true),
            (vec!["a BETWEEN 1 AND 2000"], range("1", "3000"), true),
            (vec!["a BETWEEN 1 AND 2000"], range("1", "2000"), false),
            (vec!["a >= 1", "a < 2000"], range("1", "3000"), true),
            (vec!["a <= 2000 AND 1 <= t.a"], range("1", "2001"), true),
            (vec!["((a >= 1) AND (a < 9))"], range("1", "9"), true),
            (vec!["a >= -5 AND a < 9"], range("-5", "9"), true),
            (vec!["a >= '-5'::integer AND a < 9"], range("-5", "9"), true),
            (vec!["a > 0"], range("1", "9"), false),
            (vec!["a < 1 OR a >= 9"], range("1", "9"), false),
            (vec!["a >= 1 AND b < 9"], range("1", "9"), false),
            (vec!["abs(a) >= 1 AND abs(a) < 9"], range("1", "9"), false),
            (vec!["a >= 1 + 1 AND a < 9"], range("1", "9"), false),
            (vec!["a < 9"], range("MINVALUE", "9"), true),
            (vec!["a >= '10' AND a < '9'"], range("'10'", "'9'"), true),
            (vec!["a >= '11' AND a < '2'"], range("'10'", "'9'"), false),
            (
                vec![
                    "d >= '2024-01-01 00:00:00+00'::timestamp with time zone AND d < timestamptz '2024-02-01'",
                ],
                range("'2024-01-01'", "'2024-03-01 00:00:00'"),
                true,
            ),
            (vec!["s = 'x'"], list(&["'x'"]), true),
            (vec!["s IN ('x', 'y')"], list(&["'x'", "'y'", "'z'"]), true),
            (
                vec![
                    "((s)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))",
                ],
                list(&["'x'", "'y'"]),
                true,
            ),
            (vec!["s IN ('x', 'y')"], list(&["'x'"]), false),
            (vec!["s <> 'x'"], list(&["'x'"]), false),
            (vec!["a >= 0"], Bound::Hash, false),
        ] {
            let normal: Vec<String> = checks.iter().map(|check| normalized(check)).collect();
            let normal: Vec<&str> = normal.iter().map(String::as_str).collect();
            assert_eq!(
                holds(&normal, &bound, |_| true),
                expected,
                "{checks:?} {bound:?}"
            );
            assert!(!holds(&normal, &bound, |_| false), "{checks:?} {bound:?}");
        }
    }

    #[test]
    fn plain_checks_keep_rows_out_of_the_bounds() {
        for (check, expected) in [
            ("a IS NOT NULL AND (a < 1 OR a >= 9)", true),
            ("a < 1 OR a >= 9", true),
            ("NOT (a >= 1 AND a < 9)", true),
            ("a >= 9", true),
            ("a > 20", true),
            ("a < 1", true),
            ("a <= 1", false),
            ("a >= 1 AND a < 9", false),
            ("a IS NOT NULL AND a >= 1 AND a < 9", false),
            ("a > 8", false),
        ] {
            assert_eq!(
                excludes(&[&normalized(check)], &range("1", "9")),
                expected,
                "{check}"
            );
        }
    }
}
