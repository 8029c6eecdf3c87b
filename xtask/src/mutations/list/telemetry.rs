//! Controls of what is logged, counted and reported.

use crate::mutations::Mutation;

pub(super) const TELEMETRY: &[Mutation] = &[
    Mutation {
        control: "telemetry/typed-fields",
        edits: &[(
            "crates/bailey-home/src/tasks.rs",
            "kind = proposal.action.kind().name());",
            "kind = &*format!(\"{:?}\", proposal.action).leak());",
        )],
        test: "telemetry::logs_and_metrics_hold_no_content_at_the_most_verbose_level",
    },
    Mutation {
        control: "telemetry/route-patterns",
        edits: &[(
            "crates/bailey-home/src/metrics.rs",
            "    Route(known.map_or(\"other\", |pattern| pattern.as_str()))",
            "    Route(known.map_or(&*request.uri().to_string().leak(), |pattern| pattern.as_str()))",
        )],
        test: "telemetry::logs_and_metrics_hold_no_content_at_the_most_verbose_level",
    },
    Mutation {
        control: "telemetry/own-events-only",
        edits: &[(
            "crates/bailey-telemetry/src/log.rs",
            "    about.target().starts_with(\"bailey\")",
            "    !about.target().is_empty()",
        )],
        test: "tests::what_other_libraries_log_is_left_out",
    },
    Mutation {
        control: "telemetry/no-formatted-values",
        edits: &[(
            "crates/bailey-telemetry/src/log.rs",
            "    fn record_debug(&mut self, _: &Field, _: &dyn fmt::Debug) {}",
            "    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {\n        self.record_str(field, &format!(\"{value:?}\"));\n    }",
        )],
        test: "tests::what_is_formatted_from_anything_is_left_out",
    },
    Mutation {
        control: "telemetry/panics-by-place",
        edits: &[(
            "crates/bailey-telemetry/src/panic.rs",
            "message = \"the program met a fault of its own\", file, line);",
            "message = \"the program met a fault of its own\", file, line, words = info.payload_as_str());",
        )],
        test: "tests::a_panic_is_logged_without_its_words",
    },
    Mutation {
        control: "metrics/loopback-only",
        edits: &[(
            "crates/bailey-home/src/config.rs",
            "        if !address.is_some_and(|address| address.ip().is_loopback()) {",
            "        if address.is_none() {",
        )],
        test: "telemetry::metrics_over_tcp_are_for_this_machine_only_and_hold_no_events",
    },
    Mutation {
        control: "metrics/own-host",
        edits: &[(
            "crates/bailey/src/scrape.rs",
            "    if tcp && !is_for_this_machine(request) {",
            "    if tcp && !is_for_this_machine(request) && request.method() != Method::GET {",
        )],
        test: "telemetry::metrics_over_tcp_are_for_this_machine_only_and_hold_no_events",
    },
    Mutation {
        control: "metrics/no-events-over-tcp",
        edits: &[(
            "crates/bailey/src/scrape.rs",
            "        (&Method::GET, \"/events\") if !tcp =>",
            "        (&Method::GET, \"/events\") =>",
        )],
        test: "telemetry::metrics_over_tcp_are_for_this_machine_only_and_hold_no_events",
    },
    Mutation {
        control: "metrics/private-sockets",
        edits: &[(
            "crates/bailey-supervisor/src/child.rs",
            "    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).map_err(failed)?;\n    socket",
            "    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).map_err(failed)?;\n    socket",
        )],
        test: "telemetry::metrics_move_with_an_action",
    },
    Mutation {
        control: "report/facts-only",
        edits: &[(
            "crates/bailey/src/report.rs",
            "if is_here(&base_url) { \"this machine\" } else { \"elsewhere\" }.into()),",
            "if is_here(&base_url) { Value::Name(base_url) } else { \"elsewhere\".into() }),",
        )],
        test: "telemetry::a_report_is_shown_before_it_is_written_and_holds_no_content",
    },
    Mutation {
        control: "report/shown-first",
        edits: &[(
            "crates/bailey/src/report.rs",
            "    if !yes && !agreed(file)? {",
            "    if !yes && !agreed(file)? && yes {",
        )],
        test: "telemetry::a_report_is_shown_before_it_is_written_and_holds_no_content",
    },
];
