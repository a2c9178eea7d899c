#include "cli/roster.hpp"

#include <algorithm>
#include <set>

#include "cli/node_commands.hpp"

namespace creto {

namespace {

std::string text_of(const JsonDoc& value) {
    return value.is_string() ? value.get<std::string>() : value.dump();
}

std::string change_text(const JsonDoc& change) {
    const std::string action = text_of(change["action"]);
    if (action == "add") return "add " + text_of(change["name"]) + " " + text_of(change["agent"]);
    const std::string seat = "seat " + text_of(change["seat"]);
    return action == "remove" ? "remove " + seat
                              : "replace " + seat + " by " + text_of(change["agent"]);
}

std::string asked_line(const JsonDoc& asked, const JsonDoc& needed) {
    return "asked for by " + std::to_string(asked["by"].size()) + " of " + text_of(needed) +
           " seats: " + change_text(asked["change"]) + "\n";
}

std::string roster_lines(const JsonDoc& d) {
    std::vector<std::vector<std::string>> rows{{"SEAT", "NAME", "STATE", "EPOCHS", "AGENT"}};
    for (const JsonDoc& s : d["seats"]) {
        const std::string last = s["last_epoch"].is_null() ? "" : text_of(s["last_epoch"]);
        rows.push_back(
            {text_of(s["seat"]),
             text_of(s["name"]),
             text_of(s["state"]),
             text_of(s["first_epoch"]) + " to " + last,
             text_of(s["agent"])}
        );
    }
    std::string out = table(rows);
    for (const JsonDoc& s : d["seats"]) {
        if (s["suspected"].is_null()) continue;
        out += "suspected: " + text_of(s["name"]) + ": " + text_of(s["suspected"]) +
               (s["rests"] == true ? "; it has no turns as leader" : "") + "\n";
    }
    if (d["boundary"].is_null())
        return out +
               "one epoch without end: this roster does not change (epoch_blocks in "
               "genesis.json)\n";
    out += "epoch " + text_of(d["epoch"]) + " ends at height " + text_of(d["boundary"]) +
           "; now at " + text_of(d["height"]) + "\n";
    for (const JsonDoc& asked : d["asked"])
        out += asked_line(asked, d["needed"]);
    return out;
}

/// The seat that an operator means, by number or by name.
Result<std::uint64_t> find_seat(
    const Client& node, const JsonDoc& roster, const std::string& wanted
) {
    if (wanted.empty()) {
        auto status = node.command("status", JsonDoc::object());
        if (!status) return tl::unexpected<Error>(status.error());
        if ((*status)["seat"].is_null())
            return fail(ErrorCode::invalid, "this node has no seat that could be replaced");
        return (*status)["seat"].get<std::uint64_t>();
    }
    for (const JsonDoc& seat : roster["seats"]) {
        const bool named = text_of(seat["name"]) == wanted && seat["last_epoch"].is_null();
        if (named || text_of(seat["seat"]) == wanted) return seat["seat"].get<std::uint64_t>();
    }
    return fail(ErrorCode::not_found, "there is no seat \"" + wanted + "\"; see `creto roster`");
}

}  // namespace

int command_roster(const Client& node, const Output& output) {
    auto doc = node.command("roster", JsonDoc::object());
    if (!doc) return output.fail(doc.error(), exit_code_of(doc.error()));
    output.say(*doc, output.json ? std::string{} : roster_lines(*doc));
    return exit_code::done;
}

int command_roster_change(const Client& node, const RosterChange& change, const Output& output) {
    auto before = node.command("roster", JsonDoc::object());
    if (!before) return output.fail(before.error(), exit_code_of(before.error()));
    JsonDoc body{{"action", change.action}, {"timeout_ms", change.timeout_ms}};
    if (change.action != "add") {
        auto seat = find_seat(node, *before, change.seat);
        if (!seat) return output.fail(seat.error(), exit_code::usage);
        body["seat"] = *seat;
    }
    if (change.action != "remove") body["agent"] = change.agent;
    if (change.action == "add") body["name"] = change.name;
    auto doc =
        node.command("roster-change", body, std::chrono::milliseconds{change.timeout_ms + 5'000});
    if (!doc) return output.fail(doc.error(), exit_code_of(doc.error()));
    if ((*doc)["applied"] == false)
        return output.fail({ErrorCode::denied, text_of((*doc)["reason"])}, exit_code::denied);
    auto after = node.command("roster", JsonDoc::object());
    if (!after) return output.fail(after.error(), exit_code_of(after.error()));
    std::string line;
    for (const JsonDoc& asked : (*after)["asked"]) {
        const JsonDoc& what = asked["change"];
        const bool same = what["action"] == change.action &&
                          what.value("agent", "") == change.agent &&
                          (!body.contains("seat") || what["seat"] == body["seat"]);
        if (same) line = asked_line(asked, (*after)["needed"]);
    }
    if (line.empty())
        line = "agreed; in force from the epoch after the next on: see `creto roster`\n";
    (*doc)["roster"] = *after;
    output.say(*doc, line);
    return exit_code::done;
}

void add_roster(Program& p) {
    static RosterChange change;
    CLI::App* roster = node_command(
        p, p.app, "roster", "Who votes, who will, and how that changes", "roster --node alpha"
    );
    roster->require_subcommand(0, 1);
    roster->callback([&p, roster] {
        if (!roster->get_subcommands().empty()) return;
        p.chosen = [&p] {
            return p.with_node([&](const Client& node) { return command_roster(node, p.output); });
        };
    });
    const auto chosen = [&p](const char* action) {
        return [&p, action] {
            p.chosen = [&p, action] {
                change.action = action;
                return p.with_node([&](const Client& node) {
                    return command_roster_change(node, change, p.output);
                });
            };
        };
    };
    CLI::App* add = node_command(
        p,
        *roster,
        "add",
        "Ask for a seat for an agent; in force once a quorum of the seats has asked for the same",
        "roster add 12D3KooW... --name delta --node alpha"
    );
    add->add_option("AGENT", change.agent, "What `creto keygen` printed for it")->required();
    add->add_option("--name", change.name, "For people; unique in the roster")->required();
    add->callback(chosen("add"));
    CLI::App* remove = node_command(
        p,
        *roster,
        "remove",
        "Ask for the end of a seat; of the node's own it takes nobody else's consent",
        "roster remove delta --node alpha"
    );
    remove->add_option("SEAT", change.seat, "Its number or name")->required();
    remove->callback(chosen("remove"));
    CLI::App* rotate = node_command(
        p,
        *roster,
        "rotate",
        "Give a seat's place to another key: the node's own, or a lost machine's by quorum",
        "roster rotate 12D3KooW... --node alpha"
    );
    rotate->add_option("AGENT", change.agent, "The new key's agent")->required();
    rotate->add_option(
        "--seat", change.seat, "Another seat than the node's own, by number or name"
    );
    rotate->callback(chosen("replace"));
    for (CLI::App* sub : {add, remove, rotate})
        sub->add_option("--timeout", change.timeout_ms, "Deadline in milliseconds");
}

}  // namespace creto
