//! The watch of the gate `no_references`: what one look adds to what was known, and for how long nothing has named the column.

use crossfade_sql::references::{self, Naming, Subject};
use jiff::Timestamp;
use std::collections::BTreeMap;

/// One statement of one role, as `pg_stat_statements` tells them apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StatementId {
    pub role_oid: u32,
    pub query_id: i64,
    pub top_level: bool,
}

/// Counters that change when `pg_stat_statements` forgets something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counters {
    pub stats_reset: Option<Timestamp>,
    pub dealloc: i64,
    pub calls_total: i64,
}

/// What `pg_stat_statements` shows at one moment, of statements that may be about the table.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    pub counters: Counters,
    pub statements: Vec<(StatementId, i64, String)>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Watched {
    /// At the last look; 0 where it was gone from the statistics.
    pub calls: i64,
    pub named: Option<Named>,
}

/// It has named the column since the watch began.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub calls: i64,
    /// At the latest.
    pub at: Timestamp,
    pub naming: Naming,
    /// Its beginning.
    pub query: String,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Watch {
    pub since: Timestamp,
    pub looked_at: Timestamp,
    pub counters: Option<Counters>,
    pub unknown: Option<(Timestamp, String)>,
    pub objects_at: Option<Timestamp>,
    pub statements: BTreeMap<StatementId, Watched>,
}

const QUERY_SHOWN: usize = 200;

impl Watch {
    /// What is remembered after a look. `statistics`: or why they cannot be had, which is never "nothing was called".
    pub fn look(
        before: Option<Self>,
        now: Timestamp,
        objects: &[String],
        statistics: &Result<Statistics, String>,
        subjects: &[Subject],
    ) -> Self {
        let first = before.is_none();
        let mut watch = before.unwrap_or_else(|| Self {
            since: now,
            looked_at: now,
            counters: None,
            unknown: None,
            objects_at: None,
            statements: BTreeMap::new(),
        });
        watch.looked_at = now.max(watch.since);
        if !objects.is_empty() {
            watch.objects_at = Some(now);
        }
        match statistics {
            Err(why) => watch.unknown = Some((now, why.clone())),
            Ok(statistics) => watch.take(now, first, statistics, subjects),
        }
        watch
    }

    fn take(&mut self, now: Timestamp, first: bool, seen: &Statistics, subjects: &[Subject]) {
        let gap = self.gap(seen);
        if let Some(why) = gap.filter(|_| !first) {
            self.unknown = Some((now, why));
        }
        // What was called before the statistics could first be read is not counted.
        let baseline = self.counters.is_none();
        self.counters = Some(seen.counters);
        let mut statements = BTreeMap::new();
        for (id, calls, query) in &seen.statements {
            let known = self.statements.remove(id);
            let before = known.as_ref().map_or(0, |known| known.calls);
            let mut named = known.and_then(|known| known.named);
            if !baseline && *calls != before {
                // After a reset the count begins anew.
                let more = if *calls > before {
                    calls - before
                } else {
                    *calls
                };
                if let Some(naming) = naming(query, subjects) {
                    named = Some(Named {
                        calls: named.map_or(0, |named| named.calls) + more,
                        at: now,
                        naming,
                        query: shortened(query),
                    });
                }
            }
            let calls = *calls;
            statements.insert(*id, Watched { calls, named });
        }
        // What is gone from the statistics has named the column all the same.
        let gone = std::mem::take(&mut self.statements).into_iter();
        statements.extend(
            gone.filter(|(_, one)| one.named.is_some())
                .map(|(id, one)| (id, Watched { calls: 0, ..one })),
        );
        self.statements = statements;
    }

    /// Something may have been called and forgotten since the last look.
    fn gap(&self, seen: &Statistics) -> Option<String> {
        let Some(before) = self.counters else {
            return Some("pg_stat_statements could not be read before".to_owned());
        };
        let now = seen.counters;
        // A single statement can be reset without a trace in the counters.
        let calls: BTreeMap<StatementId, i64> = seen
            .statements
            .iter()
            .map(|(id, calls, _)| (*id, *calls))
            .collect();
        let lost = self
            .statements
            .iter()
            .any(|(id, one)| one.calls > calls.get(id).copied().unwrap_or(0));
        if now.dealloc != before.dealloc {
            return Some("pg_stat_statements is too small and has forgotten statements: raise pg_stat_statements.max".to_owned());
        }
        let reset =
            lost || now.stats_reset != before.stats_reset || now.calls_total < before.calls_total;
        reset.then(|| "pg_stat_statements was reset".to_owned())
    }

    /// Since when nothing has named the column, as far as anybody looked.
    pub fn quiet_since(&self) -> Timestamp {
        let named = self.named().map(|named| named.at).max();
        let unknown = self.unknown.as_ref().map(|(at, _)| *at);
        [named, unknown, self.objects_at]
            .into_iter()
            .flatten()
            .fold(self.since, Timestamp::max)
    }

    pub fn named(&self) -> impl Iterator<Item = &Named> {
        self.statements
            .values()
            .filter_map(|one| one.named.as_ref())
    }
}

