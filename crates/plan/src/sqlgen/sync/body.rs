//! The body of the trigger function: per group, which side the statement wrote, and what follows on the other.

use super::{
    Filling, Names, Objects, ask_statement, differs, filled_by_us, mentions, other_bytes,
    require_own_table,
};
use crate::sqlgen::{
    block,
    group::{Group, groups, overtaken_mark},
    layout::lay_out,
    literal,
    quarantine::{self, Direction},
};
use crate::{
    compiled::{Assignment, ColumnRef, Sync},
    document::RunName,
    key::KeyColumn,
    steps::sync_columns::OnUnconvertible,
};
use crossfade_model::ident::Ident;
use std::fmt::Write;

/// A row of the trigger's: as it will be, or as it was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    New,
    Old,
}

impl Row {
    pub(super) fn column(self, column: &Ident, names: &Names) -> String {
        let row = match self {
            Self::New => "new",
            Self::Old => "old",
        };
        format!("{row}.{}", names.of(column).quoted())
    }
}

/// The group has not been filled yet in this row, told without evaluating an expression that could fail: none of its new
/// columns has a value. Where one has, the row is filled, and a NULL beside it is a value.
pub(super) fn unfilled(group: &Group<'_>, row: Row, names: &Names) -> String {
    let empty: Vec<String> = group
        .forward
        .iter()
        .map(|assignment| format!("{} IS NULL", row.column(&assignment.target.name, names)))
        .collect();
    let mut sources: Vec<String> = Vec::new();
    for column in group.forward.iter().flat_map(|forward| &forward.reads) {
        let present = format!("{} IS NOT NULL", row.column(&column.name, names));
        if !sources.contains(&present) {
            sources.push(present);
        }
    }
    // An expression over no column at all (a constant) fills every row.
    if group.forward.iter().any(|forward| forward.reads.is_empty()) {
        sources = vec!["true".to_owned()];
    }
    format!("({} AND ({}))", empty.join(" AND "), sources.join(" OR "))
}

pub(super) fn changed(columns: &[&ColumnRef], names: &Names) -> String {
    let tests: Vec<String> = columns
        .iter()
        .map(|column| {
            let [new, old] = [Row::New, Row::Old].map(|row| row.column(&column.name, names));
            differs(column, &new, &old)
        })
        .collect();
    any(&tests)
}

fn any(tests: &[String]) -> String {
    if tests.is_empty() {
        "false".to_owned()
    } else {
        tests.join(" OR ")
    }
}

fn any_present(columns: &[&ColumnRef], names: &Names) -> String {
    let tests: Vec<String> = columns
        .iter()
        .map(|column| format!("{} IS NOT NULL", Row::New.column(&column.name, names)))
        .collect();
    any(&tests)
}

/// The key, where the function notes something by it: it names these columns.
pub fn key_in_use(sync: &Sync) -> &[KeyColumn] {
    let groups = groups(&sync.forward, &sync.backward);
    match groups.iter().any(Group::is_one_way) || quarantines(sync) {
        true => &sync.key,
        false => &[],
    }
}

/// The row has another key, where something is noted by it.
pub(super) fn key_changed(sync: &Sync, names: &Names) -> Option<String> {
    let tests: Vec<String> = key_in_use(sync)
        .iter()
        .map(|column| {
            let [new, old] = [Row::New, Row::Old].map(|row| row.column(&column.name, names));
            other_bytes(&new, &old)
        })
        .collect();
    (!tests.is_empty()).then(|| any(&tests))
}

/// What marks a function that names its table and key while the run is active only.
pub const NOTES_WHILE_ACTIVE: &str = "crossfade_active";

/// Notes are the run's. Triggers that stay when it is done name neither its key nor its table: either may be called otherwise by
/// then, and a statement that is not run is not resolved.
fn while_active(run: &RunName, notes: &str) -> String {
    format!(
        "      IF EXISTS (SELECT 1 FROM crossfade.runs AS {NOTES_WHILE_ACTIVE} WHERE {NOTES_WHILE_ACTIVE}.name = {} AND {NOTES_WHILE_ACTIVE}.state = 'active') THEN\n{notes}      END IF;\n",
        literal::text(run.as_str())
    )
}

/// Writes that do not convert are noted, and not refused.
fn quarantines(sync: &Sync) -> bool {
    let mut assignments = sync.forward.iter().chain(&sync.backward);
    sync.on_unconvertible == OnUnconvertible::Quarantine
        && assignments.any(|assignment| assignment.conversion.can_fail())
}

