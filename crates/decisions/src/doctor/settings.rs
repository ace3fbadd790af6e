//! Settings of the role, the database or the server that would get in the way of Crossfade's sessions.

use super::{Check, CheckFinding};

/// Settings that Crossfade gives its own sessions as they begin, whatever is set elsewhere.
const OVERRIDDEN: [&str; 4] = [
    "statement_timeout",
    "lock_timeout",
    "idle_in_transaction_session_timeout",
    "search_path",
];

#[derive(Clone, Debug, Default, PartialEq)]
pub struct Settings {
    /// As they hold in a session of Crossfade's.
    pub in_force: Vec<Setting>,
    /// As `ALTER ROLE` and `ALTER DATABASE` say for the role that is connected.
    pub of_role: Vec<Setting>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    pub name: String,
    pub value: String,
    /// The statement that set it, without its end: `ALTER ROLE app`. Empty where that is not known.
    pub by: String,
}

impl Setting {
    fn resets(&self, name: &str) -> String {
        match self.by.as_str() {
            "" => format!("ALTER SYSTEM RESET {name}; SELECT pg_reload_conf();"),
            by => format!("{by} RESET {name};"),
        }
    }
}

pub fn check(settings: &Settings) -> Vec<CheckFinding> {
    let found: Vec<CheckFinding> = settings.in_force.iter().filter_map(in_the_way).collect();
    if !found.is_empty() {
        return found;
    }
    let overridden = settings
        .of_role
        .iter()
        .filter(|setting| OVERRIDDEN.contains(&setting.name.as_str()))
        .map(|setting| format!("{} = {} ({})", setting.name, setting.value, setting.by));
    let overridden: Vec<String> = overridden.collect();
    let found = match overridden.is_empty() {
        true => "none is in the way".to_owned(),
        false => format!(
            "none is in the way: Crossfade's own sessions do not take {}",
            overridden.join(", ")
        ),
    };
    vec![CheckFinding::passed(Check::Settings, found)]
}

fn in_the_way(setting: &Setting) -> Option<CheckFinding> {
    let check = Check::Settings;
    let Setting { name, value, .. } = setting;
    let of = format!("{name} = {value}");
    let is_off = matches!(value.as_str(), "0" | "off" | "");
    let finding = match name.as_str() {
        "default_transaction_read_only" if !is_off => {
            CheckFinding::failed(check, format!("{of}: Crossfade cannot write"))
        }
        "session_replication_role" if value != "origin" => CheckFinding::warning(
            check,
            format!("{of}: no trigger fires in sessions of this role, but for Crossfade's own"),
        ),
        "transaction_timeout" if !is_off => CheckFinding::warning(
            check,
            format!(
                "{of} (milliseconds): the server ends each statement of Crossfade's that takes longer, such as an index build"
            ),
        ),
        "idle_session_timeout" if !is_off => CheckFinding::warning(
            check,
            format!(
                "{of} (milliseconds): the server ends sessions of Crossfade's that wait for longer, such as at a gate"
            ),
        ),
        _ => return None,
    };
    Some(finding.remedy(setting.resets(name)))
}

#[cfg(test)]
mod tests {
    use super::{super::Verdict, *};

    fn setting(name: &str, value: &str, by: &str) -> Setting {
        Setting {
            name: name.to_owned(),
            value: value.to_owned(),
            by: by.to_owned(),
        }
    }

    #[test]
    fn only_what_holds_in_our_sessions_is_in_the_way() {
        for (name, value, verdict) in [
            ("default_transaction_read_only", "on", Verdict::Failed),
            ("default_transaction_read_only", "off", Verdict::Passed),
            ("session_replication_role", "replica", Verdict::Warning),
            ("session_replication_role", "origin", Verdict::Passed),
            ("transaction_timeout", "5000", Verdict::Warning),
            ("transaction_timeout", "0", Verdict::Passed),
            ("idle_session_timeout", "5000", Verdict::Warning),
        ] {
            let settings = Settings {
                in_force: vec![setting(name, value, "ALTER ROLE app")],
                of_role: Vec::new(),
            };
            let found = &check(&settings)[0];
            assert_eq!(found.verdict, verdict, "{name} = {value}");
            if verdict != Verdict::Passed {
                let reset = format!("ALTER ROLE app RESET {name};");
                assert_eq!(found.remedy, Some(reset));
            }
        }
        let settings = Settings {
            in_force: Vec::new(),
            of_role: vec![setting("statement_timeout", "5s", "ALTER ROLE app")],
        };
        let found = &check(&settings)[0];
        assert_eq!(found.verdict, Verdict::Passed);
        assert!(
            found
                .found
                .contains("statement_timeout = 5s (ALTER ROLE app)"),
            "{}",
            found.found
        );
    }
}
