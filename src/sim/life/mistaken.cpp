#include "sim/life/mistaken.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <tuple>

#include "sim/node_participant.hpp"

namespace creto {
namespace {

constexpr std::uint64_t extra_bit = std::uint64_t{1} << 62U;
constexpr auto calm_by = Duration::from_s(35);
constexpr auto hears_late = Duration::from_s(10);
constexpr std::uint8_t proposal_kind = 0;  ///< A message begins with its place in the variant.

class Mistaken final : public Participant {
public:
    Mistaken(PlantedBug bug, const ParticipantParts& parts, std::shared_ptr<std::uint64_t> thrown)
        : bug_{bug},
          boot_{parts.boot},
          genesis_{parts.options.genesis},
          signer_{parts.signer},
          chain_{Roster{genesis_}.chain()},
          thrown_{std::move(thrown)},
          inner_{parts} {}

    [[nodiscard]] Result<void> restore(const StoreView& store, const VoteLogContents& votes)
        override {
        if (bug_ == PlantedBug::lost_disk && boot_ > 0)
            return fail(ErrorCode::corrupt, "planted: the disk is not read");
        if (bug_ != PlantedBug::amnesia) return inner_.restore(store, votes);
        // With none at all it would ask the others first. [ORD-R5.2]
        VoteLogContents oldest{{}, votes.intact, votes.damage};
        if (!votes.records.empty()) oldest.records.push_back(votes.records.front());
        return inner_.restore(store, oldest);
    }

    [[nodiscard]] std::vector<Effect> on_event(const Event& event, Instant now) override {
        now_ = now;
        std::vector<Effect> out;
        if (const auto* received = std::get_if<Received>(&event)) {
            if (bug_ == PlantedBug::deaf_after_start && boot_ > 0) return {};
            if (bug_ == PlantedBug::glutton) gluttony_bytes_ += 1U << 20U;
            if (bug_ == PlantedBug::blind_eye && is_second_story(*received)) return {};
            if (bug_ == PlantedBug::circling && is_finality(*received)) return {};
            if (bug_ == PlantedBug::slow_ears && received->channel == Channel::order) {
                late_.emplace_back(now + hears_late, event);
                return hear_late(now);
            }
        }
        if (const auto* command = std::get_if<Command>(&event))
            if (instead_of(*command, out)) return out;
        take(inner_.on_event(event, now), out);
        if (bug_ == PlantedBug::slow_ears) take(hear_late(now), out);
        add(event, out);
        std::erase_if(out, [](const Effect& effect) {
            const auto* reply = std::get_if<Reply>(&effect);
            return reply != nullptr && (reply->ticket.value() & extra_bit) != 0;
        });
        return out;
    }
    [[nodiscard]] const Node* node() const override { return inner_.node(); }
    [[nodiscard]] std::size_t held_bytes() const override {
        return inner_.held_bytes() + gluttony_bytes_;
    }

private:
    void take(std::vector<Effect> effects, std::vector<Effect>& out) {
        proposes_ = std::any_of(effects.begin(), effects.end(), [](const Effect& effect) {
            const auto* send = std::get_if<Send>(&effect);
            return send != nullptr && send->message->front() == proposal_kind;
        });
        for (Effect& effect : effects)
            distort(std::move(effect), out);
    }

    std::vector<Effect> hear_late(Instant now) {
        std::vector<Effect> out;
        while (!late_.empty() && late_.front().first <= now) {
            for (Effect& effect : inner_.on_event(late_.front().second, now))
                out.push_back(std::move(effect));
            late_.pop_front();
        }
        return out;
    }

    /// What is done with a command in place of what was asked; true when that is all.
    bool instead_of(const Command& command, std::vector<Effect>& out) {
        const auto* read = std::get_if<ReadKey>(&command.body);
        if (read != nullptr && read->key.ends_with("/n")) counter_reads_.insert(command.ticket);
        const auto* submit = std::get_if<Submit>(&command.body);
        if (submit == nullptr) return false;
        const auto answer_at_once = [&] {
            SubmitReply reply;
            const Bytes ticket = encode_number(command.ticket.value());
            reply.operation = OperationId{hash(HashDomain::trace, ticket)};
            out.emplace_back(Reply{command.ticket, reply});
            return true;
        };
        if (bug_ == PlantedBug::hollow_causal &&
            std::holds_alternative<CrdtOperation>(submit->body))
            return answer_at_once();
        const auto* key = std::get_if<KeyOperation>(&submit->body);
        if (key == nullptr) return false;
        if (bug_ == PlantedBug::hollow_answer) return answer_at_once();
        if (bug_ == PlantedBug::refuses_some && now_ > Instant{} + calm_by && ++turn_ % 2 == 0) {
            out.emplace_back(Reply{command.ticket, Error{ErrorCode::unavailable, "planted"}});
            return true;
        }
        if (bug_ == PlantedBug::altered_write) {
            Submit altered = *submit;
            std::get<KeyOperation>(altered.body).value = to_bytes("other");
            std::get<KeyOperation>(altered.body).amount += 1;
            take(inner_.on_event(Command{command.ticket, altered}, now_), out);
            return true;
        }
        if (bug_ == PlantedBug::write_twice && key->action == KeyOperation::Action::add)
            take(inner_.on_event(Command{extra_ticket(), *submit}, now_), out);
        return false;
    }
    static Bytes encode_number(std::uint64_t value) {
        Writer writer;
        writer.uvarint(value);
        return writer.take();
    }
    Ticket extra_ticket() { return Ticket{extra_bit | ++extras_}; }

