//! The interface described: the OpenAPI document that the home gives, and `docs/api.md`. Both are made of the table of routes.

use std::collections::BTreeMap;

use bailey_interface::{Code, Failure};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::table::{ROWS, Row};
use crate::routes::Method;

/// Schemas by their names.
pub(crate) type Components = BTreeMap<String, Value>;

/// Describes a type, and adds what it speaks of to the components.
pub(crate) fn schema_of<T: ToSchema>(components: &mut Components) -> Value {
    let mut spoken_of = Vec::new();
    T::schemas(&mut spoken_of);
    for (name, schema) in spoken_of {
        components.entry(name).or_insert_with(|| serde_json::to_value(schema).unwrap_or_default());
    }
    let schema = serde_json::to_value(T::schema()).unwrap_or_default();
    let is_object = schema.get("properties").is_some() || schema.get("enum").is_some();
    if !is_object {
        return schema;
    }
    let name = T::name().into_owned();
    let to = reference(&name);
    components.insert(name, schema);
    to
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// Returns the name of a type, without where it stands.
pub(crate) fn type_name<T: ToSchema>() -> String {
    let name = std::any::type_name::<T>();
    let short: String = name.split_inclusive(['<', '>']).map(|part| part.rsplit("::").next().unwrap_or(part)).collect();
    match short.as_str() {
        "()" => "nothing".into(),
        "Octets" | "Text" | "Events" => T::name().into_owned(),
        other => other.into(),
    }
}

/// Returns what may go wrong at a route, by what it takes: the document lists no less.
fn failures(row: &Row) -> Vec<Code> {
    let mut all = vec![Code::Unauthenticated, Code::Busy, Code::Internal];
    let takes = row.body.is_some() || row.query.is_some() || row.path.contains('{');
    all.extend(takes.then_some([Code::Malformed, Code::Invalid]).into_iter().flatten());
    // The query of files names a folder or a file, too.
    let names_one = row.path.contains('{') || row.body.is_some() || row.name == "FILES";
    all.extend(names_one.then_some(Code::NotFound));
    all.extend(
        (row.shows.is_proven() || row.shows.is_open() || row.path.ends_with("/passkey")).then_some(Code::NotAuthorised),
    );
    all.extend(
        (row.method == Method::Post)
            .then_some([Code::TooLong, Code::Conflict, Code::Paused, Code::DiskFull])
            .into_iter()
            .flatten(),
    );
    // A log that is shorter than it was.
    all.extend(row.path.ends_with("/consistency").then_some(Code::Conflict));
    all.sort_by_key(|code| (code.status(), code.name()));
    all
}

/// Makes the OpenAPI document (OpenAPI 3.1.0).
pub(crate) fn openapi() -> Value {
    let mut components = Components::new();
    let failure = schema_of::<Failure>(&mut components);
    let mut paths: Map<String, Value> = Map::new();
    for row in ROWS {
        let operation = operation(row, &failure, &mut components);
        let path = paths.entry(row.path).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(row.method.name().to_lowercase(), operation);
        }
    }
    let whole = components.clone();
    components.values_mut().for_each(|schema| merged(schema, &whole));
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Bailey",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "The interface of one home. Every request carries the home's token as `Authorization: Bearer`, or the \
                cookie of a browser's session; either proposes and observes. What needs the person carries an assertion of \
                theirs besides (docs/approval-format.md).",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
        "security": [{ "token": [] }],
    });
    bounded(&mut document);
    document
}

