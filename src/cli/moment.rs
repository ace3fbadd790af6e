//! Moments as people write and read them: in their own time zone, and in UTC.

use jiff::{Timestamp, ToSpan as _, Zoned, civil, tz::TimeZone};

/// An instant, or a date and time or a time of day of the local time zone.
pub fn read(text: &str) -> Result<Timestamp, String> {
    after(&Zoned::now(), text)
}

/// A time of day is the next one after `now`.
fn after(now: &Zoned, text: &str) -> Result<Timestamp, String> {
    let zone = now.time_zone().clone();
    if let Ok(instant) = text.parse::<Timestamp>() {
        return Ok(instant);
    }
    if let Ok(zoned) = text.parse::<Zoned>() {
        return Ok(zoned.timestamp());
    }
    let wrong = |error: jiff::Error| format!("{text} is no time that can be used: {error}");
    // A date alone would be its first moment, which few people mean.
    let has_time = text.contains(':');
    if let Some(day) = text
        .parse::<civil::DateTime>()
        .ok()
        .filter(|_| has_time && text.contains('-'))
    {
        return Ok(day.to_zoned(zone).map_err(wrong)?.timestamp());
    }
    let Some(time) = text.parse::<civil::Time>().ok().filter(|_| has_time) else {
        return Err(
            "write a time of day such as 18:00, a local date and time such as 2026-11-23T18:00, or an instant such as 2026-11-23T17:00:00Z"
                .to_owned(),
        );
    };
    let today = now
        .date()
        .to_datetime(time)
        .to_zoned(zone.clone())
        .map_err(wrong)?;
    if today.timestamp() > now.timestamp() {
        return Ok(today.timestamp());
    }
    let tomorrow = now.date().checked_add(1.day()).map_err(wrong)?;
    let tomorrow = tomorrow.to_datetime(time).to_zoned(zone).map_err(wrong)?;
    Ok(tomorrow.timestamp())
}

/// In UTC, and in the local time zone where that is another.
pub fn in_words(moment: Timestamp) -> String {
    within(moment, TimeZone::system())
}

fn within(moment: Timestamp, zone: TimeZone) -> String {
    let local = moment.to_zoned(zone);
    if local.offset().is_zero() {
        return format!("{moment:.0}");
    }
    format!("{moment:.0} ({})", local.strftime("%Y-%m-%d %H:%M %:z"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: &str, text: &str) -> Result<String, String> {
        let now: Zoned = now.parse().unwrap();
        after(&now, text).map(|moment| moment.to_string())
    }

    #[test]
    fn a_time_of_day_is_the_next_one() {
        let now = "2026-11-30T17:30:00+01:00[Europe/Berlin]";
        for (text, expected) in [
            ("18:00", "2026-11-30T17:00:00Z"),
            ("17:30", "2026-12-01T16:30:00Z"),
            ("17:29:59", "2026-12-01T16:29:59Z"),
            ("08:00", "2026-12-01T07:00:00Z"),
            ("2026-12-24T18:00", "2026-12-24T17:00:00Z"),
            ("2026-12-24 18:00", "2026-12-24T17:00:00Z"),
            ("2026-12-24T18:00:00Z", "2026-12-24T18:00:00Z"),
            ("2026-12-24T18:00:00+05:00", "2026-12-24T13:00:00Z"),
        ] {
            assert_eq!(at(now, text).as_deref(), Ok(expected), "{text}");
        }
        // The clock goes back in the night between.
        let autumn = "2026-10-24T12:00:00+02:00[Europe/Berlin]";
        assert_eq!(at(autumn, "11:00").as_deref(), Ok("2026-10-25T10:00:00Z"));
        for wrong in ["18", "6pm", "2026-12-24", "25:00", "tomorrow", ""] {
            let error = at(now, wrong).unwrap_err();
            assert!(
                error.starts_with("write a time of day such as 18:00"),
                "{wrong}: {error}"
            );
        }
    }

    #[test]
    fn a_moment_is_shown_in_both_zones() {
        let moment: Timestamp = "2026-11-30T17:00:00Z".parse().unwrap();
        assert_eq!(within(moment, TimeZone::UTC), "2026-11-30T17:00:00Z");
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        assert_eq!(
            within(moment, berlin),
            "2026-11-30T17:00:00Z (2026-11-30 18:00 +01:00)"
        );
    }
}
