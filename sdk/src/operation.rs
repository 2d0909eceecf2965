//! What the document states of an operation.

use crate::{ApiGeneration, Client, Error, generated::operations, request};

/// An operation of the service, as the OpenAPI document states it.
///
/// ```
/// use coralogix_incidents::{Client, Idempotency};
///
/// let unassign = Client::operations().find(|operation| operation.id() == "unassignIncidents").expect("documented");
/// assert_eq!(unassign.idempotency(), Idempotency::Idempotent);
/// assert_eq!(unassign.permission(), "incidents:assign");
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    pub(crate) id: &'static str,
    pub(crate) permission: &'static str,
    pub(crate) idempotency: Idempotency,
    pub(crate) v1: Binding,
    pub(crate) v5: Option<Binding>,
}

impl Operation {
    /// The document's `operationId`.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// The permission that the API key needs.
    pub fn permission(&self) -> &'static str {
        self.permission
    }

    /// Whether it may be repeated.
    pub fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// How it travels in a generation; `None` if that generation does not have it.
    pub fn binding(&self, generation: ApiGeneration) -> Option<Binding> {
        match generation {
            ApiGeneration::V1 => Some(self.v1),
            ApiGeneration::V5 => self.v5,
        }
    }
}

/// An HTTP method and a path below the base URL, with parameters in braces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query_list: Option<&'static str>,
}

impl Binding {
    /// The HTTP method, such as `POST`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The path's template, such as `/v1/incidents/{id}`.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The path of one incident: [`path`](Self::path) with an id in it, escaped as a request has it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the id is blank, has white space, a `/` or a `:` in
    /// it, or is `.` or `..`: no request is made of such an id.
    ///
    /// ```
    /// use coralogix_incidents::{ApiGeneration, Client};
    ///
    /// let get = Client::operations().find(|operation| operation.id() == "getIncident").expect("documented");
    /// let binding = get.binding(ApiGeneration::V1).expect("all operations are in V1");
    /// assert_eq!(binding.path_of("50%")?, "/v1/incidents/50%25");
    /// # Ok::<(), coralogix_incidents::Error>(())
    /// ```
    pub fn path_of(&self, id: &str) -> Result<String, Error> {
        request::text("id", id, request::Text::PathSegment)?;
        Ok(match self.path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
            Some((before, after)) => format!("{before}{}{after}", request::encode_path(id)),
            None => self.path.to_owned(),
        })
    }

    /// The query parameter that is repeated for each id, where the ids travel in the URL: `ids=a&ids=b`.
    pub fn query_list(&self) -> Option<&'static str> {
        self.query_list
    }
}

/// Whether an operation may be repeated, in the words of [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// It changes nothing.
    Safe,
    /// Repeating it leaves the same state.
    Idempotent,
    /// Repeating it may apply it twice.
    NonIdempotent,
}

impl Client {
    /// Every operation, in the document's order.
    pub fn operations() -> impl Iterator<Item = &'static Operation> {
        operations::ALL.iter().copied()
    }
}
