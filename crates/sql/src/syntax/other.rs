//! Everything else: indexes and tables as wholes, maintenance, transactions, settings, and what touches no table.

use super::{
    below,
    create::building,
    node::{Place, child, has, name, names, table, tables, text_of, word},
    normalized, rows,
};
use crate::{
    name::{Name, setting_name},
    statement::{
        AlterTable, Building, Change, ChangeKind, Kind, ReindexTarget, Setting, TransactionControl,
        Unknown, Validation,
    },
};
use crossfade_model::lock::Lock;
use squawk_syntax::{SyntaxKind as K, SyntaxNode};

pub fn kind(node: &SyntaxNode, place: &Place<'_>) -> Option<Kind> {
    whole(node, place)
        .or_else(|| maintenance(node))
        .or_else(|| touch(node))
        .or_else(|| session(node))
        .or_else(|| no_table(node))
}

/// What is dropped or altered as a whole.
fn whole(node: &SyntaxNode, place: &Place<'_>) -> Option<Kind> {
    let cascade = has(node, K::CASCADE);
    Some(match node.kind() {
        K::DROP_TABLE | K::DROP_FOREIGN_TABLE => Kind::DropTable {
            tables: tables(node),
            cascade,
            foreign: node.kind() == K::DROP_FOREIGN_TABLE,
        },
        K::DROP_VIEW | K::DROP_MATERIALIZED_VIEW => Kind::DropView {
            views: names(node, K::VIEW_REF),
            cascade,
        },
        K::DROP_INDEX => Kind::DropIndex {
            indexes: names(node, K::INDEX_REF),
            how: building(node),
        },
        K::DROP_SCHEMA => Kind::DropOther { cascade },
        // Tables of that role go with their rows; CASCADE takes along what others have made of them.
        K::DROP_OWNED => Kind::DropOther { cascade: true },
        K::ALTER_INDEX if has(node, K::ATTACH_INDEX_PARTITION) => Kind::AttachIndex {
            partition: child(node, K::ATTACH_INDEX_PARTITION)
                .map(|attached| name(&attached, K::INDEX_REF))?,
        },
        // A new tablespace is a copy of the index.
        K::ALTER_INDEX if has(node, K::SET_TABLESPACE) => Kind::Reindex {
            target: ReindexTarget::Index(name(node, K::INDEX_REF)),
            how: Building::Blocking,
        },
        K::ALTER_INDEX if has(node, K::INDEX_REF) => Kind::TouchIndex {
            index: name(node, K::INDEX_REF),
        },
        // Its rows are copied like those of a table.
        K::ALTER_MATERIALIZED_VIEW if has(node, K::SET_TABLESPACE) && has(node, K::VIEW_REF) => {
            Kind::AlterTable(AlterTable {
                table: name(node, K::VIEW_REF),
                only: false,
                foreign: false,
                changes: vec![Change {
                    range: place.of(node),
                    kind: ChangeKind::Tablespace,
                }],
            })
        }
        K::ALTER_VIEW | K::ALTER_MATERIALIZED_VIEW if has(node, K::VIEW_REF) => Kind::Touch {
            table: name(node, K::VIEW_REF),
            lock: Lock::AccessExclusiveLock,
        },
        K::ALTER_TYPE => match child(node, K::ADD_VALUE) {
            Some(add) => Kind::AddEnumValue {
                of: name(node, K::TYPE_NAME_REF),
                value: text_of(&add, K::LITERAL),
            },
            None if below(node, K::CASCADE).next().is_some() => {
                Kind::Unknown(Unknown::NotClassified)
            }
            None => Kind::NoTable,
        },
        K::ALTER_DOMAIN => alter_domain(node),
        K::REASSIGN => Kind::Unknown(Unknown::Says(
            "REASSIGN OWNED locks everything that the role owns, so that nobody can read or write it until the transaction ends",
        )),
        K::ALTER_EXTENSION if has(node, K::ALTER_EXTENSION_UPDATE) => {
            Kind::Unknown(Unknown::Perhaps(
                "ALTER EXTENSION … UPDATE runs the extension's own scripts: what they lock is written there",
            ))
        }
        _ => return None,
    })
}