    /// What the node does of its own accord.
    void add(const Event& event, std::vector<Effect>& out) {
        const bool has_persisted = std::holds_alternative<Persisted>(event);
        if (bug_ == PlantedBug::busybody && has_persisted && ++turn_ % 3 == 0) {
            KeyOperation busy;
            busy.key = "final/busy";
            busy.value = to_bytes(std::to_string(turn_));
            take(
                inner_.on_event(
                    Command{extra_ticket(), Submit{busy, Reading::final, Duration::from_s(15)}},
                    now_
                ),
                out
            );
        }
        if (bug_ == PlantedBug::hoarder && has_persisted && ++turn_ % 2 == 0)
            persist_extra({Column::meta, encode_number(turn_), share(Bytes(1U << 20U))}, out);
        if (bug_ == PlantedBug::torn_graph && !vertices_.empty() && ++turn_ % 50 == 0) {
            persist_extra({Column::vertices, vertices_.front(), std::nullopt}, out);
            vertices_.pop_front();
        }
        if (bug_ == PlantedBug::restless) out.emplace_back(WakeAt{now_});
    }
    /// Beside the node's own tickets; nobody hears that it is durable.
    void persist_extra(KeyWrite write, std::vector<Effect>& out) {
        for (Effect& effect : out)
            if (auto* persist = std::get_if<Persist>(&effect)) {
                persist->writes.push_back(std::move(write));
                return;
            }
        waiting_.push_back(std::move(write));
    }

    void distort(Effect effect, std::vector<Effect>& out) {
        if (auto* persist = std::get_if<Persist>(&effect)) distort_persist(*persist);
        if (auto* publish = std::get_if<Publish>(&effect))
            if (auto* finalized = std::get_if<Finalized>(&*publish->notice))
                if (!distort_finality(*finalized, out)) return;
        if (auto* reply = std::get_if<Reply>(&effect)) {
            if (bug_ == PlantedBug::two_answers) out.push_back(effect);
            auto* read = std::get_if<KeyReply>(&*reply->body);
            if (bug_ == PlantedBug::hasty_read && read != nullptr &&
                counter_reads_.contains(reply->ticket))
                distort_read(*read);
        }
        if (auto* send = std::get_if<Send>(&effect)) {
            if (bug_ == PlantedBug::dice && ++*thrown_ % 97 == 0) return;
            distort_send(*send);
        }
        out.push_back(std::move(effect));
    }

    /// False: it is not told.
    bool distort_finality(Finalized& finalized, std::vector<Effect>& out) {
        ++finalized_;
        if (bug_ == PlantedBug::mute_finality) return finalized_ < 10;
        if (finalized_ != 10) return true;
        if (bug_ == PlantedBug::wrong_state)
            finalized.state_root = hash(HashDomain::trace, as_bytes("wrong"));
        if (bug_ == PlantedBug::slander)
            out.emplace_back(Publish{Excluded{genesis_.members[1].key, "node-1", "slander"}});
        return bug_ != PlantedBug::skipped_height;
    }

    static void distort_read(KeyReply& read) {
        if (read.counter) ++*read.counter;
        if (read.counter || read.values.size() != 1) return;
        const std::string text{as_text(read.values.front())};  // Under final/ in clear.
        read.values.front() = to_bytes(std::to_string(std::stoll(text) + 1));
    }

    void distort_persist(Persist& persist) {
        for (KeyWrite& write : waiting_)
            persist.writes.push_back(std::move(write));
        waiting_.clear();
        if (bug_ == PlantedBug::torn_graph)
            for (const KeyWrite& write : persist.writes)
                if (write.column == Column::vertices && write.value) vertices_.push_back(write.key);
        if (bug_ != PlantedBug::broken_lock || proposes_) return;
        // The log holds the wrong vote as well: this bug is no lie.
        for (Bytes& record : persist.votes)
            for (const auto& [right, wrong] : replaced_votes(record))
                std::copy(
                    wrong.begin(),
                    wrong.end(),
                    std::search(record.begin(), record.end(), right.begin(), right.end())
                );
    }
    /// Of a notarize vote in a record: itself, and the same on the parent's parent's view.
    std::vector<std::pair<Bytes, Bytes>> replaced_votes(const Bytes& record) {
        Reader reader{ByteView{record}.subspan(1)};
        Vote vote;
        decode(reader, vote);
        if (reader.finish() != DecodeError::none || vote.content.kind != VoteKind::notarize)
            return {};
        const Vote wrong = wrong_parent(vote);
        const Bytes right_bytes = encode_bytes(vote);
        const Bytes wrong_bytes = encode_bytes(wrong);
        if (right_bytes.size() != wrong_bytes.size()) return {};
        lied_about_.insert(vote.content.view);
        return {{right_bytes, wrong_bytes}};
    }
    [[nodiscard]] Vote wrong_parent(Vote vote) const {
        if (vote.content.parent_view.value() < 3) return vote;
        vote.content.parent_view = View{vote.content.parent_view.value() - 2};
        return signed_anew(vote);
    }
    [[nodiscard]] Vote signed_anew(Vote vote) const {
        vote.signature =
            signer_.sign(SignDomain::vote, chain_.value(), signing_bytes(vote.content));
        return vote;
    }

