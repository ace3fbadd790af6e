//! A foreign key as `pg_get_constraintdef` writes it, taken apart.

use super::rename::names;
use crate::plan::ident::Ident;

/// `FOREIGN KEY (fleet, status) REFERENCES public.states(fleet, name) ON DELETE SET NULL (status)`
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ForeignKey<'a> {
    /// `FOREIGN KEY (fleet, status)`
    pub own: &'a str,
    /// `public.states`
    pub table: &'a str,
    /// `(fleet, name)`
    pub theirs: &'a str,
    /// ` ON DELETE SET NULL (status)`: these are columns of the one that refers.
    pub actions: &'a str,
}

impl<'a> ForeignKey<'a> {
    /// `None`: it is another constraint's.
    pub fn read(definition: &'a str) -> Option<Self> {
        let columns = definition.strip_prefix("FOREIGN KEY ")?;
        let end = definition.len() - columns.len() + outside_quotes(columns, ')')? + 1;
        let (own, rest) = definition.split_at(end);
        let rest = rest.strip_prefix(" REFERENCES ")?;
        let (table, rest) = rest.split_at(outside_quotes(rest, '(')?);
        let (theirs, actions) = rest.split_at(outside_quotes(rest, ')')? + 1);
        Some(Self {
            own,
            table,
            theirs,
            actions,
        })
    }

    /// Each column with the one that it refers to.
    pub fn pairs(&self) -> Vec<(Ident, Ident)> {
        let own = self.own.strip_prefix("FOREIGN KEY").unwrap_or(self.own);
        names(own).into_iter().zip(names(self.theirs)).collect()
    }
}

/// Where the letter stands first that is not part of a quoted name.
fn outside_quotes(text: &str, letter: char) -> Option<usize> {
    let mut quoted = false;
    let mut places = text.char_indices();
    let (place, _) = places.find(|(_, found)| {
        quoted ^= *found == '"';
        *found == letter && !quoted
    })?;
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_foreign_key_is_taken_apart_whatever_its_names() {
        let key = ForeignKey::read(
            r#"FOREIGN KEY (a, "b ) REFERENCES (c)") REFERENCES "s (".t(x, "y )") ON DELETE SET NULL ("b (c)") DEFERRABLE"#,
        )
        .unwrap();
        assert_eq!(key.own, r#"FOREIGN KEY (a, "b ) REFERENCES (c)")"#);
        assert_eq!(key.table, r#""s (".t"#);
        assert_eq!(key.theirs, r#"(x, "y )")"#);
        assert_eq!(key.actions, r#" ON DELETE SET NULL ("b (c)") DEFERRABLE"#);
        let name = |name: &str| Ident::from_catalog(name);
        assert_eq!(
            key.pairs(),
            [
                (name("a"), name("x")),
                (name("b ) REFERENCES (c)"), name("y )"))
            ]
        );
        assert_eq!(ForeignKey::read("CHECK (a > 0)"), None);
    }
}
