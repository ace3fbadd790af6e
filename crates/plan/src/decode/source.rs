//! Values as serde reads them, with errors kept apart by kind.

use serde::de::value::MapAccessDeserializer;
use serde::de::{self, DeserializeSeed, Deserializer, IntoDeserializer, Unexpected, Visitor};
use serde_json::{Map, Value};

use super::fault::{Fault, Names, Stop, article, kind, spoken};
use crossfade_model::error::Segment;

/// A value as serde reads it. serde_json's own way would keep errors as text only, and take a list for a struct.
#[derive(Clone, Copy)]
pub(super) struct ValueSource<'v>(pub(super) &'v Value);

struct Items<'v> {
    rest: std::slice::Iter<'v, Value>,
    taken: usize,
}

impl<'de> de::SeqAccess<'de> for Items<'de> {
    type Error = Stop;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        let Some(item) = self.rest.next() else {
            return Ok(None);
        };
        let index = self.taken;
        self.taken += 1;
        let decoded = seed.deserialize(ValueSource(item));
        decoded
            .map(Some)
            .map_err(|stop| stop.under(Segment::Index(index)))
    }
}

struct Entries<'v> {
    rest: serde_json::map::Iter<'v>,
    /// The entry whose key was read last.
    current: Option<(&'v String, &'v Value)>,
}

impl<'de> de::MapAccess<'de> for Entries<'de> {
    type Error = Stop;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Stop> {
        self.current = self.rest.next();
        let Some((key, _)) = self.current else {
            return Ok(None);
        };
        let decoded = seed.deserialize(key.as_str().into_deserializer());
        decoded
            .map(Some)
            .map_err(|stop: Stop| stop.under(Segment::Key(key.clone())))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Stop> {
        let (key, value) = self
            .current
            .take()
            .ok_or_else(|| <Stop as de::Error>::custom("a value was read before its key"))?;
        let decoded = seed.deserialize(ValueSource(value));
        decoded.map_err(|stop| stop.under(Segment::Key(key.clone())))
    }
}

fn entries(mapping: &Map<String, Value>) -> Entries<'_> {
    Entries {
        rest: mapping.iter(),
        current: None,
    }
}

impl<'de> Deserializer<'de> for ValueSource<'de> {
    type Error = Stop;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.0 {
            Value::Null => visitor.visit_unit(),
            Value::Bool(value) => visitor.visit_bool(*value),
            Value::Number(number) => match (number.as_u64(), number.as_i64(), number.as_f64()) {
                (Some(value), _, _) => visitor.visit_u64(value),
                (None, Some(value), _) => visitor.visit_i64(value),
                (None, None, value) => visitor.visit_f64(value.unwrap_or(f64::NAN)),
            },
            Value::String(value) => visitor.visit_borrowed_str(value),
            Value::Array(items) => {
                let mut list = Items {
                    rest: items.iter(),
                    taken: 0,
                };
                let decoded = visitor.visit_seq(&mut list)?;
                if list.taken < items.len() {
                    let expected = format!("a list of {}", list.taken);
                    let found = format!("{} of them", items.len());
                    return Err(Stop::from(Fault::Unfit { expected, found }));
                }
                Ok(decoded)
            }
            Value::Object(mapping) => visitor.visit_map(entries(mapping)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        visitor.visit_newtype_struct(self)
    }

    /// Derived structs would take a list for their fields in order, which no plan should mean.
    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Stop> {
        match self.0 {
            Value::Array(_) => Err(de::Error::invalid_type(Unexpected::Seq, &visitor)),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: Names,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        _: Names,
        visitor: V,
    ) -> Result<V::Value, Stop> {
        let decoded = match self.0 {
            Value::String(variant) => visitor.visit_enum(variant.as_str().into_deserializer()),
            Value::Object(mapping) if mapping.len() == 1 => {
                visitor.visit_enum(MapAccessDeserializer::new(entries(mapping)))
            }
            Value::Object(_) => Err(Stop::from(Fault::Several { called: name })),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                let noun = spoken(name);
                let expected = format!("{} {noun}", article(&noun));
                Err(Stop::from(Fault::Unfit {
                    expected,
                    found: kind(self.0).to_owned(),
                }))
            }
        };
        decoded.map_err(|mut stop| {
            if let Fault::UnknownName {
                called: called @ None,
                ..
            } = &mut stop.fault
                && called.is_none()
                && stop.way.len() <= 1
            {
                *called = Some(name);
            }
            stop
        })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct identifier ignored_any
    }
}
