#include "sim/life/planted.hpp"

#include <array>
#include <string>

#include "sim/byzantine/attack.hpp"
#include "sim/node_participant.hpp"

namespace creto {
namespace {

struct Row {
    PlantedBug bug;
    const char* name;
    const char* checker;
};
constexpr std::array rows{
    Row{PlantedBug::double_vote, "double-vote", "single-vote"},
    Row{PlantedBug::hasty_vote, "hasty-vote", "durable-vote"},
    Row{PlantedBug::amnesia, "amnesia", "halt"},
    Row{PlantedBug::wrong_state, "wrong-state", "agreement"},
    Row{PlantedBug::skipped_height, "skipped-height", "prefix"},
    Row{PlantedBug::hollow_answer, "hollow-answer", "durability"},
    Row{PlantedBug::altered_write, "altered-write", "integrity"},
    Row{PlantedBug::write_twice, "write-twice", "exactly-once"},
    Row{PlantedBug::thin_certificate, "thin-certificate", "certificate"},
    Row{PlantedBug::deaf_after_start, "deaf-after-start", "progress"},
    Row{PlantedBug::slander, "slander", "evidence"},
    Row{PlantedBug::two_answers, "two-answers", "one-reply"},
};

/// A node with one mistake between it and its host.
class Mistaken final : public Participant {
public:
    Mistaken(PlantedBug bug, const ParticipantParts& parts)
        : bug_{bug}, boot_{parts.boot}, genesis_{parts.options.genesis}, inner_{parts} {}

    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes)
        override {
        if (bug_ != PlantedBug::amnesia) return inner_.restore(store, votes);
        return inner_.restore(store, VoteLogContents{{}, votes.intact, votes.damage});
    }

    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override {
        if (bug_ == PlantedBug::deaf_after_start && boot_ > 0 &&
            std::holds_alternative<Received>(event))
            return {};
        std::vector<Effect> out;
        const auto* command = std::get_if<Command>(&event);
        const auto* submit = command == nullptr ? nullptr : std::get_if<Submit>(&command->body);
        const auto* key = submit == nullptr ? nullptr : std::get_if<KeyOperation>(&submit->body);
        if (key != nullptr && bug_ == PlantedBug::hollow_answer) {
            SubmitReply reply;
            reply.operation = OperationId{hash(HashDomain::trace, as_bytes(key->key))};
            out.emplace_back(Reply{command->ticket, reply});
            return out;
        }
        if (key != nullptr && bug_ == PlantedBug::altered_write) {
            Submit altered = *submit;
            std::get<KeyOperation>(altered.body).value = to_bytes("other");
            return inner_.on_event(Command{command->ticket, altered}, now);
        }
        if (key != nullptr && bug_ == PlantedBug::write_twice &&
            key->action == KeyOperation::Action::add)
            out =
                inner_.on_event(Command{Ticket{command->ticket.value() | extra_bit}, *submit}, now);
        for (Effect& effect : inner_.on_event(event, now))
            distort(std::move(effect), out);
        std::erase_if(out, [](const Effect& effect) {
            const auto* reply = std::get_if<Reply>(&effect);
            return reply != nullptr && (reply->ticket.value() & extra_bit) != 0;
        });
        return out;
    }
    [[nodiscard]] const Node* node() const override { return inner_.node(); }

private:
    static constexpr std::uint64_t extra_bit = std::uint64_t{1} << 62U;

    void distort(Effect effect, std::vector<Effect>& out) {
        if (auto* send = std::get_if<Send>(&effect)) distort_send(*send);
        if (auto* publish = std::get_if<Publish>(&effect)) {
            auto* finalized = std::get_if<Finalized>(&*publish->notice);
            if (finalized != nullptr && ++finalized_ == 10) {
                if (bug_ == PlantedBug::skipped_height) return;
                if (bug_ == PlantedBug::wrong_state)
                    finalized->state_root = hash(HashDomain::trace, as_bytes("wrong"));
                if (bug_ == PlantedBug::slander)
                    out.emplace_back(Publish{Excluded{genesis_.members[1].key, "node-1", "slander"}}
                    );
            }
        }
        if (bug_ == PlantedBug::two_answers && std::holds_alternative<Reply>(effect))
            out.push_back(effect);
        out.push_back(std::move(effect));
    }
    void distort_send(Send& send) {
        if (bug_ == PlantedBug::hasty_vote) send.after = Ticket{};
        if (bug_ != PlantedBug::thin_certificate || send.channel != Channel::order) return;
        auto message = decode_message(*send.message);
        auto* certificate = message ? std::get_if<Certificate>(&*message) : nullptr;
        if (certificate == nullptr) return;
        for (std::size_t i = certificate->signers.size() * 8; i-- > 0;) {
            if (!certificate->signed_by(static_cast<std::uint32_t>(i))) continue;
            certificate->signers[i / 8] &= static_cast<std::uint8_t>(~(1U << (i % 8)));
            certificate->signatures.pop_back();
            break;
        }
        send.message = encode_message(*certificate);
    }

    PlantedBug bug_;
    std::uint32_t boot_;
    Genesis genesis_;
    NodeParticipant inner_;
    std::uint64_t finalized_ = 0;
};

}  // namespace

const std::vector<PlantedBug>& all_planted_bugs() {
    static const std::vector<PlantedBug> all = [] {
        std::vector<PlantedBug> list;
        for (const Row& row : rows)
            list.push_back(row.bug);
        return list;
    }();
    return all;
}

const char* to_string(PlantedBug bug) {
    return rows.at(static_cast<std::size_t>(bug)).name;
}

const char* noticed_by(PlantedBug bug) {
    return rows.at(static_cast<std::size_t>(bug)).checker;
}

Result<PlantedBug> parse_planted_bug(std::string_view name) {
    std::string known;
    for (const Row& row : rows) {
        if (name == row.name) return row.bug;
        known += (known.empty() ? "" : ", ") + std::string{row.name};
    }
    return fail(
        ErrorCode::invalid,
        "no planted bug \"" + std::string{name.substr(0, 64)} + "\"; there are " + known
    );
}

ParticipantFactory planted(PlantedBug bug) {
    return [bug](const ParticipantParts& parts) -> std::unique_ptr<Participant> {
        if (parts.index != NodeIndex{0}) return std::make_unique<NodeParticipant>(parts);
        if (bug == PlantedBug::double_vote)
            return deviate(Attack::equivocation, std::make_unique<NodeParticipant>(parts), parts);
        return std::make_unique<Mistaken>(bug, parts);
    };
}

}  // namespace creto
