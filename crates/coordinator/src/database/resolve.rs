//! Has the server read SQL as the application's sessions would, in a transaction that is rolled back: what names mean is told by
//! parsing alone, which evaluates no function of anybody's, as planning would.

use super::Result;
use crossfade_model::ident::{Ident, TableName};
use crossfade_plan::sqlgen::session::OWN_PATH;
use crossfade_plan::{
    facts::{
        Called, Equality, EqualityKey, ExpressionError, IndexKey, Maker, ReferenceTypes, Volatility,
    },
    key::Operator,
    search_path::SearchPath,
};
use crossfade_sql::lexer::{Class, tokens};
use std::collections::BTreeSet;
use tokio_postgres::{Client, Statement, error::SqlState};

/// Nobody is to wait for a look, nor for what a look has locked.
const LIMITS: &str = "SET LOCAL statement_timeout = '5s'; SET LOCAL lock_timeout = '2s'";

/// Values of the moment and of the session that have words of their own, by `SQLValueFunctionOp`.
const VALUES: [&str; 15] = [
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURRENT_TIMESTAMP",
    "LOCALTIME",
    "LOCALTIME",
    "LOCALTIMESTAMP",
    "LOCALTIMESTAMP",
    "CURRENT_ROLE",
    "CURRENT_USER",
    "USER",
    "SESSION_USER",
    "CURRENT_CATALOG",
    "CURRENT_SCHEMA",
];

const CALLED: &str = "\
    SELECT p.proname::text, p.oid::regprocedure::text, p.provolatile::text, p.pronamespace = 'pg_catalog'::regnamespace, l.lanname IN ('internal', 'c') \
    FROM pg_proc AS p JOIN pg_language AS l ON l.oid = p.prolang \
    WHERE p.oid = ANY ($1) OR p.oid IN (SELECT o.oprcode FROM pg_operator AS o WHERE o.oid = ANY ($2)) ORDER BY 2";

/// Of the types `$1` those that are dates or times, or are made of such: arrays, ranges, multiranges, domains, rows.
const MOMENTS: &str = "\
    WITH RECURSIVE parts (root, oid) AS ( \
        SELECT t, t FROM unnest($1::oid[]) AS t \
        UNION SELECT p.root, further.oid FROM parts AS p JOIN pg_type AS t ON t.oid = p.oid CROSS JOIN LATERAL ( \
            SELECT t.typelem UNION ALL SELECT t.typbasetype UNION ALL SELECT r.rngsubtype FROM pg_range AS r WHERE t.oid IN (r.rngtypid, r.rngmultitypid) \
            UNION ALL SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS further (oid) \
        WHERE further.oid <> 0) \
    SELECT DISTINCT root FROM parts WHERE oid IN (1082, 1083, 1114, 1184, 1266)";

/// They read `now` as the moment, where somebody calls them by their names.
const READ_A_MOMENT: [&str; 5] = [
    "date_in",
    "time_in",
    "timestamp_in",
    "timestamptz_in",
    "timetz_in",
];

/// They make values of any type from texts.
const READ_ANYTHING: [&str; 2] = ["json_populate_record", "jsonb_populate_record"];

/// The functions by which types `$1` are read from text and types `$2` written as text, and the types that these are made of.
const THROUGH_TEXT: &str = "\
    WITH RECURSIVE parts (oid, is_read, is_written) AS ( \
        SELECT t, true, false FROM unnest($1::oid[]) AS t UNION SELECT t, false, true FROM unnest($2::oid[]) AS t \
        UNION SELECT further.oid, p.is_read, p.is_written FROM parts AS p JOIN pg_type AS t ON t.oid = p.oid CROSS JOIN LATERAL ( \
            SELECT t.typelem UNION ALL SELECT t.typbasetype UNION ALL SELECT r.rngsubtype FROM pg_range AS r WHERE t.oid IN (r.rngtypid, r.rngmultitypid) \
            UNION ALL SELECT a.atttypid FROM pg_attribute AS a WHERE a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped) AS further (oid) \
        WHERE further.oid <> 0) \
    SELECT DISTINCT p.proname::text, p.oid::regprocedure::text, p.provolatile::text, p.pronamespace = 'pg_catalog'::regnamespace, l.lanname IN ('internal', 'c') \
    FROM parts JOIN pg_type AS t ON t.oid = parts.oid JOIN pg_proc AS p ON parts.is_read AND p.oid = t.typinput OR parts.is_written AND p.oid = t.typoutput \
         JOIN pg_language AS l ON l.oid = p.prolang ORDER BY 2";

