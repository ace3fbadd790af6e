//! Goes through a syntax tree and resolves each name that could be the column's.

use super::{
    Column, Naming,
    scope::{self, Relation, Scope},
    tree::{Kind, Node, Tree, child, children, has_token, is_name, path, words},
};
use crossfade_model::ident::Ident;

/// What NEW and OLD are in a function's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rows {
    OfTable,
    /// Of another table, or of none.
    OfNoTrigger,
}

/// The surest way in which the text names the column.
pub fn naming(
    tree: &Tree,
    column: &Column,
    rows: Rows,
    transition_tables: &[Ident],
) -> Option<Naming> {
    let all: Vec<(Kind, String)> = tree.roots.iter().flat_map(words).collect();
    let table_named = all.iter().any(|(kind, text)| {
        let is_its = |name: &Ident| is_name(text, name);
        !is_text(*kind) && (is_its(&column.table.name) || transition_tables.iter().any(is_its))
    });
    let outermost = Scope {
        transition_tables: transition_tables
            .iter()
            .map(|name| name.as_str().to_owned())
            .collect(),
        ..Scope::default()
    };
    let mut resolver = Resolver {
        column,
        rows,
        transition_tables,
        outermost: [outermost],
        table_named,
        found: None,
    };
    for root in &tree.roots {
        resolver.visit_root(root);
    }
    resolver.dynamic_sql(tree);
    if tree.faulty {
        resolver.errors(tree);
    }
    // One error can make nonsense of all that follows it.
    let reads_all = table_named && all.iter().any(|(kind, _)| *kind == Kind::STAR);
    if tree.broken && (reads_all || tree.roots.iter().any(|root| resolver.in_words(root))) {
        resolver.note(Naming::NotParsed);
    }
    resolver.found
}

pub(super) fn is_text(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::STRING | Kind::DOLLAR_QUOTED_STRING | Kind::ESC_STRING | Kind::UNICODE_ESC_STRING
    )
}

struct Resolver<'a> {
    column: &'a Column,
    rows: Rows,
    transition_tables: &'a [Ident],
    outermost: [Scope; 1],
    /// The table's own name occurs somewhere: what is not resolved may be of it.
    table_named: bool,
    found: Option<Naming>,
}

