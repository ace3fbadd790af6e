//! An expression of a recipe's that no row is filled with: what a partial index is for, what a CHECK asks, a default.

use crate::{
    document::Expression,
    facts::{ExpressionKey, Facts},
};
use crossfade_model::ident::{Ident, TableName};

#[derive(Clone, Copy, Debug)]
pub struct Condition<'a> {
    /// Where the recipe says it.
    pub word: &'static str,
    pub table: &'a TableName,
    pub expression: &'a Expression,
    pub wanted: Wanted<'a>,
}

#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// True or false of a row, and always the same.
    Boolean,
    /// A default of a column of this type, which is not there yet.
    DefaultOf(&'a str),
    DefaultOfColumn(&'a Ident),
}

impl<'a> Condition<'a> {
    /// None where there is no expression.
    pub fn boolean(
        word: &'static str,
        table: &'a TableName,
        expression: Option<&'a Expression>,
    ) -> Vec<Self> {
        let condition = |expression| Self {
            word,
            table,
            expression,
            wanted: Wanted::Boolean,
        };
        expression.map(condition).into_iter().collect()
    }

    pub fn default(
        word: &'static str,
        table: &'a TableName,
        column: &'a Ident,
        expression: &'a Expression,
    ) -> Self {
        Self {
            word,
            table,
            expression,
            wanted: Wanted::DefaultOfColumn(column),
        }
    }

    fn target_type(&self, facts: &Facts) -> Option<String> {
        match self.wanted {
            Wanted::Boolean => Some("boolean".to_owned()),
            Wanted::DefaultOf(type_name) => Some(match facts.types.get(type_name) {
                Some(Ok(canonical)) => canonical.clone(),
                Some(Err(_)) | None => type_name.to_owned(),
            }),
            Wanted::DefaultOfColumn(column) => {
                let table = facts.table(self.table)?;
                Some(table.column(column)?.type_name.clone())
            }
        }
    }

    /// What the server is asked.
    pub fn key(&self, facts: &Facts) -> ExpressionKey {
        ExpressionKey {
            table: self.table.clone(),
            expression: self.expression.clone(),
            added: facts.foreseen.get(self.table).cloned().unwrap_or_default(),
            target_type: self.target_type(facts),
        }
    }

    /// What is wrong with it, and what would be right. Nothing where it was not asked about: then something else is.
    pub fn fault(&self, facts: &Facts) -> Option<(String, String)> {
        let expression = self.expression;
        let found = match facts.expressions.get(&self.key(facts))? {
            Ok(found) => found,
            Err(error) => {
                let help = error.help.clone();
                let help = help.unwrap_or_else(|| "write one expression, as in SQL".to_owned());
                return Some((error.message.clone(), help));
            }
        };
        let wanted = self.target_type(facts).unwrap_or_default();
        if !found.assignable {
            let message = format!("`{expression}` is {}, not {wanted}", found.type_name);
            return Some((
                message,
                format!("write the conversion: `({expression})::{wanted}`"),
            ));
        }
        match self.wanted {
            Wanted::Boolean if found.is_volatile() => Some((
                format!("`{expression}` is volatile: it gives another value each time"),
                "what is asked of a row must always have the same answer".to_owned(),
            )),
            Wanted::DefaultOf(_) | Wanted::DefaultOfColumn(_) if !found.reads.is_empty() => Some((
                format!("`{expression}` reads columns"),
                "a default is computed before there is a row".to_owned(),
            )),
            Wanted::Boolean | Wanted::DefaultOf(_) | Wanted::DefaultOfColumn(_) => None,
        }
    }
}