/// No operator class is the default for the type, or the one that is named is for another; a collation or an order means nothing for it.
const UNFIT: [SqlState; 3] = [
    SqlState::UNDEFINED_OBJECT,
    SqlState::DATATYPE_MISMATCH,
    SqlState::FEATURE_NOT_SUPPORTED,
];

/// An operator, and whether a unique index over a column goes by it.
const EQUALITY: &str = "\
    SELECT n.nspname::text, o.oprname::text, o.oid::regoperator::text, EXISTS (SELECT 1 FROM pg_class AS c JOIN pg_namespace AS m ON m.oid = c.relnamespace \
           JOIN pg_index AS i ON i.indrelid = c.oid AND i.indisunique AND i.indpred IS NULL \
           CROSS JOIN unnest(i.indkey::smallint[]) WITH ORDINALITY AS k (attnum, number) \
           JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum \
           JOIN pg_opclass AS s ON s.oid = i.indclass[k.number - 1] \
           JOIN pg_amop AS p ON p.amopfamily = s.opcfamily AND p.amopopr = o.oid AND p.amopstrategy = 3 \
           WHERE m.nspname = $2 AND c.relname = $3 AND a.attname = $4 AND k.number <= i.indnkeyatts) \
    FROM pg_operator AS o JOIN pg_namespace AS n ON n.oid = o.oprnamespace WHERE o.oid = $1";

/// Why there is no answer.
pub enum Failed {
    Connection(tokio_postgres::Error),
    /// What the server said of the text.
    Refused(tokio_postgres::Error),
    /// Nothing can be asked here.
    Unavailable(ExpressionError),
}

/// What is wrong with the text was said by the server.
impl From<tokio_postgres::Error> for Failed {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.as_db_error() {
            Some(_) => Self::Refused(error),
            None => Self::Connection(error),
        }
    }
}

/// An expression as the server has read it.
pub struct Made {
    pub type_oid: u32,
    pub resolved: String,
    pub tree: Tree,
    pub calls: Vec<Called>,
}

pub struct Resolver<'a> {
    pub client: &'a Client,
    path: Option<String>,
    unavailable: Option<ExpressionError>,
}

impl<'a> Resolver<'a> {
    /// Begins the transaction that `end` rolls back.
    pub async fn begin(client: &'a Client, path: Option<&SearchPath>) -> Result<Self> {
        let row = client
            .query_one(
                "SELECT pg_is_in_recovery(), has_database_privilege(current_database(), 'TEMPORARY'), \
                        quote_ident(current_database()), quote_ident(current_user)",
                &[],
            )
            .await?;
        let unavailable = match (row.get(0), row.get(1)) {
            (true, _) => Some((
                "a standby makes none".to_owned(),
                "connect to the primary".to_owned(),
            )),
            (false, false) => {
                let (database, role): (String, String) = (row.get(2), row.get(3));
                Some((
                    format!("the role {role} may make none"),
                    format!("GRANT TEMPORARY ON DATABASE {database} TO {role};"),
                ))
            }
            (false, true) => None,
        };
        let mode = if row.get(0) {
            "READ ONLY"
        } else {
            "READ WRITE"
        };
        client
            .batch_execute(&format!("START TRANSACTION {mode}; {LIMITS}"))
            .await?;
        // Event triggers of the application have nothing to see here. Where the role may not keep them out, they fire, and what
        // they do is rolled back.
        client.batch_execute("SAVEPOINT crossfade_look").await?;
        let kept_out = client
            .batch_execute("SET LOCAL session_replication_role = replica; RELEASE crossfade_look")
            .await;
        if kept_out.is_err() {
            client
                .batch_execute("ROLLBACK TO crossfade_look; RELEASE crossfade_look")
                .await?;
        }
        Ok(Self {
            client,
            path: path.map(SearchPath::setting),
            unavailable: unavailable.map(|(why, help)| ExpressionError {
                message: format!(
                    "what SQL of a plan means is told by a temporary table, which is rolled back, and {why}"
                ),
                help: Some(help),
            }),
        })
    }

