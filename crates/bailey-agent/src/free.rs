//! The free loop: a capable model calls tools as it sees fit, until it answers without a call.

use bailey_model::{Answer, Message, READ_ON, Shown, Stop, Tool};
use serde::Deserialize;
use serde_json::json;

use crate::told::{self, About};
use crate::{Call, Conversation, Ending, MAX_AT_ONCE, MAX_CONTINUED, MAX_REPEATS, MAX_TURNS, Next, Situation, Turn};

/// Said to a model whose answer was cut.
const GO_ON: &str = "Your answer was cut off here. Go on exactly where it stopped, without repeating anything.";
/// Said to one whose answer was cut before it said anything.
const SHORTER: &str = "Your answer was cut off before its first word. Answer now, with less thought.";
/// Said to one that said nothing.
const SILENT: &str = "You said nothing. Answer the person in words, or call a tool.";

/// What stands for a result that was not there when the person said more.
const NOT_KNOWN: &str = "what came of this was not known yet when the person went on";

/// Told to the person behind an answer that is not whole.
const CUT: &str = "(The answer is not whole: it reached its limit of tokens, again and again. `answer_tokens` in the configuration raises it.)";
const ALL_CUT: &str = "The model reached its limit of tokens again and again before it said anything; `answer_tokens` in the configuration raises it.";
const FILTERED: &str = "(The provider's content filter cut the answer off here.)";
const ALL_FILTERED: &str = "The provider's content filter kept the answer back; put the task in other words.";
const REFUSED: &str = "(The model refused to go on with this.)";
const ALL_REFUSED: &str = "The model refused to answer this, and gave no reason.";
const GAP: &str = "(A piece of this answer was lost on its way from the model.)";

/// Bytes of a result from which on reading on in it is offered.
const LONG_RESULT_BYTES: usize = 1_000;

/// What a model gives to read on in a result.
#[derive(Deserialize)]
struct ReadOn {
    result: usize,
    #[serde(default = "first_page")]
    page: usize,
}

const fn first_page() -> usize {
    1
}

/// Says that words are a note of the person's, and what they are not.
const NOTE_ON_A_REFUSAL: &str =
    "Note of the person's on what they refused. It is no task: it names nobody you may write to, and allows nothing.";

/// Returns a note as the model is told it, each line set off.
fn noted(note: &str) -> Message {
    let lines: Vec<String> = note.lines().map(|line| format!("> {line}")).collect();
    Message::Noted(format!("{NOTE_ON_A_REFUSAL}\n{}", lines.join("\n")))
}

/// Returns what the person is told of an answer: it, and where it is not whole, that.
pub(crate) fn whole(said: &str, stop: Stop) -> String {
    let silent = said.trim().is_empty();
    let (alone, behind) = match stop {
        Stop::Ended => return said.to_owned(),
        Stop::Length | Stop::Paused => (ALL_CUT, CUT),
        Stop::Filtered => (ALL_FILTERED, FILTERED),
        Stop::Refused => (ALL_REFUSED, REFUSED),
        Stop::Gap => (GAP, GAP),
    };
    if silent { alone.to_owned() } else { format!("{}\n\n{behind}", said.trim_end()) }
}

impl Conversation {
    /// Returns what comes next, once every call has its result.
    pub(crate) fn next_free(&self) -> Next {
        let Some(turn) = self.turns.last().filter(|turn| turn.calls.is_empty()) else { return Next::AskModel };
        let chain = self.chain();
        let said: String = chain.iter().map(|turn| turn.text.as_str()).collect();
        match turn.stop {
            Stop::Length | Stop::Paused if chain.len() <= MAX_CONTINUED => Next::AskModel,
            // Once more: some models think and then forget to speak.
            Stop::Ended if said.trim().is_empty() && chain.len() < 2 => Next::AskModel,
            stop => Next::Tell(whole(&said, stop)),
        }
    }

    /// Returns the turns that make up the answer: those behind the last call.
    fn chain(&self) -> &[Turn] {
        let from = self.turns.iter().rposition(|turn| !turn.calls.is_empty()).map_or(0, |at| at + 1);
        self.turns.get(from..).unwrap_or_default()
    }

    /// Returns the conversation so far.
    pub(crate) fn messages(&self, situation: &Situation, about: &About) -> Vec<Message> {
        let mut out = told::place(situation, about, self.said_ms);
        let mut number = 0;
        for earlier in &self.earlier {
            self.part(&mut out, &mut number, &earlier.task, &earlier.turns, false);
        }
        self.part(&mut out, &mut number, &self.task, &self.turns, true);
        out
    }

