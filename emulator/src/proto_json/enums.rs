//! Enums in requests: a gateway refuses names that it does not know, and takes the number of a value for its name. It knows
//! the messages of requests, each of whose enums is named here; a test holds this against the document.

use coralogix_incidents::types;

/// A message whose enums can be judged.
pub(crate) trait Enums {
    /// The first enum name that the document does not list, with the member that has it.
    fn unknown_name(&self) -> Option<(&'static str, String)>;
}

/// A generated enum.
pub(crate) trait Known: Sized + Clone + 'static {
    const VALUES: &'static [Self];
    fn unknown(&self) -> Option<&str>;

    /// The value itself; the value that a number stands for, if it was given as one. The document lists enums by their
    /// numbers.
    fn known(&self) -> Self {
        let number = self.unknown().and_then(|text| text.parse().ok());
        number.and_then(|number: usize| Self::VALUES.get(number)).unwrap_or(self).clone()
    }

    fn name_if_unknown(&self) -> Option<String> {
        self.unknown().filter(|text| text.parse::<i64>().is_err()).map(str::to_owned)
    }
}

macro_rules! known {
    ($($name:ident),*) => {
        $(impl Known for types::$name {
            const VALUES: &'static [Self] = Self::KNOWN;

            fn unknown(&self) -> Option<&str> {
                self.is_unrecognized().then(|| self.as_str())
            }
        })*
    };
}

known!(
    IncidentState,
    IncidentStatus,
    IncidentSeverity,
    IncidentFields,
    FilterOperator,
    OrderByDirection,
    IncidentEventOrderByFieldType
);

type Unknown = Option<(&'static str, String)>;

fn one<'a, E: Known>(field: &'static str, values: impl IntoIterator<Item = &'a E>) -> Unknown {
    values.into_iter().find_map(Known::name_if_unknown).map(|name| (field, name))
}

/// Messages without enums.
macro_rules! no_enums {
    ($($name:ident),*) => {
        $(impl Enums for types::$name {
            fn unknown_name(&self) -> Unknown {
                None
            }
        })*
    };
}

no_enums!(
    AssignIncidentsRequest,
    UnassignIncidentsRequest,
    AcknowledgeIncidentsRequest,
    ResolveIncidentsRequest,
    CloseIncidentsRequest
);

impl Enums for types::IncidentQueryFilter {
    fn unknown_name(&self) -> Unknown {
        let search = self.search_query.as_ref().and_then(|query| query.incident_field.as_ref());
        one("status", &self.status)
            .or_else(|| one("state", &self.state))
            .or_else(|| one("severity", &self.severity))
            .or_else(|| one("incident_field", search))
            .or_else(|| one("meta_labels_op", &self.meta_labels_op))
    }
}

impl Enums for types::IncidentEventQueryFilter {
    fn unknown_name(&self) -> Unknown {
        let operator = self.labels.as_ref().and_then(|labels| labels.operator.as_ref());
        one("status", &self.status).or_else(|| one("severity", &self.severity)).or_else(|| one("operator", operator))
    }
}

impl<T: Enums> Enums for Option<T> {
    fn unknown_name(&self) -> Unknown {
        self.as_ref().and_then(Enums::unknown_name)
    }
}

impl Enums for types::ListIncidentsRequest {
    fn unknown_name(&self) -> Unknown {
        let orders = || self.order_bys.iter();
        self.filter
            .unknown_name()
            .or_else(|| one("incident_field", orders().filter_map(|order| order.incident_field.as_ref())))
            .or_else(|| one("direction", orders().filter_map(|order| order.direction.as_ref())))
    }
}

impl Enums for types::ListIncidentAggregationsRequest {
    fn unknown_name(&self) -> Unknown {
        let groups = || self.group_bys.iter();
        self.filter
            .unknown_name()
            .or_else(|| one("incident_field", groups().filter_map(|group| group.incident_field.as_ref())))
            .or_else(|| one("order_by_direction", groups().filter_map(|group| group.order_by_direction.as_ref())))
    }
}

impl Enums for types::ListIncidentEventsRequest {
    fn unknown_name(&self) -> Unknown {
        let order = self.order_by.as_ref();
        self.filter
            .unknown_name()
            .or_else(|| one("field", order.and_then(|order| order.field.as_ref())))
            .or_else(|| one("direction", order.and_then(|order| order.direction.as_ref())))
    }
}

impl Enums for types::GetFilterValuesRequest {
    fn unknown_name(&self) -> Unknown {
        self.filter.unknown_name()
    }
}

impl Enums for types::ListIncidentEventsTotalCountRequest {
    fn unknown_name(&self) -> Unknown {
        self.filter.unknown_name()
    }
}

impl Enums for types::ListIncidentEventsFilterValuesRequest {
    fn unknown_name(&self) -> Unknown {
        self.filter.unknown_name()
    }
}