    void distort_send(Send& send) {
        if (bug_ == PlantedBug::hasty_vote) send.after = Ticket{};
        if (send.channel != Channel::order && bug_ != PlantedBug::torn_proof) return;
        if (bug_ == PlantedBug::endless_ticket && ++turn_ == 100) send.after = Ticket{extra_bit};
        if (bug_ == PlantedBug::garbage && ++turn_ == 100)
            send.message = share(to_bytes("\xff no message"));
        auto message = decode_message(*send.message);
        if (!message) return;
        if (auto* certificate = std::get_if<Certificate>(&*message))
            if (bug_ == PlantedBug::thin_certificate) return send_thin(send, *certificate);
        if (auto* status = std::get_if<OrderStatus>(&*message))
            if (bug_ == PlantedBug::leaps_back && status->view.value() > 1 && ++turn_ % 2 == 0) {
                status->view = View{1};
                send.message = encode_message(*status);
            }
        if (auto* vote = std::get_if<Vote>(&*message)) {
            if (bug_ == PlantedBug::other_epoch && ++turn_ % 50 == 0) {
                vote->content.epoch = Epoch{2};
                send.message = encode_message(signed_anew(*vote));
            }
            if (bug_ == PlantedBug::broken_lock && vote->content.kind == VoteKind::notarize &&
                lied_about_.contains(vote->content.view))
                send.message = encode_message(wrong_parent(*vote));
        }
        if (auto* notice = std::get_if<EvidenceNotice>(&*message))
            if (bug_ == PlantedBug::torn_proof)
                if (auto* votes = std::get_if<VoteConflict>(&notice->evidence)) {
                    votes->b.signature = votes->a.signature;
                    send.message = encode_message(*notice);
                }
    }
    static void send_thin(Send& send, Certificate& certificate) {
        for (std::size_t i = certificate.signers.size() * 8; i-- > 0;) {
            if (!certificate.signed_by(static_cast<std::uint32_t>(i))) continue;
            certificate.signers[i / 8] &= static_cast<std::uint8_t>(~(1U << (i % 8)));
            certificate.signatures.pop_back();
            break;
        }
        send.message = encode_message(certificate);
    }

    /// What would make a block final.
    static bool is_finality(const Received& received) {
        const auto message = decode_message(*received.message);
        if (!message) return false;
        const auto* vote = std::get_if<Vote>(&*message);
        const auto* certificate = std::get_if<Certificate>(&*message);
        return (vote != nullptr && vote->content.kind == VoteKind::finalize) ||
               (certificate != nullptr && certificate->content.kind == VoteKind::finalize);
    }
    /// A vote that contradicts one that came before.
    bool is_second_story(const Received& received) {
        const auto message = decode_message(*received.message);
        if (!message) return false;
        if (std::holds_alternative<EvidenceNotice>(*message)) return true;
        std::optional<Vote> vote;
        if (const auto* said = std::get_if<Vote>(&*message)) vote = *said;
        if (const auto* proposal = std::get_if<Proposal>(&*message)) vote = proposal->leader_vote();
        if (!vote) return false;
        const auto [first, is_new] = heard_.emplace(
            std::tuple{vote->seat, vote->content.view, vote->content.kind}, vote->content
        );
        return !is_new && first->second != vote->content;
    }

    PlantedBug bug_;
    std::uint32_t boot_;
    Genesis genesis_;
    const Signer& signer_;
    ChainId chain_;
    std::shared_ptr<std::uint64_t> thrown_;
    NodeParticipant inner_;
    Instant now_;
    std::uint64_t finalized_ = 0;
    std::uint64_t turn_ = 0;
    std::uint64_t extras_ = 0;
    std::size_t gluttony_bytes_ = 0;
    bool proposes_ = false;
    std::set<Ticket> counter_reads_;
    std::deque<std::pair<Instant, Event>> late_;
    std::vector<KeyWrite> waiting_;
    std::deque<Bytes> vertices_;
    std::set<View> lied_about_;
    std::map<std::tuple<Seat, View, VoteKind>, VoteContent> heard_;
};

}  // namespace

std::unique_ptr<Participant> mistaken(
    PlantedBug bug, const ParticipantParts& parts, std::shared_ptr<std::uint64_t> thrown
) {
    return std::make_unique<Mistaken>(bug, parts, std::move(thrown));
}

}  // namespace creto