/// A check of a domain reads every table that has a column of it.
fn alter_domain(node: &SyntaxNode) -> Kind {
    let later = child(node, K::ADD_CONSTRAINT)
        .is_some_and(|add| below(&add, K::NOT_VALID).next().is_some());
    let scans = [K::ADD_CONSTRAINT, K::SET_NOT_NULL, K::VALIDATE_CONSTRAINT]
        .iter()
        .any(|kind| has(node, *kind));
    if !scans {
        return Kind::NoTable;
    }
    Kind::AddDomainCheck {
        domain: name(node, K::DOMAIN_REF),
        validation: if later {
            Validation::Later
        } else {
            Validation::AtOnce
        },
    }
}

fn maintenance(node: &SyntaxNode) -> Option<Kind> {
    let listed = || {
        child(node, K::TABLE_AND_COLUMNS_LIST)
            .map(|list| tables(&list))
            .unwrap_or_default()
    };
    Some(match node.kind() {
        K::TRUNCATE => Kind::Truncate {
            tables: tables(node),
            cascade: has(node, K::CASCADE),
        },
        K::LOCK => Kind::LockTable {
            tables: tables(node),
            lock: child(node, K::LOCK_MODE_CLAUSE)
                .map_or(Lock::AccessExclusiveLock, |mode| lock(&mode)),
        },
        K::VACUUM => Kind::Vacuum {
            tables: listed(),
            full: is_full(node),
        },
        K::ANALYZE => Kind::Analyze { tables: listed() },
        K::CLUSTER => Kind::Cluster {
            table: tables(node)
                .into_iter()
                .next()
                .or_else(|| child(node, K::CLUSTER_LEGACY).map(|legacy| name(&legacy, K::ON_PATH))),
        },
        K::REFRESH => Kind::Refresh {
            view: name(node, K::VIEW_REF),
            how: building(node),
        },
        K::REINDEX => reindex(node),
        _ => return None,
    })
}

fn reindex(node: &SyntaxNode) -> Kind {
    let option = below(node, K::REINDEX_OPTION_CONCURRENTLY).next();
    let concurrently = match option {
        Some(option) => !rows::is_off(&normalized(&option.text().to_string())),
        None => node
            .descendants_with_tokens()
            .any(|part| part.kind() == K::CONCURRENTLY_KW),
    };
    let target = match (
        child(node, K::REINDEX_TARGET_INDEX),
        child(node, K::REINDEX_TARGET_TABLE),
    ) {
        (Some(index), _) => ReindexTarget::Index(name(&index, K::INDEX_REF)),
        (None, Some(part)) => ReindexTarget::Table(table(&part)),
        (None, None) => ReindexTarget::All,
    };
    Kind::Reindex {
        target,
        how: if concurrently {
            Building::Concurrently
        } else {
            Building::Blocking
        },
    }
}

fn is_full(node: &SyntaxNode) -> bool {
    let option = below(node, K::VACUUM_OPTION)
        .find(|option| text_of(option, K::VACUUM_OPTION_NAME).eq_ignore_ascii_case("full"));
    let off = |option: &SyntaxNode| rows::is_off(&normalized(&option.text().to_string()));
    has(node, K::FULL_KW) || option.is_some_and(|option| !off(&option))
}

fn lock(node: &SyntaxNode) -> Lock {
    let modes = [
        (K::ACCESS_SHARE, Lock::AccessShareLock),
        (K::ROW_SHARE, Lock::RowShareLock),
        (K::ROW_EXCLUSIVE, Lock::RowExclusiveLock),
        (K::SHARE_UPDATE_EXCLUSIVE, Lock::ShareUpdateExclusiveLock),
        (K::SHARE, Lock::ShareLock),
        (K::SHARE_ROW_EXCLUSIVE, Lock::ShareRowExclusiveLock),
        (K::EXCLUSIVE, Lock::ExclusiveLock),
    ];
    modes
        .iter()
        .find(|(kind, _)| has(node, *kind))
        .map_or(Lock::AccessExclusiveLock, |(_, lock)| *lock)
}

