//! The statements of a version's clients, as an application has them: every column is named.

use super::shape::{Shape, Version};
use super::table::Column;

/// One of each statement: its text, or prepared.
#[derive(Debug)]
pub(super) struct Commands<T> {
    pub insert: T,
    pub insert_neither: T,
    pub upsert: T,
    pub upsert_initial: T,
    pub set: T,
    pub set_many: T,
    pub update_unrelated: T,
    pub update_note: T,
    pub delete: T,
    pub select: T,
    pub select_by_plate: T,
}

/// The statements of a version.
#[derive(Debug)]
pub(super) struct Sql {
    pub version: Version,
    pub commands: Commands<String>,
}

impl Sql {
    /// A text column is written and read as it is; any other through its text, so that one client serves every type.
    pub fn new(shape: &Shape, version: Version, definition: &Column) -> Sql {
        let (table, column) = (&shape.table, shape.column(version));
        let value = |number: u32| match definition.is_text {
            true => format!("${number}"),
            false => format!("${number}::text::{}", definition.type_name),
        };
        let shown = match definition.is_text {
            true => column.to_owned(),
            false => shape.rendered(column),
        };
        let insert = |plate: &str, value: &str| {
            format!(
                "INSERT INTO {table} (license_plate, {column}, mileage) VALUES ({plate}, {value}, $3)"
            )
        };
        let upsert =
            format!("ON CONFLICT (license_plate) DO UPDATE SET {column} = EXCLUDED.{column}");
        let plate_of_id = format!("(SELECT license_plate FROM {table} WHERE id = $1::bigint)");
        let select = format!("SELECT id::bigint, {shown}, mileage FROM {table}");
        let returning = "RETURNING id::bigint";
        let commands = Commands {
            insert: format!("{} {returning}", insert("$1", &value(2))),
            insert_neither: format!(
                "INSERT INTO {table} (license_plate, mileage) VALUES ($1, $2) {returning}"
            ),
            upsert: format!("{} {upsert} {returning}", insert("$1", &value(2))),
            upsert_initial: format!("{} {upsert} {returning}", insert(&plate_of_id, &value(2))),
            set: format!(
                "UPDATE {table} SET {column} = {} WHERE id = $1::bigint",
                value(2)
            ),
            set_many: format!(
                "UPDATE {table} SET {column} = {} WHERE id = ANY ($1::bigint[])",
                value(2)
            ),
            update_unrelated: format!(
                "UPDATE {table} SET mileage = $2, note = $3 WHERE id = $1::bigint"
            ),
            update_note: format!("UPDATE {table} SET note = $2 WHERE id = $1::bigint"),
            delete: format!("DELETE FROM {table} WHERE id = $1::bigint"),
            select: format!("{select} WHERE id = $1::bigint"),
            select_by_plate: format!("{select} WHERE license_plate = $1"),
        };
        Sql { version, commands }
    }
}
