//! The table of operations, generated from the OpenAPI document.

use crate::{ApiGeneration, Error, request};

/// An operation of the API, as described in the OpenAPI document.
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
    /// The `operationId` in the OpenAPI document.
    pub fn id(&self) -> &'static str {
        self.id
    }

    /// The permission that the API key needs.
    pub fn permission(&self) -> &'static str {
        self.permission
    }

    /// Whether the operation requires a personal key. The service refuses keys that belong to a team.
    pub fn requires_personal_key(&self) -> bool {
        self.personal_key
    }

    /// Whether the operation may be repeated.
    pub fn idempotency(&self) -> Idempotency {
        self.idempotency
    }

    /// The name of the parameter, or of the member of the request message, that holds incident ids. `None` if the operation
    /// takes no ids.
    pub fn incident_ids(&self) -> Option<&'static str> {
        self.incident_ids
    }

    /// The bindings of the operation, one for each generation that has it. There is at least one; the preferred one is first.
    pub fn bindings(&self) -> &'static [Binding] {
        self.bindings
    }

    /// The binding in an API generation. `None` if that generation does not have the operation.
    pub fn binding(&self, generation: ApiGeneration) -> Option<&'static Binding> {
        self.bindings.iter().find(|binding| binding.generation == generation)
    }

    /// The maximum number of ids in one request, in whichever generation it is sent.
    pub(crate) fn max_incident_ids(&self) -> usize {
        self.bindings.iter().filter_map(|binding| binding.max_incident_ids).min().unwrap_or(usize::MAX)
    }

    /// The binding that is tried first.
    pub(crate) fn preferred(&self) -> &'static Binding {
        &self.bindings[0]
    }
}

/// The HTTP binding of an operation in one API generation: a method, a path below the base URL, and a query.
#[derive(Debug, PartialEq, Eq)]
pub struct Binding {
    pub(crate) generation: ApiGeneration,
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static [QueryParameter],
    pub(crate) excluded: &'static [&'static str],
    pub(crate) max_incident_ids: Option<usize>,
    pub(crate) max_page_size: Option<usize>,
}

impl Binding {
    /// The API generation of this binding.
    pub fn generation(&self) -> ApiGeneration {
        self.generation
    }

    /// The HTTP method, such as `POST`.
    pub fn method(&self) -> &'static str {
        self.method
    }

    /// The path template, such as `/v1/incidents/{id}`.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The query parameters. A list is sent as repeated parameters: `ids=a&ids=b`.
    pub fn query(&self) -> &'static [QueryParameter] {
        self.query
    }

    /// Members of the request message that this binding cannot send, as dotted paths. A query cannot hold maps or lists of
    /// messages. A request that sets one of these members is refused before anything is sent.
    pub fn excluded_members(&self) -> &'static [&'static str] {
        self.excluded
    }

    /// The maximum number of ids of incidents in one request. `None` if no maximum is documented, or if the operation is not
    /// given a list of ids. [`Client::bulk`](crate::Client::bulk) splits any number of ids into requests.
    pub fn max_incident_ids(&self) -> Option<usize> {
        self.max_incident_ids
    }

    /// The maximum page size. `None` if no maximum is documented, or if the operation does not return pages.
    pub fn max_page_size(&self) -> Option<usize> {
        self.max_page_size
    }

    /// The name of the list that is the only query parameter, if the ids of a call are sent in the query.
    pub(crate) fn query_list(&self) -> Option<&'static str> {
        match self.query {
            [QueryParameter { name, list: true, .. }] => Some(name),
            _ => None,
        }
    }

    /// The path of one incident: [`path`](Self::path) with the percent-encoded id in it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest) if the id is blank, is `.` or `..`, or contains white
    /// space, `/` or `:`. Requests with such an id are never sent.
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
        request::check_text("id", id, request::PATH_SEGMENT)?;
        Ok(match self.path.split_once('{').and_then(|(before, rest)| Some((before, rest.split_once('}')?.1))) {
            Some((before, after)) => format!("{before}{}{after}", request::encode_path(id)),
            None => self.path.to_owned(),
        })
    }
}

/// A query parameter of a [`Binding`], and the member of the request message that it holds.
#[derive(Debug, PartialEq, Eq)]
pub struct QueryParameter {
    pub(crate) name: &'static str,
    pub(crate) member: &'static str,
    pub(crate) list: bool,
    pub(crate) json_type: JsonType,
}

impl QueryParameter {
    /// The name in the query, such as `filter.timestamp.startTime`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The dotted path of the member in the JSON of the request message, such as `orderBy.direction`. If the parameter is not a
    /// member of a message, its own name.
    pub fn member(&self) -> &'static str {
        self.member
    }

    /// Whether the parameter is a list, sent once for each element.
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

/// Whether an operation may be repeated, as defined by [RFC 9110](https://www.rfc-editor.org/rfc/rfc9110#section-9.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Idempotency {
    /// The operation changes nothing.
    Safe,
    /// Repeating the operation leads to the same state.
    Idempotent,
    /// Repeating the operation may apply it twice.
    NonIdempotent,
}
