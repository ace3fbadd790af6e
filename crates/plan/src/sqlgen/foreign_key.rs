//! A foreign key's definition, as `pg_get_constraintdef` writes it, taken apart.

use super::rename::{names, rename_column};
use crossfade_model::ident::{Ident, TableName};
use crossfade_sql::lexer::around_list;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `FOREIGN KEY (own) REFERENCES table(theirs) rest`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForeignKey<'a> {
    own: &'a str,
    /// As the server writes it, with its schema.
    pub table: &'a str,
    theirs: &'a str,
    /// ` MATCH FULL ON DELETE SET NULL (order_id) DEFERRABLE`
    rest: String,
    pub validated: bool,
}

/// When a constraint is checked: by each statement; by each statement unless a transaction defers it; at the end of transactions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Checked {
    NotDeferrable,
    InitiallyImmediate,
    InitiallyDeferred,
}

impl Checked {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotDeferrable => "NOT DEFERRABLE",
            Self::InitiallyImmediate => "DEFERRABLE INITIALLY IMMEDIATE",
            Self::InitiallyDeferred => "DEFERRABLE INITIALLY DEFERRED",
        }
    }
}

/// Old names and new ones.
pub type Renamed = Vec<(Ident, Ident)>;

impl<'a> ForeignKey<'a> {
    pub fn read(definition: &'a str) -> Option<Self> {
        let (head, own, rest) = around_list(definition)?;
        if head.trim() != "FOREIGN KEY" {
            return None;
        }
        let (table, theirs, rest) = around_list(rest.strip_prefix(" REFERENCES ")?)?;
        let valid = rest.strip_suffix(" NOT VALID");
        Some(Self {
            own,
            table,
            theirs,
            rest: valid.unwrap_or(rest).to_owned(),
            validated: valid.is_none(),
        })
    }

    /// The table that is referred to. The server writes it with its schema.
    pub fn table(&self) -> Option<TableName> {
        self.table.parse().ok()
    }

    /// The columns that refer.
    pub fn columns(&self) -> Vec<Ident> {
        names(self.own)
    }

    /// The columns that are referred to.
    pub fn referred(&self) -> Vec<Ident> {
        names(self.theirs)
    }

    /// Each column with the one that it refers to.
    pub fn pairs(&self) -> impl Iterator<Item = (Ident, Ident)> {
        self.columns().into_iter().zip(self.referred())
    }

    /// The column that refers to `key`: the one at its place in the list.
    pub fn referring_to(&self, key: &Ident) -> Option<Ident> {
        let place = self.referred().iter().position(|name| name == key)?;
        self.columns().get(place).cloned()
    }

    /// A deletion gives the columns that refer their defaults, or an update does.
    pub fn sets_default(&self) -> bool {
        self.rest.contains(" SET DEFAULT")
    }

    /// It changes or deletes rows that refer, and does not only refuse.
    pub fn acts(&self) -> bool {
        self.rest.contains(" CASCADE") || self.rest.contains(" SET ")
    }

    /// When it is checked.
    pub fn checked(&self) -> Checked {
        if self.rest.contains(" INITIALLY DEFERRED") {
            Checked::InitiallyDeferred
        } else if self.rest.contains(" DEFERRABLE") {
            Checked::InitiallyImmediate
        } else {
            Checked::NotDeferrable
        }
    }

    /// Checked when a transaction ends, whatever it says.
    pub fn deferred(mut self) -> Self {
        self.rest += match self.checked() {
            Checked::InitiallyDeferred => "",
            Checked::InitiallyImmediate => " INITIALLY DEFERRED",
            Checked::NotDeferrable => " DEFERRABLE INITIALLY DEFERRED",
        };
        self
    }

    /// The same between columns of other names, without NOT VALID.
    pub fn renamed(&self, own: &Renamed, theirs: &Renamed) -> String {
        let Self { table, .. } = self;
        // `ON DELETE SET NULL (a, b)` names columns of the table that refers.
        let rest = match around_list(&self.rest) {
            Some((before, list, after)) => format!("{before}({}){after}", renamed(list, own)),
            None => self.rest.clone(),
        };
        let (own, theirs) = (renamed(self.own, own), renamed(self.theirs, theirs));
        format!("FOREIGN KEY ({own}) REFERENCES {table}({theirs}){rest}")
    }
}

fn renamed(list: &str, names: &Renamed) -> String {
    names.iter().fold(list.to_owned(), |list, (from, to)| {
        rename_column(&list, from, to)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(of: &[(&str, &str)]) -> Renamed {
        let pair = |(a, b): &(&str, &str)| (a.parse().unwrap(), b.parse().unwrap());
        of.iter().map(pair).collect()
    }

    #[test]
    fn a_definition_is_taken_apart_outside_quotes() {
        let text = r#"FOREIGN KEY ("Order (Id)", line) REFERENCES "odd (schema"."t"("Id", n) ON DELETE CASCADE"#;
        let key = ForeignKey::read(text).unwrap();
        assert_eq!(key.table(), Some(r#""odd (schema".t"#.parse().unwrap()));
        let found = |name: &str| key.referring_to(&name.parse().unwrap());
        assert_eq!(found("\"Id\""), Some("\"Order (Id)\"".parse().unwrap()));
        assert_eq!(found("n"), Some("line".parse().unwrap()));
        assert_eq!(found("id"), None);
        assert_eq!(ForeignKey::read("CHECK ((a > 0))"), None);
    }

    #[test]
    fn columns_are_renamed_in_the_lists_of_their_own_table_and_nowhere_else() {
        let text = "FOREIGN KEY (tenant, cascade) REFERENCES public.cascade(tenant, id) MATCH SIMPLE ON UPDATE CASCADE ON DELETE SET NULL (cascade) DEFERRABLE NOT VALID";
        let key = ForeignKey::read(text).unwrap();
        let (own, theirs) = (
            pairs(&[("cascade", "up"), ("id", "x")]),
            pairs(&[("id", "id_new"), ("cascade", "x")]),
        );
        assert_eq!(
            key.renamed(&own, &theirs),
            "FOREIGN KEY (tenant, up) REFERENCES public.cascade(tenant, id_new) MATCH SIMPLE ON UPDATE CASCADE ON DELETE SET NULL (up) DEFERRABLE"
        );
        assert!(!key.validated && key.acts() && !key.sets_default());
        assert_eq!(key.checked(), Checked::InitiallyImmediate);
        let deferred = key.deferred().renamed(&Vec::new(), &Vec::new());
        assert!(deferred.ends_with(" (cascade) DEFERRABLE INITIALLY DEFERRED"));
    }
}
