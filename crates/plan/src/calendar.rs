//! Times that are known in advance, once or again and again: `from: "12-20", to: "01-03", every: year`.

use super::window::Zone;
use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime, Time, Weekday},
};
use schemars::JsonSchema;
use serde::Deserialize;
use std::str::FromStr;

/// A time that comes once, every year or every week, by the clocks of a place.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "OccasionWords")]
pub struct Occasion {
    from: Point,
    to: Point,
    zone: Zone,
    pub reason: String,
}

/// From a moment to another: days without a time begin at midnight.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename = "occasion")]
pub struct OccasionWords {
    /// `2026-12-20` or `2026-12-20T18:00`; with `every: year` `12-20` or `12-20T18:00`; with `every: week` `fri` or `fri 16:00`.
    from: String,
    /// The end, in the same form. It is not part of the time.
    to: String,
    /// The time zone, such as `Europe/Berlin`.
    zone: Zone,
    /// Without this, the time comes once.
    every: Option<Every>,
    /// Why, for those who are held up.
    reason: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Every {
    Year,
    Week,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Point {
    Once(DateTime),
    Year(i8, i8, Time),
    Week(Weekday, Time),
}

/// One of the times of an occasion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Interval {
    pub from: Timestamp,
    pub to: Timestamp,
}

impl TryFrom<OccasionWords> for Occasion {
    type Error = String;

    fn try_from(words: OccasionWords) -> Result<Self, String> {
        let from = Point::read(&words.from, words.every)?;
        let to = Point::read(&words.to, words.every)?;
        let is_over = match (from, to) {
            (Point::Once(from), Point::Once(to)) => to <= from,
            _ => from == to,
        };
        if is_over {
            return Err(format!("from {} to {} is no time", words.from, words.to));
        }
        if words.reason.trim().is_empty() {
            return Err("`reason` is empty: say why, for those who are held up".to_owned());
        }
        Ok(Self {
            from,
            to,
            zone: words.zone,
            reason: words.reason,
        })
    }
}

impl Point {
    fn read(text: &str, every: Option<Every>) -> Result<Self, String> {
        let form = match every {
            None => "2026-12-20 or 2026-12-20T18:00",
            Some(Every::Year) => "12-20 or 12-20T18:00",
            Some(Every::Week) => "fri or fri 16:00",
        };
        let wrong = || format!("`{text}` is not of the form {form}");
        let (day, time) = match text.split_once(if every == Some(Every::Week) { ' ' } else { 'T' })
        {
            Some((day, time)) => (day, clock(time).ok_or_else(wrong)?),
            None => (text, Time::midnight()),
        };
        let point = match every {
            None => Date::from_str(day)
                .ok()
                .map(|day| Self::Once(day.to_datetime(time))),
            // A leap year: 02-29 is a day of some years.
            Some(Every::Year) => Date::from_str(&format!("2024-{day}"))
                .ok()
                .map(|day| Self::Year(day.month(), day.day(), time)),
            Some(Every::Week) => weekday(day).map(|day| Self::Week(day, time)),
        };
        point.ok_or_else(wrong)
    }

