//! What requests to each provider look like.

use bailey_model::{
    AnthropicMessages, Ask, Message, Model, OpenAiChat, Shown, Thinking, Thought, Tool, ToolCall, Traits, tap::tap,
};
use serde_json::{Value, json};

use crate::streams::Saying;

fn nothing() -> Box<Saying> {
    Box::new(Saying { status: 200, events: false, after: None, bytes: Vec::new(), size: 1 })
}

fn chat(base: &str, model: &str) -> OpenAiChat {
    OpenAiChat::with(nothing(), model.into(), Traits::of(base, model))
}

fn body(model: &dyn Model, messages: Vec<Message>) -> Value {
    let tool = Tool { name: "t", description: "d", parameters: json!({"type": "object"}) };
    let ask = Ask { messages, tools: vec![tool], shape: None, max_tokens: 100_000 };
    serde_json::from_slice(&tap(model, ask).body).unwrap()
}

fn person(words: &str) -> Message {
    Message::Person(words.into())
}

fn said(text: &str, calls: &[(&str, &str)], thoughts: Vec<Thought>) -> Message {
    let calls = calls.iter().map(|(id, arguments)| ToolCall {
        id: (*id).into(),
        name: "t".into(),
        arguments: (*arguments).into(),
    });
    Message::Model { text: text.into(), calls: calls.collect(), thoughts }
}

fn result(call: &str) -> Message {
    Message::Result { call: call.into(), tool: "t".into(), text: "found".into(), shown: Shown::default() }
}

fn thought(at: usize, by: &str, name: &str, raw: Value) -> Thought {
    Thought { at, by: by.into(), name: name.into(), raw }
}

#[test]
fn requests_name_the_limit_and_the_temperature_as_each_provider_takes_them() {
    for (base, model, limit, temperature, usage) in [
        ("https://api.openai.com/v1", "gpt-4.1", "max_completion_tokens", true, true),
        ("https://api.openai.com/v1", "o3", "max_completion_tokens", false, true),
        ("https://x.openai.azure.com/openai/v1", "gpt-5-mini", "max_completion_tokens", false, true),
        ("http://127.0.0.1:4000/v1", "openai/o4-mini", "max_completion_tokens", false, true),
        ("https://api.mistral.ai/v1", "mistral-large-latest", "max_tokens", true, false),
        ("https://generativelanguage.googleapis.com/v1beta/openai", "gemini-3-pro", "max_tokens", true, true),
        ("http://127.0.0.1:11434/v1", "qwen3", "max_tokens", true, true),
    ] {
        let body = body(&chat(base, model), vec![person("do")]);
        let has = |name: &str| body.get(name).is_some();
        let other = if limit == "max_tokens" { "max_completion_tokens" } else { "max_tokens" };
        assert!(has(limit) && !has(other), "{model}: {body}");
        assert_eq!((has("temperature"), has("stream_options")), (temperature, usage), "{model}");
        assert!(body[limit].as_u64().unwrap() <= 16_384, "{model}");
    }
}

#[test]
fn thoughts_go_back_to_the_model_they_came_from_until_the_person_says_more() {
    let calls: &[(&str, &str)] = &[("c1", "{}")];
    let signed = json!({"type": "thinking", "thinking": "hm", "signature": "s=="});
    let own = |at| thought(at, "claude", "thinking", signed.clone());
    let claude =
        AnthropicMessages::with(nothing(), "claude".into(), Traits::of("https://api.anthropic.com/v1", "claude"));
    let talk = vec![
        person("do"),
        said("", calls, vec![own(0)]),
        result("c1"),
        person("more"),
        said("I look.", calls, vec![own(0), own(1), thought(0, "gpt", "reasoning", "x".into())]),
        result("c1"),
    ];
    let sent = body(&claude, talk);
    let kinds = |at: usize| -> Vec<&str> {
        sent["messages"][at]["content"]
            .as_array()
            .unwrap()
            .iter()
            .map(|block| block["type"].as_str().unwrap())
            .collect()
    };
    assert_eq!(kinds(1), ["tool_use"], "of before the last words");
    assert_eq!(kinds(3), ["thinking", "text", "thinking", "tool_use"]);
    assert_eq!(sent["messages"][3]["content"][0], signed, "as it came");
    assert!(sent["messages"][4]["content"][0]["cache_control"].is_object());

    let local = chat("http://127.0.0.1:8080/v1", "qwen");
    for (name, raw) in [("reasoning_content", "hm"), ("<think>", "hm")] {
        let one = thought(0, "qwen", name, raw.into());
        let sent = body(&local, vec![person("do"), said("So.", calls, vec![one]), result("c1")]);
        let message = &sent["messages"][1];
        match name {
            "<think>" => assert_eq!(message["content"], "<think>hm</think>\n\nSo."),
            other => assert_eq!((&message[other], &message["content"]), (&json!("hm"), &json!("So."))),
        }
    }
    let extra = json!({"google": {"thought_signature": "s=="}});
    let one = thought(1, "qwen", "extra_content", extra.clone());
    let sent = body(&local, vec![person("do"), said("", calls, vec![one]), result("c1")]);
    assert_eq!(sent["messages"][1]["tool_calls"][0]["extra_content"], extra);
}

