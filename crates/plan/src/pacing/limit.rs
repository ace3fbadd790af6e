//! One signal's limits: from where on it slows the backfill, from where on it stops it.

use super::{super::span::Span, Bytes};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// From `slow` on batches are spaced out, from `stop` on there are none.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(
    try_from = "LimitWords<T>",
    bound = "T: Amount + Serialize + for<'a> Deserialize<'a>"
)]
pub struct Limit<T> {
    pub slow: T,
    pub stop: T,
    pub when_stale: WhenStale,
}

/// What an unavailable or outdated reading means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WhenStale {
    #[default]
    Stop,
    Slow,
    Ignore,
}

/// A quantity in its signal's unit: seconds, bytes, or a number of things.
pub trait Amount: Copy {
    fn amount(self) -> f64;
}

impl Amount for Span {
    fn amount(self) -> f64 {
        self.duration().as_secs_f64()
    }
}

impl Amount for Bytes {
    fn amount(self) -> f64 {
        self.count() as f64
    }
}

impl Amount for u64 {
    fn amount(self) -> f64 {
        self as f64
    }
}

impl Amount for f64 {
    fn amount(self) -> f64 {
        self
    }
}

impl<T> Limit<T> {
    pub fn new(slow: T, stop: T) -> Self {
        Self {
            slow,
            stop,
            when_stale: WhenStale::Stop,
        }
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitWords<T> {
    slow: T,
    stop: T,
    #[serde(default)]
    when_stale: WhenStale,
}

impl<T: Amount> TryFrom<LimitWords<T>> for Limit<T> {
    type Error = String;
    fn try_from(words: LimitWords<T>) -> Result<Self, String> {
        fits(words.slow.amount(), words.stop.amount())?;
        Ok(Self {
            slow: words.slow,
            stop: words.stop,
            when_stale: words.when_stale,
        })
    }
}

pub(super) fn fits(slow: f64, stop: f64) -> Result<(), String> {
    if !(slow > 0.0 && slow.is_finite() && stop.is_finite()) {
        return Err("`slow` must be more than 0, or it would always hold".to_owned());
    }
    if stop < slow {
        return Err("`stop` is below `slow`".to_owned());
    }
    Ok(())
}

/// `off` is written out: a signal that is left out has its default.
pub mod or_off {
    use serde::{
        Deserialize, Deserializer, Serialize, Serializer,
        de::{Error, MapAccess, Unexpected, Visitor, value::MapAccessDeserializer},
    };
    use std::{fmt, marker::PhantomData};

    pub fn serialize<T: Serialize, S: Serializer>(
        limit: &Option<T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match limit {
            Some(limit) => limit.serialize(serializer),
            None => serializer.serialize_str("off"),
        }
    }

    pub fn deserialize<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<T>, D::Error> {
        deserializer.deserialize_any(OrOff(PhantomData))
    }

    struct OrOff<T>(PhantomData<T>);

    impl<'de, T: Deserialize<'de>> Visitor<'de> for OrOff<T> {
        type Value = Option<T>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("`off` or limits such as {slow: …, stop: …}")
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            match text {
                "off" => Ok(None),
                other => Err(E::invalid_value(Unexpected::Str(other), &self)),
            }
        }

        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Self::Value, M::Error> {
            T::deserialize(MapAccessDeserializer::new(map)).map(Some)
        }
    }
}
