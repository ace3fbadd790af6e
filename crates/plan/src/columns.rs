//! A list of columns: `[item_name, batch]`, or as in SQL `item_name, batch`.

use crossfade_model::ident::Ident;
use crossfade_sql::lexer::split_list;
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{Error, SeqAccess, Visitor},
};
use std::fmt;

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Columns(Vec<Ident>);

impl Columns {
    pub fn names(&self) -> &[Ident] {
        &self.0
    }
}

impl fmt::Display for Columns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<String> = self.0.iter().map(Ident::to_string).collect();
        f.write_str(&names.join(", "))
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Columns;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("columns, as a list or separated by commas")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Columns, E> {
        let names = split_list(text).into_iter();
        let parsed: Result<Vec<Ident>, _> = names.map(str::parse).collect();
        distinct(parsed.map_err(E::custom)?)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Columns, A::Error> {
        let mut names = Vec::new();
        while let Some(name) = list.next_element()? {
            names.push(name);
        }
        distinct(names)
    }
}

fn distinct<E: Error>(names: Vec<Ident>) -> Result<Columns, E> {
    for (number, name) in names.iter().enumerate() {
        if names[..number].contains(name) {
            return Err(E::custom(format!(
                "{name} is there twice: name each column once"
            )));
        }
    }
    if names.is_empty() {
        return Err(E::custom("at least one column is wanted"));
    }
    Ok(Columns(names))
}

impl<'de> Deserialize<'de> for Columns {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(List)
    }
}

#[cfg(test)]
mod tests {
    use super::Columns;

    #[test]
    fn columns_are_a_list_or_text_and_none_is_there_twice() {
        let read = |json| serde_json::from_str::<Columns>(json).map(|columns| columns.to_string());
        assert_eq!(read(r#"["a", "\"B c\""]"#).unwrap(), r#"a, "B c""#);
        assert_eq!(read(r#""a, \"b,c\"""#).unwrap(), r#"a, "b,c""#);
        assert!(read("[]").is_err());
        assert!(read(r#""a, a""#).is_err());
        assert!(read(r#""a, b) WHERE (true""#).is_err());
    }
}