/// One table's catalog entries, under one lock.
fn touch(node: &SyntaxNode) -> Option<Kind> {
    let on_its_table = |lock| Kind::Touch {
        table: table(node),
        lock,
    };
    Some(match node.kind() {
        K::DROP_TRIGGER | K::ALTER_TRIGGER => Kind::TouchTrigger {
            table: table(node),
            lock: Lock::AccessExclusiveLock,
        },
        K::DROP_POLICY | K::ALTER_POLICY | K::DROP_RULE | K::ALTER_RULE => {
            on_its_table(Lock::AccessExclusiveLock)
        }
        K::COMMENT_ON => match child(node, K::OBJECT_TABLE)
            .or_else(|| child(node, K::OBJECT_CONSTRAINT))
            .or_else(|| child(node, K::OBJECT_TRIGGER))
            .or_else(|| child(node, K::OBJECT_POLICY))
        {
            Some(object) => Kind::Touch {
                table: table(&object),
                lock: Lock::ShareUpdateExclusiveLock,
            },
            None => match child(node, K::OBJECT_COLUMN) {
                Some(column) => Kind::Touch {
                    table: table_of_column(&column.text().to_string()),
                    lock: Lock::ShareUpdateExclusiveLock,
                },
                None => Kind::NoTable,
            },
        },
        K::SECURITY_LABEL => Kind::NoTable,
        // PostgreSQL 18 looks at the table under the weakest lock, the others under none.
        K::GRANT | K::REVOKE => match tables(node).as_slice() {
            [one] => Kind::Touch {
                table: one.clone(),
                lock: Lock::AccessShareLock,
            },
            _ => Kind::NoTable,
        },
        _ => return None,
    })
}

/// `COLUMN schema.table.column`
fn table_of_column(text: &str) -> Name {
    let path = text.get("column".len()..).unwrap_or_default();
    match path.rsplit_once('.') {
        Some((table, _)) => Name::read(table),
        None => Name::read(path),
    }
}

fn session(node: &SyntaxNode) -> Option<Kind> {
    Some(match node.kind() {
        K::BEGIN => Kind::Transaction(TransactionControl::Begin),
        K::COMMIT_TRANSACTION | K::ROLLBACK_TRANSACTION | K::PREPARE_TRANSACTION => {
            Kind::Transaction(TransactionControl::End {
                undone: node.kind() == K::ROLLBACK_TRANSACTION,
                chained: has(node, K::AND_CHAIN),
            })
        }
        K::SAVEPOINT_CREATE => {
            Kind::Transaction(TransactionControl::Savepoint(word(node, K::SAVEPOINT)))
        }
        K::RELEASE_SAVEPOINT => {
            Kind::Transaction(TransactionControl::Release(word(node, K::SAVEPOINT_REF)))
        }
        K::ROLLBACK_TO_SAVEPOINT => {
            Kind::Transaction(TransactionControl::RollbackTo(word(node, K::SAVEPOINT_REF)))
        }
        K::SET_TRANSACTION => Kind::Transaction(TransactionControl::Within),
        // It forgets all settings, and more.
        K::DISCARD if below(node, K::DISCARD_ALL).next().is_some() => all_settings_off(),
        K::SET => set(node),
        K::RESET if has(node, K::ALL) => all_settings_off(),
        K::RESET => Kind::Set(Setting {
            name: below(node, K::CONFIG_PARAMETER_REF)
                .next()
                .map(|name| setting_name(&name.text().to_string()))?,
            values: Vec::new(),
            is_off: true,
            local: false,
        }),
        _ => return None,
    })
}

fn all_settings_off() -> Kind {
    Kind::Set(Setting {
        name: "all".to_owned(),
        values: Vec::new(),
        is_off: true,
        local: false,
    })
}