fn naming(query: &str, subjects: &[Subject]) -> Option<Naming> {
    if references::is_ours(query) {
        return None;
    }
    subjects
        .iter()
        .filter_map(|subject| subject.in_statement(query))
        .max()
}

fn shortened(query: &str) -> String {
    let words: Vec<&str> = query.split_whitespace().collect();
    words.join(" ").chars().take(QUERY_SHOWN).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crossfade_sql::references::Column;

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_second(minute * 60).unwrap()
    }

    fn column() -> Subject {
        Subject::Column(Column {
            table: "public.vehicles".parse().unwrap(),
            column: "status".parse().unwrap(),
            of_table: vec!["id".parse().unwrap(), "status".parse().unwrap()],
            also_in: Vec::new(),
        })
    }

    fn statistics(dealloc: i64, statements: &[(i64, i64, &str)]) -> Result<Statistics, String> {
        let id = |query_id| StatementId {
            role_oid: 10,
            query_id,
            top_level: true,
        };
        Ok(Statistics {
            counters: Counters {
                stats_reset: None,
                dealloc,
                calls_total: 1_000 + statements.iter().map(|(_, calls, _)| calls).sum::<i64>(),
            },
            statements: statements
                .iter()
                .map(|(query, calls, text)| (id(*query), *calls, (*text).to_owned()))
                .collect(),
        })
    }

    fn look(before: Option<Watch>, minute: i64, seen: &Result<Statistics, String>) -> Watch {
        Watch::look(before, at(minute), &[], seen, &[column()])
    }

    const OLD: &str = "SELECT status FROM vehicles WHERE id = $1";
    const NEW: &str = "SELECT id FROM vehicles";

    #[test]
    fn only_calls_since_the_first_look_count() {
        let watch = look(None, 0, &statistics(0, &[(1, 50, OLD), (2, 7, NEW)]));
        let watch = look(
            Some(watch),
            5,
            &statistics(0, &[(1, 50, OLD), (2, 90, NEW)]),
        );
        assert_eq!((watch.quiet_since(), watch.named().count()), (at(0), 0));
        let watch = look(
            Some(watch),
            9,
            &statistics(0, &[(1, 53, OLD), (2, 99, NEW)]),
        );
        let named: Vec<&Named> = watch.named().collect();
        assert_eq!(
            (named.len(), named[0].calls, named[0].query.as_str()),
            (1, 3, OLD)
        );
        let watch = look(
            Some(watch),
            20,
            &statistics(0, &[(1, 53, OLD), (2, 200, NEW)]),
        );
        assert_eq!(watch.quiet_since(), at(9));
    }

    #[test]
    fn a_statement_that_is_new_counts() {
        let watch = look(None, 0, &statistics(0, &[]));
        let watch = look(Some(watch), 5, &statistics(0, &[(1, 1, OLD)]));
        assert_eq!(watch.quiet_since(), at(5));
    }

    #[test]
    fn what_was_forgotten_may_have_been_a_reference() {
        let first = || Some(look(None, 0, &statistics(0, &[(1, 50, OLD)])));
        let evicted = look(first(), 5, &statistics(1, &[(1, 50, OLD)]));
        assert_eq!(evicted.quiet_since(), at(5));
        let reset = look(first(), 6, &statistics(0, &[]));
        assert_eq!(reset.quiet_since(), at(6));
        let unreadable = look(first(), 7, &Err("no extension".to_owned()));
        assert_eq!(unreadable.quiet_since(), at(7));
        // Readable again: from the last time that it was not.
        let again = look(Some(unreadable), 9, &statistics(0, &[(1, 51, OLD)]));
        assert_eq!((again.quiet_since(), again.named().count()), (at(9), 1));
    }

    #[test]
    fn what_could_not_be_read_at_first_counts_from_when_it_can() {
        let watch = look(None, 0, &Err("no extension".to_owned()));
        let watch = look(Some(watch), 5, &statistics(0, &[(1, 50, OLD)]));
        assert_eq!((watch.quiet_since(), watch.named().count()), (at(5), 0));
        let watch = look(Some(watch), 50, &statistics(0, &[(1, 50, OLD)]));
        assert_eq!(watch.quiet_since(), at(5));
    }

    #[test]
    fn objects_count_for_as_long_as_they_are_there() {
        let watch = Watch::look(
            None,
            at(0),
            &["view public.v".to_owned()],
            &statistics(0, &[]),
            &[column()],
        );
        let watch = Watch::look(
            Some(watch),
            at(8),
            &["view public.v".to_owned()],
            &statistics(0, &[]),
            &[column()],
        );
        let watch = look(Some(watch), 20, &statistics(0, &[]));
        assert_eq!(watch.quiet_since(), at(8));
    }

    #[test]
    fn our_own_statements_do_not_count() {
        let ours = "SELECT count(*) FROM (SELECT ctid AS crossfade_tid, status FROM ONLY public.vehicles) AS v";
        let watch = look(None, 0, &statistics(0, &[]));
        let watch = look(Some(watch), 5, &statistics(0, &[(3, 8, ours)]));
        assert_eq!(watch.quiet_since(), at(0));
    }
}