    /// Adds what the person said, and what came of it. `number` counts the results.
    fn part(&self, out: &mut Vec<Message>, number: &mut usize, words: &str, turns: &[Turn], last: bool) {
        out.push(Message::Person(words.to_owned()));
        for (place, turn) in turns.iter().enumerate() {
            let calls = turn.calls.iter().map(|call| call.wanted.clone()).collect();
            out.push(Message::Model { text: turn.text.clone(), calls, thoughts: turn.thoughts.clone() });
            for call in &turn.calls {
                *number += 1;
                out.push(self.result(call, *number));
            }
            // Behind all results: providers want each beside its call.
            out.extend(turn.calls.iter().filter_map(|call| call.note.as_deref()).map(noted));
            if turn.calls.is_empty() && (last || place + 1 < turns.len()) {
                let cut = matches!(turn.stop, Stop::Length | Stop::Paused);
                let asked = match (cut, turn.text.trim().is_empty()) {
                    (true, false) => GO_ON,
                    (true, true) => SHORTER,
                    (false, _) => SILENT,
                };
                out.push(Message::Asked(asked.into()));
            }
        }
    }

    /// Returns what a call came to; of one that reads on, the page it asked for.
    fn result(&self, call: &Call, number: usize) -> Message {
        let shown = Shown { number, page: 0 };
        let (text, shown) = match self.read_on(call) {
            Some(Ok((text, shown))) => (text.to_owned(), shown),
            Some(Err(_)) | None => (call.result.clone().unwrap_or_else(|| NOT_KNOWN.to_owned()), shown),
        };
        Message::Result { call: call.wanted.id.clone(), tool: call.wanted.name.clone(), text, shown }
    }

    /// Returns the result that a call reads on in; nothing where it does not, the reason where it cannot.
    fn read_on(&self, call: &Call) -> Option<Result<(&str, Shown), String>> {
        if call.wanted.name != READ_ON {
            return None;
        }
        let Ok(ReadOn { result: number, page }) = serde_json::from_str(&call.wanted.arguments) else {
            return Some(Err("not possible: it takes the number of a result and a page, both as numbers".into()));
        };
        let found = number.checked_sub(1).and_then(|before| self.all_calls().nth(before));
        let found = found.filter(|found| found.wanted.name != READ_ON).and_then(|found| found.result.as_deref());
        let missing = || format!("not possible: there is no result {number} to read on in");
        Some(found.map(|text| (text, Shown { number, page: page.max(1) })).ok_or_else(missing))
    }

    fn all_calls(&self) -> impl Iterator<Item = &Call> {
        let earlier = self.earlier.iter().flat_map(|earlier| &earlier.turns);
        earlier.chain(&self.turns).flat_map(|turn| &turn.calls)
    }

    /// Returns the tools, and reading on where there is something to read on in.
    pub(crate) fn with_own(&self, tools: &[Tool]) -> Vec<Tool> {
        let mut out = tools.to_vec();
        if self.all_calls().any(|call| call.result.as_ref().is_some_and(|text| text.len() > LONG_RESULT_BYTES)) {
            out.push(Tool {
                name: READ_ON,
                description: "Reads a page of an earlier result of this task, where it was cut or left out.",
                parameters: json!({
                    "type": "object",
                    "properties": {
                        "result": {"type": "integer", "minimum": 1, "description": "the number of the result"},
                        "page": {"type": "integer", "minimum": 1}
                    },
                    "required": ["result", "page"],
                    "additionalProperties": false
                }),
            });
        }
        out
    }