    /// Its moments around `now`, the earliest first.
    fn around(self, now: DateTime) -> Vec<DateTime> {
        let today = now.date();
        match self {
            Self::Once(moment) => vec![moment],
            Self::Year(month, day, time) => (-2..=2)
                .filter_map(|years| {
                    let year = today.year().checked_add(years)?;
                    // 02-29 of other years is 03-01.
                    let date = Date::new(year, month, day)
                        .or_else(|_| Date::new(year, month + 1, 1))
                        .ok()?;
                    Some(date.to_datetime(time))
                })
                .collect(),
            Self::Week(weekday, time) => (-14..=14_i64)
                .filter_map(|days| today.checked_add(days.days()).ok())
                .filter(|date| date.weekday() == weekday)
                .map(|date| date.to_datetime(time))
                .collect(),
        }
    }
}

fn clock(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let digits = |part: &str| part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(hour) || !digits(minute) {
        return None;
    }
    Time::new(hour.parse().ok()?, minute.parse().ok()?, 0, 0).ok()
}

fn weekday(text: &str) -> Option<Weekday> {
    Some(match text {
        "mon" => Weekday::Monday,
        "tue" => Weekday::Tuesday,
        "wed" => Weekday::Wednesday,
        "thu" => Weekday::Thursday,
        "fri" => Weekday::Friday,
        "sat" => Weekday::Saturday,
        "sun" => Weekday::Sunday,
        _ => return None,
    })
}

impl Occasion {
    /// The time that `now` is in.
    pub fn at(&self, now: Timestamp) -> Option<Interval> {
        let zone = self.zone.time_zone();
        let here = zone.to_datetime(now);
        let moment = |civil: DateTime| zone.to_ambiguous_timestamp(civil).compatible().ok();
        let from = self.from.around(here).into_iter();
        let from = from.filter_map(moment).filter(|from| *from <= now).max()?;
        let to = self.to.around(here).into_iter();
        let to = to.filter_map(moment).filter(|to| *to > from).min()?;
        (now < to).then_some(Interval { from, to })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    fn read(value: Value) -> Result<Occasion, String> {
        serde_json::from_value(value).map_err(|error| error.to_string())
    }

    fn at(value: Value, now: &str) -> Option<(String, String)> {
        let interval = read(value).unwrap().at(now.parse().unwrap())?;
        Some((interval.from.to_string(), interval.to.to_string()))
    }

    fn some(from: &str, to: &str) -> Option<(String, String)> {
        Some((from.to_owned(), to.to_owned()))
    }

    #[test]
    fn a_yearly_time_goes_over_the_new_year() {
        let words = json!({"from": "12-20", "to": "01-03", "zone": "Europe/Berlin", "every": "year", "reason": "x"});
        let winter = some("2026-12-19T23:00:00Z", "2027-01-02T23:00:00Z");
        assert_eq!(at(words.clone(), "2026-12-19T22:59:59Z"), None);
        assert_eq!(at(words.clone(), "2026-12-19T23:00:00Z"), winter);
        assert_eq!(at(words.clone(), "2027-01-02T22:59:59Z"), winter);
        assert_eq!(at(words.clone(), "2027-01-02T23:00:00Z"), None);
        assert_eq!(at(words, "2026-07-01T00:00:00Z"), None);
    }

    #[test]
    fn a_weekly_time_goes_over_the_weekend_by_the_clocks_of_the_place() {
        let words = json!({"from": "fri 16:00", "to": "mon 08:00", "zone": "Europe/Berlin", "every": "week", "reason": "x"});
        // The clocks are put forward on this Sunday.
        let weekend = some("2026-03-27T15:00:00Z", "2026-03-30T06:00:00Z");
        assert_eq!(at(words.clone(), "2026-03-27T14:59:59Z"), None);
        assert_eq!(at(words.clone(), "2026-03-27T15:00:00Z"), weekend);
        assert_eq!(at(words.clone(), "2026-03-30T05:59:59Z"), weekend);
        assert_eq!(at(words, "2026-03-30T06:00:00Z"), None);
    }

    #[test]
    fn a_time_that_comes_once_comes_once() {
        let words =
            json!({"from": "2026-11-27", "to": "2026-11-28T12:00", "zone": "UTC", "reason": "x"});
        let sale = some("2026-11-27T00:00:00Z", "2026-11-28T12:00:00Z");
        assert_eq!(at(words.clone(), "2026-11-28T11:59:59Z"), sale);
        assert_eq!(at(words.clone(), "2026-11-28T12:00:00Z"), None);
        assert_eq!(at(words, "2027-11-27T00:00:00Z"), None);
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let base = |from: &str, to: &str, every: Option<&str>| {
            read(json!({"from": from, "to": to, "zone": "UTC", "every": every, "reason": "x"}))
        };
        for (from, to, every) in [
            ("2026-12-20", "2026-12-20", None),
            ("2026-12-20", "2026-12-19", None),
            ("12-20", "12-21", None),
            ("12-20", "12-20", Some("year")),
            ("13-20", "12-20", Some("year")),
            ("fri", "fri", Some("week")),
            ("friday", "mon", Some("week")),
            ("fri 8:00", "mon", Some("week")),
        ] {
            assert!(base(from, to, every).is_err(), "{from} {to}");
        }
        assert!(base("02-29", "03-02", Some("year")).is_ok());
        let silent =
            json!({"from": "fri", "to": "mon", "zone": "UTC", "every": "week", "reason": " "});
        assert!(read(silent).is_err());
    }
}
