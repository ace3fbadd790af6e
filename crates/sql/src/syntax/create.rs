//! CREATE of what holds rows or stands on a table.

use super::{
    below, functions,
    node::{Place, child, has, name, names, table, tables, text_of, type_of, word},
    normalized, rows, type_text,
};
use crate::{
    name::{Name, TEMPORARY, fold},
    statement::{
        Bound, Building, ColumnFill, ConstraintKind, CreateTable, DefaultValue, Kind, NewColumn,
        NewConstraint, Validation,
    },
};
use crossfade_model::lock::Lock;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

pub fn kind(node: &SyntaxNode, place: &Place<'_>) -> Option<Kind> {
    Some(match node.kind() {
        K::CREATE_TABLE | K::CREATE_FOREIGN_TABLE => Kind::CreateTable(create_table(node, place)),
        K::CREATE_TABLE_AS => Kind::Read {
            tables: tables(node),
            lock: Lock::AccessShareLock,
            filter: rows::reads_of(node),
            into: Some(new_table(node, node)),
            if_not_exists: has(node, K::IF_NOT_EXISTS),
        },
        K::CREATE_INDEX => Kind::CreateIndex {
            table: table(node),
            index: child(node, K::INDEX).map(|index| Name::read(&index.text().to_string())),
            columns: indexed_columns(node),
            computed: computed_columns(node),
            how: building(node),
            only: child(node, K::TABLE_RELATION_NAME).is_some_and(|table| has(&table, K::ONLY_KW)),
            if_not_exists: has(node, K::IF_NOT_EXISTS),
        },
        K::CREATE_VIEW => Kind::CreateView {
            view: name(node, K::VIEW),
            replaces: has(node, K::OR_REPLACE),
            reads: tables(node),
        },
        K::CREATE_MATERIALIZED_VIEW => Kind::CreateMaterializedView {
            view: name(node, K::VIEW),
            // WITH NO DATA its query is not run.
            reads: if has(node, K::WITH_NO_DATA) {
                Vec::new()
            } else {
                tables(node)
            },
            if_not_exists: has(node, K::IF_NOT_EXISTS),
        },
        K::CREATE_TRIGGER => Kind::TouchTrigger {
            table: table(node),
            lock: Lock::ShareRowExclusiveLock,
        },
        K::CREATE_POLICY => Kind::CreatePolicy { table: table(node) },
        K::CREATE_RULE => Kind::Touch {
            table: table(node),
            lock: Lock::AccessExclusiveLock,
        },
        K::CREATE_STATISTICS => Kind::Touch {
            table: table(node),
            lock: Lock::ShareUpdateExclusiveLock,
        },
        K::CREATE_DOMAIN => Kind::CreateDomain {
            domain: Name::read(&text_of(node, K::DOMAIN)),
            over: type_of(node)
                .map_or_else(String::new, |over| type_text(&over.text().to_string())),
            constrained: node
                .descendants()
                .any(|node| matches!(node.kind(), K::CHECK_CONSTRAINT | K::NOT_NULL_CONSTRAINT)),
        },
        _ => return None,
    })
}

fn indexed_columns(node: &SyntaxNode) -> Vec<String> {
    let items = child(node, K::PARTITION_ITEM_LIST);
    items
        .iter()
        .flat_map(|list| list.children())
        .filter(|item| item.kind() == K::PARTITION_ITEM && has(item, K::NAME_REF))
        .map(|item| word(&item, K::NAME_REF))
        .collect()
}

/// Those of an index with an expression or a condition, wherever it names them.
fn computed_columns(node: &SyntaxNode) -> Vec<String> {
    let mut items = below(node, K::PARTITION_ITEM);
    if child(node, K::WHERE_CLAUSE).is_none() && items.all(|item| has(&item, K::NAME_REF)) {
        return Vec::new();
    }
    let mut columns: Vec<String> = below(node, K::NAME_REF)
        .map(|name| fold(&name.text().to_string()))
        .collect();
    columns.sort();
    columns.dedup();
    columns
}

/// Without its schema.
pub fn collation(node: &SyntaxNode) -> Option<String> {
    let text = text_of(node, K::COLLATE);
    let named = text.get("collate".len()..)?;
    Some(fold(named.trim()))
}

pub fn building(node: &SyntaxNode) -> Building {
    if has(node, K::CONCURRENTLY_KW) {
        Building::Concurrently
    } else {
        Building::Blocking
    }
}