    pub async fn end(self) -> Result<()> {
        self.client.batch_execute("ROLLBACK").await
    }

    async fn enter(&self) -> Result<()> {
        let path = self.path.as_deref().unwrap_or(OWN_PATH);
        self.client
            .batch_execute(&format!(
                "SAVEPOINT crossfade_look; SET LOCAL search_path = {path}"
            ))
            .await
    }

    /// Takes back what was made since `enter`, the search path too.
    async fn leave(&self) -> Result<()> {
        self.client
            .batch_execute("ROLLBACK TO crossfade_look; RELEASE crossfade_look")
            .await
    }

    /// The statement as it would be run, without planning it.
    pub async fn parse(&self, sql: &str) -> std::result::Result<Statement, Failed> {
        self.enter().await.map_err(Failed::Connection)?;
        let parsed = self.client.prepare(sql).await;
        self.leave().await.map_err(Failed::Connection)?;
        Ok(parsed?)
    }

    /// The type's number, its modifier and, of a domain, the domain's number: described is the type below it.
    pub async fn named_type(
        &self,
        type_name: &str,
    ) -> std::result::Result<Option<(u32, i32, Option<u32>)>, Failed> {
        let statement = self
            .parse(&format!("SELECT CAST(NULL AS {type_name}\n)"))
            .await?;
        let [column] = statement.columns() else {
            return Ok(None);
        };
        let described = (column.type_().oid(), column.type_modifier());
        self.enter().await.map_err(Failed::Connection)?;
        let row = self
            .client
            .query_one(
                "SELECT t.oid FROM pg_catalog.pg_type AS t WHERE t.oid = pg_catalog.to_regtype($1) AND t.typtype = 'd'",
                &[&type_name],
            )
            .await;
        self.leave().await.map_err(Failed::Connection)?;
        // What is no name for `to_regtype` (`varchar(3)` before PostgreSQL 16) is no domain.
        let domain = row.ok().map(|row| row.get(0));
        Ok(Some((described.0, described.1, domain)))
    }

    /// Of a type as the server writes it.
    pub async fn type_oid(&self, type_name: &str) -> Result<Option<u32>> {
        let statement = self
            .client
            .prepare(&format!("SELECT NULL::{type_name}"))
            .await?;
        let columns = statement.columns();
        Ok(columns.first().map(|column| column.type_().oid()))
    }

    /// Reads the expression over columns of these names and types: as a CHECK, which allows neither sub-selects nor what is over
    /// several rows.
    pub async fn make(
        &self,
        table: &Ident,
        columns: &[(Ident, String)],
        expression: &str,
    ) -> std::result::Result<Made, Failed> {
        if let Some(why) = &self.unavailable {
            return Err(Failed::Unavailable(why.clone()));
        }
        self.enter().await.map_err(Failed::Connection)?;
        let made = self.made(table, columns, expression).await;
        self.leave().await.map_err(Failed::Connection)?;
        made
    }

