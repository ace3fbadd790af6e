//! What one client of the application knows that it wrote, and what may be there after its connection, or a whole server,
//! was lost.

use std::collections::BTreeMap;

/// The values of a row as its release reads them; `None`: there is no such row.
pub type Values = Option<Vec<String>>;

/// Every row of one client, with what it was before: each write has the number of its transaction.
#[derive(Default)]
pub struct Ledger {
    rows: BTreeMap<i64, Vec<(u64, Values)>>,
    /// Keys of rows that are there, in order: asked for before every statement.
    present: Vec<i64>,
    transactions: u64,
}

impl Ledger {
    /// As it was found.
    pub fn begin_with(&mut self, key: i64, values: Values) {
        self.rows.insert(key, vec![(0, values)]);
        self.note(key);
    }

    fn note(&mut self, key: i64) {
        match (self.present.binary_search(&key), self.get(key).is_some()) {
            (Err(place), true) => self.present.insert(place, key),
            (Ok(place), false) => {
                self.present.remove(place);
            }
            (Ok(_), true) | (Err(_), false) => {}
        }
    }

    pub fn get(&self, key: i64) -> Option<&Vec<String>> {
        self.rows.get(&key)?.last()?.1.as_ref()
    }

    pub fn keys(&self) -> Vec<i64> {
        self.rows.keys().copied().collect()
    }

    /// Keys of rows that are there.
    pub fn present(&self) -> &[i64] {
        &self.present
    }

    /// A transaction that was committed.
    pub fn commit(&mut self, writes: &[(i64, Values)]) {
        self.transactions += 1;
        for (key, values) in writes {
            let history = self.rows.entry(*key).or_insert_with(|| vec![(0, None)]);
            history.push((self.transactions, values.clone()));
            self.note(*key);
        }
    }

    /// The last row of a key after so many transactions.
    fn after(&self, key: i64, transactions: u64) -> &Values {
        let history = self.rows.get(&key).map_or(&[][..], Vec::as_slice);
        let mut known = history.iter().rev();
        known
            .find(|(number, _)| *number <= transactions)
            .map_or(&None, |(_, values)| values)
    }

    /// A transaction whose answer never came: it counts if its rows are there, all of them. Other rows do not change.
    pub fn settle(
        &mut self,
        uncertain: &[(i64, Values)],
        found: &BTreeMap<i64, Values>,
    ) -> Result<(), String> {
        let last = last_of_each(uncertain);
        let done = last.iter().all(|(key, values)| found[key] == **values);
        let undone = last
            .keys()
            .all(|key| found[key] == *self.after(*key, self.transactions));
        match (done, undone) {
            (true, _) => self.commit(uncertain),
            (false, true) => {}
            (false, false) => {
                return Err(format!(
                    "neither all of it nor nothing: {uncertain:?}, found {found:?}"
                ));
            }
        }
        Ok(())
    }

    /// Another server has taken over, which may lack what was committed last: what is there must be what was there after
    /// one of this client's transactions. Goes back to it, and says how many were lost. An uncertain one was the last.
    pub fn rewind(
        &mut self,
        uncertain: &[(i64, Values)],
        found: &BTreeMap<i64, Values>,
    ) -> Result<u64, String> {
        let acknowledged = self.transactions;
        if !uncertain.is_empty() {
            self.commit(uncertain);
        }
        let fits = |number: &u64| {
            let mut rows = self.rows.keys();
            rows.all(|key| found.get(key) == Some(self.after(*key, *number)))
        };
        let Some(number) = (0..=self.transactions).rev().find(fits) else {
            return Err(format!(
                "what is there is what was there after none of {} transactions: {}",
                self.transactions,
                self.differences(found).join("; ")
            ));
        };
        for history in self.rows.values_mut() {
            history.retain(|(written, _)| *written <= number);
        }
        self.rows.retain(|_, history| !history.is_empty());
        self.transactions = number;
        let there = |key: &i64| self.get(*key).is_some();
        self.present = self.rows.keys().copied().filter(there).collect();
        Ok(acknowledged.saturating_sub(number))
    }

    /// What is not as it was written last.
    pub fn differences(&self, found: &BTreeMap<i64, Values>) -> Vec<String> {
        let rows = self.rows.keys().filter_map(|key| {
            let (wanted, found) = (self.after(*key, self.transactions), &found[key]);
            (wanted != found).then(|| format!("row {key}: wrote {wanted:?}, found {found:?}"))
        });
        rows.collect()
    }
}

fn last_of_each(writes: &[(i64, Values)]) -> BTreeMap<i64, &Values> {
    writes.iter().map(|(key, values)| (*key, values)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(value: &str) -> Values {
        Some(vec![value.to_owned()])
    }

    fn written() -> Ledger {
        let mut ledger = Ledger::default();
        ledger.begin_with(1, row("first"));
        ledger.commit(&[(1, row("a")), (2, row("b"))]);
        ledger.commit(&[(2, row("c"))]);
        ledger
    }

    fn found(rows: &[(i64, Values)]) -> BTreeMap<i64, Values> {
        rows.iter().cloned().collect()
    }

    #[test]
    fn a_lost_a_foreign_and_a_revived_row_are_found() {
        let ledger = written();
        let all = found(&[(1, row("a")), (2, row("c"))]);
        assert_eq!(ledger.differences(&all), Vec::<String>::new());
        for wrong in [row("b"), None, row("d")] {
            let rows = found(&[(1, row("a")), (2, wrong)]);
            assert_eq!(ledger.differences(&rows).len(), 1);
        }
    }

    #[test]
    fn what_a_takeover_leaves_is_the_beginning_of_what_was_done_or_an_error() {
        let lost = |rows: &[(i64, Values)]| written().rewind(&[], &found(rows)).ok();
        assert_eq!(lost(&[(1, row("a")), (2, row("c"))]), Some(0));
        assert_eq!(lost(&[(1, row("a")), (2, row("b"))]), Some(1));
        assert_eq!(lost(&[(1, row("first")), (2, None)]), Some(2));
        // Half a transaction, and the second without the first.
        assert_eq!(lost(&[(1, row("a")), (2, None)]), None);
        assert_eq!(lost(&[(1, row("first")), (2, row("c"))]), None);
    }

    #[test]
    fn an_answer_that_never_came_is_learnt_from_the_rows() {
        let uncertain = [(1, row("x")), (2, None)];
        let settle = |rows: &[(i64, Values)]| {
            let mut ledger = written();
            ledger.settle(&uncertain, &found(rows)).ok()?;
            Some(ledger.get(2).is_none())
        };
        assert_eq!(settle(&[(1, row("x")), (2, None)]), Some(true));
        assert_eq!(settle(&[(1, row("a")), (2, row("c"))]), Some(false));
        assert_eq!(settle(&[(1, row("x")), (2, row("c"))]), None);
    }
}
