//! `set_comment`: on a table or on a column, or none any more.

use super::named::{Aspect, Named, Naming, What};
use super::{
    Change,
    relation::{self, Errors, Fit},
};
use crate::{
    document::{PhaseDocument, PhaseName},
    facts::Facts,
    steps::{Step, set_comment::SetComment as SetCommentStep},
};
use crossfade_model::{
    error::Path,
    ident::{Ident, TableName},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetComment {
    pub table: TableName,
    /// Without it: the table itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<Ident>,
    /// Without it, the comment is removed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl Change for SetComment {
    fn tables(&self) -> Vec<&TableName> {
        vec![&self.table]
    }

    fn named<'a>(&'a self, at: &Path) -> Vec<Named<'a>> {
        let naming = Naming::of(&self.table);
        match &self.column {
            Some(column) => naming.and(What::Sets(column, Aspect::Comment), at.key("column")),
            None => naming.and(What::OfTable("comment"), at.key("table")),
        }
        .named()
    }

    fn phases(&self, facts: &Facts, at: &Path) -> Result<Vec<PhaseDocument>, Errors> {
        let table = relation::table(facts, &self.table, at, Fit::Partitioned)?;
        let previous = match &self.column {
            Some(column) => relation::column(&self.table, table, column, at.key("column"))?
                .comment
                .clone(),
            None => table.comment.clone(),
        };
        let step = SetCommentStep {
            table: self.table.clone(),
            column: self.column.clone(),
            // PostgreSQL takes an empty comment for none.
            comment: self.comment.clone().filter(|comment| !comment.is_empty()),
            previous,
        };
        Ok(vec![relation::phase(
            PhaseName::Expand,
            vec![Step::from(step)],
        )])
    }
}
