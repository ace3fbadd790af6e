//! Whole runs of the real program against real servers that the tests launch themselves.

mod alias;
mod bad_input;
mod changes;
mod check_sql;
mod classified;
mod conflicts;
mod crash_everywhere;
mod end_to_end;
mod faults;
mod fence;
mod gates;
mod locks;
mod lossy;
mod no_gap;
mod oracle;
mod pause;
mod plans;
mod quarantine;
mod references;
mod repeat_everything;
mod rows_that_move;
mod several_columns;
mod support;
mod undo_under_traffic;
mod widen_key;
mod workers;
