//! What is no table: views, functions, types, sequences and schemas as they are made, dropped and renamed.

use super::{
    below,
    node::{Place, has, name, word},
    statement,
};
use crate::{
    name::Name,
    statement::{Kind, Object, Renaming, Statement},
};
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

pub fn kind(node: &SyntaxNode, place: &Place<'_>) -> Option<Kind> {
    match node.kind() {
        K::CREATE_TYPE => Some(made(node, Object::Type, K::TYPE_NAME)),
        K::CREATE_SEQUENCE => Some(made(node, Object::Sequence, K::SEQUENCE)),
        K::CREATE_SCHEMA => Some(schema(node, place)),
        _ => dropped(node).or_else(|| renamed(node)),
    }
}

fn made(node: &SyntaxNode, object: Object, kind: K) -> Kind {
    if has(node, K::IF_NOT_EXISTS) {
        return Kind::NoTable;
    }
    Kind::CreateObject {
        object,
        name: name(node, kind),
    }
}

/// What CREATE SCHEMA makes is in it.
fn schema(node: &SyntaxNode, place: &Place<'_>) -> Kind {
    let named = below(node, K::SCHEMA).next();
    let elements = node
        .children()
        .filter(|part| !matches!(part.kind(), K::IF_NOT_EXISTS | K::NAMED_SCHEMA))
        .filter(|part| format!("{:?}", part.kind()).starts_with("CREATE_"))
        .map(|part| statement(&part, place.of(&part), place))
        .collect::<Vec<Statement>>();
    match named {
        Some(named) => Kind::CreateSchema {
            schema: Name::read(&named.text().to_string()),
            elements,
        },
        None => Kind::NoTable,
    }
}

fn dropped(node: &SyntaxNode) -> Option<Kind> {
    let (object, reference) = match node.kind() {
        K::DROP_FUNCTION => (Object::Routine, K::FUNCTION_NAME_REF),
        K::DROP_PROCEDURE => (Object::Routine, K::PROCEDURE_NAME_REF),
        K::DROP_ROUTINE => (Object::Routine, K::ROUTINE_NAME_REF),
        K::DROP_AGGREGATE => (Object::Routine, K::PATH_REF),
        K::DROP_TYPE => (Object::Type, K::TYPE_NAME_REF),
        K::DROP_DOMAIN => (Object::Domain, K::DOMAIN_REF),
        K::DROP_SEQUENCE => (Object::Sequence, K::SEQUENCE_REF),
        K::DROP_EXTENSION => (Object::Extension, K::EXTENSION_REF),
        _ => return None,
    };
    // With CASCADE columns and defaults go too.
    if has(node, K::CASCADE) {
        return None;
    }
    let is_argument = |part: &SyntaxNode| part.ancestors().any(|it| it.kind() == K::PARAM_LIST);
    let names = below(node, reference)
        .filter(|part| !is_argument(part))
        .filter(|part| {
            part.parent()
                .is_none_or(|parent| parent.kind() != reference)
        })
        .map(|part| Name::read(&part.text().to_string()))
        .collect();
    Some(Kind::DropObjects { object, names })
}

fn renamed(node: &SyntaxNode) -> Option<Kind> {
    let (object, reference) = match node.kind() {
        K::ALTER_VIEW => (Object::View, K::VIEW_REF),
        K::ALTER_MATERIALIZED_VIEW => (Object::MaterializedView, K::VIEW_REF),
        K::ALTER_FUNCTION => (Object::Routine, K::FUNCTION_NAME_REF),
        K::ALTER_PROCEDURE => (Object::Routine, K::PROCEDURE_NAME_REF),
        K::ALTER_ROUTINE => (Object::Routine, K::ROUTINE_NAME_REF),
        K::ALTER_AGGREGATE => (Object::Routine, K::PATH_REF),
        K::ALTER_TYPE => (Object::Type, K::TYPE_NAME_REF),
        K::ALTER_DOMAIN => (Object::Domain, K::DOMAIN_REF),
        K::ALTER_SEQUENCE => (Object::Sequence, K::SEQUENCE_REF),
        K::ALTER_SCHEMA => (Object::Schema, K::SCHEMA_REF),
        _ => return None,
    };
    let renaming = node.children().find_map(|part| renaming(&part))?;
    Some(Kind::RenameObject {
        object,
        name: Name::read(&below(node, reference).next()?.text().to_string()),
        renaming,
    })
}

fn renaming(action: &SyntaxNode) -> Option<Renaming> {
    match action.kind() {
        K::SET_SCHEMA => Some(Renaming::Schema(word(action, K::SCHEMA_REF))),
        K::RENAME_COLUMN => Some(Renaming::Part(
            word(action, K::COLUMN_NAME_REF),
            word(action, K::COLUMN_NAME),
        )),
        K::RENAME_VALUE => {
            let mut labels = action.children().map(|part| part.text().to_string());
            Some(Renaming::Part(labels.next()?, labels.next()?))
        }
        K::RENAME_ATTRIBUTE => {
            let mut names = action.children().map(|part| part.text().to_string());
            Some(Renaming::Part(names.next()?, names.next()?))
        }
        // VIEW_RENAME_TO, TYPE_RENAME_TO and their like.
        kind if format!("{kind:?}").ends_with("_RENAME_TO") => {
            let name = action.children().last()?;
            Some(Renaming::Name(crate::name::fold(&name.text().to_string())))
        }
        _ => None,
    }
}