impl Resolver<'_> {
    fn note(&mut self, naming: Naming) {
        self.found = self.found.max(Some(naming));
    }

    fn note_unresolved(&mut self) {
        if self.table_named {
            self.note(Naming::NotResolved);
        }
    }

    fn is_column(&self, node: &Node) -> bool {
        words(node)
            .last()
            .is_some_and(|(_, text)| is_name(text, &self.column.column))
    }

    fn is_table(&self, names: &[String]) -> bool {
        scope::relation(names, self.column, &[]) == Relation::Table
    }

    fn visit_root(&mut self, root: &Node) {
        let outermost = self.outermost.clone();
        self.visit(root, &outermost);
    }

    fn visit(&mut self, node: &Node, scopes: &[Scope]) {
        match node.kind() {
            Kind::SELECT | Kind::SELECT_INTO | Kind::UPDATE | Kind::DELETE | Kind::MERGE => {
                let inner = self.enter(node, scopes);
                self.children(node, &inner);
            }
            // `s := status FROM vehicles` is a query without its SELECT.
            Kind::PLPGSQL_EXPR if child(node, Kind::FROM_CLAUSE).is_some() => {
                let inner = self.enter(node, scopes);
                self.children(node, &inner);
            }
            Kind::INSERT => self.insert(node, scopes),
            Kind::MERGE_INSERT => {
                let named = child(node, Kind::COLUMN_TARGET_LIST).is_some();
                let by_default = child(node, Kind::DEFAULT_VALUES).is_some();
                self.target_list(named || by_default, scopes);
                self.children(node, scopes);
            }
            Kind::TABLE => {
                let mut named = node.children().map(|named| path(&named));
                if named
                    .any(|names| scope::relation(&names, self.column, scopes) == Relation::Table)
                {
                    self.note(Naming::Star);
                }
            }
            Kind::COPY_TABLE => self.copy(node),
            Kind::FIELD_EXPR => self.field(node, scopes),
            Kind::NAME_REF => self.name(node, scopes),
            Kind::CALL_EXPR => {
                // The first name is the function's.
                let skip = usize::from(
                    node.first_child()
                        .is_some_and(|first| first.kind() == Kind::NAME_REF),
                );
                for part in node.children().skip(skip) {
                    self.visit(&part, scopes);
                }
            }
            // Nothing of what an EXISTS selects is read.
            Kind::TARGET if has_token(node, Kind::STAR) => {
                let exists = node
                    .ancestors()
                    .nth(4)
                    .is_some_and(|above| above.kind() == Kind::EXISTS_FN);
                let all = scopes
                    .last()
                    .is_some_and(|scope| scope.has(Relation::Table));
                if all && !exists {
                    self.note(Naming::Star);
                }
            }
            Kind::COLUMN_NAME_REF => self.column_list(node, scopes),
            Kind::SORT_BY => {
                let output = node
                    .first_child()
                    .filter(|only| only.kind() == Kind::NAME_REF);
                let output = output.and_then(|only| path(&only).pop());
                let known = scopes.last().map(|scope| scope.outputs.as_slice());
                if !output.is_some_and(|name| known.unwrap_or_default().contains(&name)) {
                    self.children(node, scopes);
                }
            }
            Kind::PERCENT_TYPE => self.typed_as_column(node),
            Kind::PLPGSQL_PERCENT_ROWTYPE | Kind::PATH_TYPE => {
                let named = child(node, Kind::PATH_REF);
                if named.is_some_and(|named| self.is_table(&path(&named))) {
                    self.note(Naming::Row);
                }
            }
            Kind::COMPOSITE_FIELD_REF if self.is_column(node) => self.field_of_variable(node),
            Kind::PLPGSQL_ASSIGN_TARGET if self.is_own_row(node) => self.note(Naming::Row),
            Kind::ERROR => {}
            other => {
                if is_definition(other) && self.in_words(node) {
                    self.note_unresolved();
                }
                self.children(node, scopes);
            }
        }
    }

    fn children(&mut self, node: &Node, scopes: &[Scope]) {
        for part in node.children() {
            self.visit(&part, scopes);
        }
    }

    fn enter(&mut self, node: &Node, scopes: &[Scope]) -> Vec<Scope> {
        let mut inner = scopes.to_vec();
        let opened = scope::open(node, self.column, scopes);
        // What a NATURAL JOIN compares is in no text.
        if opened.natural && opened.has(Relation::Table) {
            self.note(Naming::NotResolved);
        }
        if opened.renames {
            self.note(Naming::Positions);
        }
        inner.push(opened);
        inner
    }

    /// What an INSERT selects does not see the table that it is for.
    fn insert(&mut self, node: &Node, scopes: &[Scope]) {
        let inner = self.enter(node, scopes);
        let with: Vec<Scope> = inner
            .iter()
            .map(|scope| Scope {
                relations: Vec::new(),
                ..scope.clone()
            })
            .skip(scopes.len())
            .collect();
        let outside = [scopes, with.as_slice()].concat();
        let named = child(node, Kind::COLUMN_TARGET_LIST).is_some();
        let by_default = child(node, Kind::DEFAULT_VALUES).is_some();
        self.target_list(named || by_default, &inner);
        for part in node.children() {
            match part.kind() {
                Kind::COLUMN_TARGET_LIST | Kind::ON_CONFLICT_CLAUSE | Kind::RETURNING_CLAUSE => {
                    self.visit(&part, &inner);
                }
                _ => self.visit(&part, &outside),
            }
        }
    }

    /// Without a list of columns the values are told by their places: by all columns.
    fn target_list(&mut self, is_given: bool, scopes: &[Scope]) {
        let target = scopes.last().and_then(|scope| scope.relations.first());
        if !is_given && target.is_some_and(|(_, relation)| *relation == Relation::Table) {
            self.note(Naming::Positions);
        }
    }

    fn copy(&mut self, node: &Node) {
        let named = node
            .children()
            .any(|part| part.kind() != Kind::COLUMN_REF_LIST && self.is_table(&path(&part)));
        if !named {
            return;
        }
        let Some(list) = child(node, Kind::COLUMN_REF_LIST) else {
            self.note(Naming::Positions);
            return;
        };
        let columns: Vec<String> = children(&list, Kind::COLUMN_NAME_REF)
            .flat_map(|name| path(&name))
            .collect();
        let writes = node
            .parent()
            .is_some_and(|copy| child(&copy, Kind::COPY_TO).is_some());
        let all = |known: &Ident| columns.iter().any(|column| column == known.as_str());
        // Whoever names the new column and all others too has read the catalog, as pg_dump does.
        let from_catalog = writes && self.column.of_table.iter().all(all);
        if !from_catalog && all(&self.column.column) {
            self.note(Naming::ByName);
        }
    }

    /// `a.b`, `a.b.c`, `a.*`
    fn field(&mut self, node: &Node, scopes: &[Scope]) {
        let plain = node
            .descendants()
            .all(|part| matches!(part.kind(), Kind::FIELD_EXPR | Kind::NAME_REF));
        let star = has_token(node, Kind::STAR);
        if !plain {
            let of_row = node.first_child().is_some_and(|of| self.is_own_row(&of));
            if of_row {
                self.field_of_row(node, star);
                return;
            }
            if !star && self.is_column(node) {
                self.note_unresolved();
            }
            self.children_but_last_name(node, scopes);
            return;
        }
        let mut names = path(node);
        if !star {
            if !self.is_column(node) {
                return;
            }
            names.pop();
        }
        let naming = if star { Naming::Star } else { Naming::ByName };
        let found = match names.as_slice() {
            [qualifier] => scopes.iter().rev().find_map(|scope| scope.named(qualifier)),
            [.., schema, table] => {
                let relation = scope::relation(&[schema.clone(), table.clone()], self.column, &[]);
                let here = scopes.iter().any(|scope| scope.named(table).is_some());
                (here || relation == Relation::Table).then_some(relation)
            }
            [] => None,
        };
        match found {
            Some(Relation::Table) => self.note(naming),
            Some(Relation::Namesake | Relation::Other | Relation::Derived) => {}
            None => match (names.as_slice(), self.rows) {
                ([row], Rows::OfTable) if row == "new" || row == "old" => {
                    self.field_of_row(node, star);
                }
                ([row], Rows::OfNoTrigger) if is_trigger_row(row, node) => {}
                _ if star => {}
                _ => self.note_unresolved(),
            },
        }
    }

    /// Of NEW or OLD, whatever parentheses are around them.
    fn field_of_row(&mut self, node: &Node, star: bool) {
        if star && !is_passed_on(node) {
            self.note(Naming::Star);
        } else if !star && self.is_column(node) {
            self.note(Naming::ByName);
        }
    }

    /// NEW or OLD of the table's trigger, and nothing else.
    fn is_own_row(&self, node: &Node) -> bool {
        self.rows == Rows::OfTable && is_row(node)
    }

    fn children_but_last_name(&mut self, node: &Node, scopes: &[Scope]) {
        let parts: Vec<Node> = node.children().collect();
        for part in &parts {
            let is_field = part.kind() == Kind::NAME_REF && Some(part) == parts.last();
            if !is_field || parts.len() == 1 {
                self.visit(part, scopes);
            }
        }
    }

    /// A name by itself: from the innermost query outwards, the first table that has such a column.
    fn name(&mut self, node: &Node, scopes: &[Scope]) {
        if !self.is_column(node) {
            self.row(node, scopes);
            return;
        }
        let mut may_be_derived = false;
        for scope in scopes.iter().rev() {
            if scope.has(Relation::Table) {
                self.note(if may_be_derived {
                    Naming::NotResolved
                } else {
                    Naming::ByName
                });
                return;
            }
            if scope.has(Relation::Namesake) {
                return;
            }
            may_be_derived |= scope.has(Relation::Derived);
        }
    }

    /// The name of a table or its alias where a value is wanted: the whole row.
    fn row(&mut self, node: &Node, scopes: &[Scope]) {
        let Some(name) = path(node).pop() else {
            return;
        };
        let is_column = self.column.of_table.iter().any(|one| one.as_str() == name);
        let relation = scopes.iter().rev().find_map(|scope| scope.named(&name));
        if relation == Some(Relation::Table) && !is_column {
            self.note(Naming::Row);
        }
        if relation.is_none() && self.is_own_row(node) && !is_passed_on(node) {
            self.note(Naming::Row);
        }
    }

    /// A name in a list of columns: of USING, of the table that is written to, or of an index.
    fn column_list(&mut self, node: &Node, scopes: &[Scope]) {
        if !self.is_column(node) {
            return;
        }
        let above = |kind: Kind| node.ancestors().skip(1).take(3).any(|up| up.kind() == kind);
        if above(Kind::JOIN_USING_CLAUSE) {
            if scopes
                .last()
                .is_some_and(|scope| scope.has(Relation::Table))
            {
                self.note(Naming::ByName);
            }
        } else if above(Kind::COLUMN_TARGET) {
            if self.written(node, scopes) == Some(Relation::Table) {
                self.note(Naming::ByName);
            }
        } else {
            self.note_unresolved();
        }
    }

    /// The table that an UPDATE or MERGE writes to.
    fn written(&self, node: &Node, scopes: &[Scope]) -> Option<Relation> {
        let statement = node
            .ancestors()
            .find(|up| matches!(up.kind(), Kind::INSERT | Kind::UPDATE | Kind::MERGE))?;
        let named = statement.children().find(|part| {
            matches!(
                part.kind(),
                Kind::RELATION_NAME | Kind::RELATION_NAME_REF | Kind::TABLE_RELATION_NAME
            )
        })?;
        Some(scope::relation(&path(&named), self.column, scopes))
    }

    /// `vehicles.status%TYPE`
    fn typed_as_column(&mut self, node: &Node) {
        let Some(named) = child(node, Kind::PATH_REF) else {
            return;
        };
        let mut names = path(&named);
        if names
            .pop()
            .is_some_and(|last| last == self.column.column.as_str())
            && self.is_table(&names)
        {
            self.note(Naming::ByName);
        }
    }

    /// `r.status := …`
    fn field_of_variable(&mut self, node: &Node) {
        let variable = node
            .ancestors()
            .find(|up| up.kind() == Kind::PLPGSQL_ASSIGN_TARGET)
            .and_then(|target| path(&target).into_iter().next());
        match (variable.as_deref(), self.rows) {
            (Some("new" | "old"), Rows::OfTable) => self.note(Naming::ByName),
            (Some("new" | "old"), Rows::OfNoTrigger) => {}
            _ => self.note_unresolved(),
        }
    }

    fn in_words(&self, node: &Node) -> bool {
        words(node)
            .iter()
            .any(|(kind, text)| !is_text(*kind) && is_name(text, &self.column.column))
    }

    /// The table's rows are there as a whole: NEW, OLD or a transition table.
    fn has_rows(&self, node: &Node) -> bool {
        let all = words(node);
        let is_whole = |at: usize| {
            let next = |after: usize| all.get(at + after).map(|(kind, _)| *kind);
            next(1) != Some(Kind::DOT) || next(2) == Some(Kind::STAR)
        };
        all.iter().enumerate().any(|(at, (kind, text))| {
            let row = matches!(kind, Kind::NEW_KW | Kind::OLD_KW) && is_whole(at);
            let transition = || {
                self.transition_tables
                    .iter()
                    .any(|name| is_name(text, name))
            };
            !is_text(*kind) && (row && self.rows == Rows::OfTable || transition())
        })
    }

    /// Text that is made into a statement may name the column, or is about the table and gets the column from elsewhere.
    fn dynamic_sql(&mut self, tree: &Tree) {
        let is_there = |text: &str| {
            let names = [&self.column.column, &self.column.table.name].into_iter();
            let mut names = names.chain(self.transition_tables);
            names.any(|name| super::mentions(text, name.as_str()))
        };
        let may = tree.roots.iter().skip(1).any(|body| {
            let texts = texts_executed(body).into_iter();
            texts
                .filter(|text| is_there(text.as_str()))
                .any(|text| match text {
                    Executed::Piece(_) => true,
                    Executed::Whole(sql) => Tree::parse(&sql).is_none_or(|tree| {
                        let rows = Rows::OfNoTrigger;
                        naming(&tree, self.column, rows, self.transition_tables).is_some()
                    }),
                })
        });
        // A trigger's function reads what it is given, by names that it puts together.
        let reads_row = self.rows == Rows::OfTable && tree.roots.iter().skip(1).any(puts_together);
        if may || reads_row {
            self.note(Naming::DynamicSql);
        }
    }

    /// What was not understood: in PL/pgSQL that may be for its INTO alone, which is no SQL.
    fn errors(&mut self, tree: &Tree) {
        let errors = tree
            .roots
            .iter()
            .flat_map(Node::descendants)
            .filter(|node| node.kind() == Kind::ERROR);
        for error in errors.collect::<Vec<_>>() {
            let again = without_into(&error).and_then(|text| Tree::parse(&text));
            match again {
                Some(again) if !again.faulty => {
                    for root in &again.roots {
                        self.visit_root(root);
                    }
                }
                _ if self.in_words(&error) || self.has_rows(&error) => {
                    self.note(Naming::NotParsed);
                }
                _ => {}
            }
        }
    }
}

