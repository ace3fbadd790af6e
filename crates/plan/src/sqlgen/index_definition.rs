//! What stands behind USING in the definition of an index, as the server writes it, taken apart.

use crossfade_sql::lexer::{Class, around_list, nested, split_list};

/// `btree (lower(email) text_pattern_ops, n DESC) INCLUDE (id) NULLS NOT DISTINCT WHERE (email IS NOT NULL)`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexDefinition<'a> {
    /// `btree`
    pub method: &'a str,
    /// Columns and expressions, without collation, operator class and order.
    pub keys: Vec<&'a str>,
    /// What stands behind each: ` COLLATE "C" text_pattern_ops DESC`.
    pub orders: Vec<&'a str>,
    /// Of a partial index.
    pub condition: Option<&'a str>,
    pub nulls_are_equal: bool,
}

impl<'a> IndexDefinition<'a> {
    pub fn read(using: &'a str) -> Option<Self> {
        let (method, keys, rest) = around_list(using)?;
        let keys: Vec<&str> = split_list(keys).into_iter().map(str::trim).collect();
        let outside = nested(rest).into_iter().filter(|(_, depth)| *depth == 0);
        let words: Vec<_> = outside.map(|(token, _)| token).collect();
        let is = |at: usize, word: &str| {
            let token = words.get(at);
            token.is_some_and(|token| token.is_word(rest, word))
        };
        let condition = words.iter().find(|token| token.is_word(rest, "where"));
        Some(Self {
            method: method.trim(),
            orders: keys
                .iter()
                .map(|key| &key[without_order(key).len()..])
                .collect(),
            keys: keys.into_iter().map(without_order).collect(),
            condition: condition.map(|found| rest[found.range.end..].trim()),
            nulls_are_equal: (0..words.len())
                .any(|at| is(at, "nulls") && is(at + 1, "not") && is(at + 2, "distinct")),
        })
    }

    /// The keys that are computed: `lower(email)`, `((a || b))`.
    pub fn expressions(&self) -> impl Iterator<Item = &'a str> {
        let has_parentheses = |key: &&str| {
            let mut tokens = nested(key).into_iter();
            tokens.any(|(token, _)| token.class == Class::Open)
        };
        self.keys.iter().copied().filter(has_parentheses)
    }
}

/// Collation, operator class and order stand behind a space, and the server leaves none in a key outside its parentheses.
fn without_order(key: &str) -> &str {
    let mut end = 0;
    for (token, depth) in nested(key) {
        if depth == 0 && token.class != Class::Close && token.range.start > end {
            break;
        }
        end = token.range.end;
    }
    &key[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_read_without_their_order_and_expressions_are_told_from_columns() {
        for (using, keys, expressions, condition) in [
            ("btree (a)", vec!["a"], vec![], None),
            (
                "btree (status DESC NULLS LAST, n) INCLUDE (note)",
                vec!["status", "n"],
                vec![],
                None,
            ),
            (
                "gist (tags gist__int_ops (siglen='16'), \"a (b\")",
                vec!["tags", "\"a (b\""],
                vec![],
                None,
            ),
            (
                "btree (\"odd, (name\" DESC NULLS LAST, lower((b)::text) text_pattern_ops) INCLUDE (id) NULLS NOT DISTINCT WITH (fillfactor='70') WHERE (a <> ' WHERE ('::text)",
                vec!["\"odd, (name\"", "lower((b)::text)"],
                vec!["lower((b)::text)"],
                Some("(a <> ' WHERE ('::text)"),
            ),
            (
                "btree (((a || ', '::text) || b) COLLATE \"C\")",
                vec!["((a || ', '::text) || b)"],
                vec!["((a || ', '::text) || b)"],
                None,
            ),
            (
                "hash (\"My F\"(a, b)) WHERE (a IS NULL)",
                vec!["\"My F\"(a, b)"],
                vec!["\"My F\"(a, b)"],
                Some("(a IS NULL)"),
            ),
            (
                "btree (\"WHERE \") WHERE ((quantity <> '7 WHERE (x'::text) AND (n > 1))",
                vec!["\"WHERE \""],
                vec![],
                Some("((quantity <> '7 WHERE (x'::text) AND (n > 1))"),
            ),
        ] {
            let found = IndexDefinition::read(using).expect("an index");
            assert_eq!(found.keys, keys, "{using}");
            assert_eq!(found.condition, condition, "{using}");
            assert_eq!(found.nulls_are_equal, using.contains("NOT DISTINCT"));
            let found: Vec<&str> = found.expressions().collect();
            assert_eq!(found, expressions, "{using}");
        }
        let found = IndexDefinition::read("gist (tags gist__int_ops (siglen='16'), lower(b) DESC)");
        let found = found.expect("an index");
        assert_eq!(
            (found.method, found.orders),
            ("gist", vec![" gist__int_ops (siglen='16')", " DESC"])
        );
    }
}
