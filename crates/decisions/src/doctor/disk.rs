//! Room on the server's disk. PostgreSQL does not tell how much is free: a command of the operator's does.

use super::{Check, CheckFinding, Reading, Work, words::size};

#[derive(Clone, Debug, PartialEq)]
pub enum Disk {
    /// Nobody has said how to find it out.
    NotAsked,
    /// Bytes that are free.
    Asked(Reading<u64>),
}

const ASK: &str = "write `free_disk: {command: […]}` into crossfade.yaml: a program that prints the free bytes of the server's disk";

pub fn check(disk: &Disk, work: Option<&Work>) -> Vec<CheckFinding> {
    let check = Check::Disk;
    let need = Need::of(work);
    let free = match disk {
        Disk::NotAsked => {
            let why = format!(
                "PostgreSQL does not tell how much disk is free{}",
                need.words()
            );
            return vec![CheckFinding::unknown(check, why).remedy(ASK)];
        }
        Disk::Asked(Err(why)) => {
            let why = format!("it could not be found out how much disk is free: {why}");
            return vec![
                CheckFinding::unknown(check, why).remedy("put `free_disk` in crossfade.yaml right"),
            ];
        }
        Disk::Asked(Ok(free)) => *free,
    };
    let found = format!(
        "{} are free on the server's disk{}",
        size(free),
        need.words()
    );
    let make_room = "make room, or let the run fill fewer rows at a time";
    let finding = match need {
        Need::Nothing if free < LITTLE_BYTES => {
            CheckFinding::warning(check, found).remedy("make room before a run begins")
        }
        Need::Nothing => CheckFinding::passed(check, found),
        Need::NotKnown => CheckFinding::unknown(check, found)
            .remedy("ANALYZE the plan's tables; `crossfade explain` says what cannot be estimated"),
        Need::Bytes { least, .. } if free < least => {
            CheckFinding::failed(check, found).remedy(make_room)
        }
        Need::Bytes { most, .. } if free < most => {
            CheckFinding::warning(check, found).remedy(make_room)
        }
        Need::Bytes { .. } => CheckFinding::passed(check, found),
    };
    vec![finding]
}

/// Without a plan: a server with less room is near its end.
const LITTLE_BYTES: u64 = 1 << 30;

/// Log is written again and again into the same files, unless something keeps it: the most counts all of it.
enum Need {
    Nothing,
    NotKnown,
    Bytes { least: u64, most: u64 },
}

impl Need {
    fn of(work: Option<&Work>) -> Self {
        let Some(work) = work else {
            return Self::Nothing;
        };
        match (work.growth_bytes, work.wal_bytes) {
            (Some(growth), Some(wal)) => Self::Bytes {
                least: growth[0],
                most: growth[1].saturating_add(wal[1]),
            },
            _ => Self::NotKnown,
        }
    }

    fn words(&self) -> String {
        match self {
            Self::Nothing => String::new(),
            Self::NotKnown => ", and how much the plan needs is not known".to_owned(),
            Self::Bytes { least, most } => format!(
                "; the tables are expected to grow by {} at least, and with all log that is written it is {} at most",
                size(*least),
                size(*most)
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    #[test]
    fn too_little_room_fails_and_unknown_room_never_passes() {
        let work = Work {
            growth_bytes: Some([1_000, 5_000]),
            wal_bytes: Some([2_000, 5_000]),
            ..Work::default()
        };
        let verdict = |free, work| check(&Disk::Asked(Ok(free)), work)[0].verdict;
        assert_eq!(verdict(999, Some(&work)), Verdict::Failed);
        assert_eq!(verdict(9_999, Some(&work)), Verdict::Warning);
        assert_eq!(verdict(10_000, Some(&work)), Verdict::Passed);
        assert_eq!(verdict(1, None), Verdict::Warning);
        assert_eq!(verdict(2 << 30, None), Verdict::Passed);
        assert_eq!(verdict(1, Some(&Work::default())), Verdict::Unknown);
        let unknown = Disk::Asked(Err("exit status 1".to_owned()));
        assert_eq!(check(&unknown, Some(&work))[0].verdict, Verdict::Unknown);
        assert_eq!(check(&Disk::NotAsked, None)[0].verdict, Verdict::Unknown);
    }
}
