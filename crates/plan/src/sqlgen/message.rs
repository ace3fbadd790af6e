//! What runs under a strong lock, as one message: the server goes through it without waiting for us, however far away we
//! are and whatever becomes of us. A condition that does not hold ends it, and all of it is rolled back.

use super::literal;

/// Why the server ended a message or a batch that it was to carry out by itself, told by an SQLSTATE of our own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Another driver has taken the lease.
    LeaseLost,
    /// The triggers do not stand as they stood.
    SyncChanged,
    /// Going back would lose what the new version wrote.
    WouldLose,
    /// `done_when` is not true after the statements.
    NotDone,
    /// `done_when` cannot be answered after the statements. The message says why.
    Unanswered,
    Paused,
    /// Somebody else has the segment now, or another pass has begun.
    ClaimLost,
    /// The table was rewritten, or is no partition any more.
    Rewritten,
}

const ALL: [Refusal; 8] = [
    Refusal::LeaseLost,
    Refusal::SyncChanged,
    Refusal::WouldLose,
    Refusal::NotDone,
    Refusal::Unanswered,
    Refusal::Paused,
    Refusal::ClaimLost,
    Refusal::Rewritten,
];

impl Refusal {
    /// Those of batches stand in the functions of `migrations/V0019` as well.
    pub fn sqlstate(self) -> &'static str {
        match self {
            Self::LeaseLost => "CF001",
            Self::SyncChanged => "CF002",
            Self::WouldLose => "CF003",
            Self::NotDone => "CF004",
            Self::Unanswered => "CF005",
            Self::Paused => "CF010",
            Self::ClaimLost => "CF011",
            Self::Rewritten => "CF012",
        }
    }

    pub fn from_sqlstate(state: &str) -> Option<Self> {
        ALL.into_iter().find(|refusal| refusal.sqlstate() == state)
    }
}

/// So long the server waits in it for a client that stopped while it sent it.
pub const IDLE_TIMEOUT_MS: u64 = 200;

/// Statements that are sent at once, and are one transaction without saying so: a message of several statements is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    statements: Vec<String>,
}

impl Message {
    pub fn run(&mut self, statement: impl Into<String>) {
        self.statements.push(statement.into());
    }

    /// `found`: a query without its SELECT (`1 FROM … WHERE …`), which must find a row.
    pub fn demand(&mut self, found: &str, refusal: Refusal) {
        let body = format!(
            "BEGIN PERFORM {found}; IF NOT FOUND THEN RAISE EXCEPTION 'crossfade: not as it must be' USING ERRCODE = '{}'; END IF; END",
            refusal.sqlstate()
        );
        self.run(format!("DO {}", literal::dollar_quoted(&body)));
    }

    /// An author's `question` must be answered with yes.
    pub fn demand_yes(&mut self, question: &str) {
        let query = format!("SELECT coalesce(({question}\n)::boolean, false)");
        // As a text of its own: names of plpgsql's are none in it.
        let body = format!(
            "DECLARE yes boolean; why text; state text; detail text; \
             BEGIN \
               BEGIN EXECUTE {} INTO yes; \
               EXCEPTION WHEN OTHERS THEN \
                 GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, state = RETURNED_SQLSTATE, detail = PG_EXCEPTION_DETAIL; \
                 RAISE EXCEPTION '% (SQLSTATE %)%', why, state, CASE WHEN detail <> '' THEN '. Detail: ' || detail ELSE '' END USING ERRCODE = '{}'; \
               END; \
               IF yes IS NOT TRUE THEN RAISE EXCEPTION 'crossfade: not done' USING ERRCODE = '{}'; END IF; \
             END",
            literal::text(&query),
            Refusal::Unanswered.sqlstate(),
            Refusal::NotDone.sqlstate()
        );
        self.run(format!("DO {}", literal::dollar_quoted(&body)));
    }

    /// The new line ends a comment of the author's.
    pub fn text(&self) -> String {
        self.statements.join("\n;\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_has_a_state_of_its_own() {
        for refusal in ALL {
            assert_eq!(Refusal::from_sqlstate(refusal.sqlstate()), Some(refusal));
        }
        assert_eq!(Refusal::from_sqlstate("P0001"), None);
    }

    #[test]
    fn what_an_author_writes_stays_within_its_statement() {
        let mut message = Message::default();
        message.run("SELECT 1 -- done");
        message.demand_yes("SELECT '$crossfade$' = 'it''s' -- yes");
        let text = message.text();
        assert!(text.starts_with("SELECT 1 -- done\n;\nDO $crossfade1$"));
        assert!(text.contains("-- yes\n)::boolean"));
    }
}
