//! How many values a conversion would not take, or lose: tried on rows that are there, as the triggers would convert them.

use super::{block, group::groups, literal, sync::differs};
use crate::compiled::{Assignment, Match};
use crossfade_model::ident::{Ident, TableName};
use std::fmt::Write;

/// More rows than these are not tried.
pub const ROWS_MAX: u32 = 20_000;
/// Of a larger table only so many blocks are read.
pub const BLOCKS_MAX: u32 = 1_000;
/// Where the counts are left: rows, those that fail, those that lose something.
pub const COUNTED: &str = "crossfade.counted";

/// The groups of a match whose forward expressions may fail or lose something.
pub fn may_lose(matching: &Match) -> bool {
    let mut assignments = matching.columns.iter();
    matching.link.is_none() && assignments.any(|one| one.conversion.can_fail())
}

/// How much of a table is looked at, as a percentage of its blocks; `None`: all of it. The rows of the sample are to be
/// fewer than the limit, which would cut off the table's end.
pub fn sampled(blocks: u32, rows: f64) -> Option<f64> {
    const SHARE_OF_LIMIT: f64 = 0.8;
    let by_blocks = f64::from(BLOCKS_MAX) / f64::from(blocks.max(1));
    let by_rows = f64::from(ROWS_MAX) * SHARE_OF_LIMIT / rows.max(1.0);
    let part = by_blocks.min(by_rows);
    (part < 1.0).then_some(part * 100.0)
}

/// A DO block that leaves `rows failed lost` in `COUNTED` until the transaction ends. It writes nothing.
pub fn count(matching: &Match, sample: Option<f64>) -> String {
    let counting = Counting { matching };
    let sample = match sample {
        Some(percent) => format!(" TABLESAMPLE SYSTEM ({percent:.6})"),
        None => String::new(),
    };
    let mut old: Vec<String> = Vec::new();
    for column in matching.columns.iter().flat_map(|one| &one.reads) {
        let column = column.name.to_string();
        if !old.contains(&column) {
            old.push(column);
        }
    }
    let body = format!(
        "DECLARE\n  crossfade_r record;\n  crossfade_rows bigint := 0;\n  crossfade_failed bigint := 0;\n  crossfade_lost bigint := 0;\n  crossfade_differs boolean;\n{}BEGIN\n  FOR crossfade_r IN SELECT {} FROM {}{sample} LIMIT {ROWS_MAX} LOOP\n    crossfade_rows := crossfade_rows + 1;\n    crossfade_differs := false;\n    BEGIN\n{}    EXCEPTION WHEN OTHERS THEN\n      crossfade_failed := crossfade_failed + 1;\n      CONTINUE;\n    END;\n    BEGIN\n{}    EXCEPTION WHEN OTHERS THEN\n      crossfade_differs := true;\n    END;\n    IF crossfade_differs THEN\n      crossfade_lost := crossfade_lost + 1;\n    END IF;\n  END LOOP;\n  PERFORM set_config('{COUNTED}', crossfade_rows || ' ' || crossfade_failed || ' ' || crossfade_lost, true);\nEND",
        counting.variables(),
        if old.is_empty() {
            "1".to_owned()
        } else {
            old.join(", ")
        },
        matching.table,
        counting.forth(),
        counting.back(),
    );
    format!("DO {}", literal::dollar_quoted(&body))
}

struct Counting<'a> {
    matching: &'a Match,
}

impl Counting<'_> {
    /// What the new columns would have.
    fn variables(&self) -> String {
        let mut text = String::new();
        for (number, one) in self.matching.columns.iter().enumerate() {
            let _ = writeln!(text, "  crossfade_n{number} {};", one.target.type_name);
        }
        text
    }

    fn forth(&self) -> String {
        let mut text = String::new();
        for (number, one) in self.matching.columns.iter().enumerate() {
            let source = |column: &Ident| format!("crossfade_r.{}", column.quoted());
            text.push_str(&block(
                &self.matching.table,
                one,
                &source,
                &format!("crossfade_n{number} := ({}\n      );\n", one.expression),
            ));
        }
        text
    }

    /// What comes back must be what was there, where it has a way back.
    fn back(&self) -> String {
        let mut text = "      NULL;\n".to_owned();
        let Match {
            columns, backward, ..
        } = self.matching;
        for one in groups(columns, backward)
            .iter()
            .flat_map(|group| &group.backward)
        {
            let is_read = columns
                .iter()
                .flat_map(|forward| &forward.reads)
                .any(|column| column.name == one.target.name);
            // What no forward expression reads is not computed from by anything.
            if !is_read {
                continue;
            }
            let source = |column: &Ident| {
                let number = columns
                    .iter()
                    .position(|forward| forward.target.name == *column);
                number.map_or("NULL".to_owned(), |number| format!("crossfade_n{number}"))
            };
            let was = format!("crossfade_r.{}", one.target.name.quoted());
            let assign = format!(
                "DECLARE\n        crossfade_b {} := ({}\n      );\n      BEGIN\n        crossfade_differs := crossfade_differs OR {};\n      END;\n",
                one.target.type_name,
                one.expression,
                differs(&one.target, "crossfade_b", &was)
            );
            text.push_str(&block(&self.matching.table, one, &source, &assign));
        }
        text
    }
}

/// As in the triggers.
fn block(
    table: &TableName,
    one: &Assignment,
    source: &dyn Fn(&Ident) -> String,
    inside: &str,
) -> String {
    let head = block::head(table, one, source);
    format!("{head}    BEGIN\n      {inside}    END;\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_bounded_by_blocks_and_by_rows() {
        assert_eq!(sampled(900, 9_000.0), None);
        assert_eq!(sampled(0, 0.0), None);
        // Two terabytes: 1,000 blocks of them.
        let percent = sampled(250_000_000, 1e9).unwrap();
        assert!((0.000_399..0.000_401).contains(&percent), "{percent}");
        // Narrow rows: the limit must not cut the end off.
        let percent = sampled(900, 160_000.0).unwrap();
        assert!((9.0..=10.0).contains(&percent), "{percent}");
    }
}
