//! Values of a configuration file that people write in more than one way.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, SeqAccess, Visitor};

/// A command: a list of words, or a text in words as a shell reads them.
#[derive(Debug)]
pub(super) enum Words {
    Text(String),
    List(Vec<String>),
}

impl<'de> Deserialize<'de> for Words {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Words;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a string or a list of strings")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Words, E> {
                Ok(Words::Text(text.to_owned()))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Words, A::Error> {
                let mut words = Vec::new();
                while let Some(word) = list.next_element()? {
                    words.push(word);
                }
                Ok(Words::List(words))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A port: a number, or a text such as `53/udp`.
#[derive(Debug)]
pub(super) struct Port(pub(super) String);

impl<'de> Deserialize<'de> for Port {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Port;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a string")
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Port, E> {
                Ok(Port(text.to_owned()))
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Port, E> {
                Ok(Port(number.to_string()))
            }
        }
        deserializer.deserialize_any(Either)
    }
}
