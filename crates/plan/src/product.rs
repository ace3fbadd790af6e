//! Extensions and products that keep a table's rows elsewhere than in it, or write to it past its triggers.

/// What another product than PostgreSQL itself does with a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Product {
    /// Its rows are in shards on other servers.
    CitusDistributed,
    /// Each server has a copy of its rows, in a shard.
    CitusReference,
    /// Its rows are in a shard, as those of a table of a schema that is one, or of a local table that Citus manages.
    CitusShard,
    /// Its rows are in chunks.
    Hypertable,
    /// It is a chunk of a hypertable.
    HypertableChunk,
    /// It is replicated by one of these, and rows come from other servers, too.
    ReceivedBy(Replicator, Vec<String>),
    /// Its rows go to other servers, by these replication sets.
    SentBy(Replicator, Vec<String>),
    /// The product is there, and what it says of its tables cannot be read.
    Unreadable { product: &'static str, why: String },
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replicator {
    Spock,
    Pglogical,
}

impl Replicator {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Spock => "Spock",
            Self::Pglogical => "pglogical",
        }
    }
}

/// What it means for a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// A walk would not find the rows, or triggers would not fire where they are written.
    RowsElsewhere,
    /// Some rows are written in sessions in which no trigger fires.
    PastTriggers,
    /// Others get what is written.
    SentOn,
    Unknown,
}

impl Product {
    pub fn reach(&self) -> Reach {
        match self {
            Self::CitusDistributed
            | Self::CitusReference
            | Self::CitusShard
            | Self::Hypertable
            | Self::HypertableChunk => Reach::RowsElsewhere,
            Self::ReceivedBy(..) => Reach::PastTriggers,
            Self::SentBy(..) => Reach::SentOn,
            Self::Unreadable { .. } => Reach::Unknown,
        }
    }

    /// What the table is, as a sentence goes on after its name.
    pub fn sentence(&self) -> String {
        match self {
            Self::CitusDistributed => {
                "is a distributed table of Citus: its rows are in shards on other servers"
                    .to_owned()
            }
            Self::CitusReference => {
                "is a reference table of Citus: its rows are in shards, one on each server"
                    .to_owned()
            }
            Self::CitusShard => "is a table that Citus manages: its rows are in a shard".to_owned(),
            Self::Hypertable => {
                "is a hypertable of TimescaleDB: its rows are in chunks, which may be compressed"
                    .to_owned()
            }
            Self::HypertableChunk => "is a chunk of a hypertable of TimescaleDB".to_owned(),
            Self::ReceivedBy(replicator, subscriptions) => format!(
                "receives rows by the subscription {} of {}, which fires no triggers",
                subscriptions.join(", "),
                replicator.as_str()
            ),
            Self::SentBy(replicator, sets) => format!(
                "is in the replication set {} of {}",
                sets.join(", "),
                replicator.as_str()
            ),
            Self::Unreadable { product, why } => {
                format!("may be a table of {product}, which cannot be told: {why}")
            }
        }
    }

    /// What to do about it, where a plan cannot be run because of it.
    pub fn help(&self) -> String {
        match self {
            Self::CitusDistributed | Self::CitusReference | Self::CitusShard => {
                "Crossfade cannot fill, compare or keep in step what Citus keeps: make it a local table first (SELECT undistribute_table('schema.table')), or make the change with Citus' own means".to_owned()
            }
            Self::Hypertable | Self::HypertableChunk => {
                "Crossfade cannot fill, compare or keep in step what TimescaleDB keeps: make the change with its own means, chunk by chunk".to_owned()
            }
            Self::ReceivedBy(replicator, _) => format!(
                "what {} writes would be on one side only: make the change where the rows come from; here, the subscription has to end first",
                replicator.as_str()
            ),
            Self::SentBy(replicator, _) => format!(
                "{} replicates no change of a table: a subscriber whose table lacks the column stops at the next row. Add the column there before",
                replicator.as_str()
            ),
            Self::Unreadable { .. } => {
                "let this role read that catalog, and run the check again".to_owned()
            }
        }
    }
}