/// A text in a body that makes statements of text.
pub(super) enum Executed {
    /// All of what one EXECUTE runs.
    Whole(String),
    /// It may become part of a statement.
    Piece(String),
}

impl Executed {
    pub(super) fn as_str(&self) -> &str {
        match self {
            Self::Whole(text) | Self::Piece(text) => text,
        }
    }
}

/// The places of EXECUTE, in a body's words, where it makes a statement of a text.
fn executes(all: &[(Kind, String)]) -> impl Iterator<Item = usize> {
    all.iter().enumerate().filter_map(|(at, (kind, _))| {
        let next = all.get(at + 1).map(|(kind, _)| *kind);
        // Of a trigger, and the privilege.
        let other = matches!(
            next,
            Some(Kind::FUNCTION_KW | Kind::PROCEDURE_KW | Kind::ON_KW | Kind::COMMA)
        );
        (*kind == Kind::EXECUTE_KW && !other).then_some(at)
    })
}

/// What stands behind this EXECUTE is one constant text.
fn is_whole(all: &[(Kind, String)], at: usize) -> bool {
    let kind = |at: usize| all.get(at).map(|(kind, _)| *kind);
    let ends = matches!(
        kind(at + 2),
        None | Some(Kind::SEMICOLON | Kind::INTO_KW | Kind::USING_KW | Kind::LOOP_KW)
    );
    kind(at + 1) == Some(Kind::STRING) && ends
}

