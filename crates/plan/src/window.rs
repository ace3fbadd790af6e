//! A window of time that recurs: on which days, from when to when, by the clocks of which place.

use jiff::{
    Timestamp,
    civil::{Date, Time, Weekday},
    tz::{TimeZone, TimeZoneDatabase},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt, str::FromStr};

/// `{days: [mon, …], from: "22:00", to: "06:00", zone: "Europe/Berlin"}`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WindowWords")]
pub struct Window {
    /// The days on which it begins; every day unless given.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    days: BTreeSet<Day>,
    from: ClockTime,
    /// Where it is not after `from`, it is of the next day.
    to: ClockTime,
    zone: Zone,
}

/// A time window on some days of the week. A window past midnight belongs to the day on which it begins.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct WindowWords {
    #[serde(default)]
    days: Vec<Day>,
    from: ClockTime,
    to: ClockTime,
    zone: Zone,
}

impl TryFrom<WindowWords> for Window {
    type Error = String;
    fn try_from(words: WindowWords) -> Result<Self, String> {
        if words.from == words.to {
            return Err(format!(
                "a window from {} to {} has no length; leave the window out to allow the whole day",
                words.from, words.to
            ));
        }
        Ok(Self {
            days: words.days.into_iter().collect(),
            from: words.from,
            to: words.to,
            zone: words.zone,
        })
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for day in &self.days {
            write!(f, "{day:?} ")?;
        }
        write!(f, "{} to {} {}", self.from, self.to, self.zone)
    }
}

#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Day {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

impl Day {
    fn of(date: Date) -> Self {
        match date.weekday() {
            Weekday::Monday => Self::Mon,
            Weekday::Tuesday => Self::Tue,
            Weekday::Wednesday => Self::Wed,
            Weekday::Thursday => Self::Thu,
            Weekday::Friday => Self::Fri,
            Weekday::Saturday => Self::Sat,
            Weekday::Sunday => Self::Sun,
        }
    }
}

/// `22:00`, by a clock on the wall.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ClockTime(Time);

impl fmt::Display for ClockTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0.hour(), self.0.minute())
    }
}

impl FromStr for ClockTime {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("`{text}` is not a time of day; write e.g. 06:00 or 22:30");
        let (hour, minute) = text.split_once(':').ok_or_else(wrong)?;
        let digits = |part: &str| part.len() == 2 && part.bytes().all(|c| c.is_ascii_digit());
        if !digits(hour) || !digits(minute) {
            return Err(wrong());
        }
        let (hour, minute) = (
            hour.parse().map_err(|_| wrong())?,
            minute.parse().map_err(|_| wrong())?,
        );
        Time::new(hour, minute, 0, 0).map(Self).map_err(|_| wrong())
    }
}

impl TryFrom<String> for ClockTime {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ClockTime> for String {
    fn from(time: ClockTime) -> String {
        time.to_string()
    }
}

/// A time zone of the IANA database, as it was when this program was built: the same on every machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    pub(super) fn time_zone(&self) -> &TimeZone {
        &self.zone
    }
}

impl FromStr for Zone {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let zone = TimeZoneDatabase::bundled().get(text).map_err(|_| {
            format!(
                "`{text}` is not a time zone; write e.g. Europe/Berlin, America/New_York or UTC"
            )
        })?;
        Ok(Self {
            name: zone.iana_name().unwrap_or(text).to_owned(),
            zone,
        })
    }
}

impl fmt::Display for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl TryFrom<String> for Zone {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<Zone> for String {
    fn from(zone: Zone) -> String {
        zone.name
    }
}

/// Where a moment lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Within the window; it closes then.
    Until(Timestamp),
    /// Outside it; it opens next then.
    From(Timestamp),
    /// Beyond the calendar.
    Never,
}

/// A week and the day before: every window opens within them.
const DAYS_LOOKED_AT: i64 = 9;

impl Window {
    /// Whether the window is open at a moment, and until when or from when on.
    pub fn at(&self, now: Timestamp) -> Opening {
        let today = now.to_zoned(self.zone.zone.clone()).date();
        let mut next = None;
        for days in -1..DAYS_LOOKED_AT {
            let Ok(date) = today.checked_add(jiff::Span::new().days(days)) else {
                continue;
            };
            if !self.days.is_empty() && !self.days.contains(&Day::of(date)) {
                continue;
            }
            let Some((begin, end)) = self.on(date) else {
                continue;
            };
            if begin <= now && now < end {
                return Opening::Until(end);
            }
            if begin > now && begin < end {
                next.get_or_insert(begin);
            }
        }
        next.map_or(Opening::Never, Opening::From)
    }

    /// The window that begins on a day. A time that the clocks skip is the one as much later; of one that they show
    /// twice, the first.
    fn on(&self, date: Date) -> Option<(Timestamp, Timestamp)> {
        let moment = |date: Date, time: ClockTime| {
            let zoned = date
                .to_datetime(time.0)
                .to_zoned(self.zone.zone.clone())
                .ok()?;
            Some(zoned.timestamp())
        };
        let ends_on = if self.to.0 > self.from.0 {
            date
        } else {
            date.tomorrow().ok()?
        };
        Some((moment(date, self.from)?, moment(ends_on, self.to)?))
    }

