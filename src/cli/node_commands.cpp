#include "cli/node_commands.hpp"

#include <algorithm>

#include "model/call.hpp"
#include "model/checks.hpp"
#include "scale/config.hpp"

namespace creto {

namespace {

/// A dash for what the node does not know.
std::string known(const JsonDoc& value) {
    return value.is_null() ? "-" : text_of(value);
}

std::string ms_text(const JsonDoc& us) {
    const std::uint64_t tenths = us.get<std::uint64_t>() / 100;
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " ms";
}

/// "40 s", "12 min", "5 h", "3 d"
std::string age_text(std::uint64_t ms) {
    const std::uint64_t s = ms / 1'000;
    if (s < 120) return std::to_string(s) + " s";
    if (s < 120 * 60) return std::to_string(s / 60) + " min";
    if (s < 48 * 3'600) return std::to_string(s / 3'600) + " h";
    return std::to_string(s / 86'400) + " d";
}

/// Asks a node and says the answer as JSON or through `lines`.
template <class Lines>
int ask(
    const Client& node,
    const std::string& command,
    const JsonDoc& body,
    const Output& output,
    const Lines& lines
) {
    auto doc = node.command(command, body);
    if (!doc) return output.fail(doc.error(), exit_code_of(doc.error()));
    output.say(*doc, output.json ? std::string{} : lines(*doc));
    return exit_code::done;
}

std::string list(const JsonDoc& values) {
    std::string out;
    for (const JsonDoc& value : values)
        out += (out.empty() ? "" : ", ") + text_of(value);
    return out;
}

/// Of a seat: in both directions, in one, or not.
std::string reached(const JsonDoc& peer) {
    if (peer["reachable"] == true) return "yes";
    if (peer["seat"].is_null() || peer["hears_us"] == true) return "no";
    return peer["connected"] == true ? "does not hear us" : "no";
}

/// As a part of a query.
std::string percent_coded(const std::string& text) {
    std::string out;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                           (c >= '0' && c <= '9') || c == '/' || c == '-' || c == '_' || c == '.';
        out += plain ? std::string(1, c) : "%" + to_hex(as_bytes({&c, 1}));
    }
    return out;
}

/// For people: one line an event; changes of keys as what is read now.
std::string event_line(const JsonDoc& event) {
    if (event["event"] != "key_changed") return event.dump();
    std::string out = text_of(event["key"]);
    for (const JsonDoc& field : event["path"])
        out += (out == text_of(event["key"]) ? "  " : "/") + text_of(field);
    out += "  " + text_of(event["reading"]) + " at height " + text_of(event["height"]) + "  ";
    JsonDoc value = event;
    for (const char* name : {"number", "event", "key", "path", "reading", "found", "height"})
        value.erase(name);
    if (value["values"].empty()) value.erase("values");
    return out + (event["found"] == false ? "gone" : value.dump());
}

/// What peers were refused so far, by the kind of work; empty when nothing was.
std::string refusals(const JsonDoc& counters) {
    std::string out;
    for (const auto& [name, count] : counters.items()) {
        const bool counts =
            name.starts_with("refused_") || name == "peers_flooding" || name == "peers_turned_away";
        if (!counts || count == 0) continue;
        std::string what = name;
        std::replace(what.begin(), what.end(), '_', ' ');
        out += (out.empty() ? "" : ", ") + what + ' ' + count.dump();
    }
    return out;
}

}  // namespace

std::string table(const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const auto& row : rows) {
        widths.resize(std::max(widths.size(), row.size()));
        for (std::size_t i = 0; i < row.size(); ++i)
            widths[i] = std::max(widths[i], row[i].size());
    }
    std::string out;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            line += row[i] + std::string(widths[i] - row[i].size() + 2, ' ');
        }
        out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
    }
    return out;
}

int exit_code_of(const Error& error) {
    if (error.message.rfind("no quorum", 0) == 0 || error.message.rfind("quorum not", 0) == 0) {
        return exit_code::no_quorum;
    }
    switch (error.code) {
        case ErrorCode::denied:
            return exit_code::denied;
        case ErrorCode::unavailable:
        case ErrorCode::timeout:
            return exit_code::unreachable;
        default:
            return exit_code::failed;
    }
}