    async fn made(
        &self,
        table: &Ident,
        columns: &[(Ident, String)],
        expression: &str,
    ) -> std::result::Result<Made, Failed> {
        let table = table.quoted();
        let columns = columns.iter();
        let columns = columns.map(|(name, type_name)| format!("{} {type_name}, ", name.quoted()));
        let columns: String = columns.collect();
        self.client
            .batch_execute(&format!(
                "CREATE TEMPORARY TABLE {table} ({columns}CONSTRAINT crossfade_expression CHECK ((({expression}\n)) IS NOT NULL)) USING heap"
            ))
            .await?;
        let statement = self
            .client
            .prepare(&format!("SELECT ({expression}\n) FROM pg_temp.{table}"))
            .await?;
        let type_oid = statement.columns().first();
        let type_oid = type_oid.map_or(0, |column| column.type_().oid());
        self.client
            .batch_execute(&format!("SET LOCAL search_path = {OWN_PATH}"))
            .await?;
        let row = self
            .client
            .query_one(
                "SELECT pg_get_expr(k.conbin, k.conrelid), k.conbin::text FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid \
                 WHERE c.relnamespace = pg_my_temp_schema() AND k.conname = 'crossfade_expression'",
                &[],
            )
            .await?;
        let tree = Tree::read(row.get(1));
        let rows = self
            .client
            .query(CALLED, &[&tree.functions, &tree.operators])
            .await?;
        let values = tree.values.iter().map(|value| Called {
            name: (*value).to_owned(),
            signature: (*value).to_owned(),
            volatility: Volatility::Stable,
            maker: Maker::Server,
        });
        let domain = tree.domain.then(|| Called {
            name: "domain".to_owned(),
            signature: "the constraints of a domain".to_owned(),
            volatility: Volatility::Immutable,
            maker: Maker::Anybody,
        });
        let named: Vec<Called> = rows.iter().map(called_by_name).collect();
        let unnamed = tree
            .unnamed(self.client, expression, row.get(0), &named)
            .await?;
        let calls = named.into_iter().chain(values).chain(domain);
        let calls = calls.chain(unnamed).collect();
        Ok(Made {
            type_oid,
            resolved: on_one_line(without_test(row.get(0))),
            tree,
            calls,
        })
    }

    /// Whether a column of a type can refer to one of another: a foreign key between two of them is made. `None`: something else is
    /// in the way.
    pub async fn can_refer(&self, types: &ReferenceTypes) -> Result<Option<bool>> {
        if self.unavailable.is_some() {
            return Ok(None);
        }
        self.enter().await?;
        let made = self
            .client
            .batch_execute(&format!(
                "CREATE TEMPORARY TABLE crossfade_referred (a {} UNIQUE) USING heap; \
                 CREATE TEMPORARY TABLE crossfade_referring (b {} REFERENCES pg_temp.crossfade_referred (a)) USING heap",
                types.referred, types.own
            ))
            .await;
        self.leave().await?;
        match made {
            Ok(()) => Ok(Some(true)),
            Err(error) if error.as_db_error().is_none() => Err(error),
            Err(error) if error.code() == Some(&SqlState::DATATYPE_MISMATCH) => Ok(Some(false)),
            Err(_) => Ok(None),
        }
    }

    /// Why no index of this method can be made over values of this type. `None`: one can, or something else is in the way.
    pub async fn unfit_key(&self, key: &IndexKey) -> Result<Option<String>> {
        if self.unavailable.is_some() {
            return Ok(None);
        }
        let IndexKey {
            type_name,
            method,
            order,
        } = key;
        self.enter().await?;
        let made = self
            .client
            .batch_execute(&format!(
                "CREATE TEMPORARY TABLE crossfade_indexed (a {type_name}) USING heap; \
                 CREATE INDEX ON pg_temp.crossfade_indexed USING {method} (a{order})"
            ))
            .await;
        self.leave().await?;
        match made {
            Ok(()) => Ok(None),
            Err(error) => match error.as_db_error() {
                None => Err(error),
                Some(found) if UNFIT.contains(found.code()) => Ok(Some(found.message().to_owned())),
                Some(_) => Ok(None),
            },
        }
    }

