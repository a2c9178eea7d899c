#include "ops/api_json.hpp"

#include <algorithm>

#include "codec/reader.hpp"
#include "model/limits.hpp"
#include "ops/json_fields.hpp"
#include "ops/key_json.hpp"
#include "ops/roster_json.hpp"

namespace creto {

namespace {

CommandBody read_verified(Fields& f) {
    CallVerified out{.tool = f.text("tool"), .arguments = f.json_text("arguments", "{}")};
    if (const std::uint64_t bar = f.number("quorum"); bar > 0) {
        out.bar = static_cast<std::uint32_t>(std::min<std::uint64_t>(bar, limits::panel_max));
    }
    out.any_agent = f.text("panel", "seats") == "any";
    out.record = f.flag("record", true);
    out.timeout = f.timeout(out.timeout);
    return out;
}

JsonDoc agents_json(const std::vector<AgentId>& agents) {
    JsonDoc out = JsonDoc::array();
    for (const AgentId& agent : agents)
        out.push_back(agent_text(agent));
    return out;
}

JsonDoc seats_json(const std::vector<Seat>& seats) {
    JsonDoc out = JsonDoc::array();
    for (const Seat seat : seats)
        out.push_back(seat.value());
    return out;
}

JsonDoc verdict_json(const VerdictView& v) {
    return {
        {"call", v.call.value().hex()},
        {"height", v.height.value()},
        {"tool", v.tool},
        {"decided", v.decided},
        {"result_digest", v.result.hex()},
        {"agreeing", v.agreeing},
        {"panel", v.panel},
        {"bar", v.bar},
        {"dissenting", agents_json(v.dissenting)}};
}

/// Tool results are JSON text; they stay text when a number in them would not survive a parser that
/// keeps doubles.
JsonDoc result_json(const std::string& text) {
    return text;
}

struct ReplyJson {
    JsonDoc operator()(const Error& e) const { return error_json(e); }
    JsonDoc operator()(const Done& /*done*/) const { return {{"ok", true}}; }
    JsonDoc operator()(const SubmitManyReply& r) const {
        JsonDoc out{{"ok", true}};
        if (r.error) out = error_json(*r.error);
        out["final"] = r.final_count;
        out["height"] = r.last.value();
        return out;
    }
    JsonDoc operator()(const SubmitReply& r) const {
        JsonDoc out{{"ok", true}, {"operation", r.operation.value().hex()}};
        if (r.height != Height{}) out["height"] = r.height.value();
        out["applied"] = r.applied;
        if (!r.reason.empty()) out["reason"] = r.reason;
        out["session"] = session_text(r.session);
        return out;
    }
    JsonDoc operator()(const OperationReply& r) const {
        constexpr std::array<const char*, 4> states{"unknown", "pending", "final", "never"};
        JsonDoc out{{"ok", true}, {"state", states[static_cast<std::size_t>(r.state)]}};
        if (r.height != Height{}) out["height"] = r.height.value();
        return out;
    }
    JsonDoc operator()(const KeyReply& r) const {
        JsonDoc out{{"ok", true}};
        out.update(reading_json(r));
        return out;
    }
    JsonDoc operator()(const CallReply& r) const {
        JsonDoc out{
            {"ok", true}, {"provider", agent_text(r.provider)}, {"result", result_json(r.result)}};
        if (r.pieces_lost > 0) out["pieces_lost"] = r.pieces_lost;
        return out;
    }
    JsonDoc operator()(const VerifiedReply& r) const {
        JsonDoc out{
            {"ok", true},
            {"call", r.call.value().hex()},
            {"kind", r.kind == AnswerKind::result ? "result" : "tool_error"},
            {"result", result_json(r.result)},
            {"agreeing", r.receipt.answers.size() - r.dissenting.size()},
            {"answers", r.receipt.answers.size()},
            {"panel", r.receipt.request.panel.size()},
            {"bar", r.receipt.request.bar},
            {"dissenting", agents_json(r.dissenting)},
            {"arguments", r.arguments},
            {"salt", to_hex(r.salt)},
            {"receipt", to_hex(encode_bytes(r.receipt))},
            {"contract", r.definition}};
        for (const ShownAnswer& shown : r.shown) {
            out["shown"].push_back(
                {{"agent", agent_text(shown.provider)},
                 {"kind", shown.kind == AnswerKind::result ? "result" : "tool_error"},
                 {"text", shown.text}}
            );
        }
        if (r.judgement) {
            const QuorumReceipt& judges = r.judgement->receipt;
            out["judgement"] = {
                {"result", result_json(r.judgement->result)},
                {"answers", judges.answers.size()},
                {"panel", judges.request.panel.size()},
                {"bar", judges.request.bar},
                {"salt", to_hex(r.judgement->salt)},
                {"receipt", to_hex(encode_bytes(judges))},
                {"contract", r.judgement->definition}};
        }
        if (r.recorded) out["recorded"] = r.recorded->value();
        return out;
    }
    JsonDoc operator()(const ReceiptReply& r) const {
        return {{"ok", true}, {"call", r.call.value().hex()}, {"final_receipt", to_hex(r.receipt)}};
    }
    JsonDoc operator()(const StatusReply& r) const {
        JsonDoc out{
            {"ok", true},
            {"agent", agent_text(r.agent)},
            {"name", r.name},
            {"seat", r.seat ? JsonDoc(r.seat->value()) : JsonDoc(nullptr)},
            {"chain", r.chain.value().hex()},
            {"mode", r.mode == QuorumMode::crash ? "crash" : "byzantine"},
            {"validators", r.quorum.n},
            {"quorum", r.quorum.q},
            {"faults_tolerated", r.quorum.n - r.quorum.q},
            {"reachable", r.reachable_seats},
            {"has_quorum", r.reachable_seats >= r.quorum.q},
            {"partitioned", r.partitioned},
            {"lost", seats_json(r.lost_seats)},
            {"halted", r.halted ? JsonDoc(*r.halted) : JsonDoc(nullptr)},
            {"epoch", r.epoch.value()},
            {"view", r.view.value()},
            {"finalized", r.finalized.value()},
            {"checkpoint", r.checkpoint.value()},
            {"kept_from", r.kept_from.value()},
            {"state_root", r.state_root.hex()},
            {"order_digest", r.order_digest.hex()},
            {"vertices", r.vertices},
            {"operations_final", r.operations_final},
            {"pending_operations", r.pending_operations},
            {"pending_calls", r.pending_calls},
            {"causal_backlog", r.causal_backlog},
            {"counters", JsonDoc::object()}};
        for (const auto& [name, value] : r.counters)
            out["counters"][name] = value;
        return out;
    }
    JsonDoc operator()(const PeersReply& r) const {
        JsonDoc out{{"ok", true}, {"peers", JsonDoc::array()}};
        for (const PeerView& peer : r.peers) {
            JsonDoc tools = JsonDoc::array();
            for (const ToolOffer& tool : peer.tools) {
                tools.push_back(
                    {{"name", tool.name},
                     {"contract", tool.contract.id().value().hex()},
                     {"description", tool.description},
                     {"definition", tool.definition}}
                );
            }
            out["peers"].push_back(
                {{"agent", agent_text(peer.agent)},
                 {"name", peer.name},
                 {"seat", peer.seat ? JsonDoc(peer.seat->value()) : JsonDoc(nullptr)},
                 {"connected", peer.connected},
                 {"reachable", peer.reachable},
                 {"hears_us", peer.hears_us},
                 {"state", to_string(peer.state)},
                 {"state_for_ms", peer.state_for.ms()},
                 {"round_trip_us",
                  peer.round_trip ? JsonDoc(peer.round_trip->us()) : JsonDoc(nullptr)},
                 {"lag", peer.lag ? JsonDoc(*peer.lag) : JsonDoc(nullptr)},
                 {"voted_view", peer.voted ? JsonDoc(peer.voted->value()) : JsonDoc(nullptr)},
                 {"addresses", peer.addresses},
                 {"tools", std::move(tools)}}
            );
        }
        return out;
    }
    JsonDoc operator()(const ReputationReply& r) const {
        JsonDoc out{{"ok", true}, {"agents", JsonDoc::array()}};
        for (const ReputationView& view : r.agents) {
            out["agents"].push_back(
                {{"agent", agent_text(view.agent)},
                 {"name", view.name},
                 {"score_ppm", view.score_ppm},
                 {"agreed", view.agreed},
                 {"dissented", view.dissented},
                 {"excluded", view.excluded},
                 {"suspended", view.suspended},
                 {"reasons", view.reasons}}
            );
        }
        return out;
    }
    JsonDoc operator()(const RosterReply& r) const { return roster_json(r); }
    JsonDoc operator()(const VerdictsReply& r) const {
        JsonDoc out{{"ok", true}, {"verdicts", JsonDoc::array()}};
        for (const VerdictView& verdict : r.verdicts)
            out["verdicts"].push_back(verdict_json(verdict));
        return out;
    }
    JsonDoc operator()(const LogReply& r) const {
        JsonDoc out{{"ok", true}, {"blocks", JsonDoc::array()}};
        for (const Block& block : r.blocks)
            out["blocks"].push_back(to_json(block));
        return out;
    }
};

struct NoticeJson {
    JsonDoc operator()(const Finalized& n) const {
        return {
            {"event", "finalized"},
            {"height", n.block.height.value()},
            {"view", n.block.view.value()},
            {"block", n.id.value().hex()},
            {"operations", n.operations},
            {"order_digest", n.order_digest.hex()},
            {"state_root", n.state_root.hex()}};
    }
    JsonDoc operator()(const Adopted& n) const {
        return {
            {"event", "adopted"},
            {"height", n.height.value()},
            {"block", n.id.value().hex()},
            {"order_digest", n.order_digest.hex()},
            {"state_root", n.state_root.hex()}};
    }
    JsonDoc operator()(const AgentFound& n) const {
        return {{"event", "agent_found"}, {"agent", agent_text(n.agent)}, {"name", n.name}};
    }
    JsonDoc operator()(const AgentLeft& n) const {
        return {{"event", "agent_left"}, {"agent", agent_text(n.agent)}, {"name", n.name}};
    }
    JsonDoc operator()(const AgentSuspected& n) const {
        return {{"event", "agent_suspected"}, {"agent", agent_text(n.agent)}, {"name", n.name}};
    }
    JsonDoc operator()(const AgentAlive& n) const {
        return {
            {"event", "agent_alive"},
            {"agent", agent_text(n.agent)},
            {"name", n.name},
            {"was", n.was_dead ? "dead" : "suspect"}};
    }
    JsonDoc operator()(const AgentDead& n) const {
        return {{"event", "agent_dead"}, {"agent", agent_text(n.agent)}, {"name", n.name}};
    }
    JsonDoc operator()(const Partitioned& n) const {
        return {
            {"event", "partitioned"},
            {"reachable", seats_json(n.reachable)},
            {"lost", seats_json(n.lost)},
            {"quorum", n.quorum}};
    }
    JsonDoc operator()(const Healed& n) const {
        return {{"event", "healed"}, {"reachable", seats_json(n.returned)}};
    }
    JsonDoc operator()(const VerdictReached& n) const {
        JsonDoc out{{"event", "verdict"}};
        out.update(verdict_json(n.verdict));
        return out;
    }
    JsonDoc operator()(const Excluded& n) const {
        return {
            {"event", "excluded"},
            {"agent", agent_text(n.agent)},
            {"name", n.name},
            {"reason", n.reason}};
    }
    JsonDoc operator()(const Suspended& n) const {
        return {
            {"event", "suspended"},
            {"agent", agent_text(n.agent)},
            {"name", n.name},
            {"reason", n.reason}};
    }
    JsonDoc operator()(const RosterChanged& n) const {
        return {{"event", "roster_changed"}, {"change", n.what}, {"from_epoch", n.from.value()}};
    }
    JsonDoc operator()(const SeatSuspected& n) const {
        return {
            {"event", "seat_suspected"},
            {"seat", n.seat.value()},
            {"agent", agent_text(n.agent)},
            {"name", n.name},
            {"reason", n.reason}};
    }
    JsonDoc operator()(const SeatCleared& n) const {
        return {
            {"event", "seat_cleared"},
            {"seat", n.seat.value()},
            {"agent", agent_text(n.agent)},
            {"name", n.name}};
    }
    JsonDoc operator()(const SeatDormant& n) const {
        return {
            {"event", "seat_dormant"},
            {"seat", n.seat.value()},
            {"agent", agent_text(n.agent)},
            {"name", n.name},
            {"from_epoch", n.from.value()}};
    }
    JsonDoc operator()(const SeatReturned& n) const {
        return {
            {"event", "seat_returned"},
            {"seat", n.seat.value()},
            {"agent", agent_text(n.agent)},
            {"name", n.name},
            {"from_epoch", n.from.value()}};
    }
    JsonDoc operator()(const EpochBegun& n) const {
        JsonDoc out{
            {"event", "epoch"},
            {"epoch", n.epoch.value()},
            {"validators", n.voters.size()},
            {"dormant", n.dormant},
            {"seat", nullptr}};
        if (n.own) out["seat"] = n.own->value();
        return out;
    }
    JsonDoc operator()(const LaneReset& n) const {
        return {
            {"event", "lane_reset"},
            {"seat", n.seat.value()},
            {"name", n.name},
            {"lane", lane_text(n.opened)}};
    }
    JsonDoc operator()(const LaneLost& n) const {
        return {{"event", "lane_lost"}, {"reason", n.reason}, {"asks", n.asks}};
    }
    JsonDoc operator()(const LaneRegained& n) const {
        return {{"event", "lane_regained"}, {"lane", lane_text(n.lane)}};
    }
    JsonDoc operator()(const Halted& n) const {
        return {{"event", "halted"}, {"reason", n.reason}};
    }
    JsonDoc operator()(const KeyChanged& n) const {
        JsonDoc out{
            {"event", "key_changed"},
            {"key", n.key},
            {"path", n.path},
            {"reading", n.key.starts_with("final/") ? "final" : "causal"}};
        out.update(reading_json(n.value));
        return out;
    }
    JsonDoc operator()(const ChangesLost& n) const {
        return {{"event", "changes_lost"}, {"count", n.count}};
    }
};

SubmitMany read_many(Fields& f) {
    SubmitMany out{.timeout = f.timeout(Duration::from_s(30))};
    for (Bytes& payload : f.bytes_list("payloads"))
        out.bodies.emplace_back(DataOperation{std::move(payload)});
    return out;
}

}  // namespace

Result<CommandBody> batch_from_bytes(ByteView body) {
    Reader reader{body};
    SubmitMany out;
    while (reader.ok() && reader.left() > 0) {
        const ByteView payload = reader.bytes(limits::operation_bytes_max);
        if (reader.ok()) out.bodies.emplace_back(DataOperation{{payload.begin(), payload.end()}});
    }
    if (reader.ok() && !out.bodies.empty()) return CommandBody{std::move(out)};
    return fail(
        ErrorCode::invalid,
        "submit-batch: the body must be payloads, each behind its length, and is " +
            std::string{reader.ok() ? "empty" : to_string(reader.error())}
    );
}

Result<CommandBody> command_from_json(const std::string& name, const JsonDoc& body) {
    if (!body.is_object())
        return fail(ErrorCode::invalid, name + ": the body must be a JSON object");
    Fields f{body};
    CommandBody out;
    if (name == "submit") {
        out = Submit{
            .body = DataOperation{f.bytes("payload")}, .timeout = f.timeout(Duration::from_s(30))};
    } else if (name == "submit-batch") {
        out = read_many(f);
    } else if (name == "write") {
        out = key_write(f);
    } else if (name == "read") {
        out = key_read(f);
    } else if (name == "operation") {
        out = AskOperation{OperationId{f.digest("operation")}};
    } else if (name == "call") {
        out = CallTool{
            .tool = f.text("tool"),
            .arguments = f.json_text("arguments", "{}"),
            .agent = f.agent("agent"),
            .timeout = f.timeout(Duration::from_s(10)),
            .stream = f.flag("stream", false)};
    } else if (name == "call-verified") {
        out = read_verified(f);
    } else if (name == "receipt") {
        out = AskReceipt{CallId{f.digest("call")}, f.timeout(Duration::from_s(10))};
    } else if (name == "connect") {
        out = Connect{f.text("address")};
    } else if (name == "status") {
        out = AskStatus{};
    } else if (name == "peers") {
        out = AskPeers{};
    } else if (name == "reputation") {
        out = AskReputation{};
    } else if (name == "roster") {
        out = AskRoster{};
    } else if (name == "roster-change") {
        out = roster_change(f);
    } else if (name == "verdicts") {
        out = AskVerdicts{};
    } else if (name == "log") {
        out = AskLog{
            Height{f.number("from", 1)},
            static_cast<std::uint32_t>(std::min<std::uint64_t>(f.number("count", 100), 1'000))};
    } else {
        return fail(ErrorCode::not_found, "there is no command \"" + name + "\"");
    }
    if (auto done = f.finish(name); !done) return tl::unexpected<Error>(done.error());
    return out;
}

JsonDoc error_json(const Error& error) {
    return {
        {"ok", false}, {"error", {{"code", to_string(error.code)}, {"message", error.message}}}};
}

JsonDoc bytes_json(const Bytes& bytes) {
    const std::string text{as_text(bytes)};
    // dump() throws on text that is not UTF-8; the replacement handler tells without throwing.
    const JsonDoc as_string = text;
    const std::string dumped = as_string.dump(-1, ' ', false, JsonDoc::error_handler_t::ignore);
    const bool utf8 = JsonDoc::parse(dumped, nullptr, false) == as_string;
    if (utf8) return as_string;
    return {{"hex", to_hex(bytes)}};
}

JsonDoc to_json(const Block& block) {
    JsonDoc delta = JsonDoc::array();
    for (const LaneRange& range : block.delta) {
        delta.push_back(
            {{"lane", lane_text(range.lane)},
             {"first", range.first.value()},
             {"last", range.last.value()},
             {"tip", range.tip.value().hex()}}
        );
    }
    return {
        {"height", block.height.value()},
        {"view", block.view.value()},
        {"proposer", block.proposer.value()},
        {"id", block.id().value().hex()},
        {"parent", block.parent.value().hex()},
        {"delta", std::move(delta)},
        {"executed",
         {{"height", block.executed.height.value()},
          {"state_root", block.executed.state_root.hex()},
          {"order_digest", block.executed.order_digest.hex()}}}};
}

JsonDoc to_json(const ShownPiece& shown) {
    JsonDoc out{
        {"event", shown.piece ? "piece" : "restarted"},
        {"attempt", shown.attempt},
        {"provider", agent_text(shown.provider)}};
    if (!shown.piece) return out;
    out["number"] = shown.number;
    if (shown.lost > 0) out["lost"] = shown.lost;
    out["kind"] = to_string(shown.piece->kind);
    if (shown.piece->kind == Piece::Kind::progress) {
        out["done"] = shown.piece->done;
        if (shown.piece->total > 0) out["total"] = shown.piece->total;
    }
    // JSON stays text, as results do.
    out[shown.piece->kind == Piece::Kind::json ? "json" : "text"] = shown.piece->text;
    return out;
}

JsonDoc to_json(const ReplyBody& reply) {
    return std::visit(ReplyJson{}, reply);
}
JsonDoc to_json(const Notice& notice) {
    return std::visit(NoticeJson{}, notice);
}

}  // namespace creto