fn create_table(node: &SyntaxNode, place: &Place<'_>) -> CreateTable {
    let arguments = child(node, K::TABLE_ARG_LIST);
    let parts = |kind| {
        arguments
            .iter()
            .flat_map(|list| list.children())
            .filter(move |part| part.kind() == kind)
            .collect::<Vec<_>>()
    };
    let constraints = arguments.iter().flat_map(|list| list.children());
    CreateTable {
        table: new_table(node, node),
        temporary: has(node, K::TEMP),
        if_not_exists: has(node, K::IF_NOT_EXISTS),
        until_commit: child(node, K::ON_COMMIT).is_some_and(|on| has(&on, K::DROP)),
        columns: parts(K::COLUMN)
            .iter()
            .map(|part| column(part, place))
            .collect(),
        constraints: constraints
            .filter_map(|part| constraint(&part, place))
            .collect(),
        partition_of: child(node, K::PARTITION_OF).map(|of| (table(&of), bound(node))),
        inherits: child(node, K::INHERITS)
            .map(|inherits| names(&inherits, K::TABLE_NAME_REF))
            .unwrap_or_default(),
        partitioned: has(node, K::PARTITION_BY),
        foreign: node.kind() == K::CREATE_FOREIGN_TABLE,
    }
}

/// A temporary table is in a schema of its session, whatever else has its name. `node` says whether it is one.
pub fn new_table(node: &SyntaxNode, holder: &SyntaxNode) -> Name {
    let named = name(holder, K::TABLE_NAME);
    if has(node, K::TEMP) {
        named.within(TEMPORARY)
    } else {
        named
    }
}

/// The values of the partition that this node makes or attaches.
pub fn bound(node: &SyntaxNode) -> Bound {
    if has(node, K::PARTITION_DEFAULT) {
        return Bound::Default;
    }
    let listed = |kind| {
        let holder = below(node, kind).next();
        let expressions = holder.iter().flat_map(SyntaxNode::children);
        expressions
            .map(|value| normalized(&value.text().to_string()))
            .collect::<Vec<String>>()
    };
    if below(node, K::PARTITION_FOR_VALUES_FROM).next().is_some() {
        Bound::Range {
            from: listed(K::PARTITION_FROM_VALUES),
            to: listed(K::PARTITION_TO_VALUES),
        }
    } else if below(node, K::PARTITION_FOR_VALUES_IN).next().is_some() {
        Bound::List(listed(K::PARTITION_FOR_VALUES_IN))
    } else {
        Bound::Hash
    }
}

/// `ADD COLUMN` and a column of CREATE TABLE look the same below.
pub fn column(node: &SyntaxNode, place: &Place<'_>) -> NewColumn {
    let type_name = type_of(node)
        .map(|node| type_text(&node.text().to_string()))
        .unwrap_or_default();
    let name = word(node, K::COLUMN_NAME);
    let mut constraints: Vec<NewConstraint> = node
        .children()
        .filter_map(|part| constraint(&part, place))
        .collect();
    for constraint in &mut constraints {
        if matches!(constraint.kind, ConstraintKind::ForeignKey { .. }) {
            constraint.columns = vec![name.clone()];
        }
    }
    let is_key = constraints
        .iter()
        .any(|constraint| matches!(constraint.kind, ConstraintKind::PrimaryKey { .. }));
    NewColumn {
        name,
        collation: collation(node),
        not_null: has(node, K::NOT_NULL_CONSTRAINT) || is_key,
        default: child(node, K::DEFAULT_CONSTRAINT).map(|default| default_value(&default)),
        fill: fill(node, &type_name),
        constraints,
        type_name,
    }
}

fn fill(node: &SyntaxNode, type_name: &str) -> Option<ColumnFill> {
    let serial = [
        "serial",
        "bigserial",
        "smallserial",
        "serial2",
        "serial4",
        "serial8",
    ];
    if serial.contains(&type_name) {
        return Some(ColumnFill::Serial);
    }
    let generated = child(node, K::GENERATED_CONSTRAINT)?;
    Some(if child(&generated, K::GENERATED_IDENTITY).is_some() {
        ColumnFill::Identity
    } else if below(&generated, K::STORED).next().is_some() {
        ColumnFill::GeneratedStored
    } else {
        ColumnFill::GeneratedVirtual
    })
}

