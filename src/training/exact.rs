//! Numbers in files as text: readers of JSON may round the last bit of a number, and a run that goes on needs every bit.

/// A number as its shortest text that means it alone.
pub(super) mod number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(number: &f64, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(number)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<f64, D::Error> {
        let text = String::deserialize(from)?;
        let number: f64 = text.parse().map_err(D::Error::custom)?;
        if number.is_finite() { Ok(number) } else { Err(D::Error::custom("a number that is not finite")) }
    }
}

/// A number that may be absent.
pub(super) mod optional {
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(number: &Option<f64>, to: S) -> Result<S::Ok, S::Error> {
        match number {
            Some(number) => super::number::serialize(number, to),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<f64>, D::Error> {
        #[derive(Deserialize)]
        struct Exact(#[serde(with = "super::number")] f64);
        Ok(Option::<Exact>::deserialize(from)?.map(|Exact(number)| number))
    }
}

/// Pairs of loss and accuracy.
pub(super) mod validations {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::optim::Validation;

    #[derive(Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Pair {
        #[serde(with = "super::number")]
        loss: f64,
        #[serde(with = "super::number")]
        accuracy: f64,
    }

    pub fn serialize<S: Serializer>(validations: &[Validation], to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(validations.iter().map(|v| Pair { loss: v.loss, accuracy: v.accuracy }))
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Validation>, D::Error> {
        let pairs = Vec::<Pair>::deserialize(from)?;
        Ok(pairs.into_iter().map(|pair| Validation { loss: pair.loss, accuracy: pair.accuracy }).collect())
    }
}
