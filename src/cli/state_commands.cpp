#include "cli/state_commands.hpp"

#include <charconv>

#include "cli/node_commands.hpp"

namespace creto {

namespace {

JsonDoc path_json(const std::string& path) {
    JsonDoc out = JsonDoc::array();
    for (std::size_t at = 0; at < path.size();) {
        const std::size_t end = std::min(path.find('/', at), path.size());
        out.push_back(path.substr(at, end - at));
        at = end + 1;
    }
    return out;
}

/// What belongs to every command about a key.
JsonDoc body_of(const StateOptions& options) {
    JsonDoc body{{"key", options.key}, {"timeout_ms", options.timeout_ms}};
    if (!options.path.empty()) body["path"] = path_json(options.path);
    return body;
}

std::chrono::milliseconds patience(const StateOptions& options) {
    return std::chrono::milliseconds{options.timeout_ms + 5'000};
}

}  // namespace

int command_state_get(const Client& node, const StateOptions& options, const Output& output) {
    JsonDoc body = body_of(options);
    body["from"] = options.from;
    body["count"] = options.count;
    if (!options.session.empty()) body["session"] = options.session;
    auto doc = node.command("read", body, patience(options));
    if (!doc) return output.fail(doc.error(), exit_code_of(doc.error()));
    const bool found = (*doc)["found"] == true;
    std::string lines = found ? "" : options.key + " has no value";
    const auto line = [&](const std::string& text) { lines += (lines.empty() ? "" : "\n") + text; };
    for (const char* name : {"counter", "last"}) {
        if (doc->contains(name)) line(text_of((*doc)[name]));
    }
    for (const char* name : {"values", "elements", "items"}) {
        if (!doc->contains(name)) continue;
        for (const JsonDoc& value : (*doc)[name])
            line(text_of(value));
    }
    if (doc->contains("fields")) {
        for (const JsonDoc& field : (*doc)["fields"])
            line(text_of(field) + "/");
    }
    if (doc->contains("kinds")) {
        std::string kinds;
        for (const JsonDoc& kind : (*doc)["kinds"])
            kinds += (kinds.empty() ? "" : ", ") + text_of(kind);
        line("(was written in several ways at once: " + kinds + ")");
    }
    if (doc->contains("more")) line("(there is more; see --from and --count)");
    output.say(*doc, lines);
    return found ? exit_code::done : exit_code::failed;
}

int command_state_write(
    const Client& node, const StateVerb& verb, const StateOptions& options, const Output& output
) {
    JsonDoc body = body_of(options);
    const std::string action = verb.action;
    std::string kind = verb.kind;
    if (action == "set" && options.last) kind = "last";
    body["action"] = action;
    if (!kind.empty()) body["kind"] = kind;
    const bool adds = action == "add" && kind.empty();
    if (adds) {
        std::int64_t amount = 0;
        const char* end = options.value.data() + options.value.size();
        const auto parsed = std::from_chars(options.value.data(), end, amount);
        if (parsed.ec != std::errc{} || parsed.ptr != end) {
            return output.fail(
                {ErrorCode::invalid, "\"" + options.value + "\" is not a whole number"},
                exit_code::usage
            );
        }
        body["amount"] = amount;
    } else if (action != "remove" || !kind.empty()) {
        body["value"] = options.value;
    }
    auto doc = node.command("write", body, patience(options));
    if (!doc) return output.fail(doc.error(), exit_code_of(doc.error()));
    const bool applied = (*doc)["applied"].get<bool>();
    output.say(
        *doc,
        !applied                  ? "void: " + text_of((*doc)["reason"])
        : doc->contains("height") ? "final at height " + text_of((*doc)["height"])
                                  : "written; it spreads and converges"
    );
    return applied ? exit_code::done : exit_code::failed;
}

}  // namespace creto
