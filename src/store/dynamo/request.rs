//! What is asked of the table: keys, ranges, conditions, updates.

use std::collections::HashMap;

use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue};

use super::item::{Item, PARTITION, SORT, text, text_of};

/// Where an item is.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    pub pk: String,
    pub sk: String,
}

/// Which items of a partition a query asks for.
pub enum Sorts<'a> {
    All,
    /// Both included.
    Between(&'a str, &'a str),
}

/// What must hold for a write.
pub enum If {
    Always,
    /// There is no such item, or it has expired.
    Absent,
    /// The attribute is this.
    Is(&'static str, AttributeValue),
    /// The attribute is missing or less than this: a value that only rises.
    Below(&'static str, AttributeValue),
    /// The attribute is this or less.
    AtMost(&'static str, AttributeValue),
}

/// An update in DynamoDB's own words.
pub struct Update {
    pub expression: String,
    pub condition: String,
    pub names: HashMap<String, String>,
    pub values: HashMap<String, AttributeValue>,
    pub returns: ReturnValue,
}

impl Key {
    pub fn attributes(&self) -> Item {
        [(PARTITION, &self.pk), (SORT, &self.sk)].into_iter().map(|(name, v)| (name.to_owned(), text(v))).collect()
    }

    pub fn of(item: &Item) -> Option<Self> {
        Some(Self { pk: text_of(item, PARTITION)?.to_owned(), sk: text_of(item, SORT)?.to_owned() })
    }
}

impl Update {
    /// Names and values as `#name` and `:value` without their marks.
    pub fn new<const N: usize, const V: usize>(
        expression: &str,
        condition: &str,
        names: [(&str, &str); N],
        values: [(&str, AttributeValue); V],
    ) -> Self {
        Self {
            expression: expression.to_owned(),
            condition: condition.to_owned(),
            names: names.into_iter().map(|(short, name)| (format!("#{short}"), name.to_owned())).collect(),
            values: values.into_iter().map(|(short, value)| (format!(":{short}"), value)).collect(),
            returns: ReturnValue::None,
        }
    }
}
