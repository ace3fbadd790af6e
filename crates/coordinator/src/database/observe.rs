//! Whether the catalog shows a goal: every step is observed before it is run.

mod definitions;
mod partitions;

pub use definitions::definition;

use super::Result;
use crossfade_decisions::lifecycle::standing::{self, Standing};
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::{
    ddl_unit::{Commented, Goal, ReplicaIdentity},
    literal, standing as statement,
};
use std::collections::BTreeSet;
use tokio_postgres::{
    GenericClient,
    error::SqlState,
    types::{Json, ToSql},
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Observed {
    Holds,
    Missing,
    /// An INVALID index under our name: it is dropped and built again.
    InvalidIndex,
    /// Something else stands under that name.
    Conflict(String),
}

const RELATION: &str = "(SELECT c.oid FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
                        WHERE n.nspname = $1 AND c.relname = $2)";

fn holds(yes: bool) -> Observed {
    if yes {
        Observed::Holds
    } else {
        Observed::Missing
    }
}

struct Observer<'a, C: GenericClient> {
    client: &'a C,
    table: &'a TableName,
}

impl<C: GenericClient> Observer<'_, C> {
    /// One row over the table, `$1` and `$2` being its schema and name.
    async fn look<T: for<'b> tokio_postgres::types::FromSql<'b>>(
        &self,
        query: &str,
        more: &[&(dyn ToSql + Sync)],
    ) -> Result<Option<T>> {
        let (schema, name) = (self.table.schema.as_str(), self.table.name.as_str());
        let mut parameters: Vec<&(dyn ToSql + Sync)> = vec![&schema, &name];
        parameters.extend(more);
        let query = query.replace("%RELATION%", RELATION);
        let row = self.client.query_opt(&query, &parameters).await?;
        row.map(|row| row.try_get(0)).transpose()
    }

    async fn column_type(&self, column: &Ident) -> Result<Option<String>> {
        self.look(
            "SELECT format_type(a.atttypid, a.atttypmod) FROM pg_attribute AS a \
             WHERE a.attrelid = %RELATION% AND a.attname = $3 AND a.attnum > 0 AND NOT a.attisdropped",
            &[&column.as_str()],
        )
        .await
    }

    async fn has_column(&self, column: &Ident) -> Result<bool> {
        Ok(self.column_type(column).await?.is_some())
    }

    /// `pg_class.relkind` of what has this name in the table's schema.
    async fn kind(&self, name: &Ident) -> Result<Option<String>> {
        self.look(
            "SELECT c.relkind::text FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $3 AND $2::text IS NOT NULL",
            &[&name.as_str()],
        )
        .await
    }

    async fn constraint_validated(&self, name: &Ident) -> Result<Option<bool>> {
        self.look(
            "SELECT k.convalidated FROM pg_constraint AS k WHERE k.conrelid = %RELATION% AND k.conname = $3",
            &[&name.as_str()],
        )
        .await
    }

    async fn not_null(&self, column: &Ident) -> Result<Option<bool>> {
        self.look(
            "SELECT a.attnotnull FROM pg_attribute AS a WHERE a.attrelid = %RELATION% AND a.attname = $3 AND NOT a.attisdropped",
            &[&column.as_str()],
        )
        .await
    }

    /// Those that call this function of ours, on the table and on its partitions.
    async fn triggers(&self, function: &Ident) -> Result<Vec<Trigger>> {
        let (schema, name) = (self.table.schema.as_str(), self.table.name.as_str());
        let query = "SELECT t.tgrelid::pg_catalog.regclass::text, t.tgname::text, t.tgenabled IN ('O', 'A') FROM pg_catalog.pg_trigger AS t \
             JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
             WHERE t.tgrelid IN (SELECT %RELATION% UNION SELECT relid FROM pg_catalog.pg_partition_tree(%RELATION%)) \
             AND n.nspname = 'crossfade' AND p.proname = $3"
            .replace("%RELATION%", RELATION);
        let rows = self
            .client
            .query(&query, &[&schema, &name, &function.as_str()])
            .await?;
        Ok(rows
            .iter()
            .map(|row| Trigger {
                table: row.get(0),
                name: row.get(1),
                fires: row.get(2),
            })
            .collect())
    }

    async fn is_there(&self) -> Result<bool> {
        let found: Option<bool> = self.look("SELECT %RELATION% IS NOT NULL", &[]).await?;
        Ok(found == Some(true))
    }

    /// As the server writes it.
    async fn default(&self, column: &Ident) -> Result<Option<String>> {
        let found: Option<Option<String>> = self
            .look(
                "SELECT pg_get_expr(d.adbin, d.adrelid) FROM pg_attribute AS a \
                 LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum \
                 WHERE a.attrelid = %RELATION% AND a.attname = $3 AND NOT a.attisdropped",
                &[&column.as_str()],
            )
            .await?;
        Ok(found.flatten())
    }

    async fn replica_identity(&self) -> Result<Option<ReplicaIdentity>> {
        let found: Option<Vec<Option<String>>> = self
            .look(
                "SELECT ARRAY[c.relreplident::text, (SELECT x.relname::text FROM pg_index AS i JOIN pg_class AS x ON x.oid = i.indexrelid \
                 WHERE i.indrelid = c.oid AND i.indisreplident)] FROM pg_class AS c WHERE c.oid = %RELATION%",
                &[],
            )
            .await?;
        Ok(found.and_then(|found| match found.as_slice() {
            [Some(kind), index] => match (kind.as_str(), index) {
                ("d", _) => Some(ReplicaIdentity::Default),
                ("f", _) => Some(ReplicaIdentity::Full),
                ("n", _) => Some(ReplicaIdentity::Nothing),
                ("i", Some(index)) => Some(ReplicaIdentity::Index(Ident::from_catalog(index))),
                _ => None,
            },
            _ => None,
        }))
    }

    /// A rebuild that was cut short leaves `<name>_ccnew` or `<name>_ccold`, INVALID, on the same table.
    async fn is_rebuilt(&self, name: &Ident, filenode: u32) -> Result<bool> {
        let found: Option<bool> = self
            .look(
                "SELECT bool_and(i.indisvalid) AND bool_or(c.relname = $3 AND pg_relation_filenode(c.oid) <> $4) \
                 FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
                 WHERE i.indrelid = %RELATION% AND (c.relname = $3 OR NOT i.indisvalid AND starts_with(c.relname::text, left($3, 50)) AND c.relname ~ '_cc(new|old)[0-9]*$')",
                &[&name.as_str(), &filenode],
            )
            .await
            .map(Option::flatten)?;
        Ok(found == Some(true))
    }

    /// `None`: no index of that name in the table's schema.
    async fn index(&self, name: &Ident) -> Result<Option<Vec<bool>>> {
        self.look(
            "SELECT ARRAY[coalesce(i.indrelid = %RELATION%, false), i.indisvalid AND i.indisready, i.indisunique] \
             FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace \
             WHERE n.nspname = $1 AND c.relname = $3",
            &[&name.as_str()],
        )
        .await
    }
}

