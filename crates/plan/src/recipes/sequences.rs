//! How far the sequences go that give a column its numbers, when a wider column takes its place.

use crate::{
    facts::{Column, Sequence, TakesNumbers},
    steps::widen_sequence::WidenSequence,
    types,
};
use crossfade_model::ident::{Ident, TableName};

/// What becomes of a sequence.
#[derive(Debug, PartialEq)]
pub(super) enum Reach {
    /// It goes far enough.
    Enough,
    Widened(WidenSequence),
    /// It ends earlier than the new column, and stays so: why.
    Kept(String),
}

/// A column's numbers, and the type of the column that takes them from then on.
pub(super) struct Numbers<'a> {
    pub table: &'a TableName,
    pub old: &'a Column,
    /// The column that has them in the end.
    pub column: &'a Ident,
    pub type_name: &'a str,
    /// Other columns that become as wide with it.
    pub family: &'a [(TableName, Vec<Ident>)],
}

/// What a type of whole numbers holds, or what a sequence can give one of any number.
fn range(type_name: &str) -> Option<(i64, i64)> {
    let is = |name: &str| types::same(type_name, name);
    if is("smallint") {
        Some((i64::from(i16::MIN), i64::from(i16::MAX)))
    } else if is("integer") {
        Some((i64::from(i32::MIN), i64::from(i32::MAX)))
    } else if is("bigint") || type_name.starts_with("numeric") || is("double precision") {
        Some((i64::MIN, i64::MAX))
    } else {
        None
    }
}

impl Numbers<'_> {
    pub fn sequences(&self) -> impl Iterator<Item = (&Sequence, Reach)> {
        self.old
            .sequences
            .iter()
            .map(|sequence| (sequence, self.reach(sequence)))
    }

    /// The columns that take its numbers and stay as they are.
    fn others<'b>(&'b self, sequence: &'b Sequence) -> impl Iterator<Item = &'b TakesNumbers> {
        let widened = |other: &TakesNumbers| {
            let mut family = self.family.iter();
            family.any(|(table, columns)| *table == other.table && columns.contains(&other.column))
        };
        let others = sequence.others.iter();
        others.filter(move |other| !widened(other))
    }

    fn reach(&self, sequence: &Sequence) -> Reach {
        let ranges = (
            range(&self.old.type_name),
            range(self.type_name),
            range(&sequence.number_type),
        );
        let (Some(old), Some(new), Some(own)) = ranges else {
            return Reach::Enough;
        };
        let descending = sequence.increment < 0;
        let end = |(lowest, highest): (i64, i64)| if descending { lowest } else { highest };
        let limit = end((sequence.min, sequence.max));
        let is_enough = if descending {
            limit <= end(new)
        } else {
            limit >= end(new)
        };
        let is_wider = new.0 < old.0;
        if is_enough || !is_wider {
            return Reach::Enough;
        }
        let name = &sequence.name;
        if limit != end(old) && limit != end(own) {
            let word = if descending { "MINVALUE" } else { "MAXVALUE" };
            return Reach::Kept(format!(
                "the sequence {name} has a {word} of its own, {limit}: inserts into {} fail there as before",
                self.table
            ));
        }
        let narrow = self
            .others(sequence)
            .find(|other| range(&other.type_name).is_some_and(|other| other.0 > new.0));
        if let Some(other) = narrow.filter(|_| sequence.cycle) {
            return Reach::Kept(format!(
                "the sequence {name} begins again at {limit}, and {}.{} takes its numbers too and remains {}",
                other.table, other.column, other.type_name
            ));
        }
        let number_type = if own.0 > new.0 {
            canonical(new)
        } else {
            &sequence.number_type
        };
        Reach::Widened(WidenSequence {
            table: self.table.clone(),
            column: self.column.clone(),
            sequence: name.clone(),
            number_type: number_type.to_owned(),
            limit: end(new),
            descending,
        })
    }

    /// The type of what the default gives, if that holds less than the new column.
    pub fn narrow_default(&self) -> Option<&str> {
        let gives = self.old.default_type.as_deref()?;
        let (given, new) = (range(gives)?, range(self.type_name)?);
        (given.0 > new.0 && given.0 >= range(&self.old.type_name)?.0).then_some(gives)
    }

    /// What an author should know before the day on which the numbers end.
    pub fn advice(&self) -> Vec<(String, &'static str)> {
        const KEPT: &str =
            "ALTER SEQUENCE … MAXVALUE (MINVALUE where it descends) if it should go further";
        let mut advice = Vec::new();
        let mut says = |what: String, help: &'static str| advice.push((what, help));
        for (sequence, reach) in self.sequences() {
            match reach {
                Reach::Kept(why) => says(why, KEPT),
                Reach::Widened(_) => {
                    for other in self.others(sequence) {
                        if range(&other.type_name) == range(&self.old.type_name) {
                            says(
                                format!(
                                    "{}.{} takes numbers of the sequence {} too, and is {}",
                                    other.table, other.column, sequence.name, other.type_name
                                ),
                                "widen it as well, or give it a sequence of its own: its inserts fail once the numbers are too large for it",
                            );
                        }
                    }
                }
                Reach::Enough => {}
            }
        }
        let default = self.old.default.as_deref().unwrap_or_default();
        if let Some(narrow) = self
            .narrow_default()
            .filter(|_| !default.contains("nextval("))
        {
            says(
                format!(
                    "the default of {}.{} gives {narrow}: {default}",
                    self.table, self.old.name
                ),
                "it cannot return a larger number. Let its function return the new type if it should",
            );
        }
        if default.contains("nextval(") && self.old.sequences.is_empty() {
            says(
                format!(
                    "the default of {}.{} names its sequence as a text: {default}",
                    self.table, self.old.name
                ),
                "PostgreSQL finds the sequence by name at each insert. Make sure that it has the range of the new type (ALTER SEQUENCE … AS bigint)",
            );
        }
        if let Some(identity) = &self.old.identity
            && let Some(limit) = &identity.limit
        {
            says(
                format!(
                    "the identity of {}.{} has a limit of its own, {limit}: inserts fail there as before",
                    self.table, self.old.name
                ),
                KEPT,
            );
        }
        advice
    }
}

fn canonical((lowest, _): (i64, i64)) -> &'static str {
    if lowest == i64::from(i16::MIN) {
        "smallint"
    } else if lowest == i64::from(i32::MIN) {
        "integer"
    } else {
        "bigint"
    }
}
