#include "ops/roster_json.hpp"

#include <array>

#include "codec/reader.hpp"
#include "model/limits.hpp"

namespace creto {

namespace {

constexpr std::array<const char*, 4> actions{"add", "remove", "replace", "set"};

std::optional<Signature> signature_of(Fields& f, const std::string& text, const char* name) {
    const auto bytes = from_hex(text);
    if (!bytes || bytes->size() != Signature::size) {
        f.refuse(std::string{"\""} + name + "\" must be a signature: 128 hexadecimal digits");
        return std::nullopt;
    }
    std::array<std::uint8_t, Signature::size> out{};
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return Signature{out};
}

void read_approvals(Fields& f, RosterOperation& change) {
    for (const std::string& text : f.texts("approvals")) {
        const bool named = text.size() > 2 && text[1] == ':' && text[0] >= '0' &&
                           text[0] < static_cast<char>('0' + limits::operators_max);
        if (!named || change.approvals.size() == limits::operators_max) {
            f.refuse("\"approvals\" must be up to 8 texts NUMBER:SIGNATURE, NUMBER from 0 to 7");
            return;
        }
        const auto signature = signature_of(f, text.substr(2), "approvals");
        if (!signature) return;
        change.approvals.push_back({static_cast<std::uint8_t>(text[0] - '0'), *signature});
    }
    std::sort(
        change.approvals.begin(),
        change.approvals.end(),
        [](const Approval& a, const Approval& b) { return a.who < b.who; }
    );
}

std::uint32_t small(Fields& f, const char* name) {
    const std::uint64_t number = f.number(name);
    constexpr std::uint64_t most = ~std::uint32_t{0};
    if (number > most) f.refuse(std::string{"\""} + name + "\" is too large a number");
    return static_cast<std::uint32_t>(std::min(number, most));
}

ParameterChange parameter_change(Fields& f) {
    const auto parameter = parameter_named(f.text("parameter"));
    if (!parameter) {
        std::string names;
        for (const Parameter one : all_parameters)
            names += (names.empty() ? "" : ", ") + std::string{to_string(one)};
        f.refuse("\"parameter\" must be one of " + names);
    }
    return {parameter.value_or(Parameter::term_views), small(f, "value"), small(f, "number")};
}

JsonDoc numbers_of(const std::vector<Seat>& seats) {
    JsonDoc out = JsonDoc::array();
    for (const Seat seat : seats)
        out.push_back(seat.value());
    return out;
}

}  // namespace

JsonDoc roster_change_json(const RosterOperation& change) {
    JsonDoc out{{"action", actions[static_cast<std::size_t>(change.action)]}};
    if (change.action == RosterOperation::Action::set) {
        out["parameter"] = to_string(change.parameter.parameter);
        out["value"] = change.parameter.value;
        out["number"] = change.parameter.number;
        return out;
    }
    if (change.action != RosterOperation::Action::add) out["seat"] = change.seat.value();
    if (change.action != RosterOperation::Action::remove) out["agent"] = agent_text(change.key);
    if (!change.name.empty()) out["name"] = change.name;
    if (change.possession) out["possession"] = to_hex(change.possession->view());
    return out;
}

Submit roster_change(Fields& f) {
    RosterOperation change;
    const std::string action = f.text("action");
    const auto found = std::find(actions.begin(), actions.end(), action);
    if (found == actions.end()) {
        f.refuse("action must be add, remove, replace or set");
        return {};
    }
    using Action = RosterOperation::Action;
    change.action = static_cast<Action>(found - actions.begin());
    if (change.action == Action::set) change.parameter = parameter_change(f);
    if (change.action == Action::remove || change.action == Action::replace)
        change.seat =
            Seat{static_cast<std::uint32_t>(std::min<std::uint64_t>(f.number("seat"), ~0U))};
    if (change.action == Action::add || change.action == Action::replace) {
        const auto agent = f.agent("agent");
        if (!agent) f.refuse("agent is missing");
        change.key = agent.value_or(AgentId{});
        change.name = f.text("name");
        change.possession = signature_of(f, f.text("possession"), "possession");
    }
    read_approvals(f, change);
    return Submit{.body = std::move(change), .timeout = f.timeout(Duration::from_s(30))};
}

JsonDoc roster_json(const RosterReply& r) {
    JsonDoc seats = JsonDoc::array();
    for (const RosterReply::SeatView& s : r.seats) {
        const bool begun = s.first <= r.epoch;
        const bool held = begun && (s.last == Epoch{} || r.epoch <= s.last);
        const bool back = s.dormant_until != Epoch{} && s.dormant_until <= r.epoch;
        const bool dormant = s.dormant_from != Epoch{} && s.dormant_from <= r.epoch && !back;
        JsonDoc seat{
            {"seat", s.member.seat.value()},
            {"name", s.member.name},
            {"agent", agent_text(s.member.key)},
            {"state",
             held    ? (dormant ? "dormant" : "votes")
             : begun ? "ended"
                     : "begins"},
            {"first_epoch", s.first.value()},
            {"last_epoch", nullptr},
            {"dormant_from", nullptr},
            {"votes_again_from", nullptr},
            {"suspected", nullptr},
            {"rests", s.rests},
            {"lane", lane_text(s.lane)},
            {"beacon_withheld", s.withheld}};
        if (!s.suspected.empty()) seat["suspected"] = s.suspected;
        if (s.last != Epoch{}) seat["last_epoch"] = s.last.value();
        // What was and is over is history; what is to come is not.
        if (s.dormant_from != Epoch{} && !back) {
            seat["dormant_from"] = s.dormant_from.value();
            if (s.dormant_until != Epoch{}) seat["votes_again_from"] = s.dormant_until.value();
        }
        seats.push_back(std::move(seat));
    }
    JsonDoc asked = JsonDoc::array();
    for (const RosterReply::AskedView& a : r.asked) {
        asked.push_back({{"change", roster_change_json(a.change)}, {"by", numbers_of(a.by)}});
    }
    JsonDoc parameters = JsonDoc::object();
    for (const RosterReply::ParameterView& p : r.parameters) {
        JsonDoc later = JsonDoc::array();
        for (const auto& [from, value] : p.later)
            later.push_back({{"from_epoch", from.value()}, {"value", value}});
        parameters[to_string(p.parameter)] = {
            {"value", p.value}, {"changes", p.changes}, {"later", std::move(later)}};
    }
    JsonDoc operators = JsonDoc::array();
    for (const AgentId& key : r.operators)
        operators.push_back(agent_text(key));
    JsonDoc beacon{
        {"epoch", r.beacon.epoch.value()},
        {"value", r.beacon.value.hex()},
        {"fed_by", numbers_of(r.beacon.fed_by)},
        {"withheld", numbers_of(r.beacon.withheld)}};
    JsonDoc out{
        {"ok", true},
        {"epoch", r.epoch.value()},
        {"height", r.height.value()},
        {"boundary", nullptr},
        {"needed", r.needed},
        {"voting", r.voting},
        {"dormant", r.dormant},
        {"operators", std::move(operators)},
        {"operators_needed", r.operators_needed},
        {"seats", std::move(seats)},
        {"parameters", std::move(parameters)},
        {"asked", std::move(asked)},
        {"beacon", std::move(beacon)},
        {"leaders", numbers_of(r.leaders)}};
    if (r.boundary != Height{}) out["boundary"] = r.boundary.value();
    return out;
}

}  // namespace creto