#[test]
fn an_empty_turn_and_broken_arguments_do_not_end_a_conversation_for_good() {
    let talk = || {
        vec![
            Message::System("one".into()),
            Message::System("two".into()),
            person("do"),
            said(" \n", &[], Vec::new()),
            person("and more"),
            said("", &[("call:1", "{\"id\":"), ("call:2", "")], Vec::new()),
            result("call:1"),
            result("call:2"),
        ]
    };
    let claude = AnthropicMessages::new(nothing(), "claude".into());
    let sent = body(&claude, talk());
    let roles: Vec<_> = sent["messages"].as_array().unwrap().iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant", "user"]);
    assert!(!sent.to_string().contains(r#""text":" \n""#));
    assert_eq!(sent["messages"][1]["content"][0]["input"], json!({}));

    let sent = body(&chat("https://api.mistral.ai/v1", "m"), talk());
    let messages = sent["messages"].as_array().unwrap();
    let roles: Vec<_> = messages.iter().map(|one| one["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "tool", "tool"]);
    assert_eq!((&messages[0]["content"], &messages[1]["content"]), (&json!("one\n\ntwo"), &json!("do\n\nand more")));
    let calls = &messages[2]["tool_calls"];
    assert_eq!((&calls[0]["function"]["arguments"], &calls[1]["function"]["arguments"]), (&json!("{}"), &json!("{}")));
    let id = calls[0]["id"].as_str().unwrap();
    assert!(id.len() == 9 && id != calls[1]["id"].as_str().unwrap() && messages[3]["tool_call_id"] == id, "{sent}");
}

#[test]
fn a_tool_that_no_server_would_take_back_does_not_end_a_conversation() {
    let odd = |name: &str| ToolCall { id: "c".into(), name: name.into(), arguments: "{}".into() };
    let calls = vec![odd("mail_send\u{1b}[2J"), odd(""), odd(&"x".repeat(200))];
    let talk = || {
        let said = Message::Model { text: String::new(), calls: calls.clone(), thoughts: Vec::new() };
        vec![person("do"), said, result("c")]
    };
    let sent = body(&chat("https://api.openai.com/v1", "m"), talk());
    let names = |calls: &Value, place: &str| -> Vec<String> {
        calls.as_array().unwrap().iter().map(|call| call.pointer(place).unwrap().as_str().unwrap().to_owned()).collect()
    };
    let of_chat = names(&sent["messages"][1]["tool_calls"], "/function/name");
    assert_eq!(of_chat[..2], ["mail_send__2J", "unnamed"]);
    let sent = body(&AnthropicMessages::new(nothing(), "claude".into()), talk());
    assert_eq!(names(&sent["messages"][1]["content"], "/name"), of_chat);
}

#[test]
fn thinking_is_asked_for_in_each_providers_words() {
    let mut traits = Traits::of("https://api.anthropic.com/v1", "claude");
    traits.thinking = Thinking::Low;
    let sent = body(&AnthropicMessages::with(nothing(), "claude".into(), traits), vec![person("do")]);
    assert_eq!(sent["thinking"], json!({"type": "enabled", "budget_tokens": 2048}));
    assert!(sent["max_tokens"].as_u64().unwrap() > 2048 && sent.get("temperature").is_none());
    let mut traits = Traits::of("https://api.openai.com/v1", "o3");
    traits.thinking = Thinking::High;
    let sent = body(&OpenAiChat::with(nothing(), "o3".into(), traits), vec![person("do")]);
    assert_eq!(sent["reasoning_effort"], "high");
}
