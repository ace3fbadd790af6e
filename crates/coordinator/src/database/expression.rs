//! Asks the server what an expression is: it alone knows its language. Nothing of the author's is evaluated.

use super::{
    Result,
    resolve::{Failed, Made, Resolver},
};
use crossfade_model::ident::Ident;
use crossfade_plan::facts::{
    Equality, EqualityKey, ExpressionError, ExpressionFacts, ExpressionKey, Table,
};
use crossfade_plan::sqlgen::script;
use crossfade_postgres::sqlstate;
use crossfade_sql::lexer::{Class, tokens};
use tokio_postgres::{Client, error::SqlState};

type Answer<T> = Result<std::result::Result<T, ExpressionError>>;

/// The columns that are there, but for those that the plan replaces, and those that are still to come: each with its type
/// and its collation, as SQL.
fn columns(key: &ExpressionKey, table: &Table) -> Vec<(Ident, String)> {
    let is_new = |name: &Ident| key.added.iter().any(|(added, _)| added == name);
    let own = table.columns.iter().filter(|column| !is_new(&column.name));
    let own = own.map(|column| {
        let collation = column.collation.iter();
        let collation: String = collation.map(|name| format!(" COLLATE {name}")).collect();
        (
            column.name.clone(),
            format!("{}{collation}", column.type_name),
        )
    });
    let mut columns: Vec<(Ident, String)> = own.collect();
    // Of one that is replaced twice the last counts.
    for (name, type_name) in key.added.iter().rev() {
        if !columns.iter().any(|(known, _)| known == name) {
            columns.push((name.clone(), type_name.clone()));
        }
    }
    columns
}

/// The column that the expression is and nothing else, as it would be written here: of such a one all is known.
fn as_column(key: &ExpressionKey, table: &Table) -> Option<(Ident, String)> {
    let text = key.expression.as_str().trim();
    let is_it = |(name, _): &(Ident, String)| text == name.to_string() || text == name.quoted();
    let known = key.added.iter().rev().find(|one| is_it(one)).cloned();
    let own = table.columns.iter();
    let mut own = own.map(|column| (column.name.clone(), column.type_name.clone()));
    known.or_else(|| own.find(is_it))
}

/// What the expression is, or why it cannot be used. The outer error is the connection's.
pub async fn analyse(
    resolver: &Resolver<'_>,
    key: &ExpressionKey,
    table: &Table,
) -> Answer<ExpressionFacts> {
    let expression = key.expression.as_str();
    if let Some((name, type_name)) = as_column(key, table) {
        return Ok(Ok(of_column(resolver, key, name, type_name).await?));
    }
    if let Some(why) = unbalanced(expression) {
        return refuse(format!("`{expression}` {why}"), None);
    }
    let columns = columns(key, table);
    let made = match resolver.make(&key.table.name, &columns, expression).await {
        Ok(made) => made,
        Err(failed) => return rejected(expression, failed),
    };
    if made.tree.system_column {
        let message = format!("`{expression}` reads a column of PostgreSQL's own");
        return refuse(
            message,
            Some("an expression may read the columns of its own table"),
        );
    }
    let type_oid = made.type_oid;
    let mut resolved = made.resolved.clone();
    let assignable = match &key.target_type {
        None => true,
        Some(target) => match is_assignable(resolver.client, type_oid, target).await? {
            true => true,
            // By itself it takes this type where one of that type is wanted, as a quoted literal does: `'new'` for an enum.
            false => match becomes(resolver, key, &columns, target).await? {
                Some(text) => {
                    resolved = text;
                    true
                }
                None => false,
            },
        },
    };
    let type_name: String = resolver
        .client
        .query_one("SELECT format_type($1, NULL)", &[&type_oid])
        .await?
        .get(0);
    let Made { tree, calls, .. } = made;
    let all = columns.iter().enumerate();
    let read = all.filter(|(at, _)| tree.whole_row || tree.reads.contains(&(at + 1)));
    Ok(Ok(ExpressionFacts {
        type_name,
        reads: read.map(|(_, (name, _))| name.clone()).collect(),
        assignable,
        // Longer than an author may write: it means the same where it is run.
        resolved: resolved.try_into().unwrap_or(key.expression.clone()),
        whole_row: tree.whole_row,
        calls,
    }))
}