int command_status(const Client& node, const Output& output) {
    return ask(node, "status", JsonDoc::object(), output, [](const JsonDoc& d) {
        std::vector<std::vector<std::string>> rows{
            {"agent", text_of(d["name"]) + "  " + text_of(d["agent"])},
            {"seat", d["seat"].is_null() ? "none" : text_of(d["seat"])},
            {"quorum",
             text_of(d["quorum"]) + " of " + text_of(d["validators"]) + " (" + text_of(d["mode"]) +
                 "), " + text_of(d["reachable"]) + " reachable"},
            {"finalized", "height " + text_of(d["finalized"]) + ", view " + text_of(d["view"])},
            {"checkpoint",
             d["checkpoint"] == 0 ? "none yet: a restart executes the chain from its first block"
                                  : "at height " + text_of(d["checkpoint"]) +
                                        "; blocks kept from " + text_of(d["kept_from"])},
            {"operations",
             text_of(d["operations_final"]) + " final, " + text_of(d["pending_operations"]) +
                 " pending"},
            {"calls", text_of(d["pending_calls"]) + " under way"},
            {"partitioned", d["partitioned"] == true ? "yes; lost: " + list(d["lost"]) : "no"}};
        if (const std::string over = refusals(d["counters"]); !over.empty())
            rows.push_back({"over budget", over});
        if (!d["halted"].is_null()) rows.push_back({"halted", text_of(d["halted"])});
        return table(rows);
    });
}

int command_peers(const Client& node, const Output& output) {
    return ask(node, "peers", JsonDoc::object(), output, [](const JsonDoc& d) {
        std::vector<std::vector<std::string>> rows{
            {"NAME",
             "SEAT",
             "STATE",
             "FOR",
             "REACHED",
             "ROUND TRIP",
             "LAG",
             "VOTED",
             "TOOLS",
             "AGENT"}};
        for (const JsonDoc& p : d["peers"]) {
            rows.push_back(
                {text_of(p["name"]),
                 known(p["seat"]),
                 text_of(p["state"]),
                 age_text(p["state_for_ms"].get<std::uint64_t>()),
                 reached(p),
                 p["round_trip_us"].is_null() ? "-" : ms_text(p["round_trip_us"]),
                 known(p["lag"]),
                 known(p["voted_view"]),
                 std::to_string(p["tools"].size()),
                 text_of(p["agent"])}
            );
        }
        return table(rows);
    });
}

int command_tools(const Client& node, const Output& output) {
    return ask(node, "peers", JsonDoc::object(), output, [](const JsonDoc& d) {
        std::vector<std::vector<std::string>> rows{{"TOOL", "AGENT", "DESCRIPTION"}};
        for (const JsonDoc& p : d["peers"]) {
            for (const JsonDoc& tool : p["tools"]) {
                rows.push_back(
                    {text_of(tool["name"]), text_of(p["name"]), text_of(tool["description"])}
                );
            }
        }
        std::sort(rows.begin() + 1, rows.end());
        return table(rows);
    });
}

