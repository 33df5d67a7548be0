//! What a run leaves behind: records in a file that can be read on another machine.

use crate::judge::Verdict;
use crate::observation::Observation;
use crate::system::Ground;
use serde::{Deserialize, Serialize};

/// Files say which form they have.
const FORM: u32 = 1;

/// A file of records.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Evidence {
    /// The form of the file.
    #[serde(rename = "milwright-lab")]
    pub form: u32,
    /// What was run.
    pub records: Vec<Record>,
}

/// One experiment, run once.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Record {
    /// The experiment.
    pub experiment: String,
    /// Its title.
    pub title: String,
    /// Machine or double: a record of a double says nothing about hardware.
    pub ground: Ground,
    /// The system with its version, or `the doubles`.
    pub system: String,
    /// The processor.
    pub machine: String,
    /// When, in UTC.
    pub date: String,
    /// The version of Milwright.
    pub version: String,
    /// The seed of random inputs.
    pub seed: u64,
    /// Was it repeated?
    pub verdict: Verdict,
    /// What was found.
    pub observation: Observation,
}

impl Record {
    /// How its rows are labelled: `double (the doubles)`, `Apple M4 Max, macOS 15.5`.
    pub fn label(&self) -> String {
        match self.ground {
            Ground::Double => format!("double (on {})", self.machine),
            Ground::Machine => format!("{}, {}", self.machine, self.system),
        }
    }
}

impl Evidence {
    /// Records as a file.
    pub fn of(records: Vec<Record>) -> Evidence {
        Evidence { form: FORM, records }
    }

    /// The file's text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default() + "\n"
    }

    /// Reads a file's text. Error: it is none of ours, or of a later form.
    pub fn read(text: &str) -> Result<Evidence, String> {
        let read: Evidence =
            serde_json::from_str(text).map_err(|e| format!("no evidence of the lab: {e}"))?;
        if read.form != FORM {
            return Err(format!("evidence of form {}, which this version does not know", read.form));
        }
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let record = Record {
            experiment: "Z1".into(),
            title: "t".into(),
            ground: Ground::Double,
            system: "the doubles".into(),
            machine: "cpu".into(),
            date: "2026-01-01T00:00:00Z".into(),
            version: "0".into(),
            seed: 1,
            verdict: Verdict::Differs(vec!["a".into()]),
            observation: Observation::default(),
        };
        let file = Evidence::of(vec![record]);
        assert_eq!(Evidence::read(&file.to_json()), Ok(file.clone()));
        let later = file.to_json().replace("\"milwright-lab\": 1", "\"milwright-lab\": 2");
        assert!(Evidence::read(&later).unwrap_err().contains("form 2"));
        assert!(Evidence::read("{}").is_err());
    }
}
