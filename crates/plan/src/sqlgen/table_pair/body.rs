//! The bodies of the two functions: the parent's row and the child's that belongs to it are read, the expressions are
//! computed both ways, and the table that the statement did not write gets what differs.

use super::Objects;
use crate::sqlgen::{
    block,
    group::{Group, groups},
    layout::lay_out,
    literal, quarantine,
    sync::{Names, ask_statement, differs, filled_by_us, require_own_table},
};
use crate::{
    compiled::{Assignment, ColumnRef},
    document::RunName,
    table_pair::{Side, TablePair},
};
use crossfade_model::ident::{Ident, TableName};
use std::fmt::Write;

/// Any of these columns has another value than before.
pub(super) fn changed<'a>(
    columns: &[&'a ColumnRef],
    now: impl Fn(&'a Ident) -> &'a Ident,
) -> String {
    let tests: Vec<String> = columns
        .iter()
        .map(|column| {
            let name = now(&column.name).quoted();
            differs(column, &format!("new.{name}"), &format!("old.{name}"))
        })
        .collect();
    tests.join(" OR ")
}

pub(super) fn function_body(
    run: &RunName,
    link: &TablePair,
    on: Side,
    names: &Names,
    objects: &Objects,
) -> String {
    let writing = Writing {
        run,
        link,
        names,
        objects,
        on,
    };
    let mut body = writing.head();
    body.push_str(&match on {
        Side::Child => writing.of_child(),
        Side::Parent => writing.of_parent(),
    });
    format!("\n{}", lay_out(&body))
}

struct Writing<'a> {
    run: &'a RunName,
    link: &'a TablePair,
    names: &'a Names,
    objects: &'a Objects,
    /// The table whose function it is.
    on: Side,
}

/// The variable for a value that is computed for one of the tables.
fn variable(to: Side, number: usize) -> String {
    match to {
        Side::Parent => format!("crossfade_v{number}"),
        Side::Child => format!("crossfade_w{number}"),
    }
}

fn record(side: Side) -> &'static str {
    match side {
        Side::Parent => "crossfade_parent",
        Side::Child => "crossfade_child",
    }
}

