//! What cannot be replaced, or cannot come along, by name.

use super::{
    super::{
        relation::refuse_product,
        sequences::{Numbers, Reach},
    },
    Keys, Pair, Replacement, not_carried,
};
use crate::facts::{Column, ConstraintKind, Facts, Index, Sequence, Table, TableKind};
use crate::sqlgen::{foreign_key::ForeignKey, literal};
use crossfade_model::{
    error::{Path, PlanError},
    ident::{Ident, TableName},
};

/// The table and the column, if the table is of a kind whose columns can be replaced.
pub(in crate::recipes) fn only_ordinary<'a>(
    facts: &'a Facts,
    name: &TableName,
    column: &Ident,
    at: &Path,
    column_key: &str,
) -> Result<(&'a Table, &'a Column), Vec<PlanError>> {
    let table = match facts.table(name) {
        Some(table) if table.is_partitioned() && !table.is_partition => table,
        _ => ordinary_table(facts, name, at)?,
    };
    match table.column(column) {
        Some(column) => Ok((table, column)),
        None => {
            let names: Vec<&str> = table.columns.iter().map(|c| c.name.as_str()).collect();
            let nearby: Vec<&str> = names.into_iter().take(40).collect();
            Err(vec![
                PlanError::at(at.key(column_key), format!("{name} has no column {column}"))
                    .help(format!("its columns are {}", nearby.join(", "))),
            ])
        }
    }
}

/// The table, if it is of a kind that such a change can be made to.
pub(in crate::recipes) fn ordinary_table<'a>(
    facts: &'a Facts,
    name: &TableName,
    at: &Path,
) -> Result<&'a Table, Vec<PlanError>> {
    let refuse = |error| Err(vec![error]);
    let Some(table) = facts.table(name) else {
        return refuse(
            PlanError::at(at.key("table"), format!("there is no table {name}"))
                .help("write `schema.table`, quoted as in SQL where needed"),
        );
    };
    let why = match table.kind {
        TableKind::Table if table.has_children => "has tables that inherit from it",
        TableKind::Table => return Ok(table),
        TableKind::Partitioned if !table.is_partition => "is partitioned",
        TableKind::Partitioned | TableKind::Partition => {
            "is a partition: its columns are its parent's"
        }
        TableKind::View | TableKind::MaterializedView => "is a view",
        TableKind::Foreign => "is a foreign table",
        TableKind::Temporary => "is a temporary table",
        TableKind::Other => "is not an ordinary table",
    };
    if let Some(product) = table.kept_elsewhere() {
        return refuse_product(name, product, at);
    }
    refuse(
        PlanError::at(at.key("table"), format!("{name} {why}"))
            .help("this change can be made to ordinary tables"),
    )
}

