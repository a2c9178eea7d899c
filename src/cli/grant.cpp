#include "cli/grant.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>

#include "crypto/signature.hpp"
#include "scale/nearest.hpp"

namespace creto {

namespace {

using Doc = nlohmann::ordered_json;

constexpr std::array<const char*, 4> actions{"add", "remove", "replace", "set"};
constexpr std::size_t file_bytes_max = 64 * 1024;

std::optional<Signature> signature_of(const Doc& text) {
    const auto bytes = text.is_string() ? from_hex(text.get<std::string>()) : std::nullopt;
    if (!bytes || bytes->size() != Signature::size) return std::nullopt;
    std::array<std::uint8_t, Signature::size> out{};
    std::copy(bytes->begin(), bytes->end(), out.begin());
    return Signature{out};
}

bool is_signed(
    const PublicKey& key,
    SignDomain domain,
    const ChainId& chain,
    ByteView message,
    const Signature& signature
) {
    const Ed25519Scheme scheme;
    return scheme.verify(key, signed_bytes(domain, chain.value(), message), signature);
}

bool gives_seat(const RosterOperation& change) {
    return change.action == RosterOperation::Action::add ||
           change.action == RosterOperation::Action::replace;
}

/// The change that operators have approved, and their signatures. Says what is wrong.
std::string read_approvals(const Doc& doc, Grant& grant, const std::vector<AgentId>& operators) {
    RosterOperation& change = grant.change;
    const Doc wanted = doc.value("change", Doc::object());
    const auto action = std::find(
        actions.begin(), actions.end(), wanted.is_object() ? wanted.value("action", "") : ""
    );
    if (action == actions.end()) return "it has approvals, and not the change that they are of";
    change.action = action_named(*action);
    change.seat = Seat{wanted.value("seat", std::uint32_t{0})};
    if (!gives_seat(change)) change.possession.reset();
    if (change.action == RosterOperation::Action::set) {
        const auto parameter = parameter_named(wanted.value("parameter", ""));
        if (!parameter) return "it names no parameter that there is";
        change.parameter = {
            *parameter,
            wanted.value("value", std::uint32_t{0}),
            wanted.value("number", std::uint32_t{0})};
    }
    for (const Doc& one : doc["approvals"]) {
        const std::string text = one.is_string() ? one.get<std::string>() : std::string{};
        const bool named = text.size() > 2 && text[1] == ':' && text[0] >= '0' && text[0] <= '7';
        const auto who = named ? static_cast<std::uint8_t>(text[0] - '0') : std::uint8_t{0};
        const auto signature = named ? signature_of(text.substr(2)) : std::nullopt;
        if (!signature) return "an approval is not NUMBER:SIGNATURE";
        const bool holds = who < operators.size() && is_signed(
                                                         operators[who],
                                                         SignDomain::approval,
                                                         grant.chain,
                                                         approval_bytes(change),
                                                         *signature
                                                     );
        if (!holds) {
            return "approval " + std::to_string(who) +
                   " is not signed by that operator for this change; let the operator sign again "
                   "(creto roster grant --approve)";
        }
        change.approvals.push_back({who, *signature});
    }
    std::sort(
        change.approvals.begin(),
        change.approvals.end(),
        [](const Approval& a, const Approval& b) { return a.who < b.who; }
    );
    return {};
}

/// Says what is wrong.
std::string read(const Doc& doc, Grant& grant, const std::vector<AgentId>& operators) {
    if (!doc.is_object() || !doc.contains("agent") || !doc["agent"].is_string())
        return "it is no grant; expected what `creto roster grant --request` wrote";
    grant.network = doc.value("network", "");
    const auto chain = from_hex(doc.value("chain", ""));
    if (!chain || chain->size() != Digest::size) return "\"chain\" is not 64 hexadecimal digits";
    std::array<std::uint8_t, Digest::size> id{};
    std::copy(chain->begin(), chain->end(), id.begin());
    grant.chain = ChainId{Digest{id}};
    const std::string agent = doc["agent"].get<std::string>();
    RosterOperation& change = grant.change;
    if (!agent.empty()) {
        auto key = parse_agent(agent);
        if (!key) return key.error().message;
        change.key = *key;
        change.name = doc.value("name", "");
        if (change.name.size() > limits::name_bytes_max)
            return "its name has more than " + std::to_string(limits::name_bytes_max) + " bytes";
        change.possession = signature_of(doc.value("possession", Doc{}));
        if (!change.possession || !is_signed(
                                      change.key,
                                      SignDomain::grant,
                                      grant.chain,
                                      possession_bytes(change.key, change.name),
                                      *change.possession
                                  )) {
            return "agent " + agent +
                   " has not signed it for this network and this name; make it anew on the machine "
                   "that holds the key (creto roster grant --request)";
        }
    }
    change.action =
        change.name.empty() ? RosterOperation::Action::replace : RosterOperation::Action::add;
    if (!doc.contains("approvals")) return {};
    if (!doc["approvals"].is_array()) return "\"approvals\" is no list";
    return read_approvals(doc, grant, operators);
}

}  // namespace

RosterOperation::Action action_named(const std::string& name) {
    const auto found = std::find(actions.begin(), actions.end(), name);
    CRETO_ASSERT(found != actions.end());
    return static_cast<RosterOperation::Action>(found - actions.begin());
}

/// What an operator means by these words; the number of the change is still to be said.
Result<ParameterChange> read_parameter(const std::string& name, const std::string& value) {
    const auto parameter = parameter_named(name);
    if (!parameter) {
        std::vector<std::string> names;
        std::string list;
        for (const Parameter one : all_parameters) {
            names.emplace_back(to_string(one));
            list += (list.empty() ? "" : ", ") + names.back();
        }
        const auto meant = nearest(name, names, 4);
        return fail(
            ErrorCode::invalid,
            "there is no parameter \"" + name + "\"" +
                (meant ? "; did you mean \"" + *meant + "\"?" : "") + " There are " + list
        );
    }
    std::uint32_t number = 0;
    const char* end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data(), end, number);
    if (error != std::errc{} || stop != end) {
        return fail(
            ErrorCode::invalid, name + " takes a whole number of 0 or more, not \"" + value + "\""
        );
    }
    if (auto why = refusal(*parameter, number)) return fail(ErrorCode::invalid, name + ": " + *why);
    return ParameterChange{*parameter, number, 0};
}

