//! The body of a request, read as strictly as it is described.

use axum::Json;
use axum::extract::{FromRequest, Request};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Code, Failure, failure};

/// A request's body. What cannot be read is told as every other error is.
pub(super) struct JsonBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Serialize> FromRequest<S> for JsonBody<T> {
    type Rejection = Failure;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failure> {
        match Json::<Value>::from_request(request, state).await {
            Ok(Json(given)) => read(given).map(Self).map_err(|why| failure(Code::Malformed, why)),
            Err(rejection) => Err(failure(Code::Malformed, rejection.body_text())),
        }
    }
}

fn read<T: DeserializeOwned + Serialize>(mut given: Value) -> Result<T, String> {
    wholes(&mut given);
    let body = T::deserialize(&given)
        .map_err(|error| format!("the body does not have the form that is described: {error}"))?;
    let back = serde_json::to_value(&body).map_err(|error| error.to_string())?;
    if has_the_objects_of(&back, &given) {
        Ok(body)
    } else {
        Err("the body has an array where an object is described".into())
    }
}

/// Writes numbers without a fraction as whole ones: to JSON Schema they are (draft 2020-12, 6.1.1), to serde they are not.
fn wholes(value: &mut Value) {
    /// Up to here every whole number has a form of its own (IEEE 754, binary64).
    const EXACT: f64 = 9_007_199_254_740_992.0;
    match value {
        Value::Array(all) => all.iter_mut().for_each(wholes),
        Value::Object(fields) => fields.values_mut().for_each(wholes),
        Value::Number(number) if number.is_f64() => {
            let whole = number.as_f64().filter(|number| number.fract() == 0.0 && number.abs() <= EXACT);
            if let Some(whole) = whole.and_then(|whole| format!("{whole:.0}").parse::<i64>().ok()) {
                *value = whole.into();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Tells whether what was read as an object was one: serde takes an array of the values for it, too.
fn has_the_objects_of(read: &Value, given: &Value) -> bool {
    match (read, given) {
        (Value::Object(read), Value::Object(given)) => {
            read.iter().all(|(name, value)| given.get(name).is_none_or(|given| has_the_objects_of(value, given)))
        }
        (Value::Array(read), Value::Array(given)) => {
            read.iter().zip(given).all(|(read, given)| has_the_objects_of(read, given))
        }
        (Value::Object(_), _) => false,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::read;
    use bailey_interface::{ApproveBody, IdsBody, RuleChange};

    #[test]
    fn bodies_are_what_is_described_and_nothing_else() {
        assert!(read::<IdsBody>(json!({"ids": ["a"]})).is_ok());
        assert!(read::<IdsBody>(json!([["a"]])).is_err(), "an array for an object");
        let proof = json!({
            "challenge": "", "credential": "", "session": "", "assertion": {"kind": "passphrase-key", "signature": ""}
        });
        assert!(read::<ApproveBody>(json!({"shown": [{"id": "", "digest": ""}], "proof": proof})).is_ok());
        assert!(read::<ApproveBody>(json!({"shown": [["", ""]], "proof": proof})).is_err(), "within an object");
        assert!(read::<RuleChange>(json!({"remove": []})).is_ok() && read::<RuleChange>(json!({"more": 1})).is_err());
        assert_eq!(read::<u16>(json!(306.0)), Ok(306));
        assert_eq!(read::<u64>(json!(9_007_199_254_740_992.0)), Ok(9_007_199_254_740_992));
        assert!(read::<u16>(json!(306.5)).is_err() && read::<u16>(json!(70_000)).is_err());
    }
}