/// Reads the catalog through `client`, so that within a transaction its own effects are seen.
pub async fn observe<C: GenericClient>(client: &C, goal: &Goal) -> Result<Observed> {
    let observer = |table| Observer { client, table };
    Ok(match goal {
        Goal::Column {
            table,
            column,
            type_name,
        } => column_is(&observer(table), column, type_name).await?,
        Goal::NoColumn { table, column } => holds(!observer(table).has_column(column).await?),
        Goal::ColumnRenamed { table, from, to } => {
            let (from, to) = (
                observer(table).has_column(from).await?,
                observer(table).has_column(to).await?,
            );
            renamed(from, to, table)
        }
        Goal::Replaced {
            table,
            column,
            by,
            aside,
        } => {
            let observer = observer(table);
            let done = observer.has_column(aside).await? && !observer.has_column(by).await?;
            holds(done && observer.has_column(column).await?)
        }
        Goal::Unreplaced {
            table,
            column,
            by,
            aside,
        } => {
            let observer = observer(table);
            let done = !observer.has_column(aside).await? && observer.has_column(by).await?;
            holds(done && observer.has_column(column).await?)
        }
        Goal::Index {
            table,
            name,
            unique,
        } => match observer(table).index(name).await?.as_deref() {
            None => Observed::Missing,
            Some([true, true, is_unique]) if is_unique == unique => Observed::Holds,
            Some([true, false, _]) => Observed::InvalidIndex,
            Some(_) => Observed::Conflict(format!("another index is called {name}")),
        },
        Goal::PartitionedIndex { table, name } => {
            match observer(table).index(name).await?.as_deref() {
                None => Observed::Missing,
                Some([true, ..]) => Observed::Holds,
                Some(_) => Observed::Conflict(format!("another index is called {name}")),
            }
        }
        Goal::NoIndex { table, name } => holds(observer(table).index(name).await?.is_none()),
        Goal::Constraint {
            table,
            name,
            validated,
        } => {
            let found = observer(table).constraint_validated(name).await?;
            holds(found.is_some_and(|is_validated| is_validated || !validated))
        }
        Goal::NoConstraint { table, name } => {
            holds(observer(table).constraint_validated(name).await?.is_none())
        }
        Goal::NotNull {
            table,
            column,
            proof,
        } => {
            let proof_is_gone = observer(table).constraint_validated(proof).await?.is_none();
            holds(proof_is_gone && observer(table).not_null(column).await? == Some(true))
        }
        Goal::Nullable {
            table,
            column,
            proof,
        } => {
            let proof_is_gone = observer(table).constraint_validated(proof).await?.is_none();
            holds(proof_is_gone && observer(table).not_null(column).await? != Some(true))
        }
        Goal::Sync {
            table,
            function,
            body,
        } => sync(&observer(table), function, body.as_deref()).await?,
        Goal::TablesInStep {
            parent,
            child,
            functions,
            bodies,
        } => {
            let mut all = true;
            for (number, (table, function)) in
                [parent, child].into_iter().zip(functions).enumerate()
            {
                let body = bodies.get(number).map(String::as_str);
                all &= sync(&observer(table), function, body).await? == Observed::Holds;
            }
            holds(all)
        }
        Goal::DefaultIsNot {
            table,
            column,
            previous,
        } => holds(observer(table).default(column).await? != *previous),
        Goal::DefaultIs {
            table,
            column,
            default,
        } => holds(observer(table).default(column).await? == *default),
        Goal::ColumnType {
            table,
            column,
            type_name,
        } => holds(observer(table).column_type(column).await?.as_ref() == Some(type_name)),
        Goal::Comment { on, text } => holds(comment(client, on).await? == *text),
        Goal::Table { table } => match observer(table).kind(&table.name).await?.as_deref() {
            None => Observed::Missing,
            Some("r" | "p") => Observed::Holds,
            Some(_) => Observed::Conflict(format!("{table} is there, and is not a table")),
        },
        Goal::NoTable { table } => holds(!observer(table).is_there().await?),
        Goal::TableRenamed { from, to } => {
            let there = TableName {
                schema: from.schema.clone(),
                name: to.clone(),
            };
            let (has_from, has_to) = (
                observer(from).is_there().await?,
                observer(&there).is_there().await?,
            );
            renamed(has_from, has_to, from)
        }
        Goal::ReplicaIdentity { table, identity } => {
            holds(observer(table).replica_identity().await?.as_ref() == Some(identity))
        }
        Goal::ConstraintRenamed { table, from, to } => {
            let has_from = observer(table).constraint_validated(from).await?.is_some();
            let has_to = observer(table).constraint_validated(to).await?.is_some();
            renamed(has_from, has_to, table)
        }
        Goal::IndexRebuilt {
            table,
            name,
            filenode,
        } => holds(observer(table).is_rebuilt(name, *filenode).await?),
        Goal::IndexAttached { parent, index } => {
            let attached: Option<bool> = observer(index)
                .look(
                    "SELECT EXISTS (SELECT 1 FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhparent \
                     JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE i.inhrelid = %RELATION% AND n.nspname = $3 AND c.relname = $4)",
                    &[&parent.schema.as_str(), &parent.name.as_str()],
                )
                .await?;
            holds(attached == Some(true))
        }
        Goal::IndexWhole { table, name, known } => {
            partitions::index_is_whole(client, table, name, known).await?
        }
        Goal::PartitionsRefer { table, names } => partitions::refer(client, table, names).await?,
        Goal::OfPartition {
            partition,
            of,
            goal,
        } => match partitions::is_partition(client, partition, of).await? {
            true => Box::pin(observe(client, goal)).await?,
            false => Observed::Holds,
        },
        Goal::Aliased { table, base } => {
            let kinds = (
                observer(table).kind(&table.name).await?,
                observer(table).kind(base).await?,
            );
            match (kinds.0.as_deref(), kinds.1.as_deref()) {
                (Some("v"), Some("r")) => Observed::Holds,
                (Some("r"), None) => Observed::Missing,
                (Some("r"), Some(_)) => Observed::Conflict(format!(
                    "there is a relation {base} in the schema {} already",
                    table.schema
                )),
                _ => Observed::Conflict(format!("{table} is not the table that the plan changes")),
            }
        }
        Goal::TableItself { table } => {
            holds(observer(table).kind(&table.name).await?.as_deref() == Some("r"))
        }
        Goal::NoView { table } => {
            holds(observer(table).kind(&table.name).await?.as_deref() != Some("v"))
        }
        Goal::Clustered { table, index } => {
            let found: Option<String> = observer(table)
                .look(
                    "SELECT c.relname::text FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
                     WHERE i.indrelid = %RELATION% AND i.indisclustered",
                    &[],
                )
                .await?;
            holds(found.as_deref() == index.as_ref().map(Ident::as_str))
        }
        Goal::Enum { name, labels } => {
            let found = enum_labels(client, name).await?;
            match (&found, labels) {
                (Some(found), Some(wanted)) if found != wanted => Observed::Conflict(format!(
                    "{name} is there with the labels {}",
                    found.join(", ")
                )),
                _ => holds(found == *labels),
            }
        }
        Goal::EnumValue { name, label } => {
            let found = enum_labels(client, name).await?;
            holds(found.is_some_and(|labels| labels.contains(label)))
        }
        Goal::Asked {
            path,
            question,
            answer,
        } => asked(client, path, question, *answer).await?,
        Goal::Functions { bodies } => {
            let mut all = true;
            for (function, body) in bodies {
                let source = function_source(client, function).await?;
                all &= source.as_deref() == Some(body.as_str());
            }
            holds(all)
        }
        Goal::Identity { table, column } => {
            let identity: Option<bool> = observer(table)
                .look(
                    "SELECT a.attidentity <> '' FROM pg_attribute AS a WHERE a.attrelid = %RELATION% AND a.attname = $3 AND NOT a.attisdropped",
                    &[&column.as_str()],
                )
                .await?;
            holds(identity == Some(true))
        }
        Goal::SequenceReaches {
            sequence,
            limit,
            descending,
        } => {
            let reaches: Option<bool> = observer(sequence)
                .look(
                    "SELECT CASE WHEN $4 THEN s.seqmin <= $3 ELSE s.seqmax >= $3 END FROM pg_sequence AS s WHERE s.seqrelid = %RELATION%",
                    &[limit, descending],
                )
                .await?;
            holds(reaches == Some(true))
        }
        Goal::SequenceOwned {
            sequence,
            table,
            column,
        } => {
            let owned: Option<bool> = observer(table)
                .look(
                    "SELECT EXISTS (SELECT 1 FROM pg_depend AS d JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid \
                     WHERE d.classid = 'pg_class'::regclass AND d.objid = to_regclass($4) AND d.refobjid = %RELATION% AND a.attname = $3 AND d.deptype = 'a')",
                    &[&column.as_str(), sequence],
                )
                .await?;
            holds(owned == Some(true))
        }
    })
}