    /// A moment as the window's clocks show it: `Mon 2026-11-23 22:00 Europe/Berlin`.
    pub fn show(&self, moment: Timestamp) -> String {
        let zoned = moment.to_zoned(self.zone.zone.clone());
        format!("{} {}", zoned.strftime("%a %Y-%m-%d %H:%M"), self.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn window(yaml: &str) -> Window {
        serde_yaml::from_str(yaml).expect("a window")
    }

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a moment")
    }

    #[test]
    fn a_window_past_midnight_belongs_to_the_day_on_which_it_begins() {
        let nights = window("{days: [mon, fri], from: '22:00', to: '06:00', zone: Europe/Berlin}");
        // 2026-11-23 is a Monday; Berlin is an hour ahead of UTC.
        for (now, expected) in [
            (
                "2026-11-23T20:59:59Z",
                Opening::From(at("2026-11-23T21:00:00Z")),
            ),
            (
                "2026-11-23T21:00:00Z",
                Opening::Until(at("2026-11-24T05:00:00Z")),
            ),
            (
                "2026-11-24T04:59:59Z",
                Opening::Until(at("2026-11-24T05:00:00Z")),
            ),
            (
                "2026-11-24T05:00:00Z",
                Opening::From(at("2026-11-27T21:00:00Z")),
            ),
            // Friday's window lasts into Saturday, and Monday's is not Sunday night's.
            (
                "2026-11-28T03:00:00Z",
                Opening::Until(at("2026-11-28T05:00:00Z")),
            ),
            (
                "2026-11-23T03:00:00Z",
                Opening::From(at("2026-11-23T21:00:00Z")),
            ),
        ] {
            assert_eq!(nights.at(at(now)), expected, "{now}");
        }
    }

    #[test]
    fn without_days_it_opens_every_day() {
        let noon = window("{from: '12:00', to: '13:00', zone: UTC}");
        assert_eq!(
            noon.at(at("2026-11-23T12:30:00Z")),
            Opening::Until(at("2026-11-23T13:00:00Z"))
        );
        assert_eq!(
            noon.at(at("2026-11-23T13:00:00Z")),
            Opening::From(at("2026-11-24T12:00:00Z"))
        );
    }

    #[test]
    fn the_clocks_of_the_place_count_when_they_are_changed() {
        let nights = window("{from: '22:00', to: '06:00', zone: Europe/Berlin}");
        // The night to 2026-03-29 has an hour less, the one to 2026-10-25 an hour more.
        assert_eq!(
            nights.at(at("2026-03-28T21:00:00Z")),
            Opening::Until(at("2026-03-29T04:00:00Z"))
        );
        assert_eq!(
            nights.at(at("2026-10-24T20:00:00Z")),
            Opening::Until(at("2026-10-25T05:00:00Z"))
        );
        // 02:15 to 02:45 is skipped in March: an hour later. In October it is there twice: the first time.
        let short = window("{from: '02:15', to: '02:45', zone: Europe/Berlin}");
        assert_eq!(
            short.at(at("2026-03-29T01:20:00Z")),
            Opening::Until(at("2026-03-29T01:45:00Z"))
        );
        assert_eq!(
            short.at(at("2026-10-25T00:20:00Z")),
            Opening::Until(at("2026-10-25T00:45:00Z"))
        );
        assert_eq!(
            short.at(at("2026-10-25T01:20:00Z")),
            Opening::From(at("2026-10-26T01:15:00Z"))
        );
    }

    #[test]
    fn what_is_no_window_is_refused() {
        for (yaml, expected) in [
            ("{from: '22:00', to: '22:00', zone: UTC}", "has no length"),
            (
                "{from: '24:00', to: '06:00', zone: UTC}",
                "not a time of day",
            ),
            (
                "{from: '9:00', to: '10:00', zone: UTC}",
                "not a time of day",
            ),
            (
                "{from: '22:00', to: '06:00', zone: Berlin}",
                "not a time zone",
            ),
            ("{from: '22:00', to: '06:00'}", "missing field `zone`"),
            (
                "{days: [monday], from: '22:00', to: '06:00', zone: UTC}",
                "monday",
            ),
        ] {
            let error = serde_yaml::from_str::<Window>(yaml)
                .unwrap_err()
                .to_string();
            assert!(error.contains(expected), "{yaml}: {error}");
        }
    }

    #[test]
    fn it_is_written_as_it_was_read() {
        let nights = window("{days: [fri, mon], from: '22:00', to: '06:00', zone: europe/berlin}");
        let json = serde_json::to_value(&nights).unwrap();
        assert_eq!(
            json,
            serde_json::json!({"days": ["mon", "fri"], "from": "22:00", "to": "06:00", "zone": "Europe/Berlin"})
        );
        assert_eq!(serde_json::from_value::<Window>(json).unwrap(), nights);
        assert_eq!(nights.to_string(), "Mon Fri 22:00 to 06:00 Europe/Berlin");
        assert_eq!(
            nights.show(at("2026-11-23T21:00:00Z")),
            "Mon 2026-11-23 22:00 Europe/Berlin"
        );
    }
}
