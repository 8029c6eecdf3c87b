//! The agent loop as a state machine: a conversation that says what comes next.
//!
//! It asks a model, collects the calls it wants, waits for what they come to, and asks again. It is stored after every
//! step, so a restart goes on where it stopped. Capable models work in a *free* loop; small ones through a *plan* that
//! is made from the person's words alone, before anything else is read.
//!
//! Invariant of absence: the loop touches nothing. It holds no connection, no key and no way to act; it names the next
//! step, and the home takes it, through the gate.

mod free;
mod planned;
mod repeats;
mod report;
mod times;
mod told;

use bailey_model::{Answer, Ask, MAX_ANSWER_TOKENS, Stop, Thought, Tool, ToolCall, Usage};
use serde::{Deserialize, Serialize};

pub use planned::{Planned, Step};
pub use told::{About, Own};

/// Answers one task may take from a model. A task of a dozen steps needs about as many; more is a loop.
pub const MAX_TURNS: usize = 24;
/// How often the same call may be made with the same arguments before it is refused.
pub const MAX_REPEATS: usize = 2;

/// Bytes that one token stands for at the very most.
const MOST_BYTES_PER_TOKEN: u64 = 16;

/// Calls of one turn that are made; what is above is given back.
pub const MAX_AT_ONCE: usize = 16;
/// How often an answer that was cut is gone on with, before the person is told what there is of it.
pub const MAX_CONTINUED: usize = 3;

/// A call and what came of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Call {
    /// As the model, or the plan, wants it.
    pub wanted: ToolCall,
    /// The proposed action, in hexadecimal, once there is one.
    pub action: Option<String>,
    /// Says what it came to, once that is known.
    pub result: Option<String>,
    /// The person's note with their refusal; grounds nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

impl Call {
    const fn new(wanted: ToolCall) -> Self {
        Self { wanted, action: None, result: None, note: None }
    }
}

/// One step: what was said, and the calls it led to.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Turn {
    /// The words it said.
    pub text: String,
    /// The calls it wanted.
    pub calls: Vec<Call>,
    /// Its thoughts: for the model alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub thoughts: Vec<Thought>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "is_whole")]
    pub stop: Stop,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands it over so")]
fn is_whole(stop: &Stop) -> bool {
    *stop == Stop::Ended
}

/// How a task ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Ending {
    /// The person was answered.
    Answered,
    /// It took more turns than allowed.
    OutOfTurns,
    /// It took more tokens than allowed.
    OutOfBudget,
    /// The next request could cost more than the person allowed, and what they allowed.
    OverLimit(String),
    /// The model could not be asked, and why.
    Failed(String),
    /// The person stopped it.
    Stopped,
}

/// Somebody the person is known to write to, and whom the words of the task name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Named {
    /// As the person's own mail names them; perhaps nothing.
    pub name: String,
    /// The address.
    pub address: String,
}

impl Named {
    /// Returns what to call them: their name, or the address where none is known.
    fn called(&self) -> &str {
        if self.name.is_empty() { &self.address } else { &self.name }
    }
}

impl std::fmt::Display for Named {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Written so that it reads back as one recipient, whatever the name is.
        match bailey_gate::family::addresses::named(&self.name, &self.address, &bailey_gate::family::punycode::to_ascii)
        {
            Ok(mailbox) => mailbox.fmt(f),
            Err(_) => f.write_str(&self.address),
        }
    }
}

/// How a model is worked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mode {
    /// It calls tools as it sees fit: for capable models.
    Free,
    /// It fills in a plan, one small question at a time: for small ones.
    Planned(Box<Planned>),
}

/// What was before the person said more: their words then, what happened, and what they were told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Earlier {
    /// The person's words.
    pub task: String,
    /// Turns that were taken.
    pub turns: Vec<Turn>,
}

/// A task as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conversation {
    /// Everything before the person said more, in its order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Earlier>,
    /// The person's words; those they said last.
    pub task: String,
    /// How the model is worked with.
    pub mode: Mode,
    /// Turns so far.
    pub turns: Vec<Turn>,
    /// Requests made to the model.
    pub asked: u64,
    /// Tokens they took.
    pub usage: Usage,
    /// Their cost, in millionths of the person's currency.
    #[serde(default)]
    pub cost_micros: u64,
    /// When the person said their last words, in milliseconds since 1970.
    #[serde(default)]
    pub said_ms: Option<i64>,
    /// Remarks for the person on how it went: another model answered, say.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// Words told to the person, once they were.
    pub reply: Option<String>,
    /// How it ended, once it has.
    pub ending: Option<Ending>,
}

/// What the person's clock says.
#[derive(Debug, Clone)]
pub struct Situation {
    /// The moment.
    pub now: jiff::Timestamp,
    /// The person's time zone.
    pub zone: jiff::tz::TimeZone,
}