/// The body of the trigger function. The first line tells what it is, so that a reader of `\df+` knows.
pub fn function_body(run: &RunName, sync: &Sync, filling: Filling, names: &Names) -> String {
    let objects = Objects::of(run, &sync.table);
    let stage = match filling {
        Filling::Yes => "filling rows as they move",
        Filling::No => "not filling",
    };
    let mut body = format!(
        "\n-- crossfade: run {run}, table {}; keeps both sides of a change in step, {stage}\nDECLARE\n  crossfade_side text;\n  crossfade_old_write boolean := false;\n  crossfade_new_write boolean := false;\n  crossfade_untold_write boolean := false;\n  crossfade_writer text;\n  crossfade_context text;\n  crossfade_names_new boolean;\n  crossfade_count bigint;\n  crossfade_state text;\n  crossfade_error text;\nBEGIN\n{}  IF {} THEN\n    RETURN new;\n  END IF;\n",
        sync.table,
        require_own_table(&objects.function, &sync.table),
        filled_by_us(run)
    );
    let writing = Writing {
        run,
        sync,
        filling,
        names,
    };
    let groups = groups(&sync.forward, &sync.backward);
    if let Some(moved) = key_changed(sync, names) {
        body.push_str(&writing.move_marks(&groups, &moved));
    }
    for group in &groups {
        writing.group(group, &mut body);
    }
    for (flag, sequence) in [
        ("crossfade_new_write", &objects.new_writes),
        ("crossfade_old_write", &objects.old_writes),
        ("crossfade_untold_write", &objects.untold_writes),
    ] {
        let sequence = literal::text(&format!("crossfade.{}", sequence.quoted()));
        let _ = write!(
            body,
            "  IF {flag} THEN\n    crossfade_count := nextval({sequence}::regclass);\n  END IF;\n"
        );
    }
    body.push_str("  RETURN new;\nEND;\n");
    format!("\n{}", lay_out(&body))
}

struct Writing<'a> {
    run: &'a RunName,
    sync: &'a Sync,
    filling: Filling,
    names: &'a Names,
}