/// The plan's type is written as the server writes it: compiling has seen to that.
async fn column_is<C: GenericClient>(
    observer: &Observer<'_, C>,
    column: &Ident,
    type_name: &str,
) -> Result<Observed> {
    let Some(found) = observer.column_type(column).await? else {
        return Ok(Observed::Missing);
    };
    if found == type_name {
        Ok(Observed::Holds)
    } else {
        Ok(Observed::Conflict(format!(
            "{}.{column} is there with type {found}, not {type_name}",
            observer.table
        )))
    }
}

fn renamed(has_from: bool, has_to: bool, table: &TableName) -> Observed {
    match (has_from, has_to) {
        (false, true) => Observed::Holds,
        (true, false) => Observed::Missing,
        (true, true) => Observed::Conflict(format!("{table} has both the old and the new name")),
        (false, false) => {
            Observed::Conflict(format!("{table} has neither the old nor the new name"))
        }
    }
}

async fn sync<C: GenericClient>(
    observer: &Observer<'_, C>,
    function: &Ident,
    body: Option<&str>,
) -> Result<Observed> {
    let source = function_source(observer.client, function).await?;
    Ok(match body {
        Some(body) => {
            let triggers = observer.triggers(function).await?;
            // On INSERT and on UPDATE. Those of partitions have the names of their table's.
            let names: BTreeSet<&str> = triggers.iter().map(|one| one.name.as_str()).collect();
            holds(
                source.as_deref() == Some(body)
                    && names.len() > 1
                    && triggers.iter().all(|trigger| trigger.fires),
            )
        }
        None => holds(source.is_none() && observer.triggers(function).await?.is_empty()),
    })
}

