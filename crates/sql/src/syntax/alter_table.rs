//! ALTER TABLE: each of its changes.

use super::{
    below,
    create::{bound, collation, column, constraint},
    node::{Place, child, has, name, table, text_of, type_of, word},
    normalized, type_text,
};
use crate::lexer::significant;
use crate::statement::{
    AlterTable, Alteration, Building, Change, ChangeKind, Kind, NewType, Unknown,
};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

pub fn kind(node: &SyntaxNode, place: &Place<'_>) -> Option<Kind> {
    if !matches!(node.kind(), K::ALTER_TABLE | K::ALTER_FOREIGN_TABLE) {
        return None;
    }
    // ALTER TABLE ALL IN TABLESPACE: whichever tables these are.
    let Some(relation) =
        child(node, K::TABLE_RELATION_NAME).or_else(|| child(node, K::TABLE_NAME_REF))
    else {
        return Some(Kind::Unknown(Unknown::NotClassified));
    };
    let changes = node
        .children()
        .filter(|part| {
            !matches!(
                part.kind(),
                K::IF_EXISTS | K::TABLE_RELATION_NAME | K::TABLE_NAME_REF
            )
        })
        .map(|part| Change {
            range: place.of(&part),
            kind: change(&part, place),
        })
        .collect();
    Some(Kind::AlterTable(AlterTable {
        table: table(&relation),
        only: has(&relation, K::ONLY_KW),
        foreign: node.kind() == K::ALTER_FOREIGN_TABLE,
        changes,
    }))
}

fn change(node: &SyntaxNode, place: &Place<'_>) -> ChangeKind {
    match node.kind() {
        K::ADD_COLUMN => ChangeKind::AddColumn(column(node, place)),
        K::ALTER_COLUMN => column_change(node),
        K::DROP_COLUMN => ChangeKind::DropColumn {
            column: word(node, K::COLUMN_NAME_REF),
            cascade: has(node, K::CASCADE),
        },
        K::RENAME_COLUMN => ChangeKind::RenameColumn {
            from: word(node, K::COLUMN_NAME_REF),
            to: word(node, K::COLUMN_NAME),
        },
        K::TABLE_RENAME_TO => ChangeKind::RenameTable {
            to: word(node, K::TABLE_NAME),
        },
        K::RENAME_CONSTRAINT => ChangeKind::RenameConstraint {
            from: word(node, K::CONSTRAINT_NAME_REF),
            to: word(node, K::CONSTRAINT_NAME),
        },
        K::SET_SCHEMA => ChangeKind::SetSchema {
            schema: word(node, K::SCHEMA_REF),
        },
        K::ADD_CONSTRAINT => node
            .children()
            .find_map(|part| constraint(&part, place))
            .map_or_else(|| other(node), ChangeKind::AddConstraint),
        K::VALIDATE_CONSTRAINT => ChangeKind::ValidateConstraint {
            name: word(node, K::CONSTRAINT_NAME_REF),
        },
        K::DROP_CONSTRAINT => ChangeKind::DropConstraint {
            name: word(node, K::CONSTRAINT_NAME_REF),
            cascade: has(node, K::CASCADE),
        },
        K::ALTER_CONSTRAINT => ChangeKind::AlterConstraint {
            name: word(node, K::CONSTRAINT_NAME_REF),
            change: if has(node, K::ENFORCED) {
                Alteration::Enforced
            } else if has(node, K::NOT_ENFORCED) {
                Alteration::NotEnforced
            } else if has(node, K::INHERIT) {
                Alteration::Inherited
            } else {
                Alteration::Otherwise
            },
        },
        K::INHERIT_TABLE => ChangeKind::Inherit {
            parent: name(node, K::TABLE_NAME_REF),
        },
        K::NO_INHERIT_TABLE => ChangeKind::NoInherit {
            parent: name(node, K::TABLE_NAME_REF),
        },
        K::ATTACH_PARTITION => ChangeKind::Attach {
            partition: name(node, K::TABLE_NAME_REF),
            bound: bound(node),
        },
        K::DETACH_PARTITION => ChangeKind::Detach {
            partition: name(node, K::TABLE_NAME_REF),
            // FINALIZE ends what CONCURRENTLY began.
            how: if has(node, K::DETACH_CONCURRENTLY) || has(node, K::DETACH_FINALIZE) {
                Building::Concurrently
            } else {
                Building::Blocking
            },
        },
        K::SET_OPTIONS | K::RESET_OPTIONS => ChangeKind::Options {
            names: below(node, K::ATTRIBUTE_NAME)
                .map(|option| option.text().to_string().to_ascii_lowercase())
                .collect(),
        },
        _ => of_the_table(node),
    }
}