/// What has to happen next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Ask the model.
    AskModel,
    /// Propose this call of the last turn.
    Propose(usize),
    /// Wait for this call of the last turn, whose action is under way.
    Wait(usize),
    /// Tell the person.
    Tell(String),
    /// Nothing.
    Ended,
}

impl Conversation {
    /// Returns a new task for a model that calls tools by itself.
    #[must_use]
    pub fn free(task: String) -> Self {
        Self::new(task, Mode::Free)
    }

    /// Returns a new task for a small model. `named` are the people the words name, as the person's own mail knows them.
    #[must_use]
    pub fn planned(task: String, named: Vec<Named>) -> Self {
        Self::new(task, Mode::Planned(Box::new(Planned::new(named))))
    }

    const fn new(task: String, mode: Mode) -> Self {
        let usage = Usage { input: 0, output: 0 };
        Self {
            earlier: Vec::new(),
            task,
            mode,
            turns: Vec::new(),
            asked: 0,
            usage,
            cost_micros: 0,
            said_ms: None,
            notes: Vec::new(),
            reply: None,
            ending: None,
        }
    }

    /// Goes on with further words of the person, after it has ended. `named` are the people these words name, where a small model
    /// works: it makes a plan of them alone, as of the first.
    pub fn go_on(&mut self, words: String, named: Vec<Named>) {
        let task = std::mem::replace(&mut self.task, words);
        self.earlier.push(Earlier { task, turns: std::mem::take(&mut self.turns) });
        if let Mode::Planned(_) = self.mode {
            self.mode = Mode::Planned(Box::new(Planned::new(named)));
        }
        self.reply = None;
        self.ending = None;
    }

    /// Returns a number that rises with every turn and everything the person says, and never comes twice in a task.
    #[must_use]
    pub fn step(&self) -> usize {
        self.earlier.iter().map(|earlier| earlier.turns.len() + 1).sum::<usize>() + self.turns.len()
    }

    /// Returns everything the person said, in its order.
    #[must_use]
    pub fn words(&self) -> String {
        let all = self.earlier.iter().map(|earlier| earlier.task.as_str()).chain([self.task.as_str()]);
        all.collect::<Vec<_>>().join("\n")
    }

    /// Returns what has to happen next.
    #[must_use]
    pub fn next(&self) -> Next {
        if self.ending.is_some() {
            return Next::Ended;
        }
        // All calls of a turn are proposed before any is waited for, so that the person sees them together.
        let calls = self.turns.last().map(|turn| turn.calls.as_slice()).unwrap_or_default();
        if let Some(index) = calls.iter().position(|call| call.action.is_none() && call.result.is_none()) {
            return Next::Propose(index);
        }
        if let Some(index) = calls.iter().position(|call| call.result.is_none()) {
            return Next::Wait(index);
        }
        match (&self.mode, self.turns.last()) {
            (Mode::Planned(planned), _) => planned.next(),
            (Mode::Free, _) => self.next_free(),
        }
    }

    /// Tells whether the work goes on while a call waits for the person: a plan's later steps do not depend on the answer.
    #[must_use]
    pub const fn goes_on_while_asking(&self) -> bool {
        matches!(self.mode, Mode::Planned(_))
    }

    /// Returns what the model is to be asked, where nothing is known of the person but their clock.
    #[must_use]
    pub fn ask(&self, tools: &[Tool], situation: &Situation) -> Ask {
        self.ask_about(tools, situation, &About::default())
    }

    /// Returns what the model is to be asked, told whom it works for.
    #[must_use]
    pub fn ask_about(&self, tools: &[Tool], situation: &Situation, about: &About) -> Ask {
        match &self.mode {
            Mode::Planned(planned) => planned.ask(self, tools, situation),
            Mode::Free => Ask {
                messages: self.messages(situation, about),
                tools: self.with_own(tools),
                shape: None,
                max_tokens: MAX_ANSWER_TOKENS,
            },
        }
    }

    /// Takes the model's answer. Calls it has made too often already are refused here. `budget` is in tokens.
    pub fn answered(&mut self, answer: Answer, budget: u64) {
        self.asked += 1;
        self.usage += answer.usage;
        // A server's own count may be nothing, or wrong: what it wrote is known, and no token has this many bytes.
        let written = answer.text.len() + answer.calls.iter().map(|call| call.arguments.len()).sum::<usize>();
        self.usage.output += (written as u64 / MOST_BYTES_PER_TOKEN).saturating_sub(answer.usage.output);
        if self.usage.total() > budget {
            self.end(Ending::OutOfBudget);
            return;
        }
        match std::mem::replace(&mut self.mode, Mode::Free) {
            Mode::Planned(mut planned) => {
                let mut answer = answer;
                if planned.is_answering() {
                    answer.text = free::whole(&answer.text, answer.stop);
                }
                let turn = planned.answered(self, &answer);
                self.mode = Mode::Planned(planned);
                self.turns.extend(turn);
            }
            Mode::Free => self.take(answer),
        }
    }

