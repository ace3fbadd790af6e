//! Whole runs of the real program against real servers that the tests launch themselves.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::disallowed_methods,
    clippy::disallowed_types
)]

mod across_tables;
mod advice;
mod alias;
mod amend;
mod api;
mod attached;
mod bad_input;
mod bad_links;
mod beside_batches;
mod browser;
mod by_itself;
mod changed_by_hand;
mod changes;
mod check_sql;
mod check_together;
mod classified;
mod conflicts;
mod crash_everywhere;
mod distance;
mod doctor;
mod doctor_server;
mod drift;
mod end_to_end;
mod entered_roles;
mod every_plan;
mod explained;
mod explained_locks;
mod failover;
mod faults;
mod fence;
mod foreseen;
mod foreseen_rows;
mod freeze;
mod gates;
mod given_up;
mod going_back;
mod golden;
mod interlock;
mod kept;
mod kept_triggers;
mod kinds_of_tables;
mod last_look;
mod locks;
mod looking;
mod lossy;
mod meaning;
mod messages;
mod no_gap;
mod odd_features;
mod once;
mod one_statement;
mod only_copy;
mod oracle;
mod own_of_partitions;
mod pacing;
mod partitioned_structure;
mod partitions;
mod past_the_triggers;
mod pause;
mod plan_language;
mod poison;
mod pooler;
mod products;
mod proxy;
mod put_by_hand;
mod quarantine;
mod random_kills;
mod recipe_pages;
mod references;
mod repeat_everything;
mod replica_sessions;
mod rights;
mod rows_that_move;
mod runs_side_by_side;
mod same_plan;
mod scenarios;
mod sequences_of_keys;
mod serve;
mod session_settings;
mod several_changes;
mod several_columns;
mod silence;
mod small_recipes;
mod status_list;
mod support;
mod tampering;
mod terminal;
mod tls;
mod trees;
mod trigger_order;
mod trigger_rights;
mod undo_costs;
mod undo_under_traffic;
mod vanishing;
mod web;
mod web_tls;
mod web_users;
mod which_version;
mod widen_key;
mod workers;
