//! Checks that the bindings of an operation have the same messages, and that the operation has a value for each of their parameters.

use serde_json::Value;

use super::{Operation, Parameter, Reader, limits, query, reference_name, snake, text};
use crate::json_pointer::join;

impl<'a> Reader<'a> {
    pub(super) fn bindings(&mut self, operations: &[Operation]) {
        for operation in operations {
            let id = &operation.id;
            let of = match &operation.binding_of {
                None => Some(operation),
                Some(target) => operations.iter().find(|of| &of.id == target && of.binding_of.is_none()),
            };
            let Some(of) = of else {
                let target = operation.binding_of.as_deref().unwrap_or_default();
                let message = format!("`x-binding-of: {target}` must name an operation that has no `x-binding-of`");
                self.refuse(id, &operation.pointer, message);
                continue;
            };
            self.same_messages(operation, of);
            self.problems.extend(limits::check(self.document, operation, of));
            let twin = operations.iter().take_while(|other| !std::ptr::eq(*other, operation)).find(|other| {
                other.id != *id
                    && other.generation == operation.generation
                    && other.binding_of.as_ref().unwrap_or(&other.id) == &of.id
            });
            if let Some(twin) = twin {
                let message = format!(
                    "operations `{}` and `{id}` bind `{}` in the same generation: there can be one binding in each",
                    twin.id, of.id
                );
                self.problem(&operation.pointer, message);
            }
            for parameter in &operation.parameters {
                self.filled(operation, of, parameter);
            }
            if let Some(ids) = &of.incident_ids
                && operation.binding_of.is_none()
                && !of.parameters.iter().any(|parameter| &parameter.name == ids)
                && self.member(of, ids).is_none()
            {
                let message =
                    format!("`x-incident-ids: {ids}` is neither a parameter nor a member of the request message");
                self.refuse(id, &join(&operation.pointer, "x-incident-ids"), message);
            }
        }
    }

    /// A binding has the messages of the operation that it is a binding of.
    fn same_messages(&mut self, operation: &Operation, of: &Operation) {
        let (id, target) = (&operation.id, &of.id);
        if operation.response != of.response {
            let message = format!(
                "operation `{id}` responds with `{}`, but `{target}` responds with `{}`",
                operation.response, of.response
            );
            self.problem(&operation.pointer, message);
        }
        if operation.body.is_some() && operation.body != of.message {
            let message = format!("operation `{id}` and `{target}` must have the same request body");
            self.problem(&operation.pointer, message);
        }
    }

    /// A member of the request message of an operation.
    fn member(&self, of: &Operation, name: &str) -> Option<&'a Value> {
        let message = of.message.as_ref()?;
        self.document.get(&join(&format!("/components/schemas/{message}/properties"), name))
    }

    /// Something of the operation fills each parameter of its bindings, and what a message holds can be written in a query.
    fn filled(&mut self, operation: &Operation, of: &Operation, parameter: &Parameter) {
        let (id, name) = (&operation.id, &parameter.name);
        let Some(member) = &parameter.body_member else {
            if !of.parameters.iter().any(|other| snake(&other.name) == snake(name)) {
                let advice = "give both the same name, or write `x-body-member`";
                let message = format!("`{}` has no value for its parameter `{name}`: {advice}", of.id);
                self.refuse(id, &parameter.pointer, message);
            }
            return;
        };
        let Some(schema) = self.member(of, member) else {
            let problem = match &of.message {
                Some(message) => format!(" is not a member of `{message}`"),
                None => format!(", but `{}` has no request message: say `x-request-message`", of.id),
            };
            self.refuse(id, &parameter.pointer, format!("`x-body-member: {member}`{problem}"));
            return;
        };
        let problem = query::leaves(self.document, name, member, schema).err().or_else(|| {
            // The parameter's own schema says the same as the member's, but for its limits.
            let same = reference_name(schema) == reference_name(&parameter.schema)
                && text(schema, "type") == text(&parameter.schema, "type");
            (!same).then(|| format!("its schema is not that of the member `{member}`"))
        });
        if let Some(problem) = problem {
            self.refuse(id, &parameter.pointer, format!("parameter `{name}`: {problem}"));
        }
    }
}
