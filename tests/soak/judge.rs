//! Whether what a caller was told agrees with what the emulator did. It knows nothing of connections.

use std::collections::HashMap;

use coralogix_incidents::{Effect, ErrorKind};

use crate::load::OperationResult;

/// A request as the emulator saw it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// 0 if nothing was answered.
    pub(crate) status: u16,
    pub(crate) whole: bool,
    pub(crate) changed: bool,
}

/// The requests of each call, by correlation id.
pub(crate) type Log = HashMap<String, Vec<Seen>>;

/// Reads the emulator's log, a request on each line.
pub(crate) fn read_log(lines: impl Iterator<Item = String>) -> Log {
    let mut log = Log::new();
    for line in lines {
        let mut words = line.split(' ');
        let correlation_id = words.next().unwrap_or_default();
        let status = words.next().and_then(|word| word.parse().ok()).expect("a status");
        let (whole, changed) = (words.next() == Some("true"), words.next() == Some("true"));
        log.entry(correlation_id.to_owned()).or_default().push(Seen { status, whole, changed });
    }
    log
}

/// How what the caller was told differs from what the emulator did.
pub(crate) fn contradiction(call: &OperationResult, seen: &[Seen]) -> Option<String> {
    // An attempt that was given up may reach a busy emulator after the one that followed it, so the order says nothing.
    let answered = |status| seen.iter().any(|seen| seen.status == status);
    let complaint = match &call.outcome {
        _ if seen.len() > call.attempts as usize => "more requests than attempts".to_owned(),
        Ok(()) if !seen.iter().any(|seen| seen.status == 200 && seen.whole) => "succeeded without an answer".to_owned(),
        Err(failure) if matches!(failure.kind, ErrorKind::Status(status) if !answered(status.as_u16())) => {
            format!("another answer: {}", failure.text)
        }
        Err(failure) if failure.effect == Effect::None && seen.iter().any(|seen| seen.changed) => {
            format!("it changed something: {}", failure.text)
        }
        Err(failure) if failure.effect == Effect::Applied && !answered(200) => {
            format!("it did not take effect: {}", failure.text)
        }
        _ => return None,
    };
    Some(format!("{}: {complaint}; {} attempts, the emulator saw {seen:?}", call.correlation_id, call.attempts))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::{
        emulator::{log_lines, with_faults},
        load::{Failure, Tally, epoch},
    };

    #[tokio::test]
    async fn a_different_log_is_a_contradiction() {
        // Errors enough for a short run.
        let emulator = with_faults(&["*:401:p=0.1"]).start().await.expect("starts");
        let client = crate::client(emulator.url()).build().expect("a client");
        let (mut tally, mut calls) = (Tally::default(), Vec::new());
        // As many as it takes to have some of each kind.
        while calls.len() < 100 || tally.retries == 0 || calls.iter().all(|call: &OperationResult| call.outcome.is_ok())
        {
            calls.extend(epoch(&client, &mut tally, Duration::from_millis(100)).await);
        }
        let log = read_log(log_lines(&emulator).into_iter());

        let complaints = |forge: fn(&mut Seen)| {
            let judged = calls.iter().map(|call| {
                let mut seen: Vec<Seen> = log.get(&call.correlation_id).into_iter().flatten().copied().collect();
                seen.iter_mut().for_each(forge);
                contradiction(call, &seen)
            });
            judged.flatten().collect::<Vec<_>>()
        };
        assert_eq!(complaints(|_| {}), [""; 0], "the true log");
        let said = |complaints: &[String], what: &str| complaints.iter().any(|complaint| complaint.contains(what));
        assert!(said(&complaints(|seen| seen.whole = false), "succeeded without an answer"));
        assert!(said(&complaints(|seen| seen.status = 418), "another answer"));
    }

    #[test]
    fn an_effect_that_is_not_in_the_log_is_a_contradiction() {
        let seen = Seen { status: 503, whole: true, changed: false };
        let call = |attempts, effect| {
            let kind = ErrorKind::Status(503.try_into().expect("a status"));
            let outcome = Err(Failure { kind, effect, text: "error".to_owned() });
            OperationResult { correlation_id: "id".to_owned(), attempts, outcome }
        };
        let complaint = |call, seen: &[Seen]| contradiction(&call, seen).expect("a contradiction");
        assert_eq!(contradiction(&call(2, Effect::None), &[seen; 2]), None);
        assert!(complaint(call(1, Effect::None), &[seen; 2]).contains("more requests than attempts"));
        assert!(complaint(call(1, Effect::Applied), &[seen]).contains("it did not take effect"));
        let changed = Seen { changed: true, ..seen };
        assert!(complaint(call(2, Effect::None), &[changed, seen]).contains("it changed something"));
        assert_eq!(contradiction(&call(2, Effect::Unknown), &[changed, seen]), None);
    }
}
