// `creto state …`: the words for keys under final/ and causal/.
#include "cli/program.hpp"
#include "cli/state_commands.hpp"

namespace creto {

namespace {

struct Verb {
    const char* name;
    const char* about;
    StateVerb does;
    const char* value;  ///< What the last word is; null: there is none.
    const char* example;
};

constexpr Verb verbs[] = {
    {"set", "Write a value", {"set", ""}, "The value", "set final/greeting hello"},
    {"add", "Add a whole number", {"add", ""}, "The number", "add causal/visits 5"},
    {"incr", "Add one", {"add", ""}, nullptr, "incr causal/cart --path apples/count"},
    {"insert",
     "Put an element into a set",
     {"add", "set"},
     "The element",
     "insert causal/tags red"},
    {"erase",
     "Take an element out of a set",
     {"remove", "set"},
     "The element",
     "erase causal/tags red"},
    {"append",
     "Append to a list",
     {"append", ""},
     "The item",
     "append causal/notes 'seen by alpha'"},
    {"del",
     "Remove all that is at a key or field, and below it",
     {"remove", ""},
     nullptr,
     "del causal/cart --path apples"},
};

void add_key(CLI::App& sub, StateOptions& options) {
    sub.add_option("KEY", options.key, "final/… or causal/…")->required();
    sub.add_option("--path", options.path, "A field of the map under causal/…: a, a/b, …");
}

}  // namespace

void add_state(Program& p) {
    static StateOptions options;
    CLI::App* state = p.app.add_subcommand("state", "Replicated state under final/ and causal/");
    state->require_subcommand(1);
    CLI::App* sub = node_command(
        p,
        *state,
        "get",
        "Read a key, or a field of a map",
        "state get causal/notes --from 100 --count 10 --node alpha"
    );
    add_key(*sub, options);
    sub->add_option("--from", options.from, "Of a set, list or map: how many to pass over");
    sub->add_option("--count", options.count, "... and how many to show");
    sub->add_option(
        "--session", options.session, "Wait until this node has what that write's \"session\" names"
    );
    sub->add_option("--timeout", options.timeout_ms, "... for so long, in milliseconds");
    sub->callback([&p] {
        p.chosen = [&p] {
            return p.with_node([&](const Client& n) {
                return command_state_get(n, options, p.output);
            });
        };
    });
    for (const Verb& verb : verbs) {
        sub = node_command(p, *state, verb.name, verb.about, std::string{"state "} + verb.example);
        add_key(*sub, options);
        if (verb.value != nullptr) sub->add_option("VALUE", options.value, verb.value)->required();
        if (std::string_view{verb.name} == "set")
            sub->add_flag(
                "--last", options.last, "Under causal/: of concurrent values keep the last"
            );
        sub->add_option("--timeout", options.timeout_ms, "Deadline in milliseconds");
        const bool one = verb.value == nullptr && std::string_view{verb.does.action} == "add";
        sub->callback([&p, &verb, one] {
            p.chosen = [&p, &verb, one] {
                if (one) options.value = "1";
                return p.with_node([&](const Client& n) {
                    return command_state_write(n, verb.does, options, p.output);
                });
            };
        });
    }
}

}  // namespace creto