Grant request_grant(const KeySeed& key, const std::string& name, const Genesis& genesis) {
    Ed25519Scheme scheme;
    const auto signer = scheme.signer(key);
    const Roster roster{genesis};
    Grant grant{genesis.network, roster.chain(), {}};
    grant.change.key = signer->public_key();
    grant.change.name = name;
    grant.change.action =
        name.empty() ? RosterOperation::Action::replace : RosterOperation::Action::add;
    grant.change.possession = signer->sign(
        SignDomain::grant, roster.chain().value(), possession_bytes(signer->public_key(), name)
    );
    return grant;
}

Result<Grant> read_grant(const std::filesystem::path& file, const std::vector<AgentId>& operators) {
    auto text = read_file(file, file_bytes_max);
    if (!text) {
        if (text.error().code != ErrorCode::not_found) return tl::unexpected<Error>(text.error());
        return fail(
            ErrorCode::not_found,
            "there is no file " + file.string() +
                "; the machine that wants the seat makes it: creto roster grant --request"
        );
    }
    const Doc doc = Doc::parse(*text, nullptr, false);
    Grant grant;
    std::string wrong;
    try {
        wrong = doc.is_discarded() ? "it is not JSON" : read(doc, grant, operators);
    } catch (const nlohmann::json::exception& error) {
        wrong = error.what();
    }
    if (wrong.empty()) return grant;
    return fail(ErrorCode::invalid, file.string() + ": " + wrong);
}

Result<void> write_grant(const std::filesystem::path& file, const Grant& grant) {
    const RosterOperation& change = grant.change;
    const bool is_set = change.action == RosterOperation::Action::set;
    Doc doc{
        {"network", grant.network},
        {"chain", grant.chain.value().hex()},
        {"agent", gives_seat(change) ? agent_text(change.key) : std::string{}},
        {"name", change.name}};
    if (change.possession) doc["possession"] = to_hex(change.possession->view());
    if (!change.approvals.empty()) {
        doc["change"] = {{"action", actions[static_cast<std::size_t>(change.action)]}};
        if (change.action != RosterOperation::Action::add && !is_set)
            doc["change"]["seat"] = change.seat.value();
        if (is_set) {
            doc["change"]["parameter"] = to_string(change.parameter.parameter);
            doc["change"]["value"] = change.parameter.value;
            doc["change"]["number"] = change.parameter.number;
        }
        Doc approvals = Doc::array();
        for (const Approval& approval : change.approvals)
            approvals.push_back(
                std::to_string(approval.who) + ":" + to_hex(approval.signature.view())
            );
        doc["approvals"] = std::move(approvals);
    }
    return write_file(file, doc.dump(2) + "\n");
}

Result<void> approve(
    RosterOperation& change,
    const std::filesystem::path& key_file,
    const ChainId& chain,
    const std::vector<AgentId>& operators
) {
    auto seed = read_key(key_file);
    if (!seed) return tl::unexpected<Error>(seed.error());
    Ed25519Scheme scheme;
    const auto signer = scheme.signer(*seed);
    const auto found = std::find(operators.begin(), operators.end(), signer->public_key());
    if (found == operators.end()) {
        return fail(
            ErrorCode::denied,
            key_file.string() + " is not the key of an operator of this network" +
                (operators.empty() ? ": its genesis names none" : "")
        );
    }
    const auto who = static_cast<std::uint8_t>(found - operators.begin());
    std::erase_if(change.approvals, [&](const Approval& one) { return one.who == who; });
    change.approvals.push_back(
        {who, signer->sign(SignDomain::approval, chain.value(), approval_bytes(change))}
    );
    std::sort(
        change.approvals.begin(),
        change.approvals.end(),
        [](const Approval& a, const Approval& b) { return a.who < b.who; }
    );
    return {};
}

}  // namespace creto