    /// What `=` means between the two; `None`: something that is no operator.
    pub async fn equality(
        &self,
        key: &EqualityKey,
    ) -> std::result::Result<Option<Equality>, Failed> {
        let column =
            |name: &str, type_name: &String| (Ident::from_catalog(name), type_name.clone());
        let columns = [column("a", &key.column_type), column("b", &key.other_type)];
        let pair = Ident::from_catalog("crossfade_pair");
        let made = self.make(&pair, &columns, "a = b").await?;
        let Some(operator) = made.tree.operators.first() else {
            return Ok(None);
        };
        let TableName { schema, name } = &key.table;
        let row = self
            .client
            .query_one(
                EQUALITY,
                &[
                    operator,
                    &schema.as_str(),
                    &name.as_str(),
                    &key.column.as_str(),
                ],
            )
            .await?;
        let schema = Ident::from_catalog(row.get::<_, String>(0));
        Ok(Some(Equality {
            operator: Operator::of(&schema, row.get(1)),
            signature: row.get(2),
            is_unique: row.get(3),
        }))
    }
}

fn called(row: &tokio_postgres::Row) -> Called {
    Called {
        name: row.get(0),
        signature: row.get(1),
        volatility: match row.get(2) {
            "i" => Volatility::Immutable,
            "s" => Volatility::Stable,
            _ => Volatility::Volatile,
        },
        maker: match (row.get(3), row.get(4)) {
            (true, _) => Maker::Server,
            (false, true) => Maker::Superuser,
            (false, false) => Maker::Anybody,
        },
    }
}

/// One that the expression calls, and not the server to read or write a value.
fn called_by_name(row: &tokio_postgres::Row) -> Called {
    let mut called = called(row);
    if READ_A_MOMENT.contains(&called.name.as_str()) {
        "moment".clone_into(&mut called.name);
    }
    called
}

/// `((a || b) IS NOT NULL)` → `(a || b)`
fn without_test(text: &str) -> &str {
    let inside = text.strip_prefix('(').unwrap_or(text);
    inside.strip_suffix(" IS NOT NULL)").unwrap_or(inside)
}

/// The server writes CASE on several lines; what is in quotes stays as it is.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    let mut from = 0;
    for token in tokens(text) {
        let blank = &text[from..token.range.start];
        line.push_str(if blank.contains('\n') { " " } else { blank });
        line.push_str(token.text(text));
        from = token.range.end;
    }
    line.trim().to_owned()
}

/// What the stored form of an expression names, by number.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tree {
    /// Columns, from 1 on.
    pub reads: BTreeSet<usize>,
    pub whole_row: bool,
    pub system_column: bool,
    functions: Vec<u32>,
    operators: Vec<u32>,
    values: Vec<&'static str>,
    /// A value is made one of a domain, whose constraints may call what they like.
    domain: bool,
    /// XMLELEMENT, XMLPARSE and their like.
    xml: bool,
    /// The types of its parts, by number.
    types: BTreeSet<u32>,
    /// Those of its constants.
    constants: BTreeSet<u32>,
    /// Casts that go through text, as there is no function for them: to which type, and whether a column is in what is converted.
    through_text: Vec<(u32, bool)>,
}