    fn calls(&self) -> impl Iterator<Item = &Call> {
        self.turns.iter().flat_map(|turn| &turn.calls)
    }

    /// Returns a call of the last turn.
    #[must_use]
    pub fn call(&self, index: usize) -> Option<&Call> {
        self.turns.last()?.calls.get(index)
    }

    /// Notes the action a call became, or what it came to.
    pub fn note(&mut self, index: usize, action: Option<String>, result: Option<String>) {
        if let Some(call) = self.turns.last_mut().and_then(|turn| turn.calls.get_mut(index)) {
            if action.is_some() {
                call.action = action;
            }
            if result.is_some() {
                call.result = result;
            }
        }
        if let Mode::Planned(mut planned) = std::mem::replace(&mut self.mode, Mode::Free) {
            let more = planned.noted(self);
            self.mode = Mode::Planned(planned);
            self.turns.extend(more);
        }
    }

    /// Takes what the person noted when they refused a call of the last turn.
    pub fn refused_with(&mut self, index: usize, note: String) {
        if let Some(call) = self.turns.last_mut().and_then(|turn| turn.calls.get_mut(index)) {
            call.note = Some(note);
        }
    }

    /// Notes what the person was told, which ends the task.
    pub fn told(&mut self, words: String) {
        self.reply = Some(words);
        self.end(Ending::Answered);
    }

    /// Ends the task.
    pub fn end(&mut self, ending: Ending) {
        self.ending.get_or_insert(ending);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn situation() -> Situation {
        Situation { now: "2026-11-22T09:00:00Z".parse().unwrap(), zone: jiff::tz::TimeZone::UTC }
    }

    fn wants(name: &str) -> Answer {
        let call = ToolCall { id: "c".into(), name: name.into(), arguments: "{}".into() };
        Answer { calls: vec![call], ..Answer::default() }
    }

    #[test]
    fn a_task_goes_from_model_to_call_to_model_to_answer() {
        let mut task = Conversation::free("do".into());
        assert_eq!(task.next(), Next::AskModel);
        task.answered(wants("a"), 100);
        assert_eq!(task.next(), Next::Propose(0));
        task.note(0, Some("id".into()), None);
        assert_eq!(task.next(), Next::Wait(0));
        task.note(0, None, Some("done".into()));
        assert_eq!(task.next(), Next::AskModel);
        task.answered(Answer { text: "finished".into(), ..Answer::default() }, 100);
        assert_eq!(task.next(), Next::Tell("finished".into()));
        task.told("finished".into());
        assert_eq!(task.next(), Next::Ended);
    }

    #[test]
    fn further_words_go_on_with_what_was_and_are_a_beginning_of_their_own() {
        let mut task = Conversation::free("do".into());
        task.answered(wants("a"), 100);
        task.note(0, None, Some("done".into()));
        task.answered(Answer { text: "finished".into(), ..Answer::default() }, 100);
        task.told("finished".into());
        let before = task.step();
        task.go_on("and more".into(), Vec::new());
        assert_eq!((task.next(), task.words().as_str()), (Next::AskModel, "do\nand more"));
        assert!(task.step() > before);
        let said: Vec<String> = task
            .ask(&[], &situation())
            .messages
            .into_iter()
            .filter_map(|message| match message {
                bailey_model::Message::Person(words) => Some(words),
                _ => None,
            })
            .collect();
        assert_eq!(said, ["do", "and more"]);
        for _ in 0..MAX_REPEATS {
            task.answered(wants("a"), 100);
            task.note(0, None, Some("r".into()));
        }
        assert!(task.calls().all(|call| call.result.as_deref() == Some("r")), "counting begins anew");
    }

    #[test]
    fn repeated_calls_are_refused_and_turns_are_bounded() {
        let mut task = Conversation::free("do".into());
        for round in 0..MAX_TURNS {
            task.answered(wants("a"), 100);
            let refused = task.call(0).unwrap().result.is_some();
            assert_eq!(refused, round >= MAX_REPEATS, "round {round}");
            task.note(0, None, Some("r".into()));
        }
        task.answered(wants("a"), 100);
        assert_eq!(task.ending, Some(Ending::OutOfTurns));
    }

    #[test]
    fn a_task_ends_with_its_budget() {
        let mut task = Conversation::free("do".into());
        let usage = Usage { input: 60, output: 5 };
        task.answered(Answer { usage, ..wants("a") }, 100);
        task.note(0, None, Some("r".into()));
        task.answered(Answer { usage, ..wants("b") }, 100);
        assert_eq!((task.ending.clone(), task.next()), (Some(Ending::OutOfBudget), Next::Ended));
        assert_eq!(task.asked, 2);
    }
}
