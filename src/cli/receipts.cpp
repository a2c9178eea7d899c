// What the command line does with receipts: fetch a final one, check any of them offline.
#include <fstream>

#include "cli/node_commands.hpp"
#include "scale/config.hpp"
#include "state/final_receipt.hpp"
#include "tools/rule_decision.hpp"

namespace creto {

namespace {

/// What a receipt file holds: the quorum's receipt, and perhaps the proof that its verdict is final.
struct Held {
    QuorumReceipt quorum;
    std::optional<FinalReceipt> final;
};

template <class T>
Result<std::optional<T>> field(const JsonDoc& doc, const char* name) {
    if (!doc.contains(name)) return std::nullopt;
    if (!doc[name].is_string()) return fail(ErrorCode::invalid, std::string{name} + " is no text");
    const auto bytes = from_hex(doc[name].get<std::string>());
    if (!bytes) return fail(ErrorCode::invalid, std::string{name} + " is not hexadecimal");
    auto value = decode_named<T>(*bytes, name);
    if (!value) return tl::unexpected<Error>(value.error());
    return std::move(*value);
}

Result<Held> read_held(const JsonDoc& doc) {
    if (!doc.is_object() || (!doc.contains("receipt") && !doc.contains("final_receipt"))) {
        return fail(
            ErrorCode::invalid,
            "it holds no receipt; expected what `creto call --verify --receipt FILE` wrote"
        );
    }
    auto quorum = field<QuorumReceipt>(doc, "receipt");
    if (!quorum) return tl::unexpected<Error>(quorum.error());
    auto final = field<FinalReceipt>(doc, "final_receipt");
    if (!final) return tl::unexpected<Error>(final.error());
    Held held{.quorum = *quorum ? **quorum : (*final)->receipt, .final = std::move(*final)};
    return held;
}

Result<void> check_signatures(const QuorumReceipt& receipt, const Roster& roster) {
    const Digest& chain = roster.chain().value();
    const CallRequest& request = receipt.request;
    std::vector<CheckItem> items{
        {request.caller,
         signed_bytes(SignDomain::call_request, chain, signing_bytes(request)),
         request.signature}};
    for (const Answer& answer : receipt.answers) {
        items.push_back(
            {answer.provider,
             signed_bytes(SignDomain::call_answer, chain, signing_bytes(answer)),
             answer.signature}
        );
    }
    const Ed25519Scheme scheme;
    if (!CheckPass::verify(scheme, items)) {
        return fail(ErrorCode::invalid, "a signature does not hold");
    }
    return {};
}

Result<Salt> read_salt(const JsonDoc& doc) {
    const bool is_text = doc.contains("salt") && doc["salt"].is_string();
    const auto bytes = is_text ? from_hex(doc["salt"].get<std::string>()) : std::nullopt;
    Salt salt{};
    if (!bytes || bytes->size() != salt.size()) {
        return fail(ErrorCode::invalid, "\"salt\" must be 32 hexadecimal digits");
    }
    std::copy(bytes->begin(), bytes->end(), salt.begin());
    return salt;
}

/// The contract that the file shows; none when it shows none.
Result<std::optional<Contract>> read_contract(const JsonDoc& doc, const CallRequest& request) {
    if (!doc.contains("contract")) return std::nullopt;
    if (!doc["contract"].is_string()) return fail(ErrorCode::invalid, "\"contract\" is no text");
    auto contract = Contract::parse(doc["contract"].get<std::string>());
    if (!contract) return tl::unexpected<Error>(contract.error());
    if (contract->id() != request.contract ||
        contract->summary().has(ContractSummary::by_rule) != request.by_rule) {
        return fail(ErrorCode::invalid, "the contract shown is not the one that was asked for");
    }
    return std::move(*contract);
}

/// What the judges said, where the file shows that they were asked; its signatures hold.
Result<std::optional<Judgement>> read_judgement(const JsonDoc& doc, const Roster& roster) {
    if (!doc.contains("judgement")) return std::nullopt;
    const JsonDoc& shown = doc["judgement"];
    const auto is_text = [&](const char* name) {
        return shown.contains(name) && shown[name].is_string();
    };
    if (!shown.is_object() || !is_text("contract") || !is_text("result"))
        return fail(ErrorCode::invalid, "\"judgement\" needs a receipt, contract, result and salt");
    auto receipt = field<QuorumReceipt>(shown, "receipt");
    if (!receipt) return tl::unexpected<Error>(receipt.error());
    if (!*receipt) return fail(ErrorCode::invalid, "\"judgement\" shows no receipt");
    auto salt = read_salt(shown);
    if (!salt) return tl::unexpected<Error>(salt.error());
    if (auto good = check_signatures(**receipt, roster); !good)
        return fail(ErrorCode::invalid, "judgement: " + good.error().message);
    return Judgement{
        std::move(**receipt),
        *salt,
        shown["contract"].get<std::string>(),
        shown["result"].get<std::string>()};
}

/// What the answers decide, and whether the result was shown in clear.
struct Decided {
    std::size_t agreeing = 0;
    std::vector<AgentId> dissenting;
    bool is_opened = false;
    std::optional<CallRequest> judges;  ///< Who was asked which answers are the same.
};

/// The result and the salt travel beside the receipt: together they must open the digest.
Result<Decided> decide_by_digest(const JsonDoc& doc, const QuorumReceipt& receipt) {
    const auto decision = decide(receipt);
    if (!decision) return fail(ErrorCode::invalid, "no answer reached the bar");
    Decided out{.agreeing = decision->agreeing, .dissenting = decision->dissenting};
    if (!doc.contains("result") || !doc.contains("salt")) return out;
    const auto salt = read_salt(doc);
    if (!salt) return tl::unexpected<Error>(salt.error());
    if (!doc["result"].is_string() ||
        salted_digest(
            HashDomain::result, *salt, as_bytes(doc["result"].get_ref<const std::string&>())
        ) != decision->result) {
        return fail(ErrorCode::invalid, "the result shown is not the one that was signed");
    }
    out.is_opened = true;
    return out;
}

/// The answers in clear decide, under the contract's rule.
Result<Decided> decide_by_contract(
    const JsonDoc& doc,
    const QuorumReceipt& receipt,
    const std::optional<Contract>& contract,
    const Roster& roster
) {
    if (!contract || !doc.contains("shown") || !doc["shown"].is_array()) {
        return fail(
            ErrorCode::invalid,
            "its contract compares answers by a rule, so the contract and the answers in clear are "
            "needed; both are in what `creto call --verify --receipt FILE` writes"
        );
    }
    const auto salt = read_salt(doc);
    if (!salt) return tl::unexpected<Error>(salt.error());
    std::vector<ShownAnswer> shown;
    for (const JsonDoc& item : doc["shown"]) {
        auto agent = parse_agent(item.at("agent").get<std::string>());
        if (!agent) return tl::unexpected<Error>(agent.error());
        shown.push_back(
            {*agent,
             item.at("kind") == "result" ? AnswerKind::result : AnswerKind::tool_error,
             item.at("text").get<std::string>()}
        );
    }
    const auto judgement = read_judgement(doc, roster);
    if (!judgement) return tl::unexpected<Error>(judgement.error());
    const auto decision =
        decide_shown(receipt, *contract, *salt, shown, *judgement, roster.chain());
    if (!decision) return tl::unexpected<Error>(decision.error());
    if (!doc.contains("result") || doc["result"] != decision->result) {
        return fail(ErrorCode::invalid, "the result shown is not the one that the answers decide");
    }
    Decided out{decision->agreeing.size(), decision->dissenting, true, std::nullopt};
    if (*judgement) out.judges = (*judgement)->receipt.request;
    return out;
}

/// How the contract compares, for people.
std::string rule_text(const MatchRule& rule) {
    if (const auto* tolerance = std::get_if<MatchTolerance>(&rule)) {
        return "numbers within " + tolerance->distance.text() + " of the lower median" +
               (tolerance->pointer.empty() ? "" : " at " + tolerance->pointer);
    }
    if (const auto* fields = std::get_if<MatchFields>(&rule)) {
        std::string out = "equal values at";
        for (const std::string& pointer : fields->pointers)
            out += " " + (pointer.empty() ? std::string{"the whole"} : pointer);
        return out;
    }
    if (const auto* judge = std::get_if<MatchJudge>(&rule))
        return "the judge " + judge->tool + ", contract " + judge->contract.value().brief();
    return std::holds_alternative<MatchLines>(rule) ? "the same set of lines" : "equal values";
}

Result<FinalDecision> check_final(
    const FinalReceipt& receipt, const QuorumReceipt& quorum, const Roster& roster
) {
    if (receipt.receipt.request.id(roster.chain()) != quorum.request.id(roster.chain())) {
        return fail(ErrorCode::invalid, "the final receipt is that of another call");
    }
    const Ed25519Scheme scheme;
    return verify(receipt, roster, scheme);
}

}  // namespace

int command_receipt_get(
    const Client& node,
    const std::string& call,
    std::uint64_t timeout_ms,
    const std::filesystem::path& file,
    const Output& output
) {
    auto reply = node.command(
        "receipt",
        {{"call", call}, {"timeout_ms", timeout_ms}},
        std::chrono::milliseconds{timeout_ms + 5'000}
    );
    if (!reply) return output.fail(reply.error(), exit_code_of(reply.error()));
    if (auto saved = write_file(file, reply->dump(2) + "\n"); !saved) {
        return output.fail(saved.error(), exit_code::failed);
    }
    output.say(*reply, "wrote " + file.string());
    return exit_code::done;
}

int command_receipt_verify(
    const std::filesystem::path& file,
    const std::filesystem::path& genesis_file,
    const Output& output
) {
    auto genesis = read_genesis(genesis_file);
    if (!genesis) return output.fail(genesis.error(), exit_code::failed);
    auto text = read_file(file, 16U << 20U);
    if (!text) return output.fail(text.error(), exit_code::failed);
    const JsonDoc doc = JsonDoc::parse(*text, nullptr, false);
    const auto refute = [&](const Error& why) {
        return output.fail(
            {ErrorCode::invalid, file.string() + ": " + why.message}, exit_code::refuted
        );
    };
    const auto held = read_held(doc);
    if (!held) return refute(held.error());
    const QuorumReceipt& receipt = held->quorum;
    const Roster roster{*genesis};
    if (auto form = well_formed(receipt, roster.chain()); !form) return refute(form.error());
    if (auto good = check_signatures(receipt, roster); !good) return refute(good.error());
    const auto contract = read_contract(doc, receipt.request);
    if (!contract) return refute(contract.error());
    const auto decision = receipt.request.by_rule
                              ? decide_by_contract(doc, receipt, *contract, roster)
                              : decide_by_digest(doc, receipt);
    if (!decision) return refute(decision.error());
    std::optional<FinalDecision> final;
    if (held->final) {
        const auto checked = check_final(*held->final, receipt, roster);
        if (!checked) return refute(checked.error());
        final = *checked;
    }

    std::uint32_t seats = 0;
    for (const Answer& answer : receipt.answers)
        seats += roster.find(answer.provider) == nullptr ? 0 : 1;
    if (final) seats = final->answers_of_seats;  // The roster may have changed since the genesis.
    std::vector<std::string> dissenting;
    for (const AgentId& agent : decision->dissenting)
        dissenting.push_back(agent_text(agent));
    std::string lines = "the receipt holds: " + std::to_string(decision->agreeing) + " of " +
                        std::to_string(receipt.request.panel.size()) + " agents agree, " +
                        std::to_string(receipt.request.bar) + " needed; " + std::to_string(seats) +
                        " of the answers are from validators";
    JsonDoc out{
        {"ok", true},
        {"call", receipt.request.id(roster.chain()).value().hex()},
        {"agreeing", decision->agreeing},
        {"panel", receipt.request.panel.size()},
        {"bar", receipt.request.bar},
        {"result_opened", decision->is_opened},
        {"rule", *contract ? JsonDoc(rule_text((*contract)->match)) : JsonDoc(nullptr)},
        {"mode", roster.mode() == QuorumMode::crash ? "crash" : "byzantine"},
        {"dissenting", dissenting}};
    if (final) {
        lines += "\nthe verdict is final at height " +
                 std::to_string(final->verdict.height.value()) + ": " +
                 std::to_string(final->seats) + " of " + std::to_string(final->voters) +
                 " validators signed block " + final->block.value().brief();
        out["final"] = {
            {"height", final->verdict.height.value()},
            {"decided", final->verdict.decided},
            {"block", final->block.value().hex()},
            {"epoch", final->epoch.value()},
            {"signed_by", final->seats},
            {"validators", final->voters}};
    }
    if (receipt.request.by_rule)
        lines += "\nthey agree by the contract's rule: " + rule_text((*contract)->match);
    if (decision->judges) {
        lines += "\nthey are not equal; " + std::to_string(decision->judges->bar) + " of " +
                 std::to_string(decision->judges->panel.size()) +
                 " judges were needed to say which are the same";
        out["judges"] = {{"panel", decision->judges->panel.size()}, {"bar", decision->judges->bar}};
    }
    if (roster.mode() == QuorumMode::crash) lines += "\ncrash: not proof against liars";
    for (const std::string& agent : dissenting)
        lines += "\ndissenting: " + agent;
    output.say(out, lines);
    return exit_code::done;
}

}  // namespace creto
