//! Groups: the smallest sets of old and new columns that no expression connects with others. Which side is right, what is
//! filled and what agrees is decided per group, never per column (ARCHITECTURE "Several columns at once").

use crate::compiled::{Assignment, ColumnRef, Conversion};
use crossfade_model::ident::TableName;

/// The expressions of one group, in both directions.
#[derive(Clone, Debug, PartialEq)]
pub struct Group<'a> {
    pub forward: Vec<&'a Assignment>,
    /// Empty: this part of the sync is one-way.
    pub backward: Vec<&'a Assignment>,
}

/// The groups of a sync, a fill or a match, in the order of their first new column.
pub fn groups<'a>(forward: &'a [Assignment], backward: &'a [Assignment]) -> Vec<Group<'a>> {
    let mut groups: Vec<(u32, Group<'a>)> = Vec::new();
    for (assignments, is_forward) in [(forward, true), (backward, false)] {
        for assignment in assignments {
            let known = groups
                .iter()
                .position(|(number, _)| *number == assignment.group);
            let at = known.unwrap_or_else(|| {
                let empty = Group {
                    forward: Vec::new(),
                    backward: Vec::new(),
                };
                groups.push((assignment.group, empty));
                groups.len() - 1
            });
            let group = &mut groups[at].1;
            if is_forward {
                group.forward.push(assignment);
            } else {
                group.backward.push(assignment);
            }
        }
    }
    groups.into_iter().map(|(_, group)| group).collect()
}

/// What `crossfade.overtaken` calls a group: the table, and the first of the group's new columns.
pub fn overtaken_mark(table: &TableName, group: &Group<'_>) -> String {
    match group.forward.first() {
        Some(first) => format!("{table}.{}", first.target.name),
        None => table.to_string(),
    }
}

impl<'a> Group<'a> {
    /// Nothing is computed back: what the new version writes stays on its side.
    pub fn is_one_way(&self) -> bool {
        self.backward.is_empty()
    }

    pub fn new_side(&self) -> Vec<&'a ColumnRef> {
        self.forward
            .iter()
            .map(|assignment| &assignment.target)
            .collect()
    }

    /// What the new columns are computed from, and what is computed from them.
    pub fn old_side(&self) -> Vec<&'a ColumnRef> {
        let new_side = self.new_side();
        let mut columns: Vec<&ColumnRef> = Vec::new();
        let read = self.forward.iter().flat_map(|forward| &forward.reads);
        let written = self.backward.iter().map(|backward| &backward.target);
        let read_back = self.backward.iter().flat_map(|backward| &backward.reads);
        for column in read.chain(written).chain(read_back) {
            let known = columns.iter().chain(&new_side);
            if !known.into_iter().any(|known| known.name == column.name) {
                columns.push(column);
            }
        }
        columns
    }

    /// One column that is always equal to another: then "filled" and "agrees" are that they are equal.
    pub fn copy(&self) -> Option<(&'a ColumnRef, &'a ColumnRef)> {
        match self.forward.as_slice() {
            [assignment] => match (assignment.conversion, assignment.reads.as_slice()) {
                (Conversion::Copy, [source]) => Some((&assignment.target, source)),
                _ => None,
            },
            _ => None,
        }
    }

    /// Both columns are copies of each other: what one of them has is what the other is to have.
    pub fn mutual_copy(&self) -> Option<(&'a ColumnRef, &'a ColumnRef)> {
        let back = self.backward.as_slice();
        self.copy()
            .filter(|_| matches!(back, [one] if one.conversion == Conversion::Copy))
    }

    /// One column on either side: what the one refuses the other one's successor refuses too.
    pub fn is_one_to_one(&self) -> bool {
        self.forward.len() == 1 && self.old_side().len() <= 1
    }
}