impl Tree {
    /// `{OPEXPR :opno 98 :opfuncid 67 … :args ({VAR :varno 1 :varattno 3 …} …)}`. A name in it cannot look like a field of a node,
    /// or open one: blanks, parentheses and braces in names are escaped.
    fn read(text: &str) -> Self {
        let mut tree = Self::default();
        let mut words = text.split_ascii_whitespace().peekable();
        let mut open: Vec<Node<'_>> = Vec::new();
        let mut in_list = false;
        while let Some(word) = words.next() {
            let number = |word: Option<&&str>| -> i64 {
                let digits = word.map(|word| word.trim_matches(|c| "(){}o".contains(c)));
                digits.and_then(|digits| digits.parse().ok()).unwrap_or(0)
            };
            if let Some(node) = word.rfind('{') {
                let kind = &word[node + 1..];
                tree.domain |= kind == "COERCETODOMAIN";
                tree.xml |= kind == "XMLEXPR";
                open.push(Node { kind, reads: false });
            }
            if in_list {
                tree.operators.extend(u32::try_from(number(Some(&word))));
                in_list = !word.contains(')');
            } else {
                let next = number(words.peek());
                let type_oid = u32::try_from(next).unwrap_or(0);
                let node = open.last().map_or("", |node| node.kind);
                match word {
                    ":varattno" => {
                        open.iter_mut().for_each(|node| node.reads = true);
                        match usize::try_from(next) {
                            Ok(0) => tree.whole_row = true,
                            Ok(column) => {
                                tree.reads.insert(column);
                            }
                            Err(_) => tree.system_column = true,
                        }
                    }
                    ":funcid" | ":opfuncid" => tree.functions.extend(u32::try_from(next)),
                    ":opno" => tree.operators.extend(u32::try_from(next)),
                    ":opnos" => in_list = true,
                    ":op" if node == "SQLVALUEFUNCTION" => {
                        let value = usize::try_from(next).ok().and_then(|at| VALUES.get(at));
                        tree.values
                            .push(value.copied().unwrap_or("a value of the session"));
                    }
                    // What it converts has been read by now.
                    ":resulttype" if node == "COERCEVIAIO" => {
                        let reads = open.last().is_some_and(|node| node.reads);
                        tree.through_text.push((type_oid, reads));
                    }
                    _ => {}
                }
                if word.starts_with(':') && word.ends_with("type") {
                    tree.types.insert(type_oid);
                }
                if word == ":consttype" {
                    tree.constants.insert(type_oid);
                }
            }
            for _ in 0..closed(word) {
                open.pop();
            }
        }
        tree
    }

    /// What it depends on that no function's number says: how types are written and read as text, the moment at which a text
    /// was read, and XML.
    async fn unnamed(
        &self,
        client: &Client,
        expression: &str,
        resolved: &str,
        named: &[Called],
    ) -> Result<Vec<Called>> {
        let of_server = |name: &str, signature: &str| Called {
            name: name.to_owned(),
            signature: signature.to_owned(),
            volatility: Volatility::Stable,
            maker: Maker::Server,
        };
        let mut calls = Vec::new();
        if self.xml {
            calls.push(of_server("xmlelement", "XML"));
        }
        let made = self.through_text.iter().map(|(made, _)| *made);
        let asked: Vec<u32> = made.chain(self.constants.iter().copied()).collect();
        let moments = client.query(MOMENTS, &[&asked]).await?;
        let moments: BTreeSet<u32> = moments.iter().map(|row| row.get(0)).collect();
        // Those that the server has read as a moment are not there as such any more.
        let is_read = moments_named(expression) > moments_named(resolved);
        if is_read && !self.constants.is_disjoint(&moments) {
            calls.push(of_server(
                "moment",
                "`now`, `today` or the like as a constant",
            ));
        }
        let is_fixed = |(made, reads): &(u32, bool)| !reads && moments.contains(made);
        if self.through_text.iter().any(is_fixed) {
            calls.push(of_server("moment", "a time that is made from a text"));
        }
        // Functions that write a value of any type as text (`concat`, `to_json`), or read one, are told by the types that there are:
        // what these depend on besides what every plan pins.
        let is_written =
            |called: &Called| !self.through_text.is_empty() || !called.settings().is_empty();
        let types: Vec<u32> = self.types.iter().copied().collect();
        let mut made: Vec<u32> = self.through_text.iter().map(|(made, _)| *made).collect();
        if named
            .iter()
            .any(|one| READ_ANYTHING.contains(&one.name.as_str()))
        {
            made.extend(&types);
        }
        let rows = client.query(THROUGH_TEXT, &[&made, &types]).await?;
        calls.extend(rows.iter().map(called).filter(is_written));
        Ok(calls)
    }
}

/// A node that is not closed yet.
struct Node<'a> {
    kind: &'a str,
    /// A column stands in it.
    reads: bool,
}

