//! What the names of a statement's parts mean: its tables with their aliases, from the innermost query outwards.

use super::{
    Column,
    tree::{self, Kind, Node, child, path},
};

/// What a name in FROM stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// The table that the column is of.
    Table,
    /// Another one, which has a column of that name, too.
    Namesake,
    /// Another one, which has none.
    Other,
    /// A subquery, a function, a WITH query: what it gives is in its own text.
    Derived,
}

#[derive(Clone, Debug, Default)]
pub struct Scope {
    /// By the name that the query knows it by.
    pub relations: Vec<(String, Relation)>,
    /// The names that the query gives its result's columns: ORDER BY means these first.
    pub outputs: Vec<String>,
    pub with: Vec<String>,
    /// Names of a trigger's function for the table's rows.
    pub transition_tables: Vec<String>,
    pub natural: bool,
    /// The table's columns get names by their places: `FROM vehicles AS v(a, b)`.
    pub renames: bool,
}

impl Scope {
    pub fn has(&self, wanted: Relation) -> bool {
        self.relations.iter().any(|(_, found)| *found == wanted)
    }

    pub fn named(&self, name: &str) -> Option<Relation> {
        let found = self.relations.iter().find(|(known, _)| known == name);
        found.map(|(_, relation)| *relation)
    }
}

/// A relation's name as written: the table, one that shares the column's name, or another.
pub fn relation(names: &[String], column: &Column, scopes: &[Scope]) -> Relation {
    let (schema, table) = match names {
        [table] => (None, table.as_str()),
        [.., schema, table] => (Some(schema.as_str()), table.as_str()),
        [] => return Relation::Derived,
    };
    let is_with = |scope: &Scope| scope.with.iter().any(|name| name == table);
    if schema.is_none() && scopes.iter().any(is_with) {
        return Relation::Derived;
    }
    let is_transition = |scope: &Scope| scope.transition_tables.iter().any(|name| name == table);
    if schema.is_none() && scopes.iter().any(is_transition) {
        return Relation::Table;
    }
    let fits = |other: &crossfade_model::ident::TableName| {
        other.name.as_str() == table && schema.is_none_or(|schema| other.schema.as_str() == schema)
    };
    if fits(&column.table) {
        Relation::Table
    } else if column.also_in.iter().any(fits) {
        Relation::Namesake
    } else {
        Relation::Other
    }
}

/// The scope that a query or a data-modifying statement opens.
pub fn open(node: &Node, column: &Column, outer: &[Scope]) -> Scope {
    let mut scope = Scope::default();
    if let Some(with) = child(node, Kind::WITH_CLAUSE) {
        let tables = tree::children(&with, Kind::WITH_TABLE);
        let names = tables.filter_map(|table| child(&table, Kind::CTE_NAME));
        scope.with = names.flat_map(|name| path(&name)).collect();
    }
    let mut scopes = outer.to_vec();
    scopes.push(scope.clone());
    for part in node.children() {
        match part.kind() {
            Kind::FROM_CLAUSE | Kind::USING_CLAUSE | Kind::USING_ON_CLAUSE => {
                items(&part, column, &scopes, &mut scope);
            }
            Kind::RELATION_NAME | Kind::RELATION_NAME_REF | Kind::TABLE_RELATION_NAME => {
                let names = path(&part);
                let found = relation(&names, column, &scopes);
                let alias = [Kind::OPTIONAL_AS_ALIAS, Kind::REQUIRED_AS_ALIAS]
                    .into_iter()
                    .find_map(|kind| child(node, kind));
                let known = alias.and_then(|alias| table_alias(&alias));
                let known = known.or_else(|| names.last().cloned()).unwrap_or_default();
                scope.relations.push((known, found));
                if node.kind() == Kind::INSERT {
                    scope.relations.push(("excluded".to_owned(), found));
                }
            }
            Kind::SELECT_CLAUSE => scope.outputs = outputs(&part),
            _ => {}
        }
    }
    scope
}

/// What is written in FROM, without going into subqueries.
fn items(node: &Node, column: &Column, outer: &[Scope], scope: &mut Scope) {
    for item in node.children() {
        match item.kind() {
            Kind::SELECT | Kind::PAREN_SELECT | Kind::COMPOUND_SELECT | Kind::VALUES => continue,
            Kind::RELATION_FROM_ITEM => {
                let Some(named) = item.children().find(|part| part.kind() != Kind::FROM_ALIAS)
                else {
                    continue;
                };
                let names = path(&named);
                let found = relation(&names, column, outer);
                let alias = child(&item, Kind::FROM_ALIAS);
                let gives_names = |alias: &Node| child(alias, Kind::COLUMN_LIST).is_some();
                scope.renames |=
                    found == Relation::Table && alias.as_ref().is_some_and(gives_names);
                let alias = alias.and_then(|alias| table_alias(&alias));
                let known = alias.or_else(|| names.last().cloned()).unwrap_or_default();
                scope.relations.push((known, found));
            }
            Kind::FROM_ALIAS => {
                if let Some(alias) = table_alias(&item) {
                    scope.relations.push((alias, Relation::Derived));
                }
            }
            _ => {
                scope.natural |= tree::has_token(&item, Kind::NATURAL_KW);
                items(&item, column, outer, scope);
            }
        }
    }
}

fn table_alias(node: &Node) -> Option<String> {
    let alias = child(node, Kind::TABLE_ALIAS)?;
    path(&alias).into_iter().next()
}

fn outputs(select: &Node) -> Vec<String> {
    let list = child(select, Kind::TARGET_LIST);
    let targets = list
        .iter()
        .flat_map(|list| tree::children(list, Kind::TARGET));
    let output = |target: Node| match child(&target, Kind::AS_NAME) {
        Some(name) => child(&name, Kind::COLUMN_NAME).and_then(|name| path(&name).pop()),
        None => {
            let only = target.first_child()?;
            let is_name = matches!(only.kind(), Kind::NAME_REF | Kind::FIELD_EXPR);
            path(&only).pop().filter(|_| is_name)
        }
    };
    targets.filter_map(output).collect()
}