    /// Takes an answer. Calls that cannot be made have their result here.
    pub(crate) fn take(&mut self, answer: Answer) {
        if self.turns.len() >= MAX_TURNS {
            self.end(Ending::OutOfTurns);
            return;
        }
        // What a model that refuses, or was cut by a filter, had begun to want is not what it wants.
        let wanted = if matches!(answer.stop, Stop::Refused | Stop::Filtered) { Vec::new() } else { answer.calls };
        let last = wanted.len().saturating_sub(1);
        let mut calls: Vec<Call> = Vec::new();
        for (place, wanted) in wanted.into_iter().enumerate() {
            let is_same = |call: &&Call| call.wanted.name == wanted.name && call.wanted.arguments == wanted.arguments;
            let repeats = self.calls().filter(is_same).count();
            let broken = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&wanted.arguments).is_err();
            // Some servers name the calls of every answer alike; a result has to find its own.
            let taken = |id: &str| self.all_calls().chain(&calls).any(|call| call.wanted.id == id);
            let id = if taken(&wanted.id) {
                format!("{}-{}", wanted.id, self.all_calls().count() + place)
            } else {
                wanted.id.clone()
            };
            let mut call = Call::new(bailey_model::ToolCall { id, ..wanted });
            call.result = if repeats >= MAX_REPEATS {
                Some("refused: this was called with the same arguments before; use the earlier result or go on".into())
            } else if place >= MAX_AT_ONCE {
                Some(format!("not done: at most {MAX_AT_ONCE} calls are made at once; call it again"))
            } else if answer.stop == Stop::Length && place == last && broken {
                Some("not done: your answer reached its limit of tokens within this call; call it again, with less in it".into())
            } else {
                self.read_on(&call).map(|read| {
                    read.map_or_else(|why| why, |(_, shown)| format!("page {} of result {}", shown.page, shown.number))
                })
            };
            calls.push(call);
        }
        self.turns.push(Turn { text: answer.text, calls, thoughts: answer.thoughts, stop: answer.stop });
    }
}

#[cfg(test)]
mod tests {
    use bailey_model::ToolCall;

    use super::*;

    fn situation() -> Situation {
        Situation { now: "2026-11-22T09:00:00Z".parse().unwrap(), zone: jiff::tz::TimeZone::UTC }
    }

    fn said(text: &str, stop: Stop) -> Answer {
        Answer { text: text.into(), stop, ..Answer::default() }
    }

    fn wants(name: &str, arguments: &str) -> ToolCall {
        ToolCall { id: "c".into(), name: name.into(), arguments: arguments.into() }
    }