/// How many nodes end with this word. What is escaped is a part of a name.
fn closed(word: &str) -> usize {
    let mut count = 0;
    let mut bytes = word.bytes();
    while let Some(byte) = bytes.next() {
        match byte {
            b'\\' => {
                bytes.next();
            }
            b'}' => count += 1,
            _ => {}
        }
    }
    count
}

fn moments_named(text: &str) -> usize {
    let literals = tokens(text).into_iter();
    let literals = literals.filter(|token| token.class == Class::String);
    literals
        .filter(|token| names_moment(token.text(text)) || is_spelled(token.text(text)))
        .count()
}

/// Characters are written by their numbers (`E'\x6eow'`, `U&'\006eow'`): any word may be.
fn is_spelled(literal: &str) -> bool {
    let unicode = literal.starts_with(['u', 'U']);
    let mut bytes = literal.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'\\' {
            let next = bytes.next().unwrap_or_default();
            let by_number = next.is_ascii_digit() || b"xuU+".contains(&next);
            if by_number && (unicode || literal.starts_with(['e', 'E'])) {
                return true;
            }
        }
    }
    false
}

/// Words that the server takes for a moment where it reads a date or a time, also within an array or a range.
fn names_moment(literal: &str) -> bool {
    let mut words = literal.split(|c: char| !c.is_ascii_alphabetic());
    words.any(|word| {
        ["now", "today", "tomorrow", "yesterday"]
            .iter()
            .any(|moment| word.eq_ignore_ascii_case(moment))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_stored_expression_names_is_read() {
        let text = "{NULLTEST :arg {BOOLEXPR :boolop and :args ({OPEXPR :opno 98 :opfuncid 67 :args ({VAR :varno 1 :varattno 3 :vartype 25} \
            {FUNCEXPR :funcid 871 :args ({VAR :varno 1 :varattno 12})})} {ROWCOMPAREEXPR :rctype 1 :opnos (o 664 97) :opfamilies (o 1 2) :args 1} \
            {SQLVALUEFUNCTION :op 10 :type 19})} :nulltesttype 1}";
        let tree = Tree::read(text);
        assert_eq!(tree.reads.iter().copied().collect::<Vec<_>>(), [3, 12]);
        assert_eq!(tree.functions, [67, 871]);
        // "(o" is no operator's number; nobody has 0.
        assert_eq!(tree.operators, [98, 0, 664, 97]);
        assert_eq!(tree.values, ["CURRENT_USER"]);
        assert!(!tree.whole_row && !tree.system_column && tree.through_text.is_empty());
        let text = "{OPEXPR :opno 1 :args ({COERCEVIAIO :arg {VAR :varno 1 :varattno 3 :vartype 25} :resulttype 1184} \
            {RELABELTYPE :arg {COERCEVIAIO :arg {CONST :consttype 25 :constvalue 4 [ 1 ]} :resulttype 1082} :resulttype 7} \
            {FIELDSELECT :name a\\}\\{b})}";
        assert_eq!(Tree::read(text).through_text, [(1184, true), (1082, false)]);
        assert!(names_moment("'[Today,)'") && !names_moment("'nowhere'"));
        assert!(is_spelled(r"E'\x6eow'") && is_spelled(r"U&'\006eow'"));
        assert!(!is_spelled(r"E'\\d'") && !is_spelled(r"'\006eow'"));
        assert!(Tree::read("{VAR :varno 1 :varattno 0 }").whole_row);
        assert!(Tree::read("{VAR :varno 1 :varattno -6 }").system_column);
    }

    #[test]
    fn an_expression_is_taken_out_of_its_test() {
        assert_eq!(without_test("((a || b) IS NOT NULL)"), "(a || b)");
        assert_eq!(without_test("(lower(a) IS NOT NULL)"), "lower(a)");
        let text = "\nCASE a\n    WHEN 'x\n  y' THEN 1\n    ELSE 2\nEND";
        assert_eq!(on_one_line(text), "CASE a WHEN 'x\n  y' THEN 1 ELSE 2 END");
    }
}