async fn of_column(
    resolver: &Resolver<'_>,
    key: &ExpressionKey,
    name: Ident,
    mut type_name: String,
) -> Result<ExpressionFacts> {
    let assignable = match &key.target_type {
        Some(target) if *target != type_name => {
            let row = resolver
                .client
                .query_one(
                    "SELECT to_regtype($1)::oid, format_type(to_regtype($1), NULL)",
                    &[&type_name],
                )
                .await?;
            match row.get::<_, Option<u32>>(0) {
                Some(oid) => {
                    type_name = row.get(1);
                    is_assignable(resolver.client, oid, target).await?
                }
                None => false,
            }
        }
        Some(_) | None => true,
    };
    Ok(ExpressionFacts {
        type_name,
        reads: vec![name],
        assignable,
        resolved: key.expression.clone(),
        whole_row: false,
        calls: Vec::new(),
    })
}

/// The expression, resolved, where it takes the target's type by itself.
async fn becomes(
    resolver: &Resolver<'_>,
    key: &ExpressionKey,
    columns: &[(Ident, String)],
    target: &str,
) -> Result<Option<String>> {
    let wanted = resolver.type_oid(target).await?;
    let text = format!("coalesce(NULL::{target}, ({}\n))", key.expression);
    match resolver.make(&key.table.name, columns, &text).await {
        Ok(made) => Ok((wanted == Some(made.type_oid)).then_some(made.resolved)),
        Err(Failed::Connection(error)) => Err(error),
        Err(Failed::Refused(_) | Failed::Unavailable(_)) => Ok(None),
    }
}

/// What `=` means between a column and a value of a type.
pub async fn equality(resolver: &Resolver<'_>, key: &EqualityKey) -> Answer<Equality> {
    match resolver.equality(key).await {
        Ok(Some(found)) => Ok(Ok(found)),
        Ok(None) => refuse(
            format!("{} and {} have no `=`", key.column_type, key.other_type),
            None,
        ),
        Err(failed) => {
            let pair = format!("{} = {}", key.column_type, key.other_type);
            rejected(&pair, failed)
        }
    }
}

fn refuse<T>(message: String, help: Option<&str>) -> Answer<T> {
    Ok(Err(ExpressionError {
        message,
        help: help.map(str::to_owned),
    }))
}

/// A domain's name, and whether one that it is over, or itself, has a default or a constraint.
const DOMAIN: &str = "\
    WITH RECURSIVE d AS ( \
        SELECT t.oid, t.typbasetype, t.typnotnull, t.typdefault FROM pg_type AS t WHERE t.oid = $1 \
        UNION ALL SELECT t.oid, t.typbasetype, t.typnotnull, t.typdefault FROM pg_type AS t JOIN d ON t.oid = d.typbasetype WHERE t.typtype = 'd') \
    SELECT format_type($1, NULL), bool_or(d.typnotnull OR d.typdefault IS NOT NULL \
           OR EXISTS (SELECT 1 FROM pg_constraint AS k WHERE k.contypid = d.oid)) \
    FROM d HAVING count(*) > 0";

/// The type as the server writes it, or why there is none such.
pub async fn canonical_type(resolver: &Resolver<'_>, type_name: &str) -> Answer<String> {
    if let Some(why) = unbalanced(type_name) {
        return refuse(format!("`{type_name}` {why}"), None);
    }
    let found = resolver.named_type(type_name).await;
    let (oid, modifier, domain) = match found {
        Ok(Some(found)) => found,
        Ok(None) => return refuse(format!("`{type_name}` is not one type"), None),
        Err(failed) => return rejected(type_name, failed),
    };
    // Of a domain the server describes the type that is below it.
    if let Some(domain) = domain {
        let row = resolver.client.query_one(DOMAIN, &[&domain]).await?;
        let name: String = row.get(0);
        if row.get(1) {
            let message = format!(
                "{name} is a domain with constraints or a default: PostgreSQL rewrites the table to add a column of it"
            );
            let help = "add a column of the type below it, with a CHECK; a column that is there is renamed with `strategy: alias`";
            return refuse(message, Some(help));
        }
        return Ok(Ok(name));
    }
    let row = resolver
        .client
        .query_one("SELECT format_type($1, $2)", &[&oid, &modifier])
        .await?;
    Ok(Ok(row.get(0)))
}

/// What is wrong with a statement as such. Only its grammar is looked at: what it names may be made by a statement before
/// it. More than one statement in it is an error too.
pub async fn misspelled(client: &Client, statement: &str) -> Result<Option<String>> {
    match client.prepare(statement).await {
        Ok(_) => Ok(None),
        Err(error) => match error.as_db_error() {
            Some(database) if *database.code() == SqlState::SYNTAX_ERROR => {
                Ok(Some(sqlstate::message(&error)))
            }
            Some(_) => Ok(None),
            None => Err(error),
        },
    }
}