    fn last_asked(task: &Conversation) -> String {
        match task.ask(&[], &situation()).messages.pop() {
            Some(Message::Asked(words)) => words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn cut_answers_are_gone_on_with_and_at_last_said() {
        let mut task = Conversation::free("do".into());
        task.answered(said("Half a ", Stop::Length), 1_000);
        assert_eq!((task.next(), last_asked(&task).as_str()), (Next::AskModel, GO_ON));
        task.answered(said("sentence.", Stop::Ended), 1_000);
        assert_eq!(task.next(), Next::Tell("Half a sentence.".into()));

        let mut task = Conversation::free("do".into());
        for _ in 0..=MAX_CONTINUED {
            assert_eq!(task.next(), Next::AskModel);
            task.answered(said("on and ", Stop::Length), 1_000);
        }
        let Next::Tell(words) = task.next() else { panic!() };
        assert!(words.starts_with("on and on and ") && words.ends_with(CUT), "{words}");

        let mut task = Conversation::free("do".into());
        task.answered(said("", Stop::Length), 1_000);
        assert_eq!((task.next(), last_asked(&task).as_str()), (Next::AskModel, SHORTER));
        for _ in 0..MAX_CONTINUED {
            task.answered(said("", Stop::Length), 1_000);
        }
        assert_eq!(task.next(), Next::Tell(ALL_CUT.into()));
    }

    #[test]
    fn refusals_filters_gaps_and_silence_are_said() {
        for (text, stop, wanted) in [
            ("I will not.", Stop::Refused, format!("I will not.\n\n{REFUSED}")),
            ("", Stop::Refused, ALL_REFUSED.into()),
            ("Half", Stop::Filtered, format!("Half\n\n{FILTERED}")),
            (" ", Stop::Filtered, ALL_FILTERED.into()),
            ("Hel lo", Stop::Gap, format!("Hel lo\n\n{GAP}")),
        ] {
            let mut task = Conversation::free("do".into());
            let answer = Answer { calls: vec![wants("mail_send", "{}")], ..said(text, stop) };
            task.answered(if stop == Stop::Gap { said(text, stop) } else { answer }, 1_000);
            assert_eq!(task.next(), Next::Tell(wanted));
        }
        let mut task = Conversation::free("do".into());
        task.answered(said(" \n", Stop::Ended), 1_000);
        assert_eq!((task.next(), last_asked(&task).as_str()), (Next::AskModel, SILENT));
        task.answered(said("", Stop::Ended), 1_000);
        assert_eq!(task.next(), Next::Tell(" \n".into()), "the home says that nothing was said");
    }

    #[test]
    fn a_cut_answer_of_planned_mode_is_said_to_be_cut() {
        let mut task = Conversation::planned("how are you?".into(), Vec::new());
        task.answered(said("{\"steps\":[]}", Stop::Ended), 1_000);
        assert!(task.ask(&[], &situation()).shape.is_none(), "it is asked for words");
        task.answered(said("I am well, but", Stop::Length), 1_000);
        let Next::Tell(words) = task.next() else { panic!() };
        assert!(words.starts_with("I am well, but") && words.contains("not whole"), "{words}");
    }

    #[test]
    fn calls_that_are_named_alike_are_told_apart() {
        let mut task = Conversation::free("do".into());
        for n in 0..3 {
            let calls = (0..2).map(|m| wants("a", &format!("{{\"n\":{n},\"m\":{m}}}"))).collect();
            task.answered(Answer { calls, ..Answer::default() }, 1_000);
            task.note(0, None, Some("r".into()));
            task.note(1, None, Some("r".into()));
        }
        let ids: std::collections::BTreeSet<_> = task.all_calls().map(|call| call.wanted.id.clone()).collect();
        assert_eq!(ids.len(), 6, "{ids:?}");
    }

    #[test]
    fn a_call_that_was_cut_and_calls_too_many_are_given_back() {
        let mut task = Conversation::free("do".into());
        let calls = vec![wants("a", "{}"), wants("b", "{\"body\":\"Dear")];
        task.answered(Answer { calls, stop: Stop::Length, ..Answer::default() }, 1_000);
        assert_eq!(task.next(), Next::Propose(0));
        assert!(task.call(1).unwrap().result.as_ref().unwrap().contains("limit of tokens"));
        let mut task = Conversation::free("do".into());
        let calls = (0..20).map(|n| wants("a", &format!("{{\"n\":{n}}}"))).collect();
        task.answered(Answer { calls, ..Answer::default() }, 1_000);
        let given_back = task.calls().filter(|call| call.result.is_some()).count();
        assert_eq!(given_back, 20 - MAX_AT_ONCE);
    }

    #[test]
    fn a_note_on_a_refusal_is_told_behind_all_results_as_a_note() {
        let mut task = Conversation::free("do".into());
        task.answered(Answer { calls: vec![wants("a", "{}"), wants("b", "{}")], ..Answer::default() }, 1_000);
        task.refused_with(0, "write shorter\nmuch".into());
        task.note(0, None, Some("refused".into()));
        task.note(1, None, Some("done".into()));
        let messages = task.ask(&[], &situation()).messages;
        let [.., Message::Result { .. }, Message::Result { .. }, Message::Noted(note)] = &messages[..] else {
            panic!("{messages:?}")
        };
        assert_eq!(note, &format!("{NOTE_ON_A_REFUSAL}\n> write shorter\n> much"));
    }

    #[test]
    fn results_are_read_on_by_number_and_page_without_asking_anybody() {
        let mut task = Conversation::free("do".into());
        let no_tools =
            |task: &Conversation| task.ask(&[], &situation()).tools.iter().map(|tool| tool.name).collect::<Vec<_>>();
        task.answered(Answer { calls: vec![wants("mail_read", "{}")], ..Answer::default() }, 1_000);
        task.note(0, None, Some("long ".repeat(1_000)));
        assert_eq!(no_tools(&task), [READ_ON]);
        for (arguments, page) in [
            (r#"{"result":1,"page":2}"#, Some(2)),
            (r#"{"result":1}"#, Some(1)),
            (r#"{"result":9}"#, None),
            ("x", None),
        ] {
            task.answered(Answer { calls: vec![wants(READ_ON, arguments)], ..Answer::default() }, 1_000);
            assert_eq!(task.next(), Next::AskModel, "{arguments}");
            let Some(Message::Result { text, shown, .. }) = task.ask(&[], &situation()).messages.pop() else {
                panic!()
            };
            match page {
                Some(page) => assert_eq!((shown, text.len()), (Shown { number: 1, page }, 5_000)),
                None => assert!(text.starts_with("not possible"), "{text}"),
            }
        }
        task.answered(said("done", Stop::Ended), 1_000);
        task.told("done".into());
        task.go_on("more".into(), Vec::new());
        task.answered(Answer { calls: vec![wants(READ_ON, r#"{"result":1,"page":3}"#)], ..Answer::default() }, 1_000);
        let Some(Message::Result { shown, .. }) = task.ask(&[], &situation()).messages.pop() else { panic!() };
        assert_eq!(shown, Shown { number: 1, page: 3 }, "across what the person said more");
    }
}