fn of_the_table(node: &SyntaxNode) -> ChangeKind {
    match node.kind() {
        K::SET_LOGGED | K::SET_UNLOGGED => ChangeKind::Persistence,
        K::SET_TABLESPACE => ChangeKind::Tablespace,
        K::SET_ACCESS_METHOD => ChangeKind::AccessMethod,
        K::CLUSTER_ON | K::SET_WITHOUT_CLUSTER => ChangeKind::ClusterMark,
        K::ENABLE_TRIGGER
        | K::ENABLE_REPLICA_TRIGGER
        | K::ENABLE_ALWAYS_TRIGGER
        | K::DISABLE_TRIGGER => ChangeKind::Triggers,
        K::ENABLE_RULE | K::ENABLE_REPLICA_RULE | K::ENABLE_ALWAYS_RULE | K::DISABLE_RULE => {
            ChangeKind::Rules
        }
        K::ENABLE_RLS | K::FORCE_RLS => ChangeKind::EnableRowSecurity {
            forced: node.kind() == K::FORCE_RLS,
        },
        K::DISABLE_RLS | K::NO_FORCE_RLS => ChangeKind::OtherRowSecurity,
        K::REPLICA_IDENTITY => ChangeKind::ReplicaIdentity {
            nothing: has_last_word(node, "nothing"),
        },
        K::OWNER_TO => ChangeKind::Owner,
        K::OF_TYPE | K::NOT_OF => ChangeKind::OfType,
        _ => other(node),
    }
}

fn column_change(node: &SyntaxNode) -> ChangeKind {
    let column = word(node, K::COLUMN_NAME_REF);
    let Some(option) = node
        .children()
        .find(|part| part.kind() != K::COLUMN_NAME_REF)
    else {
        return other(node);
    };
    match option.kind() {
        K::SET_DEFAULT | K::DROP_DEFAULT => ChangeKind::ColumnDefault {
            column,
            // NULL is what a column without a default gets.
            dropped: option.kind() == K::DROP_DEFAULT
                || normalized(&option.text().to_string()) == "set default null",
        },
        K::SET_NOT_NULL => ChangeKind::SetNotNull { column },
        K::DROP_NOT_NULL => ChangeKind::DropNotNull { column },
        K::SET_TYPE => ChangeKind::SetType(new_type(&option, column)),
        K::SET_STATISTICS => ChangeKind::ColumnStatistics,
        K::SET_OPTIONS | K::RESET_OPTIONS | K::SET_OPTIONS_LIST => ChangeKind::ColumnOptions,
        K::SET_STORAGE => ChangeKind::ColumnStorage,
        K::SET_COMPRESSION => ChangeKind::ColumnCompression,
        K::ADD_GENERATED => ChangeKind::AddIdentity,
        K::DROP_IDENTITY => ChangeKind::DropIdentity { column },
        K::SET_GENERATED | K::SET_GENERATED_OPTIONS if is_always(&option) => {
            ChangeKind::IdentityAlways { column }
        }
        K::SET_GENERATED | K::SET_GENERATED_OPTIONS | K::SET_SEQUENCE_OPTION | K::RESTART => {
            ChangeKind::OtherIdentity
        }
        K::SET_EXPRESSION => ChangeKind::SetExpression,
        K::DROP_EXPRESSION => ChangeKind::DropExpression,
        _ => other(node),
    }
}

/// SET GENERATED ALWAYS, alone or among other options.
fn is_always(node: &SyntaxNode) -> bool {
    let text = normalized(&node.text().to_string());
    text.split(' ')
        .collect::<Vec<_>>()
        .windows(2)
        .any(|words| words == ["generated", "always"])
}

fn new_type(node: &SyntaxNode, column: String) -> NewType {
    let written = type_of(node)
        .map(|node| node.text().to_string())
        .unwrap_or_default();
    let type_name = type_text(&written);
    let using = normalized(
        text_of(node, K::USING_EXPR)
            .get("using".len()..)
            .unwrap_or(""),
    );
    let plain = format!("{column}::{type_name}").replace(' ', "");
    let cast = format!("cast({column}as{type_name})").replace(' ', "");
    let is_itself = |using: &str| {
        // Around a column and around a whole, parentheses say nothing.
        let bare = using.replace([' ', '"'], "");
        let bare = bare.replace(&format!("({column})"), &column);
        let bare = match bare.strip_prefix('(').and_then(|it| it.strip_suffix(')')) {
            Some(inside) if !inside.contains(['(', ')']) || inside == plain => inside.to_owned(),
            _ => bare,
        };
        let same = |other: &str| bare == other.replace('"', "");
        bare.is_empty() || bare == column || same(&plain) || same(&cast)
    };
    NewType {
        collation: collation(node),
        computed: !is_itself(&using),
        column,
        type_name,
    }
}

/// `REPLICA IDENTITY NOTHING`, and not an index of that name.
fn has_last_word(node: &SyntaxNode, word: &str) -> bool {
    let text = node.text().to_string();
    let tokens = significant(&text);
    let is_index = tokens.iter().any(|token| token.is_word(&text, "using"));
    !is_index && tokens.last().is_some_and(|last| last.is_word(&text, word))
}

fn other(node: &SyntaxNode) -> ChangeKind {
    ChangeKind::Other(normalized(&node.text().to_string()))
}
