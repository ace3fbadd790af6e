//! Whether a text names a table, which goes or gets another name: where a relation may stand, and not where a column, an
//! alias or a function of that name does.

use super::{
    Naming, Table, mentions,
    resolve::{Executed, is_text, texts_executed},
    tree::{Kind, Node, Tree, child, children, is_name, path, words},
};

/// The surest way in which the text names the table.
pub fn naming(tree: &Tree, table: &Table) -> Option<Naming> {
    let is_with = |node: &Node| {
        node.descendants().any(|node| {
            node.kind() == Kind::CTE_NAME && path(&node).last() == Some(&own_name(table))
        })
    };
    let mut found = None;
    for root in &tree.roots {
        let has_with = is_with(root);
        let tokens = root
            .descendants_with_tokens()
            .filter_map(|element| element.into_token());
        let named = tokens
            .filter(|token| !is_text(token.kind()) && is_name(token.text(), &table.name.name));
        for token in named {
            let at = token.parent().and_then(|node| place(&node, table));
            // A WITH query of that name may be what is meant.
            let at = match at {
                Some(Naming::ByName) if has_with => Some(Naming::NotResolved),
                other => other,
            };
            found = found.max(at);
        }
    }
    for body in tree.roots.iter().skip(1) {
        found = found.max(in_texts(body, table));
    }
    found
}

fn own_name(table: &Table) -> String {
    table.name.name.as_str().to_owned()
}

/// What a word with the table's name means by where it stands.
fn place(word: &Node, table: &Table) -> Option<Naming> {
    for node in word.ancestors() {
        let above = node.parent().map(|above| above.kind());
        return match node.kind() {
            Kind::RELATION_NAME
            | Kind::RELATION_NAME_REF
            | Kind::TABLE_RELATION_NAME
            | Kind::TABLE_NAME
            | Kind::TABLE_NAME_REF => {
                let whole = whole_path(&node);
                (is_meant(&path(&whole), table) && !is_dump(&node, table)).then_some(Naming::ByName)
            }
            Kind::NAME_REF | Kind::FIELD_EXPR if above == Some(Kind::RELATION_FROM_ITEM) => {
                is_meant(&path(&node), table).then_some(Naming::ByName)
            }
            Kind::PATH_REF | Kind::PATH if in_type(&node) => {
                is_meant(&path(&node), table).then_some(Naming::Row)
            }
            Kind::PATH | Kind::PATH_REF | Kind::PATH_SEGMENT | Kind::PATH_SEGMENT_REF => continue,
            Kind::NAME_REF | Kind::FIELD_EXPR if above == Some(Kind::FIELD_EXPR) => continue,
            Kind::ERROR => Some(Naming::NotParsed),
            kind if is_other_name(kind) => None,
            _ if is_dump(&node, table) => None,
            _ => is_meant_or_unclear(&node, table).then_some(Naming::NotResolved),
        };
    }
    None
}

/// The dotted path that a name is the end of.
fn whole_path(node: &Node) -> Node {
    let is_path = |node: &Node| {
        matches!(
            node.kind(),
            Kind::PATH | Kind::PATH_REF | Kind::PATH_SEGMENT | Kind::PATH_SEGMENT_REF
        )
    };
    node.ancestors()
        .skip(1)
        .take_while(is_path)
        .last()
        .unwrap_or_else(|| node.clone())
}

fn in_type(node: &Node) -> bool {
    node.ancestors().take(4).any(|above| {
        matches!(
            above.kind(),
            Kind::PERCENT_TYPE | Kind::PLPGSQL_PERCENT_ROWTYPE | Kind::PATH_TYPE
        )
    })
}

/// `orders`, `public.orders`, and in `%TYPE` with a column behind it.
fn is_meant(names: &[String], table: &Table) -> bool {
    let (schema, name) = (table.name.schema.as_str(), table.name.name.as_str());
    names.iter().enumerate().any(|(at, one)| {
        one == name
            && at
                .checked_sub(1)
                .is_none_or(|before| names[before] == schema)
    })
}

/// Another schema before it means another table; anything else is not told.
fn is_meant_or_unclear(node: &Node, table: &Table) -> bool {
    let names = path(node);
    let at = names.iter().position(|one| *one == own_name(table));
    match at {
        Some(at) if at > 0 && words(node).iter().any(|(kind, _)| *kind == Kind::DOT) => {
            names[at - 1] == table.name.schema.as_str()
        }
        _ => true,
    }
}

/// Names of what is no relation.
fn is_other_name(kind: Kind) -> bool {
    matches!(
        kind,
        Kind::FIELD_EXPR
            | Kind::NAME_REF
            | Kind::COLUMN_NAME
            | Kind::COLUMN_NAME_REF
            | Kind::QUALIFIED_COLUMN_NAME_REF
            | Kind::AS_NAME
            | Kind::TABLE_ALIAS
            | Kind::CTE_NAME
            | Kind::PARAM_NAME
            | Kind::PARAM_NAME_REF
            | Kind::FUNCTION_NAME
            | Kind::FUNCTION_NAME_REF
            | Kind::CONSTRAINT_NAME
            | Kind::CONSTRAINT_NAME_REF
            | Kind::ROLE_NAME_REF
            | Kind::PLPGSQL_VAR_NAME
            | Kind::PLPGSQL_VAR_NAME_REF
            | Kind::PLPGSQL_LABEL_NAME
            | Kind::PLPGSQL_LABEL_NAME_REF
            | Kind::COMPOSITE_FIELD_REF
    )
}

/// pg_dump reads the catalog, and names what it finds: it locks each table, and copies all its columns out.
fn is_dump(node: &Node, table: &Table) -> bool {
    let above = |kind: Kind| node.ancestors().find(|up| up.kind() == kind);
    if let Some(lock) = above(Kind::LOCK) {
        let words: Vec<String> = words(&lock)
            .into_iter()
            .map(|(_, text)| text.to_lowercase())
            .collect();
        return words.windows(2).any(|two| two == ["access", "share"]);
    }
    let Some(copy) = above(Kind::COPY_TABLE) else {
        return false;
    };
    let writes = copy
        .parent()
        .is_some_and(|copy| child(&copy, Kind::COPY_TO).is_some());
    let Some(list) = child(&copy, Kind::COLUMN_REF_LIST).filter(|_| writes) else {
        return false;
    };
    let columns: Vec<String> = children(&list, Kind::COLUMN_NAME_REF)
        .flat_map(|name| path(&name))
        .collect();
    let is_listed = |known: &crossfade_model::ident::Ident| {
        columns.iter().any(|column| column == known.as_str())
    };
    table.columns.iter().all(is_listed)
}

/// Texts in a body that become a statement, or the name of a relation.
fn in_texts(body: &Node, table: &Table) -> Option<Naming> {
    let name = table.name.name.as_str();
    let is_there = |text: &Executed| mentions(text.as_str(), name);
    let mut texts = texts_executed(body).into_iter().filter(is_there);
    let may = |text: Executed| match text {
        Executed::Piece(_) => true,
        Executed::Whole(sql) => super::of_table_statement(&sql, table).is_some(),
    };
    if texts.any(may) {
        return Some(Naming::DynamicSql);
    }
    let all = words(body);
    let looks_up = all.iter().any(|(_, text)| {
        let text = text.to_lowercase();
        text == "regclass" || text == "to_regclass"
    });
    let mut texts = all.iter().filter(|(kind, _)| is_text(*kind));
    (looks_up && texts.any(|(_, text)| mentions(text, name))).then_some(Naming::NotResolved)
}