/// Why a question of one value that is true or false cannot be asked as things are. It is not asked.
pub async fn unanswerable(resolver: &Resolver<'_>, question: &str) -> Result<Option<String>> {
    let query = format!("SELECT coalesce(({question}\n)::boolean, false)");
    match resolver.parse(&query).await {
        Ok(_) => Ok(None),
        Err(Failed::Connection(error)) => Err(error),
        Err(Failed::Refused(error)) => Ok(Some(sqlstate::message(&error))),
        Err(Failed::Unavailable(why)) => Ok(Some(why.message)),
    }
}

fn rejected<T>(expression: &str, failed: Failed) -> Answer<T> {
    let error = match failed {
        Failed::Connection(error) => return Err(error),
        Failed::Unavailable(why) => return Ok(Err(why)),
        Failed::Refused(error) => error,
    };
    let Some(database) = error.as_db_error() else {
        return Err(error);
    };
    let message = database.message();
    if *database.code() == SqlState::FEATURE_NOT_SUPPORTED && message.contains("subquery") {
        return refuse(
            format!("`{expression}` has a sub-select"),
            Some("an expression may only read its own row"),
        );
    }
    let help = if *database.code() == SqlState::UNDEFINED_COLUMN {
        Some("an expression may read the columns of its own table")
    } else if *database.code() == SqlState::UNDEFINED_FUNCTION {
        Some(
            "write a function with its schema where that is not on the search path (`settings.search_path`); arguments may need a cast",
        )
    } else if *database.code() == SqlState::UNDEFINED_OBJECT {
        Some(
            "write a type with its schema where that is not on the search path (`settings.search_path`)",
        )
    } else {
        database.hint()
    };
    // It is looked at as a CHECK over the columns.
    let message = sqlstate::message(&error).replace("check constraints", "such an expression");
    refuse(format!("`{expression}`: {message}"), help)
}

/// Whether a value of the type may be stored in the target without a cast being written, as in INSERT and UPDATE.
async fn is_assignable(client: &Client, from: u32, target: &str) -> Result<bool> {
    let to = client
        .prepare(&format!("SELECT NULL::{target}"))
        .await?
        .columns()
        .first()
        .map_or(0, |column| column.type_().oid());
    let row = client
        .query_one(
            "WITH base AS (SELECT coalesce(nullif(f.typbasetype, 0), f.oid) AS source, coalesce(nullif(t.typbasetype, 0), t.oid) AS target, \
                    b.typcategory FROM pg_type AS f, pg_type AS t JOIN pg_type AS b ON b.oid = coalesce(nullif(t.typbasetype, 0), t.oid) \
                    WHERE f.oid = $1 AND t.oid = $2) \
             SELECT source = target OR typcategory = 'S' OR EXISTS (SELECT 1 FROM pg_cast AS c \
                    WHERE c.castsource = source AND c.casttarget = target AND c.castcontext IN ('a', 'i')) FROM base",
            &[&from, &to],
        )
        .await?;
    Ok(row.get(0))
}

/// The expression is put between parentheses: it must not close them, or end the statement.
fn unbalanced(expression: &str) -> Option<&'static str> {
    for token in tokens(expression) {
        match token.class {
            Class::LineComment => return Some("has a `--` comment: leave it out"),
            Class::BlockComment => return Some("has a `/*` comment: leave it out"),
            Class::DollarString => {
                return Some("has a `$` quote: write the text in single quotes");
            }
            _ => {}
        }
    }
    script::unbalanced(expression)
}

#[cfg(test)]
mod tests {
    use super::unbalanced;

    #[test]
    fn what_could_leave_its_parentheses_is_refused() {
        for text in [
            "status) FROM x WHERE (true",
            "a; drop table b",
            "a -- b",
            "'open",
            "(a",
            "$$x$$",
            "a /* b",
        ] {
            assert!(unbalanced(text).is_some(), "{text}");
        }
        for text in [
            "coalesce(a, ')')",
            "a || ';'",
            "\"odd)name\"",
            "a - -1",
            "a[1]",
            "'it''s'",
            "E'it\\'s ('",
        ] {
            assert!(unbalanced(text).is_none(), "{text}");
        }
    }
}