/// Gives numbers that are never below zero their bound above, in the place of a name for signed ones.
fn bounded(value: &mut Value) {
    match value {
        Value::Array(all) => all.iter_mut().for_each(bounded),
        Value::Object(fields) => {
            fields.values_mut().for_each(bounded);
            let most = match fields.get("format").and_then(Value::as_str) {
                Some("int32") => u64::from(u32::MAX),
                Some("int64") => u64::MAX,
                Some(_) | None => return,
            };
            if fields.get("minimum").and_then(Value::as_u64) == Some(0) {
                fields.remove("format");
                fields.entry("maximum").or_insert(most.into());
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn operation(row: &Row, failure: &Value, components: &mut Components) -> Value {
    let mut parameters: Vec<Value> = parts(row.path)
        .map(|name| {
            let schema = match name {
                "id" => json!({ "type": "string", "pattern": "^[0-9a-f]{32}$" }),
                "turn" | "n" => json!({ "type": "integer", "minimum": 0, "maximum": u64::MAX }),
                _ => json!({ "type": "string", "minLength": 1 }),
            };
            json!({ "name": name, "in": "path", "required": true, "schema": schema })
        })
        .collect();
    if let Some(query) = row.query {
        let mut own = Components::new();
        query(&mut own);
        let fields = own.values().filter_map(|schema| schema.get("properties")?.as_object()).flatten();
        parameters
            .extend(fields.map(|(name, schema)| json!({ "name": name, "in": "query", "schema": not_null(schema) })));
    }
    parameters.extend(row.header.map(|name| json!({ "name": name, "in": "header", "schema": { "type": "string" } })));
    let mut responses = Map::new();
    let (answer, name) = ((row.answer.schema)(components), (row.answer.name)());
    let media = if name.contains('/') { name } else { "application/json".into() };
    let schema = if (row.answer.name)() == "nothing" { json!({ "type": "null" }) } else { answer };
    responses.insert("200".into(), json!({ "description": "Done", "content": { media: { "schema": schema } } }));
    for code in failures(row) {
        let said = json!({ "description": code.about(), "content": { "application/json": { "schema": failure } } });
        responses.entry(code.status().to_string()).or_insert(said);
    }
    let mut operation = json!({
        "operationId": row.name.to_lowercase(),
        "summary": about(row),
        "parameters": parameters,
        "responses": responses,
    });
    if let (Some(body), Some(fields)) = (&row.body, operation.as_object_mut()) {
        let schema = (body.schema)(components);
        fields.insert(
            "requestBody".into(),
            json!({ "required": true, "content": { "application/json": { "schema": schema } } }),
        );
    }
    if let (true, Some(fields)) = (row.shows.is_open(), operation.as_object_mut()) {
        fields.insert("security".into(), json!([]));
    }
    operation
}

/// Returns the names of the parts of a path that a client fills in.
fn parts(path: &'static str) -> impl Iterator<Item = &'static str> {
    path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
}

fn about(row: &Row) -> String {
    row.about.iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ")
}

/// Returns a value of a query is there or not; it is never `null`.
fn not_null(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(types) = schema.get_mut("type").filter(|types| types.is_array()) {
        let one = types.as_array().and_then(|all| all.iter().find(|one| *one != "null")).cloned();
        *types = one.unwrap_or_default();
    }
    schema
}

/// Refuses further fields in one of several kinds, as the reader does: each is told by its `kind`.
fn closed(schema: &mut Value) {
    let is_kind = schema.pointer("/properties/kind").is_some();
    if let Some(fields) = schema.as_object_mut().filter(|_| is_kind) {
        fields.insert("additionalProperties".into(), false.into());
    }
}

/// Makes one schema of those that `allOf` joins: where each refuses further fields, nothing could satisfy all of them.
fn merged(schema: &mut Value, components: &Components) {
    match schema {
        Value::Array(all) => all.iter_mut().for_each(|one| merged(one, components)),
        Value::Object(fields) => {
            fields.values_mut().for_each(|one| merged(one, components));
            if let Some(Value::Array(kinds)) = fields.get_mut("oneOf") {
                kinds.iter_mut().for_each(closed);
            }
            let Some(Value::Array(all)) = fields.remove("allOf") else { return };
            for one in all {
                let named =
                    one.get("$ref").and_then(Value::as_str).and_then(|to| components.get(to.rsplit('/').next()?));
                let Some(one) = named.or(Some(&one)).and_then(Value::as_object) else { continue };
                for (name, value) in one {
                    match (fields.get_mut(name), value) {
                        (Some(Value::Object(have)), Value::Object(more)) => have.extend(more.clone()),
                        (Some(Value::Array(have)), Value::Array(more)) => have.extend(more.iter().cloned()),
                        (Some(_), _) => {}
                        (None, value) => drop(fields.insert(name.clone(), value.clone())),
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;
    use crate::api::table::Shows;

    /// Writes `docs/api.md`.
    fn page() -> String {
        let mut page = String::from(HEAD);
        for row in ROWS {
            let shows = match row.shows {
                Shows::Token => "",
                Shows::Assertion => "yes",
                Shows::Nothing => "no, nor a token",
                Shows::AssertionAlone => "yes, and no token",
            };
            let takes = row.body.as_ref().map_or_else(String::new, |body| format!("`{}`", (body.name)()));
            let (method, path, answer) = (row.method.name(), row.path, (row.answer.name)());
            let _ = writeln!(page, "| `{method} {path}` | {} | {takes} | `{answer}` | {shows} |", about(row));
        }
        page.push_str("\n## Errors\n\nEach is a `Failure`: `code`, a word for programs, and `message`, for people.\n\n| code | status | meaning |\n|---|---|---|\n");
        for code in Code::ALL {
            let _ = writeln!(page, "| `{}` | {} | {} |", code.name(), code.status(), code.about());
        }
        page
    }

    const HEAD: &str = "\
# The interface

Made of the table of routes (`crates/bailey-home/src/api/table.rs`) and held by a test; `UPDATE_EXPECT=1 cargo test -p bailey-home` writes it
anew. A running home describes each field in `GET /v1/openapi.json`.

Over the home's socket, or the gateway's address. Every request carries `Authorization: Bearer` and the home's token, or the cookie of a
browser's session; either proposes and observes. A session counts only for requests that a page of the dashboard makes. Any kind of client
may ask for any route; an *assertion* is the person's own, over exactly what is asked for ([approval-format.md](approval-format.md)).

| route | what it does | takes | answers | assertion |
|---|---|---|---|---|
";

    #[test]
    fn page_in_the_documents_is_made_of_the_table() {
        expect_test::expect_file!["../../../../docs/api.md"].assert_eq(&page());
    }

    #[test]
    fn every_body_with_a_proof_is_of_a_route_that_wants_one() {
        for row in ROWS {
            let mut components = Components::new();
            let body = row.body.as_ref().map(|body| (body.schema)(&mut components)).unwrap_or_default();
            let name =
                body.get("$ref").and_then(Value::as_str).and_then(|to| to.rsplit('/').next()).unwrap_or_default();
            let has_proof = components.get(name).is_some_and(|schema| schema["properties"].get("proof").is_some());
            assert_eq!(has_proof, row.shows.is_proven(), "{}", row.name);
        }
    }
}