pub(super) fn texts_executed(body: &Node) -> Vec<Executed> {
    let all = words(body);
    let mut whole: Vec<usize> = Vec::new();
    let mut any = false;
    for at in executes(&all) {
        any = true;
        whole.extend(is_whole(&all, at).then_some(at + 1));
    }
    let texts = all
        .iter()
        .enumerate()
        .filter(|(_, (kind, _))| is_text(*kind));
    let executed = texts.map(|(at, (_, text))| {
        if whole.contains(&at) {
            let inner = text.trim_matches('\'').replace("''", "'");
            Executed::Whole(inner)
        } else {
            Executed::Piece(text.clone())
        }
    });
    executed.filter(|_| any).collect()
}

/// Somewhere it makes a statement of more than one constant text.
pub fn puts_together(body: &Node) -> bool {
    let all = words(body);
    executes(&all).any(|at| !is_whole(&all, at))
}

/// `SELECT a INTO STRICT b, c FROM …` as SQL has it.
fn without_into(error: &Node) -> Option<String> {
    let mut text = Vec::new();
    let mut words = words(error).into_iter().peekable();
    let mut found = false;
    while let Some((kind, word)) = words.next() {
        if kind != Kind::INTO_KW || found {
            text.push(word);
            continue;
        }
        found = true;
        words.next_if(|(_, word)| word.eq_ignore_ascii_case("strict"));
        // Names, dots and commas: up to a keyword that goes on with the query, or the end.
        let mut wants_name = true;
        while let Some((kind, _)) = words.next_if(|(kind, _)| match kind {
            Kind::DOT | Kind::COMMA => true,
            _ => wants_name,
        }) {
            wants_name = matches!(kind, Kind::DOT | Kind::COMMA);
        }
    }
    found.then(|| text.join(" "))
}

