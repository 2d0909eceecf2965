//! Cuts sorted items into pages. It knows nothing of what the items are.
//!
//! A page token holds the sort keys of the last item of its page, and the next page starts after these keys. So items that do not
//! change are neither repeated nor skipped while other items are added, removed or moved.

use std::cmp::Ordering;

use coralogix_incidents::types;
use serde::{Deserialize, Serialize};

use super::{error::Rejection, ids::hash, query::SortKey};

/// The default number of items of a page.
pub(crate) const DEFAULT_SIZE: usize = 100;

/// The maximum number of items of a page.
#[derive(Debug, Clone, Copy)]
pub(crate) enum PageLimit {
    /// A larger page size is reduced to the maximum.
    Reduce(usize),
    /// A larger page size is rejected.
    Reject(usize),
}

#[derive(Debug, Serialize, Deserialize)]
struct Token {
    /// A hash of the query that the token belongs to.
    query: u64,
    after: Vec<SortKey>,
}

/// Returns the requested page. Each item comes with its sort keys, the last of which is unique. `descending` says for each key
/// whether it sorts in descending order. A token is only valid for the `query` that it was issued for.
pub(crate) fn page<T>(
    mut items: Vec<(Vec<SortKey>, T)>,
    descending: &[bool],
    pagination: Option<&types::PaginationRequest>,
    limit: PageLimit,
    query: &impl Serialize,
) -> Result<(Vec<T>, types::PaginationResponse), Rejection> {
    let total = items.len();
    let query = hash(&serde_json::to_vec(query).unwrap_or_default());
    let size = size(pagination, limit)?;
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

fn size(pagination: Option<&types::PaginationRequest>, limit: PageLimit) -> Result<usize, Rejection> {
    let size = pagination.and_then(|pagination| pagination.page_size).unwrap_or_default();
    let invalid = |_| Rejection::invalid(format!("page_size: {size} is not an unsigned 32-bit number"));
    let size = usize::try_from(u32::try_from(size).map_err(invalid)?).unwrap_or(usize::MAX);
    match limit {
        _ if size == 0 => Ok(DEFAULT_SIZE),
        PageLimit::Reject(max) if size > max => {
            Err(Rejection::invalid(format!("page_size: {size} is more than the maximum of {max}")))
        }
        PageLimit::Reduce(max) | PageLimit::Reject(max) => Ok(size.min(max)),
    }
}

fn compare(one: &[SortKey], other: &[SortKey], descending: &[bool]) -> Ordering {
    let pairs = one.iter().zip(other).zip(descending);
    let mut orders = pairs.map(|((one, other), descends)| if *descends { other.cmp(one) } else { one.cmp(other) });
    orders.find(|order| order.is_ne()).unwrap_or(Ordering::Equal)
}

/// Tokens are opaque to clients, so they are written in hexadecimal.
fn write(token: &Token) -> String {
    let json = serde_json::to_vec(token).unwrap_or_default();
    json.iter().fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"))
}

fn read(token: &str) -> Option<Token> {
    let bytes = (0..token.len()).step_by(2).map(|at| u8::from_str_radix(token.get(at..at + 2)?, 16).ok());
    serde_json::from_slice(&bytes.collect::<Option<Vec<_>>>()?).ok()
}
