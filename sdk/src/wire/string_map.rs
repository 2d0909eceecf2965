//! Maps of strings, such as labels. For the few entries that they have, a sorted list takes a third of the memory of a `BTreeMap`,
//! whose smallest node has room for eleven.

use std::{collections::BTreeMap, fmt, slice, vec};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};

/// A map from names to strings, sorted by name: the labels of an incident, for example.
///
/// It has the methods of a `BTreeMap<String, String>`, but returns `&str`. A lookup is a binary search. Inserting and removing
/// move the entries behind, so use `collect` to build a large map.
///
/// ```
/// use coralogix_incidents::wire::StringMap;
///
/// let labels = StringMap::from([("service", "checkout"), ("environment", "production")]);
/// assert_eq!(labels.get("service"), Some("checkout"));
/// for (name, value) in &labels {
///     println!("{name}={value}");
/// }
/// ```
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct StringMap {
    /// Sorted by name, each name once.
    entries: Vec<Entry>,
}

type Entry = (Box<str>, Box<str>);

impl StringMap {
    /// The number of entries.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).ok().map(|index| &*self.entries[index].1)
    }

    /// Whether there is a value of this name.
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// Sets the value of a name and returns its previous value.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) -> Option<String> {
        let (name, value) = entry((name, value));
        match self.find(&name) {
            Ok(index) => Some(std::mem::replace(&mut self.entries[index].1, value).into()),
            Err(index) => {
                self.entries.insert(index, (name, value));
                None
            }
        }
    }

    /// Removes a name and returns its value.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.find(name).ok().map(|index| self.entries.remove(index).1.into())
    }

    /// The names and their values, in the order of the names.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.entries.iter())
    }

    /// The names, in their order.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.entries.iter().map(|(name, _)| &**name)
    }

    /// The values, in the order of the names.
    pub fn values(&self) -> impl ExactSizeIterator<Item = &str> + DoubleEndedIterator {
        self.entries.iter().map(|(_, value)| &**value)
    }

    /// The index of a name, or the index at which it would be inserted.
    fn find(&self, name: &str) -> Result<usize, usize> {
        self.entries.binary_search_by(|(other, _)| (**other).cmp(name))
    }

    /// If a name occurs more than once, its last value is kept.
    fn from_entries(mut entries: Vec<Entry>) -> Self {
        if !entries.is_sorted_by(|one, next| one.0 < next.0) {
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            entries.dedup_by(|next, kept| {
                let same = next.0 == kept.0;
                if same {
                    std::mem::swap(next, kept);
                }
                same
            });
        }
        Self { entries }
    }
}

fn entry((name, value): (impl Into<String>, impl Into<String>)) -> Entry {
    (name.into().into_boxed_str(), value.into().into_boxed_str())
}

impl fmt::Debug for StringMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for StringMap {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> Self {
        Self::from_entries(entries.into_iter().map(entry).collect())
    }
}

impl<K: Into<String>, V: Into<String>> Extend<(K, V)> for StringMap {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, entries: I) {
        self.entries.extend(entries.into_iter().map(entry));
        *self = Self::from_entries(std::mem::take(&mut self.entries));
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for StringMap {
    fn from(entries: [(K, V); N]) -> Self {
        entries.into_iter().collect()
    }
}

impl From<BTreeMap<String, String>> for StringMap {
    fn from(map: BTreeMap<String, String>) -> Self {
        map.into_iter().collect()
    }
}

impl From<StringMap> for BTreeMap<String, String> {
    fn from(map: StringMap) -> Self {
        map.into_iter().collect()
    }
}

/// The iterator that [`StringMap::iter`] returns.
#[derive(Debug, Clone)]
pub struct Iter<'a>(slice::Iter<'a, Entry>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (&**name, &**value))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for Iter<'_> {}

impl<'a> IntoIterator for &'a StringMap {
    type Item = (&'a str, &'a str);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The iterator over the owned entries of a [`StringMap`].
#[derive(Debug)]
pub struct IntoIter(vec::IntoIter<Entry>);

impl Iterator for IntoIter {
    type Item = (String, String);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(|(name, value)| (name.into(), value.into()))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl ExactSizeIterator for IntoIter {}

impl IntoIterator for StringMap {
    type Item = (String, String);
    type IntoIter = IntoIter;

    fn into_iter(self) -> IntoIter {
        IntoIter(self.entries.into_iter())
    }
}

impl Serialize for StringMap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for StringMap {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = StringMap;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a map of strings")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<StringMap, A::Error> {
                super::collect(|| map.next_entry()).map(StringMap::from_entries)
            }
        }

        deserializer.deserialize_map(Reader)
    }
}

#[cfg(feature = "schemars")]
impl schemars::JsonSchema for StringMap {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> std::borrow::Cow<'static, str> {
        BTreeMap::<String, String>::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        BTreeMap::<String, String>::json_schema(generator)
    }
}