/// The words of an expression in lower case, without parentheses.
fn bare_words(node: &Node) -> Vec<String> {
    let words = words(node).into_iter();
    let bare = words.filter(|(kind, _)| !matches!(kind, Kind::L_PAREN | Kind::R_PAREN));
    bare.map(|(_, text)| text.to_lowercase()).collect()
}

/// `new`, `(old)`
fn is_row(node: &Node) -> bool {
    matches!(bare_words(node).as_slice(), [row] if row == "new" || row == "old")
}

/// NEW or OLD goes on as it is, or is compared as a whole: no column is named, and none is picked out.
fn is_passed_on(node: &Node) -> bool {
    let is_wrapping = |above: &Node| {
        let star = above.kind() == Kind::FIELD_EXPR && has_token(above, Kind::STAR);
        star || above.kind() == Kind::PAREN_EXPR
    };
    let above = node.ancestors().skip(1).find(|above| !is_wrapping(above));
    let Some(above) = above else { return false };
    let is_operand = |operand: &str| operand == "new" || operand == "old";
    let without_star = bare_words(&above).join(" ").replace(" . *", "");
    let is_compared = match without_star.split_once(' ') {
        Some((left, rest)) if is_operand(left) => match rest.rsplit_once(' ') {
            Some((operator, right)) if is_operand(right) => {
                matches!(operator, "is distinct from" | "is not distinct from")
                    || operator.chars().all(|c| " =<>!*".contains(c))
            }
            Some((operator, "null")) => matches!(operator, "is" | "is not"),
            _ => false,
        },
        _ => false,
    };
    let returned = node
        .ancestors()
        .find(|above| above.kind() == Kind::PLPGSQL_RETURN_STMT);
    let is_returned = returned.is_some_and(|returned| {
        let known = ["return", "coalesce", "new", "old", "null", ",", ";"];
        let words = bare_words(&returned);
        words.iter().all(|word| known.contains(&word.as_str()))
    });
    is_compared || is_returned
}

/// NEW and OLD of a trigger of other tables.
fn is_trigger_row(name: &str, node: &Node) -> bool {
    let in_body = node
        .ancestors()
        .last()
        .is_some_and(|root| root.kind() != Kind::SOURCE_FILE);
    in_body && (name == "new" || name == "old")
}

/// Statements about objects: their names are in lists of many forms, so that any that is there counts as not resolved.
fn is_definition(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::ALTER_TABLE
            | Kind::CREATE_INDEX
            | Kind::CREATE_TRIGGER
            | Kind::CREATE_POLICY
            | Kind::CREATE_TABLE
            | Kind::CREATE_RULE
            | Kind::CREATE_STATISTICS
            | Kind::CREATE_PUBLICATION
            | Kind::COMMENT_ON
            | Kind::GRANT
            | Kind::REVOKE
            | Kind::ANALYZE
            | Kind::VACUUM
    )
}
