//! The values of one column.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::ArrayRef;
use arrow_array::builder::{
    ArrayBuilder, BooleanBuilder, Float32Builder, Float64Builder, ListBuilder, StringBuilder,
    UInt64Builder,
};
use arrow_schema::{DataType, Field};

use crate::builder::Row;

/// Text of a report.
pub(crate) type Text<'r> = Option<Cow<'r, str>>;

/// How a column gets its value from a report; the type of the column follows.
#[derive(Clone, Copy)]
pub(crate) enum Get {
    /// `utf8`.
    Text(for<'r> fn(&'r Row<'_>) -> Text<'r>),
    /// `uint64`.
    Count(fn(&Row<'_>) -> Option<u64>),
    /// `double`.
    Number(fn(&Row<'_>) -> Option<f64>),
    /// `bool`.
    Flag(fn(&Row<'_>) -> bool),
    /// `list<utf8>`, of which an item is null where it is unknown.
    Texts(for<'r> fn(&'r Row<'_>) -> Vec<Text<'r>>),
    /// `list<float>`.
    Numbers(fn(&Row<'_>) -> Vec<f32>),
}

impl Get {
    pub(crate) fn data_type(self) -> DataType {
        match self {
            Self::Text(_) => DataType::Utf8,
            Self::Count(_) => DataType::UInt64,
            Self::Number(_) => DataType::Float64,
            Self::Flag(_) => DataType::Boolean,
            Self::Texts(_) => list(DataType::Utf8),
            Self::Numbers(_) => list(DataType::Float32),
        }
    }

    pub(crate) fn builder(self) -> Values {
        match self {
            Self::Text(get) => Values::Text(get, StringBuilder::new()),
            Self::Count(get) => Values::Count(get, UInt64Builder::new()),
            Self::Number(get) => Values::Number(get, Float64Builder::new()),
            Self::Flag(get) => Values::Flag(get, BooleanBuilder::new()),
            Self::Texts(get) => Values::Texts(get, ListBuilder::new(StringBuilder::new())),
            Self::Numbers(get) => Values::Numbers(get, ListBuilder::new(Float32Builder::new())),
        }
    }
}

fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new_list_field(item, true)))
}

/// The values of a column so far.
pub(crate) enum Values {
    Text(for<'r> fn(&'r Row<'_>) -> Text<'r>, StringBuilder),
    Count(fn(&Row<'_>) -> Option<u64>, UInt64Builder),
    Number(fn(&Row<'_>) -> Option<f64>, Float64Builder),
    Flag(fn(&Row<'_>) -> bool, BooleanBuilder),
    Texts(for<'r> fn(&'r Row<'_>) -> Vec<Text<'r>>, ListBuilder<StringBuilder>),
    Numbers(fn(&Row<'_>) -> Vec<f32>, ListBuilder<Float32Builder>),
}

impl Values {
    pub(crate) fn add(&mut self, row: &Row<'_>) {
        match self {
            Self::Text(get, values) => values.append_option(get(row)),
            Self::Count(get, values) => values.append_option(get(row)),
            Self::Number(get, values) => values.append_option(get(row)),
            Self::Flag(get, values) => values.append_value(get(row)),
            Self::Texts(get, values) => {
                for text in get(row) {
                    values.values().append_option(text);
                }
                values.append(true);
            }
            Self::Numbers(get, values) => {
                for number in get(row) {
                    values.values().append_value(number);
                }
                values.append(true);
            }
        }
    }

    pub(crate) fn finish(&mut self) -> ArrayRef {
        match self {
            Self::Text(_, values) => ArrayBuilder::finish(values),
            Self::Count(_, values) => ArrayBuilder::finish(values),
            Self::Number(_, values) => ArrayBuilder::finish(values),
            Self::Flag(_, values) => ArrayBuilder::finish(values),
            Self::Texts(_, values) => ArrayBuilder::finish(values),
            Self::Numbers(_, values) => ArrayBuilder::finish(values),
        }
    }
}