fn set(node: &SyntaxNode) -> Kind {
    if let Some(schema) = child(node, K::SET_SCHEMA_VALUE) {
        let text = normalized(&schema.text().to_string());
        let value = text.trim_start_matches("schema ");
        return Kind::Set(rows::setting(
            "search_path".to_owned(),
            value,
            has(node, K::LOCAL_SCOPE),
        ));
    }
    let Some(config) = child(node, K::SET_CONFIG) else {
        return Kind::NoTable;
    };
    let value = child(&config, K::TO_CONFIG_VALUE)
        .map(|value| normalized(&value.text().to_string()))
        .unwrap_or_default();
    let value = value.trim_start_matches('=').trim_start_matches("to ");
    let name = setting_name(&text_of(&config, K::CONFIG_PARAMETER_REF));
    Kind::Set(rows::setting(name, value, has(node, K::LOCAL_SCOPE)))
}

/// What looks at the catalog only. What is not in this list is not known.
fn no_table(node: &SyntaxNode) -> Option<Kind> {
    let text = normalized(&node.text().to_string());
    let cascades = has(node, K::CASCADE);
    Some(match node.kind() {
        K::DROP_DATABASE => Kind::DropDatabase {
            database: text_of(node, K::DATABASE_REF),
        },
        K::CREATE_DATABASE
        | K::CREATE_TABLESPACE
        | K::DROP_TABLESPACE
        | K::COMMIT_PREPARED
        | K::ROLLBACK_PREPARED
        | K::ALTER_SYSTEM => Kind::OutsideTransaction,
        K::CREATE_SUBSCRIPTION | K::DROP_SUBSCRIPTION | K::ALTER_SUBSCRIPTION | K::REPACK => {
            Kind::Unknown(Unknown::NotClassified)
        }
        // Rights that depend on a right are looked up in the catalog too.
        _ if cascades && !text.starts_with("revoke") => {
            Kind::Unknown(Unknown::Says(crate::statement::TAKES_ALONG))
        }
        K::CREATE_PUBLICATION | K::ALTER_PUBLICATION => publication(node, &text),
        K::ALTER_SEQUENCE
        | K::CREATE_SEQUENCE
        | K::DROP_SEQUENCE
        | K::CREATE_TYPE
        | K::CREATE_SCHEMA
        | K::ALTER_SCHEMA
        | K::EMPTY_STMT => Kind::NoTable,
        _ => {
            let quiet = [
                "alter aggregate",
                "alter collation",
                "alter conversion",
                "alter database",
                "alter default",
                "alter event",
                "alter extension",
                "alter foreign data",
                "alter function",
                "alter group",
                "alter language",
                "alter large",
                "alter operator",
                "alter procedure",
                "alter role",
                "alter routine",
                "alter server",
                "alter statistics",
                "alter tablespace",
                "alter text",
                "alter user",
                "checkpoint",
                "close",
                "comment",
                "create access",
                "create aggregate",
                "create cast",
                "create collation",
                "create conversion",
                "create event",
                "create extension",
                "create foreign data",
                "create group",
                "create language",
                "create operator",
                "create or replace language",
                "create or replace aggregate",
                "create role",
                "create server",
                "create text",
                "create transform",
                "create user",
                "deallocate",
                "discard",
                "drop",
                "fetch",
                "import",
                "listen",
                "load",
                "move",
                "notify",
                "reset",
                "set",
                "show",
                "unlisten",
            ];
            if quiet.iter().any(|words| text.starts_with(words)) {
                Kind::NoTable
            } else {
                return None;
            }
        }
    })
}

/// A table is put into a publication under a lock that lets the application work.
fn publication(node: &SyntaxNode, text: &str) -> Kind {
    match tables(node).into_iter().next() {
        Some(table) => Kind::Touch {
            table,
            lock: Lock::ShareUpdateExclusiveLock,
        },
        // The tables of a schema are looked up when they are wanted.
        None if text.contains(" tables in schema ") => Kind::NoTable,
        None if text.contains(" all tables") || !text.contains(" table") => Kind::NoTable,
        None => Kind::Unknown(Unknown::NotClassified),
    }
}