impl Writing<'_> {
    fn group(&self, group: &Group<'_>, body: &mut String) {
        let names = self.names;
        let (new_side, old_side) = (group.new_side(), group.old_side());
        let _ = write!(
            body,
            "  IF tg_op = 'INSERT' THEN\n{}  ELSIF {} THEN\n    crossfade_side := 'new';\n  ELSIF {} THEN\n    crossfade_side := 'old';\n  ELSE\n    crossfade_side := 'none';\n  END IF;\n",
            self.side_of_insert(group),
            changed(&new_side, names),
            changed(&old_side, names),
        );
        let _ = write!(
            body,
            "  IF crossfade_side = 'new' THEN\n    crossfade_new_write := true;\n{}{}{}  ELSIF crossfade_side = 'old' THEN\n{}{}{}  ELSE\n{}{}  END IF;\n",
            self.fill_beside(group),
            self.direction(&group.backward, Direction::Backward, group),
            self.overtake(group),
            self.note_old_write(&old_side),
            self.direction(&group.forward, Direction::Forward, group),
            self.not_overtaken(group),
            self.neither_side(group),
            self.not_overtaken_as_inserted(group),
        );
    }

    /// Which side an insert gave. A value of the new side is one that it gave; a NULL beside a value of the old side is one where
    /// the statement names the new side alone, as that value is then the default, and means that nothing was given otherwise.
    /// `crossfade.writer` decides what cannot be told: a value that the statement gives is lost to no setting.
    fn side_of_insert(&self, group: &Group<'_>) -> String {
        let (new_side, old_side) = (group.new_side(), group.old_side());
        let old_present = any_present(&old_side, self.names);
        let asked = if old_side.iter().any(|column| self.may_be_default(column)) {
            "crossfade_side = 'old' OR crossfade_writer = 'new'"
        } else {
            "crossfade_writer = 'new'"
        };
        let ask = self.ask_statement(group);
        let default: Vec<String> = self
            .goes(&old_side)
            .into_iter()
            .map(|column| self.is_no_default(column))
            .collect();
        format!(
            "    crossfade_writer := coalesce(current_setting('crossfade.writer', true), '');\n    crossfade_side := CASE WHEN {} THEN 'new' WHEN {old_present} THEN 'old' ELSE 'none' END;\n    IF crossfade_writer = 'old' AND crossfade_side = 'new' AND ({old_present}) THEN\n{ask}      crossfade_side := CASE WHEN crossfade_names_new THEN 'new' ELSE 'old' END;\n    ELSIF crossfade_side <> 'new' AND ({asked}) THEN\n{ask}      IF coalesce(crossfade_names_new, crossfade_writer = 'new') THEN\n        crossfade_side := 'new';\n      ELSIF crossfade_names_new IS NULL AND crossfade_writer <> 'old' THEN\n        crossfade_untold_write := crossfade_untold_write OR NOT ({});\n      END IF;\n    END IF;\n    IF crossfade_writer = 'old' AND crossfade_side = 'none' THEN\n      crossfade_side := 'old';\n    END IF;\n",
            any_present(&new_side, self.names),
            any(&default),
        )
    }

    /// The columns of the old side that the plan takes away, or that are computed back: a statement that names one of them, be it
    /// beside the new side, gave it. Of those that stay both versions name them.
    fn ask_statement(&self, group: &Group<'_>) -> String {
        let old_side = group.old_side();
        let written_back = |column: &&ColumnRef| {
            let mut backward = group.backward.iter();
            backward.any(|assignment| assignment.target.name == column.name)
        };
        let goes = self.goes(&old_side);
        let old: Vec<&Ident> = old_side
            .iter()
            .filter(|column| goes.contains(column) || written_back(column))
            .map(|column| self.names.of(&column.name))
            .collect();
        let new: Vec<&Ident> = group
            .new_side()
            .into_iter()
            .map(|column| self.names.of(&column.name))
            .collect();
        ask_statement("crossfade_names_new", &self.sync.table, &new, &old)
    }

    /// A column that stays is written by the new version too: it tells nothing of the old one.
    fn goes<'b>(&self, old_side: &[&'b ColumnRef]) -> Vec<&'b ColumnRef> {
        let goes = |column: &&&ColumnRef| !self.sync.kept.contains(&column.name);
        old_side.iter().filter(goes).copied().collect()
    }

    /// It has a value where a statement gives none: its own default, or that of its type, which may be a domain.
    fn may_be_default(&self, column: &ColumnRef) -> bool {
        self.sync.old_defaults.contains_key(&column.name) || column.type_name.contains('.')
    }

    /// A statement wrote some of a row's new columns before the backfill came: the others get their values first, or the
    /// way back would be computed from NULLs and the old value be lost.
    fn fill_beside(&self, group: &Group<'_>) -> String {
        if self.filling == Filling::No || group.forward.len() < 2 {
            return String::new();
        }
        let mut text = format!(
            "    IF tg_op = 'UPDATE' THEN\n    IF {} THEN\n",
            unfilled(group, Row::Old, self.names)
        );
        for assignment in &group.forward {
            let _ = write!(
                text,
                "    IF NOT ({}) THEN\n{}    END IF;\n",
                changed(&[&assignment.target], self.names),
                self.guarded(assignment, Direction::Forward, group)
            );
        }
        text.push_str("    END IF;\n    END IF;\n");
        text
    }

    /// One-way: what the new version writes stays on its side, and the group need not agree in this row from now on. Rows
    /// that no key tells apart cannot be noted.
    fn overtake(&self, group: &Group<'_>) -> String {
        self.overtaken(
            group,
            "INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key",
            " ON CONFLICT DO NOTHING",
        )
    }

    /// The old version wrote the row again, and the new side was computed from that.
    fn not_overtaken(&self, group: &Group<'_>) -> String {
        self.overtaken(
            group,
            "DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key",
            ") AS gone WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key)",
        )
    }

    /// Another row with that key was.
    fn not_overtaken_as_inserted(&self, group: &Group<'_>) -> String {
        match self.not_overtaken(group) {
            delete if delete.is_empty() => delete,
            delete => format!("    IF tg_op = 'INSERT' THEN\n{delete}    END IF;\n"),
        }
    }

    fn overtaken(&self, group: &Group<'_>, what: &str, end: &str) -> String {
        if !group.is_one_way() || self.sync.key.is_empty() {
            return String::new();
        }
        let note = format!(
            "      {what}\n        FROM crossfade.runs AS r, (VALUES ({}, {})) AS q (table_name, row_key) WHERE r.name = {} AND r.state = 'active'\n        AND (tg_op <> 'INSERT' OR NOT EXISTS (SELECT 1 FROM {} AS crossfade_row WHERE {})){end};\n",
            literal::text(&overtaken_mark(&self.sync.table, group)),
            self.key(Row::New),
            literal::text(self.run.as_str()),
            self.sync.table,
            self.has_key(),
        );
        while_active(self.run, &note)
    }

    /// A row has the inserted one's key: this one will not be inserted. What becomes of the other (`ON CONFLICT DO UPDATE`) is
    /// noted as it is updated.
    fn has_key(&self) -> String {
        let tests: Vec<String> = self
            .sync
            .key
            .iter()
            .map(|column| {
                format!(
                    "crossfade_row.{} {} {}",
                    self.names.of(&column.name).quoted(),
                    column.equal,
                    Row::New.column(&column.name, self.names)
                )
            })
            .collect();
        tests.join(" AND ")
    }

    /// What is noted of a row goes with it to its new key; what was left there by a row that is gone does not stay.
    fn move_marks(&self, groups: &[Group<'_>], key_changed: &str) -> String {
        let (new, old) = (self.key(Row::New), self.key(Row::Old));
        let run = literal::text(self.run.as_str());
        let mut notes = String::new();
        for group in groups.iter().filter(|group| group.is_one_way()) {
            let mark = literal::text(&overtaken_mark(&self.sync.table, group));
            let _ = write!(
                notes,
                "      DELETE FROM crossfade.overtaken AS o USING crossfade.runs AS r\n        WHERE r.name = {run} AND r.state = 'active' AND o.run_id = r.id AND o.table_name = {mark} AND o.row_key = {new};\n      UPDATE crossfade.overtaken AS o SET row_key = {new} FROM crossfade.runs AS r\n        WHERE r.name = {run} AND r.state = 'active' AND o.run_id = r.id AND o.table_name = {mark} AND o.row_key = {old};\n"
            );
        }
        if quarantines(self.sync) {
            let table = literal::text(&self.sync.table.to_string());
            let _ = write!(
                notes,
                "      UPDATE crossfade.quarantine AS q SET row_key = {new} FROM crossfade.runs AS r\n        WHERE r.name = {run} AND r.state = 'active' AND q.run_id = r.id AND q.table_name = {table} AND q.row_key = {old};\n"
            );
        }
        // The key's columns may have other names once the run is done: whether it is comes first.
        format!(
            "  IF tg_op = 'UPDATE' THEN\n{}  END IF;\n",
            while_active(
                self.run,
                &format!("    IF {key_changed} THEN\n{notes}    END IF;\n")
            )
        )
    }

    /// The row's key as a JSON object.
    fn key(&self, row: Row) -> String {
        let key = self.sync.key.iter();
        quarantine::object(key.map(|column| (&column.name, row.column(&column.name, self.names))))
    }

    fn note_old_write(&self, old_side: &[&ColumnRef]) -> String {
        let goes = self.goes(old_side);
        if goes.is_empty() {
            return String::new();
        }
        let updated = if goes.len() == old_side.len() {
            "true".to_owned()
        } else {
            changed(&goes, self.names)
        };
        format!(
            "    IF tg_op = 'UPDATE' THEN\n      crossfade_old_write := crossfade_old_write OR {updated};\n    ELSIF {} THEN\n      crossfade_old_write := true;\n    END IF;\n",
            self.names_the_old_side(&goes)
        )
    }

    /// Whether an insert is by the old version, or by one that names neither side and got the old side's default. That is
    /// told by the value first, and only then by the statement's text. What cannot be told counts as the old version's.
    fn names_the_old_side(&self, columns: &[&ColumnRef]) -> String {
        let tests: Vec<String> = columns
            .iter()
            .map(|column| {
                format!(
                    "{} OR {}",
                    self.is_no_default(column),
                    mentions("left(current_query(), 10000)", self.names.of(&column.name))
                )
            })
            .collect();
        format!("({})", tests.join(" OR "))
    }

    /// The column has a value that no default has given it.
    fn is_no_default(&self, column: &ColumnRef) -> String {
        let value = Row::New.column(&column.name, self.names);
        let Some(default) = self.sync.old_defaults.get(&column.name) else {
            return format!("{value} IS NOT NULL");
        };
        // A call may give another value each time, or take the next one of a sequence: not evaluated.
        if default.contains('(') {
            return "false".to_owned();
        }
        // Of an enum, say: a label that is renamed later is no value of the type any more, and inserts would fail.
        let suffix = format!("::{}", column.type_name);
        match default.strip_suffix(&suffix) {
            Some(label) if column.exact && label.starts_with('\'') && suffix.contains('.') => {
                format!("({value})::text IS DISTINCT FROM {label}")
            }
            _ => differs(
                column,
                &value,
                &format!("({default})::{}", column.type_name),
            ),
        }
    }

    /// A row is filled as it moves. An insert that gives neither side a value: an expression over NULLs may still have
    /// one (a merge of names gives ''), unless the statement names a new column, whose NULL is then meant.
    fn neither_side(&self, group: &Group<'_>) -> String {
        let forward = || self.direction(&group.forward, Direction::Forward, group);
        let mut text = String::new();
        if self.filling == Filling::Yes {
            let _ = write!(
                text,
                "    IF {} THEN\n{}    END IF;\n",
                unfilled(group, Row::New, self.names),
                forward()
            );
        }
        if group
            .forward
            .iter()
            .any(|assignment| assignment.conversion.can_fail())
        {
            let _ = write!(
                text,
                "    IF tg_op = 'INSERT' THEN\n{}    IF crossfade_names_new IS NOT TRUE THEN\n{}    END IF;\n    END IF;\n",
                self.ask_statement(group),
                forward()
            );
        }
        if text.is_empty() {
            text.push_str("    NULL;\n");
        }
        text
    }

    fn direction(
        &self,
        assignments: &[&Assignment],
        direction: Direction,
        group: &Group<'_>,
    ) -> String {
        if assignments.is_empty() {
            return "    NULL;\n".to_owned();
        }
        assignments
            .iter()
            .map(|assignment| self.guarded(assignment, direction, group))
            .collect()
    }

    /// One assignment, whose failure is not the application's.
    fn guarded(&self, assignment: &Assignment, direction: Direction, group: &Group<'_>) -> String {
        let caught = match self.sync.on_unconvertible {
            OnUnconvertible::Quarantine => assignment.conversion.can_fail(),
            OnUnconvertible::Reject => false,
        };
        let refuses_null = caught
            && direction == Direction::Backward
            && !group.is_one_to_one()
            && self.sync.required.contains(&assignment.target.name);
        let assign = self.assign(assignment, refuses_null);
        if !caught {
            return assign;
        }
        let stale = match direction {
            // The stale value would be worse than none.
            Direction::Forward => format!(
                "      {} := NULL;\n",
                Row::New.column(&assignment.target.name, self.names)
            ),
            // The old side keeps what it had: it may be NOT NULL, and the write must not fail.
            Direction::Backward => String::new(),
        };
        format!(
            "    BEGIN\n{assign}    EXCEPTION WHEN OTHERS THEN\n      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;\n{stale}{}    END;\n",
            self.quarantine(assignment, direction)
        )
    }

    /// An expression is evaluated in a block that is named as the table and has its columns as variables, so that
    /// `status` and `vehicles.status` both mean the row's value and the server's fast path for simple expressions
    /// applies; the target and the sources are named through the function's own block, as a column may be called "new".
    fn assign(&self, assignment: &Assignment, refuses_null: bool) -> String {
        let target = self.names.of(&assignment.target.name).quoted();
        if let (false, [source]) = (
            assignment.conversion.can_fail(),
            assignment.reads.as_slice(),
        ) {
            return format!(
                "    new.{target} := new.{};\n",
                self.names.of(&source.name).quoted()
            );
        }
        let function = Objects::of(self.run, &self.sync.table).function.quoted();
        let mut text = block::head(&self.sync.table, assignment, |column| {
            format!("{function}.new.{}", self.names.of(column).quoted())
        });
        let expression = &assignment.expression;
        if refuses_null {
            let message = literal::text(&format!(
                "the value for {} is NULL, which it does not take",
                assignment.target.name
            ));
            let _ = write!(
                text,
                "      crossfade_value {};\n    BEGIN\n      crossfade_value := ({expression}\n      );\n      IF crossfade_value IS NULL THEN\n        RAISE not_null_violation USING MESSAGE = {message};\n      END IF;\n      {function}.new.{target} := crossfade_value;\n    END;\n",
                assignment.target.type_name
            );
        } else {
            let _ = write!(
                text,
                "    BEGIN\n      {function}.new.{target} := ({expression}\n      );\n    END;\n"
            );
        }
        text
    }

    fn quarantine(&self, assignment: &Assignment, direction: Direction) -> String {
        let reads = assignment
            .reads
            .iter()
            .map(|column| (column, Row::New.column(&column.name, self.names)));
        let note = quarantine::note(&quarantine::Noted {
            run: self.run,
            table: &self.sync.table,
            column: &assignment.target.name,
            key: &self.key(Row::New),
            values: &quarantine::values(reads),
            direction,
        });
        while_active(self.run, &note)
    }
}