/// Whether one value serves all rows. What is not known to be so is taken for volatile.
fn default_value(node: &SyntaxNode) -> DefaultValue {
    if has_subquery(node) {
        return DefaultValue::EveryRow("a query".to_owned());
    }
    let volatile = below(node, K::CALL_EXPR)
        .filter_map(|call| child(&call, K::NAME_REF).or_else(|| child(&call, K::FIELD_EXPR)))
        .map(|name| Name::read(&name.text().to_string()))
        .find(|name| !functions::is_evaluated_once(name));
    match volatile {
        Some(function) => DefaultValue::EveryRow(format!("{function}()")),
        None => DefaultValue::Once,
    }
}

fn has_subquery(node: &SyntaxNode) -> bool {
    below(node, K::SELECT).next().is_some()
}

/// A constraint of a column or of a table; `None` for what is none, or is read as a part of its column.
pub fn constraint(node: &SyntaxNode, place: &Place<'_>) -> Option<NewConstraint> {
    let kind = match node.kind() {
        K::CHECK_CONSTRAINT => ConstraintKind::Check(check(node)),
        K::FOREIGN_KEY_CONSTRAINT | K::REFERENCES_CONSTRAINT => ConstraintKind::ForeignKey {
            references: name(node, K::TABLE_NAME_REF),
        },
        K::UNIQUE_CONSTRAINT => ConstraintKind::Unique { index: index(node) },
        K::PRIMARY_KEY_CONSTRAINT => ConstraintKind::PrimaryKey {
            columns: below(node, K::COLUMN_NAME_REF)
                .map(|column| fold(&column.text().to_string()))
                .collect(),
            index: index(node),
        },
        K::EXCLUDE_CONSTRAINT => ConstraintKind::Exclude,
        // In a column it has no name of its own.
        K::NOT_NULL_CONSTRAINT if has(node, K::COLUMN_NAME_REF) => ConstraintKind::NotNull {
            column: word(node, K::COLUMN_NAME_REF),
        },
        _ => return None,
    };
    let later = has(node, K::NOT_VALID) || has(node, K::NOT_ENFORCED);
    Some(NewConstraint {
        range: place.of(node),
        name: child(node, K::CONSTRAINT_NAME_CLAUSE)
            .map(|clause| word(&clause, K::CONSTRAINT_NAME)),
        kind,
        validation: if later {
            Validation::Later
        } else {
            Validation::AtOnce
        },
        columns: columns_of(node),
        referred: referred(node),
    })
}

/// The columns that a constraint names, each once; of a foreign key those of its own table.
fn columns_of(node: &SyntaxNode) -> Vec<String> {
    let own = match node.kind() {
        K::FOREIGN_KEY_CONSTRAINT => child(node, K::FOREIGN_KEY_COLUMN_LIST),
        K::REFERENCES_CONSTRAINT => None,
        _ => Some(node.clone()),
    };
    let named = own.iter().flat_map(SyntaxNode::descendants).filter(|part| {
        let is_function = part
            .parent()
            .is_some_and(|parent| parent.kind() == K::CALL_EXPR);
        part.kind() == K::COLUMN_NAME_REF || (part.kind() == K::NAME_REF && !is_function)
    });
    let mut columns: Vec<String> = Vec::new();
    for column in named.map(|part| fold(&part.text().to_string())) {
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns
}

/// The columns that a foreign key says it refers to.
fn referred(node: &SyntaxNode) -> Vec<String> {
    match node.kind() {
        K::FOREIGN_KEY_CONSTRAINT => node
            .children()
            .filter(|part| part.kind() == K::FOREIGN_KEY_COLUMN_LIST)
            .skip(1)
            .flat_map(|list| below(&list, K::COLUMN_NAME_REF).collect::<Vec<_>>())
            .map(|column| fold(&column.text().to_string()))
            .collect(),
        K::REFERENCES_CONSTRAINT if has(node, K::COLUMN_NAME_REF) => {
            vec![word(node, K::COLUMN_NAME_REF)]
        }
        _ => Vec::new(),
    }
}

fn index(node: &SyntaxNode) -> Option<String> {
    child(node, K::USING_INDEX_NAME).map(|using| word(&using, K::INDEX_REF))
}

/// The expression between the parentheses.
fn check(node: &SyntaxNode) -> String {
    let expression: String = node
        .children_with_tokens()
        .skip_while(|part| part.kind() != K::L_PAREN)
        .skip(1)
        .take_while(|part| part.kind() != K::R_PAREN)
        .map(|part| part.to_string())
        .collect();
    normalized(&expression)
}