impl Writing<'_> {
    fn now<'b>(&'b self, side: Side, column: &'b Ident) -> &'b Ident {
        match side {
            Side::Parent => self.names.of(column),
            Side::Child => self.names.of_child(column),
        }
    }

    /// The first line tells what it is, so that a reader of `\df+` knows.
    fn head(&self) -> String {
        let mut text = format!(
            "\n#variable_conflict use_column\n-- crossfade: run {}; keeps {} and {} in step\n<<crossfade_body>>\nDECLARE\n  crossfade_guard text := coalesce(current_setting('crossfade.link', true), '');\n  crossfade_parent record;\n  crossfade_child record;\n  crossfade_held boolean := false;\n  crossfade_there boolean;\n  crossfade_apply boolean;\n  crossfade_context text;\n  crossfade_names_new boolean;\n  crossfade_count bigint;\n  crossfade_state text;\n  crossfade_error text;\n",
            self.run, self.link.parent, self.link.child
        );
        for (number, pair) in self.link.by.iter().enumerate() {
            let _ = writeln!(text, "  crossfade_k{number} {};", pair.parent.type_name);
        }
        for to in [Side::Parent, Side::Child] {
            for (number, assignment) in self.link.to(to).iter().enumerate() {
                let type_name = &assignment.target.type_name;
                let _ = writeln!(text, "  {} {type_name};", variable(to, number));
            }
        }
        for number in 0..self.groups().len() {
            let _ = writeln!(
                text,
                "  crossfade_apply{number} boolean;\n  crossfade_fits{number} boolean;"
            );
        }
        let _ = write!(
            text,
            "BEGIN\n{}{}  IF {} THEN\n    RETURN new;\n  END IF;\n",
            require_own_table(&self.objects.function(self.on), self.table_now()),
            self.obey_guard(),
            filled_by_us(self.run)
        );
        text
    }

    /// The name that this function's table has now.
    fn table_now(&self) -> &TableName {
        match self.on {
            Side::Parent => &self.link.parent,
            Side::Child => self.names.child(&self.link.child),
        }
    }

    fn guard_numbers(&self) -> String {
        let numbers = self.objects.guard_numbers();
        literal::text(&format!("crossfade.{}", numbers.quoted())) + "::regclass"
    }

    /// What these functions write does not come back. A guard without the number that this session has drawn last was not set
    /// by them, and holds nothing; one on a statement of the application's neither.
    fn obey_guard(&self) -> String {
        let [own, other] =
            [self.on, self.on.other()].map(|to| literal::text(&self.objects.guard(to)));
        let number = format!("' ' || currval({})", self.guard_numbers());
        format!(
            "  IF starts_with(crossfade_guard, {own}) OR starts_with(crossfade_guard, {other}) THEN\n    IF pg_trigger_depth() = 1 THEN\n      crossfade_guard := '';\n    ELSIF crossfade_guard = {own} || {number} THEN\n      RETURN new;\n    ELSIF crossfade_guard = {other} || {number} THEN\n      crossfade_held := true;\n    ELSE\n      crossfade_guard := '';\n    END IF;\n  END IF;\n"
        )
    }

    fn set_guard(&self, to: Side) -> String {
        format!(
            "    crossfade_count := nextval({});\n    PERFORM set_config('crossfade.link', {} || ' ' || crossfade_count, true);\n",
            self.guard_numbers(),
            literal::text(&self.objects.guard(to))
        )
    }

    /// As it was before, with a new number: the one that was used is worth nothing from now on.
    fn reset_guard(&self) -> String {
        format!(
            "    crossfade_count := nextval({});\n    PERFORM set_config('crossfade.link', CASE WHEN crossfade_held THEN {} || ' ' || crossfade_count ELSE crossfade_guard END, true);\n",
            self.guard_numbers(),
            literal::text(&self.objects.guard(self.on.other()))
        )
    }

    fn groups(&self) -> Vec<Group<'_>> {
        groups(&self.link.to_parent, &self.link.to_child)
    }

    fn number(&self, to: Side, assignment: &Assignment) -> usize {
        let known = self.link.to(to).iter().position(|one| one == assignment);
        known.unwrap_or_default()
    }

    /// `p.id = crossfade_k0 AND …`, with the key's own operator.
    fn by_key(&self, side: Side, alias: &str) -> String {
        let tests: Vec<String> = self
            .link
            .by
            .iter()
            .enumerate()
            .map(|(number, pair)| {
                let column = match side {
                    Side::Parent => self.now(side, &pair.parent.name),
                    Side::Child => self.now(side, &pair.child.name),
                };
                let column = column.quoted();
                match side {
                    Side::Parent => format!("{alias}.{column} {} crossfade_k{number}", pair.own),
                    // The parent's stands on the left.
                    Side::Child => format!("crossfade_k{number} {} {alias}.{column}", pair.equal),
                }
            })
            .collect();
        tests.join(" AND ")
    }

    /// Sets the key from the row `new` or `old` of this function's table.
    fn take_key(&self, row: &str) -> String {
        let mut text = String::new();
        for (number, pair) in self.link.by.iter().enumerate() {
            let column = match self.on {
                Side::Parent => &pair.parent.name,
                Side::Child => &pair.child.name,
            };
            let column = self.now(self.on, column).quoted();
            let _ = writeln!(text, "    crossfade_k{number} := {row}.{column};");
        }
        text
    }

    fn columns(&self, side: Side, alias: &str) -> String {
        let columns: Vec<String> = self
            .link
            .columns(side)
            .iter()
            .map(|column| {
                let now = self.now(side, &column.name).quoted();
                format!("{alias}.{now} AS {}", column.name.quoted())
            })
            .collect();
        columns.join(", ")
    }

    /// The child's row that counts, in the order of the plan. NULLs where there is none.
    fn read_child(&self, lock: &str) -> String {
        let order: Vec<String> = self
            .link
            .order_by
            .iter()
            .map(|order| format!("({}\n) {}", order.expression, order.direction))
            .collect();
        let order = if order.is_empty() {
            String::new()
        } else {
            format!(" ORDER BY {}", order.join(", "))
        };
        let (child, alias) = (
            self.names.child(&self.link.child),
            self.link.child.name.quoted(),
        );
        // The order's expressions use the plan's names, whatever `retire` has made of them.
        format!(
            "    SELECT {alias}.* INTO crossfade_child FROM (SELECT crossfade_c.ctid AS crossfade_tid, {} FROM {child} AS crossfade_c WHERE {}{lock}) AS {alias}{order} LIMIT 1;\n    crossfade_there := FOUND;\n",
            self.columns(Side::Child, "crossfade_c"),
            self.by_key(Side::Child, "crossfade_c"),
        )
    }

    /// The values that one table's row gives for the other's columns.
    fn compute(&self, to: Side) -> String {
        let mut text = String::new();
        for assignment in self.link.to(to) {
            text.push_str(&self.assign(to, assignment));
        }
        text
    }

    fn assign(&self, to: Side, assignment: &Assignment) -> String {
        let from = record(to.other());
        let value = variable(to, self.number(to, assignment));
        if let (false, [source]) = (
            assignment.conversion.can_fail(),
            assignment.reads.as_slice(),
        ) {
            return format!("    {value} := {from}.{};\n", source.name.quoted());
        }
        let mut text = "    BEGIN\n".to_owned();
        text.push_str(&block::head(
            self.link.table(to.other()),
            assignment,
            |column| format!("{from}.{}", column.quoted()),
        ));
        let group = self.group_of(to, assignment);
        // What one cannot compute neither agrees nor is written. For the new side that is noted with NULL in its place, as a
        // stale value would be worse than none; the old side keeps what it had.
        let failed = if to == self.on {
            format!("      crossfade_fits{group} := false;\n")
        } else {
            let kept = if to == self.link.new {
                "NULL".to_owned()
            } else {
                format!("{}.{}", record(to), assignment.target.name.quoted())
            };
            format!(
                "      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;\n      {value} := {kept};\n{}",
                self.quarantine(to, assignment)
            )
        };
        let _ = write!(
            text,
            "    BEGIN\n      crossfade_body.{value} := ({}\n      );\n    END;\n    EXCEPTION WHEN OTHERS THEN\n{failed}    END;\n",
            assignment.expression
        );
        text
    }

    fn group_of(&self, to: Side, assignment: &Assignment) -> usize {
        let in_group = |group: &Group<'_>| {
            let side = match to {
                Side::Parent => &group.forward,
                Side::Child => &group.backward,
            };
            side.contains(&assignment)
        };
        self.groups().iter().position(in_group).unwrap_or_default()
    }

    /// Sets `crossfade_apply…` of each group that does not agree, and `crossfade_apply` if there is any.
    fn decide(&self) -> String {
        let mut text = String::from("    crossfade_apply := false;\n");
        for (number, group) in self.groups().iter().enumerate() {
            let _ = write!(
                text,
                "    crossfade_apply{number} := NOT ({});\n    crossfade_apply := crossfade_apply OR crossfade_apply{number};\n",
                self.agrees(number, group)
            );
        }
        text
    }

    fn agrees(&self, number: usize, group: &Group<'_>) -> String {
        let same = |to: Side, assignments: &[&Assignment]| {
            let tests: Vec<String> = assignments
                .iter()
                .map(|assignment| {
                    let value = variable(to, self.number(to, assignment));
                    let there = format!("{}.{}", record(to), assignment.target.name.quoted());
                    format!("NOT ({})", differs(&assignment.target, &there, &value))
                })
                .collect();
            tests.join(" AND ")
        };
        let mut ways = Vec::new();
        let fits = |to: Side| {
            if to == self.on {
                format!("crossfade_fits{number} AND ")
            } else {
                String::new()
            }
        };
        if !group.forward.is_empty() {
            ways.push(format!(
                "({}{})",
                fits(Side::Parent),
                same(Side::Parent, &group.forward)
            ));
        }
        // What is a copy both ways agrees in both directions or in none.
        if !group.backward.is_empty() && group.copy().is_none() {
            let there = if group.forward.is_empty() {
                // One-way, from the parent: no row is as good as one of NULLs.
                String::new()
            } else {
                "crossfade_there AND ".to_owned()
            };
            ways.push(format!(
                "({there}{}{})",
                fits(Side::Child),
                same(Side::Child, &group.backward)
            ));
        }
        ways.join(" OR ")
    }

    fn begin_groups(&self) -> String {
        (0..self.groups().len())
            .map(|number| format!("    crossfade_fits{number} := true;\n"))
            .collect()
    }

    /// `column = value` for each column of a table, left as it is where its group agrees.
    fn set(&self, to: Side, alias: &str) -> String {
        let set: Vec<String> = self
            .link
            .to(to)
            .iter()
            .enumerate()
            .map(|(number, assignment)| {
                let column = self.now(to, &assignment.target.name).quoted();
                format!(
                    "{column} = CASE WHEN crossfade_apply{} THEN {} ELSE {alias}.{column} END",
                    self.group_of(to, assignment),
                    variable(to, number)
                )
            })
            .collect();
        set.join(", ")
    }

    /// Runs a write of the other table behind the guard. What its constraints refuse is not the application's failure.
    fn guarded(&self, to: Side, write: &str) -> String {
        let noted: String = self
            .link
            .to(to)
            .iter()
            .map(|assignment| {
                format!(
                    "      IF crossfade_apply{} THEN\n{}      END IF;\n",
                    self.group_of(to, assignment),
                    self.quarantine(to, assignment)
                )
            })
            .collect();
        format!(
            "{}    BEGIN\n{write}    EXCEPTION WHEN data_exception OR integrity_constraint_violation OR raise_exception THEN\n      GET STACKED DIAGNOSTICS crossfade_state = RETURNED_SQLSTATE, crossfade_error = MESSAGE_TEXT;\n{noted}    END;\n{}",
            self.set_guard(to),
            self.reset_guard()
        )
    }

    fn count(&self) -> String {
        let sequence = if self.on == self.link.new {
            self.objects.new_writes()
        } else {
            self.objects.old_writes()
        };
        let sequence = literal::text(&format!("crossfade.{}", sequence.quoted()));
        format!("    crossfade_count := nextval({sequence}::regclass);\n")
    }

    /// A write of the child: the parent's row follows, and where the key was changed, both its old and its new one.
    fn of_child(&self) -> String {
        let parent = &self.link.parent;
        let locked = format!(
            "FROM {parent} AS crossfade_p WHERE {} FOR NO KEY UPDATE",
            self.by_key(Side::Parent, "crossfade_p")
        );
        let keys: Vec<&ColumnRef> = self.link.by.iter().map(|pair| &pair.child).collect();
        let moved = changed(&keys, |column| self.names.of_child(column));
        let write = format!(
            "      UPDATE {parent} AS crossfade_p SET {} WHERE {};\n",
            self.set(Side::Parent, "crossfade_p"),
            self.by_key(Side::Parent, "crossfade_p")
        );
        let follow = if self.link.to_parent.is_empty() {
            // One-way, from the parent: what is written here stays here.
            String::from("    NULL;\n")
        } else {
            format!(
                "{}{}{}{}    IF crossfade_apply THEN\n{}    END IF;\n",
                self.begin_groups(),
                self.compute(Side::Parent),
                self.compute(Side::Child),
                self.decide(),
                self.guarded(Side::Parent, &write)
            ) + &self.not_overtaken()
        };
        format!(
            "  IF tg_when = 'BEFORE' THEN\n{}    PERFORM {locked};\n    RETURN new;\n  END IF;\n  FOR crossfade_turn IN 1..2 LOOP\n    IF crossfade_turn = 1 THEN\n      CONTINUE WHEN tg_op = 'DELETE';\n{}    ELSE\n      CONTINUE WHEN tg_op = 'INSERT';\n      IF tg_op = 'UPDATE' THEN\n        CONTINUE WHEN NOT ({moved});\n      END IF;\n{}    END IF;\n    SELECT {} INTO crossfade_parent {locked};\n    CONTINUE WHEN NOT FOUND;\n{}{follow}  END LOOP;\n{}  RETURN NULL;\nEND;\n",
            self.take_key("new"),
            self.take_key("new"),
            self.take_key("old"),
            self.columns(Side::Parent, "crossfade_p"),
            self.read_child(""),
            self.count(),
        )
    }

    fn not_overtaken(&self) -> String {
        if !self.link.to_child.is_empty() {
            return String::new();
        }
        let delete = self.overtaken(
            "      DELETE FROM crossfade.overtaken AS o USING (SELECT r.id, q.table_name, q.row_key",
            ") AS gone WHERE (o.run_id, o.table_name, o.row_key) = (gone.id, gone.table_name, gone.row_key)",
        );
        format!("    IF crossfade_apply THEN\n{delete}    END IF;\n")
    }

    /// A write of the parent: the child's row that counts follows; where there is none, one is inserted.
    fn of_parent(&self) -> String {
        let child = self.names.child(&self.link.child);
        let mut text = String::new();
        let by = self.by_key(Side::Child, "crossfade_c");
        let deleted = format!("      DELETE FROM {child} AS crossfade_c WHERE {by};\n");
        let _ = write!(
            text,
            "  IF tg_op = 'DELETE' THEN\n{}{}{deleted}{}    RETURN NULL;\n  END IF;\n{}",
            self.take_key("old"),
            self.set_guard(Side::Child),
            self.reset_guard(),
            self.take_key("new"),
        );
        if self.link.new == Side::Parent {
            text.push_str(&self.filled_as_inserted());
        }
        // As it is by now, and not as it was when it was written: another trigger of the same statement may have made both
        // agree already.
        let _ = write!(
            text,
            "    SELECT {} INTO crossfade_parent FROM {} AS crossfade_p WHERE {} FOR NO KEY UPDATE;\n    IF NOT FOUND THEN\n      RETURN NULL;\n    END IF;\n{}{}{}{}{}{}{}    IF crossfade_apply THEN\n{}{}    END IF;\n  RETURN NULL;\nEND;\n",
            self.columns(Side::Parent, "crossfade_p"),
            self.link.parent,
            self.by_key(Side::Parent, "crossfade_p"),
            self.begin_groups(),
            self.says_nothing(),
            self.read_child(" FOR UPDATE"),
            self.said_by_child(),
            self.compute(Side::Parent),
            self.compute(Side::Child),
            self.decide(),
            self.write_child(),
            self.count(),
        );
        text
    }

    /// An inserted row whose new columns are those of a row that nothing belongs to was not written by the new version: what
    /// the same statement has inserted into the child follows by itself.
    fn says_nothing(&self) -> String {
        if self.link.new != Side::Parent {
            return String::new();
        }
        let same: Vec<String> = self
            .link
            .to_parent
            .iter()
            .enumerate()
            .map(|(number, one)| {
                let there = format!("crossfade_parent.{}", one.target.name.quoted());
                let value = variable(Side::Parent, number);
                format!("NOT ({})", differs(&one.target, &there, &value))
            })
            .collect();
        format!(
            "  IF tg_op = 'INSERT' THEN\n    SELECT {} INTO crossfade_child FROM {} AS crossfade_c WHERE false;\n{}    IF {} THEN\n      RETURN NULL;\n    END IF;\n{}  END IF;\n",
            self.columns(Side::Child, "crossfade_c"),
            self.names.child(&self.link.child),
            self.compute(Side::Parent),
            same.join(" AND "),
            self.begin_groups(),
        )
    }

    /// The same the other way round: the new version inserts the row without the columns that its table is to lose, and by
    /// the same statement what belongs to it. That follows by itself, and is not to be emptied first.
    fn said_by_child(&self) -> String {
        if self.link.new != Side::Child {
            return String::new();
        }
        let reads = self.link.to_child.iter().flat_map(|one| &one.reads);
        let silent: Vec<String> = reads
            .map(|column| format!("crossfade_parent.{} IS NULL", column.name.quoted()))
            .collect();
        format!(
            "    IF tg_op = 'INSERT' AND crossfade_there AND {} THEN\n      RETURN NULL;\n    END IF;\n",
            silent.join(" AND ")
        )
    }

    /// One-way, from the child: what is written here stays here, and the two need not agree from now on.
    fn overtaken(&self, what: &str, end: &str) -> String {
        let key = self.link.by.iter().enumerate();
        let key = key.map(|(number, pair)| (&pair.parent, format!("crossfade_k{number}")));
        format!(
            "{what}\n        FROM crossfade.runs AS r, (VALUES ({}, {})) AS q (table_name, row_key) WHERE r.name = {} AND r.state = 'active' {end};\n",
            literal::text(&self.link.parent.to_string()),
            quarantine::values(key),
            literal::text(self.run.as_str()),
        )
    }

    fn write_child(&self) -> String {
        let child = self.names.child(&self.link.child);
        if self.link.to_child.is_empty() {
            return self.overtaken("      INSERT INTO crossfade.overtaken (run_id, table_name, row_key) SELECT r.id, q.table_name, q.row_key", "ON CONFLICT DO NOTHING");
        }
        let (mut names, mut values) = (Vec::new(), Vec::new());
        for (number, pair) in self.link.by.iter().enumerate() {
            names.push(self.now(Side::Child, &pair.child.name).quoted());
            values.push(format!("crossfade_k{number}"));
        }
        for (number, assignment) in self.link.to_child.iter().enumerate() {
            names.push(self.now(Side::Child, &assignment.target.name).quoted());
            values.push(variable(Side::Child, number));
        }
        let write = format!(
            "      IF crossfade_there THEN\n        UPDATE {child} AS crossfade_c SET {} WHERE crossfade_c.ctid = crossfade_child.crossfade_tid;\n      ELSE\n        INSERT INTO {child} ({}) VALUES ({});\n      END IF;\n",
            self.set(Side::Child, "crossfade_c"),
            names.join(", "),
            values.join(", "),
        );
        self.guarded(Side::Child, &write)
    }

    /// A row that says nothing of the new columns gets what the child has for it already, or for no row. A NULL that the
    /// statement gives is one.
    fn filled_as_inserted(&self) -> String {
        let link = self.link;
        let new_side: Vec<&Ident> = link
            .to_parent
            .iter()
            .map(|one| self.names.of(&one.target.name))
            .collect();
        let empty: Vec<String> = link
            .to_parent
            .iter()
            .map(|one| format!("new.{} IS NULL", self.names.of(&one.target.name).quoted()))
            .collect();
        let mut text = format!(
            "  IF tg_when = 'BEFORE' THEN\n    IF {} THEN\n{}    IF crossfade_names_new THEN\n      RETURN new;\n    END IF;\n{}    SELECT {} INTO crossfade_parent;\n{}",
            empty.join(" AND "),
            ask_statement("crossfade_names_new", &link.parent, &new_side, &[]),
            self.read_child(""),
            self.columns(Side::Parent, "new"),
            self.begin_groups(),
        );
        text.push_str(&self.compute(Side::Parent));
        for (number, one) in link.to_parent.iter().enumerate() {
            let _ = writeln!(
                text,
                "    new.{} := {};",
                self.names.of(&one.target.name).quoted(),
                variable(Side::Parent, number)
            );
        }
        text.push_str("    END IF;\n    RETURN new;\n  END IF;\n");
        text
    }

    fn quarantine(&self, to: Side, assignment: &Assignment) -> String {
        let from = record(to.other());
        let key: Vec<(&ColumnRef, String)> = self
            .link
            .by
            .iter()
            .enumerate()
            .map(|(number, pair)| (&pair.parent, format!("crossfade_k{number}")))
            .collect();
        let reads = assignment
            .reads
            .iter()
            .map(|column| (column, format!("{from}.{}", column.name.quoted())));
        quarantine::note(&quarantine::Noted {
            run: self.run,
            table: &self.link.parent,
            column: &assignment.target.name,
            key: &quarantine::values(key),
            values: &quarantine::values(reads),
            direction: if to == self.link.new {
                quarantine::Direction::Forward
            } else {
                quarantine::Direction::Backward
            },
        })
    }
}
