//! What the document states of an operation.

use crate::{ApiGeneration, Error, request};

/// An operation of the service, as the OpenAPI document states it.
///
/// ```
/// use coralogix_incidents::{Client, Idempotency};
///
/// let mut operations = Client::operations();
/// let unassign = operations.find(|operation| operation.id() == "unassignIncidents");
/// let unassign = unassign.expect("documented");
/// assert_eq!(unassign.idempotency(), Idempotency::Idempotent);
/// assert_eq!(unassign.permission(), "incidents:assign");
/// ```
#[derive(Debug, PartialEq, Eq)]
pub struct Operation {
    pub(crate) id: &'static str,
    pub(crate) permission: &'static str,
    pub(crate) personal_key: bool,
    pub(crate) idempotency: Idempotency,
    pub(crate) incident_ids: Option<&'static str>,
    pub(crate) bindings: &'static [Binding],
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

    /// Whether only a personal key may call it: the service refuses keys that belong to a team.
    pub fn requires_personal_key(&self) -> bool {
        self.personal_key
    }

    /// Whether it may be repeated.
    pub fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// The parameter, or the member of the request message, that holds ids of incidents. `None` for an operation that is not
    /// given any.
    pub fn incident_ids(&self) -> Option<&'static str> {
        self.incident_ids
    }

    /// How the operation is sent in each generation that has it: at least one, the preferred one first.
    pub fn bindings(&self) -> &'static [Binding] {
        self.bindings
    }

    /// How the operation is sent in one generation. `None` if that generation does not have it.
    pub fn binding(&self, generation: ApiGeneration) -> Option<&'static Binding> {
        self.bindings.iter().find(|binding| binding.generation == generation)
    }

    /// The binding that is tried first.
    pub(crate) fn preferred(&self) -> &'static Binding {
        &self.bindings[0]
    }
}

/// How an operation is sent in one generation of the API: an HTTP method, a path below the base URL, and a query.
#[derive(Debug, PartialEq, Eq)]
pub struct Binding {
    pub(crate) generation: ApiGeneration,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static [QueryParameter],
    pub(crate) excluded: &'static [&'static str],
}

impl Binding {
    /// The generation that this binding belongs to.
    pub fn generation(&self) -> ApiGeneration {
        self.generation
    }

    /// The HTTP method, such as `POST`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The path's template, such as `/v1/incidents/{id}`.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The names that may stand in the query. A list is repeated: `ids=a&ids=b`.
    pub fn query(&self) -> &'static [QueryParameter] {
        self.query
    }

    /// Members of the request message that this binding cannot carry, as dotted paths: maps, and lists of messages, do not
    /// travel in a query. A request in which one of them is set is refused before anything is sent.
    pub fn excluded_members(&self) -> &'static [&'static str] {
        self.excluded
    }

    /// The name of the one list in the query, where the ids of a call travel there.
    pub(crate) fn query_list(&self) -> Option<&'static str> {
        match self.query {
            [QueryParameter { name, list: true, .. }] => Some(name),
            _ => None,
        }
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
    /// let mut operations = Client::operations();
    /// let get = operations.find(|operation| operation.id() == "getIncident");
    /// let get = get.expect("documented");
    /// let binding = get.binding(ApiGeneration::V1).expect("it is in V1");
    /// assert_eq!(binding.path_of("50%")?, "/v1/incidents/50%25");
    /// # Ok::<(), coralogix_incidents::Error>(())
    /// ```
    pub fn path_of(&self, id: &str) -> Result<String, Error> {
        request::text("id", id, request::PATH_SEGMENT)?;
        Ok(match self.path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
            Some((before, after)) => format!("{before}{}{after}", request::encode_path(id)),
            None => self.path.to_owned(),
        })
    }
}

/// A name in the query of a [`Binding`], and the member of the request message that it carries.
#[derive(Debug, PartialEq, Eq)]
pub struct QueryParameter {
    pub(crate) name: &'static str,
    pub(crate) member: &'static str,
    pub(crate) list: bool,
    pub(crate) json_type: JsonType,
}

impl QueryParameter {
    /// The name as it stands in the query, such as `filter.timestamp.startTime`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The dotted path of the member in the JSON of the request message, such as `orderBy.direction`. For a parameter that no
    /// message holds, its own name.
    pub fn member(&self) -> &'static str {
        self.member
    }

    /// Whether it may be repeated, once for each element of a list.
    pub fn is_list(&self) -> bool {
        self.list
    }

    /// The JSON type of the value, or of each element of a list.
    pub fn json_type(&self) -> JsonType {
        self.json_type
    }
}

/// The JSON type of a scalar member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonType {
    /// Text, a time, a duration, the name of an enum value, or a 64-bit integer.
    String,
    /// An integer.
    Integer,
    /// `true` or `false`.
    Boolean,
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
