//! Known deviations of services from the documented behavior. It knows what they are, not how they come about.

/// A way in which a service is known to deviate from what it documents. Clients should cope with each of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Quirk {
    /// A list of incidents has `nextPageToken` at its top level instead of in `pagination`.
    TopLevelPageToken,
    /// A successful call that changes incidents is answered with 200 and an empty body.
    EmptyResponses,
    /// V1 calls that change incidents read their message from the query and ignore the JSON body. A call that has its ids in
    /// the body is answered with 200, and nothing changes.
    IgnoredBodies,
    /// As [`IgnoredBodies`](Self::IgnoredBodies), but a call without ids in the query is answered with 400.
    RefusedBodies,
}