impl Replacement<'_> {
    pub(crate) fn refusals(&self, at: &Path) -> Vec<PlanError> {
        let mut errors = Vec::new();
        let mut refuse = |message: String, help: &str| {
            let error = PlanError::at(at.clone(), message).help(help);
            if !errors.contains(&error) {
                errors.push(error);
            }
        };
        if self.table.is_partitioned() {
            self.refuse_of_partitioned(&mut refuse);
        }
        for column in self.going() {
            self.refuse_column(column, &mut refuse);
        }
        for pair in &self.pairs {
            self.refuse_of_pair(pair, &mut refuse);
        }
        for column in &self.gone {
            self.refuse_of_gone(column, &mut refuse);
        }
        self.refuse_unread(&mut refuse);
        self.refuse_sequences(&mut refuse);
        for inbound in self.inbound().filter(|inbound| !inbound.owned) {
            let columns: Vec<String> = self
                .touched(&inbound.columns)
                .map(|pair| pair.old.name.to_string())
                .collect();
            refuse(
                format!(
                    "the foreign key {} of {} refers to {}, and the table is not yours",
                    inbound.name,
                    inbound.table,
                    columns.join(", ")
                ),
                "make the role that runs Crossfade a member of its owner; if that is a superuser, give the table another owner first: ALTER TABLE … OWNER TO …",
            );
        }
        errors
    }

    /// What a partitioned table cannot be given while it is written to, or not without its partitions' own names.
    fn refuse_of_partitioned(&self, refuse: &mut impl FnMut(String, &str)) {
        for partition in self.table.partitions.iter().filter(|leaf| leaf.foreign) {
            refuse(
                format!("the partition {} is a foreign table", partition.table),
                "its rows cannot be filled from here: detach it first",
            );
        }
        let is_copied = self.gone.is_empty()
            && self.others.is_empty()
            && self.pairs.iter().all(|pair| !pair.conversion_can_fail);
        if !is_copied {
            refuse(
                format!("{} is partitioned", self.table_name),
                "an update that moves a row to another partition arrives there as an insert of both sides, so a conversion could lose what was written. On partitioned tables only plain copies and types that take every value are possible",
            );
        }
        for column in self.going().map(|old| &old.name) {
            if self.table.partition_key.contains(column) {
                refuse(
                    format!("{column} is in the partition key of {}", self.table_name),
                    "a partition key cannot be changed: create a table that is partitioned differently, and move the rows",
                );
            }
            for index in self.indexes_on(column).filter(|index| !index.primary) {
                refuse(
                    format!(
                        "{column} is in the index {} of a partitioned table",
                        index.name
                    ),
                    "drop it first (recipe drop_index), and add it on the new column when that is filled (recipe add_index)",
                );
            }
            let own = self.table.constraints.iter().filter(|constraint| {
                constraint.kind == ConstraintKind::ForeignKey && constraint.columns.contains(column)
            });
            let inbound = self.table.referenced_by.iter();
            let inbound = inbound.filter(|inbound| inbound.columns.contains(column));
            for name in own
                .map(|own| &own.name)
                .chain(inbound.map(|inbound| &inbound.name))
            {
                refuse(
                    format!("{column} is in the foreign key {name} of a partitioned table"),
                    "it cannot be added NOT VALID and validated later: drop it first, and add it after the change",
                );
            }
        }
    }

    fn indexes_on(&self, column: &Ident) -> impl Iterator<Item = &Index> {
        let indexes = self.table.indexes.iter();
        indexes.filter(move |index| index.columns.contains(column))
    }

    fn refuse_column(&self, old: &Column, refuse: &mut impl FnMut(String, &str)) {
        let column = &old.name;
        let keys_go_along = match self.keys {
            Keys::Refused => false,
            Keys::Swapped(_) => true,
        };
        if old.identity.is_some() && !keys_go_along {
            refuse(
                format!("{column} is an identity column"),
                "an identity cannot be moved to another column while rows are inserted",
            );
        }
        if old.generated {
            refuse(
                format!("{column} is a generated column"),
                "it is computed from other columns: change its expression instead",
            );
        }
        for (message, help) in not_carried::of_column(self.table_name, self.table, old) {
            refuse(message, &help);
        }
        for index in self.indexes_on(column) {
            if index.primary && !keys_go_along {
                refuse(
                    format!("{column} is in the primary key {}", index.name),
                    "a primary key's columns cannot be replaced by this change",
                );
            } else if index.replica_identity {
                refuse(
                    format!("{column} is in the replica identity index {}", index.name),
                    "choose another replica identity first: ALTER TABLE … REPLICA IDENTITY",
                );
            } else if let [extension, ..] = index.extensions.as_slice() {
                refuse(
                    format!(
                        "the index {} on {column} depends on the extension {extension}, and its replacement would not",
                        index.name
                    ),
                    &format!(
                        "ALTER INDEX {}.{} NO DEPENDS ON EXTENSION {extension}; and DEPENDS ON EXTENSION again after the change",
                        self.table_name.schema, index.name
                    ),
                );
            } else if !index.valid {
                refuse(
                    format!("the index {} on {column} is INVALID", index.name),
                    "drop it or rebuild it first: REINDEX INDEX CONCURRENTLY …",
                );
            }
        }
        let exclusions = self.table.constraints.iter().filter(|constraint| {
            constraint.columns.contains(column)
                && matches!(
                    constraint.kind,
                    ConstraintKind::Exclusion | ConstraintKind::Other
                )
        });
        for constraint in exclusions {
            refuse(
                format!(
                    "{column} is in the exclusion constraint {}",
                    constraint.name
                ),
                "an exclusion constraint cannot be built while the application writes to the table: drop it first",
            );
        }
    }

    /// One that has to go further, and is another's.
    fn refuse_sequences(&self, refuse: &mut impl FnMut(String, &str)) {
        for numbers in self.numbers() {
            self.refuse_narrow_default(&numbers, refuse);
            for (sequence, reach) in numbers.sequences() {
                if let Reach::Widened(step) = reach
                    && !sequence.owned
                {
                    let Sequence { name, owner, .. } = sequence;
                    let owner = Ident::from_catalog(owner);
                    let what = format!(
                        "the sequence {name} that {}.{} takes its numbers from needs a larger range, and belongs to {owner}",
                        self.table_name, numbers.old.name
                    );
                    let end = if step.descending {
                        "MINVALUE"
                    } else {
                        "MAXVALUE"
                    };
                    let help = format!(
                        "let {owner} do it first: ALTER SEQUENCE {name} AS {} {end} {}; or, unless {owner} is a superuser, make the role that runs Crossfade a member: GRANT {owner} TO …",
                        step.number_type, step.limit
                    );
                    refuse(what, &help);
                }
            }
        }
    }

    /// `nextval('s')::integer`: the cast would stand before the wider column as well, and fail at the number that was too large
    /// before.
    fn refuse_narrow_default(&self, numbers: &Numbers<'_>, refuse: &mut impl FnMut(String, &str)) {
        let Some(gives) = numbers.narrow_default() else {
            return;
        };
        let column = &numbers.old.name;
        let default = numbers.old.default.as_deref().unwrap_or_default();
        let takes_numbers = default.contains("nextval(");
        let mut keys = self.table.indexes.iter().filter(|index| index.primary);
        let is_key = keys.any(|index| index.columns.contains(column));
        if !takes_numbers && !is_key {
            return;
        }
        let what = format!(
            "the default of {}.{column} gives {gives}, and the column becomes {}: inserts would still fail at the end of {gives}: {default}",
            self.table_name, numbers.type_name
        );
        let alter = format!(
            "ALTER TABLE {} ALTER COLUMN {column} SET DEFAULT",
            self.table_name
        );
        let help = match numbers.old.sequences.first() {
            Some(sequence) if takes_numbers => format!(
                "leave the cast out; PostgreSQL converts the number to the column's type: {alter} nextval({})",
                literal::text(&sequence.name.to_string())
            ),
            _ => format!(
                "give it one of {} first, such as a function that returns that: {alter} …",
                numbers.type_name
            ),
        };
        refuse(what, &help);
    }

    /// A foreign key whose definition is not understood would be dropped without a successor.
    fn refuse_unread(&self, refuse: &mut impl FnMut(String, &str)) {
        let own = self.table.constraints.iter();
        let own = own
            .filter(|one| one.kind == ConstraintKind::ForeignKey)
            .map(|one| (&one.name, &one.definition));
        let inbound = self.inbound().map(|one| (&one.name, &one.definition));
        for (name, definition) in own.chain(inbound) {
            if ForeignKey::read(definition).is_none_or(|key| key.table().is_none()) {
                refuse(
                    format!("the foreign key {name} is not understood: {definition}"),
                    "drop it before the change and add it after it",
                );
            }
        }
    }

    /// Which of two foreign keys acts first is not to be told, and a new column has no default until it is alone.
    fn refuse_of_pair(&self, pair: &Pair<'_>, refuse: &mut impl FnMut(String, &str)) {
        let column = &pair.old.name;
        let setting = self.table.constraints.iter().filter(|constraint| {
            pair.old.default.is_some()
                && constraint.columns.contains(column)
                && ForeignKey::read(&constraint.definition).is_some_and(|key| key.sets_default())
        });
        for constraint in setting {
            refuse(
                format!(
                    "the foreign key {} sets {column} to its default",
                    constraint.name
                ),
                "its replacement would set NULL until `contract`: drop it before the change and add it afterwards, or drop the default",
            );
        }
    }

    /// A column without a single successor: what keeps rows right cannot be carried over, and is not lost in silence.
    /// What is not refused here is warned of when the plan is compiled.
    fn refuse_of_gone(&self, old: &Column, refuse: &mut impl FnMut(String, &str)) {
        const HELP: &str = "no single column replaces it: drop it first, and add what fits the new columns after the change";
        let column = &old.name;
        for index in self.indexes_on(column).filter(|index| !index.primary) {
            if index.unique {
                refuse(
                    format!("{column} is in the unique index {}", index.name),
                    HELP,
                );
            }
        }
        let foreign = self.table.constraints.iter().filter(|constraint| {
            constraint.kind == ConstraintKind::ForeignKey && constraint.columns.contains(column)
        });
        for constraint in foreign {
            refuse(
                format!("{column} is in the foreign key {}", constraint.name),
                HELP,
            );
        }
        let inbound = self.table.referenced_by.iter();
        for inbound in inbound.filter(|inbound| inbound.columns.contains(column)) {
            let what = format!(
                "the foreign key {} of {} refers to {column}",
                inbound.name, inbound.table
            );
            refuse(what, HELP);
        }
        let takes_numbers = old
            .default
            .as_deref()
            .is_some_and(|default| default.contains("nextval("));
        if old.owned_sequence.is_some() || takes_numbers {
            refuse(
                format!("{column} takes its values from a sequence"),
                "no single column replaces it: drop its default first, and set one after the change",
            );
        }
    }
}
