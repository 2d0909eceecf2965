//! Pages: the items after a token, in an order. It knows nothing of what the items are.
//!
//! A token holds the sort keys of the last item that was seen, so that a page begins after it wherever it may be by then: what
//! does not change is neither repeated nor missed while other items come, go and move.

use std::cmp::Ordering;

use coralogix_incidents::types;
use serde::{Deserialize, Serialize};

use super::{error::Rejection, ids::hash, query::SortKey};

/// How many items a page has if nothing is said.
pub(crate) const DEFAULT_SIZE: usize = 100;
/// How many it has at most, whatever is said.
pub(crate) const MAX_SIZE: usize = 1000;

#[derive(Debug, Serialize, Deserialize)]
struct Token {
    /// What was asked for: a token of another query is of no use.
    query: u64,
    after: Vec<SortKey>,
}

/// The page that is asked for. `items` carry their sort keys, of which the last ones make them distinct; `descending` says of
/// each key whether it descends. `query` is what the token belongs to.
pub(crate) fn page<T>(
    mut items: Vec<(Vec<SortKey>, T)>,
    descending: &[bool],
    pagination: Option<&types::PaginationRequest>,
    query: &impl Serialize,
) -> Result<(Vec<T>, types::PaginationResponse), Rejection> {
    let total = items.len();
    let query = hash(&serde_json::to_vec(query).unwrap_or_default());
    let size = size(pagination)?;
    let compare = |one: &[SortKey], other: &[SortKey]| compare(one, other, descending);
    if let Some(token) =
        pagination.and_then(|pagination| pagination.page_token.as_deref()).filter(|token| !token.is_empty())
    {
        let after = read(token).filter(|token| token.query == query && token.after.len() == descending.len());
        let after = after.ok_or_else(|| Rejection::invalid("invalid page token"))?.after;
        items.retain(|(keys, _)| compare(keys, &after) == Ordering::Greater);
    }
    let more = items.len() > size;
    if more {
        items.select_nth_unstable_by(size, |(one, _), (other, _)| compare(one, other));
        items.truncate(size);
    }
    items.sort_unstable_by(|(one, _), (other, _)| compare(one, other));
    let mut response = types::PaginationResponse::default().with_total_size(i64::try_from(total).unwrap_or(i64::MAX));
    if more && let Some((after, _)) = items.last() {
        response.next_page_token = Some(write(&Token { query, after: after.clone() }));
    }
    Ok((items.into_iter().map(|(_, item)| item).collect(), response))
}

fn size(pagination: Option<&types::PaginationRequest>) -> Result<usize, Rejection> {
    let Some(size) = pagination.and_then(|pagination| pagination.page_size) else { return Ok(DEFAULT_SIZE) };
    let bad = |_| Rejection::invalid(format!("page_size: {size} is no unsigned 32-bit number"));
    match u32::try_from(size).map_err(bad)? {
        0 => Ok(DEFAULT_SIZE),
        size => Ok(usize::try_from(size).unwrap_or(MAX_SIZE).min(MAX_SIZE)),
    }
}

fn compare(one: &[SortKey], other: &[SortKey], descending: &[bool]) -> Ordering {
    let pairs = one.iter().zip(other).zip(descending);
    let mut orders = pairs.map(|((one, other), descends)| if *descends { other.cmp(one) } else { one.cmp(other) });
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Hexadecimal, for it is to be passed on and not to be read.
fn write(token: &Token) -> String {
    let json = serde_json::to_vec(token).unwrap_or_default();
    json.iter().flat_map(|byte| [byte >> 4, byte & 15]).filter_map(|digit| char::from_digit(digit.into(), 16)).collect()
}

fn read(token: &str) -> Option<Token> {
    let digits: Option<Vec<u8>> =
        token.chars().map(|digit| Some(u8::try_from(digit.to_digit(16)?).ok()? & 15)).collect();
    let digits = digits.filter(|digits| digits.len() % 2 == 0)?;
    let json: Vec<u8> = digits.chunks(2).map(|pair| pair.iter().fold(0, |byte, digit| byte << 4 | digit)).collect();
    serde_json::from_slice(&json).ok()
}
