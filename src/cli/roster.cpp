#include "cli/roster.hpp"

#include <algorithm>
#include <set>

#include "cli/grant.hpp"
#include "cli/node_commands.hpp"

namespace creto {

namespace {

std::string change_text(const JsonDoc& change) {
    const std::string action = text_of(change["action"]);
    if (action == "set")
        return "set " + text_of(change["parameter"]) + " to " + text_of(change["value"]);
    if (action == "add") return "add " + text_of(change["name"]) + " " + text_of(change["agent"]);
    const std::string seat = "seat " + text_of(change["seat"]);
    return action == "remove" ? "remove " + seat
                              : "replace " + seat + " by " + text_of(change["agent"]);
}

std::string asked_line(const JsonDoc& asked, const JsonDoc& needed) {
    return "asked for by " + std::to_string(asked["by"].size()) + " of " + text_of(needed) +
           " seats: " + change_text(asked["change"]) + "\n";
}

std::string names_of(const JsonDoc& d, const JsonDoc& numbers) {
    std::string out;
    for (const JsonDoc& number : numbers) {
        std::string name = text_of(number);
        for (const JsonDoc& seat : d["seats"])
            if (seat["seat"] == number) name = text_of(seat["name"]);
        out += (out.empty() ? "" : ", ") + name;
    }
    return out;
}

std::string beacon_lines(const JsonDoc& d) {
    const JsonDoc& beacon = d["beacon"];
    const bool fed = !beacon["fed_by"].empty();
    std::string out = "beacon of epoch " + text_of(beacon["epoch"]) + ": " +
                      text_of(beacon["value"]).substr(0, 8) +
                      (fed ? ", from the secrets of " + names_of(d, beacon["fed_by"])
                           : ", from no seat's secret") +
                      "\n";
    if (!beacon["withheld"].empty()) {
        out += "withheld: " + names_of(d, beacon["withheld"]) +
               " had committed to a secret for it and did not reveal it\n";
    }
    return out + "leaders, in turn: " + names_of(d, d["leaders"]) + "\n";
}

std::string parameter_lines(const JsonDoc& d) {
    std::string out;
    std::string later;
    for (const auto& [name, parameter] : d["parameters"].items()) {
        out += (out.empty() ? "parameters: " : ", ") + name + " " + text_of(parameter["value"]);
        for (const JsonDoc& one : parameter["later"]) {
            later += "from epoch " + text_of(one["from_epoch"]) + " on: " + name + " " +
                     text_of(one["value"]) + "\n";
        }
    }
    return out + "\n" + later;
}

std::string roster_lines(const JsonDoc& d) {
    std::vector<std::vector<std::string>> rows{
        {"SEAT", "NAME", "STATE", "EPOCHS", "LANE", "AGENT"}};
    for (const JsonDoc& s : d["seats"]) {
        const std::string last = s["last_epoch"].is_null() ? "" : text_of(s["last_epoch"]);
        rows.push_back(
            {text_of(s["seat"]),
             text_of(s["name"]),
             text_of(s["state"]),
             text_of(s["first_epoch"]) + " to " + last,
             text_of(s["lane"]),
             text_of(s["agent"])}
        );
    }
    std::string out = table(rows);
    for (const JsonDoc& s : d["seats"]) {
        if (s["suspected"].is_null()) continue;
        out += "suspected: " + text_of(s["name"]) + ": " + text_of(s["suspected"]) +
               (s["rests"] == true ? "; it has no turns as leader" : "") + "\n";
    }
    for (const JsonDoc& s : d["seats"]) {
        if (s["dormant_from"].is_null() || s["state"] == "ended") continue;
        const JsonDoc& again = s["votes_again_from"];
        out += "dormant: " + text_of(s["name"]) + ": " +
               (s["state"] == "dormant" ? "since epoch " : "from epoch ") +
               text_of(s["dormant_from"]) + ", " +
               (again.is_null() ? std::string{"comes back by itself"}
                                : "votes again from epoch " + text_of(again) + " on") +
               "\n";
    }
    out += text_of(d["needed"]) + " of the " + text_of(d["voting"]) + " seats that vote decide\n";
    out += beacon_lines(d);
    out += parameter_lines(d);
    if (d["boundary"].is_null())
        return out +
               "one epoch without end: this roster and its parameters do not change "
               "(epoch_blocks in genesis.json)\n";
    out += "epoch " + text_of(d["epoch"]) + " ends at height " + text_of(d["boundary"]) +
           "; now at " + text_of(d["height"]) + "\n";
    for (const JsonDoc& asked : d["asked"])
        out += asked_line(asked, d["needed"]);
    if (!d["operators"].empty()) {
        out += text_of(d["operators_needed"]) + " of " + std::to_string(d["operators"].size()) +
               " operators of the genesis can change it, too\n";
    }
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

namespace {

Result<std::vector<AgentId>> operators_of(const JsonDoc& roster) {
    std::vector<AgentId> out;
    for (const JsonDoc& text : roster["operators"]) {
        auto key = parse_agent(text_of(text));
        if (!key) return tl::unexpected<Error>(key.error());
        out.push_back(*key);
    }
    return out;
}

Result<ChainId> chain_of(const Client& node) {
    auto status = node.command("status", JsonDoc::object());
    if (!status) return tl::unexpected<Error>(status.error());
    const auto bytes = from_hex(text_of((*status)["chain"]));
    std::array<std::uint8_t, Digest::size> out{};
    if (!bytes || bytes->size() != out.size())
        return fail(ErrorCode::corrupt, "the node does not say which network it is of");
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return ChainId{Digest{out}};
}

Result<Grant> grant_for(
    const RosterChange& wish, const ChainId& chain, const std::vector<AgentId>& operators
) {
    auto grant = read_grant(wish.grant, operators);
    if (grant && grant->chain != chain) {
        return fail(
            ErrorCode::invalid,
            wish.grant.string() + " is for another network (\"" + grant->network +
                "\"); make it with this network's genesis.json"
        );
    }
    return grant;
}

/// Errors: there is no such parameter, it has the value already, or the grant is of another change.
Result<RosterOperation> parameter_change(
    const RosterChange& wish,
    const JsonDoc& roster,
    const ChainId& chain,
    const std::vector<AgentId>& operators
) {
    auto wanted = read_parameter(wish.parameter, wish.value);
    if (!wanted) return tl::unexpected<Error>(wanted.error());
    const JsonDoc& known = roster["parameters"][wish.parameter];
    const JsonDoc& later = known["later"];
    if ((later.empty() ? known : later.back())["value"] == wanted->value) {
        return fail(
            ErrorCode::conflict,
            wish.parameter + " is " + std::to_string(wanted->value) + " already" +
                (later.empty() ? std::string{}
                               : ", from epoch " + text_of(later.back()["from_epoch"]) + " on") +
                ": nothing to change"
        );
    }
    wanted->number = known["changes"].get<std::uint32_t>() + 1;
    RosterOperation change;
    change.action = RosterOperation::Action::set;
    change.parameter = *wanted;
    if (wish.grant.empty()) return change;
    auto grant = grant_for(wish, chain, operators);
    if (!grant) return tl::unexpected<Error>(grant.error());
    if (grant->change.action != change.action || grant->change.parameter != *wanted) {
        return fail(
            ErrorCode::invalid,
            wish.grant.string() + ": its operators have signed another change than change " +
                std::to_string(wanted->number) + " of " + wish.parameter + ", to " + wish.value +
                "; let them sign that one (creto roster grant --approve set --number " +
                std::to_string(wanted->number) + ")"
        );
    }
    return grant->change;
}

/// The change with all signatures that it has. Errors: the grant is of another network or change.
Result<RosterOperation> signed_change(
    const Client& node, const JsonDoc& roster, const RosterChange& wish
) {
    auto operators = operators_of(roster);
    if (!operators) return tl::unexpected<Error>(operators.error());
    RosterOperation change;
    const auto chain = chain_of(node);
    if (!chain) return tl::unexpected<Error>(chain.error());
    using Action = RosterOperation::Action;
    const Action action = action_named(wish.action);
    Seat seat;
    if (action == Action::set) {
        auto made = parameter_change(wish, roster, *chain, *operators);
        if (!made) return made;
        change = std::move(*made);
    } else if (action != Action::add) {
        auto found = find_seat(node, roster, wish.seat);
        if (!found) return tl::unexpected<Error>(found.error());
        seat = Seat{static_cast<std::uint32_t>(*found)};
    }
    if (!wish.grant.empty() && action != Action::set) {
        auto grant = grant_for(wish, *chain, *operators);
        if (!grant) return tl::unexpected<Error>(grant.error());
        change = grant->change;
        const bool is_other =
            !change.approvals.empty() && (change.action != action || change.seat != seat);
        if (is_other) {
            return fail(
                ErrorCode::invalid,
                wish.grant.string() + ": its operators have signed another change than this"
            );
        }
    }
    if (action == Action::add && change.name.empty()) {
        return fail(
            ErrorCode::invalid,
            wish.grant.string() + " names no name for the seat; make it with --name"
        );
    }
    change.action = action;
    change.seat = seat;
    for (const std::filesystem::path& key : wish.operator_keys) {
        if (auto done = approve(change, key, *chain, *operators); !done)
            return tl::unexpected<Error>(done.error());
    }
    const auto needed = roster["operators_needed"].get<std::size_t>();
    if (wish.by_operators && change.approvals.size() < std::max<std::size_t>(needed, 1)) {
        return fail(
            ErrorCode::denied,
            needed == 0
                ? "this network's genesis names no operators; a quorum of the seats can do "
                  "it: creto roster rotate --seat"
                : std::to_string(change.approvals.size()) + " of " + std::to_string(needed) +
                      " operators have signed it; sign with --operator-key, or in the file "
                      "with `creto roster grant --approve`"
        );
    }
    return change;
}

}  // namespace

int command_roster_change(const Client& node, const RosterChange& wish, const Output& output) {
    auto before = node.command("roster", JsonDoc::object());
    if (!before) return output.fail(before.error(), exit_code_of(before.error()));
    const auto change = signed_change(node, *before, wish);
    if (!change) {
        const bool denied = change.error().code == ErrorCode::denied;
        return output.fail(change.error(), denied ? exit_code::denied : exit_code::usage);
    }
    JsonDoc body{{"action", wish.action}, {"timeout_ms", wish.timeout_ms}};
    using Action = RosterOperation::Action;
    if (change->action == Action::set) {
        body["parameter"] = wish.parameter;
        body["value"] = change->parameter.value;
        body["number"] = change->parameter.number;
    }
    if (change->action == Action::remove || change->action == Action::replace)
        body["seat"] = change->seat.value();
    if (change->action == Action::add || change->action == Action::replace) {
        body["agent"] = agent_text(change->key);
        body["name"] = change->name;
        body["possession"] = to_hex(change->possession->view());
    }
    for (const Approval& approval : change->approvals)
        body["approvals"].push_back(
            std::to_string(approval.who) + ":" + to_hex(approval.signature.view())
        );
    auto doc =
        node.command("roster-change", body, std::chrono::milliseconds{wish.timeout_ms + 5'000});
    if (!doc) return output.fail(doc.error(), exit_code_of(doc.error()));
    if ((*doc)["applied"] == false)
        return output.fail({ErrorCode::denied, text_of((*doc)["reason"])}, exit_code::denied);
    auto after = node.command("roster", JsonDoc::object());
    if (!after) return output.fail(after.error(), exit_code_of(after.error()));
    std::string line;
    for (const JsonDoc& asked : (*after)["asked"]) {
        const JsonDoc& what = asked["change"];
        const auto agrees = [&](const char* field) {
            return !body.contains(field) || (what.contains(field) && what[field] == body[field]);
        };
        const bool same = agrees("action") && agrees("agent") && agrees("seat") &&
                          agrees("parameter") && agrees("value");
        if (same) line = asked_line(asked, (*after)["needed"]);
    }
    if (line.empty())
        line = "agreed; in force from the epoch after the next on: see `creto roster`\n";
    (*doc)["roster"] = *after;
    output.say(*doc, line);
    return exit_code::done;
}

int command_roster_grant(const GrantOptions& options, const Output& output) {
    const auto refuse = [&](const Error& error) { return output.fail(error, exit_code::usage); };
    auto config = load_config(options.dir, creto_environment());
    if (!config) return refuse(config.error());
    const auto genesis =
        read_genesis(options.genesis.empty() ? config->dir / config->genesis : options.genesis);
    if (!genesis) return refuse(genesis.error());
    if (options.request) {
        const auto key = read_key(config->dir / config->key);
        if (!key) return refuse(key.error());
        const Grant grant = request_grant(*key, options.name, *genesis);
        if (auto done = write_grant(options.file, grant); !done) return refuse(done.error());
        output.say(
            {{"ok", true},
             {"file", options.file.string()},
             {"agent", agent_text(grant.change.key)},
             {"name", options.name}},
            "wrote " + options.file.string() + ", in which " + agent_text(grant.change.key) +
                " asks for a seat" +
                (options.name.empty() ? " in place of another's" : " as " + options.name) +
                "\nnext: hand it to those who run validators, for `creto roster " +
                (options.name.empty() ? "rotate --seat N" : "add") + " --grant FILE`"
        );
        return exit_code::done;
    }
    Grant grant{genesis->network, Roster{*genesis}.chain(), {}};
    const bool asks_nobody = options.approve == "remove" || options.approve == "set";
    const bool fresh = asks_nobody && !std::filesystem::exists(options.file);
    if (!fresh) {
        auto read = read_grant(options.file, genesis->operators);
        if (!read) return refuse(read.error());
        if (read->chain != grant.chain)
            return refuse({ErrorCode::invalid, options.file.string() + " is for another network"});
        grant = std::move(*read);
    }
    if (!options.approve.empty()) {
        RosterOperation change = grant.change;
        change.action = action_named(options.approve);
        change.seat = Seat{};
        change.parameter = {};
        if (change.action == RosterOperation::Action::set) {
            auto wanted = read_parameter(options.parameter, options.value);
            if (!wanted) return refuse(wanted.error());
            change.parameter = *wanted;
            change.parameter.number = options.number;
        } else if (change.action != RosterOperation::Action::add) {
            char* end = nullptr;
            change.seat =
                Seat{static_cast<std::uint32_t>(std::strtoul(options.seat.c_str(), &end, 10))};
            if (options.seat.empty() || *end != '\0') {
                return refuse(
                    {ErrorCode::invalid, "--seat must be the number of the seat that ends"}
                );
            }
        }
        if (asks_nobody) {
            change.key = {};
            change.name.clear();
            change.possession.reset();
        }
        if (change.action != grant.change.action || change.seat != grant.change.seat ||
            change.parameter != grant.change.parameter)
            change.approvals.clear();  // They were of another change.
        auto done = approve(change, options.operator_key, grant.chain, genesis->operators);
        if (!done) return refuse(done.error());
        grant.change = change;
        if (done = write_grant(options.file, grant); !done) return refuse(done.error());
    }
    const RosterOperation& change = grant.change;
    std::string line = options.file.string() + ": ";
    const bool is_set = change.action == RosterOperation::Action::set;
    line += is_set ? "change " + std::to_string(change.parameter.number) + " of " +
                         to_string(change.parameter.parameter) + ", to " +
                         std::to_string(change.parameter.value)
            : change.action == RosterOperation::Action::remove
                ? "the end of seat " + std::to_string(change.seat.value())
                : agent_text(change.key) + " asks for a seat" +
                      (change.name.empty() ? std::string{} : " as " + change.name);
    if (!change.approvals.empty()) {
        line += "; " + std::to_string(change.approvals.size()) + " of " +
                std::to_string(genesis->operators_needed) + " operators have signed it";
    }
    output.say(
        {{"ok", true},
         {"file", options.file.string()},
         {"agent", change.key == PublicKey{} ? std::string{} : agent_text(change.key)},
         {"name", change.name},
         {"approvals", change.approvals.size()},
         {"operators_needed", genesis->operators_needed}},
        line
    );
    return exit_code::done;
}

namespace {

void add_grant(Program& p, CLI::App& roster) {
    static GrantOptions grant;
    CLI::App* sub = command(
        p,
        roster,
        "grant",
        "Make the file in which a machine asks for a seat; sign it as an operator; or show it",
        "roster grant --request --name delta --dir delta --file grant.json"
    );
    sub->add_option("--file", grant.file, "The grant")->default_str("grant.json");
    sub->add_flag("--request", grant.request, "Make it: the key in --dir asks for a seat");
    sub->add_option("--name", grant.name, "Of the seat; without, it can only replace another");
    sub->add_option("--dir", grant.dir, "The folder of the node that asks")->default_str(".");
    sub->add_option("--genesis", grant.genesis, "The network's genesis.json (default: in --dir)");
    auto* approve =
        sub->add_option("--approve", grant.approve, "Sign it as an operator of the genesis")
            ->check(CLI::IsMember({"add", "remove", "replace", "set"}));
    sub->add_option("--seat", grant.seat, "With --approve remove or replace: the seat that ends");
    sub->add_option("--parameter", grant.parameter, "With --approve set: its name");
    sub->add_option("--value", grant.value, "With --approve set: what it becomes");
    sub->add_option(
           "--number",
           grant.number,
           "With --approve set: which change of the parameter it is, one more than `changes` in "
           "`creto roster --json`"
    )
        ->default_str("1");
    auto* key =
        sub->add_option("--operator-key", grant.operator_key, "With --approve: the key file");
    approve->needs(key);
    key->needs(approve);
    sub->callback([&p] { p.chosen = [&p] { return command_roster_grant(grant, p.output); }; });
}

}  // namespace

void add_roster(Program& p) {
    static RosterChange change;
    CLI::App* roster = node_command(
        p,
        p.app,
        "roster",
        "Who votes, who will, under which parameters, and how that changes",
        "roster --node alpha"
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
        "roster add --grant grant.json --node alpha"
    );
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
        "roster rotate --grant grant.json --node alpha"
    );
    rotate->add_option(
        "--seat", change.seat, "Another seat than the node's own, by number or name"
    );
    rotate->callback(chosen("replace"));
    CLI::App* recover = node_command(
        p,
        *roster,
        "recover",
        "Give a lost machine's seat to another key, on the signatures of operators of the genesis",
        "roster recover --seat delta --grant grant.json --operator-key op0.key --node alpha"
    );
    recover->add_option("--seat", change.seat, "The lost machine's, by number or name")->required();
    recover->callback([&p] {
        p.chosen = [&p] {
            change.action = "replace";
            change.by_operators = true;
            return p.with_node([&](const Client& node) {
                return command_roster_change(node, change, p.output);
            });
        };
    });
    CLI::App* set = node_command(
        p,
        *roster,
        "set",
        "Ask for another value of a parameter; in force once a quorum of the seats has asked for "
        "the "
        "same",
        "roster set term_views 8 --node alpha"
    );
    set->add_option("NAME", change.parameter, "As `creto roster` names it")->required();
    set->add_option("VALUE", change.value, "A whole number")->required();
    set->callback(chosen("set"));
    for (CLI::App* sub : {add, rotate, recover})
        sub->add_option(
               "--grant",
               change.grant,
               "What `creto roster grant --request` wrote on the new machine"
        )
            ->required();
    for (CLI::App* sub : {add, remove, rotate, recover, set}) {
        sub->add_option("--timeout", change.timeout_ms, "Deadline in milliseconds");
        sub->add_option(
            "--operator-key",
            change.operator_keys,
            "A key file of an operator of the genesis, who signs it, too; may be given several "
            "times"
        );
    }
    remove->add_option(
        "--grant", change.grant, "What `creto roster grant --approve remove` wrote, if anything"
    );
    set->add_option(
        "--grant", change.grant, "What `creto roster grant --approve set` wrote, if anything"
    );
    add_grant(p, *roster);
}

}  // namespace creto