int command_reputation(const Client& node, const std::string& why, const Output& output) {
    return ask(node, "reputation", JsonDoc::object(), output, [&](const JsonDoc& d) {
        std::vector<std::vector<std::string>> rows{
            {"NAME", "SCORE", "AGREED", "DISSENTED", "STANDING"}};
        std::string reasons;
        for (const JsonDoc& a : d["agents"]) {
            const std::uint64_t score = a["score_ppm"].get<std::uint64_t>();
            const char* standing = a["excluded"].get<bool>()    ? "excluded"
                                   : a["suspended"].get<bool>() ? "suspended"
                                                                : "good";
            rows.push_back(
                {text_of(a["name"]),
                 std::to_string(score / 10'000) + " %",
                 text_of(a["agreed"]),
                 text_of(a["dissented"]),
                 standing}
            );
            if (why == text_of(a["name"]) || why == text_of(a["agent"])) {
                for (const JsonDoc& reason : a["reasons"])
                    reasons += "  " + text_of(reason) + "\n";
            }
        }
        return table(rows) + reasons;
    });
}

int command_verdicts(const Client& node, const Output& output) {
    return ask(node, "verdicts", JsonDoc::object(), output, [](const JsonDoc& d) {
        std::vector<std::vector<std::string>> rows{
            {"HEIGHT", "TOOL", "DECIDED", "AGREEING", "DISSENTING", "CALL"}};
        for (const JsonDoc& v : d["verdicts"]) {
            rows.push_back(
                {text_of(v["height"]),
                 text_of(v["tool"]),
                 text_of(v["decided"]),
                 text_of(v["agreeing"]) + " of " + text_of(v["panel"]),
                 std::to_string(v["dissenting"].size()),
                 text_of(v["call"]).substr(0, 16)}
            );
        }
        return table(rows);
    });
}

int command_log(const Client& node, std::uint64_t from, std::uint64_t count, const Output& output) {
    return ask(node, "log", {{"from", from}, {"count", count}}, output, [](const JsonDoc& d) {
        std::vector<std::vector<std::string>> rows{
            {"HEIGHT", "VIEW", "PROPOSER", "LANES", "BLOCK"}};
        for (const JsonDoc& b : d["blocks"]) {
            rows.push_back(
                {text_of(b["height"]),
                 text_of(b["view"]),
                 text_of(b["proposer"]),
                 std::to_string(b["delta"].size()),
                 text_of(b["id"]).substr(0, 16)}
            );
        }
        return table(rows);
    });
}

int command_watch(const Client& node, const WatchOptions& options, const Output& output) {
    const std::string prefix =
        options.prefix.empty() ? "" : "&prefix=" + percent_coded(options.prefix);
    std::string since = prefix.empty() ? "since=0&" : "";  // Changes are shown from now on.
    JsonDoc seen = JsonDoc::array();
    const auto is_done = [&] { return options.count > 0 && seen.size() >= options.count; };
    const auto show = [&](const JsonDoc& event) {
        // Without a count the watch has no end, so a document could never be closed.
        if (output.json && options.count > 0) {
            seen.push_back(event);
        } else {
            std::cout << (output.json ? event.dump() : event_line(event)) << std::endl;
            if (options.count > 0) seen.push_back(nullptr);
        }
    };
    while (!is_done()) {
        auto answer =
            node.get("/v1/events?" + since + "wait_ms=20000" + prefix, std::chrono::seconds{40});
        if (!answer) return output.fail(answer.error(), exit_code_of(answer.error()));
        const JsonDoc doc = answer->json();
        if (!doc.is_object() || !doc.contains("events")) {
            const bool refused = doc.is_object() && doc.contains("error");
            return output.fail(
                {ErrorCode::unavailable,
                 refused ? text_of(doc["error"]["message"]) : "not a creto node"},
                exit_code::unreachable
            );
        }
        if (doc.contains("lost")) show({{"event", "changes_lost"}, {"count", doc["lost"]}});
        for (const JsonDoc& event : doc["events"]) {
            if (is_done()) break;
            show(event);
        }
        since = "since=" + text_of(doc["next"]) + "&";
    }
    if (output.json) output.say({{"ok", true}, {"events", seen}}, "");
    return exit_code::done;
}

namespace {

/// Says what a call shows, for people; or collects it, for --json. [CALL-STREAM.4]
class Pieces {
public:
    explicit Pieces(const Output& output) : output_{output} {}

    void on_event(const JsonDoc& event) {
        if (event["event"] == "restarted") return restart(event);
        if (output_.json) return keep(event);
        if (event["kind"] == "progress") {
            std::cerr << "creto: " << text_of(event["done"]);
            if (event.contains("total")) std::cerr << " of " << text_of(event["total"]);
            const std::string what = text_of(event["text"]);
            std::cerr << (what.empty() ? "" : " ") << what << std::endl;
            return;
        }
        const bool is_text = event["kind"] == "text";
        const std::string said = text_of(event[is_text ? "text" : "json"]);
        if (!is_text) end_line();
        std::cout << said;
        is_open_ = is_text && !said.empty() && said.back() != '\n';
        if (!is_text) std::cout << "\n";
        std::cout.flush();
    }
    /// The result comes on a line of its own.
    void end_line() {
        if (is_open_) std::cout << "\n";
        is_open_ = false;
    }
    void complete(JsonDoc& reply) const {
        const std::uint64_t lost = reply.value("pieces_lost", std::uint64_t{0}) + unkept_;
        if (lost > 0) reply["pieces_lost"] = lost;
        if (output_.json) {
            reply["pieces"] = kept_;
        } else if (lost > 0) {
            std::cerr << "creto: " << lost << " pieces were left out\n";
        }
    }

private:
    static constexpr std::size_t kept_bytes_max = 16ULL * 1024 * 1024;

    void restart(const JsonDoc& event) {
        kept_ = JsonDoc::array();
        kept_bytes_ = unkept_ = 0;
        if (output_.json) return;
        end_line();
        std::cout.flush();
        std::cerr << "creto: begun anew by " << text_of(event["provider"])
                  << "; what was shown before does not count" << std::endl;
    }
    void keep(JsonDoc event) {
        event.erase("event");
        kept_bytes_ += event.dump(-1, ' ', false, JsonDoc::error_handler_t::replace).size();
        if (kept_bytes_ > kept_bytes_max) {
            ++unkept_;
        } else {
            kept_.push_back(std::move(event));
        }
    }

    const Output& output_;
    JsonDoc kept_ = JsonDoc::array();
    std::size_t kept_bytes_ = 0;
    std::uint64_t unkept_ = 0;
    bool is_open_ = false;  ///< A line was begun.
};

Result<JsonDoc> call_stream(
    const Client& node, JsonDoc body, std::chrono::milliseconds patience, const Output& output
) {
    body["stream"] = true;
    Pieces pieces{output};
    auto reply = node.stream(
        "call", body, [&](const JsonDoc& event) { pieces.on_event(event); }, patience
    );
    pieces.end_line();
    if (reply) pieces.complete(*reply);
    return reply;
}

}  // namespace

int command_call(const Client& node, const CallOptions& options, const Output& output) {
    const JsonDoc arguments = options.arguments;
    JsonDoc body{
        {"tool", options.tool}, {"arguments", arguments}, {"timeout_ms", options.timeout_ms}};
    const auto patience = std::chrono::milliseconds{options.timeout_ms + 5'000};
    if (!options.verify) {
        if (!options.agent.empty()) {
            // Agents are named by id or by name; the node knows the ids.
            auto peers = node.command("peers", JsonDoc::object());
            if (!peers) return output.fail(peers.error(), exit_code_of(peers.error()));
            for (const JsonDoc& p : (*peers)["peers"]) {
                if (text_of(p["name"]) == options.agent) body["agent"] = p["agent"];
            }
            if (!body.contains("agent")) {
                if (!parse_agent(options.agent)) {
                    return output.fail(
                        {ErrorCode::not_found,
                         "there is no agent \"" + options.agent + "\" here; see `creto peers`"},
                        exit_code::failed
                    );
                }
                body["agent"] = options.agent;
            }
        }
        auto reply = options.stream ? call_stream(node, body, patience, output)
                                    : node.command("call", body, patience);
        if (!reply) {
            const bool tool_said = reply.error().code == ErrorCode::invalid;
            return output.fail(
                reply.error(), tool_said ? exit_code::tool_error : exit_code_of(reply.error())
            );
        }
        output.say(*reply, text_of((*reply)["result"]));
        return exit_code::done;
    }
    if (options.quorum > 0) body["quorum"] = options.quorum;
    body["panel"] = options.panel;
    auto reply = node.command("call-verified", body, patience);
    if (!reply) return output.fail(reply.error(), exit_code_of(reply.error()));
    std::string finality;
    if (options.final) {
        auto proof = node.command(
            "receipt", {{"call", (*reply)["call"]}, {"timeout_ms", options.timeout_ms}}, patience
        );
        if (!proof) return output.fail(proof.error(), exit_code_of(proof.error()));
        (*reply)["final_receipt"] = (*proof)["final_receipt"];
        finality = "\nthe verdict is final";
    }
    if (!options.receipt.empty()) {
        if (auto saved = write_file(options.receipt, reply->dump(2) + "\n"); !saved) {
            return output.fail(saved.error(), exit_code::failed);
        }
    }
    std::string lines = text_of((*reply)["result"]) + "\n" + text_of((*reply)["agreeing"]) +
                        " of " + text_of((*reply)["panel"]) + " agents agree, " +
                        text_of((*reply)["bar"]) + " needed" + finality;
    for (const JsonDoc& liar : (*reply)["dissenting"])
        lines += "\ndissenting: " + text_of(liar);
    output.say(*reply, lines);
    return (*reply)["kind"] == "result" ? exit_code::done : exit_code::tool_error;
}

int command_submit(
    const Client& node,
    const std::filesystem::path& file,
    std::uint64_t timeout_ms,
    const Output& output
) {
    auto text = read_file(file, limits::operation_bytes_max);
    if (!text) return output.fail(text.error(), exit_code::failed);
    const JsonDoc body{{"payload", {{"hex", to_hex(as_bytes(*text))}}}, {"timeout_ms", timeout_ms}};
    auto doc = node.command("submit", body, std::chrono::milliseconds{timeout_ms + 5'000});
    if (!doc) return output.fail(doc.error(), exit_code_of(doc.error()));
    output.say(
        *doc,
        "operation " + text_of((*doc)["operation"]) + "\nfinal at height " +
            text_of((*doc)["height"])
    );
    return exit_code::done;
}

}  // namespace creto