async fn function_source(client: &impl GenericClient, function: &Ident) -> Result<Option<String>> {
    let row = client
        .query_opt(
            "SELECT p.prosrc FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
             WHERE n.nspname = 'crossfade' AND p.proname = $1",
            &[&function.as_str()],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

/// A trigger of ours on a table or one of its partitions.
struct Trigger {
    /// As the server shows it.
    table: String,
    name: String,
    /// In ordinary sessions: it is not disabled, and not for replicas only.
    fires: bool,
}

/// What is not as it should be of the triggers that keep both sides of `table` in step: somebody has dropped or disabled
/// them. The table is there.
pub async fn out_of_place(
    client: &impl GenericClient,
    table: &TableName,
    function: &Ident,
    triggers: &[&Ident],
) -> Result<Vec<String>> {
    let observer = Observer { client, table };
    let found = observer.triggers(function).await?;
    let mut wrong: Vec<String> = found
        .iter()
        .filter(|trigger| !trigger.fires)
        .map(|trigger| {
            format!(
                "the trigger {} of {} is disabled",
                trigger.name, trigger.table
            )
        })
        .collect();
    for name in triggers {
        if !found.iter().any(|trigger| trigger.name == name.as_str()) {
            wrong.push(format!("the trigger {name} of {table} is gone"));
        }
    }
    // They have the columns, which go with the table's, and neither its triggers nor a place in the walks.
    let children: Option<Option<Vec<String>>> = observer
        .look(
            "SELECT (SELECT array_agg(i.inhrelid::regclass::text ORDER BY i.inhrelid) FROM pg_inherits AS i JOIN pg_class AS c ON c.oid = i.inhrelid \
             WHERE i.inhparent = %RELATION% AND NOT c.relispartition)",
            &[],
        )
        .await?;
    for child in children.flatten().unwrap_or_default() {
        wrong.push(format!("{child} inherits from {table} since (end that with ALTER TABLE {child} NO INHERIT {table})"));
    }
    Ok(wrong)
}

/// How these functions of ours and all triggers that call them stand, down to the transaction that changed each last. Two
/// looks that give the same had them in place, and firing, all the time between: one that is disabled and enabled again,
/// or that comes with a partition, is another, and so is one on whose table another has come to inherit.
pub async fn standing(client: &impl GenericClient, functions: &[&str]) -> Result<String> {
    let row = client.query_one(STANDING, &[&functions]).await?;
    Ok(row.get(0))
}

const STANDING: &str = "SELECT md5(coalesce(string_agg(concat_ws(' ', p.oid, p.xmin, t.oid, t.xmin, t.tgrelid, \
        (SELECT string_agg(i.inhrelid::text, ' ' ORDER BY i.inhrelid) FROM pg_catalog.pg_inherits AS i WHERE i.inhparent = t.tgrelid)), \
        ',' ORDER BY p.oid, t.oid), '')) \
     FROM pg_catalog.pg_proc AS p JOIN pg_catalog.pg_namespace AS n ON n.oid = p.pronamespace \
     LEFT JOIN pg_catalog.pg_trigger AS t ON t.tgfoid = p.oid WHERE n.nspname = 'crossfade' AND p.proname = ANY ($1)";

/// That they stand as they did when `mark` was read, as a condition of a message: a query without its SELECT.
pub fn still_stands(functions: &[&str], mark: &str) -> String {
    let names: Vec<String> = functions.iter().map(|name| literal::text(name)).collect();
    let list = format!("ARRAY[{}]::text[]", names.join(", "));
    format!(
        "1 WHERE ({}) = {}",
        STANDING.replace("$1", &list),
        literal::text(mark)
    )
}

/// The columns that the conditions of these functions' triggers name, under the names that they have by now.
pub async fn named_by_triggers(
    client: &impl GenericClient,
    function: &Ident,
    table: &TableName,
) -> Result<Vec<Ident>> {
    let rows = client
        .query(
            "SELECT DISTINCT a.attname::text FROM pg_catalog.pg_trigger AS t JOIN pg_catalog.pg_proc AS p ON p.oid = t.tgfoid \
             JOIN pg_catalog.pg_namespace AS o ON o.oid = p.pronamespace JOIN pg_catalog.pg_class AS c ON c.oid = t.tgrelid \
             JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace \
             JOIN pg_catalog.pg_depend AS d ON d.classid = 'pg_catalog.pg_trigger'::regclass AND d.objid = t.oid AND d.refobjid = c.oid \
             JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid AND NOT a.attisdropped \
             WHERE o.nspname = 'crossfade' AND p.proname = $1 AND n.nspname = $2 AND c.relname = $3 AND d.refobjsubid > 0",
            &[&function.as_str(), &table.schema.as_str(), &table.name.as_str()],
        )
        .await?;
    Ok(rows
        .iter()
        .map(|row| Ident::from_catalog(row.get::<_, String>(0)))
        .collect())
}

/// The same of each function and trigger by itself, so that what was changed can be told.
pub async fn stands(client: &impl GenericClient, functions: &[&str]) -> Result<Standing> {
    let row = client
        .query_one(&statement::of("$1"), &[&functions])
        .await?;
    let Json(standing) = row.try_get::<_, Json<Standing>>(0)?;
    Ok(standing)
}

/// Whether a partition, named as the server shows it, may have rows that were written before this trigger of ours was its own. One
/// that was created in the trigger's transaction has none but those of an earlier command of that transaction; such a table is filled
/// from its first block on. Of others each row counts: it may be older than it looks. One that may not be read here may have some.
pub async fn came_with_rows(
    client: &impl GenericClient,
    trigger: &standing::Trigger,
) -> Result<bool> {
    let partition = &trigger.table;
    let rows = match trigger.with_table {
        true => {
            "ctid < '(8,0)'::tid AND EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.oid::int8 = $1 AND t.xmin = crossfade_row.xmin \
                AND crossfade_row.cmin::text::int8 < t.cmin::text::int8)"
        }
        false => "$1::int8 IS NOT NULL",
    };
    let sql = format!("SELECT EXISTS (SELECT FROM ONLY {partition} AS crossfade_row WHERE {rows})");
    match client.query_one(&sql, &[&trigger.oid]).await {
        Ok(row) => Ok(row.get(0)),
        Err(error) if error.code() == Some(&SqlState::UNDEFINED_TABLE) => Ok(false),
        Err(error) if error.as_db_error().is_some() => Ok(!trigger.with_table),
        Err(error) => Err(error),
    }
}

/// Its labels in their order; `None` where there is no such enum.
async fn enum_labels(client: &impl GenericClient, name: &TableName) -> Result<Option<Vec<String>>> {
    let row = client
        .query_opt(
            "SELECT array(SELECT e.enumlabel::text FROM pg_catalog.pg_enum AS e WHERE e.enumtypid = t.oid ORDER BY e.enumsortorder) \
             FROM pg_catalog.pg_type AS t JOIN pg_catalog.pg_namespace AS n ON n.oid = t.typnamespace WHERE n.nspname = $1 AND t.typname = $2",
            &[&name.schema.as_str(), &name.name.as_str()],
        )
        .await?;
    Ok(row.map(|row| row.get(0)))
}

async fn comment(client: &impl GenericClient, on: &Commented) -> Result<Option<String>> {
    let observer = |table| Observer { client, table };
    let found: Option<Option<String>> = match on {
        Commented::Table(table) => {
            observer(table)
                .look("SELECT obj_description(%RELATION%, 'pg_class')", &[])
                .await?
        }
        Commented::Column(table, column) => {
            observer(table)
                .look(
                    "SELECT col_description(a.attrelid, a.attnum) FROM pg_attribute AS a \
                     WHERE a.attrelid = %RELATION% AND a.attname = $3 AND NOT a.attisdropped",
                    &[&column.as_str()],
                )
                .await?
        }
        Commented::Index(table, index) => {
            observer(table)
                .look(
                    "SELECT obj_description(i.indexrelid, 'pg_class') FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid \
                     WHERE i.indrelid = %RELATION% AND c.relname = $3",
                    &[&index.as_str()],
                )
                .await?
        }
        Commented::Constraint(table, name) => {
            observer(table)
                .look(
                    "SELECT obj_description(k.oid, 'pg_constraint') FROM pg_constraint AS k \
                     WHERE k.conrelid = %RELATION% AND k.conname = $3",
                    &[&name.as_str()],
                )
                .await?
        }
    };
    Ok(found.flatten())
}

/// What its author asks may fail; then it is not known, and nothing is run. Names in it mean what they mean to the author.
async fn asked(
    client: &impl GenericClient,
    path: &str,
    question: &str,
    answer: bool,
) -> Result<Observed> {
    let before: String = client
        .query_one("SELECT current_setting('search_path')", &[])
        .await?
        .get(0);
    client
        .batch_execute(&format!("SET search_path = {path}"))
        .await?;
    let query = format!("SELECT coalesce(({question}\n)::boolean, false)");
    let answered = client.query_one(&query, &[]).await;
    // In a transaction that has failed nothing more can be set, and nothing needs to be.
    let back = client
        .batch_execute(&format!("SET search_path = {before}"))
        .await;
    match answered {
        Ok(row) => {
            back?;
            Ok(holds(row.get::<_, bool>(0) == answer))
        }
        Err(error) if error.as_db_error().is_some() => Ok(Observed::Conflict(format!(
            "`done_when` cannot be answered: {}",
            crossfade_postgres::sqlstate::message(&error)
        ))),
        Err(error) => Err(error),
    }
}
